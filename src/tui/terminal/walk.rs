//! What copy mode is asked to do.

/// One thing that copy mode is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Begin; the cursor is where the program's is.
    Begin,
    /// Move the cursor.
    Move(Step),
    /// Begin to mark, or stop marking, from the cursor on.
    Mark(Kind),
    /// Go to the next place where this stands, upwards first; a regular expression.
    Search(String),
    /// Go to the next match, upwards or downwards.
    Next {
        /// Upwards.
        up: bool,
    },
    /// Put what is marked, else the cursor's line, on the clipboard, and end.
    Copy,
    /// End; the newest lines are shown.
    End,
}

/// Where the cursor of copy mode goes.
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

/// How text is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From here to there, as it reads.
    Characters,
    /// Whole lines.
    Lines,
    /// A rectangle.
    Block,
}
