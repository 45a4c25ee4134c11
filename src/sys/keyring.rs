//! The kernel's key retention service.

use super::{Result, check_ret};

/// Joins a new, empty session keyring, so that containers cannot use the caller's keys.
///
/// # Errors
///
/// `ENOSYS` if the kernel has no keyrings, `EDQUOT` if the user has too many of them.
pub fn join_new_session() -> Result<()> {
    let join: libc::c_long = libc::KEYCTL_JOIN_SESSION_KEYRING.into();
    // SAFETY: a null name asks for an anonymous keyring; nothing is read.
    let ret = unsafe { libc::syscall(libc::SYS_keyctl, join, std::ptr::null::<libc::c_char>()) };
    check_ret(ret, || "keyctl(KEYCTL_JOIN_SESSION_KEYRING)".to_owned())?;
    Ok(())
}
