//! Actions on containers, and updates of the list.

pub(crate) mod allowed;
pub(crate) mod prompt;
pub(crate) mod several;
pub(crate) mod terminal;

use crate::engine::{ContainerId, Force, Status, Verb as Wish};
use crate::tui::action::{Action, Group};
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::update::allowed::allowed;
use crate::tui::containers::update::several::{Choice, several};
use crate::tui::containers::update::terminal::terminal;
use crate::tui::effect::{ContainerVerb, Effect, Program};
use crate::tui::failure::{Failure, Tone};
use crate::tui::form::model::RunForm;
use crate::tui::images::update::users::{count_users, move_user};
use crate::tui::line::update::prompt as ask;
use crate::tui::list::batch::Batch;
use crate::tui::model::{Focus, Model};
use crate::tui::removal::model::Victim;
use crate::tui::signals::model::{Receivers, SignalMenu};
use crate::tui::tab::Tab;
use crate::tui::update::batch::{Others, damage, end, refuse_many, together};
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
    // Of several, those that are damaged are skipped.
    let takes_damaged = matches!(action, A::Remove | A::RemoveForce)
        || (rows.len() > 1 && matches!(action, A::StartStop | A::Restart | A::Pause | A::Kill));
    if let Some(failure) = rows
        .iter()
        .find_map(|row| damage(action, &row.name, row.damaged.as_deref()))
        .filter(|_| !takes_damaged)
    {
        model.fail(failure);
        return Some(Vec::new());
    }
    match action {
        A::Logs => model.show_tab(Tab::Logs),
        A::Stats => model.show_tab(Tab::Stats),
        A::Ports => return Some(vec![Effect::ReadPorts(first.id.clone())]),
        A::Top => model.show_tab(Tab::Top),
        A::Inspect => model.show_tab(Tab::Inspect),
        A::StartStop | A::Restart | A::Pause => {
            let choice = Choice::of(model);
            let (verb, wish) = meant(action, &rows);
            return Some(match rows.len() {
                1 if choice == Choice::Rows => one_verb(model, rows, verb, wish),
                _ => several(model, rows, verb, &choice),
            });
        }
        A::Kill => signals(model, rows),
        A::Remove | A::RemoveForce => {
            let force = if action == A::Remove { Force::No } else { Force::Yes };
            let victims = rows.into_iter().map(|row| Victim::Container(Box::new(row))).collect();
            removal::update::ask(model, victims, force);
        }
        _ if rows.len() > 1 => {
            refuse_many(model, action, rows.len());
        }
        _ => {
            let row = first.clone();
            return one(model, &row, action);
        }
    }
    Some(Vec::new())
}

