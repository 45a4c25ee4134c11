//! A log in a pane: what is shown, and what the pane requests from the driver.
//!
//! ```text
//!  the log (any size)        buffer (≤ 4,000 lines)        window
//!  ──────────────────────────[══════════[▓▓▓▓▓▓]═══]───────
//!                          start        top      end
//! ```
//! The pane never holds more than the buffer. When the window gets close to an end of it, the pane
//! makes a *request*: for the next page there, for a page elsewhere, or for the next match. The
//! driver finds it in [`LogPane::want`] and answers with [`LogNews`], which leads to the next
//! request.

mod buffer;
mod pane;
mod scroll;
mod select;
mod settings;
pub mod text;

use jiff::Timestamp;

pub use buffer::Buffer;
pub use pane::{LogPane, LogShown, TAIL};

use crate::engine::{ContainerId, FindAsk, LogHit, LogPage, LogPlace, LogQuery, LogState, PageAsk};
use crate::tui::failure::Failure;
use crate::tui::menu::model::Menu;

/// What the driver has to do for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWant {
    /// The serial number of the log, which its news have to carry.
    pub serial: u64,
    /// The containers whose logs are shown, merged.
    pub containers: Vec<ContainerId>,
    /// Which lines, with a number that is returned with their counts.
    pub query: (u64, LogQuery),
    /// The request, with a unique number.
    pub ask: Option<(u64, LogAsk)>,
    /// The place after the current match, whose number among all matches is wanted.
    pub ranked: Option<LogPlace>,
}

/// A request of a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogAsk {
    /// For lines.
    Page(PageAsk),
    /// For a match, and this many lines before and after it.
    Find(FindAsk, usize),
}

/// News of a log from the driver.
#[derive(Debug)]
pub enum LogNews {
    /// How far it is counted, and how long it is.
    State(Box<LogState>),
    /// The page requested with that number.
    Page(u64, Result<LogPage, Failure>),
    /// The match with the lines around it; `None` if there is none.
    Found(u64, Result<Option<(LogHit, LogPage)>, Failure>),
    /// The number of matches up to this place.
    Rank(LogPlace, u64),
    /// The log cannot be read.
    Failed(Failure),
}

/// The format of times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Times {
    #[default]
    Off,
    Local,
    Utc,
    /// Time since then.
    Relative,
    /// Time since the previous line.
    Delta,
}

impl Times {
    /// Returns the next format in a cycle.
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

    /// Returns the name for the border.
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

/// From when on lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The last thousand lines.
    Tail,
    /// From this time on.
    Time(Timestamp),
    /// All lines.
    All,
}

/// The columns for the scrollbar at the right of a log.
pub const BAR: u16 = 1;

/// Whether `text` contains `needle`. Ignores case unless `needle` has capitals.
#[must_use]
pub fn contains(text: &[u8], needle: &str) -> bool {
    place_of(text, needle).is_some()
}

/// Returns the place of the first match of `needle` in `text`, as [`contains`] looks for it.
#[must_use]
pub fn place_of(text: &[u8], needle: &str) -> Option<usize> {
    let needle_bytes = needle.as_bytes();
    if needle_bytes.is_empty() {
        return Some(0);
    }
    let exact = needle.bytes().any(|byte| byte.is_ascii_uppercase());
    text.windows(needle_bytes.len()).position(|window| {
        if exact { window == needle_bytes } else { window.eq_ignore_ascii_case(needle_bytes) }
    })
}

#[cfg(test)]
mod tests;

/// The menu of containers whose logs can be merged.
#[derive(Debug)]
pub struct MergeMenu {
    /// Their names.
    pub menu: Menu,
    /// The containers, in the same order.
    pub containers: Vec<ContainerId>,
}
