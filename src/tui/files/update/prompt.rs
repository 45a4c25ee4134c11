//! Prompts of the file browser.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::engine::files::{CopyRequest, Entry, Place, shown};
use crate::tui::effect::Effect;
use crate::tui::files::model::{EntryFacts as _, FilesWish};
use crate::tui::files::update::{filter, wish};
use crate::tui::form::model::Note;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::note::bad;
use crate::tui::model::Model;

/// The filter of a tab that lists files.
#[derive(Debug)]
pub(crate) struct Filter;

impl Purpose for Filter {
    fn title(&self) -> &'static str {
        "Filter"
    }

    fn hint(&self) -> &'static str {
        "words in the name · !word excludes"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        filter(model, text);
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }

    fn typed(&self, model: &mut Model, text: &str) -> Result<(), String> {
        filter(model, text);
        Ok(())
    }

    fn dismiss(&self, model: &mut Model) {
        filter(model, "");
    }
}

/// The name of a folder to create.
#[derive(Debug)]
pub(crate) struct MakeFolder(pub(crate) Place, pub(crate) PathBuf);

impl Purpose for MakeFolder {
    fn title(&self) -> &'static str {
        "Create a folder"
    }

    fn hint(&self) -> &'static str {
        "a name without /"
    }

    fn accept(&self, _: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(wish(FilesWish::MakeFolder(self.0.clone(), self.1.clone(), text.into())))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        name(model, &self.1, text).err().map(bad)
    }
}

/// A new name for a file.
#[derive(Debug)]
pub(crate) struct Rename(pub(crate) Place, pub(crate) PathBuf, pub(crate) OsString);

impl Purpose for Rename {
    fn title(&self) -> &'static str {
        "Rename"
    }

    fn hint(&self) -> &'static str {
        "a name without /"
    }

    fn accept(&self, _: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let Self(place, folder, old) = self;
        if shown(old) == text {
            return Ok(Vec::new());
        }
        Ok(wish(FilesWish::Rename(place.clone(), folder.clone(), old.clone(), text.into())))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        let Self(_, folder, old) = self;
        if shown(old) == text { None } else { name(model, folder, text).err().map(bad) }
    }
}

/// The folder of this machine to copy files to.
#[derive(Debug)]
pub(crate) struct Extract(pub(crate) CopyRequest);

impl Purpose for Extract {
    fn title(&self) -> &'static str {
        "Copy to this machine"
    }

    fn hint(&self) -> &'static str {
        "an existing folder"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let into = model.world.folder.join(Path::new(text));
        Ok(wish(FilesWish::Copy(CopyRequest { into, ..self.0.clone() })))
    }
}

/// Checks a new name in a folder.
fn name(model: &Model, folder: &Path, text: &str) -> Result<(), String> {
    let side = model.pane().files.side();
    let is_taken = |entry: &Entry| !entry.is_deleted() && entry.name.to_str() == Some(text);
    let entries = side.listing.iter().filter(|_| side.folder == folder).flat_map(|listing| &listing.entries);
    match text {
        "." | ".." => Err(format!("`{text}` is not a valid name")),
        text if text.contains('/') => Err("a name cannot contain `/`".to_owned()),
        text if text.len() > 255 => Err("a name can be at most 255 bytes long".to_owned()),
        _ if entries.into_iter().any(is_taken) => Err("the name is taken".to_owned()),
        _ => Ok(()),
    }
}
