//! An input line and its purpose.

use std::sync::Arc;

use crate::tui::form::model::Note;
use crate::tui::line::candidates::Candidates;
use crate::tui::line::purpose::Purpose;
use crate::tui::model::input::Input;

/// An input line and its purpose.
#[derive(Debug)]
pub struct Prompt {
    /// The purpose.
    pub(crate) purpose: Arc<dyn Purpose>,
    /// The input.
    pub input: Input,
    /// What is wrong with the input.
    pub error: Option<String>,
    /// The position in the history, counted from its end.
    pub back: usize,
    /// The input before the history was used.
    pub begun: String,
    /// The completions of the word at the cursor.
    pub candidates: Candidates,
    /// A folder, and the names in it, each with whether it is a folder.
    pub folder: Option<(String, Vec<(String, bool)>)>,
    /// A note about the input.
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
