//! What reads for a list, and for a tab: there a task that ends when its answers are no longer
//! wanted.

use std::fmt;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::engine::{Engine, Progress, Reporter, Result};
use crate::tui::event::Event;
use crate::tui::reading::{Answer, Listed};
use crate::tui::section::Section;

/// Where tasks send their events.
#[derive(Debug, Clone)]
pub(crate) struct EventSender(pub(crate) mpsc::Sender<Event>);

impl EventSender {
    /// Sends it; when nobody listens, hoist is leaving.
    pub(crate) async fn send(&self, event: Event) {
        let _ = self.0.send(event).await;
    }
}

/// What a tab's reader works with.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) engine: Engine,
    pub(crate) tell: EventSender,
    /// The number that its answers bear.
    pub(crate) serial: u64,
}

impl Reader {
    /// Sends an answer to the tab.
    pub(crate) async fn answer(&self, answer: Answer) {
        self.tell.send(Event::Answer(self.serial, answer)).await;
    }

    /// A reporter for work that the engine does for the tab. The work is cancelled when the
    /// guard goes: on another thread it would not end with who waits for it.
    pub(crate) fn reporter(
        &self,
        line: impl Fn(String) -> Answer + Send + Sync + 'static,
    ) -> (Reporter, CancelGuard) {
        let (tell, serial) = (self.tell.clone(), self.serial);
        let reporter = Reporter::new(move |progress| {
            if let Progress::Note(text) = progress {
                // One that does not fit is replaced by the next.
                let _ = tell.0.try_send(Event::Answer(serial, line(text)));
            }
        });
        (reporter.clone(), CancelGuard(reporter))
    }
}

/// What a list's reader works with.
#[derive(Clone)]
pub(crate) struct ListReader {
    pub(crate) engine: Engine,
    pub(crate) tell: EventSender,
    /// Which list it reads.
    pub(crate) section: Section,
}

impl ListReader {
    /// Sends what was read, and what went wrong on the way to it, a sentence each.
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

/// Takes another want, and says whether it goes on with that.
type Retarget<W> = Box<dyn Fn(&W) -> bool + Send>;

/// A task that ends when this is dropped.
pub(crate) struct ReadTask<W> {
    task: AbortHandle,
    retarget: Option<Retarget<W>>,
}

impl<W> ReadTask<W> {
    /// Begins `work`.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { task: tokio::spawn(work).abort_handle(), retarget: None }
    }

    /// Lets it go on when something else is wanted, where `retarget` says that it can.
    pub(crate) fn following(mut self, retarget: impl Fn(&W) -> bool + Send + 'static) -> Self {
        self.retarget = Some(Box::new(retarget));
        self
    }

    /// Whether it goes on with another want.
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
