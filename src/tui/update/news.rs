//! Events from the driver: lists, results of verbs, samples, and news about tasks and terminals.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::copy;
use crate::tui::{containers, dialogs, form, line, sections, tasks, trash, undo, viewers};

use super::batch::{self, end};
use crate::config::Preset;
use crate::engine::{self, ContainerId, Kind, News, Sample};
use crate::tui::containers::model::Used;
use crate::tui::containers::update::terminal::terminal;
use crate::tui::effect::{Effect, Program};
use crate::tui::event::{Event, Finish};
use crate::tui::events::model::{EventRow, KEPT};
use crate::tui::failure::{Failure, Tone};
use crate::tui::form::model::RunForm;
use crate::tui::keymap::Keymap;
use crate::tui::list::columns;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::page::model::Page;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::stats::series;
use crate::tui::stats::total::current_for;
use crate::tui::tasks::model::{ProgressPage, TaskState, What, Work};
use crate::tui::tasks::update::close_progress;
use crate::tui::update::countdown;

/// The minimum time between two queries of the free disk space.
const MACHINE: SignedDuration = SignedDuration::from_secs(10);

/// Applies an event that is neither a key nor a new terminal size.
pub(crate) fn take(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Tick(now) => return tick(model, now),
        Event::News(News::Event(event)) => return changed(model, event),
        Event::News(News::Gap) => {
            let mut effects = super::start();
            effects.extend(model.journal_is_asked.then_some(Effect::Load(Section::Events)));
            return effects;
        }
        Event::List(Ok(listed)) => {
            sections::take(model, listed);
            tasks::update::session::name_found(model);
        }
        Event::List(Err((section, failure))) => unlisted(model, section, failure),
        Event::Container(id, row) => containers::update::put(model, &id, row),
        Event::Unreadable(_) => return vec![Effect::Load(Section::Containers)],
        Event::Kept(effect, row) => undo::update::kept(model, &effect, *row),
        Event::Done(effect, result) => return done(model, &effect, result),
        Event::Missing(effect) => return missing(model, &effect),
        Event::Withdrawn(effects) => {
            batch::withdrawn(model, &effects);
            undo::update::withdrawn(model, &effects);
            if effects.is_empty() {
                // There was nothing to cancel, so the key has its usual meaning.
                super::leave(model);
            }
        }
        Event::Answer(serial, answer) => viewers::take(model, serial, answer),
        Event::Saving(save, is_taken) => return crate::tui::logs::update::saving(model, save, is_taken),
        Event::Sample(id, sample) => sampled(model, id, *sample),
        Event::Total(total) => model.total.push(total),
        Event::PastUsage(id, past) if model.keeps_series_of(&id) => {
            model.series.entry(id).or_default().fill(&past);
        }
        Event::Notice(tone, text) => model.say(tone, text, None),
        Event::Warned(section, warnings) => warn(model, section, warnings),
        Event::Json(Ok(text)) => return copy::text(model, text),
        Event::Json(Err(failure)) => model.fail(failure),
        Event::Page(title, Ok(lines)) => {
            model.open(Page::new(title, lines));
        }
        Event::Page(_, Err(failure)) => model.fail(failure),
        Event::HostFailed(failure) => model.fail(failure),
        Event::Machine(machine) => {
            model.machine = machine;
            model.alerts.disk(machine.space, model.now);
        }
        Event::Keymap(preset, result) => keymap(model, preset, result),
        Event::FilesDone(wish, result) => {
            model.undo.end(&Effect::Files(wish.clone()), result.is_ok(), model.now);
            return crate::tui::files::update::done(model, wish, result);
        }
        Event::Progress(id, work) => progress(model, id, work),
        Event::Said(id, bytes) => {
            if let Some(task) = model.tasks.get_mut(&id.key()) {
                task.said.take(&bytes);
            }
        }
        Event::Path(path, fact) => {
            model.paths.learn(path, fact);
            return dialogs::check(model);
        }
        Event::Folder(folder, names) => return line::update::folder_read(model, folder, names),
        Event::Finished(id, result) => return finished(model, id, result),
        Event::Opened(id, exec) => return tasks::update::session::opened(model, id, *exec),
        Event::Ended(id, result) => ended(model, id, result),
        _ => {}
    }
    Vec::new()
}

