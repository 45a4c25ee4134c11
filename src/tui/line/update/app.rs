//! Commands of the `:` line that belong to the TUI itself, in one table.
//!
//! A row has the command's name, its arguments, and the function that runs it. The completion, the
//! palette and `:help` use the same table.

use crate::tui::action::Action;
use crate::tui::effect::{Effect, Job};
use crate::tui::failure::{Failure, Tone};
use crate::tui::line::update::{layouts, options};
use crate::tui::list::update as list;
use crate::tui::model::Model;
use crate::tui::page::model::Page;
use crate::tui::tasks::update::quiet_work;
use crate::tui::themes::update as themes;
use crate::tui::update::window;

/// A command.
#[derive(Debug)]
pub(crate) struct AppCommand {
    /// The name.
    pub(crate) name: &'static str,
    /// The arguments, for the help.
    pub(crate) arguments: &'static str,
    /// A description in one line.
    pub(crate) about: &'static str,
    /// Returns completions for the next argument, given the previous ones.
    pub(crate) words: fn(&Model, &[String]) -> Vec<String>,
    /// Runs the command with these arguments.
    pub(crate) run: fn(&mut Model, &[String]) -> Result<Vec<Effect>, String>,
}

/// Commands without arguments that are equivalent to a key.
const KEYS: &[(&str, Action)] = &[
    ("q", Action::Quit),
    ("quit", Action::Quit),
    ("keys", Action::Help),
    ("containers", Action::GoContainers),
    ("volumes", Action::GoVolumes),
    ("networks", Action::GoNetworks),
    ("tasks", Action::GoTasks),
    ("refresh", Action::Refresh),
];

/// The other commands.
pub(crate) const COMMANDS: &[AppCommand] = &[
    AppCommand {
        name: "theme",
        arguments: "NAME",
        about: "Choose the theme",
        words: |model, words| if words.is_empty() { theme_names(model) } else { Vec::new() },
        run: theme,
    },
    AppCommand {
        name: "columns",
        arguments: "[COLUMN…]",
        about: "Choose the columns of the list, in a dialog or by name; `default` resets them",
        words: |model, words| list::column_words(model, words),
        run: list::columns,
    },
    AppCommand {
        name: "export",
        arguments: "keys [FILE]",
        about: "Show all keys as a keymap.toml, or write them to a new file",
        words: |_, words| if words.is_empty() { vec!["keys".to_owned()] } else { Vec::new() },
        run: export,
    },
    AppCommand {
        name: "set",
        arguments: "[OPTION[?] [VALUE]]",
        about: "Set an option until hoist exits; with ? or alone, show its value",
        words: options::words,
        run: options::set,
    },
    AppCommand {
        name: "layout",
        arguments: "[save|load|remove] NAME",
        about: "Restore, save or remove a layout of panes",
        words: |model, words| match words {
            [] => {
                ["save", "load", "remove"].map(str::to_owned).into_iter().chain(layout_names(model)).collect()
            }
            [_] => layout_names(model).collect(),
            _ => Vec::new(),
        },
        run: |model, words| match words {
            [verb, _] if model.look.is_read_only && (verb == "save" || verb == "remove") => {
                model.refuse(&format!("`layout {verb}` makes changes"));
                Ok(Vec::new())
            }
            [verb, name] if verb == "save" => Ok(layouts::save_layout(model, name)),
            [verb, name] if verb == "remove" => Ok(layouts::remove_layout(model, name)),
            [verb, name] if verb == "load" => Ok(layouts::load_layout(model, name)),
            [name] => Ok(layouts::load_layout(model, name)),
            _ => Err("expected NAME, or save, load or remove followed by NAME".to_owned()),
        },
    },
    AppCommand {
        name: "split",
        arguments: "[columns|rows]",
        about: "Split the pane",
        words: |_, words| {
            if words.is_empty() { ["columns", "rows"].map(str::to_owned).into() } else { Vec::new() }
        },
        run: |model, words| match words.first().map(String::as_str) {
            None | Some("columns") => Ok(window::act(model, Action::SplitRight).unwrap_or_default()),
            Some("rows") => Ok(window::act(model, Action::SplitDown).unwrap_or_default()),
            Some(other) => Err(format!("`{other}` is not valid: expected columns or rows")),
        },
    },
];

