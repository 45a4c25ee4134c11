//! The detail pane: its border with the tabs, and what the tab shows.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::words::{Align, cell, size, span};
use super::{ansi, bars, border, has_focus, stats, terminal, texts};
use crate::engine::Stream;
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::log::{LineRef, contains};
use crate::tui::model::pane::Times;
use crate::tui::model::stats::StatsPane;
use crate::tui::model::{Focus, Model, Section, Subject, Tab};
use crate::tui::terminal::Screens;
use crate::tui::update::subject_name;

/// Draws the pane.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens, area: Rect) {
    let theme = &model.theme;
    let focus = has_focus(model, Focus::Detail);
    let tab = model.shown_tab();
    let mut title = vec![Span::raw(pane_title(model, tab))];
    if !model.is_zoomed && model.subject().is_some() {
        let name = match tab {
            Tab::Session(_) => pane_title(model, tab),
            _ => subject_name(model),
        };
        title = vec![Span::raw(cell_title(&name, area.width))];
    }
    let mut block = border(model, focus, title);
    if !model.is_zoomed && model.section == Section::Containers && model.subject().is_some() {
        block = block.title_top(tab_line(model).alignment(Alignment::Right));
    }
    if let Some(note) = bottom_note(model, screens, tab) {
        block = block.title_bottom(note.alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if model.subject().is_none() {
        frame.render_widget(Line::styled(" nothing is selected", theme.dim), inner);
        return;
    }
    match tab {
        Tab::Logs => log(frame, model, inner),
        Tab::Stats => {
            if let Some(row) = model.container() {
                stats::draw(frame, model, &StatsPane::default(), &row.id, inner);
            }
        }
        Tab::Top => top(frame, model, inner),
        Tab::Inspect => inspect(frame, model, inner),
        Tab::Session(id) => terminal::draw(frame, model, screens, id, inner),
    }
}

fn cell_title(name: &str, width: u16) -> String {
    let room = usize::from(width / 3).max(8);
    cell(name, unicode_width::UnicodeWidthStr::width(name).min(room), Align::Left)
}

fn pane_title(model: &Model, tab: Tab) -> String {
    match (tab, model.subject()) {
        (Tab::Session(id), _) => model.task(id).map_or_else(String::new, |task| task.title.clone()),
        (Tab::Top, _) => "Processes".to_owned(),
        _ => bars::tab_name(model, tab),
    }
}

fn tab_line(model: &Model) -> Line<'static> {
    let theme = &model.theme;
    let mut spans = vec![Span::raw(" ")];
    for tab in model.tabs() {
        let name = bars::tab_name(model, tab);
        spans.push(match tab == model.tab {
            true => Span::styled(format!("[{name}]"), theme.accent.add_modifier(Modifier::BOLD)),
            false => Span::styled(format!(" {name} "), theme.dim),
        });
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// What stands in the lower border: whether a log follows, how to leave a terminal.
fn bottom_note(model: &Model, screens: &Screens, tab: Tab) -> Option<Line<'static>> {
    let theme = &model.theme;
    let (text, style) = match tab {
        Tab::Logs => {
            let log = &model.log;
            let search = if log.search.is_empty() { String::new() } else { format!("/{} · ", log.search) };
            let lines = log.store.end();
            match (log.is_paused, log.unseen()) {
                (true, 0) => (format!(" {search}paused · line {} of {lines} ", log.top + 1), theme.warn),
                (true, new) => {
                    let key = model.keys_of(Place::Logs, Action::Last);
                    (format!(" {search}paused · +{new} new ↓{key} "), theme.warn)
                }
                (false, _) if log.is_over => (format!(" {search}{lines} lines "), theme.dim),
                (false, _) => (format!(" {search}follow ● {lines} lines "), theme.ok),
            }
        }
        Tab::Session(id) if !model.session_is_over(id) => {
            let scrolled = screens.get(id).map_or(0, |screen| screen.lock().scrolled());
            let key = model.keys_of(Place::Terminal, Action::Release);
            match scrolled {
                0 => (format!(" {key} release "), theme.dim),
                lines => (format!(" {lines} lines up · {key} release "), theme.warn),
            }
        }
        Tab::Top => (format!(" {} processes ", model.top.rows.len()), theme.dim),
        Tab::Inspect => {
            let pane = &model.inspect;
            let lines = pane.lines.as_ref().map_or(0, Vec::len);
            let search = if pane.search.is_empty() { String::new() } else { format!("/{} · ", pane.search) };
            (format!(" {search}{lines} lines "), theme.dim)
        }
        Tab::Stats if model.is_frozen => (" frozen ".to_owned(), theme.warn),
        Tab::Stats | Tab::Session(_) => return None,
    };
    Some(Line::styled(text, style))
}

fn log(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let (pane, theme) = (&model.log, &model.theme);
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    if pane.store.end() == pane.store.first() {
        let text = if pane.is_over { " it has written nothing" } else { " waiting for output…" };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    }
    let width = usize::from(area.width.saturating_sub(1)).max(1);
    let height = usize::from(area.height);
    let row = |number: u64| {
        let line = pane.store.get(number)?;
        Some(log_rows(model, &line, pane.hit == Some(number), width))
    };
    // Only what is drawn is parsed: from the top line down, or from the newest line up.
    let mut rows: Vec<Line<'_>> = Vec::with_capacity(height);
    if pane.is_paused {
        let mut number = pane.top.max(pane.store.first());
        while let Some(lines) = row(number).filter(|_| rows.len() < height) {
            rows.extend(lines);
            number += 1;
        }
        rows.truncate(height);
    } else {
        let mut number = pane.store.end();
        while number > pane.store.first() && rows.len() < height {
            number -= 1;
            let mut lines = row(number).unwrap_or_default();
            lines.append(&mut rows);
            rows = lines;
        }
        let surplus = rows.len().saturating_sub(height);
        rows.drain(..surplus);
    }
    frame.render_widget(Paragraph::new(rows), area);
}

/// A log line as one row, or as several when long lines wrap.
fn log_rows(model: &Model, line: &LineRef<'_>, is_hit: bool, width: usize) -> Vec<Line<'static>> {
    let (pane, theme) = (&model.log, &model.theme);
    let fits = !pane.search.is_empty() && contains(line.bytes, &pane.search);
    let gutter = match (is_hit || fits, line.stream) {
        (true, _) => Span::styled("»", theme.mark),
        (_, Stream::Stderr) => Span::styled("▏", theme.warn),
        _ => Span::raw(" "),
    };
    let time = match pane.times {
        Times::Off => String::new(),
        Times::Clock => {
            let zoned = line.time.to_zoned(jiff::tz::TimeZone::system());
            format!("{} ", zoned.strftime("%H:%M:%S"))
        }
        Times::Ago => format!("{:>6} ", span(model.now.duration_since(line.time))),
    };
    let indent = time.len();
    let base = if is_hit { theme.text.add_modifier(Modifier::BOLD) } else { theme.text };
    let spans = ansi::spans(line.bytes, base);
    let room = width.saturating_sub(indent).max(1);
    let pieces = if pane.wraps { cut(spans, 0, room, usize::MAX) } else { cut(spans, pane.left, room, 1) };
    let rows = pieces.into_iter().enumerate().map(|(at, piece)| {
        let head =
            if at == 0 { (gutter.clone(), time.clone()) } else { (Span::raw(" "), " ".repeat(indent)) };
        let mut spans = vec![head.0, Span::styled(head.1, theme.dim)];
        spans.extend(piece);
        Line::from(spans)
    });
    rows.collect()
}

/// Cuts spans into rows of `width` columns, the first beginning `left` columns from the left.
fn cut(spans: Vec<Span<'static>>, left: usize, width: usize, most: usize) -> Vec<Vec<Span<'static>>> {
    use unicode_width::UnicodeWidthChar;
    let mut rows = vec![Vec::new()];
    let mut column = 0;
    'all: for span in spans {
        let mut text = String::new();
        for c in span.content.chars() {
            let wide = c.width().unwrap_or(0);
            if column + wide > left + width * rows.len() {
                if rows.len() >= most {
                    if let Some(row) = rows.last_mut() {
                        row.push(Span::styled(std::mem::take(&mut text), span.style));
                    }
                    break 'all;
                }
                if let Some(row) = rows.last_mut() {
                    row.push(Span::styled(std::mem::take(&mut text), span.style));
                }
                column = left + width * rows.len();
                rows.push(Vec::new());
            }
            if column >= left {
                text.push(c);
            }
            column += wide;
        }
        if let Some(row) = rows.last_mut() {
            row.push(Span::styled(text, span.style));
        }
    }
    rows
}

fn inspect(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let (pane, theme) = (&model.inspect, &model.theme);
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    let Some(lines) = &pane.lines else {
        frame.render_widget(Line::styled(" reading…", theme.dim), area);
        return;
    };
    let window = lines.iter().enumerate().skip(pane.top).take(area.height.into());
    let rows = window.map(|(at, line)| {
        let fits = !pane.search.is_empty() && contains(line.as_bytes(), &pane.search);
        let gutter = if fits { Span::styled("»", theme.mark) } else { Span::raw(" ") };
        let strong = if pane.hit == Some(at) { Modifier::BOLD } else { Modifier::empty() };
        let spans = json(line, theme.accent, theme.text, theme.ok);
        let spans = cut(spans, pane.left, usize::from(area.width.saturating_sub(1)).max(1), 1);
        let mut row = vec![gutter];
        row.extend(spans.into_iter().next().unwrap_or_default());
        Line::from(row).style(Style::default().add_modifier(strong))
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), area);
}

/// A line of indented JSON: the key, then its value.
fn json(line: &str, key: Style, plain: Style, value: Style) -> Vec<Span<'static>> {
    let clean: String = line.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    let indent = clean.len() - clean.trim_start().len();
    match clean.find("\": ").filter(|_| clean[indent..].starts_with('"')) {
        Some(end) => vec![
            Span::raw(clean[..indent].to_owned()),
            Span::styled(clean[indent..=end].to_owned(), key),
            Span::styled(": ", plain),
            Span::styled(clean[end + 3..].to_owned(), value),
        ],
        None => vec![Span::styled(clean, plain)],
    }
}

fn top(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let (pane, theme) = (&model.top, &model.theme);
    let is_ours = matches!(model.subject(), Some(Subject::Container(id)) if pane.of.as_ref() == Some(&id));
    if let (Some(failure), true) = (&pane.failure, is_ours) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    if !is_ours {
        let up = model.container().is_some_and(|row| row.is_up());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_into_rows_by_columns_not_characters() {
        let rows = |text: &str, left, width, most| -> Vec<String> {
            let spans = vec![Span::raw(text[..3].to_owned()), Span::raw(text[3..].to_owned())];
            let rows = cut(spans, left, width, most);
            rows.iter().map(|row| row.iter().map(|span| span.content.as_ref()).collect()).collect()
        };
        assert_eq!(rows("abcdefgh", 0, 3, usize::MAX), ["abc", "def", "gh"]);
        assert_eq!(rows("abcdefgh", 2, 3, 1), ["cde"]);
        assert_eq!(rows("abc日本語", 0, 4, usize::MAX), ["abc", "日本", "語"]);
        assert_eq!(rows("abc", 9, 4, 1), [""]);
    }
}
