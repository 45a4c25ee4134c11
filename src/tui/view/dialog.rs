//! Dialogs over the screen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::layout::middle;
use crate::tui::model::Model;
use crate::tui::words::{Align, Beyond, cell, wrap};

/// Draws all dialogs, the topmost last.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    model.layers.iter().for_each(|layer| layer.dialog().draw(frame, model));
}

/// Draws an empty dialog; returns the area inside.
pub(crate) fn open(
    frame: &mut Frame<'_>,
    model: &Model,
    title: &str,
    note: &str,
    width: u16,
    height: u16,
) -> Rect {
    let theme = &model.theme;
    let area = middle(frame.area(), width, height);
    let room = usize::from(area.width).saturating_sub(6);
    let title = cell(title, title.width().min(room), Align::Left);
    let note = model.signs(note);
    let mut block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(theme.accent)
        .style(theme.overlay.patch(theme.text))
        .title_top(Line::styled(format!("━ {title} "), theme.accent.add_modifier(Modifier::BOLD)));
    if !note.is_empty() && note_fits(area.width, &title, &note) {
        block = block.title_top(Line::styled(format!(" {note} "), theme.dim).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Says in the lower border of a dialog that its content goes on above or below.
pub(crate) fn more(frame: &mut Frame<'_>, model: &Model, inner: Rect, beyond: Beyond) {
    let text = match beyond.lines() {
        "" => return,
        more => format!(" {more} "),
    };
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
    let at = Rect { x: inner.right().saturating_sub(width), y: inner.bottom(), width, height: 1 };
    frame.render_widget(Line::styled(text, model.theme.warn), at.intersection(frame.area()));
}

/// Whether the border of a dialog of this width has room for a note.
pub(crate) fn note_fits(width: u16, title: &str, note: &str) -> bool {
    usize::from(width) > title.width() + note.width() + 8
}

/// Returns the line of a dialog's keys. If not all fit, remarks in parentheses are left out first,
/// then whole keys from the end; the one that confirms stays.
pub(crate) fn keys(
    model: &Model,
    place: KeyContext,
    actions: &[(Action, &str)],
    room: usize,
) -> Line<'static> {
    let bound = actions.iter().map(|(action, word)| (*action, model.keys_of(place, *action), *word));
    let bound: Vec<_> = bound.filter(|(_, key, _)| !key.is_empty()).collect();
    let hints = |of: fn(&str) -> &str| {
        bound.iter().map(move |(action, key, word)| (*action, key.clone(), model.signs(of(word))))
    };
    let width = |hint: &KeyHint| hint.1.width() + 1 + hint.2.width();
    let needed = |hints: &[KeyHint], gap: usize| {
        hints.iter().map(width).sum::<usize>() + gap * hints.len().saturating_sub(1)
    };
    let whole: Vec<KeyHint> = hints(|word| word).collect();
    if let Some(gap) = [3, GAP].into_iter().find(|gap| needed(&whole, *gap) <= room) {
        return line_of(model, whole, gap);
    }
    let brief: Vec<KeyHint> = hints(|word| word.split(" (").next().unwrap_or(word)).collect();
    let mut order: Vec<usize> = (0..brief.len()).collect();
    order.sort_by_key(|at| brief[*at].0 != Action::Accept);
    let (mut left, mut kept) = (room + GAP, Vec::new());
    for at in order {
        let Some(rest) = left.checked_sub(width(&brief[at]) + GAP) else { break };
        left = rest;
        kept.push(at);
    }
    let fits = brief.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, hint)| hint);
    line_of(model, fits.collect(), GAP)
}

/// An action, its key, and what it does.
type KeyHint = (Action, String, String);

/// The least number of blanks between two keys.
const GAP: usize = 2;

fn line_of(model: &Model, hints: Vec<KeyHint>, gap: usize) -> Line<'static> {
    let mut line = Line::default();
    for (_, key, word) in hints {
        if !line.spans.is_empty() {
            line.push_span(Span::raw(" ".repeat(gap)));
        }
        line.push_span(Span::styled(key, model.theme.accent));
        line.push_span(Span::raw(format!(" {word}")));
    }
    line
}

