//! Verbs on what is selected.

use crate::command::{Request, join};
use crate::engine::{Conflict, Explain as _, Status, Verb as Wish};
use crate::tui::action::Action;
use crate::tui::event::{Effect, Force, Job, Program, Verb};
use crate::tui::form::model::{Kind, RunForm, place_of};
use crate::tui::keymap::Place;
use crate::tui::line::update::prompt;
use crate::tui::list::batch::Batch;
use crate::tui::list::rows::{ContainerRow, ImageRow};
use crate::tui::model::window::PaneId;
use crate::tui::model::{Failure, Focus, Model, Section, Tab, Tone};
use crate::tui::removal::model::Victim;
use crate::tui::signals::model::{Receivers, SignalMenu};
use crate::tui::tasks::model::{TaskId, TaskRow, What};
use crate::tui::tasks::update::{quiet_work, work};
use crate::tui::update::show_tab;
use crate::tui::{containers, form, images, removal, tasks};

/// What an image of this machine's tools is called.
const HOST_IMAGE: &str = "host";

/// What `action` does to the selected object; `None` when it is no such action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::FromHost => {
            return Some(vec![work(model, "image from this machine", Job::FromHost(HOST_IMAGE))]);
        }
        // From anywhere: it is about all there is.
        Action::EmptyTrash => return crate::tui::trash::update::act(model, action),
        Action::Pull => prompt(model, images::update::Pull, ""),
        Action::Load => prompt(model, images::update::Load, ""),
        Action::Import => prompt(model, images::update::Import, ""),
        Action::Run => return Some(run_form(model)),
        Action::Inspect if !matches!(model.acted_section(), Section::Containers | Section::Trash) => {
            match model.subject() {
                Some(_) => show_tab(model, Tab::Inspect),
                None => model.say(Tone::Plain, "nothing is selected", None),
            }
        }
        _ => {
            return match model.acted_section() {
                Section::Containers => container(model, action),
                Section::Images => image(model, action),
                Section::Tasks => tasks::update::act(model, action),
                Section::Trash => crate::tui::trash::update::act(model, action),
                _ => None,
            };
        }
    }
    Some(Vec::new())
}

fn container(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    let is_ours = matches!(action.group(), "Act" | "Delete")
        || matches!(action, A::Logs | A::Stats | A::Top | A::Inspect | A::Ports | A::RunAgain);
    if !is_ours {
        return None;
    }
    model.containers.end_range();
    let rows = model.target_containers();
    let Some(first) = rows.first() else {
        model.say(Tone::Plain, "there is no container to do that to", None);
        return Some(Vec::new());
    };
    let is_removal = matches!(action, A::Remove | A::RemoveForce);
    if let Some(failure) =
        rows.iter().find_map(|row| damage(action, &row.name, row.damaged.as_deref())).filter(|_| !is_removal)
    {
        model.fail(failure);
        return Some(Vec::new());
    }
    match action {
        A::Logs => show_tab(model, Tab::Logs),
        A::Stats => show_tab(model, Tab::Stats),
        A::Ports => return Some(vec![Effect::ReadPorts(first.id.clone())]),
        A::Top => show_tab(model, Tab::Top),
        A::Inspect => show_tab(model, Tab::Inspect),
        A::StartStop if rows.iter().any(ContainerRow::is_up) => {
            return Some(verb(model, up(rows), Verb::Stop, Wish::Stop));
        }
        A::StartStop => return Some(verb(model, rows, Verb::Start, Wish::Start)),
        A::Restart => return Some(mark(model, rows, &Verb::Restart, Vec::new())),
        A::Pause if rows.iter().any(|row| row.status == Status::Running) => {
            let running = if rows.len() == 1 { rows } else { of_status(rows, Status::Running) };
            return Some(verb(model, running, Verb::Pause, Wish::Pause));
        }
        A::Pause if rows.iter().any(|row| row.status == Status::Paused) => {
            return Some(verb(model, of_status(rows, Status::Paused), Verb::Unpause, Wish::Unpause));
        }
        A::Pause => return Some(verb(model, rows, Verb::Pause, Wish::Pause)),
        A::Kill => signals(model, rows),
        A::Remove | A::RemoveForce => {
            let force = if action == A::Remove { Force::No } else { Force::Yes };
            let victims = rows.into_iter().map(|row| Victim::Container(Box::new(row))).collect();
            removal::update::ask(model, victims, force);
        }
        _ if rows.len() > 1 => {
            refuse_many(model, action, rows.len());
        }
        _ => {
            let row = first.clone();
            return one(model, &row, action);
        }
    }
    Some(Vec::new())
}

