//! Objects that cannot be read, because a state file is damaged or was written by a newer hoist.
//! They are listed and can be removed, and do not affect other objects.

use std::error::Error;

use crate::base::disk;
use crate::base::error::one_line;

/// An object whose state file cannot be read, described by what is known without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its id: the 64 hex digits of a container or the digest of an image; empty if only a name is
    /// known.
    pub id: String,
    /// A name that refers to it.
    pub name: Option<String>,
    /// What is wrong with it, including the file.
    pub why: String,
}

/// A list and its unreadable entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The readable objects.
    pub whole: Vec<T>,
    /// The unreadable ones.
    pub damaged: Vec<Damaged>,
    /// What went wrong with objects that are listed nevertheless, one sentence each.
    pub warnings: Vec<String>,
}

impl Damaged {
    pub(super) fn new(id: &str, name: Option<String>, error: &(dyn Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |&error| error.source());
        let of_a_file = causes.find_map(|error| error.downcast_ref::<disk::Error>());
        let why = of_a_file.map_or_else(|| one_line(error), disk::Error::reason_first);
        Self { id: id.to_owned(), name, why }
    }

    /// Returns its name, or its id if it has none.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}
