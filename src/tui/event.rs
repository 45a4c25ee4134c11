//! The input of `update`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::keymap::Keymap;
use super::model::look::Ground;
use super::model::paths::PathFact;
use super::theme::Themes;
use crate::config::{Preset, Ui};
use crate::engine::{ContainerId, ExecView, Machine, News, PastUsage, Sample, SaveLog, TotalUsage};
use crate::tui::containers::model::ContainerRow;
use crate::tui::custom::ask::Ready;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::files::model::{FilesDone, FilesWish};
use crate::tui::reading::{Answer, Listed};
use crate::tui::section::{Section, TaskId};
use crate::tui::tasks::model::Work;
use crate::tui::trash::model::TrashRow;

/// A single event.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The current time.
    Tick(Timestamp),
    /// A change made by this engine or another one.
    News(News),
    /// A complete list.
    List(Result<Listed, (Section, Failure)>),
    /// A list was read to the end.
    Read(Section),
    /// The current state of a container; `None` if it was removed.
    Container(ContainerId, Option<Box<ContainerRow>>),
    /// A container could not be read; the list shows why.
    Unreadable(ContainerId),
    /// A removal that is about to finish has moved this into the trash.
    Kept(Effect, Box<TrashRow>),
    /// A verb on a container or an image finished.
    Done(Effect, Result<(), Failure>),
    /// A removal found that its object was no longer there.
    Missing(Effect),
    /// These verbs were dropped before they began.
    Withdrawn(Vec<Effect>),
    /// The answer to a tab's request, with the request's serial.
    Answer(u64, Answer),
    /// A log to be saved, and whether its file exists.
    Saving(Box<SaveLog>, bool),
    /// A container's resource usage.
    Sample(ContainerId, Box<Sample>),
    /// The resource usage of all containers together.
    Total(TotalUsage),
    /// A container's resource usage before that.
    PastUsage(ContainerId, Vec<PastUsage>),
    /// Everything known about some objects, as JSON to be copied.
    Json(Result<String, Failure>),
    /// A page of text, with its heading.
    Page(String, Result<Vec<String>, Failure>),
    /// The progress of a task.
    Progress(TaskId, Work),
    /// Output of a program for a task.
    Said(TaskId, Vec<u8>),
    /// What a path refers to.
    Path(String, PathFact),
    /// The names in a folder, each with whether it is a folder.
    Folder(String, Vec<(String, bool)>),
    /// A task finished.
    Finished(TaskId, Result<Finish, Failure>),
    /// The configuration, keymap and themes after a reload.
    Configured(Box<Configured>),
    /// The resources of this machine.
    Machine(Machine),
    /// The keymap of a preset with the user's keymap applied to it, for `:set keymap`.
    Keymap(Preset, Result<Arc<Keymap>, Failure>),
    /// Whether the terminal's background is light or dark.
    Ground(Ground),
    /// The terminal does not draw hoist's symbols one column wide.
    LacksUnicode,
    /// A notice for the user.
    Notice(Tone, String),
    /// Warnings from reading a list, one sentence each; each is shown once.
    Warned(Section, Vec<String>),
    /// A command from the user's configuration was confirmed.
    Command(Box<Ready>),
    /// A program on this machine failed.
    HostFailed(Failure),
    /// A file operation finished.
    FilesDone(FilesWish, Result<FilesDone, Failure>),
    /// The command in a container for a terminal has started.
    Opened(TaskId, Box<ExecView>),
    /// A terminal's screen has changed.
    Damage(TaskId),
    /// A terminal's program has exited with this code, or its session ended in another way.
    Ended(TaskId, Result<Option<u8>, Failure>),
}

/// The user's configuration. Parts that could not be read are missing.
#[derive(Debug)]
pub struct Configured {
    /// The section `[ui]`.
    pub ui: Option<Ui>,
    /// The keymap.
    pub keymap: Option<Arc<Keymap>>,
    /// Every theme that could be read.
    pub themes: Themes,
    /// The names of the themes that could not be read.
    pub broken: BTreeSet<String>,
    /// The errors, each with its file and position.
    pub faults: Vec<String>,
}

/// The result of a successful task.
#[derive(Debug)]
pub struct Finish {
    /// The message to show.
    pub text: String,
    /// The container that was created.
    pub made: Option<Box<ContainerRow>>,
    /// The image that was created, by name or id.
    pub image: Option<String>,
    /// Whether to start the container with a terminal.
    pub opens: bool,
}
