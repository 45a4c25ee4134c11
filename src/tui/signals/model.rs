//! The signals to choose from, and whom one is sent to.

use crate::engine::{ContainerId, Process};
use crate::tui::menu::model::Menu;

/// Signals of the menu, and what they are for.
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
    ("SIGCONT", "continue, if stopped"),
];

/// A choice of a signal.
#[derive(Debug)]
pub struct SignalMenu {
    /// The signals.
    pub menu: Menu,
    /// Whom the choice is for.
    pub receivers: Receivers,
}

/// Whom a signal is sent to.
#[derive(Debug, Clone)]
pub enum Receivers {
    /// The main process of each of these.
    Containers(Vec<ContainerId>),
    /// One process of a container.
    Process(ContainerId, Process),
}

impl SignalMenu {
    /// A menu of all signals.
    #[must_use]
    pub fn new(title: String, receivers: Receivers) -> Self {
        let items = SIGNALS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
        Self { menu: Menu::new(title, items.collect()), receivers }
    }
}
