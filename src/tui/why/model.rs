//! Explains why a container exited or failed: the meaning of its exit code, its last output, its
//! last events, and what to do next.

use jiff::{SignedDuration, Timestamp};

use crate::engine::{ContainerId, ContainerView, Event, RestartPolicy, Status};
use crate::tui::action::Action;
use crate::tui::failure::Failure;
use crate::tui::words::died_of_memory;

/// The number of lines shown of its log.
const LINES: usize = 5;

/// The number of events shown.
const EVENTS: usize = 6;

/// A container that ran shorter than this probably failed to start properly.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// What is known about a container that exited or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `engine::ContainerView`")]
pub struct Facts {
    pub id: String,
    pub name: String,
    pub image: String,
    pub status: Status,
    pub exit_code: u8,
    pub oom_killed: bool,
    pub error: String,
    pub restarts: u32,
    pub policy: RestartPolicy,
    pub by_hand: bool,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// The program with its arguments.
    pub command: String,
    /// Its memory limit, if any.
    pub memory_limit: Option<u64>,
    /// Whether the name of its image refers to another image in the meantime.
    pub moved: bool,
    /// The last lines of its log, oldest first.
    pub log: Vec<String>,
    /// Its events, and those of previous containers with its name, oldest first.
    pub events: Vec<Event>,
}

