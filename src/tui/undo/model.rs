//! The actions that can be undone, the newest last.
//!
//! ```text
//!  effects of one key ─ begin ─▶ group ─ each finished ─▶ steps ─ `u` ─▶ effects that undo it
//! ```
//! One key undoes everything that one key did, for any number of objects. Undoing is not a step
//! itself: repeated `u` goes further back, never in a circle.

use jiff::Timestamp;

use crate::tui::effect::Effect;

/// The number of steps remembered.
const STEPS: usize = 200;

/// A completed action and its inverse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The text for the user: `stopped web`.
    pub told: String,
    /// The effects that undo it, in this order.
    pub effects: Vec<Effect>,
    /// Until when it can be undone; `None` for no limit.
    pub until: Option<Timestamp>,
    group: u64,
}

/// The effects of one key that have not finished.
#[derive(Debug)]
struct Group {
    id: u64,
    waiting: Vec<(Effect, Option<(String, Effect)>)>,
    is_undo: bool,
}

/// The actions that can be undone, and those in progress.
#[derive(Debug, Default)]
pub struct Undo {
    steps: Vec<Step>,
    going_on: Vec<Group>,
    next: u64,
}

impl Undo {
    /// Records effects that start, with the text and the inverse if known. Does nothing if none of
    /// them can be undone.
    pub fn begin(&mut self, waiting: Vec<(Effect, Option<(String, Effect)>)>) {
        self.note(waiting, false);
    }

    /// Records effects that undo others.
    pub fn begin_undo(&mut self, effects: &[Effect]) {
        self.note(effects.iter().map(|effect| (effect.clone(), None)).collect(), true);
    }

    fn note(&mut self, waiting: Vec<(Effect, Option<(String, Effect)>)>, is_undo: bool) {
        if !waiting.is_empty() {
            self.next += 1;
            self.going_on.push(Group { id: self.next, waiting, is_undo });
        }
    }

    /// Whether an effect undoes another one.
    #[must_use]
    pub fn is_undoing(&self, effect: &Effect) -> bool {
        self.going_on.iter().any(|group| group.is_undo && group.waiting.iter().any(|(one, _)| one == effect))
    }

    /// Records that a removal put an object into the trash, from where it can be restored.
    pub fn kept(&mut self, effect: &Effect, told: String, back: Effect, until: Timestamp) {
        let group = self.group_of(effect).map(|(group, _)| group);
        if let Some(group) = group.filter(|group| !self.going_on[*group].is_undo) {
            let group = self.going_on[group].id;
            self.push(Step { told, effects: vec![back], until: Some(until), group });
        }
    }

    /// Records that an effect finished. Returns the step that contains it, with everything else its
    /// key did. A failed effect adds no step.
    pub fn end(&mut self, effect: &Effect, is_done: bool) -> Option<&Step> {
        let (group, at) = self.group_of(effect)?;
        let (_, back) = self.going_on[group].waiting.swap_remove(at);
        let (id, is_undo) = (self.going_on[group].id, self.going_on[group].is_undo);
        if self.going_on[group].waiting.is_empty() {
            self.going_on.remove(group);
        }
        if let Some((told, back)) = back.filter(|_| is_done && !is_undo) {
            self.push(Step { told, effects: vec![back], until: None, group: id });
        }
        self.steps.last().filter(|step| is_done && step.group == id)
    }

    /// Removes and returns the last group of steps, the newest first. Drops steps that can no
    /// longer be undone.
    pub fn take(&mut self, now: Timestamp) -> Vec<Step> {
        self.steps.retain(|step| step.until.is_none_or(|until| until > now));
        let Some(last) = self.steps.last().map(|step| step.group) else { return Vec::new() };
        let at = self.steps.iter().position(|step| step.group == last).unwrap_or(0);
        let mut taken = self.steps.split_off(at);
        // Effects of a later group may have finished in between.
        let (mut taken_now, others): (Vec<_>, Vec<_>) = taken.drain(..).partition(|step| step.group == last);
        self.steps.extend(others);
        taken_now.reverse();
        taken_now
    }

