//! A command in a running container: a run of its own, with a monitor that lives as long.
//!
//! ```text
//! <run>/containers/<id>/exec/<exec id>.created   made, and not started
//!                            <exec id>.json      is started, runs, or was killed with its monitor;
//!                                                beside the one above it says nothing
//!                            <exec id>.ended     how it ended
//!                            <exec id>           the socket, as a container's, while it runs
//! ```
//! Who starts a command holds a lock on the first, writes the second and removes the first, so that
//! of two who do one succeeds, and who is killed before that leaves it as it was made. Likewise the
//! third is written before the second is removed, and decides from then on. The record goes with the container's run; of those that ended, and
//! of those that were never started, the newest are kept ([`KEPT`], [`KEPT_BYTES`]).

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::PollFlags;
use serde::{Deserialize, Serialize};

use super::error::{Error, Refused};
use super::poll::{self, Event, Source, Stage, Waits};
use super::session::{Asker, Session, Shape, Streams, report_error};
use super::settle::{UNKNOWN, cgroup_of};
use super::start::{own_process, pipe};
use super::wire::{Answer, Ask, Failure, Ready};
use super::{bundle, confine, journal, privilege, tell};
use crate::base::disk::state;
use crate::base::error::one_line;
use crate::base::{ContainerId, ErrorKind, ExecId, Explain, Paths, disk};
use crate::container::options::environment;
use crate::container::record::Process;
use crate::container::spec::{capabilities, process};
use crate::container::{Record, Status, capability, store};
use crate::oci::runtime::Process as Program;
use crate::runtime::{self, Running, Stdio};
use crate::sys;
use crate::sys::probe::Probe;
use crate::sys::socket;

/// Current version of the file.
const VERSION: u32 = 1;

/// How many records of commands that ended are kept, and as many of those that were not started.
pub const KEPT: usize = 32;
/// No more than this many bytes of each, but for the newest.
pub const KEPT_BYTES: u64 = 1 << 20;

/// What is on disk about a command in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecRecord {
    /// The form of this file.
    pub version: u32,
    /// The program and its words.
    pub command: Vec<String>,
    /// `NAME=value`, on top of the container's.
    pub env: Vec<String>,
    /// As `run -u`.
    pub user: Option<String>,
    /// The container's when not said.
    pub workdir: Option<String>,
    /// A terminal instead of pipes.
    pub tty: bool,
    /// Standard input stays open.
    pub interactive: bool,
    /// All capabilities.
    pub privileged: bool,
    /// Nobody waits and nothing is shown.
    pub detach: bool,
    /// Terminal size (rows, columns) to start with.
    pub size: Option<(u16, u16)>,
    /// The process responsible for it: the engine that makes it, then its monitor.
    pub owner: Option<Process>,
    /// Its process, once it was executed.
    pub process: Option<Process>,
    /// How it ended: 0…255; 255 when nobody could see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(ExecRecord, VERSION);

impl ExecRecord {
    /// A command that has not begun. Nobody is responsible for it yet.
    #[must_use]
    pub fn new() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// One that this process is responsible for, until its monitor is.
    #[must_use]
    pub fn owned(self) -> Self {
        Self { owner: Some(own_process()), ..self }
    }

    /// Whether who was responsible for it lives no more, nor does its process: it was killed with
    /// its monitor, or never began. One that nobody was ever responsible for is not over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.owner.is_some_and(|owner| !owner.is_alive()) && !self.lives()
    }

    /// Whether its process lives.
    fn lives(&self) -> bool {
        self.process.is_some_and(Process::is_alive)
    }
}

/// The folder of the sessions of a container.
#[must_use]
pub fn folder(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("exec")
}

/// The file of one session.
#[must_use]
pub fn file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.json"))
}

/// The file of one that is not started.
#[must_use]
pub fn created_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.created"))
}

/// The file of one that has ended.
#[must_use]
pub fn ended_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.ended"))
}

/// Runs the session `exec`: what `hoist monitor exec` does.
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
            let _ = end_unbegun(paths, id, exec, code); // the first error is to be told
            tell(ready, &Ready::Failed(Failure::of(&error)));
            Ok(())
        }
    }
}

