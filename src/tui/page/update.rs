//! The keys of a page.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::page::model::Page;

/// Scrolls or closes the page.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let step = Page::room(model.size).1.saturating_sub(1).max(2);
    let Some(Layer::Page(page)) = model.layers.last_mut() else { return Vec::new() };
    page.top = match action {
        Action::Down => page.top + 1,
        Action::Up => page.top.saturating_sub(1),
        Action::HalfDown => page.top + step / 2,
        Action::HalfUp => page.top.saturating_sub(step / 2),
        Action::PageDown => page.top + step,
        Action::PageUp => page.top.saturating_sub(step),
        Action::First => 0,
        Action::Last => page.rows().len(),
        _ => {
            model.layers.pop();
            return Vec::new();
        }
    };
    Vec::new()
}
