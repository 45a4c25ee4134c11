//! Resets what a process inherits from its caller and would pass on to its children.
//!
//! [`super::spawn`] takes care of descriptors, environment, signals and session. The rest cannot be
//! passed to posix_spawn(3), so a process that outlives its caller resets it itself, to the values
//! that a service started at boot has. Seccomp filters and `no_new_privs` are inherited too, but
//! cannot be removed.

use std::fs;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit};

/// Resets this process to the state of a service started at boot. What the kernel does not allow to
/// be raised stays as it is.
///
/// This covers resource limits, scheduling (priority, policy, CPUs, memory nodes, I/O), the umask,
/// the working directory, the out-of-memory score, and minor settings of prctl(2).
pub fn reset() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let _ = rustix::process::chdir("/"); // on failure the old one merely stays busy
    let sigpending = sigpending();
    for (resource, soft, hard) in LIMITS {
        limit(*resource, *soft, *hard);
    }
    limit(Resource::Sigpending, sigpending, sigpending);
    reset_scheduling();
    reset_attributes();
    // Lowering the score is refused without CAP_SYS_RESOURCE in the initial user namespace.
    let _ = fs::write("/proc/self/oom_score_adj", "0");
    let _ = fs::write("/proc/self/coredump_filter", "0x33");
}

/// Soft and hard limits, `None` for unlimited. These are Docker's for containers where its unit
/// sets one (core, nofile, nproc), otherwise the kernel's for the first process.
const LIMITS: &[(Resource, Option<u64>, Option<u64>)] = &[
    (Resource::As, None, None),
    (Resource::Core, None, None),
    (Resource::Cpu, None, None),
    (Resource::Data, None, None),
    (Resource::Fsize, None, None),
    (Resource::Locks, None, None),
    (Resource::Memlock, Some(8 << 20), Some(8 << 20)),
    (Resource::Msgqueue, Some(819_200), Some(819_200)),
    (Resource::Nice, Some(0), Some(0)),
    (Resource::Nofile, Some(1024), Some(524_288)),
    (Resource::Nproc, None, None),
    (Resource::Rss, None, None),
    (Resource::Rtprio, Some(0), Some(0)),
    (Resource::Rttime, None, None),
    (Resource::Stack, Some(8 << 20), None),
];

/// The kernel's default: half of the maximum number of threads.
fn sigpending() -> Option<u64> {
    let threads = fs::read_to_string("/proc/sys/kernel/threads-max").ok()?;
    Some(threads.trim().parse::<u64>().ok()? / 2)
}

fn limit(resource: Resource, soft: Option<u64>, hard: Option<u64>) {
    let _ = super::limit::set(resource, Rlimit { current: soft, maximum: hard }); // best effort
}

/// More CPUs than any kernel supports. The kernel ignores those that do not exist.
const CPUS: [u8; 1024] = [0xff; 1024];

fn reset_scheduling() {
    let _ = rustix::process::setpriority_process(None, 0);
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: `ordinary` outlives the call, which only reads it.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const ordinary) };
    // SAFETY: the call reads no more bytes than given by the length.
    unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, CPUS.len(), CPUS.as_ptr()) };
    /// `IOPRIO_WHO_PROCESS`. Priority 0 means "derived from the nice value", see ioprio_set(2).
    const PROCESS: i32 = 1;
    // SAFETY: the call takes numbers only.
    unsafe { libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, 0) };
    // SAFETY: `MPOL_DEFAULT` takes no nodes, so the null pointer is not dereferenced.
    unsafe { libc::syscall(libc::SYS_set_mempolicy, libc::MPOL_DEFAULT, std::ptr::null::<u64>(), 0) };
}

/// The kernel's timer slack in nanoseconds: how late a sleep may end. What prctl(2) calls the
/// default value of a thread is inherited from its parent.
const TIMER_SLACK: libc::c_ulong = 50_000;

fn reset_attributes() {
    // SAFETY: the call takes a number; 0 is Linux's own execution domain.
    unsafe { libc::personality(0) };
    // SAFETY: the option takes a number.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, TIMER_SLACK) };
    // SAFETY: the option takes numbers; the unused ones must be 0.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0) };
    // SAFETY: the option takes a number. Without CAP_SETPCAP it is refused.
    unsafe { libc::prctl(libc::PR_SET_SECUREBITS, 0) };
}
