//! The keys of a log: following, searching, filtering, selecting, merging, saving.

pub(crate) mod prompt;

use std::path::PathBuf;

use jiff::SignedDuration;

use crate::base::units::counted;
use crate::engine::{ContainerId, LogForm, LogQuery, LogWanted, SaveLog};
use crate::tui::action::{Action, Group};
use crate::tui::confirm::model::Confirm;
use crate::tui::containers::words::state_word;
use crate::tui::effect::{Effect, Job};
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::{prompt as ask, revise};
use crate::tui::logs::model::{LogPane, MergeMenu, Since, Times};
use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::tasks::update::quiet_work;
use crate::tui::update::copy;

/// Performs `action` in the log of the current pane; `None` if it has no special meaning there.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let page = model.pane_inner().map_or(1, |area| i64::from(area.height.max(2)));
    let now = model.now;
    let log = &mut model.pane_mut().log;
    if let Some(why) = obstacle(log, action) {
        model.say(Tone::Plain, why, None);
        return Some(Vec::new());
    }
    match action {
        Action::Down => step(log, 1),
        Action::Up => step(log, -1),
        Action::HalfDown => step(log, page / 2),
        Action::HalfUp => step(log, -page / 2),
        Action::PageDown => step(log, page - 1),
        Action::PageUp => step(log, 1 - page),
        Action::First if log.selected.is_some() => log.select_by(i64::MIN / 2),
        Action::First => log.first(),
        Action::Last if log.selected.is_some() => log.select_by(i64::MAX / 2),
        Action::Last => log.follow(),
        Action::NextMatch | Action::PreviousMatch if log.search.is_empty() => {
            model.say_nothing_is_searched();
        }
        Action::MoreContext | Action::LessContext if !log.is_filtered() => {
            let key = model.keys_of(KeyContext::Logs, Action::FilterLines);
            let hint = Some(format!("press {key} to filter"));
            model.say(Tone::Plain, "context lines need a filter", hint);
        }
        Action::NextMatch => log.seek(false, LogWanted::Match),
        Action::PreviousMatch => log.seek(true, LogWanted::Match),
        Action::NextGrave => log.seek(false, LogWanted::Grave),
        Action::PreviousGrave => log.seek(true, LogWanted::Grave),
        Action::Follow if log.is_paused => log.follow(),
        Action::Follow => log.pause(),
        Action::Wrap => {
            (log.wraps, log.left, log.top.1) = (!log.wraps, 0, 0);
        }
        Action::Times => log.times = log.times.next(),
        Action::Json => (log.json, log.top.1) = (log.json.next(), 0),
        Action::Streams => log.next_stream(),
        Action::MinimumLevel => log.next_level(),
        Action::MoreContext => log.more_context(1),
        Action::LessContext => log.more_context(-1),
        Action::Clear => log.clear(now),
        Action::MarkLine => log.mark(now),
        Action::SelectLines => log.select(),
        Action::SinceTail => log.since(Since::Tail),
        Action::SinceMinute => log.since(Since::Time(now - SignedDuration::from_mins(1))),
        Action::SinceMinutes => log.since(Since::Time(now - SignedDuration::from_mins(5))),
        Action::SinceHour => log.since(Since::Time(now - SignedDuration::from_hours(1))),
        Action::SinceAll => log.since(Since::All),
        Action::SinceMoment => ask(model, prompt::Moment, ""),
        Action::FilterLines => {
            let filter = log.filter.clone();
            revise(model, prompt::Filter, &filter);
        }
        Action::CopyLines => return Some(copy_lines(model)),
        Action::SaveLog => {
            let name = log.of.first().map_or_else(|| "log".to_owned(), |shown| shown.name.clone());
            ask(model, prompt::Save, &format!("{name}.log"));
        }
        Action::MergeLogs => merge(model),
        Action::Back => return back(log).then(Vec::new),
        _ => return None,
    }
    Some(Vec::new())
}

/// Returns why an action would change nothing.
pub(crate) fn obstacle(log: &LogPane, action: Action) -> Option<&'static str> {
    use Action as A;
    let needs_line = matches!(action, A::MarkLine | A::SelectLines | A::NextGrave | A::PreviousGrave);
    let needs_log = needs_line || action == A::Clear || action.group() == Group::Since;
    match action {
        _ if needs_log && log.buffer.is_blank() => Some("the log has not been read yet"),
        _ if needs_line && log.buffer.is_empty() => Some("there are no lines"),
        A::LessContext if log.is_filtered() && log.context == 0 => Some("there are no context lines"),
        A::SinceAll if !log.has_floor() => Some("the whole log is shown"),
        _ => None,
    }
}

/// Whether an action reads more of the log.
pub(crate) fn reads(action: Action) -> bool {
    use Action as A;
    let finds = [A::Search, A::NextMatch, A::PreviousMatch, A::NextGrave, A::PreviousGrave];
    let sifts = [A::FilterLines, A::MoreContext, A::LessContext, A::Streams, A::MinimumLevel];
    let others = [A::Clear, A::Follow, A::SaveLog, A::MergeLogs];
    finds.contains(&action)
        || sifts.contains(&action)
        || others.contains(&action)
        || action.group() == Group::Since
}

