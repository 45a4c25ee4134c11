//! Signals: this process's dispositions and mask, sending, and names. See signal(7).

use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd};

use super::{Error, Result, check_ret};

/// The highest signal number.
pub const LAST: i32 = 64;

/// Resets all signals to their default disposition and unblocks them, as executed programs expect.
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

/// Stops ignoring the signals that this process has inherited as ignored, such as SIGHUP from
/// `nohup`: its children would inherit them too. SIGPIPE stays as it is: the standard library ignores
/// it, and resets it for children.
///
/// # Errors
///
/// None in practice.
pub fn stop_ignoring() -> Result<()> {
    const IGNORED: u64 = libc::SIG_IGN as u64;
    let numbers = (1..=LAST).filter(|number| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGPIPE].contains(number));
    for number in numbers {
        if disposition(number)?[0] == IGNORED {
            set_default(number)?;
        }
    }
    Ok(())
}

/// Returns the disposition of a signal.
fn disposition(number: i32) -> Result<Action> {
    let mut now: Action = [0; 4];
    // SAFETY: the kernel writes the 32 bytes of its structure, with a mask of 8 bytes as given. The
    // null pointer means that the disposition stays.
    let ret = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, number, std::ptr::null::<u64>(), now.as_mut_ptr(), 8)
    };
    check_ret(ret, || format!("rt_sigaction({number})"))?;
    Ok(now)
}

/// `struct kernel_sigaction`: handler, flags, restorer, mask.
type Action = [u64; 4];

/// Uses the system call directly: libc refuses two signals, which its posix_spawn(3) leaves
/// ignored. Returns the disposition until then.
fn set_default(number: i32) -> Result<Action> {
    const DEFAULT: Action = [0; 4];
    let mut old = DEFAULT;
    // SAFETY: the kernel reads and writes the 32 bytes of its structure, with a mask of 8 bytes as
    // given. SIG_DFL is not a handler, so none is called.
    let ret = unsafe { libc::syscall(libc::SYS_rt_sigaction, number, DEFAULT.as_ptr(), old.as_mut_ptr(), 8) };
    check_ret(ret, || format!("rt_sigaction({number}, SIG_DFL)"))?;
    Ok(old)
}

/// Runs `work` with the default disposition of a signal, in all threads.
///
/// # Errors
///
/// `EINVAL` if there is no such signal, or if its disposition cannot be changed.
pub fn at_default<T>(number: i32, work: impl FnOnce() -> T) -> Result<T> {
    let before = set_default(number)?;
    let result = work();
    // SAFETY: the kernel reads 32 bytes that it has written itself, so that a handler in them is one
    // of this process. The null pointer means that the old action is not needed.
    let ret =
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, before.as_ptr(), std::ptr::null::<u64>(), 8) };
    check_ret(ret, || format!("rt_sigaction({number})"))?;
    Ok(result)
}

/// Blocks all signals and returns the previous mask.
///
/// # Errors
///
/// None in practice.
pub fn block_all() -> Result<u64> {
    mask(libc::SIG_SETMASK, u64::MAX)
}

/// Sets the mask of blocked signals, in which bit n - 1 is signal n.
///
/// # Errors
///
/// None in practice.
pub fn set_mask(bits: u64) -> Result<()> {
    mask(libc::SIG_SETMASK, bits)?;
    Ok(())
}

/// Uses the system call directly: libc does not allow blocking two of the signals.
fn mask(how: i32, bits: u64) -> Result<u64> {
    let mut old = 0_u64;
    // SAFETY: both masks are 8 bytes, as given in the last argument; one is read, the other
    // written.
    let ret = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const bits, &raw mut old, 8) };
    check_ret(ret, || format!("rt_sigprocmask({how}, {bits:#x})"))?;
    Ok(old)
}

/// Waits for one of the blocked signals and consumes it.
///
/// # Errors
///
/// `EINTR` if interrupted by something else.
pub fn wait_any() -> Result<i32> {
    take(u64::MAX, None)
}

/// Consumes this signal, which must be blocked, if it is pending.
///
/// # Errors
///
/// None in practice.
pub fn take_pending(number: i32) -> Result<bool> {
    match take(1 << (number - 1), Some(libc::timespec { tv_sec: 0, tv_nsec: 0 })) {
        Err(error) if error.is(rustix::io::Errno::AGAIN) => Ok(false),
        result => result.map(|_| true),
    }
}

