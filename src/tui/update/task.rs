//! Work in the background: begun, watched, read, cancelled, done again.

use super::object::copy;
use super::show_tab;
use crate::command::join;
use crate::tui::action::Action;
use crate::tui::event::{Effect, Job};
use crate::tui::model::layer::{Layer, Reading, Watch};
use crate::tui::model::task::{TaskId, TaskRow, TaskState, What, Work};
use crate::tui::model::{Model, Section, Tab, Tone};

/// So many ended tasks are listed; the oldest go first.
const ENDED: usize = 100;

/// Begins work in the background and shows how it goes on.
pub(super) fn work(model: &mut Model, title: &str, job: Job) -> Effect {
    let id = TaskId(model.next_task);
    model.layers.push(Layer::Progress(Watch { id, runs: false }));
    quiet_work(model, title, job)
}

/// Begins work in the background.
pub(super) fn quiet_work(model: &mut Model, title: &str, job: Job) -> Effect {
    let id = model.new_task();
    let mut row = TaskRow::new(id, masked(title), model.now, What::Work(Work::default()));
    row.job = Some(job.clone());
    model.tasks.put(row);
    let ended: Vec<String> =
        model.tasks.all().iter().filter(|task| task.is_over()).map(|task| task.key.clone()).collect();
    for key in ended.iter().skip(ENDED) {
        model.tasks.take(key);
    }
    Effect::Work(id, job)
}

/// A title for a list that others may see.
fn masked(title: &str) -> String {
    let words = crate::command::split(title).unwrap_or_default();
    let words: Vec<String> = words.iter().map(|word| crate::tui::model::form::masked(word)).collect();
    join(&words)
}

/// Lets the program itself do what `words` say, and shows what it prints.
pub(super) fn print(model: &mut Model, words: Vec<String>) -> Vec<Effect> {
    let id = TaskId(model.next_task);
    model.layers.push(Layer::Output(Reading { id, top: None, left: 0 }));
    vec![quiet_work(model, &join(&words), Job::Print(words))]
}

/// What `action` does to the marked or selected tasks; `None` when it is no such action.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::ClearTasks | Action::CancelTask | Action::RetryTask | Action::TaskOutput) {
        return None;
    }
    model.tasks.end_range();
    let targets: Vec<TaskRow> = model.tasks.targets().into_iter().cloned().collect();
    let (over, live): (Vec<&TaskRow>, Vec<&TaskRow>) = targets.iter().partition(|task| task.is_over());
    match action {
        Action::ClearTasks => return Some(clear(model)),
        Action::CancelTask if live.is_empty() => model.say(Tone::Plain, "nothing there still goes on", None),
        Action::CancelTask => return Some(live.iter().flat_map(|task| stop(model, task.id)).collect()),
        Action::RetryTask if over.is_empty() => model.say(Tone::Plain, "it still goes on", None),
        Action::RetryTask => return Some(over.iter().flat_map(|task| retry(model, task.id)).collect()),
        _ => {
            if let Some(task) = targets.first() {
                read(model, task.id);
            }
        }
    }
    Some(Vec::new())
}

/// Drops finished tasks: the marked ones, or all.
fn clear(model: &mut Model) -> Vec<Effect> {
    let marked: Vec<TaskId> = model.tasks.marked().into_iter().map(|task| task.id).collect();
    let is_meant = |task: &&TaskRow| task.is_over() && (marked.is_empty() || marked.contains(&task.id));
    let over: Vec<TaskId> = model.tasks.all().iter().filter(is_meant).map(|task| task.id).collect();
    for id in &over {
        model.tasks.take(&id.key());
    }
    over.into_iter().map(Effect::Close).collect()
}

/// Does the same work again.
fn retry(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let Some(task) = model.task(id) else { return Vec::new() };
    match (&task.job, task.is_over()) {
        (Some(job), true) => {
            let (title, job) = (task.title.clone(), job.clone());
            match job {
                Job::Print(words) => print(model, words),
                job => vec![quiet_work(model, &title, job)],
            }
        }
        (Some(_), false) => {
            model.say(Tone::Plain, "it still goes on", None);
            Vec::new()
        }
        (None, _) => {
            model.say(Tone::Plain, "a terminal is opened from its container", None);
            Vec::new()
        }
    }
}

