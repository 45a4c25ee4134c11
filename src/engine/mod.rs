//! The facade: every verb of every noun, for all front ends.
//!
//! An [`Engine`] is a value for two state folders. Any number of engines can run side by side, in
//! any number of processes. Methods are grouped by noun (`engine.containers().start("web", …)`),
//! exchange plain data, and are async; the synchronous work below them runs on blocking threads.
//! [`Engine::events`] reports changes, including those made by other processes.

pub mod archive;
pub mod attach;
pub mod boot;
pub mod container;
mod damaged;
pub mod error;
pub mod event;
pub mod exec;
pub mod files;
pub mod folders;
pub mod image;
pub mod layers;
pub mod logview;
pub mod machine;
pub mod network;
pub mod process;
pub mod pull;
mod registries;
pub mod removal;
mod reset;
pub mod settings;
pub mod stats;
mod top;
pub mod trash;
mod watch;

use std::fs::File;
use std::io;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::task::JoinError;

use self::event::Journal;
use self::registries::Registries;
use self::watch::Watcher;
use crate::base::Paths;
use crate::container::{Record, Run};

pub use crate::base::disk::{Kept, Unknown};
pub use crate::base::journal::{Actor, Event, Kind};
pub use crate::base::progress::{Phase, Progress, Reporter};
pub use crate::base::{ContainerId, ErrorKind, ExecId, Explain, Name, NetworkId};
pub use crate::container::log::{
    BadPattern, Filter as LogFilter, Level, MAX_FILES as MAX_LOG_FILES, Matcher, Pattern, Rule as LogRule,
};
pub use crate::container::options::resources::ULIMITS;
pub use crate::container::{
    Bind, Conflict, ExitState, LifecycleOptions, LogOptions, MountKind, MountOptions, MountRequest,
    NetworkMode, NetworkOptions, Options, Process, ProcessOptions, Propagation, PullPolicy, Relabel,
    ResourceOptions, RestartPolicy, Seccomp, SecurityOptions, Status, Streams, Submounts, Tmpfs, Ulimit,
    Verb,
};
pub use crate::image::Limits as ImageLimits;
pub use crate::network::{Bridge, Driver as NetworkDriver, Member, NetworkView, Subnet};
pub use crate::oci::{Digest, ImageId, Platform, Reference};
pub use crate::registry::Settings as RegistrySettings;
pub use crate::sys::stdio::check_output;
pub use archive::{ArchiveFeed, ArchiveStream, fed_archive};
pub use attach::{Attached, Input, Output, Session};
pub use boot::Outcome;
pub use container::{
    AttachOptions, ContainerFiles, ContainerView, Containers, CreateRequest, Created, DiskUse, ExecRequest,
    Exit, LogRecord, LogRequest, Stream, WaitFor, Warnings,
};
pub use damaged::{Damaged, Listing};
pub use error::{Ambiguous, Doing, Error, NotFound, Result, Unsupported};
pub use event::{EventFilter, EventRequest, Events, News};
pub use exec::{CreatedExec, ExecStatus, ExecView, Execs};
pub use files::Files;
pub use folders::FileWatch;
pub use image::{
    Force, HistoryEntry, ImageDetail, ImageView, Images, ImportRequest, Input as ArchiveInput, Loaded,
    Parents, Removed, Swept,
};
pub use layers::LayerReport;
pub use logview::{
    FindAsk, LogForm, LogFrom, LogHit, LogLine, LogPage, LogPlace, LogQuery, LogSpot, LogState, LogView,
    PageAsk, SaveLog, Wanted as LogWanted,
};
pub use machine::{AppArmor, Machine};
pub use network::{Networks, find_network};
pub use process::ProcessDetail;
pub use pull::{PullOptions, PullStatus, Pulled};
pub use removal::{Fate, Gone, ImageRemoval, Removal, Running};
pub use settings::{Folders, OWN_PROGRAM, Settings};
pub use stats::{Averages, Lost, PastUsage, Pressure, ProcessRow, RESOURCES, Sample, Stall, Top, TotalUsage};
pub use trash::{Emptied, Restored, Space, Trash, TrashDetail, TrashEntry};

/// The engine. Cheap to clone: clones share the follower of the journal and the registry client.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// When this process last checked whether the trash contains anything due.
    looked: Mutex<Option<Instant>>,
    watcher: Arc<Watcher>,
    journal: Arc<Journal>,
    registries: Registries,
}

impl Engine {
    /// Opens the state folders. Creates missing ones with mode 0700.
    ///
    /// # Errors
    ///
    /// If they cannot be created or do not belong to the caller.
    pub fn open(settings: Settings) -> Result<Self> {
        settings.make_folders()?;
        let watcher = Arc::new(Watcher::default());
        let journal = Journal::new(settings.paths.journal(), watcher.clone());
        let registries = Registries::new(settings.registry.clone());
        let looked = Mutex::new(None);
        Ok(Self { inner: Arc::new(Inner { settings, looked, watcher, journal, registries }) })
    }

    /// Returns the location of the state.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.inner.settings.paths
    }

    /// Returns the settings of the engine.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }
}

/// Runs synchronous work on a thread that may block.
///
/// # Errors
///
/// The errors of the work.
///
/// # Panics
///
/// If the work panics.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (to, mut done) = oneshot::channel();
    // Boxed, so that the runtime's code is not compiled again for each type of work.
    let work: Box<dyn FnOnce() + Send> = Box::new(move || drop(to.send(work())));
    let joined = tokio::task::spawn_blocking(work).await;
    match joined.map_err(JoinError::try_into_panic) {
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Ok(()) | Err(Err(_)) => {
            done.try_recv().unwrap_or_else(|_| Err(Error::new("finish the work", Stopped)))
        }
    }
}

/// Checks that `count` threads can be started, since tokio would panic otherwise.
///
/// # Errors
///
/// `EAGAIN` at a process limit, `ENOMEM`.
pub fn check_threads(count: usize) -> io::Result<()> {
    let (hold, held) = channel::<()>();
    let held = &Mutex::new(held);
    thread::scope(move |scope| {
        let wait = || drop(held.lock().map(|held| held.recv()));
        let threads = (0..count).map(|_| thread::Builder::new().spawn_scoped(scope, wait));
        let threads: io::Result<Vec<_>> = threads.collect();
        drop(hold); // ends the threads
        for thread in threads? {
            let _ = thread.join(); // nothing in it panics
        }
        Ok(())
    })
}

/// Checks that enough descriptors are available, since tokio would panic otherwise.
///
/// # Errors
///
/// `EMFILE`, `ENFILE`.
pub fn check_descriptors() -> io::Result<()> {
    const WANTED: usize = 8; // tokio needs six
    (0..WANTED).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>().map(drop)
}

/// The program is exiting.
#[derive(Debug, thiserror::Error)]
#[error("hoist is exiting")]
struct Stopped;

impl Explain for Stopped {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Interrupted
    }
}
