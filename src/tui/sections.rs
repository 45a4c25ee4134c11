//! The lists: one table. A new list is its rows, a row here, how it is read (`driver/facts.rs`),
//! and its place in the keymap.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::list::columns::Column;
use crate::tui::list::model::List;
use crate::tui::list::view::{self, empty};
use crate::tui::model::Model;

/// Whether the line of sections says how many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Always,
    WhereThereAreSome,
    Never,
}

/// What stands before the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The state of the row.
    State,
    Nothing,
}

macro_rules! sections {
    ($($section:ident {
        rows: $table:ident, shown_by: $action:ident, counted: $counted:ident, sign: $sign:ident,
        columns: [$($column:ident)*], further: [$($further:ident)*], cell: $cell:path, empty: $empty:path $(,)?
    })*) => {
        /// Which list is shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Section { $($section,)* }

        impl Section {
            /// All of them, in the order of the tab line.
            pub const ALL: [Self; [$(Self::$section),*].len()] = [$(Self::$section,)*];

            /// As the tab line names it.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$section => stringify!($section),)* }
            }

            /// Where its keys are looked up.
            #[must_use]
            pub fn place(self) -> Place {
                match self { $(Self::$section => Place::$section,)* }
            }

            /// The one that an action shows.
            #[must_use]
            pub fn shown_by(action: Action) -> Option<Self> {
                match action {
                    $(Action::$action => Some(Self::$section),)*
                    _ => None,
                }
            }

            /// Its columns: those that are shown unless the user chose, and further ones.
            #[must_use]
            pub fn columns(self) -> (&'static [Column], &'static [Column]) {
                match self {
                    $(Self::$section => (&[$(Column::$column),*], &[$(Column::$further),*]),)*
                }
            }

            /// Whether rows have a sign of their state before them.
            #[must_use]
            pub fn has_glyph(self) -> bool {
                let sign = match self { $(Self::$section => Sign::$sign,)* };
                sign == Sign::State
            }

            fn counted(self) -> Counted {
                match self { $(Self::$section => Counted::$counted,)* }
            }
        }

        impl Model {
            /// The list of a section.
            #[must_use]
            pub fn list_of(&self, section: Section) -> &dyn List {
                match section { $(Section::$section => &self.$table,)* }
            }

            /// The same, to change it.
            pub fn list_of_mut(&mut self, section: Section) -> &mut dyn List {
                match section { $(Section::$section => &mut self.$table,)* }
            }
        }

        /// Draws the list that is shown.
        pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, area: Rect) {
            match model.section {
                $(Section::$section => view::table(frame, model, area, &model.$table, $cell),)*
            }
        }

        /// What the list that is shown says when it is empty.
        pub(crate) fn empty(model: &Model) -> empty::Said {
            match model.section { $(Section::$section => $empty(model),)* }
        }
    };
}

sections! {
    Containers {
        rows: containers, shown_by: GoContainers, counted: Always, sign: State,
        columns: [Name State Image Chart Cpu Memory NetIn NetOut Up Ports],
        further: [Pids Project Network Address Id Created Command],
        cell: view::container, empty: empty::containers,
    }
    Images {
        rows: images, shown_by: GoImages, counted: Always, sign: Nothing,
        columns: [Name Id Created Size Platform UsedBy], further: [],
        cell: view::image, empty: empty::images,
    }
    Volumes {
        rows: volumes, shown_by: GoVolumes, counted: Always, sign: Nothing,
        columns: [Name Driver Folder], further: [],
        cell: view::volume, empty: empty::volumes,
    }
    Networks {
        rows: networks, shown_by: GoNetworks, counted: Always, sign: Nothing,
        columns: [Name Driver Subnet Containers Created], further: [Id],
        cell: view::network, empty: empty::networks,
    }
    Tasks {
        rows: tasks, shown_by: GoTasks, counted: WhereThereAreSome, sign: State,
        columns: [Task State Spent], further: [],
        cell: view::task, empty: empty::tasks,
    }
    Events {
        rows: journal, shown_by: GoEvents, counted: Never, sign: Nothing,
        columns: [Time Kind Action Name Attributes], further: [],
        cell: view::event, empty: empty::events,
    }
    Trash {
        rows: trash, shown_by: GoTrash, counted: WhereThereAreSome, sign: Nothing,
        columns: [Name Kind Removed Left Size], further: [],
        cell: view::trash, empty: empty::trash,
    }
}

impl Section {
    /// How many rows it has, where the line of sections says so.
    #[must_use]
    pub fn count(self, model: &Model) -> Option<usize> {
        let count = model.list_of(self).count();
        match self.counted() {
            Counted::Always => Some(count),
            Counted::WhereThereAreSome => Some(count).filter(|count| *count > 0),
            Counted::Never => None,
        }
    }
}
