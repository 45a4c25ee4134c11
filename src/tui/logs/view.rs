//! Draws a log and its border.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::base::units::counted as counted_of;
use crate::engine::{Level, LogLine, Stream};
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::keymap::KeyContext;
use crate::tui::logs::model::text::JsonForm;
use crate::tui::logs::model::{BAR, LogPane, TAIL, Times, text};
use crate::tui::model::Model;
use crate::tui::pieces::{self, Piece, Role};
use crate::tui::theme::Theme;
use crate::tui::view::frame::selected;
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, cell, span};

/// Draws the visible lines of a pane's log.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
    let (model, pane) = (seen.model, &seen.pane.log);
    let (theme, now) = (&model.theme, model.now);
    if let Some(failure) = pane.failure.as_ref().filter(|_| !seen.is_gone || pane.buffer.is_empty()) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    if pane.buffer.is_empty() {
        frame.render_widget(Line::styled(nothing(seen), theme.dim), area);
        return;
    }
    let height = usize::from(area.height);
    let width = usize::from(area.width.saturating_sub(BAR)).max(1);
    let (mut seq, skip) = pane.window_top();
    let mut rows: Vec<Line<'static>> = Vec::with_capacity(height + 8);
    while rows.len() < height + skip && seq < pane.buffer.end() {
        rows.extend(line(pane, theme, now, seq, width));
        seq += 1;
    }
    rows.drain(..skip.min(rows.len()));
    rows.truncate(height);
    frame.render_widget(Paragraph::new(rows), Rect { width: area.width.saturating_sub(BAR), ..area });
    bar(frame, pane, theme, seq, area);
}

/// Whether new lines may be written.
pub(crate) fn goes_on(model: &Model, pane: &LogPane) -> bool {
    pane.of.iter().any(|shown| model.containers.get(shown.id.as_str()).is_some_and(ContainerRow::is_up))
}

fn nothing(seen: &Seen<'_>) -> &'static str {
    let pane = &seen.pane.log;
    let has_all = !pane.buffer.is_blank() && pane.buffer.is_first && !pane.has_more();
    let is_reading = !seen.is_gone && !has_all;
    match () {
        () if is_reading && pane.is_filtered() => " searching…",
        () if is_reading => " reading…",
        () if pane.is_filtered() => " no lines match the filter",
        () if pane.has_floor() => " no lines since then",
        () if goes_on(seen.model, pane) => " waiting for output…",
        () => " no output",
    }
}

/// Returns the rows of a line, with the user's marks before and after it.
fn line(pane: &LogPane, theme: &Theme, now: Timestamp, seq: i64, width: usize) -> Vec<Line<'static>> {
    let Some(line) = pane.buffer.get(seq) else { return Vec::new() };
    let is_hit = pane.hit.as_ref().is_some_and(|hit| hit.source == line.source && hit.place == line.place);
    let is_selected = pane.selected_range().is_some_and(|(first, last)| (first..=last).contains(&seq));
    let head = head(pane, theme, now, seq, line);
    let room = width.saturating_sub(pane.head_width()).max(2);
    let mut has_match = false;
    let mut pieces: Vec<Vec<Piece>> = Vec::new();
    for row in text::body(&line.bytes, pane.json) {
        let row = match &pane.matcher {
            Some(matcher) => text::matched(row, matcher),
            None => row,
        };
        has_match |= row.iter().any(|piece| piece.role == Role::Match);
        let cut = if pane.wraps { (0, usize::MAX) } else { (pane.left, 1) };
        pieces.extend(pieces::cut(row, cut.0, room, cut.1));
    }
    let mut gutter = gutter(theme, line, is_hit, has_match);
    if is_selected {
        gutter = Span::styled("+", theme.mark);
    }
    let mut rows: Vec<Line<'static>> =
        pane.marks_before(seq).map(|mark| rule(theme, mark, pane.times, width)).collect();
    for (at, row) in pieces.into_iter().enumerate() {
        let mut spans =
            vec![if at == 0 { gutter.clone() } else { Span::styled(follow_on(line), gutter.style) }];
        if at == 0 {
            spans.extend(head.clone());
        } else {
            spans.push(Span::raw(" ".repeat(pane.head_width().saturating_sub(1))));
        }
        spans.extend(row.into_iter().map(|piece| drawn(piece, theme, line.is_context, is_hit)));
        let mut row = Line::from(spans);
        if is_selected {
            let gap = width.saturating_sub(row.width());
            row.push_span(Span::raw(" ".repeat(gap)));
            row = selected(row, theme);
            row.spans.iter_mut().for_each(|span| span.style = span.style.patch(theme.sel));
        }
        rows.push(row);
    }
    rows.extend(pane.marks_after(seq).map(|mark| rule(theme, mark, pane.times, width)));
    rows
}

