//! Converts requests back to equivalent command lines.

use super::options::{self, Line};
use crate::engine::{CreateRequest, PullPolicy};

/// Returns the arguments of `run` for `request`, with `-d` if `detach` is set.
///
/// The text of a seccomp profile cannot be an argument. It is written as `seccomp=<profile>`, which
/// the reader has to replace by a file name.
#[must_use]
pub fn run(request: &CreateRequest, detach: bool) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    if detach {
        words.push("-d".to_owned());
    }
    words.extend(create_words(request));
    words
}

fn create_words(request: &CreateRequest) -> Vec<String> {
    let mut line = Line::default();
    options::write_first(&request.options, &mut line);
    if let Some(name) = &request.name {
        line.value("--name", name.as_str());
    }
    match request.pull {
        PullPolicy::Missing => {}
        PullPolicy::Always => line.value("--pull", "always"),
        PullPolicy::Never => line.value("--pull", "never"),
    }
    options::write(&request.options, &mut line);
    options::process::write_program(&request.options.process, &request.image, &mut line);
    line.0
}
