//! The undo key: records what undoes an effect, and applies it.

use crate::command::{Request, container};
use crate::engine::{self, ContainerId, Fate, Force, ImageRemoval, Parents, Status};
use crate::oci::Reference;
use crate::tui::action::Action;
use crate::tui::containers::words::settled_word;
use crate::tui::effect::{ContainerVerb, Effect, Job};
use crate::tui::failure::{Failure, Tone};
use crate::tui::model::{Model, Notice};
use crate::tui::section::TaskId;
use crate::tui::trash::model::TrashRow;
use crate::tui::undo::model::{Ended, Inverse, Left, Next, Pending, Was};
use crate::tui::verb_words;
use crate::tui::words::span;

/// Records effects that change something. Called with all effects of an event.
pub(crate) fn watch(model: &mut Model, effects: &[Effect]) {
    let new = effects.iter().filter(|effect| !model.undo.is_undoing(effect));
    let all: Vec<_> = new.filter_map(|effect| Some((effect.clone(), inverse(model, effect)?))).collect();
    let is_work = |effect: &Effect| matches!(effect, Effect::Work(..) | Effect::Files(_));
    let (work, verbs) = all.into_iter().partition(|(effect, _)| is_work(effect));
    model.undo.begin(verbs, Pending::Blocks);
    model.undo.begin(work, Pending::Passes);
}

/// Returns how an effect is undone, based on the state before it; `None` if it changes nothing that
/// a user would undo.
fn inverse(model: &Model, effect: &Effect) -> Option<Inverse> {
    let nothing = |text: String| Some(Inverse::Nothing(text));
    match effect {
        Effect::Container(verb, id) => Some(of_container(model, verb, id)),
        Effect::Signal(id, process, signal) => {
            nothing(format!("sending {signal} to process {} of {}", process.pid, model.last_name(id)))
        }
        Effect::RemoveImage(name, removal) => {
            let row = model.images.all().iter().find(|row| row.target() == name);
            let name = row.filter(|row| row.name.is_empty()).map_or(name.as_str(), |row| row.short());
            Some(match removal.fate {
                Fate::Trash => Inverse::Trash(name.to_owned(), Was::Idle),
                Fate::Gone => Inverse::Nothing(verb_words::REMOVE.of(name)),
            })
        }
        Effect::TagImage(image, name) => of_tag(model, image, name),
        Effect::Purge(id) => {
            let name = model.trash.get(id).map_or(id.as_str(), |row| row.name.as_str());
            nothing(format!("deleting {name} permanently"))
        }
        Effect::EmptyTrash => nothing("emptying the trash".to_owned()),
        Effect::Work(id, job) => {
            let title = model.task(*id).map_or("it", |task| task.title.as_str());
            changes(job).then(|| Inverse::Nothing(format!("`{title}`")))
        }
        Effect::Files(wish) => wish.change().map(Inverse::Nothing),
        // Restoring is undoing itself. The others change nothing, or only what the program in a
        // terminal decides.
        _ => None,
    }
}

/// Whether a job changes more than files that it writes on this machine.
fn changes(job: &Job) -> bool {
    match job {
        Job::FromHost(_) | Job::Copy(_) | Job::Delete(..) => true,
        Job::SaveLog(_) | Job::Write(..) => false,
        Job::Request(request) | Job::Print(_, request) => {
            let is_export = matches!(**request, Request::Container(container::Request::Export(_)));
            request.changes() && !is_export
        }
    }
}

fn of_container(model: &Model, verb: &ContainerVerb, id: &ContainerId) -> Inverse {
    let row = model.containers.get(id.as_str());
    let name = model.last_name(id);
    // When it exits, it is removed.
    let is_removed = row.is_some_and(|row| row.auto_remove);
    let back = |back| {
        let told = format!("{} {name}", verb.words().past);
        Inverse::Effect(told, Effect::Container(back, id.clone()))
    };
    match verb {
        ContainerVerb::Stop if is_removed => Inverse::Nothing(verb_words::REMOVE.of(&name)),
        ContainerVerb::Start if is_removed => Inverse::Nothing(verb.noun(&name)),
        ContainerVerb::Start => back(ContainerVerb::Stop),
        ContainerVerb::Stop => back(ContainerVerb::Start),
        ContainerVerb::Pause => back(ContainerVerb::Unpause),
        ContainerVerb::Unpause => back(ContainerVerb::Pause),
        ContainerVerb::Rename(_) => match name.parse() {
            Ok(old) => back(ContainerVerb::Rename(old)),
            Err(_) => Inverse::Nothing(verb.noun(&name)),
        },
        ContainerVerb::Remove(removal) if removal.fate == Fate::Trash => {
            // One that was paused would continue.
            let was_running = row.is_some_and(|row| row.is_up() && row.status != Status::Paused);
            Inverse::Trash(name, if was_running { Was::Running } else { Was::Idle })
        }
        ContainerVerb::Restart | ContainerVerb::Kill(_) | ContainerVerb::Remove(_) => {
            Inverse::Nothing(verb.noun(&name))
        }
    }
}

