//! Init: the copy of the maker that becomes the container's first process.
//!
//! The steps are a table, and their order is the design. A step that fails is reported
//! with its name and the system call; nothing is cleaned up here, as all that init made
//! dies with its namespaces.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;

use super::channel::{Channel, Failure, Message, Word};
use super::payload::{self, Streams};
use super::prepare::Prepared;
use super::{Error, Gate, Result, Stdio, attach, confine, mask, sysctl};
use crate::sys::mount::{self, Attrs, Depth, Propagation};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{self, check, fs, process, pty};

/// What init knows and has made so far.
pub(super) struct State<'a> {
    pub(super) plan: Prepared<'a>,
    pub(super) voice: Voice,
    pub(super) gate: Gate,
    /// The root of the container's devpts.
    pub(super) devpts: Option<OwnedFd>,
    /// Our end of the container's terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// A procfs that nobody else sees.
    pub(super) procfs: Option<OwnedFd>,
}

type Step = (&'static str, fn(&mut State<'_>) -> Result<()>);

/// Up to where the maker's network must stand.
const SET_UP: &[Step] = &[
    // First of all, as from here on the container's processes may see this one.
    ("hide from tracers", |_| Ok(process::hide()?)),
    // While the host's procfs is seen; it is in force from `execve` on.
    ("take on the AppArmor profile", |state| confine::confine_program(state.plan.process, state.plan.init)),
    // Before the cgroup namespace, whose root is where its maker is.
    ("join the cgroup", join_cgroup),
    ("join namespaces", join_namespaces),
    ("become root of the user namespace", become_root),
    ("lead a session of its own", |_| Ok(process::new_session()?)),
    ("cut mounts off from the host", |_| Ok(mount::set_root_propagation(Propagation::Private)?)),
    ("attach the root file system", attach_root),
    // In the order of the spec; procfs and sysfs need the host's still to be seen.
    ("mount", attach::mount_all),
    // Into the /dev that was just mounted.
    ("make devices", attach::make_devices),
    ("open the terminal", open_terminal),
    // Also needs the host's procfs still to be seen.
    ("mount a private procfs", sysctl::open_procfs),
    ("enter the root file system", enter_root),
    ("set sysctls", sysctl::write_all),
    ("set the host name", set_names),
    ("bring the loopback up", bring_loopback_up),
    // After all mounts, so that none of them lays a masked file open again.
    ("make paths read-only", mask::make_read_only),
    ("mask paths", mask::mask),
    ("make the root read-only", make_root_read_only),
    ("find the program", find_program),
];

/// Runs init to its end, which is another program or an exit.
pub(super) fn run(plan: Prepared<'_>, gate: Gate, channel: Channel) -> ! {
    let mut state = State {
        plan,
        voice: Voice { channel, report: None },
        gate,
        devpts: None,
        terminal: None,
        procfs: None,
    };
    // A panic must not unwind into the copied caller's code.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| steps(&mut state)));
    match ended {
        Ok((step, error)) => state.voice.say(&Message::Failed(Failure::new(step, error))),
        Err(_) => state.voice.say(&Message::Failed(Failure::panicked())),
    }
    process::exit_now(1)
}

/// Returns only when a step failed: which one, and why.
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
    state.voice.say(&Message::Ready);
    match wait_for_start(state) {
        Ok(true) => payload::run(payload_of(state)),
        // Nobody is left who could want this container.
        Ok(false) => process::exit_now(1),
        Err(error) => ("wait for the start", error),
    }
}

fn payload_of<'s>(state: &'s mut State<'_>) -> payload::Payload<'s> {
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
        voice: &state.voice,
    }
}

/// How init speaks: to its maker, and after a start by FIFO to whoever started it.
pub(super) struct Voice {
    channel: Channel,
    report: Option<OwnedFd>,
}

impl Voice {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, report: None }
    }

    pub(super) fn say(&self, message: &Message) {
        match &self.report {
            None => self.channel.send(message),
            Some(report) => {
                let line = serde_json::to_vec(message).unwrap_or_default();
                let _ = rustix::io::write(report, &line); // nobody reads: nobody wants to know
            }
        }
    }
}

