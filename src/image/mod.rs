//! Images on disk: the content store, its layers, and the ways to add images without a registry
//! (load, import, creation from the host's programs).
//!
//! ```text
//! <root>/blobs/<alg>/<hex>      manifests, configurations, layers as they were received
//! <root>/ingest/                unfinished work: <alg>-<hex>.part, unpack-<hex>/, leases/
//! <root>/layers/<n>/            diff/ and meta.json of one unpacked layer
//! <root>/layers/by-diff/<hex>   → ../<n>: the link makes the layer exist
//! <root>/images/<hex>.json      one image: its layers, bottom first
//! <root>/refs/<name>.json       one name, and its image for each platform
//! ```
//!
//! Invariants: a file or folder with its final name is complete, because it was renamed into place.
//! An image's record is written after one syncfs of everything it refers to. There are no reference
//! counts: what can be removed is found by mark and sweep ([`Store::sweep`]).

mod archive;
pub mod aside;
mod chain;
pub mod change;
pub mod commit;
pub mod compare;
pub mod config;
mod damaged;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod history;
pub mod host;
pub mod import;
pub mod ingest;
pub mod input;
pub mod known;
pub mod layer;
pub mod lease;
pub mod load;
pub mod manifest;
pub mod record;
pub mod refs;
pub mod remove;
pub mod store;
pub mod sweep;
pub mod tail;
pub mod view;

pub use aside::Kept;
pub use commit::Commit;
pub use damaged::Damaged;
pub use error::{Error, Result};
pub use ingest::{Begun, Ingest};
pub use input::Input;
pub use layer::Layer;
pub use lease::Lease;
pub use record::Record;
pub use remove::{Force, Parents, Removed, User};
pub use store::{Limits, Store};
pub use sweep::{Roots, Swept};

#[cfg(test)]
mod tests;
