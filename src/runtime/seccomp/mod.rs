//! Filters of system calls.
use super::Result;
use crate::oci::runtime::LinuxSeccomp;
use crate::sys::seccomp::Instruction;

pub(super) fn compile(_: &LinuxSeccomp) -> Result<(Vec<Instruction>, u32)> {
    Ok((Vec::new(), 0))
}
