//! Executes another process in a running container.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;

use super::channel::{self, Failure, Message, Voice};
use super::create::{Created, Running, Watch};
use super::entry::{self, Entry};
use super::listener::Agent;
use super::payload::{self, Cwd, Streams};
use super::prepare::{self, Security};
use super::progress::Progress;
use super::scheduling::Affinity;
use super::{Error, Exec, Init, Keyring, Result, Stdio, confine, namespaces, support};
use crate::cgroup::Entrance;
use crate::oci::runtime::Spec;
use crate::sys::clone::{self, Side};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::sched::{self, Cpus};
use crate::sys::{check, fs, mount, pidfd, process, pty};

const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;

struct Joining<'a> {
    exec: &'a Exec<'a>,
    namespaces: Namespaces,
    /// The root, if it is not that of the mount namespace.
    root: Option<OwnedFd>,
    entrance: Entrance,
    /// The CPUs to run on in the cgroup.
    cpus: Option<Cpus>,
    terminal: Option<OwnedFd>,
    voice: Voice,
    entry: Option<Entry>,
    progress: Progress,
}

type Step = (&'static str, fn(&mut Joining<'_>) -> Result<()>);

const STEPS: &[Step] = &[
    ("disable tracing", |_| Ok(process::hide()?)),
    // The creator's arguments contain folders of the host.
    ("set the process name", |_| Ok(process::set_title(c"hoist-exec")?)),
    // Do this while the host's procfs is visible; it takes effect at `execve`.
    ("apply the AppArmor profile and the SELinux label", |joining| {
        confine::confine_program(joining.exec.process, Init::Payload)
    }),
    ("join the cgroup", |joining| Ok(joining.entrance.join()?)),
    ("set the CPUs", |joining| match &joining.cpus {
        Some(cpus) => Ok(sched::set_cpus(cpus)?),
        None => Ok(()),
    }),
    // The pid namespace only applies to new processes: this one is not visible inside.
    ("join the container's namespaces", |joining| {
        Ok(ns::enter_all(joining.exec.target, joining.namespaces)?)
    }),
    ("enter the container's root", |joining| match &joining.root {
        Some(root) => Ok(mount::change_root(root.as_fd())?),
        None => Ok(()),
    }),
    ("become root in the user namespace", |joining| {
        if joining.namespaces.has(Namespace::User) { payload::set_ids(0, 0) } else { Ok(()) }
    }),
    ("start a new session", |_| Ok(process::new_session()?)),
    ("open the terminal", open_terminal),
];

/// Executes another process in a running container; returns once it is executed.
///
/// The caller must be single-threaded.
///
/// # Errors
///
/// The step that failed, with its system call. `ProgramNotFound` and `ProgramNotRunnable` are
/// separate variants.
pub fn exec(exec: Exec<'_>) -> Result<Running> {
    support::check_process(exec.process)?;
    let security = prepare::security(exec.spec, exec.process)?;
    security.scheduling.check_inherited()?;
    let affinity = Affinity::of(exec.process)?;
    let init = pidfd::pid(exec.target);
    let agent = Agent::connect(exec.spec, exec.calls.as_ref(), init)?;
    let mut entrance = match exec.cgroup {
        Some(cgroup) => cgroup.entrance_beside(exec.target, exec.probe.into_cgroup).map_err(Error::Cgroup)?,
        None => Entrance { born_into: None, joined: Vec::new() },
    };
    let born_into = entrance.born_into.take();
    let (namespaces, root) = place_of(exec.spec, init)?;
    let (channel, inits) = channel::pair()?;
    let (entry, awaited) = entry::open_at_once()?;
    let progress = Progress::new()?;
    let watch = Watch::new(exec.process, &security, Init::Payload, progress.clone());
    let elsewhere = affinity.before.as_ref().map(sched::Elsewhere::go).transpose()?;
    match clone::clone3(Namespaces::NONE, born_into.as_ref().map(AsFd::as_fd))? {
        Side::Child => {
            drop((channel, awaited, agent)); // so that it notices if the creator dies
            let (voice, entry) = (Voice::new(inits), Some(entry));
            let (exec, cpus, terminal) = (&exec, affinity.within, None);
            let mut joining =
                Joining { exec, namespaces, root, entrance, cpus, terminal, voice, entry, progress };
            run(&mut joining, &security)
        }
        Side::Parent(between) => {
            drop(elsewhere);
            drop((inits, entry)); // these ends must be closed when the program starts
            let mut running = Created::entering(between, channel, awaited, watch, agent).until_executed()?;
            running.warnings.extend(security.warnings);
            Ok(running)
        }
    }
}

