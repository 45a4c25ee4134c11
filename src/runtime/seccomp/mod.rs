//! Seccomp filters: Docker's profiles, and the compiler from a spec to the instructions that the
//! kernel runs.
//!
//! ```text
//! assets/seccomp.json │ a user's file ── profile ──▶ LinuxSeccomp (of the spec) ── compile ──▶ cBPF
//! ```

mod compile;
mod profile;
mod table;
#[cfg(test)]
mod tests;

pub use profile::{Profile, read};

pub(super) use compile::{Filter, compile, notifies};

/// Docker's default profile.
const DEFAULT: &str = include_str!("../../../assets/seccomp.json");

/// Returns Docker's default profile.
///
/// # Errors
///
/// None: a test parses it.
pub fn default_profile() -> super::Result<Profile> {
    read(DEFAULT)
}
