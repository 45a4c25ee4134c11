//! Commands of `run` that are kept under a name.

use super::form;
use crate::tui::action::Action;
use crate::tui::event::Effect;
use crate::tui::model::form::RunForm;
use crate::tui::model::layer::{Layer, Presets};
use crate::tui::model::{Failure, Model, Tone};

/// Keeps the words of the run form under `name`.
pub(super) fn save(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(Layer::Run(form)) = model.layers.last() else { return Vec::new() };
    match form.words() {
        Ok(words) => {
            model.saved.presets.insert(name.to_owned(), words);
            model.say(Tone::Good, format!("preset {name} saved"), None);
            vec![Effect::Save]
        }
        Err(usage) => {
            model.say(Tone::Bad, usage.message().to_owned(), None);
            Vec::new()
        }
    }
}

/// Lets one of them be chosen.
pub(super) fn choose(model: &mut Model) {
    let names: Vec<String> = model.saved.presets.keys().cloned().collect();
    if names.is_empty() {
        model.say(Tone::Plain, "no presets yet: F2 in the run form keeps one", None);
        return;
    }
    model.layers.push(Layer::Presets(Presets { cursor: 0, names }));
}

/// What `action` does to the choice.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Presets(presets)) = model.layers.last_mut() else { return Vec::new() };
    let name = presets.names.get(presets.cursor).cloned().unwrap_or_default();
    match action {
        Action::Down => presets.cursor = (presets.cursor + 1).min(presets.names.len().saturating_sub(1)),
        Action::Up => presets.cursor = presets.cursor.saturating_sub(1),
        Action::DropPreset => {
            presets.names.retain(|other| *other != name);
            presets.cursor = presets.cursor.min(presets.names.len().saturating_sub(1));
            if presets.names.is_empty() {
                model.layers.pop();
            }
            model.saved.presets.remove(&name);
            model.say(Tone::Good, format!("preset {name} removed"), None);
            return vec![Effect::Save];
        }
        Action::Accept => {
            model.layers.pop();
            return open(model, &name);
        }
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// Opens the form with what is kept under `name`.
pub(super) fn open(model: &mut Model, name: &str) -> Vec<Effect> {
    let made = match model.saved.presets.get(name) {
        Some(words) => RunForm::of(words),
        None => Err("there is none of that name".to_owned()),
    };
    match made {
        Ok(form) => {
            // The form it was chosen from makes room for it.
            if matches!(model.layers.last(), Some(Layer::Run(_))) {
                model.layers.pop();
            }
            form::open(model, form)
        }
        Err(why) => {
            model.fail(Failure {
                what: format!("cannot take the preset `{name}`"),
                why: vec![why],
                hint: None,
            });
            Vec::new()
        }
    }
}
