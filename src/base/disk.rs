//! Files that are whole after a crash, and locks between processes.
//!
//! A state file is replaced, never written in place: write beside, rename. Readers
//! therefore take no lock. Writers take one, and locks come in this order:
//!
//! ```text
//! container → volume → network → image → store
//! ```
//!
//! The last four are leaves: held for one file change, never across a wait, a process
//! start or an await. Debug builds assert the order (see [`Rank`]).
//!
//! # After a power cut
//!
//! What was reported as done is there. A record is on the disk before it gets its name
//! ([`write_state_synced`]), the many files of an image by one [`sync`] before its record names
//! them, and the folders that changed before the answer ([`sync_folders`]). A process killed in
//! between leaves the old file, or one that nobody was told of. In this order, where `+` is one
//! call for several folders:
//!
//! ```text
//! create     record, name → sync record → folder + containers + names      (till then `unsynced`)
//! rename     new name → names → record synced → folder → old name goes → names
//! rm         folder moved to discarded, name goes → containers + names
//! rm, kept   note synced → folder → moved to trash, name goes → trash + containers + names
//! restore    record synced, name → folder + names → moved back → containers + trash
//! a start,   record synced → folder
//! an end
//!
//! pull load import from-host
//!            layers, blobs → sync → record synced, references synced → images [+ refs]
//! tag        reference synced, record synced → refs + images
//! rmi        references and records go → [refs] + [images]
//! rmi, kept  note and copies synced → copies' folder + trash → references and records go,
//!            the folder gets its name → [refs] + [images] + trash
//! restore    the folder gets its moving name → records and references that are not there,
//!            synced → [images] + [refs] → the folder goes → trash
//! purge      renamed in the trash → trash → its layers and files are deleted
//! ```
//! Folders in brackets are synced only if they changed. An undo is a restore. What is moved
//! between two folders is synced where it arrives before where it was.
//!
//! These may be lost, and are written without waiting for the disk ([`write_state`]):
//!
//! - everything below the run folder (`run.json`, leases, the journal): a reboot voids it;
//! - all files of a container with `--rm`, which a reboot ends: its folder says so
//!   (`container::store`), so that a torn record is litter and not a damaged container;
//! - logs, and what a container wrote to its own file system: that is for its program to sync;
//! - unfinished downloads, and the notes of when the store was swept.

#[cfg(test)]
pub(crate) mod cut;
mod draft;
mod error;
mod json;
mod lock;
mod read;
mod sync;
mod unknown;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

pub use draft::{Draft, replace};
pub use error::{Error, Result};
pub(crate) use json::state;
pub use json::{
    State, overwrite_state, read_json, read_state, write_state, write_state_synced, write_states_synced,
};
pub use lock::{Lock, Rank};
pub use read::{open, open_to_append, open_to_overwrite, read, read_bytes, read_regular_text, read_text};
pub use sync::{sync, sync_file, sync_folders};
pub use unknown::{Kept, Unknown, Unrecognized};

/// Creates `path` and what is missing above it, mode 0700.
///
/// # Errors
///
/// What mkdir(2) says; that it exists already is no error.
pub fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}
