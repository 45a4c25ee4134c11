//! Terminals, and commands that run in containers without one: attaching, detaching, ending them
//! and starting them again; and what becomes of them when hoist quits.

use std::collections::HashSet;
use std::iter;

use jiff::Timestamp;

use crate::base::text;
use crate::base::units::counted;
use crate::command::join;
use crate::engine::{ContainerId, ExecId, ExecView};
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::effect::{Effect, Program, Target};
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::list::batch::Batch;
use crate::tui::model::{Focus, Model};
use crate::tui::section::{Section, TaskId};
use crate::tui::signals::model::{Receivers, SignalMenu};
use crate::tui::tasks::model::{Session, TaskRow, TaskState, What};

/// The programs of terminals that get a signal.
#[derive(Default)]
pub(super) struct Programs {
    /// Commands in containers, and programs of this machine.
    pub(super) sessions: Vec<(TaskId, Option<ExecId>)>,
    /// The containers whose main program is meant.
    pub(super) containers: Vec<ContainerId>,
    /// How many cannot get one yet.
    pub(super) opening: usize,
}

impl Programs {
    /// Sorts running terminals by what a signal reaches.
    pub(super) fn of(live: &[&TaskRow]) -> Self {
        let mut programs = Self::default();
        for (task, session) in live.iter().filter_map(|task| Some((task, task.session()?))) {
            match session.container() {
                Some(id) if session.is_main() => {
                    if !programs.containers.contains(id) {
                        programs.containers.push(id.clone());
                    }
                }
                _ if session.is_opening() => programs.opening += 1,
                _ => {
                    let exec = session.exec.as_ref().map(|exec| exec.id.clone());
                    programs.sessions.push((task.id, exec));
                }
            }
        }
        programs
    }
}

/// Asks which signal ends the programs of terminals; `ended` others were selected as well.
pub(crate) fn end(model: &mut Model, ids: &[TaskId], ended: usize) -> Vec<Effect> {
    if model.look.is_read_only {
        model.refuse("a signal may make changes");
        return Vec::new();
    }
    let live: Vec<&TaskRow> =
        ids.iter().filter_map(|id| model.task(*id)).filter(|task| !task.is_over()).collect();
    let Programs { sessions, containers, opening } = Programs::of(&live);
    let what = match (live.as_slice(), sessions.len() + containers.len()) {
        (_, 0) => {
            model.say(Tone::Plain, "it is still opening", None);
            return Vec::new();
        }
        ([task], _) => task.title.clone(),
        _ => [(sessions.len(), "program"), (containers.len(), "container")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| counted(count as u64, what))
            .collect::<Vec<_>>()
            .join(" and "),
    };
    let skipped = skipped(ended, opening).map_or_else(String::new, |text| format!("; skips {text}"));
    let title = format!("Send a signal to {what}{skipped}");
    let receivers = match sessions.is_empty() {
        true => Receivers::Containers(containers),
        false => Receivers::Sessions(sessions, containers),
    };
    model.open(SignalMenu::new(title, receivers));
    Vec::new()
}

