//! Processes: signals, exit status, descriptors, and executing programs.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};

use super::clone::refuse_original;
use super::{Error, Result, check, check_ret};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// It was killed by this signal.
    Signal(i32),
}

impl Exit {
    /// Decodes a status from wait(2).
    #[must_use]
    pub fn of_status(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }

    /// Returns the exit code as in shells and Docker: 128 + n for signal n.
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

/// Returns a pidfd of a process.
///
/// # Errors
///
/// `ESRCH` if there is no such process.
pub fn open(pid: i32) -> Result<OwnedFd> {
    let call = || format!("pidfd_open({pid})");
    // `from_raw` may not be asked about a negative one.
    let id = (pid > 0).then(|| Pid::from_raw(pid)).flatten().ok_or(rustix::io::Errno::SRCH);
    check(id.and_then(|id| rustix::process::pidfd_open(id, PidfdFlags::empty())), call)
}

/// Sends a signal.
///
/// # Errors
///
/// `ESRCH` if the process has exited, `EINVAL` for an invalid signal.
pub fn signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    // SAFETY: the call takes two numbers, a null pointer (as for kill(2)), and flags.
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

/// Waits for a child to exit and reaps it.
///
/// # Errors
///
/// `ECHILD` if it is not a child of this process.
pub fn wait(pidfd: BorrowedFd<'_>) -> Result<Exit> {
    loop {
        match rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Ok(Some(status)) => return Ok(exit_of(&status)),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::new("waitid(pidfd)", errno)),
        }
    }
}

/// Reaps a child if it has exited.
///
/// # Errors
///
/// `ECHILD` if it is not a child of this process.
pub fn try_wait(pidfd: BorrowedFd<'_>) -> Result<Option<Exit>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = check(rustix::process::waitid(WaitId::PidFd(pidfd), options), || {
        "waitid(pidfd, WNOHANG)".to_owned()
    })?;
    Ok(status.as_ref().map(exit_of))
}

/// Reaps any child that has exited, without waiting. The id is 0 if none has; `None` if there are
/// no children.
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

/// Waits for the child with this id to exit, and reaps it.
///
/// # Errors
///
/// `ECHILD` if it is not a child of this process.
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

/// Whether a process, child or not, has exited.
///
/// # Errors
///
/// None in practice.
pub fn has_ended(pidfd: BorrowedFd<'_>) -> Result<bool> {
    let mut polled = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
    let now = rustix::event::Timespec::default();
    Ok(check(rustix::event::poll(&mut polled, Some(&now)), || "poll(pidfd)".to_owned())? > 0)
}

/// Makes this process undumpable: processes without privilege over it can neither trace it nor read
/// its `/proc` files.
///
/// # Errors
///
/// None in practice.
pub fn hide() -> Result<()> {
    check(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable), || {
        "prctl(PR_SET_DUMPABLE, 0)".to_owned()
    })
}

/// Marks all descriptors from `first` on as close-on-exec.
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

/// Closes all descriptors of a copy except the standard streams and those given. The owners of the
/// others must not be used again.
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
            // SAFETY: this is a copy (checked above), which only clones or executes another
            // program. The owners of these descriptors are used and dropped in the original.
            let ret = unsafe { libc::syscall(libc::SYS_close_range, first, kept - 1, 0) };
            check_ret(ret, || format!("close_range({first}, {})", kept - 1))?;
        }
        first = kept.saturating_add(1);
    }
    Ok(())
}

/// Closes a descriptor, and reports an error.
///
/// # Errors
///
/// `EPERM` or similar if a seccomp filter forbids it.
pub fn close(fd: OwnedFd) -> Result<()> {
    let number = fd.into_raw_fd();
    // SAFETY: the descriptor was owned, and has no owner from here on.
    let ret = unsafe { libc::close(number) };
    check_ret(ret.into(), || format!("close({number})"))?;
    Ok(())
}

