//! Work in the background, and how it goes on.

pub mod model;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialogs::Dialog;
use crate::tui::event::Effect;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use model::{OutputPage, ProgressPage};

impl Dialog for ProgressPage {
    fn place(&self) -> Place {
        Place::Progress
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, *self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::watch(model, action)
    }

    fn label(&self, model: &Model, action: Action) -> Option<&'static str> {
        (action == Action::Background && model.session_is_over(self.id)).then_some("close")
    }

    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        true
    }
}

impl Dialog for OutputPage {
    fn place(&self) -> Place {
        Place::Output
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::output(frame, model, *self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::reading(model, action)
    }

    fn label(&self, _: &Model, action: Action) -> Option<&'static str> {
        (action == Action::Dismiss).then_some("close")
    }

    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        true
    }
}
