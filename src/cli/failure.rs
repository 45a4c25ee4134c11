//! Why a command line failed: its error message, printed once, and its exit code.

use std::ffi::OsString;
use std::io::{self, Write};

use crate::base::error::{RAISE_PROCESSES, chain, io_hint, report};
use crate::base::{ErrorKind, Explain};
use crate::command::Usage;
use crate::docker::{filter, template};
use crate::engine;

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// Why a command line failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line is invalid.
    Usage(Usage),
    /// An argument is not valid UTF-8.
    NotText(OsString),
    /// The engine failed.
    Engine(engine::Error),
    /// Another part failed.
    Explained(Box<dyn Explain>),
    /// Standard output or error cannot be written. A closed pipe is not reported.
    Output(io::Error),
    /// A message with a hint.
    Words(String, Option<String>),
    /// Another failure with Docker's exit code for it.
    Coded(Box<Failure>, u8),
    /// A failure that has been reported already.
    Told(u8),
}

impl Failure {
    pub(super) fn explained(error: impl Explain) -> Self {
        Self::Explained(Box::new(error))
    }

    pub(super) fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into(), None)
    }

    /// Returns a function for `map_err` that says what could not be done, and the system's error.
    pub(super) fn cannot(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Words(format!("cannot {what}: {error}"), io_hint(&error))
    }

    /// No thread can be started.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
    pub(super) fn no_threads(error: io::Error) -> Self {
        Self::Words(format!("cannot start a thread: {error}"), Some(RAISE_PROCESSES.to_owned()))
    }

    /// No file can be opened.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
    pub(super) fn no_descriptors(error: io::Error) -> Self {
        Self::Words(format!("cannot open a file: {error}"), io_hint(&error))
    }

    /// Returns the failure with another exit code.
    pub(super) fn code(self, code: u8) -> Self {
        Self::Coded(Box::new(self), code)
    }

    /// Returns the kind of failure, if known.
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::Usage(_) | Self::NotText(_) | Self::Words(..) => ErrorKind::Invalid,
            Self::Engine(error) => error.kind(),
            Self::Explained(error) => error.kind(),
            Self::Output(_) | Self::Told(_) => ErrorKind::Internal,
            Self::Coded(inner, _) => inner.kind(),
        }
    }

    /// Returns the failure with the exit code of `run` and `exec`: a shell's code for errors of the
    /// program, else `other`.
    pub(super) fn of_program(self, other: u8) -> Self {
        let code = match self.kind() {
            ErrorKind::ProgramNotFound => 127,
            ErrorKind::ProgramNotRunnable => 126,
            ErrorKind::Interrupted => self.exit_code(),
            _ => match self {
                Self::Told(_) | Self::Coded(..) => return self,
                _ => other,
            },
        };
        self.code(code)
    }

    /// Prints the message to standard error, and returns the exit code.
    pub(super) fn tell(&self) -> u8 {
        let text = self.text();
        // There is nowhere to report this failure.
        let _ = io::stderr().write_all(text.as_bytes());
        self.exit_code()
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(usage) => usage.code(),
            Self::Coded(_, code) | Self::Told(code) => *code,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 128 + 13,
            _ if self.kind() == ErrorKind::Interrupted => 130,
            _ => 1,
        }
    }

    /// Returns `error: …`, the causes and the hint.
    fn text(&self) -> String {
        match self {
            Self::Usage(usage) => format!("error: {usage}\n"),
            Self::NotText(word) => {
                report(&format!("an argument is not valid UTF-8: {}", word.to_string_lossy()), &[], None)
            }
            Self::Engine(error) => report(&error.to_string(), &error.causes(), error.hint()),
            Self::Explained(error) => {
                let causes = chain(error.as_ref());
                report(&causes[0], &causes[1..], error.hint())
            }
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Self::Output(error) => {
                report(&format!("cannot write to standard output: {error}"), &[], io_hint(error))
            }
            Self::Words(text, hint) => report(text, &[], hint.clone()),
            Self::Coded(inner, _) => inner.text(),
            Self::Told(_) => String::new(),
        }
    }
}

impl From<Usage> for Failure {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<template::Error> for Failure {
    fn from(error: template::Error) -> Self {
        Self::explained(error)
    }
}

impl From<filter::Error> for Failure {
    fn from(error: filter::Error) -> Self {
        Self::explained(error)
    }
}

impl From<crate::docker::time::BadTime> for Failure {
    fn from(error: crate::docker::time::BadTime) -> Self {
        Self::explained(error)
    }
}

/// An error of a kind.
#[cfg(test)]
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub(super) struct OfKind(pub(super) ErrorKind);

#[cfg(test)]
impl Explain for OfKind {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Conflict, Error, NotFound, Status, Verb};

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let conflict = Conflict { verb: Verb::Pause, status: Status::Exited };
        let missing = NotFound { noun: "container", name: "web".to_owned() };
        let failures = [
            Failure::from(Error::new("pause `web`", conflict)),
            Failure::from(Error::new("start `web`", missing)),
            Failure::words("the input device is not a TTY"),
            Failure::Output(io::Error::from(io::ErrorKind::BrokenPipe)),
            Failure::from(template::Template::parse("{{.X").unwrap_err()),
        ];
        let told: Vec<_> = failures.iter().map(|f| format!("{}{}\n", f.text(), f.exit_code())).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        error: cannot pause `web`
          because it is exited
        hint: start it first
        1

        error: cannot start `web`
          because No such container: web
        1

        error: the input device is not a TTY
        1

        141

        error: template parsing error: template: :1: unclosed action
        1
        ");
    }

    #[test]
    fn output_that_nobody_reads_is_a_signals_end_and_no_message() {
        for (kind, code, told) in [
            (io::ErrorKind::BrokenPipe, 141, false),
            (io::ErrorKind::StorageFull, 1, true),
            (io::ErrorKind::Interrupted, 1, true),
        ] {
            let failure = Failure::Output(io::Error::from(kind));
            assert_eq!((failure.exit_code(), !failure.text().is_empty()), (code, told), "{kind:?}");
        }
        let told = Failure::Told(3);
        assert_eq!((told.exit_code(), told.text().as_str()), (3, ""));
        let coded = Failure::words("no").code(125).code(7);
        assert_eq!((coded.exit_code(), coded.text().as_str()), (7, "error: no\n"));
    }

    #[test]
    fn exit_codes_of_run_are_dockers() {
        for (kind, code) in [
            (ErrorKind::ProgramNotFound, 127),
            (ErrorKind::ProgramNotRunnable, 126),
            (ErrorKind::NotFound, 125),
            (ErrorKind::Internal, 125),
            (ErrorKind::Interrupted, 130),
        ] {
            assert_eq!(Failure::explained(OfKind(kind)).of_program(125).exit_code(), code);
        }
        assert_eq!(Failure::Told(3).of_program(125).exit_code(), 3);
    }
}
