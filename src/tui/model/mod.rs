//! Everything the TUI knows, as plain data. Changed by `update` alone, drawn by `view`.
//!
//! What the driver must have open for the screen as it is (a log, samples, a process list)
//! is not said by effects but follows from the model: [`Model::wants`]. So nothing is read
//! that nobody sees, and no path through `update` can forget to stop it.

pub(crate) mod about;
pub mod held;
pub mod input;
pub mod layer;
pub mod look;
mod navigate;
pub(crate) mod panes;
pub mod paths;
pub mod saved;
pub mod scroll;
mod settle;
pub(crate) mod targets;
pub mod titles;
pub mod wants;
pub mod window;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::action::Action;
use super::key::Key;
use super::keymap::{KeyContext, Keymap};
use super::layout::{Beside, Layout, NAVIGATOR, layout};
use super::theme::{Depth, Theme};
use crate::base::text;
use crate::command::World;
use crate::config::{self, Icons};
use crate::engine::{ContainerId, Machine};
use crate::tui::alerts::model::Alerts;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::ContainerVerb;
use crate::tui::events::model::EventRow;
use crate::tui::failure::{Failure, Tone};
use crate::tui::form::model::RunForm;
use crate::tui::images::model::ImageRow;
use crate::tui::list::batch::Batch;
use crate::tui::list::flash::Flashes;
use crate::tui::list::jumps::Jumps;
use crate::tui::list::table::Table;
use crate::tui::model::layer::Layer;
use crate::tui::navigator::model::Navigator;
use crate::tui::networks::model::NetworkRow;
use crate::tui::section::{Section, TaskId};
use crate::tui::stats::series::Series;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{TaskRow, What};
use crate::tui::trash::model::{Keeping, TrashRow};
use crate::tui::undo::model::Undo;
use crate::tui::volumes::model::VolumeRow;
pub use held::Held;
use look::Look;
pub use panes::inner;
use paths::PathFacts;
use saved::Saved;
pub use wants::Wants;
use window::Windows;

/// Everything the TUI knows.
#[derive(Debug)]
pub struct Model {
    /// This moment, as the driver last told it.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The keys.
    pub keymap: Arc<Keymap>,
    /// The colours.
    pub theme: Theme,
    /// How many colours there are.
    pub depth: Depth,
    /// The themes, the signs, and what else is configured.
    pub look: Look,
    /// What words of a command may refer to. It reads no files: what is typed is only checked.
    pub world: World,
    /// Which list is shown.
    pub section: Section,
    /// Which pane has the keys.
    pub focus: Focus,
    /// The panes have the whole window.
    pub is_zoomed: bool,
    /// And of them the current one alone.
    pub is_alone: bool,
    /// Containers that are not up are shown too.
    pub shows_all: bool,
    /// The panes beside the list.
    pub windows: Windows,
    /// What they stay with although its row is gone.
    pub held: Held,
    /// Projects, tasks and alerts beside the list.
    pub navigator: Navigator,
    /// What is ill.
    pub alerts: Alerts,
    /// Whose state has just changed.
    pub flashes: Flashes,
    /// What this machine has, and when that was last asked.
    pub machine: Machine,
    #[allow(missing_docs, reason = "as above")]
    pub machine_asked: Timestamp,
    /// What is remembered from one time to the next.
    pub saved: Saved,
    /// The lists.
    pub containers: Table<ContainerRow>,
    #[allow(missing_docs, reason = "as above")]
    pub images: Table<ImageRow>,
    #[allow(missing_docs, reason = "as above")]
    pub volumes: Table<VolumeRow>,
    #[allow(missing_docs, reason = "as above")]
    pub networks: Table<NetworkRow>,
    /// What was removed and can be taken back.
    pub trash: Table<TrashRow>,
    /// How long it can.
    pub keeping: Keeping,
    /// What was done and can be undone.
    pub undo: Undo,
    /// Containers that are being stopped, and when they are killed.
    pub stopping: BTreeMap<ContainerId, Timestamp>,
    /// Work in the background, and terminals.
    pub tasks: Table<TaskRow>,
    /// What happened, newest first.
    pub journal: Table<EventRow>,
    /// What happened before was asked for.
    pub journal_is_asked: bool,
    /// Where the user was.
    pub jumps: Jumps,
    /// The form whose command goes on, in case it fails.
    pub submitted: Option<(TaskId, Box<RunForm>)>,
    /// The verb that is repeated.
    pub repeat: Option<Repeat>,
    /// How many columns of the list are scrolled away to the left.
    pub scrolled_columns: usize,
    /// The number of the next task.
    pub next_task: u64,
    /// What containers are called that something is done to: a removed one has no row to ask.
    pub names: HashMap<ContainerId, String>,
    /// What containers used.
    pub series: HashMap<ContainerId, Series>,
    /// What lies over the screen; the last one has the keys.
    pub layers: Vec<Layer>,
    /// Strokes that are the beginning of something, and since when.
    pub pending: Vec<Key>,
    #[allow(missing_docs, reason = "as above")]
    pub pending_since: Timestamp,
    /// The terminal that was just left by its key: the same key again is meant for it.
    pub released: Option<TaskId>,
    /// The terminal that is in copy mode.
    pub copying: Option<TaskId>,
    /// The terminal that the mouse went down on.
    pub dragged: Option<TaskId>,
    /// The line at the bottom.
    pub notice: Option<Notice>,
    /// What was last warned of while a list was read.
    pub warned: HashMap<Section, Vec<String>>,
    /// The last failure, for the details page.
    pub failure: Option<Failure>,
    /// What it consists of, where several things failed at once.
    pub failures: Vec<Failure>,
    /// Verbs given to several objects that have not all ended.
    pub batches: Vec<Batch>,
    /// Lines typed at `:` that are not to be saved.
    pub secret_history: Vec<String>,
    /// What paths of this machine are.
    pub paths: PathFacts,
    /// Quit was asked for once, with terminals alive.
    pub is_leaving: bool,
}

