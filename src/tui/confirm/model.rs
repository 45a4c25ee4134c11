//! What is asked before something is done.

use crate::tui::effect::Effect;
use crate::tui::words::wrap;

/// A question.
#[derive(Debug)]
pub struct Confirm {
    /// `Remove 1 container?`
    pub title: String,
    /// What goes, one a line.
    pub items: Vec<String>,
    /// What that means.
    pub notes: Vec<String>,
    /// The word for yes.
    pub yes: &'static str,
    /// What is done then.
    pub effects: Vec<Effect>,
    /// The item at the top, where there are more than fit.
    pub top: usize,
}

impl Confirm {
    /// Its columns within the border on a screen of this width.
    #[must_use]
    pub fn width(width: u16) -> usize {
        usize::from(width.min(64).saturating_sub(4)).max(1)
    }

    /// What it means, in lines that fit.
    #[must_use]
    pub fn note_lines(&self, width: u16) -> Vec<String> {
        self.notes.iter().flat_map(|note| wrap(note, Self::width(width), 0)).collect()
    }

    /// How many items are shown at once on a screen of this size: where not all fit, a line
    /// says so. The notes and the answers are never cut off.
    #[must_use]
    pub fn rows(&self, (width, height): (u16, u16)) -> usize {
        let others = self.note_lines(width).len() + if Self::is_low(height) { 3 } else { 6 };
        let room = usize::from(height).saturating_sub(others);
        let room = if self.items.len() > room { room.saturating_sub(1) } else { room };
        room.max(1)
    }

    /// Whether there is no room for empty lines.
    #[must_use]
    pub fn is_low(height: u16) -> bool {
        height < 16
    }
}
