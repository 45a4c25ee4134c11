//! The user's input, and at the start also the answers of the terminal.

use std::io::{self, IsTerminal as _};

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;

use super::probe::{self, Answers, Late};
use crate::engine::check_threads;
use crate::tui::model::look::Ground;

/// The source of keys.
pub(super) struct Keys {
    /// Queries the terminal; nothing else may read from it meanwhile.
    probe: Option<JoinHandle<Answers>>,
    stream: Option<EventStream>,
    /// Whether hoist is the only reader of the terminal.
    is_ours: bool,
    /// Filters a late answer of the terminal from the input.
    late: Option<Late>,
}

/// Input from the terminal.
pub(super) enum Heard {
    /// The user's input.
    Events(Vec<Event>),
    /// The terminal's answers.
    Answers(Box<Answers>),
    /// A late answer of the terminal.
    Ground(Ground),
    /// The end of the input.
    End,
}

impl Keys {
    /// Starts to read the answers to the [`probe::QUESTIONS`], which must have been sent, and then
    /// keys.
    pub(super) fn new() -> Self {
        let probe = io::stdin().is_terminal().then(|| tokio::task::spawn_blocking(probe::read));
        Self { probe, stream: None, is_ours: true, late: None }
    }

    /// Waits for the next input. It is cancel safe: nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> io::Result<Heard> {
        if let Some(probe) = &mut self.probe {
            let answers = probe.await.unwrap_or_default();
            self.probe = None;
            self.late = (!answers.is_through).then(Late::default);
            return Ok(Heard::Answers(Box::new(answers)));
        }
        let (stream, mut is_new) = match &mut self.stream {
            Some(stream) => (stream, false),
            None if !self.is_ours => return std::future::pending().await,
            none => (none.insert(listen()?), true),
        };
        let next = std::future::poll_fn(|context| {
            let polled = stream.poll_next_unpin(context);
            if std::mem::take(&mut is_new) && polled.is_pending() {
                announce_input();
            }
            polled
        });
        let event = match next.await {
            None => return Ok(Heard::End),
            Some(event) => event?,
        };
        if matches!(event, Event::Resize(..)) {
            announce_input();
        }
        let (Event::Key(key), Some(late)) = (&event, &mut self.late) else {
            return Ok(Heard::Events(vec![event]));
        };
        let (keys, ground) = late.take(*key);
        Ok(match ground {
            Some(ground) => {
                self.late = None;
                Heard::Ground(ground)
            }
            None => Heard::Events(keys.into_iter().map(Event::Key).collect()),
        })
    }

    /// Stops reading, so that another program can.
    pub(super) fn pause(&mut self) {
        (self.stream, self.is_ours) = (None, false);
    }

    /// Starts reading again.
    pub(super) fn resume(&mut self) {
        self.is_ours = true;
    }
}

/// Returns the stream of the terminal's events, which crossterm reads in a thread. Without a free
/// thread, crossterm would panic.
fn listen() -> io::Result<EventStream> {
    check_threads(1)?;
    Ok(EventStream::new())
}

/// Has the kernel announce the input that nobody has read, if there is some.
///
/// crossterm waits for the terminal, for SIGWINCH and for the end of an earlier stream by one
/// edge-triggered epoll(7). When the terminal and another one become ready together it returns the
/// other and drops the announcement of the keys: they would lie there until the next one is pressed.
/// Setting the terminal's attributes, here to what they are, wakes all that wait for it
/// (`n_tty_set_termios` of the kernel), which announces them again.
fn announce_input() {
    let stdin = io::stdin();
    if let Ok(attributes) = rustix::termios::tcgetattr(&stdin) {
        // Without it the keys only come late.
        let _ = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &attributes);
    }
}
