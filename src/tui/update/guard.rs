//! Read-only mode: whatever is pressed, typed or confirmed, no object is changed, nothing is sent
//! to a program in a container, and no file of this machine is written.
//!
//! There are three checks. An action that writes is refused before it opens a dialog, and a command
//! before it starts. Finally every effect is checked, and one that writes does not leave
//! [`super::update`].

use crate::tui::action::{Action, Reach};
use crate::tui::effect::{Effect, Job, Program};
use crate::tui::files::model::FilesWish;
use crate::tui::model::Model;
use crate::tui::tasks::model::TaskRow;
use crate::tui::tasks::update::close_progress;

/// Refuses an action that writes, with a reason. Returns whether it was refused.
pub(crate) fn refuses(model: &mut Model, action: Action) -> bool {
    let is_refused = model.look.is_read_only && action.reach() == Reach::Writes;
    if is_refused {
        model.refuse(&format!("`{}` makes changes", action.name()));
    }
    is_refused
}

/// Returns the effects that are allowed, and undoes what the others changed in the model.
pub(crate) fn sift(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    if !model.look.is_read_only {
        return effects;
    }
    let (mut refused, allowed): (Vec<_>, Vec<_>) = effects.into_iter().partition(writes);
    // hoist's own state is kept in memory until it quits; the user did not ask for its file.
    refused.retain(|effect| *effect != Effect::Save);
    if !refused.is_empty() {
        model.refuse("this would make changes");
    }
    for effect in refused {
        forget(model, &effect);
    }
    allowed
}

/// Undoes what the model already assumed about a refused effect.
fn forget(model: &mut Model, effect: &Effect) {
    match effect {
        Effect::Container(_, id) => {
            if let Some(row) = model.containers.get_mut(id.as_str()) {
                row.busy = None;
            }
        }
        Effect::Open(id, _, Program::Running(_)) => {
            if let Some(session) = model.tasks.get_mut(&id.key()).and_then(TaskRow::session_mut) {
                session.is_attached = false;
            }
        }
        Effect::Work(id, _) | Effect::Open(id, ..) => {
            model.tasks.take(&id.key());
            close_progress(model, *id);
        }
        _ => {}
    }
}

