//! Turns a process inside the container into the requested program, both for init and for a process
//! that joins later.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::FdFlags;
use rustix::process::{Resource, Rlimit};
use rustix::thread::{Gid, Uid};

use super::channel::{Message, Voice};
use super::entry::{self, Entry};
use super::hook::{Calls, Point};
use super::prepare::Security;
use super::progress::{Progress, Reached};
use super::seccomp::Filter;
use super::target::{self, Kind};
use super::user::{self, Identity};
use super::{Error, Init, Keyring, Result, confine, interpreter, reaper};
use crate::oci::runtime::{PosixRlimitType, Process};
use crate::sys::cap::{self, Cap, Sets};
use crate::sys::probe::Probe;
use crate::sys::process::Strings;
use crate::sys::{self, check, fs, keyring, process, pty, seccomp, signal};

/// The search path if the environment has none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program, and the state it starts with.
pub(super) struct Payload<'a> {
    pub(super) process: &'a Process,
    pub(super) security: &'a Security,
    pub(super) probe: &'a Probe,
    pub(super) streams: Streams<'a>,
    pub(super) init: Init,
    pub(super) cwd: Cwd,
    pub(super) voice: &'a mut Voice,
    /// How the program enters a pid namespace that already has processes.
    pub(super) entry: Option<Entry>,
    /// What to wait for at the very end, unless the creator starts the program.
    pub(super) gate: Option<Fifos>,
    /// `None` in the process created inside, which shares no memory with the creator.
    pub(super) progress: Option<Progress>,
    /// The hooks to run before the program.
    pub(super) hooks: Option<&'a Calls>,
    /// Descriptors that stay open in the program.
    pub(super) passed: &'a [OwnedFd],
    pub(super) keyring: Keyring,
}

/// Where the start is requested, and where the result is reported.
pub(super) struct Fifos {
    pub(super) start: OwnedFd,
    pub(super) report: OwnedFd,
}

/// How to handle a missing working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cwd {
    Make,
    Find,
}

/// The standard streams of init.
pub(super) enum Streams<'a> {
    Terminal(BorrowedFd<'a>),
    Files([BorrowedFd<'a>; 3]),
    Inherited,
}

struct Becoming<'a> {
    payload: Payload<'a>,
    identity: Option<Identity>,
    executable: Option<Executable>,
    /// The program's own capabilities, while one is kept for setting the filter.
    final_sets: Option<Sets>,
    /// What the filter asks, until its agent has it.
    listener: Option<OwnedFd>,
}

/// The arguments of `execve`, prepared before a filter may forbid allocating memory.
struct Executable {
    path: CString,
    /// Whether the path refers to an existing file.
    is_there: bool,
    args: Strings,
    env: Strings,
}

type Step = (&'static str, fn(&mut Becoming<'_>) -> Result<()>);

const STEPS: &[Step] = &[
    // As root, which may raise them.
    ("set resource limits", set_limits),
    ("set the scheduler", |becoming| becoming.payload.security.scheduling.apply()),
    ("join a new session keyring", new_keyring),
    ("look up the user", look_user_up),
    // As root, which may enter it.
    ("enter the working directory", enter_cwd),
    ("set the standard streams", set_streams),
    ("open the container's /dev/null", |_| own_null()),
    ("drop capabilities from the bounding set", cut_bounding),
    ("set users and groups", change_identity),
    ("set capabilities", set_capabilities),
    ("set no_new_privs", set_no_new_privileges),
    // As the user, who may lack permission to execute it.
    ("find the program", find_executable),
    ("reset signals", |_| Ok(signal::reset()?)),
    ("set the umask", |becoming| {
        let mask = becoming.payload.process.user().umask().unwrap_or(0o022);
        rustix::process::umask(Mode::from_raw_mode(mask));
        // A process that waits for a start by FIFO will send another message.
        let is_last = becoming.payload.gate.is_none();
        becoming.payload.voice.say(if is_last { &Message::Executing } else { &Message::Ready });
        Ok(())
    }),
    // None of our descriptors may remain open in the program (CVE-2024-21626).
    ("close hoist's descriptors", close_descriptors),
    // The filter is set late, so it need not allow any step above.
    (FILTER, filter),
    (LISTENER, hand_over_listener),
    (GIVE_UP, |becoming| Ok(becoming.final_sets.map_or(Ok(()), cap::set)?)),
    // Others may enter the container meanwhile and control this process, so it must not hold
    // anything that the program may not have.
    (GATE, wait_for_start),
    // From here on other processes in its pid namespace may control it.
    (ENTER, enter_pid_namespace),
    // In the container, and with no more rights than the program.
    (HOOKS, run_hooks),
    (SPLIT, start_under_reaper),
];

