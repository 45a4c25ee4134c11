//! Custom commands and `!`: fills in values of the selected object, asks for missing ones, and runs
//! the command.

use std::collections::HashMap;

use crate::base::text::brief;
use crate::config::Whither;
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::containers::update::terminal::{custom, on_host};
use crate::tui::custom::ask::{Ask, Pending, Ready};
use crate::tui::custom::model::{Placeholder, Template, is_of_plain, is_plain};
use crate::tui::effect::{Effect, Line};
use crate::tui::failure::Failure;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use crate::tui::model::layer::Layer;
use crate::tui::model::titles::name_of;
use crate::tui::section::Subject;
use crate::tui::update::batch::refuse_many;

/// Runs the custom command at this index.
pub(crate) fn run(model: &mut Model, at: usize) -> Vec<Effect> {
    let Some(command) = model.look.commands.get(at).cloned() else { return Vec::new() };
    if model.look.is_read_only && command.whither != Whither::Hoist && !command.is_read_only {
        model.refuse(&format!("`{}` may make changes", command.name));
        return Vec::new();
    }
    match Template::of(&command) {
        Ok(template) => {
            let pending = Pending {
                name: command.name,
                template,
                whither: command.whither,
                is_in_pane: command.pane.is_some_and(|(pane, _)| pane),
                confirm: command.confirm,
                is_read_only: command.is_read_only,
                container: None,
                values: HashMap::new(),
            };
            begin(model, pending)
        }
        Err((fault, at)) => {
            model.fail(Failure { what: format!("{at}: {fault}"), ..Failure::default() });
            Vec::new()
        }
    }
}

/// Asks for a line to run in the host's shell.
pub(crate) fn ask_line(model: &mut Model) {
    if model.look.is_read_only {
        model.refuse("a shell command may make changes");
        return;
    }
    model.open(Ask {
        title: "Run on this machine".to_owned(),
        hint: "{name} {id} {image} {ip} of the selection · {prompt:Title} asks for a value".to_owned(),
        input: Input::default(),
        error: None,
        pending: None,
    });
}

/// Performs `action` in the input dialog.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Accept => accept(model),
        Action::Dismiss => {
            model.layers.pop();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Clears the error when the input changes.
pub(crate) fn typed(model: &mut Model) {
    if let Some(Layer::Ask(ask)) = model.layers.last_mut() {
        ask.error = None;
    }
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Ask(mut ask)) = model.layers.pop() else { return Vec::new() };
    let text = ask.input.text().to_owned();
    if let Some(mut pending) = ask.pending.take() {
        pending.values.insert(Placeholder::Prompt(ask.title), text);
        return proceed(model, *pending);
    }
    if text.trim().is_empty() {
        return Vec::new();
    }
    match Template::shell(&text) {
        Ok(template) => {
            let values = HashMap::new();
            let (whither, container) = (Whither::Host, None);
            let (is_in_pane, confirm, is_read_only) = (false, false, false);
            let name = text;
            begin(
                model,
                Pending { name, template, whither, is_in_pane, confirm, is_read_only, container, values },
            )
        }
        Err(fault) => {
            ask.error = Some(fault.to_string());
            model.layers.push(Layer::Ask(ask));
            Vec::new()
        }
    }
}

/// Whether a command uses the selected object.
fn is_about_a_row(pending: &Pending) -> bool {
    let asked = |placeholder: &Placeholder| matches!(placeholder, Placeholder::Prompt(_));
    pending.whither == Whither::Container || !pending.template.placeholders().iter().all(asked)
}

/// Fills in the values known from the selected object.
fn begin(model: &mut Model, mut pending: Pending) -> Vec<Effect> {
    let count = model.targets().len();
    if count > 1 && is_about_a_row(&pending) {
        refuse_many(model, &pending.name, count);
        return Vec::new();
    }
    pending.values = facts(model);
    pending.container = match model.subject() {
        Some(Subject::Container(id)) => Some(id),
        _ => None,
    };
    let missing = pending.template.placeholders().into_iter().find(|placeholder| {
        !matches!(placeholder, Placeholder::Prompt(_)) && !pending.values.contains_key(placeholder)
    });
    if let Some(missing) = missing {
        let why = match missing {
            Placeholder::Ip => "it has no address: it is not running, or has no network of its own",
            _ => "the selection has none",
        };
        let what = format!("cannot run `{}`: there is no {}", pending.name, missing.shown());
        model.fail(Failure { what, why: vec![why.to_owned()], hint: None });
        return Vec::new();
    }
    let code = pending.template.placeholders().into_iter().find_map(|placeholder| {
        let value = pending.values.get(&placeholder).filter(|value| !is_plain(value))?;
        let why = match value.chars().all(is_of_plain) {
            true => "it does not begin with a letter or a digit, as names do, and could be an option",
            false => "it contains characters that names do not have, and that could be run as code",
        };
        Some((format!("{} is `{}`", placeholder.shown(), brief(value)), why))
    });
    if let Some((code, why)) = code {
        let what = format!("cannot run `{}`: {code}", pending.name);
        model.fail(Failure { what, why: vec![why.to_owned()], hint: None });
        return Vec::new();
    }
    proceed(model, pending)
}

