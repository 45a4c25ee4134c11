//! The only part with I/O: it owns the engine, the terminal, the clock and the tasks.
//!
//! ```text
//!  loop: wait for a key, an event, a changed terminal, a signal, or the next tick
//!        → update (pure) → effects → tasks, which send events back
//!        → wants → readers started and stopped
//!        → draw, when something changed, at most 60 times a second
//! ```
//! Nothing is polled: the engine reports changes of the store as events.

mod disk;
mod editor;
mod files;
mod guest;
mod host;
mod keys;
mod load;
mod pace;
mod pages;
mod print;
mod probe;
mod process;
mod pty;
mod reload;
mod saved;
mod screen;
mod session;
mod settings;
mod turns;
mod verb;
mod watch;
mod work;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::event::Event as TermEvent;
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::event::{Event, Finish};
use super::keymap::Keymap;
use super::model::Model;
use super::reader::{EventSender, ListReader};
use super::theme::{DARK, Depth, Theme};
use super::update::{begin, start, update};
use super::{Error, TuiSettings, sections, view};
use crate::command::World;
use crate::config::Preset;
use crate::engine::{Engine, ErrorKind, EventRequest, Progress, Reporter, Result};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{Effect, Job};
use crate::tui::failure::{Failure, Tone};
use crate::tui::files::model::FilesWish;
use crate::tui::inspect;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tasks::model::Work;
use crate::tui::trash::model::TrashRow;
use guest::Guest;
use keys::{Heard, Keys};
use load::Loads;
use pace::{FRAME, Pace};
use print::Prints;
use reload::Reloads;
use screen::Screen;
use session::Sessions;
use turns::Verbs;
use watch::Watch;

/// The maximum number of events that are handled before a frame is drawn.
const BATCH: usize = 256;

/// Runs the TUI until the user quits or a signal arrives; returns the exit code.
pub(super) async fn drive(engine: Engine, settings: TuiSettings) -> std::result::Result<u8, Error> {
    let _programs = process::HangUpAll;
    process::stop_ignoring_signals();
    let depth = settings::depth(&settings);
    let (model, saved) = model(&settings, depth)?;
    let mut news = engine.events(EventRequest::default()).await?;
    let (tell, mut told) = mpsc::channel(BATCH);
    let mut signals = Signals::new().map_err(Error::Terminal)?;
    tokio::spawn(insist(Ends::new().map_err(Error::Terminal)?));
    let mut screen = Screen::open(model.look.mouse).map_err(Error::Terminal)?;
    // The queries were sent to the terminal; its answers precede the keys.
    let mut keys = Keys::new();
    // crossterm loses this signal if a key arrives at the same time.
    let mut resized = signal(SignalKind::window_change()).map_err(Error::Terminal)?;
    let tell = EventSender(tell);
    let world = settings.world.clone();
    let config = settings.flags.file.clone();
    tokio::spawn(settings::follow(settings.clone(), depth, tell.clone()));
    let mut driver = Driver {
        engine,
        model,
        tell,
        world,
        settings,
        saved,
        watch: Watch::default(),
        sessions: Sessions::default(),
        reporters: HashMap::new(),
        prints: Prints::default(),
        config,
        reloads: Reloads::default(),
        loads: Loads::default(),
        verbs: Verbs::default(),
        guest: None,
        is_leaving: false,
        pace: Pace::new(),
    };
    let (width, height) = crossterm::terminal::size().map_err(Error::Terminal)?;
    driver.take(Event::Resize(width, height), &mut screen)?;
    for effect in start() {
        driver.perform(effect, &mut screen)?;
    }
    let bell = driver.sessions.bell.clone();
    while !driver.is_leaving {
        if screen::has_panicked() {
            return Err(Error::Panicked);
        }
        if driver.pace.is_due(Instant::now()) {
            let Driver { model, sessions, .. } = &driver;
            model.wants().terminals.into_keys().for_each(|id| sessions.draws(id));
            screen.draw(|frame| view::draw(frame, model, &sessions.screens)).map_err(Error::Terminal)?;
            driver.pace.drew(Instant::now());
        }
        driver.give_way(&mut keys, &mut signals, &mut screen).await?;
        if let Some(code) = signals.ends.went {
            return Ok(code); // without a frame, because the terminal may be another job's
        }
        let wake = driver.pace.wake(Instant::now(), driver.model.next_tick());
        tokio::select! {
            heard = keys.next() => match heard.map_err(Error::Terminal)? {
                Heard::End => return Ok(0),
                heard => driver.hear(heard, &mut screen)?,
            },
            Some(event) = told.recv() => {
                driver.now(&mut screen)?;
                driver.take(event, &mut screen)?;
                for _ in 0..BATCH {
                    let Ok(event) = told.try_recv() else { break };
                    driver.take(event, &mut screen)?;
                }
            }
            Some(change) = news.recv() => {
                driver.now(&mut screen)?;
                driver.take(Event::News(change), &mut screen)?;
            }
            Some(()) = resized.recv() => {
                let (width, height) = crossterm::terminal::size().map_err(Error::Terminal)?;
                driver.take(Event::Resize(width, height), &mut screen)?;
            }
            () = bell.notified() => driver.rung(),
            () = screen::panicked() => {}
            Some(()) = signals.stop.recv() => driver.guest = Some(Guest::Shell),
            Some(()) = signals.resumed.recv() => driver.guest = Some(Guest::Nobody),
            code = signals.ends.ended() => return Ok(code),
            () = sleep_until(wake), if wake.is_some() => driver.now(&mut screen)?,
        }
    }
    Ok(0)
}

