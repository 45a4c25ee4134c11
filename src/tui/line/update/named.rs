//! Verbs of the `:` line on objects in the lists. They work as if the objects were selected and the
//! key pressed, so removal asks for a confirmation, and undo works.

use crate::tui::containers::update::verb;
use crate::tui::removal;

use crate::command::{container, image};
use crate::engine::Force;
use crate::oci::Reference;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::failure::Failure;
use crate::tui::images::model::ImageRow;
use crate::tui::model::Model;
use crate::tui::removal::model::Victim;

/// Performs a request on containers; `None` if it is another verb, or has options that a key does
/// not support.
pub(crate) fn on_containers(model: &mut Model, request: &container::Request) -> Option<Vec<Effect>> {
    use container::Request;
    let (targets, what) = match request {
        Request::Rm(rm) => {
            let rows = containers(model, "remove", &rm.targets);
            let victims = rows.into_iter().map(|row| Victim::Container(Box::new(row))).collect();
            removal::update::ask(model, victims, force(rm.force));
            return Some(Vec::new());
        }
        Request::Rename(rename) => {
            let row = containers(model, "rename", std::slice::from_ref(&rename.target)).pop();
            let effects = row
                .map(|row| Effect::Container(ContainerVerb::Rename(rename.name.clone()), row.id))
                .into_iter();
            return Some(model.confirmed(effects.collect()));
        }
        Request::Stop(stop) if stop.signal.is_none() && stop.timeout.is_none() => {
            (&stop.targets, ContainerVerb::Stop)
        }
        Request::Start(start) if !start.attach && !start.interactive => {
            (&start.targets, ContainerVerb::Start)
        }
        Request::Pause(pause) => (&pause.targets, ContainerVerb::Pause),
        Request::Unpause(unpause) => (&unpause.targets, ContainerVerb::Unpause),
        _ => return None,
    };
    let rows = containers(model, what.words().present, targets);
    // A missing container was reported.
    Some(if rows.is_empty() { Vec::new() } else { verb(model, rows, &what) })
}

/// Performs a request on images; `None` as in [`on_containers`].
pub(crate) fn on_images(model: &mut Model, request: &image::Request) -> Option<Vec<Effect>> {
    match request {
        image::Request::Rmi(rmi) if !rmi.no_prune => {
            let rows = images(model, &rmi.names);
            removal::update::ask_images(model, &rows, force(rmi.force));
            Some(Vec::new())
        }
        _ => None,
    }
}

fn force(is_forced: bool) -> Force {
    if is_forced { Force::Yes } else { Force::No }
}

/// Returns the rows of containers. If one does not exist, reports that and returns none.
fn containers(model: &mut Model, word: &str, targets: &[String]) -> Vec<ContainerRow> {
    let mut rows: Vec<ContainerRow> = Vec::new();
    for target in targets {
        let Some(row) = container(model, target).cloned() else {
            return missing(model, word, "container", target);
        };
        if !rows.iter().any(|other| other.id == row.id) {
            rows.push(row);
        }
    }
    rows
}

/// Finds a container like the engine: by name, id, or prefix of the id.
fn container<'a>(model: &'a Model, target: &str) -> Option<&'a ContainerRow> {
    let rows = model.containers.all();
    let name = target.strip_prefix('/').unwrap_or(target);
    if let Some(row) = rows.iter().find(|row| row.name == name || row.id.as_str() == target) {
        return Some(row);
    }
    let mut begun = rows.iter().filter(|row| !target.is_empty() && row.id.as_str().starts_with(target));
    begun.next().filter(|_| begun.next().is_none())
}

/// Returns the rows of images: a single one for a name, all names for an id.
fn images(model: &mut Model, targets: &[String]) -> Vec<ImageRow> {
    let mut rows: Vec<ImageRow> = Vec::new();
    for target in targets {
        let full = target.parse::<Reference>().map(|name| name.to_string()).unwrap_or_default();
        let named = model.images.all().iter().filter(|row| !row.name.is_empty() && row.name == full);
        let mut found: Vec<ImageRow> = named.cloned().collect();
        if found.is_empty() {
            let hex = target.strip_prefix("sha256:").unwrap_or(target);
            let is_of = |row: &&ImageRow| {
                !hex.is_empty() && row.id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(hex))
            };
            found = model.images.all().iter().filter(is_of).cloned().collect();
            let first = found.first().map(|row| row.id.clone());
            if found.iter().any(|row| Some(&row.id) != first.as_ref()) {
                found.clear();
            }
        }
        if found.is_empty() {
            return missing(model, "remove", "image", target);
        }
        found.retain(|row| !rows.iter().any(|other| other.unique == row.unique));
        rows.extend(found);
    }
    rows
}

fn missing<R>(model: &mut Model, word: &str, what: &str, target: &str) -> Vec<R> {
    model.fail(Failure {
        what: format!("cannot {word} `{target}`"),
        why: vec![format!("No such {what}: {target}")],
        hint: None,
    });
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ImageRemoval, Parents, Removal, Running, Status};
    use crate::tui::fixture::{container as row, full, press, screen, write};

    fn line(text: &str) -> (Model, Vec<Effect>) {
        let mut model = full(80, 24);
        press(&mut model, ":");
        write(&mut model, text);
        let mut effects = press(&mut model, "enter");
        // Ignore the saving of the history.
        effects.retain(|effect| *effect != Effect::Save);
        (model, effects)
    }

    fn on(verb: ContainerVerb, name: &str) -> Effect {
        Effect::Container(verb, row(name, Status::Running).id)
    }

    #[test]
    fn a_removal_by_name_asks_as_one_by_key() {
        let (mut model, effects) = line("rm -f api seed");
        assert_eq!(effects, []);
        let text = screen(&model);
        for line in ["Remove 2 containers?", "● api", "will be killed", "✗ seed"] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let removal = Removal::to_trash(Running::Kill);
        let removed = ["api", "seed"].map(|name| on(ContainerVerb::Remove(removal), name));
        assert_eq!(press(&mut model, "y"), removed);
        let (mut model, effects) = line("rmi debian:13");
        assert!(effects.is_empty() && screen(&model).contains("Remove 1 image?"));
        let removal = ImageRemoval::to_trash(Force::No, Parents::Prune);
        assert_eq!(press(&mut model, "y"), [Effect::RemoveImage("debian:13".to_owned(), removal)]);
    }

    #[test]
    fn verbs_by_name_are_those_of_the_keys() {
        for (text, effects) in [
            ("stop api web", vec![on(ContainerVerb::Stop, "api"), on(ContainerVerb::Stop, "web")]),
            ("start canary", vec![on(ContainerVerb::Start, "canary")]),
            ("pause web", vec![on(ContainerVerb::Pause, "web")]),
            ("unpause batch", vec![on(ContainerVerb::Unpause, "batch")]),
            ("rename web www", vec![on(ContainerVerb::Rename("www".parse().unwrap()), "web")]),
        ] {
            assert_eq!(line(text).1, effects, "{text}");
        }
    }

    #[test]
    fn where_one_is_missing_nothing_is_done() {
        for text in ["rm api missing", "stop missing api", "rmi missing", "rename missing other"] {
            let (mut model, effects) = line(text);
            assert!(effects.is_empty() && model.layers.is_empty(), "{text}");
            let failure = model.take_failure().unwrap();
            let why = &failure.why;
            assert!(!why.is_empty(), "{text} {failure:?}");
            assert!(why[0].ends_with(": missing"), "{why:?}");
        }
    }
}