/// A verb that was done, to do it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// What was asked for.
    pub action: Action,
    /// What that meant then: `s` stopped, or started.
    pub verb: Option<ContainerVerb>,
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    List,
    /// The current pane.
    Detail,
    /// The navigator.
    Navigator,
}

/// The line at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether it is good news.
    pub tone: Tone,
    /// What to tell.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// When it goes away.
    pub until: Timestamp,
}

/// How long a notice stays.
const NOTICE: jiff::SignedDuration = jiff::SignedDuration::from_secs(8);

impl Model {
    /// A model that knows nothing yet.
    #[must_use]
    pub fn new(keymap: Arc<Keymap>, theme: Theme, depth: Depth, world: World, now: Timestamp) -> Self {
        Self {
            // An update reads no file.
            world: World { read: |_| Err(std::io::ErrorKind::Unsupported.into()), ..world },
            now,
            size: (80, 24),
            keymap,
            theme,
            depth,
            look: Look::new(depth),
            section: Section::Containers,
            focus: Focus::List,
            is_zoomed: false,
            is_alone: false,
            shows_all: true,
            windows: Windows::default(),
            held: Held::default(),
            navigator: Navigator::default(),
            alerts: Alerts::default(),
            flashes: Flashes::default(),
            machine: Machine::default(),
            machine_asked: now,
            saved: Saved::default(),
            containers: Table::default(),
            images: Table::default(),
            volumes: Table::default(),
            networks: Table::default(),
            trash: Table::default(),
            keeping: Keeping { time: None, is_short: false },
            undo: Undo::default(),
            stopping: BTreeMap::new(),
            tasks: Table::of_ours(),
            journal: Table::default().following(),
            journal_is_asked: false,
            jumps: Jumps::default(),
            submitted: None,
            repeat: None,
            scrolled_columns: 0,
            next_task: 1,
            names: HashMap::new(),
            series: HashMap::new(),
            layers: Vec::new(),
            pending: Vec::new(),
            pending_since: now,
            released: None,
            copying: None,
            dragged: None,
            notice: None,
            warned: HashMap::new(),
            failure: None,
            failures: Vec::new(),
            batches: Vec::new(),
            secret_history: Vec::new(),
            paths: PathFacts::default(),
            is_leaving: false,
        }
    }

