//! A line to type, and what it is for.

use std::fmt;
use std::sync::Arc;

use crate::command::Suggestions;
use crate::tui::event::Effect;
use crate::tui::form::model::Note;
use crate::tui::line::candidates::Candidates;
use crate::tui::model::Model;
use crate::tui::model::input::Input;

/// A line to type, and what it is for.
#[derive(Debug)]
pub struct Prompt {
    /// What it is for.
    pub(crate) purpose: Arc<dyn Purpose>,
    /// The line.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The place in the history, from its end.
    pub back: usize,
    /// What was typed before the history was looked at.
    pub begun: String,
    /// What the word at the cursor could become.
    pub candidates: Candidates,
    /// A folder and the names in it, each with whether it is a folder.
    pub folder: Option<(String, Vec<(String, bool)>)>,
    /// What there is to say about what is typed.
    pub note: Option<Note>,
}

impl Prompt {
    pub(crate) fn new(purpose: impl Purpose + 'static, text: &str) -> Self {
        Self {
            purpose: Arc::new(purpose),
            input: Input::new(text),
            error: None,
            back: 0,
            begun: String::new(),
            candidates: Candidates::default(),
            folder: None,
            note: None,
        }
    }
}

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
