//! Draws the processes of a container as a table, with the tree in its first column.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::engine::{ContainerId, ExecStatus};
use crate::tui::model::Model;
use crate::tui::model::window::Pane;
use crate::tui::tasks::model::TaskRow;
use crate::tui::theme::Theme;
use crate::tui::top::model::{Column, Member, TopPane};
use crate::tui::view::frame::selected;
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, amount, cell, surplus};

/// The width from which a pane has room for a bar beside the percentage.
const WITH_BAR: u16 = 96;
/// From this width on, there is room for all usual columns beside a command.
const WHOLE: u16 = 72;
/// The columns of that bar.
const BAR: usize = 10;

/// Draws the processes, or the last ones of a removed container.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
    let (model, pane, theme) = (seen.model, &seen.pane.top, &seen.model.theme);
    let is_up = seen.is_gone || model.container_of(seen.pane).is_some_and(|row| row.status.is_up());
    if let Some(failure) = pane.failure.as_ref().filter(|_| is_up && !seen.is_gone) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    if !is_up || pane.read.is_none() {
        let text = if is_up { " reading…" } else { " not running: no processes" };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    }
    let columns = columns(area.width);
    let mut lines = vec![heading(pane, &columns, theme)];
    let execs = model.container_of(seen.pane).map(|row| execs_of(model, &row.id)).unwrap_or_default();
    for (is_under, branch, member) in pane.window() {
        let is_exec = execs.contains(&member.row.pid);
        lines.push(row(pane, &columns, (is_under, branch, member, is_exec), theme));
    }
    if pane.counts().0 == 0 {
        lines.push(Line::styled(" no processes match the filter", theme.dim));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns how far the visible commands can be scrolled to the right until their ends are visible.
pub(crate) fn farthest(model: &Model, pane: &Pane, area: Rect) -> usize {
    let room = columns(area.width).last().map_or(0, |command| command.2);
    let execs = model.container_of(pane).map(|row| execs_of(model, &row.id)).unwrap_or_default();
    let hidden = |member: &Member| {
        let room = room.saturating_sub(sign(execs.contains(&member.row.pid)).len());
        surplus(&text::line(&member.row.command), room)
    };
    pane.top.window().map(|(_, _, member)| hidden(member)).max().unwrap_or(0)
}

/// Returns the sign before the command of a process that was started beside the container's own.
fn sign(is_exec: bool) -> &'static str {
    if is_exec { "[exec] " } else { "" }
}

/// Returns the processes that were started in a container beside its own, by this hoist or another
/// program. Tasks lists them.
fn execs_of(model: &Model, id: &ContainerId) -> Vec<u32> {
    let pid =
        |task: &TaskRow| match task.session()?.exec.as_ref().filter(|exec| exec.container == *id)?.status {
            ExecStatus::Running(pid) => pid,
            ExecStatus::Created | ExecStatus::Exited(_) => None,
        };
    model.tasks.all().iter().filter(|task| !task.is_over()).filter_map(pid).collect()
}

/// Returns the text for the upper border: the sort order and the filter.
pub(crate) fn title(pane: &TopPane) -> String {
    let (column, arrow) = (pane.order.0, arrow(pane));
    let shape = if pane.is_flat || !pane.filter.is_empty() { "flat" } else { "tree" };
    let filter = if pane.filter.is_empty() { String::new() } else { format!("/{} · ", pane.filter) };
    format!(" {filter}{shape} · sorted by {} {arrow} ", column.title())
}

fn arrow(pane: &TopPane) -> &'static str {
    if pane.is_descending() { "▼" } else { "▲" }
}

/// Returns the text for the lower border: the number of processes.
pub(crate) fn note(seen: &Seen<'_>) -> String {
    let (pane, now) = (&seen.pane.top, seen.model.now);
    let (shown, all, threads) = pane.counts();
    let of = if shown == all { String::new() } else { format!("{shown} of ") };
    // The age is shown only if the data is older than usual.
    let age = pane.read.map_or(0, |read| now.duration_since(read).as_secs());
    let age = match pane.read.filter(|_| seen.is_gone) {
        Some(read) => format!(" at {}", read.to_zoned(TimeZone::system()).strftime("%H:%M:%S")),
        None if age > 5 => format!(" · {age}s ago"),
        None => String::new(),
    };
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let many = if all == 1 { "" } else { "es" };
    format!(" {of}{all} process{many}, {threads} thread{}{age} ", plural(threads))
}

