//! Explains why a container exited or failed: the meaning of its exit code, its last output, its
//! last events, and what to do next.

use jiff::{SignedDuration, Timestamp};

use crate::base::units::counted;
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
    let is_fault =
        facts.exit_code != 0 && !facts.by_hand && !facts.died_of_memory() && !facts.has_not_started();
    if let Some(lived) = facts.lived().filter(|lived| *lived < SOON && is_fault) {
        let time = match lived.as_millis() {
            short if short < 1000 => format!("{short} ms"),
            long => format!("{}.{} s", long / 1000, long / 100 % 10),
        };
        meaning.push(format!("It ran for only {time}: check its command and configuration first."));
    }
    if facts.status == Status::Restarting {
        meaning.push("Its restart policy starts it again, waiting longer each time.".to_owned());
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
        return ("failed to start".to_owned(), meaning);
    }
    if facts.died_of_memory() {
        let limit = match facts.memory_limit {
            Some(limit) => format!("It exceeded its memory limit of {}.", mebibytes(limit)),
            None => "The machine ran out of memory.".to_owned(),
        };
        return (
            format!("exit {}: out of memory, killed by the kernel (OOM)", facts.exit_code),
            vec![limit, "The program had no chance to clean up or save anything.".to_owned()],
        );
    }
    if facts.is_up() && facts.oom_killed {
        return (
            "running, but one of its processes ran out of memory and was killed by the kernel (OOM)"
                .to_owned(),
            line("The main process continues. The work of the killed process is lost."),
        );
    }
    if facts.is_up() {
        return ("running".to_owned(), Vec::new());
    }
    let (verdict, mut meaning) = verdict_of_code(facts);
    if facts.oom_killed {
        // The kernel killed a child process, and the program exited for another reason.
        meaning.push(
            "Before that, another of its processes ran out of memory and was killed by the kernel (OOM)."
                .to_owned(),
        );
        meaning.push("The work of that process is lost.".to_owned());
    }
    (verdict, meaning)
}

/// Returns what the exit code says about an exited container.
fn verdict_of_code(facts: &Facts) -> (String, Vec<String>) {
    let line = |text: &str| vec![text.to_owned()];
    match facts.exit_code {
        0 => ("exit 0: the program finished successfully".to_owned(), Vec::new()),
        code if facts.by_hand => (
            format!("exit {code}: stopped manually"),
            line(match code {
                137 => "SIGKILL was sent by `kill`, or by `stop` after its timeout.",
                143 => "`stop` sent SIGTERM, and the program exited.",
                _ => "`stop` or `kill` sent a signal, and the program exited with this code.",
            }),
        ),
        code => match (of_code(code), signal(code)) {
            (Some((what, text)), _) => (format!("exit {code}: {what}"), line(text)),
            (None, Some((name, text))) => (format!("exit {code}: terminated by {name}"), line(text)),
            (None, None) => (
                format!("exit {code}: the program failed"),
                line("The exit code is specific to the program: see its documentation or its logs."),
            ),
        },
    }
}

/// Returns the conventional meaning of an exit code.
fn of_code(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code {
        1 => ("the program failed", "This is the usual code for any error: see the last lines of its logs."),
        2 => (
            "the program failed, or was called incorrectly",
            "Shells and many tools use this code for invalid options and arguments.",
        ),
        125 => (
            "the container could not be set up",
            "The failure occurred before the program started: an option, a mount or the network.",
        ),
        126 => (
            "the program cannot be executed",
            "The file exists but is not executable: no x permission, a folder, a script without #!, or a binary for another architecture.",
        ),
        127 => (
            "the program was not found",
            "The image does not contain it, or its interpreter. Shells use the same code for an unknown command in a script.",
        ),
        255 => (
            "the exit code was lost, or the program returned -1",
            "The code is lost if the machine goes down or the monitor is killed. Some programs, such as ssh, also return it.",
        ),
        _ => return None,
    })
}

