//! The run form: its actions, and the validation of its fields.

pub mod preset;
pub(crate) mod prompt;

use crate::base::units;
use crate::command::{self as grammar, World, choices, join, split};
use crate::oci::Reference;
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::name;
use crate::tui::effect::Effect;
use crate::tui::failure::Failure;
use crate::tui::form::model::{FIELDS, Kind, Mark, Note, RunForm, place, place_of, shown_words};
use crate::tui::images::model::ImageRow;
use crate::tui::line::update::prompt as ask;
use crate::tui::line::update::refusal::problem;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::model::paths::{PathFact, PathFacts};
use crate::tui::networks::model::NetworkRow;
use crate::tui::section::TaskId;
use crate::tui::tasks::update::run as run_container;
use crate::tui::update::copy;

/// Opens the form.
pub(crate) fn open(model: &mut Model, form: RunForm) -> Vec<Effect> {
    model.paths.clear();
    model.open(form);
    let effects = check(model);
    if let Some(Layer::Run(form)) = model.layers.last_mut() {
        form.opened = Some(form.line.clone());
    }
    effects
}

/// Applies `action` to the form.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Run(form)) = model.layers.last_mut() else { return Vec::new() };
    let was_leaving = std::mem::take(&mut form.is_leaving);
    match action {
        Action::NextField => form.step(1),
        Action::PreviousField => form.step(-1),
        Action::NextSection => form.next_section(),
        Action::TakeOffer => take_offer(form),
        Action::Toggle => form.toggle(),
        Action::NextChoice => choose(model, 1),
        Action::PreviousChoice => choose(model, -1),
        Action::CopyShown => {
            let line = form.words().map(|words| format!("hoist {}", join(&words)));
            return line.map_or_else(|_| Vec::new(), |line| copy::text(model, line));
        }
        Action::EditText => {
            let line = form.words().map(|words| join(&words)).unwrap_or_default();
            ask(model, prompt::Words, &line);
        }
        Action::SavePreset => {
            let name = form.text(place("name"));
            ask(model, prompt::PresetName, &name);
        }
        Action::Presets => crate::tui::form::update::preset::choose(model),
        Action::Accept => return submit(model),
        _ if form.is_changed() && !was_leaving => form.is_leaving = true,
        _ => drop(model.layers.pop()),
    }
    check(model)
}

/// Accepts the suggestion for the field, or goes to the next field.
fn take_offer(form: &mut RunForm) {
    let offer = form.notes.get(form.field).and_then(Option::as_ref).and_then(|note| note.offer.clone());
    match offer {
        Some(offer) => form.set(form.field, &offer),
        None => form.step(1),
    }
}

/// Puts the next or previous of the possible values into the field.
fn choose(model: &mut Model, by: isize) {
    let networks: Vec<String> = model.networks.all().iter().map(|row| row.name.clone()).collect();
    let Some(Layer::Run(form)) = model.layers.last_mut() else { return };
    let Some(flag) = FIELDS.get(form.field).and_then(|field| field.flag()) else { return };
    let fixed = choices(flag).iter().map(|word| (*word).to_owned());
    let all: Vec<String> = if flag == "network" { networks } else { fixed.collect() };
    if all.is_empty() {
        return;
    }
    let at = all.iter().position(|word| *word == form.text(form.field));
    let next = match (at, by < 0) {
        (None, false) => 0,
        (None, true) => all.len() - 1,
        (Some(at), _) => at.checked_add_signed(by).unwrap_or(all.len() - 1) % all.len(),
    };
    form.set(form.field, &all[next]);
}

/// Runs the form's command, if there are no problems.
fn submit(model: &mut Model) -> Vec<Effect> {
    let effects = check(model);
    let Some(Layer::Run(form)) = model.layers.last_mut() else { return effects };
    let bad = form.problems().next().map(|(field, _)| field);
    if let Some(field) = bad {
        form.go(field);
        return effects;
    }
    if form.error.is_some() {
        return effects;
    }
    let mut asked = form.clone();
    // Instead of running in the background, hoist attaches a terminal of its own.
    if form.is_on(place_of(Kind::Opens)) && form.is_on(place("tty")) {
        asked.switch(place("detach"), false);
    }
    let Ok((words, request)) = asked.request() else { return effects };
    let form = form.clone();
    model.layers.pop();
    let effects = run_container(model, &words, request);
    model.submitted = effects.iter().find_map(|effect| match effect {
        Effect::Work(id, _) => Some((*id, form.clone())),
        _ => None,
    });
    effects
}

