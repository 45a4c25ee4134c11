//! The question before something is removed, and its answers.

use crate::tui::action::Action;
use crate::tui::event::{Effect, Fate, Force};
use crate::tui::list::rows::ImageRow;
use crate::tui::model::layer::Layer;
use crate::tui::model::{Model, Tone};
use crate::tui::removal::model::{Question, Victim};
use crate::tui::update::object::confirmed;

/// Asks whether these go. With `force` what is up is killed, else it is stopped.
pub(crate) fn ask(model: &mut Model, victims: Vec<Victim>, force: Force) {
    if victims.is_empty() {
        return;
    }
    let fate = if model.keeping.time.is_some() { Fate::Trash } else { Fate::Gone };
    model.layers.push(Layer::Removal(Box::new(Question { victims, force, fate, top: 0 })));
}

/// Asks whether these names of images go, each with its image where it is the last one.
pub(crate) fn ask_images(model: &mut Model, rows: &[ImageRow], force: Force) {
    let names_of = |row: &ImageRow| model.images.all().iter().filter(|other| other.id == row.id).count();
    let goes_of = |row: &ImageRow| rows.iter().filter(|other| other.id == row.id).count();
    let victim = |row: &ImageRow| Victim::Image(row.clone(), names_of(row) == goes_of(row));
    let victims = rows.iter().map(victim).collect();
    ask(model, victims, force);
}

/// What `action` does to the question.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let rows = Question::rows(model.size.1);
    let has_trash = model.keeping.time.is_some();
    let Some(Layer::Removal(question)) = model.layers.last_mut() else { return Vec::new() };
    let last = question.victims.len().saturating_sub(rows);
    match action {
        Action::SkipTrash if has_trash && question.is_final() => {
            model.say(Tone::Plain, "nothing of this can go to the trash", None);
        }
        Action::SkipTrash if has_trash => {
            question.fate = if question.fate == Fate::Trash { Fate::Gone } else { Fate::Trash };
        }
        Action::SkipTrash => model.say(Tone::Plain, "there is no trash: `[trash] keep` is 0", None),
        Action::Down => question.top = (question.top + 1).min(last),
        Action::Up => question.top = question.top.saturating_sub(1),
        Action::PageDown => question.top = (question.top + rows).min(last),
        Action::PageUp => question.top = question.top.saturating_sub(rows),
        Action::Accept => {
            let effects = question.effects();
            model.layers.pop();
            return confirmed(model, effects);
        }
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}
