//! Dispatches to dialogs through the table of them.
//!
//! A new dialog needs a folder, whose `mod.rs` implements [`Dialog`] with its model, update and
//! view; a row in [`layer`](super::model::layer); and a context in the keymap. An input line is not
//! a separate dialog but a [`Purpose`](crate::tui::line::purpose::Purpose).

use crossterm::event::KeyEvent;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::layer::{Layer, each_dialog};

macro_rules! dialogs {
    ($($name:ident $dialog:ty;)*) => {
        impl Layer {
            /// Returns the dialog's interface.
            pub(crate) fn dialog(&self) -> &dyn Dialog {
                match self { $(Self::$name(dialog) => &**dialog,)* }
            }

            /// Like [`Self::dialog`], but mutable.
            pub(crate) fn dialog_mut(&mut self) -> &mut dyn Dialog {
                match self { $(Self::$name(dialog) => &mut **dialog,)* }
            }
        }

        /// Applies an action to the topmost dialog.
        pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
            match model.layers.last() {
                $(Some(Layer::$name(_)) => <$dialog as Dialog>::act(model, action),)*
                None => Vec::new(),
            }
        }

        /// Tells the topmost dialog about new facts about the paths that were typed.
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

each_dialog!(dialogs);

/// Passes a key to the topmost dialog.
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

/// Pastes text into the topmost dialog.
pub(crate) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    match model.layers.last_mut().and_then(|top| top.dialog_mut().input()) {
        Some(input) => input.paste(text),
        None => return Vec::new(),
    }
    typed(model)
}

impl Model {
    /// Opens a dialog on top of the others.
    pub fn open(&mut self, dialog: impl Into<Layer>) {
        self.layers.push(dialog.into());
    }

    /// Returns the topmost dialog.
    pub(crate) fn top(&self) -> Option<&dyn Dialog> {
        self.layers.last().map(Layer::dialog)
    }
}
