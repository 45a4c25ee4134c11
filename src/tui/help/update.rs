//! The keys of the help.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::help::model::Help;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;

/// Opens the help of the place that has the focus.
pub(crate) fn open(model: &mut Model) {
    let place = model.key_context();
    model.open(Help::new(place));
}

/// Performs `action` in the help.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let step = usize::from(model.size.1.saturating_sub(8).max(1));
    let Some(Layer::Help(help)) = model.layers.last_mut() else { return Vec::new() };
    let count = help.found(&model.keymap).map(|found| found.len());
    let at = if count.is_some() { &mut help.cursor } else { &mut help.top };
    // Only the view knows the number of lines. This is more than any help has.
    let last = count.map_or(500, |count| count.saturating_sub(1));
    match action {
        Action::Down => *at = (*at + 1).min(last),
        Action::Up => *at = at.saturating_sub(1),
        Action::PageDown => *at = (*at + step).min(last),
        Action::PageUp => *at = at.saturating_sub(step),
        Action::NextTab | Action::PreviousTab => {
            (help.shows_others, help.top) = (!help.shows_others, 0);
        }
        Action::Accept => return accept(model),
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// Resets the cursor for a changed query.
pub(crate) fn typed(model: &mut Model) {
    if let Some(Layer::Help(help)) = model.layers.last_mut() {
        help.cursor = 0;
    }
}

/// Performs the selected action, if it is available here.
fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Help(help)) = model.layers.pop() else { return Vec::new() };
    let Some(found) = help.found(&model.keymap) else { return Vec::new() };
    let Some(entry) = found.get(help.cursor).cloned() else { return Vec::new() };
    if !entry.is_here {
        let text = format!("{} only works in [{}]", entry.keys.join(" "), entry.place.name());
        model.say(Tone::Plain, text, None);
        return Vec::new();
    }
    // The place may have changed while the help was open.
    let is_there = model.key_context() == help.place || help.place == KeyContext::Global;
    match model.keymap.custom(help.place, &entry.strokes) {
        _ if !is_there => Vec::new(),
        Some(custom) => crate::tui::custom::update::run(model, custom),
        None => model.act(entry.action),
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{full, press, screen, write};
    use crate::tui::model::layer::Layer;

    #[test]
    fn what_is_found_is_done() {
        let mut model = full(80, 24);
        press(&mut model, "?");
        write(&mut model, "signal");
        assert!(screen(&model).contains("Send a signal to the container"), "{}", screen(&model));
        press(&mut model, "enter");
        assert!(matches!(model.layers.as_slice(), [Layer::Signals(_)]));
    }

    #[test]
    fn what_holds_elsewhere_is_told_and_not_done() {
        let mut model = full(80, 24);
        press(&mut model, "?");
        write(&mut model, "Pull an image");
        press(&mut model, "enter");
        assert!(model.layers.is_empty());
        assert!(screen(&model).contains("only works in [images]"), "{}", screen(&model));
    }

    #[test]
    fn the_key_that_opened_it_closes_it() {
        let mut model = full(80, 24);
        press(&mut model, "?");
        press(&mut model, "tab");
        assert!(screen(&model).contains("other screens"));
        press(&mut model, "?");
        assert!(model.layers.is_empty());
    }
}