const FILTER: &str = "install the seccomp filter";
const LISTENER: &str = "hand over the listener of the seccomp filter";
const GIVE_UP: &str = "drop the capability to set a filter";
pub(super) const GATE: &str = "wait to be started";
pub(super) const ENTER: &str = "enter the pid namespace";
const HOOKS: &str = "run the startContainer hooks";
const SPLIT: &str = "start the program under an init";
pub(super) const EXECUTE: &str = "execute the program";

/// Becomes the program. Returns only the step that failed, and its error.
pub(super) fn run(payload: Payload<'_>) -> (&'static str, Error) {
    let process = payload.process;
    let mut becoming =
        Becoming { payload, identity: None, executable: None, final_sets: None, listener: None };
    for (number, (step, run)) in STEPS.iter().enumerate() {
        becoming.note(number, 0);
        if let Err(error) = run(&mut becoming) {
            becoming.note(number, error.errno());
            // A hook says itself why it failed.
            let is_filtered =
                becoming.payload.security.filter.is_some() && is_filtered(step) && *step != HOOKS;
            let error = error.in_step((*step).to_owned());
            return (step, if is_filtered { error.under_filter() } else { error });
        }
    }
    becoming.note(STEPS.len(), 0);
    let error = match &becoming.executable {
        Some(Executable { path, is_there, args, env }) => {
            let source = process::execve(path, args, env);
            becoming.note(STEPS.len(), source.errno());
            let interpreter = || interpreter::missing(Path::new(OsStr::from_bytes(path.as_bytes())));
            not_executed(program(process), *is_there, source, interpreter)
        }
        None => Error::ProgramNotFound { program: program(process).to_owned() },
    };
    (EXECUTE, error)
}

impl Becoming<'_> {
    fn note(&self, step: usize, errno: i32) {
        if let Some(progress) = &self.payload.progress {
            let has_file = self.executable.as_ref().is_some_and(|executable| executable.is_there);
            progress.note(Reached { step, errno, has_file });
        }
    }
}

/// Returns the name of a step by its number in [`Progress`].
pub(super) fn step(number: usize) -> &'static str {
    STEPS.get(number).map_or(EXECUTE, |(step, _)| step)
}

/// Whether a step runs under the seccomp filter.
pub(super) fn is_filtered(step: &str) -> bool {
    let at = |wanted: &str| STEPS.iter().position(|(step, _)| *step == wanted);
    step == EXECUTE || at(step) > at(FILTER)
}

/// Returns the system calls of a step that runs under the filter.
pub(super) fn calls_of(step: &str) -> &'static str {
    match step {
        LISTENER => "`write`, `read` and `close`",
        GIVE_UP => "`capset`",
        GATE => "`close` and `read`",
        ENTER => "`clone` and `close`, and for a terminal `setsid` and `ioctl`",
        HOOKS => "`fcntl`, `memfd_create`, `clone`, `execve`, `poll` and `waitid`",
        SPLIT => "`clone`, `rt_sigprocmask` and `setpgid`, and for a terminal `ioctl`",
        // This also covers a process that was killed as soon as it was created inside.
        _ => "`execve`, and for `exec` also `setsid`",
    }
}

