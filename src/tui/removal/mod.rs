//! The dialog that asks before objects are removed.

pub mod model;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use model::Question;

impl Dialog for Question {
    fn key_context(&self) -> KeyContext {
        KeyContext::Removal
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }

    fn offers(&self, model: &Model, action: Action) -> Option<bool> {
        let has_choice = model.keeping.time.is_some() && !self.is_final();
        (action == Action::SkipTrash).then_some(has_choice)
    }
}
