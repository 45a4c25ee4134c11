//! The page of a task's output: which rows of which lines are visible.
//!
//! Long lines are wrapped, so the page scrolls by rows. Its place is kept as a line and the rows of
//! that line above the window, so that it stays when the window or the wrapping changes. Lines are
//! counted from the first one of the task, so that it also stays when old lines are dropped.

use ratatui::style::Style;

use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::pieces::{self, Piece, cut};
use crate::tui::tasks::model::{OutputPage, RowPlace};

/// The lines of a page, and the room for them.
#[derive(Debug)]
pub struct Window<'a> {
    /// The lines that are kept.
    pub lines: Vec<&'a str>,
    /// The number of lines before these.
    pub dropped: usize,
    /// The width of a row.
    pub columns: usize,
    /// The maximum number of visible rows.
    pub rows: usize,
    wraps: bool,
}

impl<'a> Window<'a> {
    /// Returns the window of a page; `None` if the task is gone.
    #[must_use]
    pub fn of(model: &'a Model, page: OutputPage) -> Option<Self> {
        let task = model.task(page.id)?;
        let (width, height) = model.size;
        Some(Self {
            lines: task.output_lines(),
            dropped: task.dropped_lines(),
            columns: usize::from(width.saturating_sub(4).max(36)).saturating_sub(4),
            rows: usize::from(height.saturating_sub(5)).max(1),
            wraps: page.wraps,
        })
    }

    /// Returns the rows of a wrapped line.
    #[must_use]
    pub fn wrapped(&self, line: &str, base: Style) -> Vec<Vec<Piece>> {
        cut(pieces::of_output(line.as_bytes(), base), 0, self.columns, usize::MAX)
    }

    fn height(&self, at: usize) -> usize {
        if self.wraps { self.wrapped(self.lines[at], Style::new()).len() } else { 1 }
    }

    /// Returns the number of rows that the page has to show, at most as many as there is room for.
    #[must_use]
    pub fn shown_rows(&self) -> usize {
        let mut rows = 0;
        for at in 0..self.lines.len() {
            rows += self.height(at);
            if rows >= self.rows {
                return self.rows;
            }
        }
        rows
    }

    /// Returns the first row of the lines that are kept.
    #[must_use]
    pub fn start(&self) -> RowPlace {
        RowPlace::line(self.dropped)
    }

    /// Returns the top row when the last row is at the bottom, or all fit.
    #[must_use]
    pub fn end(&self) -> RowPlace {
        let mut room = self.rows;
        for at in (0..self.lines.len()).rev() {
            let height = self.height(at);
            if height >= room {
                return RowPlace { line: self.dropped + at, skip: height - room };
            }
            room -= height;
        }
        self.start()
    }

    /// Returns the top row of a page.
    #[must_use]
    pub fn top(&self, page: OutputPage) -> RowPlace {
        let end = self.end();
        let Some(top) = page.top.filter(|top| *top < end) else { return end };
        match top.line.checked_sub(self.dropped) {
            Some(at) => RowPlace { skip: top.skip.min(self.height(at) - 1), ..top },
            None => self.start(),
        }
    }

