//! Init: the copy of the creator that becomes the container's first process.
//!
//! The steps are a table, because their order matters. A failed step is reported with its name and
//! the system call. No clean-up is needed: everything that init has created is removed with its
//! namespaces.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::OFlags;

use super::channel::{Channel, Failure, Message, Voice, Word};
use super::entry::Entry;
use super::hook::Point;
use super::payload::{self, Cwd, Fifos, Streams};
use super::prepare::Prepared;
use super::progress::Progress;
use super::state::{Start, State};
use super::{Error, Gate, Result, Stdio, attach, confine, mask, procfs, sysctl};
use crate::sys::mount::{self, Attrs, Depth, Propagation};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::shared::Shared;
use crate::sys::{self, check, clone, fs, process, pty};

type Step = (&'static str, fn(&mut State<'_>) -> Result<()>);

/// The steps before the creator must have set up the network.
const SET_UP: &[Step] = &[
    // Do this first, since the container's processes may see this process from here on.
    ("disable tracing", |_| Ok(process::hide()?)),
    // The creator's arguments contain folders of the host.
    ("set the process name", |_| Ok(process::set_title(c"hoist-init")?)),
    // Do this while the host's procfs is visible; it takes effect at `execve`.
    ("apply the AppArmor profile and the SELinux label", |state| {
        confine::confine_program(state.plan.process, state.plan.init)
    }),
    // Do this while in the user namespace of its creator.
    ("join the pid namespace", join_pid_namespace),
    // Before the cgroup namespace, whose root is the cgroup of its creator.
    ("join the cgroup", join_cgroup),
    ("join namespaces", join_namespaces),
    ("become root in the user namespace", become_root),
    ("start a new session", |_| Ok(process::new_session()?)),
    ("isolate mounts from the host", isolate_mounts),
    ("open the procfs of the pid namespace", open_joined_procfs),
    ("attach the root file system", attach_root),
    // In the order of the spec. The kernel requires that the host's procfs and sysfs are visible.
    ("mount", attach::mount_all),
    // In the `/dev` that was just mounted.
    ("create devices", attach::make_devices),
    ("open the terminal", open_terminal),
    // This also requires that the host's procfs is visible.
    ("mount a private procfs", sysctl::open_procfs),
    // The container's namespaces and mounts exist, and the caller's root can still be accessed.
    ("run the hooks of the creation", run_hooks),
    ("enter the root file system", enter_root),
    ("set sysctls", sysctl::write_all),
    ("set the host name", set_names),
    ("bring up the loopback interface", bring_loopback_up),
    // After all mounts, so that none of them exposes a masked file again.
    ("make paths read-only", mask::make_read_only),
    ("mask paths", mask::mask),
    ("make the root read-only", make_root_read_only),
    // After all binds: what is unbindable can have none.
    ("set the propagation of the root", set_root_propagation),
    ("find the program", find_program),
];

impl State<'_> {
    /// Whether the payload is created in a different pid namespace than this process.
    pub(super) fn is_pid_namespace_joined(&self) -> bool {
        self.pid_namespace.is_some()
    }
}

/// Runs init until it executes another program or exits.
///
/// If it cannot be born into its namespaces, this is an intermediate process, which enters them, and
/// `born` is where the number of its sibling is written.
pub(super) fn run(
    plan: Prepared<'_>,
    start: Start,
    channel: Channel,
    progress: Progress,
    born: Option<Shared>,
) -> ! {
    let mut state = State {
        plan,
        voice: Voice::new(channel),
        start,
        progress,
        pid_namespace: None,
        joined_procfs: None,
        devpts: None,
        terminal: None,
        procfs: None,
    };
    // A panic must not unwind into the code of the copied caller.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        if let Some(born) = born
            && let Err(error) = place(&mut state, &born)
        {
            return (PLACE, error);
        }
        steps(&mut state)
    }));
    let (failure, code) = match ended {
        Ok((step, error)) => (Failure::new(step, &error), payload::exit_code(&error)),
        Err(_) => (Failure::panicked(), 1),
    };
    state.voice.say(&Message::Failed(failure));
    process::exit_now(code)
}

/// The name of the step before all others, if there is an intermediate process.
pub(super) const PLACE: &str = "enter the namespaces";

/// Enters the namespaces, and continues as the process in them.
fn place(state: &mut State<'_>, born: &Shared) -> Result<()> {
    process::hide()?;
    process::set_title(c"hoist-init")?;
    state.plan.namespaces.enter()?;
    match clone::fork_as_sibling(born) {
        Ok(true) => Ok(()),
        Ok(false) => process::exit_now(0),
        Err(error) => {
            born.set(-error.errno());
            process::exit_now(1)
        }
    }
}