/// The report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// What happened, in one line.
    pub verdict: String,
    /// The meaning of that.
    pub meaning: Vec<String>,
    /// Names and values.
    pub rows: Vec<(&'static str, String)>,
    /// Whether the log lines are errors, or simply the last lines.
    pub has_errors: bool,
    /// Lines of its log.
    pub log: Vec<String>,
    /// What happened and when.
    pub history: Vec<(Timestamp, String)>,
    /// What else changed since it last worked.
    pub changes: Vec<String>,
    /// Suggested actions.
    pub next: Vec<(Action, &'static str)>,
}

/// The report in a pane.
#[derive(Debug, Default)]
pub struct WhyPane {
    of: Option<(ContainerId, u64)>,
    /// The serial number of the report. Answers with another one are outdated.
    pub serial: u64,
    /// The report; `None` until it is loaded.
    pub card: Option<Card>,
    /// The first visible line.
    pub top: usize,
    /// Why it could not be created.
    pub failure: Option<Failure>,
}

impl WhyPane {
    /// Creates a pane whose serial numbers continue from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows the report on `container` at a version. The old one stays until the new one is loaded.
    pub fn show(&mut self, container: Option<(ContainerId, u64)>) {
        if self.of == container {
            return;
        }
        if self.of.as_ref().map(|(of, _)| of) != container.as_ref().map(|(of, _)| of) {
            *self = Self { serial: self.serial, ..Self::default() };
        }
        self.of = container;
        self.serial += 1;
    }

    /// Creates the report from facts.
    pub fn take(&mut self, facts: &Facts) {
        (self.card, self.failure) = (Some(why(facts)), None);
    }

    /// Scrolls by this many lines.
    pub fn scroll(&mut self, by: i64) {
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        self.top = self.top.saturating_add_signed(by).min(200);
    }
}

impl Facts {
    /// Collects the facts about `container`; `moved` is whether its image's name refers to another
    /// image.
    #[must_use]
    pub fn new(container: &ContainerView, moved: bool, log: Vec<String>, events: Vec<Event>) -> Self {
        let state = &container.state;
        Self {
            id: container.id.as_str().to_owned(),
            name: container.name.as_str().to_owned(),
            image: container.image.clone(),
            status: container.status,
            exit_code: state.exit_code,
            oom_killed: state.oom_killed,
            error: state.error.clone(),
            restarts: state.restart_count,
            policy: container.config.lifecycle.restart.clone(),
            by_hand: state.stopped_by_hand,
            started: state.started,
            finished: state.finished,
            command: container.config.process.program().join(" "),
            memory_limit: container.config.resources.memory,
            moved,
            log,
            events,
        }
    }

    fn is_up(&self) -> bool {
        self.status.is_up()
    }

    fn died_of_memory(&self) -> bool {
        !self.is_up() && died_of_memory(self.exit_code, self.oom_killed)
    }

    fn has_not_started(&self) -> bool {
        !self.error.is_empty() && !self.is_up()
    }

    /// Returns how long the last run took.
    fn lived(&self) -> Option<SignedDuration> {
        let (started, finished) = (self.started?, self.finished?);
        (finished >= started).then(|| finished.duration_since(started))
    }
}

/// Returns the report on a container.
#[must_use]
pub fn why(facts: &Facts) -> Card {
    let (verdict, mut meaning) = verdict(facts);
    // Running out of memory may happen quickly as well, and is not the fault of the command.
    let is_fault = facts.exit_code != 0 && !facts.died_of_memory() && !facts.has_not_started();
    if let Some(lived) = facts.lived().filter(|lived| *lived < SOON && is_fault) {
        let time = match lived.as_millis() {
            short if short < 1000 => format!("{short} ms"),
            long => format!("{}.{} s", long / 1000, long / 100 % 10),
        };
        meaning.push(format!("It ran for {time} only: look at its command and its configuration first."));
    }
    if facts.status == Status::Restarting {
        meaning.push("Its policy starts it again, each time after a longer pause.".to_owned());
    }
    let (has_errors, log) = last_words(&facts.log);
    Card {
        verdict,
        meaning,
        rows: rows(facts),
        has_errors,
        log,
        history: history(facts),
        changes: changes(facts),
        next: next(facts),
    }
}

/// Returns what happened, and what that means.
fn verdict(facts: &Facts) -> (String, Vec<String>) {
    let line = |text: &str| vec![text.to_owned()];
    if facts.has_not_started() {
        let mut meaning = vec![facts.error.clone()];
        meaning.extend(of_code(facts.exit_code).map(|(_, text)| text.to_owned()));
        return ("it did not start".to_owned(), meaning);
    }
    if facts.died_of_memory() {
        let limit = match facts.memory_limit {
            Some(limit) => format!("It needed more than its limit of {}.", mebibytes(limit)),
            None => "It needed more memory than there was.".to_owned(),
        };
        return (
            format!("exit {}: killed by the kernel: out of memory (OOM)", facts.exit_code),
            vec![limit, "The program was given no time to save anything.".to_owned()],
        );
    }
    if facts.is_up() && facts.oom_killed {
        return (
            "it runs, but the kernel killed one of its processes: out of memory (OOM)".to_owned(),
            line("Its first process went on. What the killed one did is not done."),
        );
    }
    if facts.is_up() {
        return ("it runs".to_owned(), Vec::new());
    }
    let (verdict, mut meaning) = verdict_of_code(facts);
    if facts.oom_killed {
        // The kernel killed a child process, and the program exited for another reason.
        meaning.push("The kernel had killed one of its other processes: out of memory (OOM).".to_owned());
        meaning.push("What the killed one did is not done.".to_owned());
    }
    (verdict, meaning)
}

/// Returns what the exit code says about an exited container.
fn verdict_of_code(facts: &Facts) -> (String, Vec<String>) {
    let line = |text: &str| vec![text.to_owned()];
    match facts.exit_code {
        0 => ("exit 0: its program ended, and says that all went well".to_owned(), Vec::new()),
        137 | 143 if facts.by_hand => (
            format!("exit {}: it was stopped by hand", facts.exit_code),
            line(match facts.exit_code {
                137 => "`kill`, or `stop` after its time of grace, sent SIGKILL.",
                _ => "`stop` sent SIGTERM, and the program did as it was told.",
            }),
        ),
        code => match (of_code(code), signal(code)) {
            (Some((what, text)), _) => (format!("exit {code}: {what}"), line(text)),
            (None, Some((name, text))) => (format!("exit {code}: {name} ended it"), line(text)),
            (None, None) => (
                format!("exit {code}: its program failed"),
                line("The number is the program's own; its documentation, or its log, says more."),
            ),
        },
    }
}

/// Returns the conventional meaning of an exit code.
fn of_code(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code {
        1 => ("its program failed", "The usual code of any error; its last lines below say more."),
        2 => (
            "its program was called wrongly, or failed",
            "Shells and many tools say so of options and words that they do not know.",
        ),
        125 => (
            "the container could not be made",
            "Not its program failed, but what comes before: an option, a mount, the network.",
        ),
        126 => (
            "its program cannot be executed",
            "It is there, but is no program: a missing x bit, a folder, a script without #!, or one for another processor.",
        ),
        127 => (
            "its program was not found",
            "The image lacks it, or the interpreter that it names; a shell says the same of a command in a script.",
        ),
        255 => (
            "its end was not seen, or its program said -1",
            "Nobody could take the code: the machine went down, or the monitor was killed. Some programs, ssh among them, use it themselves.",
        ),
        _ => return None,
    })
}

