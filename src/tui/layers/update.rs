//! The keys of the layer explorer.

use crate::engine::files::{CopyRequest, Mark};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::layers::model::LayersPane;

use crate::tui::failure::Tone;
use crate::tui::files::update::prompt;
use crate::tui::line::update::{prompt as ask, revise};
use crate::tui::model::Model;
use crate::tui::pathtree::update::{say_leftmost, say_nothing_to_unfold};

/// Performs `action` in the explorer; `None` if it has no special meaning there.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let is_single = model.is_alone || model.windows.count() == 1 && model.is_zoomed;
    let folder = model.world.folder.clone();
    let pane: &mut LayersPane = &mut model.pane_mut().layers;
    let page = isize::try_from(pane.page()).unwrap_or(1);
    if let Some(by) = action.steps(page) {
        pane.step(by);
        return Some(Vec::new());
    }
    match action {
        Action::Right if pane.in_tree => {
            if !pane.tree.unfold_or_enter() {
                say_nothing_to_unfold(model);
            }
        }
        Action::Left if pane.in_tree => pane.in_tree = pane.tree.fold(),
        Action::Right => pane.in_tree = true,
        Action::Left => say_leftmost(model, "the list of layers"),
        Action::Open if pane.in_tree => {
            if !(pane.tree.unfold() || pane.tree.fold_here()) {
                say_nothing_to_unfold(model);
            }
        }
        Action::Open => pane.in_tree = true,
        Action::NextPane if !pane.in_tree => pane.in_tree = true,
        Action::NextPane if is_single => pane.in_tree = false,
        Action::PreviousPane if pane.in_tree => pane.in_tree = false,
        Action::ToggleAdded => pane.toggle(Mark::Added),
        Action::ToggleModified => pane.toggle(Mark::Changed),
        Action::ToggleRemoved => pane.toggle(Mark::Deleted),
        Action::LayerForm => pane.turn(),
        Action::Search => {
            pane.show_tree();
            let filter = pane.tree.filter.clone();
            revise(model, prompt::Filter, &filter);
        }
        Action::Back if !pane.tree.filter.is_empty() => pane.filter_by(""),
        Action::Extract => {
            let request = pane.extract(folder).filter(|_| pane.in_tree);
            extract(model, request);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Asks for the folder on this machine to which a file of an image is copied.
pub(crate) fn extract(model: &mut Model, request: Option<CopyRequest>) {
    match request {
        Some(request) => {
            let text = request.into.to_string_lossy().into_owned();
            ask(model, prompt::Extract(request), &text);
        }
        None => model.say(Tone::Plain, "select a file or a folder in the tree first", None),
    }
}
