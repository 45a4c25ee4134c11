//! What lies over the screen and takes the keys: one table of the dialogs, and what each of them
//! must be able to do.
//!
//! A new dialog is its folder, whose `mod.rs` joins its model, update and view to a [`Dialog`]; a
//! row of the table here; and its place in the keymap. A line to type is no dialog of its own: it
//! is a [`Purpose`](crate::tui::line::model::Purpose) of the one that types lines.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::custom::ask::Ask;
use crate::tui::event::Effect;
use crate::tui::form::model::RunForm;
use crate::tui::form::presets::Presets;
use crate::tui::help::model::Help;
use crate::tui::keymap::KeyContext;
use crate::tui::line::model::Prompt;
use crate::tui::list::columns::Choice;
use crate::tui::logs::model::MergeMenu;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use crate::tui::page::model::Page;
use crate::tui::palette::model::Palette;
use crate::tui::removal::model::Question;
use crate::tui::signals::model::SignalMenu;
use crate::tui::tasks::model::{OutputPage, ProgressPage};
use crate::tui::themes::model::Picker;

/// What a dialog can do. What is not said it does not do.
pub(crate) trait Dialog {
    /// Where its keys are looked up.
    fn key_context(&self) -> KeyContext;

    /// Draws it over the screen.
    fn draw(&self, frame: &mut Frame<'_>, model: &Model);

    /// What an action does to it, where it is the topmost one.
    fn act(model: &mut Model, action: Action) -> Vec<Effect>
    where
        Self: Sized;

    /// The field that is typed in.
    fn input(&mut self) -> Option<&mut Input> {
        None
    }

    /// Whether a key closes it before it is typed into the field.
    fn is_closed_by(&self, _key: &KeyEvent) -> bool {
        false
    }

    /// What follows when something was typed into the field.
    fn typed(_model: &mut Model) -> Vec<Effect>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// What follows when something became known of the paths that were typed.
    fn check(_model: &mut Model) -> Vec<Effect>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Fits it to the size of the screen.
    fn fit(&mut self, _size: (u16, u16)) {}

    /// What an action is called while it is the topmost one; `None` as elsewhere.
    fn label(&self, _model: &Model, _action: Action) -> Option<&'static str> {
        None
    }

    /// Whether the line with the keys names an action; `None` as elsewhere.
    fn offers(&self, _model: &Model, _action: Action) -> Option<bool> {
        None
    }

    /// Whether it is typed in the line at the bottom, where it hides nothing.
    fn is_line(&self) -> bool {
        false
    }

    /// Draws the line at the bottom.
    fn draw_line(&self, _frame: &mut Frame<'_>, _model: &Model, _area: Rect) {}

    /// Whether it shows colours that are not of the theme: what programs wrote, other themes.
    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        false
    }
}

macro_rules! dialogs {
    ($($name:ident $dialog:ty;)*) => {
        /// One thing over the screen.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "their folders say it")]
        pub enum Layer { $($name(Box<$dialog>),)* }

        $(impl From<$dialog> for Layer {
            fn from(dialog: $dialog) -> Self {
                Self::$name(Box::new(dialog))
            }
        })*

        impl Layer {
            /// What it can do.
            pub(crate) fn dialog(&self) -> &dyn Dialog {
                match self { $(Self::$name(dialog) => &**dialog,)* }
            }

            /// The same, to change it.
            pub(crate) fn dialog_mut(&mut self) -> &mut dyn Dialog {
                match self { $(Self::$name(dialog) => &mut **dialog,)* }
            }
        }

        /// What an action does to the topmost dialog.
        pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
            match model.layers.last() {
                $(Some(Layer::$name(_)) => <$dialog as Dialog>::act(model, action),)*
                None => Vec::new(),
            }
        }

        /// What follows when something became known of the paths that were typed.
        pub(crate) fn check(model: &mut Model) -> Vec<Effect> {
            match model.layers.last() {
                $(Some(Layer::$name(_)) => <$dialog as Dialog>::check(model),)*
                None => Vec::new(),
            }
        }

        fn typed(model: &mut Model) -> Vec<Effect> {
            match model.layers.last() {
                $(Some(Layer::$name(_)) => <$dialog as Dialog>::typed(model),)*
                None => Vec::new(),
            }
        }
    };
}

dialogs! {
    Prompt   Prompt;
    Confirm  Confirm;
    Removal  Question;
    Signals  SignalMenu;
    Merge    MergeMenu;
    Columns  Choice;
    Run      RunForm;
    Presets  Presets;
    Palette  Palette;
    Progress ProgressPage;
    Output   OutputPage;
    Page     Page;
    Help     Help;
    Themes   Picker;
    Ask      Ask;
}

/// A key that is typed into the topmost dialog.
pub(crate) fn key(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    let Some(top) = model.layers.last_mut().map(Layer::dialog_mut) else { return Vec::new() };
    if top.is_closed_by(&event) {
        model.layers.pop();
        return Vec::new();
    }
    match top.input() {
        Some(input) => input.key(event),
        None => return Vec::new(),
    }
    typed(model)
}

/// Text that is pasted into the topmost dialog.
pub(crate) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    match model.layers.last_mut().and_then(|top| top.dialog_mut().input()) {
        Some(input) => input.paste(text),
        None => return Vec::new(),
    }
    typed(model)
}

impl Model {
    /// Opens a dialog over what is there.
    pub fn open(&mut self, dialog: impl Into<Layer>) {
        self.layers.push(dialog.into());
    }

    /// The topmost dialog.
    pub(crate) fn top(&self) -> Option<&dyn Dialog> {
        self.layers.last().map(Layer::dialog)
    }
}
