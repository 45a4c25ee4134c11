//! The contents of the palette, and running the chosen entry.

use std::collections::BTreeSet;

use crate::command::join;
use crate::tui::action::{Action, Group};
use crate::tui::containers::fit::{self, Verb};
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::form::update::preset;
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::{app, command, note, options, prompt};
use crate::tui::list::update::select;
use crate::tui::model::input::Input;
use crate::tui::model::layer::Layer;
use crate::tui::model::{Focus, Model};
use crate::tui::palette::model::{Deed, Does, Entry, Object, Palette, equivalent};
use crate::tui::section::Section;

/// Actions that need no row, whatever list their key belongs to.
const ALONE: &[Action] = &[
    Action::FromHost,
    Action::Pull,
    Action::Load,
    Action::Import,
    Action::ShowAll,
    Action::ClearTasks,
    Action::Undo,
    Action::EmptyTrash,
];

/// The number of recent actions to remember.
const RECENT: usize = 20;

/// Opens the palette.
pub(crate) fn open(model: &mut Model) {
    let palette = Palette::new(deeds(model), objects(model));
    model.open(palette);
}

/// Returns all actions: from the keymap, the `:` line, and the saved commands.
fn deeds(model: &Model) -> Vec<Deed> {
    let mut deeds = Vec::new();
    let mut alone = BTreeSet::new();
    for (section, place) in lists() {
        let mut seen = BTreeSet::new();
        for binding in model.keymap.of(place) {
            let action = binding.action;
            // Actions on a list itself are only offered for the current list.
            let is_of_list = matches!(action.group(), Group::Sort | Group::List | Group::Find);
            if is_of_list && section != model.section {
                continue;
            }
            let is_own = binding.place == place && !ALONE.contains(&action) && !is_of_list;
            let is_deed =
                !matches!(action.group(), Group::Move | Group::Dialog | Group::Terminal | Group::Custom)
                    && action != Action::Palette;
            if is_deed && is_own && seen.insert(action) {
                match fit::meanings(action) {
                    [] => deeds.push(deed(model, action, Some(section))),
                    verbs => deeds.extend(verbs.iter().map(|verb| verb_deed(model, action, section, *verb))),
                }
            } else if is_deed && !is_own && alone.insert(action) {
                deeds.push(deed(model, action, None));
            }
        }
    }
    deeds.extend(model.look.commands.iter().enumerate().map(|(at, command)| {
        let place = lists().find(|(_, place)| place.name() == command.place.0);
        Deed {
            recent: recent(model, &command.name),
            name: command.name.clone(),
            about: "Run a custom command".to_owned(),
            keys: command.key.0.replace(' ', ""),
            on: place.map(|(section, _)| section),
            kind: "custom",
            does: Does::Custom(at),
        }
    }));
    // Commands such as `:containers` are left out, because keys do the same.
    let line = |line: String, about: &str, kind| Deed {
        name: line.clone(),
        about: about.to_owned(),
        keys: String::new(),
        on: None,
        kind,
        recent: recent(model, &line),
        does: Does::Line(line),
    };
    for command in app::COMMANDS {
        for word in (command.words)(model, &[]) {
            let setting =
                options::SETTINGS.iter().find(|setting| command.name == "set" && setting.name == word);
            let about = setting.map_or(command.about, |setting| setting.about);
            let is_switch = setting.is_none_or(options::Setting::is_switch);
            let is_whole = is_switch && !needs_more(command.arguments, &word);
            let deed = line(format!("{} {word}", command.name), about, "setting");
            let does = if is_whole { deed.does.clone() } else { Does::Type(format!("{} ", deed.name)) };
            deeds.push(Deed { does, ..deed });
        }
    }
    deeds.extend(crate::command::summary().map(|(verb, about)| Deed {
        does: Does::Type(format!("{verb} ")),
        ..line(verb.to_owned(), about, "command")
    }));
    deeds.extend(model.saved.presets.iter().map(|(name, words)| Deed {
        name: format!("run {name}"),
        about: join(words),
        keys: String::new(),
        on: None,
        kind: "preset",
        recent: recent(model, &format!("run {name}")),
        does: Does::Preset(name.clone()),
    }));
    deeds
}

/// Returns the keys of an action in the current context; none if they mean something else there.
fn keys(model: &Model, action: Action, on: Option<Section>) -> String {
    match on {
        Some(section) if section != model.acted_section() => String::new(),
        _ => model.keys_of(model.key_context_below(), action),
    }
}

fn deed(model: &Model, action: Action, on: Option<Section>) -> Deed {
    let name = action.name().replace('-', " ");
    Deed {
        recent: recent(model, &name),
        name,
        about: action.help().to_owned(),
        keys: keys(model, action, on),
        on,
        kind: "",
        does: Does::Act(action),
    }
}

