//! Types of the Open Container Initiative: digests, references, platforms, and the documents of the
//! image and runtime specifications.
//!
//! The documents' types are from the `oci-spec` crate. Whatever becomes part of a path or a request
//! is a validated type of our own.

pub mod digest;
pub mod platform;
pub mod reference;

/// Documents of the image specification: manifests, indexes, configurations.
pub use oci_spec::image;
/// Documents of the runtime specification: a bundle's `config.json`, and the state.
pub use oci_spec::runtime;

/// The annotation in a runtime specification with which the engine passes additional groups of the
/// container's init process by name, comma-separated. The specification itself allows only numbers.
pub const GROUP_ADD: &str = "hoist.group-add";

pub use digest::{Digest, Hasher, ImageId};
pub use platform::Platform;
pub use reference::Reference;
