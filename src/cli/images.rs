//! Image commands.

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::clock::Clock;
use super::failure::{Failure, Result};
use super::inspect;
use super::output::{Object, is_terminal, line, print, warn};
use super::progress::{ProgressOutput, shown};
use crate::base::ErrorKind;
use crate::command::image::{FromHost, History, Images, Import, Inspect, Load, Pull, Request, Rmi, Tag};
use crate::docker::filter::{self, Filters};
use crate::docker::{Format, images as image_rows, schema};
use crate::engine::{
    self, ArchiveInput, Engine, Force, ImageRemoval, ImportRequest, Listing, Parents, PullOptions, Removed,
    Warnings,
};

pub(super) async fn perform(engine: &Engine, clock: &Clock, request: Request) -> Result<u8> {
    match request {
        Request::FromHost(it) => from_host(engine, it).await,
        Request::History(it) => history(engine, clock, it).await,
        Request::Images(it) => images(engine, clock, it).await,
        Request::Import(it) => import(engine, it).await,
        Request::Inspect(it) => self::inspect(engine, it).await,
        Request::Load(it) => load(engine, it).await,
        Request::Pull(it) => pull(engine, it).await,
        Request::Rmi(it) => remove(engine, it).await,
        Request::Tag(it) => tag(engine, it).await,
    }
}

async fn pull(engine: &Engine, pull: Pull) -> Result<u8> {
    let place = if pull.quiet { ProgressOutput::Nowhere } else { ProgressOutput::Stdout };
    if pull.is_default_tag && !pull.quiet {
        line("Using default tag: latest")?;
    }
    let options = PullOptions { platform: pull.platform };
    let images = engine.images();
    let pulled = shown(place, || {}, |reporter| images.pull(&pull.reference, options, reporter)).await?;
    if pull.quiet {
        line(&pulled.image)?;
    } else {
        let reference = &pull.reference;
        match (reference.tag(), reference.digest()) {
            (_, Some(digest)) => line(format!("{}@{digest}", reference.full_name()))?,
            (Some(tag), None) => line(format!("{}:{tag}", reference.full_name()))?,
            (None, None) => line(reference.full_name())?,
        }
    }
    Ok(0)
}

/// Returns standard input as an archive, and an alarm that interrupts waiting for it. Fails if it
/// is a terminal.
fn standard_input(verb: &str) -> Result<(ArchiveInput, Option<Alarm>)> {
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        let hint = format!("specify a file, or redirect standard input: `hoist {verb} < FILE`");
        return Err(Failure::Words("requested input is a terminal".to_owned(), Some(hint)));
    }
    // A read cannot be interrupted, but waiting for another thread's read can.
    let (empty, wanted) = channel::<Vec<u8>>();
    let (full, chunks) = channel();
    let alarm = full.clone();
    let reader = thread::Builder::new().spawn(move || {
        for mut buffer in wanted {
            buffer.resize(CHUNK, 0);
            let read = loop {
                match stdin.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            if full.send(read.map(|len| (buffer, len))).is_err() {
                return;
            }
        }
    });
    reader.map_err(Failure::no_threads)?;
    let chunks = Chunks { empty, chunks, current: Vec::new(), at: 0, len: 0, is_wanted: false };
    Ok((ArchiveInput::Stream(Box::new(chunks)), Some(alarm)))
}

/// How many bytes are read from standard input at once.
const CHUNK: usize = 256 << 10;

type Chunk = io::Result<(Vec<u8>, usize)>;
type Alarm = Sender<Chunk>;

/// Interrupts waiting for standard input; the reader then checks whether to stop.
fn wake(alarm: Option<&Alarm>) {
    if let Some(alarm) = alarm {
        let _ = alarm.send(Err(io::ErrorKind::Interrupted.into())); // nobody is waiting any longer
    }
}

