//! A command in a running container, with its own monitor that runs as long as the command.
//! [`crate::container::exec`] keeps its record.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::PollFlags;

use super::error::{Error, Refused};
use super::poll::{self, Event, Source, Stage, Waits};
use super::session::{Asker, Session, Shape, Streams, report_error};
use super::settle::cgroup_of;
use super::start::pipe;
use super::wire::{Answer, Ask, Failure, Ready};
use super::{bundle, confine, journal, privilege, tell};
use crate::base::error::one_line;
use crate::base::{ContainerId, ErrorKind, ExecId, Explain, Paths, disk};
use crate::container::exec::{ExecRecord, end, end_unbegun, file, folder};
use crate::container::options::environment;
use crate::container::record::{Process, UNKNOWN};
use crate::container::spec::{capabilities, process};
use crate::container::{Record, Status, capability, store};
use crate::oci::runtime::Process as Program;
use crate::runtime::{self, Running, Stdio};
use crate::sys;
use crate::sys::probe::Probe;
use crate::sys::socket;

/// Runs the session `exec`, for `hoist monitor exec`.
pub(super) fn run(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    ready: OwnedFd,
    clients: Vec<OwnedFd>,
) -> Result<(), Error> {
    match begin(paths, id, exec, clients) {
        Ok((mut session, up)) => {
            tell(ready, &Ready::Started { warnings: up.warnings.clone() });
            privilege::drop_all_but_watching()?;
            sys::process::trim_heap();
            let code = poll::serve(&mut Watching { session: &mut session, up: &up, has_ended: false })?;
            session.drain();
            finish(paths, id, exec, &up, code);
            session.finish_clients(code);
            poll::deliver_rest(&mut session)
        }
        Err(error) => {
            let code = if error.kind() == ErrorKind::ProgramNotFound { 127 } else { 126 };
            let _ = end_unbegun(paths, id, exec, code); // return the first error
            tell(ready, &Ready::Failed(Failure::of(&error)));
            Ok(())
        }
    }
}

/// A running command.
struct Up {
    container: Record,
    record: ExecRecord,
    pidfd: OwnedFd,
    warnings: Vec<String>,
}

fn begin(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    clients: Vec<OwnedFd>,
) -> Result<(Session, Up), Error> {
    let mut record: ExecRecord = disk::read_state(&file(paths, id, exec))?;
    record.owner = Some(Process::own());
    disk::write_state(&file(paths, id, exec), &record)?;
    let container = store::load(paths, id)?.ok_or_else(|| store::Error::NotFound(id.as_str().to_owned()))?;
    let run = store::load_run(paths, id)?.filter(|run| run.status == Status::Running && !run.starting);
    let init = run.as_ref().and_then(|run| run.init()).ok_or(Error::NotRunning)?;
    let target = init.open()?.ok_or(Error::NotRunning)?;
    // A command must understand the container's security options just like a start.
    container.config.security.check_understood()?;
    if record.request.privileged {
        privilege::drop_the_rest(&capability::ALL.map(str::to_owned))?;
    } else {
        privilege::drop_the_rest(&container.config.security.capabilities())?;
    }
    let mut session = open_session(paths, id, exec, record.request.tty, clients)?;
    let size = session.first_size().or(record.request.size);

    let cgroup = cgroup_of(paths, id, run.as_ref());
    let probe = Probe::now()?;
    let profile = confine::confine_exec(&container.state.apparmor)?;
    let spec = bundle::bundle(paths, &container, &probe, profile.as_deref())?;
    let mut program = program(&container, &record);
    program.set_apparmor_profile(profile);
    let label = &container.state.process_label;
    program.set_selinux_label(Some(label.clone()).filter(|label| !label.is_empty()));
    let (stdio, mut streams) = make_stdio(&record, size)?;
    let Running { pid, pidfd, console, mut warnings } = runtime::exec(runtime::Exec {
        target: target.as_fd(),
        process: &program,
        spec: &spec,
        calls: None,
        stdio,
        passed: Vec::new(),
        cgroup: cgroup.exists().then_some(&cgroup),
        probe: &probe,
    })?;
    streams.console = console;
    if let Err(error) = streams.set_nonblocking() {
        let _ = sys::process::signal(pidfd.as_fd(), libc::SIGKILL); // nobody could talk to it
        return Err(error.into());
    }
    session.begin(streams);
    if let Some((rows, columns)) = size {
        session.resize(rows, columns);
    }
    record.process = u32::try_from(pid).ok().and_then(Process::of);
    warnings.extend(record_start(paths, &container, exec, &record));
    Ok((session, Up { container, record, pidfd, warnings }))
}