fn wait_for_start(state: &mut State<'_>) -> Result<bool> {
    match std::mem::replace(&mut state.gate, Gate::Maker) {
        Gate::Maker => Ok(state.voice.channel.hear(Word::GoOn)?),
        Gate::Fifo { start, report } => {
            let mut byte = [0];
            let length = loop {
                match rustix::io::read(&start, &mut byte) {
                    Err(rustix::io::Errno::INTR) => {}
                    result => break check(result, || "read(start FIFO)".to_owned())?,
                }
            };
            state.voice.report = Some(report);
            Ok(length == 1)
        }
    }
}

fn join_cgroup(state: &mut State<'_>) -> Result<()> {
    for file in state.plan.entrance.joined.drain(..) {
        check(rustix::io::write(&file, b"0"), || "write(cgroup.procs, 0)".to_owned())?;
    }
    if state.plan.namespaces.new.has(Namespace::Cgroup) {
        ns::unshare(Namespaces::NONE.with(Namespace::Cgroup))?;
    }
    Ok(())
}

fn join_namespaces(state: &mut State<'_>) -> Result<()> {
    for (kind, fd) in state.plan.namespaces.by_path.drain(..) {
        // The pid namespace was joined by the maker: only children are born into it.
        if kind != Namespace::Pid {
            ns::enter(fd.as_fd(), kind)?;
        }
    }
    Ok(())
}

fn become_root(state: &mut State<'_>) -> Result<()> {
    if !state.plan.namespaces.new.has(Namespace::User) {
        return Ok(());
    }
    if !state.voice.channel.hear(Word::Mapped)? {
        process::exit_now(1); // the maker is gone
    }
    payload::set_ids(0, 0)
}

/// Over the host's root, which is left soon: until then both can be seen.
fn attach_root(state: &mut State<'_>) -> Result<()> {
    let root = state.plan.root.as_fd();
    let place = fs::open_place(Path::new("/"))?;
    mount::attach(root, place.as_fd())?;
    mount::set_propagation(root, Depth::Tree, Propagation::Private)?;
    Ok(check(rustix::process::fchdir(root), || "fchdir(root)".to_owned())?)
}

fn open_terminal(state: &mut State<'_>) -> Result<()> {
    let Stdio::Terminal { size } = state.plan.stdio else { return Ok(()) };
    let devpts = state
        .devpts
        .as_ref()
        .ok_or_else(|| Error::spec("mounts", "a terminal needs a devpts mounted at /dev/pts"))?;
    let master = pty::open_master(devpts.as_fd())?;
    if let Some((columns, rows)) = size {
        pty::set_size(master.as_fd(), columns, rows)?;
    }
    // By the master, not by a path someone may have replaced (CVE-2025-52565).
    let terminal = pty::open_peer(master.as_fd())?;
    attach::make_console(state.plan.root.as_fd(), terminal.as_fd())?;
    state.voice.channel.send_with(&Message::Terminal, master.as_fd())?;
    state.terminal = Some(terminal);
    Ok(())
}

fn enter_root(state: &mut State<'_>) -> Result<()> {
    mount::enter_root_here()?;
    let (propagation, depth) = state.plan.root_propagation;
    if propagation != Propagation::Private {
        mount::set_propagation(state.plan.root.as_fd(), depth, propagation)?;
    }
    Ok(())
}

fn set_names(state: &mut State<'_>) -> Result<()> {
    if let Some(name) = state.plan.spec.hostname() {
        let set = rustix::system::sethostname(name.as_bytes());
        check(set, || format!("sethostname({name:?})"))?;
    }
    if let Some(name) = state.plan.spec.domainname() {
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

/// A program that is nowhere fails the creation already, not only the start.
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
            _ => Ok(()), // whatever else is wrong, the kernel says when it is executed
        };
    }
    payload::search(process).map(drop)
}