/// Returns one of the meanings of an action, which depends on the state of its object.
fn verb_deed(model: &Model, action: Action, section: Section, verb: Verb) -> Deed {
    let words = verb.words();
    Deed {
        name: words.present.to_owned(),
        about: format!("{} the container", words.capitalized()),
        recent: recent(model, words.present),
        ..deed(model, action, Some(section))
    }
}

/// Whether a name must follow `word` in `[save|load] NAME`.
fn needs_more(arguments: &str, word: &str) -> bool {
    let verbs = arguments.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    verbs.is_some_and(|(verbs, rest)| {
        rest.starts_with(char::is_uppercase) && verbs.split('|').any(|verb| verb == word)
    })
}

fn recent(model: &Model, name: &str) -> Option<usize> {
    model.saved.recent.iter().rev().position(|old| old == name)
}

/// Returns the lists with objects, and the context of their keys.
fn lists() -> impl Iterator<Item = (Section, KeyContext)> {
    let all = Section::ALL.into_iter().filter(|section| section.screen().has_objects);
    all.map(|section| (section, section.key_context()))
}

/// Returns all objects.
fn objects(model: &Model) -> Vec<Object> {
    let mut objects = Vec::new();
    for (section, _) in lists() {
        let list = model.list_of(section);
        // A selection in another list, or behind a page, is not what the user is looking at.
        let selected = match (model.focus, model.subject()) {
            (Focus::List, _) => list.key().filter(|_| section == model.section),
            (_, Some(subject)) if subject.section() == section => list.key_of(model, &subject),
            _ => None,
        };
        objects.extend(list.titles().into_iter().map(|(key, name)| Object {
            of: section,
            is_selected: selected.as_ref() == Some(&key),
            unfit: unfit(model, section, &key),
            meant: meant(model, section, &key),
            key,
            name,
        }));
    }
    objects
}

/// Returns the actions that the state of an object does not allow.
fn unfit(model: &Model, section: Section, key: &str) -> Vec<Action> {
    let row = model.containers.get(key).filter(|_| section == Section::Containers);
    row.map(fit::unfit).unwrap_or_default()
}

/// Returns the verbs that actions with several meanings have for an object.
fn meant(model: &Model, section: Section, key: &str) -> Vec<(Action, &'static str)> {
    let row = model.containers.get(key).filter(|_| section == Section::Containers);
    let verb = |action: &Action| Some((*action, fit::meant(*action, row)?.words().present));
    let ambiguous = fit::ACTIONS.iter().filter(|action| !fit::meanings(**action).is_empty());
    if row.is_none() { Vec::new() } else { ambiguous.filter_map(verb).collect() }
}

