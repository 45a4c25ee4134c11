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

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

pub use crate::container::exec::ExecRequest;
pub use crate::container::log::{LogRecord, Stream};

pub(in crate::engine) use verbs::ASK_AGAIN;
pub(in crate::engine) use view::Stored;
pub use view::{ContainerFiles, ContainerView, DiskUse};

use super::attach::{Attached, Session};
use super::error::Result;
use super::stats::{PastUsage, Sample, Top, TotalUsage};
use super::{
    ContainerId, Engine, ExecId, Fate, Gone, Listing, LogView, Name, Options, Process, ProcessDetail,
    PullPolicy, Removal, Reporter, SaveLog, Verb, blocking,
};
use crate::monitor::wire::Ask;

/// What differs from the request, one sentence each: a reduced limit, a name server that is
/// unreachable from the container, an event that could not be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "the user is to see them"]
pub struct Warnings(pub Vec<String>);

impl Warnings {
    /// Each once: several events of a verb may be missing for one reason.
    pub fn distinct(&self) -> impl Iterator<Item = &str> {
        self.not_in(&mut BTreeSet::new()).into_iter()
    }

    /// Those that are not in `told`, each once; adds them to it.
    pub(crate) fn not_in(&self, told: &mut BTreeSet<String>) -> Vec<&str> {
        self.0.iter().filter(|warning| told.insert((*warning).clone())).map(String::as_str).collect()
    }
}

impl From<()> for Warnings {
    /// The warnings of a verb that has none.
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// A container that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// Its name, chosen by the caller or by hoist.
    pub name: Name,
    /// Warnings about options that were accepted but not applied as requested.
    pub warnings: Warnings,
}

/// What to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRequest {
    /// `--name`; `None` lets hoist choose a name.
    pub name: Option<Name>,
    /// The image as the user wrote it: a reference or an id.
    pub image: String,
    /// Whether to pull the image from a registry.
    pub pull: PullPolicy,
    /// All other options.
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
    /// Whether the container waits while this client is slow (`run`, `attach`). Otherwise output
    /// may be dropped, and the client is notified, as in a pane of the TUI.
    pub lossless: bool,
}

/// Selects records of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Whether to wait for new records.
    pub follow: bool,
    /// Only this many records, counted from the end.
    pub tail: Option<u64>,
    /// Only records from this time on.
    pub since: Option<Timestamp>,
    /// Only records up to this time.
    pub until: Option<Timestamp>,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitFor {
    /// It is not running. Returns immediately if it is not.
    #[default]
    NotRunning,
    /// It exits the next time.
    NextExit,
    /// It is removed.
    Removed,
}

/// How a container exited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// 0…255; 128 + n after signal n; 255 if the exit code is unknown.
    pub code: u8,
    /// Why it did not start, or why its exit code is unknown; usually empty.
    pub error: String,
    /// Whether the kernel killed it because it ran out of memory.
    pub oom_killed: bool,
}

/// The verbs of containers. A `target` is a name, an id or a prefix of an id.
#[derive(Debug, Clone, Copy)]
pub struct Containers<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// Returns the verbs of containers.
    #[must_use]
    pub fn containers(&self) -> Containers<'_> {
        Containers { engine: self }
    }
}

