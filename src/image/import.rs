//! Makes an image of a root file system's tar.

use super::error::{Error, Result};
use super::input::Input;
use super::store::Store;
use crate::base::progress::Reporter;
use crate::oci::{ImageId, Platform, Reference};

/// What to import.
#[derive(Debug)]
pub struct ImportRequest {
    /// The tar, plain or packed with gzip or zstd.
    pub input: Input,
    /// The image's name.
    pub name: Option<Reference>,
    /// Dockerfile instructions that change its configuration: `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// A comment in its history.
    pub message: Option<String>,
    /// What it was built for; this machine's platform unless named.
    pub platform: Option<Platform>,
}

/// Imports it.
///
/// # Errors
///
/// When the tar or a change is malformed.
pub fn import(_store: &Store, _request: ImportRequest, _reporter: &Reporter) -> Result<ImageId> {
    Err(Error::Refused("importing is not built yet".to_owned()))
}
