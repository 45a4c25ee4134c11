//! Requests on volumes from the `:` line.

use crate::command::volume::{Ls, Request};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;

/// Performs a request; `None` if its output is printed.
pub(super) fn perform(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Ls(list) if *list == Ls::default() => Some(model.act_here(Action::GoVolumes)),
        _ => None,
    }
}
