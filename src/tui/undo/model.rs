//! The actions that can be undone, the newest last.
//!
//! ```text
//!  effects of one key ─ begin ─▶ waiting ─ each finished ─▶ steps ─ `u` ─▶ effects that undo it
//!                                                             ▲                    │
//!                                                             └─ failed, withdrawn ┘
//! ```
//! One key undoes everything that one key did, for any number of objects. Undoing is not an action
//! itself: repeated `u` goes further back, never in a circle. An action without an inverse is kept
//! as well, so that `u` reports it instead of undoing an older one.
//!
//! What could not be undone stays at its place, so that `u` tries it again. If that fails as well,
//! the next `u` goes on to the action before, so that nothing blocks the others for good.
//!
//! Listings of the trash play no role, because one may be older than a removal. An entry leaves the
//! trash by an event that names it, or when its time is over.

use jiff::{SignedDuration, Timestamp};

use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::verb_words::{PAUSE, REMOVE, START, STOP, UNPAUSE, Words};

/// The number of actions remembered, each for any number of objects.
const ACTIONS: usize = 100;

/// How long a reported action that cannot be undone lets the next `u` pass.
const PASSES: SignedDuration = SignedDuration::from_secs(8);

/// How an effect is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inverse {
    /// By another effect; the text says what was done: `stopped web`.
    Effect(String, Effect),
    /// From the trash, where the removal of an object with this name puts it.
    Trash(String, Was),
    /// Not at all; the text names the action: `the restart of web`.
    Nothing(String),
}

/// The state of an object before its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// It was running, and is started again.
    Running,
    /// It only has to be restored.
    Idle,
}

/// Whether an older action can be undone while this one has not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// No.
    Blocks,
    /// Yes: it runs in the background and may take long.
    Passes,
}

/// A finished effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was done: `stopped web`; if it cannot be undone, its name: `the restart of web`.
    pub told: String,
    /// The effect that undoes it.
    pub back: Option<Effect>,
    /// Until when it can be undone; `None` for no limit.
    pub until: Option<Timestamp>,
    /// What is left to do once its object has been restored from the trash: to start it.
    then: Option<Effect>,
    /// The effect that is undoing it.
    begun: Option<Effect>,
    /// The state that keeps it from being undone.
    pub ruled_out_by: Option<String>,
}

impl Step {
    fn new(told: String, back: Option<Effect>) -> Self {
        Self { told, back, until: None, then: None, begun: None, ruled_out_by: None }
    }

    fn is_possible(&self, now: Timestamp) -> bool {
        self.back.is_some() && self.until.is_none_or(|until| until > now)
    }

    /// Returns the step as one that cannot be undone.
    fn revoked(self) -> Self {
        let name = |words: &Words| self.told.strip_prefix(words.past)?.strip_prefix(' ');
        let noun =
            [REMOVE, START, STOP, PAUSE, UNPAUSE].iter().find_map(|words| Some(words.of(name(words)?)));
        Self { ruled_out_by: self.ruled_out_by, ..Self::new(noun.unwrap_or(self.told), None) }
    }

    fn is_in_trash(&self, id: &str) -> bool {
        match &self.back {
            Some(Effect::Restore(entry, _) | Effect::RestoreAndStart(entry)) => entry == id,
            _ => false,
        }
    }
}

/// What the undo key does.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// There is nothing to undo.
    Nothing,
    /// The last action has not finished.
    Busy,
    /// The last action cannot be undone.
    Cannot {
        /// Its name.
        what: String,
        /// Why not, if its object has changed since.
        why: Option<String>,
        /// What the action before it did, which another `u` undoes.
        before: Option<String>,
    },
    /// Undo these, the newest first. The others of the same action cannot be undone.
    Steps(Vec<Step>, Vec<Step>),
}

/// What the end of an effect means for the undo key.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// An action has finished, and `u` undoes it, beginning with this step.
    Undoable(Box<Step>),
    /// An action was not undone, or not completely: `u` tries again.
    Failed,
    /// It failed again: `u` goes on to the action before, which did this.
    FailedAgain(String),
}

