//! The state of the TUI, as plain data. Only `update` changes it; `view` draws it.
//!
//! What the driver must have open for the current screen (a log, samples, a process list) is not
//! requested by effects but derived from the model by [`Model::wants`]. Nothing invisible is read,
//! and no path through `update` can forget to stop something.

pub(crate) mod context;
pub mod held;
pub mod input;
pub mod layer;
pub mod look;
mod messages;
mod navigate;
mod notice;
pub mod offers;
mod origin;
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
use super::key::{Key, parse_strokes, show_strokes};
use super::keymap::{Binding, Found, KeyContext, Keymap, Scope};
use super::layout::{Beside, Layout, NAVIGATOR, layout};
use super::theme::{Depth, Theme};
use crate::command::World;
use crate::config::{self, Icons};
use crate::engine::{ContainerId, Machine};
use crate::tui::alerts::model::Alerts;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::ContainerVerb;
use crate::tui::events::model::EventRow;
use crate::tui::failure::Tone;
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
use crate::tui::stats::total::Total;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{TaskRow, What};
use crate::tui::trash::model::{Keeping, TrashRow};
use crate::tui::undo::model::Undo;
use crate::tui::volumes::model::VolumeRow;
pub use held::Held;
use look::Look;
use notice::LongMessage;
pub use notice::{Details, Notice};
use origin::Origin;
pub use panes::inner;
use paths::PathFacts;
use saved::Saved;
pub use wants::Wants;
use window::Windows;

/// The state of the TUI.
#[derive(Debug)]
pub struct Model {
    /// The current time, as last reported by the driver.
    pub now: Timestamp,
    /// The width and height of the terminal.
    pub size: (u16, u16),
    /// The keymap.
    pub keymap: Arc<Keymap>,
    /// The theme.
    pub theme: Theme,
    /// The number of colours.
    pub depth: Depth,
    /// Themes, symbols and the rest of the appearance.
    pub look: Look,
    /// What commands may refer to. It reads no files, because typed commands are only checked.
    pub world: World,
    /// The list on display.
    pub section: Section,
    /// Where the terminal on display was opened.
    pub origin: Option<Origin>,
    /// What has the focus.
    pub focus: Focus,
    /// Whether the panes fill the window.
    pub is_zoomed: bool,
    /// Whether, in addition, only the current pane is shown.
    pub is_alone: bool,
    /// Whether stopped containers are shown as well.
    pub shows_all: bool,
    /// The panes.
    pub windows: Windows,
    /// Subjects that panes keep although their rows are gone.
    pub held: Held,
    /// The navigator, with projects, tasks and alerts.
    pub navigator: Navigator,
    /// The alerts.
    pub alerts: Alerts,
    /// Containers whose state has just changed.
    pub flashes: Flashes,
    /// The resources of this machine, and when they were last read.
    pub machine: Machine,
    #[allow(missing_docs, reason = "as above")]
    pub machine_asked: Timestamp,
    /// What is saved between sessions.
    pub saved: Saved,
    /// The lists.
    pub containers: Table<ContainerRow>,
    #[allow(missing_docs, reason = "as above")]
    pub images: Table<ImageRow>,
    #[allow(missing_docs, reason = "as above")]
    pub volumes: Table<VolumeRow>,
    #[allow(missing_docs, reason = "as above")]
    pub networks: Table<NetworkRow>,
    /// Removed objects that can be restored.
    pub trash: Table<TrashRow>,
    /// How long they are kept.
    pub keeping: Keeping,
    /// Actions that can be undone.
    pub undo: Undo,
    /// Containers that are being stopped, and when they will be killed.
    pub stopping: BTreeMap<ContainerId, Timestamp>,
    /// Background tasks and terminals.
    pub tasks: Table<TaskRow>,
    /// Events, newest first.
    pub journal: Table<EventRow>,
    /// Whether earlier events were requested.
    pub journal_is_asked: bool,
    /// Where the user has been.
    pub jumps: Jumps,
    /// The form of a command that is running, in case the command fails.
    pub submitted: Option<(TaskId, Box<RunForm>)>,
    /// The last verb, to be repeated.
    pub repeat: Option<Repeat>,
    /// A verb that a dialog has asked about, which becomes the last one if the user agrees.
    pub asked: Option<Repeat>,
    /// The number of list columns that are scrolled off to the left.
    pub scrolled_columns: usize,
    /// The number of the next task.
    pub next_task: u64,
    /// Names of containers with pending verbs: a removed container has no row with its name.
    pub names: HashMap<ContainerId, String>,
    /// Rows of the trash with pending verbs, by their ids: the list may lose them before the result.
    pub pending_trash: HashMap<String, TrashRow>,
    /// The samples of containers.
    pub series: HashMap<ContainerId, Series>,
    /// The resource use of all containers together.
    pub total: Total,
    /// The open dialogs; the last one has the focus.
    pub layers: Vec<Layer>,
    /// The strokes of an unfinished key sequence, and when it was begun.
    pub pending: Vec<Key>,
    #[allow(missing_docs, reason = "as above")]
    pub pending_since: Timestamp,
    /// The terminal that receives the keys, while its pane has the focus.
    pub typing: Option<TaskId>,
    /// Whether the last key gave the keys of a terminal back; the same key again is sent to it.
    pub was_released: bool,
    /// The terminal in copy mode.
    pub copying: Option<TaskId>,
    /// The terminal in which a mouse button was pressed.
    pub dragged: Option<TaskId>,
    /// The notice at the bottom.
    pub notice: Option<Notice>,
    /// The last message that was too long for the last line, for the details page.
    pub long_message: Option<LongMessage>,
    /// The last warnings of each list.
    pub warned: HashMap<Section, Vec<String>>,
    /// The last failure, for the details page.
    failed: Option<Details>,
    /// Verbs on several objects that are still running.
    pub batches: Vec<Batch>,
    /// Lines typed at `:` that must not be saved.
    pub secret_history: Vec<String>,
    /// What is known about paths of this machine.
    pub paths: PathFacts,
    /// Whether the user has asked once to quit while terminals were open.
    pub is_leaving: bool,
}