impl Containers<'_> {
    /// Runs synchronous work of the engine on a thread that may block.
    async fn on<T: Send + 'static>(
        &self,
        target: &str,
        work: impl FnOnce(&Engine, &str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || work(&engine, &target)).await
    }

    /// Returns all readable containers, newest first. Settles dead runs among them.
    ///
    /// # Errors
    ///
    /// If the folder of containers cannot be read.
    pub async fn list(&self) -> Result<Vec<ContainerView>> {
        Ok(self.listing().await?.whole)
    }

    /// Returns the same list, along with the containers whose state files cannot be read.
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

    /// Returns one container.
    ///
    /// # Errors
    ///
    /// `No such container: x`, or if the id prefix is ambiguous.
    pub async fn get(&self, target: &str) -> Result<ContainerView> {
        let view = |engine: &Engine, target: &str| Ok(engine.get(target)?.whole_view(engine.paths()));
        self.on(target, view).await
    }

    /// Adds [`DiskUse`].
    ///
    /// # Errors
    ///
    /// If its folders cannot be read.
    pub async fn measure(&self, container: ContainerView) -> Result<ContainerView> {
        self.on("", move |engine, _| engine.measure(container)).await
    }

    /// Creates a container. Pulls a missing image according to the request's policy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if the name is taken,
    /// [`ErrorKind::Invalid`](crate::base::ErrorKind) for options that cannot be applied, and the
    /// errors of a pull.
    pub async fn create(&self, request: CreateRequest, reporter: Reporter) -> Result<Created> {
        self.engine.create(request, reporter).await
    }

    /// Starts a container. It is not an error if the container is already running.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProgramNotFound`](crate::base::ErrorKind) and
    /// [`ErrorKind::ProgramNotRunnable`](crate::base::ErrorKind) for the container's program;
    /// otherwise the step that failed.
    pub async fn start(&self, target: &str) -> Result<Warnings> {
        let begun = self.on(target, |engine, target| engine.start_now(target, &[])).await?;
        self.engine.reap(begun.monitor);
        Ok(begun.warnings)
    }

    /// Starts a container with a client that sees its output from the first byte. If the container
    /// is already up, this only attaches the client.
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

    /// Attaches to the streams of a running container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not running.
    pub async fn attach(&self, target: &str, options: AttachOptions) -> Result<Attached> {
        let connected = self.on(target, move |engine, target| engine.attach_to(target, options)).await?;
        self.engine.attached(connected.connection, connected.begun.warnings, target)
    }

    /// Stops a container: sends a signal, and SIGKILL if it is still running after this many
    /// seconds. `signal` is a name or a number (`SIGINT`, `int`, `2`); `None` means the container's
    /// stop signal. It is not an error if the container has already exited.
    ///
    /// # Errors
    ///
    /// If `signal` is not a signal, or the monitor does not answer.
    pub async fn stop(
        &self,
        target: &str,
        signal: Option<&str>,
        timeout_secs: Option<i64>,
    ) -> Result<Warnings> {
        let signal = signal.map(str::to_owned);
        self.on(target, move |engine, target| engine.stop_now(target, signal.as_deref(), timeout_secs)).await
    }

    /// Stops a container like [`Self::stop`] and starts it again.
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

    /// Sends a signal to a container. For SIGKILL, returns when the container has exited.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not running.
    pub async fn kill(&self, target: &str, signal: &str) -> Result<Warnings> {
        let signal = signal.to_owned();
        self.on(target, move |engine, target| engine.kill_now(target, &signal)).await
    }

    /// Pauses all processes of a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not running.
    pub async fn pause(&self, target: &str) -> Result<Warnings> {
        self.on(target, |engine, target| engine.freeze_now(target, Verb::Pause, Ask::Pause)).await
    }

    /// Resumes the processes of a paused container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not paused.
    pub async fn unpause(&self, target: &str) -> Result<Warnings> {
        self.on(target, |engine, target| engine.freeze_now(target, Verb::Unpause, Ask::Unpause)).await
    }

    /// Removes a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is up and `removal` does not allow
    /// that.
    pub async fn remove(&self, target: &str, removal: Removal) -> Result<Gone> {
        self.on(target, move |engine, target| match removal.fate {
            Fate::Gone => engine.remove_now(target, removal.running),
            Fate::Trash => engine.trash_container(target, removal.running),
        })
        .await
    }

    /// Renames a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if the name is taken.
    pub async fn rename(&self, target: &str, name: Name) -> Result<Warnings> {
        self.on(target, move |engine, target| engine.rename_now(target, name)).await
    }

    /// Waits for `condition` and returns how the container exited.
    ///
    /// # Errors
    ///
    /// `No such container: x`.
    pub async fn wait(&self, target: &str, condition: WaitFor) -> Result<Exit> {
        self.engine.wait(target, condition).await
    }

    /// Executes a command in a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not running; otherwise as for
    /// [`Self::start`].
    pub async fn exec(&self, target: &str, request: ExecRequest, options: AttachOptions) -> Result<Session> {
        let started = self.on(target, move |engine, target| engine.exec(target, request, options)).await?;
        self.engine.reap(started.begun.monitor);
        let attached = self.engine.attached(started.connection, started.begun.warnings, target)?;
        Ok(Session { id: started.id, attached })
    }

    /// Executes a command in a container, in the background.
    ///
    /// # Errors
    ///
    /// As [`Self::exec`].
    pub async fn exec_detached(&self, target: &str, request: ExecRequest) -> Result<(ExecId, Warnings)> {
        let (id, begun) = self.on(target, |engine, target| engine.exec_detached(target, request)).await?;
        self.engine.reap(begun.monitor);
        Ok((id, begun.warnings))
    }

    /// Sends records in order. The channel closes at the end of the log, or if the receiver is
    /// dropped.
    ///
    /// # Errors
    ///
    /// `No such container: x`, or if the log cannot be read.
    pub async fn logs(
        &self,
        target: &str,
        request: LogRequest,
    ) -> Result<tokio::sync::mpsc::Receiver<Result<LogRecord>>> {
        self.on(target, move |engine, target| engine.logs(target, &request)).await
    }

    /// Opens a view of the logs of these containers, merged by time.
    ///
    /// # Errors
    ///
    /// `No such container: x`, or if a log cannot be read or is not kept.
    pub async fn log_view(&self, targets: &[ContainerId]) -> Result<LogView> {
        let targets = targets.to_vec();
        self.on("", move |engine, _| engine.log_view(&targets)).await
    }

    /// Writes lines of logs to a file and returns their number. If saving fails or is cancelled,
    /// nothing is left behind, and an existing file remains unchanged.
    ///
    /// # Errors
    ///
    /// If the file exists and must not be overwritten, or a log cannot be read.
    pub async fn save_log(&self, save: SaveLog, reporter: Reporter) -> Result<u64> {
        self.engine.save_log(save, reporter).await
    }

    /// Lists the processes of a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if it is not running.
    pub async fn top(&self, target: &str) -> Result<Top> {
        self.on(target, |engine, target| engine.top(target)).await
    }

    /// Returns details of one process of a container. `pid` is its id on the host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::base::ErrorKind) if the container is not running,
    /// [`ErrorKind::NotFound`](crate::base::ErrorKind) if the process has exited or does not belong
    /// to the container.
    pub async fn process(&self, target: &str, pid: u32) -> Result<ProcessDetail> {
        self.on(target, move |engine, target| engine.process(target, pid)).await
    }

    /// Sends a signal to one process of a container, and never to a different process that reuses
    /// its pid.
    ///
    /// # Errors
    ///
    /// As for [`Self::process`], or if `signal` is not a signal.
    pub async fn signal_process(&self, target: &str, process: Process, signal: &str) -> Result<()> {
        let signal = signal.to_owned();
        self.on(target, move |engine, target| engine.signal_process(target, process, &signal)).await
    }

    /// Sends a sample immediately and then one per `every`, until the receiver is dropped or the
    /// container exits.
    ///
    /// # Errors
    ///
    /// `No such container: x`.
    pub async fn stats(&self, target: &str, every: Duration) -> Result<tokio::sync::mpsc::Receiver<Sample>> {
        self.engine.stats(target, every).await
    }

    /// Sends the resource usage of all containers together, immediately and then once per `every`,
    /// until the receiver is dropped. It is read in one place, so it costs the same for any number
    /// of containers. The channel closes if their usage is not accounted.
    #[must_use]
    pub fn total_stats(&self, every: Duration) -> tokio::sync::mpsc::Receiver<TotalUsage> {
        self.engine.total_stats(every)
    }

    /// Returns the resource usage over the last six hours, the oldest first: averages over 10 s for
    /// the last 15 minutes, and over a minute and five minutes before. Intervals do not overlap.
    /// Empty if the container is not running, or has just been started.
    ///
    /// # Errors
    ///
    /// `No such container: x`.
    pub async fn past_usage(&self, target: &str) -> Result<Vec<PastUsage>> {
        self.on(target, |engine, target| engine.past_usage(target)).await
    }
}
