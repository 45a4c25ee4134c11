//! Draws a document as a tree or as text.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::text;
use crate::base::units::counted;
use crate::tui::inspect::model::{Form, InspectPane};
use crate::tui::logs::model::contains;
use crate::tui::navigator::tree::{Content, Node};
use crate::tui::theme::Theme;
use crate::tui::view::frame::selected;
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, cell, span};

/// Draws the content of the pane.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
    let (model, pane, theme) = (seen.model, &seen.pane.inspect, &seen.model.theme);
    if let Some(failure) = pane.failure.as_ref().filter(|_| !seen.is_gone) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    if pane.document.is_none() {
        frame.render_widget(Line::styled(" reading…", theme.dim), area);
        return;
    }
    let width = width(area);
    let rows: Vec<Line<'_>> = match pane.form {
        Form::Tree => (pane.top..pane.top + usize::from(area.height))
            .filter_map(|line| Some(node(pane, line, pane.tree.line(line)?, theme, model.now, width)))
            .collect(),
        form => pane
            .lines
            .iter()
            .enumerate()
            .skip(pane.top)
            .take(area.height.into())
            .map(|(at, line)| text(pane, at, line, form, theme, width))
            .collect(),
    };
    frame.render_widget(Paragraph::new(rows), area);
}

fn width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(1)).max(1)
}

/// Returns how far the visible lines can be scrolled to the right until their ends are visible.
pub(crate) fn farthest(pane: &InspectPane, now: Timestamp, area: Rect) -> usize {
    let (width, rows) = (width(area), usize::from(area.height));
    let hidden = |text: &str, room: usize| columns(text).saturating_sub(room);
    let farthest = match pane.form {
        Form::Tree => (pane.top..pane.top + rows)
            .filter_map(|line| pane.tree.line(line))
            .map(|node| Parts::of(node, now, width))
            .map(|parts| hidden(&parts.value, parts.room))
            .max(),
        _ => pane.lines.iter().skip(pane.top).take(rows).map(|line| hidden(line, width)).max(),
    };
    farthest.unwrap_or(0)
}

/// Returns the width of a text as [`clip`] shows it.
fn columns(text: &str) -> usize {
    text.chars().map(|c| text::shown(c).width().unwrap_or(0)).sum()
}

/// Returns the text for the upper border: `F: tree · yaml · json · run command`.
pub(crate) fn title(pane: &InspectPane, key: &str, theme: &Theme) -> Line<'static> {
    let has_command = pane.document.as_ref().is_some_and(|document| document.command.is_some());
    let forms = Form::ALL.into_iter().filter(|form| has_command || *form != Form::Command);
    let mut spans = vec![Span::styled(format!(" {key}:"), theme.dim)];
    for form in forms {
        let style = if form == pane.form { theme.accent.add_modifier(Modifier::BOLD) } else { theme.dim };
        if spans.len() > 1 {
            spans.push(Span::styled(" ·", theme.dim));
        }
        spans.push(Span::styled(format!(" {}", form.label()), style));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// Returns the path of the cursor, or the number of lines, for the lower border.
pub(crate) fn note(pane: &InspectPane, width: u16) -> String {
    let search = if pane.search.is_empty() { String::new() } else { format!("/{} · ", pane.search) };
    let text = match pane.path() {
        Some(path) => path,
        None if pane.form == Form::Tree => String::new(),
        None => counted(pane.lines.len() as u64, "line"),
    };
    let room = usize::from(width).saturating_sub(8);
    let text = format!("{search}{text}");
    // The end of a path says more than its beginning.
    let surplus = text.width().saturating_sub(room);
    let kept: String = text.chars().skip(if surplus > 0 { surplus + 1 } else { 0 }).collect();
    let text = if surplus > 0 { format!("…{kept}") } else { text };
    format!(" {} ", text::line(&text))
}

fn node(
    pane: &InspectPane,
    line: usize,
    node: &Node,
    theme: &Theme,
    now: Timestamp,
    width: usize,
) -> Line<'static> {
    let is_under = pane.cursor == line;
    let gutter = match (is_under, !pane.search.is_empty() && node.has(&pane.search)) {
        (true, _) => Span::styled("▌", theme.accent),
        (_, true) => Span::styled("»", theme.mark),
        _ => Span::raw(" "),
    };
    let Parts { head, key, value, note, room } = Parts::of(node, now, width);
    let style = match &node.content {
        Content::Object(..) | Content::List(_) => theme.text,
        Content::Value(..) if value.is_empty() => theme.dim,
        Content::Value(..) => theme.ok,
    };
    let key_style = if node.is_branch() { theme.accent.add_modifier(Modifier::BOLD) } else { theme.accent };
    let value = clip(&value, pane.left, room);
    let line = Line::from(vec![
        gutter,
        Span::raw(head),
        Span::styled(key, key_style),
        Span::raw("  "),
        Span::styled(value, style),
        Span::styled(note, theme.dim),
    ]);
    if is_under { selected(line, theme) } else { line }
}

