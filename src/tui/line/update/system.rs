//! Requests on the whole engine from the `:` line.

use super::objects::{find, inspect_any, show};
use super::refusal::refused;
use crate::command::system::{Events, ObjectType, Request};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::tab::Tab;

/// Performs a request; `None` if its output is printed.
pub(super) fn perform(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Events(events) if *events == Events::default() => Some(model.act_here(Action::GoEvents)),
        Request::Inspect(inspect) if inspect.format.is_none() && !inspect.size => {
            match (inspect.kind, inspect.names.as_slice()) {
                (None, [name]) => inspect_any(model, name),
                (Some(ObjectType::Container), [name]) => {
                    find(model, name).is_some().then(|| show(model, name, Tab::Inspect))
                }
                _ => None,
            }
        }
        Request::Reset(_) => Some(refused(
            model,
            "this would remove the open engine with everything in it",
            "quit hoist and run `hoist system reset`",
        )),
        _ => None,
    }
}
