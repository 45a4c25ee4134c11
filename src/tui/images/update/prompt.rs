//! Input lines for images.

use crate::base::units;
use crate::command::{NameKind, Suggestions, split};
use crate::oci::Reference;
use crate::tui::effect::Effect;
use crate::tui::form::model::{Mark, Note};
use crate::tui::form::update::find_image;
use crate::tui::images::model::ImageRow;
use crate::tui::images::update::fetch;
use crate::tui::line::purpose::{Purpose, names};
use crate::tui::line::update::note::{bad, good};
use crate::tui::model::Model;
use crate::tui::model::paths::PathFact;

/// Asks for an image to pull.
#[derive(Debug)]
pub(crate) struct Pull;

impl Purpose for Pull {
    fn title(&self) -> &'static str {
        "Pull an image"
    }

    fn hint(&self) -> &'static str {
        "name, name:tag or name@digest: alpine:3, ghcr.io/owner/app"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(fetch::pull(model, text))
    }

    fn suggest(&self, _: &Model, _: &[String], _: &str) -> Option<Suggestions> {
        Some(names(NameKind::Image))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        Some(match (text.parse::<Reference>(), find_image(text, model.images.all())) {
            (Err(error), _) => bad(error.to_string()),
            (Ok(_), Some(row)) => {
                let text =
                    format!("local, {}; pulls a newer version if there is one", units::column(row.size));
                Note { mark: Mark::Plain, text, offer: None }
            }
            (Ok(name), None) => good(name.to_string()),
        })
    }
}

/// Asks for an archive to load.
#[derive(Debug)]
pub(crate) struct Load;

impl Purpose for Load {
    fn title(&self) -> &'static str {
        "Load images from an archive"
    }

    fn hint(&self) -> &'static str {
        "path of a .tar, .tar.gz or .tar.zst written by `save`"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(fetch::load(model, text))
    }

    fn suggest(&self, _: &Model, _: &[String], _: &str) -> Option<Suggestions> {
        Some(names(NameKind::File))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        Some(archive(model, text))
    }
}

/// Asks for an archive to import, and a name.
#[derive(Debug)]
pub(crate) struct Import;

impl Purpose for Import {
    fn title(&self) -> &'static str {
        "Import a root file system"
    }

    fn hint(&self) -> &'static str {
        "path of a tar archive, then a name for the image"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        match split(text).as_deref() {
            Ok([source, name]) => Ok(fetch::import(model, source, name)),
            _ => Err("expected a path and a name".to_owned()),
        }
    }

    fn is_words(&self) -> bool {
        true
    }

    fn suggest(&self, _: &Model, words: &[String], _: &str) -> Option<Suggestions> {
        Some(names(if words.is_empty() { NameKind::File } else { NameKind::Image }))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        let words = split(text).ok()?;
        let file = archive(model, words.first()?);
        match words.get(1).map(|name| name.parse::<Reference>()) {
            _ if file.mark == Mark::Bad => Some(file),
            None => Some(bad("a name for the image is required".to_owned())),
            Some(Err(error)) => Some(bad(error.to_string())),
            Some(Ok(name)) => Some(good(format!("{} as {name}", file.text))),
        }
    }
}

/// Asks for an additional name of an image.
#[derive(Debug)]
pub(crate) struct Tag(pub(crate) String);

impl Purpose for Tag {
    fn title(&self) -> &'static str {
        "Tag"
    }

    fn hint(&self) -> &'static str {
        "another name for the image: name:tag"
    }

    fn accept(&self, _: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        match text.parse::<Reference>() {
            Ok(_) => Ok(vec![Effect::TagImage(self.0.clone(), text.to_owned())]),
            Err(error) => Err(error.to_string()),
        }
    }

    fn suggest(&self, _: &Model, _: &[String], _: &str) -> Option<Suggestions> {
        Some(names(NameKind::Image))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        let name = match text.parse::<Reference>() {
            Ok(name) => name,
            Err(error) => return Some(bad(error.to_string())),
        };
        let id = |row: Option<&ImageRow>| row.map(|row| row.id.clone());
        let images = model.images.all();
        let (old, own) = (id(find_image(text, images)), id(find_image(&self.0, images)));
        Some(match old {
            Some(old) if Some(&old) == own.as_ref() => good("it already has this name".to_owned()),
            Some(_) => {
                let text = "moves this name from another image".to_owned();
                Note { mark: Mark::Warn, text, offer: None }
            }
            None => good(name.to_string()),
        })
    }
}

fn archive(model: &mut Model, path: &str) -> Note {
    match model.paths.get(path) {
        PathFact::Asked => Note { mark: Mark::Plain, text: "…".to_owned(), offer: None },
        PathFact::File(bytes) => good(units::column(bytes)),
        PathFact::Missing => bad("no such file".to_owned()),
        PathFact::Folder => bad("it is a folder".to_owned()),
        PathFact::Unknown(why) => bad(why),
    }
}