/// Returns the signal behind exit code 128 + n, and its meaning.
fn signal(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code.checked_sub(128)? {
        1 => ("SIGHUP", "Its terminal was closed."),
        2 => ("SIGINT", "It was interrupted, as by Ctrl-C."),
        3 => ("SIGQUIT", "It was asked to quit with a core dump, as by Ctrl-\\."),
        4 => ("SIGILL", "Illegal instruction: the program was built for another processor."),
        6 => ("SIGABRT", "It aborted: a failed assertion, a double free or a panic."),
        7 => ("SIGBUS", "It accessed memory beyond the end of a file; a full /dev/shm also causes this."),
        8 => ("SIGFPE", "Arithmetic error, such as a division by zero."),
        9 => (
            "SIGKILL",
            "It was killed from inside or outside the container, but it did not run out of memory.",
        ),
        11 => ("SIGSEGV", "Invalid memory access: a bug in the program or in a library."),
        13 => ("SIGPIPE", "It wrote to a pipe or socket whose other end was closed."),
        14 => ("SIGALRM", "A timer that it had set expired."),
        15 => ("SIGTERM", "It was asked to terminate, and exited."),
        24 => ("SIGXCPU", "It exceeded its CPU time limit (ulimit)."),
        25 => ("SIGXFSZ", "It exceeded its file size limit (ulimit)."),
        31 => ("SIGSYS", "It made a system call that its seccomp profile blocks."),
        other if (1..=64).contains(&other) => {
            ("a signal", "Exit codes above 128 are 128 plus the number of a signal; see signal(7).")
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
            format!(", {} (limit reached)", counted(count.into(), "restart"))
        }
        (count, _) => format!(", {}", counted(count.into(), "restart")),
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
        "create" => "created".to_owned(),
        "start" => "started".to_owned(),
        "die" => format!("exited with code {}", attribute("exitCode").map_or("?", String::as_str)),
        "oom" => "out of memory: the kernel killed one of its processes".to_owned(),
        "kill" => format!("sent signal {}", attribute("signal").map_or("?", String::as_str)),
        "stop" => "stopped manually".to_owned(),
        "restart" => "restarted manually".to_owned(),
        "pause" => "paused".to_owned(),
        "unpause" => "unpaused".to_owned(),
        "rename" => {
            let old = attribute("oldName").map_or("?", |name| name.trim_start_matches('/'));
            format!("renamed from {old}")
        }
        "update" => "limits changed".to_owned(),
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
        changes.push(format!("the previous container of this name used {image}"));
    }
    if facts.moved {
        changes.push(format!("{} now refers to a newer image; this container uses the old one", facts.image));
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
                0 | 1 => "the previous run succeeded".to_owned(),
                runs => format!("its last successful run was {} runs ago", runs),
            };
            changes.push(text);
        }
        _ => {}
    }
    changes
}

