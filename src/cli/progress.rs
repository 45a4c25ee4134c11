//! Progress of a pull or load: a line per layer, redrawn on a terminal.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Failure, Result};
use super::output::warning;
use crate::base::units::decimal;
use crate::base::{ErrorKind, text};
use crate::engine::{self, Phase, Progress, Reporter};

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressOutput {
    Stdout,
    Stderr,
    Nowhere,
}

/// Minimum time between redraws when only the number of bytes changes.
const FRAME: Duration = Duration::from_millis(50);

/// How long to wait for cancelled work to stop. What it leaves behind is swept later.
const GRACE: Duration = Duration::from_secs(2);

/// Runs `work` and shows its progress at `place`. Ctrl-C or SIGTERM cancels the work, and `wake`
/// interrupts its wait for input. A second signal, or [`GRACE`], ends the program immediately. The
/// exit code is 128 plus the signal's number.
pub(super) async fn shown<T, F>(
    place: ProgressOutput,
    wake: impl Fn(),
    work: impl FnOnce(Reporter) -> F,
) -> Result<T>
where
    F: Future<Output = engine::Result<T>>,
{
    let is_terminal = match place {
        ProgressOutput::Stdout => io::stdout().is_terminal(),
        ProgressOutput::Stderr => io::stderr().is_terminal(),
        ProgressOutput::Nowhere => false,
    };
    let view = Arc::new(Mutex::new(View { is_terminal, ..View::default() }));
    let sink = Arc::clone(&view);
    let reporter = Reporter::new(move |news| {
        if place == ProgressOutput::Nowhere {
            return;
        }
        let text = sink.lock().unwrap_or_else(PoisonError::into_inner).take(news, Instant::now());
        put(place, &text);
    });
    let mut work = std::pin::pin!(work(reporter.clone()));
    let caught = |kind| signal(kind).map_err(Failure::cannot("catch a signal"));
    let mut interrupt = caught(SignalKind::interrupt())?;
    let mut terminate = caught(SignalKind::terminate())?;
    let mut asked = None;
    loop {
        let number = tokio::select! {
            done = &mut work => return done.map_err(|error| ended_by(asked, error.into())),
            _ = interrupt.recv() => libc::SIGINT,
            _ = terminate.recv() => libc::SIGTERM,
            () = tokio::time::sleep(GRACE), if asked.is_some() => asked.unwrap_or(libc::SIGINT),
        };
        if asked.replace(number).is_some() {
            return Err(Failure::Told(exit_code(number)));
        }
        reporter.cancel();
        wake();
    }
}

/// Gives the failure of cancelled work the exit code of the signal that cancelled it.
fn ended_by(asked: Option<i32>, failure: Failure) -> Failure {
    match asked {
        Some(number) if failure.kind() == ErrorKind::Interrupted => failure.code(exit_code(number)),
        _ => failure,
    }
}

/// The exit code of a shell for a program that was killed by a signal.
fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(255)
}

fn put(place: ProgressOutput, text: &str) {
    // Work continues even if its progress cannot be shown.
    let _ = match place {
        ProgressOutput::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        ProgressOutput::Stderr => io::stderr().write_all(text.as_bytes()),
        ProgressOutput::Nowhere => Ok(()),
    };
}

/// What is on the screen.
#[derive(Debug, Default)]
struct View {
    is_terminal: bool,
    /// The row of each part, counted from the first; notes have rows too.
    rows: HashMap<String, usize>,
    count: usize,
    phases: HashMap<String, Phase>,
    drawn: HashMap<String, Instant>,
}

impl View {
    fn say(&mut self, line: &str) -> String {
        self.count += 1;
        format!("{}\n", text::line(line))
    }

    /// Returns what to write to show `news`.
    fn take(&mut self, news: Progress, now: Instant) -> String {
        match news {
            Progress::Note(line) => self.say(&line),
            Progress::Warning(what) => self.say(&warning(what)),
            Progress::Part { id, phase, current, total } => {
                let id = text::line(&id).into_owned();
                let is_new = self.phases.insert(id.clone(), phase) != Some(phase);
                if !self.is_terminal {
                    return if is_new { plain(&id, phase) } else { String::new() };
                }
                let is_early = self.drawn.get(&id).is_some_and(|last| now.duration_since(*last) < FRAME);
                if !is_new && is_early {
                    return String::new();
                }
                self.drawn.insert(id.clone(), now);
                self.draw(&id, &line(phase, current, total))
            }
        }
    }

    fn draw(&mut self, id: &str, text: &str) -> String {
        match self.rows.get(id) {
            None => {
                self.rows.insert(id.to_owned(), self.count);
                self.count += 1;
                format!("{id}: {text}\n")
            }
            Some(row) => {
                let up = self.count - row;
                format!("\x1b[{up}A\r\x1b[2K{id}: {text}\r\x1b[{up}B")
            }
        }
    }
}

