//! Read-only: nothing is changed, whatever is pressed, typed or answered.
//!
//! Three doors are closed. An action that changes something is refused before it opens a
//! dialog, a command before it is begun, and as the last thing every effect is looked at:
//! one that changes something does not leave [`super::update`].

use crate::command::{self, World};
use crate::engine::files::{Existing, Place};
use crate::tui::action::Action;
use crate::tui::event::{Effect, Job};
use crate::tui::model::files::FilesWish;
use crate::tui::model::layer::Layer;
use crate::tui::model::{Model, Tone};

/// Says why something was not done.
pub(super) fn refuse(model: &mut Model, why: &str) {
    let hint = match model.look.must_be_read_only {
        true => "start hoist without --read-only, and without read-only in [ui]".to_owned(),
        false => "`:set read-only off` ends that".to_owned(),
    };
    model.say(Tone::Warning, format!("read-only: {why}"), Some(hint));
}

/// Whether an action may not be done; says so.
pub(super) fn refuses(model: &mut Model, action: Action) -> bool {
    let is_refused = model.look.is_read_only && action.changes();
    if is_refused {
        refuse(model, &format!("`{}` changes something", action.name()));
    }
    is_refused
}

/// The effects that may be done; of the others nothing is left behind.
pub(super) fn sift(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    if !model.look.is_read_only {
        return effects;
    }
    let (refused, allowed): (Vec<_>, Vec<_>) =
        effects.into_iter().partition(|effect| changes(effect, &model.world));
    if !refused.is_empty() {
        refuse(model, "that would change something");
    }
    for effect in refused {
        forget(model, &effect);
    }
    allowed
}

/// Takes back what the model already believes of an effect that will not be.
fn forget(model: &mut Model, effect: &Effect) {
    match effect {
        Effect::Container(_, id) => {
            if let Some(row) = model.containers.get_mut(id.as_str()) {
                row.busy = None;
            }
        }
        Effect::Work(id, _) | Effect::Open(id, ..) => {
            model.tasks.take(&id.key());
            model.layers.retain(|layer| !matches!(layer, Layer::Progress(watch) if watch.id == *id));
        }
        _ => {}
    }
}

/// Whether an effect may change anything: a container, an image, a network, a volume, what a
/// program in a container does, or this machine.
fn changes(effect: &Effect, world: &World) -> bool {
    match effect {
        Effect::Container(..)
        | Effect::RemoveImage(..)
        | Effect::Signal(..)
        | Effect::TagImage(..)
        | Effect::Restore(..)
        | Effect::Purge(_)
        | Effect::EmptyTrash
        | Effect::Open(..)
        | Effect::Type(..)
        | Effect::Paste(..)
        | Effect::Point(..)
        | Effect::Host(_)
        | Effect::Work(_, Job::FromHost(_) | Job::Delete(..)) => true,
        // What is copied to this machine, beside what is there, is for the user.
        Effect::Work(_, Job::Copy(request)) => {
            request.to != Place::Host || request.existing == Existing::Replace
        }
        Effect::Files(wish) => match wish {
            FilesWish::MakeFolder(..)
            | FilesWish::Rename(..)
            | FilesWish::Edit(..)
            | FilesWish::Editor(..) => true,
            // The copy itself is judged when it is known what it replaces.
            FilesWish::View(..) | FilesWish::Compare(_) | FilesWish::Extract(_) => false,
        },
        // What cannot be read is not let through.
        Effect::Work(_, Job::Words(words) | Job::Print(words)) => {
            command::parse(words, world).map_or(true, |parsed| parsed.request.changes())
        }
        Effect::Quit
        | Effect::Suspend
        | Effect::Redraw
        | Effect::Mouse(_)
        | Effect::Copy(_)
        | Effect::CopyJson(_)
        | Effect::Browse(_)
        | Effect::Save
        | Effect::Load(_)
        | Effect::Machine
        | Effect::Keymap(_)
        | Effect::Reload(_)
        | Effect::ReadProcess(..)
        | Effect::ReadPorts(_)
        // It shows a file that cannot be written.
        | Effect::Edit(..)
        | Effect::Cancel(_)
        | Effect::Scroll(..)
        | Effect::Walk(..)
        // A log, a table of numbers is written for the user, beside everything hoist keeps.
        | Effect::TrySave(_)
        | Effect::Work(_, Job::SaveLog(_) | Job::Write(..))
        | Effect::Close(_)
        | Effect::Look(_)
        | Effect::Folder(_)
        // It comes back, and then as one of the others.
        | Effect::Command(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Status;
    use crate::tui::event::{Event, Listed};
    use crate::tui::fixture::{container, full, press, screen, write};
    use crate::tui::model::Section;
    use crate::tui::update::{act, update};

    /// Sections, and the panes of the first one.
    const PLACES: &[&str] = &["1", "2", "3", "4", "5", "l", "S", "t", "i"];

    fn at(place: &str) -> Model {
        let mut model = full(120, 40);
        press(&mut model, place);
        model
    }

    #[test]
    fn no_action_changes_anything_wherever_it_is_done_and_whatever_is_answered() {
        for place in PLACES {
            for action in Action::ALL {
                let mut model = at(place);
                model.look.is_read_only = true;
                let mut effects = act(&mut model, *action);
                assert!(!action.changes() || effects.is_empty(), "{action:?} at {place}: {effects:?}");
                for _ in 0..3 {
                    write(&mut model, "x");
                    effects.extend(press(&mut model, "enter"));
                    effects.extend(press(&mut model, "ctrl-s y"));
                }
                let changing: Vec<_> =
                    effects.iter().filter(|effect| changes(effect, &model.world)).collect();
                assert!(changing.is_empty(), "{action:?} at {place}: {changing:?}");
                let begun = effects.iter().filter(|effect| matches!(effect, Effect::Work(..))).count();
                let live = model.tasks.all().iter().filter(|task| !task.is_over()).count();
                assert!(live <= begun, "{action:?} at {place}: a task that was refused is still there");
            }
        }
    }

    #[test]
    fn every_action_that_changes_something_says_so() {
        for place in PLACES {
            for action in Action::ALL {
                let mut model = at(place);
                let effects = act(&mut model, *action);
                let changes = effects.iter().any(|effect| changes(effect, &model.world));
                assert!(!changes || action.changes(), "{action:?} at {place}: {effects:?}");
            }
        }
    }

    #[test]
    fn a_refusal_is_told_and_nothing_hangs() {
        let mut model = full(80, 24);
        model.look.is_read_only = true;
        assert!(press(&mut model, "s").is_empty());
        assert!(screen(&model).contains("read-only: `start-stop` changes something"), "{}", screen(&model));
        assert!(screen(&model).contains("READ-ONLY"));
        assert!(!screen(&model).contains("s stop"), "the action bar hides it");
        press(&mut model, ":");
        write(&mut model, "rm api");
        assert!(press(&mut model, "enter").iter().all(|effect| *effect == Effect::Save));
        assert!(screen(&model).contains("read-only: `rm` changes something"), "{}", screen(&model));
        press(&mut model, ":");
        write(&mut model, "images");
        press(&mut model, "enter");
        assert_eq!(model.section, Section::Images);
    }

    #[test]
    fn what_was_begun_before_it_became_read_only_is_not_ended_by_it() {
        let mut model = full(80, 24);
        press(&mut model, "d D");
        model.look.is_read_only = true;
        assert!(press(&mut model, "y").is_empty());
        let rows = vec![container("api", Status::Running)];
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        assert!(model.containers.all().iter().all(|row| row.busy.is_none()));
    }
}