/// A column: its sort key, heading, width and alignment.
struct Heading(Option<Column>, &'static str, usize, Align);

fn columns(width: u16) -> Vec<Heading> {
    // A narrow pane shows only the columns that distinguish processes.
    let mut columns =
        vec![Heading(Some(Column::Pid), "PID", if width >= WHOLE { 10 } else { 7 }, Align::Left)];
    if width >= WHOLE {
        columns.push(Heading(None, "HOST", 7, Align::Left));
        columns.push(Heading(Some(Column::User), "USER", 9, Align::Left));
    }
    columns.push(Heading(Some(Column::Cpu), "CPU%", 6, Align::Right));
    if width >= WITH_BAR {
        columns.push(Heading(None, "", BAR, Align::Left));
    }
    columns.push(Heading(Some(Column::Memory), "MEM", 5, Align::Right));
    if width >= WHOLE {
        columns.push(Heading(Some(Column::Time), "TIME", 9, Align::Right));
    }
    if width >= 120 {
        columns.push(Heading(None, "THR", 4, Align::Right));
        columns.push(Heading(None, "S", 1, Align::Left));
    }
    let taken: usize = columns.iter().map(|place| place.2 + 1).sum();
    let rest = usize::from(width).saturating_sub(taken + 1);
    columns.push(Heading(Some(Column::Command), "COMMAND", rest, Align::Left));
    columns
}

fn heading(pane: &TopPane, columns: &[Heading], theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for Heading(column, name, width, align) in columns {
        let is_sorted = *column == Some(pane.order.0);
        let style = if is_sorted { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        let name = if is_sorted { format!("{name}{}", arrow(pane)) } else { (*name).to_owned() };
        spans.push(Span::styled(format!("{} ", cell(&name, *width, *align)), style));
    }
    Line::from(spans)
}

fn row(
    pane: &TopPane,
    columns: &[Heading],
    (is_under, branch, member, is_exec): (bool, &str, &Member, bool),
    theme: &Theme,
) -> Line<'static> {
    let row = &member.row;
    let is_busy = member.cpu.is_some_and(|cpu| cpu >= 90.0);
    let mut spans = vec![if is_under { Span::styled("▌", theme.accent) } else { Span::raw(" ") }];
    for Heading(column, name, width, align) in columns {
        let (text, style) = match (column, *name) {
            (Some(Column::Pid), _) => (format!("{branch}{}", row.inner_pid), theme.accent),
            (Some(Column::User), _) => (row.user.clone(), theme.dim),
            (Some(Column::Cpu), _) => (
                member.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}")),
                if is_busy { theme.warn } else { theme.text },
            ),
            (Some(Column::Memory), _) => (amount(row.memory), theme.text),
            (Some(Column::Time), _) => (clock(row.cpu_secs), theme.text),
            (Some(Column::Command), _) => {
                let command: String = text::line(&row.command).chars().skip(pane.left).collect();
                (format!("{}{command}", sign(is_exec)), theme.text)
            }
            (None, "HOST") => (row.pid.to_string(), theme.dim),
            (None, "THR") => (row.threads.to_string(), theme.dim),
            (None, "S") => (row.state.to_string(), theme.dim),
            (None, _) => {
                (bar(member.cpu.unwrap_or(0.0), *width), if is_busy { theme.warn } else { theme.g1 })
            }
        };
        spans.push(Span::styled(format!("{} ", cell(&text, *width, *align)), style));
    }
    let line = Line::from(spans);
    if is_under { selected(line, theme) } else { line }
}

/// Returns a bar for a percentage of one CPU: `███▏`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the width")]
fn bar(percent: f64, width: usize) -> String {
    let eighths = (percent.clamp(0.0, 100.0) / 100.0 * width as f64 * 8.0).round() as usize;
    let text = "█".repeat(eighths / 8) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let rest = width.saturating_sub(text.width());
    text + &" ".repeat(rest)
}

/// Formats a CPU time: `00:39:12`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of CPU")]
fn clock(seconds: f64) -> String {
    let all = seconds.max(0.0) as u64;
    format!("{:02}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_their_width_exactly() {
        for width in [30_u16, 40, 63, 64, 80, 95, 96, 120, 200] {
            let taken: usize = columns(width).iter().map(|place| place.2 + 1).sum();
            assert!(taken <= usize::from(width), "{width}: {taken}");
        }
    }
}
