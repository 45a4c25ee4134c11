//! Draws the progress of a task: its layers and its output.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use crate::base::units::counted;
use crate::engine::Phase;
use crate::tui::action::Action;
use crate::tui::ansi;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::view::Cell;
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::model::Model;
use crate::tui::section::TaskId;
use crate::tui::tasks::model::{OutputPage, Part, ProgressPage, TaskRow, TaskState, What, Work};
use crate::tui::tasks::output::Window;
use crate::tui::view::dialog::{keys, open};
use crate::tui::view::texts;
use crate::tui::words::{Align, cell, size, span, spark, surplus};

/// Draws the page of a task's progress.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, watch: ProgressPage) {
    let theme = &model.theme;
    let Some(task) = model.task(watch.id) else { return };
    let What::Work(work) = &task.what else { return };
    let room = usize::from(model.size.1.saturating_sub(11)).max(1);
    let parts = work.parts.len().min(room);
    let height = u16::try_from(parts + 9).unwrap_or(u16::MAX);
    let took = span(task.until.unwrap_or(model.now).duration_since(task.since));
    let sign = match &task.state {
        TaskState::Live | TaskState::Stopping => texts::spinner(model.now),
        TaskState::Done(_) => "✓",
        TaskState::Cancelled => "■",
        TaskState::Failed(_) => "✗",
    };
    let inner = open(frame, model, &task.title, &format!("{sign} {took}"), 74, height);
    let width = usize::from(inner.width);
    let mut lines =
        vec![Line::styled(cell(work.notes.back().map_or("", String::as_str), width, Align::Left), theme.dim)];
    lines.push(Line::default());
    let shown = shown(work, room);
    let hidden = work.parts.len() - shown.len();
    lines.extend(shown.into_iter().map(|part| part_line(model, part, width)));
    match &task.state {
        TaskState::Failed(failure) => {
            lines.truncate(1);
            lines.extend(texts::failure(failure, theme, inner.width));
        }
        _ if !work.parts.is_empty() => {
            lines.push(Line::styled(
                if hidden > 0 { format!("+ {hidden} more") } else { String::new() },
                theme.dim,
            ));
            lines.push(total_line(model, work, width));
            lines.push(pace_line(model, task, work, width));
        }
        _ => {}
    }
    lines.push(Line::default());
    lines.push(foot(model, task, watch, inner.width.into()));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

/// Selects the layers that fit, preferring those in progress to those that wait or are done.
fn shown(work: &Work, room: usize) -> Vec<&Part> {
    let mut shown: Vec<&Part> = work.parts.iter().collect();
    if shown.len() > room {
        shown.sort_by_key(|part| match part.phase {
            Phase::Downloading | Phase::Extracting | Phase::Writing | Phase::Verifying | Phase::Retrying => 0,
            Phase::Waiting => 1,
            Phase::Exists | Phase::Done => 2,
        });
        shown.truncate(room);
    }
    shown
}

fn foot(model: &Model, task: &TaskRow, watch: ProgressPage, room: usize) -> Line<'static> {
    let mut actions = match task.state {
        TaskState::Live => {
            vec![(Action::Background, "background"), (Action::Cancel, "cancel (keeps layers)")]
        }
        TaskState::Stopping => vec![(Action::Background, "background (cancelling)")],
        _ => vec![(Action::Background, "close"), (Action::TaskOutput, "output")],
    };
    if !task.is_over() && task.makes_image() {
        let word = if watch.runs { "run when done [x]" } else { "run when done [ ]" };
        actions.push((Action::RunWhenDone, word));
    }
    keys(model, KeyContext::Progress, &actions, room)
}