/// Listens for clients, and connects those that exist already.
fn open_session(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    tty: bool,
    clients: Vec<OwnedFd>,
) -> Result<Session, Error> {
    let listener = socket::listen(&folder(paths, id), exec.as_str())?;
    // As in Docker, a command's input belongs to its client, whatever the container's does.
    let mut session = Session::new(Some(listener), None, Shape { tty, stdin_once: true });
    clients.into_iter().for_each(|client| session.connect(client));
    session.accept_clients();
    Ok(session)
}

/// Writes the record and the event of a started command. It runs even if they cannot be written, so
/// failures are only warnings.
fn record_start(paths: &Paths, container: &Record, exec: &ExecId, record: &ExecRecord) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Err(error) = disk::write_state(&file(paths, &container.id, exec), record) {
        warnings.push(format!("the record of the session is not up to date: {}", one_line(&error)));
    }
    let action = format!("exec_start: {}", record.request.command.join(" "));
    warnings.extend(journal::tell_or_warn(paths, container, &action, &[("execID", exec.as_str())]));
    warnings
}

/// Returns the container's process with the changes of the session.
fn program(container: &Record, record: &ExecRecord) -> Program {
    let mut config = container.config.clone();
    let asked = &mut config.process;
    asked.entrypoint = None;
    asked.command.clone_from(&record.request.command);
    asked.tty = record.request.tty;
    asked.env = environment(&asked.env, &record.request.env);
    if let Some(workdir) = &record.request.workdir {
        asked.workdir = Some(workdir.into());
    }
    if let Some(user) = &record.request.user {
        asked.user = Some(user.clone());
    }
    let mut program = process(&config);
    if record.request.privileged {
        program.set_capabilities(Some(capabilities(&capability::ALL.map(str::to_owned))));
    }
    program
}

fn make_stdio(record: &ExecRecord, size: Option<(u16, u16)>) -> Result<(Stdio, Streams), Error> {
    if record.request.tty {
        let size = size.map(|(rows, columns)| (columns, rows));
        return Ok((Stdio::Terminal { size }, Streams::default()));
    }
    let null = || File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from);
    let null = || null().map_err(disk::Error::io("open", "/dev/null"));
    let (stdin, to_stdin) = if record.request.interactive {
        let (read, write) = pipe()?;
        (read, Some(write))
    } else {
        (null()?, None)
    };
    if record.request.detach {
        return Ok((
            Stdio::Files([stdin, null()?, null()?]),
            Streams { stdin: to_stdin, ..Streams::default() },
        ));
    }
    // No other monitor will adopt it, so writers get SIGPIPE when this one exits.
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let streams = Streams { console: None, stdin: to_stdin, stdout: Some(stdout), stderr: Some(stderr) };
    Ok((Stdio::Files([stdin, stdout_end, stderr_end]), streams))
}

/// A command that is running.
struct Watching<'a> {
    session: &'a mut Session,
    up: &'a Up,
    has_ended: bool,
}

