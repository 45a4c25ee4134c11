//! The verbs of images.

use std::io::IsTerminal;

use super::failure::{Failure, Result};
use super::output::{is_terminal, line};
use super::progress::{Place, shown};
use crate::base::ErrorKind;
use crate::command::{FromHost, Import, Load, Pull, Rmi, Tag};
use crate::engine::{ArchiveInput, Engine, Force, ImportRequest, Parents, PullOptions, Removed};

pub(super) async fn pull(engine: &Engine, pull: Pull) -> Result<u8> {
    let place = if pull.quiet { Place::Nowhere } else { Place::Stdout };
    if pull.is_default_tag && !pull.quiet {
        line("Using default tag: latest")?;
    }
    let options = PullOptions { platform: pull.platform };
    let images = engine.images();
    let pulled = shown(place, |reporter| images.pull(&pull.reference, options, reporter)).await?;
    if pull.quiet {
        line(&pulled.image)?;
    } else {
        let reference = &pull.reference;
        match (reference.tag(), reference.digest()) {
            (_, Some(digest)) => line(format!("{}@{digest}", reference.full_name()))?,
            (Some(tag), None) => line(format!("{}:{tag}", reference.full_name()))?,
            (None, None) => line(reference.full_name())?,
        }
    }
    Ok(0)
}

/// Standard input as an archive; a terminal is none.
fn standard_input(verb: &str) -> Result<ArchiveInput> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let hint = format!("name the file, or redirect it: `hoist {verb} < FILE`");
        return Err(Failure::Words("requested input is a terminal".to_owned(), Some(hint)));
    }
    Ok(ArchiveInput::Stream(Box::new(stdin)))
}

pub(super) async fn load(engine: &Engine, load: Load) -> Result<u8> {
    let input = match load.input {
        Some(path) => ArchiveInput::File(path),
        None => standard_input("load")?,
    };
    let place = if load.quiet || !is_terminal() { Place::Nowhere } else { Place::Stdout };
    let images = engine.images();
    let loaded = shown(place, |reporter| images.load(input, reporter)).await?;
    for one in &loaded {
        if one.names.is_empty() {
            line(format!("Loaded image ID: {}", one.image))?;
        }
        for name in &one.names {
            line(format!("Loaded image: {name}"))?;
        }
    }
    Ok(0)
}

pub(super) async fn import(engine: &Engine, import: Import) -> Result<u8> {
    let input = match import.source {
        Some(path) => ArchiveInput::File(path),
        None => standard_input("import -")?,
    };
    let request = ImportRequest {
        input,
        name: import.reference,
        changes: import.changes,
        message: import.message,
        platform: import.platform,
    };
    let images = engine.images();
    let id = shown(Place::Nowhere, |reporter| images.import(request, reporter)).await?;
    line(id)?;
    Ok(0)
}

pub(super) async fn from_host(engine: &Engine, from: FromHost) -> Result<u8> {
    let images = engine.images();
    let id =
        shown(Place::Stderr, |reporter| images.from_host(from.reference, from.programs, reporter)).await?;
    line(id)?;
    Ok(0)
}

pub(super) async fn tag(engine: &Engine, tag: Tag) -> Result<u8> {
    engine.images().tag(&tag.image, tag.name).await?;
    Ok(0)
}

pub(super) async fn remove(engine: &Engine, rmi: Rmi) -> Result<u8> {
    let force = if rmi.force { Force::Yes } else { Force::No };
    let parents = if rmi.no_prune { Parents::Keep } else { Parents::Prune };
    let mut code = 0;
    for name in &rmi.names {
        match engine.images().remove(name, force, parents).await {
            Ok(removed) => {
                for one in removed {
                    match one {
                        Removed::Untagged(name) => line(format!("Untagged: {name}"))?,
                        Removed::Deleted(digest) => line(format!("Deleted: {digest}"))?,
                    }
                }
            }
            Err(error) => {
                let is_gone = error.kind() == ErrorKind::NotFound;
                let told = Failure::from(error).tell();
                if !(rmi.force && is_gone) {
                    code = told;
                }
            }
        }
    }
    Ok(code)
}
