//! The vocabulary of the Open Container Initiative: digests, references, platforms, and
//! the documents of the image and runtime specifications.
//!
//! The documents' types come from the `oci-spec` crate; what ends up in a path or in a
//! request is a checked type of ours.

pub mod digest;
pub mod platform;
pub mod reference;

/// Documents of the image specification: manifests, indexes, configurations.
pub use oci_spec::image;
/// Documents of the runtime specification: a bundle's `config.json`, and the state.
pub use oci_spec::runtime;

/// The annotation of a runtime specification in which the engine names further groups of
/// the container's first user, comma-separated: the specification itself has numbers only.
pub const GROUP_ADD: &str = "hoist.group-add";

pub use digest::{Digest, Hasher, ImageId};
pub use platform::Platform;
pub use reference::Reference;
