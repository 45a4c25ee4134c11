//! The follower of an engine's journal, which reads each line once for all subscribers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::News;
use crate::base::disk::Result;
use crate::base::journal::{Found, Position, Reader};
use crate::engine::watch::{Watched, Watcher};

/// The delay before trying again to read an unreadable journal.
const AGAIN: Duration = Duration::from_secs(1);
/// Maximum number of events queued for a subscriber; a slower one reads the journal itself.
pub(super) const QUEUE: usize = 1024;

/// The journal of an engine, followed while there are subscribers.
#[derive(Debug)]
pub(in crate::engine) struct Journal {
    path: PathBuf,
    watcher: Arc<Watcher>,
    following: Mutex<Option<Following>>,
}

#[derive(Debug)]
struct Following {
    reader: Reader,
    to: broadcast::Sender<Arc<Told>>,
    /// Whether the kernel reports changes.
    is_told: bool,
    task: AbortHandle,
    /// Identifies the task that this belongs to.
    token: Arc<()>,
}

/// Events, and the position in the journal after them.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) news: News,
    pub(super) end: Position,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Following {
    /// Sends everything that was appended.
    fn pump(&mut self, is_lost: bool) -> Result<()> {
        let tell = |reader: &Reader, news| {
            let told = Told { news, end: reader.position() };
            let _ = self.to.send(Arc::new(told)); // there may be no subscriber
        };
        if is_lost {
            tell(&self.reader, News::Gap);
        }
        while let Some(found) = self.reader.read_next()? {
            tell(
                &self.reader,
                match found {
                    Found::Event(event) => News::Event(event),
                    Found::Torn | Found::Lost => News::Gap,
                },
            );
        }
        Ok(())
    }
}

impl Journal {
    pub(in crate::engine) fn new(path: PathBuf, watcher: Arc<Watcher>) -> Arc<Self> {
        Arc::new(Self { path, watcher, following: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to everything that is appended from now on.
    pub(super) fn subscribe(self: &Arc<Self>) -> Result<Subscription> {
        let mut following = self.lock();
        // A task ends silently if its runtime had ended before it ran.
        if following.as_ref().is_none_or(|following| following.task.is_finished()) {
            *following = None;
        }
        let following = match &mut *following {
            Some(following) => {
                // Earlier events are news only for the other subscribers.
                following.pump(false)?;
                following
            }
            none => none.insert(self.follow()?),
        };
        Ok(Subscription {
            journal: Arc::downgrade(self),
            live: Some(following.to.subscribe()),
            start: following.reader.position(),
            is_by_the_clock: !following.is_told,
        })
    }

    fn follow(self: &Arc<Self>) -> Result<Following> {
        let folder = self.path.parent().unwrap_or(&self.path);
        // Watch before looking for the end, so that later events are noticed.
        let watched = self.watcher.watch(vec![folder.to_owned()]);
        let is_told = watched.is_told();
        let reader = Reader::at_end(&self.path)?;
        let (to, _) = broadcast::channel(QUEUE);
        let token = Arc::new(());
        let task = tokio::spawn(follow(Arc::downgrade(self), watched, token.clone())).abort_handle();
        Ok(Following { reader, to, is_told, task, token })
    }

    /// Stops following after the last subscriber has gone.
    fn unsubscribe(&self) {
        self.lock().take_if(|following| following.to.receiver_count() == 0);
    }
}

/// A subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    journal: Weak<Journal>,
    live: Option<broadcast::Receiver<Arc<Told>>>,
    /// The position from which events are sent.
    pub(super) start: Position,
    /// Whether the journal is polled, so that changes between two reads may be missed.
    pub(super) is_by_the_clock: bool,
}

impl Subscription {
    pub(super) async fn recv(&mut self) -> std::result::Result<Arc<Told>, RecvError> {
        match &mut self.live {
            Some(live) => live.recv().await,
            None => Err(RecvError::Closed),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.live = None;
        if let Some(journal) = self.journal.upgrade() {
            journal.unsubscribe();
        }
    }
}

async fn follow(journal: Weak<Journal>, mut watched: Watched, token: Arc<()>) {
    let _end = End { journal: journal.clone(), token };
    let mut is_unread = false;
    loop {
        // Subscribers poll while it cannot be read.
        let is_lost = if is_unread {
            let _ = timeout(AGAIN, watched.changed()).await; // whichever comes first
            true
        } else {
            watched.changed().await
        };
        let Some(journal) = journal.upgrade() else { return };
        let mut following = journal.lock();
        let Some(following) = &mut *following else { return };
        following.is_told = watched.is_told();
        let was_unread = is_unread;
        is_unread = match following.pump(is_lost) {
            Ok(()) => false,
            Err(error) => {
                if !was_unread {
                    tracing::error!(%error, "the journal cannot be read");
                }
                true
            }
        };
    }
}

/// Notifies the subscribers if the task ends before them.
struct End {
    journal: Weak<Journal>,
    token: Arc<()>,
}

impl Drop for End {
    fn drop(&mut self) {
        let Some(journal) = self.journal.upgrade() else { return };
        let ended = journal.lock().take_if(|following| Arc::ptr_eq(&following.token, &self.token));
        drop(ended);
    }
}
