//! Draws a list: a heading, and only the rows in its window.

pub mod empty;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns;
use crate::tui::list::columns::{Choice, Column, GAP, INDENT};
use crate::tui::list::rows::Row;
use crate::tui::list::table::{Group, Line as TableLine, Loaded, Order, Table};
use crate::tui::model::{Focus, Model};
use crate::tui::theme::Theme;
use crate::tui::view::frame::{border, has_focus, select, selected};
use crate::tui::view::{dialog, texts};
use crate::tui::words::{Align, Beyond, cell, span};

/// Draws the current list.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    (model.section.screen().draw)(frame, model, area);
}

/// A cell's text and style.
pub(crate) type Cell = (String, Style);

/// Returns the cell of a row in a column of a width; `None` asks for the symbol before the row.
pub(crate) type Show<R> = fn(&Model, &R, Option<Column>, usize) -> Cell;

/// Draws the dialog for choosing columns.
pub(crate) fn choice(frame: &mut Frame<'_>, model: &Model, choice: &Choice) {
    let theme = &model.theme;
    // The line with all keys must remain visible.
    let height =
        u16::try_from(choice.items.len() + 4).unwrap_or(u16::MAX).min(model.size.1.saturating_sub(2));
    let title = format!("Columns of {}", choice.section.title());
    let inner = dialog::open(frame, model, &title, "", 56, height);
    let rows = usize::from(inner.height.saturating_sub(2)).max(1);
    let top = (choice.cursor + 1).saturating_sub(rows);
    let line = |(at, (column, is_shown)): (usize, &(Column, bool))| {
        let is_here = at == choice.cursor;
        let sign = if *is_shown { "[x]" } else { "[ ]" };
        let line = Line::from(vec![
            Span::styled(if is_here { "▌" } else { " " }, theme.accent),
            Span::raw(format!("{sign} {:<12}", column.heading())),
            Span::styled(column.name(), theme.dim),
        ]);
        if is_here { selected(line, theme) } else { line }
    };
    let mut lines: Vec<Line<'_>> = choice.items.iter().enumerate().skip(top).take(rows).map(line).collect();
    let actions = [
        (Action::Toggle, "show"),
        (Action::ColumnSooner, "up"),
        (Action::ColumnLater, "down"),
        (Action::ColumnReset, "reset"),
        (Action::Accept, "apply"),
    ];
    lines.extend([Line::default(), dialog::keys(model, KeyContext::Columns, &actions, inner.width.into())]);
    frame.render_widget(Paragraph::new(lines), inner);
    dialog::more(frame, model, inner, Beyond::window(top, rows, choice.items.len()));
}

/// Returns a text, or a dash if it is empty.
pub(crate) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// Formats the time since a moment.
pub(crate) fn ago(model: &Model, moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "-".to_owned(), |then| format!("{} ago", span(model.now.duration_since(then))))
}

