//! What the `:` line asks of volumes.

use crate::command::volume::{Ls, Request};
use crate::tui::action::Action;
use crate::tui::event::Effect;
use crate::tui::model::Model;
use crate::tui::update::here;

/// Does it; `None` for what is printed.
pub(super) fn perform(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Ls(list) if *list == Ls::default() => Some(here(model, Action::GoVolumes)),
        _ => None,
    }
}
