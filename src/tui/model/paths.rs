//! What is known about paths of this machine. `update` reads no files, so it has to ask for them.

use std::collections::BTreeMap;

/// What a path refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathFact {
    /// Requested, not yet known.
    Asked,
    /// The path does not exist.
    Missing,
    /// A folder.
    Folder,
    /// A file of this size in bytes, or another object that is not a folder.
    File(u64),
    /// The path cannot be read, for this reason.
    Unknown(String),
}

/// The maximum number of paths to remember.
const MOST: usize = 64;

/// Known paths, as they were written.
#[derive(Debug, Clone, Default)]
pub struct PathFacts {
    facts: BTreeMap<String, PathFact>,
    /// Paths to be requested.
    wanted: Vec<String>,
}

impl PathFacts {
    /// Forgets everything, because files may have changed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns what `path` refers to; an unknown path will be requested.
    pub fn get(&mut self, path: &str) -> PathFact {
        if let Some(fact) = self.facts.get(path) {
            return fact.clone();
        }
        if self.facts.len() >= MOST {
            self.facts.clear();
        }
        self.facts.insert(path.to_owned(), PathFact::Asked);
        self.wanted.push(path.to_owned());
        PathFact::Asked
    }

    /// Stores what a path refers to.
    pub fn learn(&mut self, path: String, fact: PathFact) {
        if let Some(slot) = self.facts.get_mut(&path) {
            *slot = fact;
        }
    }

    /// Returns and clears the paths to be requested.
    pub fn take_wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_asked_for_once_and_many_are_forgotten() {
        let mut paths = PathFacts::default();
        assert_eq!((paths.get("/a"), paths.get("/a")), (PathFact::Asked, PathFact::Asked));
        assert_eq!(paths.take_wanted(), ["/a"]);
        paths.learn("/a".to_owned(), PathFact::Folder);
        assert_eq!(paths.get("/a"), PathFact::Folder);
        (0..200).for_each(|at| drop(paths.get(&format!("/{at}"))));
        assert!(paths.facts.len() <= MOST);
    }
}
