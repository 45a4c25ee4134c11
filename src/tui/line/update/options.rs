//! `:set` changes settings of `[ui]` until hoist exits. The settings are one table.

use crate::config::{Icons, Navigator, Preset};
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::model::Model;
use crate::tui::page::model::Page;

/// A setting.
pub(crate) struct Setting {
    /// The name in `:set`, and in `[ui]` if it exists there.
    pub(crate) name: &'static str,
    /// A description in one sentence.
    pub(crate) about: &'static str,
    values: fn(&Model) -> Vec<String>,
    value: fn(&Model) -> String,
    /// Sets one of the values.
    set: fn(&mut Model, &str) -> Result<Vec<Effect>, String>,
}

/// All settings.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "all",
        about: "Show all containers, not only running ones",
        values: switch,
        value: |model| on_off(model.shows_all),
        set: |model, value| {
            model.shows_all = is_on(value);
            Ok(Vec::new())
        },
    },
    Setting {
        name: "theme",
        about: "The theme; `:theme` also saves it",
        values: |model| model.look.themes.all().iter().map(|theme| theme.name.clone()).collect(),
        value: |model| model.theme.name.clone(),
        set: |model, value| {
            if let Some(theme) = model.look.themes.named(value).cloned() {
                model.theme = theme;
            }
            Ok(Vec::new())
        },
    },
    Setting {
        name: "icons",
        about: "The set of symbols",
        values: |_| names(ICONS),
        value: |model| name_of(ICONS, model.look.icons),
        set: |model, value| {
            model.look.icons = of_name(ICONS, value);
            model.look.icons_are_free = false;
            Ok(vec![Effect::Redraw])
        },
    },
    Setting {
        name: "keymap",
        about: "The base keymap; your own keys are added to it",
        values: |_| names(PRESETS),
        value: |model| name_of(PRESETS, model.look.keymap),
        set: |_, value| Ok(vec![Effect::Keymap(of_name(PRESETS, value))]),
    },
    Setting {
        name: "navigator",
        about: "When to show the navigator: on wide terminals, wherever it fits, or never",
        values: |_| names(NAVIGATORS),
        value: |model| name_of(NAVIGATORS, model.look.navigator),
        set: |model, value| {
            model.look.navigator = of_name(NAVIGATORS, value);
            Ok(Vec::new())
        },
    },
    Setting {
        name: "mouse",
        about: "Let hoist use the mouse instead of the terminal",
        values: switch,
        value: |model| on_off(model.look.mouse),
        set: |model, value| {
            model.look.mouse = is_on(value);
            Ok(vec![Effect::Mouse(is_on(value))])
        },
    },
    Setting {
        name: "motion",
        about: "Animate progress and highlight changes",
        values: switch,
        value: |model| on_off(model.look.motion),
        set: |model, value| {
            model.look.motion = is_on(value);
            Ok(Vec::new())
        },
    },
    Setting {
        name: "read-only",
        about: "Reject everything that makes changes",
        values: switch,
        value: |model| on_off(model.look.is_read_only),
        set: |model, value| {
            if model.look.must_be_read_only && !is_on(value) {
                return Err("read-only was set on the command line or in the configuration".to_owned());
            }
            model.look.is_read_only = is_on(value);
            let (text, hint) = match is_on(value) {
                true => ("read-only mode is on", Some("terminals get no keys".to_owned())),
                false => ("read-only mode is off", None),
            };
            model.say(Tone::Plain, text, hint);
            Ok(Vec::new())
        },
    },
];

const ICONS: &[(&str, Icons)] =
    &[("unicode", Icons::Unicode), ("ascii", Icons::Ascii), ("nerd", Icons::Nerd)];

const PRESETS: &[(&str, Preset)] =
    &[("default", Preset::Default), ("k9s", Preset::K9s), ("lazydocker", Preset::Lazydocker)];

const NAVIGATORS: &[(&str, Navigator)] =
    &[("auto", Navigator::Auto), ("on", Navigator::On), ("off", Navigator::Off)];

fn names<T>(table: &[(&str, T)]) -> Vec<String> {
    table.iter().map(|(name, _)| (*name).to_owned()).collect()
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: T) -> String {
    table.iter().find(|(_, other)| *other == value).map_or("", |(name, _)| *name).to_owned()
}

/// Returns the value for a name in the table, or the default.
fn of_name<T: Copy + Default>(table: &[(&str, T)], name: &str) -> T {
    table.iter().find(|(other, _)| *other == name).map_or_else(T::default, |(_, value)| *value)
}

fn switch(_: &Model) -> Vec<String> {
    ["on", "off"].map(str::to_owned).to_vec()
}

