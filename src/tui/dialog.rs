//! The interface of dialogs, which are drawn over the screen and take the keys.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use crate::tui::model::input::Input;

/// A dialog over the screen. The defaults do nothing.
pub(crate) trait Dialog {
    /// Returns the context in which its keys are looked up.
    fn key_context(&self) -> KeyContext;

    /// Draws the dialog over the screen.
    fn draw(&self, frame: &mut Frame<'_>, model: &Model);

    /// Applies an action while this is the topmost dialog.
    fn act(model: &mut Model, action: Action) -> Vec<Effect>
    where
        Self: Sized;

    /// Returns the input field, if the dialog has one.
    fn input(&mut self) -> Option<&mut Input> {
        None
    }

    /// Returns its menu, if it consists of one, so that the mouse can choose from it.
    fn menu(&mut self) -> Option<&mut Menu> {
        None
    }

    /// Whether this key closes the dialog instead of being typed into its field.
    fn is_closed_by(&self, _key: &KeyEvent) -> bool {
        false
    }

    /// Reacts to a change of the input field.
    fn typed(_model: &mut Model) -> Vec<Effect>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Reacts to new facts about the paths that were typed.
    fn check(_model: &mut Model) -> Vec<Effect>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Adapts the dialog to the size of the screen.
    fn fit(&mut self, _size: (u16, u16)) {}

    /// Returns whether an action currently has an effect here; `None` for the usual rule.
    fn offers(&self, _model: &Model, _action: Action) -> Option<bool> {
        None
    }

    /// Whether the dialog is an input line at the bottom of the screen, which covers nothing.
    fn is_line(&self) -> bool {
        false
    }

    /// Draws the input line at the bottom.
    fn draw_line(&self, _frame: &mut Frame<'_>, _model: &Model, _area: Rect) {}

    /// Whether it shows colours from outside the theme: program output or other themes.
    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        false
    }
}
