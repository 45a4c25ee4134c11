//! Actions of a list itself: marks, order, groups, columns.

pub(crate) mod prompt;

use crate::tui::action::{Action, Group};
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::list::columns::{Choice, Column};
use crate::tui::list::jumps::{Jumps, Spot};
use crate::tui::model::layer::Layer;
use crate::tui::model::{Focus, Model, Repeat};
use crate::tui::section::Section;
use crate::tui::update::guard::writes;

/// Which action sorts by which column.
const ORDERS: &[(Action, Column)] = &[
    (Action::OrderName, Column::Name),
    (Action::OrderState, Column::State),
    (Action::OrderImage, Column::Image),
    (Action::OrderCpu, Column::Cpu),
    (Action::OrderMemory, Column::Memory),
    (Action::OrderReceived, Column::NetIn),
    (Action::OrderSent, Column::NetOut),
    (Action::OrderPids, Column::Pids),
    (Action::OrderUp, Column::Up),
    (Action::OrderPorts, Column::Ports),
    (Action::OrderProject, Column::Project),
    (Action::OrderNetwork, Column::Network),
    (Action::OrderAddress, Column::Address),
    (Action::OrderId, Column::Id),
    (Action::OrderCreated, Column::Created),
    (Action::OrderCommand, Column::Command),
    (Action::OrderSize, Column::Size),
    (Action::OrderPlatform, Column::Platform),
    (Action::OrderUsers, Column::UsedBy),
    (Action::OrderDriver, Column::Driver),
    (Action::OrderFolder, Column::Folder),
    (Action::OrderSubnet, Column::Subnet),
    (Action::OrderMembers, Column::Containers),
    (Action::OrderRemoved, Column::Removed),
    (Action::OrderLeft, Column::Left),
    (Action::OrderSpent, Column::Spent),
    (Action::OrderTime, Column::Time),
    (Action::OrderKind, Column::Kind),
    (Action::OrderAction, Column::Action),
];

/// Applies `action` to the current list; `None` if it is not such an action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let is_mark = matches!(action, Action::Mark | Action::RangeMark | Action::MarkAll);
    if is_mark && model.list_mut().key().is_none() && model.list_mut().heading_is_folded().is_none() {
        model.say(Tone::Plain, "nothing to mark", None);
        return Some(Vec::new());
    }
    match action {
        Action::Mark => {
            let table = model.list_mut();
            table.mark();
            table.step(1);
        }
        Action::RangeMark => {
            model.list_mut().range_mark();
            if model.list_mut().draws_range() {
                let key = model.keys_of(model.key_context_below(), Action::RangeMark);
                model.say(Tone::Plain, format!("marking a range: {key} or any action ends it"), None);
            } else {
                model.notice = None;
            }
        }
        Action::MarkAll => model.list_mut().mark_all(),
        Action::Columns => {
            let shown = model.saved.columns.of(model.section);
            model.open(Choice::new(model.section, shown));
        }
        Action::Repeat => return Some(repeat(model)),
        Action::OrderNone if model.list_mut().order().is_none() => {
            model.say(Tone::Plain, "the list is not sorted", None);
        }
        Action::OrderNone => model.list_mut().set_order(None),
        Action::Group => {
            let is_grouped = model.containers.is_grouped();
            model.containers.set_grouped(!is_grouped);
        }
        Action::Left if model.focus == Focus::List => sideways(model, true),
        Action::Right if model.focus == Focus::List => sideways(model, false),
        _ => {
            let (_, column) = ORDERS.iter().find(|(order, _)| *order == action)?;
            let is_task = *column == Column::Name && model.section == Section::Tasks;
            model.list_mut().order_by(if is_task { Column::Task } else { *column });
        }
    }
    Some(Vec::new())
}

