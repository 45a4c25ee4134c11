//! One process: its signals, its descriptors, its end, and what it becomes.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};

use super::clone::refuse_original;
use super::{Error, Result, check, check_ret};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Reads a status as wait(2) gives it.
    #[must_use]
    pub fn of_status(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }

    /// The exit code as shells and Docker count: 128 + n for signal n.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A process by its id.
///
/// # Errors
///
/// `ESRCH` when there is none.
pub fn open(pid: i32) -> Result<OwnedFd> {
    let call = || format!("pidfd_open({pid})");
    let id = Pid::from_raw(pid).filter(|_| pid > 0).ok_or(rustix::io::Errno::SRCH);
    check(id.and_then(|id| rustix::process::pidfd_open(id, PidfdFlags::empty())), call)
}

/// Sends a signal.
///
/// # Errors
///
/// `ESRCH` when the process has ended, `EINVAL` for no signal.
pub fn signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    // SAFETY: the call takes two numbers, a null pointer for "as kill(2)", and flags.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    check_ret(ret, || format!("pidfd_send_signal({signal})"))?;
    Ok(())
}

/// Waits for the end of a child and reaps it.
///
/// # Errors
///
/// `ECHILD` when it is not a child of this process.
pub fn wait(pidfd: BorrowedFd<'_>) -> Result<Exit> {
    loop {
        match rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Ok(Some(status)) => return Ok(exit_of(&status)),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::new("waitid(pidfd)", errno)),
        }
    }
}

/// Reaps a child if it has ended.
///
/// # Errors
///
/// `ECHILD` when it is not a child of this process.
pub fn try_wait(pidfd: BorrowedFd<'_>) -> Result<Option<Exit>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = check(rustix::process::waitid(WaitId::PidFd(pidfd), options), || {
        "waitid(pidfd, WNOHANG)".to_owned()
    })?;
    Ok(status.as_ref().map(exit_of))
}

/// Waits for the end of any child and reaps it; `None` when there is no child.
///
/// # Errors
///
/// None in practice.
pub fn wait_any() -> Result<Option<(i32, Exit)>> {
    let mut status = 0;
    // SAFETY: `status` is writable.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    if pid == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ECHILD) {
        return Ok(None);
    }
    check_ret(pid.into(), || "waitpid(-1)".to_owned())?;
    Ok(Some((pid, Exit::of_status(status))))
}

/// Waits for the end of the child with this id and reaps it.
///
/// # Errors
///
/// `ECHILD` when it is none.
pub fn wait_for(pid: i32) -> Result<Exit> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is writable.
        let ret = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        match check_ret(ret.into(), || format!("waitpid({pid})")) {
            Err(error) if error.is(rustix::io::Errno::INTR) => {}
            result => return result.map(|_| Exit::of_status(status)),
        }
    }
}

fn exit_of(status: &rustix::process::WaitIdStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(255),
    }
}

/// Whether a process, child or not, has ended.
///
/// # Errors
///
/// None in practice.
pub fn has_ended(pidfd: BorrowedFd<'_>) -> Result<bool> {
    let mut polled = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
    let now = rustix::event::Timespec::default();
    Ok(check(rustix::event::poll(&mut polled, Some(&now)), || "poll(pidfd)".to_owned())? > 0)
}

/// Hides this process from tracing and its `/proc` files from who may not trace it.
///
/// # Errors
///
/// None in practice.
pub fn hide() -> Result<()> {
    check(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable), || {
        "prctl(PR_SET_DUMPABLE, 0)".to_owned()
    })
}

/// Marks every descriptor from `first` on to be closed by the next `execve`.
///
/// # Errors
///
/// `ENOSYS` before Linux 5.9, `EINVAL` before 5.11.
pub fn close_on_exec_from(first: u32) -> Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: the call takes three numbers; marked descriptors stay open in this process.
    let ret = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) };
    check_ret(ret, || format!("close_range({first}, ~0, CLOSE_RANGE_CLOEXEC)"))?;
    Ok(())
}

