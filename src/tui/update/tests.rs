//! Stories without a terminal: from keys to effects and screens.

use proptest::prelude::*;

use super::*;
use crate::engine::{self, Actor, Kind, News, Removal, Running, Status};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{ContainerVerb, Job, Program, Target};
use crate::tui::event::Finish;
use crate::tui::failure::Failure;
use crate::tui::fixture::{
    asked, container, empty, full, keys_line, lines, now, press, screen, serve, write,
};
use crate::tui::images::model::ImageRow;
use crate::tui::logs::model::LogNews;
use crate::tui::reading::{Answer, Listed, Want};
use crate::tui::section::{Subject, TaskId};
use crate::tui::tasks::model::TaskState;
use crate::tui::terminal::walk::{Kind as Marked, Step, Walk};

fn news(id: &str, action: &str) -> Event {
    Event::News(News::Event(engine::Event {
        kind: Kind::Container,
        action: action.to_owned(),
        actor: Actor { id: id.to_owned(), attributes: std::collections::BTreeMap::new() },
        scope: "local".to_owned(),
        time: now().as_second(),
        time_nano: 0,
    }))
}

#[test]
fn what_a_list_warns_of_is_told_once() {
    let mut model = full(120, 40);
    let mut told = |warnings: &[&str]| {
        let warnings = warnings.iter().map(|&warning| warning.to_owned()).collect();
        model.notice = None;
        update(&mut model, Event::Warned(Section::Containers, warnings));
        model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
    };
    assert_eq!(told(&["cannot take over `web`"]), "cannot take over `web`");
    assert_eq!(told(&["cannot take over `web`"]), "");
    assert_eq!(told(&["cannot take over `web`", "cannot take over `db`"]), "cannot take over `db`");
    assert_eq!(told(&[]), "");
    assert_eq!(told(&["cannot take over `web`"]), "cannot take over `web`");
}

#[test]
fn ages_of_what_is_not_running_advance_and_nothing_else_wakes_anybody() {
    let mut model = empty(120, 40);
    let ago = |secs| now() - jiff::SignedDuration::from_secs(secs);
    let waits =
        ContainerRow { exit_code: 3, finished: Some(ago(44)), ..container("waits", Status::Restarting) };
    let fresh = ContainerRow { started: None, created: ago(130), ..container("fresh", Status::Created) };
    let fresh = ContainerRow { finished: None, ..fresh };
    update(&mut model, Event::List(Ok(Listed::Containers(vec![waits.clone()]))));
    assert!(
        screen(&model).contains("restarting (3)") && screen(&model).contains("44s ago"),
        "{}",
        screen(&model)
    );
    assert_eq!(model.next_tick(), Some(std::time::Duration::from_secs(1)));
    update(&mut model, Event::Tick(ago(-1)));
    assert!(screen(&model).contains("45s ago"), "{}", screen(&model));
    update(&mut model, Event::Container(waits.id, None));
    update(&mut model, Event::Container(fresh.id.clone(), Some(Box::new(fresh))));
    press(&mut model, "a");
    model.notice = None;
    assert!(screen(&model).contains("2m ago"), "{}", screen(&model));
    assert_eq!(model.next_tick(), Some(std::time::Duration::from_secs(49)));
    update(&mut model, Event::Tick(ago(-50)));
    assert!(screen(&model).contains("3m ago"), "{}", screen(&model));
    model.section = Section::Volumes;
    assert_eq!(model.next_tick(), None);
}

#[test]
fn what_is_damaged_is_listed_with_why_and_can_only_be_removed() {
    let mut model = empty(120, 40);
    let damaged = engine::Damaged {
        id: "0123456789abcdef".repeat(4),
        name: Some("db".to_owned()),
        why: "EOF\u{1b}[2J, in record.json".to_owned(),
    };
    let row = ContainerRow::unreadable(&damaged).unwrap();
    update(&mut model, Event::List(Ok(Listed::Containers(vec![row.clone()]))));
    let image = engine::Damaged { id: format!("sha256:{}", "ab".repeat(32)), name: None, ..damaged };
    update(&mut model, Event::List(Ok(Listed::Images(vec![ImageRow::unreadable(&image)]))));
    press(&mut model, "a");
    assert!(screen(&model).contains("db") && screen(&model).contains("damaged"), "{}", screen(&model));
    use Action as A;
    let verbs =
        [A::StartStop, A::Restart, A::Pause, A::Kill, A::Shell, A::Exec, A::Attach, A::Rename, A::RunAgain];
    for action in verbs.into_iter().chain([A::Logs, A::Stats, A::Top, A::Inspect]) {
        assert_eq!(act(&mut model, action), [], "{action:?}");
        let failure = model.take_failure().unwrap_or_else(|| panic!("{action:?}: nothing was said"));
        assert_eq!(failure.why, ["it is damaged: EOF␛[2J, in record.json"], "{action:?}");
        assert!(model.layers.is_empty(), "{action:?}");
    }
    assert!(!screen(&model).contains(" ago"), "{}", screen(&model));
    press(&mut model, "d d f");
    let asked = screen(&model);
    assert!(asked.contains("killed if running") && asked.contains("Deleted permanently."), "{asked}");
    assert!(!asked.contains("skip trash"), "{asked}");
    let removal = Removal::to_trash(Running::Stop);
    assert_eq!(press(&mut model, "y"), [Effect::Container(ContainerVerb::Remove(removal), row.id)]);
    press(&mut model, "2");
    assert!(screen(&model).contains("damag"), "{}", screen(&model));
    assert_eq!(press(&mut model, "t"), []);
    assert_eq!(model.take_failure().unwrap().why, ["it is damaged: EOF␛[2J, in record.json"]);
    press(&mut model, "d d");
    assert!(matches!(press(&mut model, "y").as_slice(), [Effect::RemoveImage(..)]));
}

