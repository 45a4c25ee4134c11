//! The life of a container: one enum, one function.
//!
//! ```text
//!             start                pause
//!  created ──────────▶ running ◀────────▶ paused
//!                      ▲  │ ▲     unpause
//!              restart │  │ └──────────── restarting   (waits for its back-off)
//!                      │  ▼ end, stop, kill      ▲
//!                    exited ─────────────────────┘
//!  removing, dead: words of Docker for filters; no container of hoist is ever so
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{ErrorKind, Explain};

/// How a container is, in Docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "drawn in the module's doc")]
pub enum Status {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl Status {
    /// Every status, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Removing,
        Self::Exited,
        Self::Dead,
    ];

    /// The word of `ps --filter status=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Whether processes of it exist.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// The status after `verb`, if it applies.
    ///
    /// # Errors
    ///
    /// [`Conflict`] when it does not.
    pub fn after(self, verb: Verb) -> Result<Self, Conflict> {
        use {Status::*, Verb::*};
        match (self, verb) {
            (Created | Exited, Start) => Ok(Running),
            (Running, Pause) => Ok(Paused),
            (Paused, Unpause) => Ok(Running),
            (Running | Paused | Restarting, Stop | Kill) => Ok(Exited),
            (Created | Exited | Dead, Remove) => Ok(Removing),
            (Running, Exec | Attach) => Ok(Running),
            (status, verb) => Err(Conflict { verb, status }),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can be done to a container, as far as its status decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Verb {
    Start,
    Stop,
    Kill,
    Pause,
    Unpause,
    Remove,
    Exec,
    Attach,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Stop,
        Self::Kill,
        Self::Pause,
        Self::Unpause,
        Self::Remove,
        Self::Exec,
        Self::Attach,
    ];
}

/// The verb does not apply in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {status}")]
pub struct Conflict {
    /// What was tried.
    pub verb: Verb,
    /// How the container is.
    pub status: Status,
}

impl Explain for Conflict {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn hint(&self) -> Option<String> {
        use {Status::*, Verb::*};
        let hint = match (self.verb, self.status) {
            (Pause | Exec | Attach, Created | Exited) => "start it first",
            (Start | Exec | Attach, Paused) => "unpause it first",
            (Remove, Running | Paused | Restarting) => "stop it first, or remove it with --force",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let mut table = String::new();
        for status in Status::ALL {
            let cell = |verb| status.after(verb).map_or("-", Status::as_str);
            let row = Verb::ALL.map(|verb| format!("{:<9}", cell(verb))).join("");
            table += format!("{:<11}{}\n", status.as_str(), row).trim_end();
            table.push('\n');
        }
        //         start    stop     kill     pause    unpause  remove   exec     attach
        assert_eq!(
            table,
            "\
created    running  -        -        -        -        removing -        -
running    -        exited   exited   paused   -        -        running  running
paused     -        exited   exited   -        running  -        -        -
restarting -        exited   exited   -        -        -        -        -
removing   -        -        -        -        -        -        -        -
exited     running  -        -        -        -        removing -        -
dead       -        -        -        -        -        removing -        -
"
        );
    }
}
