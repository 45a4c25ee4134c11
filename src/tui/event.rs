//! What comes into `update`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::keymap::Keymap;
use super::model::look::Ground;
use super::model::paths::PathFact;
use super::theme::Themes;
use crate::config::{Preset, Ui};
use crate::engine::{ContainerId, Machine, News, Sample, SaveLog};
use crate::tui::containers::model::ContainerRow;
use crate::tui::custom::ask::Ready;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::files::model::{FilesDone, FilesWish};
use crate::tui::reading::{Answer, Listed};
use crate::tui::section::{Section, TaskId};
use crate::tui::tasks::model::Work;
use crate::tui::trash::model::TrashRow;

/// One thing that happened.
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
    /// It is this moment.
    Tick(Timestamp),
    /// An engine, this one or another, changed something.
    News(News),
    /// A whole list.
    List(Result<Listed, (Section, Failure)>),
    /// One container as it is; `None` when it is gone.
    Container(ContainerId, Option<Box<ContainerRow>>),
    /// One container cannot be read: the list says why.
    Unreadable(ContainerId),
    /// A removal that ends has put something into the trash.
    Kept(Effect, Box<TrashRow>),
    /// A verb on a container or an image ended.
    Done(Effect, Result<(), Failure>),
    /// What was read for a tab, with the number it was asked with.
    Answer(u64, Answer),
    /// A log may be saved, or its file is there already.
    Saving(Box<SaveLog>, bool),
    /// What a container uses.
    Sample(ContainerId, Box<Sample>),
    /// Everything known about some objects, to be copied.
    Json(Result<String, Failure>),
    /// A page to read, with its heading.
    Page(String, Result<Vec<String>, Failure>),
    /// How work goes on.
    Progress(TaskId, Work),
    /// What a program printed for work.
    Said(TaskId, Vec<u8>),
    /// What a path is.
    Path(String, PathFact),
    /// Names in a folder, each with whether it is a folder.
    Folder(String, Vec<(String, bool)>),
    /// Work has ended.
    Finished(TaskId, Result<Finish, Failure>),
    /// The configuration, keymap and themes as they were read again.
    Configured(Box<Configured>),
    /// What this machine has.
    Machine(Machine),
    /// The keys of a preset with the user's over them, as `:set keymap` asked for.
    Keymap(Preset, Result<Arc<Keymap>, Failure>),
    /// What the terminal's background is.
    Ground(Ground),
    /// The terminal draws signs two columns wide that hoist counts as one.
    WideSigns,
    /// Something to tell the user.
    Notice(Tone, String),
    /// What went wrong while a list was read, a sentence each: the user is told once.
    Warned(Section, Vec<String>),
    /// A command of the user's that was asked about may be run.
    Command(Box<Ready>),
    /// A program on this machine failed.
    HostFailed(Failure),
    /// What was to be done with a file ended.
    FilesDone(FilesWish, Result<FilesDone, Failure>),
    /// A terminal's program has begun.
    Opened(TaskId),
    /// A terminal's screen has changed.
    Damage(TaskId),
    /// A terminal's program has ended with this code, or the session otherwise.
    Ended(TaskId, Result<Option<u8>, Failure>),
}

/// What the user configured. What could not be read is missing.
#[derive(Debug)]
pub struct Configured {
    /// `[ui]`
    pub ui: Option<Ui>,
    /// The keys.
    pub keymap: Option<Arc<Keymap>>,
    /// Every theme that could be read.
    pub themes: Themes,
    /// The names of those that could not.
    pub broken: BTreeSet<String>,
    /// What is wrong, each with its file and its place there.
    pub faults: Vec<String>,
}

/// How work ended well.
#[derive(Debug)]
pub struct Finish {
    /// What to say.
    pub text: String,
    /// The container that was made.
    pub made: Option<Box<ContainerRow>>,
    /// The image that was made, by name or id.
    pub image: Option<String>,
    /// It is to be started with a terminal.
    pub opens: bool,
}