/// Reopens the form of a failed command with its contents, unless a dialog is open.
pub(crate) fn take_up(model: &mut Model, id: TaskId, failure: &Failure) -> Vec<Effect> {
    let Some((_, form)) = model.submitted.take_if(|(task, _)| *task == id) else { return Vec::new() };
    if !model.layers.is_empty() {
        return Vec::new();
    }
    let effects = open(model, *form);
    if let Some(Layer::Run(form)) = model.layers.last_mut() {
        form.error = Some(failure.line());
        form.opened = None;
    }
    effects
}

/// Validates all fields again.
pub(crate) fn check(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Run(form)) = model.layers.last_mut() else { return Vec::new() };
    let facts = Facts {
        containers: model.containers.all(),
        images: model.images.all(),
        networks: model.networks.all(),
        world: &model.world,
    };
    let notes = (0..FIELDS.len()).map(|field| facts.note(form, field, &mut model.paths)).collect();
    form.notes = notes;
    let has_image = !form.text(place_of(Kind::Image)).is_empty();
    form.error = problem(form.words()).filter(|_| has_image);
    form.line = match form.words() {
        Ok(words) => format!("hoist {}", shown_words(&words)),
        Err(usage) => usage.message().to_owned(),
    };
    model.paths.take_wanted().into_iter().map(Effect::Look).collect()
}

/// What is known about the names and paths in the fields.
struct Facts<'a> {
    containers: &'a [ContainerRow],
    images: &'a [ImageRow],
    networks: &'a [NetworkRow],
    world: &'a World,
}

fn note(mark: Mark, text: impl Into<String>) -> Option<Note> {
    Some(Note { mark, text: text.into(), offer: None })
}

impl Facts<'_> {
    fn note(&self, form: &RunForm, field: usize, paths: &mut PathFacts) -> Option<Note> {
        let spec = FIELDS.get(field)?;
        let text = form.text(field);
        if let Some(bad) = self.refused(form, field) {
            return note(Mark::Bad, bad);
        }
        match spec.kind {
            Kind::Image => image(&text, self.images, &form.text(place("pull"))),
            Kind::Opens if form.is_on(field) && !form.is_on(place("tty")) => note(Mark::Plain, "needs a TTY"),
            _ if text.is_empty() => None,
            Kind::One("name") => name::free(&text, self.containers, None),
            Kind::One("network") => self.network(&text),
            Kind::Many("volume") => sources(&text, paths),
            Kind::Many("env") => variables(&text, self.world),
            Kind::Many("env-file" | "label-file") => files(&text, paths),
            Kind::One(_) | Kind::Many(_) => note(Mark::Good, ""),
            _ => None,
        }
    }

    /// Returns the parser's error for this field alone.
    fn refused(&self, form: &RunForm, field: usize) -> Option<String> {
        let is_image = FIELDS.get(field).is_some_and(|field| field.kind == Kind::Image);
        let words = match form.words_of(field) {
            Ok(words) if words.is_empty() || is_image => return None,
            Ok(words) => words,
            Err(usage) => return Some(usage.message().to_owned()),
        };
        let is_command = FIELDS.get(field).is_some_and(|field| field.kind == Kind::Command);
        let image = vec!["x".to_owned()];
        let line = if is_command { [image, words].concat() } else { [words, image].concat() };
        let line = [vec!["run".to_owned()], line].concat();
        grammar::parse(&line).err().map(|usage| usage.message().to_owned())
    }

    fn network(&self, name: &str) -> Option<Note> {
        let is_special = matches!(name, "host" | "none" | "default" | "bridge");
        let known = self.networks.iter().any(|row| row.name == name || row.id.starts_with(name));
        if is_special || known {
            return note(Mark::Good, "");
        }
        if let Some(target) = name.strip_prefix("container:") {
            let is_there =
                self.containers.iter().any(|row| row.name == target || row.id.as_str().starts_with(target));
            return if is_there {
                note(Mark::Good, "")
            } else {
                note(Mark::Bad, format!("no such container: {target}"))
            };
        }
        note(Mark::Bad, "no such network")
    }
}