#[test]
fn an_empty_list_survives_every_key() {
    for section in Section::ALL {
        for action in Action::ALL {
            let mut model = empty(80, 24);
            model.section = section;
            act(&mut model, *action);
            model.settle();
            screen(&model);
            act(&mut model, *action);
            model.settle();
            screen(&model);
        }
    }
}

#[test]
fn every_action_is_survived_in_every_place_of_a_full_list() {
    for opening in ["", "l", "S", "t", "i", "e", "n", "K", "d d", "?", ":", "/", "p", "2", "2 r", "5", "2 p"]
    {
        for action in Action::ALL {
            let mut model = full(80, 24);
            if !opening.is_empty() {
                press(&mut model, opening);
            }
            act(&mut model, *action);
            model.settle();
            screen(&model);
        }
    }
}

#[test]
fn every_action_is_survived_in_the_navigator() {
    for opening in ["shift-tab", "shift-tab g g", "shift-tab G", "2 shift-tab j", "shift-tab g g j"] {
        for action in Action::ALL {
            let mut model = full(160, 30);
            press(&mut model, opening);
            assert_eq!(model.key_context(), KeyContext::Navigator);
            act(&mut model, *action);
            model.settle();
            screen(&model);
        }
    }
}

#[test]
fn s_stops_what_is_up_and_starts_what_is_not() {
    let mut model = full(80, 24);
    let id = model.container().unwrap().id.clone();
    assert_eq!(press(&mut model, "s"), [Effect::Container(ContainerVerb::Stop, id)]);
    assert_eq!(model.container().unwrap().busy, Some("stopping"));
    press(&mut model, "G");
    let id = model.container().unwrap().id.clone();
    assert_eq!(press(&mut model, "s"), [Effect::Container(ContainerVerb::Start, id)]);
}

#[test]
fn a_row_that_is_busy_is_left_alone_except_by_what_ends_it() {
    let mut model = full(80, 24);
    let name = model.container().unwrap().name.clone();
    assert_eq!(press(&mut model, "s").len(), 1);
    assert_eq!(press(&mut model, "r"), []);
    let notice = model.notice.clone().unwrap();
    assert_eq!(notice.text, format!("cannot restart `{name}`: it is stopping"));
    press(&mut model, "j space");
    let other = model.container().unwrap().id.clone();
    // Of several objects, those that are not busy are processed.
    press(&mut model, "k space");
    assert_eq!(press(&mut model, "r"), [Effect::Container(ContainerVerb::Restart, other)]);
    press(&mut model, "esc");
    press(&mut model, "K");
    assert!(matches!(press(&mut model, "enter").as_slice(), [Effect::Container(ContainerVerb::Kill(_), _)]));
}

#[test]
fn what_a_status_forbids_is_said_and_not_tried() {
    let mut model = full(80, 24);
    press(&mut model, "G");
    assert_eq!(press(&mut model, "p"), []);
    let notice = model.notice.unwrap();
    assert_eq!(notice.text, "cannot pause `canary`: it has not been started");
    assert_eq!(notice.hint.as_deref(), Some("start it first"));
}

#[test]
fn removal_asks_names_what_goes_and_keeps_by_default() {
    let mut model = full(80, 24);
    press(&mut model, "G");
    let id = model.container().unwrap().id.clone();
    assert_eq!(press(&mut model, "d d"), []);
    assert!(screen(&model).contains("Remove 1 container?"));
    assert!(screen(&model).contains("○ canary"));
    assert!(screen(&model).contains("Moved to the trash for 24h; u restores it"));
    assert_eq!(press(&mut model, "enter"), []);
    assert!(model.layers.is_empty());
    press(&mut model, "d d");
    let removal = Removal::to_trash(Running::Stop);
    assert_eq!(press(&mut model, "y"), [Effect::Container(ContainerVerb::Remove(removal), id)]);
}

#[test]
fn a_page_stays_with_its_container_when_that_leaves_the_list() {
    for keys in ["enter", "l z", "enter z"] {
        let mut model = full(120, 40);
        press(&mut model, keys);
        assert_eq!(model.focus, Focus::Detail, "{keys}");
        let shown = model.subject().unwrap();
        let Subject::Container(id) = shown.clone() else { panic!("{shown:?}") };
        let name = model.container().unwrap().name.clone();
        update(&mut model, Event::Container(id.clone(), None));
        assert_eq!(model.subject(), Some(shown.clone()), "{keys}");
        let gone = [format!("{name} (removed)"), format!("{name}  removed")];
        assert!(gone.iter().any(|gone| screen(&model).contains(gone)), "{}", screen(&model));
        // Another row that leaves later changes nothing.
        let Some(Subject::Container(neighbour)) = model.listed() else { panic!("no other") };
        assert_ne!(neighbour, id);
        update(&mut model, Event::Container(neighbour.clone(), None));
        assert_eq!(model.subject(), Some(shown.clone()), "{keys}");
        for key in ["d d", "r", "p", "s", "t", "i", "f", "5 d d"] {
            let effects = press(&mut model, key);
            let others = |effect: &&Effect| matches!(effect, Effect::Container(_, of) if *of != id);
            assert_eq!(effects.iter().find(others), None, "{keys} {key}");
            assert!(model.layers.is_empty(), "{keys} {key}: {}", screen(&model));
            assert_eq!(model.subject(), Some(shown.clone()), "{keys} {key}");
        }
        press(&mut model, "esc esc esc");
        assert_eq!((model.focus, model.subject()), (Focus::List, model.listed()), "{keys}");
    }
}

