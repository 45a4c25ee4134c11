//! Verbs on containers, images and the trash, as the engine has them.

use super::work::BadName;
use crate::engine::{Doing as _, Engine, Gone, Result, TrashEntry, Warnings};
use crate::oci::Reference;
use crate::tui::event::{ContainerVerb, Effect, Event};
use crate::tui::model::Tone;

/// What a verb did besides.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What it put into the trash.
    pub(super) kept: Option<TrashEntry>,
    pub(super) warnings: Warnings,
}

impl From<Gone> for Done {
    fn from(gone: Gone) -> Self {
        Self { kept: gone.entry, warnings: gone.warnings }
    }
}

/// What the user is told of warnings, if there are any.
pub(super) fn notice(warnings: &Warnings) -> Option<Event> {
    let text = warnings.0.join(" · ");
    (!text.is_empty()).then_some(Event::Notice(Tone::Warning, text))
}

/// Does it.
pub(super) async fn verb(engine: &Engine, effect: &Effect) -> Result<Done> {
    let warnings = match effect {
        Effect::Container(verb, id) => return container(engine, verb, id.as_str()).await,
        Effect::Signal(id, process, signal) => engine
            .containers()
            .signal_process(id.as_str(), *process, signal)
            .await
            .map(|()| Warnings::default()),
        Effect::RemoveImage(name, removal) => {
            return engine.images().remove(name, *removal).await.map(Done::from);
        }
        Effect::Restore(id, name) => {
            engine.trash().restore(id, name.as_deref()).await.map(|back| back.warnings)
        }
        Effect::Purge(id) => engine.trash().purge(id).await,
        Effect::EmptyTrash => engine.trash().empty().await.map(|emptied| emptied.warnings),
        Effect::TagImage(image, name) => {
            let name: Reference = name.parse().map_err(BadName).doing(|| format!("tag `{image}`"))?;
            engine.images().tag(image, name).await
        }
        _ => Ok(Warnings::default()),
    };
    warnings.map(|warnings| Done { warnings, ..Done::default() })
}

async fn container(engine: &Engine, verb: &ContainerVerb, id: &str) -> Result<Done> {
    let warned = |warnings| Done { warnings, ..Done::default() };
    let containers = engine.containers();
    match verb {
        ContainerVerb::Start => containers.start(id).await.map(warned),
        ContainerVerb::Stop => containers.stop(id, None, None).await.map(warned),
        ContainerVerb::Restart => containers.restart(id, None, None).await.map(warned),
        ContainerVerb::Pause => containers.pause(id).await.map(warned),
        ContainerVerb::Unpause => containers.unpause(id).await.map(warned),
        ContainerVerb::Kill(signal) => containers.kill(id, signal).await.map(warned),
        ContainerVerb::Rename(name) => containers.rename(id, name.clone()).await.map(warned),
        ContainerVerb::Remove(removal) => containers.remove(id, *removal).await.map(Done::from),
    }
}
