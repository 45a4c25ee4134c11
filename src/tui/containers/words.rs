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
    let (glyph, style) = sign(row, theme);
    (glyph, state_word(row), style)
}

/// Returns the text of a container's state.
#[must_use]
pub fn state_word(row: &ContainerRow) -> String {
    if let Some(busy) = row.busy {
        return match row.left {
            None | Some(0) => format!("{busy}…"),
            Some(left) => format!("{busy}… {left}s"),
        };
    }
    settled_word(row)
}

/// Returns the text of a container's state without a verb that is in progress.
#[must_use]
pub fn settled_word(row: &ContainerRow) -> String {
    match row.status {
        _ if row.damaged.is_some() => "damaged".to_owned(),
        Status::Running => "running".to_owned(),
        Status::Paused => "paused".to_owned(),
        Status::Restarting => format!("restarting ({})", row.exit_code),
        Status::Created if row.error.is_empty() => "created".to_owned(),
        Status::Created => "start failed".to_owned(),
        Status::Removing => "removing".to_owned(),
        Status::Dead => "dead".to_owned(),
        Status::Unknown(word) => word.as_str().to_owned(),
        Status::Exited if row.exit_code == 0 => "exit 0".to_owned(),
        Status::Exited => exit(row.exit_code, row.oom_killed),
    }
}

fn sign(row: &ContainerRow, theme: &Theme) -> (&'static str, Style) {
    match row.status {
        _ if row.busy.is_some() => ("◐", theme.warn),
        _ if row.damaged.is_some() => ("✗", theme.err),
        Status::Running => ("●", theme.ok),
        Status::Paused => ("‖", theme.info),
        Status::Restarting => ("↻", theme.warn),
        Status::Created if row.error.is_empty() => ("○", theme.dim),
        Status::Removing => ("◌", theme.dim),
        Status::Unknown(_) => ("?", theme.warn),
        Status::Exited if !row.has_failed() => ("■", theme.dim),
        Status::Created | Status::Dead | Status::Exited => ("✗", theme.err),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{container, empty};

    #[test]
    fn what_was_ended_by_hand_is_no_error_but_shows_its_code() {
        let theme = empty(80, 24).theme;
        let exited = |exit_code, ended_by_hand| ContainerRow {
            exit_code,
            ended_by_hand,
            ..container("web", Status::Exited)
        };
        for (row, glyph, word, style) in [
            (exited(137, true), "■", "exit 137 KILL", theme.dim),
            (exited(1, true), "■", "exit 1", theme.dim),
            (exited(137, false), "✗", "exit 137 KILL", theme.err),
            (ContainerRow { oom_killed: true, ..exited(137, true) }, "✗", "exit 137 OOM", theme.err),
            (
                ContainerRow { error: "no such file".to_owned(), ..exited(127, true) },
                "✗",
                "exit 127 not found",
                theme.err,
            ),
            (exited(0, false), "■", "exit 0", theme.dim),
        ] {
            assert_eq!(state(&row, &theme), (glyph, word.to_owned(), style), "{word}");
            assert_eq!(row.has_failed(), glyph == "✗", "{word}");
            assert_eq!(row.is_explained(), row.exit_code != 0, "{word}");
        }
    }
}
