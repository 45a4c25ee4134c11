//! The files of a root: list, read, measure, copy and change them.
//!
//! The contents of a tree are not trusted. openat2(2) resolves every path inside its root, and
//! further operations use descriptors. Only regular files are ever opened for reading. Files are
//! written under a temporary name and renamed.

pub(crate) mod attach;
pub(crate) mod change;
pub(crate) mod copy;
mod error;
mod list;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod root;
mod weigh;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::base::text;
use crate::layer::{FileKind, Mark};
use crate::sys;

pub use error::Error;
pub(crate) use error::Result;
pub(crate) use list::{list, names, read};
pub(crate) use weigh::weigh;

/// Maximum number of entries listed in a folder.
pub const MOST_ENTRIES: usize = 20_000;

/// Maximum depth of nested folders.
pub const DEEPEST: usize = 200;

/// The contents of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its path in the root, with symbolic links resolved.
    pub folder: PathBuf,
    /// Its entries, sorted by name, including those removed since the image was created.
    pub entries: Vec<Entry>,
    /// Whether there are more entries.
    pub has_more: bool,
    /// Whether it is read-only.
    pub is_read_only: bool,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: any bytes but `/` and zero.
    pub name: OsString,
    /// Its type.
    pub kind: FileKind,
    /// The size of a file in bytes.
    pub size: u64,
    /// Permission bits, as in chmod(1).
    pub mode: u32,
    /// The owner's name in the root, or its number.
    pub owner: String,
    /// The group's name in the root, or its number.
    pub group: String,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
    /// The target of a symbolic link.
    pub target: Option<OsString>,
    /// Whether it is a symbolic link to a folder.
    pub leads_to_folder: bool,
    /// What is mounted there: `tmpfs`, `→ /srv/data`.
    pub mount: Option<String>,
    /// How it differs from the image.
    pub mark: Option<Mark>,
}

/// The beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// Whether the file has more.
    pub is_cut: bool,
    /// Identifies the file and its state.
    pub stamp: Stamp,
}

/// Identifies a file and its state, to detect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// How a copy handles existing files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It fails.
    Keep,
    /// Replace files, and copy into existing folders.
    Replace,
}

/// The size of a file or folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    /// Its name.
    pub name: OsString,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The number of files and links, for a folder recursively.
    pub files: u64,
    /// The bytes of the files.
    pub bytes: u64,
    /// Whether counting stopped at the limit.
    pub is_more: bool,
}

/// The result of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// The number of files and links.
    pub files: u64,
    /// The number of folders.
    pub folders: u64,
    /// The bytes of the files.
    pub bytes: u64,
    /// The number of skipped files: devices, pipes, files that were removed meanwhile.
    pub skipped: u64,
    /// Why the first of them were skipped.
    pub notes: Vec<String>,
}

/// Returns a path for display, with control characters escaped.
#[must_use]
pub fn shown(path: impl AsRef<OsStr>) -> String {
    text::line(&path.as_ref().to_string_lossy()).into_owned()
}

/// Runs work on its own thread, which may remain in a namespace that it has entered.
fn beside<T: Send>(work: impl FnOnce() -> sys::Result<T> + Send) -> sys::Result<T> {
    std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, work);
        let beside = sys::check(beside, || "clone()".to_owned())?;
        beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
