//! Actions on containers, and updates of the list.

pub(crate) mod prompt;
pub(crate) mod several;
pub(crate) mod terminal;

use crate::base::units::counted;
use crate::engine::{ContainerId, Force};
use crate::tui::action::{Action, Group};
use crate::tui::containers::fit::{Misfit, Verb, fitting, meant, misfit};
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::update::several::{Choice, several};
use crate::tui::containers::update::terminal::terminal;
use crate::tui::effect::{ContainerVerb, Effect, Program};
use crate::tui::failure::{Failure, Tone};
use crate::tui::form::model::RunForm;
use crate::tui::images::update::users::{count_users, move_user};
use crate::tui::line::update::prompt as ask;
use crate::tui::model::{Focus, Model};
use crate::tui::removal::model::Victim;
use crate::tui::signals::model::{Receivers, SignalMenu};
use crate::tui::tab::Tab;
use crate::tui::update::batch::{Others, damage, refuse_many, together};
use crate::tui::{form, removal};

/// Stores the list.
pub(crate) fn take(model: &mut Model, mut rows: Vec<ContainerRow>) {
    for row in &mut rows {
        if let Some(old) = model.containers.get(row.id.as_str()) {
            (row.busy, row.left, row.used) = (old.busy, old.left, old.used);
        }
    }
    model.hold_containers();
    model.containers.set(rows);
    let mut series = std::mem::take(&mut model.series);
    series.retain(|id, _| model.keeps_series_of(id));
    model.series = series;
    count_users(model);
}

/// Stores or updates a container; `None` removes it.
pub(crate) fn put(model: &mut Model, id: &ContainerId, row: Option<Box<ContainerRow>>) {
    let image_of = |row: &ContainerRow| (row.image_id.clone(), row.name.clone());
    let old = model.containers.get(id.as_str()).map(image_of);
    let new = row.as_deref().map(image_of);
    match row {
        Some(mut row) => {
            if let Some(old) = model.containers.get(id.as_str()) {
                (row.busy, row.left, row.used) = (old.busy, old.left, old.used);
                if old.status != row.status && model.look.motion {
                    model.flashes.begin(row.id.clone(), model.now);
                }
            }
            model.containers.put(*row);
        }
        None => {
            model.hold_containers();
            model.containers.take(id.as_str());
            if !model.keeps_series_of(id) {
                model.series.remove(id);
            }
        }
    }
    move_user(model, old, new);
}

