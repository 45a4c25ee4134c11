//! The texts for the state and the age of a container.

use jiff::Timestamp;
use ratatui::style::Style;

use crate::engine::Status;
use crate::tui::containers::model::ContainerRow;
use crate::tui::theme::Theme;
use crate::tui::words::{exit, span};

/// Returns the glyph, text and style of a container's state.
#[must_use]
pub fn state(row: &ContainerRow, theme: &Theme) -> (&'static str, String, Style) {
    if let Some(busy) = row.busy {
        let text = match row.left {
            None | Some(0) => busy.to_owned(),
            Some(left @ 1..10) => format!("{busy} {left}s"),
            // The column is too narrow for both.
            Some(left) => format!("{} {left}s", busy.trim_end_matches('…')),
        };
        return ("◐", text, theme.warn);
    }
    if row.damaged.is_some() {
        return ("✗", "damaged".to_owned(), theme.err);
    }
    match row.status {
        Status::Running => ("●", "running".to_owned(), theme.ok),
        Status::Paused => ("‖", "paused".to_owned(), theme.info),
        Status::Restarting => ("↻", format!("restart {}x", row.restarts), theme.warn),
        Status::Created if row.error.is_empty() => ("○", "created".to_owned(), theme.dim),
        Status::Created => ("✗", "no start".to_owned(), theme.err),
        Status::Removing => ("◌", "removing".to_owned(), theme.dim),
        Status::Dead => ("✗", "dead".to_owned(), theme.err),
        Status::Unknown(word) => ("?", word.as_str().to_owned(), theme.warn),
        Status::Exited if row.exit_code == 0 => ("■", "exit 0".to_owned(), theme.dim),
        Status::Exited => ("✗", exit(row.exit_code, row.oom_killed), theme.err),
    }
}

/// Returns how long a container has been up, or when it exited: `41m`, `3h11m ago`.
#[must_use]
pub fn age(row: &ContainerRow, now: Timestamp) -> String {
    let since = |then: Timestamp| span(now.duration_since(then));
    match (row.is_up(), row.started, row.finished) {
        _ if row.damaged.is_some() => "-".to_owned(),
        (true, Some(started), _) => since(started),
        (false, _, Some(finished)) => format!("{} ago", since(finished)),
        _ => format!("{} ago", since(row.created)),
    }
}
