//! What init knows while it sets the container up.

use std::os::fd::OwnedFd;

use super::Gate;
use super::channel::Voice;
use super::entry::Entry;
use super::prepare::Prepared;
use super::progress::Progress;

/// The state of init.
pub(super) struct State<'a> {
    pub(super) plan: Prepared<'a>,
    pub(super) voice: Voice,
    pub(super) start: Start,
    pub(super) progress: Progress,
    /// An existing pid namespace in which the payload will be created.
    pub(super) pid_namespace: Option<OwnedFd>,
    /// A procfs of that namespace, rather than of this process's own.
    pub(super) joined_procfs: Option<OwnedFd>,
    /// The root of the container's devpts.
    pub(super) devpts: Option<OwnedFd>,
    /// The container's end of its terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// A procfs that nobody else can access.
    pub(super) procfs: Option<OwnedFd>,
}

/// How the payload is started.
pub(super) enum Start {
    /// In this process, when the gate opens.
    Gate(Gate),
    /// In another process, which waits for its start itself.
    Entry(Entry),
    /// It has already been started.
    Begun,
}