/// Returns the exit code of a process that could not execute the program, as in a shell.
pub(super) fn exit_code(error: &Error) -> i32 {
    match error {
        Error::ProgramNotFound { .. } | Error::NoInterpreter { .. } => 127,
        Error::ProgramNotRunnable { .. } => 126,
        _ => 1,
    }
}

/// Returns why the kernel did not execute the program. `is_there` says whether its file exists;
/// if it does, its `interpreter` may be missing.
pub(super) fn not_executed(
    program: &str,
    is_there: bool,
    source: sys::Error,
    interpreter: impl FnOnce() -> Option<String>,
) -> Error {
    let program = program.to_owned();
    match source.is(rustix::io::Errno::NOENT) {
        true if is_there => Error::NoInterpreter { program, interpreter: interpreter() },
        true => Error::ProgramNotFound { program },
        false => Error::ProgramNotRunnable { program, source },
    }
}

/// Returns the program as requested.
pub(super) fn program(process: &Process) -> &str {
    process.args().as_deref().and_then(|args| args.first()).map_or("", String::as_str)
}

fn arguments(process: &Process) -> Result<Vec<CString>> {
    process.args().iter().flatten().map(|arg| c_string("process.args", arg)).collect()
}

/// Returns the environment. A missing HOME is taken from the passwd file.
fn environment(process: &Process, home: Option<&str>) -> Result<Vec<CString>> {
    let given = process.env().iter().flatten();
    // An entry without `=` is not a variable; the runtime does not invent a value for it.
    let given: Vec<&String> = given.filter(|entry| entry.find('=').is_some_and(|at| at > 0)).collect();
    let has_home = given.iter().any(|entry| entry.starts_with("HOME="));
    let home = (!has_home).then(|| format!("HOME={}", home.unwrap_or("/")));
    let entries = given.into_iter().map(|entry| c_string("process.env", entry));
    entries.chain(home.as_deref().map(|home| c_string("process.env", home))).collect()
}

fn c_string(field: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::spec(field, "it contains a NUL byte"))
}

/// Returns the path of the program, searched in the `PATH` of its own environment.
pub(super) fn search(process: &Process) -> Result<CString> {
    let program = program(process);
    if program.contains('/') {
        return match executable(Path::new(program)) {
            Err(source) if !source.is(rustix::io::Errno::NOENT) => {
                Err(Error::ProgramNotRunnable { program: program.to_owned(), source })
            }
            // The kernel also returns this errno for a missing interpreter.
            _ => c_string("process.args", program),
        };
    }
    let path = process.env().iter().flatten().rev().find_map(|entry| entry.strip_prefix("PATH="));
    let mut denied = None;
    for folder in path.unwrap_or(DEFAULT_PATH).split(':').filter(|folder| !folder.is_empty()) {
        let candidate: PathBuf = Path::new(folder).join(program);
        if !candidate.is_file() {
            continue;
        }
        match executable(&candidate) {
            Ok(()) => return c_string("process.args", &candidate.to_string_lossy()),
            Err(error) => denied = Some(error),
        }
    }
    let program = program.to_owned();
    match denied {
        Some(source) => Err(Error::ProgramNotRunnable { program, source }),
        None => Err(Error::ProgramNotFound { program }),
    }
}

