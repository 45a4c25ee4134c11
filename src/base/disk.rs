//! Files that survive a crash whole, and locks between processes.
//!
//! A state file is never written in place: the new one is written beside it and renamed over it.
//! Readers therefore take no lock. Writers do, in this order:
//!
//! ```text
//! tui.json → container → volume → network → image → store
//! ```
//!
//! All but a container's are held for a single file change only, never while waiting, starting a
//! process or across an await. That of `tui.json`, which the terminal UI saves, is held together with
//! no other. Debug builds assert the order (see [`Rank`]).
//!
//! # After a power cut
//!
//! What was reported as done survives a power cut. A record is synced before it gets its name
//! ([`write_state_synced`]); the files of an image are synced with one [`sync`] before its record
//! refers to them; and changed folders are synced before the answer ([`sync_folders`]). A process
//! killed in between leaves the old file, or a new one that was never reported. The order of steps
//! is as follows, where `+` joins folders that are synced in one call:
//!
//! ```text
//! create     record, name → sync record → folder + containers + names      (`unsynced` until then)
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
//! Folders in brackets are synced only if they changed. An undo is a restore. What moves between
//! two folders is synced in the new one before the old one.
//!
//! The following may be lost, and is written without syncing ([`write_state`]):
//!
//! - everything in the run folder (`run.json`, leases, the journal), which a reboot invalidates;
//! - all files of a container with `--rm`, which ends at a reboot: its folder is marked as such
//!   (`container::store`), so that a torn record is treated as litter, not as a damaged container;
//! - logs, and a container's own file system, which its programs have to sync themselves;
//! - unfinished downloads, and the times at which the store was swept.

mod aside;
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

pub use aside::set_aside;
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

/// Creates `path` and its missing parents with mode 0700.
///
/// # Errors
///
/// Errors of mkdir(2), except that the folder exists.
pub fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}
