//! What was done and can be undone, newest last.
//!
//! ```text
//!  effects of one key ─ begin ─▶ group ─ each one's end ─▶ steps ─ `u` ─▶ effects that undo it
//! ```
//! What one key began is undone by one key, however many objects it was done to. What undoes
//! is no step itself: `u` goes back, again and again, and never round in circles.

use jiff::Timestamp;

use crate::tui::effect::Effect;

/// How many steps are remembered.
const STEPS: usize = 200;

/// What was done, and what undoes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `stopped web`
    pub told: String,
    /// What undoes it, in this order.
    pub effects: Vec<Effect>,
    /// Until when it can be undone; `None` for ever.
    pub until: Option<Timestamp>,
    group: u64,
}

/// What goes on: the effects of one key that have not ended.
#[derive(Debug)]
struct Group {
    id: u64,
    waiting: Vec<(Effect, Option<(String, Effect)>)>,
    is_undo: bool,
}

/// What was done and can be undone.
#[derive(Debug, Default)]
pub struct Undo {
    steps: Vec<Step>,
    going_on: Vec<Group>,
    next: u64,
}

impl Undo {
    /// Notes effects that begin, each with what it will be told as and what undoes it, where
    /// that is known. Without any that can be undone nothing is noted.
    pub fn begin(&mut self, waiting: Vec<(Effect, Option<(String, Effect)>)>) {
        self.note(waiting, false);
    }

    /// Notes effects that undo.
    pub fn begin_undo(&mut self, effects: &[Effect]) {
        self.note(effects.iter().map(|effect| (effect.clone(), None)).collect(), true);
    }

    fn note(&mut self, waiting: Vec<(Effect, Option<(String, Effect)>)>, is_undo: bool) {
        if !waiting.is_empty() {
            self.next += 1;
            self.going_on.push(Group { id: self.next, waiting, is_undo });
        }
    }

    /// Whether an effect is one that undoes.
    #[must_use]
    pub fn is_undoing(&self, effect: &Effect) -> bool {
        self.going_on.iter().any(|group| group.is_undo && group.waiting.iter().any(|(one, _)| one == effect))
    }

    /// Takes in that a removal put something where it can be taken back from.
    pub fn kept(&mut self, effect: &Effect, told: String, back: Effect, until: Timestamp) {
        let group = self.group_of(effect).map(|(group, _)| group);
        if let Some(group) = group.filter(|group| !self.going_on[*group].is_undo) {
            let group = self.going_on[group].id;
            self.push(Step { told, effects: vec![back], until: Some(until), group });
        }
    }

    /// Takes in the end of an effect; gives the step that takes it back, with all that its
    /// key began. What has failed is no step.
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

    /// The last group of steps, newest first, to be undone. What can no longer be undone goes.
    pub fn take(&mut self, now: Timestamp) -> Vec<Step> {
        self.steps.retain(|step| step.until.is_none_or(|until| until > now));
        let Some(last) = self.steps.last().map(|step| step.group) else { return Vec::new() };
        let at = self.steps.iter().position(|step| step.group == last).unwrap_or(0);
        let mut taken = self.steps.split_off(at);
        // Ends of a later group may have come in between.
        let (mut taken_now, others): (Vec<_>, Vec<_>) = taken.drain(..).partition(|step| step.group == last);
        self.steps.extend(others);
        taken_now.reverse();
        taken_now
    }

    /// The step that would be undone next.
    #[must_use]
    pub fn last(&self, now: Timestamp) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.until.is_none_or(|until| until > now))
    }

    /// What can be undone goes on at this moment.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.going_on.iter().any(|group| !group.is_undo)
    }

    /// Forgets how to take back what is no longer in the trash.
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
