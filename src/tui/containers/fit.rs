//! Which containers a verb fits: the one rule for keys, questions, signals, menus and the palette.

use std::collections::BTreeMap;

use crate::engine::{Conflict, Explain as _, Status, Verb as Wish};
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::ContainerVerb;
use crate::tui::failure::Failure;
use crate::tui::verb_words::{self, Words};

/// What is to be done with a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    Start,
    Stop,
    Restart,
    Pause,
    Unpause,
    Signal,
    Remove,
    Rename,
    Exec,
    Attach,
}

impl Verb {
    /// Returns its words.
    #[must_use]
    pub fn words(self) -> &'static Words {
        match self {
            Self::Start => verb_words::START,
            Self::Stop => verb_words::STOP,
            Self::Restart => verb_words::RESTART,
            Self::Pause => verb_words::PAUSE,
            Self::Unpause => verb_words::UNPAUSE,
            Self::Signal => verb_words::SIGNAL,
            Self::Remove => verb_words::REMOVE,
            Self::Rename => verb_words::RENAME,
            Self::Exec => verb_words::EXEC,
            Self::Attach => verb_words::ATTACH,
        }
    }

    /// Whether it has to wait for a verb in progress. The others change nothing that matters to
    /// that verb, or end the container anyway.
    fn waits(self) -> bool {
        !matches!(self, Self::Signal | Self::Remove | Self::Exec | Self::Attach)
    }

    /// Checks the status of a container.
    fn check(self, status: Status) -> Result<Status, Conflict> {
        match self {
            Self::Start => status.after(Wish::Start),
            Self::Stop => status.after(Wish::Stop),
            // As in Docker, it starts what is not running.
            Self::Restart => status.after(Wish::Stop).or_else(|_| status.after(Wish::Start)),
            Self::Pause => status.after(Wish::Pause),
            Self::Unpause => status.after(Wish::Unpause),
            Self::Signal => status.after(Wish::Kill),
            Self::Exec => status.after(Wish::Exec),
            Self::Attach => status.after(Wish::Attach),
            // A removal ends what is running.
            Self::Remove | Self::Rename => Ok(status),
        }
    }
}

impl From<&ContainerVerb> for Verb {
    fn from(verb: &ContainerVerb) -> Self {
        match verb {
            ContainerVerb::Start => Self::Start,
            ContainerVerb::Stop => Self::Stop,
            ContainerVerb::Restart => Self::Restart,
            ContainerVerb::Pause => Self::Pause,
            ContainerVerb::Unpause => Self::Unpause,
            ContainerVerb::Kill(_) => Self::Signal,
            ContainerVerb::Remove(_) => Self::Remove,
            ContainerVerb::Rename(_) => Self::Rename,
        }
    }
}

/// Why a verb does not fit a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// Its state cannot be read, for this reason.
    Damaged(String),
    /// Another verb is in progress: `stopping`.
    Busy(&'static str),
    /// Its status does not allow it.
    Status(Conflict),
}

impl Misfit {
    /// Returns the state in one word: `exited`.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::Busy(busy) => busy,
            Self::Status(conflict) => conflict.status.as_str(),
        }
    }

    /// Returns the failure of `verb` on the container with this name.
    #[must_use]
    pub fn failure(&self, verb: Verb, name: &str) -> Failure {
        let (why, hint) = match self {
            Self::Damaged(why) => {
                (format!("it is damaged: {why}"), Some("remove it, or repair its file".to_owned()))
            }
            Self::Busy(busy) => (format!("it is {busy}"), Some("wait until that has finished".to_owned())),
            Self::Status(conflict) => {
                let why = match conflict.status {
                    Status::Created => "it has not been started".to_owned(),
                    Status::Exited => "it has exited".to_owned(),
                    _ => conflict.to_string(),
                };
                (why, conflict.hint())
            }
        };
        Failure { what: verb.words().cannot(name), why: vec![why], hint }
    }
}

/// Returns why `verb` does not fit a container; `None` if it does.
#[must_use]
pub fn misfit(row: &ContainerRow, verb: Verb) -> Option<Misfit> {
    if let Some(why) = row.damaged.as_ref().filter(|_| verb != Verb::Remove) {
        return Some(Misfit::Damaged(why.clone()));
    }
    if let Some(busy) = row.busy.filter(|_| verb.waits()) {
        return Some(Misfit::Busy(busy));
    }
    if row.damaged.is_some() {
        return None;
    }
    verb.check(row.status).err().map(Misfit::Status)
}

/// Separates the containers that `verb` fits, and counts the others by their state: `2 exited, 1
/// created`.
#[must_use]
pub fn fitting(rows: Vec<ContainerRow>, verb: Verb) -> (Vec<ContainerRow>, String) {
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    let mut fitting = rows;
    fitting.retain(|row| {
        let why = misfit(row, verb);
        why.map(|why| *others.entry(why.word().to_owned()).or_default() += 1).is_none()
    });
    let others: Vec<String> = others.into_iter().map(|(why, count)| format!("{count} {why}")).collect();
    (fitting, others.join(", "))
}