/// Returns the signal behind exit code 128 + n, and its meaning.
fn signal(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code.checked_sub(128)? {
        1 => ("SIGHUP", "Its terminal went away."),
        2 => ("SIGINT", "Ctrl-C was pressed, or it was told the same."),
        3 => ("SIGQUIT", "Ctrl-\\ was pressed, or it was told to end with a core dump."),
        4 => ("SIGILL", "The processor does not know an instruction: it was built for another one."),
        6 => ("SIGABRT", "It gave up by itself: an assertion, a double free, a panic that aborts."),
        7 => ("SIGBUS", "It read memory behind the end of a file; a full /dev/shm does that, too."),
        8 => ("SIGFPE", "It divided by zero, or the like."),
        9 => ("SIGKILL", "Somebody killed it, from inside or outside; the container was not out of memory."),
        11 => ("SIGSEGV", "It touched memory that is not its own: a fault of the program, or of a library."),
        13 => ("SIGPIPE", "It wrote to somebody who had gone."),
        14 => ("SIGALRM", "A time it had set itself was over."),
        15 => ("SIGTERM", "It was asked to end, and did."),
        24 => ("SIGXCPU", "It used more CPU time than its ulimit."),
        25 => ("SIGXFSZ", "It wrote a larger file than its ulimit."),
        31 => ("SIGSYS", "It made a system call that its seccomp profile forbids."),
        other if (1..=64).contains(&other) => {
            ("a signal", "128 and a number mean the signal of that number; see signal(7).")
        }
        _ => return None,
    })
}

fn rows(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut rows = vec![("command", facts.command.clone()), ("image", facts.image.clone())];
    let policy = facts.policy.to_string();
    let times = match (facts.restarts, &facts.policy) {
        (0, _) => String::new(),
        (count, &RestartPolicy::OnFailure(most)) if most > 0 && count >= most => {
            format!(", started again {count} times: no more")
        }
        (count, _) => format!(", started again {count} times"),
    };
    rows.push(("restart", policy + &times));
    if let Some(limit) = facts.memory_limit {
        rows.push(("memory", mebibytes(limit)));
    }
    rows
}

fn mebibytes(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 30 && bytes.is_multiple_of(1 << 30) => format!("{}G", bytes >> 30),
        bytes if bytes >= 1 << 20 => format!("{}M", bytes >> 20),
        bytes => format!("{}K", bytes >> 10),
    }
}

/// Returns the last errors in the log, otherwise its last lines.
fn last_words(log: &[String]) -> (bool, Vec<String>) {
    let last = |lines: Vec<&String>| {
        lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).clone()).collect()
    };
    let errors: Vec<&String> = log.iter().filter(|line| is_error(line)).collect();
    if errors.is_empty() {
        return (false, last(log.iter().filter(|line| !line.trim().is_empty()).collect()));
    }
    (true, last(errors))
}

/// Whether a line reports an error, judging by common words.
fn is_error(line: &str) -> bool {
    const WORDS: [&str; 12] = [
        "error",
        "err",
        "fatal",
        "panic",
        "panicked",
        "critical",
        "crit",
        "emerg",
        "exception",
        "traceback",
        "severe",
        "denied",
    ];
    let line = plain(line);
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    words.take(64).any(|word| {
        WORDS.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
            || word.ends_with("Error")
            || word.ends_with("Exception")
    })
}

/// Returns a line without colour sequences, whose letters would otherwise join the words next to
/// them.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut is_escape = false;
    for c in line.chars() {
        match c {
            '\u{1b}' => is_escape = true,
            c if is_escape => is_escape = !c.is_ascii_alphabetic(),
            c => out.push(c),
        }
    }
    out
}

