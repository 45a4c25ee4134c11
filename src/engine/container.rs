//! The verbs of containers.

use std::time::Duration;

use jiff::Timestamp;

pub use crate::container::log::{LogRecord, Stream};

use super::attach::{Attached, Session};
use super::error::Result;
use super::stats::{Sample, Top};
use super::{ContainerId, Engine, ExecId, Name, Options, PullPolicy, Record, Reporter, Run, Status};

/// A container as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// What outlives a reboot.
    pub record: Record,
    /// What does not; `None` when it is not up.
    pub run: Option<Run>,
    /// How it is.
    pub status: Status,
    /// Bytes on disk, where asked for.
    pub size: Option<DiskUse>,
}

/// What a container takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Its own changes.
    pub writable: u64,
    /// Those and its image's layers.
    pub total: u64,
    /// Its log files.
    pub log: u64,
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// Its name, also when hoist chose it.
    pub name: Name,
    /// What is accepted but not as asked (a limit this kernel lacks, …).
    pub warnings: Vec<String>,
}

/// What to create.
#[derive(Debug, Clone)]
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
    /// Only the last so many.
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

#[expect(
    unused_variables,
    clippy::unused_async,
    missing_docs,
    clippy::missing_errors_doc,
    reason = "contract; the monitor part fills it"
)]
impl Containers<'_> {
    /// All containers, newest first.
    pub async fn list(&self) -> Result<Vec<Container>> {
        unimplemented!()
    }
    pub async fn get(&self, target: &str) -> Result<Container> {
        unimplemented!()
    }
    /// Adds [`DiskUse`].
    pub async fn measure(&self, container: Container) -> Result<Container> {
        unimplemented!()
    }
    /// Pulls a missing image as the request's policy says.
    pub async fn create(&self, request: CreateRequest, reporter: Reporter) -> Result<Created> {
        unimplemented!()
    }
    pub async fn start(&self, target: &str) -> Result<()> {
        unimplemented!()
    }
    /// Starts it with a client that sees its output from the first byte.
    pub async fn start_attached(
        &self,
        target: &str,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Attached> {
        unimplemented!()
    }
    pub async fn attach(&self, target: &str, options: AttachOptions) -> Result<Attached> {
        unimplemented!()
    }
    /// `signal` as written (`SIGINT`, `int`, `2`); `None` takes the container's.
    pub async fn stop(&self, target: &str, signal: Option<&str>, timeout_secs: Option<i64>) -> Result<()> {
        unimplemented!()
    }
    pub async fn restart(&self, target: &str, signal: Option<&str>, timeout_secs: Option<i64>) -> Result<()> {
        unimplemented!()
    }
    pub async fn kill(&self, target: &str, signal: &str) -> Result<()> {
        unimplemented!()
    }
    pub async fn pause(&self, target: &str) -> Result<()> {
        unimplemented!()
    }
    pub async fn unpause(&self, target: &str) -> Result<()> {
        unimplemented!()
    }
    pub async fn remove(&self, target: &str, force: bool, volumes: bool) -> Result<()> {
        unimplemented!()
    }
    pub async fn rename(&self, target: &str, name: Name) -> Result<()> {
        unimplemented!()
    }
    /// The exit code.
    pub async fn wait(&self, target: &str, condition: WaitFor) -> Result<u8> {
        unimplemented!()
    }
    pub async fn exec(&self, target: &str, request: ExecRequest, options: AttachOptions) -> Result<Session> {
        unimplemented!()
    }
    pub async fn exec_detached(&self, target: &str, request: ExecRequest) -> Result<ExecId> {
        unimplemented!()
    }
    /// Records in order; the channel closes at the end, or when the receiver is dropped.
    pub async fn logs(
        &self,
        target: &str,
        request: LogRequest,
    ) -> Result<tokio::sync::mpsc::Receiver<Result<LogRecord>>> {
        unimplemented!()
    }
    pub async fn top(&self, target: &str) -> Result<Top> {
        unimplemented!()
    }
    /// A sample now, then one per `every` while the receiver is there.
    pub async fn stats(&self, target: &str, every: Duration) -> Result<tokio::sync::mpsc::Receiver<Sample>> {
        unimplemented!()
    }
}
