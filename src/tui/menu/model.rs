//! A menu: its items and the cursor.

use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::layout::middle;

/// The least width of a menu, including the border.
const WIDTH: u16 = 60;

/// The columns of a menu's line besides its name and description: border, blanks, bar and gap.
const AROUND: usize = 8;

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

    /// Returns its area on a screen of `size`, including the border.
    #[must_use]
    pub fn area(&self, size: (u16, u16)) -> Rect {
        // The line of keys stays visible.
        let most = size.1.saturating_sub(2);
        let height = u16::try_from(self.items.len() + 2).unwrap_or(u16::MAX).min(most);
        let width = u16::try_from(self.width()).unwrap_or(u16::MAX);
        middle(
            Rect::new(0, 0, size.0, size.1),
            width.clamp(WIDTH, size.0.saturating_sub(2).max(WIDTH)),
            height,
        )
    }

    /// Returns the width of the longest name, which descriptions come after.
    #[must_use]
    pub fn name_width(&self) -> usize {
        self.items.iter().map(|(name, _)| name.width()).max().unwrap_or(0).max(8)
    }

    /// Returns the width that shows all names and descriptions, and the title.
    fn width(&self) -> usize {
        let note = self.items.iter().map(|(_, note)| note.width()).max().unwrap_or(0);
        (self.name_width() + note).max(self.title.width()) + AROUND
    }

    /// Returns the index of the first visible item on a screen of `size`.
    #[must_use]
    pub fn top(&self, size: (u16, u16)) -> usize {
        let rows = usize::from(self.area(size).height.saturating_sub(2));
        (self.cursor + 1).saturating_sub(rows.max(1))
    }

    /// Returns the index of the item at a position of a screen of `size`.
    #[must_use]
    pub fn item_at(&self, size: (u16, u16), at: Position) -> Option<usize> {
        let area = self.area(size);
        let is_inside = area.contains(at) && at.x > area.x && at.x + 1 < area.right();
        let line = at.y.checked_sub(area.y + 1).filter(|line| line + 2 < area.height && is_inside)?;
        Some(self.top(size) + usize::from(line)).filter(|item| *item < self.items.len())
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
