//! The user's configuration, and what the terminal reports about itself.

use crate::config::{Icons, Ui};
use crate::tui::effect::Effect;
use crate::tui::event::Configured;
use crate::tui::failure::{Failure, Tone};
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::model::look::Ground;

/// Applies the valid part of the configuration and reports the errors.
pub(crate) fn begin(model: &mut Model, configured: Configured) {
    let faults = take(model, configured).1;
    tell(model, &faults);
}

/// Applies the valid part of a reloaded configuration; the old settings remain in force for the
/// rest.
pub(crate) fn configured(model: &mut Model, new: Configured) -> Vec<Effect> {
    let (effects, faults) = take(model, new);
    if faults.is_empty() {
        model.say(Tone::Good, "configuration reloaded", None);
    }
    tell(model, &faults);
    effects
}

/// Applies a configuration. Returns the effects and the errors.
fn take(model: &mut Model, new: Configured) -> (Vec<Effect>, Vec<String>) {
    let Configured { ui, keymap, mut themes, broken, mut faults } = new;
    for name in &broken {
        themes.put_old(model.look.themes.named(name));
    }
    model.look.themes = themes;
    if let Some(keymap) = keymap {
        model.keymap = keymap;
        model.pending.clear();
    }
    let effects = ui.map_or_else(Vec::new, |ui| take_over(model, ui));
    if let Some(missing) = dress(model) {
        faults.push(format!("no such theme: {missing}"));
    }
    (effects, faults)
}

/// Reports the first error; the details page lists all of them.
fn tell(model: &mut Model, faults: &[String]) {
    let [first, more @ ..] = faults else { return };
    let rest = if more.is_empty() { String::new() } else { format!(" (and {} more)", more.len()) };
    model.fail(Failure { what: first.clone(), why: more.to_vec(), hint: None });
    model.say(Tone::Bad, format!("{first}{rest}"), None);
}

/// Applies the parts of `[ui]` that take effect immediately.
fn take_over(model: &mut Model, ui: Ui) -> Vec<Effect> {
    let look = &mut model.look;
    look.theme = ui.theme;
    look.icons_are_free = ui.icons.is_none();
    look.icons = ui.icons.unwrap_or(match look.lacks_unicode {
        true => Icons::Ascii,
        false => Icons::Unicode,
    });
    (look.keymap, look.navigator, look.motion) = (ui.keymap, ui.navigator, ui.motion);
    (look.is_read_only, look.must_be_read_only) = (ui.read_only, ui.read_only);
    look.commands = ui.commands;
    let has_mouse = std::mem::replace(&mut look.mouse, ui.mouse);
    if has_mouse == ui.mouse { Vec::new() } else { vec![Effect::Mouse(ui.mouse)] }
}

/// Applies the chosen theme; returns its name if there is no such theme.
fn dress(model: &mut Model) -> Option<String> {
    let chosen = model.look.chosen(model.saved.theme.as_ref());
    let (theme, missing) = model.look.begin(chosen);
    model.theme = theme;
    // The theme that the picker would restore is no longer in use.
    model.layers.retain(|layer| !matches!(layer, Layer::Themes(_)));
    missing
}

/// Stores whether the terminal's background is light or dark.
pub(crate) fn ground(model: &mut Model, ground: Ground) {
    model.look.ground = Some(ground);
    dress(model);
}

/// Reacts to a terminal that does not draw hoist's symbols one column wide.
pub(crate) fn lacks_unicode(model: &mut Model) -> Vec<Effect> {
    model.look.lacks_unicode = true;
    if !model.look.icons_are_free {
        return Vec::new();
    }
    model.look.icons = Icons::Ascii;
    vec![Effect::Redraw]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, press, screen};
    use crate::tui::keymap::Keymap;
    use crate::tui::theme::{Depth, SHIPPED, Theme, Themes};
    use crate::tui::update::update;

    fn configured(ui: Option<Ui>) -> Configured {
        Configured {
            ui,
            keymap: None,
            themes: Themes::of_hoist(Depth::True),
            broken: Default::default(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn what_was_saved_holds_at_once() {
        let mut model = full(80, 24);
        let ui =
            Ui { theme: Some("paper".to_owned()), icons: Some(Icons::Ascii), mouse: false, ..Ui::default() };
        let keymap = Keymap::read(Some("[containers]\nF = \"stats\"")).unwrap();
        let new = Configured { keymap: Some(keymap.into()), ..configured(Some(ui)) };
        assert_eq!(update(&mut model, Event::Configured(Box::new(new))), [Effect::Mouse(false)]);
        assert_eq!(model.theme.name, "paper");
        assert!(screen(&model).is_ascii());
        press(&mut model, "F");
        assert!(screen(&model).contains("Stats]"), "{}", screen(&model));
    }

    #[test]
    fn what_is_broken_is_told_and_changes_nothing() {
        let mut model = full(80, 24);
        let own = Theme::read(&SHIPPED[0].replace("midnight", "mine"), Depth::True).unwrap();
        let mut new = configured(Some(Ui { theme: Some("mine".to_owned()), ..Ui::default() }));
        new.themes.put(own);
        update(&mut model, Event::Configured(Box::new(new)));
        assert_eq!(model.theme.name, "mine");
        let mut broken = configured(None);
        broken.broken.insert("mine".to_owned());
        broken.faults =
            vec!["config.toml, line 2, column 3: unknown field `x`".to_owned(), "more".to_owned()];
        assert!(update(&mut model, Event::Configured(Box::new(broken))).is_empty());
        assert_eq!(model.theme.name, "mine");
        assert!(screen(&model).contains("✗ config.toml, line 2, column 3: unknown field `x` (and 1 more)"));
        assert!(model.failure().is_some());
    }

    #[test]
    fn the_background_decides_only_where_nothing_is_said() {
        let mut model = full(80, 24);
        update(&mut model, Event::Ground(Ground::Light));
        assert_eq!(model.theme.name, "paper");
        let mut model = full(80, 24);
        let ui = Ui { theme: Some("midnight".to_owned()), ..Ui::default() };
        update(&mut model, Event::Configured(Box::new(configured(Some(ui)))));
        update(&mut model, Event::Ground(Ground::Light));
        assert_eq!(model.theme.name, "midnight");
    }

    #[test]
    fn a_terminal_without_unicode_gets_ascii_unless_icons_are_configured() {
        let mut model = full(80, 24);
        assert_eq!(update(&mut model, Event::LacksUnicode), [Effect::Redraw]);
        assert!(screen(&model).is_ascii());
        update(&mut model, Event::Configured(Box::new(configured(Some(Ui::default())))));
        assert!(screen(&model).is_ascii());
        let ui = Ui { icons: Some(Icons::Unicode), ..Ui::default() };
        update(&mut model, Event::Configured(Box::new(configured(Some(ui)))));
        assert!(!screen(&model).is_ascii());
        assert!(update(&mut model, Event::LacksUnicode).is_empty());
    }
}
