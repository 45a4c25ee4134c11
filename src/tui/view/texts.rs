//! Texts that several views show.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use crate::tui::failure::Failure;
use crate::tui::theme::Theme;
use crate::tui::words::wrap;

/// Returns a failure, its causes and the hint, wrapped to this width.
pub(crate) fn failure(failure: &Failure, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let told = |text: String, style| {
        wrap(&text, usize::from(width).saturating_sub(1), 5)
            .into_iter()
            .map(move |line| Line::styled(line, style))
    };
    let mut lines = vec![Line::default()];
    lines.extend(told(format!(" ✗ {}", failure.what), theme.err));
    for why in &failure.why {
        // Of several lines, each has its own.
        let mut rest = why.lines();
        lines.extend(rest.next().into_iter().flat_map(|why| told(format!("   because {why}"), theme.text)));
        lines.extend(rest.flat_map(|more| told(format!("   {more}"), theme.text)));
    }
    lines.extend(failure.hint.iter().flat_map(|hint| told(format!("   → {hint}"), theme.warn)));
    lines
}

/// `   n  run a container from an image`
pub(crate) fn key_line(theme: &Theme, key: &str, text: &str) -> Line<'static> {
    Line::from(vec![Span::styled(format!("   {key:<3}"), theme.accent), Span::raw(format!(" {text}"))])
}

/// Returns the frame of a spinner that turns ten times per second.
pub(crate) fn spinner(now: Timestamp) -> &'static str {
    const TURNS: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    let tenth = now.as_millisecond().div_euclid(100).rem_euclid(10);
    usize::try_from(tenth).ok().and_then(|at| TURNS.get(at)).copied().unwrap_or("⠋")
}

/// Draws a progress bar such as `████▌░░░`, for a number of thousandths.
pub(crate) fn meter(done: u64, width: usize) -> String {
    let eighths = usize::try_from(done.min(1000)).unwrap_or(1000) * width * 8 / 1000;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let full = eighths / 8;
    let rest = width - full - usize::from(!part.is_empty());
    format!("{}{part}{}", "█".repeat(full), "░".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_full_at_the_end_and_never_longer() {
        assert_eq!(meter(0, 4), "░░░░");
        assert_eq!(meter(500, 4), "██░░");
        assert_eq!(meter(9999, 4), "████");
        assert!((0..=1000).all(|done| meter(done, 7).chars().count() == 7));
    }
}
