//! Commands that follow changes: `logs`, `events`, `stats`.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::failure::{self, Failure, Result};
use super::output::{self, Streams, draw, line, print, warn};
use crate::base::text;
use crate::command::container::{Logs, Stats};
use crate::command::system::Events;
use crate::docker::filter::{EVENT_KEYS, Filters};
use crate::docker::{Format, Template, event as events_of, schema, stats as rows_of, time};
use crate::engine::{
    self, ContainerView, Engine, Event, EventRequest, LogRequest, News, Sample, Stream, Warnings,
};

pub(super) async fn logs(engine: &Engine, clock: &Clock, logs: Logs) -> Result<u8> {
    let (now, zone) = clock.read();
    let moment =
        |word: &Option<String>| word.as_deref().map(|word| time::parse(word, now, &zone)).transpose();
    let request = LogRequest {
        stdout: true,
        stderr: true,
        follow: logs.follow,
        tail: logs.tail,
        since: moment(&logs.since)?,
        until: moment(&logs.until)?,
    };
    let mut records = engine.containers().logs(&logs.target, request).await?;
    let mut streams = Streams::new();
    let mut is_line_start = [true; 2];
    while let Some(record) = records.recv().await {
        let record = record?;
        let (start, out) = match record.stream {
            Stream::Stdout => (&mut is_line_start[0], streams.out()),
            Stream::Stderr => (&mut is_line_start[1], streams.err()),
        };
        let written = out.and_then(|out| {
            if logs.timestamps && *start {
                write!(out, "{} ", time::rfc3339_fixed(record.time, &TimeZone::UTC))?;
            }
            out.write_all(&record.bytes)
        });
        written.map_err(Failure::Output)?;
        *start = record.bytes.ends_with(b"\n");
        if records.is_empty() {
            streams.flush()?;
        }
    }
    streams.flush()?;
    // It may have been removed meanwhile.
    let container = engine.containers().get(&logs.target).await.ok();
    warn(&Warnings(container.and_then(|container| container.log_gap).into_iter().collect()));
    Ok(0)
}

pub(super) async fn events(engine: &Engine, clock: &Clock, events: Events) -> Result<u8> {
    let (now, zone) = clock.read();
    let filters = Filters::parse(&events.filter, EVENT_KEYS)?;
    let show = match events.format.as_deref() {
        None | Some("") => Show::Line,
        Some("json") => Show::Json,
        Some(text) => Show::Template(Template::parse(text)?),
    };
    let moment =
        |word: &Option<String>| word.as_deref().map(|word| time::parse(word, now, &zone)).transpose();
    let (since, until) = (moment(&events.since)?, moment(&events.until)?);
    let request = EventRequest { since, until, filter: events_of::filter(&filters) };
    let mut news = engine.events(request).await?;
    while let Some(news) = news.recv().await {
        match news {
            News::Event(event) => show.event(&event, &zone)?,
            News::Gap => {}
        }
    }
    Ok(0)
}

/// The output format of events.
enum Show {
    Line,
    Json,
    Template(Template),
}

impl Show {
    fn event(&self, event: &Event, zone: &TimeZone) -> Result<()> {
        let json = || events_of::json(event);
        match self {
            Self::Line => line(events_of::line(event, zone)),
            Self::Json => line(text::json(&json().to_string())),
            Self::Template(template) => line(template.inspect(&json(), schema::EVENT)?),
        }
    }
}

/// Time between two tables.
const TICK: Duration = Duration::from_secs(1);
/// Time between the two samples of a single table, long enough to measure CPU usage.
const GLANCE: Duration = Duration::from_millis(100);

pub(super) async fn stats(engine: &Engine, stats: Stats) -> Result<u8> {
    let format = Format::parse(stats.format.as_deref().unwrap_or_default())?;
    let mut watch =
        Watch { engine, every: if stats.no_stream { GLANCE } else { TICK }, samples: HashMap::new() };
    let mut ticks = tokio::time::interval(watch.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let shown = targets(engine, &stats).await?;
        watch.follow(&shown).await?;
        if stats.no_stream {
            watch.wait_for_two().await;
        } else {
            ticks.tick().await;
            watch.take_all();
        }
        let row = |it: &ContainerView| rows_of::row(it, watch.pair(it), !stats.no_trunc);
        let rows: Vec<_> = shown.iter().map(row).collect();
        let table = format.show(&rows_of::COLUMNS[..rows_of::SHOWN], rows_of::COLUMNS, &rows)?;
        if stats.no_stream {
            print(&table)?;
            return Ok(0);
        }
        // Home, then each line over the old one, then the rest away: nothing flickers.
        match output::is_terminal() {
            true => draw(&format!("\x1b[H{}\x1b[J", text::lines(&table).replace('\n', "\x1b[K\n")))?,
            false => print(&table)?,
        }
        if !stats.targets.is_empty() && watch.samples.is_empty() {
            return Ok(0);
        }
    }
}

/// Returns the containers to show, in the order requested.
async fn targets(engine: &Engine, stats: &Stats) -> Result<Vec<ContainerView>> {
    let containers = engine.containers();
    let mut found = Vec::new();
    if stats.targets.is_empty() {
        let all = containers.list().await?.into_iter();
        found.extend(all.filter(|c| stats.all || c.status.is_up()));
    } else {
        for target in &stats.targets {
            found.push(containers.get(target).await?);
        }
    }
    Ok(found)
}

/// The samples of containers, as they arrive.
struct Watch<'a> {
    engine: &'a Engine,
    every: Duration,
    samples: HashMap<String, Samples>,
}

struct Samples {
    receiver: mpsc::Receiver<Sample>,
    before: Option<Sample>,
    after: Option<Sample>,
}

impl Samples {
    fn take(&mut self, sample: Sample) {
        self.before = self.after.replace(sample);
    }
}

impl Watch<'_> {
    /// Follows exactly these containers.
    async fn follow(&mut self, shown: &[ContainerView]) -> failure::Result<()> {
        self.samples.retain(|id, samples| {
            !samples.receiver.is_closed() && shown.iter().any(|it| it.id.as_str() == id)
        });
        for container in shown {
            let id = container.id.as_str();
            if self.samples.contains_key(id) {
                continue;
            }
            match self.engine.containers().stats(id, self.every).await {
                Ok(receiver) => {
                    self.samples.insert(id.to_owned(), Samples { receiver, before: None, after: None });
                }
                // It is not running, or has just exited, so there are no samples.
                Err(error)
                    if matches!(error.kind(), engine::ErrorKind::Conflict | engine::ErrorKind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn wait_for_two(&mut self) {
        for samples in self.samples.values_mut() {
            while samples.before.is_none()
                && let Some(sample) = samples.receiver.recv().await
            {
                samples.take(sample);
            }
        }
    }

    fn take_all(&mut self) {
        for samples in self.samples.values_mut() {
            while let Ok(sample) = samples.receiver.try_recv() {
                samples.take(sample);
            }
        }
    }

    fn pair(&self, container: &ContainerView) -> Option<(&Sample, &Sample)> {
        let samples = self.samples.get(container.id.as_str())?;
        let after = samples.after.as_ref()?;
        Some((samples.before.as_ref().unwrap_or(after), after))
    }
}
