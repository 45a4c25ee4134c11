//! The commands that create, change and stop containers.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::rootfs::Mounted;
use super::saved::{Folder, Saved};
use super::{Create, Exec, Failed, Global, Refusal, Run, bundle, console, foreground, refuse, scope};
use crate::base::disk;
use crate::base::error::one_line;
use crate::cgroup::{Cgroup, Limits, Parent};
use crate::oci::runtime::{ContainerState, LinuxCapabilitiesBuilder, Process, Spec};
use crate::runtime::hook::{Calls, Point};
use crate::runtime::{self, Gate, Init, Keyring, Links, Plan, Root, Running, Stdio};
use crate::sys::cap::Cap;
use crate::sys::probe::Probe;
use crate::sys::process::Exit;
use crate::sys::{exe, process, signal, spawn};
use crate::systemd::scope::{Manager, Place};

pub(super) fn create(global: &Global, words: &Create) -> Result<(), Failed> {
    let running = make(global, words, Init::Payload, false)?;
    global.warn(&running.warnings);
    Ok(())
}

/// Creates a container that waits on its FIFO. If the caller `stays` with it, its terminal needs no
/// socket.
fn make(global: &Global, words: &Create, init: Init, stays: bool) -> Result<Running, Failed> {
    let passed = passed(global.sockets, words.preserve_fds)?;
    let probe = Probe::now()?;
    let bundle::Bundle { path: bundle, spec, warnings } = bundle::read(&words.bundle)?;
    global.warn(&warnings);
    let hooks = Calls::new(&words.id, &bundle, &spec)?;
    let folder = Folder::new(&global.root, &words.id)?;
    let has_terminal = wants_terminal(&spec);
    let socket = console::connect(words.console_socket.as_deref(), has_terminal, stays)?;
    let (place, unit) = place(global, &spec, &words.id, &probe)?;
    folder.make(&place)?;
    let making = Making {
        spec: &spec,
        hooks: &hooks,
        terminal: has_terminal.then_some(if socket.is_some() { Whose::Others } else { Whose::Own }),
        probe: &probe,
        init,
        passed,
        keyring: if words.no_new_keyring { Keyring::Callers } else { Keyring::Own },
    };
    let before = Mounted::now(&spec).map(|mounted| mounted.id);
    let root_mount = || Mounted::now(&spec).filter(|mounted| before.is_some_and(|id| id != mounted.id));
    let mut saved = Saved::new(&words.id, 0, &bundle, spec.clone(), place.clone());
    saved.unit = unit.as_ref().map(|(_, unit)| unit.unit.clone());
    let made = make_in_new_cgroup(global, &folder, making, &place, unit, |running| {
        saved.set_process(running.pid);
        saved.root_mount = root_mount().map(|mounted| mounted.id);
        folder.save(&saved)?;
        tell(running, words.pid_file.as_deref(), socket)
    });
    if made.is_err() {
        // The first error is the one to report.
        let _ = root_mount().map(|mounted| mounted.detach());
        let _ = folder.remove();
    }
    made
}

/// The unit of a container's cgroup, and who is asked for it.
type Unit = (Manager, Place);

/// Returns the parent and the name of a container's cgroup, and its unit if systemd makes it.
fn place(
    global: &Global,
    spec: &Spec,
    id: &str,
    probe: &Probe,
) -> Result<((Parent, String), Option<Unit>), Failed> {
    if !global.systemd_cgroup {
        return Ok((bundle::cgroup_place(spec, id)?, None));
    }
    let (place, parent, manager) = scope::place(global, spec, id, probe)?;
    Ok(((parent, place.unit.clone()), Some((manager, place))))
}

/// What is needed to create a container.
struct Making<'a> {
    spec: &'a Spec,
    hooks: &'a Calls,
    terminal: Option<Whose>,
    probe: &'a Probe,
    init: Init,
    passed: Passed,
    keyring: Keyring,
}

