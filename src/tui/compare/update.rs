//! Starting a comparison of two images, and the keys of its tab.

use std::cmp::Reverse;

use crate::engine::files::{Mark, shown};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::files::model::FilesWish;
use crate::tui::files::update::prompt;
use crate::tui::images::model::ImageRow;
use crate::tui::keymap::KeyContext;
use crate::tui::layers;
use crate::tui::line::update::revise;
use crate::tui::list::rows::Row as _;
use crate::tui::model::{Focus, Model};
use crate::tui::page::model::Page;
use crate::tui::pathtree::update::{say_leftmost, say_nothing_to_unfold};
use crate::tui::section::Subject;
use crate::tui::tab::Tab;

/// Compares two marked images, or the marked one with the one shown or under the cursor.
pub(crate) fn open(model: &mut Model) -> Vec<Effect> {
    let was_list = model.focus == Focus::List;
    let marked: Vec<&ImageRow> = model.images.marked();
    let shown = match model.subject() {
        Some(Subject::Image(name)) if !was_list => model.images.all().iter().find(|row| row.target() == name),
        _ => None,
    };
    let found: Vec<&ImageRow> = match shown {
        Some(shown) => marked.into_iter().filter(|row| row.key() != shown.key()).chain([shown]).collect(),
        // A single mark, and the row under the cursor.
        None => match (marked.as_slice(), model.images.selected()) {
            ([one], Some(here)) if one.key() != here.key() => {
                let mut both = vec![*one, here];
                both.sort_by_key(|row| model.images.all().iter().position(|other| other.key() == row.key()));
                both
            }
            _ => marked,
        },
    };
    let [one, two] = found.as_slice() else {
        let (count, is_shown) = (found.len(), shown.is_some());
        say_what_to_mark(model, count, is_shown);
        return Vec::new();
    };
    // From the older image to the newer one. If both are equally old, the lower one in the list is
    // the old one.
    let mut pair = [*two, *one];
    if shown.is_some() {
        pair.reverse();
    }
    pair.sort_by_key(|row| Reverse(row.created.map(Reverse)));
    let (of, keys) = (pair.map(|row| row.target().to_owned()), pair.map(|row| row.key().to_owned()));
    if was_list {
        let here = model.images.selected().map(|row| row.key().to_owned());
        if !here.is_some_and(|here| keys.contains(&here)) {
            model.list_mut().select_key(&keys[1]);
        }
    }
    let is_shown = !was_list && model.shown_tab(model.pane()) == Tab::Compare;
    if is_shown && model.pane().compare.of.as_ref() == Some(&of) && model.pane().compare.failure.is_none() {
        model.say(Tone::Plain, "these two images are already shown", None);
        return Vec::new();
    }
    model.notice = None;
    model.show_tab(Tab::Compare);
    model.pane_mut().compare.begin(of);
    if was_list && model.windows.count() == 1 {
        (model.is_zoomed, model.is_alone) = (true, true);
    }
    Vec::new()
}

/// Tells the user which images to mark; `count` images are selected at present.
fn say_what_to_mark(model: &mut Model, count: usize, is_shown: bool) {
    let mark = model.keys_of(KeyContext::Images, Action::Mark);
    let (text, hint) = match (is_shown, count) {
        (true, 0 | 1) => (
            "no other image is marked".to_owned(),
            format!("mark one in the list with {mark}, then compare again"),
        ),
        (true, count) => {
            (format!("{} other images are marked", count - 1), "mark only one of them".to_owned())
        }
        (false, 0) => (
            "no image is marked".to_owned(),
            format!("mark one with {mark}, select the other one, then compare"),
        ),
        (false, 1) => {
            ("only the selected image is marked".to_owned(), "select another image, then compare".to_owned())
        }
        (false, count) => (format!("{count} images are marked"), "mark only two of them".to_owned()),
    };
    model.say(Tone::Plain, text, Some(hint));
}

/// Performs `action` in the comparison; `None` if it has no special meaning there.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let is_single = model.is_alone || model.windows.count() == 1 && model.is_zoomed;
    let folder = model.world.folder.clone();
    let pane = &mut model.pane_mut().compare;
    let page = isize::try_from(pane.height()).unwrap_or(1);
    if let Some(by) = action.steps(page) {
        pane.step(by);
        return Some(Vec::new());
    }
    match action {
        Action::Right if pane.in_summary => pane.in_summary = false,
        Action::Left if pane.in_summary => say_leftmost(model, "the summary"),
        Action::Right => {
            if !pane.tree.unfold_or_enter() {
                say_nothing_to_unfold(model);
            }
        }
        Action::Left => pane.in_summary = !pane.tree.fold(),
        Action::Open if pane.in_summary => pane.in_summary = false,
        Action::Open => return Some(look(model)),
        Action::NextPane if !pane.in_summary => pane.in_summary = true,
        Action::NextPane if is_single => pane.in_summary = false,
        Action::PreviousPane if pane.in_summary => pane.in_summary = false,
        Action::ToggleAdded => pane.toggle(Mark::Added),
        Action::ToggleModified => pane.toggle(Mark::Changed),
        Action::ToggleRemoved => pane.toggle(Mark::Deleted),
        Action::CompareForm => {
            pane.tree.turn();
            pane.in_summary = false;
        }
        Action::SwapImages => pane.swap(),
        Action::Search => {
            let filter = pane.tree.filter.clone();
            revise(model, prompt::Filter, &filter);
        }
        Action::Back if !pane.tree.filter.is_empty() => pane.filter_by(""),
        Action::Extract => {
            let request = pane.extract(folder).filter(|_| !pane.in_summary);
            layers::update::extract(model, request);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Shows the differences in the file under the cursor, or the file itself if only one image has it.
/// Folds or unfolds a folder.
fn look(model: &mut Model) -> Vec<Effect> {
    let pane = &mut model.pane_mut().compare;
    if pane.tree.unfold() || pane.tree.fold_here() {
        return Vec::new();
    }
    if let Some(files) = pane.files() {
        return vec![Effect::Files(FilesWish::Compare(files))];
    }
    if let Some((place, path)) = pane.file() {
        return vec![Effect::Files(FilesWish::View(place, path))];
    }
    model.say(Tone::Plain, "this entry has no text to show", None);
    Vec::new()
}

/// Shows the content of a file, or the differences between two files.
pub(crate) fn page(model: &mut Model, wished: FilesWish, title: String, lines: Vec<String>) {
    let title = match wished {
        FilesWish::Compare([(before, path), (after, _)]) => {
            format!("{} in {} (-) and {} (+)", shown(path), shown(before.name()), shown(after.name()))
        }
        FilesWish::View(place, path) => format!("{} in {}", shown(path), shown(place.name())),
        _ => title,
    };
    model.open(Page::new(title, lines));
}
