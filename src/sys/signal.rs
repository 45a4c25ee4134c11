//! Signals of this process: dispositions and the mask.

use super::{Result, check_ret};

/// The highest signal number.
pub const LAST: i32 = 64;

/// Gives every signal its default disposition and blocks none: what a program may expect
/// of whoever executes it.
///
/// # Errors
///
/// None in practice.
pub fn reset() -> Result<()> {
    for number in 1..=LAST {
        if number != libc::SIGKILL && number != libc::SIGSTOP {
            set_default(number)?;
        }
    }
    set_mask(0)
}

/// The kernel's own call: libc's refuses two signals, which its posix_spawn(3) leaves ignored.
fn set_default(number: i32) -> Result<()> {
    /// `struct kernel_sigaction`: handler, flags, restorer, mask.
    const DEFAULT: [u64; 4] = [0; 4];
    // SAFETY: the kernel reads no more than the 32 bytes of its structure, whose mask is of 8
    // bytes as said; SIG_DFL is no handler, so none is called; the null pointer means "not
    // asked for".
    let ret = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, number, DEFAULT.as_ptr(), std::ptr::null::<u64>(), 8)
    };
    check_ret(ret, || format!("rt_sigaction({number}, SIG_DFL)"))?;
    Ok(())
}

/// Blocks every signal and returns the mask that was in force.
///
/// # Errors
///
/// None in practice.
pub fn block_all() -> Result<u64> {
    mask(libc::SIG_SETMASK, u64::MAX)
}

/// Sets the mask of blocked signals: bit n - 1 is signal n.
///
/// # Errors
///
/// None in practice.
pub fn set_mask(bits: u64) -> Result<()> {
    mask(libc::SIG_SETMASK, bits)?;
    Ok(())
}

/// The kernel's own call: libc's keeps two signals out.
fn mask(how: i32, bits: u64) -> Result<u64> {
    let mut old = 0_u64;
    // SAFETY: both masks are 8 bytes, as said in the last argument; one is read, the
    // other written.
    let ret = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const bits, &raw mut old, 8) };
    check_ret(ret, || format!("rt_sigprocmask({how}, {bits:#x})"))?;
    Ok(old)
}

/// Waits for one of the blocked signals and takes it.
///
/// # Errors
///
/// `EINTR` when something else came first.
pub fn wait_any() -> Result<i32> {
    let all = u64::MAX;
    // SAFETY: the mask is 8 bytes, as said in the last argument; the null pointers mean
    // "no details" and "no time limit".
    let ret = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const all,
            std::ptr::null::<libc::siginfo_t>(),
            std::ptr::null::<libc::timespec>(),
            8,
        )
    };
    let number = check_ret(ret, || "rt_sigtimedwait(all)".to_owned())?;
    Ok(i32::try_from(number).unwrap_or(0))
}

/// Sends a signal to the process with this id, or to the group -id.
///
/// # Errors
///
/// `ESRCH` when there is none.
pub fn send(pid: i32, number: i32) -> Result<()> {
    // SAFETY: the call takes two numbers.
    let ret = unsafe { libc::kill(pid, number) };
    check_ret(ret.into(), || format!("kill({pid}, {number})"))?;
    Ok(())
}

/// A signal by its number or name: `9`, `KILL`, `SIGKILL`, `RTMIN+1`.
#[must_use]
pub fn parse(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=LAST).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |base: i32, rest: &str| match rest {
        "" => Some(base),
        _ => rest.trim_start_matches('+').parse::<i32>().ok().map(|offset| base + offset),
    };
    let number = NAMES
        .iter()
        .find(|(name, _)| *name == bare)
        .map(|(_, number)| *number)
        .or_else(|| bare.strip_prefix("RTMIN").and_then(|rest| real_time(34, rest)))
        .or_else(|| bare.strip_prefix("RTMAX").and_then(|rest| real_time(LAST, rest)))?;
    (1..=LAST).contains(&number).then_some(number)
}

const NAMES: &[(&str, i32)] = &[
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("IOT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("STKFLT", libc::SIGSTKFLT),
    ("CHLD", libc::SIGCHLD),
    ("CLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("POLL", libc::SIGIO),
    ("PWR", libc::SIGPWR),
    ("SYS", libc::SIGSYS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_by_number_and_by_name() {
        let table = [
            ("9", Some(9)),
            ("KILL", Some(9)),
            ("sigterm", Some(15)),
            ("RTMIN+3", Some(37)),
            ("SIGRTMAX-1", Some(63)),
            ("0", None),
            ("65", None),
            ("RTMAX+1", None),
            ("SIGNOT", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(parse(text), want, "{text}");
        }
    }
}