/// How an effect that undoes something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
    Withdrawn,
}

/// The effects of one key.
#[derive(Debug)]
struct Deed {
    /// Its place among all actions: those of later keys have larger numbers.
    serial: u64,
    /// Those that have not finished. A removal whose object is in the trash is a step already.
    waiting: Vec<(Effect, Option<Inverse>)>,
    pending: Pending,
    steps: Vec<Step>,
    /// Until when `u` passes it.
    passes: Option<Timestamp>,
    /// How often it could not be undone.
    failures: u32,
}

impl Deed {
    fn is_possible(&self, now: Timestamp) -> bool {
        self.steps.iter().any(|step| step.is_possible(now))
    }
}

/// An action that is being undone.
#[derive(Debug)]
struct Undoing {
    /// The action, with the steps that have not been undone.
    deed: Deed,
    /// The effects that have not finished.
    waiting: Vec<Effect>,
    has_failed: bool,
}

/// The actions that can be undone, and those in progress.
#[derive(Debug, Default)]
pub struct Undo {
    /// Ordered by their serial numbers.
    deeds: Vec<Deed>,
    undoing: Vec<Undoing>,
    next_serial: u64,
}

impl Undo {
    /// Whether there is an action that can be undone.
    #[must_use]
    pub fn has_something(&self, now: Timestamp) -> bool {
        self.deeds.iter().any(|deed| deed.is_possible(now))
    }

    /// Records the effects of a key that start, and how they are undone.
    pub fn begin(&mut self, effects: Vec<(Effect, Inverse)>, pending: Pending) {
        if !effects.is_empty() {
            let waiting = effects.into_iter().map(|(effect, inverse)| (effect, Some(inverse))).collect();
            let (serial, steps) = (self.next_serial, Vec::new());
            self.next_serial += 1;
            self.deeds.push(Deed { serial, waiting, pending, steps, passes: None, failures: 0 });
        }
    }

    /// Records which effects start of those that [`Self::take`] returned last. The others have
    /// failed.
    pub fn begin_undo(&mut self, effects: &[Effect], now: Timestamp) -> Option<Ended> {
        let undoing = self.undoing.last()?;
        let refused: Vec<Effect> =
            undoing.waiting.iter().filter(|effect| !effects.contains(effect)).cloned().collect();
        refused.iter().filter_map(|effect| self.end_undo(effect, Outcome::Failed, now)).last()
    }

    /// Whether an effect undoes another one.
    #[must_use]
    pub fn is_undoing(&self, effect: &Effect) -> bool {
        self.undoing.iter().any(|undoing| undoing.waiting.contains(effect))
    }

    /// Records that a removal put an object into the trash, under this trash id.
    pub fn kept(&mut self, effect: &Effect, id: &str, until: Timestamp) {
        let Some((deed, at)) = self.place_of(effect) else { return };
        let deed = &mut self.deeds[deed];
        if let Some(Inverse::Trash(name, was)) = deed.waiting[at].1.take() {
            let (back, then) = match (was, effect) {
                (Was::Running, Effect::Container(_, container)) => (
                    Effect::RestoreAndStart(id.to_owned()),
                    Some(Effect::Container(ContainerVerb::Start, container.clone())),
                ),
                _ => (Effect::Restore(id.to_owned(), None), None),
            };
            let step = Step::new(format!("{} {name}", REMOVE.past), Some(back));
            deed.steps.push(Step { until: Some(until), then, ..step });
        }
    }

