//! Verbs on what is selected.

use super::{prompt, show_tab, subject_name};
use crate::command::join;
use crate::engine::{Conflict, Explain as _, Status, Verb as Wish};
use crate::tui::action::Action;
use crate::tui::event::{Effect, Force, Job, Program, Verb};
use crate::tui::model::layer::{Confirm, Field, Layer, Menu, Purpose, RunForm, Text};
use crate::tui::model::rows::ContainerRow;
use crate::tui::model::task::{TaskId, TaskRow, TaskState, What, Work};
use crate::tui::model::{Failure, Model, Section, Tab, Tone};

/// What an image of this machine's tools is called.
const HOST_IMAGE: &str = "host";

/// Signals of the menu, and what they are for.
const SIGNALS: &[(&str, &str)] = &[
    ("SIGTERM", "end, politely"),
    ("SIGKILL", "end at once; nothing can be saved"),
    ("SIGHUP", "read the configuration anew, by custom"),
    ("SIGINT", "as Ctrl-C"),
    ("SIGQUIT", "end with a core dump"),
    ("SIGUSR1", "whatever the program says"),
    ("SIGUSR2", "whatever the program says"),
    ("SIGWINCH", "the window has another size"),
    ("SIGSTOP", "stop all the process does"),
    ("SIGCONT", "let it go on"),
];

/// What `action` does to the selected object; `None` when it is no such action.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::FromHost => {
            return Some(vec![work(model, "image from this machine", Job::FromHost(HOST_IMAGE))]);
        }
        Action::Pull => prompt(model, Purpose::Pull, ""),
        Action::Load => prompt(model, Purpose::Load, ""),
        Action::Import => prompt(model, Purpose::Import, ""),
        Action::Run => run_form(model),
        Action::Inspect if model.section != Section::Containers => {
            if model.subject().is_some() {
                show_tab(model, Tab::Inspect);
            }
        }
        Action::CopyName => return Some(copy(model, subject_name(model))),
        Action::CopyId => {
            let id = match model.section {
                Section::Containers => model.container().map(|row| row.id.to_string()),
                Section::Images => model.images.selected().map(|row| row.id.clone()),
                Section::Networks => model.networks.selected().map(|row| row.id.clone()),
                Section::Volumes | Section::Tasks => None,
            };
            return Some(copy(model, id.unwrap_or_default()));
        }
        Action::CancelTask | Action::ClearTasks => return Some(task(model, action)),
        _ => {
            return match model.section {
                Section::Containers => container(model, action),
                Section::Images => image(model, action),
                _ => None,
            };
        }
    }
    Some(Vec::new())
}

fn container(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    let is_ours = matches!(action.group(), "Act" | "Delete")
        || matches!(
            action,
            A::Logs | A::Stats | A::Top | A::Inspect | A::RunAgain | A::CopyImage | A::CopyCommand
        );
    if !is_ours {
        return None;
    }
    let Some(row) = model.container().cloned() else {
        model.say(Tone::Plain, "there is no container to do that to", None);
        return Some(Vec::new());
    };
    match action {
        A::Logs => show_tab(model, Tab::Logs),
        A::Stats => show_tab(model, Tab::Stats),
        A::Top => show_tab(model, Tab::Top),
        A::Inspect => show_tab(model, Tab::Inspect),
        A::StartStop if row.is_up() => return Some(verb(model, &row, Verb::Stop, Wish::Stop)),
        A::StartStop => return Some(verb(model, &row, Verb::Start, Wish::Start)),
        A::Restart => return Some(mark(model, &row, Verb::Restart)),
        A::Pause if row.status == Status::Paused => {
            return Some(verb(model, &row, Verb::Unpause, Wish::Unpause));
        }
        A::Pause => return Some(verb(model, &row, Verb::Pause, Wish::Pause)),
        A::Kill => signals(model, &row),
        A::Remove => remove(model, &row, Force::No),
        A::RemoveForce => remove(model, &row, Force::Yes),
        A::Rename => prompt(model, Purpose::Rename(row.id), &row.name),
        A::Shell => return Some(terminal(model, &row, Program::Shell)),
        A::Attach => return Some(terminal(model, &row, Program::Attach)),
        A::Exec => match allowed(&row, Wish::Exec) {
            Ok(()) => prompt(model, Purpose::Exec(row.id), ""),
            Err(failure) => model.fail(failure),
        },
        A::RunAgain => prompt(model, Purpose::Command, &join(&row.again)),
        A::CopyImage => return Some(copy(model, row.image)),
        A::CopyCommand => return Some(copy(model, format!("hoist {}", join(&row.again)))),
        _ => return None,
    }
    Some(Vec::new())
}

