//! The list of a section: a heading, and only the rows of its window.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::words::{Align, age, cell, size, span, spark, state};
use super::{border, has_focus, texts};
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::rows::{ContainerRow, ImageRow, NetworkRow, Row, VolumeRow};
use crate::tui::model::table::{Line as TableLine, Loaded, Table};
use crate::tui::model::task::{TaskRow, TaskState, What};
use crate::tui::model::{Focus, Model, Section};
use crate::tui::theme::Theme;

/// A column: its heading, its width, where its text stands.
struct Column(&'static str, usize, Align);

/// Draws the list that is shown.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 };
    let width = usize::from(inner.width);
    match model.section {
        Section::Containers => {
            let columns = container_columns(width);
            let cells = |row: &ContainerRow| container_cells(model, row, &columns);
            table(frame, model, area, &model.containers, &columns, cells);
        }
        Section::Images => {
            let columns = fill(
                vec![
                    Column("NAME", 0, Align::Left),
                    Column("ID", 12, Align::Left),
                    Column("CREATED", 11, Align::Left),
                    Column("SIZE", 6, Align::Right),
                    Column("PLATFORM", 9, Align::Left),
                ],
                width,
                0,
            );
            let cells = |row: &ImageRow| image_cells(model, row);
            table(frame, model, area, &model.images, &columns, cells);
        }
        Section::Volumes => {
            let columns = fill(
                vec![
                    Column("NAME", 24, Align::Left),
                    Column("DRIVER", 8, Align::Left),
                    Column("PLACE", 0, Align::Left),
                ],
                width,
                2,
            );
            let cells = |row: &VolumeRow| plain(&model.theme, [&row.name, &row.driver, &row.place]);
            table(frame, model, area, &model.volumes, &columns, cells);
        }
        Section::Networks => {
            let columns = fill(
                vec![
                    Column("NAME", 0, Align::Left),
                    Column("DRIVER", 8, Align::Left),
                    Column("SUBNET", 18, Align::Left),
                ],
                width,
                0,
            );
            let cells = |row: &NetworkRow| plain(&model.theme, [&row.name, &row.driver, &row.subnet]);
            table(frame, model, area, &model.networks, &columns, cells);
        }
        Section::Tasks => {
            let columns = fill(
                vec![
                    Column("", 1, Align::Left),
                    Column("TASK", 0, Align::Left),
                    Column("STATE", 16, Align::Left),
                    Column("FOR", 7, Align::Right),
                ],
                width,
                1,
            );
            let cells = |row: &TaskRow| task_cells(model, row);
            table(frame, model, area, &model.tasks, &columns, cells);
        }
    }
}

/// Blank columns after a column: one after a glyph, else two.
fn gap(column: &Column) -> usize {
    if column.1 == 1 { 1 } else { 2 }
}

/// Drops columns from the right until the rest fits, and gives the column `flexible` what is left.
fn fill(mut columns: Vec<Column>, width: usize, flexible: usize) -> Vec<Column> {
    // The cursor stands before.
    let taken = |columns: &[Column]| columns.iter().map(|column| column.1 + gap(column)).sum::<usize>() + 1;
    while columns.len() > flexible + 1 && taken(&columns) + 10 > width {
        columns.pop();
    }
    let rest = width.saturating_sub(taken(&columns)).max(8);
    if let Some(column) = columns.get_mut(flexible) {
        column.1 = rest;
    }
    columns
}

fn container_columns(width: usize) -> Vec<Column> {
    let name = if width >= 100 { 20 } else { 13 };
    if width < 46 {
        let columns = vec![
            Column("", 1, Align::Left),
            Column("NAME", 0, Align::Left),
            Column("STATE", 13, Align::Left),
        ];
        return fill(columns, width, 1);
    }
    let mut columns = vec![
        Column("", 1, Align::Left),
        Column("NAME", name, Align::Left),
        Column("STATE", 13, Align::Left),
        Column("IMAGE", 0, Align::Left),
    ];
    if width >= 74 {
        let chart = if width >= 100 { 12 } else { 5 };
        columns.extend([
            Column("CPU", chart, Align::Left),
            Column("CPU%", 6, Align::Right),
            Column("MEM", 5, Align::Right),
        ]);
    }
    if width >= 130 {
        columns.extend([
            Column("NET ↓", 6, Align::Right),
            Column("NET ↑", 6, Align::Right),
            Column("PIDS", 5, Align::Right),
        ]);
    }
    if width >= 58 {
        columns.push(Column("UP", 10, Align::Left));
    }
    fill(columns, width, 3)
}

