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
use crate::tui::model::{Failure, Subject, Wants};
use crate::tui::top::model::TopRead;
use crate::tui::viewers::{Answer, Reading, Want};

/// How often the processes of the shown container are read.
const TOP: Duration = Duration::from_secs(2);

/// A task that ends when nobody wants it.
pub(super) struct Open(AbortHandle);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is read for a tab: the task, what it was asked for, and how it is told more.
struct Asked {
    want: Want,
    more: Option<watch::Sender<LogWant>>,
    _open: Open,
}

/// What is open.
#[derive(Default)]
pub(super) struct Watch {
    readings: BTreeMap<Reading, Asked>,
    stats: BTreeMap<ContainerId, (Duration, Open)>,
}

impl Watch {
    /// Opens what is wanted and was not, and closes what is no longer wanted.
    pub(super) fn sync(&mut self, wants: Wants, engine: &Engine, tell: &Tell) {
        self.readings.retain(|reading, _| wants.readings.contains_key(reading));
        for (reading, want) in wants.readings {
            match self.readings.get_mut(&reading) {
                Some(asked) if asked.want == want => {}
                Some(asked) if asked.goes_on(&want) => asked.want = want,
                _ => drop(self.readings.insert(reading, read(reading.serial, want, engine, tell))),
            }
        }
        self.stats.retain(|id, (every, _)| wants.stats.get(id) == Some(every));
        for (id, every) in wants.stats {
            let open = || (every, spawn(stats(engine.clone(), tell.clone(), id.clone(), every)));
            self.stats.entry(id.clone()).or_insert_with(open);
        }
    }
}

impl Asked {
    /// Tells a log that goes on what is wanted of it; false where it must be opened again.
    fn goes_on(&self, want: &Want) -> bool {
        let (Some(more), Want::Logs(want)) = (&self.more, want) else { return false };
        more.send_replace(want.clone());
        true
    }
}

/// Begins to read for a tab: a row for each.
fn read(serial: u64, want: Want, engine: &Engine, tell: &Tell) -> Asked {
    let (engine, tell) = (engine.clone(), tell.clone());
    let mut more = None;
    let open = match want.clone() {
        Want::Logs(want) => {
            let (wants, asked) = watch::channel(want);
            more = Some(wants);
            spawn(log(engine, tell, asked))
        }
        Want::Stats(nothing) => match nothing {},
        Want::Top(id) => spawn(top(engine, tell, id, serial)),
        Want::Inspect(subject) => spawn(inspect(engine, tell, subject, serial)),
        Want::Layers(image) => spawn(files::layers(engine, tell, image, serial)),
        Want::Files(ask) => spawn(files::ask(engine, tell, serial, ask)),
        Want::Compare(images) => spawn(files::compared(engine, tell, images, serial)),
        Want::Why(id) => spawn(why(engine, tell, id, serial)),
    };
    Asked { want, more, _open: open }
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

async fn top(engine: Engine, tell: Tell, id: ContainerId, serial: u64) {
    let mut clock = tokio::time::interval(TOP);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let result = engine.containers().top(id.as_str()).await.map_err(Failure::from);
        let has_failed = result.is_err();
        tell.send(Event::Answer(serial, Answer::Top(TopRead { of: id.clone(), result }))).await;
        if has_failed {
            return;
        }
    }
}

async fn inspect(engine: Engine, tell: Tell, subject: Subject, serial: u64) {
    let document = document::inspect(&engine, &subject).await;
    tell.send(Event::Answer(serial, Answer::Inspect(document.map(Box::new).map_err(Failure::from)))).await;
}

async fn why(engine: Engine, tell: Tell, id: ContainerId, serial: u64) {
    let facts = document::why(&engine, &id).await;
    tell.send(Event::Answer(serial, Answer::Why(facts.map(Box::new).map_err(Failure::from)))).await;
}
