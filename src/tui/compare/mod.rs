//! The differences between two images.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, LayersNews, Want};
use crate::tui::section::Subject;
use crate::tui::tab::PaneId;
use crate::tui::viewer::{Seen, Viewer};

/// The tab with the differences between two images.
#[derive(Debug)]
pub struct Compare;

impl Viewer for Compare {
    fn name(&self) -> &'static str {
        "Compare"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Compare
    }

    fn is_lasting(&self) -> bool {
        false
    }

    fn is_of(&self, _: &Model, pane: &Pane, subject: &Subject) -> bool {
        matches!(subject, Subject::Image(name) if pane.compare.has(name))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        if let Some(area) = about.area {
            pane.compare.fit(area.height);
        }
    }

    fn wants(&self, _: &Model, pane: &Pane, _: &Subject) -> Vec<(u64, Want)> {
        pane.compare.wants().into_iter().map(|(images, serial)| (serial, Want::Compare(images))).collect()
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Compare(want) = want else { return None };
        Some(ReadTask::spawn(reader::read(reader, want)))
    }

    fn take(&self, model: &mut Model, pane: PaneId, serial: u64, answer: Answer) {
        let pane = model.windows.get_mut(pane).map(|pane| &mut pane.compare);
        let (Answer::Compare(news), Some(pane)) = (answer, pane.filter(|pane| pane.serial == serial)) else {
            return;
        };
        match news {
            LayersNews::Progress(line) => pane.progress = line,
            LayersNews::Report(report) => pane.take(Ok(report)),
            LayersNews::Failed(failure) => pane.take(Err(failure)),
        }
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.compare.diff.is_none()
    }

    fn needs_subject(&self, action: Action) -> bool {
        matches!(action, Action::Extract | Action::CompareImages)
    }

    fn has_all_keys(&self) -> bool {
        true
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        model.pane_mut().compare.step(isize::try_from(by).unwrap_or(0));
        Vec::new()
    }

    fn filter(&self, pane: &mut Pane, text: &str) {
        pane.compare.filter_by(text);
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        view::draw(frame, seen.model, &seen.pane.compare, area, seen.has_keys);
    }

    fn title(&self, seen: &Seen<'_>, width: u16) -> Option<Line<'static>> {
        let title = view::title(&seen.pane.compare, usize::from(width).saturating_sub(16));
        Some(Line::styled(title, seen.model.theme.dim))
    }

    fn note(&self, seen: &Seen<'_>, _: u16) -> Option<(String, Style)> {
        Some(view::note(seen.model, &seen.pane.compare))
    }
}
