//! What a tab must be able to do.
//!
//! ```text
//!  model ── wants ──▶ driver ──▶ read                      what is read for a tab
//!           take ◀── Event::Answer ──┘                     and comes back
//!  keys ──▶ act, scroll, point                             what keys and the mouse do in it
//!  frame ◀─ draw, title, note                              what is drawn
//! ```
//! A trait with one value a tab, not an enum with a match a question: what a tab answers to all
//! questions then stands in one place, and what most tabs do not need has a default.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::about::About;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::terminal::screen::Screens;

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

    /// Whether nothing was read for it.
    fn is_blank(&self, _pane: &Pane) -> bool {
        false
    }

    /// Whether an action of it needs its subject, not only what was read of that.
    fn needs_subject(&self, _action: Action) -> bool {
        false
    }

    /// Whether an action of it does something at this moment; what does not is not offered.
    fn offers(&self, _pane: &Pane, _action: Action) -> bool {
        true
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
