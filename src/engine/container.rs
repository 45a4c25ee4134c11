//! The verbs of containers.

mod create;
mod export;
mod kill;
mod logs;
mod remove;
mod state;
mod verbs;
mod view;
mod wait;

use std::time::Duration;

use jiff::Timestamp;

pub use crate::container::log::{LogRecord, Stream};

pub(in crate::engine) use verbs::ASK_AGAIN;
pub(in crate::engine) use view::Stored;
pub use view::{ContainerFiles, ContainerView, DiskUse};

use super::attach::{Attached, Session};
use super::error::Result;
use super::stats::{Sample, Top};
use super::{
    ContainerId, Engine, ExecId, Fate, Gone, Listing, LogView, Name, Options, Process, ProcessDetail,
    PullPolicy, Removal, Reporter, SaveLog, Verb, blocking,
};
use crate::monitor::wire::Ask;

/// What was done otherwise than asked, a sentence each: a limit that is cut, a name server
/// that a container cannot reach, an event that cannot be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "the user is to see them"]
pub struct Warnings(pub Vec<String>);

impl Warnings {
    /// Each once: several events of a verb may be missing for one reason.
    pub fn distinct(&self) -> impl Iterator<Item = &str> {
        let is_first = |(at, warning): &(usize, &String)| !self.0[..*at].contains(warning);
        self.0.iter().enumerate().filter(is_first).map(|(_, warning)| warning.as_str())
    }
}

impl From<()> for Warnings {
    /// Of a verb that has none.
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// Its name, also when hoist chose it.
    pub name: Name,
    /// What of the wishes is accepted but not as asked.
    pub warnings: Warnings,
}

/// What to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRequest {
    /// `--name`; hoist chooses one otherwise.
    pub name: Option<Name>,
    /// The image, as the user wrote it: reference or id.
    pub image: String,
    /// Whether a registry is asked.
    pub pull: PullPolicy,
    /// Everything else.
    pub options: Options,
}

/// Which of a container's streams a session carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "three streams and a pace, each on its own")]
pub struct AttachOptions {
    /// Standard input.
    pub stdin: bool,
    /// Standard output (with a terminal: all output).
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Whether the container waits when this client is slow (`run`, `attach`); a pane of
    /// the TUI rather misses a part, and is told.
    pub lossless: bool,
}

/// A command to run in a running container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecRequest {
    /// The program and its words.
    pub command: Vec<String>,
    /// `NAME=value`, on top of the container's.
    pub env: Vec<String>,
    /// As `run -u`; the container's when not said.
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
}

/// Which lines of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Go on with what comes.
    pub follow: bool,
    /// Only this many of the last.
    pub tail: Option<u64>,
    /// Only from then on.
    pub since: Option<Timestamp>,
    /// Only up to then.
    pub until: Option<Timestamp>,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitFor {
    /// It is not running: at once when it is not.
    #[default]
    NotRunning,
    /// It ends the next time.
    NextExit,
    /// It is gone.
    Removed,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// 0…255; 128 + n after signal n; 255 when nobody could see it.
    pub code: u8,
    /// Why it did not start, or why nobody could see its end; mostly empty.
    pub error: String,
    /// The kernel ended it because memory ran out.
    pub oom_killed: bool,
}

/// The verbs of containers. A `target` is a name, an id or the start of an id.
#[derive(Debug, Clone, Copy)]
pub struct Containers<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// The verbs of containers.
    #[must_use]
    pub fn containers(&self) -> Containers<'_> {
        Containers { engine: self }
    }
}

