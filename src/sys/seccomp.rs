//! Filters of system calls.

use super::{Result, check_ret};

/// One instruction of a filter, as the kernel reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions to skip when a test holds.
    pub jump_true: u8,
    /// How many instructions to skip when it does not.
    pub jump_false: u8,
    /// The constant.
    pub value: u32,
}

#[repr(C)]
struct Program {
    len: u16,
    filter: *const Instruction,
}

/// Installs `filter` for this thread and for all that it will start, with these flags of
/// seccomp(2). It cannot be undone.
///
/// # Errors
///
/// `EACCES` without `no_new_privs` or CAP_SYS_ADMIN; `EINVAL` when the filter is empty,
/// longer than 4096 instructions or jumps out of itself.
pub fn install(filter: &[Instruction], flags: u32) -> Result<()> {
    let program = Program {
        len: filter.len().try_into().unwrap_or(u16::MAX), // too long: let the kernel say so
        filter: filter.as_ptr(),
    };
    // SAFETY: `program` and the slice it points into outlive the call; the kernel copies
    // both and writes to neither.
    let ret =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    check_ret(ret, || format!("seccomp(SECCOMP_SET_MODE_FILTER, {} instructions)", filter.len()))?;
    Ok(())
}