/// Applies `action` to the palette.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Palette(palette)) = model.layers.last_mut() else { return Vec::new() };
    let last = palette.shown.len().saturating_sub(1);
    match action {
        Action::Down => palette.cursor = (palette.cursor + 1).min(last),
        Action::Up => palette.cursor = palette.cursor.saturating_sub(1),
        Action::PageDown => palette.cursor = (palette.cursor + 10).min(last),
        Action::PageUp => palette.cursor = palette.cursor.saturating_sub(10),
        Action::Complete => {
            if let Some(entry) = palette.chosen() {
                let object =
                    entry.object.as_ref().map_or_else(String::new, |object| format!(" {}", object.name));
                palette.input = Input::new(&format!("{}{object}", entry.deed.name));
                palette.search();
            }
        }
        Action::CopyShown => {
            let line = palette.chosen().and_then(equivalent);
            return match line {
                Some(words) => crate::tui::update::copy::text(model, format!("hoist {}", join(&words))),
                None => {
                    model.say(Tone::Plain, "there is no equivalent command", None);
                    Vec::new()
                }
            };
        }
        Action::Accept => {
            let chosen = palette.chosen().cloned();
            model.layers.pop();
            return chosen.map_or_else(Vec::new, |entry| perform(model, entry));
        }
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// Updates the matches after a change of the search text.
pub(crate) fn typed(model: &mut Model) -> Vec<Effect> {
    if let Some(Layer::Palette(palette)) = model.layers.last_mut() {
        palette.search();
    }
    Vec::new()
}

/// Runs an entry, as its key would.
fn perform(model: &mut Model, entry: Entry) -> Vec<Effect> {
    remember(model, &entry.deed.name);
    let mut effects = vec![Effect::Save];
    if let Some(object) = &entry.object
        && !select(model, object.of, &object.key)
    {
        model.say(Tone::Bad, format!("{} no longer exists", object.name), None);
        return Vec::new();
    }
    effects.extend(match entry.deed.does {
        Does::Act(action) => model.act(action),
        Does::Line(line) => command::line(model, &line),
        Does::Type(line) => {
            prompt(model, command::CommandLine, &line);
            note::of_prompt(model)
        }
        Does::Preset(name) => preset::open(model, &name),
        Does::Custom(at) => crate::tui::custom::update::run(model, at),
    });
    effects
}

fn remember(model: &mut Model, name: &str) {
    let recent = &mut model.saved.recent;
    recent.retain(|old| old != name);
    recent.push(name.to_owned());
    let surplus = recent.len().saturating_sub(RECENT);
    recent.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::effect::ContainerVerb;
    use crate::tui::fixture::{full, press, screen, write};

    fn chosen(model: &mut Model, text: &str, keys: &str) -> Vec<Effect> {
        press(model, "ctrl-p");
        write(model, text);
        press(model, keys)
    }

    #[test]
    fn what_is_chosen_is_done_as_its_key_would_do_it() {
        let mut model = full(80, 24);
        press(&mut model, "2");
        let effects = chosen(&mut model, "restart batch", "enter");
        let id = model.container().unwrap().id.clone();
        assert_eq!(model.container().unwrap().name, "batch");
        assert_eq!(effects, [Effect::Save, Effect::Container(ContainerVerb::Restart, id)]);
        // It asks for a confirmation if the key does.
        chosen(&mut model, "remove force web", "enter");
        assert!(screen(&model).contains("Remove 1 container?"));
        press(&mut model, "esc");
        chosen(&mut model, "set all", "enter");
        assert!(!model.shows_all);
        chosen(&mut model, "unpause command", "enter");
        assert!(screen(&model).contains(":unpause"));
    }

    #[test]
    fn what_names_an_object_is_not_done_to_what_is_marked() {
        let mut model = full(80, 24);
        press(&mut model, "space space");
        assert_eq!(model.marked().len(), 2);
        let effects = chosen(&mut model, "restart batch", "enter");
        let row = model.container().unwrap();
        assert_eq!(row.name, "batch");
        let id = row.id.clone();
        assert_eq!(effects, [Effect::Save, Effect::Container(ContainerVerb::Restart, id)]);
    }

    #[test]
    fn an_object_is_offered_the_verb_of_its_state() {
        let names = |text: &str| {
            let mut model = full(80, 24);
            press(&mut model, "ctrl-p");
            write(&mut model, text);
            let Some(Layer::Palette(palette)) = model.layers.pop() else { panic!() };
            let of_rows = palette.shown.iter().filter(|entry| entry.object.is_some());
            of_rows.map(|entry| (entry.deed.name.clone(), entry.deed.about.clone())).collect::<Vec<_>>()
        };
        let deed = |name: &str, about: &str| (name.to_owned(), about.to_owned());
        assert_eq!(names("stop web")[0], deed("stop", "Stop the container"));
        assert_eq!(names("start migrate")[0], deed("start", "Start the container"));
        assert_eq!(names("unpause batch")[0], deed("unpause", "Unpause the container"));
        for (text, verb) in [("start web", "start"), ("stop migrate", "stop"), ("pause batch", "pause")] {
            assert!(names(text).iter().all(|(name, _)| name != verb), "{text}");
        }
        let effects = chosen(&mut full(80, 24), "stop web", "ctrl-y");
        assert_eq!(effects, [Effect::Copy("hoist stop web".to_owned())]);
    }

    #[test]
    fn keys_are_those_of_the_page_that_is_open() {
        let keys_of = |way: &str, text: &str| {
            let mut model = full(80, 24);
            press(&mut model, way);
            press(&mut model, "ctrl-p");
            write(&mut model, text);
            let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
            palette.chosen().unwrap().deed.keys.clone()
        };
        // On a page, the list's keys have a comma prefix, and `r` of images restarts here.
        let cases = [
            ("j", "restart api", "r"),
            ("j", "run debian:13", ""),
            ("j", "pull", ""),
            ("l", "restart api", ",r"),
            ("2", "run debian:13", "r"),
            ("2", "restart api", ""),
            ("l", "theme", "T"),
        ];
        for (way, text, keys) in cases {
            assert_eq!(keys_of(way, text), keys, "{way}: {text}");
        }
    }

    #[test]
    fn what_was_done_lately_is_offered_first() {
        let mut model = full(80, 24);
        chosen(&mut model, "inspect web", "enter");
        press(&mut model, "q ctrl-p");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
        assert_eq!(palette.shown[0].deed.name, "inspect");
        assert_eq!(model.saved.recent, ["inspect"]);
    }

    #[test]
    fn what_is_chosen_is_copied_as_a_command() {
        let mut model = full(80, 24);
        let effects = chosen(&mut model, "restart web", "ctrl-y");
        assert_eq!(effects, [Effect::Copy("hoist restart web".to_owned())]);
        press(&mut model, "tab");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
        assert_eq!(palette.input.text(), "restart web");
    }

    #[test]
    fn everything_that_is_copied_is_understood_by_the_grammar() {
        let mut model = full(80, 24);
        press(&mut model, "ctrl-p");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
        let lines: Vec<_> =
            palette.shown.iter().filter(|entry| entry.object.is_some()).filter_map(equivalent).collect();
        assert!(lines.len() > 20);
        for words in lines {
            crate::command::parse(&words).unwrap_or_else(|usage| panic!("{words:?}: {usage}"));
        }
    }
}