    /// Where a key pressed at this moment is looked up.
    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        match self.top() {
            Some(dialog) => dialog.key_context(),
            None if self.released.is_some() && self.windows.count() > 1 => KeyContext::Released,
            None => self.key_context_below(),
        }
    }

    /// The same, as if nothing lay over the screen.
    #[must_use]
    pub fn key_context_below(&self) -> KeyContext {
        match (self.focus, self.section, self.shown_tab(self.pane())) {
            (Focus::List, section, _) => section.key_context(),
            (Focus::Navigator, ..) => KeyContext::Navigator,
            (Focus::Detail, _, Tab::Session(id)) => match self.session_is_over(id) {
                _ if self.copying == Some(id) => KeyContext::Copy,
                true => KeyContext::Ended,
                false => KeyContext::Terminal,
            },
            (Focus::Detail, _, tab) => tab.viewer().key_context(),
        }
    }

    /// A task by its number.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&TaskRow> {
        self.tasks.get(&id.key())
    }

    /// Whether a terminal's program has ended, or never began.
    #[must_use]
    pub fn session_is_over(&self, id: TaskId) -> bool {
        self.task(id).is_none_or(|task| task.is_over())
    }

    /// Where everything is on the screen.
    #[must_use]
    pub fn layout(&self) -> Layout {
        // Several panes need the room more than charts beside them.
        let navigator = self.look.navigator;
        let wide = if navigator == config::Navigator::Off { 160 } else { 160 + NAVIGATOR };
        let has_room = self.windows.count() == 1 || self.size.0 >= wide;
        let charts = has_room && self.section == Section::Containers;
        layout(self.size, self.is_zoomed, Beside { charts, navigator })
    }

    /// Says `text` at the bottom.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>, hint: Option<String>) {
        let text = text::line(&text.into()).into_owned();
        let hint = hint.map(|hint| text::line(&hint).into_owned());
        self.notice = Some(Notice { tone, text, hint, until: self.now + NOTICE });
    }

    /// Says what went wrong at the bottom, and keeps it for the details page.
    pub fn fail(&mut self, failure: Failure) {
        self.say(Tone::Bad, failure.line(), failure.hint.clone());
        self.failure = Some(failure);
        self.failures.clear();
    }

    /// Says why something is not done that would change something.
    pub fn refuse(&mut self, why: &str) {
        let hint = match self.look.must_be_read_only {
            true => "start hoist without --read-only, and without read-only in [ui]".to_owned(),
            false => "`:set read-only off` ends that".to_owned(),
        };
        self.say(Tone::Warning, format!("read-only: {why}"), Some(hint));
    }

    /// Says how to search, where there is no match to go to.
    pub fn say_nothing_is_searched(&mut self) {
        let key = self.keys_of(KeyContext::Global, Action::Search);
        self.say(Tone::Plain, "nothing is searched for", Some(format!("{key} searches")));
    }

    /// A number for a new task.
    pub fn new_task(&mut self) -> TaskId {
        self.next_task += 1;
        TaskId(self.next_task - 1)
    }

    /// The keys of `action` here, for a hint.
    #[must_use]
    pub fn keys_of(&self, place: KeyContext, action: Action) -> String {
        self.signs(&self.keymap.keys_of(place, action).unwrap_or_default())
    }

    /// Keys as they are shown: in ASCII the signs of some are words.
    #[must_use]
    pub fn signs(&self, keys: &str) -> String {
        match self.look.icons {
            Icons::Ascii => crate::tui::key::in_words(keys),
            Icons::Unicode | Icons::Nerd => keys.to_owned(),
        }
    }

    /// How long until the screen changes by time alone; `None` when it does not.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        let mut ticks = Vec::new();
        let until =
            |moment: Timestamp| Duration::try_from(moment.duration_since(self.now)).unwrap_or_default();
        if !self.pending.is_empty() {
            let opens = self.pending_since + jiff::SignedDuration::from_millis(250);
            ticks.extend((opens > self.now).then(|| until(opens)));
        }
        ticks.extend(self.notice.as_ref().map(|notice| until(notice.until)));
        ticks.extend(self.flashes.next_end().map(until));
        if self.tasks.all().iter().any(|task| matches!(task.what, What::Work(_)) && !task.is_over()) {
            // Numbers go on also where nothing turns.
            ticks.push(Duration::from_millis(if self.look.motion { 100 } else { 1000 }));
        }
        // A countdown changes with each whole second that is left.
        ticks.extend(self.stopping.values().filter(|end| **end > self.now).map(|end| {
            let nanos = until(*end).subsec_nanos();
            Duration::from_nanos(u64::from(if nanos == 0 { 1_000_000_000 } else { nanos }))
        }));
        if self.section == Section::Trash && !self.trash.all().is_empty() {
            // The list says how long it is kept.
            ticks.push(Duration::from_secs(60));
        }
        if self.section == Section::Containers && self.containers.all().iter().any(ContainerRow::is_up) {
            // The list says how long: "3m".
            ticks.push(Duration::from_secs(60));
        }
        ticks.into_iter().min().map(|tick| tick.max(Duration::from_millis(10)))
    }
}