/// Creates a container in a new cgroup, and hands it over.
fn make_in_new_cgroup(
    global: &Global,
    folder: &Folder,
    making: Making<'_>,
    place: &(Parent, String),
    unit: Option<Unit>,
    hand_over: impl FnOnce(&Running) -> Result<(), Failed>,
) -> Result<Running, Failed> {
    let (hooks, probe) = (making.hooks, making.probe);
    let resources = making.spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let limits = resources.map(Limits::from_spec).unwrap_or_default();
    let mut unit = unit;
    let started =
        unit.as_mut().map(|(manager, unit)| scope::start(manager, unit, &place.0, making.spec, &limits));
    let scope = started.transpose()?;
    let cgroup = Cgroup::create(&place.0, &place.1, &limits, probe)?;
    let made = make_in(folder, making, &cgroup).and_then(|running| or_kill(hand_over(&running), running));
    drop(scope);
    match made {
        Ok(mut running) => {
            // In a user namespace, cgroups are the exception.
            let warnings = if probe.in_user_namespace { Vec::new() } else { cgroup.warnings };
            running.warnings.extend(warnings);
            Ok(running)
        }
        Err(error) => {
            // The first error is the one to report.
            if let Some((manager, place)) = &mut unit {
                let _ = manager.stop(&place.unit);
            }
            let _ = cgroup.remove();
            run_last(global, hooks);
            Err(error)
        }
    }
}

fn make_in(folder: &Folder, making: Making<'_>, cgroup: &Cgroup) -> Result<Running, Failed> {
    let Making { spec, hooks, terminal, probe, init, passed, keyring } = making;
    let fifos = folder.make_fifos()?;
    let root = spec.root().as_ref().map(|root| root.path().clone()).unwrap_or_default();
    let mut spec = spec.clone();
    if let Some(process) = spec.process_mut() {
        process.env_mut().get_or_insert_default().extend(passed.env);
    }
    let created = runtime::create(Plan {
        spec: &spec,
        root: Root::Path(root),
        mounts: Vec::new(),
        stdio: stdio(spec.process().as_ref(), terminal),
        cgroup: Some(cgroup),
        init,
        gate: Gate::Fifo { start: fifos.start, report: fifos.report },
        passed: passed.fds,
        links: Links::Refuse,
        keyring,
        hooks: Some(hooks.clone()),
        probe,
    })?;
    Ok(created.leave_waiting()?)
}

/// Descriptors of the caller that a program gets, and how it is told.
struct Passed {
    fds: Vec<OwnedFd>,
    env: Vec<String>,
}

/// Takes the descriptors that the caller passes: those of socket activation (sd_listen_fds(3)), and
/// after them the ones it asks for. Call this before anything is opened.
fn passed(listening: i32, asked: i32) -> Result<Passed, Failed> {
    exe::keep_out_of_reach()?;
    let count = listening.saturating_add(asked);
    let fds = if count > 0 { spawn::take_passed(count)? } else { Vec::new() };
    let mut env = Vec::new();
    if listening > 0 {
        env = vec![format!("LISTEN_FDS={listening}"), "LISTEN_PID=1".to_owned()];
    }
    Ok(Passed { fds, env })
}

/// Passes the terminal and the process id to the caller.
fn tell(running: &Running, pid_file: Option<&Path>, socket: Option<UnixStream>) -> Result<(), Failed> {
    if let (Some(socket), Some(master)) = (&socket, &running.console) {
        console::send(socket, master.as_fd())?;
    }
    write_pid(pid_file, running.pid)
}

/// Kills a process that could not be handed over.
fn or_kill(done: Result<(), Failed>, running: Running) -> Result<Running, Failed> {
    if done.is_err() {
        let _ = process::signal(running.pidfd.as_fd(), libc::SIGKILL); // it may have exited
        let _ = process::wait(running.pidfd.as_fd());
    }
    done.map(|()| running)
}

