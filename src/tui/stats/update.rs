//! The keys of the charts.

use jiff::SignedDuration;

use crate::tui::action::{Action, Group};
use crate::tui::effect::{Effect, Job};
use crate::tui::keymap::KeyContext;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::prompt;

use crate::tui::failure::Tone;
use crate::tui::model::Model;
use crate::tui::model::titles::name_of;
use crate::tui::section::Subject;
use crate::tui::stats::history::Range;
use crate::tui::stats::model::Frozen;
use crate::tui::stats::series::CSV;
use crate::tui::tasks::update::quiet_work;
use crate::tui::words::span;

/// Performs `action` in charts, which span the time `measured` if there are any; `None` if it has
/// no special meaning there.
pub(crate) fn act(
    model: &mut Model,
    action: Action,
    measured: Option<SignedDuration>,
) -> Option<Vec<Effect>> {
    let is_of_charts = action.group() == Group::Charts || matches!(action, Action::Left | Action::Right);
    if is_of_charts && measured.is_none() {
        model.say(Tone::Plain, "there are no charts", None);
        return Some(Vec::new());
    }
    let measured = measured.unwrap_or_default();
    match action {
        Action::RangeLonger | Action::Right => range(model, 1, measured),
        Action::RangeShorter | Action::Left => range(model, -1, measured),
        Action::ScaleUp => zoom(model, 1),
        Action::ScaleDown => zoom(model, -1),
        Action::EachPart => {
            let stats = &mut model.pane_mut().stats;
            stats.is_split = !stats.is_split;
            let what = if stats.is_split { "one line per interface and disk" } else { "totals" };
            model.say(Tone::Plain, format!("showing {what}"), None);
        }
        Action::Freeze => freeze(model),
        Action::Compare => compare(model),
        Action::SaveCsv => prompt(model, CsvFile, &csv_name(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Shows a longer or a shorter range than the one that is visible, which ends where the data does.
fn range(model: &mut Model, by: isize, measured: SignedDuration) {
    let visible = |range: Range| range.no_longer_than(measured);
    let set = model.pane().stats.range;
    let new = if by < 0 { visible(set).step(by) } else { set.step(by) };
    model.pane_mut().stats.range = new;
    if visible(new) != visible(set) {
        return;
    }
    let why = match () {
        () if by < 0 => format!("{} is the shortest range", new.label()),
        () if visible(new) != new => format!("only {} have been measured", span(measured)),
        () => format!("{} is the longest range", new.label()),
    };
    model.say(Tone::Plain, why, None);
}

fn zoom(model: &mut Model, by: i8) {
    if !model.pane_mut().stats.zoom(by) {
        let which = if by < 0 { "smallest" } else { "largest" };
        model.say(Tone::Plain, format!("this is the {which} scale"), None);
    }
}

fn freeze(model: &mut Model) {
    let now = model.now;
    let Some(Subject::Container(id)) = model.subject() else { return };
    let series = model.series.get(&id);
    let point = series.and_then(|series| series.now().copied());
    let last = series.and_then(|series| series.last.clone());
    model.pane_mut().stats.freeze(Frozen { at: now, point, last });
}

/// Compares the marked containers in the same charts.
fn compare(model: &mut Model) {
    let marked = model.containers.marked().into_iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let had = model.pane().stats.beside.len();
    match model.pane_mut().stats.compare(marked) {
        0 if had > 0 => model.say(Tone::Plain, "no longer comparing", None),
        0 => {
            let key = model.keys_of(KeyContext::Containers, Action::Mark);
            let hint = format!("mark containers in the list with {key}, then compare");
            model.say(Tone::Plain, "no other container is marked", Some(hint));
        }
        _ => {}
    }
}

/// Returns the default file name: `worker-1h.csv`.
fn csv_name(model: &Model) -> String {
    let name = model.subject().map_or_else(String::new, |subject| name_of(model, &subject));
    format!("{name}-{}.csv", model.pane().stats.range.label())
}

/// Asks for the file to save to.
#[derive(Debug)]
struct CsvFile;

impl Purpose for CsvFile {
    fn title(&self) -> &'static str {
        "Save as CSV"
    }

    fn hint(&self) -> &'static str {
        "path of a new file"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(save_csv(model, text))
    }
}

/// Saves the data of the charts to a file.
fn save_csv(model: &mut Model, path: &str) -> Vec<Effect> {
    let Some(Subject::Container(id)) = model.subject() else { return Vec::new() };
    let stats = &model.pane().stats;
    let (range, mut text) = (stats.range, CSV.to_owned());
    for id in [&id].into_iter().chain(&stats.beside) {
        let (Some(row), Some(series)) = (model.known(id), model.series.get(id)) else {
            continue;
        };
        // For a container that has exited, the last part of its run.
        let newest = series.last.as_ref().map_or(model.now, |last| last.time);
        let end = if model.is_up(id) { stats.end(model.now) } else { stats.end(newest) };
        text += &series.csv(&row.name, end, range);
    }
    let rows = text.lines().count() - 1;
    let path = model.world.absolute(path);
    let title = format!("save {rows} rows to {}", path.display());
    vec![quiet_work(model, &title, Job::Write(path, text))]
}
