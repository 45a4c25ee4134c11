//! Requests → words: the command line that does the same.

use super::options::{self, Line};
use crate::engine::{CreateRequest, PullPolicy};

/// The words of `run` that ask for `request`, in the background when `detach`.
///
/// A seccomp profile's text has no place in words: it stays `seccomp=<profile>`, which the
/// reader must replace by a file's name.
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
