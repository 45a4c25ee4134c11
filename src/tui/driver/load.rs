//! Reads each list by one task at a time, so that an older reading never arrives after a newer one.
//! Any number of requests during a reading cause a single further one.

use std::collections::BTreeSet;

use crate::tui::section::Section;

/// The lists that are being read, and those to read again.
#[derive(Debug, Default)]
pub(super) struct Loads {
    reading: BTreeSet<Section>,
    again: BTreeSet<Section>,
}

impl Loads {
    /// Records that a list has changed; returns whether its reading must start.
    pub(super) fn ask(&mut self, section: Section) -> bool {
        let is_idle = self.reading.insert(section);
        if !is_idle {
            self.again.insert(section);
        }
        is_idle
    }

    /// Records that a list was read; returns whether it has changed since its reading started, so
    /// that another one must start.
    pub(super) fn done(&mut self, section: Section) -> bool {
        let is_due = self.again.remove(&section);
        if !is_due {
            self.reading.remove(&section);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_during_a_reading_is_read_once_more() {
        let mut loads = Loads::default();
        let section = Section::Trash;
        assert!(loads.ask(section) && loads.ask(Section::Images));
        assert!(!loads.ask(section) && !loads.ask(section));
        assert!(loads.done(section), "the changes may have been missed");
        assert!(!loads.ask(section) && loads.done(section));
        assert!(!loads.done(section));
        assert!(loads.ask(section), "an idle one starts");
        assert!(!loads.done(Section::Images));
    }
}
