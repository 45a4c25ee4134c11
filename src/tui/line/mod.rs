//! An input line with completions.

pub mod candidates;
pub mod model;
pub mod purpose;
pub mod update;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use model::Prompt;

impl Dialog for Prompt {
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
        update::typed(model)
    }

    fn check(model: &mut Model) -> Vec<Effect> {
        update::note::of_prompt(model)
    }

    fn offers(&self, _: &Model, action: Action) -> Option<bool> {
        let is_of_lines =
            matches!(action, Action::Older | Action::Newer | Action::Complete | Action::CompleteBack);
        is_of_lines.then(|| self.purpose.has_history())
    }

    fn is_line(&self) -> bool {
        self.purpose.is_line()
    }

    fn draw_line(&self, frame: &mut Frame<'_>, model: &Model, area: Rect) {
        view::line(frame, model, self, area);
    }
}
