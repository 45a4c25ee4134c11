//! The searchable list of keys.

pub mod model;
pub mod update;
pub mod view;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use model::Help;

impl Dialog for Help {
    fn key_context(&self) -> KeyContext {
        KeyContext::Help
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }

    fn input(&mut self) -> Option<&mut Input> {
        Some(&mut self.input)
    }

    fn is_closed_by(&self, key: &KeyEvent) -> bool {
        // The key that opened the help also closes it.
        self.input.text().is_empty() && key.code == KeyCode::Char('?')
    }

    fn typed(model: &mut Model) -> Vec<Effect> {
        update::typed(model);
        Vec::new()
    }
}
