//! The interface of a tab.
//!
//! ```text
//!  model ── wants ──▶ driver ──▶ read                      requests for a tab
//!           take ◀── Event::Answer ──┘                     and its answers
//!  keys ──▶ act, scroll, point                             keys and the mouse
//!  frame ◀─ draw, title, note                              drawing
//! ```
//! This is a trait with one value per tab rather than an enum with a match per question. Everything
//! about a tab is in one place, and there are defaults for what most tabs do not need.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::model::{Focus, Model};
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::terminal::screen::Screens;

/// A pane while it is drawn.
pub(crate) struct Seen<'a> {
    pub(crate) model: &'a Model,
    pub(crate) screens: &'a Screens,
    pub(crate) pane: &'a Pane,
    pub(crate) tab: Tab,
    pub(crate) subject: Option<&'a Subject>,
    /// Whether the subject was removed, and only what was read before remains.
    pub(crate) is_gone: bool,
    pub(crate) has_keys: bool,
}

impl Seen<'_> {
    /// Whether it has the focus, though a dialog may have the keys at present.
    pub(crate) fn has_focus(&self) -> bool {
        self.model.focus == Focus::Detail && self.model.pane().id == self.pane.id
    }
}

/// A tab. The defaults do nothing.
pub(crate) trait Viewer: Sync {
    /// Returns its name, as shown in titles; saved layouts use it in lower case.
    fn name(&self) -> &'static str;

    /// Returns the context in which its keys are looked up.
    fn key_context(&self) -> KeyContext;

    /// Returns the action that shows it.
    fn action(&self) -> Option<Action> {
        None
    }

    /// Whether a subject has this tab.
    fn is_of(&self, model: &Model, pane: &Pane, subject: &Subject) -> bool;

    /// Whether its subject always has it, so that a saved layout can refer to it.
    fn is_lasting(&self) -> bool {
        true
    }

    /// Adapts its state to the pane's subject and size.
    fn settle(&self, pane: &mut Pane, about: &PaneContext);

    /// Returns what must be read while it is on the screen, each with the serial of its answers.
    fn wants(&self, _model: &Model, _pane: &Pane, _subject: &Subject) -> Vec<(u64, Want)> {
        Vec::new()
    }

    /// Starts reading a want.
    fn read(&self, _reader: Reader, _want: Want) -> Option<ReadTask<Want>> {
        None
    }

    /// Tells it whether it is being read.
    fn open(&self, _pane: &mut Pane, _is_open: bool) {}

    /// Stores an answer.
    fn take(&self, _model: &mut Model, _pane: PaneId, _serial: u64, _answer: Answer) {}

    /// Applies an action in the tab; `None` for the default behaviour.
    fn act(&self, _model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
        None
    }

    /// Whether nothing has been read for it.
    fn is_blank(&self, _pane: &Pane) -> bool {
        false
    }

    /// Whether an action needs the subject itself, rather than only what was read from it.
    fn needs_subject(&self, _action: Action) -> bool {
        false
    }

    /// Whether an action currently has an effect; others are not offered.
    fn offers(&self, _model: &Model, _pane: &Pane, _action: Action) -> bool {
        true
    }

    /// Returns the actions that its present state is about; they are offered before all others.
    fn first(&self, _pane: &Pane) -> &'static [Action] {
        &[]
    }

    /// Whether it receives all keys except its prefix key, even those that switch panes.
    fn has_all_keys(&self) -> bool {
        false
    }

    /// Asks for a text to search for; false if the tab has no text.
    fn search(&self, _model: &mut Model) -> bool {
        false
    }

    /// Scrolls by this many lines.
    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect>;

    /// Returns the number of columns that are scrolled off to the left.
    fn left<'a>(&self, _pane: &'a mut Pane) -> Option<&'a mut usize> {
        None
    }

    /// Returns how far it can be scrolled to the right until the ends of all visible lines are
    /// visible. `area` is the area inside the border.
    fn farthest(&self, _model: &Model, _pane: &Pane, _area: Rect) -> usize {
        0
    }

    /// Moves the cursor to a line of the pane.
    fn point(&self, _pane: &mut Pane, _line: usize) {}

    /// Filters by names that contain this text.
    fn filter(&self, _pane: &mut Pane, _text: &str) {}

    /// Draws it inside the border.
    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect);

    /// Returns the title at the right of the upper border, which is shown while zoomed.
    fn title(&self, _seen: &Seen<'_>, _width: u16) -> Option<Line<'static>> {
        None
    }

    /// Returns the note at the right of the lower border.
    fn note(&self, _seen: &Seen<'_>, _width: u16) -> Option<(String, Style)> {
        None
    }

    /// Whether it shows text from other sources, whose symbols are left as they are.
    fn shows_texts(&self) -> bool {
        false
    }
}
