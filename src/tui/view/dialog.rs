//! What lies over the screen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::words::{Align, cell, size, span};
use super::{middle, pages, texts};
use crate::engine::Phase;
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use crate::tui::model::layer::{Confirm, Field, Layer, Menu, Page, Prompt, RunForm, Switch, Text};
use crate::tui::model::rows::ImageRow;
use crate::tui::model::task::{Part, TaskId, TaskState, What, Work};

/// Draws every layer, the topmost last.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model) {
    for layer in &model.layers {
        match layer {
            Layer::Prompt(prompt) if !prompt.purpose.is_line() => draw_prompt(frame, model, prompt),
            Layer::Prompt(_) => {}
            Layer::Confirm(question) => confirm(frame, model, question),
            Layer::Menu(choice) => menu(frame, model, choice),
            Layer::Run(form) => run(frame, model, form),
            Layer::Progress(id) => progress(frame, model, *id),
            Layer::Page(shown) => page(frame, model, shown),
        }
    }
}

/// An empty dialog; gives what is inside.
fn open(frame: &mut Frame<'_>, model: &Model, title: &str, note: &str, width: u16, height: u16) -> Rect {
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
fn keys(model: &Model, place: Place, actions: &[(Action, &str)]) -> Line<'static> {
    let mut spans = Vec::new();
    for (action, word) in actions {
        spans.push(Span::styled(model.keys_of(place, *action), model.theme.accent));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    Line::from(spans)
}

fn draw_prompt(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    let theme = &model.theme;
    let inner = open(frame, model, prompt.purpose.title(), "", 70, 7);
    let field = Rect { y: inner.y + 1, height: 1.min(inner.height), ..inner };
    frame.buffer_mut().set_style(field, theme.sel);
    frame.render_widget(prompt.input.area(), field);
    let (text, style) = match &prompt.error {
        Some(error) => (format!("✗ {error}"), theme.err),
        None => (prompt.purpose.hint().to_owned(), theme.dim),
    };
    let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let actions = [(Action::Accept, "ok"), (Action::Dismiss, "cancel")];
    let lines = vec![Line::styled(text, style), Line::default(), keys(model, Place::Prompt, &actions)];
    frame.render_widget(Paragraph::new(lines), below);
}

fn confirm(frame: &mut Frame<'_>, model: &Model, question: &Confirm) {
    let theme = &model.theme;
    let most = Confirm::rows(model.size.1);
    let hidden = question.items.len().saturating_sub(most);
    let mut lines = vec![Line::default()];
    lines.extend(
        question
            .items
            .iter()
            .skip(question.top.min(hidden))
            .take(most)
            .map(|item| Line::styled(item.clone(), theme.text.add_modifier(Modifier::BOLD))),
    );
    if hidden > 0 {
        let (first, last) = (question.top.min(hidden) + 1, question.top.min(hidden) + most);
        let keys =
            model.keys_of(Place::Confirm, Action::Down) + " " + &model.keys_of(Place::Confirm, Action::Up);
        let text = format!("{first}–{last} of {} · {keys} shows the others", question.items.len());
        lines.push(Line::styled(text, theme.dim));
    }
    lines.push(Line::default());
    lines.extend(question.notes.iter().map(|note| Line::styled(note.clone(), theme.warn)));
    lines.push(Line::default());
    lines.push(keys(
        model,
        Place::Confirm,
        &[(Action::Accept, question.yes), (Action::Dismiss, "keep (also ↵, Esc)")],
    ));
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, model, &question.title, "", 64, height);
    frame.render_widget(Paragraph::new(lines), inner);
}