fn follow_on(line: &LogLine) -> &'static str {
    if line.weight >= Some(Level::Warn) { "▏" } else { " " }
}

/// Returns the symbol before a line, for a match or its level.
fn gutter(theme: &Theme, line: &LogLine, is_hit: bool, has_match: bool) -> Span<'static> {
    match line.weight {
        _ if is_hit || has_match => Span::styled("»", theme.mark),
        _ if line.is_context => Span::styled("┆", theme.dim),
        Some(Level::Error) => Span::styled("▌", theme.err),
        Some(Level::Warn) => Span::styled("▌", theme.warn),
        _ if line.stream == Stream::Stderr => Span::styled("▏", theme.warn),
        _ => Span::raw(" "),
    }
}

fn drawn(piece: Piece, theme: &Theme, is_context: bool, is_hit: bool) -> Span<'static> {
    let plain = if is_context { theme.dim } else { theme.text };
    let mut style = plain.patch(piece.style);
    style = match piece.role {
        Role::Text => style,
        Role::Level(level) => style.patch(level_style(theme, level)).add_modifier(Modifier::BOLD),
        Role::Key => style.patch(theme.accent),
        Role::Dim => style.patch(theme.dim),
        Role::Match => theme.mark.add_modifier(Modifier::REVERSED),
    };
    if is_hit {
        style = style.add_modifier(Modifier::BOLD);
    }
    Span::styled(piece.text, style)
}

fn level_style(theme: &Theme, level: Level) -> Style {
    match level {
        Level::Error => theme.err,
        Level::Warn => theme.warn,
        Level::Info => theme.info,
        Level::Debug | Level::Trace => theme.dim,
    }
}

/// Returns the row for a mark of the user.
fn rule(theme: &Theme, time: Timestamp, times: Times, width: usize) -> Line<'static> {
    let time = if times == Times::Utc { utc(time) } else { local(time) };
    let text = format!("── {time} ");
    let rest = "─".repeat(width.saturating_sub(text.width()));
    Line::styled(text + &rest, theme.accent)
}

/// Returns the time and the name before a line.
fn head(pane: &LogPane, theme: &Theme, now: Timestamp, seq: i64, line: &LogLine) -> Vec<Span<'static>> {
    let time = match pane.times {
        Times::Off => String::new(),
        Times::Local => {
            format!("{}{} ", date(pane, line.time.to_zoned(TimeZone::system()).date()), local(line.time))
        }
        Times::Utc => format!("{}{} ", date(pane, line.time.to_zoned(TimeZone::UTC).date()), utc(line.time)),
        Times::Relative => format!("{:>6} ", span(now.duration_since(line.time))),
        Times::Delta => {
            let before = pane.buffer.get(seq - 1).map(|before| line.time.duration_since(before.time));
            format!("{:>8} ", before.map_or_else(|| "-".to_owned(), delta))
        }
    };
    let mut spans = vec![Span::styled(time, theme.dim)];
    let width = pane.name_width();
    if let Some(shown) = pane.of.get(line.source).filter(|_| width > 0) {
        let color = [theme.g1, theme.g2, theme.g3, theme.g4][line.source % 4];
        spans.push(Span::styled(cell(&shown.name, width, Align::Left), color));
        spans.push(Span::styled(" │ ", theme.dim));
    }
    spans
}

/// Returns the date, such as `11-22 `, if not all lines are from today.
fn date(pane: &LogPane, date: Date) -> String {
    if pane.is_dated { date.strftime("%m-%d ").to_string() } else { String::new() }
}

fn utc(time: Timestamp) -> String {
    time.strftime("%H:%M:%SZ").to_string()
}