async fn sleep_until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}

const STOP: SignalKind = SignalKind::from_raw(libc::SIGTSTP);
const RESUMED: SignalKind = SignalKind::from_raw(libc::SIGCONT);

/// The signals that hoist handles.
struct Signals {
    ends: Ends,
    /// From another process: the terminal's key for it arrives as a key.
    stop: Signal,
    /// Hoist has been stopped, also by a signal that cannot be handled.
    resumed: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { ends: Ends::new()?, stop: signal(STOP)?, resumed: signal(RESUMED)? })
    }

    /// Forgets the signals that were meant for a guest, or belong to a suspension that is over.
    fn forget(&mut self) -> io::Result<()> {
        self.ends.interrupt = signal(SignalKind::interrupt())?;
        self.stop = signal(STOP)?;
        self.resumed = signal(RESUMED)?;
        Ok(())
    }
}

/// Signals that end hoist; its containers continue to run.
struct Ends {
    term: Signal,
    hangup: Signal,
    interrupt: Signal,
    /// A signal that arrived while a program of the user had the terminal, or hoist was suspended.
    went: Option<u8>,
}

impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            went: None,
        })
    }

    /// Waits for a signal, and returns its exit code.
    async fn ended(&mut self) -> u8 {
        if let Some(code) = self.went {
            return code;
        }
        tokio::select! {
            _ = self.term.recv() => 128 + 15,
            _ = self.hangup.recv() => 128 + 1,
            _ = self.interrupt.recv() => 128 + 2,
        }
    }

    /// Waits for a signal while a guest has the terminal; interrupts are meant for the guest. The
    /// signal is kept for the next call of [`Self::ended`].
    async fn gone(&mut self) {
        let code = tokio::select! {
            _ = self.term.recv() => 128 + 15,
            _ = self.hangup.recv() => 128 + 1,
        };
        self.went = Some(code);
    }
}

/// How long hoist may take to leave after a signal.
const GRACE: Duration = Duration::from_millis(800);

/// Ends hoist after a signal even if the loop cannot, because the terminal does not take what is
/// written to it.
async fn insist(mut ends: Ends) {
    ends.gone().await;
    tokio::time::sleep(GRACE).await;
    process::hang_up_all();
    process::reclaim_terminal();
    screen::give_back_at_once();
    std::process::exit(i32::from(ends.ended().await));
}

/// Returns the initial model. Invalid parts of the configuration are reported and replaced by
/// defaults.
fn model(settings: &TuiSettings, depth: Depth) -> std::result::Result<(Model, saved::Store), Error> {
    let configured = settings::read_first(settings, depth);
    let keymap = configured.keymap.clone().map_or_else(|| Keymap::read(None).map(Arc::new), Ok)?;
    let theme = Theme::shipped(DARK, depth)?;
    let mut model = Model::new(keymap, theme, depth, settings.world.clone(), Timestamp::now());
    model.look.lacks_unicode = settings::lacks_unicode(settings);
    let (store, saved, fault) = saved::Store::open(settings.ui.state.as_deref(), !settings.ui.read_only);
    model.saved = saved;
    if let Some(fault) = fault {
        model.warn_of(Failure { what: fault, ..Failure::default() });
    }
    begin(&mut model, configured);
    Ok((model, store))
}

