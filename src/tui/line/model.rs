//! A line to type, and what it is for.

use std::sync::Arc;

use crate::tui::form::model::Note;
use crate::tui::line::candidates::Candidates;
use crate::tui::line::purpose::Purpose;
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
