//! A client for the OCI distribution protocol. All downloaded data is verified, except blobs, whose
//! digests the caller checks.
//!
//! ```text
//! Registry ── repository(reference) ──▶ Repository
//!                                         │ head      the digest of a tag, cheaply
//!                                         │ resolve   tag | digest → index → manifest of a platform
//!                                         │ config    the image's configuration
//!                                         └ blob      a layer's bytes into a sink, resumable
//! ```
//! Nothing is stored here: data is passed to the caller, who also decides what to download in
//! parallel. If the registry stalls, disconnects or is busy, requests are retried after pauses
//! ([`Patience`]), and at the next endpoint (mirror) if there is one.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

mod auth;
mod blob;
mod error;
mod http;
mod login;
mod manifest;
mod repository;
mod settings;
mod stamp;

use std::sync::Arc;

use crate::oci::Reference;

pub use error::Error;
pub use manifest::Blob;
pub use repository::{Repository, Resolved};
pub use settings::{Patience, Proxies, Settings};

/// A client for any number of registries. It is cheap to clone, and keeps connections and tokens.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

/// State shared by all repositories of a client.
#[derive(Debug)]
struct Shared {
    http: http::Http,
    logins: login::Logins,
}

impl Registry {
    /// Creates a client with these settings, without connecting to anything.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let shared = Shared { http: http::Http::new(settings), logins: login::Logins::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the repository of `reference`.
    #[must_use]
    pub fn repository(&self, reference: &Reference) -> Repository {
        Repository::new(self.shared.clone(), reference.clone())
    }
}
