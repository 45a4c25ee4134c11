//! Verbs on several objects: refusals and results.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::list::batch::Batch;
use crate::tui::model::{Details, Model};
use crate::tui::trash;
use crate::tui::verb_words::Words;

/// Returns the failure for an action, other than a verb on a container or a removal, on an object
/// that cannot be read.
pub(crate) fn damage(action: Action, name: &str, why: Option<&str>) -> Option<Failure> {
    let why = why?.to_owned();
    Some(Failure {
        what: format!("cannot {} `{name}`", action.label().trim_end_matches('…')),
        why: vec![format!("it is damaged: {why}")],
        hint: Some("remove it, or repair its file".to_owned()),
    })
}

/// Reports that an action, given by its label or name, applies to a single object only.
pub(crate) fn refuse_many(model: &mut Model, what: &str, count: usize) {
    let back = model.cancel_key();
    model.fail(Failure {
        what: format!("`{}` works on one row at a time", what.trim_end_matches('…')),
        why: vec![format!("{count} rows are marked")],
        hint: Some(format!("press {back} to clear the marks")),
    });
}

/// The objects that a verb does not apply to.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// Those for which it was refused.
    pub(crate) refused: Vec<Failure>,
    /// How many were skipped, by their state: `2 exited, 1 created`.
    pub(crate) skipped: String,
    /// What to do with the skipped ones instead.
    pub(crate) hint: Option<String>,
    /// How many of those to be removed had already been removed.
    pub(crate) gone: usize,
}

impl From<Vec<Failure>> for Others {
    fn from(refused: Vec<Failure>) -> Self {
        Self { refused, ..Self::default() }
    }
}

/// Collects the results of these effects, to report them together.
pub(crate) fn together(
    model: &mut Model,
    words: &'static Words,
    effects: Vec<Effect>,
    others: impl Into<Others>,
) -> Vec<Effect> {
    let Others { mut refused, skipped, hint, gone } = others.into();
    match (effects.len(), refused.len()) {
        (0, 1) if gone == 0 => model.fail(refused.remove(0)),
        (0, 0) if gone == 0 => {}
        (1, 0) if gone == 0 && skipped.is_empty() => {}
        _ => {
            let batch = Batch::new(words, effects.clone(), refused).skipping(skipped, hint).with_gone(gone);
            if batch.is_over() {
                end(model, batch);
            } else {
                model.batches.push(batch);
            }
        }
    }
    effects
}

/// Reports the result of a verb on several objects.
pub(crate) fn end(model: &mut Model, batch: Batch) {
    let text = batch.summary();
    let tone = if batch.has_done_something() { Tone::Good } else { Tone::Plain };
    let hint = batch.hint().map(str::to_owned);
    let failures = batch.into_failures();
    let Some(first) = failures.first() else {
        model.say(tone, text, hint);
        return;
    };
    let (notice, hint) = (format!("{text}: {}", first.line()), model.details_words());
    let failure = Failure { what: text, ..Failure::default() };
    model.fail_with(notice, Some(hint), Details { failure, parts: failures });
}

/// Cancels what has not begun of the verbs on several objects. Returns `None` if all have begun.
pub(crate) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    let batches = model.batches.iter().filter(|batch| batch.can_be_cancelled());
    let waiting: Vec<Effect> = batches.flat_map(|batch| batch.waiting().iter().cloned()).collect();
    (!waiting.is_empty()).then(|| vec![Effect::Withdraw(waiting)])
}

/// Records that these effects will not begin. All others have begun.
pub(crate) fn withdrawn(model: &mut Model, effects: &[Effect]) {
    model.batches.iter_mut().for_each(Batch::begin_all);
    for effect in effects {
        if let Effect::Container(_, id) = effect {
            model.names.remove(id);
            model.stopping.remove(id);
            if let Some(row) = model.containers.get_mut(id.as_str()) {
                (row.busy, row.left) = (None, None);
            }
        }
        if let Some(entry) = trash::update::entry_of(effect) {
            model.pending_trash.remove(entry);
        }
        let Some(at) = model.batches.iter_mut().position(|batch| batch.withdraw(effect)) else { continue };
        if model.batches[at].is_over() {
            let batch = model.batches.remove(at);
            end(model, batch);
        }
    }
}
