//! Reads changed containers one after the other. Several changes of a container that is still
//! waiting cause a single reading; a change during its reading causes another one.

use std::collections::VecDeque;

use crate::engine::ContainerId;

/// The containers that wait to be read, and the one being read.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    waiting: VecDeque<ContainerId>,
    reading: Option<ContainerId>,
}

impl Reloads {
    /// Records that a container has changed.
    pub(super) fn ask(&mut self, id: ContainerId) {
        if !self.waiting.contains(&id) {
            self.waiting.push_back(id);
        }
    }

    /// Returns the next container to read; `None` if there is none or one is still being read.
    pub(super) fn next(&mut self) -> Option<ContainerId> {
        if self.reading.is_some() {
            return None;
        }
        self.reading = self.waiting.pop_front();
        self.reading.clone()
    }

    /// Records that a container was read.
    pub(super) fn done(&mut self, id: &ContainerId) {
        self.reading.take_if(|reading| reading == id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: char) -> ContainerId {
        name.to_string().repeat(64).parse().unwrap()
    }

    /// Runs steps (`+a`: a changed, `-a`: a was read, `?`: start the next one) and returns which
    /// readings started.
    fn begun(steps: &str) -> String {
        let mut reloads = Reloads::default();
        let mut begun = String::new();
        for step in steps.split(' ') {
            match step.split_at(1) {
                ("+", name) => reloads.ask(id(name.chars().next().unwrap())),
                ("-", name) => reloads.done(&id(name.chars().next().unwrap())),
                _ => begun.push(reloads.next().map_or('.', |id| id.as_str().chars().next().unwrap())),
            }
        }
        begun
    }

    #[test]
    fn each_that_changed_is_read_once_and_one_at_a_time() {
        let cases = [
            ("?", "."),
            ("+a ?", "a"),
            ("+a ? ?", "a."),
            // Several changes before the reading cause a single one, in the order of the first
            // changes.
            ("+a +b +a +a ? -a ? -b ?", "ab."),
            // A change during the reading causes another one.
            ("+a ? +a -a ? -a ?", "aa."),
            ("+a ? +b +a -a ? -b ? -a ?", "aba."),
            // The end of a different reading, such as after a restore from the trash, does not
            // count.
            ("+a ? +b -b ? -a ?", "a.b"),
        ];
        for (steps, expected) in cases {
            assert_eq!(begun(steps), expected, "{steps}");
        }
    }
}
