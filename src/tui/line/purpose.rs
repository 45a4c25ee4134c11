//! What a line is typed for.

use std::fmt;

use crate::command::Suggestions;
use crate::tui::effect::Effect;
use crate::tui::form::model::Note;
use crate::tui::model::Model;

/// What a typed line is for. A new one is a type of the feature that asks for the line; nothing
/// else names it. What is not said it does not do.
pub(crate) trait Purpose: fmt::Debug + Send + Sync {
    /// What stands above the line.
    fn title(&self) -> &'static str;

    /// What to type.
    fn hint(&self) -> &'static str;

    /// Takes the line when it is done.
    ///
    /// # Errors
    ///
    /// What is wrong with it: it stays open then.
    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String>;

    /// Whether the line stands at the bottom, where it hides nothing.
    fn is_line(&self) -> bool {
        false
    }

    /// The sign before the line at the bottom.
    fn sign(&self) -> &'static str {
        "/"
    }

    /// How wide the dialog is.
    fn width(&self) -> u16 {
        70
    }

    /// Whether an empty line is taken; else it is as if there had been no line.
    fn may_be_empty(&self) -> bool {
        false
    }

    /// Whether there are lines that were typed before.
    fn has_history(&self) -> bool {
        false
    }

    /// What follows at once when something was typed.
    ///
    /// # Errors
    ///
    /// What is wrong with the line so far.
    fn typed(&self, _model: &mut Model, _text: &str) -> Result<(), String> {
        Ok(())
    }

    /// Takes back what followed at once.
    fn dismiss(&self, _model: &mut Model) {}

    /// Whether the line is words as a shell has them; else it is one.
    fn is_words(&self) -> bool {
        false
    }

    /// What the word behind `words` could become.
    fn suggest(&self, _model: &Model, _words: &[String], _begun: &str) -> Option<Suggestions> {
        None
    }

    /// What there is to say about the line so far.
    fn note(&self, _model: &mut Model, _text: &str) -> Option<Note> {
        None
    }
}

/// Suggestions of names of a kind.
pub(crate) fn names(kind: crate::command::NameKind) -> Suggestions {
    Suggestions { names: Some(kind), ..Suggestions::default() }
}
