//! The table of the lists.
//!
//! A new list needs a folder, whose `mod.rs` implements [`ListScreen`] with its rows, cells, verbs
//! and reader; a row here; its name in [`Section`], its data in [`Listed`], its rows in the
//! [`Model`]; and a context in the keymap.

use crate::engine;
use crate::tui::action::Action;
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::model::List;
use crate::tui::list_screen::{Counted, ListFunctions, ListScreen};
use crate::tui::model::Model;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::{Section, Subject};
use crate::tui::{containers, events, images, networks, tasks, trash, volumes};

macro_rules! sections {
    ($($section:ident $screen:ty;)*) => {
        impl Section {
            /// Returns the list's functions.
            pub(crate) fn screen(self) -> &'static ListFunctions {
                match self { $(Self::$section => const { &ListFunctions::of::<$screen>() },)* }
            }
        }

        /// Stores what was read for a list.
        pub(crate) fn take(model: &mut Model, listed: Listed) {
            match listed { $(Listed::$section(read) => <$screen>::take(model, read),)* }
        }

        /// Reads a list.
        pub(crate) async fn read(section: Section, reader: ListReader) {
            match section { $(Section::$section => <$screen>::read(reader).await,)* }
        }

        /// Reads everything known about an object.
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
    /// Returns the context in which its keys are looked up.
    #[must_use]
    pub fn key_context(self) -> KeyContext {
        self.screen().key_context
    }

    /// Returns the list that an action shows.
    #[must_use]
    pub fn shown_by(action: Action) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.screen().action == action)
    }

    /// Returns its columns: the default ones, and further ones that the user can choose.
    #[must_use]
    pub fn columns(self) -> (&'static [Column], &'static [Column]) {
        self.screen().columns
    }

    /// Whether its rows start with a symbol of their state.
    #[must_use]
    pub fn has_glyph(self) -> bool {
        self.screen().has_glyph
    }

    /// Returns its number of rows, if the line of sections shows it.
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
    /// Returns the list of a section.
    #[must_use]
    pub fn list_of(&self, section: Section) -> &dyn List {
        (section.screen().list)(self)
    }

    /// Like [`Self::list_of`], but mutable.
    pub fn list_of_mut(&mut self, section: Section) -> &mut dyn List {
        (section.screen().list_mut)(self)
    }
}
