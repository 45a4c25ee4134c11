//! The files of containers, images and this machine: looked at, copied, changed.
//!
//! ```text
//! a container that runs    inside its first process's root: binds and tmpfs too
//! one that does not        its root and its binds, mounted where nobody else sees them, for
//!                          the call and under its lock
//! an image                 its layers, mounted read-only for the call
//! this machine             its root
//! ```
//! Whoever fills these trees is not trusted. Every path is resolved by openat2(2) inside
//! its root and worked on by descriptor from there; nothing but plain files is ever opened
//! to be read; what is written is written beside and renamed.

mod change;
mod copy;
mod error;
mod list;
mod mounts;
mod root;
mod weigh;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::Result;
use super::{Engine, Reporter, blocking};

use crate::base::text;

pub use crate::layer::{FileKind, Mark};
use error::Done;
pub use error::Error;
pub(in crate::engine) use list::names;

/// More entries of a folder are not listed.
pub const MOST_ENTRIES: usize = 20_000;

/// Folders in folders, further down than that, are not followed.
pub const DEEPEST: usize = 200;

/// Whose files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// This machine's.
    Host,
    /// A container's, by name or id.
    Container(String),
    /// An image's, by name or id: all its layers together.
    Image(String),
    /// The lowest so many layers of an image.
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

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Where it really is in its root, links resolved.
    pub folder: PathBuf,
    /// What is in it, by name; what was removed since the image too.
    pub entries: Vec<Entry>,
    /// It holds more than was read.
    pub has_more: bool,
    /// It cannot be changed.
    pub is_read_only: bool,
}

/// One file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: any bytes but `/` and zero.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits, as of chmod(1).
    pub mode: u32,
    /// The owner's name in that root, or number.
    pub owner: String,
    /// The group's name in that root, or number.
    pub group: String,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
    /// Where a symbolic link points.
    pub target: Option<OsString>,
    /// A symbolic link to a folder.
    pub leads_to_folder: bool,
    /// What is mounted there: `tmpfs`, `→ /srv/data`.
    pub mount: Option<String>,
    /// How it differs from the image.
    pub mark: Option<Mark>,
}

/// A file's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// There are more.
    pub is_cut: bool,
    /// Which file, in which state.
    pub stamp: Stamp,
}

/// Which file, in which state: it tells whether somebody changed it meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// What a copy does where something of that name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It fails.
    Keep,
    /// Files are replaced, folders filled.
    Replace,
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

/// How much a file or a folder is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    /// Its name.
    pub name: OsString,
    /// It is a folder.
    pub is_folder: bool,
    /// Files and links, of a folder those in it.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// There is more than was counted.
    pub is_more: bool,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files and links.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// How many were left out: devices, pipes, what vanished.
    pub skipped: u64,
    /// Why, for the first of them.
    pub notes: Vec<String>,
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
        doing: &'static str,
        work: impl FnOnce(&Engine, &Place, &Path) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        let (engine, place, path) = (self.engine.clone(), place.clone(), path.to_owned());
        blocking(move || {
            work(&engine, &place, &path).map_err(|fault| {
                fault.told(|| format!("{doing} `{}` of {}", shown(&path), whose(&engine, &place)))
            })
        })
        .await
    }

    /// What the folder `path` holds.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or no such container or image.
    pub async fn list(&self, place: &Place, path: &Path) -> Result<Listing> {
        self.on(place, path, "list", list::list).await
    }

    /// The first `most` bytes of the file `path`, links followed inside its root. Nothing
    /// but plain files is read: no pipe is waited for, no device touched.
    ///
    /// # Errors
    ///
    /// [`Error::NotPlain`]; when there is no such file.
    pub async fn read(&self, place: &Place, path: &Path, most: usize) -> Result<Contents> {
        self.on(place, path, "read", move |engine, place, path| list::read(engine, place, path, most)).await
    }

    /// Gives the file `path` other contents at once: owner and mode stay.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] when it is not as `stamp` says any more; [`Error::ReadOnly`].
    pub async fn write(&self, place: &Place, path: &Path, bytes: Vec<u8>, stamp: Stamp) -> Result<()> {
        let work = move |engine: &Engine, place: &Place, path: &Path| {
            change::write(engine, place, path, &bytes, stamp)
        };
        self.on(place, path, "write", work).await
    }

    /// Makes the folder `name` in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::ReadOnly`].
    pub async fn make_folder(&self, place: &Place, path: &Path, name: &OsStr) -> Result<()> {
        let name = name.to_owned();
        let work = move |engine: &Engine, place: &Place, path: &Path| {
            change::make_folder(engine, place, path, &name)
        };
        self.on(place, path, "make a folder in", work).await
    }

    /// Renames `name` in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::ReadOnly`].
    pub async fn rename(&self, place: &Place, path: &Path, name: &OsStr, new: &OsStr) -> Result<()> {
        let (name, new) = (name.to_owned(), new.to_owned());
        let work = move |engine: &Engine, place: &Place, path: &Path| {
            change::rename(engine, place, path, &name, &new)
        };
        self.on(place, path, "rename a file in", work).await
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
        let work = move |engine: &Engine, place: &Place, path: &Path| {
            change::remove(engine, place, path, &names, &reporter)
        };
        self.on(place, path, "delete in", work).await
    }

    /// How much `names` of the folder `path` are. What cannot be read counts nothing, and at
    /// some number counting ends.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub async fn weigh(&self, place: &Place, path: &Path, names: Vec<OsString>) -> Result<Vec<Weight>> {
        let work =
            move |engine: &Engine, place: &Place, path: &Path| weigh::weigh(engine, place, path, &names);
        self.on(place, path, "count the files in", work).await
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
        blocking(move || {
            copy::copy(&engine, &request, &reporter).map_err(|fault| {
                let (from, to) = (whose(&engine, &request.from), whose(&engine, &request.to));
                fault.told(|| format!("copy from {from} to {to}"))
            })
        })
        .await
    }
}

/// Whose files they are, in words for people.
fn whose(engine: &Engine, place: &Place) -> String {
    match place {
        Place::Container(target) => engine.called(target),
        other => other.name(),
    }
}

/// A path for people: no byte of it reaches a terminal as a control character.
#[must_use]
pub fn shown(path: impl AsRef<OsStr>) -> String {
    text::line(&path.as_ref().to_string_lossy()).into_owned()
}