/// Shows the new ones among a list's warnings, since the list is read again at every change.
fn warn(model: &mut Model, section: Section, warnings: Vec<String>) {
    let known = model.warned.get(&section);
    let is_new = |it: &&String| known.is_none_or(|known| !known.contains(it));
    let text = warnings.iter().filter(is_new).map(String::as_str).collect::<Vec<_>>().join(" · ");
    if !text.is_empty() {
        model.say(Tone::Warning, text, None);
    }
    model.warned.insert(section, warnings);
}

fn sampled(model: &mut Model, id: ContainerId, sample: Sample) {
    let limit = sample.is_limited.then_some(sample.memory_limit as f64);
    let step = model.wants().stats.get(&id).copied().unwrap_or_default();
    let expires = sample.time + current_for(step.try_into().unwrap_or_default());
    let series = model.series.entry(id.clone()).or_default();
    series.push(sample);
    let now = series.now().copied();
    series::trim(&mut model.series);
    let used = now.map(|now| Used {
        cpu: now.cpu,
        memory: now.memory,
        limit,
        net_in: now.net.0,
        net_out: now.net.1,
        pids: now.pids,
        expires,
    });
    if let Some(row) = model.containers.get_still(id.as_str(), &columns::USE) {
        row.used = used;
        model.alerts.measure(row, model.now);
    }
}

fn tick(model: &mut Model, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    model.flashes.tick(now);
    countdown::tick(model);
    if model.notice.as_ref().is_some_and(|notice| notice.until <= now) {
        model.notice = None;
        model.is_leaving = false;
    }
    // Only asked when an event arrives anyway, so there is no timer for it.
    if now.duration_since(model.machine_asked) < MACHINE {
        return Vec::new();
    }
    model.machine_asked = now;
    vec![Effect::Machine]
}

/// Applies the keymap of a preset, including the user's keymap.
fn keymap(model: &mut Model, preset: Preset, result: Result<Arc<Keymap>, Failure>) {
    match result {
        Ok(keymap) => {
            (model.keymap, model.look.keymap) = (keymap, preset);
            model.pending.clear();
        }
        Err(failure) => model.fail(failure),
    }
}

fn changed(model: &mut Model, event: engine::Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    undo::update::heard(model, &event);
    if event.kind == Kind::Container {
        // Sessions change nothing that the list shows.
        let is_session =
            ["exec_", "attach", "detach", "top", "resize"].iter().any(|word| event.action.starts_with(word));
        let id = event.actor.id.parse::<ContainerId>();
        effects.extend(id.into_iter().filter(|_| !is_session).map(Effect::Reload));
    }
    let changed = Section::ALL.into_iter().filter(|section| (section.screen().is_changed_by)(&event));
    effects.extend(changed.map(Effect::Load));
    model.journal.put(EventRow::new(&event));
    if model.journal.all().len() > KEPT + KEPT / 10 {
        model.journal.truncate(KEPT);
    }
    effects
}

fn unlisted(model: &mut Model, section: Section, failure: Failure) {
    model.list_of_mut(section).fail(failure.clone());
    model.keep_failure(failure.into());
}