fn image(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::Tag | Action::Remove | Action::RemoveForce) {
        return None;
    }
    let Some(row) = model.images.selected().cloned() else {
        model.say(Tone::Plain, "there is no image to do that to", None);
        return Some(Vec::new());
    };
    if action == Action::Tag {
        prompt(model, Purpose::Tag(row.target().to_owned()), "");
        return Some(Vec::new());
    }
    let force = if action == Action::RemoveForce { Force::Yes } else { Force::No };
    let others = model.images.all().iter().filter(|other| other.id == row.id).count();
    let name = if row.name.is_empty() { row.short().to_owned() } else { row.name.clone() };
    let note = match (others, force) {
        (2.., _) => "Only this name goes; the image has others.",
        (_, Force::Yes) => "The image goes, even when a stopped container was made of it.",
        (_, Force::No) => "The image goes with its layers that no other image has.",
    };
    model.layers.push(Layer::Confirm(Confirm {
        title: "Remove 1 image?".to_owned(),
        items: vec![format!("{name}   {}   {}", row.short(), crate::base::units::column(row.size))],
        notes: vec![note.to_owned()],
        yes: "remove",
        effect: Effect::RemoveImage(row.target().to_owned(), force),
    }));
    Some(Vec::new())
}

fn task(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::ClearTasks {
        let over: Vec<TaskId> =
            model.tasks.all().iter().filter(|task| task.is_over()).map(|task| task.id).collect();
        for id in &over {
            model.tasks.take(&id.key());
        }
        return over.into_iter().map(Effect::Close).collect();
    }
    let Some(id) = model.tasks.selected().filter(|task| !task.is_over()).map(|task| task.id) else {
        return Vec::new();
    };
    stop_task(model, id)
}

/// Asks work to stop, or leaves a terminal's program alone.
pub(super) fn stop_task(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let Some(task) = model.tasks.get_mut(&id.key()) else { return Vec::new() };
    match task.what {
        What::Work(_) => {
            task.state = TaskState::Stopping;
            vec![Effect::Cancel(id)]
        }
        What::Session(_) => detach(model, id),
    }
}

/// Leaves a terminal's program alone; its tab goes.
pub(super) fn detach(model: &mut Model, id: TaskId) -> Vec<Effect> {
    if let Some(task) = model.task(id) {
        let text = format!("detached from {}", task.title);
        model.say(Tone::Plain, text, None);
    }
    model.tasks.take(&id.key());
    vec![Effect::Close(id)]
}

/// Does `verb` where the status permits it, and marks the row.
fn verb(model: &mut Model, row: &ContainerRow, verb: Verb, wish: Wish) -> Vec<Effect> {
    match allowed(row, wish) {
        Ok(()) => mark(model, row, verb),
        Err(failure) => {
            model.fail(failure);
            Vec::new()
        }
    }
}

fn allowed(row: &ContainerRow, wish: Wish) -> Result<(), Failure> {
    let word = format!("{wish:?}").to_lowercase();
    let refused = |conflict: Conflict| Failure {
        what: format!("cannot {word} `{}`", row.name),
        why: vec![conflict.to_string()],
        hint: conflict.hint(),
    };
    row.status.after(wish).map(|_| ()).map_err(refused)
}