/// Whether a process has executed a program since it was cloned; `None` if it is gone. This works
/// for an exited process until it is reaped.
#[must_use]
pub fn has_executed(pid: i32) -> Option<bool> {
    has_executed_by(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether a child of this process that leads a process group has executed a program. The kernel
/// refuses to change the group of a child that has.
///
/// # Errors
///
/// `EPERM` if a seccomp filter forbids the call, `ESRCH` if the child has been reaped.
pub fn has_child_executed(child: i32) -> Result<bool> {
    match rustix::process::setpgid(Pid::from_raw(child), Pid::from_raw(child)) {
        Err(rustix::io::Errno::ACCESS) => Ok(true),
        result => check(result, || format!("setpgid({child}, {child})")).map(|()| false),
    }
}

/// Decides by the process flags, field 9 in proc_pid_stat(5).
fn has_executed_by(stat: &str) -> Option<bool> {
    /// `PF_FORKNOEXEC`, in the kernel's `include/linux/sched.h`.
    const CLONED_ONLY: u32 = 0x40;
    // The name in the second field may contain anything, but later fields contain no parenthesis.
    let flags: u32 = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(6)?.parse().ok()?;
    Some(flags & CLONED_ONLY == 0)
}

/// Returns when a process was started, in ticks since boot; `None` if it has exited. The id and the
/// start time together identify a process uniquely.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    read_start_time(pid).ok().flatten()
}

/// Like [`start_time`], but tells a process that has exited from one that cannot be read.
///
/// # Errors
///
/// Errors of open(2) and read(2), such as `EMFILE`.
pub fn read_start_time(pid: u32) -> Result<Option<u64>> {
    let path = format!("/proc/{pid}/stat");
    match std::fs::read_to_string(&path) {
        Ok(stat) => Ok(start_time_in(&stat)),
        Err(error) => match Error::new(format!("open({path})"), error) {
            gone if gone.is(rustix::io::Errno::NOENT) || gone.is(rustix::io::Errno::SRCH) => Ok(None),
            error => Err(error),
        },
    }
}

fn start_time_in(stat: &str) -> Option<u64> {
    // The name in the second field may contain anything, but later fields contain no parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

/// Returns the time since boot, including the time in which the machine was suspended.
#[must_use]
pub fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Returns the time of boot in seconds since 1970, according to the current clock.
#[must_use]
pub fn boot_time() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Makes `fd` the standard stream `number` of a copy. It is kept across `execve`.
///
/// # Errors
///
/// `EBADF` if this is not a standard stream; `EBUSY` in a process that is not a copy.
pub fn set_standard_stream(fd: BorrowedFd<'_>, number: i32) -> Result<()> {
    let call = || format!("dup2({}, {number})", fd.as_raw_fd());
    refuse_original(call)?;
    if !(0..=2).contains(&number) {
        return Err(Error::new(call(), rustix::io::Errno::BADF));
    }
    // SAFETY: this process is a copy and `number` a standard stream (both checked above), which no
    // object of this program owns.
    let ret = unsafe { libc::dup2(fd.as_raw_fd(), number) };
    check_ret(ret.into(), call)?;
    Ok(())
}

/// Writes to a file in a procfs, and refuses files of other file systems mounted there.
///
/// # Errors
///
/// `ENODEV` for a file of another file system; the kernel's error for the text.
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

/// Returns a second descriptor for the same file, numbered 3 or higher.
///
/// # Errors
///
/// `EMFILE`.
pub fn above_standard_streams(fd: impl AsFd) -> Result<OwnedFd> {
    check(rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 3), || "fcntl(F_DUPFD_CLOEXEC, 3)".to_owned())
}

/// The arguments or the environment of a program, in the form that [`execve`] needs.
#[derive(Debug)]
pub struct Strings {
    pointers: Vec<*const libc::c_char>,
    /// The strings that the pointers refer to.
    _strings: Vec<CString>,
}

impl From<Vec<CString>> for Strings {
    fn from(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

/// Executes another program in this process. Returns only on failure.
///
/// # Errors
///
/// `ENOENT` if the program or its interpreter is missing; `EACCES`, `ENOEXEC` if it cannot be
/// executed.
pub fn execve(program: &CString, args: &Strings, env: &Strings) -> Error {
    // SAFETY: both arrays end in a null pointer, and all other pointers in them refer to C strings
    // that outlive the call, as `Strings` owns them.
    unsafe { libc::execve(program.as_ptr(), args.pointers.as_ptr(), env.pointers.as_ptr()) };
    Error::new(format!("execve({})", program.to_string_lossy()), std::io::Error::last_os_error())
}

/// Ends this process immediately, without running destructors or flushing the buffers of the
/// process it was copied from.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` ends the process; no code of ours runs afterwards.
    unsafe { libc::_exit(code) }
}

/// Sets the process name as shown by `ps`.
///
/// # Errors
///
/// None in practice.
pub fn set_name(name: &std::ffi::CStr) -> Result<()> {
    check(rustix::thread::set_name(name), || format!("prctl(PR_SET_NAME, {name:?})"))
}

/// Overwrites the arguments and the environment of this process, as shown in `/proc/<pid>/cmdline`
/// and `environ`, with `title`.
///
/// # Errors
///
/// If `/proc` is not mounted, or not for this process.
pub fn set_title(title: &std::ffi::CStr) -> Result<()> {
    let call = || "read(/proc/self/stat)".to_owned();
    let stat = check(std::fs::read_to_string("/proc/self/stat"), call)?;
    let [args, args_end, env, env_end] = argument_memory(&stat)
        .ok_or_else(|| Error::new(call(), std::io::Error::from(std::io::ErrorKind::InvalidData)))?;
    overwrite(args, args_end, title.to_bytes());
    overwrite(env, env_end, b"");
    Ok(())
}

/// Returns where the arguments and the environment start and end: fields 48 to 51 in
/// proc_pid_stat(5).
fn argument_memory(stat: &str) -> Option<[usize; 4]> {
    // The name in the second field may contain anything, but later fields contain no parenthesis.
    let fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let found: Vec<usize> = fields.skip(45).take(4).map_while(|field| field.parse().ok()).collect();
    found.try_into().ok()
}

/// Fills memory with `text` followed by zeros. The last byte is always zero.
fn overwrite(start: usize, end: usize, text: &[u8]) {
    let length = end.saturating_sub(start);
    for (offset, byte) in
        (0..length).zip(text[..text.len().min(length.saturating_sub(1))].iter().chain(std::iter::repeat(&0)))
    {
        let place = std::ptr::with_exposed_provenance_mut::<u8>(start + offset);
        // SAFETY: according to the kernel the arguments of this process are here: writable memory
        // of the stack above `main`. No references to it exist, as `std` copies what it reads.
        unsafe { place.write(*byte) };
    }
}

/// Closes all descriptors of a copy. If a seccomp filter forbids closing a range, the first few are
/// closed one by one. Their owners must not be used again.
///
/// # Errors
///
/// `EBUSY` in a process that is not a copy.
pub fn close_all() -> Result<()> {
    /// More descriptors than a process has that already closed all but a few.
    const FEW: i32 = 64;
    refuse_original(|| "close_range(0, ~0)".to_owned())?;
    // SAFETY: this is a copy (checked above), which only waits and sends signals. The owners of
    // these descriptors are used and dropped in the original.
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
/// `EPERM` if it leads a session.
pub fn lead_group() -> Result<()> {
    check(rustix::process::setpgid(None, None), || "setpgid(0, 0)".to_owned())
}

/// Makes this process's group the foreground process group of a terminal.
///
/// # Errors
///
/// `ENOTTY` if it is not the controlling terminal.
pub fn take_foreground(terminal: impl AsFd) -> Result<()> {
    let group = rustix::process::getpgrp();
    check(rustix::termios::tcsetpgrp(terminal, group), || "tcsetpgrp()".to_owned())
}

/// Makes this process the leader of a new session without a terminal.
///
/// # Errors
///
/// `EPERM` if it leads a process group.
pub fn new_session() -> Result<()> {
    check(rustix::process::setsid(), || "setsid()".to_owned())?;
    Ok(())
}

/// Returns the current directory.
///
/// # Errors
///
/// `ENOENT` if it was removed.
pub fn current_dir() -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = check(rustix::process::getcwd(Vec::new()), || "getcwd()".to_owned())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes())))
}

/// Gives this process the lowest CPU and disk priority. The latter has no effect if the disk's I/O
/// scheduler has no priorities. Errors are ignored.
pub fn lower_priority() {
    const LOWEST: i32 = 19;
    /// `IOPRIO_WHO_PROCESS`, and class idle in the upper bits of a priority: ioprio_set(2).
    const PROCESS: i32 = 1;
    const IDLE: i32 = 3 << 13;
    let _ = rustix::process::setpriority_process(None, LOWEST); // on failure it only takes longer
    // SAFETY: the call takes numbers only.
    unsafe {
        libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, IDLE);
    }
}

/// Makes all threads allocate from a few shared heaps, where glibc would give each its own:
/// mallopt(3). Call this before starting threads.
///
/// Memory freed by one thread can then be used by others. In a process that mostly sleeps, this
/// matters more than contention.
pub fn share_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes numbers, and moves no live allocation.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Returns free heap memory to the kernel, if the C library supports it.
///
/// This keeps a long-running process such as a monitor small after the work at its start.
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
    fn what_is_no_pid_is_no_process() {
        for pid in [0, -1, i32::MIN] {
            assert!(open(pid).unwrap_err().is(rustix::io::Errno::SRCH), "{pid}");
        }
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