struct Driver {
    engine: Engine,
    model: Model,
    tell: EventSender,
    world: World,
    settings: TuiSettings,
    saved: saved::Store,
    watch: Watch,
    sessions: Sessions,
    reporters: HashMap<TaskId, Reporter>,
    prints: Prints,
    /// The configuration file, if the user specified one.
    config: Option<PathBuf>,
    reloads: Reloads,
    loads: Loads,
    verbs: Verbs,
    /// The program that uses the terminal next.
    guest: Option<Guest>,
    is_leaving: bool,
    pace: Pace,
}

type Done = std::result::Result<(), Error>;

impl Driver {
    fn hear(&mut self, heard: Heard, screen: &mut Screen) -> Done {
        match heard {
            Heard::Events(events) => events.into_iter().try_for_each(|event| self.term(event, screen)),
            Heard::Ground(ground) => self.take(Event::Ground(ground), screen),
            Heard::Answers(answers) => {
                if answers.has_kitty {
                    screen.tell_keys_apart().map_err(Error::Terminal)?;
                }
                if answers.lacks_unicode {
                    self.take(Event::LacksUnicode, screen)?;
                }
                if let Some(ground) = answers.ground {
                    self.take(Event::Ground(ground), screen)?;
                }
                answers.events.into_iter().try_for_each(|event| self.term(event, screen))
            }
            Heard::End => Ok(()),
        }
    }

    fn term(&mut self, event: TermEvent, screen: &mut Screen) -> Done {
        self.now(screen)?;
        let event = match event {
            TermEvent::Key(key) => Event::Key(key),
            TermEvent::Paste(text) => Event::Paste(text),
            TermEvent::Mouse(mouse) => Event::Mouse(mouse),
            TermEvent::Resize(width, height) => Event::Resize(width, height),
            TermEvent::FocusGained | TermEvent::FocusLost => return Ok(()),
        };
        self.take(event, screen)
    }

    fn now(&mut self, screen: &mut Screen) -> Done {
        self.take(Event::Tick(Timestamp::now()), screen)
    }

    /// Handles an event: updates the model and starts its effects.
    fn take(&mut self, event: Event, screen: &mut Screen) -> Done {
        self.pace.mark();
        match &event {
            Event::Container(id, _) | Event::Unreadable(id) => self.reloads.done(id),
            Event::Read(section) => {
                if self.loads.done(*section) {
                    self.load(*section);
                }
                return Ok(());
            }
            Event::Finished(id, _) => {
                self.reporters.remove(id);
                self.prints.take(*id);
            }
            _ => {}
        }
        if let Event::Done(effect, _) | Event::Missing(effect) = &event {
            self.verbs.done(effect);
        }
        for effect in update(&mut self.model, event) {
            self.perform(effect, screen)?;
        }
        while let Some(effect) = self.verbs.next() {
            self.verb(effect);
        }
        self.reload();
        let wants = self.model.wants();
        for (id, (columns, rows)) in &wants.terminals {
            self.sessions.resize(*id, *columns, *rows);
        }
        self.watch.sync(wants, &self.engine, &self.tell);
        Ok(())
    }

    /// Marks the screen as changed if a visible terminal has new output.
    fn rung(&mut self) {
        if self.model.wants().terminals.into_keys().any(|id| self.sessions.has_changed(id)) {
            self.pace.mark();
        }
    }

