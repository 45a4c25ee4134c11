//! What lies over the screen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::tui::action::Action;
use crate::tui::custom::ask::Ask;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use crate::tui::model::layer::{Confirm, Layer, Menu, Page, Prompt, Purpose};
use crate::tui::view::middle;
use crate::tui::words::{Align, cell, wrap};
use crate::tui::{form, help, line, list, palette, removal, tasks, themes};

/// Draws every layer, the topmost last.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    for layer in &model.layers {
        match layer {
            Layer::Prompt(prompt) if !prompt.purpose.is_line() => draw_prompt(frame, model, prompt),
            Layer::Prompt(prompt) => line::view::above_line(frame, model, prompt),
            Layer::Confirm(question) => confirm(frame, model, question),
            Layer::Menu(choice) => menu(frame, model, choice, "↵ send · Esc cancel"),
            Layer::Merge(choice) => menu(frame, model, choice, "↵ choose · Esc cancel"),
            Layer::Columns(choice) => list::view::choice(frame, model, choice),
            Layer::Removal(question) => removal::view::draw(frame, model, question),
            Layer::Run(shown) => form::view::draw(frame, model, shown),
            Layer::Presets(shown) => form::view::presets(frame, model, shown),
            Layer::Palette(shown) => palette::view::draw(frame, model, shown),
            Layer::Progress(watch) => tasks::view::draw(frame, model, *watch),
            Layer::Output(reading) => tasks::view::output(frame, model, *reading),
            Layer::Page(shown) => page(frame, model, shown),
            Layer::Help(shown) => help::view::draw(frame, model, shown),
            Layer::Themes(picker) => themes::view::draw(frame, model, picker),
            Layer::Ask(asked) => ask(frame, model, asked),
        }
    }
}

