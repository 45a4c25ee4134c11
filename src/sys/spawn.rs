//! Starts programs with posix_spawn(3), which takes the same time whatever the size of the caller,
//! and runs no code of the caller in the child.

use std::ffi::{CString, c_char};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, mem, ptr};

use rustix::io::Errno;

use super::{Error, Result, check, check_ret, clone};

/// The first descriptor passed to a child after its standard streams.
pub const FIRST_PASSED: i32 = 3;

/// A program to start.
#[derive(Debug)]
pub struct Command<'a> {
    /// The program's path.
    pub program: &'a Path,
    /// Its arguments, starting with the program's name.
    pub args: &'a [CString],
    /// Standard input, output and error.
    pub streams: [BorrowedFd<'a>; 3],
    /// Descriptors that it gets as 3, 4, …
    pub passed: &'a [BorrowedFd<'a>],
}

/// Starts the program in a new session, with an empty environment and all signals unblocked and at
/// their defaults. Returns the process id. The caller must wait for it.
///
/// # Errors
///
/// `ENOENT` and `EACCES` for the program; `EAGAIN` if there are too many processes.
pub fn spawn(command: &Command<'_>) -> Result<i32> {
    let call = || format!("posix_spawn({:?}, {:?})", command.program, command.args);
    // Moves all sources above the targets, so that no dup2 overwrites a source still needed.
    let all = command.streams.iter().chain(command.passed);
    let sources = all.map(|fd| raise(*fd)).collect::<Result<Vec<_>>>()?;
    let mut actions = Actions::new().map_err(|e| Error::new(call(), e))?;
    for (target, source) in (0..).zip(&sources) {
        actions.dup2(source.as_fd(), target).map_err(|e| Error::new(call(), e))?;
    }
    let attributes = Attributes::new().map_err(|e| Error::new(call(), e))?;
    let program = CString::new(command.program.as_os_str().as_encoded_bytes())
        .map_err(|_| Error::new(call(), rustix::io::Errno::INVAL))?;
    let mut args: Vec<*mut c_char> = command.args.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
    args.push(ptr::null_mut());
    let env = [ptr::null_mut::<c_char>()];
    let mut pid = 0;
    // SAFETY: `actions` and `attributes` are initialized. `program`, both arrays and the strings
    // they point to outlive the call and are only read; the arrays end in a null pointer.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            args.as_ptr(),
            env.as_ptr(),
        )
    };
    if error == 0 { Ok(pid) } else { Err(Error::new(call(), io::Error::from_raw_os_error(error))) }
}

/// Takes ownership of `count` descriptors passed to this process after its standard streams, and
/// closes all others that it inherited. Call this once, before this process opens any file.
///
/// # Errors
///
/// `EBADF` if there are fewer; `EBUSY` if called again, if the process has several threads, or for
/// a descriptor that it opened itself; `ENOSYS` before Linux 5.9.
pub fn take_passed(count: i32) -> Result<Vec<OwnedFd>> {
    static IS_TAKEN: AtomicBool = AtomicBool::new(false);
    let end = FIRST_PASSED.saturating_add(count);
    let call = || format!("close_range({end}, ~0)");
    if !clone::has_one_thread()? || IS_TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Error::new(call(), Errno::BUSY));
    }
    let passed = (FIRST_PASSED..end).map(take).collect::<Result<_>>()?;
    // SAFETY: the call takes three numbers. Nothing owns descriptors from `end` on: this is the
    // first such call, in the only thread, before any file is opened.
    let ret = unsafe { libc::syscall(libc::SYS_close_range, end, libc::c_uint::MAX, 0) };
    check_ret(ret, call)?;
    Ok(passed)
}

fn take(number: i32) -> Result<OwnedFd> {
    // SAFETY: the call takes numbers only.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    check_ret(flags.into(), || format!("fcntl({number}, F_GETFD)"))?;
    // Descriptors that were inherited through `execve` lack this flag; those that hoist opens have
    // it.
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(Error::new(format!("fcntl({number}, F_GETFD)"), Errno::BUSY));
    }
    // SAFETY: the call takes numbers only.
    let ret = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    check_ret(ret.into(), || format!("fcntl({number}, F_SETFD, FD_CLOEXEC)"))?;
    // SAFETY: the descriptor is open and was passed by the parent (checked above). From here on it
    // has the flag, so it is not taken again.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Returns a descriptor of the same file that is above all descriptors passed to a child.
