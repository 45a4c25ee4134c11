//! Background tasks: starting, watching, reading, cancelling and retrying them.

pub(crate) mod session;

use jiff::SignedDuration;

use crate::base::units::counted;
use crate::command::{Request, join};
use crate::engine::{ContainerId, SaveLog};
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::effect::{ContainerVerb, Effect, Job};
use crate::tui::failure::Tone;
use crate::tui::form::model::shown_words;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{OutputPage, ProgressPage, RowPlace, TaskRow, TaskState, What, Work};
use crate::tui::tasks::output::Window;
use crate::tui::update::copy;
use crate::tui::update::viewer::slide;
use session::Programs;

/// The maximum number of ended tasks in the list; the oldest are dropped first.
const ENDED: usize = 100;

/// Starts a job in the background and shows its progress.
pub(crate) fn work(model: &mut Model, title: &str, job: Job) -> Effect {
    let id = TaskId(model.next_task);
    model.open(ProgressPage { id, runs: false });
    quiet_work(model, title, job)
}

/// Starts a job in the background.
pub(crate) fn quiet_work(model: &mut Model, title: &str, job: Job) -> Effect {
    let id = model.new_task();
    let mut row = TaskRow::new(id, masked(title), model.now, What::Work(Work::default()));
    row.job = Some(job.clone());
    session::list(model, row);
    let ended: Vec<String> =
        model.tasks.all().iter().filter(|task| task.is_over()).map(|task| task.key.clone()).collect();
    for key in ended.iter().skip(ENDED) {
        model.tasks.take(key);
    }
    Effect::Work(id, job)
}

/// Masks secrets in a title for display.
fn masked(title: &str) -> String {
    let words = crate::command::split(title).unwrap_or_default();
    shown_words(&words)
}

/// Runs hoist itself with `words` as its arguments, and shows the output.
pub(crate) fn print(model: &mut Model, words: Vec<String>, request: Request) -> Vec<Effect> {
    let id = TaskId(model.next_task);
    model.open(OutputPage::new(id));
    vec![quiet_work(model, &join(&words), Job::Print(words, Box::new(request)))]
}

/// How soon output must be complete to be read from its beginning. Of a program that went on for
/// longer, the end was followed.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(3);

/// Shows what a command of hoist itself printed at once from its beginning, as `less` does.
pub(crate) fn read_from_the_top(model: &mut Model, id: TaskId) {
    let is_short = |task: &TaskRow| {
        let took = task.until.map(|until| until.duration_since(task.since));
        matches!(task.job, Some(Job::Print(..))) && took.is_some_and(|took| took < AT_ONCE)
    };
    if let Some(Layer::Output(reading)) = model.layers.last_mut()
        && reading.id == id
        && model.tasks.get(&id.key()).is_some_and(is_short)
    {
        reading.top.get_or_insert(RowPlace::line(0));
    }
}

/// Applies `action` to the marked or selected tasks; `None` if it is not such an action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    use Action as A;
    if !matches!(action, A::ClearTasks | A::CancelTask | A::RetryTask | A::TaskOutput | A::Open) {
        return None;
    }
    if action == Action::Open {
        return enter(model);
    }
    model.tasks.end_range();
    let targets: Vec<TaskRow> = model.target_rows(&model.tasks).into_iter().cloned().collect();
    let (over, live): (Vec<&TaskRow>, Vec<&TaskRow>) = targets.iter().partition(|task| task.is_over());
    match action {
        Action::ClearTasks => return Some(clear(model)),
        Action::CancelTask => return Some(cancel(model, &live, over.len())),
        Action::RetryTask if over.is_empty() => model.say(Tone::Plain, "it is still running", None),
        Action::RetryTask if over.iter().all(|task| task.has_written()) => {
            model.say(Tone::Plain, "the file has already been written", None);
        }
        Action::RetryTask => {
            let again = over.iter().filter(|task| !task.has_written()).map(|task| task.id);
            return Some(again.flat_map(|id| retry(model, id)).collect());
        }
        _ => match model.subject() {
            Some(Subject::Task(id)) => read(model, id),
            _ => model.say(Tone::Plain, "no task is selected", None),
        },
    }
    Some(Vec::new())
}