/// Standard input, read by another thread, one requested chunk at a time.
struct Chunks {
    empty: Sender<Vec<u8>>,
    chunks: Receiver<Chunk>,
    current: Vec<u8>,
    at: usize,
    len: usize,
    is_wanted: bool,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.len {
            if !std::mem::replace(&mut self.is_wanted, true) {
                let _ = self.empty.send(std::mem::take(&mut self.current)); // or the next line fails
            }
            let read = self.chunks.recv().map_err(io::Error::other)?;
            if !matches!(&read, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
                self.is_wanted = false;
            }
            (self.current, self.len) = read?;
            self.at = 0;
        }
        let len = buffer.len().min(self.len - self.at);
        buffer[..len].copy_from_slice(&self.current[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

async fn load(engine: &Engine, load: Load) -> Result<u8> {
    let (input, alarm) = match load.input {
        Some(path) => (ArchiveInput::File(path), None),
        None => standard_input("load")?,
    };
    let place = if load.quiet || !is_terminal() { ProgressOutput::Nowhere } else { ProgressOutput::Stdout };
    let images = engine.images();
    let loaded = shown(place, || wake(alarm.as_ref()), |reporter| images.load(input, reporter)).await?;
    for one in &loaded {
        if one.names.is_empty() {
            line(format!("Loaded image ID: {}", one.image))?;
        }
        for name in &one.names {
            line(format!("Loaded image: {name}"))?;
        }
    }
    Ok(0)
}

async fn import(engine: &Engine, import: Import) -> Result<u8> {
    let (input, alarm) = match import.source {
        Some(path) => (ArchiveInput::File(path), None),
        None => standard_input("import -")?,
    };
    let request = ImportRequest {
        input,
        name: import.reference,
        changes: import.changes,
        message: import.message,
        platform: import.platform,
    };
    let images = engine.images();
    let id =
        shown(ProgressOutput::Nowhere, || wake(alarm.as_ref()), |reporter| images.import(request, reporter))
            .await?;
    line(id)?;
    Ok(0)
}

async fn from_host(engine: &Engine, from: FromHost) -> Result<u8> {
    let images = engine.images();
    let id = shown(
        ProgressOutput::Stderr,
        || {},
        |reporter| images.from_host(from.reference, from.programs, reporter),
    )
    .await?;
    line(id)?;
    Ok(0)
}

async fn tag(engine: &Engine, tag: Tag) -> Result<u8> {
    warn(&engine.images().tag(&tag.image, tag.name).await?);
    Ok(0)
}

async fn remove(engine: &Engine, rmi: Rmi) -> Result<u8> {
    let force = if rmi.force { Force::Yes } else { Force::No };
    let parents = if rmi.no_prune { Parents::Keep } else { Parents::Prune };
    let removal = ImageRemoval::for_good(force, parents);
    let mut code = 0;
    for name in &rmi.names {
        match engine.images().remove(name, removal).await {
            Ok(gone) => {
                warn(&gone.warnings);
                for one in gone.removed {
                    match one {
                        Removed::Untagged(name) => line(format!("Untagged: {name}"))?,
                        Removed::Deleted(digest) => line(format!("Deleted: {digest}"))?,
                    }
                }
            }
            Err(error) => {
                let is_gone = error.kind() == ErrorKind::NotFound;
                let told = Failure::from(error).tell();
                if !(rmi.force && is_gone) {
                    code = told;
                }
            }
        }
    }
    Ok(code)
}

async fn images(engine: &Engine, clock: &Clock, images: Images) -> Result<u8> {
    let mut words = images.filter;
    words.extend(images.name.filter(|name| !name.is_empty()).map(|name| format!("reference={name}")));
    let filters = Filters::parse(&words, filter::IMAGE_KEYS)?;
    let is_unfiltered = words.is_empty();
    let format = Format::parse(images.format.as_deref().unwrap_or_default())?;
    let Listing { whole, mut damaged, warnings } = engine.images().listing().await?;
    warn(&Warnings(warnings));
    let chosen = image_rows::chosen(whole, &filters, images.all)?;
    // Whether they match a filter is unknown.
    damaged.retain(|_| is_unfiltered);
    if images.quiet && images.format.is_none() {
        for image in &chosen {
            if images.no_trunc { line(&image.id)? } else { line(image.id.short())? }
        }
        for one in damaged.iter().filter(|one| !one.id.is_empty()) {
            line(image_rows::damaged_id(one, !images.no_trunc))?;
        }
        return Ok(0);
    }
    let (now, zone) = clock.read();
    let digests = images.digests || format.names("Digest") && format != Format::Json;
    let look = image_rows::Look { truncate: !images.no_trunc, digests, now, zone: &zone };
    let rows = chosen.iter().flat_map(|image| image_rows::rows(image, &look));
    let rows = rows.chain(damaged.iter().map(|one| image_rows::damaged_row(one, &look)));
    let rows: Vec<_> = rows.collect();
    let columns = if images.digests { image_rows::COLUMNS_WITH_DIGESTS } else { image_rows::COLUMNS };
    print(&format.show(columns, image_rows::TITLES, &rows)?)?;
    Ok(0)
}

async fn history(engine: &Engine, clock: &Clock, history: History) -> Result<u8> {
    let format = Format::parse(history.format.as_deref().unwrap_or_default())?;
    let entries = engine.images().history(&history.name).await?;
    let (now, zone) = clock.read();
    let look = image_rows::Look { truncate: !history.no_trunc, digests: false, now, zone: &zone };
    let row = |entry| image_rows::history_row(entry, &look, history.human);
    let rows: Vec<_> = entries.iter().map(row).collect();
    if history.quiet && history.format.is_none() {
        for row in &rows {
            line(row.fields["ID"].as_str().unwrap_or_default())?;
        }
        return Ok(0);
    }
    let columns = &image_rows::HISTORY_COLUMNS[..image_rows::HISTORY_SHOWN];
    print(&format.show(columns, image_rows::HISTORY_COLUMNS, &rows)?)?;
    Ok(0)
}

async fn inspect(engine: &Engine, asked: Inspect) -> Result<u8> {
    inspect::each(&asked.names, asked.format.as_deref(), async |name| image(engine, name).await).await
}

pub(super) async fn image(engine: &Engine, name: &str) -> engine::Result<Object> {
    Ok((image_rows::inspect(&engine.images().inspect(name).await?), schema::IMAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_comes_in_pieces_and_a_wait_for_it_is_interrupted() {
        let (empty, wanted) = channel::<Vec<u8>>();
        let (full, chunks) = channel();
        let alarm = full.clone();
        let mut input = Chunks { empty, chunks, current: Vec::new(), at: 0, len: 0, is_wanted: false };
        let send = |bytes: &[u8]| full.send(Ok((bytes.to_vec(), bytes.len()))).unwrap();
        let mut read = |size: usize| {
            let mut buffer = vec![0; size];
            input.read(&mut buffer).map(|length| buffer[..length].to_vec())
        };
        send(b"abcde");
        assert_eq!(read(3).unwrap(), b"abc");
        assert_eq!(read(3).unwrap(), b"de", "what is there, before more is asked for");
        wake(Some(&alarm));
        assert_eq!(read(3).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(wanted.try_iter().count(), 2, "the piece that was waited for is still on its way");
        send(b"f");
        assert_eq!(read(3).unwrap(), b"f");
        full.send(Err(io::ErrorKind::PermissionDenied.into())).unwrap();
        assert_eq!(read(3).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        send(b"");
        assert_eq!(read(3).unwrap(), b"", "the end");
        assert_eq!(wanted.try_iter().count(), 2);
        wake(None);
        drop((alarm, full));
        assert!(read(3).is_err(), "nobody reads any longer");
    }
}