/// Whether an effect may write: to an object of the engine, to a program in a container, or to a
/// file of this machine, directly or through a program that it starts.
pub(crate) fn writes(effect: &Effect) -> bool {
    match effect {
        Effect::Container(..)
        | Effect::RemoveImage(..)
        | Effect::Signal(..)
        | Effect::SignalSession(..)
        | Effect::TagImage(..)
        | Effect::Restore(..)
        | Effect::RestoreAndStart(_)
        | Effect::Purge(_)
        | Effect::EmptyTrash
        | Effect::Open(..)
        | Effect::Type(..)
        | Effect::Paste(..)
        | Effect::Point(..)
        | Effect::Host(_)
        // An editor is given a temporary file, but can write others.
        | Effect::Edit(..)
        | Effect::Save
        | Effect::TrySave(_) => true,
        Effect::Work(_, job) => match job {
            Job::FromHost(_) | Job::Delete(..) | Job::Copy(_) | Job::SaveLog(_) | Job::Write(..) => true,
            Job::Request(request) | Job::Print(_, request) => request.changes(),
        },
        Effect::Files(wish) => match wish {
            FilesWish::MakeFolder(..)
            | FilesWish::Rename(..)
            | FilesWish::Copy(_)
            | FilesWish::Edit(..)
            | FilesWish::Editor(..) => true,
            FilesWish::View(..) | FilesWish::Compare(_) => false,
        },
        Effect::Quit
        | Effect::Suspend
        | Effect::Redraw
        | Effect::Mouse(_)
        // The terminal's clipboard, by OSC 52, is not a file.
        | Effect::Copy(_)
        | Effect::CopyJson(_)
        | Effect::Browse(_)
        | Effect::Load(_)
        | Effect::Machine
        | Effect::Keymap(_)
        | Effect::Reload(_)
        | Effect::ReadProcess(..)
        | Effect::ReadPorts(_)
        | Effect::Withdraw(_)
        | Effect::Cancel(_)
        | Effect::Scroll(..)
        | Effect::Walk(..)
        | Effect::Close(_)
        | Effect::Look(_)
        | Effect::Folder(_)
        // It returns as an event and then causes one of the other effects.
        | Effect::Command(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::Status;
    use crate::tui::event::Event;
    use crate::tui::fixture::{WAYS, container, full, press, screen, sparse, write};
    use crate::tui::keymap::KeyContext;
    use crate::tui::reading::Listed;
    use crate::tui::section::Section;
    use crate::tui::update::silence::answer;
    use crate::tui::update::update;

    /// Commands typed at `:` that write.
    const LINES: &[&str] = &[
        "rm api",
        "run -d debian",
        "cp api:/x /tmp",
        "pull debian",
        "save debian",
        "export keys /tmp/keys.toml",
        "export -o api.tar api",
        "layout save mine",
        "layout remove mine",
        "exec api true",
        "tag debian:12 x",
        "load -i x.tar",
        "import x.tar x",
        "kill api",
        "rename api x",
        "from-host",
        "create debian",
        "system reset -f",
        "attach api",
    ];

    fn at(way: &str) -> Model {
        let mut model = sparse(120, 40);
        press(&mut model, way);
        answer(&mut model);
        model
    }

    /// Returns every context, the keys that lead to it, and its actions; in the first one all
    /// actions are tried.
    fn tried() -> Vec<(&'static str, BTreeSet<Action>)> {
        let model = full(120, 40);
        let bound = |place: KeyContext| -> BTreeSet<Action> {
            place.chain().flat_map(|at| model.keymap.of(at)).map(|binding| binding.action).collect()
        };
        let mut tried: Vec<_> = WAYS.iter().map(|(place, way)| (*way, bound(*place))).collect();
        tried[0].1.extend(Action::ALL);
        tried
    }

    fn assert_none_writes(effects: &[Effect], what: &str) {
        let writing: Vec<_> = effects.iter().filter(|effect| writes(effect)).collect();
        assert!(writing.is_empty(), "{what}: {writing:?}");
    }

    #[test]
    fn no_action_writes_anything_wherever_it_is_done_and_whatever_is_answered() {
        let live = |model: &Model| model.tasks.all().iter().filter(|task| !task.is_over()).count();
        for (way, actions) in tried() {
            let before = live(&at(way));
            for action in actions {
                let what = format!("{action:?} at {way}");
                let mut model = at(way);
                model.look.is_read_only = true;
                let mut effects = done(&mut model, action);
                assert!(action.reach() != Reach::Writes || effects.is_empty(), "{what}: {effects:?}");
                assert_none_writes(&effects, &what);
                if model.layers.is_empty() {
                    continue;
                }
                for _ in 0..3 {
                    write(&mut model, "x");
                    effects.extend(press(&mut model, "enter"));
                    effects.extend(press(&mut model, "ctrl-s y"));
                }
                assert_none_writes(&effects, &what);
                let begun = effects.iter().filter(|effect| matches!(effect, Effect::Work(..))).count();
                assert!(live(&model) <= begun + before, "{what}: a task that was refused is still there");
            }
        }
    }

    /// Applies an action like [`update`].
    fn done(model: &mut Model, action: Action) -> Vec<Effect> {
        let effects = model.act(action);
        sift(model, effects)
    }

    #[test]
    fn no_line_and_no_entry_of_the_palette_writes_anything() {
        for line in LINES {
            let mut model = at("1");
            model.look.is_read_only = true;
            let mut effects = press(&mut model, ":");
            write(&mut model, line);
            effects.extend(press(&mut model, "enter y"));
            assert_none_writes(&effects, line);
            assert!(model.notice.is_some() || model.failure.is_some(), "{line}: nothing was said");
        }
        for action in Action::ALL {
            let mut model = sparse(120, 40);
            model.look.is_read_only = true;
            let mut effects = press(&mut model, "ctrl-p");
            write(&mut model, action.help().get(..12).unwrap_or_else(|| action.help()));
            effects.extend(press(&mut model, "enter enter y"));
            assert_none_writes(&effects, action.name());
        }
    }

    #[test]
    fn every_action_that_writes_says_so() {
        for (way, actions) in tried() {
            for action in actions {
                let mut model = at(way);
                let effects = model.act(action);
                let writes = effects.iter().any(writes);
                assert!(!writes || action.reach() != Reach::Looks, "{action:?} at {way}: {effects:?}");
            }
        }
    }

    #[test]
    fn a_refusal_is_told_and_nothing_hangs() {
        let mut model = full(80, 24);
        model.look.is_read_only = true;
        assert!(press(&mut model, "s").is_empty());
        assert!(screen(&model).contains("read-only: `start-stop` makes changes"), "{}", screen(&model));
        assert!(screen(&model).contains("READ-ONLY"));
        assert!(!screen(&model).contains("s stop"), "the action bar hides it");
        press(&mut model, ":");
        write(&mut model, "rm api");
        assert!(press(&mut model, "enter").is_empty(), "nor is the line kept in a file");
        assert!(screen(&model).contains("read-only: `rm` makes changes"), "{}", screen(&model));
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