/// Cancels a job, or asks which signal ends the programs of terminals; asks once if there are several
/// tasks with jobs among them. `ended` others were selected as well.
fn cancel(model: &mut Model, live: &[&TaskRow], ended: usize) -> Vec<Effect> {
    let ids: Vec<TaskId> = live.iter().map(|task| task.id).collect();
    match ids.as_slice() {
        [] => model.say(Tone::Plain, "nothing is running", None),
        _ if live.iter().all(|task| task.session().is_some()) => return session::end(model, &ids, ended),
        [id] => return stop(model, *id),
        _ => ask_cancel(model, live, ended),
    }
    Vec::new()
}

/// Asks before several tasks are ended: jobs are cancelled, and programs get a signal.
fn ask_cancel(model: &mut Model, live: &[&TaskRow], ended: usize) {
    let (jobs, terminals): (Vec<&TaskRow>, Vec<&TaskRow>) =
        live.iter().partition(|task| task.session().is_none());
    if model.look.is_read_only && !terminals.is_empty() {
        model.refuse("a signal may make changes");
        return;
    }
    let Programs { sessions, containers, opening } = Programs::of(&terminals);
    let count = jobs.len() + sessions.len() + containers.len();
    let (verb, yes) = if terminals.is_empty() { ("Cancel", "cancel them") } else { ("End", "end them") };
    let title = |id: &TaskId| model.task(*id).map_or_else(String::new, |task| task.title.clone());
    let name = |id: &ContainerId| {
        model.containers.get(id.as_str()).map_or_else(|| id.short().to_owned(), |row| row.name.clone())
    };
    let mut items: Vec<String> = jobs.iter().map(|task| format!("{} · cancelled", task.title)).collect();
    items.extend(sessions.iter().map(|(id, _)| format!("{} · SIGHUP", title(id))));
    items.extend(containers.iter().map(|id| format!("{} · SIGTERM to the container", name(id))));
    let mut effects: Vec<Effect> = jobs.iter().map(|task| Effect::Cancel(task.id)).collect();
    let hang_up = |(id, exec)| Effect::SignalSession(id, exec, "SIGHUP".to_owned());
    effects.extend(sessions.into_iter().map(hang_up));
    let kill = |id| Effect::Container(ContainerVerb::Kill("SIGTERM".to_owned()), id);
    effects.extend(containers.into_iter().map(kill));
    let notes = session::skipped(ended, opening).map(|text| format!("Skips {text}."));
    model.open(Confirm {
        title: format!("{verb} {}?", counted(count as u64, "task")),
        items,
        notes: notes.into_iter().collect(),
        yes,
        no: "let them run",
        effects,
        top: 0,
    });
}

/// Removes finished tasks from the list: the marked ones, or all.
fn clear(model: &mut Model) -> Vec<Effect> {
    let marked: Vec<TaskId> = model.tasks.marked().into_iter().map(|task| task.id).collect();
    let is_meant = |task: &&TaskRow| task.is_over() && (marked.is_empty() || marked.contains(&task.id));
    let over: Vec<TaskId> = model.tasks.all().iter().filter(is_meant).map(|task| task.id).collect();
    if over.is_empty() {
        model.say(Tone::Plain, "no finished tasks", None);
    }
    for id in &over {
        model.tasks.take(&id.key());
    }
    over.into_iter().map(Effect::Close).collect()
}

/// Runs a task's job again.
fn retry(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let Some(task) = model.task(id) else { return Vec::new() };
    match (&task.job, task.is_over()) {
        (Some(job), true) => {
            let (title, job) = (task.title.clone(), job.clone());
            match job {
                Job::Print(words, request) => print(model, words, *request),
                // The file may be there by now.
                Job::SaveLog(save) => {
                    vec![Effect::TrySave(Box::new(SaveLog { overwrites: false, ..*save }))]
                }
                // Nothing is deleted without a confirmation.
                Job::Delete(place, folder, names) => {
                    crate::tui::files::update::ask_delete(model, (place, folder, names));
                    Vec::new()
                }
                job => vec![quiet_work(model, &title, job)],
            }
        }
        (Some(_), false) => {
            model.say(Tone::Plain, "it is still running", None);
            Vec::new()
        }
        (None, _) => session::again(model, id),
    }
}

