//! What `update` asks the driver to do.

use std::ffi::OsString;
use std::path::PathBuf;

use crossterm::event::{KeyModifiers, MouseEventKind};

use crate::command::{Request, container};
use crate::config::Preset;
use crate::engine::files::{CopyRequest, Place};
use crate::engine::{ContainerId, ImageRemoval, Name, Process, Removal, SaveLog};
use crate::tui::custom::ask::Ready;
use crate::tui::files::model::FilesWish;
use crate::tui::key::Key;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::terminal::walk::Walk;

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
