//! Layers: the one place that knows what a layer is, as a tar and as a folder.
//!
//! ```text
//! packed bytes ── stream ──▶ tar ── apply ──▶ diff/      as overlayfs stacks it
//!                            tar ◀── write ── diff/, or a container's upper folder
//!                                   changes ▶ what removes, adds and hides, in order
//! ```
//!
//! A folder of a layer, and the upper folder of a container, hold what the layer adds or
//! changes. A name that it removes is a character device 0:0 there, a folder that hides what
//! is below it has an attribute ([`look`]). In the tar both are names: `.wh.<name>` and
//! `.wh..wh..opq`.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>
//!
//! What a layer's tar leaves to the layers below it stays beside the folder, as [`Traits`].

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

/// What a layer may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// How many times more it may be unpacked than packed.
    pub ratio: u64,
    /// Unpacked bytes up to which no ratio is asked.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 30, entries: 20_000_000, ratio: 200, free: 4 << 30 }
    }
}