/// Applies an action to the dialog of columns. The list behind it shows each change at once.
pub(crate) fn choose(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Columns(choice)) = model.layers.last_mut() else { return Vec::new() };
    match action {
        Action::Down => choice.step(1),
        Action::Up => choice.step(-1),
        Action::Toggle => {
            if !choice.toggle() {
                model.say(Tone::Plain, "the name cannot be hidden", None);
                return Vec::new();
            }
        }
        Action::ColumnLater => choice.shift(1),
        Action::ColumnSooner => choice.shift(-1),
        Action::ColumnReset => choice.reset(),
        _ => {
            let (section, before) = (choice.section, choice.before().to_vec());
            model.layers.pop();
            if action == Action::Accept {
                return vec![Effect::Save];
            }
            model.saved.columns.choose(section, &before);
            return Vec::new();
        }
    }
    let (section, shown) = (choice.section, choice.shown());
    model.saved.columns.choose(section, &shown);
    model.scrolled_columns = 0;
    Vec::new()
}

/// `:columns`
pub(crate) fn columns(model: &mut Model, words: &[String]) -> Result<Vec<Effect>, String> {
    let section = model.section;
    match words {
        [] => return Ok(act(model, Action::Columns).unwrap_or_default()),
        [word] if word == "default" => model.saved.columns.choose(section, &[]),
        names => {
            let (usual, more) = section.columns();
            let named = |name: &String| {
                let column = usual.iter().chain(more).find(|column| column.name() == name);
                column.copied().ok_or_else(|| format!("no such column: {name}"))
            };
            let chosen = names.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            if let Some(name) = usual.iter().find(|column| column.names_the_row() && !chosen.contains(column))
            {
                return Err(format!("the column `{}` cannot be left out", name.name()));
            }
            model.saved.columns.choose(section, &chosen);
        }
    }
    model.scrolled_columns = 0;
    Ok(vec![Effect::Save])
}

/// Returns the completions of `:columns`.
pub(crate) fn column_words(model: &Model, words: &[String]) -> Vec<String> {
    let (usual, more) = model.section.columns();
    let names = usual.iter().chain(more).map(|column| column.name().to_owned());
    let names = names.filter(|name| !words.contains(name));
    names.chain(words.is_empty().then(|| "default".to_owned())).collect()
}

/// Moves to another position of the jump list.
pub(crate) fn jump(model: &mut Model, travel: fn(&mut Jumps, Spot) -> Option<Spot>) {
    let here = model.spot();
    let Some(spot) = travel(&mut model.jumps, here) else {
        model.say(Tone::Plain, "no more positions to jump to", None);
        return;
    };
    show(model, spot.section, spot.key.as_deref());
}

/// Moves the cursor to a row; clears a filter that hides it.
pub(crate) fn show(model: &mut Model, section: Section, key: Option<&str>) -> bool {
    (model.section, model.origin) = (section, None);
    model.scrolled_columns = 0;
    model.leave_panes();
    let Some(key) = key else { return true };
    if model.list_mut().select_key(key) {
        return true;
    }
    model.list_mut().filter().clear();
    if section == Section::Containers {
        model.shows_all = true;
    }
    model.settle();
    model.list_mut().select_key(key)
}

/// Goes to the object of the event under the cursor.
pub(crate) fn go_to_object(model: &mut Model) {
    let Some(row) = model.journal.selected() else {
        model.say(Tone::Plain, "nothing is selected", None);
        return;
    };
    let name = row.name.clone();
    let object = model.object_of(row);
    let key = object.as_ref().and_then(|it| model.list_of(it.section()).key_of(model, it));
    let (Some(object), Some(key)) = (object, key) else {
        model.say(Tone::Plain, format!("{name} no longer exists"), None);
        return;
    };
    let section = object.section();
    model.jumps.leave(model.spot());
    show(model, section, Some(&key));
}

/// Remembers a verb for [`Action::Repeat`]; one that a dialog asks about only if the user agrees.
pub(crate) fn remember(model: &mut Model, action: Action, effects: &[Effect]) {
    if !matches!(action.group(), Group::Act | Group::Remove | Group::Create) {
        return;
    }
    let repeat = |effects: &[Effect]| {
        let verb = effects.iter().find_map(|effect| match effect {
            Effect::Container(verb, _) => Some(verb.clone()),
            _ => None,
        });
        Some(Repeat { action, verb })
    };
    match model.layers.last() {
        _ if !effects.is_empty() => model.repeat = repeat(effects),
        Some(Layer::Confirm(question)) => model.asked = repeat(&question.effects),
        Some(_) => model.asked = repeat(&[]),
        None => {}
    }
}

