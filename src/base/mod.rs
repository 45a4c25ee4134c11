//! The foundation of all other modules: ids and names, error kinds, crash-safe files, the layout
//! and pairing of the state folders, the journal, trash entries, units, progress, the headers of
//! programs, text that is safe to print, and what a terminal shows of a line.
//!
//! Nothing here knows about containers, images or networks.

pub mod dbus;
pub mod disk;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod journal;
pub mod output;
pub(crate) mod pair;
pub mod paths;
pub mod program;
pub mod progress;
pub mod text;
pub mod trash;
pub mod units;

pub use endpoint::{Endpoint, Mac};
pub use error::{ErrorKind, Explain};
pub use id::{ContainerId, ExecId, Name, NetworkId};
pub use paths::{OWN_PROGRAM, Paths};