/// Closes every descriptor of a copy but the standard streams and those given. What owned the
/// others is not to be used again.
///
/// # Errors
///
/// `ENOSYS` before Linux 5.9; `EBUSY` in a process that is not a copy.
pub fn close_all_but(keep: &[BorrowedFd<'_>]) -> Result<()> {
    refuse_original(|| "close_range()".to_owned())?;
    let mut keep: Vec<u32> = keep.iter().map(|fd| fd.as_raw_fd().cast_unsigned()).collect();
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep.into_iter().chain([u32::MAX]) {
        if first < kept {
            // SAFETY: this is a copy (checked above), which does nothing but clone or execute
            // another program: what owned these descriptors is used and dropped in the original.
            let ret = unsafe { libc::syscall(libc::SYS_close_range, first, kept - 1, 0) };
            check_ret(ret, || format!("close_range({first}, {})", kept - 1))?;
        }
        first = kept.saturating_add(1);
    }
    Ok(())
}

/// Closes a descriptor, where it matters that it is closed.
///
/// # Errors
///
/// `EPERM` and its like where a filter forbids it.
pub fn close(fd: OwnedFd) -> Result<()> {
    let number = fd.into_raw_fd();
    // SAFETY: the descriptor was owned, and nothing owns it from here on.
    let ret = unsafe { libc::close(number) };
    check_ret(ret.into(), || format!("close({number})"))?;
    Ok(())
}

/// Whether a process has executed a program since it was cloned; `None` when it is gone.
/// One that has ended can be asked until it is reaped.
#[must_use]
pub fn has_executed(pid: i32) -> Option<bool> {
    has_executed_by(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether a child of this process that leads a process group has executed a program: the
/// kernel refuses to change the group of one that has.
///
/// # Errors
///
/// `EPERM` where a filter forbids the call, `ESRCH` when the child has been reaped.
pub fn has_child_executed(child: i32) -> Result<bool> {
    match rustix::process::setpgid(Pid::from_raw(child), Pid::from_raw(child)) {
        Err(rustix::io::Errno::ACCESS) => Ok(true),
        result => check(result, || format!("setpgid({child}, {child})")).map(|()| false),
    }
}

/// By its flags, field 9 of proc_pid_stat(5).
fn has_executed_by(stat: &str) -> Option<bool> {
    /// `PF_FORKNOEXEC`, in the kernel's `include/linux/sched.h`.
    const CLONED_ONLY: u32 = 0x40;
    // The name before the third field may hold anything, but no later field a parenthesis.
    let flags: u32 = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(6)?.parse().ok()?;
    Some(flags & CLONED_ONLY == 0)
}

/// When a process was started, in ticks since the boot; `None` when it has ended. With its number
/// it names a process for good.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the third field may hold anything, but no later field a parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

/// When this boot of the machine began, in seconds since 1970, by the clock as it is now.
#[must_use]
pub fn boot_time() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Makes `fd` the standard stream `number` of a copy, which `execve` keeps.
///
/// # Errors
///
/// `EBADF` for what is no standard stream; `EBUSY` in a process that is not a copy.
pub fn set_standard_stream(fd: BorrowedFd<'_>, number: i32) -> Result<()> {
    let call = || format!("dup2({}, {number})", fd.as_raw_fd());
    refuse_original(call)?;
    if !(0..=2).contains(&number) {
        return Err(Error::new(call(), rustix::io::Errno::BADF));
    }
    // SAFETY: this is a copy, and a standard stream (both checked above), which belongs to no
    // object of this program.
    let ret = unsafe { libc::dup2(fd.as_raw_fd(), number) };
    check_ret(ret.into(), call)?;
    Ok(())
}

/// Writes to a file of a procfs, and to no file of another file system that lies there.
///
/// # Errors
///
/// `ENODEV` for such a file; what the kernel says to the text.
pub(super) fn write_proc(path: &str, text: &str) -> Result<()> {
    let written = || {
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        if rustix::fs::fstatfs(&file)?.f_type != libc::PROC_SUPER_MAGIC {
            return Err(std::io::Error::from_raw_os_error(libc::ENODEV));
        }
        std::io::Write::write_all(&mut file, text.as_bytes())
    };
    check(written(), || format!("write({path}, {text:?})"))
}

/// A second descriptor for the same file, numbered 3 or higher.
///
/// # Errors
///
/// `EMFILE`.
pub fn above_standard_streams(fd: impl AsFd) -> Result<OwnedFd> {
    check(rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 3), || "fcntl(F_DUPFD_CLOEXEC, 3)".to_owned())
}

/// The arguments or the environment of a program, laid out for [`execve`].
#[derive(Debug)]
pub struct Strings {
    pointers: Vec<*const libc::c_char>,
    /// What the pointers point to.
    _strings: Vec<CString>,
}

impl From<Vec<CString>> for Strings {
    fn from(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

/// Becomes another program. Returns only when that failed.
///
/// # Errors
///
/// `ENOENT` when the program, or its interpreter, is missing; `EACCES`, `ENOEXEC` when
/// it cannot be executed.
pub fn execve(program: &CString, args: &Strings, env: &Strings) -> Error {
    // SAFETY: both arrays end in a null pointer, and every other pointer in them is a C
    // string that outlives the call, as `Strings` owns it.
    unsafe { libc::execve(program.as_ptr(), args.pointers.as_ptr(), env.pointers.as_ptr()) };
    Error::new(format!("execve({})", program.to_string_lossy()), std::io::Error::last_os_error())
}

/// Ends this process at once: no destructor, no buffer of the copied caller is flushed.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` ends the process; nothing of ours runs afterwards.
    unsafe { libc::_exit(code) }
}

/// Sets the program's name as `ps` shows it.
///
/// # Errors
///
/// None in practice.
pub fn set_name(name: &std::ffi::CStr) -> Result<()> {
    check(rustix::thread::set_name(name), || format!("prctl(PR_SET_NAME, {name:?})"))
}

/// Puts `title` in the place of the words and the environment this process was started
/// with, as `/proc/<pid>/cmdline` and `environ` show them.
///
/// # Errors
///
/// `/proc` is not mounted, or not that of this process.
pub fn set_title(title: &std::ffi::CStr) -> Result<()> {
    let call = || "read(/proc/self/stat)".to_owned();
    let stat = check(std::fs::read_to_string("/proc/self/stat"), call)?;
    let [args, args_end, env, env_end] = memory_of_words(&stat)
        .ok_or_else(|| Error::new(call(), std::io::Error::from(std::io::ErrorKind::InvalidData)))?;
    overwrite(args, args_end, title.to_bytes());
    overwrite(env, env_end, b"");
    Ok(())
}

/// Where the words and the environment begin and end: fields 48 to 51 of proc_pid_stat(5).
fn memory_of_words(stat: &str) -> Option<[usize; 4]> {
    // The name before the third field may hold anything, but no later field a parenthesis.
    let fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let found: Vec<usize> = fields.skip(45).take(4).map_while(|field| field.parse().ok()).collect();
    found.try_into().ok()
}

/// Fills memory with `text` and zeros; the last byte is always a zero.
fn overwrite(start: usize, end: usize, text: &[u8]) {
    let length = end.saturating_sub(start);
    for (offset, byte) in
        (0..length).zip(text[..text.len().min(length.saturating_sub(1))].iter().chain(std::iter::repeat(&0)))
    {
        let place = std::ptr::with_exposed_provenance_mut::<u8>(start + offset);
        // SAFETY: the kernel says that this process's words lie here: part of the stack
        // above `main`, writable, and no reference to it exists: `std` copies what it reads.
        unsafe { place.write(*byte) };
    }
}

/// Closes every descriptor of a copy; where a filter forbids to close a range, the first of them
/// one by one. What owned them is not to be used again.
///
/// # Errors
///
/// `EBUSY` in a process that is not a copy.
pub fn close_all() -> Result<()> {
    /// More than a process has that closed all but a few before.
    const FEW: i32 = 64;
    refuse_original(|| "close_range(0, ~0)".to_owned())?;
    // SAFETY: this is a copy (checked above), which does nothing but wait and signal: what owned
    // these descriptors is used and dropped in the original.
    if unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) } == 0 {
        return Ok(());
    }
    for number in 0..FEW {
        // SAFETY: as above.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Makes this process the leader of a new process group.
///
/// # Errors
///
/// `EPERM` when it leads a session.
pub fn lead_group() -> Result<()> {
    check(rustix::process::setpgid(None, None), || "setpgid(0, 0)".to_owned())
}

/// Makes this process's group the one a terminal speaks to.
///
/// # Errors
///
/// `ENOTTY` when it is not the controlling terminal.
pub fn take_foreground(terminal: impl AsFd) -> Result<()> {
    let group = rustix::process::getpgrp();
    check(rustix::termios::tcsetpgrp(terminal, group), || "tcsetpgrp()".to_owned())
}

/// Makes this process the leader of a new session without a terminal.
///
/// # Errors
///
/// `EPERM` when it leads one.
pub fn new_session() -> Result<()> {
    check(rustix::process::setsid(), || "setsid()".to_owned())?;
    Ok(())
}

/// The current directory, as the kernel names it.
///
/// # Errors
///
/// `ENOENT` when it was removed.
pub fn current_dir() -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = check(rustix::process::getcwd(Vec::new()), || "getcwd()".to_owned())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes())))
}