/// A verb to be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The action.
    pub action: Action,
    /// What the action meant: `s` either stopped or started.
    pub verb: Option<ContainerVerb>,
}

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    List,
    /// The current pane.
    Detail,
    /// The navigator.
    Navigator,
}

impl Model {
    /// Returns a model without any data.
    #[must_use]
    pub fn new(keymap: Arc<Keymap>, theme: Theme, depth: Depth, world: World, now: Timestamp) -> Self {
        Self {
            // `update` must not read files.
            world: World { read: |_| Err(std::io::ErrorKind::Unsupported.into()), ..world },
            now,
            size: (80, 24),
            keymap,
            theme,
            depth,
            look: Look::new(depth),
            section: Section::Containers,
            origin: None,
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
            asked: None,
            scrolled_columns: 0,
            next_task: 1,
            names: HashMap::new(),
            pending_trash: HashMap::new(),
            series: HashMap::new(),
            total: Total::default(),
            layers: Vec::new(),
            pending: Vec::new(),
            pending_since: now,
            typing: None,
            was_released: false,
            copying: None,
            dragged: None,
            notice: None,
            long_message: None,
            warned: HashMap::new(),
            failed: None,
            batches: Vec::new(),
            secret_history: Vec::new(),
            paths: PathFacts::default(),
            is_leaving: false,
        }
    }