    /// Records that an effect finished. When the last one of a key has, and that was the last key,
    /// returns the step that `u` begins with. A failed effect is no step.
    pub fn end(&mut self, effect: &Effect, is_done: bool, now: Timestamp) -> Option<Ended> {
        if self.is_undoing(effect) {
            return self.end_undo(effect, if is_done { Outcome::Done } else { Outcome::Failed }, now);
        }
        let (at, place) = self.place_of(effect)?;
        let deed = &mut self.deeds[at];
        let (_, inverse) = deed.waiting.swap_remove(place);
        deed.steps.extend(inverse.filter(|_| is_done).map(|inverse| match inverse {
            Inverse::Effect(told, back) => Step::new(told, Some(back)),
            // It did not reach the trash, such as with `--rm`.
            Inverse::Trash(name, _) => Step::new(REMOVE.of(&name), None),
            Inverse::Nothing(told) => Step::new(told, None),
        }));
        if !deed.waiting.is_empty() {
            return None;
        }
        if deed.steps.is_empty() {
            self.deeds.remove(at);
            return None;
        }
        let is_last = at + 1 == self.deeds.len();
        self.limit();
        let step = self.deeds.last()?.steps.iter().rev().find(|step| step.back.is_some());
        step.filter(|_| is_last).map(|step| Ended::Undoable(Box::new(step.clone())))
    }

    /// Records that an effect that undoes something ended. When the last one of an action has, what
    /// was not undone returns to its place.
    fn end_undo(&mut self, effect: &Effect, outcome: Outcome, now: Timestamp) -> Option<Ended> {
        let at = self.undoing.iter().position(|undoing| undoing.waiting.contains(effect))?;
        let undoing = &mut self.undoing[at];
        undoing.waiting.retain(|one| one != effect);
        undoing.has_failed |= outcome == Outcome::Failed;
        if outcome == Outcome::Done {
            undoing.deed.steps.retain(|step| step.begun.as_ref() != Some(effect));
        }
        if !undoing.waiting.is_empty() {
            return None;
        }
        let Undoing { mut deed, has_failed, .. } = self.undoing.remove(at);
        deed.steps.iter_mut().for_each(|step| step.begun = None);
        if deed.steps.is_empty() {
            return None;
        }
        let place = self.deeds.partition_point(|other| other.serial < deed.serial);
        let mut ended = None;
        if has_failed {
            deed.failures += 1;
            ended = Some(Ended::Failed);
            if deed.failures > 1
                && let Some(before) = self.told_before(place, now)
            {
                deed.passes = Some(now + PASSES);
                ended = Some(Ended::FailedAgain(before));
            }
        }
        self.deeds.insert(place, deed);
        ended
    }

    /// Records that these effects will not begin. What they were to undo remains to be undone.
    pub fn withdraw(&mut self, effects: &[Effect], now: Timestamp) -> Option<Ended> {
        let end = |effect: &Effect| {
            if self.is_undoing(effect) {
                return self.end_undo(effect, Outcome::Withdrawn, now);
            }
            self.end(effect, false, now)
        };
        effects.iter().filter_map(end).last()
    }

    /// Returns what to undo. It must be followed by [`Self::begin_undo`]. `unfit` returns why the
    /// state of an effect's object rules it out.
    pub fn take(&mut self, now: Timestamp, unfit: impl Fn(&Effect) -> Option<String>) -> Next {
        let Some(mut last) = self.last_before(self.deeds.len()) else { return Next::Nothing };
        if self.deeds[last].passes.is_some_and(|until| until > now) {
            let before = self.last_before(last);
            // What only failed is tried again after that.
            let can_stay = self.deeds[last].is_possible(now);
            if !can_stay {
                self.deeds.remove(last);
            }
            match before {
                Some(before) => last = before,
                None if can_stay => {}
                None => return Next::Nothing,
            }
        }
        if !self.deeds[last].waiting.is_empty() {
            return Next::Busy;
        }
        for step in &mut self.deeds[last].steps {
            if let Some(state) = step.back.as_ref().and_then(&unfit) {
                *step = Step { ruled_out_by: Some(state), ..step.clone().revoked() };
            }
        }
        if self.deeds[last].is_possible(now) {
            let mut deed = self.deeds.remove(last);
            deed.passes = None;
            let (mut steps, others): (Vec<_>, Vec<_>) =
                std::mem::take(&mut deed.steps).into_iter().partition(|step| step.is_possible(now));
            steps.iter_mut().for_each(|step| step.begun.clone_from(&step.back));
            let waiting = steps.iter().filter_map(|step| step.begun.clone()).collect();
            deed.steps.clone_from(&steps);
            self.undoing.push(Undoing { deed, waiting, has_failed: false });
            steps.reverse();
            return Next::Steps(steps, others.into_iter().rev().map(Step::revoked).collect());
        }
        let before = self.told_before(last, now);
        let deed = &mut self.deeds[last];
        deed.passes = Some(now + PASSES);
        let steps: Vec<Step> = deed.steps.iter().cloned().map(Step::revoked).collect();
        let why = steps.iter().rev().find_map(|step| step.ruled_out_by.clone());
        Next::Cannot { what: summary(&steps), why, before }
    }