/// Yields to everything else that wants the processor or the disk. Without the disk's
/// scheduler knowing priorities that is less; it is never an error.
pub fn lower_priority() {
    const LOWEST: i32 = 19;
    /// `IOPRIO_WHO_PROCESS`, and class idle in the upper bits of a priority: ioprio_set(2).
    const PROCESS: i32 = 1;
    const IDLE: i32 = 3 << 13;
    let _ = rustix::process::setpriority_process(None, LOWEST); // it only takes longer otherwise
    // SAFETY: the call takes numbers only.
    unsafe {
        libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, IDLE);
    }
}

/// Lets all threads allocate from the same few heaps, where the C library would give each one
/// of its own: mallopt(3). To be called before there are threads.
///
/// What one thread frees another can then use, which matters more than that they never wait
/// for each other in a process that mostly sleeps.
pub fn share_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes numbers, and moves no live allocation.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives the heap's free pages back to the kernel, where the C library can.
///
/// A process that lives long after much work at its start (a monitor) stays small so.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes a number, and moves no live allocation.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_of_a_procfs_is_not_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write_proc(file.path().to_str().unwrap(), "text").unwrap_err();
        assert!(error.is(rustix::io::Errno::NODEV), "{error}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
        write_proc("/proc/self/comm", "renamed").unwrap();
    }

    #[test]
    fn flags_are_found_behind_a_name_that_looks_like_fields() {
        let stat = |flags: u32| format!("7 (a) R 1 (b)) S 1 7 7 0 -1 {flags} 99 0");
        assert_eq!(has_executed_by(&stat(0x0040_0040)), Some(false));
        assert_eq!(has_executed_by(&stat(0x0040_0000)), Some(true));
        assert_eq!(has_executed_by("7 (a) S 1"), None);
        assert_eq!(has_executed(1), Some(true));
        assert_eq!(has_executed(-1), None);
    }
}
