//! What the user does, and at the beginning also what the terminal answers.

use std::io::{self, IsTerminal as _};

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;

use super::probe::{self, Answers, Late};
use crate::engine::check_threads;
use crate::tui::model::look::Ground;

/// Where keys come from.
pub(super) struct Keys {
    /// The terminal is being asked; nobody else may read meanwhile.
    probe: Option<JoinHandle<Answers>>,
    stream: Option<EventStream>,
    /// Nobody else has the terminal's input.
    is_ours: bool,
    /// An answer may still come.
    late: Option<Late>,
}

/// What was heard.
pub(super) enum Heard {
    /// What the user did.
    Events(Vec<Event>),
    /// What the terminal answered.
    Answers(Box<Answers>),
    /// What the terminal answered late.
    Ground(Ground),
    /// There will be nothing more.
    End,
}

impl Keys {
    /// Reads the answers to the [`probe::QUESTIONS`], which have been asked, then keys.
    pub(super) fn new() -> Self {
        let probe = io::stdin().is_terminal().then(|| tokio::task::spawn_blocking(probe::read));
        Self { probe, stream: None, is_ours: true, late: None }
    }

    /// Waits for the next thing. It may be dropped while it waits; nothing is lost then.
    pub(super) async fn next(&mut self) -> io::Result<Heard> {
        if let Some(probe) = &mut self.probe {
            let answers = probe.await.unwrap_or_default();
            self.probe = None;
            self.late = (!answers.is_through).then(Late::default);
            return Ok(Heard::Answers(Box::new(answers)));
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None if !self.is_ours => return std::future::pending().await,
            none => none.insert(listen()?),
        };
        let event = match stream.next().await {
            None => return Ok(Heard::End),
            Some(event) => event?,
        };
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

    /// Leaves the terminal's input to somebody else.
    pub(super) fn pause(&mut self) {
        (self.stream, self.is_ours) = (None, false);
    }

    /// Reads again.
    pub(super) fn resume(&mut self) {
        self.is_ours = true;
    }
}

/// What the terminal says, read by another thread. Without one crossterm panics.
fn listen() -> io::Result<EventStream> {
    check_threads(1)?;
    Ok(EventStream::new())
}