fn container_cells(model: &Model, row: &ContainerRow, columns: &[Column]) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let (glyph, word, style) = state(row, theme);
    let text = if row.is_up() { theme.text } else { theme.dim };
    let series = model.series.get(&row.id).filter(|_| row.status.is_up());
    let now = series.and_then(|series| series.now());
    let cpu = now.map_or(0.0, |now| now.cpu);
    let load = if cpu >= 90.0 { theme.warn } else { text };
    columns
        .iter()
        .map(|Column(title, width, _)| match *title {
            "" => (glyph.to_owned(), style),
            "NAME" => (row.name.clone(), text.add_modifier(Modifier::BOLD)),
            "STATE" => (word.clone(), style),
            "IMAGE" => (row.image.clone(), text),
            "CPU" => (
                series.map_or_else(String::new, |series| {
                    spark(&series.latest(*width, |point| point.cpu), 100.0)
                }),
                theme.g1,
            ),
            "CPU%" => (now.map_or_else(|| "-".to_owned(), |now| format!("{:.1}%", now.cpu)), load),
            "MEM" => (now.map_or_else(|| "-".to_owned(), |now| super::words::bytes(now.memory)), text),
            "NET ↓" => (now.map_or_else(|| "-".to_owned(), |now| super::words::bytes(now.net.0)), text),
            "NET ↑" => (now.map_or_else(|| "-".to_owned(), |now| super::words::bytes(now.net.1)), text),
            "PIDS" => (now.map_or_else(|| "-".to_owned(), |now| format!("{:.0}", now.pids)), text),
            _ => (age(row, model.now), theme.dim),
        })
        .collect()
}

fn image_cells(model: &Model, row: &ImageRow) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let name = if row.name.is_empty() {
        ("<none>".to_owned(), theme.dim)
    } else {
        (row.name.clone(), theme.text.add_modifier(Modifier::BOLD))
    };
    let created = row
        .created
        .map_or_else(|| "-".to_owned(), |then| format!("{} ago", span(model.now.duration_since(then))));
    vec![
        name,
        (row.short().to_owned(), theme.dim),
        (created, theme.text),
        (size(row.size), theme.text),
        (row.platform.clone(), theme.dim),
    ]
}

fn task_cells(model: &Model, row: &TaskRow) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let (glyph, word, style) = match (&row.state, &row.what) {
        (TaskState::Live, What::Session(_)) => ("▣", "open".to_owned(), theme.ok),
        (TaskState::Live, What::Work(work)) => {
            let word = work.done().map_or_else(|| "working".to_owned(), |done| format!("{}%", done / 10));
            (texts::spinner(model.now), word, theme.accent)
        }
        (TaskState::Stopping, _) => (texts::spinner(model.now), "cancelling…".to_owned(), theme.warn),
        (TaskState::Done(text), What::Session(_)) => ("■", text.clone(), theme.dim),
        (TaskState::Done(_), What::Work(_)) => ("✓", "done".to_owned(), theme.ok),
        (TaskState::Failed(_), _) => ("✗", "failed".to_owned(), theme.err),
    };
    let age = span(row.until.unwrap_or(model.now).duration_since(row.since));
    vec![(glyph.to_owned(), style), (row.title.clone(), theme.text), (word, style), (age, theme.dim)]
}

fn plain<const N: usize>(theme: &Theme, cells: [&String; N]) -> Vec<(String, Style)> {
    cells
        .into_iter()
        .enumerate()
        .map(|(at, text)| (text.clone(), if at == 0 { theme.text } else { theme.dim }))
        .collect()
}

