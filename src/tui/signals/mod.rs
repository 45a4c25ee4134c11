//! The menu of signals for containers or for a process of a container.

pub mod model;
pub mod update;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::menu;
use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use model::SignalMenu;

impl Dialog for SignalMenu {
    fn key_context(&self) -> KeyContext {
        KeyContext::Menu
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        menu::view::draw(frame, model, &self.menu, "↵ send · Esc close");
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }

    fn menu(&mut self) -> Option<&mut Menu> {
        Some(&mut self.menu)
    }
}
