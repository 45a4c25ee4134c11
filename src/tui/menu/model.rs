//! What can be chosen, and where the cursor is.

use crate::tui::action::Action;

/// One of several.
#[derive(Debug)]
pub struct Menu {
    /// `Send web a signal`
    pub title: String,
    /// What can be chosen, and what it means.
    pub items: Vec<(String, String)>,
    /// Where the cursor is.
    pub cursor: usize,
}

impl Menu {
    /// A menu with the cursor on its first item.
    #[must_use]
    pub fn new(title: String, items: Vec<(String, String)>) -> Self {
        Self { title, items, cursor: 0 }
    }

    /// Moves the cursor; gives whether the action is such a movement.
    pub fn moves(&mut self, action: Action) -> bool {
        match action {
            Action::Down => self.cursor = (self.cursor + 1).min(self.items.len().saturating_sub(1)),
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            _ => return false,
        }
        true
    }
}