fn take(mask: u64, limit: Option<libc::timespec>) -> Result<i32> {
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the mask is 8 bytes, as given in the last argument. `limit` is null, for no limit, or
    // points to memory that outlives the call. The null pointer means that no details are needed.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const mask,
            std::ptr::null::<libc::siginfo_t>(),
            limit,
            8,
        )
    };
    let number = check_ret(ret, || format!("rt_sigtimedwait({mask:#x})"))?;
    Ok(i32::try_from(number).unwrap_or(0))
}

/// The blocked signals of this process, to be read from a descriptor: signalfd(2).
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Opens the descriptor.
    ///
    /// # Errors
    ///
    /// `EMFILE`
    pub fn open() -> Result<Self> {
        let all = u64::MAX;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the mask is 8 bytes, as given, and is only read.
        let fd = unsafe { libc::syscall(libc::SYS_signalfd4, -1, &raw const all, 8, flags) };
        let fd = check_ret(fd, || "signalfd4()".to_owned())?;
        // SAFETY: the kernel just opened this descriptor for us and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap_or(-1)) }))
    }

    /// Returns the next signal that has arrived, if there is one.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn next(&self) -> Result<Option<i32>> {
        let mut info = [0_u8; size_of::<libc::signalfd_siginfo>()];
        match rustix::io::read(&self.0, &mut info) {
            // The number is the first field.
            Ok(count) if count >= 4 => Ok(Some(i32::from_ne_bytes([info[0], info[1], info[2], info[3]]))),
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(errno) => Err(Error::new("read(signalfd)".to_owned(), errno)),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends a signal to the process with this id, or to the process group `-pid` if negative.
///
/// # Errors
///
/// `ESRCH` if there is no such process.
pub fn send(pid: i32, number: i32) -> Result<()> {
    // SAFETY: the call takes two numbers.
    let ret = unsafe { libc::kill(pid, number) };
    check_ret(ret.into(), || format!("kill({pid}, {number})"))?;
    Ok(())
}

/// The names of the standard signals on x86 and ARM, by number minus one.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// Alternative names.
const ALIASES: [(&str, i32); 3] = [("IOT", 6), ("CLD", 17), ("POLL", 29)];
/// The first real-time signal that glibc leaves to programs.
const RTMIN: i32 = 34;

/// Parses a signal as written by users: `SIGTERM`, `term`, `15`, `RTMIN+3`.
#[must_use]
pub fn parse(word: &str) -> Option<i32> {
    let upper = word.trim().to_ascii_uppercase();
    if let Ok(number) = upper.parse::<i32>() {
        return (1..=LAST).contains(&number).then_some(number);
    }
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(at) = NAMES.iter().position(|&name| name == bare) {
        return i32::try_from(at + 1).ok();
    }
    if let Some((_, number)) = ALIASES.iter().find(|(name, _)| *name == bare) {
        return Some(*number);
    }
    let number = match (bare.strip_prefix("RTMIN"), bare.strip_prefix("RTMAX")) {
        (Some(""), _) => RTMIN,
        (_, Some("")) => LAST,
        (Some(plus), _) => RTMIN + distance(plus.strip_prefix('+')?)?,
        (_, Some(minus)) => LAST - distance(minus.strip_prefix('-')?)?,
        (None, None) => return None,
    };
    (RTMIN..=LAST).contains(&number).then_some(number)
}

/// Parses the distance from the first or last real-time signal.
fn distance(text: &str) -> Option<i32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u8>().ok().filter(|_| is_plain).map(i32::from)
}

/// Returns the name of a signal: `SIGTERM` for 15, `SIGRTMIN+3` for 37.
#[must_use]
pub fn name(number: i32) -> String {
    let plain = usize::try_from(number - 1).ok().and_then(|at| NAMES.get(at));
    match plain {
        Some(name) => format!("SIG{name}"),
        None if number == RTMIN => "SIGRTMIN".to_owned(),
        None => format!("SIGRTMIN+{}", number - RTMIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_read_as_dockers() {
        for (word, number) in [
            ("SIGTERM", 15),
            ("term", 15),
            ("15", 15),
            ("SIGKILL", 9),
            ("sigrtmin+3", 37),
            ("RTMAX", 64),
            ("SIGRTMAX-1", 63),
            ("IOT", 6),
        ] {
            assert_eq!(parse(word), Some(number), "{word}");
        }
        for bad in [
            "",
            "0",
            "65",
            "-1",
            "SIG",
            "NOPE",
            "RTMIN+31",
            "RTMIN3",
            "RTMIN++3",
            "RTMAX+1",
            "RTMIN+2147483647",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_reads_back_as_its_number() {
        for number in (1..=31).chain(RTMIN..=LAST) {
            assert_eq!(parse(&name(number)), Some(number));
        }
    }
}