fn local(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// Formats the time between lines: `+12ms`, `+1.20s`, `+3m12s`, `+5h02m`.
fn delta(duration: SignedDuration) -> String {
    let millis = duration.as_millis();
    let sign = if millis < 0 { '-' } else { '+' };
    let millis = millis.unsigned_abs();
    let secs = millis / 1000;
    match secs {
        0 => format!("{sign}{millis}ms"),
        1..60 => format!("{sign}{secs}.{:02}s", millis % 1000 / 10),
        60..3600 => format!("{sign}{}m{:02}s", secs / 60, secs % 60),
        _ => format!("{sign}{}h{:02}m", (secs / 3600).min(9999), secs / 60 % 60),
    }
}

/// Draws the scrollbar at the right edge, only while paused.
fn bar(frame: &mut Frame<'_>, pane: &LogPane, theme: &Theme, below: i64, area: Rect) {
    if !pane.is_paused || area.height < 3 {
        return;
    }
    let sum = |spots: &mut dyn Iterator<Item = u64>| spots.fold(0_u64, u64::saturating_add);
    let first = sum(&mut pane.state.first.iter().copied());
    let all = sum(&mut pane.state.end.iter().copied()).saturating_sub(first);
    let at =
        |seq: i64| sum(&mut pane.buffer.place(seq).0.iter().map(|spot| spot.place)).saturating_sub(first);
    let (start, end) = (at(pane.top.0), at(below));
    if all == 0 || (start == 0 && end >= all) {
        return;
    }
    let height = u64::from(area.height);
    let thumb = (height * end.saturating_sub(start) / all).clamp(1, height);
    let most = all.saturating_sub(end.saturating_sub(start)).max(1);
    let offset = ((height - thumb) * start.min(most) / most).min(height - thumb);
    for row in offset..offset + thumb {
        let y = area.y + u16::try_from(row).unwrap_or(0);
        frame.buffer_mut().set_string(area.right() - 1, y, "█", theme.dim);
    }
}

/// Formats a number: `12.4k`, `2.1M`; numbers below ten thousand in full.
#[must_use]
fn short(count: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = count / (unit / 10);
        if tenths >= 1000 {
            format!("{}{name}", tenths / 10)
        } else {
            format!("{}.{}{name}", tenths / 10, tenths % 10)
        }
    };
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => tenths(1000, "k"),
        1_000_000..1_000_000_000 => tenths(1_000_000, "M"),
        _ => tenths(1_000_000_000, "G"),
    }
}

/// Formats a number with separators: `12,345`.
#[must_use]
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns the text for the lower border, at most `room` wide: the position and the number of
/// lines.
pub(crate) fn bottom_note(seen: &Seen<'_>, room: usize) -> (String, Style) {
    let (model, pane) = (seen.model, &seen.pane.log);
    let theme = &model.theme;
    if seen.is_gone && pane.selected.is_none() {
        let lines = (pane.buffer.end() - pane.buffer.first()).unsigned_abs();
        return (format!(" {} kept ", counted_of(lines, "line")), theme.dim);
    }
    let newest = &model.keys_of(KeyContext::Logs, Action::Last);
    let (mut parts, style) = match pane.is_paused {
        true => (paused(pane, if seen.has_keys { newest } else { "" }), theme.warn),
        false if goes_on(model, pane) => (vec![format!("follow ● {}", counted(pane))], theme.ok),
        false => (vec![counted(pane)], theme.dim),
    };
    parts.extend(progress(pane));
    let state = &pane.state;
    if pane.has_counts() {
        let grave = [(state.errors, "err"), (state.warnings, "warn")];
        parts.extend(
            grave
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{} {word}", short(*count))),
        );
    }
    let mut text = String::new();
    for part in parts {
        let gap = if text.is_empty() { "" } else { " · " };
        if text.is_empty() || text.width() + gap.width() + part.width() + 2 <= room {
            text += gap;
            text += &part;
        }
    }
    // The upper border has no room for it when zoomed, because it shows the tabs.
    if let Some(note) =
        top_note(pane, model.now).filter(|note| !model.is_zoomed && text.width() + note.width() + 5 <= room)
    {
        text = format!("{note} · {text}");
    }
    (format!(" {text} "), style)
}

fn counted(pane: &LogPane) -> String {
    let state = &pane.state;
    if pane.is_filtered() && pane.has_counts() {
        let of = if state.is_counted { short(state.lines) } else { "…".to_owned() };
        return format!("{} of {of} lines", short(state.shown));
    }
    if state.lines == 0 && !state.is_counted {
        return "reading…".to_owned();
    }
    let more = if state.is_counted { "" } else { "+" };
    let s = if state.lines == 1 && state.is_counted { "" } else { "s" };
    format!("{}{more} line{s}", short(state.lines))
}