impl Containers<'_> {
    /// Runs synchronous work of the engine where it may block.
    async fn on<T: Send + 'static>(
        &self,
        target: &str,
        work: impl FnOnce(&Engine, &str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || work(&engine, &target)).await
    }

    /// All containers that can be read, newest first. Dead runs among them are settled.
    ///
    /// # Errors
    ///
    /// When the folder of containers cannot be read.
    pub async fn list(&self) -> Result<Vec<ContainerView>> {
        Ok(self.listing().await?.whole)
    }

    /// The same, and those whose state files cannot be read.
    ///
    /// # Errors
    ///
    /// As [`Self::list`].
    pub async fn listing(&self) -> Result<Listing<ContainerView>> {
        self.on("", |engine, _| {
            engine.empty_what_is_due();
            let Listing { whole, damaged, warnings } = engine.all()?;
            Ok(Listing { whole: whole.into_iter().map(Stored::view).collect(), damaged, warnings })
        })
        .await
    }

    /// One container.
    ///
    /// # Errors
    ///
    /// `No such container: x`, and when the start of an id fits several.
    pub async fn get(&self, target: &str) -> Result<ContainerView> {
        let view = |engine: &Engine, target: &str| Ok(engine.get(target)?.view_with_files(engine.paths()));
        self.on(target, view).await
    }

    /// Adds [`DiskUse`].
    ///
    /// # Errors
    ///
    /// When its folders cannot be read.
    pub async fn measure(&self, container: ContainerView) -> Result<ContainerView> {
        self.on("", move |engine, _| engine.measure(container)).await
    }

    /// Makes a container. Pulls a missing image as the request's policy says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when the name is taken,
    /// [`ErrorKind::Invalid`](crate::base::ErrorKind) for wishes that cannot be fulfilled,
    /// and what a pull says.
    pub async fn create(&self, request: CreateRequest, reporter: Reporter) -> Result<Created> {
        self.engine.create(request, reporter).await
    }

    /// Starts it; that it runs already is fine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProgramNotFound`](crate::base::ErrorKind) and
    /// [`ErrorKind::ProgramNotRunnable`](crate::base::ErrorKind) for what it was to run; the
    /// step that failed.
    pub async fn start(&self, target: &str) -> Result<Warnings> {
        let begun = self.on(target, |engine, target| engine.start_now(target, &[])).await?;
        self.engine.reap(begun.monitor);
        Ok(begun.warnings)
    }

    /// Starts it with a client that sees its output from the first byte. One that is up has been
    /// started: the client is attached to it.
    ///
    /// # Errors
    ///
    /// As [`Self::start`] and [`Self::attach`].
    pub async fn start_attached(
        &self,
        target: &str,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Attached> {
        let started =
            self.on(target, move |engine, target| engine.start_attached(target, options, size)).await?;
        self.engine.reap(started.begun.monitor);
        self.engine.attached(started.connection, started.begun.warnings, target)
    }

    /// The streams of a container that runs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it does not.
    pub async fn attach(&self, target: &str, options: AttachOptions) -> Result<Attached> {
        let connected = self.on(target, move |engine, target| engine.attach_to(target, options)).await?;
        self.engine.attached(connected.connection, connected.begun.warnings, target)
    }

    /// Ends it: a signal, and SIGKILL when it has not ended this many seconds later. `signal`
    /// as written (`SIGINT`, `int`, `2`); `None` takes the container's. That it has ended
    /// already is fine.
    ///
    /// # Errors
    ///
    /// A word that is no signal; a monitor that does not answer.
    pub async fn stop(
        &self,
        target: &str,
        signal: Option<&str>,
        timeout_secs: Option<i64>,
    ) -> Result<Warnings> {
        let signal = signal.map(str::to_owned);
        self.on(target, move |engine, target| engine.stop_now(target, signal.as_deref(), timeout_secs)).await
    }

    /// Ends it as [`Self::stop`] does, and starts it again.
    ///
    /// # Errors
    ///
    /// As [`Self::stop`] and [`Self::start`].
    pub async fn restart(
        &self,
        target: &str,
        signal: Option<&str>,
        timeout_secs: Option<i64>,
    ) -> Result<Warnings> {
        let signal = signal.map(str::to_owned);
        let work =
            move |engine: &Engine, target: &str| engine.restart_now(target, signal.as_deref(), timeout_secs);
        let begun = self.on(target, work).await?;
        self.engine.reap(begun.monitor);
        Ok(begun.warnings)
    }

    /// Sends a signal; after SIGKILL it returns when the container has ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is not running.
    pub async fn kill(&self, target: &str, signal: &str) -> Result<Warnings> {
        let signal = signal.to_owned();
        self.on(target, move |engine, target| engine.kill_now(target, &signal)).await
    }

    /// Its processes stand still.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is not running.
    pub async fn pause(&self, target: &str) -> Result<Warnings> {
        self.on(target, |engine, target| engine.freeze_now(target, Verb::Pause, Ask::Pause)).await
    }

    /// They go on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is not paused.
    pub async fn unpause(&self, target: &str) -> Result<Warnings> {
        self.on(target, |engine, target| engine.freeze_now(target, Verb::Unpause, Ask::Unpause)).await
    }

    /// Removes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is up and that is refused.
    pub async fn remove(&self, target: &str, removal: Removal) -> Result<Gone> {
        self.on(target, move |engine, target| match removal.fate {
            Fate::Gone => engine.remove_now(target, removal.running),
            Fate::Trash => engine.trash_container(target, removal.running),
        })
        .await
    }

    /// Gives it another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when the name is taken.
    pub async fn rename(&self, target: &str, name: Name) -> Result<Warnings> {
        self.on(target, move |engine, target| engine.rename_now(target, name)).await
    }

    /// Waits, and tells how it ended.
    ///
    /// # Errors
    ///
    /// `No such container: x`.
    pub async fn wait(&self, target: &str, condition: WaitFor) -> Result<Exit> {
        self.engine.wait(target, condition).await
    }

    /// Runs a command in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is not running; otherwise as
    /// [`Self::start`].
    pub async fn exec(&self, target: &str, request: ExecRequest, options: AttachOptions) -> Result<Session> {
        let started = self.on(target, move |engine, target| engine.exec(target, request, options)).await?;
        self.engine.reap(started.begun.monitor);
        let attached = self.engine.attached(started.connection, started.begun.warnings, target)?;
        Ok(Session { id: started.id, attached })
    }

    /// Runs a command in it, and nobody waits.
    ///
    /// # Errors
    ///
    /// As [`Self::exec`].
    pub async fn exec_detached(&self, target: &str, request: ExecRequest) -> Result<(ExecId, Warnings)> {
        let (id, begun) = self.on(target, |engine, target| engine.exec_detached(target, request)).await?;
        self.engine.reap(begun.monitor);
        Ok((id, begun.warnings))
    }

    /// Records in order; the channel closes at the end, or when the receiver is dropped.
    ///
    /// # Errors
    ///
    /// `No such container: x`; the log cannot be read.
    pub async fn logs(
        &self,
        target: &str,
        request: LogRequest,
    ) -> Result<tokio::sync::mpsc::Receiver<Result<LogRecord>>> {
        self.on(target, move |engine, target| engine.logs(target, &request)).await
    }

    /// A view on the logs of these containers as one, by time.
    ///
    /// # Errors
    ///
    /// `No such container: x`; a log that cannot be read, or is not kept.
    pub async fn log_view(&self, targets: &[ContainerId]) -> Result<LogView> {
        let targets = targets.to_vec();
        self.on("", move |engine, _| engine.log_view(&targets)).await
    }

    /// Writes lines of logs to a file, and gives how many. Of a save that was cancelled, or
    /// failed, nothing is left, and a file that was to be overwritten stays.
    ///
    /// # Errors
    ///
    /// When the file is there and is not to be overwritten, or a log cannot be read.
    pub async fn save_log(&self, save: SaveLog, reporter: Reporter) -> Result<u64> {
        self.engine.save_log(save, reporter).await
    }

    /// Its processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when it is not running.
    pub async fn top(&self, target: &str) -> Result<Top> {
        self.on(target, |engine, target| engine.top(target)).await
    }

    /// What is known of one of its processes, by its id on the host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) when the container is not running,
    /// [`ErrorKind::NotFound`](crate::base::ErrorKind) when the process has ended or is not in it.
    pub async fn process(&self, target: &str, pid: u32) -> Result<ProcessDetail> {
        self.on(target, move |engine, target| engine.process(target, pid)).await
    }

    /// Sends a signal to one of its processes, and never to another one.
    ///
    /// # Errors
    ///
    /// As [`Self::process`]; a word that is no signal.
    pub async fn signal_process(&self, target: &str, process: Process, signal: &str) -> Result<()> {
        let signal = signal.to_owned();
        self.on(target, move |engine, target| engine.signal_process(target, process, &signal)).await
    }

    /// A sample now, then one per `every` while the receiver is there and it runs.
    ///
    /// # Errors
    ///
    /// `No such container: x`.
    pub async fn stats(&self, target: &str, every: Duration) -> Result<tokio::sync::mpsc::Receiver<Sample>> {
        self.engine.stats(target, every).await
    }
}
