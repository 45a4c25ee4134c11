//! The dialog that asks for values that a custom command needs.

use std::collections::HashMap;

use crate::config::Whither;
use crate::engine::ContainerId;
use crate::tui::custom::model::{Placeholder, Template};
use crate::tui::effect::Line;
use crate::tui::model::input::Input;

/// An input line.
#[derive(Debug)]
pub struct Ask {
    /// Its title.
    pub title: String,
    /// A hint about what to type.
    pub hint: String,
    /// The input.
    pub input: Input,
    /// What is wrong with the input.
    pub error: Option<String>,
    /// The command that waits for the value; `None` if the input is the command.
    pub pending: Option<Box<Pending>>,
}

/// A command with placeholders that still need values.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its name.
    pub name: String,
    /// Its line.
    pub template: Template,
    /// Where it runs.
    pub whither: Whither,
    /// Whether it runs in a pane.
    pub is_in_pane: bool,
    /// Whether it needs to be confirmed.
    pub confirm: bool,
    /// Whether the user has declared that it changes nothing.
    pub is_read_only: bool,
    /// The container it applies to.
    pub container: Option<ContainerId>,
    /// The values known so far.
    pub values: HashMap<Placeholder, String>,
}

/// A command that is ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Its name.
    pub name: String,
    /// The command.
    pub line: Line,
    /// Where it runs.
    pub whither: Whither,
    /// Whether it runs in a pane.
    pub is_in_pane: bool,
    /// The container it applies to.
    pub container: Option<ContainerId>,
}