#[test]
fn a_page_stays_while_the_list_is_empty_and_when_others_come() {
    let mut model = empty(120, 40);
    let [one, two] = ["one", "two"].map(|name| container(name, Status::Running));
    update(&mut model, Event::List(Ok(Listed::Containers(vec![one.clone()]))));
    press(&mut model, "enter");
    let shown = (Focus::Detail, Some(Subject::Container(one.id.clone())));
    update(&mut model, Event::Container(one.id.clone(), None));
    assert_eq!((model.focus, model.subject()), shown);
    update(&mut model, Event::Container(two.id.clone(), Some(Box::new(two.clone()))));
    assert_eq!((model.focus, model.subject()), shown);
    // An object restored from the trash is the same as before.
    update(&mut model, Event::Container(one.id.clone(), Some(Box::new(one))));
    assert_eq!((model.focus, model.subject(), model.gone()), (shown.0, shown.1, None));
    press(&mut model, "esc");
    assert_eq!((model.focus, model.subject()), (Focus::List, model.listed()));
}

#[test]
fn a_page_stays_with_what_the_list_hides_and_does_not_call_it_gone() {
    let mut model = full(120, 40);
    press(&mut model, "G enter");
    let shown = model.subject();
    model.shows_all = false;
    model.settle();
    assert_ne!(model.listed(), shown);
    assert_eq!((model.subject(), model.gone()), (shown, None));
}

#[test]
fn a_list_of_what_is_up_says_that_it_is_one() {
    let mut model = full(120, 40);
    press(&mut model, ":");
    write(&mut model, "ps");
    press(&mut model, "enter");
    assert!(!model.shows_all);
    assert!(screen(&model).contains("showing only running containers"), "{}", screen(&model));
    press(&mut model, ":");
    write(&mut model, "ps -a");
    press(&mut model, "enter");
    assert!(model.shows_all);
    assert!(screen(&model).contains("showing all containers"), "{}", screen(&model));
}

#[test]
fn a_page_goes_where_the_user_takes_the_cursor() {
    let mut model = full(120, 40);
    press(&mut model, "enter");
    let shown = model.subject();
    model.list_mut().step(1);
    model.settle();
    assert_eq!(model.subject(), model.listed());
    assert_ne!(model.subject(), shown);
}

#[test]
fn a_running_container_is_stopped_before_it_goes_and_by_force_killed() {
    let mut model = full(80, 24);
    press(&mut model, "d d");
    assert!(screen(&model).contains("will be stopped (10s)"));
    press(&mut model, "n d D");
    assert!(screen(&model).contains("will be killed"));
}

#[test]
fn a_prefix_left_hanging_shows_what_it_can_become() {
    let mut model = full(80, 24);
    press(&mut model, "g");
    let opens = model.next_tick().unwrap();
    assert_eq!(opens.as_millis(), 250);
    assert!(!screen(&model).contains("Go to images"));
    update(&mut model, Event::Tick(now() + jiff::SignedDuration::from_millis(250)));
    assert!(screen(&model).contains("Go to images"));
    press(&mut model, "esc");
    assert!(!screen(&model).contains("Go to images"));
    assert!(model.pending.is_empty());
}

#[test]
fn a_filter_filters_while_it_is_typed_and_esc_clears_it() {
    let mut model = full(80, 24);
    press(&mut model, "/");
    write(&mut model, "mai");
    assert_eq!(model.containers.shown(), 1);
    press(&mut model, "enter");
    assert_eq!(model.container().unwrap().name, "mailer");
    press(&mut model, "esc");
    assert_eq!(model.containers.shown(), 7);
}

#[test]
fn a_page_opens_alike_whatever_the_length_of_the_list() {
    for (height, is_zoomed) in [(24, true), (36, true), (40, false)] {
        for rows in [1, 7] {
            let mut model = full(100, height);
            let names: Vec<_> =
                model.containers.all().iter().skip(rows).map(|row| row.id.to_string()).collect();
            names.iter().for_each(|name| model.containers.take(name));
            model.settle();
            press(&mut model, "l");
            assert_eq!(model.is_zoomed, is_zoomed, "{height} {rows}");
        }
    }
}

#[test]
fn only_what_is_seen_is_asked_for() {
    let mut model = full(80, 24);
    let api = model.container().unwrap().id.clone();
    let logs =
        |model: &Model| model.wants().logs().into_iter().flat_map(|want| want.containers).collect::<Vec<_>>();
    assert_eq!(logs(&model), std::slice::from_ref(&api));
    assert!(model.wants().read(Tab::Top).is_empty());
    assert!(!model.wants().stats.is_empty());
    press(&mut model, "t");
    assert!(
        logs(&model).is_empty()
            && model.wants().read(Tab::Top).iter().any(|(_, want)| *want == Want::Top(api.clone()))
    );
    press(&mut model, "q g i");
    let wants = model.wants();
    assert!(wants.stats.is_empty() && wants.logs().is_empty() && wants.read(Tab::Inspect).len() == 1);
    // There is room for the column of the CPU, but not for a pane.
    let mut small = full(40, 12);
    assert_eq!((small.wants().logs().len(), small.wants().stats.len()), (0, 3));
    press(&mut small, "l");
    assert!(small.wants().logs().len() == 1);
}

