//! A confirmation dialog.

use crate::tui::effect::Effect;
use crate::tui::words::wrap;

/// A question.
#[derive(Debug)]
pub struct Confirm {
    /// `Remove 1 container?`
    pub title: String,
    /// The affected objects, one per line.
    pub items: Vec<String>,
    /// The consequences.
    pub notes: Vec<String>,
    /// The label for yes.
    pub yes: &'static str,
    /// The label for no, which says what stays as it is: `keep them`.
    pub no: &'static str,
    /// The effects of answering yes.
    pub effects: Vec<Effect>,
    /// The index of the first visible item, if not all fit.
    pub top: usize,
}

impl Confirm {
    /// Returns the columns inside the border on a screen of this width.
    #[must_use]
    pub fn width(width: u16) -> usize {
        usize::from(width.min(64).saturating_sub(4)).max(1)
    }

    /// Returns the notes, wrapped to fit.
    #[must_use]
    pub fn note_lines(&self, width: u16) -> Vec<String> {
        self.notes.iter().flat_map(|note| wrap(note, Self::width(width), 0)).collect()
    }

    /// Returns how many items are visible on a screen of this size. If not all fit, a line says so.
    /// Notes and answers are never cut off.
    #[must_use]
    pub fn rows(&self, (width, height): (u16, u16)) -> usize {
        let others = self.note_lines(width).len() + if Self::is_low(height) { 3 } else { 6 };
        let room = usize::from(height).saturating_sub(others);
        let room = if self.items.len() > room { room.saturating_sub(1) } else { room };
        room.max(1)
    }

    /// Whether the screen is too low for empty lines.
    #[must_use]
    pub fn is_low(height: u16) -> bool {
        height < 16
    }
}
