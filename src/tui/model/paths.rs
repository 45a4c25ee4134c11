//! What paths of this machine are, as far as it was asked: `update` reads no files.

use std::collections::BTreeMap;

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathFact {
    /// Asked for, not known yet.
    Asked,
    /// Nothing is there.
    Missing,
    /// A folder.
    Folder,
    /// A file of this many bytes, or something like one.
    File(u64),
    /// It cannot be seen, and why.
    Unknown(String),
}

/// How many paths are remembered.
const MOST: usize = 64;

/// What is known of paths, by how they were written.
#[derive(Debug, Clone, Default)]
pub struct PathFacts {
    facts: BTreeMap<String, PathFact>,
    /// Paths to be asked for.
    wanted: Vec<String>,
}

impl PathFacts {
    /// Forgets everything: files change while nobody looks.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What `path` is; what is not known is wanted from here on.
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

    /// Takes in what a path is.
    pub fn learn(&mut self, path: String, fact: PathFact) {
        if let Some(slot) = self.facts.get_mut(&path) {
            *slot = fact;
        }
    }

    /// Paths that were wanted since this was asked last.
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