/// Returns the known values of the selected object, without empty ones.
fn facts(model: &Model) -> HashMap<Placeholder, String> {
    let mut facts = HashMap::new();
    match model.subject() {
        Some(Subject::Container(id)) => {
            if let Some(row) = model.containers.get(id.as_str()) {
                facts.insert(Placeholder::Name, row.name.clone());
                facts.insert(Placeholder::Image, row.image.clone());
                facts.insert(Placeholder::Ip, row.address.clone());
            }
            facts.insert(Placeholder::Id, id.to_string());
        }
        Some(Subject::Image(target)) => {
            if let Some(row) = model.images.all().iter().find(|row| row.target() == target) {
                facts.insert(Placeholder::Id, row.id.clone());
            }
            facts.insert(Placeholder::Image, target.clone());
            facts.insert(Placeholder::Name, target);
        }
        Some(Subject::Task(_) | Subject::Trash(_)) | None => {}
        Some(subject) => {
            facts.insert(Placeholder::Name, name_of(model, &subject));
            let id = (subject.section().screen().id_of)(model, &subject);
            facts.extend(id.map(|id| (Placeholder::Id, id)));
        }
    }
    facts.retain(|_, value| !value.is_empty());
    facts
}

/// Asks for the next missing value, then for confirmation, then runs the command.
fn proceed(model: &mut Model, pending: Pending) -> Vec<Effect> {
    let placeholders = pending.template.placeholders();
    let unasked = placeholders.iter().find_map(|placeholder| match placeholder {
        Placeholder::Prompt(title) if !pending.values.contains_key(placeholder) => Some(title.clone()),
        _ => None,
    });
    if let Some(title) = unasked {
        model.open(Ask {
            title,
            hint: format!("for {}", pending.name),
            input: Input::default(),
            error: None,
            pending: Some(Box::new(pending)),
        });
        return Vec::new();
    }
    let value = |placeholder: &Placeholder| pending.values.get(placeholder).cloned().unwrap_or_default();
    let line = Line {
        typed: pending.template.typed(value),
        words: pending.template.fill(value),
        is_read_only: pending.is_read_only,
    };
    let Pending { name, whither, is_in_pane, container, .. } = pending;
    let ready = Ready { name, line, whither, is_in_pane, container };
    if !pending.confirm {
        return go(model, ready);
    }
    let place = match whither {
        Whither::Host => "It runs on this machine.",
        Whither::Container => "It runs in the container.",
        Whither::Hoist => "It is a hoist command.",
    };
    model.open(Confirm {
        title: format!("Run {}?", ready.name),
        items: vec![ready.line.typed.clone()],
        notes: vec![place.to_owned()],
        yes: "run",
        no: "cancel",
        effects: vec![Effect::Command(Box::new(ready))],
        top: 0,
    });
    Vec::new()
}