/// Returns the events of the container, the newest last.
fn history(facts: &Facts) -> Vec<(Timestamp, String)> {
    let own = facts.events.iter().filter(|event| event.actor.id == facts.id);
    let told: Vec<_> = own.filter_map(|event| Some((moment(event)?, told(event)?))).collect();
    told[told.len().saturating_sub(EVENTS)..].to_vec()
}

fn moment(event: &Event) -> Option<Timestamp> {
    Timestamp::from_second(event.time).ok()
}

fn told(event: &Event) -> Option<String> {
    let attribute = |name: &str| event.actor.attributes.get(name);
    Some(match event.action.as_str() {
        "create" => "made".to_owned(),
        "start" => "started".to_owned(),
        "die" => format!("ended, exit {}", attribute("exitCode").map_or("?", String::as_str)),
        "oom" => "the kernel killed one of its processes: out of memory".to_owned(),
        "kill" => format!("sent signal {}", attribute("signal").map_or("?", String::as_str)),
        "stop" => "stopped by hand".to_owned(),
        "restart" => "restarted by hand".to_owned(),
        "pause" => "paused".to_owned(),
        "unpause" => "resumed".to_owned(),
        "rename" => {
            let old = attribute("oldName").map_or("?", |name| name.trim_start_matches('/'));
            format!("renamed, was {old}")
        }
        "update" => "its limits were changed".to_owned(),
        other if other.starts_with("health_status") => other.replace("health_status: ", "health: "),
        _ => return None,
    })
}

/// Returns what changed since the container, or the previous one of its name, last worked.
fn changes(facts: &Facts) -> Vec<String> {
    let mut changes = Vec::new();
    let of_name = |event: &&Event| {
        event.actor.id != facts.id && event.actor.attributes.get("name") == Some(&facts.name)
    };
    let before = facts.events.iter().rev().find(of_name);
    let image = before.and_then(|event| event.actor.attributes.get("image"));
    if let Some(image) = image.filter(|image| **image != facts.image) {
        changes.push(format!("the container of this name before it was of {image}"));
    }
    if facts.moved {
        changes.push(format!("{} means a newer image by now; this container keeps the old one", facts.image));
    }
    let worked = facts.events.iter().rev().find(|event| {
        let ended_well = event.actor.attributes.get("exitCode").is_some_and(|code| code == "0");
        event.actor.id == facts.id && event.action == "die" && ended_well
    });
    match worked.and_then(moment) {
        Some(time) if facts.exit_code != 0 => {
            let since = facts.events.iter().filter(|event| {
                event.actor.id == facts.id
                    && event.action == "start"
                    && moment(event).is_some_and(|at| at > time)
            });
            let text = match since.count() {
                0 | 1 => "the run before this one ended well".to_owned(),
                runs => format!("it last ended well {} runs ago", runs),
            };
            changes.push(text);
        }
        _ => {}
    }
    changes
}

