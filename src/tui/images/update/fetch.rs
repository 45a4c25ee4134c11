//! Pulling, loading and importing images.

use crate::command::image::{Import, Load, Pull, Request};
use crate::command::{self, join};
use crate::tui::effect::{Effect, Job};
use crate::tui::line::update::refusal::refuse;
use crate::tui::model::Model;
use crate::tui::tasks::update::work;

/// Starts the job and shows its progress.
pub(crate) fn watched(model: &mut Model, words: &[String], asked: Request) -> Vec<Effect> {
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