/// Returns suggested actions, the most useful first.
fn next(facts: &Facts) -> Vec<(Action, &'static str)> {
    let mut next = vec![(Action::Logs, "read the full logs")];
    if facts.is_up() {
        next.push((Action::Shell, "open a shell in it"));
    }
    match facts.status {
        Status::Restarting => next.push((Action::StartStop, "stop it and end the restarts")),
        _ if facts.is_up() => next.push((Action::Restart, "restart it")),
        _ => next.push((Action::StartStop, "start it again unchanged")),
    }
    let again = match facts.exit_code {
        126 | 127 => "run a similar container with another command",
        _ => "run a similar container with changes",
    };
    next.push((Action::RunAgain, again));
    next.push((Action::Inspect, "inspect its configuration and state"));
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
            exit 1: the program failed
                This is the usual code for any error: see the last lines of its logs.
            exit 2: the program failed, or was called incorrectly
                Shells and many tools use this code for invalid options and arguments.
            exit 42: the program failed
                The exit code is specific to the program: see its documentation or its logs.
            exit 125: the container could not be set up
                The failure occurred before the program started: an option, a mount or the network.
            exit 126: the program cannot be executed
                The file exists but is not executable: no x permission, a folder, a script without #!, or a binary for another architecture.
            exit 127: the program was not found
                The image does not contain it, or its interpreter. Shells use the same code for an unknown command in a script.
            exit 129: terminated by SIGHUP
                Its terminal was closed.
            exit 130: terminated by SIGINT
                It was interrupted, as by Ctrl-C.
            exit 132: terminated by SIGILL
                Illegal instruction: the program was built for another processor.
            exit 134: terminated by SIGABRT
                It aborted: a failed assertion, a double free or a panic.
            exit 135: terminated by SIGBUS
                It accessed memory beyond the end of a file; a full /dev/shm also causes this.
            exit 137: terminated by SIGKILL
                It was killed from inside or outside the container, but it did not run out of memory.
            exit 139: terminated by SIGSEGV
                Invalid memory access: a bug in the program or in a library.
            exit 141: terminated by SIGPIPE
                It wrote to a pipe or socket whose other end was closed.
            exit 143: terminated by SIGTERM
                It was asked to terminate, and exited.
            exit 159: terminated by SIGSYS
                It made a system call that its seccomp profile blocks.
            exit 170: terminated by a signal
                Exit codes above 128 are 128 plus the number of a signal; see signal(7).
            exit 200: the program failed
                The exit code is specific to the program: see its documentation or its logs.
            exit 255: the exit code was lost, or the program returned -1
                The code is lost if the machine goes down or the monitor is killed. Some programs, such as ssh, also return it.
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
            exit 137: out of memory, killed by the kernel (OOM)
                It exceeded its memory limit of 64M. The program had no chance to clean up or save anything.
                command: seed --all · image: acme/seed:1 · restart: no · memory: 64M
            exit 137: out of memory, killed by the kernel (OOM)
                The machine ran out of memory. The program had no chance to clean up or save anything.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 0: the program finished successfully
                Before that, another of its processes ran out of memory and was killed by the kernel (OOM). The work of that process is lost.
                command: seed --all · image: acme/seed:1 · restart: no · memory: 64M
            exit 3: the program failed
                The exit code is specific to the program: see its documentation or its logs. Before that, another of its processes ran out of memory and was killed by the kernel (OOM). The work of that process is lost.
                command: seed --all · image: acme/seed:1 · restart: no
            running, but one of its processes ran out of memory and was killed by the kernel (OOM)
                The main process continues. The work of the killed process is lost.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 143: stopped manually
                `stop` sent SIGTERM, and the program exited. Before that, another of its processes ran out of memory and was killed by the kernel (OOM). The work of that process is lost.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 137: stopped manually
                SIGKILL was sent by `kill`, or by `stop` after its timeout.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 143: stopped manually
                `stop` sent SIGTERM, and the program exited.
                command: seed --all · image: acme/seed:1 · restart: no
            failed to start
                exec `sed`: No such file The image does not contain it, or its interpreter. Shells use the same code for an unknown command in a script.
                command: seed --all · image: acme/seed:1 · restart: no
            exit 1: the program failed
                This is the usual code for any error: see the last lines of its logs. Its restart policy starts it again, waiting longer each time.
                command: seed --all · image: acme/seed:1 · restart: always, 4 restarts
            exit 3: the program failed
                The exit code is specific to the program: see its documentation or its logs. It ran for only 2.0 s: check its command and configuration first.
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
                "exited with code 0",
                "started",
                "exited with code 1",
                "started",
                "out of memory: the kernel killed one of its processes",
                "exited with code 137"
            ]
        );
        assert_eq!(
            card.changes,
            [
                "the previous container of this name used acme/seed:0",
                "acme/seed:1 now refers to a newer image; this container uses the old one",
                "its last successful run was 2 runs ago",
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