/// Performs actions that apply to a single container.
fn one(model: &mut Model, row: &ContainerRow, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    // Tabs show the list's selected row, so the cursor has to be on this container.
    if model.focus == Focus::List {
        model.containers.select_key(row.id.as_str());
    }
    match action {
        A::Rename => ask(model, prompt::Rename(row.id.clone()), &row.name),
        A::Shell => return Some(terminal(model, row, Program::Shell)),
        A::Attach => return Some(terminal(model, row, Program::Attach)),
        A::Exec => match allowed(row, Wish::Exec) {
            Ok(()) => ask(model, prompt::Exec(row.id.clone()), ""),
            Err(failure) => model.fail(failure),
        },
        A::RunAgain => return Some(run_again(model, row)),
        _ => return None,
    }
    Some(Vec::new())
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

/// Returns the verb of a key, which depends on the states of the containers, and what it needs.
fn meant(action: Action, rows: &[ContainerRow]) -> (ContainerVerb, Option<Wish>) {
    let has = |status| rows.iter().any(|row| row.status == status);
    match action {
        Action::Restart => (ContainerVerb::Restart, None),
        Action::Pause if has(Status::Paused) && !has(Status::Running) => {
            (ContainerVerb::Unpause, Some(Wish::Unpause))
        }
        Action::Pause => (ContainerVerb::Pause, Some(Wish::Pause)),
        _ if rows.iter().any(ContainerRow::is_up) => (ContainerVerb::Stop, Some(Wish::Stop)),
        _ => (ContainerVerb::Start, Some(Wish::Start)),
    }
}

/// Applies a verb to a single container; if its state does not permit it, says why.
fn one_verb(
    model: &mut Model,
    rows: Vec<ContainerRow>,
    what: ContainerVerb,
    wish: Option<Wish>,
) -> Vec<Effect> {
    match wish {
        Some(wish) => verb(model, rows, what, wish),
        None => mark(model, rows, &what, Others::default()),
    }
}

/// Applies `verb` to the containers whose status permits it.
pub(crate) fn verb(
    model: &mut Model,
    rows: Vec<ContainerRow>,
    verb: ContainerVerb,
    wish: Wish,
) -> Vec<Effect> {
    let (able, refused) = apart(rows, wish);
    mark(model, able, &verb, refused.into())
}

/// Repeats a `verb` on the marked or selected containers.
pub(crate) fn again(model: &mut Model, what: &ContainerVerb) -> Vec<Effect> {
    model.containers.end_range();
    let rows = model.target_containers();
    if rows.is_empty() {
        model.say(Tone::Plain, "no container is selected", None);
        return Vec::new();
    }
    let wish = match what {
        ContainerVerb::Start => Wish::Start,
        ContainerVerb::Stop => Wish::Stop,
        ContainerVerb::Pause => Wish::Pause,
        ContainerVerb::Unpause => Wish::Unpause,
        _ => return Vec::new(),
    };
    let choice = Choice::of(model);
    match rows.len() {
        1 if choice == Choice::Rows => verb(model, rows, what.clone(), wish),
        _ => several(model, rows, what.clone(), &choice),
    }
}

fn signals(model: &mut Model, rows: Vec<ContainerRow>) {
    let count = rows.len();
    let (able, mut refused) = apart(rows, Wish::Kill);
    let title = match able.as_slice() {
        [] if refused.len() == 1 => return model.fail(refused.remove(0)),
        [] => return end(model, Batch::new("killed", Vec::new(), refused)),
        rows if rows.len() < count => format!("Send a signal to {} of {count} containers", rows.len()),
        [row] => format!("Send a signal to {}", row.name),
        rows => format!("Send a signal to {} containers", rows.len()),
    };
    let receivers = able.into_iter().map(|row| row.id).collect();
    model.open(SignalMenu::new(title, Receivers::Containers(receivers)));
}

/// Separates the rows that allow `wish` from the failures of the others.
fn apart(rows: Vec<ContainerRow>, wish: Wish) -> (Vec<ContainerRow>, Vec<Failure>) {
    let mut refused = Vec::new();
    let mut able = rows;
    able.retain(|row| allowed(row, wish).map_err(|failure| refused.push(failure)).is_ok());
    (able, refused)
}

/// Applies `verb`, shows its progress in the rows, and collects the results if there are several
/// containers.
pub(crate) fn mark(
    model: &mut Model,
    rows: Vec<ContainerRow>,
    verb: &ContainerVerb,
    mut others: Others,
) -> Vec<Effect> {
    let [word, going_on, done] = words(verb);
    // A pending action has to finish first, unless the new one ends the container anyway.
    let is_urgent = matches!(verb, ContainerVerb::Kill(_) | ContainerVerb::Remove(_));
    let waits = |row: &ContainerRow| row.busy.filter(|_| !is_urgent);
    others.refused.extend(rows.iter().filter_map(|row| {
        let busy = waits(row)?;
        Some(Failure {
            what: format!("cannot {word} `{}`", row.name),
            why: vec![format!("it is {}", busy.trim_end_matches('…'))],
            hint: Some("wait until that has finished".to_owned()),
        })
    }));
    let rows: Vec<ContainerRow> = rows.into_iter().filter(|row| waits(row).is_none()).collect();
    for row in &rows {
        model.names.insert(row.id.clone(), row.name.clone());
        if let Some(row) = model.containers.get_mut(row.id.as_str()) {
            row.busy = Some(going_on);
        }
    }
    let effects: Vec<Effect> = rows.into_iter().map(|row| Effect::Container(verb.clone(), row.id)).collect();
    together(model, done, effects, others)
}

/// Returns the failure for a verb on a container that was removed in the meantime.
pub(crate) fn gone(model: &Model, verb: &ContainerVerb, id: &ContainerId) -> Failure {
    let [word, ..] = words(verb);
    Failure {
        what: format!("cannot {word} `{}`", model.last_name(id)),
        why: vec!["it has been removed".to_owned()],
        hint: None,
    }
}

/// Returns the names of a verb: before it starts, while it runs, and when it is done.
pub(crate) fn words(verb: &ContainerVerb) -> [&'static str; 3] {
    match verb {
        ContainerVerb::Start => ["start", "starting…", "started"],
        ContainerVerb::Stop => ["stop", "stopping…", "stopped"],
        ContainerVerb::Restart => ["restart", "restarting…", "restarted"],
        ContainerVerb::Pause => ["pause", "pausing…", "paused"],
        ContainerVerb::Unpause => ["unpause", "unpausing…", "unpaused"],
        ContainerVerb::Kill(_) => ["kill", "signaling…", "signaled"],
        ContainerVerb::Remove(_) => ["remove", "removing…", "removed"],
        ContainerVerb::Rename(_) => ["rename", "renaming…", "renamed"],
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, empty, now};
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
}
