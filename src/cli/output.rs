//! Standard output and standard error.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, StderrLock, StdoutLock, Write};
use std::sync::{Mutex, PoisonError};

use super::failure::{Failure, Result};
use crate::base::text;
use crate::docker::Template;
use crate::docker::template::Type;
use crate::engine::{Warnings, check_output};

/// Prints text to standard output. Control characters are escaped only if it is a terminal.
pub(super) fn print(said: &str) -> Result<()> {
    if is_terminal() { draw(&text::lines(said)) } else { draw(said) }
}

/// Returns standard output, unless it was closed when the program started.
pub(super) fn stdout() -> io::Result<StdoutLock<'static>> {
    check_output().map(|()| io::stdout().lock())
}

/// Writes to standard output without escaping, for control sequences.
pub(super) fn draw(text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = stdout().map_err(Failure::Output)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Prints a line to standard output.
pub(super) fn line(text: impl std::fmt::Display) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints a line to standard error; there is nowhere to report a failure.
pub(super) fn note(said: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{}", text::line(&said.to_string()));
}

/// Prints warnings to standard error, in Docker's format. Each is printed only once, even if it
/// applies to several targets of a command.
pub(super) fn warn(warnings: &Warnings) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for warning in warnings.not_in(&mut told) {
        note(self::warning(warning));
    }
}

/// Formats a warning like Docker.
pub(super) fn warning(what: impl std::fmt::Display) -> String {
    format!("WARNING: {what}")
}

/// Returns whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// An object as Docker's JSON, with its type for templates.
pub(super) type Object = (serde_json::Value, Type);

/// Prints objects as `--format` says: as JSON or with a template; by default as indented JSON.
pub(super) fn objects(objects: &[Object], format: Option<&str>) -> Result<()> {
    match format {
        None | Some("") => print(&text::json(&pretty(objects))),
        Some("json") => {
            print(&text::json(&objects.iter().map(|(object, _)| format!("{object}\n")).collect::<String>()))
        }
        Some(words) => {
            let template = Template::parse(words)?;
            for (object, kind) in objects {
                line(template.inspect(object, *kind)?)?;
            }
            Ok(())
        }
    }
}

/// Returns an array with an indentation of four, like Docker's.
fn pretty(objects: &[Object]) -> String {
    if objects.is_empty() {
        return "[]\n".to_owned();
    }
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Serializing values to memory cannot fail.
    let objects: Vec<_> = objects.iter().map(|(object, _)| object).collect();
    let _ = serde::Serialize::serialize(&objects, &mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Both streams, buffered. Bytes are written in order across the streams.
pub(super) struct Streams {
    out: BufWriter<StdoutLock<'static>>,
    err: BufWriter<StderrLock<'static>>,
}

impl Streams {
    pub(super) fn new() -> Self {
        let buffer = 64 * 1024;
        Self {
            out: BufWriter::with_capacity(buffer, io::stdout().lock()),
            err: BufWriter::with_capacity(buffer, io::stderr().lock()),
        }
    }

    /// Returns standard output.
    pub(super) fn out(&mut self) -> io::Result<&mut dyn Write> {
        check_output()?;
        if !self.err.buffer().is_empty() {
            self.err.flush()?;
        }
        Ok(&mut self.out)
    }

    /// Returns standard error.
    pub(super) fn err(&mut self) -> io::Result<&mut dyn Write> {
        if !self.out.buffer().is_empty() {
            self.out.flush()?;
        }
        Ok(&mut self.err)
    }

    /// Writes buffered bytes.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.out.flush().and_then(|()| self.err.flush()).map_err(Failure::Output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_printed_once() {
        let mut told = BTreeSet::new();
        let mut rest = |warnings: &[&str]| {
            let warnings = Warnings(warnings.iter().map(|&warning| warning.to_owned()).collect());
            warnings.not_in(&mut told).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(rest(&["b", "a", "b"]), ["b", "a"], "in their order");
        assert_eq!(rest(&["a", "c"]), ["c"]);
        assert_eq!(rest(&[]), [""; 0]);
    }

    #[test]
    fn objects_are_dockers_json() {
        assert_eq!(pretty(&[]), "[]\n");
        let object = serde_json::json!({ "Id": "x", "Ports": {} });
        assert_eq!(
            pretty(&[(object, Type::Any)]),
            "[\n    {\n        \"Id\": \"x\",\n        \"Ports\": {}\n    }\n]\n"
        );
    }
}
