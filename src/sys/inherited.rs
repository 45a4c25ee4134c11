//! What a process inherits from whoever started it, and would hand on to all that it starts.
//!
//! Descriptors, environment, signals and session are the business of [`super::spawn`]; here
//! is the rest. It cannot be passed to posix_spawn(3), so a process that outlives its caller
//! gives itself what a service has that was started at boot. Seccomp filters and
//! `no_new_privs` are inherited too, and nobody can give them back.

use std::fs;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit};

/// Gives this process the circumstances of a service that was started at boot, as far as the
/// kernel permits: what the caller may not raise stays as it is.
///
/// Resource limits, scheduling (priority, policy, CPUs, memory nodes, I/O), the file mode
/// mask, the working directory, the out-of-memory score, and the lesser settings of prctl(2).
pub fn reset() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let _ = rustix::process::chdir("/"); // a busy mount stays busy otherwise, no more
    let sigpending = sigpending();
    for (resource, soft, hard) in LIMITS {
        limit(*resource, *soft, *hard);
    }
    limit(Resource::Sigpending, sigpending, sigpending);
    reset_scheduling();
    reset_attributes();
    // Lowering the score is refused without CAP_SYS_RESOURCE over the machine.
    let _ = fs::write("/proc/self/oom_score_adj", "0");
    let _ = fs::write("/proc/self/coredump_filter", "0x33");
}

/// Soft and hard limits, `None` for none: Docker's for its containers where its unit sets
/// one (core, nofile, nproc), elsewhere those that the kernel gives the first process.
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

/// As the kernel reckons it: half of the threads the machine may have.
fn sigpending() -> Option<u64> {
    let threads = fs::read_to_string("/proc/sys/kernel/threads-max").ok()?;
    Some(threads.trim().parse::<u64>().ok()? / 2)
}

fn limit(resource: Resource, soft: Option<u64>, hard: Option<u64>) {
    let _ = super::limit::set(resource, Rlimit { current: soft, maximum: hard }); // as far as it goes
}

/// More CPUs than a kernel can be built for; it leaves out those it does not have.
const CPUS: [u8; 1024] = [0xff; 1024];

fn reset_scheduling() {
    let _ = rustix::process::setpriority_process(None, 0);
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: `ordinary` outlives the call, which only reads it.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const ordinary) };
    // SAFETY: the call reads as many bytes as it is told that there are.
    unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, CPUS.len(), CPUS.as_ptr()) };
    /// `IOPRIO_WHO_PROCESS`; the priority 0 is "by the nice value": ioprio_set(2).
    const PROCESS: i32 = 1;
    // SAFETY: the call takes numbers only.
    unsafe { libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, 0) };
    // SAFETY: `MPOL_DEFAULT` takes no nodes, so the null pointer is not followed.
    unsafe { libc::syscall(libc::SYS_set_mempolicy, libc::MPOL_DEFAULT, std::ptr::null::<u64>(), 0) };
}

/// Nanoseconds by which a sleep may be late, unless a process asked for another number. What
/// the kernel calls a thread's default is what its parent had.
const TIMER_SLACK: libc::c_ulong = 50_000;

fn reset_attributes() {
    // SAFETY: the call takes a number; 0 is the kernel's own execution domain.
    unsafe { libc::personality(0) };
    // SAFETY: the option takes a number.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, TIMER_SLACK) };
    // SAFETY: the option takes four numbers that must be 0.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0) };
    // SAFETY: the option takes a number; without CAP_SETPCAP it is refused.
    unsafe { libc::prctl(libc::PR_SET_SECUREBITS, 0) };
}