/// Returns the container's namespaces, all that its spec lists, and its root unless it is that of its
/// mount namespace. `init` is its first process.
fn place_of(spec: &Spec, init: Option<i32>) -> Result<(Namespaces, Option<OwnedFd>)> {
    let (mut joined, mut is_rooted) = (Namespaces::NONE, false);
    let gone = || Error::Died { status: "it has exited".to_owned() };
    let listed = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
    for namespace in listed.into_iter().flatten() {
        let kind = namespaces::kind_of(namespace.typ());
        let has_path = namespace.path().as_ref().is_some_and(|path| !path.as_os_str().is_empty());
        is_rooted |= kind == Namespace::Mount && !has_path;
        // The kernel does not let a process join its own user namespace.
        let is_callers = kind == Namespace::User && has_path && {
            let theirs = ns::open(init.ok_or_else(gone)?, kind)?;
            namespaces::is_callers(kind, &theirs)?
        };
        if !is_callers {
            joined = joined.with(kind);
        }
    }
    if is_rooted {
        return Ok((joined, None));
    }
    let root = format!("/proc/{}/root", init.ok_or_else(gone)?);
    Ok((joined, Some(fs::open_place(Path::new(&root))?)))
}

fn run(joining: &mut Joining<'_>, security: &Security) -> ! {
    // A panic must not unwind into the code of the copied caller.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| steps(joining, security)));
    let (failure, code) = match ended {
        Ok((step, error)) => (Failure::new(step, &error), payload::exit_code(&error)),
        Err(_) => (Failure::panicked(), 1),
    };
    joining.voice.say(&Message::Failed(failure));
    process::exit_now(code)
}

/// Performs the steps. Returns only the step that failed, and its error.
fn steps(joining: &mut Joining<'_>, security: &Security) -> (&'static str, Error) {
    rustix::process::umask(rustix::fs::Mode::empty());
    for (step, run) in STEPS {
        if let Err(error) = run(joining) {
            return (step, error);
        }
    }
    let streams = match (&joining.exec.stdio, &joining.terminal) {
        (Stdio::Terminal { .. }, Some(terminal)) => Streams::Terminal(terminal.as_fd()),
        (Stdio::Files(files), _) => Streams::Files(files.each_ref().map(AsFd::as_fd)),
        _ => Streams::Inherited,
    };
    payload::run(payload::Payload {
        process: joining.exec.process,
        security,
        probe: joining.exec.probe,
        streams,
        init: Init::Payload,
        cwd: Cwd::Find,
        voice: &mut joining.voice,
        entry: joining.entry.take(),
        gate: None,
        progress: Some(joining.progress.clone()),
        hooks: None,
        passed: &joining.exec.passed,
        keyring: Keyring::Own,
    })
}

/// Opens a terminal of the container's devpts, provided that it is mounted at `/dev/pts`.
fn open_terminal(joining: &mut Joining<'_>) -> Result<()> {
    let Stdio::Terminal { size } = joining.exec.stdio else { return Ok(()) };
    let root = fs::open_place(Path::new("/"))?;
    let devpts = fs::open_beneath(&root, Path::new("dev/pts"), OFlags::PATH | OFlags::DIRECTORY)?;
    let stat = check(rustix::fs::fstatfs(&devpts), || "fstatfs(/dev/pts)".to_owned())?;
    if stat.f_type != DEVPTS_SUPER_MAGIC {
        return Err(Error::spec("process.terminal", "/dev/pts in the container is not a devpts"));
    }
    let master = pty::open_master(devpts.as_fd())?;
    if let Some((columns, rows)) = size {
        pty::set_size(master.as_fd(), columns, rows)?;
    }
    joining.terminal = Some(pty::open_peer(master.as_fd())?);
    Ok(joining.voice.send_with(&Message::Terminal, master.as_fd())?)
}
