//! Pull: what a registry has becomes an image of the store.

use crate::oci::{Digest, ImageId, Platform};

/// How to pull.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// For which platform; this machine's unless named.
    pub platform: Option<Platform>,
}

/// What a pull brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The image.
    pub image: ImageId,
    /// The digest the registry knows it by: of an index, perhaps.
    pub digest: Digest,
    /// Whether anything changed.
    pub status: PullStatus,
}

/// Whether a pull changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullStatus {
    /// The reference names another image than before, or is new.
    Downloaded,
    /// The reference named this image before.
    UpToDate,
}