///
/// # Errors
///
/// `EMFILE`.
pub fn raise(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let raised = rustix::io::fcntl_dupfd_cloexec(fd, RAISED);
    // `EINVAL` means that the number is above the limit.
    let raised = raised.map_err(|error| if error == Errno::INVAL { Errno::MFILE } else { error });
    check(raised, || format!("fcntl({fd:?}, F_DUPFD_CLOEXEC, {RAISED})"))
}

/// Above the descriptors passed to a child, and within the initial table of 64. A larger number
/// makes the kernel grow the table, for which a process with threads waits 20 ms
/// (`synchronize_rcu`).
const RAISED: i32 = 32;

/// `posix_spawn_file_actions_t`
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = mem::MaybeUninit::uninit();
        // SAFETY: the call initializes its argument.
        ok(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: initialized by the call above.
        Ok(Self(unsafe { actions.assume_init() }))
    }

    fn dup2(&mut self, source: BorrowedFd<'_>, target: i32) -> io::Result<()> {
        // SAFETY: `self.0` is initialized, and the call only stores the numbers.
        ok(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, source.as_raw_fd(), target) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: `self.0` is initialized and not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// `posix_spawnattr_t`
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut attributes = mem::MaybeUninit::uninit();
        // SAFETY: the call initializes its argument.
        ok(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: initialized by the call above.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        let mut set = mem::MaybeUninit::uninit();
        // SAFETY: the call initializes its argument.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: `set` was initialized by the call above, and so was `attributes`.
        ok(unsafe { libc::posix_spawnattr_setsigmask(&raw mut attributes.0, set.as_ptr()) })?;
        // SAFETY: as above; the call fills the set with every signal.
        unsafe { libc::sigfillset(set.as_mut_ptr()) };
        // SAFETY: `set` and `attributes` are initialized.
        ok(unsafe { libc::posix_spawnattr_setsigdefault(&raw mut attributes.0, set.as_ptr()) })?;
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = libc::c_short::try_from(flags).unwrap_or(0) | SETSID; // small constants
        // SAFETY: `attributes` is initialized.
        ok(unsafe { libc::posix_spawnattr_setflags(&raw mut attributes.0, flags) })?;
        Ok(attributes)
    }
}

/// `POSIX_SPAWN_SETSID` in glibc and musl, which the libc crate does not define.
const SETSID: libc::c_short = 0x80;

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: `self.0` is initialized and not used again.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

fn ok(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    fn run(script: &str, passed: &[BorrowedFd<'_>]) -> (String, i32) {
        let null = File::open("/dev/null").unwrap();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let args = ["sh", "-c", script].map(|word| CString::new(word).unwrap());
        let command = Command {
            program: Path::new("/bin/sh"),
            args: &args,
            streams: [null.as_fd(), write.as_fd(), write.as_fd()],
            passed,
        };
        let pid = spawn(&command).unwrap();
        drop(write);
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).unwrap();
        let pidfd = crate::sys::process::open(pid).unwrap();
        (text, crate::sys::process::wait(pidfd.as_fd()).unwrap().code())
    }

    #[test]
    fn a_child_has_its_own_session_no_environment_and_what_it_was_passed() {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        File::from(write).write_all(b"passed\n").unwrap();
        let stderr = io::stderr();
        // The sixth field of `/proc/<pid>/stat` is the session id.
        let script = "cat <&4; read -r a b c d e sid rest < /proc/$$/stat; \
                      [ $$ = $sid ] && echo session; [ -z \"$HOME\" ] && echo empty; exit 7";
        assert_eq!(run(script, &[stderr.as_fd(), read.as_fd()]), ("passed\nsession\nempty\n".to_owned(), 7));
    }

    #[test]
    fn a_missing_program_is_told_with_the_call() {
        let null = File::open("/dev/null").unwrap();
        let command = Command {
            program: Path::new("/no/such/program"),
            args: &[],
            streams: [null.as_fd(), null.as_fd(), null.as_fd()],
            passed: &[],
        };
        let error = spawn(&command).unwrap_err();
        assert_eq!(error.to_string(), "posix_spawn(\"/no/such/program\", [])");
        assert_eq!(error.errno(), libc::ENOENT);
    }
}