fn layout_names(model: &Model) -> impl Iterator<Item = String> {
    model.saved.layouts.keys().cloned()
}

/// Returns each command's name, arguments and description.
pub(crate) fn summary() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let keys = KEYS.iter().map(|(name, action)| (*name, "", action.help()));
    keys.chain(COMMANDS.iter().map(|command| (command.name, command.arguments, command.about)))
}

/// Returns completions after `words`, if the first one is a command of the TUI.
pub(crate) fn words(model: &Model, words: &[String]) -> Option<Vec<String>> {
    let (name, rest) = words.split_first()?;
    let command = COMMANDS.iter().find(|command| command.name == name);
    let is_key = KEYS.iter().any(|(key, _)| key == name);
    command.map(|command| (command.words)(model, rest)).or(is_key.then(Vec::new))
}

/// Runs a command; `None` if it is not a command of the TUI.
pub(crate) fn run(model: &mut Model, words: &[String]) -> Option<Vec<Effect>> {
    let (name, rest) = words.split_first()?;
    if let Some((_, action)) = KEYS.iter().find(|(key, _)| key == name && rest.is_empty()) {
        return Some(model.act_here(*action));
    }
    // For a container, `export` is a command of the command line, even if the container is called
    // `keys`: only that one has options.
    let has_option = rest.iter().any(|word| word.starts_with('-'));
    let is_verb = name == "export" && rest.first().is_some_and(|word| word != "keys" || has_option);
    let command = COMMANDS.iter().find(|command| command.name == name && !is_verb)?;
    match (command.run)(model, rest) {
        Ok(effects) => Some(effects),
        Err(why) => {
            let hint = Some(format!(":{} {}", command.name, command.arguments).trim_end().to_owned());
            model.fail(Failure { what: why, why: Vec::new(), hint });
            Some(Vec::new())
        }
    }
}

fn theme_names(model: &Model) -> Vec<String> {
    model.look.themes.all().iter().map(|theme| theme.name.clone()).collect()
}

fn theme(model: &mut Model, words: &[String]) -> Result<Vec<Effect>, String> {
    let [name] = words else { return Err("expected the name of a theme".to_owned()) };
    themes::choose(model, name).ok_or_else(|| format!("no such theme: {name}"))
}

fn export(model: &mut Model, words: &[String]) -> Result<Vec<Effect>, String> {
    let text = model.keymap.to_toml();
    match words {
        [what] if what == "keys" => {
            let lines = text.lines().map(str::to_owned).collect();
            model.open(Page::new("keymap.toml".to_owned(), lines));
            if model.containers.all().iter().any(|row| row.name == "keys") {
                let hint = Some(":export -o FILE keys".to_owned());
                model.say(Tone::Plain, "this is the keymap, not the container `keys`", hint);
            }
            Ok(Vec::new())
        }
        [what, file] if what == "keys" => {
            let path = model.world.absolute(file);
            Ok(vec![quiet_work(model, &format!("write {file}"), Job::Write(path, text))])
        }
        _ => Err("expected `keys` and optionally a file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::full;

    fn words_of(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_option_is_switched_and_turned_over() {
        let mut model = full(80, 24);
        for (line, want) in [("set all off", false), ("set all", true), ("set all on", true)] {
            assert_eq!(run(&mut model, &words_of(line)), Some(Vec::new()));
            assert_eq!(model.shows_all, want, "{line}");
        }
        run(&mut model, &words_of("set nothing"));
        assert!(model.failure().unwrap().what.starts_with("no such option: nothing"));
        assert_eq!(run(&mut model, &words_of("ps")), None);
    }

    #[test]
    fn each_command_has_a_name_of_its_own_that_the_grammar_does_not_have() {
        let mut names: Vec<_> = summary().map(|(name, ..)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        // The next word determines which `export` is meant.
        for line in ["export -o web.tar web", "export -o keys.tar keys", "export keys -o keys.tar"] {
            assert_eq!(run(&mut full(80, 20), &words_of(line)), None, "{line}");
        }
        assert_eq!(run(&mut full(80, 20), &words_of("export keys")), Some(Vec::new()));
        for name in names.into_iter().filter(|name| *name != "export") {
            assert!(crate::command::flags::sorted(&[name.to_owned()]).is_none(), "{name}");
        }
    }
}