    /// Returns what the action before the one at `end` did, if it can be undone.
    fn told_before(&self, end: usize, now: Timestamp) -> Option<String> {
        let before = self.last_before(end).map(|at| &self.deeds[at]);
        before.filter(|deed| deed.is_possible(now)).map(|deed| summary(&deed.steps))
    }

    /// Returns the last action before the one at `end`, without work in the background that has not
    /// finished.
    fn last_before(&self, end: usize) -> Option<usize> {
        let is_counted = |deed: &Deed| deed.waiting.is_empty() || deed.pending == Pending::Blocks;
        self.deeds[..end].iter().rposition(is_counted)
    }

    /// Records that an entry left the trash, because it was restored or deleted.
    pub fn left_trash(&mut self, id: &str, how: Left) {
        let undoing = self.undoing.iter_mut().map(|undoing| (&mut undoing.deed, true));
        let deeds = self.deeds.iter_mut().map(|deed| {
            let was_tried = deed.failures > 0;
            (deed, was_tried)
        });
        for (deed, is_undone) in undoing.chain(deeds) {
            let Some(at) = deed.steps.iter().position(|step| step.is_in_trash(id)) else { continue };
            let step = &mut deed.steps[at];
            match (how, step.then.take()) {
                (Left::Deleted, _) => *step = Step { begun: step.begun.take(), ..step.clone().revoked() },
                // Undoing its removal has restored it, but may have failed to start it.
                (Left::Restored, Some(then)) if is_undone => {
                    (step.back, step.until) = (Some(then), None);
                }
                (Left::Restored, _) if step.begun.is_some() => {}
                (Left::Restored, _) => drop(deed.steps.remove(at)),
            }
        }
        self.deeds.retain(|deed| !deed.waiting.is_empty() || !deed.steps.is_empty());
    }

    /// Drops the oldest actions if there are too many.
    fn limit(&mut self) {
        while self.deeds.len() > ACTIONS {
            let Some(oldest) = self.deeds.iter().position(|deed| deed.waiting.is_empty()) else { return };
            self.deeds.remove(oldest);
        }
    }

    fn place_of(&self, effect: &Effect) -> Option<(usize, usize)> {
        self.deeds
            .iter()
            .enumerate()
            .find_map(|(deed, of)| Some((deed, of.waiting.iter().position(|(one, _)| one == effect)?)))
    }
}

/// How an entry left the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It was restored, which undid its removal.
    Restored,
    /// It was deleted for good.
    Deleted,
}