/// Remembers a verb that a dialog asked about, if the effects show that the user agreed. Called
/// after each event.
pub(crate) fn agreed(model: &mut Model, effects: &[Effect]) {
    let is_work =
        |effect: &Effect| writes(model, effect) && !matches!(effect, Effect::Save | Effect::TrySave(_));
    if model.asked.is_some() && effects.iter().any(is_work) {
        model.repeat = model.asked.take();
    } else if model.layers.is_empty() {
        model.asked = None;
    }
}

/// Repeats the last verb on the current selection. If the last verb was a stop, it stops again
/// rather than starting stopped containers.
fn repeat(model: &mut Model) -> Vec<Effect> {
    let Some(Repeat { action, verb }) = model.repeat.clone() else {
        model.say(Tone::Plain, "no action to repeat yet", None);
        return Vec::new();
    };
    if let (Action::StartStop | Action::Pause, Some(verb)) = (action, verb) {
        return crate::tui::containers::update::again(model, &verb);
    }
    match model.act_on_object(action) {
        Some(effects) => effects,
        None => {
            model.say(Tone::Plain, format!("`{}` is not available here", action.label()), None);
            Vec::new()
        }
    }
}

/// Folds or unfolds a group; scrolls the columns if there are no groups.
fn sideways(model: &mut Model, is_left: bool) {
    if model.list().is_grouped() {
        if !model.list_mut().fold(is_left) {
            let what = if is_left { "fold" } else { "unfold" };
            model.say(Tone::Plain, format!("there is nothing to {what} here"), None);
        }
        return;
    }
    let hidden = model.hidden_columns();
    match is_left {
        true if hidden.before => model.scrolled_columns -= 1,
        false if hidden.after => model.scrolled_columns += 1,
        _ => {
            let side = if is_left { "left" } else { "right" };
            model.say(Tone::Plain, format!("no columns are hidden on the {side}"), None);
        }
    }
}

