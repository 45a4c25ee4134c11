//! Layers, as a tar and as a folder. No other module knows their format.
//!
//! ```text
//! packed bytes ── stream ──▶ tar ── apply ──▶ diff/      as overlayfs stacks it
//!                            tar ◀── write ── diff/, or a container's upper folder
//!                                   changes ▶ what is removed, added and hidden, in order
//! ```
//!
//! The folder of a layer, like the upper folder of a container, holds what the layer adds or
//! changes. A removed name is a character device 0:0, and a folder that hides the layers below has
//! an attribute ([`look`]). In the tar both are names: `.wh.<name>` and `.wh..wh..opq`.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>
//!
//! What depends on the layers below is stored beside the folder, as [`Traits`].

pub mod apply;
pub mod changes;
pub mod compare;
pub mod compression;
pub mod error;
pub(crate) mod folders;
mod kind;
pub mod look;
pub(crate) mod marks;
pub mod stack;
pub mod stream;
pub mod tar;
mod traits;
mod usage;
pub mod write;

use apply::is_kept_attribute;
pub use apply::opaque_attribute;
pub use error::{Error, InputError};
pub use kind::{FileKind, Mark};
pub use stack::{LayerChange, LayerInfo, LayerPath, Waste};
pub use stream::LayerSource;
pub use traits::{Implied, RawPath, Traits};
pub use usage::usage;
pub use write::{WRITER_VERSION, write, write_root};

/// Limits for a single layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum unpacked size in bytes.
    pub bytes: u64,
    /// Maximum number of entries.
    pub entries: u64,
    /// Maximum ratio of unpacked to packed size.
    pub ratio: u64,
    /// Unpacked size in bytes up to which the ratio is not checked.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 30, entries: 20_000_000, ratio: 200, free: 4 << 30 }
    }
}
