//! One more process in a container that runs.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;

use super::birth::{self, Birth};
use super::channel::{self, Channel, Failure, Message};
use super::create::{Created, Running};
use super::init::Voice;
use super::payload::{self, Streams};
use super::prepare::{self, Security};
use super::{Error, Exec, Init, Result, Stdio, confine, support};
use crate::cgroup::Entrance;
use crate::sys::clone::Side;
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{check, fs, process, pty};

const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;

struct Joining<'a> {
    exec: &'a Exec<'a>,
    namespaces: Namespaces,
    entrance: Entrance,
    terminal: Option<OwnedFd>,
}

type Step = (&'static str, fn(&mut Joining<'_>, &Channel) -> Result<()>);

const STEPS: &[Step] = &[
    // Before it can be seen in there (CVE-2019-5736).
    ("hide from tracers", |_, _| Ok(process::hide()?)),
    // While the host's procfs is seen; it is in force from `execve` on.
    ("take on the AppArmor profile", |joining, _| {
        confine::confine_program(joining.exec.process, Init::Payload)
    }),
    ("join the cgroup", |joining, _| {
        for file in joining.entrance.joined.drain(..) {
            check(rustix::io::write(&file, b"0"), || "write(cgroup.procs, 0)".to_owned())?;
        }
        Ok(())
    }),
    ("join the container's namespaces", |joining, _| {
        Ok(ns::enter_all(joining.exec.target, joining.namespaces)?)
    }),
    ("become root of the user namespace", |joining, _| {
        if joining.namespaces.has(Namespace::User) { payload::set_ids(0, 0) } else { Ok(()) }
    }),
    ("lead a session of its own", |_, _| Ok(process::new_session()?)),
    ("open the terminal", open_terminal),
];

/// Runs one more process in a running container; returns once it was executed.
///
/// The caller must have a single thread.
///
/// # Errors
///
/// The step that failed, with its system call; `ProgramNotFound` and
/// `ProgramNotRunnable` as their own kinds.
pub fn exec(exec: Exec<'_>) -> Result<Running> {
    support::check_process(exec.process)?;
    let mut warnings = Vec::new();
    let security = prepare::security(exec.spec, exec.process, &mut warnings)?;
    let mut entrance = match exec.cgroup {
        Some(cgroup) => cgroup.entrance_beside(exec.target, exec.probe.into_cgroup).map_err(Error::Cgroup)?,
        None => Entrance { born_into: None, joined: Vec::new() },
    };
    let born_into = entrance.born_into.take();
    let namespaces = namespaces_of(exec.spec)?;
    let (channel, inits) = channel::pair()?;
    let join = || Ok(ns::enter_all(exec.target, Namespaces::NONE.with(Namespace::Pid))?);
    let side = birth::give(&Birth {
        new: Namespaces::NONE,
        cgroup: born_into.as_ref().map(AsFd::as_fd),
        join_pid: namespaces.has(Namespace::Pid).then_some(&join),
        can_return: !exec.probe.in_user_namespace,
    });
    match side? {
        Side::Child => {
            drop(channel); // so that it hears it when the maker dies
            let namespaces = namespaces.without(Namespace::Pid);
            run(Joining { exec: &exec, namespaces, entrance, terminal: None }, &security, inits)
        }
        Side::Parent(child) => {
            drop(inits); // its end must close with the program's start
            let mut running = Created::joining(child, channel).until_executed()?;
            running.warnings.extend(warnings);
            Ok(running)
        }
    }
}

/// The namespaces of a container that are not the host's: all that its spec lists.
fn namespaces_of(spec: &crate::oci::runtime::Spec) -> Result<Namespaces> {
    let listed = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
    listed.into_iter().flatten().map(|namespace| prepare::kind_of(namespace.typ())).collect()
}

fn run(mut joining: Joining<'_>, security: &Security, channel: Channel) -> ! {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rustix::process::umask(rustix::fs::Mode::empty());
        for (step, run) in STEPS {
            if let Err(error) = run(&mut joining, &channel) {
                channel.send(&Message::Failed(Failure::new(step, error)));
                return;
            }
        }
        let voice = Voice::new(channel);
        let streams = match (&joining.exec.stdio, &joining.terminal) {
            (Stdio::Terminal { .. }, Some(terminal)) => Streams::Terminal(terminal.as_fd()),
            (Stdio::Files(files), _) => Streams::Files(files.each_ref().map(AsFd::as_fd)),
            _ => Streams::Inherited,
        };
        let (step, error) = payload::run(payload::Payload {
            process: joining.exec.process,
            security,
            probe: joining.exec.probe,
            streams,
            init: Init::Payload,
            voice: &voice,
        });
        voice.say(&Message::Failed(Failure::new(step, error)));
    }));
    process::exit_now(if ended.is_ok() { 1 } else { 2 })
}

/// From the container's devpts, if that is what lies at `/dev/pts`.
fn open_terminal(joining: &mut Joining<'_>, channel: &Channel) -> Result<()> {
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
    Ok(channel.send_with(&Message::Terminal, master.as_fd())?)
}