/// Shows the output of a task, or its terminal.
pub(crate) fn read(model: &mut Model, id: TaskId) {
    let Some(task) = model.task(id) else { return };
    let Some(session) = task.session() else {
        model.open(OutputPage::new(id));
        return;
    };
    let container = session.container().cloned().filter(|_| session.has_terminal());
    model.jumps.leave(model.spot());
    let origin = model.origin_of(id);
    if let Some(container) = container {
        model.shows_all = true;
        model.containers.filter.clear();
        model.section = Section::Containers;
        model.settle();
        if model.containers.select_key(container.as_str()) {
            model.show_tab(Tab::Session(id));
            model.origin = Some(origin);
            return;
        }
    }
    model.section = Section::Tasks;
    model.tasks.select_key(&id.key());
    model.show_tab(Tab::Session(id));
    model.origin = Some(origin);
}

/// Shows the progress of a task: its layers if there are any, otherwise its output.
pub(crate) fn open(model: &mut Model, id: TaskId) {
    let has_parts =
        model.task(id).is_some_and(|task| matches!(&task.what, What::Work(work) if !work.parts.is_empty()));
    if has_parts {
        model.open(ProgressPage { id, runs: false });
    } else {
        read(model, id);
    }
}

/// Opens the selected task; attaches to a command that runs unseen. `None` for jobs.
fn enter(model: &mut Model) -> Option<Vec<Effect>> {
    let id = model.tasks.selected().filter(|task| task.session().is_some()).map(|task| task.id)?;
    let effects = match model.task(id).and_then(TaskRow::session) {
        Some(session) if session.has_terminal() => session::attach(model, id),
        _ => Vec::new(),
    };
    read(model, id);
    Some(effects)
}

/// Cancels a job, or detaches from a terminal's program.
pub(crate) fn stop(model: &mut Model, id: TaskId) -> Vec<Effect> {
    match model.tasks.get_mut(&id.key()) {
        Some(task) if matches!(task.what, What::Work(_)) => {
            task.state = TaskState::Stopping;
            vec![Effect::Cancel(id)]
        }
        Some(_) => session::detach(model, id),
        None => Vec::new(),
    }
}

/// Closes the progress page of the task `id`.
pub(crate) fn close_progress(model: &mut Model, id: TaskId) {
    model.layers.retain(|layer| !matches!(layer, Layer::Progress(page) if page.id == id));
}

