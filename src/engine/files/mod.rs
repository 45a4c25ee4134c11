//! The files of containers, images and this machine: looked at, copied, changed.
//!
//! ```text
//! a container that runs    inside its first process's root: binds and tmpfs too
//! one that does not        its root and its binds, mounted where nobody else sees them, for
//!                          the call and under its lock
//! an image                 its layers, mounted read-only for the call
//! this machine             its root
//! ```
//! What is done with them is [`crate::files`]'s.

mod mounts;
mod open;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::{Doing, Result};
use super::{Engine, Reporter, blocking};
use crate::files;
use crate::files::root::Root;
use open::Wish;
pub(super) use open::root_alone;

pub use crate::files::{
    Contents, Copied, DEEPEST, Entry, Error, Existing, Listing, MOST_ENTRIES, Stamp, Weight, shown,
};
pub use crate::layer::{FileKind, Mark};

/// Whose files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// This machine's.
    Host,
    /// A container's, by name or id.
    Container(String),
    /// An image's, by name or id: all its layers together.
    Image(String),
    /// This many of an image's layers, from the lowest.
    Layers(String, usize),
}

impl Place {
    /// For messages: `web`, `this machine`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Host => "this machine".to_owned(),
            Self::Container(name) | Self::Image(name) => name.clone(),
            Self::Layers(name, count) => format!("{name}, layer {count}"),
        }
    }

    /// Whether nothing in it can be changed, whatever is asked.
    #[must_use]
    pub fn is_image(&self) -> bool {
        matches!(self, Self::Image(_) | Self::Layers(..))
    }
}

/// What is copied, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// Whose files.
    pub from: Place,
    /// The folder they are in.
    pub folder: PathBuf,
    /// Their names.
    pub names: Vec<OsString>,
    /// Whose they are to be; one of both sides is this machine.
    pub to: Place,
    /// The folder they go to.
    pub into: PathBuf,
    /// What happens to what is there.
    pub existing: Existing,
}

/// The verbs of files.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// The verbs of files.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files { engine: self }
    }
}

impl Files<'_> {
    /// Runs synchronous work where it may block.
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

    /// What the folder `path` holds.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or no such container or image.
    pub async fn list(&self, place: &Place, path: &Path) -> Result<Listing> {
        self.on(place, path, ("list", Wish::Read), files::list).await
    }

    /// The first `most` bytes of the file `path`, links followed inside its root. Nothing
    /// but plain files is read: no pipe is waited for, no device touched.
    ///
    /// # Errors
    ///
    /// [`Error::NotPlain`]; when there is no such file.
    pub async fn read(&self, place: &Place, path: &Path, most: usize) -> Result<Contents> {
        self.on(place, path, ("read", Wish::Read), move |root, path| files::read(root, path, most)).await
    }

    /// Gives the file `path` other contents at once: owner and mode stay.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] when it has changed since `stamp`; [`Error::ReadOnly`].
    pub async fn write(&self, place: &Place, path: &Path, bytes: Vec<u8>, stamp: Stamp) -> Result<()> {
        let work = move |root: &Root, path: &Path| files::change::write(root, path, &bytes, stamp);
        self.on(place, path, ("write", Wish::Change), work).await
    }

    /// Makes the folder `name` in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::ReadOnly`].
    pub async fn make_folder(&self, place: &Place, path: &Path, name: &OsStr) -> Result<()> {
        let name = name.to_owned();
        let work = move |root: &Root, path: &Path| files::change::make_folder(root, path, &name);
        self.on(place, path, ("make a folder in", Wish::Change), work).await
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

    /// Removes `names` from the folder `path`, folders with all that is in them; no link is
    /// followed. Returns how many files and folders went.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`], [`Error::Cancelled`]; what went by then is
    /// gone.
    pub async fn remove(
        &self,
        place: &Place,
        path: &Path,
        names: Vec<OsString>,
        reporter: Reporter,
    ) -> Result<u64> {
        let work = move |root: &Root, path: &Path| files::change::remove(root, path, &names, &reporter);
        self.on(place, path, ("delete in", Wish::Change), work).await
    }

    /// How much `names` of the folder `path` are. What cannot be read counts nothing, and at
    /// some number counting ends.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub async fn weigh(&self, place: &Place, path: &Path, names: Vec<OsString>) -> Result<Vec<Weight>> {
        let work = move |root: &Root, path: &Path| files::weigh(root, path, &names);
        self.on(place, path, ("count the files in", Wish::Read), work).await
    }

    /// Copies files and folders between this machine and a container, or out of an image.
    /// What arrives belongs to root in a container and to the caller here, keeps its
    /// permissions but no set-id bit, and its times. Links stay links; devices, pipes and
    /// sockets are left out, and said so.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] where that is not wanted; [`Error::ReadOnly`]; [`Error::Cancelled`]:
    /// files that were copied whole by then stay.
    pub async fn copy(&self, request: CopyRequest, reporter: Reporter) -> Result<Copied> {
        let engine = self.engine.clone();
        blocking(move || copy(&engine, &request, &reporter)).await
    }
}

fn copy(engine: &Engine, request: &CopyRequest, reporter: &Reporter) -> Result<Copied> {
    let doing = || format!("copy from {} to {}", whose(engine, &request.from), whose(engine, &request.to));
    if request.from != Place::Host && request.to != Place::Host {
        return Err(Error::NoHost).doing(doing);
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

/// Whose files they are, in words for people.
fn whose(engine: &Engine, place: &Place) -> String {
    match place {
        Place::Container(target) => engine.called(target),
        other => other.name(),
    }
}
