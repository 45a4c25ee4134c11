//! Folders by path, stored as a tree of names.
//!
//! A path may be two thousand folders deep. A set of paths would hold each of its prefixes in full;
//! a tree holds each name once.

use std::collections::BTreeMap;

/// The root of the tree.
pub(crate) const ROOT: u32 = 0;

/// A value for each known folder.
#[derive(Debug)]
pub(crate) struct Folders<T> {
    /// Keyed by the parent folder and the name in it.
    names: BTreeMap<(u32, Vec<u8>), u32>,
    values: Vec<T>,
}

impl<T: Default> Folders<T> {
    pub(crate) fn new() -> Self {
        Self { names: BTreeMap::new(), values: vec![T::default()] }
    }

    /// Returns the number of known names.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the folder `name` in `above`, adding it if it is new.
    pub(crate) fn add(&mut self, above: u32, name: &[u8]) -> u32 {
        let next = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let at = *self.names.entry((above, name.to_owned())).or_insert(next);
        if at == next {
            self.values.push(T::default());
        }
        at
    }

    /// Returns the folder at a path, adding it and its parents if they are new.
    pub(crate) fn add_path(&mut self, path: &[u8]) -> u32 {
        let parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        parts.fold(ROOT, |above, part| self.add(above, part))
    }

    /// Returns the folder `name` in `above`, if it is known.
    pub(crate) fn inner(&self, above: u32, name: &[u8]) -> Option<u32> {
        self.names.get(&(above, name.to_owned())).copied()
    }

    /// Returns the folder at a path, if it is known.
    pub(crate) fn find(&self, path: &[u8]) -> Option<u32> {
        let mut parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        parts.try_fold(ROOT, |above, part| self.inner(above, part))
    }

    pub(crate) fn value(&self, at: u32) -> &T {
        &self.values[at as usize]
    }

    pub(crate) fn value_mut(&mut self, at: u32) -> &mut T {
        &mut self.values[at as usize]
    }

    /// Resets the value of a path and forgets everything below it.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        let Some(top) = self.find(path) else { return };
        let mut left = vec![top];
        while let Some(at) = left.pop() {
            self.values[at as usize] = T::default();
            let inner: Vec<_> = self.inside(at).map(|(name, at)| (name.to_owned(), at)).collect();
            for (name, inner) in inner {
                self.names.remove(&(at, name));
                left.push(inner);
            }
        }
    }

    fn inside(&self, at: u32) -> impl DoubleEndedIterator<Item = (&[u8], u32)> {
        let range = (at, Vec::new())..(at.saturating_add(1), Vec::new());
        self.names.range(range).map(|((_, name), &inner)| (name.as_slice(), inner))
    }

    /// Visits every folder except the root, parents first and siblings sorted, with its index, its
    /// parent's index and its path.
    ///
    /// # Errors
    ///
    /// The visitor's errors.
    pub(crate) fn each<E>(&self, mut visit: impl FnMut(u32, u32, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut path = Vec::new();
        let mut left: Vec<(u32, u32, usize, &[u8])> = Vec::new();
        let push = |left: &mut Vec<_>, above: u32, len: usize| {
            left.extend(self.inside(above).rev().map(|(name, at)| (at, above, len, name)));
        };
        push(&mut left, ROOT, 0);
        while let Some((at, above, len, name)) = left.pop() {
            path.truncate(len);
            if len > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            visit(at, above, &path)?;
            push(&mut left, at, path.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(folders: &Folders<u8>) -> Vec<(String, u8)> {
        let mut found = Vec::new();
        let visited: Result<(), ()> = folders.each(|at, _, path| {
            found.push((String::from_utf8(path.to_vec()).unwrap(), *folders.value(at)));
            Ok(())
        });
        visited.unwrap();
        found
    }

    #[test]
    fn what_is_below_a_path_is_forgotten_with_it() {
        let mut folders = Folders::new();
        for (path, value) in [("a/b", 1), ("a/b/c", 2), ("a", 3), ("ab", 4), ("a/x", 5)] {
            let at = folders.add_path(path.as_bytes());
            *folders.value_mut(at) = value;
        }
        let all = [("a", 3), ("a/b", 1), ("a/b/c", 2), ("a/x", 5), ("ab", 4)];
        assert_eq!(listed(&folders), all.map(|(path, value)| (path.to_owned(), value)));
        folders.forget(b"a/b");
        folders.forget(b"nothing");
        let left = [("a", 3), ("a/b", 0), ("a/x", 5), ("ab", 4)];
        assert_eq!(listed(&folders), left.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn a_deep_path_takes_as_many_names_as_it_has() {
        let mut folders: Folders<u8> = Folders::new();
        folders.add_path("x/".repeat(2000).as_bytes());
        assert_eq!((folders.len(), folders.values.len()), (2000, 2001));
    }
}