/// Applies `action` to the page of a task's progress.
pub(crate) fn watch(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Progress(watch)) = model.layers.last_mut() else { return Vec::new() };
    let id = watch.id;
    let is_live = model.tasks.get(&id.key()).is_some_and(|task| !task.is_over() && task.makes_image());
    match action {
        Action::RunWhenDone if is_live => {
            watch.runs = !watch.runs;
            return Vec::new();
        }
        Action::TaskOutput => {
            model.layers.pop();
            read(model, id);
            return Vec::new();
        }
        Action::Cancel if model.task(id).is_some_and(|task| !task.is_over()) => return stop(model, id),
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// Applies `action` to the page of a task's output, whose end is `farthest` columns to the right.
pub(crate) fn reading(model: &mut Model, action: Action, farthest: usize) -> Vec<Effect> {
    let Some(Layer::Output(reading)) = model.layers.last() else { return Vec::new() };
    let reading = **reading;
    let Some((task, window)) = model.task(reading.id).zip(Window::of(model, reading)) else {
        model.layers.pop();
        return Vec::new();
    };
    let is_over = task.is_over();
    let scrolled = window.scrolled(reading, action);
    let page = match action {
        _ if scrolled.is_some() => scrolled.unwrap_or(reading),
        Action::Left => OutputPage { left: slide(model, reading.left, -8, 0), ..reading },
        Action::Right => OutputPage { left: slide(model, reading.left, 8, farthest), ..reading },
        Action::Wrap => OutputPage {
            wraps: !reading.wraps,
            left: 0,
            top: reading.top.map(|_| RowPlace::line(window.top(reading).line)),
            ..reading
        },
        Action::CopyShown => {
            let (count, text) = (window.lines.len(), window.lines.join("\n"));
            let effects = copy::text(model, text);
            model.say(Tone::Good, format!("copied {}", counted(count as u64, "line")), None);
            return effects;
        }
        Action::Cancel | Action::CancelTask if !is_over => return stop(model, reading.id),
        Action::CancelTask => return Vec::new(),
        Action::RetryTask => {
            if is_over {
                model.layers.pop();
            }
            return retry(model, reading.id);
        }
        _ => {
            model.layers.pop();
            return Vec::new();
        }
    };
    if let Some(Layer::Output(slot)) = model.layers.last_mut() {
        **slot = page;
    }
    Vec::new()
}

/// Runs a container; `words` are its title. The progress is only shown if an image is pulled.
pub(crate) fn run(model: &mut Model, words: &[String], request: Request) -> Vec<Effect> {
    (model.section, model.origin) = (Section::Containers, None);
    model.leave_panes();
    vec![quiet_work(model, &join(words), Job::Request(Box::new(request)))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::{Event, Finish};
    use crate::tui::failure::Failure;
    use crate::tui::fixture::{asked, exec, full, keys_line, now, press, printed, screen, write};
    use crate::tui::section::Section;
    use crate::tui::update::update;

    fn line(model: &mut Model, text: &str) -> Vec<Effect> {
        press(model, ":");
        write(model, text);
        press(model, "enter")
    }

    #[test]
    fn everything_of_the_command_line_is_done_from_the_line() {
        for text in [
            "ps -aq",
            "ps --filter name=web",
            "images --digests",
            "history debian:13",
            "info",
            "version",
            "events --since 5m",
            "stats --no-stream",
            "logs --tail 5 web",
            "top web aux",
            "wait web",
            "network ls -q",
            "volume ls -q",
            "inspect --format x web",
            "inspect nothing",
            "run --rm debian ls",
            "exec web ls",
            "attach --no-stdin web",
            "completion bash",
        ] {
            let mut model = full(80, 24);
            let effects = line(&mut model, text);
            assert_eq!(effects[0], Effect::Work(TaskId(1), printed(text)), "{text}");
            assert!(matches!(model.layers.last(), Some(Layer::Output(_))), "{text}");
        }
    }

    #[test]
    fn what_has_a_screen_is_shown_there() {
        for (text, section, tab) in [
            ("ps -a", Section::Containers, None),
            ("images", Section::Images, None),
            ("network ls", Section::Networks, None),
            ("logs -f web", Section::Containers, Some(Tab::Logs)),
            ("stats web", Section::Containers, Some(Tab::Stats)),
            ("top web", Section::Containers, Some(Tab::Top)),
            ("inspect web", Section::Containers, Some(Tab::Inspect)),
            ("inspect debian:13", Section::Images, Some(Tab::Inspect)),
            ("image inspect debian:13", Section::Images, Some(Tab::Inspect)),
            ("network inspect bridge", Section::Networks, Some(Tab::Inspect)),
        ] {
            let mut model = full(80, 24);
            assert_eq!(line(&mut model, text), [Effect::Save], "{text}");
            assert_eq!(model.section, section, "{text}");
            if let Some(tab) = tab {
                assert_eq!(model.shown_tab(model.pane()), tab, "{text}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_here_is_refused_with_a_reason() {
        for (text, why) in [
            ("system reset", "this would remove the open engine with everything in it"),
            ("load", "standard input is not available here"),
            ("import - x", "standard input is not available here"),
            ("run -it --detach-keys ctrl-x debian", "--detach-keys has no effect in a pane"),
            ("attach --detach-keys ctrl-x web", "--detach-keys has no effect in a pane"),
            ("start -ai --detach-keys ctrl-x web", "--detach-keys has no effect in a pane"),
            ("exec -it --detach-keys ctrl-x web sh", "--detach-keys has no effect in a pane"),
            ("stats -a", "--all has no effect in this screen"),
            ("stats --no-trunc web", "--no-trunc has no effect in this screen"),
        ] {
            let mut model = full(80, 24);
            assert_eq!(line(&mut model, text), [Effect::Save], "{text}");
            assert_eq!(model.take_failure().unwrap().why, [why], "{text}");
        }
    }

    #[test]
    fn what_means_another_engine_is_refused_before_anything_is_done() {
        for text in [
            "--root /other rm web",
            "--root=/other ps -q",
            "--run-root /other stop web",
            "--config /other run debian",
            "-D version",
            "--debug restart web",
            "--read-only",
        ] {
            let mut model = full(80, 24);
            assert_eq!(line(&mut model, text), [Effect::Save], "{text}");
            let why = model.take_failure().expect(text).why;
            assert!(why[0].starts_with("global options are not supported here"), "{text}: {why:?}");
            assert!(model.layers.is_empty(), "{text} asks for nothing");
        }
    }

    #[test]
    fn what_screens_cannot_show_is_printed() {
        for text in ["stats -a --no-stream", "stats --no-trunc api web", "exec -dit web sleep 9"] {
            let mut model = full(80, 24);
            let effects = line(&mut model, text);
            assert_eq!(effects[0], Effect::Work(TaskId(1), printed(text)), "{text}");
        }
    }

    #[test]
    fn what_is_printed_at_once_is_read_from_its_beginning_and_a_stream_at_its_end() {
        for (secs, first) in [(1, "line 0 "), (60, "line 49 ")] {
            let mut model = full(80, 24);
            line(&mut model, "info");
            let lines: String = (0..50).map(|at| format!("line {at} \n")).collect();
            update(&mut model, Event::Said(TaskId(1), lines.into_bytes()));
            assert!(screen(&model).contains("line 49 "), "{}", screen(&model));
            update(&mut model, Event::Tick(now() + SignedDuration::from_secs(secs)));
            let finish = Finish { text: String::new(), made: None, image: None, opens: false };
            update(&mut model, Event::Finished(TaskId(1), Ok(finish)));
            assert!(screen(&model).contains(first), "{secs}: {}", screen(&model));
        }
    }

    #[test]
    fn a_percent_sign_is_what_is_marked() {
        let mut model = full(80, 24);
        press(&mut model, "space space");
        let effects = line(&mut model, "restart -t 1 %");
        assert_eq!(effects[0], Effect::Work(TaskId(1), asked("restart -t 1 api web")));
    }

    #[test]
    fn a_task_is_cancelled_retried_read_and_cleared() {
        let mut model = full(80, 24);
        line(&mut model, "events --since 1h");
        update(&mut model, Event::Said(TaskId(1), b"one\ntwo\n".to_vec()));
        press(&mut model, "q g t");
        assert_eq!(press(&mut model, "K"), [Effect::Cancel(TaskId(1))]);
        update(&mut model, Event::Finished(TaskId(1), Err(Failure::default())));
        assert_eq!(model.task(TaskId(1)).unwrap().state, TaskState::Cancelled);
        assert!(model.failure().is_none(), "who cancels need not be told that it failed");
        press(&mut model, "l");
        assert!(matches!(model.layers.last(), Some(Layer::Output(page)) if page.id == TaskId(1)));
        assert_eq!(press(&mut model, "y"), [Effect::Copy("one\ntwo".to_owned())]);
        assert_eq!(press(&mut model, "r"), [Effect::Work(TaskId(2), printed("events --since 1h"))]);
        press(&mut model, "q");
        assert_eq!(press(&mut model, "d d"), [Effect::Close(TaskId(1))]);
        assert_eq!(model.tasks.all().len(), 1);
    }

    /// Returns a model with these tasks: a job, a shell, an attached container, a job that has ended.
    fn with_tasks() -> Model {
        let mut model = full(100, 30);
        line(&mut model, "events --since 1h");
        press(&mut model, "q e");
        let api = model.container().unwrap().id.clone();
        update(&mut model, Event::Opened(TaskId(2), Box::new(exec(1, &api, "sh", true))));
        press(&mut model, "ctrl-] q a ctrl-] q");
        line(&mut model, "version");
        let finish = Finish { text: String::new(), made: None, image: None, opens: false };
        update(&mut model, Event::Finished(TaskId(4), Ok(finish)));
        press(&mut model, "q 5");
        model
    }

    #[test]
    fn of_several_marked_tasks_each_gets_what_fits_after_one_question() {
        let mut model = with_tasks();
        let api = model.containers.all().iter().find(|row| row.name == "api").unwrap().id.clone();
        press(&mut model, "* K");
        let shown = screen(&model);
        for text in [
            "End 3 tasks?",
            "events --since 1h · cancelled",
            "api: shell · SIGHUP",
            "api · SIGTERM to the container",
            "Skips 1 that has ended.",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        let hangup = exec(1, &api, "sh", true).id;
        let expected = [
            Effect::Cancel(TaskId(1)),
            Effect::SignalSession(TaskId(2), Some(hangup.clone()), "SIGHUP".to_owned()),
            Effect::Container(ContainerVerb::Kill("SIGTERM".to_owned()), api.clone()),
        ];
        assert_eq!(press(&mut model, "y"), expected);
        assert_eq!(model.task(TaskId(1)).unwrap().state, TaskState::Stopping);
        // Only programs: the signal can be chosen.
        let mut model = with_tasks();
        press(&mut model, "/");
        write(&mut model, "re:api|version");
        press(&mut model, "enter * K");
        let shown = screen(&model);
        assert!(shown.contains("Send a signal to 1 program and 1 container; skips 1 that has"), "{shown}");
        let expected = [
            Effect::SignalSession(TaskId(2), Some(hangup), "SIGTERM".to_owned()),
            Effect::Container(ContainerVerb::Kill("SIGTERM".to_owned()), api),
        ];
        assert_eq!(press(&mut model, "enter"), expected, "to a server SIGHUP means something else");
    }

    #[test]
    fn a_filter_finds_the_states_that_are_shown() {
        for (filter, titles) in [
            ("open", &["api: attach", "api: shell"][..]),
            ("working", &["events --since 1h"]),
            ("done", &["version"]),
            ("state:done", &["version"]),
            ("live", &[]),
        ] {
            let mut model = with_tasks();
            press(&mut model, "/");
            write(&mut model, filter);
            press(&mut model, "enter");
            let rows = model.tasks.window(20).map(|(_, row)| row.title.as_str()).collect::<Vec<_>>();
            assert_eq!(rows, titles, "{filter}");
        }
    }

    #[test]
    fn only_what_does_something_is_offered() {
        let offered = |model: &Model| keys_line(model, 100);
        let mut model = with_tasks();
        for (cursor, present, absent) in [
            ("g g", &["r retry", "dd clear"][..], &["K cancel", "K end…"][..]),
            ("j", &["K end…"], &["r retry"]),
            ("G", &["K cancel"], &["r retry"]),
        ] {
            press(&mut model, cursor);
            let line = offered(&model);
            assert!(present.iter().all(|text| line.contains(text)), "{cursor}: {line}");
            assert!(absent.iter().all(|text| !line.contains(text)), "{cursor}: {line}");
        }
        assert!(!offered(&model).contains("attach"), "{}", offered(&model));
        press(&mut model, "d d");
        assert!(!offered(&model).contains("clear"), "{}", offered(&model));
        assert!(!offered(&model).contains("undo"), "{}", offered(&model));
        // The page of an ended command offers no cancel.
        press(&mut model, "q");
        line(&mut model, "version");
        let running = screen(&model);
        assert!(running.contains("cancel") && !running.contains("again"), "{running}");
        let finish = Finish { text: String::new(), made: None, image: None, opens: false };
        update(&mut model, Event::Finished(TaskId(5), Ok(finish)));
        let ended = screen(&model);
        assert!(!ended.contains("cancel") && ended.contains("again"), "{ended}");
    }

    #[test]
    fn an_image_that_was_fetched_is_run_when_that_was_wished() {
        let mut model = full(80, 24);
        press(&mut model, "2 p");
        write(&mut model, "alpine");
        press(&mut model, "enter enter");
        let finish = Finish {
            text: "pulled".to_owned(),
            made: None,
            image: Some("3f3f3f3f3f3f".to_owned()),
            opens: false,
        };
        update(&mut model, Event::Finished(TaskId(1), Ok(finish)));
        assert!(matches!(model.layers.last(), Some(Layer::Run(_))));
    }

    #[test]
    fn tasks_that_ended_do_not_pile_up() {
        let mut model = full(80, 24);
        for at in 1..300 {
            line(&mut model, "version");
            let finish = Finish { text: String::new(), made: None, image: None, opens: false };
            update(&mut model, Event::Finished(TaskId(at), Ok(finish)));
            press(&mut model, "q");
        }
        assert!(model.tasks.all().len() <= ENDED + 1);
    }
}