fn wants_terminal(spec: &Spec) -> bool {
    spec.process().as_ref().and_then(Process::terminal) == Some(true)
}

/// Who reads a terminal and writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Who listens on the console socket.
    Others,
    /// This process, which connects it with its own.
    Own,
}

fn stdio(process: Option<&Process>, terminal: Option<Whose>) -> Stdio {
    let Some(whose) = terminal else { return Stdio::Inherit };
    let cells = |n: u64| u16::try_from(n).unwrap_or(u16::MAX);
    let size = process.and_then(Process::console_size);
    let size = size.map(|size| (cells(size.width()), cells(size.height())));
    Stdio::Terminal { size: size.or_else(|| foreground::size().filter(|_| whose == Whose::Own)) }
}

fn write_pid(file: Option<&Path>, pid: i32) -> Result<(), Failed> {
    match file {
        Some(file) => Ok(disk::replace(file, pid.to_string().as_bytes())?),
        None => Ok(()),
    }
}

pub(super) fn start(global: &Global, id: &str) -> Result<(), Failed> {
    start_as(global, id, Init::Payload)
}

fn start_as(global: &Global, id: &str, init: Init) -> Result<(), Failed> {
    let folder = Folder::new(&global.root, id)?;
    let saved = folder.load()?;
    let _alone = folder.lock()?;
    match folder.status(&saved) {
        ContainerState::Created => {}
        status => return refuse(format!("cannot start `{id}`: it is {status}")),
    }
    let Some(process) = saved.process() else {
        return refuse(format!("cannot start `{id}`: it is {}", ContainerState::Stopped));
    };
    // Opened before init continues, so that its reports are not lost.
    let report = rustix::fs::open(
        folder.report_fifo(),
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let begin = rustix::fs::open(
        folder.start_fifo(),
        OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    rustix::io::write(&begin, b"s")?;
    folder.remove_fifos();
    global.warn(&runtime::hear_report(&report, process.as_fd())?);
    // hoist's own init does not execute the program; its child does.
    if init == Init::Payload {
        runtime::confirm_executed(saved.pid, &saved.spec)?;
    }
    let told = saved.hooks().and_then(|hooks| Ok(hooks.run(Point::Poststart, Some(saved.pid))?));
    if told.is_err() {
        let _ = process::signal(process.as_fd(), libc::SIGKILL); // it may have exited
    }
    told
}

/// Runs the hooks after the end of a container. Their failures change nothing.
fn run_last(global: &Global, hooks: &Calls) {
    if let Err(error) = hooks.run(Point::Poststop, None) {
        global.warn(&[one_line(&error)]);
    }
}

pub(super) fn run(global: &Global, words: &Run) -> Result<i32, Failed> {
    let init = if words.init { Init::Reaper } else { Init::Payload };
    // From here on, the container gets what hoist is told.
    let stays = !words.detach;
    if stays {
        signal::block_all()?;
    }
    let mut running = make(global, &words.create, init, stays)?;
    global.warn(&running.warnings);
    let id = &words.create.id;
    let started = start_as(global, id, init);
    if words.detach && started.is_ok() {
        return Ok(0);
    }
    if started.is_err() {
        let _ = process::signal(running.pidfd.as_fd(), libc::SIGKILL); // may wait for its start
    }
    if words.create.console_socket.is_some() {
        running.console = None; // it is somebody else's
    }
    let code = match started {
        Ok(()) => foreground::stay(&running),
        Err(_) => process::wait(running.pidfd.as_fd()).map(Exit::code).map_err(Failed::from),
    };
    if !words.keep {
        delete(global, id, true)?;
    }
    started?;
    code
}

pub(super) fn kill(global: &Global, id: &str, name: &str, all: bool) -> Result<(), Failed> {
    let saved = Folder::new(&global.root, id)?.load()?;
    let Some(number) = signal::parse(name) else { return refuse(format!("`{name}` is not a signal")) };
    if all {
        for pid in saved.cgroup().pids()? {
            let _ = signal::send(pid, number); // it may have exited
        }
        return Ok(());
    }
    let Some(pidfd) = saved.process() else {
        return refuse(format!("cannot kill `{id}`: it is stopped"));
    };
    process::signal(pidfd.as_fd(), number)?;
    let cgroup = saved.cgroup();
    if number == libc::SIGKILL && cgroup.is_frozen() {
        cgroup.thaw()?; // on v1, frozen processes do not die
    }
    Ok(())
}

pub(super) fn delete(global: &Global, id: &str, force: bool) -> Result<(), Failed> {
    let folder = Folder::new(&global.root, id)?;
    let saved = match folder.load() {
        Ok(saved) => saved,
        Err(_) if force => return delete_unreadable(&folder),
        Err(error) => return Err(error),
    };
    let process = saved.process();
    if let Some(pidfd) = &process {
        if !force {
            let status = folder.status(&saved);
            return refuse(format!("cannot delete `{id}`: it is {status}"));
        }
        process::signal(pidfd.as_fd(), libc::SIGKILL)?;
    }
    let cgroup = saved.cgroup();
    if cgroup.exists() {
        // A container in the host's pid namespace leaves processes behind. On v1, paused processes
        // do not die before they are thawed.
        cgroup.kill()?;
    }
    if let Some(pidfd) = process {
        wait_until_gone(&pidfd)?;
    }
    if let Some(unit) = &saved.unit
        && let Err(error) = scope::stop(global, unit)
    {
        // systemd forgets it when its last process has ended.
        global.warn(&[one_line(error.as_ref())]);
    }
    cgroup.remove()?;
    let root = Mounted::now(&saved.spec).filter(|root| saved.root_mount == Some(root.id));
    root.map_or(Ok(()), |root| root.detach())?;
    folder.remove()?;
    run_last(global, &saved.hooks()?);
    Ok(())
}

/// Kills and removes a container with unreadable state. As in other runtimes, a container that does
/// not exist counts as deleted.
fn delete_unreadable(folder: &Folder) -> Result<(), Failed> {
    if let Some(cgroup) = folder.cgroup()? {
        if cgroup.exists() {
            cgroup.kill()?;
        }
        cgroup.remove()?;
    }
    folder.remove()
}

fn wait_until_gone(pidfd: &OwnedFd) -> Result<(), Failed> {
    let mut polled = [rustix::event::PollFd::new(pidfd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut polled, None)?;
    Ok(())
}

pub(super) fn pause(global: &Global, id: &str) -> Result<(), Failed> {
    Ok(running(global, id, "pause")?.cgroup().freeze()?)
}

pub(super) fn resume(global: &Global, id: &str) -> Result<(), Failed> {
    Ok(running(global, id, "resume")?.cgroup().thaw()?)
}

fn running(global: &Global, id: &str, verb: &str) -> Result<Saved, Failed> {
    let folder = Folder::new(&global.root, id)?;
    let saved = folder.load()?;
    match folder.status(&saved) {
        ContainerState::Running => Ok(saved),
        status => refuse(format!("cannot {verb} `{id}`: it is {status}")),
    }
}

pub(super) fn exec(global: &Global, words: &Exec) -> Result<i32, Failed> {
    let Passed { fds, env } = passed(global.sockets, words.preserve_fds)?;
    let probe = Probe::now()?;
    let folder = Folder::new(&global.root, &words.id)?;
    let saved = folder.load()?;
    let (ContainerState::Running | ContainerState::Created, Some(target)) =
        (folder.status(&saved), saved.process())
    else {
        return refuse(format!("cannot run a process in `{}`: it is stopped", words.id));
    };
    let cgroup = saved.cgroup();
    if cgroup.is_frozen() && !words.ignore_paused {
        return refuse(format!("cannot run a process in `{}`: it is paused", words.id));
    }
    let cgroup = match &words.cgroup {
        Some(path) => saved.cgroup_below(path)?,
        None => cgroup,
    };
    let mut process = process_of(global, words, &saved.spec)?;
    process.env_mut().get_or_insert_default().extend(env);
    let has_terminal = process.terminal() == Some(true);
    let socket = console::connect(words.console_socket.as_deref(), has_terminal, !words.detach)?;
    let terminal = has_terminal.then_some(if socket.is_some() { Whose::Others } else { Whose::Own });
    if !words.detach {
        signal::block_all()?;
    }
    let running = runtime::exec(runtime::Exec {
        target: target.as_fd(),
        process: &process,
        spec: &saved.spec,
        calls: Some(saved.hooks()?),
        stdio: stdio(Some(&process), terminal),
        passed: fds,
        cgroup: cgroup.exists().then_some(&cgroup),
        probe: &probe,
    })?;
    global.warn(&running.warnings);
    let told = tell(&running, words.pid_file.as_deref(), socket);
    let mut running = or_kill(told, running)?;
    if words.detach {
        return Ok(0);
    }
    if terminal != Some(Whose::Own) {
        running.console = None; // it is somebody else's
    }
    foreground::stay(&running)
}

/// Returns the process to run: from a file, or the container's own with other arguments.
fn process_of(global: &Global, words: &Exec, spec: &Spec) -> Result<Process, Failed> {
    if let Some(file) = &words.process {
        let (process, warnings) = bundle::read_process(file)?;
        global.warn(&warnings);
        return Ok(process);
    }
    let Some(mut process) = spec.process().clone() else { return refuse("the container has no process") };
    if words.args.is_empty() {
        return refuse("no command specified");
    }
    process.set_args(Some(words.args.clone()));
    process.set_terminal(Some(words.tty));
    if let Some(cwd) = &words.cwd {
        process.set_cwd(cwd.clone());
    }
    if words.no_new_privs {
        process.set_no_new_privileges(Some(true));
    }
    if let Some(user) = &words.user {
        process.user_mut().set_username(Some(user.clone()));
    }
    let groups = words.additional_gids.iter().copied();
    if !words.additional_gids.is_empty() {
        let all = process.user().additional_gids().iter().flatten().copied().chain(groups).collect();
        process.user_mut().set_additional_gids(Some(all));
    }
    if let Some(profile) = &words.apparmor {
        process.set_apparmor_profile(Some(profile.clone()));
    }
    if let Some(label) = &words.process_label {
        process.set_selinux_label(Some(label.clone()));
    }
    for entry in &words.env {
        set_variable(process.env_mut().get_or_insert_default(), entry);
    }
    if !words.cap.is_empty() {
        add_capabilities(&mut process, &words.cap)?;
    }
    Ok(process)
}

/// Sets a variable, which replaces an earlier one of the same name.
fn set_variable(env: &mut Vec<String>, entry: &str) {
    let name = |entry: &str| entry.split_once('=').map_or(entry, |(name, _)| name).to_owned();
    env.retain(|other| name(other) != name(entry));
    env.push(entry.to_owned());
}

fn add_capabilities(process: &mut Process, names: &[String]) -> Result<(), Failed> {
    let mut given = LinuxCapabilitiesBuilder::default().build()?;
    if let Some(present) = process.capabilities() {
        given = present.clone();
    }
    for name in names {
        let unknown = || Refusal(format!("`{name}` is not a capability"));
        let known = name.parse::<Cap>().map_err(|_| unknown())?.to_string();
        let bare = known.trim_start_matches("CAP_");
        let cap: crate::oci::runtime::Capability = bare.parse().map_err(|_| unknown())?;
        let add = |set: &Option<std::collections::HashSet<_>>| {
            let mut set = set.clone().unwrap_or_default();
            set.insert(cap);
            Some(set)
        };
        given.set_bounding(add(given.bounding()));
        given.set_effective(add(given.effective()));
        given.set_permitted(add(given.permitted()));
    }
    process.set_capabilities(Some(given));
    Ok(())
}
