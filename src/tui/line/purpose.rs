//! The purpose of an input line.

use std::fmt;

use crate::command::Suggestions;
use crate::tui::effect::Effect;
use crate::tui::form::model::Note;
use crate::tui::model::Model;

/// The purpose of an input line. A new one is a type of the feature that asks for the line; nothing
/// else refers to it. The defaults do nothing.
pub(crate) trait Purpose: fmt::Debug + Send + Sync {
    /// Returns the title.
    fn title(&self) -> &'static str;

    /// Returns a hint on what to type.
    fn hint(&self) -> &'static str;

    /// Handles the completed line.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the line, which stays open.
    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String>;

    /// Whether the line is at the bottom of the screen, where it covers nothing.
    fn is_line(&self) -> bool {
        false
    }

    /// Returns the symbol before a line at the bottom.
    fn sign(&self) -> &'static str {
        "/"
    }

    /// Returns the width of the dialog.
    fn width(&self) -> u16 {
        70
    }

    /// Whether an empty line is accepted; otherwise it is the same as cancelling.
    fn may_be_empty(&self) -> bool {
        false
    }

    /// Whether the line has a history.
    fn has_history(&self) -> bool {
        false
    }

    /// Reacts to a change of the input.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the input so far.
    fn typed(&self, _model: &mut Model, _text: &str) -> Result<(), String> {
        Ok(())
    }

    /// Undoes the reactions to changes when the line is cancelled.
    fn dismiss(&self, _model: &mut Model) {}

    /// Whether the line is split into words like a shell command; otherwise it is a single word.
    fn is_words(&self) -> bool {
        false
    }

    /// Returns completions for the word after `words`.
    fn suggest(&self, _model: &Model, _words: &[String], _begun: &str) -> Option<Suggestions> {
        None
    }

    /// Returns a note about the input so far. A negative one keeps the line from being accepted.
    fn note(&self, _model: &mut Model, _text: &str) -> Option<Note> {
        None
    }
}

/// Returns suggestions for names of a kind.
pub(crate) fn names(kind: crate::command::NameKind) -> Suggestions {
    Suggestions { names: Some(kind), ..Suggestions::default() }
}
