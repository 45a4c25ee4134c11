//! Requests on images from the `:` line and from dialogs.

use super::objects::{begin, inspect_any};
use super::refusal::refused;
use crate::command;
use crate::command::image::{Images, Import, Load, Request};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::images::update::fetch::watched;
use crate::tui::line::update::named;
use crate::tui::model::Model;
use crate::tui::section::Section;

/// Performs a request; `None` if its output is printed.
pub(super) fn perform(model: &mut Model, words: &[String], asked: &Request) -> Option<Vec<Effect>> {
    if let Some(effects) = screen(model, asked).or_else(|| named::on_images(model, asked)) {
        return Some(effects);
    }
    Some(match asked {
        Request::Load(Load { input: None, .. }) | Request::Import(Import { source: None, .. }) => {
            refused(model, "standard input is not available here", "specify a file: `load -i FILE`")
        }
        asked if asked.makes_image() => watched(model, words, asked.clone()),
        Request::Rmi(_) | Request::Tag(_) => begin(model, words, command::Request::Image(asked.clone())),
        _ => return None,
    })
}

/// Shows a request without further options, if there is a screen for it.
fn screen(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Images(images) if *images == Images::default() => Some(model.act_here(Action::GoImages)),
        Request::Inspect(inspect) if inspect.format.is_none() => match inspect.names.as_slice() {
            [name] => inspect_any(model, name).filter(|_| model.section == Section::Images),
            _ => None,
        },
        _ => None,
    }
}
