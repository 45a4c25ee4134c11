//! What panes show: the table of the tabs.
//!
//! A new tab is its folder, whose `mod.rs` joins its model, update, view and reader to a [`Viewer`]; a
//! row here; its name in [`Tab`], what is read for it in [`Answer`], its state in a
//! [`Pane`](super::model::window::Pane); and its place in the keymap.

use crate::tui::model::Model;
use crate::tui::reading::Answer;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::viewer::Viewer;
use crate::tui::{compare, files, inspect, layers, logs, stats, terminal, top, why};

macro_rules! viewers {
    ($($tab:ident $viewer:path;)*) => {
        impl Tab {
            /// What it can do.
            pub(crate) fn viewer(self) -> &'static dyn Viewer {
                match self {
                    $(Self::$tab => &$viewer,)*
                    Self::Session(_) => &terminal::Terminal,
                }
            }
        }
        impl Answer {
            /// The tab that it is for.
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

/// Takes in what was read for a tab, where its pane is still there.
pub(crate) fn take(model: &mut Model, serial: u64, answer: Answer) {
    answer.tab().viewer().take(model, PaneId::of_serial(serial), serial, answer);
}
