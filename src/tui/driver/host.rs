//! Runs the user's programs on this machine. hoist releases its terminal meanwhile.

use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::Command;

use super::process::{Process, without_job_stops};
use crate::tui::effect::Line;
use crate::tui::failure::Failure;

/// Runs a command, and waits until the user confirms having seen the result. It blocks. The terminal
/// must have been released, and nothing else may read from it.
///
/// # Errors
///
/// Fails if the program cannot be run, or exits with a failure.
pub(super) fn run(process: &Process, line: &Line, folder: &Path) -> Result<(), Failure> {
    let Some((program, rest)) = line.words.split_first() else { return Ok(()) };
    let line = crate::base::text::line(&line.typed).into_owned();
    say(&format!("$ {line}\n"));
    let status = process.run(Command::new(program).args(rest).current_dir(folder));
    let end = match &status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    if !process.is_hung_up() {
        say(&format!("\n[{end}] press Enter to return to hoist "));
        // At the end of input, nobody can confirm.
        let _ = without_job_stops(|| io::stdin().lock().read_line(&mut String::new()));
    }
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Failure { what: format!("`{line}` failed"), why: vec![status.to_string()], hint: None })
        }
        Err(error) => Err(Failure {
            what: format!("cannot run `{program}`"),
            why: vec![error.to_string()],
            hint: Some("check that it is installed and in PATH".to_owned()),
        }),
    }
}

fn say(text: &str) {
    let mut out = io::stdout();
    // If this fails, the terminal is gone, which the next use will report.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
