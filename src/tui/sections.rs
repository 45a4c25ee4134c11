//! The table of the lists.
//!
//! A new list is its folder, whose `mod.rs` joins its rows, cells, verbs and reader to a
//! [`ListScreen`]; a row here; its name in [`Section`], what is read for it in [`Listed`], its rows in
//! the [`Model`]; and its place in the keymap.

use crate::engine;
use crate::tui::action::Action;
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::model::List;
use crate::tui::list::screen::{Counted, ListScreen, Screen};
use crate::tui::model::Model;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::{Section, Subject};
use crate::tui::{containers, events, images, networks, tasks, trash, volumes};

macro_rules! sections {
    ($($section:ident $screen:ty;)*) => {
        impl Section {
            /// What it can do.
            pub(crate) fn screen(self) -> &'static Screen {
                match self { $(Self::$section => const { &Screen::of::<$screen>() },)* }
            }
        }

        /// Takes in what was read for a list.
        pub(crate) fn take(model: &mut Model, listed: Listed) {
            match listed { $(Listed::$section(read) => <$screen>::take(model, read),)* }
        }

        /// Reads a list.
        pub(crate) async fn read(section: Section, reader: ListReader) {
            match section { $(Section::$section => <$screen>::read(reader).await,)* }
        }

        /// Reads everything known of an object.
        pub(crate) async fn document(
            engine: &engine::Engine,
            subject: &Subject,
        ) -> engine::Result<Document> {
            match subject.section() {
                $(Section::$section => <$screen>::document(engine, subject).await,)*
            }
        }
    };
}

sections! {
    Containers containers::Containers;
    Images     images::Images;
    Volumes    volumes::Volumes;
    Networks   networks::Networks;
    Tasks      tasks::Tasks;
    Events     events::Events;
    Trash      trash::Trash;
}

impl Section {
    /// Where its keys are looked up.
    #[must_use]
    pub fn key_context(self) -> KeyContext {
        self.screen().key_context
    }

    /// The one that an action shows.
    #[must_use]
    pub fn shown_by(action: Action) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.screen().action == action)
    }

    /// Its columns: those that are shown unless the user chose, and further ones.
    #[must_use]
    pub fn columns(self) -> (&'static [Column], &'static [Column]) {
        self.screen().columns
    }

    /// Whether rows have a sign of their state before them.
    #[must_use]
    pub fn has_glyph(self) -> bool {
        self.screen().has_glyph
    }

    /// How many rows it has, where the line of sections says so.
    #[must_use]
    pub fn count(self, model: &Model) -> Option<usize> {
        let count = model.list_of(self).count();
        match self.screen().counted {
            Counted::Always => Some(count),
            Counted::WhereThereAreSome => Some(count).filter(|count| *count > 0),
            Counted::Never => None,
        }
    }
}

impl Model {
    /// The list of a section.
    #[must_use]
    pub fn list_of(&self, section: Section) -> &dyn List {
        (section.screen().list)(self)
    }

    /// The same, to change it.
    pub fn list_of_mut(&mut self, section: Section) -> &mut dyn List {
        (section.screen().list_mut)(self)
    }
}