/// Checks that the user may execute this file, which the kernel denies for a folder too.
fn executable(path: &Path) -> sys::Result<()> {
    let access = || rustix::fs::accessat(rustix::fs::CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    let result = if path.is_dir() { Err(rustix::io::Errno::ACCESS) } else { access() };
    check(result, || format!("faccessat({}, X_OK)", path.display()))
}

fn set_limits(becoming: &mut Becoming<'_>) -> Result<()> {
    for limit in becoming.payload.process.rlimits().iter().flatten() {
        let resource = resource(limit.typ());
        let value = |n: u64| (n != u64::MAX).then_some(n);
        let wanted = Rlimit { current: value(limit.soft()), maximum: value(limit.hard()) };
        let call = || format!("setrlimit({}, {}:{})", limit.typ(), limit.soft(), limit.hard());
        if let Some(ceiling) = check(sys::limit::set(resource, wanted), call)? {
            let text = format!("{} is limited to {ceiling}: the kernel does not permit more", limit.typ());
            becoming.payload.voice.say(&Message::Warning(text));
        }
    }
    Ok(())
}

fn resource(kind: PosixRlimitType) -> Resource {
    match kind {
        PosixRlimitType::RlimitCpu => Resource::Cpu,
        PosixRlimitType::RlimitFsize => Resource::Fsize,
        PosixRlimitType::RlimitData => Resource::Data,
        PosixRlimitType::RlimitStack => Resource::Stack,
        PosixRlimitType::RlimitCore => Resource::Core,
        PosixRlimitType::RlimitRss => Resource::Rss,
        PosixRlimitType::RlimitNproc => Resource::Nproc,
        PosixRlimitType::RlimitNofile => Resource::Nofile,
        PosixRlimitType::RlimitMemlock => Resource::Memlock,
        PosixRlimitType::RlimitAs => Resource::As,
        PosixRlimitType::RlimitLocks => Resource::Locks,
        PosixRlimitType::RlimitSigpending => Resource::Sigpending,
        PosixRlimitType::RlimitMsgqueue => Resource::Msgqueue,
        PosixRlimitType::RlimitNice => Resource::Nice,
        PosixRlimitType::RlimitRtprio => Resource::Rtprio,
        PosixRlimitType::RlimitRttime => Resource::Rttime,
    }
}

fn new_keyring(becoming: &mut Becoming<'_>) -> Result<()> {
    use rustix::io::Errno;
    if becoming.payload.keyring == Keyring::Callers {
        return Ok(());
    }
    match keyring::join_new_session() {
        // The kernel has no keyrings, so there is nothing to separate.
        Err(error) if error.is(Errno::NOSYS) => Ok(()),
        // In a container whose filter forbids it, as Docker's does.
        Err(error) if becoming.payload.probe.in_user_namespace && error.is(Errno::PERM) => Ok(()),
        result => Ok(result?),
    }
}

fn look_user_up(becoming: &mut Becoming<'_>) -> Result<()> {
    let root = fs::open_place(Path::new("/"))?;
    becoming.identity = Some(user::look_up(
        root.as_fd(),
        becoming.payload.process.user(),
        &becoming.payload.security.groups,
    )?);
    Ok(())
}

/// Enters the working directory. It is resolved inside the root, without following magic links of
/// /proc.
fn enter_cwd(becoming: &mut Becoming<'_>) -> Result<()> {
    let path = becoming.payload.process.cwd();
    let outside = || Error::OutsideRoot { path: path.clone() };
    let root = fs::open_place(Path::new("/"))?;
    let place = match becoming.payload.cwd {
        Cwd::Make => target::open_or_make(root.as_fd(), path, Kind::Directory),
        Cwd::Find => fs::open_in_root(&root, path, OFlags::PATH),
    };
    let place = match place {
        Err(error) if error.is(rustix::io::Errno::LOOP) || error.is(rustix::io::Errno::XDEV) => {
            return Err(outside());
        }
        Err(error) if error.is(rustix::io::Errno::NOENT) => {
            return Err(Error::NoWorkdir { path: path.clone() });
        }
        result => result?,
    };
    check(rustix::process::fchdir(&place), || format!("chdir({})", path.display()))?;
    // A path outside the root is printed as `(unreachable)/…`.
    if process::current_dir()?.is_absolute() { Ok(()) } else { Err(outside()) }
}

fn set_streams(becoming: &mut Becoming<'_>) -> Result<()> {
    let streams = match &becoming.payload.streams {
        Streams::Terminal(terminal) => {
            // A process created inside creates its own session.
            if becoming.payload.entry.is_none() {
                pty::make_controlling(*terminal)?;
            }
            [*terminal; 3]
        }
        Streams::Files(files) => *files,
        Streams::Inherited => return Ok(()),
    };
    let uid = becoming.identity.as_ref().map_or(0, |identity| identity.uid);
    for (number, stream) in (0..).zip(streams) {
        // Allows the program to reopen /dev/stdout. Not every file may be handed over.
        if uid != 0 && is_private(stream) {
            let _ = rustix::fs::fchown(stream, Some(Uid::from_raw(uid)), None);
        }
        process::set_standard_stream(stream, number)?;
    }
    Ok(())
}

/// Replaces streams that are the host's `/dev/null` by the container's, because an open node can be
/// used to change its mode and owner.
fn own_null() -> Result<()> {
    let null = (FileType::CharacterDevice, (1, 3));
    let is_null = |stream: BorrowedFd<'_>| {
        fs::stat(stream).is_ok_and(|stat| (fs::file_type(&stat), fs::device_numbers(stat.st_rdev)) == null)
    };
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for (number, stream) in (0..).zip(streams) {
        if !is_null(stream) {
            continue;
        }
        let root = fs::open_place(Path::new("/"))?;
        let flags = check(rustix::fs::fcntl_getfl(stream), || format!("fcntl({number}, F_GETFL)"))?;
        match fs::open_beneath(&root, Path::new("dev/null"), (flags & OFlags::RWMODE) | OFlags::NONBLOCK) {
            Ok(own) if is_null(own.as_fd()) => {
                check(rustix::fs::fcntl_setfl(&own, OFlags::empty()), || "fcntl(F_SETFL, 0)".to_owned())?;
                process::set_standard_stream(own.as_fd(), number)?;
            }
            _ => {} // an image without `/dev/null`
        }
    }
    Ok(())
}

