//! The files of a root: listed, read, weighed, copied, changed.
//!
//! Whoever fills a tree is not trusted. Every path is resolved by openat2(2) inside its root
//! and worked on by descriptor from there; nothing but plain files is ever opened to be read;
//! what is written is written beside and renamed.

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

/// More entries of a folder are not listed.
pub const MOST_ENTRIES: usize = 20_000;

/// Folders in folders, further down than that, are not followed.
pub const DEEPEST: usize = 200;

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

/// A path for people: no byte of it reaches a terminal as a control character.
#[must_use]
pub fn shown(path: impl AsRef<OsStr>) -> String {
    text::line(&path.as_ref().to_string_lossy()).into_owned()
}

/// Does work on a thread of its own, which may stay in a namespace that it has entered.
fn beside<T: Send>(work: impl FnOnce() -> sys::Result<T> + Send) -> sys::Result<T> {
    std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, work);
        let beside = sys::check(beside, || "clone()".to_owned())?;
        beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
