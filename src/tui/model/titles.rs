//! The second line of the screen: the sections, or the tabs of the zoomed pane.

use crossterm::event::{KeyCode, KeyModifiers};
use unicode_width::UnicodeWidthStr;

use super::Model;
use crate::tui::action::Action;
use crate::tui::key::Key;
use crate::tui::keymap::Found;
use crate::tui::section::{Section, Subject};
use crate::tui::tab::Tab;
use crate::tui::words::{Align, cell, image_name};

/// The title of a section or tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// `1 Containers 12`, or only the number if space is short.
    pub name: String,
    /// Whether it is the current one.
    pub is_shown: bool,
}

/// What stands at the right of the titles in read-only mode.
pub(crate) const READ_ONLY: &str = " READ-ONLY ";

impl Model {
    /// Returns all titles, from left to right. The line starts with a blank, and each title has one
    /// column of padding on both sides.
    #[must_use]
    pub fn titles(&self) -> Vec<Title> {
        let titles = if self.is_zoomed {
            let shown = self.shown_tab(self.pane());
            let tabs = self.tabs(self.pane()).into_iter().enumerate();
            let title = |(at, tab)| Parts {
                number: Some(at + 1),
                name: format!(" {}", tab_name(self, tab)),
                count: String::new(),
                is_shown: tab == shown,
            };
            tabs.map(title).collect()
        } else {
            let has_numbers = self.numbers_mean_lists();
            let title = |(at, section): (usize, Section)| Parts {
                number: has_numbers.then_some(at + 1),
                name: format!("{}{}", if has_numbers { " " } else { "" }, section.title()),
                count: section.count(self).map_or_else(String::new, |count| format!(" {count}")),
                is_shown: section == self.section,
            };
            Section::ALL.into_iter().enumerate().map(title).collect()
        };
        // The mode stands in the line above, if there is one.
        let is_here = self.look.is_read_only && self.layout().header.is_none();
        let mode = if is_here { READ_ONLY.len() } else { 0 };
        fitted(titles, usize::from(self.size.0).saturating_sub(mode))
    }

    /// Whether a number shows a list here. On a page it shows a tab, and in a terminal it is typed.
    fn numbers_mean_lists(&self) -> bool {
        self.number_key().is_some_and(|action| Section::shown_by(action).is_some())
    }

    /// Whether a number shows a tab here.
    pub(crate) fn numbers_mean_tabs(&self) -> bool {
        self.number_key().is_some_and(|action| action.tab().is_some())
    }

    /// Returns what the key `1` does here.
    fn number_key(&self) -> Option<Action> {
        let one = Key { code: KeyCode::Char('1'), held: KeyModifiers::NONE };
        match self.keymap.find(self.key_context_below(), &[one]) {
            Found::Action(action) => Some(action),
            Found::More | Found::Nothing => None,
        }
    }

    /// Returns the index of the title at a column.
    #[must_use]
    pub fn title_at(&self, column: u16) -> Option<usize> {
        let mut end = 1;
        let column = usize::from(column);
        self.titles().iter().position(|title| {
            let start = end;
            end += title.name.width() + 2;
            (start..end).contains(&column)
        })
    }
}

/// Returns the name of the subject of verbs, for messages.
pub(crate) fn subject_name(model: &Model) -> String {
    model.subject().map_or_else(String::new, |subject| name_of(model, &subject))
}

/// Returns the name of an object; its id if it is gone.
pub(crate) fn name_of(model: &Model, subject: &Subject) -> String {
    (subject.section().screen().name_of)(model, subject)
}

/// Returns the last known name of an object in at most `width` columns. That of an image is shortened
/// from the left.
pub(crate) fn short_name(model: &Model, subject: &Subject, width: usize) -> String {
    let name = model.last_name_of(subject);
    match subject {
        Subject::Image(_) => image_name(&cell(&name, name.width(), Align::Left), width),
        _ => cell(&name, name.width().min(width), Align::Left),
    }
}

/// Returns the name of a tab.
#[must_use]
pub fn tab_name(model: &Model, tab: Tab) -> String {
    match tab {
        Tab::Session(id) => model.task(id).map_or_else(String::new, |task| {
            task.title.rsplit_once(": ").map_or_else(|| task.title.clone(), |(_, what)| what.to_owned())
        }),
        tab => tab.viewer().name().to_owned(),
    }
}

/// The parts of a title, of which the later ones are given up first.
struct Parts {
    /// The key that shows it.
    number: Option<usize>,
    name: String,
    count: String,
    is_shown: bool,
}

impl Parts {
    fn number(&self) -> String {
        self.number.map_or_else(String::new, |number| number.to_string())
    }

    fn width(&self) -> usize {
        self.number().len() + self.name.width() + self.count.width()
    }

    /// Returns its name without what does not fit; without a number, the first letters.
    fn shortened(&self) -> String {
        const LETTERS: usize = 3;
        if self.number.is_some() { String::new() } else { self.name.chars().take(LETTERS).collect() }
    }
}

/// Shortens titles until they fit, starting with the last: first the counts are dropped, then the
/// names.
fn fitted(mut titles: Vec<Parts>, room: usize) -> Vec<Title> {
    let mut wide: usize = 1 + titles.iter().map(|title| title.width() + 2).sum::<usize>();
    for drops_names in [false, true] {
        for title in titles.iter_mut().rev().filter(|title| !title.is_shown) {
            let short = if drops_names { title.shortened() } else { String::new() };
            let part = if drops_names { &mut title.name } else { &mut title.count };
            if wide > room {
                wide -= part.width() - short.width();
                *part = short;
            }
        }
    }
    let title = |parts: Parts| {
        let name = format!("{}{}{}", parts.number(), parts.name, parts.count);
        Title { name, is_shown: parts.is_shown }
    };
    titles.into_iter().map(title).collect()
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{full, press, screen};

    #[test]
    fn what_is_under_the_mouse_is_what_is_drawn_there() {
        let mut model = full(80, 24);
        assert_eq!(
            [0, 1, 16, 17, 18].map(|column| model.title_at(column)),
            [None, Some(0), Some(0), Some(1), Some(1)]
        );
        assert_eq!(model.titles()[0].name, "1 Containers 7");
        press(&mut model, "l");
        assert!(model.titles().iter().any(|title| title.name == "1 Logs" && title.is_shown));
    }

    #[test]
    fn numbers_are_shown_where_they_lead() {
        let mut model = full(120, 50);
        press(&mut model, "l");
        assert!(!model.is_zoomed);
        let shown = screen(&model);
        assert!(shown.contains("[Containers 7] Images 3 "), "{shown}");
        assert!(shown.contains("[1 Logs] 2 Stats "), "{shown}");
        press(&mut model, "2");
        let shown = screen(&model);
        assert!(shown.contains(" 1 Logs [2 Stats]"), "{shown}");
        press(&mut model, "q");
        let shown = screen(&model);
        assert!(shown.contains("[1 Containers 7] 2 Images 3 ") && !shown.contains("2 Stats"), "{shown}");
        // What is typed in a terminal goes to its program.
        press(&mut model, "e");
        let shown = screen(&model);
        assert!(shown.contains("[Containers 7] Images 3 ") && shown.contains(" [shell]"), "{shown}");
        press(&mut model, "ctrl-]");
        assert!(screen(&model).contains("[6 shell]"), "{}", screen(&model));
        press(&mut model, "q 2");
        assert!(screen(&model).contains("[2 Images 3]"));
    }
}
