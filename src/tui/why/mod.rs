//! The report that explains why a container exited or failed.

pub mod model;
pub(crate) mod reader;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::engine::ContainerId;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::PaneId;
use crate::tui::viewer::{Seen, Viewer};
use crate::tui::why::model::Facts;

/// The tab with the report.
#[derive(Debug)]
pub struct Why;

impl Viewer for Why {
    fn name(&self) -> &'static str {
        "Why"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Why
    }

    fn is_of(&self, model: &Model, pane: &Pane, subject: &Subject) -> bool {
        let Subject::Container(id) = subject else { return false };
        // The facts about a removed container cannot be read, but a report from before remains.
        let can_tell = !model.is_gone(subject) || !self.is_blank(pane);
        can_tell && model.known(id).is_some_and(ContainerRow::is_explained)
    }

    fn is_lasting(&self) -> bool {
        false
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.why.show(about.container().map(|id| (id.clone(), about.version)));
    }

    fn wants(&self, _: &Model, pane: &Pane, subject: &Subject) -> Vec<(u64, Want)> {
        match subject {
            Subject::Container(id) => vec![(pane.why.serial, Want::Why(id.clone()))],
            _ => Vec::new(),
        }
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Why(want) = want else { return None };
        Some(ReadTask::spawn(reader::read(reader, want)))
    }

    fn take(&self, model: &mut Model, pane: PaneId, serial: u64, answer: Answer) {
        let Answer::Why(result) = answer else { return };
        let known = result.as_ref().ok().and_then(|facts| facts.id.parse::<ContainerId>().ok());
        let last = known.and_then(|id| model.series.get(&id)?.last.as_ref());
        let limit = last.filter(|last| last.is_limited).map(|last| last.memory_limit);
        let Some(pane) = model.windows.get_mut(pane).filter(|pane| pane.why.serial == serial) else { return };
        match result {
            Ok(facts) => pane.why.take(&Facts { memory_limit: limit.or(facts.memory_limit), ..*facts }),
            Err(failure) => pane.why.failure = Some(failure),
        }
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.why.card.is_none()
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        model.pane_mut().why.scroll(by);
        Vec::new()
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        view::draw(frame, seen, area);
    }
}
