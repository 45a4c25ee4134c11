//! The interface for reading lists and tabs. A tab is read by a task, which is aborted when its
//! answers are no longer needed.

use std::fmt;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::engine::{Engine, Progress, Reporter, Result};
use crate::tui::event::Event;
use crate::tui::reading::{Answer, Listed};
use crate::tui::section::Section;

/// Sends the events of a task.
#[derive(Debug, Clone)]
pub(crate) struct EventSender(pub(crate) mpsc::Sender<Event>);

impl EventSender {
    /// Sends an event. A failure is ignored: there is no receiver while hoist quits.
    pub(crate) async fn send(&self, event: Event) {
        let _ = self.0.send(event).await;
    }
}

/// The environment of a tab's reader.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) engine: Engine,
    pub(crate) tell: EventSender,
    /// The serial of its answers.
    pub(crate) serial: u64,
}

impl Reader {
    /// Sends an answer to the tab.
    pub(crate) async fn answer(&self, answer: Answer) {
        self.tell.send(Event::Answer(self.serial, answer)).await;
    }

    /// Returns a reporter for work that the engine does for the tab. Dropping the guard cancels the
    /// work: it may run on another thread, which would not end with the waiting task.
    pub(crate) fn reporter(
        &self,
        line: impl Fn(String) -> Answer + Send + Sync + 'static,
    ) -> (Reporter, CancelGuard) {
        let (tell, serial) = (self.tell.clone(), self.serial);
        let reporter = Reporter::new(move |progress| {
            if let Progress::Note(text) = progress {
                // If the channel is full, the next report replaces this one.
                let _ = tell.0.try_send(Event::Answer(serial, line(text)));
            }
        });
        (reporter.clone(), CancelGuard(reporter))
    }
}

/// The environment of a list's reader.
#[derive(Clone)]
pub(crate) struct ListReader {
    pub(crate) engine: Engine,
    pub(crate) tell: EventSender,
    /// The list to read.
    pub(crate) section: Section,
}

impl ListReader {
    /// Sends what was read, with the warnings, one sentence each.
    pub(crate) async fn answer(&self, read: Result<(Listed, Vec<String>)>) {
        match read {
            Ok((listed, warnings)) => {
                self.tell.send(Event::Warned(self.section, warnings)).await;
                self.tell.send(Event::List(Ok(listed))).await;
            }
            Err(error) => self.tell.send(Event::List(Err((self.section, error.into())))).await,
        }
    }
}

/// Cancels work when it is dropped.
pub(crate) struct CancelGuard(Reporter);

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Switches a task to another want; returns whether the task can continue with it.
type Retarget<W> = Box<dyn Fn(&W) -> bool + Send>;

/// A task that is aborted on drop.
pub(crate) struct ReadTask<W> {
    task: AbortHandle,
    retarget: Option<Retarget<W>>,
}

impl<W> ReadTask<W> {
    /// Starts `work`.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { task: tokio::spawn(work).abort_handle(), retarget: None }
    }

    /// Lets the task continue with a different want if `retarget` accepts it.
    pub(crate) fn following(mut self, retarget: impl Fn(&W) -> bool + Send + 'static) -> Self {
        self.retarget = Some(Box::new(retarget));
        self
    }

    /// Whether the task can continue with a different want.
    pub(crate) fn goes_on(&self, want: &W) -> bool {
        self.retarget.as_ref().is_some_and(|retarget| retarget(want))
    }
}

impl<W> fmt::Debug for ReadTask<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadTask").field("task", &self.task).finish_non_exhaustive()
    }
}

impl<W> Drop for ReadTask<W> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
