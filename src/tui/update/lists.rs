//! What keys do to a list itself: marks, order, groups, columns.

use super::cursor;
use crate::tui::action::Action;
use crate::tui::event::Effect;
use crate::tui::model::columns::Column;
use crate::tui::model::{Focus, Model, Section, Tone};

/// Which key sorts by which column.
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
    (Action::OrderSpent, Column::Spent),
];

/// What `action` does to the list that is shown; `None` when it is no such action.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Mark => {
            let table = cursor(model);
            table.mark();
            table.step(1);
        }
        Action::RangeMark => {
            cursor(model).range_mark();
            if cursor(model).draws_range() {
                let key = model.keys_of(model.place_below(), Action::RangeMark);
                model.say(Tone::Plain, format!("marking; {key} or any verb ends it"), None);
            } else {
                model.notice = None;
            }
        }
        Action::MarkAll => cursor(model).mark_all(),
        Action::OrderNone => cursor(model).set_order(None),
        Action::Group => {
            let is_grouped = model.containers.is_grouped();
            model.containers.set_grouped(!is_grouped);
        }
        Action::Left if model.focus == Focus::List => sideways(model, true),
        Action::Right if model.focus == Focus::List => sideways(model, false),
        _ => {
            let (_, column) = ORDERS.iter().find(|(order, _)| *order == action)?;
            let is_task = *column == Column::Name && model.section == Section::Tasks;
            cursor(model).order_by(if is_task { Column::Task } else { *column });
        }
    }
    Some(Vec::new())
}

/// Folds or unfolds a group; where there is none, columns are scrolled.
fn sideways(model: &mut Model, is_left: bool) {
    if model.list().is_grouped() {
        model.list_mut().fold(is_left);
        return;
    }
    let most = model.columns.of(model.section).len().saturating_sub(2);
    let scrolled = model.scrolled_columns;
    model.scrolled_columns = if is_left { scrolled.saturating_sub(1) } else { (scrolled + 1).min(most) };
}

#[cfg(test)]
mod tests {
    use crate::engine::Status;
    use crate::tui::event::{Effect, Event, Force, Listed, Verb};
    use crate::tui::fixture::{container, empty, full, press, screen};
    use crate::tui::model::Failure;
    use crate::tui::model::layer::Layer;
    use crate::tui::update::update;

    fn id(name: &str) -> crate::engine::ContainerId {
        container(name, Status::Running).id
    }

    #[test]
    fn every_key_acts_on_the_marked_rows() {
        for (keys, effects) in [
            ("space space s", vec![Verb::Stop; 2]),
            ("space space r", vec![Verb::Restart; 2]),
            ("space space p", vec![Verb::Pause; 2]),
            ("v j j r", vec![Verb::Restart; 3]),
            ("* r", vec![Verb::Restart; 7]),
            // What is up is stopped, the rest is left alone.
            ("* s", vec![Verb::Stop; 4]),
            ("* p", vec![Verb::Pause; 2]),
            // Marks go by esc: the cursor counts again.
            ("space space esc s", vec![Verb::Stop]),
            ("space space K j enter", vec![Verb::Kill("SIGKILL".to_owned()); 2]),
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
        for line in ["Remove 3 containers?", "migrate", "seed", "canary", "4 that are up stay; dD removes"] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let removed =
            ["migrate", "seed", "canary"].map(|name| Effect::Container(Verb::Remove(Force::No), id(name)));
        assert_eq!(press(&mut model, "y"), removed);
        press(&mut model, "d D");
        assert!(screen(&model).contains("4 are running: they are killed first."), "{}", screen(&model));
    }

    #[test]
    fn a_question_about_many_can_be_scrolled() {
        let mut model = empty(80, 24);
        let rows = (0..300).map(|n| container(&format!("c{n:03}"), Status::Exited)).collect();
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "* d d");
        assert!(screen(&model).contains("1–15 of 300"), "{}", screen(&model));
        press(&mut model, "pgdn j");
        assert!(screen(&model).contains("16–30 of 300"), "{}", screen(&model));
        for _ in 0..40 {
            press(&mut model, "pgdn");
        }
        assert!(screen(&model).contains("c299   exited"));
        assert_eq!(press(&mut model, "y").len(), 300);
    }

    #[test]
    fn what_is_for_one_is_refused_for_several() {
        for keys in ["N", "e", "E", "a", "R"] {
            let mut model = full(80, 24);
            assert_eq!(press(&mut model, &format!("space space {keys}")), []);
            assert!(model.layers.is_empty());
            let failure = model.failure.unwrap();
            assert_eq!(failure.why, ["it is done to one at a time"], "{keys}");
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
            screen(&model).contains("removed 6, 1 failed: cannot remove 2: it is busy"),
            "{}",
            screen(&model)
        );
        press(&mut model, "!");
        assert!(screen(&model).contains("because it is busy"));
    }
}
