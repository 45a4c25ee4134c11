//! How the kernel schedules the calling thread, and which kernel it seems to run on.

use super::{Result, check, check_ret};

/// The attributes of a policy, as in sched_setattr(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `SCHED_OTHER` and the like.
    pub policy: u32,
    /// `SCHED_FLAG_…`.
    pub flags: u64,
    /// The nice value, for policies without priorities.
    pub nice: i32,
    /// The priority of a real-time policy.
    pub priority: u32,
    /// For `SCHED_DEADLINE`: nanoseconds of CPU time in each period.
    pub runtime: u64,
    /// When this time must have been given, in nanoseconds from the start of the period.
    pub deadline: u64,
    /// The length of the period in nanoseconds.
    pub period: u64,
}

/// `struct sched_attr` in its first version, which all kernels know.
#[repr(C)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Sets the policy and its attributes. They are inherited by children.
///
/// # Errors
///
/// `EINVAL` for values that do not belong together; `EPERM` without CAP_SYS_NICE or a sufficient
/// resource limit, and for a real-time policy in a cgroup without real-time runtime.
pub fn set_attributes(attributes: &Attributes) -> Result<()> {
    const SIZE: u32 = 48;
    const { assert!(size_of::<SchedAttr>() == SIZE as usize) };
    let &Attributes { policy, flags, nice, priority, runtime, deadline, period } = attributes;
    let attr = SchedAttr { size: SIZE, policy, flags, nice, priority, runtime, deadline, period };
    // SAFETY: `attr` has the size that it states, and outlives the call, which only reads it.
    let ret = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
    check_ret(ret, || format!("sched_setattr({attributes:?})"))?;
    Ok(())
}

/// Sets the class and priority of disk I/O: ioprio_set(2). Children inherit them.
///
/// # Errors
///
/// `EPERM` for the real-time class without CAP_SYS_ADMIN or CAP_SYS_NICE.
pub fn set_io_priority(class: u8, priority: u8) -> Result<()> {
    /// `IOPRIO_WHO_PROCESS`.
    const PROCESS: i32 = 1;
    let value = i32::from(class) << 13 | i32::from(priority);
    // SAFETY: the call takes numbers only.
    let ret = unsafe { libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, value) };
    check_ret(ret, || format!("ioprio_set(class {class}, priority {priority})"))?;
    Ok(())
}

/// Sets the personality, see personality(2). Children inherit it.
///
/// # Errors
///
/// `EINVAL` if the kernel does not know it.
pub fn set_personality(persona: u32) -> Result<()> {
    // SAFETY: the call takes a number only.
    let ret = unsafe { libc::personality(persona.into()) };
    check_ret(ret.into(), || format!("personality({persona:#x})"))?;
    Ok(())
}

/// CPUs, by number.
pub type Cpus = rustix::thread::CpuSet;

/// Returns the CPUs that the calling thread may run on.
///
/// # Errors
///
/// `EINVAL` if the kernel supports more CPUs than [`Cpus`].
pub fn cpus() -> Result<Cpus> {
    check(rustix::thread::sched_getaffinity(None), || "sched_getaffinity()".to_owned())
}

/// Limits the calling thread and its future children to `cpus`.
///
/// # Errors
///
/// `EINVAL` if the machine and the cgroup have none of them.
pub fn set_cpus(cpus: &Cpus) -> Result<()> {
    check(rustix::thread::sched_setaffinity(None, cpus), || format!("sched_setaffinity({cpus:?})"))
}

/// While it lives, the calling thread runs on other CPUs, as does what it creates.
#[derive(Debug)]
pub struct Elsewhere {
    home: Cpus,
}

impl Elsewhere {
    /// Moves the calling thread to `cpus`.
    ///
    /// # Errors
    ///
    /// As [`set_cpus`].
    pub fn go(cpus: &Cpus) -> Result<Self> {
        let home = self::cpus()?;
        set_cpus(cpus)?;
        Ok(Self { home })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = set_cpus(&self.home); // fails only if they are gone
    }
}
