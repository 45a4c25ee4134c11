//! The theme picker.

use crate::tui::theme::Theme;

/// The theme picker. The screen previews the theme under the cursor.
#[derive(Debug)]
pub struct Picker {
    /// The index of the theme under the cursor.
    pub cursor: usize,
    /// The theme used before.
    pub before: Theme,
}
