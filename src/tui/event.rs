//! What comes into `update`, and what it asks to be done.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use jiff::Timestamp;

use super::key::Key;
use super::keymap::Keymap;
use super::model::look::Ground;
use super::model::paths::PathFact;
use super::model::{Failure, Section, Subject, Tone};
use super::terminal::copy::Walk;
use super::theme::Themes;
use super::viewers::Answer;
use crate::command::{Request, container};
use crate::config::{Preset, Ui};
use crate::engine::files::{CopyRequest, Place};
use crate::engine::layers::LayerReport;
use crate::engine::{
    self, ContainerId, ImageRemoval, Machine, Name, News, Process, Removal, Sample, SaveLog,
};
use crate::tui::containers::model::ContainerRow;
use crate::tui::custom::ask::Ready;
use crate::tui::files::model::{FilesDone, FilesWish};
pub use crate::tui::sections::Listed;
use crate::tui::tasks::model::{TaskId, Work};
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

/// News of what is read of images.
#[derive(Debug)]
pub enum LayersNews<T = LayerReport> {
    /// How far the reading is.
    Progress(String),
    /// All of it.
    Report(Box<T>),
    /// Why it cannot be read.
    Failed(Failure),
}

impl<T> From<engine::Result<T>> for LayersNews<T> {
    fn from(read: engine::Result<T>) -> Self {
        match read {
            Ok(read) => Self::Report(Box::new(read)),
            Err(error) => Self::Failed(error.into()),
        }
    }
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

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back until the shell resumes us.
    Suspend,
    /// Draw every cell again.
    Redraw,
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Put a text on the user's clipboard.
    Copy(String),
    /// The same of everything known about these objects.
    CopyJson(Vec<Subject>),
    /// Open an address in the user's browser.
    Browse(String),
    /// Keep what is remembered from one time to the next.
    Save,
    /// Run a program on this machine, in the terminal that hoist runs in.
    Host(Vec<String>),
    /// Run a command of the user's that was asked about.
    Command(Box<Ready>),
    /// Read a whole list.
    Load(Section),
    /// Read what this machine has.
    Machine,
    /// Read the keys of a preset with the user's over them.
    Keymap(Preset),
    /// Read one container.
    Reload(ContainerId),
    /// A verb on a container.
    Container(ContainerVerb, ContainerId),
    /// A signal to one process of a container.
    Signal(ContainerId, Process, String),
    /// Read everything about a process of a container.
    ReadProcess(ContainerId, u32),
    /// Read where the ports of a container can be reached.
    ReadPorts(ContainerId),
    /// Show a text in the user's editor, as a file of this name that is not written back.
    Edit(String, String),
    /// Remove an image by name or id.
    RemoveImage(String, ImageRemoval),
    /// Take something back out of the trash, by its id there; under another name.
    Restore(String, Option<String>),
    /// Delete something in the trash for good.
    Purge(String),
    /// Delete everything in the trash for good.
    EmptyTrash,
    /// Give an image a further name.
    TagImage(String, String),
    /// Save a log, unless its file is there already.
    TrySave(Box<SaveLog>),
    /// Work in the background.
    Work(TaskId, Job),
    /// Do something with one file.
    Files(FilesWish),
    /// Ask work to stop; asked again, it must.
    Cancel(TaskId),
    /// Find out what a path is.
    Look(String),
    /// Read the names in a folder.
    Folder(String),
    /// Open a terminal.
    Open(TaskId, ContainerId, Program),
    /// A key for a terminal.
    Type(TaskId, Key),
    /// Pasted text for a terminal.
    Paste(TaskId, String),
    /// The mouse over a terminal.
    Point(TaskId, Pointer),
    /// A key of copy mode.
    Walk(TaskId, Walk),
    /// Look at a terminal's past: this many lines up.
    Scroll(TaskId, i32),
    /// Leave a terminal's program alone, and forget its screen.
    Close(TaskId),
}

/// The mouse over a terminal, in cells of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// What it did.
    pub kind: MouseEventKind,
    /// Keys held meanwhile.
    pub held: KeyModifiers,
    /// From the left.
    pub column: u16,
    /// From the top; negative above the window, and more than its height below.
    pub row: i32,
}

/// A verb on a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ContainerVerb {
    Start,
    Stop,
    Restart,
    Pause,
    Unpause,
    Kill(String),
    Remove(Removal),
    Rename(Name),
}

/// Work in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// What is asked for on the command line, in a form, in a dialog.
    Request(Box<Request>),
    /// What hoist prints when it is called with these words, and what they ask for.
    Print(Vec<String>, Box<Request>),
    /// An image of this machine's shell and core tools, with this name.
    FromHost(&'static str),
    /// Lines of logs as a file.
    SaveLog(Box<SaveLog>),
    /// A new file with this text.
    Write(PathBuf, String),
    /// Copy files between this machine and a container, or out of an image.
    Copy(CopyRequest),
    /// Delete files of a folder.
    Delete(Place, PathBuf, Vec<OsString>),
}

/// What a terminal is opened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// bash, else sh.
    Shell,
    /// These words.
    Words(Vec<String>),
    /// What is asked for on the command line: `exec -it -u app web sh`.
    Exec(Box<container::Exec>),
    /// The container's own process.
    Attach,
    /// The same, of a container that is to be started.
    Start,
}
