//! What must be open for the screen as it is: started and stopped as [`Wants`] says.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::log::log;
use super::{Tell, document, files};
use crate::engine::{ContainerId, Engine};
use crate::tui::event::Event;
use crate::tui::logs::model::LogWant;
use crate::tui::model::window::PaneId;
use crate::tui::model::{Failure, Subject, Wants};

/// How often the processes of the shown container are read.
const TOP: Duration = Duration::from_secs(2);

/// A task that ends when nobody wants it any more.
pub(super) struct Open(AbortHandle);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A log that is open, and what is wanted of it.
struct Log {
    wants: watch::Sender<LogWant>,
    _open: Open,
}

/// What is open.
#[derive(Default)]
pub(super) struct Watch {
    had: Wants,
    logs: BTreeMap<PaneId, Log>,
    tops: BTreeMap<ContainerId, Open>,
    inspects: BTreeMap<PaneId, Open>,
    whys: BTreeMap<PaneId, Open>,
    files: BTreeMap<u64, Open>,
    layers: BTreeMap<PaneId, Open>,
    compared: BTreeMap<PaneId, Open>,
    stats: BTreeMap<ContainerId, (Duration, Open)>,
}

impl Watch {
    /// Opens what is wanted and was not, and closes what is not wanted any more.
    pub(super) fn sync(&mut self, wants: Wants, engine: &Engine, tell: &Tell) {
        let (engine, tell) = (|| engine.clone(), || tell.clone());
        self.logs.retain(|pane, _| wants.logs.contains_key(pane));
        for (pane, want) in &wants.logs {
            match self.logs.get(pane) {
                // The same log goes on, and is told what is wanted of it.
                Some(log) if log.wants.borrow().serial == want.serial => {
                    log.wants.send_if_modified(|old| {
                        let is_new = old != want;
                        old.clone_from(want);
                        is_new
                    });
                }
                _ => {
                    let (wants, asked) = watch::channel(want.clone());
                    let open = spawn(log(engine(), tell(), asked));
                    self.logs.insert(*pane, Log { wants, _open: open });
                }
            }
        }
        sync(&mut self.inspects, &self.had.inspects, &wants.inspects, |_, (subject, serial)| {
            spawn(inspect(engine(), tell(), subject.clone(), *serial))
        });
        sync(&mut self.whys, &self.had.whys, &wants.whys, |_, (id, serial)| {
            spawn(why(engine(), tell(), id.clone(), *serial))
        });
        sync(&mut self.files, &self.had.files, &wants.files, |serial, ask| {
            spawn(files::ask(engine(), tell(), *serial, ask.clone()))
        });
        sync(&mut self.layers, &self.had.layers, &wants.layers, |_, (image, serial)| {
            spawn(files::layers(engine(), tell(), image.clone(), *serial))
        });
        sync(&mut self.compared, &self.had.compared, &wants.compared, |_, (images, serial)| {
            spawn(files::compared(engine(), tell(), images.clone(), *serial))
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

pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Open {
    Open(tokio::spawn(work).abort_handle())
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
    let document = document::inspect(&engine, &subject).await;
    tell.send(Event::Document(serial, document.map(Box::new).map_err(Failure::from))).await;
}

async fn why(engine: Engine, tell: Tell, id: ContainerId, serial: u64) {
    let facts = document::why(&engine, &id).await;
    tell.send(Event::Why(serial, facts.map(Box::new).map_err(Failure::from))).await;
}