    /// Returns the context in which the next key is looked up.
    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        match self.top() {
            Some(dialog) => dialog.key_context(),
            None => self.key_context_below(),
        }
    }

    /// Like [`Self::key_context`], but ignores dialogs.
    #[must_use]
    pub fn key_context_below(&self) -> KeyContext {
        match (self.focus, self.section, self.shown_tab(self.pane())) {
            (Focus::List, section, _) => section.key_context(),
            (Focus::Navigator, ..) => KeyContext::Navigator,
            (Focus::Detail, _, Tab::Session(id)) => match self.session_is_over(id) {
                _ if self.copying == Some(id) => KeyContext::Copy,
                true => KeyContext::Ended,
                false if self.typing == Some(id) => KeyContext::Terminal,
                false => KeyContext::Released,
            },
            (Focus::Detail, _, tab) => tab.viewer().key_context(),
        }
    }

    /// Returns a context together with the list that contains the subject of verbs.
    #[must_use]
    pub fn scope(&self, place: KeyContext) -> Scope {
        Scope { place, list: Some(self.acted_section().key_context()) }
    }

    /// Returns the lines of the keymap that apply in a context.
    #[must_use]
    pub fn bindings(&self, place: KeyContext) -> &[Binding] {
        self.keymap.of(self.scope(place))
    }

    /// Returns a task by its number.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&TaskRow> {
        self.tasks.get(&id.key())
    }

    /// Whether a terminal's program has exited, or never started.
    #[must_use]
    pub fn session_is_over(&self, id: TaskId) -> bool {
        self.task(id).is_none_or(|task| task.is_over())
    }

    /// Returns the layout of the screen.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout_for(self.list().height())
    }

    /// Returns the layout for a list of `rows` rows.
    #[must_use]
    pub fn layout_for(&self, rows: usize) -> Layout {
        // Several panes need the room more than charts do.
        let navigator = self.look.navigator;
        let wide = if navigator == config::Navigator::Off { 160 } else { 160 + NAVIGATOR };
        let has_room = self.windows.count() == 1 || self.size.0 >= wide;
        let charts = has_room && self.section == Section::Containers;
        layout(self.size, self.is_zoomed, Beside { charts, navigator }, rows)
    }

    /// Explains why an action that would make changes is refused.
    pub fn refuse(&mut self, why: &str) {
        let hint = match self.look.must_be_read_only {
            true => "start hoist without --read-only, and remove read-only from [ui]".to_owned(),
            false => "`:set read-only off` allows changes".to_owned(),
        };
        self.say(Tone::Warning, format!("read-only: {why}"), Some(hint));
    }

    /// Explains how to search, if there is no match to go to.
    pub fn say_nothing_is_searched(&mut self) {
        let key = self.keys_of(KeyContext::Global, Action::Search);
        self.say(Tone::Plain, "no search text", Some(format!("press {key} to search")));
    }

    /// Returns a number for a new task.
    pub fn new_task(&mut self) -> TaskId {
        self.next_task += 1;
        TaskId(self.next_task - 1)
    }

    /// Returns the keys of `action` in `place`, for a hint.
    #[must_use]
    pub fn keys_of(&self, place: KeyContext, action: Action) -> String {
        self.signs(&self.keymap.keys_of(self.scope(place), action).unwrap_or_default())
    }

    /// Returns the key that cancels and clears, for a hint: Esc where it does, because the other keys
    /// of `back` also leave.
    #[must_use]
    pub fn cancel_key(&self) -> String {
        let esc = parse_strokes("esc").unwrap_or_default();
        match self.keymap.find(KeyContext::Global, &esc) {
            Found::Action(Action::Back) => show_strokes(&esc),
            _ => self.keys_of(KeyContext::Global, Action::Back),
        }
    }

    /// Returns keys as they are displayed: with ASCII symbols, some become words.
    #[must_use]
    pub fn signs(&self, keys: &str) -> String {
        match self.look.icons {
            Icons::Ascii => crate::tui::key::in_words(keys),
            Icons::Unicode | Icons::Nerd => keys.to_owned(),
        }
    }

    /// Returns when the next usage on the screen stops being current.
    fn next_expiry(&self) -> Option<Timestamp> {
        let page = self.is_zoomed.then(|| self.container_of(self.pane())).flatten();
        let has_rows = self.section == Section::Containers && !self.is_zoomed;
        let rows = has_rows.then(|| self.containers.window(self.layout().list_rows()));
        let rows = rows.into_iter().flatten().map(|(_, row)| row).chain(page);
        let all = (!self.is_zoomed).then(|| self.total.expires()).flatten();
        rows.filter_map(|row| Some(row.used?.expires)).chain(all).filter(|moment| *moment > self.now).min()
    }

    /// Returns the time until the screen next changes without an event; `None` if it never does.
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
            // Without motion, the numbers still change.
            ticks.push(Duration::from_millis(if self.look.motion { 100 } else { 1000 }));
        }
        // A countdown changes whenever a full second has passed.
        ticks.extend(self.stopping.values().filter(|end| **end > self.now).map(|end| {
            let nanos = until(*end).subsec_nanos();
            Duration::from_nanos(u64::from(if nanos == 0 { 1_000_000_000 } else { nanos }))
        }));
        if self.section == Section::Trash && !self.trash.all().is_empty() {
            // The list shows how long each object is kept.
            ticks.push(Duration::from_secs(60));
        }
        ticks.extend(self.next_expiry().map(until));
        ticks.extend(self.next_age());
        ticks.into_iter().min().map(|tick| tick.max(Duration::from_millis(10)))
    }
}
