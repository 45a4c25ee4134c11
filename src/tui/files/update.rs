//! Actions of the file browser.

pub(crate) mod prompt;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::base::units::column;
use crate::engine::files::{CopyRequest, Existing, FileKind, Place, Weight, shown};
use crate::tui::action::Action;
use crate::tui::compare::update as comparison;
use crate::tui::confirm::model::Confirm;
use crate::tui::effect::{Effect, Job};
use crate::tui::failure::{Failure, Tone};
use crate::tui::files::model as model_files;
use crate::tui::files::model::{EntryFacts as _, FilesDone, FilesPane, FilesWish, Reader};
use crate::tui::files::words::whose_word;
use crate::tui::line::update::{prompt as ask, revise};
use crate::tui::model::{Focus, Model};
use crate::tui::section::{Subject, TaskId};
use crate::tui::tab::Tab;
use crate::tui::tasks::update::quiet_work;
use crate::tui::update::batch::refuse_many;
use crate::tui::update::viewer::slide;
use crate::tui::verb_words::DELETE;
use crate::tui::words::surplus;

/// The number of a task that needs a confirmation first, after which it gets its own.
const UNNUMBERED: TaskId = TaskId(0);

/// Shows files, layers, or the differences between images; `None` for other actions.
pub(crate) fn show(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Files => Some(open(model, Tab::Files)),
        Action::Layers => Some(open(model, Tab::Layers)),
        Action::CompareImages => Some(comparison::open(model)),
        _ => None,
    }
}

/// Applies `action` in the file browser; `None` for the default behaviour.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match model.pane().files.reader {
        Some(_) => read(model, action),
        None => browse(model, action),
    }
}

/// Zooms a tab, if the subject has it.
fn open(model: &mut Model, tab: Tab) -> Vec<Effect> {
    let has = match model.subject() {
        Some(Subject::Container(_)) => tab == Tab::Files,
        Some(Subject::Image(_)) => true,
        _ => false,
    };
    if has {
        let was_list = model.focus == Focus::List;
        model.show_tab(tab);
        if was_list && model.windows.count() == 1 {
            (model.is_zoomed, model.is_alone) = (true, true);
        }
    } else {
        let text = if tab == Tab::Layers { "only images have layers" } else { "this object has no files" };
        let text = if model.subject().is_none() { "nothing is selected" } else { text };
        model.say(Tone::Plain, text, None);
    }
    Vec::new()
}

fn pane(model: &mut Model) -> &mut FilesPane {
    &mut model.pane_mut().files
}

fn browse(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let page = isize::try_from(pane(model).side().height).unwrap_or(1);
    let side = pane(model).side_mut();
    match action {
        Action::Down => side.step(1),
        Action::Up => side.step(-1),
        Action::HalfDown => side.step(page / 2),
        Action::HalfUp => side.step(-page / 2),
        Action::PageDown => side.step(page - 1),
        Action::PageUp => side.step(1 - page),
        Action::First => side.select(0),
        Action::Last => side.select(usize::MAX),
        Action::Mark => side.mark(),
        Action::MarkAll => side.mark_all(),
        Action::Left => {
            if !pane(model).leave() {
                model.say(Tone::Plain, "this is the topmost folder", None);
            }
        }
        Action::Right | Action::Open => {
            let file = pane(model).enter();
            return Some(file.map_or_else(Vec::new, |(place, path)| wish(FilesWish::View(place, path))));
        }
        Action::Back if !side.filter.is_empty() => side.filter_by(""),
        Action::Back if !side.marks.is_empty() => side.marks.clear(),
        Action::Back if side.failure.is_some() => return pane(model).retreat().then(Vec::new),
        Action::NextPane if pane(model).active == 0 => pane(model).active = 1,
        Action::NextPane if model.is_alone || model.windows.count() == 1 && model.is_zoomed => {
            pane(model).active = 0;
        }
        Action::PreviousPane if pane(model).active == 1 => pane(model).active = 0,
        Action::Search => {
            let filter = pane(model).side().filter.clone();
            revise(model, prompt::Filter, &filter);
        }
        Action::Refresh => {
            pane(model).refresh();
            return None; // the lists are refreshed as well
        }
        _ => return change(model, action),
    }
    Some(Vec::new())
}

pub(crate) fn wish(wish: FilesWish) -> Vec<Effect> {
    vec![Effect::Files(wish)]
}

