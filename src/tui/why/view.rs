//! Draws the report that explains why a container exited or failed.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::units::counted;
use crate::tui::ansi;
use crate::tui::keymap::KeyContext;
use crate::tui::model::{Focus, Model};
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::why::model::Card;
use crate::tui::words::{Align, cell, span};

/// Draws the report.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
    let (model, pane, theme) = (seen.model, &seen.pane.why, &seen.model.theme);
    if let Some(failure) = pane.failure.as_ref().filter(|_| !seen.is_gone) {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    let Some(card) = &pane.card else {
        frame.render_widget(Line::styled(" reading…", theme.dim), area);
        return;
    };
    // With the focus on this tab, keys of the list need a prefix. From elsewhere, they do not apply to
    // its container.
    let is_under_cursor = model.focus == Focus::List && seen.subject == model.subject().as_ref();
    let place = match seen.has_focus() {
        true => Some(KeyContext::Why),
        false => is_under_cursor.then(|| model.section.key_context()),
    };
    let lines = lines(model, card, place, usize::from(area.width));
    let top = pane.top.min(lines.len().saturating_sub(usize::from(area.height)));
    let hidden = (lines.len() - top).saturating_sub(area.height.into());
    let shown: Vec<Line<'_>> = lines.into_iter().skip(top).take(area.height.into()).collect();
    frame.render_widget(Paragraph::new(shown), area);
    if hidden > 0 {
        let last = Rect { y: area.bottom() - 1, height: 1, ..area };
        let text = format!(" ↓ {} ", counted(hidden as u64, "more line"));
        frame.render_widget(Line::styled(text, theme.dim).right_aligned(), last);
    }
}

/// Returns the lines of a report at this width.
fn lines(model: &Model, card: &Card, place: Option<KeyContext>, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let room = width.saturating_sub(4).max(10);
    let heading =
        |text: &'static str| Line::styled(format!(" {text}"), theme.accent.add_modifier(Modifier::BOLD));
    let mut lines = Vec::new();
    let strong = theme.err.add_modifier(Modifier::BOLD);
    let verdict = wrapped(&card.verdict, room).into_iter();
    lines.extend(
        verdict
            .enumerate()
            .map(|(at, line)| Line::styled(format!(" {} {line}", if at == 0 { "✗" } else { " " }), strong)),
    );
    for text in &card.meaning {
        lines.extend(wrapped(text, room).into_iter().map(|line| Line::raw(format!("   {line}"))));
    }
    if !card.log.is_empty() {
        lines.push(Line::default());
        lines.push(heading(if card.has_errors { "Last errors" } else { "Last log lines" }));
        lines.extend(card.log.iter().map(|line| {
            let mut spans = vec![Span::styled(" ▏ ", if card.has_errors { theme.err } else { theme.dim })];
            spans.extend(ansi::output(line.as_bytes(), theme.text));
            Line::from(spans)
        }));
    }
    if !card.changes.is_empty() {
        lines.push(Line::default());
        lines.push(heading("What changed"));
        for text in &card.changes {
            lines.extend(wrapped(text, room).into_iter().map(|line| Line::raw(format!("   {line}"))));
        }
    }
    let keys = |action| place.map_or_else(String::new, |place| model.keys_of(place, action));
    let next: Vec<_> = card.next.iter().map(|(action, text)| (keys(*action), text)).collect();
    let next: Vec<_> = next.into_iter().filter(|(keys, _)| !keys.is_empty()).collect();
    if !next.is_empty() {
        lines.push(Line::default());
        lines.push(heading("Next steps"));
        lines.extend(next.into_iter().map(|(keys, text)| pair(&keys, text, theme.mark, 5)));
    }
    lines.push(Line::default());
    lines.extend(card.rows.iter().map(|(name, value)| {
        pair(name, &cell(value, value.width().min(room.saturating_sub(11)), Align::Left), theme.dim, 10)
    }));
    if !card.history.is_empty() {
        lines.push(Line::default());
        lines.push(heading("Recent events"));
        lines.extend(card.history.iter().map(|(time, text)| {
            let clock = time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string();
            let ago = span(model.now.duration_since(*time));
            Line::from(vec![
                Span::styled(format!("   {clock} "), theme.dim),
                Span::styled(format!("{:<12}", format!("({ago} ago)")), theme.dim),
                Span::raw(cell(text, text.width().min(room), Align::Left)),
            ])
        }));
    }
    lines
}

fn pair(name: &str, text: &str, style: Style, width: usize) -> Line<'static> {
    // Only the name itself has the style, which may be an underline.
    let gap = " ".repeat(width.saturating_sub(name.width()) + 1);
    Line::from(vec![
        Span::raw("   "),
        Span::styled(name.to_owned(), style),
        Span::raw(gap),
        Span::raw(text.to_owned()),
    ])
}

/// Wraps a text to this width, at spaces where possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut lines: Vec<String> = Vec::new();
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        let fits = lines.last().is_some_and(|line| line.width() + 1 + word.width() <= width);
        if fits && let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let mut line = String::new();
        let mut columns = 0;
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if columns + wide > width && columns > 0 {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            }
            line.push(c);
            columns += wide;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_at_spaces_and_a_long_word_anywhere() {
        for (text, width, lines) in [
            ("one two three", 7, &["one two", "three"][..]),
            ("abcdefgh ij", 5, &["abcde", "fgh", "ij"]),
            ("a\nb", 9, &["a b"]),
            ("", 5, &[]),
        ] {
            assert_eq!(wrapped(text, width), lines, "{text}");
        }
    }
}
