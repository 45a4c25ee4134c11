//! Verbs on several containers, and the question before them.

use super::mark;
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::containers::fit::{Verb, fitting, misfit};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::model::{Focus, Model};
use crate::tui::update::batch::Others;

/// What a verb applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Marked rows, or the row under the cursor.
    Rows,
    /// The group with this name, whose heading is under the cursor.
    Group(String),
}

impl Choice {
    /// Returns the current choice.
    pub(crate) fn of(model: &Model) -> Self {
        let heading = model.containers.heading().filter(|_| model.focus == Focus::List);
        match heading.filter(|_| model.containers.mark_count().1 == 0) {
            Some(group) => Self::Group(group.name.clone()),
            None => Self::Rows,
        }
    }
}

/// Applies `verb` to those of the containers that it fits. Asks first if it ends or restarts more
/// than one, or if a whole group was chosen by its heading.
pub(crate) fn several(
    model: &mut Model,
    rows: Vec<ContainerRow>,
    verb: ContainerVerb,
    choice: &Choice,
) -> Vec<Effect> {
    let is_up = rows.iter().any(ContainerRow::is_up);
    // A restart starts what is not running only if none of them is.
    let fits = if verb == ContainerVerb::Restart && is_up { Verb::Stop } else { Verb::from(&verb) };
    let is_idle = |row: &ContainerRow| !row.is_up() && misfit(row, Verb::Start).is_none();
    let skips_idle = verb == ContainerVerb::Restart && is_up && rows.iter().any(is_idle);
    let hint = skips_idle.then(|| {
        let key = model.keys_of(KeyContext::Containers, Action::StartStop);
        format!("to start the others, mark only them and press {key}")
    });
    let (rows, skipped) = fitting(rows, fits);
    if rows.is_empty() {
        model.say(Tone::Plain, format!("nothing to {}: {skipped}", verb.words().present), None);
        return Vec::new();
    }
    let ends = matches!(verb, ContainerVerb::Stop | ContainerVerb::Restart);
    if *choice != Choice::Rows || (ends && rows.len() > 1) {
        let skipped = (!skipped.is_empty()).then(|| match &hint {
            Some(hint) => format!("Skipped: {skipped} ({hint})."),
            None => format!("Skipped: {skipped}."),
        });
        ask(model, &rows, &verb, (choice, skipped));
        return Vec::new();
    }
    mark(model, rows, &verb, Others { skipped, hint, ..Others::default() })
}

fn ask(
    model: &mut Model,
    rows: &[ContainerRow],
    verb: &ContainerVerb,
    (choice, skipped): (&Choice, Option<String>),
) {
    let of = match choice {
        Choice::Rows => String::new(),
        Choice::Group(name) if name.is_empty() => " without a project".to_owned(),
        Choice::Group(name) => format!(" of {name}"),
    };
    let mut notes: Vec<String> =
        (*verb == ContainerVerb::Restart).then(|| starts(rows)).flatten().into_iter().collect();
    notes.extend(skipped);
    let words = verb.words();
    model.open(Confirm {
        title: words.question(rows.len(), "container", &of),
        items: rows.iter().map(|row| row.name.clone()).collect(),
        notes,
        yes: words.present,
        no: words.no(rows.len()),
        effects: rows.iter().map(|row| Effect::Container(verb.clone(), row.id.clone())).collect(),
        top: 0,
    });
}