/// Returns what an action means for these containers; `None` if it is no verb on containers.
pub fn meant<'a>(action: Action, rows: impl IntoIterator<Item = &'a ContainerRow>) -> Option<Verb> {
    Some(match action {
        Action::StartStop => {
            if rows.into_iter().any(ContainerRow::is_up) {
                Verb::Stop
            } else {
                Verb::Start
            }
        }
        Action::Pause => {
            let (mut is_paused, mut is_running) = (false, false);
            for row in rows {
                is_paused |= row.status == Status::Paused;
                is_running |= row.status == Status::Running;
            }
            if is_paused && !is_running { Verb::Unpause } else { Verb::Pause }
        }
        Action::Restart => Verb::Restart,
        Action::Kill => Verb::Signal,
        Action::Shell | Action::Exec => Verb::Exec,
        Action::Attach => Verb::Attach,
        Action::Rename => Verb::Rename,
        Action::Remove | Action::RemoveForce => Verb::Remove,
        _ => return None,
    })
}

/// Returns the verbs that an action can mean, if its meaning depends on the state.
#[must_use]
pub fn meanings(action: Action) -> &'static [Verb] {
    match action {
        Action::StartStop => &[Verb::Start, Verb::Stop],
        Action::Pause => &[Verb::Pause, Verb::Unpause],
        _ => &[],
    }
}

/// The actions on containers whose fitness depends on the state.
pub const ACTIONS: &[Action] = &[
    Action::StartStop,
    Action::Restart,
    Action::Pause,
    Action::Kill,
    Action::Shell,
    Action::Exec,
    Action::Attach,
    Action::Rename,
    Action::Remove,
    Action::RemoveForce,
];

/// Returns the actions that do not fit a container.
#[must_use]
pub fn unfit(row: &ContainerRow) -> Vec<Action> {
    let is_unfit = |action: &Action| meant(*action, [row]).is_some_and(|verb| misfit(row, verb).is_some());
    ACTIONS.iter().copied().filter(is_unfit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::container;

    const VERBS: [Verb; 10] = [
        Verb::Start,
        Verb::Stop,
        Verb::Restart,
        Verb::Pause,
        Verb::Unpause,
        Verb::Signal,
        Verb::Remove,
        Verb::Rename,
        Verb::Exec,
        Verb::Attach,
    ];

    #[test]
    fn what_fits_what() {
        let unknown = serde_json::from_str("\"parked\"").unwrap();
        let mut rows: Vec<(String, ContainerRow)> = Status::ALL
            .into_iter()
            .chain([unknown])
            .map(|status| (status.to_string(), container("web", status)))
            .collect();
        let running = container("web", Status::Running);
        rows.push(("stopping".to_owned(), ContainerRow { busy: Some("stopping"), ..running.clone() }));
        let damaged = Some("no JSON".to_owned());
        rows.push(("damaged".to_owned(), ContainerRow { damaged, status: Status::Dead, ..running }));
        let mut table = String::new();
        for (name, row) in &rows {
            let cell = |verb| misfit(row, verb).map_or("yes".to_owned(), |_| "-".to_owned());
            let cells = VERBS.map(|verb| format!("{:<9}", cell(verb))).join("");
            table += format!("{name:<11}{cells}\n").trim_end();
            table.push('\n');
        }
        //         start    stop     restart  pause    unpause  signal   remove   rename   exec     attach
        assert_eq!(
            table,
            "\
created    yes      -        yes      -        -        -        yes      yes      -        -
running    -        yes      yes      yes      -        yes      yes      yes      yes      yes
paused     -        yes      yes      -        yes      yes      yes      yes      -        -
restarting -        yes      yes      -        -        yes      yes      yes      -        -
removing   -        -        -        -        -        -        yes      yes      -        -
exited     yes      -        yes      -        -        -        yes      yes      -        -
dead       -        -        -        -        -        -        yes      yes      -        -
parked     -        yes      yes      -        -        yes      yes      yes      -        -
stopping   -        -        -        -        -        yes      yes      -        yes      yes
damaged    -        -        -        -        -        -        yes      -        -        -
"
        );
    }

    #[test]
    fn a_verb_that_does_not_fit_says_why() {
        for (status, verb, line, hint) in [
            (Status::Exited, Verb::Pause, "cannot pause `web`: it has exited", Some("start it first")),
            (
                Status::Created,
                Verb::Exec,
                "cannot run a command in `web`: it has not been started",
                Some("start it first"),
            ),
            (Status::Paused, Verb::Attach, "cannot attach to `web`: it is paused", Some("unpause it first")),
            (Status::Running, Verb::Start, "cannot start `web`: it is running", None),
        ] {
            let failure = misfit(&container("web", status), verb).unwrap().failure(verb, "web");
            assert_eq!((failure.line().as_str(), failure.hint.as_deref()), (line, hint));
        }
        let row = ContainerRow { busy: Some("stopping"), ..container("web", Status::Running) };
        let failure = misfit(&row, Verb::Stop).unwrap().failure(Verb::Stop, "web");
        assert_eq!(failure.line(), "cannot stop `web`: it is stopping");
    }

    #[test]
    fn every_verb_of_the_keymap_is_checked() {
        let row = container("web", Status::Running);
        for action in Action::ALL.iter().filter(|action| action.group() == crate::tui::action::Group::Act) {
            assert!(ACTIONS.contains(action) && meant(*action, [&row]).is_some(), "{action:?}");
        }
    }
}