/// An empty dialog; gives what is inside.
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
    let title = cell(title, unicode_width::UnicodeWidthStr::width(title).min(room), Align::Left);
    let mut block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(theme.accent)
        .style(theme.overlay.patch(theme.text))
        .title_top(Line::styled(format!("━ {title} "), theme.accent.add_modifier(Modifier::BOLD)));
    if usize::from(area.width) > title.len() + note.len() + 8 && !note.is_empty() {
        block = block.title_top(Line::styled(format!(" {note} "), theme.dim).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// The keys of a dialog, as its last line.
pub(crate) fn keys(model: &Model, place: Place, actions: &[(Action, &str)]) -> Line<'static> {
    let mut spans = Vec::new();
    for (action, word) in actions {
        spans.push(Span::styled(model.keys_of(place, *action), model.theme.accent));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    Line::from(spans)
}

fn ask(frame: &mut Frame<'_>, model: &Model, asked: &Ask) {
    let theme = &model.theme;
    let title = cell(&asked.title, 40, Align::Left);
    let inner = open(frame, model, title.trim_end(), "", 70, 7);
    let field = Rect { y: inner.y + 1, height: 1.min(inner.height), ..inner };
    frame.buffer_mut().set_style(field, theme.sel);
    frame.render_widget(asked.input.area(), field);
    let (text, style) = match &asked.error {
        Some(error) => (format!("✗ {error}"), theme.err),
        None => (asked.hint.clone(), theme.dim),
    };
    let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let actions = [(Action::Accept, "ok"), (Action::Dismiss, "cancel")];
    let mut lines = two_lines(&text, below.width, style);
    lines.push(keys(model, Place::Prompt, &actions));
    frame.render_widget(Paragraph::new(lines), below);
}

/// What there is to say of a line that is typed: exactly two lines, the second often empty.
fn two_lines(text: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    let mut lines = wrap(text, width.into(), 2);
    let rest = lines.split_off(1.min(lines.len())).join(" ");
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let second = if rest.is_empty() { rest } else { format!("  {rest}") };
    let shown = lines.into_iter().chain([second]);
    shown.map(|line| Line::styled(cell(&line, width.into(), Align::Left), style)).collect()
}

fn draw_prompt(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    let theme = &model.theme;
    let width = if matches!(prompt.purpose, Purpose::RunWords) { 110 } else { 70 };
    let inner = open(frame, model, prompt.purpose.title(), "", width, 7);
    let field = Rect { y: inner.y + 1, height: 1.min(inner.height), ..inner };
    frame.buffer_mut().set_style(field, theme.sel);
    frame.render_widget(prompt.input.area(), field);
    let (text, style) = match (&prompt.error, &prompt.note) {
        (Some(error), _) => (format!("✗ {error}"), theme.err),
        (None, Some(note)) => form::view::told(note, theme),
        (None, None) => (prompt.purpose.hint().to_owned(), theme.dim),
    };
    let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let mut actions = vec![(Action::Accept, "ok"), (Action::Dismiss, "cancel")];
    if !prompt.candidates.items.is_empty() {
        actions.push((Action::Complete, "complete"));
    }
    let mut lines = two_lines(&text, below.width, style);
    lines.push(keys(model, Place::Prompt, &actions));
    frame.render_widget(Paragraph::new(lines), below);
    line::view::below(frame, model, prompt, inner);
}

fn confirm(frame: &mut Frame<'_>, model: &Model, question: &Confirm) {
    let theme = &model.theme;
    let (most, room) = (question.rows(model.size), Confirm::width(model.size.0));
    let gap = if Confirm::is_low(model.size.1) { None } else { Some(Line::default()) };
    let hidden = question.items.len().saturating_sub(most);
    let top = question.top.min(hidden);
    let mut lines: Vec<Line<'_>> = gap.iter().cloned().collect();
    let bold = theme.text.add_modifier(Modifier::BOLD);
    let shown = question.items.iter().skip(top).take(most);
    lines.extend(shown.map(|item| Line::styled(cell(item, room, Align::Left).trim_end().to_owned(), bold)));
    if hidden > 0 {
        let keys =
            model.keys_of(Place::Confirm, Action::Down) + " " + &model.keys_of(Place::Confirm, Action::Up);
        let text =
            format!("{}–{} of {} · {keys} shows the others", top + 1, top + most, question.items.len());
        lines.push(Line::styled(text, theme.dim));
    }
    lines.extend(gap.iter().cloned());
    lines.extend(question.told(model.size.0).into_iter().map(|note| Line::styled(note, theme.warn)));
    lines.extend(gap);
    // A copy that replaces nothing takes nothing away that could be kept.
    let no = if question.yes == "copy" { "cancel (also ↵, Esc)" } else { "keep (also ↵, Esc)" };
    lines.push(keys(model, Place::Confirm, &[(Action::Accept, question.yes), (Action::Dismiss, no)]));
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, model, &question.title, "", 64, height);
    frame.render_widget(Paragraph::new(lines), inner);
}

fn menu(frame: &mut Frame<'_>, model: &Model, choice: &Menu, keys: &str) {
    let theme = &model.theme;
    // The line with the keys stays in sight.
    let most = model.size.1.saturating_sub(2);
    let height = u16::try_from(choice.items.len() + 2).unwrap_or(u16::MAX).min(most);
    let inner = open(frame, model, &choice.title, keys, 60, height);
    let rows = usize::from(inner.height);
    let room = usize::from(inner.width).saturating_sub(12);
    let top = (choice.cursor + 1).saturating_sub(rows.max(1));
    let lines = choice.items.iter().enumerate().skip(top).take(rows).map(|(at, (name, note))| {
        let bar = if at == choice.cursor { "▌ " } else { "  " };
        let line = Line::from(vec![
            Span::styled(bar, theme.accent),
            Span::raw(format!("{name:<10}")),
            Span::styled(cell(note, room, Align::Left), theme.dim),
        ]);
        if at == choice.cursor { line.style(theme.sel) } else { line }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}

fn page(frame: &mut Frame<'_>, model: &Model, shown: &Page) {
    let (room, most) = Page::room(model.size);
    let count = shown.rows().len();
    let (wide, tall) = (u16::try_from(room + 4), u16::try_from(count.min(most) + 2));
    let (wide, tall) = (wide.unwrap_or(u16::MAX), tall.unwrap_or(u16::MAX));
    let inner = open(frame, model, &shown.title, "Esc closes", wide, tall);
    let window = shown.rows().iter().skip(shown.top).take(usize::from(inner.height));
    frame.render_widget(
        Paragraph::new(window.map(|line| Line::raw(line.as_str())).collect::<Vec<_>>()),
        inner,
    );
    if count > shown.top + usize::from(inner.height) {
        let at = Rect { x: inner.right().saturating_sub(8), y: inner.bottom(), width: 8, height: 1 };
        frame.render_widget(Line::styled(" ↓ more ", model.theme.warn), at.intersection(frame.area()));
    }
}