/// Performs the steps. Returns only the step that failed, and its error.
fn steps(state: &mut State<'_>) -> (&'static str, Error) {
    rustix::process::umask(rustix::fs::Mode::empty());
    for (step, run) in SET_UP {
        if let Err(error) = run(state) {
            return (step, error);
        }
    }
    for warning in std::mem::take(&mut state.plan.warnings) {
        state.voice.say(&Message::Warning(warning));
    }
    let (gate, entry) = match std::mem::replace(&mut state.start, Start::Begun) {
        Start::Entry(entry) => (None, Some(entry)),
        // Others may enter while it waits, so it waits with the privileges of the program.
        Start::Gate(Gate::Fifo { start, report }) => (Some(Fifos { start, report }), None),
        Start::Gate(Gate::Maker) | Start::Begun => {
            state.voice.say(&Message::Ready);
            match state.voice.hear(Word::GoOn) {
                Ok(true) => (None, None),
                // Nobody is left who could start this container.
                Ok(false) => process::exit_now(1),
                Err(error) => return ("wait for the start", error.into()),
            }
        }
    };
    payload::run(payload_of(state, gate, entry))
}

fn payload_of<'s>(
    state: &'s mut State<'_>,
    gate: Option<Fifos>,
    entry: Option<Entry>,
) -> payload::Payload<'s> {
    let streams = match (&state.plan.stdio, &state.terminal) {
        (Stdio::Terminal { .. }, Some(terminal)) => Streams::Terminal(terminal.as_fd()),
        (Stdio::Files(files), _) => Streams::Files(files.each_ref().map(AsFd::as_fd)),
        _ => Streams::Inherited,
    };
    payload::Payload {
        process: state.plan.process,
        security: &state.plan.security,
        probe: state.plan.probe,
        streams,
        init: state.plan.init,
        cwd: Cwd::Make,
        voice: &mut state.voice,
        entry,
        gate,
        progress: Some(state.progress.clone()),
        hooks: state.plan.hooks.as_ref(),
        passed: &state.plan.passed,
        keyring: state.plan.keyring,
    }
}

/// Joins the pid namespace for new processes: this one is not visible in it. The other namespaces
/// are created here instead of by the clone, which would have dropped the privilege to join this
/// one.
fn join_pid_namespace(state: &mut State<'_>) -> Result<()> {
    if !state.plan.namespaces.by_path.iter().any(|(kind, _)| *kind == Namespace::Pid) {
        return Ok(());
    }
    state.pid_namespace = state.plan.namespaces.enter()?;
    state.voice.say(&Message::Separate);
    Ok(())
}

fn open_joined_procfs(state: &mut State<'_>) -> Result<()> {
    let is_wanted = state.plan.mounts.iter().any(|mount| mount.makes("proc"));
    if let (Some(pid_namespace), true) = (&state.pid_namespace, is_wanted) {
        state.joined_procfs = Some(procfs::of(pid_namespace)?);
    }
    Ok(())
}

fn join_cgroup(state: &mut State<'_>) -> Result<()> {
    state.plan.entrance.join()?;
    if state.plan.namespaces.new.has(Namespace::Cgroup) {
        ns::unshare(Namespaces::NONE.with(Namespace::Cgroup))?;
    }
    Ok(())
}

fn join_namespaces(state: &mut State<'_>) -> Result<()> {
    for (kind, fd) in state.plan.namespaces.by_path.drain(..) {
        ns::enter(fd.as_fd(), kind)?;
    }
    Ok(())
}

fn become_root(state: &mut State<'_>) -> Result<()> {
    if !state.plan.namespaces.own.has(Namespace::User) {
        return Ok(());
    }
    if state.plan.namespaces.new.has(Namespace::User) && !state.voice.hear(Word::Mapped)? {
        process::exit_now(1); // the creator has died
    }
    payload::set_ids(0, 0)
}

/// Keeps mounts from the host. Those of a mount namespace that is joined still arrive from it; those
/// of the caller's own stay as they are.
fn isolate_mounts(state: &mut State<'_>) -> Result<()> {
    let namespaces = &state.plan.namespaces;
    if namespaces.new.has(Namespace::Mount) {
        mount::set_root_propagation(Propagation::Private)?;
    } else if namespaces.joins(Namespace::Mount) {
        mount::set_root_propagation(Propagation::Slave)?;
    }
    Ok(())
}

