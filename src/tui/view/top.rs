//! A container's processes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::texts;
use super::words::{Align, cell, size};
use crate::tui::model::window::Pane;
use crate::tui::model::{Model, Subject};

/// Draws the processes of a pane's container.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &Pane, area: Rect) {
    let (of, theme) = (pane, &model.theme);
    let pane = &of.top;
    let is_ours =
        matches!(model.subject_of(of), Some(Subject::Container(id)) if pane.of.as_ref() == Some(&id));
    if let (Some(failure), true) = (&pane.failure, is_ours) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    if !is_ours {
        let up = model.container_of(of).is_some_and(|row| row.is_up());
        let text = if up { " reading…" } else { " it is not up: it has no processes" };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    }
    // A narrow pane shows what tells processes apart.
    let is_wide = area.width >= 64;
    let head = if is_wide {
        format!(
            " {:<7} {:<7} {:<9} {:>6}  {:>5} {:>9}  COMMAND",
            "PID", "HOST", "USER", "CPU%", "MEM", "TIME"
        )
    } else {
        format!(" {:<6} {:>6} {:>5}  COMMAND", "PID", "CPU%", "MEM")
    };
    let room = usize::from(area.width).saturating_sub(head.len() - "COMMAND".len());
    let mut lines = vec![Line::styled(head, theme.dim)];
    for (row, percent) in pane.rows.iter().skip(pane.top).take(usize::from(area.height.saturating_sub(1))) {
        let percent_text = percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1}"));
        let load = if percent.is_some_and(|percent| percent >= 90.0) { theme.warn } else { theme.text };
        let command: String = row.command.chars().skip(pane.left).collect();
        let mut spans = if is_wide {
            vec![
                Span::styled(format!(" {:<7} ", row.inner_pid), theme.accent),
                Span::styled(format!("{:<7} {} ", row.pid, cell(&row.user, 9, Align::Left)), theme.dim),
                Span::styled(format!("{percent_text:>6}  "), load),
                Span::styled(format!("{:>5} {:>9}  ", size(row.memory), clock(row.cpu_secs)), theme.text),
            ]
        } else {
            vec![
                Span::styled(format!(" {:<6} ", row.inner_pid), theme.accent),
                Span::styled(format!("{percent_text:>6} "), load),
                Span::styled(format!("{:>5}  ", size(row.memory)), theme.text),
            ]
        };
        spans.push(Span::styled(cell(&command, room, Align::Left), theme.text));
        lines.push(Line::from(spans));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// `00:39:12`
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of CPU")]
fn clock(seconds: f64) -> String {
    let all = seconds.max(0.0) as u64;
    format!("{:02}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}