#[test]
fn what_another_process_changed_is_read_anew() {
    let mut model = full(80, 24);
    let id = model.container().unwrap().id.clone();
    // A network lists its containers.
    let (networks, tasks) = (Effect::Load(Section::Networks), Effect::Load(Section::Tasks));
    let read = [Effect::Reload(id.clone()), networks, tasks.clone()];
    assert_eq!(update(&mut model, news(id.as_str(), "die")), read);
    assert_eq!(update(&mut model, news(id.as_str(), "pause")), [Effect::Reload(id.clone())]);
    assert_eq!(update(&mut model, news(id.as_str(), "exec_start: sh")), [tasks]);
    assert_eq!(update(&mut model, news(id.as_str(), "exec_create: sh")), []);
    update(&mut model, Event::Container(id.clone(), None));
    assert_ne!(model.container().unwrap().id, id);
    assert_eq!(update(&mut model, Event::News(News::Gap)), start());
}

#[test]
fn the_log_of_what_was_selected_before_is_not_shown() {
    let mut model = full(80, 24);
    let old = model.pane().log.serial;
    press(&mut model, "j");
    let late = || LogNews::Failed(Failure { what: "late".to_owned(), ..Failure::default() });
    update(&mut model, Event::Answer(old, Answer::Logs(late())));
    assert_eq!(model.pane().log.failure, None);
    let serial = model.pane().log.serial;
    update(&mut model, Event::Answer(serial, Answer::Logs(late())));
    assert!(model.pane().log.failure.is_some());
}

#[test]
fn a_log_that_was_hidden_is_read_anew() {
    let mut model = full(80, 24);
    press(&mut model, "l");
    let serial = model.pane().log.serial;
    assert!(!model.pane().log.buffer.is_empty());
    press(&mut model, "2 1");
    assert!(model.pane().log.buffer.is_empty());
    assert!(model.pane().log.serial > serial);
    let serial = model.pane().log.serial;
    for size in [(30, 5), (80, 24)] {
        update(&mut model, Event::Resize(size.0, size.1));
    }
    assert_eq!((model.pane().log.serial, model.focus), (serial + 1, Focus::Detail));
}

#[test]
fn a_terminal_gets_every_key_until_it_is_released() {
    let mut model = full(80, 24);
    let id = model.container().unwrap().id.clone();
    let effects = press(&mut model, "e");
    let task = TaskId(1);
    assert_eq!(effects, [Effect::Open(task, Target::In(id, Program::Shell))]);
    assert_eq!(model.wants().terminals, [(task, (78, 18))].into());
    let typed = press(&mut model, "q ctrl-c : tab");
    assert_eq!(typed.len(), 4);
    assert!(typed.iter().all(|effect| matches!(effect, Effect::Type(to, _) if *to == task)));
    // An unfinished detach sequence is sent to the program in full.
    assert_eq!(press(&mut model, "ctrl-p"), []);
    assert_eq!(press(&mut model, "x").len(), 2);
    assert_eq!(press(&mut model, "ctrl-]"), []);
    assert_eq!((model.focus, model.key_context()), (Focus::Detail, KeyContext::Released));
    // Pressing it twice sends the key itself; later it only gives the keys back.
    assert_eq!(press(&mut model, "ctrl-]").len(), 1);
    assert_eq!(model.key_context(), KeyContext::Terminal);
    assert_eq!(press(&mut model, "ctrl-] pgup ctrl-]"), [Effect::Scroll(task, 17)]);
    assert_eq!(model.key_context(), KeyContext::Terminal);
    // The session continues in the background and is listed.
    press(&mut model, "ctrl-] q 5");
    assert!(screen(&model).contains("api: shell"));
    press(&mut model, "enter");
    assert_eq!((model.section, model.pane().tab), (Section::Containers, Tab::Session(task)));
    assert_eq!(press(&mut model, "enter ctrl-p ctrl-q"), [Effect::Close(task), Effect::Load(Section::Tasks)]);
    assert_eq!(model.pane().tab, Tab::Logs);
}

#[test]
fn whichever_way_leads_to_a_terminal_its_keys_are_hoists_until_they_are_asked_for() {
    let task = TaskId(1);
    for way in ["enter", "l 6", "l ] ] ] ] ]", "5 enter", "5 l", "tab"] {
        let mut model = full(80, 24);
        press(&mut model, "e ctrl-] q");
        assert_eq!(model.focus, Focus::List);
        let effects = press(&mut model, way);
        assert_eq!(model.key_context(), KeyContext::Released, "{way}: {effects:?}");
        // What does nothing in hoist is not sent, but explained.
        assert_eq!(press(&mut model, "x"), [], "{way}");
        assert!(screen(&model).contains("not to the terminal → press ↵ to type"), "{}", screen(&model));
        assert_eq!(press(&mut model, "i x").len(), 1, "{way}");
        assert_eq!(press(&mut model, "ctrl-] q").len(), 0);
        assert_eq!(model.focus, Focus::List, "{way}");
        assert!(!model.session_is_over(task));
    }
}

#[test]
fn ctrl_c_to_a_containers_main_program_is_explained_once() {
    let mut model = full(80, 24);
    assert!(matches!(press(&mut model, "a").as_slice(), [Effect::Open(_, Target::In(_, Program::Attach))]));
    assert_eq!(press(&mut model, "ctrl-c"), []);
    assert!(
        screen(&model).contains("Ctrl-c may stop the container → press again to send it"),
        "{}",
        screen(&model)
    );
    assert_eq!(press(&mut model, "ctrl-c ctrl-c").len(), 2);
    assert!(screen(&model).contains("main process"));
}