/// Why nothing but removing can be done to what cannot be read.
fn damage(action: Action, name: &str, why: Option<&str>) -> Option<Failure> {
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

/// Verbs that are for one container.
fn one(model: &mut Model, row: &ContainerRow, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    // What is opened for it is shown beside the list's cursor.
    if model.focus == Focus::List {
        model.containers.select_key(row.id.as_str());
    }
    match action {
        A::Rename => prompt(model, containers::update::Rename(row.id.clone()), &row.name),
        A::Shell => return Some(terminal(model, row, Program::Shell)),
        A::Attach => return Some(terminal(model, row, Program::Attach)),
        A::Exec => match allowed(row, Wish::Exec) {
            Ok(()) => prompt(model, containers::update::Exec(row.id.clone()), ""),
            Err(failure) => model.fail(failure),
        },
        A::RunAgain => return Some(run_again(model, row)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Says that `action` is for one object.
pub(crate) fn refuse_many(model: &mut Model, action: Action, count: usize) {
    let back = model.keys_of(Place::Global, Action::Back);
    model.fail(Failure {
        what: format!("cannot {} {count} at once", action.label().trim_end_matches('…')),
        why: vec!["it is done to one at a time".to_owned()],
        hint: Some(format!("{back} takes the marks away")),
    });
}

fn up(mut rows: Vec<ContainerRow>) -> Vec<ContainerRow> {
    rows.retain(ContainerRow::is_up);
    rows
}

fn of_status(mut rows: Vec<ContainerRow>, status: Status) -> Vec<ContainerRow> {
    rows.retain(|row| row.status == status);
    rows
}

fn image(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::Tag | Action::Remove | Action::RemoveForce) {
        return None;
    }
    model.images.end_range();
    let rows: Vec<ImageRow> = model.images.targets().into_iter().cloned().collect();
    let is_tag = action == Action::Tag;
    if let Some(failure) =
        rows.iter().find_map(|row| damage(action, row.target(), row.damaged.as_deref())).filter(|_| is_tag)
    {
        model.fail(failure);
        return Some(Vec::new());
    }
    match (rows.as_slice(), action) {
        ([], _) => model.say(Tone::Plain, "there is no image to do that to", None),
        ([row], Action::Tag) => prompt(model, images::update::Tag(row.target().to_owned()), ""),
        (rows, Action::Tag) => refuse_many(model, action, rows.len()),
        (rows, Action::RemoveForce) => removal::update::ask_images(model, rows, Force::Yes),
        (rows, _) => removal::update::ask_images(model, rows, Force::No),
    }
    Some(Vec::new())
}

/// Does `verb` to those whose status permits it.
pub(crate) fn verb(model: &mut Model, rows: Vec<ContainerRow>, verb: Verb, wish: Wish) -> Vec<Effect> {
    let (able, refused) = apart(rows, wish);
    mark(model, able, &verb, refused)
}

/// Does `verb`, which was done to others before.
pub(crate) fn again(model: &mut Model, what: &Verb) -> Vec<Effect> {
    model.containers.end_range();
    let rows = model.target_containers();
    if rows.is_empty() {
        model.say(Tone::Plain, "there is no container to do that to", None);
    }
    let wish = match what {
        Verb::Start => Wish::Start,
        Verb::Stop => Wish::Stop,
        Verb::Pause => Wish::Pause,
        Verb::Unpause => Wish::Unpause,
        _ => return Vec::new(),
    };
    verb(model, rows, what.clone(), wish)
}

/// Those that `wish` is allowed for, and why it is not for the others.
fn apart(rows: Vec<ContainerRow>, wish: Wish) -> (Vec<ContainerRow>, Vec<Failure>) {
    let mut refused = Vec::new();
    let mut able = rows;
    able.retain(|row| allowed(row, wish).map_err(|failure| refused.push(failure)).is_ok());
    (able, refused)
}

fn allowed(row: &ContainerRow, wish: Wish) -> Result<(), Failure> {
    let word = format!("{wish:?}").to_lowercase();
    let refused = |conflict: Conflict| Failure {
        what: format!("cannot {word} `{}`", row.name),
        why: vec![conflict.to_string()],
        hint: conflict.hint(),
    };
    if let Some(why) = &row.damaged {
        let hint = Some("remove it, or put its file right".to_owned());
        return Err(Failure {
            what: format!("cannot {word} `{}`", row.name),
            why: vec![format!("it is damaged: {why}")],
            hint,
        });
    }
    row.status.after(wish).map(|_| ()).map_err(refused)
}

/// Does `verb`, shows at the rows that it goes on, and gathers what comes of it where it is
/// done to several.
fn mark(model: &mut Model, rows: Vec<ContainerRow>, verb: &Verb, mut refused: Vec<Failure>) -> Vec<Effect> {
    let [word, going_on, done] = words(verb);
    // What goes on is let end first, except by what ends the container itself.
    let is_urgent = matches!(verb, Verb::Kill(_) | Verb::Remove(_));
    let waits = |row: &ContainerRow| row.busy.filter(|_| !is_urgent);
    refused.extend(rows.iter().filter_map(|row| {
        let busy = waits(row)?;
        Some(Failure {
            what: format!("cannot {word} `{}`", row.name),
            why: vec![format!("it is {}", busy.trim_end_matches('…'))],
            hint: Some("wait until that is done".to_owned()),
        })
    }));
    let rows: Vec<ContainerRow> = rows.into_iter().filter(|row| waits(row).is_none()).collect();
    for row in &rows {
        model.names.insert(row.id.clone(), row.name.clone());
        if let Some(row) = model.containers.get_mut(row.id.as_str()) {
            row.busy = Some(going_on);
        }
    }
    let effects: Vec<Effect> = rows.into_iter().map(|row| Effect::Container(verb.clone(), row.id)).collect();
    together(model, done, effects, refused)
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
    let key = model.keys_of(Place::Global, Action::Details);
    model.say(Tone::Bad, format!("{text}: {}", first.line()), Some(format!("{key} shows all")));
    model.failure = Some(Failure { what: text, ..Failure::default() });
    model.failures = failures;
}

/// What a verb is called: before it, while it goes on, and when it is done.
fn words(verb: &Verb) -> [&'static str; 3] {
    match verb {
        Verb::Start => ["start", "starting…", "started"],
        Verb::Stop => ["stop", "stopping…", "stopped"],
        Verb::Restart => ["restart", "restarting…", "restarted"],
        Verb::Pause => ["pause", "pausing…", "paused"],
        Verb::Unpause => ["unpause", "resuming…", "resumed"],
        Verb::Kill(_) => ["kill", "killing…", "signalled"],
        Verb::Remove(_) => ["remove", "removing…", "removed"],
        Verb::Rename(_) => ["rename", "renaming…", "renamed"],
    }
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
            mark(model, rows, &verb, Vec::new())
        }
        Some(Effect::Work(_, job @ (Job::Copy(_) | Job::Delete(..)))) => {
            crate::tui::files::update::begin(model, job)
        }
        Some(Effect::RemoveImage(..)) => together(model, "removed", effects, Vec::new()),
        Some(Effect::Restore(..)) => together(model, "restored", effects, Vec::new()),
        Some(Effect::Purge(_)) => together(model, "deleted", effects, Vec::new()),
        _ => effects,
    }
}

fn signals(model: &mut Model, rows: Vec<ContainerRow>) {
    let (able, mut refused) = apart(rows, Wish::Kill);
    let title = match able.as_slice() {
        [] if refused.len() == 1 => return model.fail(refused.remove(0)),
        [] => return end(model, Batch::new("killed", Vec::new(), refused)),
        [row] => format!("Send {} a signal", row.name),
        rows => format!("Send {} containers a signal", rows.len()),
    };
    let receivers = able.into_iter().map(|row| row.id).collect();
    model.open(SignalMenu::new(title, Receivers::Containers(receivers)));
}

/// Opens a terminal in the container.
pub(crate) fn terminal(model: &mut Model, row: &ContainerRow, program: Program) -> Vec<Effect> {
    let (wish, what) = match &program {
        Program::Attach => (Wish::Attach, "attach".to_owned()),
        Program::Shell => (Wish::Exec, "shell".to_owned()),
        Program::Words(words) => (Wish::Exec, words.first().cloned().unwrap_or_default()),
        Program::Exec(asked) => (Wish::Exec, asked.request.command.first().cloned().unwrap_or_default()),
        Program::Start => (Wish::Start, "attach".to_owned()),
    };
    if let Err(failure) = allowed(row, wish) {
        model.fail(failure);
        return Vec::new();
    }
    let id = session(model, row, &what);
    show_tab(model, Tab::Session(id));
    vec![Effect::Open(id, row.id.clone(), program)]
}

/// Opens a terminal in a container, in a pane of its own.
pub(crate) fn shell(model: &mut Model, row: &ContainerRow, program: Program, pane: PaneId) -> Vec<Effect> {
    if let Err(failure) = allowed(row, Wish::Exec) {
        model.fail(failure);
        return Vec::new();
    }
    let id = session(model, row, "shell");
    if let Some(pane) = model.windows.get_mut(pane) {
        pane.tab = Tab::Session(id);
    }
    vec![Effect::Open(id, row.id.clone(), program)]
}

fn session(model: &mut Model, row: &ContainerRow, what: &str) -> TaskId {
    let id = model.new_task();
    let title = format!("{}: {what}", row.name);
    model.tasks.put(TaskRow::new(id, title, model.now, What::Session(row.id.clone())));
    id
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

/// Opens the form with the words that made a container.
fn run_again(model: &mut Model, row: &ContainerRow) -> Vec<Effect> {
    match RunForm::of(&row.again) {
        Ok(form) => form::update::open(model, form),
        Err(why) => {
            let what = format!("cannot run `{}` again", row.name);
            model.fail(Failure { what, why: vec![why], hint: None });
            Vec::new()
        }
    }
}

/// Runs a container; `words` are what is shown of it. How that goes on is shown only when an image
/// is pulled.
pub(crate) fn run(model: &mut Model, words: &[String], request: Request) -> Vec<Effect> {
    model.section = Section::Containers;
    super::window::leave(model);
    vec![quiet_work(model, &join(words), Job::Request(Box::new(request)))]
}
