//! What a command of the user's needs to know before it is run.

use std::collections::HashMap;

use crate::config::Whither;
use crate::engine::ContainerId;
use crate::tui::custom::model::{Placeholder, Template};
use crate::tui::model::input::Input;

/// A line that is asked for.
#[derive(Debug)]
pub struct Ask {
    /// What is asked for.
    pub title: String,
    /// What to type.
    pub hint: String,
    /// The line.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The command that waits for it; `None` when the line is the command.
    pub pending: Option<Box<Pending>>,
}

/// A command whose placeholders are being filled.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What it is called.
    pub name: String,
    /// Its line.
    pub template: Template,
    /// Where it is run.
    pub whither: Whither,
    /// It is asked about first.
    pub confirm: bool,
    /// The container it is about.
    pub container: Option<ContainerId>,
    /// What is known so far.
    pub values: HashMap<Placeholder, String>,
}

/// A command that can be run as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What it is called.
    pub name: String,
    /// A program and its words.
    pub words: Vec<String>,
    /// Where it is run.
    pub whither: Whither,
    /// The container it is about.
    pub container: Option<ContainerId>,
}