#[test]
fn what_a_message_asks_for_is_withdrawn_with_the_next_key() {
    // The program gets the second Ctrl-c, or something else.
    for keys in ["ctrl-c", "x"] {
        let mut model = full(80, 24);
        press(&mut model, "a ctrl-c");
        assert!(screen(&model).contains("press again to send it"), "{}", screen(&model));
        assert_eq!(press(&mut model, keys).len(), 1, "{keys}");
        assert_eq!(model.notice, None, "{keys}");
    }
    let mut model = full(80, 24);
    press(&mut model, "a ctrl-] x");
    assert!(screen(&model).contains("keys go to hoist, not to the terminal"), "{}", screen(&model));
    press(&mut model, "j");
    assert!(model.notice.is_some());
    press(&mut model, "enter");
    assert_eq!((model.key_context(), model.notice.clone()), (KeyContext::Terminal, None));
    // Where it is no longer shown, the key is not the second one.
    for other in ["l", "j", "space", "B"] {
        let mut model = full(80, 24);
        press(&mut model, "ctrl-c");
        assert!(screen(&model).contains("press again to quit hoist"), "{}", screen(&model));
        press(&mut model, other);
        assert!(!screen(&model).contains("press again"), "{other}\n{}", screen(&model));
        assert_eq!(press(&mut model, "ctrl-c"), [], "{other}");
        assert!(screen(&model).contains("press again to quit hoist"), "{other}\n{}", screen(&model));
        assert_eq!(press(&mut model, "ctrl-c"), [Effect::Quit], "{other}");
    }
}

#[test]
fn enter_opens_and_never_leaves_what_is_open() {
    let mut model = full(120, 40);
    press(&mut model, "l enter");
    assert!(model.is_zoomed);
    assert!(screen(&model).contains("[1 Logs]"), "{}", screen(&model));
    press(&mut model, "enter");
    assert!(model.is_zoomed && model.focus == Focus::Detail);
    assert!(screen(&model).contains("it already fills the window → z shows the list"), "{}", screen(&model));
    // Beside others, it first gets all of their room, then the whole window.
    let mut model = full(120, 40);
    press(&mut model, "l ctrl-w v enter");
    assert_eq!((model.is_zoomed, model.panes().len()), (true, 2));
    press(&mut model, "enter");
    assert_eq!((model.is_zoomed, model.panes().len()), (true, 1));
    press(&mut model, "enter");
    assert_eq!((model.is_zoomed, model.panes().len()), (true, 1));
    for (way, label) in
        [("S", "↵ zoom"), ("i", "↵ fold"), ("t", "↵ details"), ("f", "↵ open"), ("1", "↵ open")]
    {
        let mut model = full(120, 50);
        press(&mut model, way);
        press(&mut model, "?");
        assert!(screen(&model).contains(label), "{way}\n{}", screen(&model));
    }
}

#[test]
fn keys_in_a_border_are_those_of_the_pane_with_the_focus() {
    let mut model = full(120, 40);
    press(&mut model, "e");
    update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
    assert!(screen(&model).contains("exit 0 · x close · r run again"), "{}", screen(&model));
    press(&mut model, "tab");
    assert_eq!(model.focus, Focus::List);
    let shown = screen(&model);
    assert!(
        shown.contains(" exit 0 ") && !shown.contains("x close") && !shown.contains("run again"),
        "{shown}"
    );
    // New lines below a log that does not follow.
    let mut model = full(120, 40);
    press(&mut model, "l f");
    let texts: Vec<String> = (0..60).map(|number| format!("line {number}")).collect();
    serve(&mut model, &lines(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(screen(&model).contains("new ↓G"), "{}", screen(&model));
    press(&mut model, "tab");
    assert!(screen(&model).contains(" new ") && !screen(&model).contains("↓G"), "{}", screen(&model));
    // The navigator names the key that leads to it from the list.
    let mut model = full(200, 60);
    assert!(screen(&model).contains(" S-Tab "), "{}", screen(&model));
    press(&mut model, "l");
    assert!(!screen(&model).contains(" S-Tab "), "{}", screen(&model));
}

#[test]
fn the_help_of_copy_mode_is_where_the_bar_says() {
    let mut model = full(120, 40);
    press(&mut model, "e ctrl-] [");
    assert_eq!(model.key_context(), KeyContext::Copy);
    assert!(keys_line(&model, 240).contains("? help"), "{}", keys_line(&model, 240));
    press(&mut model, "?");
    assert!(screen(&model).contains("Help · copy mode in a terminal"), "{}", screen(&model));
    press(&mut model, "esc");
    assert_eq!(model.key_context(), KeyContext::Copy);
}

#[test]
fn a_terminal_that_ended_says_so_and_is_closed() {
    let mut model = full(80, 24);
    press(&mut model, "e");
    let id = model.container().unwrap().id.clone();
    update(&mut model, Event::Ended(TaskId(1), Ok(Some(3))));
    assert_eq!(model.key_context(), KeyContext::Ended);
    let shown = screen(&model);
    assert!(shown.contains("api: shell · exit 3") && shown.contains("x close · r run again"), "{shown}");
    let again = [Effect::Close(TaskId(1)), Effect::Open(TaskId(1), Target::In(id, Program::Shell))];
    assert_eq!(press(&mut model, "r"), again);
    assert_eq!(model.key_context(), KeyContext::Terminal);
    update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
    assert_eq!(press(&mut model, "x"), [Effect::Close(TaskId(1))]);
    assert!(model.tasks.all().is_empty());
}

#[test]
fn an_image_of_this_machine_is_one_key_away_when_there_is_nothing() {
    let mut model = empty(80, 24);
    assert!(screen(&model).contains("M   create an image from this machine"));
    assert_eq!(press(&mut model, "M"), []);
    assert!(screen(&model).contains("host:latest"));
    assert_eq!(press(&mut model, "enter M y"), [Effect::Work(TaskId(1), Job::FromHost("host"))]);
    let finish = Finish {
        text: "created host:latest".to_owned(),
        made: None,
        image: Some("host:latest".to_owned()),
        opens: false,
    };
    let effects = update(&mut model, Event::Finished(TaskId(1), Ok(finish)));
    assert_eq!(effects, [Effect::Load(Section::Images)]);
    assert!(model.layers.is_empty());
    assert_eq!(model.section, Section::Images);
}

#[test]
fn a_run_opens_its_terminal_when_it_is_there() {
    let mut model = full(80, 24);
    press(&mut model, "2 r");
    write(&mut model, "shell");
    let effects = press(&mut model, "ctrl-s");
    let [Effect::Work(id, job)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*job, asked("run -it --name shell acme/app:2.4.1"));
    let row = container("shell", Status::Created);
    let container = row.id.clone();
    let finish =
        Finish { text: "created shell".to_owned(), made: Some(Box::new(row)), image: None, opens: true };
    let effects = update(&mut model, Event::Finished(*id, Ok(finish)));
    assert_eq!(effects, [Effect::Open(TaskId(2), Target::In(container, Program::Start))]);
    assert_eq!(model.key_context(), KeyContext::Terminal);
}

#[test]
fn a_failure_is_told_with_its_reason_and_kept() {
    let mut model = full(80, 24);
    let id = model.container().unwrap().id.clone();
    press(&mut model, "s");
    let failure = Failure {
        what: "cannot stop `api`".to_owned(),
        why: vec!["its monitor does not answer".to_owned()],
        hint: Some("kill it".to_owned()),
    };
    update(&mut model, Event::Done(Effect::Container(ContainerVerb::Stop, id), Err(failure)));
    assert_eq!(model.container().unwrap().busy, None);
    assert!(screen(&model).contains("✗ cannot stop `api`: its monitor does not answer → kill it"));
    press(&mut model, "g !");
    assert!(screen(&model).contains("because its monitor does not answer"));
}

#[test]
fn leaving_asks_only_while_something_goes_on() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "Q"), [Effect::Quit]);
    press(&mut model, "e ctrl-]");
    assert_eq!(press(&mut model, "Q"), []);
    assert!(screen(&model).contains("Quit hoist?"));
    assert_eq!(press(&mut model, "y"), [Effect::Quit]);
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "ctrl-c"), []);
    assert_eq!(press(&mut model, "ctrl-c"), [Effect::Quit]);
}