/// Whether a stream is a pipe, a socket or our own terminal, as opposed to a file or device of the
/// host.
fn is_private(stream: BorrowedFd<'_>) -> bool {
    let Ok(stat) = fs::stat(stream) else { return false };
    match fs::file_type(&stat) {
        FileType::Fifo | FileType::Socket => true,
        FileType::CharacterDevice => (136..=143).contains(&fs::device_numbers(stat.st_rdev).0),
        _ => false,
    }
}

/// Removes from the bounding set what the spec does not list. A process that enters a user
/// namespace has a full set, whatever its creator had.
fn cut_bounding(becoming: &mut Becoming<'_>) -> Result<()> {
    let lists = becoming.payload.security.capabilities;
    let own = cap::get()?;
    // Inheritable capabilities need not be in the bounding set, but can only be added while they
    // are.
    cap::set(Sets { inheritable: lists.inheritable.and(own.permitted), ..own })?;
    for cap in cap::bounding()?.without(lists.bounding).iter() {
        cap::drop_bounding(cap)?;
    }
    Ok(())
}

fn find_executable(becoming: &mut Becoming<'_>) -> Result<()> {
    let process = becoming.payload.process;
    let home = becoming.identity.as_ref().and_then(|identity| identity.home.as_deref());
    let (args, env) = (arguments(process)?.into(), environment(process, home)?.into());
    let path = search(process)?;
    // Check now, since the filter may forbid it.
    let is_there = Path::new(OsStr::from_bytes(path.as_bytes())).exists();
    becoming.executable = Some(Executable { path, is_there, args, env });
    Ok(())
}

