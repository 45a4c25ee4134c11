//! The undo key: records what undoes an effect, and applies it.

use crate::engine::{Fate, Force, ImageRemoval, Parents};
use crate::oci::Reference;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::failure::{Failure, Tone};
use crate::tui::model::Model;
use crate::tui::trash::model::TrashRow;
use crate::tui::undo::model::Step;
use crate::tui::words::span;

/// Records effects that can be undone. Called with all effects of an event.
pub(crate) fn watch(model: &mut Model, effects: &[Effect]) {
    let waiting: Vec<_> = effects
        .iter()
        .filter(|effect| is_undoable(effect) && !model.undo.is_undoing(effect))
        .map(|effect| (effect.clone(), inverse(model, effect)))
        .collect();
    model.undo.begin(waiting);
}

/// Whether an effect can be undone, with its [`inverse`] or from the trash.
fn is_undoable(effect: &Effect) -> bool {
    match effect {
        Effect::Container(verb, _) => match verb {
            ContainerVerb::Start
            | ContainerVerb::Stop
            | ContainerVerb::Pause
            | ContainerVerb::Unpause
            | ContainerVerb::Rename(_) => true,
            ContainerVerb::Remove(removal) => removal.fate == Fate::Trash,
            ContainerVerb::Restart | ContainerVerb::Kill(_) => false,
        },
        Effect::RemoveImage(_, removal) => removal.fate == Fate::Trash,
        Effect::TagImage(..) => true,
        _ => false,
    }
}

/// Returns the text for an effect and its inverse, based on the state before it.
fn inverse(model: &Model, effect: &Effect) -> Option<(String, Effect)> {
    match effect {
        Effect::Container(verb, id) => {
            let name = model.containers.get(id.as_str()).map(|row: &ContainerRow| row.name.clone())?;
            let (word, back) = match verb {
                ContainerVerb::Start => ("started", ContainerVerb::Stop),
                ContainerVerb::Stop => ("stopped", ContainerVerb::Start),
                ContainerVerb::Pause => ("paused", ContainerVerb::Unpause),
                ContainerVerb::Unpause => ("resumed", ContainerVerb::Pause),
                ContainerVerb::Rename(_) => ("renamed", ContainerVerb::Rename(name.parse().ok()?)),
                ContainerVerb::Restart | ContainerVerb::Kill(_) | ContainerVerb::Remove(_) => return None,
            };
            Some((format!("{word} {name}"), Effect::Container(back, id.clone())))
        }
        Effect::TagImage(image, name) => {
            let full = name.parse::<Reference>().ok()?.to_string();
            let images = model.images.all();
            let owner = images.iter().find(|row| row.name == full);
            let is_of = |id: &str, word: &str| {
                images.iter().any(|row| row.id == id && (row.target() == word || row.short() == word))
            };
            let back = match owner {
                // It already has the name.
                Some(row) if is_of(&row.id, image) => return None,
                // The previous owner gets the name back.
                Some(row) => Effect::TagImage(row.id.clone(), full.clone()),
                // Removing the only name of an image would remove the image.
                None if !images.iter().any(|row| row.target() == image && !row.name.is_empty()) => {
                    return None;
                }
                None => {
                    let removal = ImageRemoval::to_trash(Force::No, Parents::Prune);
                    Effect::RemoveImage(full.clone(), removal)
                }
            };
            Some((format!("tagged {full}"), back))
        }
        _ => None,
    }
}

/// Records that a removal put an object into the trash.
pub(crate) fn kept(model: &mut Model, effect: &Effect, row: TrashRow) {
    let told = format!("removed {}", row.name);
    model.undo.kept(effect, told, Effect::Restore(row.id.clone(), None), row.until);
    model.trash.put(row);
}

/// Records that an effect finished, and adds to a notice of success how to undo it.
pub(crate) fn end(model: &mut Model, effect: &Effect, result: &Result<(), Failure>) {
    if let Some(step) = model.undo.end(effect, result.is_ok()).cloned() {
        hint(model, &step);
    }
}

fn hint(model: &mut Model, step: &Step) {
    let key = model.keys_of(model.key_context_below(), crate::tui::action::Action::Undo);
    let left = step.until.map(|until| format!(" ({} left)", span(until.duration_since(model.now))));
    if let Some(notice) = model.notice.as_mut().filter(|notice| notice.tone == Tone::Good) {
        let key = if key.is_empty() { "u".to_owned() } else { key };
        notice.text += &format!(" · {key} undo{}", left.unwrap_or_default());
    }
}