/// Returns suggested actions, the most useful first.
fn next(facts: &Facts) -> Vec<(Action, &'static str)> {
    let mut next = vec![(Action::Logs, "read its whole log")];
    if facts.is_up() {
        next.push((Action::Shell, "look inside"));
    }
    match facts.status {
        Status::Restarting => next.push((Action::StartStop, "stop it, so that it is not started again")),
        _ if facts.is_up() => next.push((Action::Restart, "stop it and start it again")),
        _ => next.push((Action::StartStop, "start it again as it is")),
    }
    let again = match facts.exit_code {
        126 | 127 => "run one like it with another command",
        _ => "run one like it, with changes",
    };
    next.push((Action::RunAgain, again));
    next.push((Action::Inspect, "see everything known about it"));
    next
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::{Actor, Kind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_356_000 + second).unwrap()
    }

    fn facts(exit_code: u8) -> Facts {
        Facts {
            id: "a".repeat(64),
            name: "seed".to_owned(),
            image: "acme/seed:1".to_owned(),
            status: Status::Exited,
            exit_code,
            oom_killed: false,
            error: String::new(),
            restarts: 0,
            policy: RestartPolicy::No,
            by_hand: false,
            started: Some(at(0)),
            finished: Some(at(600)),
            command: "seed --all".to_owned(),
            memory_limit: None,
            moved: false,
            log: Vec::new(),
            events: Vec::new(),
        }
    }

    fn event(id: char, second: i64, action: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes: BTreeMap<_, _> = [("name", "seed"), ("image", "acme/seed:1")]
            .iter()
            .chain(attributes)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let time = at(second).as_second();
        Event {
            kind: Kind::Container,
            action: action.to_owned(),
            actor: Actor { id: id.to_string().repeat(64), attributes },
            scope: "local".to_owned(),
            time,
            time_nano: time * 1_000_000_000,
        }
    }

    #[test]
    fn each_exit_code_is_explained() {
        let told = [1, 2, 42, 125, 126, 127, 129, 130, 132, 134, 135, 137, 139, 141, 143, 159, 170, 200, 255]
            .map(|code| {
                format!("{}\n    {}", why(&facts(code)).verdict, why(&facts(code)).meaning.join(" "))
            });
        insta::assert_snapshot!(told.join("\n"), @"
            exit 1: its program failed
                The usual code of any error; its last lines below say more.
            exit 2: its program was called wrongly, or failed
                Shells and many tools say so of options and words that they do not know.
            exit 42: its program failed
                The number is the program's own; its documentation, or its log, says more.
            exit 125: the container could not be made
                Not its program failed, but what comes before: an option, a mount, the network.
            exit 126: its program cannot be executed
                It is there, but is no program: a missing x bit, a folder, a script without #!, or one for another processor.
            exit 127: its program was not found
                The image lacks it, or the interpreter that it names; a shell says the same of a command in a script.
            exit 129: SIGHUP ended it
                Its terminal went away.
            exit 130: SIGINT ended it
                Ctrl-C was pressed, or it was told the same.
            exit 132: SIGILL ended it
                The processor does not know an instruction: it was built for another one.
            exit 134: SIGABRT ended it
                It gave up by itself: an assertion, a double free, a panic that aborts.
            exit 135: SIGBUS ended it
                It read memory behind the end of a file; a full /dev/shm does that, too.
            exit 137: SIGKILL ended it
                Somebody killed it, from inside or outside; the container was not out of memory.
            exit 139: SIGSEGV ended it
                It touched memory that is not its own: a fault of the program, or of a library.
            exit 141: SIGPIPE ended it
                It wrote to somebody who had gone.
            exit 143: SIGTERM ended it
                It was asked to end, and did.
            exit 159: SIGSYS ended it
                It made a system call that its seccomp profile forbids.
            exit 170: a signal ended it
                128 and a number mean the signal of that number; see signal(7).
            exit 200: its program failed
                The number is the program's own; its documentation, or its log, says more.
            exit 255: its end was not seen, or its program said -1
                Nobody could take the code: the machine went down, or the monitor was killed. Some programs, ssh among them, use it themselves.
            ");
    }

    #[test]
    fn who_ended_it_and_for_want_of_what_is_told() {
        let cases = [
            Facts { oom_killed: true, memory_limit: Some(64 << 20), ..facts(137) },
            Facts { oom_killed: true, ..facts(137) },
            Facts { oom_killed: true, memory_limit: Some(64 << 20), ..facts(0) },
            Facts { oom_killed: true, ..facts(3) },
            Facts { oom_killed: true, status: Status::Running, ..facts(0) },
            Facts { oom_killed: true, by_hand: true, ..facts(143) },
            Facts { by_hand: true, ..facts(137) },
            Facts { by_hand: true, ..facts(143) },
            Facts { status: Status::Created, error: "exec `sed`: No such file".to_owned(), ..facts(127) },
            Facts { status: Status::Restarting, restarts: 4, policy: RestartPolicy::Always, ..facts(1) },
            Facts { finished: Some(at(2)), ..facts(3) },
        ];
        let told = cases.map(|facts| {
            let card = why(&facts);
            let rows: Vec<String> =
                card.rows.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{}\n    {}\n    {}", card.verdict, card.meaning.join(" "), rows.join(" · "))
        });
        insta::assert_snapshot!(told.join("\n"), @"
            exit 137: killed by the kernel: out of memory (OOM)
                It needed more than its limit of 64M. The program was given no time to save anything.
                command: seed --all · image: acme/seed:1 · restart: no · memory: 64M
            exit 137: killed by the kernel: out of memory (OOM)
                It needed more memory than there was. The program was given no time to save anything.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 0: its program ended, and says that all went well
                The kernel had killed one of its other processes: out of memory (OOM). What the killed one did is not done.
                command: seed --all · image: acme/seed:1 · restart: no · memory: 64M
            exit 3: its program failed
                The number is the program's own; its documentation, or its log, says more. The kernel had killed one of its other processes: out of memory (OOM). What the killed one did is not done.
                command: seed --all · image: acme/seed:1 · restart: no
            it runs, but the kernel killed one of its processes: out of memory (OOM)
                Its first process went on. What the killed one did is not done.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 143: it was stopped by hand
                `stop` sent SIGTERM, and the program did as it was told. The kernel had killed one of its other processes: out of memory (OOM). What the killed one did is not done.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 137: it was stopped by hand
                `kill`, or `stop` after its time of grace, sent SIGKILL.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 143: it was stopped by hand
                `stop` sent SIGTERM, and the program did as it was told.
                command: seed --all · image: acme/seed:1 · restart: no
            it did not start
                exec `sed`: No such file The image lacks it, or the interpreter that it names; a shell says the same of a command in a script.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 1: its program failed
                The usual code of any error; its last lines below say more. Its policy starts it again, each time after a longer pause.
                command: seed --all · image: acme/seed:1 · restart: always, started again 4 times
            exit 3: its program failed
                The number is the program's own; its documentation, or its log, says more. It ran for 2.0 s only: look at its command and its configuration first.
                command: seed --all · image: acme/seed:1 · restart: no
            ");
    }

    #[test]
    fn its_errors_are_its_last_words_else_its_last_lines() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        for (log, has_errors, shown) in [
            ("INFO a\nERROR b\nINFO c\nlevel=error d", true, "ERROR b\nlevel=error d"),
            ("1\n2\n3\n\n4\n5\n6", false, "2\n3\n4\n5\n6"),
            ("thread 'main' panicked at x\nnote: run", true, "thread 'main' panicked at x"),
            (
                "java.lang.NullPointerException: x\nno errors so far",
                true,
                "java.lang.NullPointerException: x",
            ),
            ("\u{1b}[31mERROR\u{1b}[0m x\nbye", true, "\u{1b}[31mERROR\u{1b}[0m x"),
            ("", false, ""),
        ] {
            let card = why(&Facts { log: lines(log), ..facts(1) });
            assert_eq!((card.has_errors, card.log), (has_errors, lines(shown)), "{log}");
        }
    }

    #[test]
    fn what_happened_and_what_changed_come_from_the_journal() {
        let events = vec![
            event('b', -900, "create", &[("image", "acme/seed:0")]),
            event('b', -800, "destroy", &[("image", "acme/seed:0")]),
            event('a', -700, "start", &[]),
            event('a', -600, "die", &[("exitCode", "0")]),
            event('a', -500, "start", &[]),
            event('a', -400, "die", &[("exitCode", "1")]),
            event('a', 0, "start", &[]),
            event('a', 1, "exec_start: sh", &[]),
            event('a', 599, "oom", &[]),
            event('a', 600, "die", &[("exitCode", "137")]),
        ];
        let card = why(&Facts { events, moved: true, ..facts(137) });
        let history: Vec<_> = card.history.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            history,
            [
                "ended, exit 0",
                "started",
                "ended, exit 1",
                "started",
                "the kernel killed one of its processes: out of memory",
                "ended, exit 137"
            ]
        );
        assert_eq!(
            card.changes,
            [
                "the container of this name before it was of acme/seed:0",
                "acme/seed:1 means a newer image by now; this container keeps the old one",
                "it last ended well 2 runs ago",
            ]
        );
    }

    #[test]
    fn what_to_do_next_fits_the_state() {
        let actions =
            |facts: &Facts| why(facts).next.into_iter().map(|(action, _)| action).collect::<Vec<_>>();
        let ended = actions(&facts(1));
        assert_eq!(ended, [Action::Logs, Action::StartStop, Action::RunAgain, Action::Inspect]);
        let up = actions(&Facts { status: Status::Running, oom_killed: true, ..facts(0) });
        assert_eq!(up, [Action::Logs, Action::Shell, Action::Restart, Action::RunAgain, Action::Inspect]);
    }
}
