//! The only part with I/O: the engine, the terminal, the clock and the tasks.
//!
//! ```text
//!  loop: wait for a key, an event, a changed terminal, a signal, or the next tick
//!        → update (pure) → effects → tasks, which send events back
//!        → wants → readers started and stopped
//!        → draw, when something changed, at most 60 times a second
//! ```
//! Nothing is polled: what changes in the store comes from the engine's events.

mod disk;
mod editor;
mod files;
mod guest;
mod host;
mod keys;
mod pace;
mod pages;
mod print;
mod probe;
mod reload;
mod saved;
mod screen;
mod session;
mod settings;
mod verb;
mod watch;
mod work;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::event::Event as TermEvent;
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::Instant;

use super::event::{Event, Finish};
use super::keymap::Keymap;
use super::model::Model;
use super::reader::{EventSender, ListReader};
use super::terminal::encode;
use super::theme::{DARK, Depth, Theme};
use super::update::{begin, start, update};
use super::{Error, TuiSettings, sections, view};
use crate::command::World;
use crate::config::Preset;
use crate::engine::{Engine, ErrorKind, EventRequest, Input, Progress, Reporter, Result};
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
use pace::{FRAME, Pace};
use print::Prints;
use reload::Reloads;
use screen::Screen;
use session::Sessions;
use watch::Watch;

/// How many verbs are done at once.
const VERBS: usize = 16;

/// How many events are taken in before a frame is drawn.
const BATCH: usize = 256;

/// Shows the TUI until the user leaves or a signal ends it; gives the exit code.
pub(super) async fn drive(engine: Engine, settings: TuiSettings) -> std::result::Result<u8, Error> {
    let depth = settings::depth(&settings);
    let model = model(&settings, depth)?;
    let mut news = engine.events(EventRequest::default()).await?;
    let (tell, mut told) = mpsc::channel(BATCH);
    let mut signals = Signals::new().map_err(Error::Terminal)?;
    let mut screen = Screen::open(model.look.mouse).map_err(Error::Terminal)?;
    // The terminal has been asked about itself; its answers come before the keys.
    let mut keys = Keys::new();
    // crossterm loses this signal when a key arrives at the same moment.
    let mut resized = signal(SignalKind::window_change()).map_err(Error::Terminal)?;
    let tell = EventSender(tell);
    let world = settings.world.clone();
    let state = settings.ui.state.clone();
    let config = settings.flags.file.clone();
    tokio::spawn(settings::follow(settings.clone(), depth, tell.clone()));
    let mut driver = Driver {
        engine,
        model,
        tell,
        world,
        settings,
        state,
        watch: Watch::default(),
        sessions: Sessions::default(),
        reporters: HashMap::new(),
        prints: Prints::default(),
        config,
        reloads: Reloads::default(),
        turns: Arc::new(Semaphore::new(VERBS)),
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
            code = signals.ended() => return Ok(code),
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

/// Signals that end hoist; its containers go on.
struct Signals {
    term: Signal,
    hangup: Signal,
    interrupt: Signal,
    /// One came while a program of the user's had the terminal.
    went: Option<u8>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            went: None,
        })
    }

    /// Waits for one, and gives the exit code it means.
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

    /// The same while the terminal is somebody else's, whose the interrupts are then. It is
    /// remembered for the next who asks.
    async fn gone(&mut self) {
        let code = tokio::select! {
            _ = self.term.recv() => 128 + 15,
            _ = self.hangup.recv() => 128 + 1,
        };
        self.went = Some(code);
    }
}

/// The model to begin with. Of what the user configured and cannot be used is told why; ours
/// stands in.
fn model(settings: &TuiSettings, depth: Depth) -> std::result::Result<Model, Error> {
    let configured = settings::read_first(settings, depth);
    let keymap = configured.keymap.clone().map_or_else(|| Keymap::read(None).map(Arc::new), Ok)?;
    let theme = Theme::shipped(DARK, depth)?;
    let mut model = Model::new(keymap, theme, depth, settings.world.clone(), Timestamp::now());
    match saved::read(settings.ui.state.as_deref(), !settings.ui.read_only) {
        Ok(saved) => model.saved = saved,
        Err(fault) => {
            model.say(Tone::Warning, fault.clone(), None);
            model.failure = Some(Failure { what: fault, ..Failure::default() });
        }
    }
    begin(&mut model, configured);
    Ok(model)
}

