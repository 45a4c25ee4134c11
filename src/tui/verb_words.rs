//! The words of verbs: one source for questions, titles, progress, results and failures.

use crate::base::units::counted;
use crate::tui::effect::ContainerVerb;

/// A verb in words.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// `stop`
    pub present: &'static str,
    /// What precedes the name of the object: `stop`, `attach to`
    pub infinitive: &'static str,
    /// `stopping`
    pub progressive: &'static str,
    /// `stopped`
    pub past: &'static str,
    /// `stop`, as in `the stop of web`
    pub noun: &'static str,
    /// The negative answer to a question about one object, and about several.
    no: [&'static str; 2],
}

/// Start a container.
pub const START: &Words =
    &words(["start", "starting", "started", "start"], ["leave it stopped", "leave them stopped"]);
/// Stop a container.
pub const STOP: &Words =
    &words(["stop", "stopping", "stopped", "stop"], ["leave it running", "leave them running"]);
/// Stop a container and start it again.
pub const RESTART: &Words = &words(
    ["restart", "restarting", "restarted", "restart"],
    ["leave it as it is", "leave them as they are"],
);
/// Pause a container.
pub const PAUSE: &Words =
    &words(["pause", "pausing", "paused", "pause"], ["leave it running", "leave them running"]);
/// Unpause a container.
pub const UNPAUSE: &Words =
    &words(["unpause", "unpausing", "unpaused", "unpause"], ["leave it paused", "leave them paused"]);
/// Send a signal to a container.
pub const SIGNAL: &Words = &words(["signal", "signaling", "signaled", "signal"], ["cancel", "cancel"]);
/// Remove an object.
pub const REMOVE: &Words = &words(["remove", "removing", "removed", "removal"], ["keep it", "keep them"]);
/// Rename a container.
pub const RENAME: &Words = &words(["rename", "renaming", "renamed", "rename"], ["cancel", "cancel"]);
/// Restore an object from the trash.
pub const RESTORE: &Words = &words(
    ["restore", "restoring", "restored", "restore"],
    ["leave it in the trash", "leave them in the trash"],
);
/// Delete a file, or an object in the trash.
pub const DELETE: &Words = &words(["delete", "deleting", "deleted", "deletion"], ["keep it", "keep them"]);
/// Run a command in a container.
pub const EXEC: &Words = &Words {
    infinitive: "run a command in",
    ..words(["exec", "executing", "executed", "exec"], ["cancel", "cancel"])
};
/// Attach to a container.
pub const ATTACH: &Words = &Words {
    infinitive: "attach to",
    ..words(["attach", "attaching", "attached", "attach"], ["cancel", "cancel"])
};

const fn words([present, progressive, past, noun]: [&'static str; 4], no: [&'static str; 2]) -> Words {
    Words { present, infinitive: present, progressive, past, noun, no }
}

impl Words {
    /// Returns a question about several objects: `Stop 4 containers of shop?`
    #[must_use]
    pub fn question(&self, count: usize, what: &str, of: &str) -> String {
        format!("{} {}{of}?", self.capitalized(), counted(count as u64, what))
    }

    /// Returns the verb for the beginning of a sentence: `Stop`.
    #[must_use]
    pub fn capitalized(&self) -> String {
        let mut letters = self.present.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    }

    /// Returns the negative answer to a question about this many objects.
    #[must_use]
    pub fn no(&self, count: usize) -> &'static str {
        self.no[usize::from(count != 1)]
    }

    /// Returns what was done, as a noun: `the stop of web`.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        format!("the {} of {name}", self.noun)
    }

    /// Returns what cannot be done: `cannot stop `web``.
    #[must_use]
    pub fn cannot(&self, name: &str) -> String {
        format!("cannot {} `{name}`", self.infinitive)
    }
}

impl ContainerVerb {
    /// Returns its words.
    #[must_use]
    pub fn words(&self) -> &'static Words {
        match self {
            Self::Start => START,
            Self::Stop => STOP,
            Self::Restart => RESTART,
            Self::Pause => PAUSE,
            Self::Unpause => UNPAUSE,
            Self::Kill(_) => SIGNAL,
            Self::Remove(_) => REMOVE,
            Self::Rename(_) => RENAME,
        }
    }

    /// Returns what it did to the container with this name.
    #[must_use]
    pub fn told(&self, name: &str) -> String {
        match self {
            Self::Kill(signal) => format!("sent {signal} to {name}"),
            Self::Rename(new) => format!("renamed {name} to {new}"),
            _ => format!("{} {name}", self.words().past),
        }
    }

    /// Returns its name as a noun, for the container with this name.
    #[must_use]
    pub fn noun(&self, name: &str) -> String {
        match self {
            Self::Kill(signal) => format!("sending {signal} to {name}"),
            _ => self.words().of(name),
        }
    }
}