/// Performs `action` on the marked or selected containers; `None` if it is not one of these
/// actions.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    let is_ours = matches!(action.group(), Group::Act | Group::Remove)
        || matches!(action, A::Logs | A::Stats | A::Top | A::Inspect | A::Ports | A::RunAgain);
    if !is_ours {
        return None;
    }
    model.containers.end_range();
    let rows = model.target_containers();
    let Some(first) = rows.first() else {
        model.say(Tone::Plain, "no container is selected", None);
        return Some(Vec::new());
    };
    if let Some(verb) = meant(action, &rows) {
        return Some(act_verb(model, action, verb, rows));
    }
    if let Some(failure) = rows.iter().find_map(|row| damage(action, &row.name, row.damaged.as_deref())) {
        model.fail(failure);
        return Some(Vec::new());
    }
    match action {
        A::Logs => model.show_tab(Tab::Logs),
        A::Stats => model.show_tab(Tab::Stats),
        A::Ports => {
            let shown = model.container().map_or_else(|| first.id.clone(), |row| row.id.clone());
            return Some(vec![Effect::ReadPorts(shown)]);
        }
        A::Top => model.show_tab(Tab::Top),
        A::Inspect => model.show_tab(Tab::Inspect),
        A::RunAgain if rows.len() > 1 => refuse_many(model, action.label(), rows.len()),
        A::RunAgain => {
            let row = first.clone();
            return Some(run_again(model, &row));
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Performs an action that means `verb` for the containers.
fn act_verb(model: &mut Model, action: Action, verb: Verb, rows: Vec<ContainerRow>) -> Vec<Effect> {
    use Action as A;
    match (action, plain(verb)) {
        (A::StartStop | A::Restart | A::Pause, Some(what)) => return apply(model, rows, what),
        (A::Kill, _) => signals(model, rows),
        (A::Remove | A::RemoveForce, _) => {
            let force = if action == A::Remove { Force::No } else { Force::Yes };
            let victims = rows.into_iter().map(|row| Victim::Container(Box::new(row))).collect();
            removal::update::ask(model, victims, force);
        }
        _ => match rows.as_slice() {
            [row] => return one(model, row, action, verb),
            _ => refuse_many(model, action.label(), rows.len()),
        },
    }
    Vec::new()
}

/// Returns a verb that has no arguments.
fn plain(verb: Verb) -> Option<ContainerVerb> {
    match verb {
        Verb::Start => Some(ContainerVerb::Start),
        Verb::Stop => Some(ContainerVerb::Stop),
        Verb::Restart => Some(ContainerVerb::Restart),
        Verb::Pause => Some(ContainerVerb::Pause),
        Verb::Unpause => Some(ContainerVerb::Unpause),
        _ => None,
    }
}

/// Applies `what` to a single container, or to those of several that it fits.
fn apply(model: &mut Model, rows: Vec<ContainerRow>, what: ContainerVerb) -> Vec<Effect> {
    let choice = Choice::of(model);
    match rows.len() {
        1 if choice == Choice::Rows => verb(model, rows, &what),
        _ => several(model, rows, what, &choice),
    }
}

/// Performs actions that apply to a single container.
fn one(model: &mut Model, row: &ContainerRow, action: Action, verb: Verb) -> Vec<Effect> {
    use Action as A;
    // Tabs show the list's selected row, so the cursor has to be on this container.
    if model.focus == Focus::List {
        model.containers.select_key(row.id.as_str());
    }
    if let Some(why) = misfit(row, verb) {
        model.fail(why.failure(verb, &row.name));
        return Vec::new();
    }
    match action {
        A::Rename => ask(model, prompt::Rename(row.id.clone()), &row.name),
        A::Exec => ask(model, prompt::Exec(row.id.clone()), ""),
        A::Attach => return terminal(model, row, Program::Attach),
        _ => return terminal(model, row, Program::Shell),
    }
    Vec::new()
}

/// Opens the form with the options that created a container.
fn run_again(model: &mut Model, row: &ContainerRow) -> Vec<Effect> {
    match RunForm::of(&row.again) {
        Ok(form) => form::update::open(model, form),
        Err(why) => {
            let what = format!("cannot run `{}` again", row.name);
            model.fail(Failure { what, why: vec![why], hint: None });
            Vec::new()
        }
    }
}

/// Applies `what` to the containers, which were named one by one: those that it does not fit are
/// failures.
pub(crate) fn verb(model: &mut Model, rows: Vec<ContainerRow>, what: &ContainerVerb) -> Vec<Effect> {
    let (verb, mut refused) = (Verb::from(what), Vec::new());
    let mut able = rows;
    able.retain(|row| {
        let why = misfit(row, verb).map(|why| refused.push(why.failure(verb, &row.name)));
        why.is_none()
    });
    mark(model, able, what, refused.into())
}

/// Repeats a `verb` on the marked or selected containers.
pub(crate) fn again(model: &mut Model, what: &ContainerVerb) -> Vec<Effect> {
    model.containers.end_range();
    let rows = model.target_containers();
    if rows.is_empty() {
        model.say(Tone::Plain, "no container is selected", None);
        return Vec::new();
    }
    apply(model, rows, what.clone())
}

fn signals(model: &mut Model, rows: Vec<ContainerRow>) {
    if let [row] = rows.as_slice()
        && let Some(why) = misfit(row, Verb::Signal)
    {
        return model.fail(why.failure(Verb::Signal, &row.name));
    }
    let count = rows.len();
    let (able, skipped) = fitting(rows, Verb::Signal);
    let title = match able.as_slice() {
        [] => return model.say(Tone::Plain, format!("nothing to signal: {skipped}"), None),
        [row] => format!("Send a signal to {}", row.name),
        rows => format!("Send a signal to {}", counted(rows.len() as u64, "container")),
    };
    let title = match count - able.len() {
        0 => title,
        others => format!("{title}, skipping {others}"),
    };
    let receivers = able.into_iter().map(|row| row.id).collect();
    model.open(SignalMenu::new(title, Receivers::Containers(receivers)));
}

/// Applies `verb`, shows its progress in the rows, and collects the results if there are several
/// containers.
pub(crate) fn mark(
    model: &mut Model,
    rows: Vec<ContainerRow>,
    verb: &ContainerVerb,
    mut others: Others,
) -> Vec<Effect> {
    let (words, kind) = (verb.words(), Verb::from(verb));
    // A pending action has to finish first. The engine itself judges what the status is by then.
    let (mut able, refused) = (rows, &mut others.refused);
    able.retain(|row| {
        let busy = misfit(row, kind).filter(|why| matches!(why, Misfit::Busy(_)));
        busy.map(|why| refused.push(why.failure(kind, &row.name))).is_none()
    });
    let rows = able;
    for row in &rows {
        model.names.insert(row.id.clone(), row.name.clone());
        if let Some(row) = model.containers.get_mut(row.id.as_str()) {
            row.busy = Some(words.progressive);
        }
    }
    let effects: Vec<Effect> = rows.into_iter().map(|row| Effect::Container(verb.clone(), row.id)).collect();
    together(model, words, effects, others)
}

/// Returns the failure for a verb on a container that was removed in the meantime.
pub(crate) fn gone(model: &Model, verb: &ContainerVerb, id: &ContainerId) -> Failure {
    Failure {
        what: verb.words().cannot(&model.last_name(id)),
        why: vec!["it has been removed".to_owned()],
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::engine::Status;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, empty, full, now, press, screen};
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    #[test]
    fn what_comes_back_stands_where_a_new_listing_has_it() {
        let row = |name: &str, age: i64| ContainerRow {
            created: now() - SignedDuration::from_mins(age),
            ..container(name, Status::Exited)
        };
        let all = [row("e", 1), row("d", 2), row("c", 3), row("b", 4), row("a", 5)];
        for back in [[0, 2, 4], [4, 2, 0], [2, 4, 0]] {
            let mut model = empty(80, 24);
            update(&mut model, Event::List(Ok(Listed::Containers(vec![all[1].clone(), all[3].clone()]))));
            for at in back {
                update(&mut model, Event::Container(all[at].id.clone(), Some(Box::new(all[at].clone()))));
            }
            let names: String = model.containers.all().iter().map(|row| row.name.as_str()).collect();
            assert_eq!(names, "edcba", "{back:?}");
            for row in &all {
                assert_eq!(model.containers.get(row.id.as_str()).unwrap().name, row.name);
            }
        }
    }

    #[test]
    fn the_menu_of_signals_says_how_many_are_skipped() {
        for (keys, said) in [
            ("* K", "Send a signal to 4 containers, skipping 3 "),
            ("space space K", "Send a signal to 2 containers "),
            ("space G space K", "Send a signal to api, skipping 1 "),
            ("K", "Send a signal to api "),
            ("G space k space K", "nothing to signal: 1 created, 1 exited"),
            ("G K", "cannot signal `canary`: it has not been started"),
        ] {
            let mut model = full(80, 24);
            assert_eq!(press(&mut model, keys), [], "{keys}");
            assert!(screen(&model).contains(said), "{keys}\n{}", screen(&model));
        }
    }
}