    /// Returns the step that would be undone next.
    #[must_use]
    pub fn last(&self, now: Timestamp) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.until.is_none_or(|until| until > now))
    }

    /// Whether effects that can be undone are in progress.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.going_on.iter().any(|group| !group.is_undo)
    }

    /// Drops steps that need an object which is no longer in the trash.
    pub fn forget(&mut self, is_gone: impl Fn(&Effect) -> bool) {
        self.steps.retain(|step| !step.effects.iter().any(&is_gone));
    }

    fn push(&mut self, step: Step) {
        self.steps.push(step);
        let surplus = self.steps.len().saturating_sub(STEPS);
        self.steps.drain(..surplus);
    }

    fn group_of(&self, effect: &Effect) -> Option<(usize, usize)> {
        self.going_on
            .iter()
            .enumerate()
            .find_map(|(group, of)| Some((group, of.waiting.iter().position(|(one, _)| one == effect)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::effect::ContainerVerb;
    use crate::tui::fixture::{container, now};

    fn effect(verb: ContainerVerb, name: &str) -> Effect {
        Effect::Container(verb, container(name, crate::engine::Status::Running).id)
    }

    fn stop(name: &str) -> (Effect, Option<(String, Effect)>) {
        (
            effect(ContainerVerb::Stop, name),
            Some((format!("stopped {name}"), effect(ContainerVerb::Start, name))),
        )
    }

    fn told(undo: &mut Undo) -> Vec<String> {
        undo.take(now()).into_iter().map(|step| step.told).collect()
    }

    #[test]
    fn what_one_key_did_is_undone_at_once_and_the_last_goes_first() {
        let mut undo = Undo::default();
        undo.begin(vec![stop("a"), stop("b")]);
        undo.begin(vec![stop("c")]);
        for name in ["a", "c", "b"] {
            assert!(undo.is_busy());
            undo.end(&effect(ContainerVerb::Stop, name), true);
        }
        assert!(!undo.is_busy());
        assert_eq!(undo.last(now()).map(|step| step.told.as_str()), Some("stopped b"));
        assert_eq!(told(&mut undo), ["stopped b", "stopped a"]);
        assert_eq!(told(&mut undo), ["stopped c"]);
        assert_eq!(told(&mut undo), [""; 0]);
    }

    #[test]
    fn what_failed_or_undoes_is_no_step() {
        let mut undo = Undo::default();
        undo.begin(vec![stop("a"), stop("b")]);
        undo.end(&effect(ContainerVerb::Stop, "a"), false);
        undo.end(&effect(ContainerVerb::Stop, "b"), true);
        let back: Vec<_> = undo.take(now()).into_iter().flat_map(|step| step.effects).collect();
        assert_eq!(back, [effect(ContainerVerb::Start, "b")]);
        undo.begin_undo(&back);
        assert!(undo.is_undoing(&back[0]) && !undo.is_busy());
        undo.end(&back[0], true);
        assert_eq!(told(&mut undo), [""; 0]);
        undo.end(&effect(ContainerVerb::Stop, "never begun"), true);
    }

    #[test]
    fn what_is_kept_can_be_taken_back_until_it_goes() {
        let mut undo = Undo::default();
        let gone = effect(ContainerVerb::Restart, "a");
        let later = now() + jiff::SignedDuration::from_hours(1);
        undo.begin(vec![stop("b")]);
        undo.end(&effect(ContainerVerb::Stop, "b"), true);
        undo.begin(vec![(gone.clone(), None)]);
        undo.kept(&gone, "removed a".to_owned(), effect(ContainerVerb::Start, "a"), later);
        undo.end(&gone, true);
        assert_eq!(undo.last(now()).map(|step| step.told.as_str()), Some("removed a"));
        assert_eq!(undo.last(later).map(|step| step.told.as_str()), Some("stopped b"));
        assert_eq!(undo.take(later).len(), 1);
        assert_eq!(told(&mut undo), [""; 0], "what has expired went with it");
    }

    #[test]
    fn only_so_many_steps_are_kept() {
        let mut undo = Undo::default();
        for round in 0..STEPS + 5 {
            let name = format!("c{round}");
            undo.begin(vec![stop(&name)]);
            undo.end(&effect(ContainerVerb::Stop, &name), true);
        }
        let mut count = 0;
        while !undo.take(now()).is_empty() {
            count += 1;
        }
        assert_eq!(count, STEPS);
    }
}
