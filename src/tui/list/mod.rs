//! Lists of objects: their rows, columns, order, filter and marks.

pub mod batch;
pub mod columns;
pub mod filter;
pub mod flash;
pub mod jumps;
pub mod model;
pub mod rows;
pub mod table;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use columns::Choice;

impl Dialog for Choice {
    fn key_context(&self) -> KeyContext {
        KeyContext::Columns
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::choice(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::choose(model, action)
    }
}
