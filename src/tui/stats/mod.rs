//! Charts of the resource use of containers.

pub mod history;
pub mod model;
pub(crate) mod reader;
pub mod series;
pub mod total;
pub mod update;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::action::{Action, Group};
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::section::Subject;
use crate::tui::viewer::{Seen, Viewer};

/// The tab with charts of a container's resource use.
#[derive(Debug)]
pub struct Stats;

impl Viewer for Stats {
    fn name(&self) -> &'static str {
        "Stats"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Stats
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Stats)
    }

    fn is_of(&self, _: &Model, _: &Pane, subject: &Subject) -> bool {
        matches!(subject, Subject::Container(_))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.stats.show(about.container());
    }

    fn offers(&self, model: &Model, pane: &Pane, action: Action) -> bool {
        action.group() != Group::Charts || view::measured(model, pane).is_some()
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        let measured = view::measured(model, model.pane());
        update::act(model, action, measured)
    }

    fn scroll(&self, _: &mut Model, _: i64) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        if let Some(row) = seen.model.container_of(seen.pane) {
            view::draw(frame, seen, &row.id, area);
        }
    }

    fn note(&self, seen: &Seen<'_>, _: u16) -> Option<(String, Style)> {
        let is_frozen = seen.pane.stats.frozen.is_some();
        is_frozen.then(|| (" frozen ".to_owned(), seen.model.theme.warn))
    }
}