/// Returns what the steps did: `stopped web and 3 more`.
fn summary(steps: &[Step]) -> String {
    match steps {
        [] => String::new(),
        [step] => step.told.clone(),
        [.., last] => format!("{} and {} more", last.told, steps.len() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Removal, Running, Status};
    use crate::tui::fixture::{container, now};

    fn effect(verb: ContainerVerb, name: &str) -> Effect {
        Effect::Container(verb, container(name, Status::Running).id)
    }

    fn gone(name: &str) -> Effect {
        effect(ContainerVerb::Remove(Removal::to_trash(Running::Stop)), name)
    }

    fn stop(name: &str) -> (Effect, Inverse) {
        let back = effect(ContainerVerb::Start, name);
        (effect(ContainerVerb::Stop, name), Inverse::Effect(format!("stopped {name}"), back))
    }

    fn restart(name: &str) -> (Effect, Inverse) {
        (effect(ContainerVerb::Restart, name), Inverse::Nothing(format!("the restart of {name}")))
    }

    fn remove(name: &str) -> (Effect, Inverse) {
        (gone(name), Inverse::Trash(name.to_owned(), Was::Idle))
    }

    fn remove_running(name: &str) -> (Effect, Inverse) {
        (gone(name), Inverse::Trash(name.to_owned(), Was::Running))
    }

    fn later(hours: i64) -> Timestamp {
        now() + SignedDuration::from_hours(hours)
    }

    /// Applies events to an empty `Undo`, and returns what each `u` undid or said.
    ///
    /// `+a b` begins the stop of a and b, `-a` of them is finished, `!a` failed; likewise `r` for
    /// removals (`*a` is kept in the trash), `t` for restarts and `w` for one in the background.
    /// `^a` restores from the trash, `xa` deletes there, and `~` lets time pass. What undoes a is
    /// finished by `=a`, failed by `?a` and withdrawn by `#a`, and `s` is a removal of running ones.
    fn story(events: &str) -> String {
        let (mut undo, mut said, mut now) = (Undo::default(), Vec::new(), now());
        for event in events.split(',').map(str::trim) {
            let (what, names) = event.split_at(1);
            let names: Vec<&str> = names.split(' ').filter(|name| !name.is_empty()).collect();
            let all = |of: fn(&str) -> (Effect, Inverse)| names.iter().map(|name| of(name)).collect();
            match what {
                "+" => undo.begin(all(stop), Pending::Blocks),
                "r" => undo.begin(all(remove), Pending::Blocks),
                "s" => undo.begin(all(remove_running), Pending::Blocks),
                "=" | "?" | "#" => names.iter().for_each(|name| {
                    let steps = undo.undoing.iter().flat_map(|undoing| &undoing.deed.steps);
                    let mut effects = steps.filter(|step| step.told.ends_with(name));
                    let effect = effects.find_map(|step| step.begun.clone()).unwrap();
                    let ended = match what {
                        "#" => undo.withdraw(&[effect], now),
                        _ => undo.end(&effect, what == "=", now),
                    };
                    said.extend(ended.map(|ended| match ended {
                        Ended::Failed => "failed".to_owned(),
                        Ended::FailedAgain(before) => format!("failed, then {before}"),
                        Ended::Undoable(step) => panic!("{step:?}"),
                    }));
                }),
                "t" => undo.begin(all(restart), Pending::Blocks),
                "w" => undo.begin(all(restart), Pending::Passes),
                "*" => names.iter().for_each(|name| undo.kept(&gone(name), name, later(24))),
                "-" | "!" => names.iter().for_each(|name| {
                    let effects = [stop(name), remove(name), restart(name)].map(|(effect, _)| effect);
                    let effect = effects.into_iter().find(|effect| undo.place_of(effect).is_some());
                    undo.end(&effect.unwrap(), what == "-", now);
                }),
                "^" => undo.left_trash(names[0], Left::Restored),
                "x" => undo.left_trash(names[0], Left::Deleted),
                "~" => now += SignedDuration::from_hours(names[0].parse().unwrap()),
                _ => said.push(match undo.take(now, |_| None) {
                    Next::Nothing => "nothing".to_owned(),
                    Next::Busy => "busy".to_owned(),
                    Next::Cannot { what, before, .. } => {
                        format!(
                            "cannot {what}{}",
                            before.map_or_else(String::new, |it| format!(", then {it}"))
                        )
                    }
                    Next::Steps(steps, others) => {
                        let told = |step: &Step| match &step.back {
                            // It has been restored, and only has to be started.
                            Some(Effect::Container(ContainerVerb::Start, _)) if step.then.is_none() => {
                                step.told.replace("removed", "not started")
                            }
                            _ => step.told.clone(),
                        };
                        let told: Vec<String> = steps.iter().map(told).collect();
                        let lost = if others.is_empty() {
                            String::new()
                        } else {
                            format!(", not {}", summary(&others))
                        };
                        told.join(" + ") + &lost
                    }
                }),
            }
        }
        said.join(" | ")
    }

    #[test]
    fn one_key_undoes_what_one_key_did_in_any_order_of_events() {
        for (events, said) in [
            ("u", "nothing"),
            // The last key goes first, whichever finished first.
            ("+a b, +c, -a, -c, u, -b, u, u", "stopped c | stopped b + stopped a | nothing"),
            ("+a b, -a, u, -b, u", "busy | stopped b + stopped a"),
            ("+a b, !a, -b, u, u", "stopped b | nothing"),
            ("+a, !a, u", "nothing"),
            // A removal is undone once its object is in the trash and the removal has finished.
            ("ra b, *b, u, -b, *a, -a, u", "busy | removed a + removed b"),
            ("ra b, *a, -a, !b, u", "removed a"),
            // What did not reach the trash cannot come back.
            ("ra b, *a, -a, -b, u, u", "removed a, not the removal of b | nothing"),
            ("+a, -a, rb, -b, u, u", "cannot the removal of b, then stopped a | stopped a"),
        ] {
            assert_eq!(story(events), said, "{events}");
        }
    }

    #[test]
    fn what_has_no_inverse_stops_it_once() {
        for (events, said) in [
            ("+a, -a, tb, -b, u, u, u", "cannot the restart of b, then stopped a | stopped a | nothing"),
            ("+a, -a, tb c d, -b c d, u", "cannot the restart of d and 2 more, then stopped a"),
            ("tb, -b, u, u", "cannot the restart of b | nothing"),
            ("+a, -a, tb, !b, u", "stopped a"),
            // It was reported too long ago to be passed by.
            (
                "+a, -a, tb, -b, u, ~1, u",
                "cannot the restart of b, then stopped a | cannot the restart of b, then stopped a",
            ),
            (
                "+a, -a, tb, -b, u, tc, -c, u, u",
                "cannot the restart of b, then stopped a | cannot the restart of c | cannot the restart of b, then stopped a",
            ),
            // Work in the background is in nobody's way, and counts from its start.
            ("wb, +a, -a, u, -b, u", "stopped a | cannot the restart of b"),
            ("+a, -a, wb, u, -b, u", "stopped a | cannot the restart of b"),
        ] {
            assert_eq!(story(events), said, "{events}");
        }
    }

    #[test]
    fn what_left_the_trash_cannot_be_restored() {
        for (events, said) in [
            ("+a, -a, rb, *b, -b, xb, u, u", "cannot the removal of b, then stopped a | stopped a"),
            ("+a, -a, rb, *b, -b, ~25, u, u", "cannot the removal of b, then stopped a | stopped a"),
            // A removal undone by hand is no longer an action.
            ("+a, -a, rb, *b, -b, ^b, u", "stopped a"),
            ("rb c, *b, -b, *c, -c, ^b, u", "removed c"),
            ("rb c, *b, ^b, -b, *c, -c, u", "removed c"),
            ("rb c, *b, -b, *c, -c, xb, u, u", "removed c, not the removal of b | nothing"),
        ] {
            assert_eq!(story(events), said, "{events}");
        }
    }

    #[test]
    fn the_limit_counts_actions_whatever_their_size() {
        let mut undo = Undo::default();
        let names = |round: usize| (0..20).map(move |at| format!("c{round}x{at}"));
        for round in 0..ACTIONS + 5 {
            undo.begin(names(round).map(|name| stop(&name)).collect(), Pending::Blocks);
            names(round).for_each(|name| {
                undo.end(&stop(&name).0, true, now());
            });
        }
        for _ in 0..ACTIONS {
            assert!(matches!(undo.take(now(), |_| None), Next::Steps(steps, _) if steps.len() == 20));
        }
        assert_eq!(undo.take(now(), |_| None), Next::Nothing);
    }

    #[test]
    fn the_hint_comes_with_the_last_result_of_the_last_key() {
        let mut undo = Undo::default();
        undo.begin(vec![stop("a"), stop("b")], Pending::Blocks);
        undo.begin(vec![stop("c")], Pending::Blocks);
        let ends = ["a", "c", "b"].map(|name| undo.end(&stop(name).0, true, now()));
        let [None, Some(Ended::Undoable(step)), None] = ends else { panic!("{ends:?}") };
        assert_eq!(step.told, "stopped c");
        // What undoes is no action.
        let Next::Steps(steps, _) = undo.take(now(), |_| None) else { panic!("{undo:?}") };
        let back = effect(ContainerVerb::Start, "c");
        assert_eq!(steps[0].back.as_ref(), Some(&back));
        assert_eq!(undo.begin_undo(std::slice::from_ref(&back), now()), None);
        assert!(undo.is_undoing(&back));
        assert_eq!(undo.end(&back, true, now()), None);
        assert!(!undo.is_undoing(&back));
    }

    #[test]
    fn what_was_not_undone_can_still_be() {
        for (events, said) in [
            // What failed stays, and only that.
            ("+a b c, -a b c, u, =b, ?a, =c, u", "stopped c + stopped b + stopped a | failed | stopped a"),
            (
                "+a b, -a b, u, ?a b, u, =a b, u",
                "stopped b + stopped a | failed | stopped b + stopped a | nothing",
            ),
            // It stays at its place.
            (
                "+a, -a, +b, -b, u, +c, -c, ?b, u, =c, u, =b, u",
                "stopped b | failed | stopped c | stopped b | stopped a",
            ),
            (
                "+a, -a, +b, -b, u, u, ?a, ?b, u, =b, u",
                "stopped b | stopped a | failed | failed | stopped b | stopped a",
            ),
            // What always fails does not block the actions before.
            (
                "+a, -a, +b, -b, u, ?b, u, ?b, u, =a, u",
                "stopped b | failed | stopped b | failed, then stopped a | stopped a | stopped b",
            ),
            (
                "+a, -a, +b, -b, u, ?b, u, ?b, ~1, u, =b, u",
                "stopped b | failed | stopped b | failed, then stopped a | stopped b | stopped a",
            ),
            ("+b, -b, u, ?b, u, ?b, u", "stopped b | failed | stopped b | failed | stopped b"),
            // What was cancelled has not failed.
            ("+a b, -a b, u, =a, #b, u", "stopped b + stopped a | stopped b"),
            ("+a b, -a b, u, #b, ?a, u", "stopped b + stopped a | failed | stopped b + stopped a"),
            // What was restored but not started is started.
            ("sa, *a, -a, u, ^a, ?a, u", "removed a | failed | not started a"),
            ("sa, *a, -a, u, ?a, ^a, u", "removed a | failed | not started a"),
            ("sa, *a, -a, u, ^a, =a, u", "removed a | nothing"),
            ("sa, *a, -a, u, ?a, u", "removed a | failed | removed a"),
            ("ra, *a, -a, u, ^a, =a, u", "removed a | nothing"),
            ("ra, *a, -a, u, ?a, ^a, u", "removed a | failed | nothing"),
            (
                "+a, -a, rb, *b, -b, u, ?b, xb, u",
                "removed b | failed | cannot the removal of b, then stopped a",
            ),
        ] {
            assert_eq!(story(events), said, "{events}");
        }
        // What is refused at once has failed as well.
        let mut undo = Undo::default();
        undo.begin(["a", "b"].map(stop).to_vec(), Pending::Blocks);
        for name in ["a", "b"] {
            undo.end(&stop(name).0, true, now());
        }
        let start = |name| effect(ContainerVerb::Start, name);
        assert!(matches!(undo.take(now(), |_| None), Next::Steps(steps, _) if steps.len() == 2));
        assert_eq!(undo.begin_undo(&[start("b")], now()), None);
        assert_eq!(undo.end(&start("b"), true, now()), Some(Ended::Failed));
        assert!(matches!(undo.take(now(), |_| None), Next::Steps(steps, _) if steps.len() == 1));
        assert_eq!(undo.begin_undo(&[], now()), Some(Ended::Failed));
    }
}