/// A command that runs.
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
    record.owner = Some(own_process());
    disk::write_state(&file(paths, id, exec), &record)?;
    let container = store::load(paths, id)?.ok_or_else(|| store::Error::NotFound(id.as_str().to_owned()))?;
    let run = store::load_run(paths, id)?.filter(|run| run.status == Status::Running && !run.starting);
    let init = run.as_ref().and_then(|run| run.init()).ok_or(Error::NotRunning)?;
    let target = sys::process::open(i32::try_from(init.pid).unwrap_or(0)).map_err(|_| Error::NotRunning)?;
    // Only now is it certain that the descriptor is of this process and not of a later one.
    if !init.is_alive() {
        return Err(Error::NotRunning);
    }
    // What may be done in there is as much a part of a command as of the container.
    container.config.security.check_understood()?;
    if record.privileged {
        privilege::drop_the_rest(&capability::ALL.map(str::to_owned))?;
    } else {
        privilege::drop_the_rest(&container.config.security.capabilities())?;
    }
    let listener = socket::listen(&folder(paths, id), exec.as_str())?;
    // As of Docker's: a command's input is its client's, whatever the container's is.
    let shape = Shape { tty: record.tty, stdin_once: true };
    let mut session = Session::new(Some(listener), None, shape);
    clients.into_iter().for_each(|client| session.connect(client));
    session.accept_clients();
    let size = session.first_size().or(record.size);

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
        stdio,
        cgroup: cgroup.exists().then_some(&cgroup),
        probe: &probe,
    })?;
    streams.console = console;
    if let Err(error) = streams.set_nonblocking() {
        let _ = sys::process::signal(pidfd.as_fd(), libc::SIGKILL); // nobody would hear it
        return Err(error.into());
    }
    session.begin(streams);
    if let Some((rows, columns)) = size {
        session.resize(rows, columns);
    }
    record.process = u32::try_from(pid).ok().and_then(Process::of);
    // It runs: what cannot be written does not change that.
    if let Err(error) = disk::write_state(&file(paths, id, exec), &record) {
        warnings.push(format!("the session's file is not up to date: {}", one_line(&error)));
    }
    let action = format!("exec_start: {}", record.command.join(" "));
    warnings.extend(journal::tell_or_warn(paths, &container, &action, &[("execID", exec.as_str())]));
    Ok((session, Up { container, record, pidfd, warnings }))
}

/// The container's process with what the session says otherwise.
fn program(container: &Record, record: &ExecRecord) -> Program {
    let mut config = container.config.clone();
    let asked = &mut config.process;
    asked.entrypoint = None;
    asked.command.clone_from(&record.command);
    asked.tty = record.tty;
    asked.env = environment(&asked.env, &record.env);
    if let Some(workdir) = &record.workdir {
        asked.workdir = Some(workdir.into());
    }
    if let Some(user) = &record.user {
        asked.user = Some(user.clone());
    }
    let mut program = process(&config);
    if record.privileged {
        program.set_capabilities(Some(capabilities(&capability::ALL.map(str::to_owned))));
    }
    program
}

fn make_stdio(record: &ExecRecord, size: Option<(u16, u16)>) -> Result<(Stdio, Streams), Error> {
    if record.tty {
        let size = size.map(|(rows, columns)| (columns, rows));
        return Ok((Stdio::Terminal { size }, Streams::default()));
    }
    let null = || File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from);
    let null = || null().map_err(disk::Error::io("open", "/dev/null"));
    let (stdin, to_stdin) = if record.interactive {
        let (read, write) = pipe()?;
        (read, Some(write))
    } else {
        (null()?, None)
    };
    if record.detach {
        return Ok((
            Stdio::Files([stdin, null()?, null()?]),
            Streams { stdin: to_stdin, ..Streams::default() },
        ));
    }
    // No other monitor ever reads on: who still writes when this one has ended is to be told.
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let streams = Streams { console: None, stdin: to_stdin, stdout: Some(stdout), stderr: Some(stderr) };
    Ok((Stdio::Files([stdin, stdout_end, stderr_end]), streams))
}

/// A command that is up.
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

/// Keeps of a session how it ended, and takes its other files away.
///
/// # Errors
///
/// When that cannot be written: then the record of its run stays. Where the container ended too, its
/// folder is gone already.
fn end(paths: &Paths, id: &ContainerId, exec: &ExecId, record: &ExecRecord, code: u8) -> disk::Result<()> {
    // Its environment may hold secrets, and nobody asks for it.
    let ended = ExecRecord { exit_code: Some(code), owner: None, env: Vec::new(), ..record.clone() };
    let written = disk::write_state(&ended_file(paths, id, exec), &ended);
    let _ = std::fs::remove_file(folder(paths, id).join(exec.as_str()));
    if written.is_ok() {
        let _ = std::fs::remove_file(file(paths, id, exec));
    }
    written
}

