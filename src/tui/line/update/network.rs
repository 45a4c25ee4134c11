//! Requests on networks from the `:` line.

use super::objects::inspect_any;
use crate::command::network::{Ls, Request};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::section::Section;

/// Performs a request; `None` if its output is printed.
pub(super) fn perform(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Ls(list) if *list == Ls::default() => Some(model.act_here(Action::GoNetworks)),
        Request::Inspect(inspect) if inspect.format.is_none() => match inspect.names.as_slice() {
            [name] => inspect_any(model, name).filter(|_| model.section == Section::Networks),
            _ => None,
        },
        _ => None,
    }
}
