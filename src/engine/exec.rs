//! Commands in running containers. Each has its own short-lived monitor, and a record that is kept
//! as long as the container's run ([`crate::container::exec`]).

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::attach::Begun;
use super::container::{ASK_AGAIN, AttachOptions};
use super::error::{Doing, NotFound, Result};
use super::{Attached, ContainerId, Engine, ExecId, Record, Session, Verb, Warnings, blocking};
use crate::base::{ErrorKind, Explain, disk};
use crate::container::exec::{self, ExecRecord, ExecRequest};
pub use crate::container::exec::{ExecStatus, ExecView};
use crate::container::store;
use crate::monitor::attach::{Connection, accepted, connect, early};
use crate::monitor::journal;
use crate::monitor::launch::{self, Launched, Role, launch};
use crate::monitor::wire::Ask;

/// The exit code of a command whose monitor failed to start: that of a program that cannot be run.
const NOT_BEGUN: u8 = 126;
/// How long to wait until a command that is being started accepts requests.
const PATIENCE: Duration = Duration::from_secs(1);

/// The verbs of commands in containers, for callers that take several steps.
/// [`Containers::exec`](super::Containers::exec) does it in one step.
#[derive(Debug, Clone, Copy)]
pub struct Execs<'a> {
    engine: &'a Engine,
}

/// A command that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedExec {
    /// Its id.
    pub id: ExecId,
    /// Warnings for the caller.
    pub warnings: Warnings,
}

impl Engine {
    /// Returns the verbs of commands in containers.
    #[must_use]
    pub fn execs(&self) -> Execs<'_> {
        Execs { engine: self }
    }
}

impl Execs<'_> {
    async fn on<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let engine = self.engine.clone();
        blocking(move || work(&engine)).await
    }

    /// Creates a command in a running container, without starting it. Its record outlives this
    /// process. It is deleted at the end of the container's run, or when too many newer commands
    /// have been created.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container is not running, or has too many sessions.
    pub async fn create(&self, target: &str, request: ExecRequest) -> Result<CreatedExec> {
        let target = target.to_owned();
        self.on(move |engine| engine.create_exec(&target, request)).await
    }

    /// Starts a command with a client that sees its output from the first byte, even if it was
    /// created as detached. `size` takes precedence over the size in the request. Only one of
    /// several concurrent starts succeeds. If that process is killed before it has launched the
    /// monitor, either nothing has happened, or the command counts as exited with code 255.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] if it was started before or the container
    /// is not running; otherwise as for [`Containers::start`](super::Containers::start).
    pub async fn start(
        &self,
        id: &ExecId,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Session> {
        let wanted = id.clone();
        let started = self.on(move |engine| engine.start_exec(&wanted, options, size)).await?;
        self.engine.reap(started.begun.monitor);
        let target = started.connection.container.to_string();
        let attached = self.engine.attached(started.connection, started.begun.warnings, &target)?;
        Ok(Session { id: started.id, attached })
    }

    /// Starts a command in the background.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub async fn start_detached(&self, id: &ExecId) -> Result<Warnings> {
        let wanted = id.clone();
        let begun = self.on(move |engine| engine.start_exec_detached(&wanted)).await?;
        self.engine.reap(begun.monitor);
        Ok(begun.warnings)
    }

    /// Returns what is known about a command.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], also if the command exited long ago or its container has exited.
    pub async fn inspect(&self, id: &ExecId) -> Result<ExecView> {
        let wanted = id.clone();
        self.on(move |engine| engine.find_exec(&wanted, || format!("inspect the command `{wanted}`"))).await
    }

    /// Returns the commands that are running in all containers; those of a container are in order,
    /// oldest first.
    ///
    /// # Errors
    ///
    /// If the containers cannot be listed.
    pub async fn running(&self) -> Result<Vec<ExecView>> {
        self.on(|engine| {
            let ids = store::run_ids(engine.paths()).doing(|| "list the commands in containers")?;
            Ok(ids.iter().flat_map(|id| exec::running(engine.paths(), id)).collect())
        })
        .await
    }

    /// Connects to the streams of a running command, beside its other clients. With `size` its
    /// terminal gets this size, and its program redraws itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] if it is not running.
    pub async fn attach(
        &self,
        id: &ExecId,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Attached> {
        let wanted = id.clone();
        let connection = self.on(move |engine| engine.attach_exec(&wanted, options, size)).await?;
        let target = connection.container.to_string();
        self.engine.attached(connection, Warnings::default(), &target)
    }

    /// Sends a signal, by number, to the process of a running command.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] if it is not running.
    pub async fn kill(&self, id: &ExecId, signal: i32) -> Result<()> {
        let wanted = id.clone();
        self.on(move |engine| {
            let doing = || format!("send a signal to the command `{wanted}`");
            engine.ask_exec(&wanted, &Ask::kill(signal), doing)
        })
        .await
    }

    /// Resizes the terminal of a command.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] if it is not running.
    pub async fn resize(&self, id: &ExecId, rows: u16, columns: u16) -> Result<()> {
        let wanted = id.clone();
        self.on(move |engine| engine.resize_exec(&wanted, rows, columns)).await
    }
}

