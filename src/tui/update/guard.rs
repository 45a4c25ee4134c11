//! Read-only mode: whatever is pressed, typed or confirmed, no object is changed, nothing is sent
//! to a program in a container, and no file of this machine is written.
//!
//! There are three checks. An action that writes is refused before it opens a dialog, and a command
//! before it starts. Finally every effect is checked, and one that writes does not leave
//! [`super::update`].

use crate::tui::action::{Action, Reach};
use crate::tui::effect::{Effect, Job, Program, Target};
use crate::tui::files::model::FilesWish;
use crate::tui::model::Model;
use crate::tui::tasks::model::{Session, TaskRow};
use crate::tui::tasks::update::close_progress;

/// Refuses an action that writes, with a reason. Returns whether it was refused.
pub(crate) fn refuses(model: &mut Model, action: Action) -> bool {
    let is_refused = model.look.is_read_only && action.reach() == Reach::Writes;
    if is_refused {
        let label = model.name_of(action);
        model.refuse(&format!("`{label}` makes changes"));
    }
    is_refused
}

/// Returns the effects that are allowed, and undoes what the others changed in the model.
pub(crate) fn sift(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    if !model.look.is_read_only {
        return effects;
    }
    let (mut refused, allowed): (Vec<_>, Vec<_>) =
        effects.into_iter().partition(|effect| writes(model, effect));
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
        Effect::Open(id, Target::In(_, Program::Running(_))) => {
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
pub(crate) fn writes(model: &Model, effect: &Effect) -> bool {
    match effect {
        Effect::Host(line)
        | Effect::Open(_, Target::Host(line) | Target::In(_, Program::Words(line))) => !line.is_read_only,
        Effect::Type(id, _) | Effect::Paste(id, _) => model.task(*id).is_none_or(may_change),
        Effect::Point(id, pointer) => pointer.is_for_program && model.task(*id).is_none_or(may_change),
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

fn may_change(task: &TaskRow) -> bool {
    task.session().is_none_or(Session::may_change)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::Status;
    use crate::tui::event::Event;
    use crate::tui::fixture::{WAYS, container, exec, full, keys_line, press, screen, sparse, write};
    use crate::tui::keymap::KeyContext;
    use crate::tui::reading::Listed;
    use crate::tui::section::{Section, TaskId};
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

    fn assert_none_writes(model: &Model, effects: &[Effect], what: &str) {
        let writing: Vec<_> = effects.iter().filter(|effect| writes(model, effect)).collect();
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
                assert_none_writes(&model, &effects, &what);
                if model.layers.is_empty() {
                    continue;
                }
                for _ in 0..3 {
                    write(&mut model, "x");
                    effects.extend(press(&mut model, "enter"));
                    effects.extend(press(&mut model, "ctrl-s y"));
                }
                assert_none_writes(&model, &effects, &what);
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
            assert_none_writes(&model, &effects, line);
            assert!(model.notice.is_some() || model.failure().is_some(), "{line}: nothing was said");
        }
        for action in Action::ALL {
            let mut model = sparse(120, 40);
            model.look.is_read_only = true;
            let mut effects = press(&mut model, "ctrl-p");
            write(&mut model, action.help().get(..12).unwrap_or_else(|| action.help()));
            effects.extend(press(&mut model, "enter enter y"));
            assert_none_writes(&model, &effects, action.name());
        }
    }

    #[test]
    fn every_action_that_writes_says_so() {
        for (way, actions) in tried() {
            for action in actions {
                let mut model = at(way);
                let effects = model.act(action);
                let writes = effects.iter().any(|effect| writes(&model, effect));
                assert!(!writes || action.reach() != Reach::Looks, "{action:?} at {way}: {effects:?}");
            }
        }
    }

    fn set(model: &mut Model, value: &str) {
        press(model, ":");
        write(model, &format!("set read-only {value}"));
        press(model, "enter");
    }

    #[test]
    fn no_key_reaches_an_open_terminal_which_can_still_be_left() {
        let mut model = full(100, 30);
        press(&mut model, "e");
        let api = model.container().unwrap().id.clone();
        update(&mut model, Event::Opened(TaskId(1), Box::new(exec(1, &api, "sh", true))));
        press(&mut model, "ctrl-]");
        set(&mut model, "on");
        let shown = screen(&model);
        assert!(shown.contains("read-only mode is on"), "{shown}");
        assert!(shown.contains("read-only: the program gets no keys"), "{shown}");
        let line = keys_line(&model, 100);
        assert!(line.contains("d detach"), "{line}");
        for key in ["type", "K end", "r again"] {
            assert!(!line.contains(key), "{line}");
        }
        for keys in ["enter x enter", "i x", "ctrl-] ctrl-]", "K"] {
            model.notice = None;
            assert_eq!(press(&mut model, keys), [], "{keys}");
            assert_eq!(model.key_context(), KeyContext::Released, "{keys}");
            let said = model.notice.as_ref().map(|notice| notice.text.as_str());
            assert!(said.is_some_and(|said| said.starts_with("read-only")), "{keys}: {said:?}");
        }
        assert_eq!(update(&mut model, Event::Paste("rm -r /".to_owned())), []);
        // A split opens no other shell.
        assert_eq!(press(&mut model, "ctrl-w v"), []);
        assert_eq!((model.windows.count(), model.tasks.all().len()), (2, 1));
        assert_eq!(press(&mut model, "ctrl-w q"), []);
        assert_eq!(press(&mut model, "d"), [Effect::Close(TaskId(1))]);
        // Nothing is attached to again.
        assert_eq!(press(&mut model, "5 enter enter"), []);
        assert!(model.task(TaskId(1)).unwrap().is_unseen());
        set(&mut model, "off");
        assert!(screen(&model).contains("read-only mode is off"), "{}", screen(&model));
        assert!(matches!(press(&mut model, "enter")[..], [Effect::Open(..)]));
    }

    #[test]
    fn a_terminal_loses_its_keys_when_read_only_mode_begins_while_it_has_them() {
        let mut model = full(100, 30);
        press(&mut model, "e");
        assert_eq!(model.key_context(), KeyContext::Terminal);
        model.look.is_read_only = true;
        model.settle();
        assert_eq!(model.key_context(), KeyContext::Released);
        assert_eq!(press(&mut model, "r m enter"), []);
    }

    #[test]
    fn a_refusal_is_told_and_nothing_hangs() {
        let mut model = full(80, 24);
        model.look.is_read_only = true;
        assert!(press(&mut model, "s").is_empty());
        assert!(screen(&model).contains("read-only: `stop` makes changes"), "{}", screen(&model));
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