pub(crate) fn table<R: Row>(
    frame: &mut Frame<'_>,
    model: &Model,
    area: Rect,
    rows: &Table<R>,
    show: Show<R>,
) {
    let theme = &model.theme;
    let focus = has_focus(model, Focus::List);
    let mut block = border(model, focus, vec![Span::raw(model.section.title())]);
    let taken = model.section.title().len() + 8;
    let about = about(rows, usize::from(area.width).saturating_sub(taken));
    if !about.is_empty() {
        let title = vec![Span::raw(" "), Span::styled(about, theme.mark), Span::raw(" ")];
        block = block.title_top(Line::from(title).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    let height = usize::from(inner.height.saturating_sub(1));
    if let Some(count) = counted(rows, height) {
        block = block.title_bottom(Line::from(count).style(theme.dim).alignment(Alignment::Right));
    }
    // The arrows fold groups.
    if !rows.is_grouped() {
        let more = match model.hidden_columns().columns() {
            "" => String::new(),
            more => format!(" {more} "),
        };
        block = block.title_bottom(Line::from(more).style(theme.dim));
    }
    frame.render_widget(block, area);
    if rows.lines(1).next().is_none() {
        frame.render_widget(Paragraph::new(empty(model, rows, inner.width)), inner);
        return;
    }
    let columns = model.fitted_columns();
    let has_glyph = model.section.has_glyph();
    let mut lines = vec![heading(model, rows.order(), &columns)];
    let mut under = None;
    for (at, (signs, what)) in rows.lines(height).enumerate() {
        if signs.is_under {
            under = u16::try_from(at).ok();
        }
        let mut spans = vec![
            Span::styled(if signs.is_under { "▌" } else { " " }, theme.accent),
            if signs.is_marked { Span::styled("+", theme.mark) } else { Span::raw(" ") },
        ];
        match what {
            TableLine::Heading(group) => spans.push(group_heading(theme, group)),
            TableLine::Row(row) => {
                if rows.is_grouped() {
                    spans.push(Span::raw(" ".repeat(INDENT)));
                }
                if has_glyph {
                    let (glyph, style) = show(model, row, None, 1);
                    spans.push(Span::styled(glyph, style));
                }
                spans.push(Span::raw(" "));
                for (column, width) in &columns {
                    let (text, style) = show(model, row, Some(*column), *width);
                    let text = cell(&text, *width, align(*column)) + &" ".repeat(GAP);
                    spans.push(Span::styled(text, style));
                }
            }
        }
        lines.push(Line::from(spans));
    }
    frame.render_widget(Paragraph::new(lines), inner);
    // The highlight extends from border to border.
    if let Some(y) = under.filter(|_| focus) {
        let line = Rect { y: inner.y + 1 + y, height: 1, ..inner };
        select(frame, model, line.intersection(inner));
    }
}

fn align(column: Column) -> Align {
    match column.align() {
        columns::Align::Left => Align::Left,
        columns::Align::Right => Align::Right,
    }
}

/// Returns the headings of the columns, with an arrow at the one that determines the order.
fn heading(model: &Model, order: Option<Order>, columns: &[(Column, usize)]) -> Line<'static> {
    let theme = &model.theme;
    let mut spans = vec![Span::raw(" ".repeat(model.gutter()))];
    for (column, width) in columns {
        let arrow = match order.filter(|order| order.column == *column) {
            Some(order) if order.is_descending => "▼",
            Some(_) => "▲",
            None => "",
        };
        let style = if arrow.is_empty() { theme.dim } else { theme.accent };
        let text = format!("{}{arrow}", column.heading());
        spans.push(Span::styled(cell(&text, *width, align(*column)) + &" ".repeat(GAP), style));
    }
    Line::from(spans)
}

/// `▾ acme  6/8 up`
fn group_heading(theme: &Theme, group: &Group) -> Span<'static> {
    let sign = if group.is_folded { "▸" } else { "▾" };
    let name = if group.name.is_empty() { "no project" } else { &group.name };
    let text =
        format!("{sign} {}   {}/{} up", cell(name, name.width().min(40), Align::Left), group.up, group.count);
    Span::styled(text, theme.info.add_modifier(Modifier::BOLD))
}