/// The texts of a line of the tree.
struct Parts {
    head: String,
    key: String,
    value: String,
    note: String,
    /// The columns for the value.
    room: usize,
}

impl Parts {
    fn of(node: &Node, now: Timestamp, width: usize) -> Self {
        let sign = match (node.is_branch(), node.is_folded) {
            (true, true) => "▸ ",
            (true, false) => "▾ ",
            _ => "  ",
        };
        let indent = " ".repeat(usize::from(node.depth).min(width / 3) * 2);
        // Keys of siblings are padded to the longest, to align their values.
        let longest = usize::from(node.width);
        let key = match node.key.width() > longest {
            true => cell(&node.key, node.key.width().min(width / 2), Align::Left),
            false => cell(&node.key, longest, Align::Left),
        };
        let (value, note) = match &node.content {
            Content::Object(count, about) => (about.clone(), format!("{{{count}}}")),
            Content::List(count) => (String::new(), format!("[{count}]")),
            Content::Value(text, moment) => {
                (text.clone(), moment.map_or_else(String::new, |moment| ago(moment, now)))
            }
        };
        let head = format!("{indent}{sign}");
        let note = if note.is_empty() { note } else { format!("  {note}") };
        let room = width.saturating_sub(head.width() + key.width() + 2 + note.width());
        Self { head, key, value, note, room }
    }
}

/// Returns the distance from now: `(41m ago)`, `(in 3m)`.
fn ago(moment: Timestamp, now: Timestamp) -> String {
    match now >= moment {
        true => format!("({} ago)", span(now.duration_since(moment))),
        false => format!("(in {})", span(moment.duration_since(now))),
    }
}

fn text(pane: &InspectPane, at: usize, line: &str, form: Form, theme: &Theme, width: usize) -> Line<'static> {
    let fits = !pane.search.is_empty() && contains(line.as_bytes(), &pane.search);
    let gutter = if fits { Span::styled("»", theme.mark) } else { Span::raw(" ") };
    let shown = clip(line, pane.left, width);
    let mut spans = vec![gutter];
    // Only whole lines are coloured, since a part of a line cannot be parsed.
    let parts = if pane.left == 0 { split(&shown, form) } else { None };
    match parts {
        Some((head, key, rest)) => {
            spans.push(Span::raw(head.to_owned()));
            spans.push(Span::styled(key.to_owned(), theme.accent));
            spans.push(Span::styled(rest.to_owned(), theme.text));
        }
        None => spans.push(Span::styled(shown, theme.text)),
    }
    let strong = if pane.hit == Some(at) { Modifier::BOLD } else { Modifier::empty() };
    Line::from(spans).style(Style::default().add_modifier(strong))
}

/// Splits a line of JSON or YAML into indentation, key and rest.
fn split(line: &str, form: Form) -> Option<(&str, &str, &str)> {
    let start = line.find(|c: char| c != ' ' && c != '-').unwrap_or(0);
    let end = match form {
        Form::Json if line[start..].starts_with('"') => start + line[start..].find("\": ")? + 1,
        Form::Yaml => {
            start
                + line[start..]
                    .find(": ")
                    .or_else(|| line[start..].trim_end().strip_suffix(':').map(str::len))?
        }
        _ => return None,
    };
    Some((&line[..start], &line[start..end], &line[end..]))
}

/// Returns the visible part of a text in a window of `width` columns, scrolled by `left` columns.
fn clip(text: &str, left: usize, width: usize) -> String {
    let (mut out, mut column, mut taken) = (String::new(), 0, 0);
    for c in text.chars() {
        let c = text::shown(c);
        let wide = c.width().unwrap_or(0);
        column += wide;
        if column <= left {
            continue;
        }
        taken += wide;
        if taken > width {
            if out.pop().is_some() {
                out.push('…');
            }
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_clipped_by_columns() {
        for (text, left, width, shown) in [
            ("abcdef", 0, 6, "abcdef"),
            ("abcdef", 0, 4, "abc…"),
            ("abcdef", 2, 10, "cdef"),
            ("a\u{1b}b\nc", 0, 9, "a␛b␊c"),
            ("日本語", 2, 4, "本語"),
            ("abc", 9, 4, ""),
            ("abc", 0, 0, ""),
        ] {
            assert_eq!(clip(text, left, width), shown, "{text}");
        }
    }

    #[test]
    fn a_line_of_text_is_taken_apart_for_its_colours() {
        for (line, form, parts) in [
            ("  \"Id\": \"a\",", Form::Json, Some(("  ", "\"Id\"", ": \"a\","))),
            ("  \"a: b\",", Form::Json, None),
            ("Name: web", Form::Yaml, Some(("", "Name", ": web"))),
            ("  - Type: bind", Form::Yaml, Some(("  - ", "Type", ": bind"))),
            ("State:", Form::Yaml, Some(("", "State", ":"))),
            ("  - echo", Form::Yaml, None),
            ("hoist run", Form::Command, None),
        ] {
            assert_eq!(split(line, form), parts, "{line}");
        }
    }
}