    /// Returns the lines from the one of this row on.
    pub fn lines_from(&self, place: RowPlace) -> impl Iterator<Item = &'a str> {
        self.lines.iter().skip(place.line.saturating_sub(self.dropped)).copied()
    }

    /// Returns the row that is `by` rows further down.
    fn moved(&self, from: RowPlace, by: isize) -> RowPlace {
        let (mut at, mut skip, mut by) = (from.line.saturating_sub(self.dropped), from.skip, by);
        while by < 0 && (at, skip) != (0, 0) {
            if skip == 0 {
                at -= 1;
                skip = self.height(at);
            }
            skip -= 1;
            by += 1;
        }
        while by > 0 && at < self.lines.len() {
            skip += 1;
            if skip == self.height(at) {
                (at, skip) = (at + 1, 0);
            }
            by -= 1;
        }
        RowPlace { line: self.dropped + at, skip }
    }

    /// Returns the page after a scroll; `None` if the action does not scroll.
    #[must_use]
    pub fn scrolled(&self, page: OutputPage, action: Action) -> Option<OutputPage> {
        let step = isize::try_from(self.rows.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        let top = self.top(page);
        let top = match action {
            Action::Down => self.moved(top, 1),
            Action::Up => self.moved(top, -1),
            Action::HalfDown => self.moved(top, (step / 2).max(1)),
            Action::HalfUp => self.moved(top, -(step / 2).max(1)),
            Action::PageDown => self.moved(top, step),
            Action::PageUp => self.moved(top, -step),
            Action::First => self.start(),
            Action::Last => self.end(),
            _ => return None,
        };
        // At the end, it follows new output.
        Some(OutputPage { top: (top < self.end()).then_some(top), ..page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Progress;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, press, screen, write};
    use crate::tui::model::layer::Layer;
    use crate::tui::section::TaskId;
    use crate::tui::tasks::model::Work;
    use crate::tui::update::update;

    /// Opens the output of a command that printed `lines`.
    fn printed(size: (u16, u16), lines: &[String]) -> Model {
        let mut model = full(size.0, size.1);
        press(&mut model, ":");
        write(&mut model, "events --since 1h");
        press(&mut model, "enter");
        say(&mut model, lines);
        model
    }

    fn say(model: &mut Model, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        update(model, Event::Said(TaskId(1), text.into_bytes()));
    }

    fn page(model: &Model) -> OutputPage {
        match model.layers.last() {
            Some(Layer::Output(page)) => **page,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the rows inside the page, without its key line.
    fn rows(model: &Model) -> Vec<String> {
        let shown = screen(model);
        let inner = shown.lines().filter_map(|line| line.split('┃').nth(1));
        let mut rows: Vec<String> = inner.map(|row| row.trim().to_owned()).collect();
        rows.pop();
        rows
    }

    fn long(from: usize, to: usize) -> Vec<String> {
        (from..to).map(|at| format!("<{at}{}{at}>", "x".repeat(90))).collect()
    }

    #[test]
    fn every_character_of_long_lines_is_shown_and_each_key_scrolls_by_shown_rows() {
        for size in [(40, 12), (80, 24), (200, 60)] {
            let lines = long(10, 60);
            let mut model = printed(size, &lines);
            let at_end = rows(&model);
            assert!(at_end.concat().ends_with(lines.last().unwrap()), "{size:?}: {at_end:?}");
            // Each press shows one more row above, and none twice.
            let mut all = at_end.clone();
            for _ in 0..160 {
                press(&mut model, "k");
                let now = rows(&model);
                if now[1..] == all[..now.len() - 1] {
                    all.insert(0, now[0].clone());
                }
            }
            assert_eq!(all.concat(), lines.concat(), "{size:?}");
            press(&mut model, "G");
            assert_eq!((page(&model).top, rows(&model)), (None, at_end));
            press(&mut model, "g");
            assert_eq!(page(&model).top, (size.0 < 200).then_some(RowPlace::line(0)), "{size:?}");
            assert_eq!(rows(&model)[..], all[..rows(&model).len()]);
            press(&mut model, "ctrl-f ctrl-b");
            assert_eq!(rows(&model)[..], all[..rows(&model).len()]);
        }
    }

    #[test]
    fn the_place_stays_when_the_window_changes_and_old_lines_are_dropped() {
        let mut model = printed((80, 24), &long(10, 60));
        press(&mut model, "g j j j j j");
        assert_eq!(page(&model).top, Some(RowPlace { line: 2, skip: 1 }));
        update(&mut model, Event::Resize(40, 12));
        assert!(rows(&model).concat().contains("12>") && !rows(&model).concat().contains("<12"));
        update(&mut model, Event::Resize(80, 24));
        let before = rows(&model);
        say(&mut model, &long(60, 99));
        assert_eq!(rows(&model), before);
        press(&mut model, "G k k k");
        let before = rows(&model);
        say(&mut model, &vec!["y".to_owned(); 9_960]);
        assert_eq!(rows(&model), before);
        assert!(screen(&model).contains(" of 10049"), "{}", screen(&model));
        // What is shown was dropped.
        say(&mut model, &vec!["z".to_owned(); 9_990]);
        assert_eq!(rows(&model)[0], "y");
    }

    #[test]
    fn the_place_stays_when_old_messages_of_a_job_are_dropped() {
        let mut model = full(80, 24);
        press(&mut model, "2 p");
        write(&mut model, "debian:13");
        press(&mut model, "enter");
        let mut work = Work::default();
        let mut note = |model: &mut Model, range: std::ops::Range<usize>| {
            range.for_each(|at| work.take(Progress::Note(format!("message {at}"))));
            update(model, Event::Progress(TaskId(1), work.clone()));
        };
        note(&mut model, 0..190);
        model.open(OutputPage::new(TaskId(1)));
        press(&mut model, "k k k");
        let before = rows(&model);
        note(&mut model, 190..300);
        assert_eq!(rows(&model), before);
        assert!(screen(&model).contains(" of 300"), "{}", screen(&model));
    }

    #[test]
    fn lines_that_are_not_wrapped_are_scrolled_sideways() {
        let mut model = printed((80, 24), &long(10, 60));
        press(&mut model, "right");
        assert_eq!(model.notice.as_ref().unwrap().text, "nothing is hidden on the right");
        press(&mut model, "w g");
        assert!(rows(&model)[0].starts_with("<10") && rows(&model)[0].ends_with('…'), "{:?}", rows(&model));
        assert!(rows(&model)[1].starts_with("<11"));
        for _ in 0..9 {
            press(&mut model, "right");
        }
        assert!(rows(&model)[0].ends_with("10>"), "{:?}", rows(&model));
        press(&mut model, "w");
        assert!(rows(&model)[0].starts_with("<10") && rows(&model)[1].ends_with("10>"));
    }
}
