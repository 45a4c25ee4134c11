//! The kernel's key retention service.

use super::{Result, check_ret};

/// Joins a new, empty session keyring, so that the caller's keys stay the caller's.
///
/// # Errors
///
/// `ENOSYS` without the service, `EDQUOT` when the user has too many keyrings.
pub fn join_new_session() -> Result<()> {
    let join: libc::c_long = libc::KEYCTL_JOIN_SESSION_KEYRING.into();
    // SAFETY: a null name asks for an anonymous keyring; nothing else is read.
    let ret = unsafe { libc::syscall(libc::SYS_keyctl, join, std::ptr::null::<libc::c_char>()) };
    check_ret(ret, || "keyctl(KEYCTL_JOIN_SESSION_KEYRING)".to_owned())?;
    Ok(())
}
