//! Verbs on containers, images and the trash.

use super::work::BadName;
use crate::engine::{Doing as _, Engine, Error, Gone, Result, TrashEntry, Warnings};
use crate::oci::Reference;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::event::Event;
use crate::tui::failure::Tone;

/// Side effects of a verb.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What was put into the trash.
    pub(super) kept: Option<TrashEntry>,
    pub(super) warnings: Warnings,
}

impl From<Gone> for Done {
    fn from(gone: Gone) -> Self {
        Self { kept: gone.entry, warnings: gone.warnings }
    }
}

/// Returns a notice with the warnings, if there are any.
pub(super) fn notice(warnings: &Warnings) -> Option<Event> {
    let text = warnings.distinct().collect::<Vec<_>>().join(" · ");
    (!text.is_empty()).then_some(Event::Notice(Tone::Warning, text))
}

/// Returns the end of a verb with this error. A removal of what another process has removed did not
/// fail.
pub(super) fn failed(effect: Effect, error: Error) -> Event {
    match effect.is_removal() && error.is_no_such_object() {
        true => Event::Missing(effect),
        false => Event::Done(effect, Err(error.into())),
    }
}

/// Performs a verb.
pub(super) async fn verb(engine: &Engine, effect: &Effect) -> Result<Done> {
    let warnings = match effect {
        Effect::Container(verb, id) => return container(engine, verb, id.as_str()).await,
        Effect::Signal(id, process, signal) => engine
            .containers()
            .signal_process(id.as_str(), *process, signal)
            .await
            .map(|()| Warnings::default()),
        Effect::SignalSession(_, Some(exec), name) => {
            // The menu has only names of signals.
            let signal = name.parse().unwrap_or(nix::sys::signal::Signal::SIGHUP);
            engine.execs().kill(exec, signal as i32).await.map(|()| Warnings::default())
        }
        Effect::RemoveImage(name, removal) => {
            return engine.images().remove(name, *removal).await.map(Done::from);
        }
        Effect::Restore(id, name) => {
            engine.trash().restore(id, name.as_deref()).await.map(|back| back.warnings)
        }
        Effect::RestoreAndStart(id) => {
            let back = engine.trash().restore(id, None).await?;
            let started = engine.containers().start(&back.object).await?;
            Ok(Warnings(back.warnings.0.into_iter().chain(started.0).collect()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Explain, Paths, disk};
    use crate::engine::{
        ContainerId, ErrorKind, Force, ImageRemoval, Parents, Process, Removal, Running, Settings,
    };

    #[test]
    fn warnings_are_told_together_and_none_are_not() {
        let told = |warnings: &[&str]| {
            let warnings = Warnings(warnings.iter().map(|it| (*it).to_owned()).collect());
            notice(&warnings).map(|event| match event {
                Event::Notice(Tone::Warning, text) => text,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["one"]), Some("one".to_owned()));
        assert_eq!(told(&["one", "two"]), Some("one · two".to_owned()));
    }

    #[test]
    fn a_removal_for_which_a_file_is_missing_has_failed() {
        fn ended(why: impl Explain) -> Event {
            let error = Error::new("delete `web`", why);
            assert_eq!(error.kind(), ErrorKind::NotFound);
            failed(Effect::Purge("web".to_owned()), error)
        }
        let missing = || disk::Error::io("rename", "/var/lib/hoist/web")(std::io::ErrorKind::NotFound.into());
        let ends = [
            ended(missing()),
            ended(crate::container::store::Error::Disk(missing())),
            ended(crate::image::Error::Disk(missing())),
        ];
        for end in ends {
            let Event::Done(Effect::Purge(_), Err(failure)) = end else { panic!("{end:?}") };
            assert!(failure.why.concat().contains("/var/lib/hoist/web"), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn a_verb_on_what_is_not_there_fails_and_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(Settings::new(paths)).unwrap();
        let id: ContainerId = "ab".repeat(32).parse().unwrap();
        use ContainerVerb as Verb;
        let verbs = [
            Verb::Start,
            Verb::Stop,
            Verb::Restart,
            Verb::Pause,
            Verb::Unpause,
            Verb::Kill("TERM".to_owned()),
            Verb::Rename("web".parse().unwrap()),
            Verb::Remove(Removal::to_trash(Running::Kill)),
        ];
        let on_container = verbs.into_iter().map(|verb| (Effect::Container(verb, id.clone()), "abab"));
        let process = Process { pid: 1, start_time: 1 };
        let removal = ImageRemoval::to_trash(Force::No, Parents::Prune);
        let others = [
            (Effect::Signal(id.clone(), process, "TERM".to_owned()), "abab"),
            (Effect::RemoveImage("nope:1".to_owned(), removal), "nope:1"),
            (Effect::TagImage("nope:1".to_owned(), "new:1".to_owned()), "nope:1"),
            (Effect::Restore("nope".to_owned(), None), "nope"),
            (Effect::RestoreAndStart("nope".to_owned()), "nope"),
            (Effect::Purge("nope".to_owned()), "nope"),
        ];
        for (effect, name) in on_container.chain(others) {
            let error = verb(&engine, &effect).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{effect:?}");
            assert!(error.to_string().contains(name), "{effect:?}: {error}");
            let is_missing = matches!(failed(effect.clone(), error), Event::Missing(_));
            assert_eq!(is_missing, effect.is_removal(), "{effect:?}");
        }
        let tag = Effect::TagImage("nope:1".to_owned(), "No Name".to_owned());
        assert_eq!(verb(&engine, &tag).await.unwrap_err().kind(), ErrorKind::Invalid);
        let done = verb(&engine, &Effect::EmptyTrash).await.unwrap();
        assert!(done.kept.is_none() && done.warnings.0.is_empty(), "an empty trash is empty");
    }
}
