//! The `:` line: commands of the TUI itself, else the command line's own.

use super::object::work;
use super::{Action, dialog, here};
use crate::tui::event::{Effect, Job};
use crate::tui::model::layer::{Input, Layer, split};
use crate::tui::model::{Failure, Model, Tone};
use crate::tui::theme::Theme;

/// Words that are keys as well.
const OWN: &[(&str, Action)] = &[
    ("q", Action::Quit),
    ("quit", Action::Quit),
    ("help", Action::Help),
    ("containers", Action::GoContainers),
    ("ps", Action::GoContainers),
    ("images", Action::GoImages),
    ("volumes", Action::GoVolumes),
    ("networks", Action::GoNetworks),
    ("tasks", Action::GoTasks),
    ("refresh", Action::Refresh),
];

/// Does what a line says.
pub(super) fn line(model: &mut Model, text: &str) -> Vec<Effect> {
    model.history.retain(|old| old != text);
    model.history.push(text.to_owned());
    let words = split(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Vec::new(),
        ["theme", name] => {
            match Theme::shipped(name, model.depth) {
                Ok(theme) => model.theme = theme,
                Err(error) => model.say(Tone::Bad, error.to_string(), None),
            }
            Vec::new()
        }
        [word] if OWN.iter().any(|(own, _)| own == word) => {
            let action = OWN.iter().find(|(own, _)| own == word).map(|(_, action)| *action);
            action.map_or_else(Vec::new, |action| here(model, action))
        }
        ["pull", name] => vec![work(model, &format!("pull {name}"), Job::Pull((*name).to_owned()))],
        ["run", ..] => dialog::run(model, words.iter().map(|word| (*word).to_owned()).collect()),
        [word, ..] => {
            model.fail(Failure {
                what: format!("`{word}` is not a command here"),
                why: Vec::new(),
                hint: Some("try run, pull, theme, containers, images, tasks, help, quit".to_owned()),
            });
            Vec::new()
        }
    }
}

/// What is wrong with the words of a command.
pub(super) fn problem(words: &[String]) -> Option<String> {
    let _ = words;
    None
}

/// Completes the first word of the line.
pub(super) fn complete(model: &mut Model) {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return };
    let text = prompt.input.text();
    let names = OWN.iter().map(|(name, _)| *name).chain(["pull", "run", "theme"]);
    if let Some(name) = names.into_iter().find(|name| name.starts_with(text) && !text.is_empty()) {
        prompt.input = Input::new(&format!("{name} "));
    }
}
