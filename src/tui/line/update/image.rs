//! What the `:` line and dialogs ask of images.

use super::command::{begin, inspect_any, refuse, refused};
use crate::command::image::{Images, Import, Load, Pull, Request};
use crate::command::{self, join};
use crate::tui::action::Action;
use crate::tui::event::{Effect, Job};
use crate::tui::model::{Model, Section};
use crate::tui::tasks::update::work;
use crate::tui::update::{here, named};

/// Does it; `None` for what is printed.
pub(super) fn perform(model: &mut Model, words: &[String], asked: &Request) -> Option<Vec<Effect>> {
    if let Some(effects) = screen(model, asked).or_else(|| named::on_images(model, asked)) {
        return Some(effects);
    }
    Some(match asked {
        Request::Load(Load { input: None, .. }) | Request::Import(Import { source: None, .. }) => {
            refused(model, "there is no standard input here", "name a file: `load -i FILE`")
        }
        asked if asked.makes_image() => watched(model, words, asked.clone()),
        Request::Rmi(_) | Request::Tag(_) => begin(model, words, command::Request::Image(asked.clone())),
        _ => return None,
    })
}

/// Shows what a request without further wishes asks for, where there is a screen for it.
fn screen(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Images(images) if *images == Images::default() => Some(here(model, Action::GoImages)),
        Request::Inspect(inspect) if inspect.format.is_none() => match inspect.names.as_slice() {
            [name] => inspect_any(model, name).filter(|_| model.section == Section::Images),
            _ => None,
        },
        _ => None,
    }
}

/// Begins it and shows how it goes on.
fn watched(model: &mut Model, words: &[String], asked: Request) -> Vec<Effect> {
    let request = command::Request::Image(asked);
    vec![work(model, &join(words), Job::Request(Box::new(request)))]
}

/// Pulls the image of this name.
pub(crate) fn pull(model: &mut Model, name: &str) -> Vec<Effect> {
    let words = ["pull", name].map(str::to_owned);
    match Pull::named(name) {
        Ok(pull) => watched(model, &words, Request::Pull(pull)),
        Err(usage) => refuse(model, &usage),
    }
}

/// Loads the archive at this path.
pub(crate) fn load(model: &mut Model, path: &str) -> Vec<Effect> {
    let words = ["load", "-i", path].map(str::to_owned);
    watched(model, &words, Request::Load(Load { input: Some(path.into()), quiet: false }))
}

/// Imports the archive at this path under a name.
pub(crate) fn import(model: &mut Model, path: &str, name: &str) -> Vec<Effect> {
    let words = ["import", path, name].map(str::to_owned);
    match Import::named(path, Some(name)) {
        Ok(import) => watched(model, &words, Request::Import(import)),
        Err(usage) => refuse(model, &usage),
    }
}
