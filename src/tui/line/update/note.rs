//! What there is to say about a line while it is typed into a prompt.

use crate::base::units;
use crate::command::split;
use crate::oci::Reference;
use crate::tui::event::Effect;
use crate::tui::form::model::{Mark, Note};
use crate::tui::form::update::{find_image, free_name};
use crate::tui::line::update::{command, complete};
use crate::tui::model::Model;
use crate::tui::model::layer::{Layer, Purpose};
use crate::tui::model::paths::PathFact;

/// Says it, and lists what the word could become.
pub(crate) fn of_prompt(model: &mut Model) -> Vec<Effect> {
    let mut effects = complete::refresh(model);
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return effects };
    let text = prompt.input.text().trim().to_owned();
    let purpose = prompt.purpose.clone();
    let note = if text.is_empty() { None } else { about(model, &purpose, &text) };
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        prompt.note = note;
    }
    effects.extend(model.paths.take_wanted().into_iter().map(Effect::Look));
    effects
}

fn about(model: &mut Model, purpose: &Purpose, text: &str) -> Option<Note> {
    match purpose {
        Purpose::Pull => Some(match (text.parse::<Reference>(), find_image(text, model.images.all())) {
            (Err(error), _) => bad(error.to_string()),
            (Ok(_), Some(row)) => {
                let text = format!("here, {}; what is newer is fetched", units::column(row.size));
                Note { mark: Mark::Plain, text, offer: None }
            }
            (Ok(name), None) => good(name.to_string()),
        }),
        Purpose::Load => Some(archive(model, text)),
        Purpose::Import => {
            let words = split(text).ok()?;
            let file = archive(model, words.first()?);
            match words.get(1).map(|name| name.parse::<Reference>()) {
                _ if file.mark == Mark::Bad => Some(file),
                None => Some(bad("the image's name comes next".to_owned())),
                Some(Err(error)) => Some(bad(error.to_string())),
                Some(Ok(name)) => Some(good(format!("{} as {name}", file.text))),
            }
        }
        Purpose::Tag(image) => Some(match text.parse::<Reference>() {
            Err(error) => bad(error.to_string()),
            Ok(name) => {
                let id = |row: Option<&crate::tui::list::rows::ImageRow>| row.map(|row| row.id.clone());
                let images = model.images.all();
                let (old, own) = (id(find_image(text, images)), id(find_image(image, images)));
                match old {
                    Some(old) if Some(&old) == own.as_ref() => good("it is called so".to_owned()),
                    Some(_) => {
                        let text = "another image loses this name".to_owned();
                        Note { mark: Mark::Warn, text, offer: None }
                    }
                    None => good(name.to_string()),
                }
            }
        }),
        Purpose::Rename(id) => {
            let own = model.containers.get(id.as_str()).map(|row| row.name.clone());
            free_name(text, model.containers.all(), own.as_deref())
        }
        Purpose::RunWords => {
            let words = split(text).map(|words| match words.as_slice() {
                [program, rest @ ..] if program == "hoist" || program == "docker" => rest.to_vec(),
                _ => words,
            });
            command::problem(words, &model.world).map(bad)
        }
        Purpose::Preset => model.saved.presets.contains_key(text).then(|| {
            let text = "it replaces the one of this name".to_owned();
            Note { mark: Mark::Warn, text, offer: None }
        }),
        _ => None,
    }
}

fn archive(model: &mut Model, path: &str) -> Note {
    match model.paths.get(path) {
        PathFact::Asked => Note { mark: Mark::Plain, text: "…".to_owned(), offer: None },
        PathFact::File(bytes) => good(units::column(bytes)),
        PathFact::Missing => bad("there is no such file".to_owned()),
        PathFact::Folder => bad("it is a folder".to_owned()),
        PathFact::Unknown(why) => bad(why),
    }
}

fn good(text: String) -> Note {
    Note { mark: Mark::Good, text, offer: None }
}

fn bad(text: String) -> Note {
    Note { mark: Mark::Bad, text, offer: None }
}
