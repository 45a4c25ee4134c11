//! What lies over the screen and takes the keys: what it must be able to do.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::input::Input;

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
