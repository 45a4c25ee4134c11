//! Actions of the navigator. The list's cursor follows the navigator's as far as possible.

use crate::base::units::counted;
use crate::config;
use crate::tui::action::{Action, Group};
use crate::tui::alerts::model::{Cause, Ill};
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::model::{Focus, Model};
use crate::tui::navigator::model::{Branch, Navigator, Spot};
use crate::tui::section::Section;
use crate::tui::tab::Tab;
use crate::tui::{list, tasks};

/// Applies `action` while the navigator has the focus; `None` for the default behaviour.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let page =
        isize::try_from(model.layout().navigator.map_or(2, |area| area.height.max(4) - 2)).unwrap_or(2);
    match action {
        Action::Down => step(model, 1),
        Action::Up => step(model, -1),
        Action::HalfDown => step(model, page / 2),
        Action::HalfUp => step(model, -page / 2),
        Action::PageDown => step(model, page - 1),
        Action::PageUp => step(model, 1 - page),
        Action::First => step(model, isize::MIN / 2),
        Action::Last => step(model, isize::MAX / 2),
        Action::Fold | Action::Left => fold(model, Navigator::fold, true),
        Action::Unfold | Action::Right => fold(model, Navigator::fold, false),
        Action::FoldAll => fold(model, Navigator::fold_all, true),
        Action::UnfoldAll => fold(model, Navigator::fold_all, false),
        Action::Open => open(model),
        Action::Back => model.focus = Focus::List,
        _ if is_verb(action) => {
            reveal(model);
            return None;
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Whether an action applies to the container under the cursor.
fn is_verb(action: Action) -> bool {
    matches!(
        action.group(),
        Group::View | Group::Files | Group::Act | Group::Create | Group::Remove | Group::Copy | Group::Custom
    )
}

fn fold(model: &mut Model, fold: fn(&mut Navigator, bool) -> bool, folds: bool) {
    if !fold(&mut model.navigator, folds) {
        let un = if folds { "" } else { "un" };
        model.say(Tone::Plain, format!("nothing to {un}fold"), None);
    }
}

fn step(model: &mut Model, by: isize) {
    model.navigator.step(by);
    follow(model);
}

/// Moves the cursor of the current list to the subject under the navigator's cursor, if the list
/// contains it.
fn follow(model: &mut Model) {
    match model.navigator.under().clone() {
        Spot::Container(id) if model.section == Section::Containers => {
            model.containers.select_key(id.as_str());
        }
        Spot::Task(id) if model.section == Section::Tasks => {
            model.tasks.select_key(&id.key());
        }
        _ => {}
    }
}

/// Shows the container under the cursor in its list, whatever the current list and filter are.
fn reveal(model: &mut Model) {
    let Some(id) = model.navigator.container().cloned() else { return };
    let is_listed =
        model.section == Section::Containers && model.containers.selected().is_some_and(|row| row.id == id);
    if !is_listed {
        model.jumps.leave(model.spot());
        list::update::show(model, Section::Containers, Some(id.as_str()));
        model.focus = Focus::Navigator;
    }
}

/// Goes to the subject under the cursor; a heading is folded or unfolded.
fn open(model: &mut Model) {
    let spot = model.navigator.under().clone();
    if let Some(is_folded) = model.navigator.is_folded(&spot) {
        model.navigator.fold(!is_folded);
        return;
    }
    match spot {
        Spot::Container(_) => {
            reveal(model);
            model.focus = Focus::List;
        }
        Spot::Section(section) => model.go(section),
        Spot::Task(id) => {
            let origin = model.origin_of(id);
            model.go(Section::Tasks);
            model.tasks.select_key(&id.key());
            tasks::update::open(model, id);
            // The list of tasks was only on the way.
            model.origin = model.origin.take().map(|_| origin);
        }
        Spot::Alert(cause) => go_to(model, &cause),
        Spot::More(Branch::Tasks, _) => model.go(Section::Tasks),
        Spot::More(Branch::Alerts, _) => next_alert(model),
        Spot::More(..) | Spot::Gap | Spot::Branch(_) | Spot::Project(_) => {}
    }
}

/// Handles a mouse click on line `line` of the navigator.
pub(crate) fn point(model: &mut Model, line: usize) {
    model.focus = Focus::Navigator;
    if !model.navigator.point(line) {
        return;
    }
    let spot = model.navigator.under().clone();
    match spot {
        // A container is shown immediately; other lines are opened.
        Spot::Container(_) => {
            reveal(model);
            follow(model);
        }
        _ => open(model),
    }
}

/// Handles the mouse wheel over the navigator.
pub(crate) fn scroll(model: &mut Model, by: isize) {
    model.navigator.step(by);
    if model.focus == Focus::Navigator {
        follow(model);
    }
}

/// Shows or hides the navigator.
pub(crate) fn toggle(model: &mut Model) {
    let is_shown = model.layout().navigator.is_some();
    model.look.navigator = if is_shown { config::Navigator::Off } else { config::Navigator::On };
    if !is_shown && !model.is_zoomed && model.layout().navigator.is_none() {
        model.look.navigator = config::Navigator::Auto;
        let hint = Some("it needs at least 100 columns and 24 rows".to_owned());
        model.say(Tone::Plain, "there is no room for the navigator", hint);
    } else if model.is_zoomed {
        model.say(Tone::Plain, "the navigator is shown beside the list", None);
    }
}

/// Goes to the newest alert and marks it as seen.
pub(crate) fn next_alert(model: &mut Model) {
    let newest = model.alerts.all().next();
    match newest {
        Some(alert) => go_to(model, &alert.cause),
        None => model.say(Tone::Good, "no alerts", None),
    }
}

/// Marks all alerts as seen.
pub(crate) fn see_all(model: &mut Model) {
    let count = model.alerts.count() as u64;
    model.alerts.see_all();
    match count {
        0 => model.say(Tone::Good, "no new alerts", None),
        _ => model.say(Tone::Plain, format!("marked {} as seen", counted(count, "alert")), None),
    }
}

/// Shows the cause of an alert, on the page with the most details.
fn go_to(model: &mut Model, cause: &Cause) {
    let Some(alert) = model.alerts.all().find(|alert| alert.cause == *cause) else { return };
    model.alerts.see(cause);
    match cause.container() {
        Some(id) => {
            model.jumps.leave(model.spot());
            list::update::show(model, Section::Containers, Some(id.as_str()));
            let tab = if matches!(alert.ill, Ill::Memory(_)) { Tab::Stats } else { Tab::Why };
            if let Some(pane) = model.windows.following().and_then(|id| model.windows.get_mut(id)) {
                pane.tab = tab;
            }
        }
        // The trash can be emptied; otherwise images usually take the most space.
        None if !model.trash.all().is_empty() => model.go(Section::Trash),
        None => model.go(Section::Images),
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

    use super::*;
    use crate::engine::{Machine, Space, Status};
    use crate::tui::containers::model::ContainerRow;
    use crate::tui::effect::ContainerVerb;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, empty, full, ill, now, press, screen, write};
    use crate::tui::reading::Listed;
    use crate::tui::section::Subject;
    use crate::tui::update::update;

    fn selected(model: &Model) -> &str {
        &model.containers.selected().unwrap().name
    }

    /// Returns the screen line that contains a text.
    fn line_with(model: &Model, text: &str) -> u16 {
        let lines = screen(model);
        let found = lines.lines().position(|line| line.chars().take(30).collect::<String>().contains(text));
        u16::try_from(found.unwrap_or_else(|| panic!("{text}\n{lines}"))).unwrap()
    }

    #[test]
    fn tab_goes_round_over_navigator_list_and_panes() {
        let mut model = full(200, 60);
        let mut round = Vec::new();
        for _ in 0..3 {
            press(&mut model, "tab");
            round.push(model.focus);
        }
        assert_eq!(round, [Focus::Detail, Focus::Navigator, Focus::List]);
        for _ in 0..3 {
            press(&mut model, "shift-tab");
            round.push(model.focus);
        }
        assert_eq!(round[3..], [Focus::Navigator, Focus::Detail, Focus::List]);
        press(&mut model, "ctrl-w h");
        assert_eq!(model.focus, Focus::Navigator);
        press(&mut model, "ctrl-w l ctrl-w j ctrl-w h");
        assert_eq!(model.focus, Focus::Navigator);
        update(&mut model, Event::Resize(80, 24));
        assert_eq!(model.focus, Focus::List);
    }

    #[test]
    fn the_list_goes_along_and_a_verb_is_for_what_is_under_the_cursor() {
        let mut model = full(200, 60);
        press(&mut model, "space space shift-tab");
        press(&mut model, "g g j j");
        assert_eq!(selected(&model), "batch");
        assert_eq!(model.subject(), Some(Subject::Container(container("batch", Status::Paused).id)));
        // Marks belong to the list.
        let effects = press(&mut model, ", s");
        assert!(matches!(effects.as_slice(), [Effect::Container(ContainerVerb::Stop, _)]), "{effects:?}");
        // On a heading, there is nothing that a verb could apply to.
        press(&mut model, "g g");
        assert_eq!(press(&mut model, ", r"), []);
        // From another list, Enter goes to the container.
        press(&mut model, "esc 2 shift-tab g g j enter");
        assert_eq!((model.section, model.focus, selected(&model)), (Section::Containers, Focus::List, "api"));
    }

    #[test]
    fn what_a_filter_hides_is_shown_when_it_is_chosen() {
        let mut model = full(200, 60);
        press(&mut model, "/");
        write(&mut model, "web");
        press(&mut model, "enter shift-tab g g j");
        assert_eq!(selected(&model), "web");
        press(&mut model, ", l");
        assert_eq!((model.focus, selected(&model)), (Focus::Detail, "api"));
    }

    #[test]
    fn a_click_goes_where_it_is_made() {
        let mut model = ill(200, 60);
        let click = |model: &mut Model, text: &str| {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let row = line_with(model, text);
            let mouse = MouseEvent { kind, column: 8, row, modifiers: KeyModifiers::NONE };
            update(model, Event::Mouse(mouse));
        };
        click(&mut model, "migrate");
        assert_eq!((model.focus, selected(&model)), (Focus::Navigator, "migrate"));
        click(&mut model, "Networks");
        assert_eq!((model.focus, model.section), (Focus::List, Section::Networks));
        click(&mut model, "Standalone");
        assert!(!screen(&model).contains("canary"), "{}", screen(&model));
        click(&mut model, "seed OOM");
        assert_eq!((model.section, selected(&model)), (Section::Containers, "seed"));
        assert!(screen(&model).contains("[Why]"), "{}", screen(&model));
    }

    #[test]
    fn alerts_are_gone_through_and_seen() {
        let mut model = ill(120, 40);
        assert!(screen(&model).contains("! mailer: restarted 4 times · 2 alerts"), "{}", screen(&model));
        press(&mut model, "2 g a");
        assert_eq!(selected(&model), "mailer");
        assert!(screen(&model).contains("! seed: OOM-killed 18m ago"), "{}", screen(&model));
        press(&mut model, "g a");
        assert_eq!(selected(&model), "seed");
        press(&mut model, "g a");
        assert!(screen(&model).contains("no alerts"), "{}", screen(&model));
        let space = Some(Space { free: 4 << 20, total: 100 << 20 });
        update(&mut model, Event::Machine(Machine { space, ..Machine::default() }));
        press(&mut model, "esc");
        assert!(screen(&model).contains("! disk 4% free"), "{}", screen(&model));
        press(&mut model, "g A");
        assert_eq!(model.alerts.count(), 0);
    }

    #[test]
    fn relative_times_of_alerts_wake_nobody() {
        let mut model = empty(120, 40);
        let seed = ContainerRow { oom_killed: true, exit_code: 137, ..container("seed", Status::Exited) };
        update(&mut model, Event::List(Ok(Listed::Containers(vec![seed]))));
        model.section = Section::Volumes; // the list of containers shows ages of its own
        assert_eq!((model.alerts.count(), model.next_tick()), (1, None));
    }

    #[test]
    fn it_is_shown_where_it_is_wished_and_there_is_room() {
        let mut model = full(120, 40);
        let is_shown = |model: &Model| screen(model).contains("Navigator");
        assert!(!is_shown(&model));
        press(&mut model, "ctrl-w n");
        assert!(is_shown(&model));
        press(&mut model, "ctrl-w n");
        assert!(!is_shown(&model));
        let mut small = full(80, 24);
        press(&mut small, "ctrl-w n");
        assert!(screen(&small).contains("there is no room for the navigator"));
    }

    #[test]
    fn a_changed_state_flashes_once_and_only_where_it_is_wished() {
        let changed = |model: &mut Model, name: &str| {
            let row = container(name, Status::Exited);
            update(model, Event::Container(row.id.clone(), Some(Box::new(row))));
        };
        let mut model = full(120, 40);
        changed(&mut model, "api");
        let id = container("api", Status::Exited).id;
        assert!(model.flashes.has(&id));
        assert_eq!(model.next_tick().unwrap().as_millis(), 600);
        update(&mut model, Event::Tick(now() + jiff::SignedDuration::from_millis(600)));
        assert!(!model.flashes.has(&id));
        assert!(model.next_tick().unwrap().as_secs() >= 1);
        model.look.motion = false;
        changed(&mut model, "web");
        assert!(model.next_tick().unwrap().as_secs() >= 1);
    }
}