fn close_descriptors(becoming: &mut Becoming<'_>) -> Result<()> {
    let payload = &becoming.payload;
    match (&payload.entry, payload.voice.channel()) {
        (Some(entry), Some(channel)) => entry.leave_the_rest_behind(channel, payload.passed)?,
        _ => {
            let fifos = payload.gate.iter().flat_map(|gate| [gate.start.as_fd(), gate.report.as_fd()]);
            let passed = payload.passed.iter().map(AsFd::as_fd);
            let keep: Vec<_> = payload.voice.descriptors().into_iter().chain(fifos).chain(passed).collect();
            process::close_all_but(&keep)?;
        }
    }
    if let (Some(_), Some(progress)) = (&payload.entry, &payload.progress) {
        progress.keep_from_copies()?;
    }
    process::close_on_exec_from(3)?;
    flag_passed(payload, FdFlags::empty())
}

/// Sets the flags of the descriptors that the program gets.
fn flag_passed(payload: &Payload<'_>, flags: FdFlags) -> Result<()> {
    for fd in payload.passed {
        check(rustix::io::fcntl_setfd(fd, flags), || format!("fcntl({fd:?}, F_SETFD, {flags:?})"))?;
    }
    Ok(())
}

fn filter(becoming: &mut Becoming<'_>) -> Result<()> {
    let Some(Filter { program, flags, notifies }) = &becoming.payload.security.filter else { return Ok(()) };
    if *notifies {
        becoming.listener = Some(seccomp::install_with_listener(program, *flags)?);
        return Ok(());
    }
    Ok(seccomp::install(program, *flags)?)
}

/// Gives the listener away: whoever has it decides what this process may do.
fn hand_over_listener(becoming: &mut Becoming<'_>) -> Result<()> {
    let Some(listener) = becoming.listener.take() else { return Ok(()) };
    if !becoming.payload.voice.hand_over(listener.as_fd())? {
        process::exit_now(1); // the creator has died, or the agent cannot be told
    }
    Ok(process::close(listener)?)
}

/// Waits for the start. The creator notices this by the end of its channel.
fn wait_for_start(becoming: &mut Becoming<'_>) -> Result<()> {
    let Some(Fifos { start, report }) = becoming.payload.gate.take() else { return Ok(()) };
    becoming.payload.voice.close()?;
    becoming.payload.voice.report = Some(report);
    let mut byte = [0];
    loop {
        match rustix::io::read(&start, &mut byte) {
            Err(rustix::io::Errno::INTR) => {}
            result => {
                check(result, || "read(start FIFO)".to_owned())?;
                return Ok(());
            }
        }
    }
}

fn enter_pid_namespace(becoming: &mut Becoming<'_>) -> Result<()> {
    let Some(entry) = becoming.payload.entry.take() else { return Ok(()) };
    becoming.payload.voice.close()?;
    becoming.payload.voice.report = Some(entry.be_born());
    // The page is not mapped in this copy. Forgetting it takes no system call.
    std::mem::forget(becoming.payload.progress.take());
    entry::lead_session(matches!(becoming.payload.streams, Streams::Terminal(_)))
}

fn run_hooks(becoming: &mut Becoming<'_>) -> Result<()> {
    let payload = &becoming.payload;
    let Some(hooks) = payload.hooks.filter(|hooks| hooks.has(Point::StartContainer)) else { return Ok(()) };
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    // What the program is passed is not for the hooks.
    flag_passed(payload, FdFlags::CLOEXEC)?;
    hooks.run(Point::StartContainer, Some(pid))?;
    flag_passed(payload, FdFlags::empty())
}

fn change_identity(becoming: &mut Becoming<'_>) -> Result<()> {
    let Some(identity) = &becoming.identity else { return Ok(()) };
    let groups: Vec<Gid> = identity.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    let set = match becoming.payload.probe.setgroups {
        true => rustix::thread::set_thread_groups(&groups),
        false => Err(rustix::io::Errno::PERM),
    };
    // Also in a user namespace that is joined and forbids it.
    if set != Err(rustix::io::Errno::PERM) {
        check(set, || format!("setgroups({:?})", identity.groups))?;
    } else if identity.groups.iter().any(|gid| *gid != identity.gid) {
        let text = "supplementary groups cannot be set in this user namespace".to_owned();
        becoming.payload.voice.say(&Message::Warning(text));
    }
    cap::keep_over_setuid()?;
    set_ids(identity.uid, identity.gid)
}

