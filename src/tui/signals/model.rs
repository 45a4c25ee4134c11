//! The menu of signals, and the receivers of the chosen one.

use crate::engine::{ContainerId, ExecId, Process};
use crate::tui::menu::model::Menu;
use crate::tui::section::TaskId;

/// The signals of the menu with their descriptions.
const SIGNALS: &[(&str, &str)] = &[
    ("SIGTERM", "terminate"),
    ("SIGKILL", "kill immediately"),
    ("SIGHUP", "reload configuration (by convention)"),
    ("SIGINT", "interrupt, as Ctrl-C"),
    ("SIGQUIT", "quit with a core dump"),
    ("SIGUSR1", "defined by the program"),
    ("SIGUSR2", "defined by the program"),
    ("SIGWINCH", "window size changed"),
    ("SIGSTOP", "stop the process"),
    ("SIGCONT", "continue if stopped"),
];

/// The signal that ends the program of a terminal.
const HANGUP: (&str, &str) = ("SIGHUP", "hang up, as when its terminal closes");

/// A menu of signals.
#[derive(Debug)]
pub struct SignalMenu {
    /// The signals.
    pub menu: Menu,
    /// The receivers of the signal.
    pub receivers: Receivers,
}

/// The receivers of a signal.
#[derive(Debug, Clone)]
pub enum Receivers {
    /// The main processes of containers.
    Containers(Vec<ContainerId>),
    /// One process of a container.
    Process(ContainerId, Process),
    /// The programs of terminals, or these commands in containers; and the main processes of the
    /// containers that other terminals are attached to.
    Sessions(Vec<(TaskId, Option<ExecId>)>, Vec<ContainerId>),
}

impl SignalMenu {
    /// Creates a menu of all signals.
    #[must_use]
    pub fn new(title: String, receivers: Receivers) -> Self {
        let items = SIGNALS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
        let mut items: Vec<_> = items.collect();
        // Shells ignore SIGTERM, but to a server SIGHUP means something else.
        if matches!(&receivers, Receivers::Sessions(_, containers) if containers.is_empty()) {
            items.retain(|(name, _)| name != HANGUP.0);
            items.insert(0, (HANGUP.0.to_owned(), HANGUP.1.to_owned()));
        }
        Self { menu: Menu::new(title, items), receivers }
    }
}
