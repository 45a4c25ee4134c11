//! eBPF programs, only as far as needed to restrict devices.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{Result, check_ret};

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 1 << 1;

#[repr(C)]
#[derive(Default)]
struct LoadArgs {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
}

#[repr(C)]
#[derive(Default)]
struct AttachArgs {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
}

/// Loads a program that decides about opening and creating devices.
///
/// # Errors
///
/// `EPERM` without privilege, `EINVAL` or `EACCES` if the verifier rejects the program.
pub fn load_device_program(instructions: &[u64]) -> Result<OwnedFd> {
    let count = u32::try_from(instructions.len()).unwrap_or(u32::MAX);
    let args = LoadArgs {
        prog_type: TYPE_CGROUP_DEVICE,
        insn_cnt: count,
        insns: instructions.as_ptr().addr() as u64,
        license: c"Apache-2.0".as_ptr().addr() as u64,
        prog_name: *b"hoist_devices\0\0\0",
        ..LoadArgs::default()
    };
    // SAFETY: `args` is readable for the size given. The addresses in it point to `count`
    // instructions and to a C string, and both outlive the call.
    let ret = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const args, size_of::<LoadArgs>()) };
    let fd = check_ret(ret, || format!("bpf(BPF_PROG_LOAD, cgroup_device, {count} instructions)"))?;
    // SAFETY: the kernel just opened this descriptor for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(libc::c_int::try_from(fd).unwrap_or(-1)) })
}

/// Attaches a program to a v2 group. It applies to the group and all groups below it, until the
/// group is removed.
///
/// # Errors
///
/// `EPERM` without privilege, `EBADF` if this is not a v2 group.
pub fn attach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<()> {
    let args = AttachArgs {
        target_fd: cgroup.as_raw_fd().cast_unsigned(),
        attach_bpf_fd: program.as_raw_fd().cast_unsigned(),
        attach_type: ATTACH_CGROUP_DEVICE,
        attach_flags: ALLOW_MULTI,
    };
    // SAFETY: `args` is readable for the size given and the kernel does not write to it.
    let ret = unsafe { libc::syscall(libc::SYS_bpf, PROG_ATTACH, &raw const args, size_of::<AttachArgs>()) };
    check_ret(ret, || "bpf(BPF_PROG_ATTACH, cgroup_device)".to_owned())?;
    Ok(())
}
