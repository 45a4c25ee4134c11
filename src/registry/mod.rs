//! The distribution client: what a registry has, and its bytes, every one checked.
//!
//! ```text
//! Registry ── repository(reference) ──▶ Repository
//!                                         │ head      the digest a tag names, cheaply
//!                                         │ resolve   tag | digest → index → manifest of a platform
//!                                         │ config    the image's configuration
//!                                         └ blob      a layer's bytes into a sink, from where it stopped
//! ```
//! Nothing is stored here: bytes go to the caller, who also decides what is fetched at the
//! same time. A request is tried again with pauses when the registry stalls, breaks off or
//! is busy ([`Patience`]), and at the next endpoint where there is one (mirrors).
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

/// A client for any number of registries. Cheap to clone; keeps connections and tokens.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

/// What all repositories of a client share.
#[derive(Debug)]
struct Shared {
    http: http::Http,
    logins: login::Logins,
}

impl Registry {
    /// A client that does as `settings` say. It connects to nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let shared = Shared { http: http::Http::new(settings), logins: login::Logins::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The repository that `reference` names.
    #[must_use]
    pub fn repository(&self, reference: &Reference) -> Repository {
        Repository::new(self.shared.clone(), reference.clone())
    }
}
