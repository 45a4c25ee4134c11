//! The theme picker: moving the cursor changes the screen at once.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::model::look::Chosen;
use crate::tui::themes::model::Picker;

/// Opens the picker with the cursor on the current theme.
pub(crate) fn open(model: &mut Model) {
    let themes = &model.look.themes;
    if !themes.has_colours() {
        model.say(Tone::Plain, "this terminal has no colors: only the theme mono is available", None);
        return;
    }
    let cursor = themes.all().iter().position(|theme| theme.name == model.theme.name).unwrap_or(0);
    let before = model.theme.clone();
    model.open(Picker { cursor, before });
}

/// Performs `action` in the picker.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Themes(picker)) = model.layers.last_mut() else { return Vec::new() };
    let themes = model.look.themes.all();
    let last = themes.len().saturating_sub(1);
    picker.cursor = match action {
        Action::Down => (picker.cursor + 1).min(last),
        Action::Up => picker.cursor.saturating_sub(1),
        Action::First => 0,
        Action::Last => last,
        Action::Accept => {
            model.layers.pop();
            let name = model.theme.name.clone();
            return choose(model, &name).unwrap_or_default();
        }
        _ => {
            model.theme = picker.before.clone();
            model.layers.pop();
            return Vec::new();
        }
    };
    if let Some(theme) = themes.get(picker.cursor) {
        model.theme = theme.clone();
    }
    Vec::new()
}

/// Switches to a theme and saves the choice; `None` if there is no theme of this name.
pub(crate) fn choose(model: &mut Model, name: &str) -> Option<Vec<Effect>> {
    let theme = model.look.themes.named(name)?.clone();
    model.say(Tone::Good, format!("theme: {}", theme.name), None);
    model.saved.theme = Some(Chosen { theme: theme.name.clone(), instead_of: model.look.theme.clone() });
    model.theme = theme;
    Some(vec![Effect::Save])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{full, press, screen};

    #[test]
    fn moving_shows_a_theme_esc_takes_it_back_enter_keeps_it() {
        let mut model = full(80, 24);
        let before = model.theme.clone();
        press(&mut model, "T j");
        assert_eq!(model.theme.name, "paper");
        assert!(screen(&model).contains("▌ paper"), "{}", screen(&model));
        press(&mut model, "esc");
        assert_eq!((model.theme == before, model.layers.len()), (true, 0));
        press(&mut model, "T G k");
        let chosen = model.theme.name.clone();
        assert_eq!(press(&mut model, "enter"), [Effect::Save]);
        assert_eq!(model.theme.name, chosen);
        let saved = model.saved.theme.clone().unwrap();
        assert_eq!((saved.theme, saved.instead_of), (chosen, None));
    }

    #[test]
    fn a_choice_holds_until_the_configuration_says_something_else() {
        let mut model = full(80, 24);
        choose(&mut model, "rose-pine").unwrap();
        let chosen = model.saved.theme.clone();
        assert_eq!(model.look.chosen(chosen.as_ref()), Some("rose-pine"));
        model.look.theme = Some("paper".to_owned());
        assert_eq!(model.look.chosen(chosen.as_ref()), None);
        assert_eq!(choose(&mut model, "no such"), None);
    }
}
