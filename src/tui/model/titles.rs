//! The second line: the sections, or the tabs of what has the whole window.

use unicode_width::UnicodeWidthStr;

use super::Model;
use crate::tui::section::{Section, Subject};
use crate::tui::tab::Tab;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// `1 Containers 12`, or its number alone where there is no room.
    pub name: String,
    /// It is the one that is shown.
    pub is_shown: bool,
}

impl Model {
    /// All of them, from left to right; a blank stands before the first, and each has one
    /// column on both sides.
    #[must_use]
    pub fn titles(&self) -> Vec<Title> {
        let titles = if self.is_zoomed {
            let shown = self.shown_tab(self.pane());
            let tabs = self.tabs(self.pane()).into_iter().enumerate();
            let title = |(at, tab)| Title {
                name: format!("{} {}", at + 1, tab_name(self, tab)),
                is_shown: tab == shown,
            };
            tabs.map(title).collect()
        } else {
            let title = |(at, section): (usize, Section)| {
                let count = section.count(self).map_or_else(String::new, |count| format!(" {count}"));
                let name = format!("{} {}{count}", at + 1, section.title());
                Title { name, is_shown: section == self.section }
            };
            Section::ALL.into_iter().enumerate().map(title).collect()
        };
        short_where_needed(titles, usize::from(self.size.0))
    }

    /// Which of them stands at a column.
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

/// What the subject of verbs is called, for messages.
pub(crate) fn subject_name(model: &Model) -> String {
    model.subject().map_or_else(String::new, |subject| name_of(model, &subject))
}

/// What an object is called; its id where it is gone.
pub(crate) fn name_of(model: &Model, subject: &Subject) -> String {
    (subject.section().screen().name_of)(model, subject)
}

/// What a tab of the detail pane is called.
#[must_use]
pub fn tab_name(model: &Model, tab: Tab) -> String {
    match tab {
        Tab::Session(id) => model.task(id).map_or_else(String::new, |task| {
            task.title.rsplit_once(": ").map_or_else(|| task.title.clone(), |(_, what)| what.to_owned())
        }),
        tab => tab.viewer().name().to_owned(),
    }
}

/// The names as far as there is room: of the last ones the number is enough of a reminder.
fn short_where_needed(mut titles: Vec<Title>, room: usize) -> Vec<Title> {
    let mut wide: usize = 1 + titles.iter().map(|title| title.name.width() + 2).sum::<usize>();
    for Title { name, is_shown } in titles.iter_mut().rev() {
        let number = name.split(' ').next().unwrap_or_default().to_owned();
        if wide > room && !*is_shown {
            wide -= name.width() - number.width();
            *name = number;
        }
    }
    titles
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{full, press};

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
}
