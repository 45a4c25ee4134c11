//! Notes about the input of a prompt.

use crate::tui::effect::Effect;
use crate::tui::form::model::{Mark, Note};
use crate::tui::line::update::complete;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;

/// Updates the note and the completions.
pub(crate) fn of_prompt(model: &mut Model) -> Vec<Effect> {
    let mut effects = complete::refresh(model);
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return effects };
    let text = prompt.input.text().trim().to_owned();
    let purpose = prompt.purpose.clone();
    let note = if text.is_empty() { None } else { purpose.note(model, &text) };
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        prompt.note = note;
    }
    effects.extend(model.paths.take_wanted().into_iter().map(Effect::Look));
    effects
}

/// Returns a positive note.
pub(crate) fn good(text: String) -> Note {
    Note { mark: Mark::Good, text, offer: None }
}

/// Returns a negative note.
pub(crate) fn bad(text: String) -> Note {
    Note { mark: Mark::Bad, text, offer: None }
}
