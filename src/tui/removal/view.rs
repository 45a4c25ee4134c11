//! Draws the removal dialog: the objects by name, what happens to them, where they go, and how to
//! change that.

use ratatui::Frame;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr as _;

use crate::engine::{Fate, Force};
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::words::state;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::removal::model::{Extent, Question, Victim};
use crate::tui::trash::model::Keeping;
use crate::tui::verb_words::REMOVE;
use crate::tui::view::dialog::{keys, open};
use crate::tui::words::{Align, cell, size, wrap};

/// Draws the dialog.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, question: &Question) {
    let theme = &model.theme;
    let (width, height) = (66.min(model.size.0), model.size.1);
    let room = usize::from(width).saturating_sub(4);
    let is_low = Question::is_low(height);
    let most = Question::rows(height);
    let count = question.victims.len();
    let top = question.top.min(count.saturating_sub(most));
    let mut lines = Vec::new();
    let gap = if is_low { Vec::new() } else { vec![Line::default()] };
    lines.extend(gap.clone());
    let shown = question.victims.iter().skip(top).take(most);
    lines.extend(shown.map(|victim| line(model, question, victim, room)));
    if count > most {
        let keys = model.keys_of(KeyContext::Removal, Action::Down)
            + " "
            + &model.keys_of(KeyContext::Removal, Action::Up);
        let text = format!("{}–{} of {count} · {keys} scroll", top + 1, top + most);
        lines.push(Line::styled(text, theme.dim));
    }
    lines.extend(gap.clone());
    let mut below = gap.clone();
    if model.keeping.time.is_some() && !question.is_final() {
        let mark = if question.fate == Fate::Gone { "[x]" } else { "[ ]" };
        below.push(Line::from(vec![
            Span::raw(format!("{mark} ")),
            Span::styled(model.keys_of(KeyContext::Removal, Action::SkipTrash), theme.accent),
            Span::raw(" skip trash (cannot be undone)"),
        ]));
        below.extend(gap);
    }
    let no = format!("{} (also ↵, Esc)", question.no());
    let answers = [(Action::Accept, REMOVE.present), (Action::Dismiss, no.as_str())];
    below.push(keys(model, KeyContext::Removal, &answers, room));
    // The answers are never cut off.
    let rest = usize::from(height).saturating_sub(lines.len() + below.len() + 2);
    lines.extend(notes(model, question, room).into_iter().take(rest));
    lines.extend(below);
    let tall = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, model, &question.title(), "", width, tall);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Returns the line of an object: glyph, name, state, and what happens to it.
fn line(model: &Model, question: &Question, victim: &Victim, room: usize) -> Line<'static> {
    let theme = &model.theme;
    let bold = theme.text.add_modifier(Modifier::BOLD);
    let name = (room / 3).clamp(8, 22);
    match victim {
        Victim::Container(asked) => {
            // Its current row, if it still exists.
            let row = model.containers.get(asked.id.as_str()).unwrap_or(asked);
            let (glyph, word, style) = state(row, theme);
            let end = ending(row, question.force);
            let mut spans = vec![
                Span::styled(format!("{glyph} "), style),
                Span::styled(cell(&row.name, name, Align::Left) + " ", bold),
            ];
            // If there is no room for both, the glyph alone shows the state.
            let rest = room.saturating_sub(name + 3);
            let rest = if rest < 34 && !end.is_empty() {
                rest
            } else {
                spans.push(Span::styled(cell(&word, 14.min(rest), Align::Left) + " ", style));
                rest.saturating_sub(15)
            };
            spans.push(Span::styled(cell(&end, rest, Align::Left).trim_end().to_owned(), theme.warn));
            Line::from(spans)
        }
        Victim::Image(row, extent) => {
            let columns = Columns::of(question, room);
            let name = columns.name;
            let words = cell(&extent.words(), columns.words, Align::Left);
            let rest = format!("{:12} {words} {:>2$}", row.short(), amount(extent), columns.size);
            Line::from(vec![
                Span::styled("◆ ", theme.dim),
                Span::styled(cell(victim.name(), name, Align::Left) + " ", bold),
                Span::styled(
                    cell(rest.trim_end(), room.saturating_sub(name + 3), Align::Left).trim_end().to_owned(),
                    theme.dim,
                ),
            ])
        }
    }
}

/// The widths of the columns of images.
struct Columns {
    name: usize,
    words: usize,
    size: usize,
}

impl Columns {
    /// Returns the widths for all images of a question, so that nothing moves while it is scrolled.
    fn of(question: &Question, room: usize) -> Self {
        let mut columns = Self { name: 0, words: 0, size: 0 };
        for victim in &question.victims {
            let Victim::Image(_, extent) = victim else { continue };
            columns.name = columns.name.max(victim.name().width());
            columns.words = columns.words.max(extent.words().width());
            columns.size = columns.size.max(amount(extent).width());
        }
        // The sign, the id, and the blanks between the columns.
        let room = room.saturating_sub(2 + 12 + 2 + if columns.size > 0 { columns.size + 1 } else { 0 });
        columns.name = columns.name.min(room.saturating_sub(columns.words).max(8));
        columns.words = columns.words.min(room.saturating_sub(columns.name));
        columns
    }
}

