//! Failures, and the tone of messages.

use crate::engine;

/// An error as it is shown to the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The failed operation: `cannot pause `web``
    pub what: String,
    /// The causes, from the nearest to the root.
    pub why: Vec<String>,
    /// A hint on what to do.
    pub hint: Option<String>,
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self { what: error.to_string(), why: error.causes(), hint: error.hint() }
    }
}

impl Failure {
    /// Returns the failure in full, with all causes and the hint.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let causes = self.why.iter().map(|cause| format!("  because {cause}"));
        let hint = self.hint.iter().map(|hint| format!("hint: {hint}"));
        std::iter::once(self.what.clone()).chain(causes).chain(hint).collect()
    }

    /// Returns the failure as one line, without the hint: with its nearest cause, and what the
    /// system said, but without the calls to the system.
    #[must_use]
    pub fn line(&self) -> String {
        let mut causes = self.why.iter().map(String::as_str).filter(|why| !is_call(why));
        let first = causes.next().or(self.why.first().map(String::as_str));
        let last = causes.next_back().filter(|last| of_system(last).is_some());
        let told = first.into_iter().chain(last).map(|why| of_system(why).unwrap_or(why));
        std::iter::once(self.what.as_str()).chain(told).collect::<Vec<_>>().join(": ")
    }
}

/// Whether a cause names a call to the system: `mount(proc, /proc)`.
fn is_call(why: &str) -> bool {
    let name = why.split('(').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    why.contains('(') && !name.is_empty() && name.chars().all(is_name)
}

/// Returns an error of the system without its number: `Permission denied`.
fn of_system(why: &str) -> Option<&str> {
    why.ends_with(')').then(|| why.rsplit_once(" (os error ")).flatten().map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_reason_rather_than_the_call() {
        for (why, line) in [
            (&[][..], "cannot start `web`"),
            (&["it is paused"], "cannot start `web`: it is paused"),
            (&["it is paused", "by hand"], "cannot start `web`: it is paused"),
            (
                &["mount(proc, /proc)", "Operation not permitted (os error 1)"],
                "cannot start `web`: Operation not permitted",
            ),
            (
                &["cannot write /x", "write(3, 12 bytes)", "No space left on device (os error 28)"],
                "cannot start `web`: cannot write /x: No space left on device",
            ),
            (&["fork()"], "cannot start `web`: fork()"),
            (&["the image (debian:13) is missing"], "cannot start `web`: the image (debian:13) is missing"),
        ] {
            let why = why.iter().map(|why| (*why).to_owned()).collect();
            let failure = Failure { what: "cannot start `web`".to_owned(), why, hint: None };
            assert_eq!(failure.line(), line);
        }
    }
}

/// Whether a message is good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}