fn of_tag(model: &Model, image: &str, name: &str) -> Option<Inverse> {
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
            return Some(Inverse::Nothing(format!("tagging {full}")));
        }
        None => {
            let removal = ImageRemoval::to_trash(Force::No, Parents::Prune);
            Effect::RemoveImage(full.clone(), removal)
        }
    };
    Some(Inverse::Effect(format!("tagged {full}"), back))
}

/// Records that a removal put an object into the trash.
pub(crate) fn kept(model: &mut Model, effect: &Effect, row: TrashRow) {
    model.undo.kept(effect, &row.id, row.until);
    model.trash.put(row);
}

/// Records from an event that an object was restored from the trash, or deleted there.
pub(crate) fn heard(model: &mut Model, event: &engine::Event) {
    let Some(entry) = event.actor.attributes.get("trash") else { return };
    match event.action.as_str() {
        "purge" => model.undo.left_trash(entry, Left::Deleted),
        "create" | "tag" | "load" => model.undo.left_trash(entry, Left::Restored),
        _ => {}
    }
}

/// Records that an effect finished, and adds to a notice of success how to undo it.
pub(crate) fn end(model: &mut Model, effect: &Effect, is_done: bool) {
    if let Some(ended) = model.undo.end(effect, is_done, model.now) {
        hint(model, ended);
    }
}

/// Records that these effects will not begin.
pub(crate) fn withdrawn(model: &mut Model, effects: &[Effect]) {
    if let Some(ended) = model.undo.withdraw(effects, model.now) {
        hint(model, ended);
    }
}

/// Records that work in the background finished.
pub(crate) fn end_work(model: &mut Model, id: TaskId, is_done: bool) {
    if let Some(job) = model.task(id).and_then(|task| task.job.clone()) {
        model.undo.end(&Effect::Work(id, job), is_done, model.now);
    }
}

/// Adds to the notice of a result what the undo key does next.
fn hint(model: &mut Model, ended: Ended) {
    let (key, now) = (undo_key(model), model.now);
    let Some(notice) = model.notice.as_mut() else { return };
    match ended {
        Ended::Undoable(step) if notice.tone == Tone::Good => {
            let left = step.until.map(|until| format!(" ({} left)", span(until.duration_since(now))));
            notice.text += &format!(" · {key} undo{}", left.unwrap_or_default());
        }
        Ended::Undoable(_) => {}
        Ended::Failed => add_hint(notice, format!("press {key} to try again")),
        Ended::FailedAgain(before) => {
            add_hint(notice, previous(&key, &before));
        }
    }
}

fn add_hint(notice: &mut Notice, text: String) {
    notice.hint = Some(match notice.hint.take() {
        Some(hint) => format!("{hint} · {text}"),
        None => text,
    });
}

fn previous(key: &str, before: &str) -> String {
    format!("press {key} again to undo the previous action: {before}")
}

fn undo_key(model: &Model) -> String {
    let key = model.keys_of(model.key_context_below(), Action::Undo);
    if key.is_empty() { "u".to_owned() } else { key }
}

fn its_state(state: &str) -> String {
    format!("its state is `{state}`")
}