/// Describes the filter, order and grouping for the right end of the title, as far as they fit.
fn about<R: Row>(rows: &Table<R>, room: usize) -> String {
    let arrow = |order: Order| if order.is_descending { "▼" } else { "▲" };
    let filter = Some(rows.filter.trim()).filter(|filter| !filter.is_empty());
    let running = rows.hides_idle().then(|| "running only".to_owned());
    let long: Vec<String> = [
        running.clone(),
        filter.map(|filter| format!("filter: {filter}")),
        rows.order().map(|order| format!("sorted by {} {}", order.column.name(), arrow(order))),
        rows.is_grouped().then(|| "grouped by project".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let long = long.join("  ·  ");
    if long.width() <= room && room > 60 {
        return long;
    }
    let short: Vec<String> = [
        running,
        filter.map(|filter| format!("/{filter}")),
        rows.order().map(|order| format!("o:{}{}", order.column.name(), arrow(order))),
        rows.is_grouped().then(|| "grouped".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let short = short.join("  ");
    cell(&short, short.width().min(room), Align::Left)
}

/// `12`, `↓ more · 3 of 12 · 2 marked`
fn counted<R: Row>(rows: &Table<R>, height: usize) -> Option<String> {
    let all = rows.all().len();
    let shown = rows.shown();
    let count = if shown == all { all.to_string() } else { format!("{shown} of {all}") };
    let marked = match rows.mark_count() {
        (_, 0) => String::new(),
        (seen, marked) if seen == marked => format!("{marked} marked"),
        (seen, marked) => format!("{marked} marked, {} hidden", marked - seen),
    };
    let parts = [rows.beyond(height).lines().to_owned(), count, marked];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (all > 0).then(|| format!(" {} ", parts.join(" · ")))
}

/// Returns the text of an empty list: why it is empty, and what to do next.
fn empty<R: Row>(model: &Model, rows: &Table<R>, width: u16) -> Vec<Line<'static>> {
    let theme = &model.theme;
    match &rows.state {
        Loaded::No => return vec![Line::default(), Line::from("   reading…").style(theme.dim)],
        Loaded::Failed(failure) => return texts::failure(failure, theme, width),
        Loaded::Yes => {}
    }
    if !rows.all().is_empty() {
        let text = if rows.filter.is_empty() {
            "   No running containers.".to_owned()
        } else {
            format!("   No match for `{}`.", rows.filter)
        };
        let key = match rows.filter.is_empty() {
            true => model.keys_of(model.key_context_below(), Action::ShowAll),
            false => model.cancel_key(),
        };
        return vec![
            Line::default(),
            Line::from(text),
            Line::default(),
            texts::key_line(theme, &key, "show all"),
        ];
    }
    crate::tui::list::view::empty::lines(model, width)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::engine::Status;
    use crate::tui::containers::model::{ContainerRow, Used};
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, empty, full, over_shot, press, screen, shot, write};
    use crate::tui::model::Model;
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    /// Returns containers of two projects, and some without a project.
    fn projects(width: u16, height: u16) -> Model {
        let mut model = empty(width, height);
        let of = |project: &str, name: &str, status: Status| ContainerRow {
            project: project.to_owned(),
            labels: vec![format!("com.docker.compose.project={project}")],
            ports: vec!["8080/tcp".to_owned()],
            used: Some(Used {
                cpu: 12.4,
                memory: 498e6,
                limit: Some(512e6),
                expires: Timestamp::MAX,
                ..Used::default()
            }),
            ..container(name, status)
        };
        let rows = vec![
            of("acme", "api", Status::Running),
            of("blog", "app", Status::Exited),
            of("acme", "web-10", Status::Running),
            of("acme", "web-2", Status::Exited),
            of("", "tmp-shell", Status::Running),
        ];
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        model
    }

    fn pressed(mut model: Model, keys: &str) -> Model {
        press(&mut model, keys);
        model
    }

    #[test]
    fn marks_order_and_filter_are_seen() {
        shot("sorted_and_marked", |width, height| {
            let mut model = pressed(projects(width, height), "o n space j space /");
            write(&mut model, "!project:blog");
            press(&mut model, "enter");
            model
        });
        shot("images_sorted", |width, height| pressed(full(width, height), "2 o z"));
        shot("networks_sorted", |width, height| pressed(full(width, height), "4 o n"));
    }

    #[test]
    fn an_old_filter_is_replaced_by_what_is_typed_or_edited_after_a_movement() {
        for (keys, filter) in [
            ("/ m", "m"),
            ("/ end m", "!project:blogm"),
            ("/ backspace", ""),
            ("/ enter", "!project:blog"),
            ("/ esc", ""),
        ] {
            let mut model = pressed(projects(80, 24), "/");
            write(&mut model, "!project:blog");
            press(&mut model, "enter");
            press(&mut model, keys);
            assert_eq!(model.containers.filter, filter, "{keys}");
        }
        shot("filter_again", |width, height| {
            let mut model = pressed(projects(width, height), "/");
            write(&mut model, "!project:blog");
            pressed(model, "enter /")
        });
    }

    #[test]
    fn groups_stand_under_their_project_and_fold() {
        shot("grouped", |width, height| pressed(projects(width, height), "o g"));
        shot("grouped_and_folded", |width, height| pressed(projects(width, height), "o g left"));
    }

    #[test]
    fn what_can_be_sorted_by_is_a_menu() {
        over_shot("order_menu", |width, height| {
            let mut model = pressed(projects(width, height), "o");
            let opens = crate::tui::fixture::now() + jiff::SignedDuration::from_millis(250);
            update(&mut model, Event::Tick(opens));
            model
        });
    }

    #[test]
    fn a_bad_expression_is_told_while_the_list_stays() {
        let mut model = pressed(projects(120, 40), "/");
        write(&mut model, "re:we(");
        assert_eq!(model.containers.shown(), 2);
        assert!(
            screen(&model).contains("invalid regular expression `we(`: unclosed group"),
            "{}",
            screen(&model)
        );
        press(&mut model, "enter");
        assert_eq!(model.layers.len(), 1);
    }

    #[test]
    fn columns_scroll_with_the_arrows_and_a_click_on_a_heading_sorts() {
        use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
        let scrolled = |width, height| pressed(projects(width, height), "right right");
        shot("columns_scrolled", scrolled);
        let mut model = projects(80, 24);
        let names = |model: &Model| {
            model.containers.window(9).map(|(_, row)| row.name.clone()).collect::<Vec<_>>().join(" ")
        };
        for order in ["api app tmp-shell web-2 web-10", "web-10 web-2 tmp-shell app api"] {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let click = MouseEvent { kind, column: 6, row: 3, modifiers: KeyModifiers::NONE };
            update(&mut model, Event::Mouse(click));
            assert_eq!(names(&model), order);
        }
    }

    #[test]
    fn the_border_says_where_a_list_goes_on() {
        let border =
            |model: &Model| screen(model).lines().find(|line| line.starts_with('┗')).unwrap().to_owned();
        let mut model = projects(80, 24);
        assert!(border(&model).starts_with("┗ more columns → ━"), "{}", border(&model));
        press(&mut model, "right");
        assert!(border(&model).starts_with("┗ ← more columns → ━"), "{}", border(&model));
        for _ in 0..20 {
            press(&mut model, "right");
        }
        assert!(border(&model).starts_with("┗ ← more columns ━"), "{}", border(&model));
        assert!(border(&model).ends_with("━ 5 ┛"), "{}", border(&model));
        // The arrows fold the groups.
        let mut model = pressed(projects(40, 12), "o g");
        assert!(
            border(&model).ends_with("━ ↓ more · 5 ┛") && border(&model).starts_with("┗━"),
            "{}",
            border(&model)
        );
        press(&mut model, "G");
        assert!(border(&model).ends_with("━ ↑ more · 5 ┛"), "{}", border(&model));
    }

    /// `cargo test --lib ten_thousand -- --ignored --nocapture` prints the times.
    #[test]
    #[ignore = "it measures"]
    fn ten_thousand_rows() {
        let mut model = empty(200, 60);
        let rows = (0..10_000).map(|n| ContainerRow {
            id: format!("{n:064x}").parse().unwrap(),
            project: format!("p{}", n % 50),
            ..container(&format!("web-{n}"), if n % 2 == 0 { Status::Running } else { Status::Exited })
        });
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(200, 60)).unwrap();
        let screens = crate::tui::terminal::screen::Screens::default();
        let mut told = Vec::new();
        let mut time = |what: &str, work: &mut dyn FnMut()| {
            let begun = std::time::Instant::now();
            work();
            told.push(format!("{what:<34} {:>8.2} ms", begun.elapsed().as_secs_f64() * 1000.0));
        };
        let list = Listed::Containers(rows.collect());
        let mut list = Some(Event::List(Ok(list)));
        time("take 10,000 rows in", &mut || drop(list.take().map(|list| update(&mut model, list))));
        for (what, keys) in [
            ("move down", "j"),
            ("page down", "pgdn"),
            ("to the end", "G"),
            ("sort by name", "o n"),
            ("sort by cpu", "o c"),
            ("group", "o g"),
            ("ungroup", "o g"),
            ("mark all", "*"),
            ("move with all marked", "k"),
            ("unmark", "esc"),
            ("begin a filter", "/"),
            ("a letter of it", "w"),
            ("another", "e"),
            ("a digit", "7"),
            ("keep it", "enter"),
            ("clear it", "esc"),
        ] {
            time(what, &mut || drop(press(&mut model, keys)));
        }
        let one = ContainerRow {
            id: format!("{:064x}", 77).parse().unwrap(),
            ..container("other", Status::Exited)
        };
        let mut event = Some(Event::Container(one.id.clone(), Some(Box::new(one))));
        time("one row changed", &mut || drop(event.take().map(|event| update(&mut model, event))));
        time("draw", &mut || {
            terminal.draw(|frame| crate::tui::view::draw(frame, &model, &screens)).unwrap();
        });
        time("draw again", &mut || {
            terminal.draw(|frame| crate::tui::view::draw(frame, &model, &screens)).unwrap();
        });
        println!("{}", told.join("\n"));
    }

    #[test]
    fn the_choice_of_columns() {
        over_shot("columns", |width, height| pressed(full(width, height), "O j j"));
    }

    #[test]
    fn events() {
        shot("events_long_ago", |width, height| {
            let mut model = pressed(full(width, height), "6");
            let event = |at: i64, action: &str, name: &str, code: &str| crate::engine::Event {
                kind: crate::engine::Kind::Container,
                action: action.to_owned(),
                actor: crate::engine::Actor {
                    id: container(name, Status::Running).id.to_string(),
                    attributes: [("name", name), ("image", "redis:8"), ("exitCode", code)]
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .into(),
                },
                scope: "local".to_owned(),
                time: at,
                time_nano: at * 1_000_000_000,
            };
            // Long ago, so that the time zone does not change what is shown.
            let rows = [event(1_700_000_000, "die", "web", "137"), event(1_690_000_000, "die", "api", "0")];
            let rows = rows.iter().map(crate::tui::events::model::EventRow::new).collect();
            update(&mut model, Event::List(Ok(Listed::Events(rows))));
            model
        });
    }
}