fn on_off(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

fn is_on(value: &str) -> bool {
    value == "on"
}

impl Setting {
    /// Whether it is a switch.
    pub(crate) fn is_switch(&self) -> bool {
        std::ptr::fn_addr_eq(self.values, switch as fn(&Model) -> Vec<String>)
    }
}

/// Returns completions for `:set`.
pub(crate) fn words(model: &Model, words: &[String]) -> Vec<String> {
    match words {
        [] => SETTINGS.iter().map(|setting| setting.name.to_owned()).collect(),
        [name] => find(name).map_or_else(Vec::new, |setting| (setting.values)(model)),
        _ => Vec::new(),
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Runs `:set`, `:set NAME`, `:set NAME?`, `:set NAME VALUE` or `:set NAME=VALUE`.
pub(crate) fn set(model: &mut Model, words: &[String]) -> Result<Vec<Effect>, String> {
    let (word, value) = match words {
        [] => {
            list(model);
            return Ok(Vec::new());
        }
        [word] => match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        },
        [word, value] => (word.as_str(), Some(value.as_str())),
        _ => return Err("expected an option and a value".to_owned()),
    };
    let name = word.trim_end_matches('?');
    let setting = find(name).ok_or_else(|| {
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        format!("no such option: {name}; the options are {}", known.join(", "))
    })?;
    let now = (setting.value)(model);
    let value = match value {
        None if word == name && setting.is_switch() => on_off(!is_on(&now)),
        None => {
            model.say(Tone::Plain, format!("{name} is {now}: {}", choice(&(setting.values)(model))), None);
            return Ok(Vec::new());
        }
        Some(value) => value.to_owned(),
    };
    let values = (setting.values)(model);
    if !values.contains(&value) {
        return Err(format!("`{value}` is not a valid value of {name}: expected {}", choice(&values)));
    }
    (setting.set)(model, &value)
}

/// Formats the possible values: `on or off`, `unicode, ascii or nerd`
fn choice(values: &[String]) -> String {
    match values {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => values.concat(),
    }
}

/// Shows all settings with their values.
fn list(model: &mut Model) {
    let line = |setting: &Setting| {
        let values = choice(&(setting.values)(model));
        [
            format!("{:<10} {:<10} {}", setting.name, (setting.value)(model), setting.about),
            format!("{:<21} {values}", ""),
        ]
    };
    let mut lines: Vec<String> = SETTINGS.iter().flat_map(line).collect();
    lines.extend([
        String::new(),
        "`:set OPTION VALUE` applies until hoist exits or its configuration is saved.".to_owned(),
        "For permanent settings, use [ui] in config.toml.".to_owned(),
    ]);
    model.open(Page::new("Options".to_owned(), lines));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{full, press, screen, write};

    fn line(model: &mut Model, text: &str) -> Vec<Effect> {
        model.take_failure();
        press(model, ":");
        write(model, text);
        let mut effects = press(model, "enter");
        effects.retain(|effect| *effect != Effect::Save);
        effects
    }

    #[test]
    fn each_option_takes_each_of_its_values_and_says_it() {
        for setting in SETTINGS {
            let mut model = full(120, 40);
            for value in (setting.values)(&model) {
                let effects = line(&mut model, &format!("set {} {value}", setting.name));
                assert_eq!(model.failure(), None, "{} {value}", setting.name);
                match effects.as_slice() {
                    // The driver reads the keymap.
                    [Effect::Keymap(preset)] => assert_eq!(name_of(PRESETS, *preset), value),
                    _ => assert_eq!((setting.value)(&model), value, "{}", setting.name),
                }
                if value != "ascii" {
                    line(&mut model, &format!("set {}?", setting.name));
                    let shown = (setting.value)(&model);
                    let said = &model.notice.as_ref().unwrap().text;
                    assert!(said.starts_with(&format!("{} is {shown}: ", setting.name)), "{said}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_value_is_refused_with_those_that_are() {
        let mut model = full(120, 40);
        for (text, want) in [
            ("set icons round", "`round` is not a valid value of icons: expected unicode, ascii or nerd"),
            ("set mouse=maybe", "`maybe` is not a valid value of mouse: expected on or off"),
            (
                "set nothing",
                "no such option: nothing; the options are all, theme, icons, keymap, navigator, mouse, motion, read-only",
            ),
            ("set a b c", "expected an option and a value"),
        ] {
            line(&mut model, text);
            assert_eq!(model.failure().unwrap().what, want);
        }
        model.look.must_be_read_only = true;
        model.look.is_read_only = true;
        line(&mut model, "set read-only");
        assert!(model.look.is_read_only && model.failure().is_some());
    }

    #[test]
    fn without_an_option_all_are_shown() {
        let mut model = full(120, 40);
        assert_eq!(line(&mut model, "set mouse off"), [Effect::Mouse(false)]);
        assert_eq!(line(&mut model, "set motion"), []);
        line(&mut model, "set");
        let text = screen(&model);
        assert!(text.contains("mouse      off") && text.contains("motion     off"), "{text}");
        assert!(text.contains("theme      midnight"), "{text}");
    }

    #[test]
    fn what_is_set_in_the_session_is_not_kept() {
        let mut model = full(120, 40);
        assert_eq!(line(&mut model, "set theme paper"), []);
        assert_eq!((model.theme.name.as_str(), model.saved.theme.is_none()), ("paper", true));
    }
}