#[test]
fn a_command_line_is_read_by_the_command_lines_own_grammar() {
    for (line, effect) in [
        ("stop -t 3 web", Some(asked("stop -t 3 web"))),
        ("run -d debian sleep 9", Some(asked("run -d debian sleep 9"))),
        ("images", None),
        ("run --nonsense x", None),
        ("frobnicate", None),
        ("logs 'unclosed", None),
    ] {
        let mut model = full(80, 24);
        press(&mut model, ":");
        write(&mut model, line);
        let mut effects = press(&mut model, "enter");
        assert_eq!(effects.pop(), Some(Effect::Save), "the line is remembered");
        assert_eq!(
            effects,
            effect.map(|job| Effect::Work(TaskId(1), job)).into_iter().collect::<Vec<_>>(),
            "{line}"
        );
        assert_eq!(
            model.failure().is_some(),
            !matches!(line.split(' ').next(), Some("stop" | "images")) && effects.is_empty(),
            "{line}"
        );
    }
    let mut model = full(80, 24);
    press(&mut model, ":");
    write(&mut model, "exec -it web env");
    assert!(matches!(press(&mut model, "enter").as_slice(), [Effect::Open(..), Effect::Save]));
    assert_eq!(model.container().unwrap().name, "web");
    press(&mut model, "ctrl-] :");
    write(&mut model, "res");
    press(&mut model, "tab");
    write(&mut model, "bat");
    press(&mut model, "tab enter");
    assert_eq!(model.saved.history.last().unwrap(), "restart batch");
}

#[test]
fn a_container_is_made_again_by_the_words_that_made_it() {
    let mut model = full(80, 24);
    let line = "hoist run -d -e 'MODE=a b' acme/app:2.4.1";
    assert_eq!(press(&mut model, "y c"), [Effect::Copy(line.to_owned())]);
    press(&mut model, "R");
    let effects = press(&mut model, "ctrl-s");
    assert_eq!(effects, [Effect::Work(TaskId(1), asked("run -d -e 'MODE=a b' acme/app:2.4.1"))]);
}

#[test]
fn a_new_container_is_of_the_selected_ones_image() {
    let mut model = full(80, 24);
    press(&mut model, "2 down"); // selects another image
    press(&mut model, "1 n");
    let effects = press(&mut model, "ctrl-s");
    assert_eq!(effects, [Effect::Work(TaskId(1), asked("run -it acme/app:2.4.1"))]);
}

#[test]
fn a_form_says_at_once_what_is_wrong() {
    let mut model = full(80, 24);
    press(&mut model, "2 r down down");
    write(&mut model, "=x");
    assert!(screen(&model).contains("✗ environment: invalid environment variable: =x"), "{}", screen(&model));
    assert_eq!(press(&mut model, "ctrl-s"), []);
}

