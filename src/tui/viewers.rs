//! What panes show: one table of the tabs, and what each of them must be able to do.
//!
//! ```text
//!  model ── wants ──▶ driver ──▶ read                      what is read for a tab
//!           take ◀── Event::Answer ──┘                     and comes back
//!  keys ──▶ act, scroll, point                             what keys and the mouse do in it
//!  frame ◀─ draw, title, note                              what is drawn
//! ```
//! A new tab is its folder, whose `mod.rs` joins its model, update, view and reader to a [`Viewer`]; a
//! row of the table here; its state in a [`Pane`]; and its place in the keymap. A trait with
//! one value a tab, not an enum with a match a question: what a tab answers to all questions
//! then stands in one place, and what most tabs do not need has a default.

use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::engine::ContainerId;
use crate::engine::layers::ImageDiff;
use crate::tui::action::Action;
use crate::tui::event::{Effect, LayersNews};
use crate::tui::files::model::{FilesAnswer, FilesAsk};
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::logs::model::{LogNews, LogShown, LogWant};
use crate::tui::model::window::{Pane, PaneId};
use crate::tui::model::{Failure, Model, Subject};
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::tasks::model::TaskId;
use crate::tui::terminal::Screens;
use crate::tui::top::model::TopRead;
use crate::tui::why::model::Facts;
use crate::tui::{compare, files, inspect, layers, logs, stats, terminal, top, why};

macro_rules! viewers {
    ($($tab:ident $viewer:path, $want:ty, $answer:ty;)*) => {
        /// What a pane shows of its subject.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "their folders say it")]
        pub enum Tab {
            $($tab,)*
            /// A terminal.
            Session(TaskId),
        }

        impl Tab {
            /// All but terminals, in the order of the tab line.
            pub const ALL: &[Self] = &[$(Self::$tab,)*];

            /// What it can do.
            pub(crate) fn viewer(self) -> &'static dyn Viewer {
                match self {
                    $(Self::$tab => &$viewer,)*
                    Self::Session(_) => &terminal::Terminal,
                }
            }
        }

        /// What is to be read for a tab.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "named as the tabs")]
        pub enum Want { $($tab($want),)* }

        /// What was read for a tab.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "named as the tabs")]
        pub enum Answer { $($tab($answer),)* }

        impl Answer {
            /// The tab that it is for.
            #[must_use]
            pub fn tab(&self) -> Tab {
                match self { $(Self::$tab(_) => Tab::$tab,)* }
            }
        }
    };
}

viewers! {
    // What it is, what is read for it, and what comes back.
    Logs    logs::Logs,       LogWant,     LogNews;
    Stats   stats::Stats,     Nothing,     Nothing;
    Top     top::Processes,   ContainerId, TopRead;
    Inspect inspect::Inspect, Subject,     Result<Box<Document>, Failure>;
    Layers  layers::Layers,   String,      LayersNews;
    Files   files::Files,     FilesAsk,    Result<FilesAnswer, Failure>;
    Compare compare::Compare, [String; 2], LayersNews<ImageDiff>;
    Why     why::Why,         ContainerId, Result<Box<Facts>, Failure>;
}

/// What is read for a tab whose container is measured anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nothing {}

/// What is open for a tab: whose, and the number that its answers bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The pane.
    pub pane: PaneId,
    /// Which of its tabs.
    pub tab: Tab,
    /// The number; its upper half is the pane.
    pub serial: u64,
}

/// What a pane is about, and what is known of that.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) subject: Option<Subject>,
    /// Changes when what is known of the subject must be read again.
    pub(crate) version: u64,
    /// The logs that are shown.
    pub(crate) logs: Vec<LogShown>,
    /// Where the pane is on the screen, within its border.
    pub(crate) area: Option<Rect>,
    /// Where hoist was started.
    pub(crate) folder: PathBuf,
    pub(crate) now: Timestamp,
}

impl About {
    /// The container, where the pane is about one.
    pub(crate) fn container(&self) -> Option<&ContainerId> {
        match &self.subject {
            Some(Subject::Container(id)) => Some(id),
            _ => None,
        }
    }

