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
        Status::Restarting => ("↻", format!("restart ({})", row.exit_code), theme.warn),
        Status::Created if row.error.is_empty() => ("○", "created".to_owned(), theme.dim),
        Status::Created => ("✗", "no start".to_owned(), theme.err),
        Status::Removing => ("◌", "removing".to_owned(), theme.dim),
        Status::Dead => ("✗", "dead".to_owned(), theme.err),
        Status::Unknown(word) => ("?", word.as_str().to_owned(), theme.warn),
        Status::Exited if row.exit_code == 0 => ("■", "exit 0".to_owned(), theme.dim),
        Status::Exited => ("✗", exit(row.exit_code, row.oom_killed), theme.err),
    }
}

/// Returns how long a container has been up, or when it exited: `41m`, `3h11m ago`. As in `ps`, one
/// that waits for its restart has exited.
#[must_use]
pub fn age(row: &ContainerRow, now: Timestamp) -> String {
    let since = span(now.duration_since(row.since()));
    match row.status.is_up() && row.started.is_some() {
        _ if row.damaged.is_some() => "-".to_owned(),
        true => since,
        false => format!("{since} ago"),
    }
}
