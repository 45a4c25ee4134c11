//! Prompts over the run form.

use crate::command::{Suggestions, split, suggest};
use crate::tui::effect::Effect;
use crate::tui::form::model::{Mark, Note};
use crate::tui::form::update::{check, preset};
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::note::bad;
use crate::tui::line::update::refusal::problem;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;

/// The command line of the form below.
#[derive(Debug)]
pub(crate) struct Words;

impl Purpose for Words {
    fn title(&self) -> &'static str {
        "Edit the command"
    }

    fn hint(&self) -> &'static str {
        "↵ updates the fields"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        match (split(text), model.layers.last_mut()) {
            (Ok(words), Some(Layer::Run(form))) => form.fill(&words)?,
            (Err(usage), _) => return Err(usage.message().to_owned()),
            (Ok(_), _) => {}
        }
        Ok(check(model))
    }

    fn width(&self) -> u16 {
        110
    }

    fn is_words(&self) -> bool {
        true
    }

    fn suggest(&self, _: &Model, words: &[String], begun: &str) -> Option<Suggestions> {
        Some(suggest(words, begun))
    }

    fn note(&self, _: &mut Model, text: &str) -> Option<Note> {
        let words = split(text).map(|words| match words.as_slice() {
            [program, rest @ ..] if program == "hoist" || program == "docker" => rest.to_vec(),
            _ => words,
        });
        problem(words).map(bad)
    }
}

/// The name under which to save the form's command.
#[derive(Debug)]
pub(crate) struct PresetName;

impl Purpose for PresetName {
    fn title(&self) -> &'static str {
        "Save as preset"
    }

    fn hint(&self) -> &'static str {
        "name of the preset"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(preset::save(model, text))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        model.saved.presets.contains_key(text).then(|| {
            let text = "replaces the existing preset".to_owned();
            Note { mark: Mark::Warn, text, offer: None }
        })
    }
}
