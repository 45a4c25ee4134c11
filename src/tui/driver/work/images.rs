//! Requests on images.

use super::{only_printed, said, told, unsupported};
use crate::command::image::Request;
use crate::engine::{
    ArchiveInput, Engine, Force, ImageRemoval, ImportRequest, Parents, PullOptions, PullStatus, Removed,
    Reporter, Result, Warnings,
};
use crate::oci::{ImageId, Reference};
use crate::tui::event::Finish;

/// Performs a request.
pub(super) async fn perform(engine: &Engine, request: Request, reporter: Reporter) -> Result<Finish> {
    let images = engine.images();
    match request {
        Request::Pull(pull) => {
            let options = PullOptions { platform: pull.platform };
            let pulled = images.pull(&pull.reference, options, reporter).await?;
            let how = match pulled.status {
                PullStatus::Downloaded => "pulled",
                PullStatus::UpToDate => "up to date:",
            };
            let name = pull.reference.tag().is_some().then(|| pull.reference.to_string());
            Ok(made(format!("{how} {}", pull.reference), name, &pulled.image))
        }
        Request::Load(load) => {
            let Some(path) = load.input else { return unsupported("load from standard input", "-i FILE") };
            let loaded = images.load(ArchiveInput::File(path), reporter).await?;
            let names: Vec<String> =
                loaded.iter().flat_map(|it| it.names.iter().map(ToString::to_string)).collect();
            let text = format!("loaded {}", names.join(", "));
            Ok(match loaded.first() {
                Some(first) => made(text, first.names.first().map(ToString::to_string), &first.image),
                None => said(text),
            })
        }
        Request::Import(import) => {
            let Some(path) = import.source else {
                return unsupported("import from standard input", "a file");
            };
            let name = import.reference.as_ref().map(ToString::to_string);
            let request = ImportRequest {
                input: ArchiveInput::File(path),
                name: import.reference,
                changes: import.changes,
                message: import.message,
                platform: import.platform,
            };
            let id = images.import(request, reporter).await?;
            Ok(made(format!("imported {}", name.as_deref().unwrap_or("an image")), name, &id))
        }
        Request::FromHost(asked) => from_host(engine, asked.reference, asked.programs, reporter).await,
        Request::Tag(tag) => {
            let text = format!("tagged {}", tag.name);
            let warnings = images.tag(&tag.image, tag.name).await?;
            Ok(said(text + &told(&warnings)))
        }
        Request::Rmi(rmi) => {
            let force = if rmi.force { Force::Yes } else { Force::No };
            let parents = if rmi.no_prune { Parents::Keep } else { Parents::Prune };
            let removal = ImageRemoval::for_good(force, parents);
            let mut warnings = Warnings::default();
            for name in &rmi.names {
                let gone = images.remove(name, removal).await?;
                warnings.0.extend(gone.warnings.0);
                for one in gone.removed {
                    reporter.note(match one {
                        Removed::Untagged(name) => format!("Untagged: {name}"),
                        Removed::Deleted(digest) => format!("Deleted: {digest}"),
                    });
                }
            }
            Ok(said(format!("removed {}{}", rmi.names.join(", "), told(&warnings))))
        }
        _ => only_printed(),
    }
}

pub(super) async fn from_host(
    engine: &Engine,
    name: Reference,
    programs: Vec<String>,
    reporter: Reporter,
) -> Result<Finish> {
    let count = programs.len();
    let text = format!("created {name} from {count} programs");
    let called = name.to_string();
    let id = engine.images().from_host(name, programs, reporter).await?;
    Ok(made(text, Some(called), &id))
}

/// Returns the result for a new image, which is identified by its name if it has one.
fn made(text: String, name: Option<String>, id: &ImageId) -> Finish {
    Finish { text, made: None, image: Some(name.unwrap_or_else(|| id.short().to_owned())), opens: false }
}