struct Driver {
    engine: Engine,
    model: Model,
    tell: EventSender,
    world: World,
    settings: TuiSettings,
    /// Where what is remembered lies.
    state: Option<PathBuf>,
    watch: Watch,
    sessions: Sessions,
    reporters: HashMap<TaskId, Reporter>,
    prints: Prints,
    /// The configuration file that was named.
    config: Option<PathBuf>,
    reloads: Reloads,
    /// Who may begin a verb.
    turns: Arc<Semaphore>,
    /// Who has the user's terminal next.
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
                if answers.is_wide {
                    self.take(Event::WideSigns, screen)?;
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

    /// Takes one event in: the model changes, and what it asks for is begun.
    fn take(&mut self, event: Event, screen: &mut Screen) -> Done {
        self.pace.mark();
        match &event {
            Event::Container(id, _) | Event::Unreadable(id) => self.reloads.done(id),
            Event::Finished(id, _) => {
                self.reporters.remove(id);
                self.prints.take(*id);
            }
            _ => {}
        }
        for effect in update(&mut self.model, event) {
            self.perform(effect, screen)?;
        }
        self.reload();
        let wants = self.model.wants();
        for (id, (columns, rows)) in &wants.terminals {
            self.sessions.resize(*id, *columns, *rows);
        }
        self.watch.sync(wants, &self.engine, &self.tell);
        Ok(())
    }

    /// A terminal's screen has changed; it is drawn when it is seen.
    fn rung(&mut self) {
        if self.model.wants().terminals.into_keys().any(|id| self.sessions.has_changed(id)) {
            self.pace.mark();
        }
    }

    fn perform(&mut self, effect: Effect, screen: &mut Screen) -> Done {
        match effect {
            Effect::Quit => self.is_leaving = true,
            Effect::Suspend => suspend(screen).map_err(Error::Terminal)?,
            Effect::Redraw => screen.redraw().map_err(Error::Terminal)?,
            Effect::Mouse(is_ours) => screen.mouse(is_ours).map_err(Error::Terminal)?,
            Effect::Copy(text) => screen.copy(&text).map_err(Error::Terminal)?,
            Effect::Save => self.save(screen)?,
            Effect::CopyJson(subjects) => self.copy_json(subjects),
            Effect::Browse(url) => {
                let result = browse(&url);
                self.spawn(async move { Event::Done(Effect::Browse(url), result) });
            }
            Effect::Host(words) => self.guest = Some(Guest::Program(words)),
            Effect::Command(ready) => self.take(Event::Command(ready), screen)?,
            Effect::Machine => self.read_machine(),
            Effect::Keymap(preset) => self.read_keymap(preset),
            Effect::Files(FilesWish::Editor(place, path, bytes, stamp)) => {
                self.guest = Some(Guest::Editor { place, path, bytes, stamp });
            }
            Effect::Files(wish) => self.grant(wish),
            Effect::Load(section) => self.load(section),
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
                // Asked again by the engine when it writes: here it is for a question.
                let is_taken = !save.overwrites && save.path.symlink_metadata().is_ok();
                Event::Saving(save, is_taken)
            }),
            Effect::Container(..)
            | Effect::Signal(..)
            | Effect::RemoveImage(..)
            | Effect::TagImage(..)
            | Effect::Restore(..)
            | Effect::Purge(_)
            | Effect::EmptyTrash => self.verb(effect),
            Effect::Work(id, job) => self.work(id, job),
            Effect::Look(path) => self.look(path),
            Effect::Folder(folder) => self.list_folder(folder),
            Effect::Cancel(id) if self.prints.cancel(id) => {}
            Effect::Cancel(id) => {
                if let Some(reporter) = self.reporters.get(&id) {
                    reporter.cancel();
                }
            }
            Effect::Open(id, container, program) => {
                let size = self.model.wants().terminals.get(&id).copied().unwrap_or((80, 24));
                self.sessions.open(&self.engine, &self.tell, id, &self.world, (container, program), size);
            }
            Effect::Type(id, key) => {
                let mode = self.sessions.screens.get(id).map(|screen| {
                    let mut emulator = screen.lock();
                    emulator.unscroll();
                    emulator.mode()
                });
                let bytes = encode::key(key, mode.unwrap_or_default());
                self.sessions.send(id, Input::Bytes(bytes));
            }
            Effect::Paste(id, text) => {
                let mode = self.sessions.screens.get(id).map(|screen| screen.lock().mode());
                self.sessions.send(id, Input::Bytes(encode::paste(&text, mode.unwrap_or_default())));
            }
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

    /// Puts a terminal's text on the user's clipboard.
    fn copied(&mut self, text: &str, screen: &mut Screen) -> Done {
        screen.copy(text).map_err(Error::Terminal)?;
        let lines = text.lines().count();
        let s = if lines == 1 { "" } else { "s" };
        self.take(Event::Notice(Tone::Good, format!("copied {lines} line{s}")), screen)
    }

    /// Writes what is remembered.
    fn save(&mut self, screen: &mut Screen) -> Done {
        let Some(folder) = &self.state else { return Ok(()) };
        match saved::write(folder, &self.model.saved) {
            Ok(()) => Ok(()),
            Err(error) => {
                let text = format!("what was arranged is not remembered: {error}");
                self.take(Event::Notice(Tone::Warning, text), screen)
            }
        }
    }

    /// Reads what is known of these objects, to be copied.
    fn copy_json(&self, subjects: Vec<Subject>) {
        let engine = self.engine.clone();
        self.spawn(async move {
            Event::Json(inspect::reader::json(&engine, &subjects).await.map_err(Failure::from))
        });
    }

    /// Runs `work` beside everything else, and tells what came of it.
    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let tell = self.tell.clone();
        // Boxed, for the runtime's part would be compiled again for each kind of work.
        let work: Pin<Box<dyn Future<Output = Event> + Send>> = Box::pin(work);
        tokio::spawn(async move { tell.send(work.await).await });
    }