/// Shows what a task said, or the terminal that it is.
pub(super) fn read(model: &mut Model, id: TaskId) {
    let session = model.task(id).and_then(|task| task.session().cloned());
    match session {
        None => model.layers.push(Layer::Output(Reading { id, top: None, left: 0 })),
        Some(container) => {
            model.shows_all = true;
            model.containers.filter.clear();
            model.section = Section::Containers;
            model.settle();
            if model.containers.select_key(container.as_str()) {
                show_tab(model, Tab::Session(id));
            }
        }
    }
}

/// Shows how a task goes on: its layers where it has some, else what it said.
pub(super) fn open(model: &mut Model, id: TaskId) {
    let has_parts =
        model.task(id).is_some_and(|task| matches!(&task.what, What::Work(work) if !work.parts.is_empty()));
    if has_parts {
        model.layers.push(Layer::Progress(Watch { id, runs: false }));
    } else {
        read(model, id);
    }
}

/// Asks work to stop, or leaves a terminal's program alone.
pub(super) fn stop(model: &mut Model, id: TaskId) -> Vec<Effect> {
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

/// What `action` does to the dialog of a task's progress.
pub(super) fn watch(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Progress(watch)) = model.layers.last_mut() else { return Vec::new() };
    let id = watch.id;
    let is_live = model.tasks.get(&id.key()).is_some_and(|task| !task.is_over() && task.makes_image());
    match action {
        Action::RunWhenDone if is_live => {
            watch.runs = !watch.runs;
            return Vec::new();
        }
        Action::TaskOutput => {
            model.layers.pop();
            read(model, id);
            return Vec::new();
        }
        Action::Cancel if model.task(id).is_some_and(|task| !task.is_over()) => return stop(model, id),
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// What `action` does to the page of what a task said.
pub(super) fn reading(model: &mut Model, action: Action) -> Vec<Effect> {
    let step = usize::from(model.size.1.saturating_sub(6).max(2));
    let Some(Layer::Output(reading)) = model.layers.last() else { return Vec::new() };
    let reading = *reading;
    let Some(task) = model.task(reading.id) else {
        model.layers.pop();
        return Vec::new();
    };
    let lines = task.told().len();
    let is_over = task.is_over();
    let end = lines.saturating_sub(step);
    let top = reading.top.unwrap_or(end).min(end);
    let (top, left) = match action {
        Action::Down => (top + 1, reading.left),
        Action::Up => (top.saturating_sub(1), reading.left),
        Action::HalfDown => (top + step / 2, reading.left),
        Action::HalfUp => (top.saturating_sub(step / 2), reading.left),
        Action::PageDown => (top + step, reading.left),
        Action::PageUp => (top.saturating_sub(step), reading.left),
        Action::First => (0, reading.left),
        Action::Last => (usize::MAX, reading.left),
        Action::Left => (top, reading.left.saturating_sub(8)),
        Action::Right => (top, (reading.left + 8).min(1 << 14)),
        Action::CopyShown => {
            let text = task.told().join("\n");
            let effects = copy(model, text);
            model.say(Tone::Good, format!("copied {lines} lines"), None);
            return effects;
        }
        Action::Cancel | Action::CancelTask if !is_over => return stop(model, reading.id),
        Action::CancelTask => return Vec::new(),
        Action::RetryTask => {
            if is_over {
                model.layers.pop();
            }
            return retry(model, reading.id);
        }
        _ => {
            model.layers.pop();
            return Vec::new();
        }
    };
    // At the end it follows what comes.
    let top = (top < end).then_some(top);
    if let Some(Layer::Output(slot)) = model.layers.last_mut() {
        *slot = Reading { top, left, ..reading };
    }
    Vec::new()
}