/// Returns a note that a restart only starts these containers; `None` if they are running.
fn starts(rows: &[ContainerRow]) -> Option<String> {
    let text = match rows.len() {
        1 => "It is not running, and will be started.",
        _ => "None of them is running; they will be started.",
    };
    (!rows.iter().any(ContainerRow::is_up)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Status;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, full, press, screen};
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    fn names(effects: &[Effect]) -> Vec<String> {
        let name = |effect: &Effect| match effect {
            Effect::Container(_, id) => {
                let all = ["api", "web", "mailer", "batch", "migrate", "seed", "canary"];
                all.into_iter().find(|name| container(name, Status::Running).id == *id).map(str::to_owned)
            }
            _ => None,
        };
        effects.iter().filter_map(name).collect()
    }

    #[test]
    fn verbs_that_end_something_ask_once_and_skip_what_they_do_not_fit() {
        for (keys, title, note, acted) in [
            (
                "* r",
                "Restart 4 containers?",
                "Skipped: 1 created, 2 exited (to start",
                vec!["api", "web", "mailer", "batch"],
            ),
            (
                "* s",
                "Stop 4 containers?",
                "Skipped: 1 created, 2 exited.",
                vec!["api", "web", "mailer", "batch"],
            ),
            ("space space r", "Restart 2 containers?", "", vec!["api", "web"]),
            ("G space k space r", "Restart 2 containers?", "None of them is running", vec!["seed", "canary"]),
        ] {
            let mut model = full(80, 24);
            assert_eq!(press(&mut model, keys), [], "{keys}");
            let shown = screen(&model);
            assert!(shown.contains(title) && shown.contains(note), "{keys}\n{shown}");
            assert_eq!(names(&press(&mut model, "y")), acted, "{keys}");
            let mut model = full(80, 24);
            press(&mut model, keys);
            assert_eq!(press(&mut model, "esc"), []);
            assert!(model.containers.all().iter().all(|row| row.busy.is_none()));
        }
        // The others do not ask, but say what they skip.
        let mut model = full(80, 24);
        let effects = press(&mut model, "* p");
        assert_eq!(names(&effects), ["api", "web"]);
        for effect in effects {
            update(&mut model, Event::Done(effect, Ok(())));
        }
        let text = model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
        assert!(text.starts_with("paused 2, skipped 1 created, 2 exited, 1 paused, 1 restarting"), "{text}");
        // Of several of which it fits one, that one is meant.
        let mut model = full(80, 24);
        assert_eq!(names(&press(&mut model, "space G space s")), ["api"]);
        let mut model = full(80, 24);
        assert_eq!(names(&press(&mut model, "space G space r")), ["api"]);
        // What a restart has skipped is not started, but how to start it is said.
        let mut model = full(120, 24);
        for effect in press(&mut model, "space G space r") {
            update(&mut model, Event::Done(effect, Ok(())));
        }
        let shown = screen(&model);
        let told = "restarted 1, skipped 1 created → to start the others, mark only them and press s";
        assert!(shown.contains(told), "{shown}");
        // It fits none.
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, "G space k space p"), []);
        assert!(screen(&model).contains("nothing to pause: 1 created, 1 exited"), "{}", screen(&model));
    }

    #[test]
    fn a_verb_on_a_heading_names_the_group_and_asks() {
        let mut rows = vec![container("api", Status::Running), container("web", Status::Exited)];
        rows.iter_mut().for_each(|row| row.project = "shop".to_owned());
        rows.push(container("seed", Status::Exited));
        let mut model = full(80, 24);
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "o g g g");
        assert!(model.containers.heading().is_some(), "{}", screen(&model));
        for (key, title) in [("s", "Stop 1 container of shop?"), ("r", "Restart 1 container of shop?")] {
            assert_eq!(press(&mut model, key), []);
            assert!(screen(&model).contains(title), "{}", screen(&model));
            assert_eq!(press(&mut model, "esc"), []);
        }
        press(&mut model, "p");
        assert!(screen(&model).contains("Pause 1 container of shop?"), "{}", screen(&model));
        assert_eq!(names(&press(&mut model, "y")), ["api"]);
    }

    #[test]
    fn what_is_gone_when_the_answer_comes_is_named() {
        let mut model = full(80, 24);
        press(&mut model, "* s");
        let id = model.container().unwrap().id.clone();
        model.names.insert(id.clone(), "api".to_owned());
        update(&mut model, Event::Container(id, None));
        for effect in press(&mut model, "y") {
            update(&mut model, Event::Done(effect, Ok(())));
        }
        assert_eq!(model.failure().unwrap().what, "stopped 3, 1 of 4 failed");
        assert_eq!(model.failed_parts()[0].line(), "cannot stop `api`: it has been removed");
    }
}
