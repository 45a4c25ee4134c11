//! Reads what was already written to the journal at some moment.

use std::path::Path;

use super::{Found, Position, Reader};
use crate::base::disk::Result;

/// A part of the journal that was already written.
#[derive(Debug)]
pub struct Past {
    reader: Reader,
    end: Position,
}

impl Past {
    /// Reads from the beginning of the journal to `end`.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub fn new(path: &Path, end: Position) -> Result<Self> {
        Ok(Self::of(Reader::at_start(path)?, end))
    }

    /// Reads from where `reader` is to `end`.
    #[must_use]
    pub fn of(reader: Reader, end: Position) -> Self {
        Self { reader, end }
    }

    /// Returns the next line, or `None` at the end. After an error it is at the end.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub fn read_next(&mut self) -> Result<Option<Found>> {
        let is_empty = self.end == Position::default(); // there was no journal yet
        if is_empty || self.reader.position().has_reached(self.end) {
            return Ok(None);
        }
        let found = self.reader.read_next();
        let at = self.reader.position();
        match &found {
            // Otherwise everything that is left was written after the end.
            Ok(Some(Found::Lost)) if !at.is_in_file_of(self.end) => self.end = at,
            Err(_) => self.end = at,
            Ok(_) => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::base::journal::{Event, Kind, append, previous};

    fn read(past: &mut Past) -> Vec<String> {
        let mut read = Vec::new();
        while let Some(found) = past.read_next().unwrap() {
            read.push(match found {
                Found::Event(event) => event.action,
                other => format!("{other:?}"),
            });
        }
        read
    }

    #[test]
    fn what_is_written_after_the_end_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let end = || Reader::at_end(&path).unwrap().position();
        let tell =
            |action| append(&path, &Event::now(Kind::Container, action, "ab", BTreeMap::new())).unwrap();
        let before = end();
        tell("create");
        tell("start");
        let after = end();
        tell("die");
        assert_eq!(read(&mut Past::new(&path, before).unwrap()), Vec::<String>::new(), "there was none");
        assert_eq!(read(&mut Past::new(&path, after).unwrap()), ["create", "start"]);
        // Across a rotation.
        fs::rename(&path, previous(&path)).unwrap();
        tell("destroy");
        assert_eq!(read(&mut Past::new(&path, after).unwrap()), ["create", "start"]);
        assert_eq!(read(&mut Past::new(&path, end()).unwrap()), ["create", "start", "die", "destroy"]);
    }
}
