//! What every other module may name: ids and names, error kinds, files that survive a
//! crash, the state folder's tree and its pair, the journal, entries of the trash, units,
//! progress, what others wrote made harmless.
//!
//! Nothing here knows a container, an image or a network.

pub mod disk;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod journal;
pub(crate) mod pair;
pub mod paths;
pub mod progress;
pub mod text;
pub mod trash;
pub mod units;

pub use endpoint::{Endpoint, Mac};
pub use error::{ErrorKind, Explain};
pub use id::{ContainerId, ExecId, Name, NetworkId};
pub use paths::Paths;