/// Attaches the root over the host's root, which is left soon. Until then both are accessible. In a
/// mount namespace that is not its own it is attached at its path.
fn attach_root(state: &mut State<'_>) -> Result<()> {
    let root = state.plan.root.as_fd();
    let place = fs::open_place(state.plan.place.as_deref().unwrap_or(Path::new("/")))?;
    mount::attach(root, place.as_fd())?;
    // A slave stays one of the host's mounts.
    let propagation = match state.plan.root_propagation {
        (Propagation::Slave, _) => Propagation::Slave,
        _ => Propagation::Private,
    };
    mount::set_propagation(root, Depth::Tree, propagation)?;
    Ok(check(rustix::process::fchdir(root), || "fchdir(root)".to_owned())?)
}

fn open_terminal(state: &mut State<'_>) -> Result<()> {
    let Stdio::Terminal { size } = state.plan.stdio else { return Ok(()) };
    let devpts = state
        .devpts
        .as_ref()
        .ok_or_else(|| Error::spec("mounts", "a terminal requires a devpts mounted at /dev/pts"))?;
    let master = pty::open_master(devpts.as_fd())?;
    if let Some((columns, rows)) = size {
        pty::set_size(master.as_fd(), columns, rows)?;
    }
    // Open it through the master, since its path may have been replaced (CVE-2025-52565).
    let terminal = pty::open_peer(master.as_fd())?;
    attach::make_console(state.plan.root.as_fd(), terminal.as_fd())?;
    state.voice.send_with(&Message::Terminal, master.as_fd())?;
    state.terminal = Some(terminal);
    Ok(())
}

fn run_hooks(state: &mut State<'_>) -> Result<()> {
    let Some(hooks) = &state.plan.hooks else { return Ok(()) };
    if hooks.has(Point::Prestart) || hooks.has(Point::CreateRuntime) {
        state.voice.say(&Message::Hooks);
        if !state.voice.hear(Word::Hooked)? {
            process::exit_now(1); // the creator has died, or one of them has failed
        }
    }
    hooks.run(Point::CreateContainer, Some(rustix::process::getpid().as_raw_nonzero().get()))
}

fn enter_root(state: &mut State<'_>) -> Result<()> {
    match state.plan.place {
        // Others in the namespace keep their root.
        Some(_) => mount::change_root(state.plan.root.as_fd())?,
        None => mount::enter_root_here()?,
    }
    Ok(())
}

fn set_root_propagation(state: &mut State<'_>) -> Result<()> {
    match state.plan.root_propagation {
        (Propagation::Private, _) => Ok(()),
        (propagation, depth) => Ok(mount::set_propagation(state.plan.root.as_fd(), depth, propagation)?),
    }
}

fn set_names(state: &mut State<'_>) -> Result<()> {
    let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    if let Some(name) = given(state.plan.spec.hostname()) {
        let set = rustix::system::sethostname(name.as_bytes());
        check(set, || format!("sethostname({name:?})"))?;
    }
    if let Some(name) = given(state.plan.spec.domainname()) {
        let set = rustix::system::setdomainname(name.as_bytes());
        check(set, || format!("setdomainname({name:?})"))?;
    }
    Ok(())
}

fn bring_loopback_up(state: &mut State<'_>) -> Result<()> {
    if state.plan.namespaces.new.has(Namespace::Net) {
        sys::loopback::bring_up()?;
    }
    Ok(())
}

fn make_root_read_only(state: &mut State<'_>) -> Result<()> {
    if state.plan.spec.root().as_ref().and_then(|root| root.readonly()) == Some(true) {
        mount::set_attrs(state.plan.root.as_fd(), Depth::One, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
    }
    Ok(())
}

/// Checks that the program exists, so that a missing program fails on creation instead of start.
fn find_program(state: &mut State<'_>) -> Result<()> {
    let process = state.plan.process;
    let program = payload::program(process);
    if program.contains('/') {
        let place = Path::new(program);
        let absolute = if place.is_absolute() { place.to_owned() } else { process.cwd().join(place) };
        let root = fs::open_place(Path::new("/"))?;
        return match fs::open_in_root(&root, &absolute, OFlags::PATH) {
            Err(error) if error.is(rustix::io::Errno::NOENT) => {
                Err(Error::ProgramNotFound { program: program.to_owned() })
            }
            _ => Ok(()), // the kernel reports other problems on execution
        };
    }
    payload::search(process).map(drop)
}