fn done(model: &mut Model, effect: &Effect, result: Result<(), Failure>) -> Vec<Effect> {
    let (text, effects) = match effect {
        Effect::Container(verb, id) => {
            let name = model.take_name(id);
            (verb.told(&name), vec![Effect::Reload(id.clone())])
        }
        Effect::Signal(_, process, signal) => {
            (format!("sent {signal} to process {}", process.pid), Vec::new())
        }
        Effect::SignalSession(id, _, signal) => {
            let title = model.task(*id).map_or_else(String::new, |task| task.title.clone());
            (format!("sent {signal} to {title}"), vec![Effect::Load(Section::Tasks)])
        }
        Effect::RemoveImage(name, _) => (format!("removed {name}"), vec![Effect::Load(Section::Images)]),
        Effect::Browse(url) if result.is_err() => {
            if let Err(failure) = result {
                model.fail(failure);
            }
            return vec![Effect::Copy(url.clone())];
        }
        Effect::Browse(url) => (format!("opened {url}"), Vec::new()),
        Effect::TagImage(_, name) => (format!("tagged {name}"), vec![Effect::Load(Section::Images)]),
        Effect::Restore(id, name) => {
            let row = trash::update::take_row(model, id);
            let is_container = row.as_ref().is_some_and(|row| row.kind == "container");
            let name = name.clone().or(row.map(|row| row.name));
            let name = name.unwrap_or_else(|| "the object".to_owned());
            let state = if is_container { " (not running)" } else { "" };
            (format!("restored {name}{state}"), vec![Effect::Load(Section::Trash)])
        }
        Effect::RestoreAndStart(id) => {
            let row = trash::update::take_row(model, id);
            let name = row.map_or_else(|| "the container".to_owned(), |row| row.name);
            (format!("restored and started {name}"), vec![Effect::Load(Section::Trash)])
        }
        Effect::Purge(id) => {
            let row = trash::update::take_row(model, id);
            let name = row.map_or_else(|| "the object".to_owned(), |row| row.name);
            (format!("deleted {name} permanently"), vec![Effect::Load(Section::Trash)])
        }
        Effect::EmptyTrash => ("emptied the trash".to_owned(), vec![Effect::Load(Section::Trash)]),
        _ => (String::new(), Vec::new()),
    };
    let is_done = result.is_ok();
    let in_batch = model.batches.iter_mut().position(|batch| batch.take(effect, &result));
    conclude(model, effect, is_done, in_batch, |model| match result {
        Ok(()) => model.say(Tone::Good, text, None),
        Err(failure) => model.fail(failure),
    });
    effects
}

/// Ends an effect, whose result the batch at `in_batch` has taken. Without a batch, `tell` reports
/// it.
fn conclude(
    model: &mut Model,
    effect: &Effect,
    is_done: bool,
    in_batch: Option<usize>,
    tell: impl FnOnce(&mut Model),
) {
    countdown::end(model, effect);
    if let Effect::Container(_, id) = effect
        && let Some(row) = model.containers.get_mut(id.as_str())
    {
        (row.busy, row.left) = (None, None);
    }
    match in_batch {
        None => tell(model),
        Some(at) if model.batches[at].is_over() => {
            let batch = model.batches.remove(at);
            end(model, batch);
        }
        Some(_) => {}
    }
    undo::update::end(model, effect, is_done);
}

/// Takes the end of a removal whose object another process had removed, or restored from the trash.
fn missing(model: &mut Model, effect: &Effect) -> Vec<Effect> {
    let (text, effects) = match effect {
        Effect::Container(_, id) => {
            let name = model.take_name(id);
            (format!("{name} has already been removed"), Effect::Reload(id.clone()))
        }
        Effect::Purge(id) => {
            let row = trash::update::take_row(model, id);
            let name = row.map_or_else(|| "the object".to_owned(), |row| row.name);
            (format!("{name} is no longer in the trash"), Effect::Load(Section::Trash))
        }
        Effect::RemoveImage(name, _) => {
            (format!("{name} has already been removed"), Effect::Load(Section::Images))
        }
        _ => return Vec::new(),
    };
    // There is nothing that this removal could undo, unless it was to undo something itself.
    let undoes = model.undo.is_undoing(effect);
    let in_batch = model.batches.iter_mut().position(|batch| batch.miss(effect));
    conclude(model, effect, undoes, in_batch, |model| model.say(Tone::Plain, text, None));
    vec![effects]
}

