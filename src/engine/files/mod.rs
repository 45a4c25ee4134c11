//! The files of containers, images and this machine: list, read, copy and change them.
//!
//! ```text
//! running container    the root of its init, including binds and tmpfs
//! stopped container    its root and binds, mounted privately for the call and under its lock
//! image                its layers, mounted read-only for the call
//! this machine         its root
//! ```
//! [`crate::files`] performs the operations.

mod mounts;
mod open;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::{Doing, Result};
use super::{Engine, Reporter, blocking};
use crate::base::{ErrorKind, Explain};
use crate::files;
use crate::files::root::Root;
use open::Wish;
pub(super) use open::root_alone;

pub use crate::files::{
    Contents, Copied, DEEPEST, Entry, Error, Existing, Listing, MOST_ENTRIES, Stamp, Weight, shown,
};
pub use crate::layer::{FileKind, Mark};

/// A request that the engine refuses before it looks at any file.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// The container is about to be restarted, so its root belongs to its monitor.
    #[error("the container is being restarted by its policy")]
    Restarting,
    /// Copies require that one side is this machine.
    #[error("files can only be copied to or from this machine")]
    NoHost,
}

impl Explain for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Restarting => ErrorKind::Conflict,
            Self::NoHost => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Restarting => Some("stop it first, or wait until it is running".to_owned()),
            Self::NoHost => None,
        }
    }
}

/// A file tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// This machine's files.
    Host,
    /// A container's files, by name or id.
    Container(String),
    /// An image's files, by name or id: all its layers together.
    Image(String),
    /// Only this many layers of an image, counted from the lowest.
    Layers(String, usize),
}

impl Place {
    /// Returns the name for messages: `web`, `this machine`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Host => "this machine".to_owned(),
            Self::Container(name) | Self::Image(name) => name.clone(),
            Self::Layers(name, count) => format!("{name}, layer {count}"),
        }
    }

    /// Whether its files can never be changed.
    #[must_use]
    pub fn is_image(&self) -> bool {
        matches!(self, Self::Image(_) | Self::Layers(..))
    }
}

/// What to copy, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// The source.
    pub from: Place,
    /// The source folder.
    pub folder: PathBuf,
    /// The names in the source folder.
    pub names: Vec<OsString>,
    /// The destination. Either it or the source is this machine.
    pub to: Place,
    /// The destination folder.
    pub into: PathBuf,
    /// What to do with existing files.
    pub existing: Existing,
}

/// The verbs of files.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// Returns the verbs of files.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files { engine: self }
    }
}

impl Files<'_> {
    /// Runs synchronous work on a thread that may block.
    async fn on<T: Send + 'static>(
        &self,
        place: &Place,
        path: &Path,
        (doing, wish): (&'static str, Wish),
        work: impl FnOnce(&Root, &Path) -> files::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (engine, place, path) = (self.engine.clone(), place.clone(), path.to_owned());
        blocking(move || {
            let doing = || format!("{doing} `{}` of {}", shown(&path), whose(&engine, &place));
            let root = open::root(&engine, &place, wish, doing)?;
            work(&root, &path).doing(doing)
        })
        .await
    }

    /// Lists the folder `path`.
    ///
    /// # Errors
    ///
    /// If there is no such folder, container or image.
    pub async fn list(&self, place: &Place, path: &Path) -> Result<Listing> {
        self.on(place, path, ("list", Wish::Read), files::list).await
    }

    /// Reads the first `most` bytes of the file `path`. Symbolic links are resolved inside the
    /// root. Only regular files are read, to avoid blocking on a pipe or accessing a device.
    ///
    /// # Errors
    ///
    /// [`Error::NotPlain`], or if there is no such file.
    pub async fn read(&self, place: &Place, path: &Path, most: usize) -> Result<Contents> {
        self.on(place, path, ("read", Wish::Read), move |root, path| files::read(root, path, most)).await
    }

    /// Replaces the contents of the file `path` atomically. Its owner and mode are kept.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] if it has changed since `stamp`; [`Error::ReadOnly`].
    pub async fn write(&self, place: &Place, path: &Path, bytes: Vec<u8>, stamp: Stamp) -> Result<()> {
        let work = move |root: &Root, path: &Path| files::change::write(root, path, &bytes, stamp);
        self.on(place, path, ("write", Wish::Change), work).await
    }

    /// Creates the folder `name` in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::ReadOnly`].
    pub async fn make_folder(&self, place: &Place, path: &Path, name: &OsStr) -> Result<()> {
        let name = name.to_owned();
        let work = move |root: &Root, path: &Path| files::change::make_folder(root, path, &name);
        self.on(place, path, ("create a folder in", Wish::Change), work).await
    }

    /// Renames `name` in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::ReadOnly`].
    pub async fn rename(&self, place: &Place, path: &Path, name: &OsStr, new: &OsStr) -> Result<()> {
        let (name, new) = (name.to_owned(), new.to_owned());
        let work = move |root: &Root, path: &Path| files::change::rename(root, path, &name, &new);
        self.on(place, path, ("rename a file in", Wish::Change), work).await
    }

    /// Removes `names` from the folder `path`, folders recursively. Symbolic links are not
    /// followed. Returns the number of removed files and folders.
    /// # Errors
    ///
    /// [`Error::ReadOnly`], [`Error::Cancelled`]. What was removed by then remains removed.
    pub async fn remove(
        &self,
        place: &Place,
        path: &Path,
        names: Vec<OsString>,
        reporter: Reporter,
    ) -> Result<u64> {
        let work = move |root: &Root, path: &Path| files::change::remove(root, path, &names, &reporter);
        self.on(place, path, ("delete files in", Wish::Change), work).await
    }

    /// Measures `names` in the folder `path`. Unreadable folders count nothing, and counting stops
    /// at a limit.
    ///
    /// # Errors
    ///
    /// If one of them does not exist.
    pub async fn weigh(&self, place: &Place, path: &Path, names: Vec<OsString>) -> Result<Vec<Weight>> {
        let work = move |root: &Root, path: &Path| files::weigh(root, path, &names);
        self.on(place, path, ("count the files in", Wish::Read), work).await
    }

    /// Copies files and folders between this machine and a container, or from an image. In a
    /// container, the copies belong to root; on this machine, to the caller. Permissions except
    /// set-id bits, times and symbolic links are kept. Devices, pipes and sockets are skipped,
    /// which the result reports.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if existing files must not be replaced; [`Error::ReadOnly`];
    /// [`Error::Cancelled`]. Files that were completely copied by then remain.
    pub async fn copy(&self, request: CopyRequest, reporter: Reporter) -> Result<Copied> {
        let engine = self.engine.clone();
        blocking(move || copy(&engine, &request, &reporter)).await
    }
}

fn copy(engine: &Engine, request: &CopyRequest, reporter: &Reporter) -> Result<Copied> {
    let doing = || format!("copy from {} to {}", whose(engine, &request.from), whose(engine, &request.to));
    if request.from != Place::Host && request.to != Place::Host {
        return Err(Refusal::NoHost).doing(doing);
    }
    let to = open::root(engine, &request.to, Wish::Change, doing)?;
    let from = open::root(engine, &request.from, Wish::Read, doing)?;
    let job = files::copy::Job {
        from: &from,
        folder: &request.folder,
        names: &request.names,
        to: &to,
        into: &request.into,
        existing: request.existing,
    };
    files::copy::copy(&job, reporter).doing(doing)
}

/// Returns the place in words for messages.
fn whose(engine: &Engine, place: &Place) -> String {
    match place {
        Place::Container(target) => engine.called(target),
        other => other.name(),
    }
}