fn mark(model: &mut Model, row: &ContainerRow, verb: Verb) -> Vec<Effect> {
    model.names.insert(row.id.clone(), row.name.clone());
    if let Some(row) = model.containers.get_mut(row.id.as_str()) {
        row.busy = Some(match verb {
            Verb::Start => "starting…",
            Verb::Stop => "stopping…",
            Verb::Restart => "restarting…",
            Verb::Pause => "pausing…",
            Verb::Unpause => "resuming…",
            Verb::Kill(_) => "killing…",
            Verb::Remove(_) => "removing…",
            Verb::Rename(_) => "renaming…",
        });
    }
    vec![Effect::Container(verb, row.id.clone())]
}

/// The same for a verb that was asked about in a dialog.
pub(super) fn confirmed(model: &mut Model, effect: Effect) -> Vec<Effect> {
    match effect {
        Effect::Container(verb, id) => match model.containers.get(id.as_str()).cloned() {
            Some(row) => mark(model, &row, verb),
            None => Vec::new(),
        },
        other => vec![other],
    }
}

fn signals(model: &mut Model, row: &ContainerRow) {
    match allowed(row, Wish::Kill) {
        Err(failure) => model.fail(failure),
        Ok(()) => model.layers.push(Layer::Menu(Menu {
            title: format!("Send {} a signal", row.name),
            items: SIGNALS.iter().map(|(name, use_)| ((*name).to_owned(), (*use_).to_owned())).collect(),
            cursor: 0,
            container: row.id.clone(),
        })),
    }
}

fn remove(model: &mut Model, row: &ContainerRow, force: Force) {
    if let (Err(failure), Force::No) = (allowed(row, Wish::Remove), force) {
        model.fail(failure);
        return;
    }
    let mut notes = vec!["Its files and its log go with it.".to_owned()];
    if row.is_up() {
        notes.insert(0, "It is running: it is killed first.".to_owned());
    }
    model.layers.push(Layer::Confirm(Confirm {
        title: "Remove 1 container?".to_owned(),
        items: vec![format!("{}   {}   {}", row.name, row.status, row.image)],
        notes,
        yes: "remove",
        effect: Effect::Container(Verb::Remove(force), row.id.clone()),
    }));
}

/// Opens a terminal in the container.
pub(super) fn terminal(model: &mut Model, row: &ContainerRow, program: Program) -> Vec<Effect> {
    let (wish, what) = match &program {
        Program::Attach => (Wish::Attach, "attach".to_owned()),
        Program::Shell => (Wish::Exec, "shell".to_owned()),
        Program::Words(words) => (Wish::Exec, words.first().cloned().unwrap_or_default()),
        Program::Start => (Wish::Start, "attach".to_owned()),
    };
    if let Err(failure) = allowed(row, wish) {
        model.fail(failure);
        return Vec::new();
    }
    let id = model.new_task();
    let title = format!("{}: {what}", row.name);
    model.tasks.put(TaskRow::new(id, title, model.now, What::Session(row.id.clone())));
    show_tab(model, Tab::Session(id));
    vec![Effect::Open(id, row.id.clone(), program)]
}

/// Begins work in the background and shows how it goes on.
pub(super) fn work(model: &mut Model, title: &str, job: Job) -> Effect {
    model.layers.push(Layer::Progress(TaskId(model.next_task)));
    quiet_work(model, title, job)
}

/// Begins work in the background.
pub(super) fn quiet_work(model: &mut Model, title: &str, job: Job) -> Effect {
    let id = model.new_task();
    model.tasks.put(TaskRow::new(id, title.to_owned(), model.now, What::Work(Work::default())));
    Effect::Work(id, job)
}

fn run_form(model: &mut Model) {
    let selected = model.images.selected().map(|row| row.target().to_owned());
    let mut form = RunForm::new(selected.as_deref().unwrap_or_default());
    if model.section != Section::Images {
        form.field = Field::Text(Text::Image);
    }
    model.layers.push(Layer::Run(Box::new(form)));
}

pub(super) fn copy(model: &mut Model, text: String) -> Vec<Effect> {
    if text.is_empty() {
        return Vec::new();
    }
    model.say(Tone::Good, format!("copied {text}"), None);
    vec![Effect::Copy(text)]
}
