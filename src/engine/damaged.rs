//! What is there but cannot be read: a state file that is damaged, or a newer hoist's. It is
//! listed beside the rest, it can be removed, and it costs nothing else.

use std::error::Error;

use crate::base::disk;
use crate::base::error::one_line;

/// Something whose state file cannot be read, by what is known without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its id: 64 hex digits of a container, a digest of an image; empty where only a name is
    /// known.
    pub id: String,
    /// What leads to it.
    pub name: Option<String>,
    /// What is wrong with it, and then with which file.
    pub why: String,
}

/// What a list shows, and what it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What can be read.
    pub whole: Vec<T>,
    /// What cannot.
    pub damaged: Vec<Damaged>,
    /// What went wrong with something that is shown all the same, a sentence each.
    pub warnings: Vec<String>,
}

impl Damaged {
    pub(super) fn new(id: &str, name: Option<String>, error: &(dyn Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |&error| error.source());
        let of_a_file = causes.find_map(|error| error.downcast_ref::<disk::Error>());
        let why = of_a_file.map_or_else(|| one_line(error), disk::Error::reason_first);
        Self { id: id.to_owned(), name, why }
    }

    /// What to call it: its name, or its id.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}
