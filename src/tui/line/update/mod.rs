//! The actions of an input line, and reactions to its input.

pub(crate) mod app;
pub(crate) mod command;
pub(crate) mod complete;
mod container;
pub(crate) mod history;
pub(crate) mod image;
mod layouts;
mod named;
mod network;
pub(crate) mod note;
mod objects;
pub(crate) mod options;
pub(crate) mod refusal;
mod system;
mod volume;

use std::sync::Arc;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::form::model::Mark;
use crate::tui::line::model::Prompt;
use crate::tui::line::purpose::Purpose;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use crate::tui::model::layer::Layer;

/// Opens an input line that contains `text`.
pub(crate) fn prompt(model: &mut Model, purpose: impl Purpose + 'static, text: &str) {
    model.paths.clear();
    model.open(Prompt::new(purpose, text));
}

/// Like [`prompt`], but what is typed replaces the text, unless the cursor is moved first.
pub(crate) fn revise(model: &mut Model, purpose: impl Purpose + 'static, text: &str) {
    let mut prompt = Prompt::new(purpose, "");
    prompt.input = Input::proposed(text);
    model.paths.clear();
    model.open(prompt);
}

/// Applies `action` to the input line.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return Vec::new() };
    let purpose = prompt.purpose.clone();
    match action {
        Action::Accept => return accept(model),
        Action::Complete => return complete::take(model, 1),
        Action::CompleteBack => return complete::take(model, -1),
        Action::Older if purpose.has_history() => history::older(model),
        Action::Newer if purpose.has_history() => history::newer(model),
        Action::Dismiss => {
            model.layers.pop();
            purpose.dismiss(model);
        }
        _ => {}
    }
    Vec::new()
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Prompt(mut prompt)) = model.layers.pop() else { return Vec::new() };
    let purpose = prompt.purpose.clone();
    let text = prompt.input.text().trim().to_owned();
    if text.is_empty() && !purpose.may_be_empty() {
        return Vec::new();
    }
    let fault = purpose.note(model, &text).filter(|note| note.mark == Mark::Bad);
    match fault.map_or_else(|| purpose.accept(model, &text), |note| Err(note.text)) {
        Ok(effects) => effects,
        Err(error) => {
            prompt.error = Some(error);
            model.layers.push(Layer::Prompt(prompt));
            Vec::new()
        }
    }
}

/// Reacts to a change of the input: filters, lists completions, and reports errors.
pub(crate) fn typed(model: &mut Model) -> Vec<Effect> {
    let Some((purpose, text)) = current(model) else { return Vec::new() };
    let error = purpose.typed(model, &text).err();
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        (prompt.error, prompt.back) = (error, 0);
    }
    note::of_prompt(model)
}

fn current(model: &Model) -> Option<(Arc<dyn Purpose>, String)> {
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return None };
    Some((prompt.purpose.clone(), prompt.input.text().to_owned()))
}

/// Stores the names in a folder, if they are for the current word.
pub(crate) fn folder_read(model: &mut Model, folder: String, names: Vec<(String, bool)>) -> Vec<Effect> {
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut()
        && prompt.folder.as_ref().is_some_and(|(asked, _)| *asked == folder)
    {
        prompt.folder = Some((folder, names));
        return complete::refresh(model);
    }
    Vec::new()
}