/// Wraps the message about an input line to exactly two lines, the second of which is often empty.
pub(crate) fn two_lines(text: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    let mut lines = wrap(text, width.into(), 2);
    let rest = lines.split_off(1.min(lines.len())).join(" ");
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let second = if rest.is_empty() { rest } else { format!("  {rest}") };
    let shown = lines.into_iter().chain([second]);
    shown.map(|line| Line::styled(cell(&line, width.into(), Align::Left), style)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, last_row, press, screen, write};
    use crate::tui::section::TaskId;
    use crate::tui::update::update;

    /// The dialogs with a line of keys: how they are opened, and what is typed in them.
    const DIALOGS: &[(&str, &str, &str)] = &[
        ("2 r", "newcomer", ""),
        ("2 r", "newcomer", "tab"),
        ("2 r", "newcomer", "f2"),
        ("2 r", "newcomer", "f2 enter f3"),
        ("O", "", ""),
        ("2 O", "", ""),
        ("N", "", ""),
        ("2 p", "debian:13", ""),
        ("2 p", "debian:13", "enter enter"),
        (":", "events --since 1h", "enter"),
        ("d d", "", ""),
        ("e ctrl-] Q", "", ""),
        ("ctrl-p", "", ""),
    ];

    fn opened(size: (u16, u16), (keys, text, after): (&str, &str, &str)) -> Model {
        let mut model = full(size.0, size.1);
        press(&mut model, keys);
        write(&mut model, text);
        if !after.is_empty() {
            press(&mut model, after);
        }
        let said = "what a program prints\n".repeat(99);
        update(&mut model, Event::Said(TaskId(1), said.into_bytes()));
        model
    }

    /// Returns the keys in the last row of the topmost dialog.
    fn hints(model: &Model) -> Vec<String> {
        let row = last_row(model);
        let hints = row.split("  ").map(str::trim).filter(|hint| !hint.is_empty());
        hints.map(str::to_owned).collect()
    }

    #[test]
    fn keys_are_left_out_as_a_whole_and_the_confirming_one_last() {
        let is_place = |hint: &String| hint.contains(" of ");
        for dialog in DIALOGS {
            let model = opened((200, 60), *dialog);
            let mut known = hints(&model);
            assert!(known.len() > 1, "{dialog:?}: {known:?}");
            let accept = model.keys_of(model.key_context(), Action::Accept) + " ";
            let confirms = known.iter().find(|hint| hint.starts_with(&accept)).cloned();
            // Instead of the key that runs it, where that is in the border.
            known.push(model.keys_of(KeyContext::Form, Action::NextSection) + " section");
            let widths = [40, 44, 49, 57, 66, 80];
            for size in widths.iter().flat_map(|width| [(*width, 12), (*width, 24)]) {
                // In a low window, the palette has no room for its keys.
                if dialog.0 == "ctrl-p" && size.1 == 12 {
                    continue;
                }
                let model = opened(size, *dialog);
                let is_whole = |hint: &String| {
                    known.iter().any(|known| known == hint || known.split(" (").next() == Some(hint))
                };
                let faults: Vec<_> =
                    hints(&model).into_iter().filter(|hint| !is_whole(hint) && !is_place(hint)).collect();
                assert!(faults.is_empty(), "{dialog:?} at {size:?}: {faults:?} {known:?}");
                let shown = screen(&model);
                assert!(
                    confirms.as_ref().is_none_or(|hint| shown.contains(hint)),
                    "{dialog:?} at {size:?}:\n{shown}"
                );
            }
        }
    }

    #[test]
    fn remarks_go_first_then_keys_from_the_end() {
        let model = full(80, 24);
        let actions = [
            (Action::Dismiss, "close (and keep it)"),
            (Action::NextSection, "section with a long name"),
            (Action::CopyShown, "copy"),
            (Action::Accept, "run"),
        ];
        let told = |room| keys(&model, KeyContext::Form, &actions, room).to_string();
        let all = told(200);
        let width = all.width();
        assert!(all.starts_with("Esc close (and keep it)   ") && all.ends_with(" run"), "{all}");
        assert_eq!(told(width), all);
        let narrow = all.replace("   ", "  ");
        assert_eq!(told(width - 1), narrow);
        let brief = narrow.replace(" (and keep it)", "");
        assert_eq!(told(width - 4), brief);
        let run = model.keys_of(KeyContext::Form, Action::Accept).width() + 4;
        for room in 0..width {
            let shown = told(room);
            assert!(shown.width() <= room, "{shown}");
            assert!(room < run || shown.ends_with(" run"), "{shown}");
            // None is left out from the middle.
            let others = shown.rfind("  ").map_or("", |at| &shown[..at]);
            let is_start = [&all, &narrow, &brief].iter().any(|whole| whole.starts_with(others));
            assert!(is_start, "{shown}");
        }
    }
}
