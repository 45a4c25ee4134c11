//! What must be open for the screen as it is: started and stopped as [`Wants`] says.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::AbortHandle;

use super::{Tell, facts};
use crate::engine::{ContainerId, Engine, LogRequest};
use crate::tui::event::Event;
use crate::tui::model::window::PaneId;
use crate::tui::model::{Failure, Subject, Wants};

/// A log's view begins with so many lines.
const TAIL: u64 = 5000;

/// So many records are told at once.
const BATCH: usize = 512;

/// How often the processes of the shown container are read.
const TOP: Duration = Duration::from_secs(2);

/// A task that ends when nobody wants it any more.
struct Open(AbortHandle);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is open.
#[derive(Default)]
pub(super) struct Watch {
    had: Wants,
    logs: BTreeMap<PaneId, Open>,
    tops: BTreeMap<ContainerId, Open>,
    inspects: BTreeMap<PaneId, Open>,
    stats: BTreeMap<ContainerId, (Duration, Open)>,
}

impl Watch {
    /// Opens what is wanted and was not, and closes what is not wanted any more.
    pub(super) fn sync(&mut self, wants: Wants, engine: &Engine, tell: &Tell) {
        let (engine, tell) = (|| engine.clone(), || tell.clone());
        sync(&mut self.logs, &self.had.logs, &wants.logs, |_, (id, serial)| {
            spawn(log(engine(), tell(), id.clone(), *serial))
        });
        sync(&mut self.inspects, &self.had.inspects, &wants.inspects, |_, (subject, serial)| {
            spawn(inspect(engine(), tell(), subject.clone(), *serial))
        });
        self.tops.retain(|id, _| wants.tops.contains(id));
        for id in &wants.tops {
            let open = || spawn(top(engine(), tell(), id.clone()));
            self.tops.entry(id.clone()).or_insert_with(open);
        }
        if self.had.stats != wants.stats {
            self.stats.retain(|id, (every, _)| wants.stats.get(id) == Some(every));
            for (id, every) in &wants.stats {
                if !self.stats.contains_key(id) {
                    let task = spawn(stats(engine(), tell(), id.clone(), *every));
                    self.stats.insert(id.clone(), (*every, task));
                }
            }
        }
        self.had = wants;
    }
}

/// Opens what is wanted otherwise than before, and closes what is not wanted any more.
fn sync<K: Ord + Copy, W: PartialEq>(
    open: &mut BTreeMap<K, Open>,
    had: &BTreeMap<K, W>,
    wants: &BTreeMap<K, W>,
    start: impl Fn(&K, &W) -> Open,
) {
    open.retain(|key, _| wants.contains_key(key));
    for (key, wanted) in wants {
        if had.get(key) != Some(wanted) {
            open.insert(*key, start(key, wanted));
        }
    }
}

fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Open {
    Open(tokio::spawn(work).abort_handle())
}

async fn log(engine: Engine, tell: Tell, id: ContainerId, serial: u64) {
    let request =
        LogRequest { stdout: true, stderr: true, follow: true, tail: Some(TAIL), ..LogRequest::default() };
    let mut records = match engine.containers().logs(id.as_str(), request).await {
        Ok(records) => records,
        Err(error) => return tell.send(Event::LogOver(serial, Some(error.into()))).await,
    };
    let mut failure: Option<Failure> = None;
    while let Some(first) = records.recv().await {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(record) = next {
            match record {
                Ok(record) => batch.push(record),
                Err(error) => failure = Some(error.into()),
            }
            next = if batch.len() < BATCH { records.try_recv().ok() } else { None };
        }
        tell.send(Event::Log(serial, batch)).await;
    }
    tell.send(Event::LogOver(serial, failure)).await;
}

async fn stats(engine: Engine, tell: Tell, id: ContainerId, every: Duration) {
    // A container that just ended has none; its row says so.
    let Ok(mut samples) = engine.containers().stats(id.as_str(), every).await else { return };
    while let Some(sample) = samples.recv().await {
        tell.send(Event::Sample(id.clone(), Box::new(sample))).await;
    }
}

async fn top(engine: Engine, tell: Tell, id: ContainerId) {
    let mut clock = tokio::time::interval(TOP);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let top = engine.containers().top(id.as_str()).await.map_err(Failure::from);
        let has_failed = top.is_err();
        tell.send(Event::Top(id.clone(), top)).await;
        if has_failed {
            return;
        }
    }
}

async fn inspect(engine: Engine, tell: Tell, subject: Subject, serial: u64) {
    let text = facts::of(&engine, &subject).await.map_err(Failure::from);
    tell.send(Event::Text(serial, text)).await;
}