/// Checks whether an image exists locally.
fn image(name: &str, images: &[ImageRow], pull: &str) -> Option<Note> {
    if name.is_empty() {
        return note(Mark::Bad, "required");
    }
    if let Some(row) = find_image(name, images) {
        return note(Mark::Good, format!("local, {}", units::column(row.size)));
    }
    let offer = local_offer(name, images);
    let next = offer.as_ref().map_or_else(String::new, |offer| format!(" → {offer}?"));
    let (mark, text) = match (name.parse::<Reference>(), pull) {
        (Err(error), _) => (Mark::Bad, error.to_string()),
        (Ok(_), "never") => (Mark::Bad, format!("not local{next}")),
        (Ok(_), _) if offer.is_some() => (Mark::Plain, format!("pull{next}")),
        (Ok(_), _) => (Mark::Plain, "will be pulled".to_owned()),
    };
    Some(Note { mark, text, offer })
}

/// Returns the first image of this machine whose repository, or the last part of it, begins with
/// what was typed.
fn local_offer(typed: &str, images: &[ImageRow]) -> Option<String> {
    let begins = |row: &&ImageRow| {
        row.is_by_name()
            && (row.name.starts_with(typed)
                || row.name.rsplit('/').next().is_some_and(|last| last.starts_with(typed)))
    };
    images.iter().find(begins).map(|row| row.name.clone())
}

/// Returns the image that a name or the beginning of an id refers to.
pub(crate) fn find_image<'a>(name: &str, images: &'a [ImageRow]) -> Option<&'a ImageRow> {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    let is_id = hex.len() >= 4 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let by_name =
        images.iter().find(|row| row.name == name || row.name.strip_suffix(":latest") == Some(name));
    by_name
        .or_else(|| images.iter().find(|row| is_id && row.id.trim_start_matches("sha256:").starts_with(hex)))
}

/// Checks whether the bind sources exist.
fn sources(text: &str, paths: &mut PathFacts) -> Option<Note> {
    let words = split(text).ok()?;
    let mut worst: Option<Note> = None;
    for word in &words {
        let source = word.split(':').next().unwrap_or_default();
        let (mark, text) = match paths.get(source) {
            PathFact::Asked | PathFact::Folder | PathFact::File(_) => continue,
            PathFact::Missing => (Mark::Warn, format!("{source} will be created")),
            PathFact::Unknown(why) => (Mark::Bad, format!("{source}: {why}")),
        };
        if worst.as_ref().is_none_or(|worst| worst.mark != Mark::Bad) {
            worst = note(mark, text);
        }
    }
    worst.or_else(|| note(Mark::Good, ""))
}

/// Checks whether the files exist.
fn files(text: &str, paths: &mut PathFacts) -> Option<Note> {
    for word in split(text).ok()? {
        let why = match paths.get(&word) {
            PathFact::Asked | PathFact::File(_) => continue,
            PathFact::Missing => "does not exist".to_owned(),
            PathFact::Folder => "is a folder".to_owned(),
            PathFact::Unknown(why) => why,
        };
        return note(Mark::Bad, format!("{word} {why}"));
    }
    note(Mark::Good, "")
}