/// Returns the size of what is removed of an image, if anything is.
fn amount(extent: &Extent) -> String {
    if extent.going > 0 { size(extent.size) } else { String::new() }
}

/// Returns what happens to a running container.
fn ending(row: &ContainerRow, force: Force) -> String {
    if row.damaged.is_some() {
        return "killed if running".to_owned();
    }
    let how = match (row.is_up(), force) {
        (false, _) => return String::new(),
        (true, Force::Yes) => "will be killed".to_owned(),
        (true, Force::No) if row.stop_timeout < 0 => "will be stopped".to_owned(),
        (true, Force::No) => format!("will be stopped ({}s)", row.stop_timeout),
    };
    if !row.auto_remove {
        return how;
    }
    // The seconds would leave no room for `--rm`.
    how.split(" (").next().unwrap_or_default().to_owned() + ", --rm"
}

/// Returns where the objects go, and how long they can be restored.
fn notes(model: &Model, question: &Question, room: usize) -> Vec<Line<'static>> {
    let mut lines = fate(model, question, room);
    lines.extend(question.notes.iter().flat_map(|note| wrapped(note, room, model.theme.warn)));
    lines
}

fn fate(model: &Model, question: &Question, room: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let is_one = question.victims.len() == 1;
    let them = if is_one { "it" } else { "them" };
    let Some(time) = model.keeping.time.filter(|_| question.fate == Fate::Trash) else {
        let why = if model.keeping.time.is_some() { "" } else { " (`[trash] keep` is 0)" };
        return wrapped(&format!("Deleted permanently{why}. This cannot be undone."), room, theme.err);
    };
    let asks = if question.victims.iter().any(Victim::is_damaged) { "" } else { " because of --rm" };
    if question.is_final() {
        return wrapped(&format!("Deleted permanently{asks}. This cannot be undone."), room, theme.err);
    }
    let key = model.keys_of(KeyContext::Containers, Action::Undo);
    let what = match (question.victims.first(), is_one) {
        (Some(Victim::Container(_)), true) => " with its name and log",
        (Some(Victim::Container(_)), false) => " with their names and logs",
        _ => "",
    };
    let text = format!("Moved to the trash for {}; {key} restores {them}{what}.", Keeping::words(time));
    let mut lines = wrapped(&text, room, theme.text);
    let finals = question.victims.iter().filter(|victim| victim.is_final()).count();
    if finals > 0 {
        let are = if finals == 1 { "is" } else { "are" };
        lines.extend(wrapped(&format!("{finals} of them {are} deleted permanently{asks}."), room, theme.err));
    }
    if model.keeping.is_short {
        let text = "The disk is nearly full: the oldest objects in the trash are deleted sooner.";
        lines.extend(wrapped(text, room, theme.warn));
    }
    lines
}

/// Wraps a text to at most `room` columns.
fn wrapped(text: &str, room: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, room, 0).into_iter().map(|line| Line::styled(line, style)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::tui::event::Event;
    use crate::tui::fixture::{full, now, over_shot, press, pressed, shot};
    use crate::tui::reading::Listed;
    use crate::tui::trash::model::{Keeping, TrashRow};
    use crate::tui::update::update;

    fn row(kind: &'static str, name: &str, hours: i64, size: Option<u64>) -> TrashRow {
        TrashRow {
            id: format!("{kind}-{name}"),
            kind,
            name: name.to_owned(),
            names: if kind == "image" {
                vec![name.to_owned(), "b".to_owned()]
            } else {
                vec![name.to_owned()]
            },
            object: "c0ffee".repeat(10),
            removed: now() - SignedDuration::from_hours(24 - hours),
            until: now() + SignedDuration::from_hours(hours),
            size,
        }
    }

    #[test]
    fn removals() {
        over_shot("removal", |width, height| pressed(width, height, "* d d"));
        over_shot("removal_image", |width, height| pressed(width, height, "2 d d"));
        over_shot("removal_for_good", |width, height| pressed(width, height, "d D f"));
        over_shot("removal_no_trash", |width, height| {
            let mut model = full(width, height);
            model.keeping.time = None;
            press(&mut model, "d d");
            model
        });
        over_shot("removal_full_disk_rm", |width, height| {
            let mut model = full(width, height);
            model.keeping.is_short = true;
            let id = model.container().unwrap().id.clone();
            model.containers.get_mut(id.as_str()).unwrap().auto_remove = true;
            press(&mut model, "* d d");
            model
        });
    }

    #[test]
    fn the_trash() {
        let filled = |width, height| {
            let mut model = full(width, height);
            let rows = vec![
                row("container", "old-api", 23, Some(12 << 20)),
                row("image", "acme/app:1", 5, Some(312 << 20)),
                row("container", "seed", 0, None),
            ];
            let keeping = Keeping { time: Some(std::time::Duration::from_secs(86_400)), is_short: false };
            update(&mut model, Event::List(Ok(Listed::Trash((rows, keeping)))));
            press(&mut model, "g x");
            model
        };
        shot("trash", filled);
        shot("trash_empty", |width, height| pressed(width, height, "g x"));
        for (name, keys) in [("trash_purge", "d d"), ("trash_empty_it", "d p"), ("trash_restore_as", "r")] {
            over_shot(name, |width, height| {
                let mut model = filled(width, height);
                press(&mut model, keys);
                model
            });
        }
    }
}
