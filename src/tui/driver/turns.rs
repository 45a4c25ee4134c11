//! Which verbs run, and which wait for their turn: a verb on a thousand objects runs on only a few
//! of them at once. A verb on one object does not wait for those.

use std::collections::VecDeque;

use crate::tui::effect::Effect;

/// The maximum number of verbs that run at once.
const VERBS: usize = 32;

/// The verbs that wait, and those that run.
#[derive(Debug, Default)]
pub(super) struct Verbs {
    /// The verbs of the current event.
    fresh: Vec<Effect>,
    waiting: VecDeque<Effect>,
    running: Vec<Effect>,
}

impl Verbs {
    /// Records that a verb is to run.
    pub(super) fn ask(&mut self, effect: Effect) {
        self.fresh.push(effect);
    }

    /// Returns the next verb to run; `None` if there is none or enough are running. Called after
    /// each event until there is none.
    pub(super) fn next(&mut self) -> Option<Effect> {
        if self.fresh.len() == 1 {
            return self.fresh.pop();
        }
        self.waiting.extend(self.fresh.drain(..));
        if self.running.len() >= VERBS {
            return None;
        }
        let effect = self.waiting.pop_front()?;
        self.running.push(effect.clone());
        Some(effect)
    }

    /// Records that a verb finished.
    pub(super) fn done(&mut self, effect: &Effect) {
        if let Some(at) = self.running.iter().position(|one| one == effect) {
            self.running.swap_remove(at);
        }
    }

    /// Drops those of these verbs that wait, and returns them.
    pub(super) fn withdraw(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let is_meant = |effect: &Effect| effects.contains(effect);
        let (withdrawn, waiting): (VecDeque<_>, _) = self.waiting.drain(..).partition(is_meant);
        self.waiting = waiting;
        withdrawn.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purge(number: usize) -> Effect {
        Effect::Purge(number.to_string())
    }

    #[test]
    fn only_so_many_run_at_once_and_the_rest_can_be_withdrawn() {
        let mut verbs = Verbs::default();
        (0..VERBS + 3).for_each(|number| verbs.ask(purge(number)));
        let begun: Vec<_> = std::iter::from_fn(|| verbs.next()).collect();
        assert_eq!(begun, (0..VERBS).map(purge).collect::<Vec<_>>());
        verbs.ask(purge(1000));
        assert_eq!((verbs.next(), verbs.next()), (Some(purge(1000)), None), "it is alone");
        verbs.done(&purge(4));
        verbs.done(&purge(VERBS)); // it has not begun
        assert_eq!((verbs.next(), verbs.next()), (Some(purge(VERBS)), None));
        let all: Vec<_> = (0..VERBS + 2).map(purge).collect();
        assert_eq!(verbs.withdraw(&all), [purge(VERBS + 1)]);
        begun.iter().for_each(|effect| verbs.done(effect));
        assert_eq!((verbs.next(), verbs.next()), (Some(purge(VERBS + 2)), None));
    }
}
