//! The navigator: projects, containers, other lists, tasks and alerts.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::alerts;
use crate::tui::containers::words::state;
use crate::tui::keymap::KeyContext;
use crate::tui::model::{Focus, Model};
use crate::tui::navigator::model::{Branch, Spot};
use crate::tui::tasks::model::What;
use crate::tui::tasks::view::sign;
use crate::tui::view::frame::{border, has_focus, select};
use crate::tui::view::texts;
use crate::tui::words::{Align, cell};

/// The contents of a line: indentation, symbol, text, and the text at the right.
#[derive(Default)]
struct Entry {
    indent: usize,
    sign: (&'static str, Style),
    name: (String, Style),
    right: (String, Style),
}

/// Draws the navigator.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let focus = has_focus(model, Focus::Navigator);
    let mut block = border(model, focus, vec![Span::raw("Navigator")]);
    if has_focus(model, Focus::List) {
        let key = model.keys_of(KeyContext::Global, Action::PreviousPane);
        block = block.title_top(Line::styled(format!(" {key} "), theme.dim).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let mut lines = Vec::new();
    let mut under = None;
    for (at, (is_under, spot)) in model.navigator.window().enumerate() {
        if is_under {
            under = u16::try_from(at).ok();
        }
        let bar = Span::styled(if is_under { "▌" } else { " " }, theme.accent);
        lines.push(line(bar, entry(model, &spot), width));
    }
    frame.render_widget(Paragraph::new(lines), inner);
    if let Some(y) = under.filter(|_| focus) {
        let line = Rect { y: inner.y + y, height: 1, ..inner };
        select(frame, model, line.intersection(inner));
    }
}

fn line(bar: Span<'static>, entry: Entry, width: usize) -> Line<'static> {
    let Entry { indent, sign, name, right } = entry;
    // The bar, the symbol with its blank, and a blank at the border.
    let room = width.saturating_sub(indent + 4);
    // A long name always keeps a few letters.
    let right_width = right.0.width().min(room.saturating_sub(name.0.width().min(8) + 1));
    let gap = usize::from(right_width > 0);
    let name_width = room.saturating_sub(right_width + gap);
    Line::from(vec![
        bar,
        Span::raw(" ".repeat(indent)),
        Span::styled(sign.0, sign.1),
        Span::raw(" ".repeat(2_usize.saturating_sub(sign.0.width()))),
        Span::styled(cell(&name.0, name_width, Align::Left), name.1),
        Span::raw(" ".repeat(gap)),
        Span::styled(cell(&right.0, right_width, Align::Right), right.1),
    ])
}

fn entry(model: &Model, spot: &Spot) -> Entry {
    let theme = &model.theme;
    let fold = match model.navigator.is_folded(spot) {
        Some(true) => "▸",
        Some(false) => "▾",
        None => "",
    };
    match spot {
        Spot::Gap => Entry::default(),
        Spot::Branch(branch) => Entry {
            sign: (fold, theme.dim),
            name: (branch.title().to_owned(), theme.text.add_modifier(Modifier::BOLD)),
            right: (count(model, *branch).to_string(), theme.dim),
            ..Entry::default()
        },
        Spot::Project(name) => {
            let (all, up) = model.navigator.project(name);
            Entry {
                indent: 2,
                sign: (fold, theme.dim),
                name: (name.clone(), theme.text),
                right: (format!("{up}/{all} up"), theme.dim),
            }
        }
        Spot::Container(id) => {
            let Some(row) = model.containers.get(id.as_str()) else { return Entry::default() };
            let (glyph, word, style) = state(row, theme);
            let word_style =
                if model.flashes.has(id) { style.add_modifier(Modifier::REVERSED) } else { style };
            let text = if row.is_up() { theme.text } else { theme.dim };
            let indent = if row.project.is_empty() { 2 } else { 4 };
            Entry { indent, sign: (glyph, style), name: (row.name.clone(), text), right: (word, word_style) }
        }
        Spot::Section(section) => Entry {
            sign: ("", theme.dim),
            name: (section.title().to_owned(), theme.text.add_modifier(Modifier::BOLD)),
            right: ((section.screen().amount)(model), theme.dim),
            ..Entry::default()
        },
        Spot::Task(id) => task(model, model.task(*id)),
        Spot::Alert(cause) => {
            let Some(alert) = model.alerts.all().find(|alert| alert.cause == *cause) else {
                return Entry::default();
            };
            let (name, what) = alerts::view::short(model, &alert);
            let style = alerts::view::style(model, alert.ill);
            let text = (format!("{name} {what}"), style);
            Entry { indent: 2, sign: ("!", style), name: text, ..Entry::default() }
        }
        Spot::More(_, more) => {
            Entry { indent: 4, name: (format!("{more} more"), theme.dim), ..Entry::default() }
        }
    }
}

fn task(model: &Model, task: Option<&crate::tui::tasks::model::TaskRow>) -> Entry {
    let theme = &model.theme;
    let Some(task) = task else { return Entry::default() };
    let (sign, style) = sign(model, task);
    let done = match &task.what {
        What::Work(work) if !task.is_over() => work.done(),
        _ => None,
    };
    let right = done.map_or_else(String::new, |done| format!("{} {}%", texts::meter(done, 5), done / 10));
    let text = if task.is_over() { theme.dim } else { theme.text };
    Entry { indent: 2, sign: (sign, style), name: (task.title.clone(), text), right: (right, theme.accent) }
}

fn count(model: &Model, branch: Branch) -> usize {
    match branch {
        Branch::Projects => model.navigator.projects(),
        Branch::Standalone => model.navigator.project("").0,
        Branch::Tasks => model.tasks.all().len(),
        Branch::Alerts => model.alerts.count(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use crate::engine::{Machine, Phase, Progress, Space, Status};
    use crate::tui::containers::model::{ContainerRow, Used};
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, ill, now, press, sized_shot, write};
    use crate::tui::model::Model;
    use crate::tui::reading::Listed;
    use crate::tui::section::TaskId;
    use crate::tui::tasks::model::Work;
    use crate::tui::trash::model::{Keeping, TrashRow};
    use crate::tui::update::update;

    /// Returns a model with projects, a pull, an object in the trash, and four alerts.
    fn busy(width: u16, height: u16) -> Model {
        let mut model = ill(width, height);
        let mut rows = model.containers.all().to_vec();
        for row in &mut rows {
            if ["api", "web", "mailer", "seed"].contains(&row.name.as_str()) {
                "acme".clone_into(&mut row.project);
            }
        }
        rows.push(ContainerRow { project: "blog".to_owned(), ..container("ghost", Status::Exited) });
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "2 p");
        write(&mut model, "registry.example/team/debian:13");
        press(&mut model, "enter esc");
        let mut work = Work::default();
        let (id, total) = ("77de00000000".to_owned(), Some(48 << 20));
        work.take(Progress::Part { id, phase: Phase::Extracting, current: 12 << 20, total });
        update(&mut model, Event::Progress(TaskId(1), work));
        press(&mut model, "esc 1");
        let trash = TrashRow {
            id: "a".to_owned(),
            kind: "container",
            name: "old-api".to_owned(),
            names: vec!["old-api".to_owned()],
            object: "3f".repeat(32),
            removed: now(),
            until: now() + SignedDuration::from_hours(24),
            size: Some(210 << 20),
        };
        let keeping = Keeping { time: None, is_short: false };
        update(&mut model, Event::List(Ok(Listed::Trash((vec![trash], keeping)))));
        let id = container("api", Status::Running).id;
        let row = model.containers.get_mut(id.as_str()).unwrap();
        let expires = Timestamp::MAX;
        row.used = Some(Used { memory: 497e6, limit: Some(512e6), expires, ..Used::default() });
        let row = row.clone();
        model.alerts.measure(&row, now());
        let space = Some(Space { free: 4 << 30, total: 120 << 30 });
        update(&mut model, Event::Machine(Machine { memory: 16 << 30, cpus: 8, space }));
        model
    }

    #[test]
    fn the_navigator_beside_everything() {
        sized_shot("navigator", (160, 30), busy);
        sized_shot("navigator_focus", (160, 30), |width, height| {
            let mut model = busy(width, height);
            press(&mut model, "shift-tab h h");
            model
        });
    }
}