    fn perform(&mut self, effect: Effect, screen: &mut Screen) -> Done {
        match effect {
            Effect::Quit => self.is_leaving = true,
            Effect::Suspend => _ = self.guest.get_or_insert(Guest::Shell),
            Effect::Redraw => screen.redraw().map_err(Error::Terminal)?,
            Effect::Mouse(is_ours) => screen.mouse(is_ours).map_err(Error::Terminal)?,
            Effect::Copy(text) => screen.copy(&text).map_err(Error::Terminal)?,
            Effect::Save => self.save(screen)?,
            Effect::CopyJson(subjects) => self.copy_json(subjects),
            Effect::Browse(url) => {
                let result = browse(&url);
                self.spawn(async move { Event::Done(Effect::Browse(url), result) });
            }
            Effect::Host(line) => self.guest = Some(Guest::Program(line)),
            Effect::Command(ready) => self.take(Event::Command(ready), screen)?,
            Effect::Machine => self.read_machine(),
            Effect::Keymap(preset) => self.read_keymap(preset),
            Effect::Files(FilesWish::Editor(place, path, bytes, stamp)) => {
                self.guest = Some(Guest::Editor { place, path, bytes, stamp });
            }
            Effect::Files(wish) => self.grant(wish),
            Effect::Load(section) if self.loads.ask(section) => self.load(section),
            Effect::Load(_) => {}
            Effect::Reload(id) => self.reloads.ask(id),
            Effect::Edit(name, text) => self.guest = Some(Guest::Viewer(name, text)),
            Effect::ReadProcess(id, pid) => {
                let engine = self.engine.clone();
                self.spawn(async move { pages::process(&engine, &id, pid).await });
            }
            Effect::ReadPorts(id) => {
                let engine = self.engine.clone();
                self.spawn(async move { pages::ports(&engine, &id).await });
            }
            Effect::Work(id, Job::Print(words, _)) => {
                self.prints.start(&self.engine, self.config.as_deref(), &self.tell, id, words);
            }
            Effect::TrySave(save) => self.spawn(async move {
                // This only decides whether to ask; the engine checks again when it writes.
                let is_taken = !save.overwrites && save.path.symlink_metadata().is_ok();
                Event::Saving(save, is_taken)
            }),
            Effect::SignalSession(id, None, name) => self.sessions.signal(id, &name),
            Effect::Container(..)
            | Effect::Signal(..)
            | Effect::SignalSession(..)
            | Effect::RemoveImage(..)
            | Effect::TagImage(..)
            | Effect::Restore(..)
            | Effect::RestoreAndStart(_)
            | Effect::Purge(_)
            | Effect::EmptyTrash => self.verbs.ask(effect),
            Effect::Work(id, job) => self.work(id, job),
            Effect::Look(path) => self.look(path),
            Effect::Folder(folder) => self.list_folder(folder),
            Effect::Withdraw(effects) => {
                let withdrawn = self.verbs.withdraw(&effects);
                self.take(Event::Withdrawn(withdrawn), screen)?;
            }
            Effect::Cancel(id) if self.prints.cancel(id) => {}
            Effect::Cancel(id) => {
                if let Some(reporter) = self.reporters.get(&id) {
                    reporter.cancel();
                }
            }
            Effect::Open(id, target) => {
                let size = self.model.wants().terminals.get(&id).copied().unwrap_or((80, 24));
                self.sessions.open(&self.engine, &self.tell, id, &self.world, target, size);
            }
            Effect::Type(id, key) => self.sessions.press(id, key),
            Effect::Paste(id, text) => self.sessions.paste(id, &text),
            Effect::Point(id, pointer) => {
                if let Some(text) = self.sessions.point(id, pointer) {
                    self.copied(&text, screen)?;
                }
            }
            Effect::Walk(id, walk) => match self.sessions.walk(id, walk) {
                Ok(None) => {}
                Ok(Some(text)) => self.copied(&text, screen)?,
                Err(why) => self.take(Event::Notice(Tone::Plain, why), screen)?,
            },
            Effect::Scroll(id, lines) => {
                if let Some(screen) = self.sessions.screens.get(id) {
                    screen.lock().scroll(lines);
                }
            }
            Effect::Close(id) => self.sessions.close(id),
        }
        Ok(())
    }

    /// Copies a terminal's text to the user's clipboard.
    fn copied(&mut self, text: &str, screen: &mut Screen) -> Done {
        screen.copy(text).map_err(Error::Terminal)?;
        let lines = text.lines().count();
        let s = if lines == 1 { "" } else { "s" };
        self.take(Event::Notice(Tone::Good, format!("copied {lines} line{s}")), screen)
    }

    /// Writes the saved state.
    fn save(&mut self, screen: &mut Screen) -> Done {
        let text = match self.saved.write(&self.model.saved) {
            Ok(None) => return Ok(()),
            Ok(Some(renamed)) => renamed,
            Err(error) => format!("the layout and settings cannot be saved: {error}"),
        };
        screen.say_at_last(&text);
        self.take(Event::Notice(Tone::Warning, text), screen)
    }

    /// Reads everything known about these objects, to copy it.
    fn copy_json(&self, subjects: Vec<Subject>) {
        let engine = self.engine.clone();
        self.spawn(async move {
            Event::Json(inspect::reader::json(&engine, &subjects).await.map_err(Failure::from))
        });
    }

