//! The run form.

pub mod model;
pub mod presets;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use crate::tui::model::layer::Layer;
use model::RunForm;
use presets::Presets;

impl Dialog for RunForm {
    fn key_context(&self) -> KeyContext {
        match self {
            form if form.is_switch() => KeyContext::Switch,
            form if form.is_choice() => KeyContext::Choice,
            _ => KeyContext::Form,
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::act(model, action)
    }

    fn input(&mut self) -> Option<&mut Input> {
        RunForm::typed(self)
    }

    fn typed(model: &mut Model) -> Vec<Effect> {
        if let Some(Layer::Run(form)) = model.layers.last_mut() {
            form.is_leaving = false;
        }
        update::check(model)
    }

    fn check(model: &mut Model) -> Vec<Effect> {
        update::check(model)
    }
}

impl Dialog for Presets {
    fn key_context(&self) -> KeyContext {
        KeyContext::Presets
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::presets(frame, model, self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::preset::act(model, action)
    }
}
