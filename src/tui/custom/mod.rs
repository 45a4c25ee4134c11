//! Custom commands of the user.

pub mod ask;
pub mod model;
pub mod quotes;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use ask::Ask;

impl Dialog for Ask {
    fn key_context(&self) -> KeyContext {
        KeyContext::Prompt
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

    fn typed(model: &mut Model) -> Vec<Effect> {
        update::typed(model);
        Vec::new()
    }
}