/// Applies actions that operate on files.
fn change(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let side = pane(model).side();
    let (place, folder) = (side.place.clone(), side.folder.clone());
    let is_changing =
        matches!(action, Action::EditFile | Action::MakeFolder | Action::RenameFile | Action::DeleteFile);
    let is_read_only = side.is_read_only();
    if is_changing && refused(model, &place, is_read_only) {
        return Some(Vec::new());
    }
    let side = pane(model).side();
    let is_for_one = matches!(action, Action::EditFile | Action::RenameFile | Action::CompareFiles);
    if is_for_one && side.marks.len() > 1 {
        let count = side.marks.len();
        refuse_many(model, action.label(), count);
        return Some(Vec::new());
    }
    match action {
        Action::CopyFiles => return Some(copy(model)),
        Action::Extract => extract(model),
        Action::EditFile => {
            let file = side.current().filter(|entry| entry.kind == FileKind::File && !entry.is_deleted());
            let link = side.current().filter(|entry| entry.kind == FileKind::Link && !entry.leads_to_folder);
            match file.or(link).map(|entry| folder.join(&entry.name)) {
                Some(path) => return Some(wish(FilesWish::Edit(place, path))),
                None => model.say(Tone::Plain, "only files can be edited", None),
            }
        }
        Action::MakeFolder => ask(model, prompt::MakeFolder(place, folder), ""),
        Action::RenameFile => match side.current().filter(|it| !it.is_deleted()).map(|it| it.name.clone()) {
            Some(name) => {
                let text = shown(&name);
                ask(model, prompt::Rename(place, folder, name), &text);
            }
            None => model.say(Tone::Plain, "select an existing file first", None),
        },
        Action::DeleteFile => delete(model),
        Action::CompareFiles => return Some(compare(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Explains why a file system cannot be changed, if that is the case. Returns whether it did.
fn refused(model: &mut Model, place: &Place, is_read_only: bool) -> bool {
    let (why, hint) = match (place.is_image(), is_read_only) {
        (true, _) => ("images are read-only", Some("run a container from it and change the files there")),
        (_, true) => ("it is read-only", None),
        _ => return false,
    };
    model.fail(Failure {
        what: format!("cannot change files in {}", whose_word(model, place)),
        why: vec![why.to_owned()],
        hint: hint.map(str::to_owned),
    });
    true
}

/// Copies to the other side, after a confirmation that shows the size.
fn copy(model: &mut Model) -> Vec<Effect> {
    let other = pane(model).other();
    let (place, is_read_only) = (other.place.clone(), other.is_read_only());
    if refused(model, &place, is_read_only) {
        return Vec::new();
    }
    let pane = pane(model);
    let (side, other) = (pane.side(), pane.other());
    let names = side.targets();
    if names.is_empty() {
        model.say(Tone::Plain, "nothing to copy", None);
        return Vec::new();
    }
    wish(FilesWish::Copy(CopyRequest {
        from: side.place.clone(),
        folder: side.folder.clone(),
        names,
        to: other.place.clone(),
        into: other.folder.clone(),
        existing: Existing::Keep,
    }))
}

/// Asks before files are copied, and shows the files, their size, the target, and what will be
/// replaced.
fn ask_copy(model: &mut Model, mut request: CopyRequest, weights: &[Weight], replaced: &[OsString]) {
    let into = format!("{}:{}", whose_word(model, &request.to), shown(&request.into));
    let mut notes = vec![format!("From {}:{}", whose_word(model, &request.from), shown(&request.folder))];
    notes.push(format!("to   {into}"));
    let (mut yes, mut no) = ("copy", "cancel");
    if !replaced.is_empty() {
        request.existing = Existing::Replace;
        notes.push("Existing files are overwritten; folders are merged.".to_owned());
        notes.push("Overwritten files cannot be restored.".to_owned());
        (yes, no) = ("overwrite", "keep what is there");
    }
    let title = match weights {
        [one] => format!("Copy {}?", shown(&one.name)),
        many => format!("Copy {}?", count(many.len(), "entry", "entries")),
    };
    let item = |weight: &Weight| {
        let replaces = if replaced.contains(&weight.name) { "   overwrites the existing one" } else { "" };
        format!("{}   {}{replaces}", named(weight), how_much(weight))
    };
    model.open(Confirm {
        title,
        items: weights.iter().map(item).collect(),
        notes,
        yes,
        no,
        effects: vec![Effect::Work(UNNUMBERED, Job::Copy(request))],
        top: 0,
    });
}

fn named(weight: &Weight) -> String {
    format!("{}{}", shown(&weight.name), if weight.is_folder { "/" } else { "" })
}

/// Formats a size: `3.4MB`, `12 files, 3.4MB`, `more than 20000 files, 3.4MB`.
fn how_much(weight: &Weight) -> String {
    let more = if weight.is_more { "more than " } else { "" };
    match weight.is_folder {
        false => column(weight.bytes),
        true => format!("{more}{}, {}", count(weight.files, "file", "files"), column(weight.bytes)),
    }
}

/// Asks for a folder of this machine, and copies files to it.
fn extract(model: &mut Model) {
    let pane = pane(model);
    let side = pane.side();
    let names = side.targets();
    if side.place == Place::Host {
        model.say(Tone::Plain, "these files are already on this machine", None);
    } else if names.is_empty() {
        model.say(Tone::Plain, "nothing to copy", None);
    } else {
        let (from, folder, into) = (side.place.clone(), side.folder.clone(), pane.other().folder.clone());
        let text = into.to_string_lossy().into_owned();
        let request = CopyRequest { from, folder, names, to: Place::Host, into, existing: Existing::Keep };
        ask(model, prompt::Extract(request), &text);
    }
}

fn delete(model: &mut Model) {
    let side = pane(model).side();
    let what = (side.place.clone(), side.folder.clone(), side.targets());
    if what.2.is_empty() {
        model.say(Tone::Plain, "nothing to delete", None);
    } else {
        ask_delete(model, what);
    }
}

/// Asks before files of a folder are deleted, and names them.
pub(crate) fn ask_delete(model: &mut Model, (place, folder, names): (Place, PathBuf, Vec<OsString>)) {
    let whose = whose_word(model, &place);
    model.open(Confirm {
        title: format!("Delete {} permanently?", count(names.len(), "item", "items")),
        items: names.iter().map(|name| format!("{whose}:{}", shown(folder.join(name)))).collect(),
        notes: vec![
            "Folders are deleted with everything in them.".to_owned(),
            "Files do not go to the trash. This cannot be undone.".to_owned(),
        ],
        yes: DELETE.present,
        no: DELETE.no(names.len()),
        effects: vec![Effect::Work(UNNUMBERED, Job::Delete(place, folder, names))],
        top: 0,
    });
}

fn compare(model: &mut Model) -> Vec<Effect> {
    let pane = pane(model);
    let (side, other) = (pane.side(), pane.other());
    let Some(entry) = side.current().filter(|entry| !entry.is_folder() && !entry.is_deleted()) else {
        model.say(Tone::Plain, "only files can be compared", None);
        return Vec::new();
    };
    let entries = other.listing.as_ref().map_or(&[][..], |listing| &listing.entries);
    if !entries.iter().any(|it| it.name == entry.name && !it.is_deleted()) {
        let text = format!("there is no {} on the other side", shown(&entry.name));
        model.say(Tone::Plain, text, Some("open the folder that contains it".to_owned()));
        return Vec::new();
    }
    let of = |side: &model_files::Side| (side.place.clone(), side.folder.join(&entry.name));
    // Always compare from this machine's file to the container's.
    wish(FilesWish::Compare([of(&pane.sides[1]), of(&pane.sides[0])]))
}

fn count<N: Copy + PartialEq + From<u8> + std::fmt::Display>(number: N, one: &str, many: &str) -> String {
    format!("{number} {}", if number == N::from(1) { one } else { many })
}

/// Starts a file operation in the background.
pub(crate) fn begin(model: &mut Model, job: Job) -> Vec<Effect> {
    let title = match &job {
        Job::Copy(request) => {
            let (from, to) = (whose_word(model, &request.from), whose_word(model, &request.to));
            format!("copy {} from {from} to {to}", count(request.names.len(), "file", "files"))
        }
        Job::Delete(place, _, names) => {
            format!("delete {} from {}", count(names.len(), "file", "files"), whose_word(model, place))
        }
        // Other jobs are started elsewhere.
        _ => "change files".to_owned(),
    };
    pane(model).side_mut().marks.clear();
    vec![quiet_work(model, &title, job)]
}

/// Filters the contents of the pane.
pub(crate) fn filter(model: &mut Model, text: &str) {
    model.shown_tab(model.pane()).viewer().filter(model.pane_mut(), text);
}

/// Applies actions of a text that covers the browser.
fn read(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let room = model.pane_inner().map_or(0, |area| usize::from(area.width.saturating_sub(1)));
    let files = pane(model);
    let page = i64::try_from(files.side().height).unwrap_or(1);
    let Some(reader) = &mut files.reader else { return None };
    match action {
        Action::Down => reader.scroll(1),
        Action::Up => reader.scroll(-1),
        Action::HalfDown => reader.scroll(page / 2),
        Action::HalfUp => reader.scroll(-page / 2),
        Action::PageDown => reader.scroll(page - 1),
        Action::PageUp => reader.scroll(1 - page),
        Action::First => reader.scroll(i64::MIN / 2),
        Action::Last => reader.scroll(i64::MAX / 2),
        Action::Left | Action::Right => {
            let shown = reader.lines.iter().skip(reader.top).take(usize::try_from(page).unwrap_or(1));
            let farthest = shown.map(|line| surplus(line, room)).max().unwrap_or(0);
            let (before, by) = (reader.left, if action == Action::Left { -8 } else { 8 });
            let left = slide(model, before, by, farthest);
            pane(model).reader.iter_mut().for_each(|reader| reader.left = left);
        }
        Action::Back => files.reader = None,
        Action::Open => {
            let key = model.cancel_key();
            model.say(Tone::Plain, "the file is open already", Some(format!("{key} closes it")));
        }
        Action::EditFile => {
            let of = reader.of.clone();
            let Some((place, path)) = of else {
                model.say(Tone::Plain, "a comparison cannot be edited", None);
                return Some(Vec::new());
            };
            if refused(model, &place, false) {
                return Some(Vec::new());
            }
            return Some(wish(FilesWish::Edit(place, path)));
        }
        // These apply to the browser below; nothing there may change unseen.
        Action::Mark
        | Action::MarkAll
        | Action::CopyFiles
        | Action::Extract
        | Action::MakeFolder
        | Action::RenameFile
        | Action::DeleteFile
        | Action::CompareFiles
        | Action::Search => {
            let key = model.cancel_key();
            let text = format!("`{}` works in the list of files", action.label());
            model.say(Tone::Plain, text, Some(format!("{key} closes the text")));
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Handles the result of a file operation.
pub(crate) fn done(model: &mut Model, wished: FilesWish, result: Result<FilesDone, Failure>) -> Vec<Effect> {
    let done = match result {
        Ok(done) => done,
        Err(failure) => {
            model.fail(failure);
            refresh(model);
            return Vec::new();
        }
    };
    match (wished, done) {
        (FilesWish::Edit(_, path), FilesDone::Opened(contents)) if contents.is_cut => {
            model.fail(Failure {
                what: format!("cannot edit `{}`", shown(&path)),
                why: vec![format!("it is larger than {}", column(contents.bytes.len() as u64))],
                hint: Some("copy it and edit the copy".to_owned()),
            });
        }
        (FilesWish::Edit(place, path), FilesDone::Opened(contents)) => {
            return wish(FilesWish::Editor(place, path, contents.bytes, contents.stamp));
        }
        (wished, FilesDone::Page(title, lines)) if model.shown_tab(model.pane()) == Tab::Compare => {
            comparison::page(model, wished, title, lines);
        }
        (wished, FilesDone::Page(title, lines)) => {
            let of = match wished {
                FilesWish::View(place, path) => Some((place, path)),
                _ => None,
            };
            pane(model).reader = Some(Reader { title, lines, of, top: 0, left: 0 });
        }
        (wished, FilesDone::Said(text)) => {
            model.say(Tone::Good, text, None);
            // Move the cursor to the new name.
            if let FilesWish::MakeFolder(_, folder, name) | FilesWish::Rename(_, folder, _, name) = wished {
                pane(model).expect(&folder, name);
            }
            let reader = pane(model).reader.take();
            refresh(model);
            // Update the text on display.
            if let Some((place, path)) = reader.and_then(|reader| reader.of) {
                return wish(FilesWish::View(place, path));
            }
        }
        (FilesWish::Copy(request), FilesDone::Weighed(weights, there)) => {
            ask_copy(model, request, &weights, &there);
        }
        (_, FilesDone::Opened(_) | FilesDone::Weighed(..)) => {}
    }
    Vec::new()
}

/// Reads all browsers again.
pub(crate) fn refresh(model: &mut Model) {
    for pane in model.windows.all_mut() {
        pane.files.refresh();
    }
}

/// Scrolls the current pane by this many lines.
pub(crate) fn scroll(model: &mut Model, by: i64) {
    let files = pane(model);
    match &mut files.reader {
        Some(reader) => reader.scroll(by),
        None => files.side_mut().step(isize::try_from(by).unwrap_or(0)),
    }
}
