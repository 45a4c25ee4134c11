//! The keys of the confirmation dialog.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;

/// Performs `action` in the dialog.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Confirm(question)) = model.layers.last_mut() else { return Vec::new() };
    let room = question.rows(model.size);
    let step = room.saturating_sub(1).max(1);
    let last = question.items.len().saturating_sub(room);
    question.top = match action {
        Action::Down => (question.top + 1).min(last),
        Action::Up => question.top.saturating_sub(1),
        Action::PageDown => (question.top + step).min(last),
        Action::PageUp => question.top.saturating_sub(step),
        Action::Accept => {
            let effects = std::mem::take(&mut question.effects);
            model.layers.pop();
            return model.confirmed(effects);
        }
        _ => {
            model.layers.pop();
            return Vec::new();
        }
    };
    Vec::new()
}
