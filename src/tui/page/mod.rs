//! A dialog with a page of text.

pub mod model;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use model::Page;

impl Dialog for Page {
    fn key_context(&self) -> KeyContext {
        KeyContext::Page
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }

    fn fit(&mut self, size: (u16, u16)) {
        Page::fit(self, size);
    }
}
