//! A yes-or-no question before an action. The default is no.

pub mod model;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use model::Confirm;

impl Dialog for Confirm {
    fn key_context(&self) -> KeyContext {
        KeyContext::Confirm
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }
}