/// Undoes the effects of the last key.
pub(crate) fn undo(model: &mut Model) -> Vec<Effect> {
    if model.undo.is_busy() {
        model.say(Tone::Plain, "not done yet; undo it when it is", None);
        return Vec::new();
    }
    loop {
        let steps = model.undo.take(model.now);
        if steps.is_empty() {
            model.say(Tone::Plain, "nothing to undo", None);
            return Vec::new();
        }
        let effects: Vec<Effect> = steps.into_iter().flat_map(|step| step.effects).collect();
        let effects: Vec<Effect> = effects.into_iter().filter(|effect| is_there(model, effect)).collect();
        // Skips steps that were undone in another way, or whose object was removed since then.
        if !effects.is_empty() {
            model.undo.begin_undo(&effects);
            return model.confirmed(effects);
        }
    }
}

/// Whether the object of an effect still exists.
fn is_there(model: &Model, effect: &Effect) -> bool {
    match effect {
        Effect::Container(_, id) => model.containers.get(id.as_str()).is_some(),
        Effect::Restore(id, _) => model.trash.get(id).is_some(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::engine::Status;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, full, now, press, screen, write};
    use crate::tui::reading::Listed;
    use crate::tui::section::Section;
    use crate::tui::trash::model::Keeping;
    use crate::tui::update::update;

    fn id(name: &str) -> crate::engine::ContainerId {
        container(name, Status::Running).id
    }

    fn kept(name: &str) -> TrashRow {
        TrashRow {
            id: format!("container-{name}"),
            kind: "container",
            name: name.to_owned(),
            names: vec![name.to_owned()],
            object: id(name).to_string(),
            removed: now(),
            until: now() + SignedDuration::from_hours(23) + SignedDuration::from_mins(59),
            size: None,
        }
    }

    /// Finishes effects successfully, with removals into the trash.
    fn finish(model: &mut Model, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Container(ContainerVerb::Remove(_), of) = &effect {
                let name = model.containers.get(of.as_str()).unwrap().name.clone();
                update(model, Event::Kept(effect.clone(), Box::new(kept(&name))));
                update(model, Event::Container(of.clone(), None));
            }
            update(model, Event::Done(effect, Ok(())));
        }
    }

    fn notice(model: &Model) -> &str {
        model.notice.as_ref().map_or("", |notice| &notice.text)
    }

    #[test]
    fn each_verb_has_its_opposite() {
        for (name, keys, back) in [
            ("web", "s", ContainerVerb::Start),
            ("canary", "s", ContainerVerb::Stop),
            ("web", "p", ContainerVerb::Unpause),
            ("batch", "p", ContainerVerb::Pause),
            ("web", "N x enter", ContainerVerb::Rename("web".parse().unwrap())),
        ] {
            let mut model = full(80, 24);
            model.containers.select_key(id(name).as_str());
            let effects = press(&mut model, keys);
            assert_eq!(effects.len(), 1, "{keys}");
            finish(&mut model, effects);
            assert!(notice(&model).ends_with(" · u undo"), "{}", notice(&model));
            let undone = press(&mut model, "u");
            assert_eq!(undone, [Effect::Container(back, id(name))]);
            finish(&mut model, undone);
            assert!(!notice(&model).contains("undo"), "{}", notice(&model));
            assert_eq!(press(&mut model, "u"), []);
            assert_eq!(notice(&model), "nothing to undo");
        }
    }

    #[test]
    fn what_cannot_be_undone_is_no_step() {
        let mut model = full(80, 24);
        let effects = [press(&mut model, "r"), press(&mut model, "K enter")].concat();
        assert_eq!(effects.len(), 2);
        finish(&mut model, effects);
        assert_eq!(press(&mut model, "u"), []);
        press(&mut model, "d D f");
        let gone = press(&mut model, "y");
        update(&mut model, Event::Done(gone[0].clone(), Ok(())));
        assert_eq!(notice(&model), "removed api");
        assert_eq!(press(&mut model, "u"), []);
    }

    #[test]
    fn a_removal_that_left_nothing_in_the_trash_offers_no_older_step() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "s");
        finish(&mut model, effects);
        let gone = press(&mut model, "j d d y");
        update(&mut model, Event::Done(gone[0].clone(), Ok(())));
        assert_eq!(notice(&model), "removed web");
    }

    #[test]
    fn a_removal_is_undone_from_the_trash_and_says_for_how_long() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "d d y");
        assert!(press(&mut model, "u").is_empty() && notice(&model).starts_with("not done yet"));
        finish(&mut model, effects);
        assert_eq!(notice(&model), "removed api · u undo (23h59m left)");
        assert_eq!(model.trash.all().len(), 1);
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::Restore("container-api".to_owned(), None)]);
        update(&mut model, Event::Done(undone[0].clone(), Ok(())));
        assert_eq!(notice(&model), "restored api");
    }

    #[test]
    fn several_removed_by_one_key_come_back_by_one() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space d d y");
        finish(&mut model, effects);
        assert_eq!(notice(&model), "removed 2 · u undo (23h59m left)");
        let undone = press(&mut model, "u");
        let restored = ["web", "api"].map(|name| Effect::Restore(format!("container-{name}"), None));
        assert_eq!(undone, restored);
        undone.into_iter().for_each(|effect| drop(update(&mut model, Event::Done(effect, Ok(())))));
        assert_eq!(notice(&model), "restored 2");
    }

    #[test]
    fn what_went_from_the_trash_cannot_be_undone() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "s");
        finish(&mut model, effects);
        let effects = press(&mut model, "j d d y");
        finish(&mut model, effects);
        let keeping = Keeping { time: None, is_short: false };
        update(&mut model, Event::List(Ok(Listed::Trash((Vec::new(), keeping)))));
        assert_eq!(
            press(&mut model, "u"),
            [Effect::Container(ContainerVerb::Start, id("api"))],
            "the step before it"
        );
    }

    #[test]
    fn a_name_is_taken_back_and_given_back_to_whom_it_was_taken_from() {
        let trash = ImageRemoval::to_trash(Force::No, Parents::Prune);
        let mut model = full(80, 24);
        press(&mut model, "2 t");
        write(&mut model, "new");
        let effects = press(&mut model, "enter");
        finish(&mut model, effects);
        assert_eq!(notice(&model), "tagged new · u undo");
        assert_eq!(press(&mut model, "u"), [Effect::RemoveImage("new:latest".to_owned(), trash)]);

        let mut rows = model.images.all().to_vec();
        rows[1].id = format!("sha256:{}", "4e".repeat(32));
        let other = rows[1].id.clone();
        update(&mut model, Event::List(Ok(Listed::Images(rows))));
        press(&mut model, "t");
        write(&mut model, "debian:13");
        let effects = press(&mut model, "enter");
        finish(&mut model, effects);
        assert_eq!(press(&mut model, "u"), [Effect::TagImage(other, "debian:13".to_owned())]);
    }

    #[test]
    fn the_trash_restores_purges_and_empties_after_a_question() {
        let mut model = full(80, 24);
        let keeping = model.keeping;
        update(&mut model, Event::List(Ok(Listed::Trash((vec![kept("a"), kept("b")], keeping)))));
        press(&mut model, "g x");
        assert_eq!(model.section, Section::Trash);
        let restore = |name: &str, new: Option<&str>| {
            Effect::Restore(format!("container-{name}"), new.map(str::to_owned))
        };
        assert_eq!(press(&mut model, "u"), [restore("a", None)]);
        press(&mut model, "r");
        write(&mut model, "2");
        assert_eq!(press(&mut model, "enter"), [restore("a", Some("a2"))]);
        assert_eq!(press(&mut model, "d d enter"), []);
        assert_eq!(press(&mut model, "* d d y").len(), 2);
        press(&mut model, "esc d p");
        assert!(screen(&model).contains("Empty the trash: 2 objects for good?"), "{}", screen(&model));
        assert_eq!(press(&mut model, "y"), [Effect::EmptyTrash]);
    }

    #[test]
    fn a_stop_counts_down_and_only_then_wakes_anybody() {
        let mut model = full(80, 24);
        let slow = |model: &Model| model.next_tick().is_none_or(|tick| tick.as_secs() > 1);
        assert!(slow(&model));
        let effects = press(&mut model, "s");
        assert!(screen(&model).contains("stopping 10s "), "{}", screen(&model));
        assert_eq!(model.next_tick(), Some(std::time::Duration::from_secs(1)));
        update(&mut model, Event::Tick(now() + SignedDuration::from_millis(3200)));
        assert!(screen(&model).contains("stopping… 7s"), "{}", screen(&model));
        assert_eq!(model.next_tick(), Some(std::time::Duration::from_millis(800)));
        update(&mut model, Event::Tick(now() + SignedDuration::from_secs(11)));
        assert!(screen(&model).contains("stopping…  "), "{}", screen(&model));
        finish(&mut model, effects);
        model.notice = None;
        assert!(slow(&model) && !screen(&model).contains("stopping"));
    }
}