/// A command that was started, with its client.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) id: ExecId,
    pub(super) connection: Connection,
    pub(super) begun: Begun,
}

/// A request that cannot be fulfilled.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no exec command specified")]
    NoCommand,
    #[error("it is already running")]
    Running,
    #[error("it has already run")]
    HasRun,
    #[error("it is not running")]
    NotRunning,
    #[error("it is still starting, or its monitor is gone")]
    NotHeard,
}

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoCommand => ErrorKind::Invalid,
            Self::Running | Self::HasRun | Self::NotRunning | Self::NotHeard => ErrorKind::Conflict,
        }
    }
}

/// A session that failed to start. As in Docker, this counts as a failure of the program, whatever
/// the reason, unless the container has exited meanwhile.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NotBegun(#[from] launch::Error);

impl Explain for NotBegun {
    fn kind(&self) -> ErrorKind {
        match self.0.kind() {
            kind @ (ErrorKind::ProgramNotFound | ErrorKind::Conflict | ErrorKind::Interrupted) => kind,
            _ => ErrorKind::ProgramNotRunnable,
        }
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl Engine {
    pub(super) fn exec(&self, target: &str, request: ExecRequest, options: AttachOptions) -> Result<Started> {
        let doing = || format!("execute a command in `{}`", self.called(target));
        let (ours, theirs) = early_client(options, request.size).doing(doing)?;
        let tty = request.tty;
        let (container, id, warning) = self.prepare_exec(target, request, Maker::Starts)?;
        self.begin_exec(&container.id, id, (ours, theirs), tty, warning, doing)
    }

    pub(super) fn exec_detached(&self, target: &str, request: ExecRequest) -> Result<(ExecId, Begun)> {
        let request = ExecRequest { detach: true, interactive: false, ..request };
        let (container, id, warning) = self.prepare_exec(target, request, Maker::Starts)?;
        let launched = self.launch_session(&container.id, &id, &[]);
        let launched = launched.doing(|| format!("execute a command in `{}`", self.called(target)))?;
        let mut begun = Begun::from(launched);
        begun.warnings.0.extend(warning);
        Ok((id, begun))
    }

    fn create_exec(&self, target: &str, request: ExecRequest) -> Result<CreatedExec> {
        let (_, id, warning) = self.prepare_exec(target, request, Maker::Leaves)?;
        Ok(CreatedExec { id, warnings: Warnings(warning.into_iter().collect()) })
    }

    fn start_exec(&self, id: &ExecId, options: AttachOptions, size: Option<(u16, u16)>) -> Result<Started> {
        let doing = || format!("start the command `{id}`");
        // Create the client first: a failure after the claim would have to end the command. The
        // monitor knows the size that was requested on creation.
        let client = early_client(options, size).doing(doing)?;
        let attached = |request| ExecRequest { detach: false, ..request };
        let (container, record) = self.claim_exec(id, attached, doing)?;
        self.begin_exec(&container, id.clone(), client, record.request.tty, None, doing)
    }

    fn start_exec_detached(&self, id: &ExecId) -> Result<Begun> {
        let doing = || format!("start the command `{id}`");
        let detached = |request| ExecRequest { detach: true, interactive: false, ..request };
        let (container, _) = self.claim_exec(id, detached, doing)?;
        Ok(Begun::from(self.launch_session(&container, id, &[]).doing(doing)?))
    }

    fn resize_exec(&self, id: &ExecId, rows: u16, columns: u16) -> Result<()> {
        let doing = || format!("resize the terminal of the command `{id}`");
        self.ask_exec(id, &Ask::Resize { rows, columns }, doing)
    }

    fn attach_exec(
        &self,
        id: &ExecId,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Connection> {
        let doing = || format!("attach to the command `{id}`");
        let connection = self
            .reach_exec(id, doing, |container| connect(self.paths(), container, Some(id), options.into()))?;
        if let Some((rows, columns)) = size.filter(|_| connection.tty) {
            // A program redraws itself only if the size changes.
            for rows in [rows.saturating_add(1), rows] {
                self.ask_exec(id, &Ask::Resize { rows, columns }, doing)?;
            }
        }
        Ok(connection)
    }

    fn ask_exec(&self, id: &ExecId, ask: &Ask, doing: impl Fn() -> String) -> Result<()> {
        self.reach_exec(id, doing, |container| {
            launch::ask(self.paths(), container, Some(id), ask.clone()).map(drop)
        })
    }

    /// Makes a request to the monitor of a running command, and repeats it while the command is
    /// being started.
    fn reach_exec<T>(
        &self,
        id: &ExecId,
        doing: impl Fn() -> String,
        request: impl Fn(&ContainerId) -> std::result::Result<T, launch::Error>,
    ) -> Result<T> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let found = self.find_exec(id, &doing)?;
            if !matches!(found.status, ExecStatus::Running(_)) {
                return Err(Refused::NotRunning).doing(doing);
            }
            match request(&found.container) {
                // Its monitor is not listening yet, or has exited since.
                Err(launch::Error::Gone) if Instant::now() < patience => std::thread::sleep(ASK_AGAIN),
                Err(launch::Error::Gone) => return Err(Refused::NotHeard).doing(doing),
                asked => return asked.doing(doing),
            }
        }
    }

    /// Returns what is known about a command, in whichever container.
    fn find_exec(&self, id: &ExecId, doing: impl Fn() -> String) -> Result<ExecView> {
        let found = exec::find(self.paths(), id).doing(&doing)?;
        found.ok_or_else(|| NotFound { noun: "exec instance", name: id.to_string() }).doing(doing)
    }

    /// Claims a created command in order to start it. Only one of several callers succeeds.
    fn claim_exec(
        &self,
        id: &ExecId,
        change: impl FnOnce(ExecRequest) -> ExecRequest,
        doing: impl Fn() -> String,
    ) -> Result<(ContainerId, ExecRecord)> {
        let found = self.find_exec(id, &doing)?;
        let container = found.container;
        self.get(container.as_str())?.status.after(Verb::Exec).doing(&doing)?;
        match exec::claim(self.paths(), &container, id, change).doing(&doing)? {
            Some(record) => Ok((container, record)),
            None => {
                let is_over = matches!(self.find_exec(id, &doing)?.status, ExecStatus::Exited(_));
                Err(if is_over { Refused::HasRun } else { Refused::Running }).doing(doing)
            }
        }
    }

    /// Starts the session's monitor with its client.
    fn begin_exec(
        &self,
        container: &ContainerId,
        id: ExecId,
        (ours, theirs): (OwnedFd, OwnedFd),
        tty: bool,
        warning: Option<String>,
        doing: impl Fn() -> String,
    ) -> Result<Started> {
        let launched = self.launch_session(container, &id, &[theirs]).doing(&doing)?;
        accepted(&ours).doing(&doing)?;
        let connection =
            Connection { socket: ours, tty, container: container.clone(), exec: Some(id.clone()) };
        let mut begun = Begun::from(launched);
        begun.warnings.0.extend(warning);
        Ok(Started { id, connection, begun })
    }

    /// Launches the session's monitor. If that fails, the command has exited.
    fn launch_session(
        &self,
        container: &ContainerId,
        id: &ExecId,
        clients: &[OwnedFd],
    ) -> std::result::Result<Launched, NotBegun> {
        let launched = launch(self.program(), self.paths(), container, Role::Exec(id.clone()), clients);
        Ok(launched.inspect_err(|error| {
            let is_up = matches!(error, launch::Error::Unheard(_)); // or may be
            if !is_up && exec::end_unbegun(self.paths(), container, id, NOT_BEGUN).is_err() {
                // Otherwise it would count as running as long as this process lives.
                let _ = std::fs::remove_file(exec::file(self.paths(), container, id));
            }
        })?)
    }

    /// Writes the session's record; returns the warnings too.
    fn prepare_exec(
        &self,
        target: &str,
        request: ExecRequest,
        maker: Maker,
    ) -> Result<(Record, ExecId, Option<String>)> {
        let doing = || format!("execute a command in `{}`", self.called(target));
        let container = self.get(target)?;
        container.status.after(Verb::Exec).doing(doing)?;
        // An empty word is a program that is not found, as in Docker.
        if request.command.is_empty() {
            return Err(Refused::NoCommand).doing(doing);
        }
        let folder = exec::folder(self.paths(), &container.record.id);
        disk::private_dir(&folder).doing(doing)?;
        exec::make_room(self.paths(), &container.record.id).doing(doing)?;
        let id = ExecId::random().map_err(disk::Error::io("generate an ID for", "a session")).doing(doing)?;
        let record = ExecRecord::new(request);
        let action = format!("exec_create: {}", record.request.command.join(" "));
        let (file, record) = match maker {
            Maker::Starts => (exec::file(self.paths(), &container.record.id, &id), record.owned()),
            Maker::Leaves => (exec::created_file(self.paths(), &container.record.id, &id), record),
        };
        disk::write_state(&file, &record).doing(doing)?;
        let attributes = [("execID", id.as_str())];
        let warning = journal::tell_or_warn(self.paths(), &container.record, &action, &attributes);
        Ok((container.record, id, warning))
    }
}

/// What the creator of a command does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// It starts the command. If it dies before that, nobody will.
    Starts,
    /// It leaves the start to any caller.
    Leaves,
}

/// Returns both ends of a client's connection that exists before the command starts.
fn early_client(
    options: AttachOptions,
    size: Option<(u16, u16)>,
) -> std::result::Result<(OwnedFd, OwnedFd), launch::Error> {
    early(crate::monitor::wire::Attach { size, ..options.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;
    use crate::engine::Settings;

    #[test]
    fn a_command_that_is_being_started_is_not_said_to_have_lost_its_monitor() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(Settings::new(paths)).unwrap();
        let (id, exec): (ContainerId, ExecId) = ("ab".repeat(32).parse().unwrap(), ExecId::random().unwrap());
        std::fs::create_dir_all(exec::folder(engine.paths(), &id)).unwrap();
        disk::write_state(
            &exec::file(engine.paths(), &id, &exec),
            &ExecRecord::new(ExecRequest::default()).owned(),
        )
        .unwrap();
        let error = engine.resize_exec(&exec, 33, 101).unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Conflict, None));
        assert_eq!(error.causes().join(": "), "it is still starting, or its monitor is gone");
    }
}