/// `1 that has ended, 2 still opening`
pub(super) fn skipped(ended: usize, opening: usize) -> Option<String> {
    let have = if ended == 1 { "has" } else { "have" };
    let parts = [
        (ended > 0).then(|| format!("{ended} that {have} ended")),
        (opening > 0).then(|| format!("{opening} still opening")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Attaches to a command that runs in a container unseen.
pub(crate) fn attach(model: &mut Model, id: TaskId) -> Vec<Effect> {
    if model.look.is_read_only {
        return Vec::new();
    }
    let Some(session) = model.tasks.get_mut(&id.key()).and_then(TaskRow::session_mut) else {
        return Vec::new();
    };
    let Some(exec) = session.exec.clone().filter(|_| !session.is_attached) else { return Vec::new() };
    if !exec.tty {
        let key = model.keys_of(KeyContext::Released, Action::CancelTask);
        model.say(Tone::Plain, "it has no terminal to attach to", Some(format!("press {key} to end it")));
        return Vec::new();
    }
    session.is_attached = true;
    vec![Effect::Open(id, Target::In(exec.container, Program::Running(exec.id)))]
}

/// Starts the program of a terminal again, after it has ended.
pub(crate) fn again(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let now = model.now;
    let Some(task) = model.tasks.get_mut(&id.key()) else { return Vec::new() };
    let is_over = task.is_over();
    let Some(session) = task.session_mut() else { return Vec::new() };
    if !is_over || !session.is_ours() {
        let text = if is_over { "it was started elsewhere" } else { "it is still running" };
        model.say(Tone::Plain, text, None);
        return Vec::new();
    }
    session.exec = None;
    let target = session.target.clone();
    (task.state, task.since, task.until) = (TaskState::Live, now, None);
    if model.focus == Focus::Detail {
        model.typing = Some(id);
    }
    vec![Effect::Close(id), Effect::Open(id, target)]
}

/// Detaches from a terminal's program, which keeps running: a command in a container unseen, a
/// program of this machine in its hidden terminal.
pub(crate) fn detach(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let Some(task) = model.tasks.get_mut(&id.key()) else { return Vec::new() };
    let text = format!("detached from {}", task.title);
    let keys = model.keymap.keys_of(KeyContext::Global, Action::GoTasks).unwrap_or_default();
    let hint = format!("press {keys} to see it in Tasks");
    let Some(session) = task.session_mut() else { return Vec::new() };
    if session.is_on_host() {
        model.say(Tone::Plain, text, Some(hint));
        return Vec::new();
    }
    if session.exec.is_some() {
        session.is_attached = false;
        model.say(Tone::Plain, text, Some(hint));
    } else {
        // What it ran is found again, if that was a command.
        model.tasks.take(&id.key());
        model.say(Tone::Plain, text, None);
        return vec![Effect::Close(id), Effect::Load(Section::Tasks)];
    }
    vec![Effect::Close(id)]
}

/// Whether anything goes on that ends or is left behind when hoist quits.
#[must_use]
pub(crate) fn has_work(model: &Model) -> bool {
    !model.batches.is_empty() || model.tasks.all().iter().any(is_left)
}

fn is_left(task: &TaskRow) -> bool {
    !task.is_over() && !task.is_unseen()
}

/// Quits hoist. If terminals are open or jobs are running, asks first, and says what ends and what
/// keeps running.
pub(crate) fn quit(model: &mut Model) -> Vec<Effect> {
    let told = |task: &TaskRow| {
        let what = match task.session() {
            None => "will be cancelled",
            Some(session) if session.is_on_host() => "will be terminated (SIGHUP)",
            Some(session) if session.is_main() => "the container keeps running",
            Some(_) => "keeps running",
        };
        format!("{} · {what}", task.title)
    };
    let left: Vec<&TaskRow> = model.tasks.all().iter().filter(|task| is_left(task)).collect();
    if !has_work(model) {
        return vec![Effect::Quit];
    }
    let is_shell = |session: &Session| !session.is_on_host() && !session.is_main();
    let keeps = left.iter().any(|task| task.session().is_some_and(is_shell));
    let mut notes = Vec::new();
    if keeps {
        let keys = model.keys_of(KeyContext::Global, Action::GoTasks);
        notes.push(format!(
            "Shells that keep running are listed in Tasks ({keys}), where you can attach to them or end them."
        ));
    }
    if left.iter().any(|task| task.session().is_none()) {
        notes.push("Layers that have been pulled are kept.".to_owned());
    }
    if !model.batches.is_empty() {
        notes.push("Actions that have not started are cancelled.".to_owned());
    }
    let mut items: Vec<String> = left.into_iter().map(told).collect();
    items.extend(model.batches.iter().map(Batch::progress));
    model.open(Confirm {
        title: "Quit hoist?".to_owned(),
        items,
        notes,
        yes: "quit",
        no: "stay",
        effects: vec![Effect::Quit],
        top: 0,
    });
    Vec::new()
}

/// A command in a container was started for a terminal.
pub(crate) fn opened(model: &mut Model, id: TaskId, exec: ExecView) -> Vec<Effect> {
    if let Some(session) = model.tasks.get_mut(&id.key()).and_then(TaskRow::session_mut) {
        session.exec = Some(exec);
    }
    vec![Effect::Load(Section::Tasks)]
}

/// Lists the commands that are running in containers, besides those with a terminal here.
pub(crate) fn found(model: &mut Model, execs: Vec<ExecView>) {
    let known: Vec<(ExecId, TaskId, bool)> = model
        .tasks
        .all()
        .iter()
        .filter_map(|task| {
            let exec = task.session()?.exec.as_ref()?;
            Some((exec.id.clone(), task.id, task.is_unseen() && !task.is_over()))
        })
        .collect();
    for (exec, id, is_unseen) in &known {
        if *is_unseen && !execs.iter().any(|found| found.id == *exec) {
            model.tasks.take(&id.key());
        }
    }
    // Which of a container's commands belong to a terminal that is being opened is known soon.
    let opening: Vec<ContainerId> = model
        .tasks
        .all()
        .iter()
        .filter(|task| !task.is_over())
        .filter_map(|task| task.session().filter(|session| session.is_opening())?.container().cloned())
        .collect();
    // Nothing that was started elsewhere moves the cursor away from a task that the user chose.
    let chosen = model.tasks.selected().filter(|_| model.tasks.cursor() > 0).map(|task| task.key.clone());
    for exec in execs {
        let is_known = known.iter().any(|(id, ..)| *id == exec.id);
        if !is_known && !opening.contains(&exec.container) {
            let (id, since) = (model.new_task(), exec.started.unwrap_or(model.now));
            let title = found_title(model, &exec);
            list_session(model, (id, since), &title, Session::found(exec));
        }
    }
    chosen.into_iter().for_each(|key| model.tasks.expect(&key));
}

/// Adds a task to the list. The cursor moves to it, unless the list is on display.
pub(super) fn list(model: &mut Model, row: TaskRow) {
    let key = row.key.clone();
    model.tasks.put(row);
    if model.section != Section::Tasks {
        model.tasks.expect(&key);
    }
}

/// Lists a session. Others of the same name get a number, which stays with each: `web: sh 2`.
pub(crate) fn list_session(
    model: &mut Model,
    (id, since): (TaskId, Timestamp),
    name: &str,
    mut session: Session,
) {
    let is_taken =
        |title: &str| model.tasks.all().iter().any(|task| task.session().is_some() && task.title == title);
    session.number = free_number(name, 1.., is_taken);
    let title = numbered(name, session.number);
    list(model, TaskRow::new(id, title, since, What::Session(Box::new(session))));
}

/// Returns the first of `numbers` with which no other session has this name.
fn free_number(
    name: &str,
    mut numbers: impl Iterator<Item = usize>,
    is_taken: impl Fn(&str) -> bool,
) -> usize {
    numbers.find(|number| !is_taken(&numbered(name, *number))).unwrap_or(1)
}

fn numbered(name: &str, number: usize) -> String {
    if number > 1 { format!("{name} {number}") } else { name.to_owned() }
}

/// Updates the titles of commands whose container has been read since, or renamed. Each keeps its
/// number, unless another session has the new name with that number.
pub(crate) fn name_found(model: &mut Model) {
    let (mut taken, mut renamed) = (HashSet::new(), Vec::new());
    for task in model.tasks.all() {
        let Some(session) = task.session() else { continue };
        let exec = session.exec.as_ref().filter(|_| !session.is_ours());
        let name = exec.map(|exec| found_title(model, exec));
        match name.filter(|name| numbered(name, session.number) != task.title) {
            Some(name) => renamed.push((task.key.clone(), name, session.number)),
            None => drop(taken.insert(task.title.clone())),
        }
    }
    for (key, name, before) in renamed {
        let number = free_number(&name, iter::once(before).chain(1..), |title| taken.contains(title));
        let title = numbered(&name, number);
        taken.insert(title.clone());
        let Some(task) = model.tasks.get_mut(&key) else { continue };
        task.title = title;
        task.session_mut().into_iter().for_each(|session| session.number = number);
    }
}

/// `web: sh -l`, `web: sh (app)`
fn found_title(model: &Model, exec: &ExecView) -> String {
    let name = model.last_name(&exec.container);
    let user = exec.user.as_ref().map_or_else(String::new, |user| format!(" ({user})"));
    text::line(&format!("{name}: {}{user}", join(&exec.command))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ExecStatus;
    use crate::tui::event::Event;
    use crate::tui::fixture::{exec, full, keys_line, press, screen};
    use crate::tui::model::titles::tab_name;
    use crate::tui::navigator::model::Spot;
    use crate::tui::reading::Listed;
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    fn listed(model: &mut Model, execs: &[&ExecView]) {
        let execs = execs.iter().map(|exec| (*exec).clone()).collect();
        update(model, Event::List(Ok(Listed::Tasks(execs))));
    }

    #[test]
    fn shells_of_one_container_have_different_names_that_stay() {
        let mut model = full(120, 40);
        for _ in 0..3 {
            press(&mut model, "e ctrl-] q");
        }
        assert_eq!(titles(&model), ["api: shell 3", "api: shell 2", "api: shell"]);
        let names = |model: &Model| -> Vec<String> {
            let tabs = model.tabs(model.pane()).into_iter();
            tabs.filter(|tab| matches!(tab, Tab::Session(_))).map(|tab| tab_name(model, tab)).collect()
        };
        assert_eq!(names(&model), ["shell", "shell 2", "shell 3"]);
        // The numbers of the others stay, and the free one is taken next.
        model.tasks.take(&TaskId(2).key());
        assert_eq!(names(&model), ["shell", "shell 3"]);
        press(&mut model, "e ctrl-] q");
        assert_eq!(names(&model), ["shell", "shell 3", "shell 2"]);
        assert!(screen(&model).contains("shell 2]"), "{}", screen(&model));

        // Commands that were found, also after their container is renamed.
        let mut model = full(80, 24);
        let api = model.containers.all()[0].id.clone();
        listed(&mut model, &[&exec(1, &api, "sh", true), &exec(2, &api, "sh", true)]);
        assert_eq!(titles(&model), ["api: sh (app) 2", "api: sh (app)"]);
        let mut renamed = model.containers.all()[0].clone();
        "front".clone_into(&mut renamed.name);
        update(&mut model, Event::List(Ok(Listed::Containers(vec![renamed]))));
        listed(&mut model, &[&exec(1, &api, "sh", true), &exec(2, &api, "sh", true)]);
        assert_eq!(titles(&model), ["front: sh (app) 2", "front: sh (app)"]);
    }

    #[test]
    fn a_command_whose_name_is_found_later_gets_a_number_that_is_free() {
        let mut model = full(80, 24);
        let mut web = model.containers.all()[0].clone();
        web.id = "ef".repeat(32).parse().unwrap();
        "web2".clone_into(&mut web.name);
        let [first, second] = [1, 2].map(|number| exec(number, &web.id, "sh", true));
        listed(&mut model, &[&first]);
        assert_eq!(titles(&model), ["efefefefefef: sh (app)"]);
        update(&mut model, Event::Container(web.id.clone(), Some(Box::new(web))));
        // The name is known to the second at once, and to the first after it.
        listed(&mut model, &[&first, &second]);
        assert_eq!(titles(&model), ["web2: sh (app)", "web2: sh (app) 2"]);
        listed(&mut model, &[&first, &second]);
        assert_eq!(titles(&model), ["web2: sh (app)", "web2: sh (app) 2"]);
    }

    fn titles(model: &Model) -> Vec<&str> {
        model.tasks.all().iter().map(|task| task.title.as_str()).collect()
    }

    #[test]
    fn what_runs_unseen_is_listed_until_it_has_exited() {
        let mut model = full(80, 24);
        let api = model.container().unwrap().id.clone();
        let (shell, job) = (exec(1, &api, "sh -l", true), exec(2, &api, "backup --all", false));
        listed(&mut model, &[&shell, &job]);
        listed(&mut model, &[&shell, &job]);
        assert_eq!(titles(&model), ["api: backup --all (app)", "api: sh -l (app)"]);
        press(&mut model, "5 j");
        assert!(screen(&model).contains("running"), "{}", screen(&model));
        assert!(keys_line(&model, 80).contains("↵ attach"), "{}", keys_line(&model, 80));
        press(&mut model, "k");
        assert!(keys_line(&model, 80).contains("↵ open"), "{}", keys_line(&model, 80));
        listed(&mut model, &[&job]);
        assert_eq!(titles(&model), ["api: backup --all (app)"]);
        // It has no terminal, so there is nothing to attach to.
        assert_eq!(press(&mut model, "enter"), []);
        assert!(screen(&model).contains("It has no terminal"));
        assert_eq!(press(&mut model, "enter"), []);
        assert_eq!(model.key_context(), KeyContext::Released);
    }

    #[test]
    fn a_shell_that_was_left_is_attached_to_again_and_ended() {
        let mut model = full(80, 24);
        let api = model.container().unwrap().id.clone();
        let shell = exec(1, &api, "sh", true);
        // One that hoist is opening is not listed twice.
        press(&mut model, "e");
        listed(&mut model, &[&shell]);
        assert_eq!(titles(&model), ["api: shell"]);
        let opened = Event::Opened(TaskId(1), Box::new(shell.clone()));
        assert_eq!(update(&mut model, opened), [Effect::Load(Section::Tasks)]);
        listed(&mut model, &[&shell]);
        assert_eq!(press(&mut model, "ctrl-p ctrl-q"), [Effect::Close(TaskId(1))]);
        assert!(screen(&model).contains("detached from api: shell"), "{}", screen(&model));
        listed(&mut model, &[&shell]);
        assert_eq!(titles(&model), ["api: shell"]);
        assert_eq!(press(&mut model, "Q"), [Effect::Quit], "nothing of it ends with hoist");
        let attach = Effect::Open(TaskId(1), Target::In(api.clone(), Program::Running(shell.id.clone())));
        assert_eq!(press(&mut model, "5 enter"), std::slice::from_ref(&attach));
        assert_eq!((model.section, model.key_context()), (Section::Containers, KeyContext::Released));
        press(&mut model, "enter");
        assert_eq!(model.key_context(), KeyContext::Terminal);
        press(&mut model, "ctrl-] q");
        assert_eq!((model.section, model.focus), (Section::Tasks, Focus::List), "where it was opened");
        // After another page of the container, it is not the way back.
        press(&mut model, "enter 1 q");
        assert_eq!(model.section, Section::Containers);
        press(&mut model, "5 enter enter ctrl-] d");
        assert_eq!((model.section, model.focus), (Section::Tasks, Focus::List));
        // Also from the container's page.
        press(&mut model, "1 l 6");
        assert_eq!(model.shown_tab(model.pane()), Tab::Session(TaskId(1)));
        assert_eq!(press(&mut model, "enter"), [attach]);
        press(&mut model, "ctrl-] K");
        assert!(screen(&model).contains("Send a signal to api: shell"), "{}", screen(&model));
        let signal = Effect::SignalSession(TaskId(1), Some(shell.id.clone()), "SIGHUP".to_owned());
        assert_eq!(press(&mut model, "enter"), std::slice::from_ref(&signal));
        assert_eq!(update(&mut model, Event::Done(signal, Ok(()))), [Effect::Load(Section::Tasks)]);
        update(&mut model, Event::Ended(TaskId(1), Ok(Some(129))));
        assert!(screen(&model).contains("api: shell · exit 129"), "{}", screen(&model));
    }

    #[test]
    fn of_a_containers_main_program_the_containers_signals_are_offered() {
        let mut model = full(80, 24);
        let api = model.container().unwrap().id.clone();
        press(&mut model, "a ctrl-] K");
        let kill = crate::tui::effect::ContainerVerb::Kill("SIGTERM".to_owned());
        assert_eq!(press(&mut model, "enter"), [Effect::Container(kill, api)]);
    }

    #[test]
    fn leaving_says_what_stays_and_what_ends() {
        let mut model = full(80, 24);
        let api = model.container().unwrap().id.clone();
        press(&mut model, "e");
        update(&mut model, Event::Opened(TaskId(1), Box::new(exec(1, &api, "sh", true))));
        press(&mut model, "ctrl-] q a ctrl-] q");
        listed(&mut model, &[&exec(1, &api, "sh", true), &exec(2, &api, "job", false)]);
        press(&mut model, "ctrl-c");
        let shown = screen(&model);
        for text in [
            "Quit hoist?",
            "api: shell · keeps running",
            "api: attach · the container keeps running",
            "listed in Tasks",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!shown.contains("job ·"), "what runs unseen is not touched: {shown}");
        assert_eq!(press(&mut model, "y"), [Effect::Quit]);
    }

    #[test]
    fn on_a_narrow_screen_the_name_is_shortened_and_not_what_becomes_of_it() {
        let mut model = full(40, 12);
        press(&mut model, "e ctrl-]");
        model.tasks.get_mut("1").unwrap().title = "a-container-with-a-long-name: shell".to_owned();
        press(&mut model, "Q");
        assert!(screen(&model).contains("… · keeps running "), "{}", screen(&model));
    }

    /// Opens a terminal at each place, and leaves it in each way.
    #[test]
    fn a_terminal_is_left_to_where_it_was_opened() {
        let in_navigator = |model: &mut Model| {
            press(model, "e ctrl-] q 2 ctrl-w h");
            assert_eq!(model.focus, Focus::Navigator);
            while *model.navigator.under() != Spot::Task(TaskId(1)) {
                press(model, "down");
            }
            press(model, "enter");
        };
        let on = |keys: &'static str| move |model: &mut Model| drop(press(model, keys));
        type Keys<'a> = &'a dyn Fn(&mut Model);
        type Place<'a> = (&'a str, Keys<'a>, (Section, Focus, Option<Tab>));
        let places: [Place<'_>; 5] = [
            ("the list", &on("e ctrl-]"), (Section::Containers, Focus::List, None)),
            ("a page", &on("l 2 , e ctrl-]"), (Section::Containers, Focus::Detail, Some(Tab::Stats))),
            ("Tasks", &on("e ctrl-] q 5 enter"), (Section::Tasks, Focus::List, None)),
            ("the navigator", &in_navigator, (Section::Images, Focus::Navigator, None)),
            (
                "a terminal that was opened on a page",
                &on("l 2 , e ctrl-] , e ctrl-]"),
                (Section::Containers, Focus::Detail, Some(Tab::Stats)),
            ),
        ];
        let ended = |model: &mut Model| {
            let Tab::Session(id) = model.shown_tab(model.pane()) else { panic!("no terminal") };
            update(model, Event::Ended(id, Ok(Some(0))));
            let close = model.keys_of(KeyContext::Ended, Action::CloseTab);
            press(model, &close);
        };
        let ways: [(&str, Keys<'_>); 3] = [("left", &on("q")), ("detached", &on("d")), ("closed", &ended)];
        for (place, open, (section, focus, tab)) in places {
            for (way, leave) in ways {
                let mut model = full(200, 60);
                open(&mut model);
                assert_eq!(model.focus, Focus::Detail, "{place}, {way}");
                leave(&mut model);
                assert_eq!((model.section, model.focus), (section, focus), "{place}, {way}");
                let shown = model.shown_tab(model.pane());
                assert!(tab.is_none_or(|tab| tab == shown), "{place}, {way}: {shown:?}");
                // From a page, the way goes on to the list.
                press(&mut model, "q q");
                assert_ne!(model.focus, Focus::Detail, "{place}, {way}");
            }
        }
    }

    #[test]
    fn the_cursor_of_tasks_begins_at_the_newest_and_stays_where_it_is_put() {
        let selected = |model: &Model| model.tasks.selected().unwrap().title.clone();
        let mut model = full(80, 24);
        press(&mut model, "e ctrl-] q e ctrl-] q 5");
        assert_eq!(selected(&model), "api: shell 2");
        press(&mut model, "1 e ctrl-] q 5");
        assert_eq!(selected(&model), "api: shell 3");
        press(&mut model, "down");
        let api = model.containers.all()[0].id.clone();
        for section in ["5", "1"] {
            press(&mut model, section);
            listed(&mut model, &[&exec(1, &api, "job", false)]);
            listed(&mut model, &[&exec(1, &api, "job", false), &exec(2, &api, "other", false)]);
            assert_eq!(selected(&model), "api: shell 2", "what others start does not move it");
        }
        press(&mut model, "1 e ctrl-] q 5");
        assert_eq!(selected(&model), "api: shell 4");
    }

    #[test]
    fn in_read_only_mode_nothing_is_attached_to_or_ended() {
        let mut model = full(80, 24);
        let api = model.container().unwrap().id.clone();
        let shell = exec(1, &api, "sh", true);
        listed(&mut model, &[&shell]);
        model.look.is_read_only = true;
        assert_eq!(press(&mut model, "5 enter enter"), []);
        assert!(model.tasks.all()[0].is_unseen());
        assert_eq!(press(&mut model, "K enter"), []);
        assert!(matches!(shell.status, ExecStatus::Running(_)));
    }
}