fn progress(model: &mut Model, id: TaskId, work: Work) {
    let (has_parts, now) = (!work.parts.is_empty(), model.now);
    let Some(task) = model.tasks.get_mut(&id.key()) else { return };
    let is_first = matches!(&task.what, What::Work(old) if old.parts.is_empty()) && has_parts;
    task.pace.take(now, work.bytes().0);
    task.what = What::Work(work);
    // Show the progress of a run that first has to pull its image.
    if is_first && model.layers.is_empty() && model.focus == super::Focus::List {
        model.open(ProgressPage { id, runs: false });
    }
}

fn finished(model: &mut Model, id: TaskId, result: Result<Finish, Failure>) -> Vec<Effect> {
    crate::tui::files::update::refresh(model);
    undo::update::end_work(model, id, result.is_ok());
    let now = model.now;
    let watch = model.layers.iter().find_map(|layer| match layer {
        Layer::Progress(watch) if watch.id == id => Some(**watch),
        _ => None,
    });
    let was_stopping = model.task(id).is_some_and(|task| task.state == TaskState::Stopping);
    let mut state = |state: TaskState| {
        if let Some(task) = model.tasks.get_mut(&id.key()) {
            task.said.end();
            (task.state, task.until) = (state, Some(now));
        }
    };
    match result {
        Ok(finish) => {
            state(TaskState::Done(finish.text.clone()));
            tasks::update::read_from_the_top(model, id);
            model.say(Tone::Good, finish.text.clone(), None);
            close_progress(model, id);
            finish_well(model, finish, watch)
        }
        Err(_) if was_stopping => {
            state(TaskState::Cancelled);
            let title = model.task(id).map_or_else(String::new, |task| task.title.clone());
            model.say(Tone::Plain, format!("cancelled: {title}"), None);
            close_progress(model, id);
            Vec::new()
        }
        Err(failure) => {
            state(TaskState::Failed(failure.clone()));
            let effects = form::update::take_up(model, id, &failure);
            model.fail(failure);
            if shows_output(model, id) {
                model.notice = None;
            }
            effects
        }
    }
}

/// Whether the screen shows what a task said, which includes why it failed.
fn shows_output(model: &Model, id: TaskId) -> bool {
    match model.layers.last() {
        Some(Layer::Progress(page)) => page.id == id,
        Some(Layer::Output(page)) => page.id == id,
        _ => false,
    }
}

fn finish_well(model: &mut Model, finish: Finish, watch: Option<ProgressPage>) -> Vec<Effect> {
    if let Some(image) = finish.image {
        let mut effects = vec![Effect::Load(Section::Images)];
        if watch.is_some() {
            model.section = Section::Images;
            model.images.wish(&image);
        }
        if watch.is_some_and(|watch| watch.runs) {
            effects.extend(form::update::open(model, RunForm::new(&image)));
        }
        return effects;
    }
    let Some(row) = finish.made else { return Vec::new() };
    containers::update::put(model, &row.id.clone(), Some(row.clone()));
    // If the user has gone elsewhere in the meantime, leave them there.
    if model.section != Section::Containers || model.focus != super::Focus::List || !model.layers.is_empty() {
        return Vec::new();
    }
    model.containers.filter.clear();
    model.shows_all = true;
    model.containers.expect(row.id.as_str());
    model.settle();
    if finish.opens && model.subject() == Some(Subject::Container(row.id.clone())) {
        return terminal(model, &row, Program::Start);
    }
    Vec::new()
}

fn ended(model: &mut Model, id: TaskId, result: Result<Option<u8>, Failure>) {
    let now = model.now;
    let Some(task) = model.tasks.get_mut(&id.key()) else { return };
    task.until = Some(now);
    match result {
        Ok(code) => {
            let text = code.map_or_else(|| "session ended".to_owned(), |code| format!("exit {code}"));
            task.state = TaskState::Done(text);
        }
        Err(failure) => {
            task.state = TaskState::Failed(failure.clone());
            model.fail(failure);
        }
    }
}