/// Undoes the effects of the last key.
pub(crate) fn undo(model: &mut Model) -> Vec<Effect> {
    let containers = &model.containers;
    // Only pause and unpause need a running container. Start and stop are not checked, because the
    // row may be out of date.
    let unfit = |effect: &Effect| match effect {
        Effect::Container(ContainerVerb::Pause | ContainerVerb::Unpause, id) => {
            containers.get(id.as_str()).filter(|row| !row.is_up()).map(settled_word)
        }
        _ => None,
    };
    match model.undo.take(model.now, unfit) {
        Next::Nothing => model.say(Tone::Plain, "nothing to undo", None),
        Next::Busy => model.say(Tone::Plain, "still in progress: wait until it has finished", None),
        Next::Cannot { what, why, before } => {
            let key = undo_key(model);
            let hint = before.map(|before| previous(&key, &before));
            let why = why.map_or_else(String::new, |state| format!(": {}", its_state(&state)));
            model.say(Tone::Warning, format!("{what} cannot be undone{why}"), hint);
        }
        Next::Steps(steps, others) => {
            let refused = others.into_iter().map(|step| Failure {
                what: format!("{} cannot be undone", step.told),
                why: step.ruled_out_by.iter().map(|state| its_state(state)).collect(),
                hint: None,
            });
            let effects = steps.iter().filter_map(|step| step.back.clone());
            let effects = model.confirmed_beside(effects.collect(), refused.collect());
            if let Some(ended) = model.undo.begin_undo(&effects, model.now) {
                hint(model, ended);
            }
            return effects;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::tui::event::{Event, Finish};
    use crate::tui::fixture::{container, full, now, press, screen, write};
    use crate::tui::reading::Listed;
    use crate::tui::section::Section;
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
    fn what_cannot_be_undone_stops_it_and_says_so() {
        for (keys, said) in [
            ("r", "the restart of web cannot be undone"),
            ("K enter", "sending SIGTERM to web cannot be undone"),
            ("d D f y", "the removal of web cannot be undone"),
        ] {
            let mut model = full(80, 24);
            let effects = press(&mut model, "s");
            finish(&mut model, effects);
            for effect in press(&mut model, &format!("j {keys}")) {
                update(&mut model, Event::Done(effect, Ok(())));
            }
            assert!(!notice(&model).contains(" u undo"), "{}", notice(&model));
            assert_eq!(press(&mut model, "u"), [], "{keys}");
            assert_eq!(notice(&model), said);
            let hint = model.notice.as_ref().and_then(|notice| notice.hint.clone());
            assert_eq!(hint.as_deref(), Some("press u again to undo the previous action: stopped api"));
            assert_eq!(
                press(&mut model, "u"),
                [Effect::Container(ContainerVerb::Start, id("api"))],
                "{keys}"
            );
        }
    }

    #[test]
    fn what_no_longer_fits_the_state_is_refused_and_passed() {
        let mut model = full(80, 24);
        for keys in ["s", "j p"] {
            let effects = press(&mut model, keys);
            finish(&mut model, effects);
        }
        let paused = container("web", Status::Paused);
        update(&mut model, Event::Container(paused.id.clone(), Some(Box::new(paused.clone()))));
        let removed = press(&mut model, "d d y");
        finish(&mut model, removed);
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::Restore("container-web".to_owned(), None)]);
        update(&mut model, Event::Done(undone[0].clone(), Ok(())));
        let exited = container("web", Status::Exited);
        update(&mut model, Event::Container(exited.id.clone(), Some(Box::new(exited))));
        assert_eq!(press(&mut model, "u"), []);
        assert_eq!(notice(&model), "the pause of web cannot be undone: its state is `exit 0`");
        assert_eq!(hinted(&model), "press u again to undo the previous action: stopped api");
        assert_eq!(press(&mut model, "u"), [Effect::Container(ContainerVerb::Start, id("api"))]);
    }

    #[test]
    fn work_in_the_background_counts_when_it_has_changed_something() {
        for (line, said) in [
            ("pull debian:13", "`pull debian:13` cannot be undone"),
            ("export -o /tmp/api.tar api", "nothing to undo"),
            ("info", "nothing to undo"),
        ] {
            let mut model = full(80, 24);
            press(&mut model, ":");
            write(&mut model, line);
            let effects = press(&mut model, "enter");
            let task = effects.iter().find_map(|effect| match effect {
                Effect::Work(task, _) => Some(task),
                _ => None,
            });
            let task = task.unwrap_or_else(|| panic!("{line}: {effects:?}"));
            let finish = Finish { text: "done".to_owned(), made: None, image: None, opens: false };
            assert_eq!(press(&mut model, "esc u"), []);
            assert_eq!(notice(&model), "nothing to undo", "{line}: it goes on");
            update(&mut model, Event::Finished(*task, Ok(finish)));
            press(&mut model, "u");
            assert_eq!(notice(&model), said, "{line}");
        }
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
        assert!(press(&mut model, "u").is_empty() && notice(&model).starts_with("still in progress"));
        finish(&mut model, effects);
        assert_eq!(notice(&model), "removed api · u undo (23h59m left)");
        assert_eq!(model.trash.all().len(), 1);
        // It was running, so it is started again.
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::RestoreAndStart("container-api".to_owned())]);
        update(&mut model, Event::Done(undone[0].clone(), Ok(())));
        assert_eq!(notice(&model), "restored and started api");

        model.containers.select_key(id("batch").as_str());
        let effects = press(&mut model, "d d y");
        finish(&mut model, effects);
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::Restore("container-batch".to_owned(), None)], "it was paused");
        update(&mut model, Event::Done(undone[0].clone(), Ok(())));
        assert_eq!(notice(&model), "restored batch (not running)");
    }

    #[test]
    fn what_left_the_list_before_its_result_arrived_is_still_named() {
        let results = [("u", "restored batch (not running)"), ("d d y", "deleted batch permanently")];
        for (keys, told) in results {
            let mut model = full(80, 24);
            model.containers.select_key(id("batch").as_str());
            let effects = press(&mut model, "d d y");
            finish(&mut model, effects);
            press(&mut model, "7");
            let effects = press(&mut model, keys);
            listing(&mut model, &[]);
            update(&mut model, Event::Done(effects[0].clone(), Ok(())));
            assert_eq!(notice(&model), told);
            assert!(model.pending_trash.is_empty());
        }
    }

    #[test]
    fn several_removed_by_one_key_come_back_by_one() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space d d y");
        finish(&mut model, effects);
        assert_eq!(notice(&model), "removed 2 · u undo (23h59m left)");
        let undone = press(&mut model, "u");
        let restored = ["web", "api"].map(|name| Effect::RestoreAndStart(format!("container-{name}")));
        assert_eq!(undone, restored);
        undone.into_iter().for_each(|effect| drop(update(&mut model, Event::Done(effect, Ok(())))));
        assert_eq!(notice(&model), "restored 2");
    }

    /// A listing of the trash that began at any moment before, during or after the removals.
    fn listing(model: &mut Model, names: &[&str]) {
        let keeping = model.keeping;
        let rows = names.iter().map(|name| kept(name)).collect();
        update(model, Event::List(Ok(Listed::Trash((rows, keeping)))));
    }

    #[test]
    fn a_listing_of_the_trash_that_is_older_than_a_removal_forgets_nothing() {
        for round in 0..5 {
            let mut model = full(80, 24);
            let effects = press(&mut model, "space space space d d y");
            let [one, two, three] = effects.try_into().unwrap();
            let old = |model: &mut Model, at: usize| {
                if at == round {
                    listing(model, &[]);
                }
            };
            old(&mut model, 0);
            finish(&mut model, vec![two]);
            old(&mut model, 1);
            listing(&mut model, &["web"]);
            finish(&mut model, vec![one]);
            old(&mut model, 2);
            update(&mut model, Event::Done(three, Err(Failure::default())));
            old(&mut model, 3);
            listing(&mut model, &["api"]);
            old(&mut model, 4);
            let restored = ["api", "web"].map(|name| Effect::RestoreAndStart(format!("container-{name}")));
            assert_eq!(press(&mut model, "u"), restored, "{round}");
        }
    }

    fn happens(model: &mut Model, action: &str, name: &str) {
        let trash = format!("container-{name}");
        let attributes = [("trash", trash.as_str()), ("name", name)];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let actor = engine::Actor { id: id(name).to_string(), attributes };
        let (kind, action, scope) = (engine::Kind::Container, action.to_owned(), "local".to_owned());
        let event = engine::Event { kind, action, actor, scope, time: 0, time_nano: 0 };
        update(model, Event::News(engine::News::Event(event)));
    }

    #[test]
    fn what_went_from_the_trash_cannot_be_undone() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "s");
        finish(&mut model, effects);
        let effects = press(&mut model, "j d d y");
        finish(&mut model, effects);
        happens(&mut model, "destroy", "web");
        happens(&mut model, "purge", "web");
        assert_eq!(press(&mut model, "u"), []);
        assert_eq!(notice(&model), "the removal of web cannot be undone");
        assert_eq!(press(&mut model, "u"), [Effect::Container(ContainerVerb::Start, id("api"))]);

        // What another hoist restored is undone.
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space d d y");
        finish(&mut model, effects);
        happens(&mut model, "create", "web");
        assert_eq!(press(&mut model, "u"), [Effect::RestoreAndStart("container-api".to_owned())]);
    }

    #[test]
    fn what_was_removed_by_others_is_named() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space s y");
        finish(&mut model, effects);
        happens(&mut model, "destroy", "web");
        update(&mut model, Event::Container(id("web"), None));
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::Container(ContainerVerb::Start, id("api"))]);
        finish(&mut model, undone);
        let said = "started 1, 1 of 2 failed: cannot start `web`: it has been removed";
        assert_eq!(notice(&model), said);
        assert_eq!(hinted(&model), "g! for details · press u to try again");
    }

    fn hinted(model: &Model) -> &str {
        model.notice.as_ref().and_then(|notice| notice.hint.as_deref()).unwrap_or_default()
    }

    #[test]
    fn what_could_not_be_undone_is_named_and_tried_again() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "s");
        finish(&mut model, effects);
        let effects = press(&mut model, "j d d y");
        finish(&mut model, effects);
        // It is in the way of nothing for good.
        let taken =
            Failure { what: "cannot restore `web`: the name is taken".to_owned(), ..Failure::default() };
        for hint in ["press u to try again", "press u again to undo the previous action: stopped api"] {
            let undone = press(&mut model, "u");
            assert_eq!(undone, [Effect::RestoreAndStart("container-web".to_owned())]);
            update(&mut model, Event::Done(undone[0].clone(), Err(taken.clone())));
            assert_eq!((notice(&model), hinted(&model)), (taken.what.as_str(), hint));
        }
        assert_eq!(press(&mut model, "u"), [Effect::Container(ContainerVerb::Start, id("api"))]);

        // Of several, only the failed ones are tried again.
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space space s y");
        finish(&mut model, effects);
        let undone = press(&mut model, "u");
        assert_eq!(undone.len(), 3);
        let fails = Failure { what: "cannot start `web`: no memory".to_owned(), ..Failure::default() };
        for (effect, result) in undone.into_iter().zip([Ok(()), Err(fails), Ok(())]) {
            update(&mut model, Event::Done(effect, result));
        }
        assert_eq!(notice(&model), "started 2, 1 of 3 failed: cannot start `web`: no memory");
        assert_eq!(hinted(&model), "g! for details · press u to try again");
        let undone = press(&mut model, "u");
        assert_eq!(undone, [Effect::Container(ContainerVerb::Start, id("web"))]);
        finish(&mut model, undone);
        assert_eq!(press(&mut model, "u"), []);
        assert_eq!(notice(&model), "nothing to undo");
    }

    #[test]
    fn what_was_restored_but_not_started_is_started_beside_what_is_still_to_be_restored() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "space space d d y");
        finish(&mut model, effects);
        for effect in press(&mut model, "u") {
            let failure = Failure { what: "cannot restore it".to_owned(), ..Failure::default() };
            update(&mut model, Event::Done(effect, Err(failure)));
        }
        happens(&mut model, "create", "api");
        update(&mut model, Event::Container(id("api"), Some(Box::new(container("api", Status::Exited)))));
        let start = Effect::Container(ContainerVerb::Start, id("api"));
        assert_eq!(press(&mut model, "u"), [Effect::RestoreAndStart("container-web".to_owned()), start]);
        assert_eq!(model.containers.get(id("api").as_str()).unwrap().busy, Some("starting"));
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
        assert!(screen(&model).contains("Empty the trash? 2 objects will be deleted"), "{}", screen(&model));
        assert_eq!(press(&mut model, "y"), [Effect::EmptyTrash]);
    }

    #[test]
    fn a_stop_counts_down_and_only_then_wakes_anybody() {
        let mut model = full(80, 24);
        let slow = |model: &Model| model.next_tick().is_none_or(|tick| tick.as_secs() > 1);
        assert!(slow(&model));
        let effects = press(&mut model, "s");
        assert!(screen(&model).contains("stopping… 10s "), "{}", screen(&model));
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
