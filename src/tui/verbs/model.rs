//! The menu of verbs of a row.

use crate::tui::action::Action;
use crate::tui::menu::model::Menu;

/// A menu of verbs.
#[derive(Debug)]
pub struct VerbMenu {
    /// The verbs with their keys.
    pub menu: Menu,
    /// The verbs, in the same order.
    pub actions: Vec<Action>,
}

impl VerbMenu {
    /// Creates a menu of verbs, each with its item and description.
    #[must_use]
    pub fn new(title: String, verbs: Vec<(Action, (String, String))>) -> Self {
        let (actions, items) = verbs.into_iter().unzip();
        Self { menu: Menu::new(title, items), actions }
    }
}