fn paused(pane: &LogPane, newest: &str) -> Vec<String> {
    if let Some((first, last)) = pane.selected_range() {
        return vec![format!("{} selected", counted_of((last - first + 1).unsigned_abs(), "line"))];
    }
    let mut parts = Vec::new();
    let new = pane.unseen();
    if new > 0 {
        let key = if newest.is_empty() { String::new() } else { format!(" ↓{newest}") };
        parts.push(format!("follow ○ paused · +{} new{key}", short(new)));
    } else {
        parts.push("follow ○ paused".to_owned());
    }
    if pane.is_filtered() {
        parts.push(counted(pane));
        return parts;
    }
    let number = pane.buffer.get(pane.top.0).and_then(|line| line.number);
    if let (Some(number), 1) = (number, pane.of.len()) {
        let of =
            if pane.state.is_counted { format!(" of {}", short(pane.state.lines)) } else { String::new() };
        parts.push(format!("line {}{of}", grouped(number + 1)));
    }
    parts
}

/// Returns the progress of a search or a filter, unless it is complete.
fn progress(pane: &LogPane) -> Option<String> {
    let state = &pane.state;
    let is_asked = pane.is_filtered() || pane.matcher.is_some();
    if pane.is_finding() {
        return Some("searching…".to_owned());
    }
    if !is_asked || (pane.has_counts() && state.is_searched) || state.bytes == 0 {
        return None;
    }
    let done = if pane.has_counts() { state.searched } else { 0 };
    Some(format!("searched {}%", done.saturating_mul(100) / state.bytes))
}

/// Returns the number of logs if there are several, the search, and the settings: `2 logs merged ·
/// /timed out  2 of 2 · level≥warn · wrap`.
#[must_use]
pub(crate) fn top_note(pane: &LogPane, now: Timestamp) -> Option<String> {
    let mut parts = Vec::new();
    if pane.of.len() > 1 {
        parts.push(format!("{} logs merged", pane.of.len()));
    }
    if !pane.search.is_empty() {
        let rank = pane.hit.as_ref().and_then(|hit| hit.rank);
        let more = if pane.has_counts() && pane.state.is_searched { "" } else { "+" };
        let hits = if pane.has_counts() { pane.state.hits } else { 0 };
        let of = match rank {
            Some(rank) if rank > 0 => format!("{} of {}{more}", grouped(rank), grouped(hits)),
            _ if hits == 0 && more.is_empty() => "no match".to_owned(),
            _ => format!("{}{more}", grouped(hits)),
        };
        parts.push(format!("/{}  {of}", crate::base::text::line(&pane.search)));
    }
    if !pane.filter.is_empty() {
        parts.push(format!("&{}", crate::base::text::line(&pane.filter)));
    }
    if pane.context > 0 {
        parts.push(format!("±{}", pane.context));
    }
    parts.extend(pane.level.map(|level| format!("level≥{}", level.as_str())));
    parts.extend(pane.stream.map(|stream| stream.as_str().to_owned()));
    if pane.has_floor() {
        parts.push(floor(pane, now));
    }
    match pane.json {
        JsonForm::Raw => {}
        JsonForm::Line => parts.push("json:line".to_owned()),
        JsonForm::Pretty => parts.push("json:pretty".to_owned()),
    }
    if pane.wraps {
        parts.push("wrap".to_owned());
    }
    if pane.times != Times::Off {
        parts.push(format!("ts:{}", pane.times.as_str()));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// Returns which lines are shown: `since 14:02:11`, or `last 1000 lines`.
fn floor(pane: &LogPane, now: Timestamp) -> String {
    let Some(since) = pane.since_moment() else { return format!("last {TAIL} lines") };
    let zone = if pane.times == Times::Utc { TimeZone::UTC } else { TimeZone::system() };
    let (day, today) = (since.to_zoned(zone.clone()), now.to_zoned(zone));
    let form = if day.date() == today.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    let z = if pane.times == Times::Utc { "Z" } else { "" };
    format!("since {}{z}", day.strftime(form))
}

#[cfg(test)]
mod tests;
