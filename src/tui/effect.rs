//! The requests of `update` to the driver.

use std::ffi::OsString;
use std::path::PathBuf;

use crossterm::event::{KeyModifiers, MouseEventKind};

use crate::command::{Request, container};
use crate::config::Preset;
use crate::engine::files::{CopyRequest, Place};
use crate::engine::{ContainerId, ExecId, ImageRemoval, Name, Process, Removal, SaveLog};
use crate::tui::custom::ask::Ready;
use crate::tui::files::model::FilesWish;
use crate::tui::key::Key;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::terminal::walk::Walk;

/// A single request to the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Quit hoist.
    Quit,
    /// Suspend hoist and restore the terminal until the shell resumes it.
    Suspend,
    /// Redraw every cell.
    Redraw,
    /// Capture the mouse, or release it to the terminal.
    Mouse(bool),
    /// Copy a text to the clipboard.
    Copy(String),
    /// Copy everything known about these objects, as JSON.
    CopyJson(Vec<Subject>),
    /// Open an address in the user's browser.
    Browse(String),
    /// Save what hoist remembers between sessions.
    Save,
    /// Run a program on this machine, in the terminal that hoist runs in.
    Host(Line),
    /// Run a command from the user's configuration, after its confirmation.
    Command(Box<Ready>),
    /// Read a complete list.
    Load(Section),
    /// Read the resources of this machine.
    Machine,
    /// Read the keymap of a preset, with the user's keymap applied to it.
    Keymap(Preset),
    /// Read a single container.
    Reload(ContainerId),
    /// Apply a verb to a container.
    Container(ContainerVerb, ContainerId),
    /// Send a signal to a process of a container.
    Signal(ContainerId, Process, String),
    /// Read everything about a process of a container.
    ReadProcess(ContainerId, u32),
    /// Read the addresses at which a container's ports can be reached.
    ReadPorts(ContainerId),
    /// Show a text in the user's editor, as a temporary file of this name; changes are discarded.
    Edit(String, String),
    /// Remove an image by name or id.
    RemoveImage(String, ImageRemoval),
    /// Restore an object from the trash by its trash id, optionally under a new name.
    Restore(String, Option<String>),
    /// Restore a container from the trash by its trash id, and start it.
    RestoreAndStart(String),
    /// Permanently delete an object in the trash.
    Purge(String),
    /// Permanently delete everything in the trash.
    EmptyTrash,
    /// Add a name to an image.
    TagImage(String, String),
    /// Save a log, unless its file exists.
    TrySave(Box<SaveLog>),
    /// Run a job in the background.
    Work(TaskId, Job),
    /// Apply an operation to a file.
    Files(FilesWish),
    /// Drop those of these verbs that have not begun.
    Withdraw(Vec<Effect>),
    /// Cancel a task; a second request forces it.
    Cancel(TaskId),
    /// Find out what a path is.
    Look(String),
    /// List the names in a folder.
    Folder(String),
    /// Open a terminal.
    Open(TaskId, Target),
    /// Send a signal to the program of a terminal; with an id, to this command in a container.
    SignalSession(TaskId, Option<ExecId>, String),
    /// Send a key to a terminal.
    Type(TaskId, Key),
    /// Send pasted text to a terminal.
    Paste(TaskId, String),
    /// Send a mouse event to a terminal.
    Point(TaskId, Pointer),
    /// Send a movement of copy mode to a terminal.
    Walk(TaskId, Walk),
    /// Scroll a terminal's history by this many lines; positive is up.
    Scroll(TaskId, i32),
    /// Detach from a terminal's program and drop its screen. A program of this machine is hung up.
    Close(TaskId),
}

impl Effect {
    /// Whether it removes an object, so that there is nothing left to do if that is gone.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        match self {
            Self::Container(verb, _) => matches!(verb, ContainerVerb::Remove(_)),
            Self::RemoveImage(..) | Self::Purge(_) => true,
            _ => false,
        }
    }
}

/// A mouse event over a terminal, in cells of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// The kind of event.
    pub kind: MouseEventKind,
    /// The modifier keys.
    pub held: KeyModifiers,
    /// The column, from the left.
    pub column: u16,
    /// The row, from the top; negative above the window, beyond its height below it.
    pub row: i32,
    /// Whether the program gets it if it has requested the mouse.
    pub is_for_program: bool,
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

/// A job in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A request from the command line, a form or a dialog.
    Request(Box<Request>),
    /// Shows what hoist prints for these arguments, which make this request.
    Print(Vec<String>, Box<Request>),
    /// Creates an image with this name from this machine's shell and core tools.
    FromHost(&'static str),
    /// Saves log lines to a file.
    SaveLog(Box<SaveLog>),
    /// Creates a file with this text.
    Write(PathBuf, String),
    /// Copies files between this machine and a container, or from an image.
    Copy(CopyRequest),
    /// Deletes files in a folder.
    Delete(Place, PathBuf, Vec<OsString>),
}

/// A command of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The command as the user wrote it, with the values that were filled in.
    pub typed: String,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Whether the user has declared that it changes nothing.
    pub is_read_only: bool,
}

/// What a terminal runs, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A program of this machine.
    Host(Line),
    /// A program in this container.
    In(ContainerId, Program),
}

/// What a terminal runs in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// bash if it exists, otherwise sh.
    Shell,
    /// A program with its arguments.
    Words(Line),
    /// A command that is running in the container already.
    Running(ExecId),
    /// An exec request from the command line: `exec -it -u app web sh`.
    Exec(Box<container::Exec>),
    /// The container's main process.
    Attach,
    /// The process of a container that is to be started first.
    Start,
}
