//! Containers that changed are read one after the other. Many changes of one container while
//! others are being read are one reading; a change while it is being read itself is another one.

use std::collections::VecDeque;

use crate::engine::ContainerId;

/// Which containers wait to be read, and which one is being read.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    waiting: VecDeque<ContainerId>,
    reading: Option<ContainerId>,
}

impl Reloads {
    /// A container has changed.
    pub(super) fn ask(&mut self, id: ContainerId) {
        if !self.waiting.contains(&id) {
            self.waiting.push_back(id);
        }
    }

    /// Gives the one that is to be read, which is being read from here on; `None` while another
    /// one is.
    pub(super) fn next(&mut self) -> Option<ContainerId> {
        if self.reading.is_some() {
            return None;
        }
        self.reading = self.waiting.pop_front();
        self.reading.clone()
    }

    /// A container was read.
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

    /// Runs steps: `+a` a has changed, `-a` a was read, `?` the next one is begun. Gives what was.
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
            // Many changes before it is read are one reading, in the order of the first ones.
            ("+a +b +a +a ? -a ? -b ?", "ab."),
            // What changes while it is read is read again.
            ("+a ? +a -a ? -a ?", "aa."),
            ("+a ? +b +a -a ? -b ? -a ?", "aba."),
            // The end of another one, as of one that the trash gave back, is not its end.
            ("+a ? +b -b ? -a ?", "a.b"),
        ];
        for (steps, expected) in cases {
            assert_eq!(begun(steps), expected, "{steps}");
        }
    }
}