fn table<R: Row>(
    frame: &mut Frame<'_>,
    model: &Model,
    area: Rect,
    rows: &Table<R>,
    columns: &[Column],
    cells: impl Fn(&R) -> Vec<(String, Style)>,
) {
    let theme = &model.theme;
    let focus = has_focus(model, Focus::List);
    let mut block = border(model, focus, vec![Span::raw(model.section.title())]);
    if !rows.filter.is_empty() {
        block = block.title_top(
            Line::from(format!(" /{} ", rows.filter)).style(theme.mark).alignment(Alignment::Right),
        );
    }
    let all = rows.all().len();
    if all > 0 {
        let count =
            if rows.shown() == all { format!(" {all} ") } else { format!(" {} of {all} ", rows.shown()) };
        let count = match rows.mark_count() {
            (_, 0) => count,
            (shown, all) if shown == all => format!("{count}· {all} marked "),
            (shown, all) => format!("{count}· {shown} of {all} marked shown "),
        };
        block = block.title_bottom(Line::from(count).style(theme.dim).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if rows.shown() == 0 {
        frame.render_widget(Paragraph::new(empty(model, rows)).wrap(Wrap { trim: false }), inner);
        return;
    }
    let heading: Vec<Span<'_>> = columns
        .iter()
        .map(|column| Span::raw(cell(column.0, column.1, column.2) + &" ".repeat(gap(column))))
        .collect();
    let mut lines = vec![Line::from_iter([vec![Span::raw("  ")], heading].concat()).style(theme.dim)];
    for (signs, row) in rows.lines(usize::from(inner.height.saturating_sub(1))) {
        let is_under = signs.is_under;
        let bar = if is_under { "▌" } else { " " };
        let mark = if signs.is_marked { "+" } else { " " };
        let mut spans = vec![Span::styled(bar, theme.accent), Span::styled(mark, theme.mark)];
        let TableLine::Row(row) = row else { continue };
        for ((text, style), column) in cells(row).into_iter().zip(columns) {
            spans.push(Span::styled(cell(&text, column.1, column.2) + &" ".repeat(gap(column)), style));
        }
        let line = Line::from(spans);
        lines.push(if is_under {
            line.style(if focus { theme.sel } else { Style::default() })
        } else {
            line
        });
    }
    frame.render_widget(Paragraph::new(lines), inner);
    // The selection reaches from border to border.
    if focus {
        let under =
            rows.window(usize::from(inner.height.saturating_sub(1))).position(|(is_under, _)| is_under);
        if let Some(y) = under.and_then(|at| u16::try_from(at).ok()) {
            let line = Rect { y: inner.y + 1 + y, height: 1, ..inner };
            frame.buffer_mut().set_style(line.intersection(inner), theme.sel);
        }
    }
}

/// What an empty list says: why it is empty, and what can be done next.
fn empty<R: Row>(model: &Model, rows: &Table<R>) -> Vec<Line<'static>> {
    let theme = &model.theme;
    match &rows.state {
        Loaded::No => return vec![Line::default(), Line::from("   reading…").style(theme.dim)],
        Loaded::Failed(failure) => return texts::failure(failure, theme),
        Loaded::Yes => {}
    }
    if !rows.all().is_empty() {
        let text = if rows.filter.is_empty() {
            "   None of them is up.".to_owned()
        } else {
            format!("   Nothing fits `{}`.", rows.filter)
        };
        let keys = if rows.filter.is_empty() { Action::ShowAll } else { Action::Back };
        let key = model.keys_of(model.place_below(), keys);
        return vec![
            Line::default(),
            Line::from(text),
            Line::default(),
            texts::key_line(theme, &key, "show all of them"),
        ];
    }
    let (what, offers): (&str, &[(Action, &str)]) = match model.section {
        Section::Containers if model.images.all().is_empty() => (
            "No containers yet, and no image to make one of.",
            &[
                (Action::FromHost, "make an image of this machine's shell and core tools"),
                (Action::Run, "run an image, fetched from a registry"),
                (Action::GoImages, "images: pull, load or import one"),
            ],
        ),
        Section::Containers => (
            "No containers yet.",
            &[
                (Action::Run, "run one from an image"),
                (Action::GoImages, "see the images"),
                (Action::FromHost, "make one more image of this machine's tools"),
            ],
        ),
        Section::Images => (
            "No images yet.",
            &[
                (Action::FromHost, "make one of this machine's shell and core tools"),
                (Action::Pull, "pull one from a registry"),
                (Action::Load, "load an archive that `save` wrote"),
                (Action::Import, "import a root file system's tar"),
            ],
        ),
        Section::Volumes => ("No volumes yet.", &[]),
        Section::Networks => ("No networks yet.", &[]),
        Section::Tasks => ("Nothing runs in the background.", &[]),
    };
    let place = model.place_below();
    let mut lines = vec![Line::default(), Line::from(format!("   {what}")), Line::default()];
    for (action, text) in offers {
        let key =
            model.keymap.keys_of(place, *action).or_else(|| model.keymap.keys_of(Place::Lists, *action));
        lines.push(texts::key_line(theme, &key.unwrap_or_default(), text));
    }
    lines.push(Line::default());
    lines.push(texts::key_line(theme, &model.keys_of(Place::Global, Action::Help), "all keys"));
    lines
}
