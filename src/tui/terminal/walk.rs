//! Actions of copy mode.

/// An action of copy mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Start, with the cursor at the program's cursor.
    Begin,
    /// Move the cursor.
    Move(Step),
    /// Start or end a selection at the cursor.
    Mark(Kind),
    /// Go to the next match of a regular expression, upwards first.
    Search(String),
    /// Go to the next match in a direction.
    Next {
        /// Whether to go upwards.
        up: bool,
    },
    /// Copy the selection, or the cursor's line, to the clipboard, and end.
    Copy,
    /// End, and show the newest lines.
    End,
}

/// A movement of the cursor in copy mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Step {
    Up,
    Down,
    Left,
    Right,
    LineStart,
    LineEnd,
    WordLeft,
    WordRight,
    Top,
    Bottom,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
}

/// How text is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A range of characters in reading order.
    Characters,
    /// Whole lines.
    Lines,
    /// A rectangle.
    Block,
}
