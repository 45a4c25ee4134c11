//! Events of this process and others: first those in the journal, then new ones.

mod filter;
mod follow;

use std::iter;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::error::{Doing, Result};
use super::{Engine, Event, blocking};
use crate::base::journal::{Found, Past, Position, Reader};
pub use filter::EventFilter;
pub(super) use follow::Journal;
use follow::Subscription;

/// A message to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something changed.
    Event(Event),
    /// Events may be missing: read all state again.
    Gap,
}

/// Selects events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRequest {
    /// Past events since this time, as far as the journal reaches back.
    pub since: Option<Timestamp>,
    /// No events after this time. If it is in the past, only past events are returned.
    pub until: Option<Timestamp>,
    /// The objects and actions.
    pub filter: EventFilter,
}

impl Engine {
    /// Subscribes to the requested events: first past events, then new ones, until the requested
    /// time or the end of the engine. Nothing wakes up while nothing changes, and a slow reader
    /// reads the journal itself. If this user has no inotify instance left, the journal is polled,
    /// and the first message about new events is a gap.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    #[expect(clippy::unused_async, reason = "another back end has to ask for them")]
    pub async fn events(&self, request: EventRequest) -> Result<Events> {
        let now = Timestamp::now();
        if request.until.is_some_and(|until| until <= now) {
            return self.past(request);
        }
        let path = self.paths().journal();
        let live = self.inner.journal.subscribe().doing(|| "follow the journal")?;
        let end = live.start;
        let past = request.since.map(|_| Past::new(&path, end)).transpose();
        let past = past.doing(|| "read the journal")?;
        let left = request.until.map(|until| until.duration_since(now).try_into().unwrap_or_default());
        let deadline = left.map(|left| Instant::now() + left);
        let journal = Arc::downgrade(&self.inner.journal);
        Ok(Events { journal, path, past, live: Some(live), seen: end, deadline, request })
    }

    /// Returns all events in the journal that match the filter.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub async fn past_events(&self, filter: EventFilter) -> Result<Vec<Event>> {
        let engine = self.clone();
        blocking(move || {
            let request = EventRequest { filter, ..EventRequest::default() };
            let Events { past, request, .. } = engine.past(request)?;
            let news = past.into_iter().flat_map(|mut past| iter::from_fn(move || news(&mut past)));
            let wanted = news.filter_map(|news| match news {
                News::Event(event) => request.takes(&event).then_some(event),
                News::Gap => None,
            });
            Ok(wanted.collect())
        })
        .await
    }

    /// Returns the requested events among those now in the journal.
    fn past(&self, request: EventRequest) -> Result<Events> {
        let path = self.paths().journal();
        let end = Reader::at_end(&path).doing(|| "read the journal")?.position();
        let past = Some(Past::new(&path, end).doing(|| "read the journal")?);
        let journal = Arc::downgrade(&self.inner.journal);
        Ok(Events { journal, path, past, live: None, seen: end, deadline: None, request })
    }
}

/// A subscription to events.
#[derive(Debug)]
pub struct Events {
    journal: Weak<Journal>,
    path: PathBuf,
    request: EventRequest,
    /// Past events, which are read before new ones.
    past: Option<Past>,
    live: Option<Subscription>,
    /// The position after the last event taken from `live`.
    seen: Position,
    deadline: Option<Instant>,
}

impl Events {
    /// Returns the next message; `None` when no more will come. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<News> {
        loop {
            // Reading many past events must not block other tasks. Yield before taking one, so none
            // is lost.
            tokio::task::coop::consume_budget().await;
            let news = match &mut self.past {
                Some(past) => match news(past) {
                    Some(news) => news,
                    None => {
                        self.past = None;
                        continue;
                    }
                },
                None => self.next().await?,
            };
            if self.is_wanted(&news) {
                return Some(news);
            }
        }
    }

    /// Returns the next message about new events.
    async fn next(&mut self) -> Option<News> {
        let live = self.live.as_mut()?;
        if std::mem::take(&mut live.is_by_the_clock) {
            return Some(News::Gap);
        }
        let told = tokio::select! {
            biased;
            told = live.recv() => told,
            () = at(self.deadline) => return None,
        };
        match told {
            Ok(told) => {
                self.seen = told.end;
                Some(told.news.clone())
            }
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(_)) => self.catch_up(),
        }
    }

    /// Reads missed events from the journal. Returns a gap if they are gone or cannot be read, and
    /// `None` if the engine is gone.
    fn catch_up(&mut self) -> Option<News> {
        let journal = self.journal.upgrade()?;
        let behind = journal.subscribe().and_then(|live| Ok((Reader::at(&self.path, self.seen)?, live)));
        let (reader, live) = match behind {
            Ok(behind) => behind,
            Err(error) => {
                // Continue with what is still queued.
                tracing::error!(%error, "the journal cannot be read");
                return Some(News::Gap);
            }
        };
        self.past = reader.map(|reader| Past::of(reader, live.start));
        self.seen = live.start;
        self.live = Some(live);
        match &mut self.past {
            Some(past) => news(past).or(Some(News::Gap)),
            None => Some(News::Gap),
        }
    }

    fn is_wanted(&self, news: &News) -> bool {
        match news {
            News::Event(event) => self.request.takes(event),
            News::Gap => true,
        }
    }
}

impl EventRequest {
    fn takes(&self, event: &Event) -> bool {
        let time = event.timestamp();
        self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time <= until)
            && self.filter.takes(event)
    }
}

/// Returns the next past event; `None` at the end.
fn news(past: &mut Past) -> Option<News> {
    match past.read_next() {
        Ok(found) => Some(match found? {
            Found::Event(event) => News::Event(event),
            Found::Torn | Found::Lost => News::Gap,
        }),
        Err(error) => {
            tracing::error!(%error, "the journal cannot be read");
            Some(News::Gap)
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