/// Checks that variables without a value, which take that of hoist's environment, are set there.
fn variables(text: &str, world: &World) -> Option<Note> {
    let words = split(text).ok()?;
    let missing = words.iter().find(|word| !word.contains('=') && world.environment.get(word).is_none());
    match missing {
        Some(name) => note(Mark::Warn, format!("{name} is not set")),
        None if words.len() == 1 => note(Mark::Good, ""),
        None => note(Mark::Good, format!("{} variables", words.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{asked, empty, full, press, screen, write};
    use crate::tui::update::update;

    fn note_of(model: &Model, field: usize) -> String {
        let Some(Layer::Run(form)) = model.layers.last() else { return "no form".to_owned() };
        form.notes[field].as_ref().map_or_else(String::new, |note| format!("{:?} {}", note.mark, note.text))
    }

    /// Returns a model with an open form for `words`.
    fn with(words: &str) -> Model {
        let mut model = full(80, 24);
        let form = RunForm::of(&split(words).unwrap()).unwrap();
        open(&mut model, form);
        model
    }

    #[test]
    fn typing_replaces_the_proposed_image_and_enter_takes_one_of_this_machine() {
        let mut model = full(80, 24);
        press(&mut model, "n");
        write(&mut model, "deb");
        let text = |model: &Model| match model.layers.last() {
            Some(Layer::Run(form)) => form.text(place_of(Kind::Image)),
            _ => panic!("no form"),
        };
        assert_eq!(text(&model), "deb");
        assert_eq!(note_of(&model, place_of(Kind::Image)), "Plain pull → debian:13?");
        press(&mut model, "enter");
        assert_eq!(text(&model), "debian:13");
        // The last part of a repository is enough.
        press(&mut model, "ctrl-u");
        write(&mut model, "app");
        assert_eq!(note_of(&model, place_of(Kind::Image)), "Plain pull → acme/app:2.4.1?");
        // A movement keeps the proposal.
        press(&mut model, "esc esc n left");
        write(&mut model, "x");
        assert_eq!(text(&model), "acme/app:2.4.x1");
    }

    #[test]
    fn closing_the_form_asks_when_something_was_typed() {
        let mut model = full(80, 24);
        press(&mut model, "n esc");
        assert!(model.layers.is_empty(), "nothing was typed");
        press(&mut model, "n tab");
        write(&mut model, "web9");
        press(&mut model, "esc");
        assert!(screen(&model).contains("press Esc again to close the form"), "{}", screen(&model));
        write(&mut model, "x");
        press(&mut model, "esc");
        assert!(!model.layers.is_empty(), "it was asked before the last key");
        press(&mut model, "esc");
        assert!(model.layers.is_empty());
    }

    #[test]
    fn the_frame_stays_where_it_is() {
        let frame = |model: &Model| {
            let shown = screen(model);
            let edge = |c: char| shown.lines().position(|line| line.contains(c));
            (edge('┏'), edge('┗'))
        };
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let mut model = full(width, height);
            press(&mut model, "n");
            let first = frame(&model);
            for keys in ["ctrl-n", "ctrl-n", "ctrl-n", "ctrl-n", "x", "y", "tab", "z"] {
                press(&mut model, keys);
                assert_eq!(frame(&model), first, "{keys} at {width}x{height}");
            }
        }
    }

    #[test]
    fn a_long_problem_is_wrapped() {
        let mut model = with("run debian:13");
        if let Some(Layer::Run(form)) = model.layers.last_mut() {
            form.error = Some(format!("cannot do it: {} the end", "because of this ".repeat(6)));
        }
        let shown = screen(&model);
        assert!(shown.contains("cannot do it") && shown.contains("the end"), "{shown}");
    }

    #[test]
    fn a_form_whose_command_fails_comes_back_with_what_was_typed() {
        let mut model = with("run --name new debian:13 sleep 9");
        let effects = press(&mut model, "ctrl-s");
        let [Effect::Work(id, _)] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(model.layers.is_empty());
        let failure = Failure { what: "cannot create a container".to_owned(), ..Failure::default() };
        update(&mut model, Event::Finished(*id, Err(failure)));
        let Some(Layer::Run(form)) = model.layers.last() else { panic!("no form") };
        assert_eq!(form.text(place("name")), "new");
        assert!(screen(&model).contains("cannot create a container"));
        // A changed field is validated again.
        press(&mut model, "x");
        let Some(Layer::Run(form)) = model.layers.last() else { panic!("no form") };
        assert_eq!(form.error, None);
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let image = place_of(Kind::Image);
        for (words, field, want) in [
            ("run debian:13", image, "Good local, 123MB"),
            ("run 3f3f3f", image, "Good local, 327MB"),
            ("run alpine", image, "Plain will be pulled"),
            ("run --pull never alpine", image, "Bad not local"),
            ("run --name new x", place("name"), "Good available"),
            ("run --name web x", place("name"), "Bad taken (running) → web-2?"),
            ("run --network nope x", place("network"), "Bad no such network"),
            ("run --network host x", place("network"), "Good"),
            ("run --network container:web x", place("network"), "Good"),
            ("run --network container:x x", place("network"), "Bad no such container: x"),
            ("run -e A=1 -e B=2 x", place("env"), "Good 2 variables"),
            ("run -e NOT_SET_HERE x", place("env"), "Warn NOT_SET_HERE is not set"),
            ("run -e =1 x", place("env"), "Bad invalid environment variable: =1"),
            (
                "run --restart sometimes x",
                place("restart"),
                "Bad invalid restart policy `sometimes`: expected no, always, unless-stopped or on-failure[:n]",
            ),
            ("run --shm-size big x", place("shm-size"), "Bad"),
            ("run --ulimit nofile=1 x", place("ulimit"), "Good"),
        ] {
            let got = note_of(&with(words), field);
            assert!(got.trim() == want || (want == "Bad" && got.starts_with("Bad ")), "{words}: {got}");
        }
    }

    #[test]
    fn a_named_volume_is_refused_in_the_engines_own_words() {
        let model = with("run -v data:/x debian:13");
        assert!(
            note_of(&model, place("volume")).contains("not supported yet"),
            "{}",
            note_of(&model, place("volume"))
        );
    }

    #[test]
    fn folders_are_looked_at_by_the_driver() {
        let mut model = full(80, 24);
        let form = RunForm::of(&split("run -v /a:/b debian:13").unwrap()).unwrap();
        assert_eq!(open(&mut model, form), [Effect::Look("/a".to_owned())]);
        update(&mut model, Event::Path("/a".to_owned(), PathFact::Missing));
        assert_eq!(note_of(&model, place("volume")), "Warn /a will be created");
        update(&mut model, Event::Path("/a".to_owned(), PathFact::Folder));
        assert_eq!(note_of(&model, place("volume")), "Good ");
    }

    #[test]
    fn enter_takes_what_is_offered() {
        let mut model = full(80, 24);
        press(&mut model, "2 r");
        write(&mut model, "web");
        assert_eq!(press(&mut model, "ctrl-s"), []);
        assert!(screen(&model).contains("press ↵ in the field to accept"), "{}", screen(&model));
        press(&mut model, "enter");
        let effects = press(&mut model, "ctrl-s");
        let job = asked("run -it --name web-2 acme/app:2.4.1");
        assert_eq!(effects, [Effect::Work(TaskId(1), job)]);
    }

    #[test]
    fn a_choice_is_gone_through_and_typed() {
        let mut model = full(80, 24);
        press(&mut model, "2 r tab tab tab tab tab");
        press(&mut model, "right right");
        assert!(screen(&model).contains("--restart always"), "{}", screen(&model));
        press(&mut model, "left left");
        assert!(screen(&model).contains("--restart on-failure"), "{}", screen(&model));
        write(&mut model, ":3");
        assert!(screen(&model).contains("--restart on-failure:3"), "{}", screen(&model));
    }

    #[test]
    fn a_preset_is_kept_taken_and_forgotten() {
        let mut model = full(80, 24);
        press(&mut model, "2 r");
        write(&mut model, "web-2");
        press(&mut model, "f2");
        assert_eq!(press(&mut model, "enter"), [Effect::Save]);
        assert_eq!(model.saved.presets["web-2"].join(" "), "run -dit --name web-2 acme/app:2.4.1");
        press(&mut model, "esc r f3 enter");
        assert!(screen(&model).contains("--name web-2"), "{}", screen(&model));
        assert_eq!(press(&mut model, "f3 d d"), [Effect::Save]);
        assert!(model.saved.presets.is_empty());
    }

    #[test]
    fn a_preset_keeps_no_secret_and_asks_for_it_when_it_is_taken() {
        let mut model = full(80, 24);
        press(&mut model, "2 r");
        write(&mut model, "db");
        press(&mut model, "tab tab");
        write(&mut model, "DB_PASSWORD='a b' MODE=x EMPTY_KEY=");
        press(&mut model, "f2 enter");
        let kept = model.saved.presets["db"].join(" ");
        assert_eq!(kept, "run -dit --name db -e DB_PASSWORD= -e MODE=x -e EMPTY_KEY= acme/app:2.4.1");
        assert_eq!(model.notice.as_ref().unwrap().text, "saved preset db without the value of DB_PASSWORD");
        let Some(Layer::Run(form)) = model.layers.last() else { panic!("no form") };
        assert!(form.words().unwrap().contains(&"DB_PASSWORD=a b".to_owned()), "the form itself keeps it");
        press(&mut model, "f3 enter");
        let Some(Layer::Run(form)) = model.layers.last() else { panic!("no form") };
        assert_eq!(form.field, crate::tui::form::update::place("env"));
        let text = &model.notice.as_ref().unwrap().text;
        assert_eq!(text, "presets do not store secrets: enter the value of DB_PASSWORD, EMPTY_KEY");
    }

    #[test]
    fn a_form_without_an_image_says_so_and_stays() {
        let mut model = empty(80, 24);
        press(&mut model, "n");
        assert_eq!(press(&mut model, "ctrl-s"), []);
        assert!(screen(&model).contains("✗ image: required"), "{}", screen(&model));
    }
}
