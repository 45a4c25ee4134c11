//! The table of the tabs.
//!
//! A new tab needs a folder, whose `mod.rs` implements [`Viewer`] with its model, update, view and
//! reader; a row here; its name in [`Tab`], its data in [`Answer`], its state in a
//! [`Pane`](super::model::window::Pane); and a context in the keymap.

use crate::tui::model::Model;
use crate::tui::reading::Answer;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::viewer::Viewer;
use crate::tui::{compare, files, inspect, layers, logs, stats, terminal, top, why};

macro_rules! viewers {
    ($($tab:ident $viewer:path;)*) => {
        impl Tab {
            /// Returns the tab's interface.
            pub(crate) fn viewer(self) -> &'static dyn Viewer {
                match self {
                    $(Self::$tab => &$viewer,)*
                    Self::Session(_) => &terminal::Terminal,
                }
            }
        }
        impl Answer {
            /// Returns the tab that this answer is for.
            #[must_use]
            pub fn tab(&self) -> Tab {
                match self { $(Self::$tab(_) => Tab::$tab,)* }
            }
        }
    };
}

viewers! {
    Logs    logs::Logs;
    Stats   stats::Stats;
    Top     top::Processes;
    Inspect inspect::Inspect;
    Layers  layers::Layers;
    Files   files::Files;
    Compare compare::Compare;
    Why     why::Why;
}

/// Stores an answer for a tab, if its pane still exists.
pub(crate) fn take(model: &mut Model, serial: u64, answer: Answer) {
    answer.tab().viewer().take(model, PaneId::of_serial(serial), serial, answer);
}
