//! The choice of a theme.

use crate::tui::theme::Theme;

/// The theme picker over the screen, which wears what its cursor is on.
#[derive(Debug)]
pub struct Picker {
    /// Where the cursor is.
    pub cursor: usize,
    /// What was worn before.
    pub before: Theme,
}
