//! What dialogs do, by the table of them.
//!
//! A new dialog is its folder, whose `mod.rs` joins its model, update and view to a [`Dialog`]; a
//! row in [`layer`](super::model::layer); and its place in the keymap. A line to type is no dialog
//! of its own: it is a [`Purpose`](crate::tui::line::purpose::Purpose) of the one that types lines.

use crossterm::event::KeyEvent;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::layer::{Layer, each_dialog};

macro_rules! dialogs {
    ($($name:ident $dialog:ty;)*) => {
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

each_dialog!(dialogs);

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
