//! Errors in command lines, in one format for all front ends.

use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind as Clap};

use super::refused;
use super::table::Verb;
use crate::base::text;

/// An error in a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    message: String,
    /// The usage line, such as `hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
    usage: Option<String>,
    hint: Option<String>,
    code: u8,
}

/// Docker's exit code for invalid options, for any verb.
const BAD_FLAG: u8 = 125;
/// Docker's exit code for too few or too many arguments, and for unknown verbs.
const BAD_COUNT: u8 = 1;

impl Usage {
    /// Creates an error for an option that is unknown, lacks its value or has a wrong one.
    pub(super) fn flag(message: impl Into<String>, command: &str) -> Self {
        let hint = Some(format!("see `{command} --help`"));
        Self { message: message.into(), usage: None, hint, code: BAD_FLAG }
    }

    /// Creates an error for an invalid value, or for options that contradict each other.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self { message: message.into(), usage: None, hint: None, code: BAD_FLAG }
    }

    /// Creates an error for too few or too many arguments, or for an unknown verb.
    pub(super) fn count(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { message: message.into(), usage: None, hint, code: BAD_COUNT }
    }

    /// Adds a hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint to the verb's help, unless there is a better one.
    pub(super) fn of(mut self, verb: &Verb) -> Self {
        if self.code == BAD_FLAG && self.hint.is_none() {
            self.hint = Some(format!("see `{} --help`", verb.name()));
        }
        self
    }

    /// Returns the one-line message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the hint.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl std::error::Error for Usage {}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Scripts can pass arguments of any origin, so they are escaped.
        f.write_str(&text::line(&self.message))?;
        if let Some(usage) = &self.usage {
            write!(f, "\nusage: {usage}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", text::line(hint))?;
        }
        Ok(())
    }
}

/// Converts clap's error to Docker's words.
pub(super) fn from_clap(error: &clap::Error, verb: &Verb) -> Usage {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let name = verb.name();
    // `--env <list>` → `--env`
    let argument = text(ContextKind::InvalidArg);
    let option = argument.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let value = text(ContextKind::InvalidValue);
    let mut usage = match error.kind() {
        Clap::UnknownArgument if option.starts_with('-') => match refused::option(verb, &option) {
            Some(usage) => return usage,
            None if option.starts_with("--") => Usage::flag(format!("unknown flag: {option}"), &name),
            None => Usage::flag(format!("unknown shorthand flag: {option}"), &name),
        },
        Clap::UnknownArgument | Clap::TooManyValues => {
            Usage::count(format!("`{name}`: unexpected argument `{argument}`"), None)
        }
        Clap::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(names)) => names.iter().map(|name| bare(name)).collect(),
                _ => vec![bare(&argument)],
            };
            Usage::count(format!("`{name}` requires {}", missing.join(" and ")), None)
        }
        Clap::InvalidValue | Clap::TooFewValues | Clap::WrongNumberOfValues if value.is_empty() => {
            Usage::flag(format!("flag needs an argument: {option}"), &name)
        }
        Clap::InvalidValue | Clap::ValueValidation => {
            let why = match (error.get(ContextKind::ValidValue), std::error::Error::source(error)) {
                (Some(ContextValue::Strings(valid)), _) => format!("expected one of {}", valid.join(", ")),
                (_, Some(source)) => source.to_string(),
                _ => "invalid value".to_owned(),
            };
            Usage::flag(format!("invalid argument `{value}` for {option}: {why}"), &name)
        }
        Clap::ArgumentConflict => {
            let other = text(ContextKind::PriorArg);
            let other = other.split(' ').next().unwrap_or_default();
            Usage::flag(format!("conflicting options: {option} and {other}"), &name)
        }
        _ => Usage::flag(error.kind().to_string(), &name),
    };
    usage.usage = Some(verb.usage());
    if usage.hint.is_none() {
        usage.hint = Some(format!("see `{name} --help`"));
    }
    usage
}

/// Converts `<CONTAINER>...` to `CONTAINER`, and `--tag <NAME>` to `--tag NAME`.
fn bare(argument: &str) -> String {
    argument.trim_end_matches("...").replace(['<', '>'], "")
}