fn part_line(model: &Model, part: &Part, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let (word, style) = match part.phase {
        Phase::Waiting => ("waiting", theme.dim),
        Phase::Downloading => ("download", theme.accent),
        Phase::Verifying => ("verify", theme.accent),
        Phase::Extracting => ("extract", theme.info),
        Phase::Writing => ("write", theme.info),
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
    let bar = width.saturating_sub(39).clamp(4, 32);
    Line::from(vec![
        Span::styled(cell(&part.id, 12, Align::Left) + " ", theme.dim),
        Span::styled(texts::meter(share, bar), style),
        Span::styled(format!(" {word:<9}"), style),
        Span::raw(cell(&amount, if width < 45 { 0 } else { 13 }, Align::Right)),
    ])
}

fn total_line(model: &Model, work: &Work, width: usize) -> Line<'static> {
    let done = work.done().unwrap_or(0);
    let bar = width.saturating_sub(39).clamp(4, 32);
    let amount = match work.bytes() {
        (_, 0) => String::new(),
        (done, all) => format!("{}/{}", size(done), size(all)),
    };
    Line::from(vec![
        Span::styled(cell("total", 12, Align::Left) + " ", model.theme.text),
        Span::styled(texts::meter(done, bar), model.theme.ok),
        Span::raw(format!(" {:>3}%     ", done / 10)),
        Span::raw(cell(&amount, if width < 45 { 0 } else { 13 }, Align::Right)),
    ])
}

/// `3 layers already existed`
fn there(count: usize) -> String {
    format!("{} already existed", counted(count as u64, "layer"))
}

/// Returns the rate, and the remaining time at that rate.
fn pace_line(model: &Model, task: &TaskRow, work: &Work, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let rates = task.pace.rates();
    let Some(rate) = task.pace.now().filter(|_| !task.is_over()) else {
        let exist: Vec<_> = work.parts.iter().filter(|part| part.phase == Phase::Exists).collect();
        let saved: u64 = exist.iter().filter_map(|part| part.size).sum();
        let text = match (exist.len(), saved) {
            (0, _) => String::new(),
            (count, 0) => there(count),
            (count, saved) => format!("{}, {} saved", there(count), size(saved)),
        };
        return Line::styled(text, theme.dim);
    };
    let (done, all) = work.bytes();
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let secs = all.saturating_sub(done) as f64 / rate;
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and some hours")]
    let left = span(jiff::SignedDuration::from_secs(secs.min(1e6) as i64));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
    let pace = rate.max(0.0) as u64;
    let bar = width.saturating_sub(39).clamp(4, 32);
    let from = rates.len().saturating_sub(bar);
    let top = rates.iter().copied().fold(1.0, f64::max);
    let chart = spark(&rates[from..], top);
    Line::from(vec![
        Span::styled(cell("rate", 12, Align::Left) + " ", theme.text),
        Span::styled(cell(&chart, bar, Align::Left), theme.g1),
        Span::raw(format!(" {}/s", size(pace))),
        Span::styled(if done < all { format!("   eta {left}") } else { String::new() }, theme.dim),
    ])
}

