//! Saved `run` commands.

use crate::command::{join, split};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::form;
use crate::tui::form::model::{RunForm, is_secret, place};
use crate::tui::form::presets::Presets;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;

/// Saves the form's command under `name`.
pub(crate) fn save(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(Layer::Run(form)) = model.layers.last() else { return Vec::new() };
    let mut kept = (**form).clone();
    let secrets = forget_secrets(&mut kept);
    match kept.words() {
        Ok(words) => {
            model.saved.presets.insert(name.to_owned(), words);
            let (text, hint) = match secrets.as_slice() {
                [] => (format!("saved preset {name}"), None),
                names => {
                    let text = format!("saved preset {name} without the value of {}", names.join(", "));
                    (text, Some("you will be asked for it when you use the preset".to_owned()))
                }
            };
            model.say(Tone::Good, text, hint);
            vec![Effect::Save]
        }
        Err(usage) => {
            model.say(Tone::Bad, usage.message().to_owned(), None);
            Vec::new()
        }
    }
}

/// Removes the values of variables whose names suggest secrets, because presets are saved as plain
/// text. Returns the names of the variables that had a value.
fn forget_secrets(form: &mut RunForm) -> Vec<String> {
    let field = place("env");
    let Ok(mut words) = split(&form.text(field)) else { return Vec::new() };
    let mut names = Vec::new();
    for word in &mut words {
        if let Some((name, value)) = word.split_once('=')
            && is_secret(name)
            && !value.is_empty()
        {
            names.push(name.to_owned());
            *word = format!("{name}=");
        }
    }
    if !names.is_empty() {
        form.set(field, &join(&words));
    }
    names
}

/// Returns the variables of the form whose names suggest secrets and which have no value.
fn asked_for(form: &RunForm) -> Vec<String> {
    let words = split(&form.text(place("env"))).unwrap_or_default();
    let names = words.iter().filter_map(|word| word.strip_suffix('='));
    names.filter(|name| is_secret(name)).map(str::to_owned).collect()
}

/// Opens the choice of saved commands.
pub(crate) fn choose(model: &mut Model) {
    let names: Vec<String> = model.saved.presets.keys().cloned().collect();
    if names.is_empty() {
        model.say(Tone::Plain, "no presets yet: press F2 in the run form to save one", None);
        return;
    }
    model.open(Presets { cursor: 0, names });
}

/// Applies `action` to the choice.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
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
            model.say(Tone::Good, format!("deleted preset {name}"), None);
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

/// Opens the form with the command saved under `name`.
pub(crate) fn open(model: &mut Model, name: &str) -> Vec<Effect> {
    let made = match model.saved.presets.get(name) {
        Some(words) => RunForm::of(words),
        None => Err("no preset has this name".to_owned()),
    };
    match made {
        Ok(mut form) => {
            let missing = asked_for(&form);
            if !missing.is_empty() {
                form.go(place("env"));
                let text = format!("presets do not store secrets: enter the value of {}", missing.join(", "));
                model.say(Tone::Warning, text, None);
            }
            // Replace the form from which the choice was opened.
            if matches!(model.layers.last(), Some(Layer::Run(_))) {
                model.layers.pop();
            }
            form::update::open(model, form)
        }
        Err(why) => {
            model.fail(Failure {
                what: format!("cannot use the preset `{name}`"),
                why: vec![why],
                hint: None,
            });
            Vec::new()
        }
    }
}
