//! A menu: its items and the cursor.

use crate::tui::action::Action;

/// A menu of items, one of which can be chosen.
#[derive(Debug)]
pub struct Menu {
    /// `Send web a signal`
    pub title: String,
    /// The items with their descriptions.
    pub items: Vec<(String, String)>,
    /// The index of the item under the cursor.
    pub cursor: usize,
}

impl Menu {
    /// Creates a menu with the cursor on the first item.
    #[must_use]
    pub fn new(title: String, items: Vec<(String, String)>) -> Self {
        Self { title, items, cursor: 0 }
    }

    /// Moves the cursor. Returns whether the action is a cursor movement.
    pub fn moves(&mut self, action: Action) -> bool {
        match action {
            Action::Down => self.cursor = (self.cursor + 1).min(self.items.len().saturating_sub(1)),
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            _ => return false,
        }
        true
    }
}
