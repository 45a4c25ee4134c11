//! What changed, whoever changed it: the journal, followed.

use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::attach::watched;
use super::error::{Doing, Result};
use super::{Engine, Event};
use crate::base::journal::Reader;
use crate::sys::inotify::Inotify;

/// Events on their way to a slow receiver.
const QUEUE: usize = 1024;
/// How often the journal is read where the kernel tells nothing.
const BY_THE_CLOCK: Duration = Duration::from_millis(250);

/// One piece of news for a front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something changed.
    Event(Event),
    /// Events may be missing: read all states again.
    Gap,
}

impl Engine {
    /// Everything that changes from now on. By inotify: nothing wakes up while nothing
    /// changes. Where this user has no inotify instance left, the journal is read by the
    /// clock, and the first news is a gap.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub fn events(&self) -> Result<mpsc::Receiver<News>> {
        let path = self.paths().journal();
        let watch = self.watch_journal();
        let reader = Reader::at_end(&path).doing(|| "follow the journal")?;
        let (to, news) = mpsc::channel(QUEUE);
        tokio::spawn(follow(reader, watch, to));
        Ok(news)
    }

    /// The journal's events from its beginning, as far as it reaches back.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub fn past_events(&self) -> Result<Vec<Event>> {
        let doing = || "read the journal";
        let path = self.paths().journal();
        let previous = crate::base::journal::previous(&path);
        let mut events = Reader::at_start(&previous).doing(doing)?.read().doing(doing)?.events;
        events.extend(Reader::at_start(&path).doing(doing)?.read().doing(doing)?.events);
        Ok(events)
    }

    /// Watches the journal's folder: the file is made and renamed there.
    fn watch_journal(&self) -> Option<AsyncFd<Inotify>> {
        let watch = || {
            let inotify = Inotify::new()?;
            inotify.watch(self.paths().run())?;
            Ok::<_, crate::sys::Error>(inotify)
        };
        let inotify =
            watch().inspect_err(|error| tracing::debug!(%error, "following the journal by the clock"));
        inotify.ok().and_then(|inotify| watched(inotify, Interest::READABLE).ok())
    }
}

async fn follow(mut reader: Reader, watch: Option<AsyncFd<Inotify>>, to: mpsc::Sender<News>) {
    let mut is_lost = watch.is_none();
    loop {
        let news = match reader.read() {
            Ok(news) => news,
            Err(error) => {
                tracing::error!(%error, "the journal cannot be read");
                return;
            }
        };
        if (news.has_gap || std::mem::take(&mut is_lost)) && to.send(News::Gap).await.is_err() {
            return;
        }
        for event in news.events {
            if to.send(News::Event(event)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            lost = changed(watch.as_ref()) => is_lost = lost,
            () = to.closed() => return,
        }
    }
}

/// Waits until something changed; `true` when the kernel lost news of it.
async fn changed(watch: Option<&AsyncFd<Inotify>>) -> bool {
    let Some(watch) = watch else {
        tokio::time::sleep(BY_THE_CLOCK).await;
        return false;
    };
    let Ok(mut ready) = watch.readable().await else { return true };
    let is_lost = watch.get_ref().clear().unwrap_or(true);
    ready.clear_ready();
    is_lost
}