impl Stage for Watching<'_> {
    type End = u8;

    fn session(&self) -> &Session {
        self.session
    }

    fn session_mut(&mut self) -> &mut Session {
        self.session
    }

    fn wait_for<'a>(&'a self, waits: &mut Waits<'a>) {
        waits.source(Source::Payload, self.up.pidfd.as_fd(), PollFlags::IN);
    }

    fn take(&mut self, event: Event) -> Result<(), Error> {
        self.has_ended |= matches!(event, Event::Ready(Source::Payload, _));
        Ok(())
    }

    fn serve(&mut self, asker: Asker, ask: Ask) {
        serve(self.session, self.up, &asker, &ask);
    }

    fn end(&mut self) -> Result<Option<u8>, Error> {
        if !self.has_ended {
            return Ok(None);
        }
        let exit = sys::process::try_wait(self.up.pidfd.as_fd())?;
        Ok(Some(exit.map_or(UNKNOWN, |exit| u8::try_from(exit.code() & 0xff).unwrap_or(UNKNOWN))))
    }
}

fn serve(session: &Session, up: &Up, asker: &Asker, ask: &Ask) {
    match *ask {
        Ask::Kill { signal, .. } => match sys::process::signal(up.pidfd.as_fd(), signal) {
            Ok(()) => asker.answer(&Answer::Done),
            Err(error) => asker.refuse(&error),
        },
        Ask::Resize { rows, columns } => {
            session.resize(rows, columns);
            asker.answer(&Answer::Done);
        }
        Ask::Ping => asker.answer(&Answer::Done),
        _ => asker.refuse(&Refused::Session),
    }
}

/// Updates its record and reports its exit.
fn finish(paths: &Paths, id: &ContainerId, exec: &ExecId, up: &Up, code: u8) {
    if let Err(error) = end(paths, id, exec, &up.record, code)
        && !error.is_not_found()
    {
        report_error(&error);
    }
    let text = code.to_string();
    let told = journal::tell(
        paths,
        &up.container,
        "exec_die",
        &[("execID", exec.as_str()), ("exitCode", text.as_str())],
    );
    if let Err(error) = told {
        report_error(&error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::zombie_processes, reason = "it is reaped by its pidfd")]
    fn a_command_that_runs_takes_few_verbs_and_its_end_is_its_exit_code() {
        use crate::monitor::life::tests::record;
        use crate::monitor::wire::Hello;
        use crate::sys::socket::Received;
        for (signal, code) in [(libc::SIGTERM, 143), (libc::SIGKILL, 137)] {
            let child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
            let pidfd = sys::process::open(child.id().cast_signed()).unwrap();
            let container = record(crate::container::RestartPolicy::No, false);
            let up = Up { container, record: ExecRecord::default(), pidfd, warnings: Vec::new() };
            let mut session = Session::new(None, None, Shape { tty: false, stdin_once: true });
            let asks = [
                (Ask::Ping, "\"done\""),
                (Ask::Resize { rows: 1, columns: 1 }, "\"done\""),
                (Ask::Pause, "{\"failed\""),
                (Ask::Rename { name: "db".to_owned() }, "{\"failed\""),
                (Ask::Stop { signal: None, timeout: None, at_shutdown: false }, "{\"failed\""),
                (Ask::kill(999), "{\"failed\""),
                (Ask::kill(signal), "\"done\""),
            ];
            let clients = asks.clone().map(|(ask, _)| {
                let (ours, theirs) = socket::pair().unwrap();
                session.connect(ours);
                let hello = super::super::wire::encode(&Hello { protocol: 2, ask }).unwrap();
                socket::send(theirs.as_fd(), &[&hello]).unwrap();
                theirs
            });
            let mut watching = Watching { session: &mut session, up: &up, has_ended: false };
            assert_eq!(poll::serve(&mut watching).unwrap(), code);
            for (client, (ask, want)) in clients.iter().zip(&asks) {
                let mut buffer = [0; 1000];
                let Received::Message(length) = socket::receive(client.as_fd(), &mut buffer).unwrap() else {
                    panic!("{ask:?}")
                };
                let said = String::from_utf8_lossy(&buffer[..length]);
                assert!(said.starts_with(want), "{ask:?}: {said}");
            }
        }
    }
}