/// Moves the end of the selection, or scrolls.
fn step(log: &mut LogPane, by: i64) {
    if log.selected.is_some() { log.select_by(by) } else { log.scroll(by) }
}

/// Clears the selection, the search or the filter, in this order. Returns whether there was one.
fn back(log: &mut LogPane) -> bool {
    if log.selected.is_some() {
        log.select();
    } else if !log.search.is_empty() {
        let _ = log.search_for(""); // an empty pattern is valid
    } else if !log.filter.is_empty() {
        let _ = log.set_filter(""); // an empty filter is valid
    } else {
        return false;
    }
    true
}

fn copy_lines(model: &mut Model) -> Vec<Effect> {
    let log = &mut model.pane_mut().log;
    let Some((count, text)) = log.copied() else {
        let keys = model.keys_of(model.key_context(), Action::SelectLines);
        model.say(Tone::Plain, format!("no lines are selected; {keys} selects lines"), None);
        return Vec::new();
    };
    log.selected = None;
    if count == 1 {
        return copy::text(model, text);
    }
    model.say(Tone::Good, format!("copied {}", counted(count as u64, "line")), None);
    vec![Effect::Copy(text)]
}

/// Merges the logs of the marked containers. Without marks, asks for a container to add.
fn merge(model: &mut Model) {
    let marked = model.containers.marked().into_iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    if !marked.is_empty() {
        model.pane_mut().log.merged = marked;
        return;
    }
    let shown = model.pane().log.of.clone();
    let first = shown.first().map(|first| first.id.clone());
    let rows = model.containers.all().iter().filter(|row| Some(&row.id) != first.as_ref());
    let (items, containers): (Vec<_>, Vec<_>) = rows
        .map(|row| {
            let is_in = shown.iter().any(|shown| shown.id == row.id);
            let note = if is_in { "merged; choose to remove".to_owned() } else { state_word(row) };
            ((row.name.clone(), note), row.id.clone())
        })
        .unzip();
    if items.is_empty() {
        return model.say(Tone::Plain, "there are no other containers", None);
    }
    let title = "Merge the logs of".to_owned();
    model.open(MergeMenu { menu: Menu::new(title, items), containers });
}

/// Performs `action` in the menu of containers to merge.
pub(crate) fn merging(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Merge(dialog)) = model.layers.last_mut() else { return Vec::new() };
    if dialog.menu.moves(action) {
        return Vec::new();
    }
    let chosen = dialog.containers.get(dialog.menu.cursor).cloned();
    model.layers.pop();
    if let Some(id) = chosen.filter(|_| action == Action::Accept) {
        toggle(&mut model.pane_mut().log.merged, id);
    }
    Vec::new()
}

fn toggle(merged: &mut Vec<ContainerId>, id: ContainerId) {
    match merged.iter().position(|there| *there == id) {
        Some(at) => drop(merged.remove(at)),
        None => merged.push(id),
    }
}

/// Asks the driver whether the file can be created.
pub(crate) fn save(model: &Model, text: &str) -> Vec<Effect> {
    let log = &model.pane().log;
    let (text, is_all) = match text.strip_prefix("all:") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let query = if is_all { LogQuery::default() } else { LogQuery { search: None, ..log.query() } };
    // Places are valid only in the open view, so a file starts at the time instead.
    let query = LogQuery { floor: None, ..query };
    let names = log.of.iter().map(|shown| shown.name.clone()).filter(|_| log.of.len() > 1).collect();
    let save = SaveLog {
        containers: log.of.iter().map(|shown| shown.id.clone()).collect(),
        query,
        since: log.since_moment().filter(|_| !is_all),
        path: path(model, text),
        overwrites: false,
        form: LogForm { times: log.times != Times::Off, names },
    };
    vec![Effect::TrySave(Box::new(save))]
}

/// Expands a path that starts with `~/`, and makes others relative to the folder hoist was started
/// in.
fn path(model: &Model, text: &str) -> PathBuf {
    let home = model.world.environment.text("HOME").filter(|_| text.starts_with("~/"));
    match home {
        Some(home) => PathBuf::from(home).join(&text[2..]),
        None => model.world.folder.join(text),
    }
}

/// Saves the log to the file, or asks for confirmation if it exists.
pub(crate) fn saving(model: &mut Model, save: Box<SaveLog>, is_taken: bool) -> Vec<Effect> {
    let path = save.path.display().to_string();
    if is_taken {
        model.open(Confirm {
            title: "Overwrite the file?".to_owned(),
            items: vec![path],
            notes: vec!["Its contents will be lost.".to_owned()],
            yes: "overwrite",
            no: "keep it",
            effects: vec![Effect::TrySave(Box::new(SaveLog { overwrites: true, ..*save }))],
            top: 0,
        });
        return Vec::new();
    }
    let effect = quiet_work(model, &format!("save the log to {path}"), Job::SaveLog(save));
    vec![effect]
}
