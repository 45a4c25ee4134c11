//! The state machine of a container: one enum, one function.
//!
//! ```text
//!             start                pause
//!  created ──────────▶ running ◀────────▶ paused
//!                      ▲  │ ▲     unpause
//!              restart │  │ └──────────── restarting   (waits for its back-off)
//!                      │  ▼ exit, stop, kill     ▲
//!                    exited ─────────────────────┘
//!  removing, dead: Docker's words for filters; hoist's containers never have this status
//!  unknown: written by a newer hoist; can be stopped, killed and removed like a running one
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{ErrorKind, Explain};

/// The status of a container, in Docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "drawn in the module's doc")]
pub enum Status {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
    #[serde(untagged)]
    Unknown(StatusWord),
}

/// An unknown status word: at most 15 letters, digits, `-` and `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
pub struct StatusWord {
    length: u8,
    bytes: [u8; Self::MAX],
}

impl StatusWord {
    const MAX: usize = 15;

    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that cannot be a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a status")]
pub struct BadStatus(String);

impl TryFrom<std::borrow::Cow<'_, str>> for StatusWord {
    type Error = BadStatus;

    fn try_from(word: std::borrow::Cow<'_, str>) -> Result<Self, BadStatus> {
        let is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let mut bytes = [0; Self::MAX];
        match (bytes.get_mut(..word.len()), u8::try_from(word.len())) {
            (Some(place), Ok(length)) if length > 0 && word.bytes().all(is_good) => {
                place.copy_from_slice(word.as_bytes());
                Ok(Self { length, bytes })
            }
            _ => Err(BadStatus(word.into_owned())),
        }
    }
}

impl From<StatusWord> for String {
    fn from(word: StatusWord) -> Self {
        word.as_str().to_owned()
    }
}

impl Status {
    /// Every known status, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Removing,
        Self::Exited,
        Self::Dead,
    ];

    /// Returns the word as used by `ps --filter status=`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Unknown(word) => word.as_str(),
        }
    }

    /// Returns whether it has processes. With an unknown status it may have some.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Unknown(_))
    }

    /// Returns the status after `verb`.
    ///
    /// # Errors
    ///
    /// [`Conflict`] if the verb does not apply.
    pub fn after(self, verb: Verb) -> Result<Self, Conflict> {
        use {Status::*, Verb::*};
        match (self, verb) {
            (Created | Exited, Start) => Ok(Running),
            (Running, Pause) => Ok(Paused),
            (Paused, Unpause) => Ok(Running),
            (Running | Paused | Restarting | Unknown(_), Stop | Kill) => Ok(Exited),
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

/// Operations that depend on the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
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

/// The verb does not apply in this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {status}")]
pub struct Conflict {
    /// What was attempted.
    pub verb: Verb,
    /// The container's status.
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
            (_, Unknown(_)) => {
                "a newer version of hoist wrote it: use that version, stop the container, or remove it with --force"
            }
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
        let unknown = serde_json::from_str("\"parked\"").unwrap();
        for status in Status::ALL.into_iter().chain([unknown]) {
            let cell = |verb| status.after(verb).map_or("-".to_owned(), |status| status.to_string());
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
parked     -        exited   exited   -        -        -        -        -
"
        );
    }

    #[test]
    fn the_word_of_a_newer_hoist_is_kept() {
        for status in Status::ALL {
            let word = serde_json::to_string(&status).unwrap();
            assert_eq!(serde_json::from_str::<Status>(&word).unwrap(), status);
            assert!(!matches!(status, Status::Unknown(_)));
        }
        for word in ["\"parked\"", "\"check-pointed_2\""] {
            let status: Status = serde_json::from_str(word).unwrap();
            assert!(matches!(status, Status::Unknown(_)) && status.is_up());
            assert_eq!(serde_json::to_string(&status).unwrap(), word);
        }
        for bad in ["\"\"", "\"sixteen-letters-\"", "\"a b\"", "\"\\u001b\"", "7"] {
            assert!(serde_json::from_str::<Status>(bad).is_err(), "{bad}");
        }
    }
}