    /// The subject with its version.
    pub(crate) fn versioned(&self) -> Option<(Subject, u64)> {
        self.subject.clone().map(|subject| (subject, self.version))
    }

    /// Rows there are; one where the pane is not on the screen.
    pub(crate) fn rows(&self) -> usize {
        usize::from(self.area.map_or(1, |area| area.height))
    }
}

/// A pane as it is drawn.
pub(crate) struct Seen<'a> {
    pub(crate) model: &'a Model,
    pub(crate) screens: &'a Screens,
    pub(crate) pane: &'a Pane,
    pub(crate) tab: Tab,
    pub(crate) subject: Option<&'a Subject>,
    /// The subject is gone: what was read of it is all there is.
    pub(crate) is_gone: bool,
    pub(crate) has_keys: bool,
}

/// What a tab can do. What is not said has no such thing.
pub(crate) trait Viewer: Sync {
    /// As titles name it; saved arrangements do so in small letters.
    fn name(&self) -> &'static str;

    /// Where its keys are looked up.
    fn key_context(&self) -> KeyContext;

    /// The action that shows it.
    fn action(&self) -> Option<Action> {
        None
    }

    /// Whether a subject has it.
    fn is_of(&self, model: &Model, pane: &Pane, subject: &Subject) -> bool;

    /// Whether its subject always has it, so that a saved arrangement can name it.
    fn is_lasting(&self) -> bool {
        true
    }

    /// Fits its state to what the pane is about and how large it is.
    fn settle(&self, pane: &mut Pane, about: &About);

    /// What must be read while it is on the screen, each with the number of its answers.
    fn wants(&self, _model: &Model, _pane: &Pane, _subject: &Subject) -> Vec<(u64, Want)> {
        Vec::new()
    }

    /// Begins to read what it wants.
    fn read(&self, _reader: Reader, _want: Want) -> Option<ReadTask<Want>> {
        None
    }

    /// Learns whether it is being read.
    fn open(&self, _pane: &mut Pane, _is_open: bool) {}

    /// Takes in what was read for it.
    fn take(&self, _model: &mut Model, _pane: PaneId, _serial: u64, _answer: Answer) {}

    /// What an action does in it; `None` when that is nothing special.
    fn act(&self, _model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
        None
    }

    /// Whether an action of it does something at this moment; what does not is not offered.
    fn offers(&self, _pane: &Pane, _action: Action) -> bool {
        true
    }

    /// Whether nothing was read for it.
    fn is_blank(&self, _pane: &Pane) -> bool {
        false
    }

    /// Whether an action of it needs its subject, not only what was read of that.
    fn needs_subject(&self, _action: Action) -> bool {
        false
    }

    /// Whether it has all keys but its prefix's, also those that go from pane to pane.
    fn has_all_keys(&self) -> bool {
        false
    }

    /// Asks for a text to search it for; false where it has none.
    fn search(&self, _model: &mut Model) -> bool {
        false
    }

    /// Scrolls by this many lines.
    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect>;

    /// Columns that are scrolled away to the left.
    fn left<'a>(&self, _pane: &'a mut Pane) -> Option<&'a mut usize> {
        None
    }

    /// Puts the cursor on a line of the pane.
    fn point(&self, _pane: &mut Pane, _line: usize) {}

    /// Keeps what has this text in its name.
    fn filter(&self, _pane: &mut Pane, _text: &str) {}

    /// Draws it within the border.
    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect);

    /// What stands at the right of the upper border when it has the window.
    fn title(&self, _seen: &Seen<'_>, _width: u16) -> Option<Line<'static>> {
        None
    }

    /// What stands at the right of the lower border.
    fn note(&self, _seen: &Seen<'_>, _width: u16) -> Option<(String, Style)> {
        None
    }

    /// Whether it shows texts of others, whose signs are theirs.
    fn shows_texts(&self) -> bool {
        false
    }
}

/// Takes in what was read for a tab, where its pane is still there.
pub(crate) fn take(model: &mut Model, serial: u64, answer: Answer) {
    answer.tab().viewer().take(model, Pane::of_serial(serial), serial, answer);
}
