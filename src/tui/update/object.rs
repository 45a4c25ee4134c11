//! Verbs on what is selected.

use crate::command::{Request, join};
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::event::{Effect, Job};
use crate::tui::form::model::{Kind, RunForm, place_of};
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::prompt;
use crate::tui::list::batch::Batch;
use crate::tui::model::{Failure, Model, Section, Tab, Tone};
use crate::tui::tasks::model::TaskId;
use crate::tui::tasks::update::{quiet_work, work};
use crate::tui::update::show_tab;
use crate::tui::{containers, form, images};

/// What an image of this machine's tools is called.
const HOST_IMAGE: &str = "host";

/// What `action` does to the selected object; `None` when it is no such action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::FromHost => {
            ask_from_host(model);
        }
        // From anywhere: it is about all there is.
        Action::EmptyTrash => return crate::tui::trash::update::act(model, action),
        Action::Pull => prompt(model, images::update::prompt::Pull, ""),
        Action::Load => prompt(model, images::update::prompt::Load, ""),
        Action::Import => prompt(model, images::update::prompt::Import, ""),
        Action::Run => return Some(run_form(model)),
        _ => {
            let act = model.acted_section().screen().act;
            return act(model, action).or_else(|| inspect(model, action));
        }
    }
    Some(Vec::new())
}

/// Asks whether an image of this machine's tools is to be made: it copies some hundred files.
fn ask_from_host(model: &mut Model) {
    let name = format!("{HOST_IMAGE}:latest");
    let is_there = model.images.all().iter().any(|row| row.name == name);
    let mut notes =
        vec!["It holds this machine's shell and core tools, with the libraries that they need.".to_owned()];
    notes.extend(is_there.then(|| "It takes the name from the image that has it.".to_owned()));
    model.open(Confirm {
        title: "Make an image of this machine's tools?".to_owned(),
        items: vec![name],
        notes,
        yes: "make",
        // It gets its number when the answer is yes.
        effects: vec![Effect::Work(TaskId(0), Job::FromHost(HOST_IMAGE))],
        top: 0,
    });
}

/// Shows everything known of what is selected, in lists without an own way to.
fn inspect(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if action != Action::Inspect {
        return None;
    }
    match model.subject() {
        Some(_) => show_tab(model, Tab::Inspect),
        None => model.say(Tone::Plain, "nothing is selected", None),
    }
    Some(Vec::new())
}

/// Why nothing but removing can be done to what cannot be read.
pub(crate) fn damage(action: Action, name: &str, why: Option<&str>) -> Option<Failure> {
    let why = why?.to_owned();
    Some(Failure {
        what: match action {
            Action::StartStop => format!("cannot start or stop `{name}`"),
            action => format!("cannot {} `{name}`", action.label().trim_end_matches('…')),
        },
        why: vec![format!("it is damaged: {why}")],
        hint: Some("remove it, or put its file right".to_owned()),
    })
}

/// Says that `action` is for one object.
pub(crate) fn refuse_many(model: &mut Model, action: Action, count: usize) {
    let back = model.keys_of(KeyContext::Global, Action::Back);
    model.fail(Failure {
        what: format!("cannot {} {count} at once", action.label().trim_end_matches('…')),
        why: vec!["it is done to one at a time".to_owned()],
        hint: Some(format!("{back} takes the marks away")),
    });
}

/// Gathers the ends of these effects, so that they are told as one.
pub(crate) fn together(
    model: &mut Model,
    told: &'static str,
    effects: Vec<Effect>,
    mut refused: Vec<Failure>,
) -> Vec<Effect> {
    match (effects.len(), refused.len()) {
        (0, 1) => model.fail(refused.remove(0)),
        (0, 0) | (1, 0) => {}
        _ => {
            let batch = Batch::new(told, effects.clone(), refused);
            if batch.is_over() {
                end(model, batch);
            } else {
                model.batches.push(batch);
            }
        }
    }
    effects
}

/// Says what became of a verb on several objects.
pub(crate) fn end(model: &mut Model, batch: Batch) {
    let text = batch.summary();
    let failures = batch.into_failures();
    let Some(first) = failures.first() else {
        model.say(Tone::Good, text, None);
        return;
    };
    let key = model.keys_of(KeyContext::Global, Action::Details);
    model.say(Tone::Bad, format!("{text}: {}", first.line()), Some(format!("{key} shows all")));
    model.failure = Some(Failure { what: text, ..Failure::default() });
    model.failures = failures;
}

/// Does what was asked about in a dialog: all of these are the same verb.
pub(crate) fn confirmed(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    match effects.first().cloned() {
        Some(Effect::Container(verb, _)) => {
            let ids = effects.iter().filter_map(|effect| match effect {
                Effect::Container(_, id) => Some(id.as_str()),
                _ => None,
            });
            let rows = ids.filter_map(|id| model.containers.get(id).cloned()).collect();
            containers::update::mark(model, rows, &verb, Vec::new())
        }
        Some(Effect::Work(_, job @ (Job::Copy(_) | Job::Delete(..)))) => {
            crate::tui::files::update::begin(model, job)
        }
        Some(Effect::Work(_, job @ Job::FromHost(_))) => vec![work(model, "image from this machine", job)],
        Some(Effect::RemoveImage(..)) => together(model, "removed", effects, Vec::new()),
        Some(Effect::Restore(..)) => together(model, "restored", effects, Vec::new()),
        Some(Effect::Purge(_)) => together(model, "deleted", effects, Vec::new()),
        _ => effects,
    }
}

fn run_form(model: &mut Model) -> Vec<Effect> {
    let selected = match model.section {
        Section::Containers => model.containers.selected().map(|row| row.image.clone()),
        _ => model.images.selected().map(|row| row.target().to_owned()),
    };
    let mut form = RunForm::new(selected.as_deref().unwrap_or_default());
    if model.section != Section::Images {
        form.field = place_of(Kind::Image);
    }
    form::update::open(model, form)
}

/// Runs a container; `words` are what is shown of it. How that goes on is shown only when an image
/// is pulled.
pub(crate) fn run(model: &mut Model, words: &[String], request: Request) -> Vec<Effect> {
    model.section = Section::Containers;
    super::window::leave(model);
    vec![quiet_work(model, &join(words), Job::Request(Box::new(request)))]
}
