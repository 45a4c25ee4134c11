//! Verbs on the selected objects.

use std::mem::discriminant;

use crate::engine::ContainerId;
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::effect::{Effect, Job};
use crate::tui::failure::{Failure, Tone};
use crate::tui::form::model::{Kind, RunForm, place_of};
use crate::tui::line::update::prompt;
use crate::tui::model::Model;
use crate::tui::section::{Section, TaskId};
use crate::tui::tab::Tab;
use crate::tui::tasks::update::work;
use crate::tui::update::batch::{Others, refuse_many, together};
use crate::tui::verb_words;
use crate::tui::{containers, form, images, tasks};

/// The name of an image made from this machine's tools.
const HOST_IMAGE: &str = "host";

impl Model {
    /// Applies `action` to the selected objects; `None` if it is not such an action.
    pub(crate) fn act_on_object(&mut self, action: Action) -> Option<Vec<Effect>> {
        act(self, action)
    }

    /// Applies confirmed effects of a dialog.
    pub(crate) fn confirmed(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        self.confirmed_beside(effects, Vec::new())
    }

    /// Returns the name of a container as it was when a verb began, and forgets it.
    pub(crate) fn take_name(&mut self, id: &ContainerId) -> String {
        self.names.remove(id).unwrap_or_else(|| self.last_name(id))
    }

    /// Like [`Self::confirmed`]; the failures of other objects are reported with the results.
    pub(crate) fn confirmed_beside(
        &mut self,
        effects: Vec<Effect>,
        mut refused: Vec<Failure>,
    ) -> Vec<Effect> {
        let mut groups: Vec<Vec<Effect>> = Vec::new();
        for effect in effects {
            match groups.iter_mut().find(|group| are_alike(&group[0], &effect)) {
                Some(group) => group.push(effect),
                None => groups.push(vec![effect]),
            }
        }
        let apply = |group| confirmed(self, group, std::mem::take(&mut refused));
        groups.into_iter().flat_map(apply).collect()
    }
}

/// Whether two effects are the same verb, whose progress and results are reported together.
fn are_alike(one: &Effect, other: &Effect) -> bool {
    match (one, other) {
        (Effect::Container(one, _), Effect::Container(other, _)) => discriminant(one) == discriminant(other),
        (
            Effect::Restore(..) | Effect::RestoreAndStart(_),
            Effect::Restore(..) | Effect::RestoreAndStart(_),
        ) => true,
        _ => discriminant(one) == discriminant(other),
    }
}

/// Applies confirmed effects, which are alike.
fn confirmed(model: &mut Model, effects: Vec<Effect>, mut refused: Vec<Failure>) -> Vec<Effect> {
    match effects.first().cloned() {
        Some(Effect::Container(verb, _)) => {
            let (mut rows, mut gone) = (Vec::new(), Vec::new());
            for effect in &effects {
                let Effect::Container(verb, id) = effect else { continue };
                match model.containers.get(id.as_str()) {
                    Some(row) => rows.push(row.clone()),
                    None if effect.is_removal() => gone.push(model.take_name(id)),
                    None => refused.push(containers::update::gone(model, verb, id)),
                }
            }
            if let ([_], [name]) = (effects.as_slice(), gone.as_slice()) {
                model.say(Tone::Plain, format!("{name} has already been removed"), None);
                return Vec::new();
            }
            containers::update::mark(model, rows, &verb, Others { gone: gone.len(), ..refused.into() })
        }
        Some(Effect::Work(_, job @ (Job::Copy(_) | Job::Delete(..)))) => {
            crate::tui::files::update::begin(model, job)
        }
        Some(Effect::Work(_, job @ Job::FromHost(_))) => {
            vec![work(model, "create an image from this machine", job)]
        }
        Some(Effect::RemoveImage(..)) => together(model, verb_words::REMOVE, effects, refused),
        Some(Effect::Restore(..) | Effect::RestoreAndStart(_)) => {
            together(model, verb_words::RESTORE, effects, refused)
        }
        Some(Effect::Purge(_)) => together(model, verb_words::DELETE, effects, refused),
        Some(Effect::Cancel(_)) => {
            let id = |effect: &Effect| if let Effect::Cancel(id) = effect { Some(*id) } else { None };
            effects.iter().filter_map(id).flat_map(|id| tasks::update::stop(model, id)).collect()
        }
        _ => effects,
    }
}

fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::FromHost => {
            ask_from_host(model);
        }
        // Works in every list, because it applies to the whole trash.
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

/// Asks before an image is made from this machine's tools, because that copies some hundred files.
fn ask_from_host(model: &mut Model) {
    let name = format!("{HOST_IMAGE}:latest");
    let is_there = model.images.all().iter().any(|row| row.name == name);
    let mut notes = vec![
        "It will contain this machine's shell and core tools, and the libraries that they need.".to_owned(),
    ];
    notes.extend(is_there.then(|| "The name is moved from the image that has it now.".to_owned()));
    model.open(Confirm {
        title: "Create an image from this machine's tools?".to_owned(),
        items: vec![name],
        notes,
        yes: "create",
        no: "cancel",
        // The number is assigned after the confirmation.
        effects: vec![Effect::Work(TaskId(0), Job::FromHost(HOST_IMAGE))],
        top: 0,
    });
}

/// Shows everything known about the selection, in lists without their own action for it.
fn inspect(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if action != Action::Inspect {
        return None;
    }
    match model.subject() {
        Some(_) => model.show_tab(Tab::Inspect),
        None => model.say(Tone::Plain, "nothing is selected", None),
    }
    Some(Vec::new())
}

fn run_form(model: &mut Model) -> Vec<Effect> {
    let section = model.acted_section();
    let selected = match section {
        Section::Containers => model.container().map(|row| row.image.clone()),
        Section::Images => {
            model.images.end_range();
            let rows = model.target_rows(&model.images);
            if rows.len() > 1 {
                let count = rows.len();
                refuse_many(model, Action::Run.label(), count);
                return Vec::new();
            }
            rows.first().map(|row| row.target().to_owned())
        }
        _ => model.images.selected().map(|row| row.target().to_owned()),
    };
    let mut form = RunForm::new(selected.as_deref().unwrap_or_default());
    if section != Section::Images {
        form.field = place_of(Kind::Image);
    }
    form::update::open(model, form)
}
