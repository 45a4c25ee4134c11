//! Draws pressure bars, counters and limits below the charts.

use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::engine::{RESOURCES, Sample, Stall};
use crate::tui::model::Model;
use crate::tui::theme::Theme;
use crate::tui::view::frame::heading;
use crate::tui::words::{Align, amount, cell, span};

/// The columns of a name and its value when two are side by side.
const COLUMN: usize = 28;

/// Draws how much of the time the container waited for CPU, memory and disks.
pub(crate) fn pressure(frame: &mut Frame<'_>, model: &Model, last: &Sample, area: Rect) {
    if area.width < 30 || area.height < 3 {
        return;
    }
    let theme = &model.theme;
    let [head, inner] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(heading(model, "Pressure (PSI)"), head);
    let note = Line::styled("avg10  avg60 avg300 ", theme.dim).alignment(Alignment::Right);
    frame.render_widget(note, head);
    let room = usize::from(inner.width).saturating_sub(34);
    let line = |resource: &str, kind: &str, stall: &Stall| {
        let [ten, sixty, long] = stall.averages.map(|hundredths| f64::from(hundredths) / 100.0);
        let style = if ten >= 25.0 { theme.warn } else { theme.g1 };
        Line::from(vec![
            Span::styled(format!(" {:<4} {kind:<5} ", short(resource)), theme.dim),
            Span::styled(bar(ten, room), style),
            Span::raw(format!(" {ten:>6.1} {sixty:>6.1} {long:>6.1} ")),
        ])
    };
    let mut lines = Vec::new();
    for (resource, pressure) in RESOURCES.iter().zip(&last.pressure) {
        let Some(pressure) = pressure else { continue };
        lines.push(line(resource, "some", &pressure.some));
        // `full` CPU pressure occurs only under throttling, which the chart shows.
        if *resource != "cpu" {
            lines.push(line(resource, "full", &pressure.full));
        }
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn short(resource: &str) -> &str {
    if resource == "memory" { "mem" } else { resource }
}

/// Returns a bar for a percentage of a width: `███▏`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the width")]
fn bar(percent: f64, width: usize) -> String {
    let eighths = (percent.clamp(0.0, 100.0) / 100.0 * width as f64 * 8.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let text = "█".repeat(eighths / 8) + part;
    let rest = width.saturating_sub(text.width());
    text + &" ".repeat(rest)
}

/// Draws counters and limits, in as many columns as fit.
pub(crate) fn limits(frame: &mut Frame<'_>, model: &Model, last: &Sample, area: Rect) {
    if area.width < 30 || area.height < 3 {
        return;
    }
    let theme = &model.theme;
    let [head, inner] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(heading(model, "Limits and counters"), head);
    let all = counters(last);
    let rows = usize::from(inner.height);
    let columns = (usize::from(inner.width) / COLUMN).clamp(1, 3);
    let used = all.len().div_ceil(rows.max(1)).min(columns).max(1);
    let width = usize::from(inner.width) / used;
    let lines: Vec<Line<'_>> = (0..rows.min(all.len()))
        .map(|row| {
            let mut spans = Vec::new();
            for column in 0..used {
                let Some((name, value)) = all.get(column * rows + row) else { continue };
                spans.push(Span::styled(format!(" {name:<10} "), theme.dim));
                spans.push(Span::raw(cell(value, width.saturating_sub(12), Align::Left)));
            }
            Line::from(spans)
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Returns counters and limits, one per line.
pub(crate) fn lines(last: &Sample, theme: &Theme) -> Vec<Line<'static>> {
    let line = |(name, value): (&'static str, String)| {
        Line::from(vec![Span::styled(format!(" {name:<12}"), theme.dim), Span::raw(value)])
    };
    counters(last).into_iter().map(line).collect()
}

/// Returns counters and limits, the most important first.
fn counters(last: &Sample) -> Vec<(&'static str, String)> {
    let of = |used: u64, limit: Option<u64>| match limit {
        Some(limit) => format!("{used} / {limit}"),
        None => used.to_string(),
    };
    let memory = if last.is_limited { amount(last.memory_limit) } else { "no limit".to_owned() };
    let waited = SignedDuration::from_nanos(i64::try_from(last.throttled_nanos).unwrap_or(i64::MAX));
    let quota = match last.cpu_quota {
        Some(cpus) => format!("{cpus:.1}, weight {}", last.cpu_weight),
        None => "no limit".to_owned(),
    };
    let sum = |of: fn(&(String, u64, u64)) -> u64| last.networks.iter().map(of).fold(0, u64::saturating_add);
    let mut rows = vec![
        ("PIDs", of(last.pids, last.pids_limit)),
        ("mem limit", format!("{memory}, swap {}", amount(last.swap))),
        ("OOM kills", last.oom_kills.to_string()),
        ("CPU quota", quota),
    ];
    if last.cpu_quota.is_some() {
        rows.push(("throttled", format!("{}, {} of {}", span(waited), last.periods.1, last.periods.0)));
    }
    if let Some((open, limit)) = last.files {
        rows.push(("open files", of(open, Some(limit))));
    }
    rows.extend([
        ("rx total", amount(sum(|(_, received, _)| *received))),
        ("tx total", amount(sum(|(_, _, sent)| *sent))),
        ("net errors", format!("rx {}, tx {}", last.lost.errors.0, last.lost.errors.1)),
        ("net drops", format!("rx {}, tx {}", last.lost.drops.0, last.lost.drops.1)),
        ("read", amount(last.block.0)),
        ("written", amount(last.block.1)),
    ]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_width_whatever_the_value() {
        for (percent, width, text) in
            [(0.0, 4, "    "), (50.0, 4, "██  "), (3.2, 4, "▏   "), (400.0, 4, "████"), (f64::NAN, 2, "  ")]
        {
            assert_eq!(bar(percent, width), text, "{percent}");
        }
    }

    #[test]
    fn what_is_not_limited_is_said() {
        let sample = Sample { pids: 4, ..Sample::default() };
        let rows = counters(&sample);
        assert_eq!(rows[0], ("PIDs", "4".to_owned()));
        assert_eq!(rows[1], ("mem limit", "no limit, swap 0".to_owned()));
        assert!(rows.iter().all(|(name, _)| *name != "throttled" && *name != "open files"));
    }
}
