//! Seccomp filters.

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use super::{Result, check_ret};

/// An instruction of a filter, in the kernel's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The opcode.
    pub code: u16,
    /// How many instructions to skip if the test is true.
    pub jump_true: u8,
    /// How many instructions to skip if it is false.
    pub jump_false: u8,
    /// The constant.
    pub value: u32,
}

#[repr(C)]
struct Program {
    len: u16,
    filter: *const Instruction,
}

/// Installs `filter` for this thread and all its future children, with these flags of seccomp(2).
/// It cannot be removed.
///
/// # Errors
///
/// `EACCES` without `no_new_privs` or CAP_SYS_ADMIN; `EINVAL` if the filter is empty, longer than
/// 4096 instructions, or jumps out of range.
pub fn install(filter: &[Instruction], flags: u32) -> Result<()> {
    set_filter(filter, flags.into()).map(drop)
}

/// Installs `filter` as [`install`] does, and returns its listener, which gets the calls that it
/// does not decide: seccomp_unotify(2). It is closed by `execve`.
///
/// # Errors
///
/// As [`install`]; `EBUSY` if an earlier filter has a listener.
pub fn install_with_listener(filter: &[Instruction], flags: u32) -> Result<OwnedFd> {
    let fd = set_filter(filter, libc::c_ulong::from(flags) | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    let fd = RawFd::try_from(fd).unwrap_or(-1); // a descriptor is an int
    // SAFETY: with this flag the kernel returns a new descriptor, which nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_filter(filter: &[Instruction], flags: libc::c_ulong) -> Result<libc::c_long> {
    let program = Program {
        len: filter.len().try_into().unwrap_or(u16::MAX), // too long: the kernel rejects it
        filter: filter.as_ptr(),
    };
    // SAFETY: `program` and the slice it points to outlive the call. The kernel copies both and
    // writes to neither.
    let ret =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    check_ret(ret, || format!("seccomp(SECCOMP_SET_MODE_FILTER, {} instructions)", filter.len()))
}