/// Draws the end of a task's output in a pane.
pub(crate) fn peek(frame: &mut Frame<'_>, model: &Model, (id, left): (TaskId, usize), area: Rect) {
    let Some(task) = model.task(id) else { return };
    let told = task.output_lines();
    let skip = told.len().saturating_sub(usize::from(area.height));
    let mut lines: Vec<Line<'_>> =
        told.iter().skip(skip).map(|line| shown_line(model, line, left, area.width)).collect();
    if lines.is_empty() {
        lines.push(Line::styled(" no output yet", model.theme.dim));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns how far the output of a task can be scrolled to the right in a pane, like [`peek`].
pub(crate) fn farthest(model: &Model, id: TaskId, area: Rect) -> usize {
    let told = model.task(id).map(TaskRow::output_lines).unwrap_or_default();
    let skip = told.len().saturating_sub(usize::from(area.height));
    told.iter().skip(skip).map(|line| surplus(&visible(line), area.width.into())).max().unwrap_or(0)
}

/// Returns how far the output of a task can be scrolled to the right on its page.
pub(crate) fn farthest_output(model: &Model, reading: OutputPage) -> usize {
    let Some(window) = Window::of(model, reading).filter(|_| !reading.wraps) else { return 0 };
    let shown = window.lines_from(window.top(reading)).take(window.rows);
    shown.map(|line| surplus(&visible(line), window.columns)).max().unwrap_or(0)
}

/// Returns a line of output as text.
fn visible(line: &str) -> String {
    ansi::output(line.as_bytes(), Style::new()).iter().map(|span| span.content.as_ref()).collect()
}

/// Returns the visible part of a line, with its colours but without control bytes.
fn shown_line(model: &Model, line: &str, left: usize, width: u16) -> Line<'static> {
    let room = usize::from(width);
    let mut line = Line::from(ansi::output(line.as_bytes(), model.theme.text));
    let mut hidden = left;
    for span in &mut line.spans {
        let count = span.content.chars().count();
        span.content = span.content.chars().skip(hidden).collect::<String>().into();
        hidden = hidden.saturating_sub(count);
    }
    if line.width() <= room {
        return line;
    }
    let mut kept = room.saturating_sub(1);
    line.spans.retain_mut(|span| {
        if span.width() > kept {
            let text = cell(&span.content, kept + 1, Align::Left);
            span.content = text.trim_end_matches('…').to_owned().into();
        }
        let is_kept = kept > 0;
        kept -= span.width().min(kept);
        is_kept
    });
    line.push_span(Span::styled("…", model.theme.dim));
    line
}

/// Draws the output of a task.
pub(crate) fn output(frame: &mut Frame<'_>, model: &Model, reading: OutputPage) {
    let theme = &model.theme;
    let Some((task, window)) = model.task(reading.id).zip(Window::of(model, reading)) else { return };
    let wide = u16::try_from(window.columns + 4).unwrap_or(u16::MAX);
    let tall = u16::try_from(window.shown_rows() + 3).unwrap_or(u16::MAX).max(6);
    let note = match &task.state {
        TaskState::Live => format!("{} running", texts::spinner(model.now)),
        TaskState::Stopping => format!("{} stopping", texts::spinner(model.now)),
        TaskState::Done(_) => "✓ done".to_owned(),
        TaskState::Cancelled => "■ cancelled".to_owned(),
        TaskState::Failed(_) => "✗ failed".to_owned(),
    };
    let inner = open(frame, model, &task.title, &note, wide, tall);
    let top = window.top(reading);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut last = top.line;
    for line in window.lines_from(top) {
        if lines.len() >= window.rows + top.skip {
            break;
        }
        last += 1;
        match reading.wraps {
            true => {
                let rows = window.wrapped(line, theme.text).into_iter();
                lines.extend(rows.map(|row| {
                    row.into_iter().map(|piece| Span::styled(piece.text, piece.style)).collect::<Line<'_>>()
                }));
            }
            false => lines.push(shown_line(model, line, reading.left, inner.width)),
        }
    }
    lines.drain(..top.skip.min(lines.len()));
    if window.lines.is_empty() {
        let text = if task.is_over() { "no output" } else { "no output yet" };
        lines.push(Line::styled(text, theme.dim));
    }
    let list = Rect { height: inner.height.saturating_sub(1), ..inner };
    frame.render_widget(Paragraph::new(lines), list);
    let foot = Rect { y: inner.bottom().saturating_sub(1), height: 1.min(inner.height), ..inner };
    let mut actions = vec![(Action::Dismiss, "close"), (Action::CopyShown, "copy")];
    actions.extend([(Action::Wrap, "wrap"), (Action::RetryTask, "run again"), (Action::Cancel, "cancel")]);
    actions.retain(|(action, _)| model.is_useful(KeyContext::Output, *action));
    let place = match window.end() {
        end if end == window.start() => String::new(),
        _ => format!("{}–{last} of {}", top.line + 1, window.dropped + window.lines.len()),
    };
    let place = Line::styled(place, theme.dim);
    let room = usize::from(foot.width).saturating_sub(place.width() + 1);
    frame.render_widget(keys(model, KeyContext::Output, &actions, room), foot);
    frame.render_widget(place.right_aligned(), foot);
}

/// Returns the symbol of a task's state, and its style.
pub(crate) fn sign(model: &Model, row: &TaskRow) -> (&'static str, Style) {
    let theme = &model.theme;
    match (&row.state, &row.what) {
        (TaskState::Live, What::Session(session)) if !session.is_attached => ("□", theme.text),
        (TaskState::Live, What::Session(_)) => ("▣", theme.ok),
        (TaskState::Live, What::Work(_)) => (texts::spinner(model.now), theme.accent),
        (TaskState::Stopping, _) => (texts::spinner(model.now), theme.warn),
        (TaskState::Done(_), What::Session(_)) => ("■", theme.dim),
        (TaskState::Done(_), What::Work(_)) => ("✓", theme.ok),
        (TaskState::Cancelled, _) => ("■", theme.dim),
        (TaskState::Failed(_), _) => ("✗", theme.err),
    }
}

/// Returns the cell of a row in a column.
pub(crate) fn row(model: &Model, row: &TaskRow, column: Option<Column>, _: usize) -> Cell {
    let theme = &model.theme;
    let (glyph, style) = sign(model, row);
    match column {
        None => (glyph.to_owned(), style),
        Some(Column::Task) => (row.title.clone(), theme.text),
        Some(Column::State) => (row.state_text().into_owned(), style),
        Some(Column::Spent) => (span(row.until.unwrap_or(model.now).duration_since(row.since)), theme.dim),
        Some(_) => (String::new(), theme.text),
    }
}

/// Returns the text for an empty list.
pub(crate) fn empty(_: &Model) -> Said {
    let offers = vec![
        plain(Action::GoImages, "go to images: pull or load one"),
        plain(Action::GoContainers, "go to containers: open a shell in one"),
    ];
    ("No background tasks. Pulls, commands and terminals are listed here.", offers)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::engine::{Phase, Progress};
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, now, over_shot, press, write};
    use crate::tui::model::Model;
    use crate::tui::section::TaskId;
    use crate::tui::tasks::model::Work;
    use crate::tui::update::update;

    fn pulling(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        press(&mut model, "2 p");
        write(&mut model, "debian:13");
        press(&mut model, "enter");
        let mut work = Work::default();
        work.take(Progress::Note("Pulling from library/debian".to_owned()));
        for second in 0..5_u64 {
            for (id, phase, current) in [
                ("a1b2c3d4e5f6", Phase::Exists, 0),
                ("77de00000000", Phase::Downloading, 30 + 4 * second),
                ("c09a00000000", Phase::Downloading, 10 + second * second),
            ] {
                let (id, current) = (id.to_owned(), current << 20);
                work.take(Progress::Part { id, phase, current, total: Some(48 << 20) });
            }
            let moment = now() + SignedDuration::from_secs(i64::try_from(second).unwrap());
            update(&mut model, Event::Tick(moment));
            update(&mut model, Event::Progress(TaskId(1), work.clone()));
        }
        model
    }

    #[test]
    fn a_pull_shows_its_pace_and_what_comes_after_it() {
        over_shot("pull_pace", |width, height| {
            let mut model = pulling(width, height);
            press(&mut model, "enter");
            model
        });
    }

    #[test]
    fn what_a_program_prints_is_shown_as_it_comes() {
        over_shot("output", |width, height| {
            let mut model = full(width, height);
            press(&mut model, ":");
            write(&mut model, "events --since 1h");
            press(&mut model, "enter");
            let lines: String =
                (0..40).map(|at| format!("14:0{} container \u{1b}[31mdie\u{7} {at}\n", at % 10)).collect();
            update(&mut model, Event::Said(TaskId(1), lines.into_bytes()));
            press(&mut model, "k k");
            model
        });
    }
}