    /// Runs `work` concurrently, and sends its event.
    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let tell = self.tell.clone();
        // Boxed, because otherwise the runtime's code would be compiled again for each type of
        // work.
        let work: Pin<Box<dyn Future<Output = Event> + Send>> = Box::pin(work);
        tokio::spawn(async move { tell.send(work.await).await });
    }

    /// Looks up what a path refers to.
    fn look(&self, path: String) {
        let place = self.world.absolute(&path);
        self.spawn_blocking(move || Event::Path(path, disk::look(&place)));
    }

    /// Reads the names in a folder.
    fn list_folder(&self, folder: String) {
        let place = self.world.absolute(&folder);
        self.spawn_blocking(move || Event::Folder(folder, disk::names(&place)));
    }

    /// Performs a file operation.
    fn grant(&self, wish: FilesWish) {
        let engine = self.engine.clone();
        self.spawn(async move {
            let result = files::grant(&engine, &wish).await.map_err(Failure::from);
            Event::FilesDone(wish, result)
        });
    }

    /// Reads the resources of this machine in a thread, because file systems may block.
    fn read_machine(&self) {
        let engine = self.engine.clone();
        self.spawn_blocking(move || Event::Machine(engine.machine()));
    }

    /// Reads the keymap of a preset, with the user's keymap applied to it.
    fn read_keymap(&self, preset: Preset) {
        let settings = self.settings.clone();
        self.spawn_blocking(move || settings::keymap_event(&settings, preset));
    }

    /// Runs blocking `work` in a thread, and sends its event.
    fn spawn_blocking(&self, work: impl FnOnce() -> Event + Send + 'static) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            if let Ok(event) = tokio::task::spawn_blocking(work).await {
                tell.send(event).await;
            }
        });
    }

    /// Reads the next container that changed, unless another one is being read.
    fn reload(&mut self) {
        let Some(id) = self.reloads.next() else { return };
        let engine = self.engine.clone();
        self.spawn(async move {
            match engine.containers().get(id.as_str()).await {
                Ok(container) => Event::Container(id, Some(Box::new(ContainerRow::new(&container)))),
                Err(error) if error.kind() == ErrorKind::NotFound => Event::Container(id, None),
                Err(_) => Event::Unreadable(id),
            }
        });
    }

    fn verb(&self, effect: Effect) {
        let (engine, tell) = (self.engine.clone(), self.tell.clone());
        self.spawn(async move {
            let done = match verb::verb(&engine, &effect).await {
                Ok(done) => done,
                Err(error) => return verb::failed(effect, error),
            };
            if let Some(entry) = &done.kept {
                tell.send(Event::Kept(effect.clone(), Box::new(TrashRow::new(entry)))).await;
            }
            let ended = Event::Done(effect, Ok(()));
            match verb::notice(&done.warnings) {
                None => ended,
                Some(notice) => {
                    tell.send(ended).await;
                    notice
                }
            }
        });
    }

    /// Reads a list.
    fn load(&self, section: Section) {
        let reader = ListReader { engine: self.engine.clone(), tell: self.tell.clone(), section };
        self.spawn(async move {
            sections::read(section, reader).await;
            Event::Read(section)
        });
    }

    fn work(&mut self, id: TaskId, job: Job) {
        // Progress is reported many times per second, but shown once per frame: the latest state is
        // stored, and a bell wakes the sender.
        let known: Arc<Mutex<Work>> = Arc::default();
        let bell = Arc::new(Notify::new());
        let reporter = Reporter::new({
            let (known, bell) = (known.clone(), bell.clone());
            move |news: Progress| {
                known.lock().unwrap_or_else(PoisonError::into_inner).take(news);
                bell.notify_one();
            }
        });
        self.reporters.insert(id, reporter.clone());
        let (engine, world, tell) = (self.engine.clone(), self.world.clone(), self.tell.clone());
        let title = self.model.task(id).map(|task| task.title.clone()).unwrap_or_default();
        tokio::spawn(async move {
            let work = work::work(&engine, &world, job, &title, reporter);
            tokio::pin!(work);
            let result: Result<Finish> = loop {
                tokio::select! {
                    result = &mut work => break result,
                    () = bell.notified() => {
                        let work = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        tell.send(Event::Progress(id, work)).await;
                        tokio::time::sleep(FRAME).await;
                    }
                }
            };
            let work = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
            tell.send(Event::Progress(id, work)).await;
            tell.send(Event::Finished(id, result.map_err(Failure::from))).await;
        });
    }
}

/// Opens an address in the user's browser, which then runs on its own.
fn browse(url: &str) -> std::result::Result<(), Failure> {
    let null = std::process::Stdio::null;
    let mut open = std::process::Command::new("xdg-open");
    open.arg(url).stdin(null()).stdout(null()).stderr(null());
    let mut child = open.spawn().map_err(|error| Failure {
        what: format!("cannot open {url}"),
        why: vec![format!("xdg-open: {error}")],
        hint: Some("it was copied to the clipboard instead".to_owned()),
    })?;
    // hoist must wait for the browser, or it remains a zombie when it exits.
    let reaper = std::thread::Builder::new().spawn(move || drop(child.wait()));
    drop(reaper); // without a thread, the zombie remains until hoist exits
    Ok(())
}