/// Permanently switches to this user and group.
pub(super) fn set_ids(uid: u32, gid: u32) -> Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    check(rustix::thread::set_thread_res_gid(group, group, group), || format!("setresgid({gid})"))?;
    check(rustix::thread::set_thread_res_uid(user, user, user), || format!("setresuid({uid})"))?;
    Ok(())
}

/// Sets the capabilities that the spec lists, as far as this process has them. Without
/// no_new_privs, setting a filter requires CAP_SYS_ADMIN, which is kept until then. no_new_privs is
/// never set for that purpose, because set-user-ID programs must work.
fn set_capabilities(becoming: &mut Becoming<'_>) -> Result<()> {
    let security = becoming.payload.security;
    let (lists, own) = (security.capabilities, cap::get()?);
    let mut sets = Sets {
        effective: lists.effective.and(own.permitted),
        permitted: lists.permitted.and(own.permitted),
        inheritable: own.inheritable, // set earlier, while possible
    };
    if security.filter.is_some() && !security.no_new_privileges && own.permitted.has(Cap::SYS_ADMIN) {
        becoming.final_sets = Some(sets);
        sets.effective = sets.effective.with(Cap::SYS_ADMIN);
        sets.permitted = sets.permitted.with(Cap::SYS_ADMIN);
    }
    cap::clear_ambient()?;
    cap::set(sets)?;
    for cap in lists.ambient.and(own.permitted).iter() {
        cap::raise_ambient(cap)?;
    }
    Ok(())
}

fn set_no_new_privileges(becoming: &mut Becoming<'_>) -> Result<()> {
    if becoming.payload.security.no_new_privileges {
        check(rustix::thread::set_no_new_privs(true), || "prctl(PR_SET_NO_NEW_PRIVS, 1)".to_owned())?;
    }
    Ok(())
}

fn start_under_reaper(becoming: &mut Becoming<'_>) -> Result<()> {
    match becoming.payload.init {
        Init::Payload => Ok(()),
        Init::Reaper => {
            confine::confine_reaper(becoming.payload.process)?;
            let has_terminal = matches!(becoming.payload.streams, Streams::Terminal(_));
            reaper::split(has_terminal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(json: &str) -> Process {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_environment_is_data_and_never_the_hosts() {
        let process = process(
            r#"{"cwd":"/","user":{},"args":["a"],"env":["A=1","NOVALUE","*","=x","B=","PATH=/bin","A=2=3"]}"#,
        );
        let env: Vec<String> = environment(&process, Some("/root"))
            .unwrap()
            .iter()
            .map(|e| e.to_string_lossy().into())
            .collect();
        assert_eq!(env, ["A=1", "B=", "PATH=/bin", "A=2=3", "HOME=/root"]);
    }

    #[test]
    fn a_program_is_looked_for_in_the_path_of_its_own_environment() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("there"), "").unwrap();
        let search_for = |name: &str| {
            let path = dir.path().display();
            search(&process(&format!(r#"{{"cwd":"/","user":{{}},"args":["{name}"],"env":["PATH={path}"]}}"#)))
        };
        assert!(matches!(search_for("not-there"), Err(Error::ProgramNotFound { .. })));
        assert!(matches!(search_for("there"), Err(Error::ProgramNotRunnable { .. })));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path().join("there"), mode).unwrap();
        assert_eq!(
            search_for("there").unwrap().to_str().unwrap(),
            dir.path().join("there").to_str().unwrap()
        );
        assert_eq!(search_for("./x").unwrap().to_str().unwrap(), "./x");
    }
}