#[test]
fn work_that_failed_stays_on_the_screen_with_its_reason() {
    let mut model = full(80, 24);
    press(&mut model, "2 p");
    write(&mut model, "nowhere/nothing");
    let effects = press(&mut model, "enter");
    assert_eq!(effects, [Effect::Work(TaskId(1), asked("pull nowhere/nothing"))]);
    let failure = Failure { what: "cannot pull".to_owned(), why: vec!["no route".to_owned()], hint: None };
    update(&mut model, Event::Finished(TaskId(1), Err(failure)));
    assert!(screen(&model).contains("because no route"));
    assert!(matches!(model.task(TaskId(1)).unwrap().state, TaskState::Failed(_)));
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn a_split_keeps_what_was_shown_and_the_new_half_follows_the_list() {
    let mut model = full(120, 40);
    let api = model.container().unwrap().clone();
    press(&mut model, "l ctrl-w v");
    assert_eq!((model.windows.count(), model.focus), (2, Focus::Detail));
    let pinned: Vec<_> = model.windows.all().map(|pane| pane.pinned.clone()).collect();
    assert_eq!(pinned, [Some(Subject::Container(api.id.clone())), None]);
    // Both are open, and the new one follows the list.
    press(&mut model, "ctrl-w k j");
    let logs: Vec<_> = model.wants().logs().into_iter().flat_map(|want| want.containers).collect();
    assert_eq!(logs, [api.id.clone(), model.containers.selected().unwrap().id.clone()]);
    press(&mut model, "t");
    assert_eq!(model.shown_tab(model.pane()), Tab::Top);
    assert_eq!(model.container().unwrap().name, "web");
    // A verb applies to the subject of the focused pane.
    press(&mut model, "ctrl-w h");
    assert_eq!(press(&mut model, ", p"), [Effect::Container(ContainerVerb::Pause, api.id)]);
    press(&mut model, "ctrl-w o ctrl-w p");
    assert_eq!((model.windows.count(), model.pane().pinned.clone()), (1, None));
}

#[test]
fn a_split_of_a_terminal_shows_another_tab_and_hoist_keeps_the_keys() {
    let mut model = full(120, 40);
    let api = model.container().unwrap().id.clone();
    press(&mut model, "e ctrl-]");
    for (split, back) in [("ctrl-w v", "ctrl-w h"), ("ctrl-w s", "ctrl-w k")] {
        assert_eq!(press(&mut model, split), [], "{split}");
        assert_eq!((model.pane().tab, model.key_context()), (Tab::Logs, KeyContext::Logs), "{split}");
        assert_eq!(model.subject(), Some(Subject::Container(api.clone())), "{split}");
        assert_eq!(press(&mut model, back), [], "{split}");
        assert_eq!((model.windows.count(), model.key_context()), (2, KeyContext::Released), "{split}");
        press(&mut model, "ctrl-w o");
    }
    assert_eq!(model.tasks.all().len(), 1);
    // Where the list is on another container, or the object has no other tab.
    press(&mut model, "q j tab ctrl-w v");
    assert_eq!(model.subject(), Some(Subject::Container(api)), "{}", screen(&model));
    let mut model = full(120, 40);
    press(&mut model, "e ctrl-] q 5 tab");
    assert_eq!(press(&mut model, "ctrl-w v"), []);
    assert_eq!((model.pane().tab, model.key_context()), (Tab::Session(TaskId(1)), KeyContext::Released));
}

#[test]
fn release_moves_between_terminals() {
    let mut model = full(120, 40);
    press(&mut model, "e ctrl-] ctrl-w v");
    assert!(matches!(press(&mut model, ", e").as_slice(), [Effect::Open(TaskId(2), _)]));
    assert_eq!(model.key_context(), KeyContext::Terminal);
    assert_eq!(model.wants().terminals.len(), 2);
    press(&mut model, "ctrl-] h enter");
    assert!(matches!(press(&mut model, "q").as_slice(), [Effect::Type(TaskId(1), _)]));
    assert!(matches!(press(&mut model, "ctrl-] ctrl-w s , e").as_slice(), [Effect::Open(TaskId(3), _)]));
    assert_eq!(press(&mut model, "ctrl-] d"), [Effect::Close(TaskId(3)), Effect::Load(Section::Tasks)]);
    assert_eq!((model.windows.count(), model.key_context()), (2, KeyContext::Released));
    press(&mut model, "?");
    assert!(!model.layers.is_empty());
    press(&mut model, "esc q");
    assert_eq!((model.focus, model.windows.count()), (Focus::List, 2));
}

#[test]
fn text_of_a_terminal_is_walked_over_searched_and_copied() {
    let mut model = full(120, 40);
    press(&mut model, "e");
    let task = TaskId(1);
    assert_eq!(press(&mut model, "ctrl-] ["), [Effect::Walk(task, Walk::Begin)]);
    assert_eq!(model.key_context(), KeyContext::Copy);
    assert_eq!(press(&mut model, "k"), [Effect::Walk(task, Walk::Move(Step::Up))]);
    press(&mut model, "/");
    write(&mut model, "err");
    assert_eq!(press(&mut model, "enter"), [Effect::Walk(task, Walk::Search("err".to_owned()))]);
    assert_eq!(press(&mut model, "V"), [Effect::Walk(task, Walk::Mark(Marked::Lines))]);
    assert_eq!(press(&mut model, "y"), [Effect::Walk(task, Walk::Copy)]);
    assert_eq!(model.key_context(), KeyContext::Released);
}

#[test]
fn the_mouse_over_a_terminal_is_its_own_and_a_drag_stays_with_it() {
    use crossterm::event::KeyModifiers;
    let mouse =
        |kind, column, row| Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    let mut model = full(120, 40);
    press(&mut model, "e ctrl-]");
    let (_, area) = model.panes()[0];
    let (down, drag) = (MouseEventKind::Down(MouseButton::Left), MouseEventKind::Drag(MouseButton::Left));
    let effects = update(&mut model, mouse(down, area.x + 3, area.y + 2));
    let [Effect::Point(TaskId(1), pointer)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((pointer.column, pointer.row, model.key_context()), (2, 1, KeyContext::Terminal));
    let effects = update(&mut model, mouse(drag, 0, 0));
    let [Effect::Point(_, pointer)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(pointer.column == 0 && pointer.row < 0, "{pointer:?}");
    update(&mut model, mouse(MouseEventKind::Up(MouseButton::Left), 0, 0));
    assert_eq!(update(&mut model, mouse(drag, 0, 0)), []);
}

#[test]
fn zoom_gives_the_window_to_all_panes_then_to_one() {
    let mut model = full(120, 40);
    press(&mut model, "l ctrl-w v z");
    assert!(model.layout().list.is_none() && model.panes().len() == 2);
    press(&mut model, "z");
    assert_eq!(model.panes().len(), 1);
    press(&mut model, "z");
    assert!(model.layout().list.is_some() && model.panes().len() == 2);
}

#[test]
fn a_number_changes_the_tab_of_the_pane_with_the_focus_in_its_place() {
    let mut model = full(80, 24);
    press(&mut model, "l ctrl-w v z z");
    assert_eq!((model.is_zoomed, model.windows.count()), (false, 2), "{}", screen(&model));
    press(&mut model, "2");
    assert_eq!((model.is_zoomed, model.pane().tab), (false, Tab::Stats), "{}", screen(&model));
}

#[test]
fn a_layout_is_kept_under_its_name_and_its_terminals_are_opened_anew() {
    let command = |model: &mut Model, line: &str| {
        if model.key_context() == KeyContext::Terminal {
            press(model, "ctrl-]");
        }
        press(model, ":");
        write(model, line);
        press(model, "enter")
    };
    let mut model = full(120, 40);
    press(&mut model, "e ctrl-] ctrl-w v , e ctrl-] ctrl-w s , e ctrl-]");
    assert_eq!(model.windows.count(), 3, "{}", screen(&model));
    assert!(command(&mut model, "layout save debug").contains(&Effect::Save));
    let saved = model.saved.clone();
    let mut model = full(120, 40);
    model.saved = saved;
    let effects = command(&mut model, "layout debug");
    let opened =
        effects.iter().filter(|effect| matches!(effect, Effect::Open(_, Target::In(_, Program::Shell))));
    assert_eq!((opened.count(), model.windows.count()), (3, 3));
    assert!(command(&mut model, "layout remove debug").contains(&Effect::Save));
    command(&mut model, "layout debug");
    assert!(model.notice.as_ref().unwrap().text.contains("no such layout: debug"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_keys_and_no_sizes_ever_panic_or_trap_the_user(
        steps in proptest::collection::vec((0..80_usize, 0_u16..210, 0_u16..62), 1..40),
    ) {
        const KEYS: [&str; 64] = [
            "j", "k", "g", "G", "d", "y", "D", "s", "p", "r", "K", "e", "a", "l", "S", "t", "i", "n", "N", "R",
            "M", "A", "1", "2", "3", "4", "5", "tab", "shift-tab", "enter", "esc", "q", "/", ":", "?", "z",
            "[", "]", ",", "space", "ctrl-]", "ctrl-d", "ctrl-u", "left", "right", "x",
            "ctrl-w v", "ctrl-w s", "ctrl-w q", "ctrl-w l", "ctrl-w k", "ctrl-w p", "ctrl-w x", "h", "ctrl-] [",
            "ctrl-w n", "g a", "g A", "ctrl-w h", "-", "+", "shift-tab g g", ", s", "G",
        ];
        let mut model = full(80, 24);
        for (at, width, height) in steps {
            match KEYS.get(at) {
                Some(key) => drop(press(&mut model, key)),
                None => drop(update(&mut model, Event::Resize(width, height))),
            }
            if model.size.0 > 0 && model.size.1 > 0 {
                screen(&model);
            }
            prop_assert!(model.next_tick().is_none_or(|tick| tick.as_millis() >= 10));
        }
        // Whatever was opened, releasing, closing and going back leads to a list.
        press(&mut model, "ctrl-]");
        if model.key_context() == KeyContext::Terminal {
            // That was the second press, which sends the key to the program.
            press(&mut model, "ctrl-]");
        }
        for _ in 0..8 {
            if model.key_context() == KeyContext::Terminal {
                press(&mut model, "ctrl-]");
            }
            press(&mut model, "esc");
        }
        prop_assert!(model.layers.is_empty() && model.focus == Focus::List, "{:?}", model.key_context());
    }
}

#[test]
fn a_long_notice_does_not_cover_the_next_page_or_dialog() {
    for keys in ["enter", "7", "?", "ctrl-p"] {
        let mut model = full(80, 24);
        model.say(Tone::Warning, "a message ".repeat(20), None);
        press(&mut model, "j");
        assert!(model.notice.is_some(), "it is still the same list");
        press(&mut model, keys);
        assert_eq!(model.notice, None, "{keys}");
        press(&mut model, "esc g !");
        assert!(screen(&model).contains("a message a message"), "{keys}: {}", screen(&model));
    }
}

#[test]
fn a_quiet_notice_does_not_go_along_to_another_place() {
    let mut model = full(80, 24);
    for (tone, stays) in [(Tone::Good, false), (Tone::Plain, false), (Tone::Warning, true), (Tone::Bad, true)]
    {
        press(&mut model, "1");
        model.say(tone, "copied", None);
        press(&mut model, "j");
        assert!(model.notice.is_some(), "{tone:?}");
        press(&mut model, "2");
        assert_eq!(model.notice.is_some(), stays, "{tone:?}");
        model.notice = None;
    }
}