    /// Finds out what a path is.
    fn look(&self, path: String) {
        let place = self.world.absolute(&path);
        self.spawn_blocking(move || Event::Path(path, disk::look(&place)));
    }

    /// Reads the names in a folder.
    fn list_folder(&self, folder: String) {
        let place = self.world.absolute(&folder);
        self.spawn_blocking(move || Event::Folder(folder, disk::names(&place)));
    }

    /// Does something with one file.
    fn grant(&self, wish: FilesWish) {
        let engine = self.engine.clone();
        self.spawn(async move {
            let result = files::grant(&engine, &wish).await.map_err(Failure::from);
            Event::FilesDone(wish, result)
        });
    }

    /// Reads what this machine has: it may block, as any file system may.
    fn read_machine(&self) {
        let engine = self.engine.clone();
        self.spawn_blocking(move || Event::Machine(engine.machine()));
    }

    /// Reads the keys of a preset with the user's over them.
    fn read_keymap(&self, preset: Preset) {
        let settings = self.settings.clone();
        self.spawn_blocking(move || settings::keymap_event(&settings, preset));
    }

    /// Runs work that blocks beside everything else, and tells what came of it.
    fn spawn_blocking(&self, work: impl FnOnce() -> Event + Send + 'static) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            if let Ok(event) = tokio::task::spawn_blocking(work).await {
                tell.send(event).await;
            }
        });
    }

    /// Reads one container that changed; the next when that is there.
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
        let (engine, tell, turns) = (self.engine.clone(), self.tell.clone(), self.turns.clone());
        self.spawn(async move {
            // Of a verb on a thousand objects only a few are done at once.
            let _turn = turns.acquire().await;
            let result = verb::verb(&engine, &effect).await.map_err(Failure::from);
            let done = match result {
                Ok(done) => done,
                Err(failure) => return Event::Done(effect, Err(failure)),
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
        tokio::spawn(sections::read(section, reader));
    }

    fn work(&mut self, id: TaskId, job: Job) {
        // What is told many times a second is shown once a frame: a flag and a bell.
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

/// Opens an address in the user's browser, which goes on by itself.
fn browse(url: &str) -> std::result::Result<(), Failure> {
    let null = std::process::Stdio::null;
    let mut open = std::process::Command::new("xdg-open");
    open.arg(url).stdin(null()).stdout(null()).stderr(null());
    let mut child = open.spawn().map_err(|error| Failure {
        what: format!("cannot open {url}"),
        why: vec![format!("xdg-open: {error}")],
        hint: Some("it was copied instead".to_owned()),
    })?;
    // Somebody must hear of its end, or it stays in the process list.
    let reaper = std::thread::Builder::new().spawn(move || drop(child.wait()));
    drop(reaper); // without one it stays there until we end
    Ok(())
}

/// Gives the terminal back until the shell resumes us.
fn suspend(screen: &mut Screen) -> io::Result<()> {
    screen::give_back();
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP)?;
    screen.take()
}
