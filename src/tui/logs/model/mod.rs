//! A log on the screen: what is shown of it, and what the driver is asked for.
//!
//! ```text
//!  the log (any size)        buffer (≤ 4,000 lines)        window
//!  ──────────────────────────[══════════[▓▓▓▓▓▓]═══]───────
//!                          start        top      end
//! ```
//! The pane never holds more than the buffer. When the window comes near one of its ends, the
//! pane has an *ask*: the next page there, or a page elsewhere, or the next match. The driver
//! sees it in [`LogPane::want`], answers with [`LogNews`], and so one ask follows another.

mod buffer;
mod pane;
mod scroll;
mod select;
mod settings;
pub mod text;

use jiff::Timestamp;

pub use buffer::Buffer;
pub use pane::{LogPane, LogShown};

use crate::engine::{ContainerId, FindAsk, LogHit, LogPage, LogPlace, LogQuery, LogState, PageAsk};
use crate::tui::failure::Failure;
use crate::tui::menu::model::Menu;

/// What the driver is to do for a log on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWant {
    /// The number its news are told with.
    pub serial: u64,
    /// Whose logs, as one.
    pub containers: Vec<ContainerId>,
    /// Which lines, with the number that the counts of them come back with.
    pub query: (u64, LogQuery),
    /// What is asked, with a number never used twice.
    pub ask: Option<(u64, LogAsk)>,
    /// The place after the match that is shown, whose number among all matches is wanted.
    pub ranked: Option<LogPlace>,
}

/// What a pane asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogAsk {
    /// Lines.
    Page(PageAsk),
    /// A match, and lines around it: this many before and after.
    Find(FindAsk, usize),
}

/// What the driver tells of a log.
#[derive(Debug)]
pub enum LogNews {
    /// How far it is counted, and how long it is.
    State(Box<LogState>),
    /// The page of that number.
    Page(u64, Result<LogPage, Failure>),
    /// What was found, with lines around it; nothing when there is none.
    Found(u64, Result<Option<(LogHit, LogPage)>, Failure>),
    /// How many matches there are up to this place.
    Rank(LogPlace, u64),
    /// It cannot be read.
    Failed(Failure),
}

/// How times are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Times {
    #[default]
    Off,
    Local,
    Utc,
    /// How long ago.
    Relative,
    /// How long after the line before.
    Delta,
}

impl Times {
    /// The next form, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Off => Self::Local,
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
            Self::Relative => Self::Delta,
            Self::Delta => Self::Off,
        }
    }

    /// As the border names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Local => "local",
            Self::Utc => "utc",
            Self::Relative => "relative",
            Self::Delta => "delta",
        }
    }
}

/// Since when lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The last thousand lines.
    Tail,
    /// That moment.
    Time(Timestamp),
    /// All there is.
    All,
}

/// Columns at the right of a log that are not the text's: the scrollbar's.
pub const BAR: u16 = 1;

/// Whether `needle` is in `text`; capitals count only when `needle` has some.
#[must_use]
pub fn contains(text: &[u8], needle: &str) -> bool {
    let needle_bytes = needle.as_bytes();
    if needle_bytes.is_empty() {
        return true;
    }
    let exact = needle.bytes().any(|byte| byte.is_ascii_uppercase());
    text.windows(needle_bytes.len())
        .any(|window| if exact { window == needle_bytes } else { window.eq_ignore_ascii_case(needle_bytes) })
}

#[cfg(test)]
mod tests;

/// The choice of a container whose log is shown with the others.
#[derive(Debug)]
pub struct MergeMenu {
    /// Their names.
    pub menu: Menu,
    /// The containers, in the same order.
    pub containers: Vec<ContainerId>,
}