fn menu(frame: &mut Frame<'_>, model: &Model, choice: &Menu) {
    let theme = &model.theme;
    let height = u16::try_from(choice.items.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, model, &choice.title, "↵ send · Esc cancel", 60, height);
    let rows = usize::from(inner.height);
    let top = (choice.cursor + 1).saturating_sub(rows.max(1));
    let lines = choice.items.iter().enumerate().skip(top).take(rows).map(|(at, (name, note))| {
        let bar = if at == choice.cursor { "▌ " } else { "  " };
        let line = Line::from(vec![
            Span::styled(bar, theme.accent),
            Span::raw(format!("{name:<10}")),
            Span::styled(note.clone(), theme.dim),
        ]);
        if at == choice.cursor { line.style(theme.sel) } else { line }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}

fn run(frame: &mut Frame<'_>, model: &Model, form: &RunForm) {
    let theme = &model.theme;
    let is_low = model.size.1 < 20;
    let note = "Ctrl-s run · Esc cancel";
    let inner = open(frame, model, "Run a container", note, 72, if is_low { 12 } else { 17 });
    let mut y = inner.y + u16::from(!is_low);
    let mut line = |frame: &mut Frame<'_>, height: u16| {
        let area = Rect { y, height, ..inner }.intersection(inner);
        y += height;
        let _ = frame;
        area
    };
    for (text, name) in
        [(Text::Image, "Image"), (Text::Name, "Name"), (Text::Command, "Command"), (Text::Flags, "Flags")]
    {
        let area = line(frame, 1);
        let is_here = form.field == Field::Text(text);
        let bar = if is_here { "▌" } else { " " };
        let head = Line::from(vec![
            Span::styled(bar, theme.accent),
            Span::styled(format!("{name:<9}│ "), theme.dim),
        ]);
        frame.render_widget(head, area);
        let side = field_note(model, form, text);
        let note_width = if area.width >= 56 { 18 } else { 0 };
        let field = Rect { x: area.x + 12, width: area.width.saturating_sub(13 + note_width), ..area }
            .intersection(area);
        if is_here {
            frame.buffer_mut().set_style(field, theme.sel);
            frame.render_widget(form.texts[text as usize].area(), field);
        } else {
            frame.render_widget(Line::raw(cell(form.text(text), field.width.into(), Align::Left)), field);
        }
        let place = Rect { x: field.right() + 1, width: note_width, ..area }.intersection(area);
        frame.render_widget(Line::styled(cell(&side.0, note_width.into(), Align::Left), side.1), place);
    }
    if !is_low {
        line(frame, 1);
    }
    for (switch, name) in [
        (Switch::Terminal, "terminal: open one, its keys go to the program"),
        (Switch::Remove, "remove the container when it ends"),
        (Switch::HostNetwork, "the host's network instead of a bridge"),
        (Switch::ReadOnly, "its root file system cannot be written"),
    ] {
        let is_here = form.field == Field::Switch(switch);
        let bar = if is_here { "▌" } else { " " };
        let mark = if form.is_on(switch) { "[x]" } else { "[ ]" };
        let style = if is_here { theme.sel } else { Style::default() };
        let text = Line::from(vec![Span::styled(bar, theme.accent), Span::raw(format!("{mark} {name}"))])
            .style(style);
        let area = line(frame, 1);
        frame.render_widget(text, area);
    }
    if !is_low {
        line(frame, 1);
    }
    let command = format!("$ {}", form.line());
    let area = line(frame, if is_low { 1 } else { 2 });
    frame.render_widget(Paragraph::new(Line::styled(command, theme.accent)).wrap(Wrap { trim: false }), area);
    let area = line(frame, 1);
    match &form.error {
        Some(error) => frame.render_widget(Line::styled(format!("✗ {error}"), theme.err), area),
        None => {
            let actions = [
                (Action::Accept, "run"),
                (Action::NextField, "next field"),
                (Action::CopyShown, "copy command"),
            ];
            frame.render_widget(keys(model, Place::Form, &actions), area);
        }
    }
}

/// What there is to say about what was typed.
fn field_note(model: &Model, form: &RunForm, text: Text) -> (String, Style) {
    let theme = &model.theme;
    let typed = form.text(text);
    match text {
        Text::Image if typed.is_empty() => ("✗ needed".to_owned(), theme.warn),
        Text::Image => {
            let named = |row: &&ImageRow| {
                row.name == typed
                    || row.name.strip_suffix(":latest") == Some(typed)
                    || row.short() == typed
                    || row.id == typed
            };
            match model.images.all().iter().find(named) {
                Some(row) => (format!("✓ here, {}", size(row.size)), theme.ok),
                None => ("will be pulled".to_owned(), theme.dim),
            }
        }
        Text::Name if typed.is_empty() => ("chosen by hoist".to_owned(), theme.dim),
        Text::Name if model.containers.all().iter().any(|row| row.name == typed) => {
            ("✗ taken".to_owned(), theme.err)
        }
        Text::Name => ("✓ free".to_owned(), theme.ok),
        Text::Command if typed.is_empty() => ("image's default".to_owned(), theme.dim),
        Text::Flags if typed.is_empty() => ("-e A=b -v /src:/dst".to_owned(), theme.dim),
        Text::Command | Text::Flags => (String::new(), theme.dim),
    }
}

fn progress(frame: &mut Frame<'_>, model: &Model, id: TaskId) {
    let theme = &model.theme;
    let Some(task) = model.task(id) else { return };
    let What::Work(work) = &task.what else { return };
    let room = usize::from(model.size.1.saturating_sub(9)).max(1);
    let parts = work.parts.len().min(room);
    let height = u16::try_from(parts + 8).unwrap_or(u16::MAX);
    let took = span(task.until.unwrap_or(model.now).duration_since(task.since));
    let sign = match &task.state {
        TaskState::Live | TaskState::Stopping => texts::spinner(model.now),
        TaskState::Done(_) => "✓",
        TaskState::Failed(_) => "✗",
    };
    let inner = open(frame, model, &task.title, &format!("{sign} {took}"), 74, height);
    let width = usize::from(inner.width);
    let mut lines =
        vec![Line::styled(cell(work.notes.back().map_or("", String::as_str), width, Align::Left), theme.dim)];
    lines.push(Line::default());
    // Those that go on are more interesting than those that wait or are done.
    let mut shown: Vec<&Part> = work.parts.iter().collect();
    if shown.len() > room {
        shown.sort_by_key(|part| match part.phase {
            Phase::Downloading | Phase::Extracting | Phase::Verifying | Phase::Retrying => 0,
            Phase::Waiting => 1,
            Phase::Exists | Phase::Done => 2,
        });
        shown.truncate(room);
    }
    lines.extend(shown.into_iter().map(|part| part_line(model, part, width)));
    match &task.state {
        TaskState::Failed(failure) => {
            lines.truncate(1);
            lines.extend(texts::failure(failure, theme));
        }
        _ if !work.parts.is_empty() => lines.push(total_line(model, work, width)),
        _ => {}
    }
    lines.push(Line::default());
    let actions: &[(Action, &str)] = match task.state {
        TaskState::Live => {
            &[(Action::Background, "background"), (Action::Cancel, "cancel (keeps what was fetched)")]
        }
        TaskState::Stopping => &[(Action::Background, "background; it is being cancelled")],
        _ => &[(Action::Background, "close")],
    };
    lines.push(keys(model, Place::Progress, actions));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

fn part_line(model: &Model, part: &Part, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let (word, style) = match part.phase {
        Phase::Waiting => ("waiting", theme.dim),
        Phase::Downloading => ("download", theme.accent),
        Phase::Verifying => ("verify", theme.accent),
        Phase::Extracting => ("extract", theme.info),
        Phase::Exists => ("exists", theme.dim),
        Phase::Retrying => ("retry", theme.warn),
        Phase::Done => ("done", theme.ok),
    };
    let share = match (part.phase, part.total) {
        (Phase::Exists | Phase::Done | Phase::Verifying, _) => 1000,
        (_, Some(total)) if total > 0 => part.current.min(total).saturating_mul(1000) / total,
        _ => 0,
    };
    let amount = match part.total {
        Some(total) => format!("{}/{}", size(part.current.min(total)), size(total)),
        None if part.current > 0 => size(part.current),
        None => String::new(),
    };
    let bar = width.saturating_sub(38).clamp(4, 32);
    Line::from(vec![
        Span::styled(cell(&part.id, 12, Align::Left) + " ", theme.dim),
        Span::styled(texts::meter(share, bar), style),
        Span::styled(format!(" {word:<9}"), style),
        Span::raw(cell(&amount, if width < 44 { 0 } else { 12 }, Align::Right)),
    ])
}

fn total_line(model: &Model, work: &Work, width: usize) -> Line<'static> {
    let done = work.done().unwrap_or(0);
    let bar = width.saturating_sub(38).clamp(4, 32);
    Line::from(vec![
        Span::styled(cell("total", 12, Align::Left) + " ", model.theme.text),
        Span::styled(texts::meter(done, bar), model.theme.ok),
        Span::raw(format!(" {:>3}%", done / 10)),
    ])
}

fn page(frame: &mut Frame<'_>, model: &Model, shown: &Page) {
    let (width, height) = model.size;
    let wanted = (width.saturating_sub(4)).clamp(36, 96);
    let lines = pages::lines(model, shown, usize::from(wanted).saturating_sub(4));
    let tall = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(height.saturating_sub(2));
    let inner = open(frame, model, &shown.title, "Esc closes", wanted, tall);
    let rows = usize::from(inner.height);
    let top = shown.top.min(lines.len().saturating_sub(rows));
    let more = lines.len() > top + rows;
    let window: Vec<_> = lines.into_iter().skip(top).take(rows).collect();
    frame.render_widget(Paragraph::new(window), inner);
    if more {
        let at = Rect { x: inner.right().saturating_sub(8), y: inner.bottom(), width: 8, height: 1 };
        frame.render_widget(Line::styled(" ↓ more ", model.theme.warn), at.intersection(frame.area()));
    }
}