/// Returns the line for a phase if output is not a terminal. Short phases are omitted.
fn plain(id: &str, phase: Phase) -> String {
    match phase {
        Phase::Waiting => format!("{id}: Pulling fs layer\n"),
        Phase::Exists | Phase::Retrying | Phase::Done => format!("{id}: {}\n", word(phase)),
        Phase::Downloading | Phase::Verifying | Phase::Extracting | Phase::Writing => String::new(),
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Waiting",
        Phase::Downloading => "Downloading",
        Phase::Verifying => "Verifying Checksum",
        Phase::Extracting => "Extracting",
        Phase::Writing => "Writing",
        Phase::Exists => "Already exists",
        Phase::Retrying => "Retrying",
        Phase::Done => "Pull complete",
    }
}

/// Width of a progress bar.
const BAR: u64 = 50;

fn line(phase: Phase, current: u64, total: Option<u64>) -> String {
    if !matches!(phase, Phase::Downloading | Phase::Extracting | Phase::Writing) {
        return word(phase).to_owned();
    }
    match total {
        Some(total) if total > 0 => {
            let done = usize::try_from(current.min(total).saturating_mul(BAR) / total).unwrap_or(0);
            let cells = usize::try_from(BAR).unwrap_or(0);
            let tip = if done < cells { ">" } else { "" };
            let bar = format!("{}{tip}", "=".repeat(done));
            format!("{:<11} [{bar:<cells$}]  {}/{}", word(phase), decimal(current.min(total)), decimal(total))
        }
        _ => format!("{:<11} {}", word(phase), decimal(current)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;

    fn part(id: &str, phase: Phase, current: u64) -> Progress {
        Progress::Part { id: id.to_owned(), phase, current, total: Some(10_000_000) }
    }

    fn story(is_terminal: bool) -> String {
        let mut view = View { is_terminal, ..View::default() };
        let mut now = Instant::now();
        let news = [
            Progress::Note("latest: Pulling from library/debian".to_owned()),
            part("aaaa", Phase::Waiting, 0),
            part("bbbb", Phase::Exists, 0),
            part("aaaa", Phase::Downloading, 0),
            part("aaaa", Phase::Downloading, 5_000_000),
            part("aaaa", Phase::Extracting, 10_000_000),
            part("aaaa", Phase::Done, 0),
            Progress::Note("Digest: sha256:…".to_owned()),
        ];
        let mut shown = String::new();
        for one in news {
            shown += &view.take(one, now);
            now += FRAME;
        }
        shown.replace('\x1b', "␛").replace('\r', "␍")
    }

    #[test]
    fn the_exit_code_of_what_was_stopped_is_the_signals() {
        #[derive(Debug, thiserror::Error)]
        #[error("x")]
        struct Of(ErrorKind);
        impl Explain for Of {
            fn kind(&self) -> ErrorKind {
                self.0
            }
        }
        for (asked, kind, code) in [
            (Some(libc::SIGINT), ErrorKind::Interrupted, 130),
            (Some(libc::SIGTERM), ErrorKind::Interrupted, 143),
            (None, ErrorKind::Interrupted, 130),
            (Some(libc::SIGTERM), ErrorKind::NotFound, 1),
            (None, ErrorKind::NotFound, 1),
        ] {
            let failure = ended_by(asked, Failure::explained(Of(kind)));
            assert_eq!(failure.exit_code(), code, "{asked:?} {kind:?}");
            // `run` passes on what a pull of its image was ended by.
            let of_run = if code == 1 { 125 } else { code };
            assert_eq!(failure.of_program(125).exit_code(), of_run, "{asked:?} {kind:?}");
        }
    }

    #[test]
    fn a_pipe_gets_plain_lines() {
        insta::assert_snapshot!(story(false), @"
        latest: Pulling from library/debian
        aaaa: Pulling fs layer
        bbbb: Already exists
        aaaa: Pull complete
        Digest: sha256:…
        ");
    }

    #[test]
    fn a_terminal_gets_a_line_a_layer() {
        insta::assert_snapshot!(story(true), @"
        latest: Pulling from library/debian
        aaaa: Waiting
        bbbb: Already exists
        ␛[2A␍␛[2Kaaaa: Downloading [>                                                 ]  0B/10MB␍␛[2B␛[2A␍␛[2Kaaaa: Downloading [=========================>                        ]  5MB/10MB␍␛[2B␛[2A␍␛[2Kaaaa: Extracting  [==================================================]  10MB/10MB␍␛[2B␛[2A␍␛[2Kaaaa: Pull complete␍␛[2BDigest: sha256:…
        ");
    }
}