/// Runs a command.
pub(crate) fn go(model: &mut Model, ready: Ready) -> Vec<Effect> {
    let Ready { name, line, whither, is_in_pane, container } = ready;
    let row = container.and_then(|id| model.containers.get(id.as_str()).cloned());
    match (whither, row) {
        (Whither::Host, row) if is_in_pane => on_host(model, row.as_ref(), &name, line),
        (Whither::Host, _) => vec![Effect::Host(line)],
        (Whither::Hoist, _) => crate::tui::line::update::command::words(model, line.words),
        (Whither::Container, Some(row)) => custom(model, &row, &name, line),
        (Whither::Container, None) => {
            let what = format!("cannot run `{name}`: no container is selected");
            model.fail(Failure { what, ..Failure::default() });
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{At, Custom, Line as Run, Preset, Spot};
    use crate::tui::effect::{Program, Target};
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, press, screen, write};
    use crate::tui::keymap::Keymap;
    use crate::tui::model::Focus;
    use crate::tui::section::TaskId;
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    fn with(run: Run, whither: Whither, confirm: bool) -> Model {
        let at = At { file: "config.toml".into(), spot: Spot { line: 4, column: 7 } };
        let place = |text: &str| (text.to_owned(), at.clone());
        let command = Custom {
            name: "probe".to_owned(),
            key: place("g 1"),
            place: place("containers"),
            run: (run, at.clone()),
            whither,
            pane: None,
            confirm,
            is_read_only: false,
        };
        let mut model = full(80, 24);
        model.keymap = Keymap::load(Preset::Default, None, std::slice::from_ref(&command)).unwrap().into();
        model.look.commands = vec![command];
        model
    }

    fn words(effects: &[Effect]) -> Vec<String> {
        match effects {
            [Effect::Host(line)] => line.words.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_is_run_with_what_is_selected() {
        let mut model = with(Run::Shell("echo {name} {image}".to_owned()), Whither::Host, false);
        let ran = words(&press(&mut model, "g 1"));
        assert_eq!(ran[2..], ["echo \"${1}\" \"${2}\"", "hoist", "api", "acme/app:2.4.1"]);
    }

    #[test]
    fn a_value_that_could_be_code_is_refused_and_shown() {
        for image in ["x;reboot", "$(reboot)", "it's", "-rf", "a b"] {
            let run = Run::Shell("sh -c 'echo {image}'".to_owned());
            let mut model = with(run, Whither::Host, false);
            assert_eq!(words(&press(&mut model, "g 1")).last().unwrap(), "acme/app:2.4.1");
            let id = model.container().unwrap().id.clone();
            model.containers.get_mut(id.as_str()).unwrap().image = image.to_owned();
            assert_eq!(press(&mut model, "g 1"), [], "{image}");
            let failure = model.take_failure().unwrap();
            assert_eq!(failure.what, format!("cannot run `probe`: {{image}} is `{image}`"));
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_and_a_question_comes_last() {
        let run = Run::Words(vec!["tool".to_owned(), "{prompt:Word}".to_owned(), "{prompt:Way}".to_owned()]);
        let mut model = with(run, Whither::Host, true);
        assert!(press(&mut model, "g 1").is_empty());
        assert!(screen(&model).contains("Word"), "{}", screen(&model));
        write(&mut model, "a b; $(x)");
        press(&mut model, "enter");
        write(&mut model, "up");
        assert!(press(&mut model, "enter").is_empty());
        assert!(screen(&model).contains("Run probe?") && screen(&model).contains("tool 'a b; $(x)' up"));
        let effects = press(&mut model, "y");
        let [Effect::Command(ready)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(words(&go(&mut model, (**ready).clone())), ["tool", "a b; $(x)", "up"]);
    }

    #[test]
    fn a_command_in_the_container_gets_a_terminal() {
        let mut model = with(Run::Shell("ls {prompt:Folder}".to_owned()), Whither::Container, false);
        press(&mut model, "g 1");
        write(&mut model, "/etc");
        let effects = press(&mut model, "enter");
        let [Effect::Open(_, Target::In(_, Program::Words(line)))] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        assert_eq!(line.words[..], ["sh", "-c", "ls \"${1}\"", "hoist", "/etc"]);
        assert_eq!(line.typed, "ls /etc");
        assert!(matches!(model.shown_tab(model.pane()), Tab::Session(_)));
    }

    #[test]
    fn a_command_of_this_machine_runs_in_a_pane_where_that_is_configured() {
        let in_pane = |keys: &str| {
            let mut model = with(Run::Shell("ping {name}".to_owned()), Whither::Host, false);
            let at = model.look.commands[0].run.1.clone();
            model.look.commands[0].pane = Some((true, at));
            model.look.commands[0].run.0 = Run::Shell("date".to_owned());
            let effects = if keys.is_empty() { Vec::new() } else { press(&mut model, keys) };
            (model, effects)
        };
        let (model, effects) = in_pane("g 1");
        let [Effect::Open(task, Target::Host(line))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(
            (line.typed.as_str(), &line.words[..3]),
            ("date", &["sh", "-c", "date"].map(str::to_owned)[..])
        );
        assert_eq!(model.shown_tab(model.pane()), Tab::Session(*task));
        // Without a container it has a page of its own, which closes with it.
        let (mut model, _) = in_pane("");
        model.containers.set(Vec::new());
        model.settle();
        let effects = press(&mut model, "g 1");
        assert!(matches!(effects.as_slice(), [Effect::Open(_, Target::Host(_))]), "{effects:?}");
        assert!(screen(&model).contains("probe"), "{}", screen(&model));
        update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
        assert!(screen(&model).contains("probe · exit 0"), "{}", screen(&model));
        assert_eq!(press(&mut model, "x"), [Effect::Close(TaskId(1))]);
        assert_eq!((model.pane().pinned.clone(), model.focus), (None, Focus::List));
    }

    #[test]
    fn where_a_pane_makes_no_sense_the_line_is_named() {
        for (whither, pane, want) in [
            (Whither::Hoist, true, "a hoist command does not run in a pane"),
            (Whither::Container, false, "a command in a container always runs in a pane"),
        ] {
            let mut model = with(Run::Shell("ls".to_owned()), whither, false);
            let at = model.look.commands[0].key.1.clone();
            model.look.commands[0].pane = Some((pane, at));
            assert_eq!(press(&mut model, "g 1"), []);
            let what = model.take_failure().unwrap().what;
            assert!(what.starts_with(&format!("config.toml, line 4, column 7: {want}")), "{what}");
        }
    }

    #[test]
    fn a_line_of_hoists_own_is_judged_by_the_grammar() {
        let mut model = with(Run::Shell("stop {name}".to_owned()), Whither::Hoist, false);
        let stops = |effects: &[Effect]| {
            effects.iter().any(|effect| matches!(effect, Effect::Work(..) | Effect::Container(..)))
        };
        assert!(stops(&press(&mut model, "g 1")));
        let mut model = with(Run::Shell("stop {name}".to_owned()), Whither::Hoist, false);
        model.look.is_read_only = true;
        assert!(!stops(&press(&mut model, "g 1")));
        assert!(screen(&model).contains("read-only"), "{}", screen(&model));
    }

    #[test]
    fn in_read_only_mode_only_commands_that_are_declared_to_change_nothing_are_run() {
        for (whither, is_read_only, runs) in [
            (Whither::Host, false, false),
            (Whither::Host, true, true),
            (Whither::Container, false, false),
            (Whither::Container, true, true),
        ] {
            let mut model = with(Run::Shell("ls".to_owned()), whither, false);
            model.look.commands[0].is_read_only = is_read_only;
            model.look.is_read_only = true;
            let effects = press(&mut model, "g 1");
            assert_eq!(effects.len(), usize::from(runs), "{whither:?} {is_read_only}: {effects:?}");
            assert_eq!(screen(&model).contains("may make changes"), !runs);
        }
        // In a pane on this machine it gets keys, in a container it does not.
        let mut model = with(Run::Shell("less x".to_owned()), Whither::Host, false);
        let at = model.look.commands[0].key.1.clone();
        (model.look.commands[0].is_read_only, model.look.commands[0].pane) = (true, Some((true, at)));
        model.look.is_read_only = true;
        press(&mut model, "g 1");
        assert!(matches!(press(&mut model, "q")[..], [Effect::Type(..)]));
        let mut model = with(Run::Shell("ls".to_owned()), Whither::Container, false);
        (model.look.commands[0].is_read_only, model.look.is_read_only) = (true, true);
        press(&mut model, "g 1");
        assert_eq!(press(&mut model, "x"), []);
    }

    #[test]
    fn a_line_for_the_shell_is_typed_and_checked() {
        let mut model = full(80, 24);
        press(&mut model, "!");
        write(&mut model, "ping {nmae}");
        assert!(press(&mut model, "enter").is_empty());
        assert!(screen(&model).contains("`{nmae}` is not a placeholder"), "{}", screen(&model));
        press(&mut model, "esc !");
        write(&mut model, "ping {ip}");
        assert!(press(&mut model, "enter").is_empty(), "the fixture's containers have no address");
        assert!(model.failure().unwrap().what.contains("there is no {ip}"));
        press(&mut model, "!");
        write(&mut model, "date");
        assert_eq!(words(&press(&mut model, "enter"))[..3], ["sh", "-c", "date"]);
    }
}