/// Selects an object in its list, and removes all marks, so that the next action applies to it
/// alone.
pub(crate) fn select(model: &mut Model, of: Section, key: &str) -> bool {
    model.go(of);
    model.focus = Focus::List;
    if of == Section::Containers {
        model.shows_all = true;
    }
    model.list_mut().filter().clear();
    model.list_mut().unmark();
    model.settle();
    model.list_mut().select_key(key)
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

    use crate::engine::{Removal, Running, Status};
    use crate::tui::containers::model::ContainerRow;
    use crate::tui::effect::{ContainerVerb, Effect};
    use crate::tui::event::Event;
    use crate::tui::events::model::EventRow;
    use crate::tui::failure::Failure;
    use crate::tui::fixture::{container, empty, full, press, screen, write};
    use crate::tui::list::columns::Column;
    use crate::tui::model::layer::Layer;
    use crate::tui::reading::Listed;
    use crate::tui::section::Section;
    use crate::tui::update::update;

    fn id(name: &str) -> crate::engine::ContainerId {
        container(name, Status::Running).id
    }

    #[test]
    fn every_key_acts_on_the_marked_rows() {
        for (keys, effects) in [
            ("space space s y", vec![ContainerVerb::Stop; 2]),
            ("space space r y", vec![ContainerVerb::Restart; 2]),
            ("space space p", vec![ContainerVerb::Pause; 2]),
            ("v j j r y", vec![ContainerVerb::Restart; 3]),
            ("* r y", vec![ContainerVerb::Restart; 4]),
            // Running ones are stopped; the rest stays as it is.
            ("* s y", vec![ContainerVerb::Stop; 4]),
            ("* p", vec![ContainerVerb::Pause; 2]),
            // Esc removes the marks, so the row under the cursor is the target again.
            ("space space esc s", vec![ContainerVerb::Stop]),
            ("space space K j enter", vec![ContainerVerb::Kill("SIGKILL".to_owned()); 2]),
        ] {
            let mut model = full(80, 24);
            let done: Vec<_> = press(&mut model, keys)
                .into_iter()
                .filter_map(|effect| match effect {
                    Effect::Container(verb, _) => Some(verb),
                    _ => None,
                })
                .collect();
            assert_eq!(done, effects, "{keys}");
        }
    }

    #[test]
    fn copies_of_several_are_joined() {
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, "space space y y"), [Effect::Copy("api web".to_owned())]);
        let ids = format!("{} {}", id("api"), id("web"));
        assert_eq!(press(&mut model, "y i"), [Effect::Copy(ids)]);
    }

    #[test]
    fn one_question_names_everything_that_goes_and_what_stays() {
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, "* d d"), []);
        let text = screen(&model);
        for line in
            ["Remove 7 containers?", "migrate", "canary", "will be stopped (10s)", "Moved to the trash"]
        {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let names = ["api", "web", "mailer", "batch", "migrate", "seed", "canary"];
        let removed = |removal| names.map(|name| Effect::Container(ContainerVerb::Remove(removal), id(name)));
        let stopped = Removal::to_trash(Running::Stop);
        assert_eq!(press(&mut model, "y"), removed(stopped));
        press(&mut model, "d D f");
        let text = screen(&model);
        for line in ["will be killed", "Deleted permanently. This cannot be undone.", "[x] f skip trash"] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let killed = Removal::for_good(Running::Kill);
        assert_eq!(press(&mut model, "y"), removed(killed));
    }

    #[test]
    fn a_question_about_many_can_be_scrolled() {
        let mut model = empty(80, 24);
        let rows = (0..300).map(|n| container(&format!("c{n:03}"), Status::Exited)).collect();
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "* d d");
        assert!(screen(&model).contains("1–11 of 300"), "{}", screen(&model));
        press(&mut model, "pgdn j");
        assert!(screen(&model).contains("13–23 of 300"), "{}", screen(&model));
        for _ in 0..40 {
            press(&mut model, "pgdn");
        }
        assert!(screen(&model).contains("■ c299"), "{}", screen(&model));
        assert_eq!(press(&mut model, "y").len(), 300);
    }

    #[test]
    fn what_is_for_one_is_refused_for_several() {
        for keys in ["N", "e", "E", "a", "R"] {
            let mut model = full(80, 24);
            assert_eq!(press(&mut model, &format!("space space {keys}")), []);
            assert!(model.layers.is_empty());
            let failure = model.take_failure().unwrap();
            assert_eq!(failure.why, ["2 rows are marked"], "{keys}");
        }
        let mut model = full(80, 24);
        press(&mut model, "space G N");
        assert!(matches!(model.layers.last(), Some(Layer::Prompt(_))), "one that is marked is the one");
        assert_eq!(model.container().unwrap().name, "api");
    }

    #[test]
    fn ends_of_many_are_told_as_one_with_each_failure_in_the_details() {
        let mut model = full(80, 24);
        let effects = press(&mut model, "* d D y");
        assert_eq!(effects.len(), 7);
        for (at, effect) in effects.into_iter().enumerate() {
            assert!(at == 0 || model.notice.is_none());
            model.notice = None;
            let failure = Failure {
                what: format!("cannot remove {at}"),
                why: vec!["it is busy".to_owned()],
                hint: None,
            };
            update(&mut model, Event::Done(effect, if at == 2 { Err(failure) } else { Ok(()) }));
        }
        assert!(
            screen(&model).contains("removed 6, 1 of 7 failed: cannot remove 2: it is busy"),
            "{}",
            screen(&model)
        );
        press(&mut model, "g !");
        assert!(screen(&model).contains("because it is busy"));
    }

    #[test]
    fn a_verb_on_many_shows_its_progress_and_what_has_not_begun_is_cancelled() {
        let mut model = full(100, 24);
        let effects = press(&mut model, "* d d y");
        update(&mut model, Event::Done(effects[0].clone(), Ok(())));
        assert!(screen(&model).contains("removing 1 of 7 · Esc cancel"), "{}", screen(&model));
        let asked = press(&mut model, "esc");
        let [Effect::Withdraw(asked)] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(asked.len() == 6 && effects[1..].iter().all(|effect| asked.contains(effect)));
        update(&mut model, Event::Withdrawn(effects[2..].to_vec()));
        let busy = |model: &crate::tui::model::Model| {
            model.containers.all().iter().filter(|row| row.busy.is_some()).count()
        };
        assert_eq!(busy(&model), 1, "the one that has begun");
        assert!(screen(&model).contains("removing 1 of 7"), "{}", screen(&model));
        assert!(!screen(&model).contains("Esc cancel"), "{}", screen(&model));
        assert_eq!(press(&mut model, "v esc"), [], "Esc has its usual meaning: what is left has begun");
        assert_eq!(model.containers.mark_count().1, 0);
        update(&mut model, Event::Done(effects[1].clone(), Ok(())));
        assert!(screen(&model).contains("removed 2 of 7, then cancelled"), "{}", screen(&model));
        assert_eq!(busy(&model), 0);
        assert_eq!(press(&mut model, "esc"), [], "Esc has its usual meaning");
    }

    #[test]
    fn esc_takes_the_marks_away_when_every_verb_has_begun() {
        let mut model = full(100, 24);
        let effects = press(&mut model, "space space s y");
        assert_eq!(press(&mut model, "esc"), [Effect::Withdraw(effects.clone())]);
        update(&mut model, Event::Withdrawn(Vec::new()));
        assert_eq!(model.containers.mark_count().1, 0);
        let shown = screen(&model);
        assert!(shown.contains("stopping 0 of 2") && !shown.contains("Esc cancel"), "{shown}");
        for effect in effects {
            update(&mut model, Event::Done(effect, Ok(())));
        }
        assert!(screen(&model).contains("stopped 2 · u undo"), "{}", screen(&model));
    }

    #[test]
    fn columns_are_chosen_ordered_and_kept() {
        let mut model = full(120, 40);
        press(&mut model, "O j space J");
        let chosen = |model: &crate::tui::model::Model| model.saved.columns.of(Section::Containers);
        assert_eq!(chosen(&model)[..2], [Column::Name, Column::Image]);
        let shown = screen(&model);
        let heading = shown.lines().find(|line| line.contains("NAME")).unwrap();
        let first: Vec<&str> = heading.split_whitespace().skip(1).take(2).collect();
        assert_eq!(first, ["NAME", "IMAGE"], "{shown}");
        press(&mut model, "esc");
        assert_eq!(chosen(&model)[..2], [Column::Name, Column::State]);
        assert_eq!(press(&mut model, "O j J enter"), [Effect::Save]);
        assert_eq!(chosen(&model)[..3], [Column::Name, Column::Image, Column::State]);
        assert_eq!(press(&mut model, "O r enter"), [Effect::Save]);
        assert_eq!(chosen(&model)[..2], [Column::Name, Column::State]);
        for (line, count) in
            [("columns name ip", 10), ("columns name address id", 3), ("columns default", 10)]
        {
            press(&mut model, ":");
            write(&mut model, line);
            press(&mut model, "enter");
            assert_eq!(chosen(&model).len(), count, "{line}");
        }
    }

    #[test]
    fn a_filter_searches_what_the_columns_show() {
        for (line, filter, shown) in [
            ("columns default", "exec", 0),
            ("columns name command", "exec", 7),
            ("columns default", "acme", 7),
            ("columns name command", "acme", 0),
            ("columns default", "running", 2),
            // As the state is shown, and as it is called.
            ("columns default", "oom", 1),
            ("columns default", "exited", 2),
            ("columns name", "exited", 0),
            ("columns name", "status:exited", 2),
        ] {
            let mut model = full(80, 24);
            press(&mut model, "/");
            write(&mut model, filter);
            press(&mut model, "enter :");
            write(&mut model, line);
            press(&mut model, "enter");
            assert_eq!(model.containers.shown(), shown, "{line}, {filter}");
        }
    }

    #[test]
    fn the_name_stays_among_the_columns() {
        for section in Section::ALL {
            let columns = section.columns().0;
            assert!(columns.iter().any(|column| column.names_the_row()), "{section:?}");
        }
        let mut model = full(80, 24);
        press(&mut model, "3 O space");
        assert!(screen(&model).contains("the name cannot be hidden"), "{}", screen(&model));
        press(&mut model, "j space j space enter");
        assert_eq!(model.saved.columns.of(Section::Volumes), [Column::Name]);
        press(&mut model, ":");
        write(&mut model, "columns folder");
        press(&mut model, "enter");
        assert!(screen(&model).contains("the column `name` cannot be left out"), "{}", screen(&model));
    }

    #[test]
    fn one_jumps_back_the_way_one_came() {
        let mut model = full(80, 24);
        press(&mut model, "j j 2 j 4");
        press(&mut model, "ctrl-o");
        assert_eq!((model.section, model.images.cursor()), (Section::Images, 1));
        press(&mut model, "ctrl-o");
        assert_eq!(model.container().unwrap().name, "mailer");
        press(&mut model, "alt-o alt-o");
        assert_eq!(model.section, Section::Networks);
        press(&mut model, "alt-o");
        assert!(screen(&model).contains("no more positions"));
    }

    #[test]
    fn the_last_verb_is_repeated_on_what_is_selected_at_that_moment() {
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, "."), []);
        press(&mut model, "s j");
        assert_eq!(press(&mut model, "."), [Effect::Container(ContainerVerb::Stop, id("web"))]);
        // The last verb was a stop, so a stopped container is not started.
        assert_eq!(press(&mut model, "G ."), []);
        assert!(model.failure().is_some());
        let mut model = full(80, 24);
        press(&mut model, "space space s y");
        model.containers.unmark();
        assert_eq!(press(&mut model, "G ."), [], "nor after a stop of several");
        // An action that asked for a confirmation asks again.
        press(&mut model, "d d y g g G .");
        assert!(matches!(model.layers.last(), Some(Layer::Removal(_))));
        press(&mut model, "y");
        assert_eq!(press(&mut model, "K"), [], "it has not been started");
        press(&mut model, "g g .");
        assert!(matches!(model.layers.last(), Some(Layer::Removal(_))), "what was refused is not repeated");
    }

    #[test]
    fn what_was_cancelled_is_not_repeated() {
        for keys in ["d d esc", "d d n", "d D enter", "K esc", "N esc", "* s n", "R esc", "E esc"] {
            let mut model = full(80, 24);
            press(&mut model, "p");
            press(&mut model, keys);
            model.containers.unmark();
            assert_eq!(
                press(&mut model, "j ."),
                [Effect::Container(ContainerVerb::Pause, id("web"))],
                "{keys}"
            );
        }
        let mut model = full(80, 24);
        press(&mut model, "d d esc .");
        assert!(screen(&model).contains("no action to repeat yet"), "{}", screen(&model));
        // A signal is chosen again.
        press(&mut model, "K enter j .");
        assert!(matches!(model.layers.last(), Some(Layer::Signals(_))));
    }

    #[test]
    fn everything_is_copied_by_two_strokes() {
        let web = ContainerRow {
            ports: vec!["53/udp".to_owned(), "8080/tcp".to_owned()],
            address: "172.17.0.2".to_owned(),
            ..container("web", Status::Running)
        };
        let mut model = full(80, 24);
        update(&mut model, Event::List(Ok(Listed::Containers(vec![web.clone()]))));
        for (keys, text) in [
            ("y y", "web".to_owned()),
            ("y i", web.id.to_string()),
            ("y r", "acme/app:2.4.1".to_owned()),
            ("y c", "hoist run -d -e 'MODE=a b' acme/app:2.4.1".to_owned()),
            ("y u", "http://172.17.0.2:8080".to_owned()),
            ("w", "http://172.17.0.2:8080".to_owned()),
            ("2 y r", "acme/app:2.4.1".to_owned()),
        ] {
            assert_eq!(press(&mut model, keys), [Effect::Copy(text)], "{keys}");
        }
        assert!(screen(&model).contains("copied acme/app"));
        press(&mut model, "1");
        let subjects = vec![crate::tui::section::Subject::Container(web.id.clone())];
        assert_eq!(press(&mut model, "y j"), [Effect::CopyJson(subjects)]);
        let effects = update(&mut model, Event::Json(Ok("{}".to_owned())));
        assert_eq!(effects, [Effect::Copy("{}".to_owned())]);
        model.world.environment = [("DISPLAY", ":0")].into_iter().collect();
        assert_eq!(press(&mut model, "w"), [Effect::Browse("http://172.17.0.2:8080".to_owned())]);
        update(&mut model, Event::List(Ok(Listed::Containers(vec![container("db", Status::Exited)]))));
        assert_eq!(press(&mut model, "w"), []);
        assert!(screen(&model).contains("no URL for `db`: it is not running"));
    }

    fn happened(at: i64, action: &str, name: &str) -> crate::engine::Event {
        crate::engine::Event {
            kind: crate::engine::Kind::Container,
            action: action.to_owned(),
            actor: crate::engine::Actor {
                id: id(name).to_string(),
                attributes: [("name", name), ("image", "redis:8")]
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .into(),
            },
            scope: "local".to_owned(),
            time: at,
            time_nano: at * 1_000_000_000,
        }
    }

    #[test]
    fn events_beside_the_list_are_those_of_before_too() {
        let mut model = full(80, 24);
        assert_eq!(update(&mut model, Event::Resize(200, 60)), [Effect::Load(Section::Events)]);
        update(&mut model, Event::News(crate::engine::News::Event(happened(30, "stop", "api"))));
        let rows = vec![EventRow::new(&happened(20, "die", "gone"))];
        update(&mut model, Event::List(Ok(Listed::Events(rows))));
        let screen = screen(&model);
        let (newer, older) = (screen.find("api            stop"), screen.find("gone           die"));
        assert!(newer.is_some() && newer < older, "{screen}");
        assert_eq!(press(&mut model, "g e"), []);
    }

    #[test]
    fn a_click_on_events_reads_them() {
        let mut model = full(80, 24);
        let effects = (0..80).find_map(|column| {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let click = MouseEvent { kind, column, row: 1, modifiers: KeyModifiers::NONE };
            let effects = update(&mut model, Event::Mouse(click));
            (model.section == Section::Events).then_some(effects)
        });
        assert_eq!(effects.unwrap(), [Effect::Load(Section::Events)]);
    }

    #[test]
    fn events_are_read_when_they_are_wanted_then_followed_and_lead_to_their_object() {
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, "6"), [Effect::Load(Section::Events)]);
        let events = [happened(20, "die", "gone"), happened(10, "start", "web")];
        let rows = events.iter().map(EventRow::new).collect();
        update(&mut model, Event::List(Ok(Listed::Events(rows))));
        update(&mut model, Event::News(crate::engine::News::Event(happened(30, "stop", "api"))));
        let shown: Vec<_> = model.journal.window(9).map(|(_, row)| row.name.clone()).collect();
        assert_eq!(shown, ["api", "gone", "web"]);
        // A cursor on the newest event stays on the newest event.
        assert_eq!(model.journal.cursor(), 0);
        press(&mut model, "j enter");
        assert!(screen(&model).contains("gone no longer exists"), "{}", screen(&model));
        press(&mut model, "j enter");
        assert_eq!((model.section, model.container().unwrap().name.as_str()), (Section::Containers, "web"));
        press(&mut model, "ctrl-o");
        assert_eq!(model.journal.selected().unwrap().name, "web");
        assert_eq!(press(&mut model, "1 g e"), []);
    }
}