/// The same for one whose monitor has ended or never came up, unless that one said how it ended.
///
/// # Errors
///
/// When it cannot be written: then the record of its run stays.
pub fn end_unwatched(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    record: &ExecRecord,
    code: u8,
) -> disk::Result<()> {
    if !ended_file(paths, id, exec).exists() {
        return end(paths, id, exec, record, code);
    }
    let _ = std::fs::remove_file(folder(paths, id).join(exec.as_str()));
    let _ = std::fs::remove_file(file(paths, id, exec));
    Ok(())
}

/// The same for one that did not begin.
///
/// # Errors
///
/// As [`end_unwatched`], and when that record cannot be read at this moment.
pub fn end_unbegun(paths: &Paths, id: &ContainerId, exec: &ExecId, code: u8) -> disk::Result<()> {
    match disk::read_state::<ExecRecord>(&file(paths, id, exec)) {
        // Its monitor was killed, and it goes on.
        Ok(record) if record.lives() => Ok(()),
        Ok(record) => end_unwatched(paths, id, exec, &record, code),
        Err(error) if error.is_not_found() => Ok(()),
        // What this process or the machine lacks says nothing about the record.
        Err(error) if !error.is_of_the_file() => Err(error),
        Err(_) => {
            let _ = std::fs::remove_file(file(paths, id, exec)); // it has nothing to be kept
            Ok(())
        }
    }
}

/// Keeps its record and tells how it ended.
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

    /// A session's folder, and the record of one whose owner is long dead.
    fn dead() -> (tempfile::TempDir, Paths, ContainerId, ExecId, ExecRecord) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let (id, exec): (ContainerId, ExecId) = ("ab".repeat(32).parse().unwrap(), ExecId::random().unwrap());
        std::fs::create_dir_all(folder(&paths, &id)).unwrap();
        let owner = Some(Process { pid: 4_000_000, start_time: 1 });
        let record = ExecRecord { owner, ..ExecRecord::new() };
        disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
        (dir, paths, id, exec, record)
    }

    fn code(paths: &Paths, id: &ContainerId, exec: &ExecId) -> Option<u8> {
        disk::read_state::<ExecRecord>(&ended_file(paths, id, exec)).unwrap().exit_code
    }

    #[test]
    fn a_record_is_over_once_its_owner_and_its_process_are_dead() {
        let (ours, dead) = (Some(own_process()), Some(Process { pid: 4_000_000, start_time: 1 }));
        for (owner, process, is_over) in [
            (None, None, false),
            (ours, None, false),
            (dead, None, true),
            (dead, ours, false),
            (ours, dead, false),
            (dead, dead, true),
        ] {
            let record = ExecRecord { owner, process, ..ExecRecord::new() };
            assert_eq!(record.is_over(), is_over, "{owner:?} {process:?}");
        }
    }

    #[test]
    fn an_end_that_cannot_be_written_leaves_the_record_of_the_run() {
        let (_dir, paths, id, exec, record) = dead();
        let in_the_way = ended_file(&paths, &id, &exec).join("in the way");
        std::fs::create_dir_all(&in_the_way).unwrap();
        assert!(end(&paths, &id, &exec, &record, 7).is_err());
        assert!(file(&paths, &id, &exec).exists());
        sys::tree::remove(in_the_way.parent().unwrap()).unwrap();
        end(&paths, &id, &exec, &record, 7).unwrap();
        assert!(!file(&paths, &id, &exec).exists());
        assert_eq!(code(&paths, &id, &exec), Some(7));
    }

    type Late = fn(&Paths, &ContainerId, &ExecId, &ExecRecord) -> disk::Result<()>;

    #[test]
    fn an_end_that_was_written_stands() {
        let (_dir, paths, id, exec, record) = dead();
        let ended = ExecRecord { exit_code: Some(7), ..record.clone() };
        for late in [
            (|paths, id, exec, record| end_unwatched(paths, id, exec, record, UNKNOWN)) as Late,
            |paths, id, exec, _| end_unbegun(paths, id, exec, 126),
        ] {
            disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
            disk::write_state(&ended_file(&paths, &id, &exec), &ended).unwrap();
            late(&paths, &id, &exec, &record).unwrap();
            assert!(!file(&paths, &id, &exec).exists());
            assert_eq!(code(&paths, &id, &exec), Some(7));
        }
    }

    #[test]
    fn one_whose_process_lives_has_begun() {
        let (_dir, paths, id, exec, record) = dead();
        let record = ExecRecord { process: Some(own_process()), ..record };
        disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
        end_unbegun(&paths, &id, &exec, 126).unwrap();
        assert_eq!(disk::read_state::<ExecRecord>(&file(&paths, &id, &exec)).unwrap(), record);
        assert!(!ended_file(&paths, &id, &exec).exists());
    }
}
