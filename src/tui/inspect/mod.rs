//! Everything known about an object, as a document.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;
pub mod yaml;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::prompt;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::PaneId;
use crate::tui::tasks;
use crate::tui::viewer::{Seen, Viewer};

/// The tab with everything known about an object, or the output of a task.
#[derive(Debug)]
pub struct Inspect;

impl Viewer for Inspect {
    fn name(&self) -> &'static str {
        "Inspect"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Inspect
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Inspect)
    }

    fn is_of(&self, model: &Model, _: &Pane, subject: &Subject) -> bool {
        !matches!(subject, Subject::Task(id) if model.is_session(*id))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.inspect.show(about.versioned());
        // One column before the text.
        let columns = about.area.map_or(0, |area| usize::from(area.width.saturating_sub(1)));
        pane.inspect.fit(columns, about.rows());
    }

    fn wants(&self, _: &Model, pane: &Pane, subject: &Subject) -> Vec<(u64, Want)> {
        match subject {
            // The output of a task arrives without a request.
            Subject::Task(_) => Vec::new(),
            subject => vec![(pane.inspect.serial, Want::Inspect(subject.clone()))],
        }
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Inspect(want) = want else { return None };
        Some(ReadTask::spawn(reader::read(reader, want)))
    }

    fn take(&self, model: &mut Model, pane: PaneId, serial: u64, answer: Answer) {
        let pane = model.windows.get_mut(pane).filter(|pane| pane.inspect.serial == serial);
        match (answer, pane) {
            (Answer::Inspect(Ok(document)), Some(pane)) => pane.inspect.take(*document),
            (Answer::Inspect(Err(failure)), Some(pane)) => pane.inspect.failure = Some(failure),
            _ => {}
        }
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.inspect.document.is_none()
    }

    fn search(&self, model: &mut Model) -> bool {
        prompt(model, update::Search, "");
        true
    }

    fn offers(&self, _: &Model, pane: &Pane, action: Action) -> bool {
        use Action as A;
        let is_tree = pane.inspect.form == model::Form::Tree && pane.inspect.document.is_some();
        match action {
            A::Fold | A::Unfold | A::FoldAll | A::UnfoldAll | A::CopyPath => is_tree,
            // Without folds, the page can only be zoomed.
            A::Open => is_tree,
            A::NextForm | A::EditShown | A::CopyValue => pane.inspect.document.is_some(),
            _ => true,
        }
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        model.pane_mut().inspect.scroll(by);
        Vec::new()
    }

    fn left<'a>(&self, pane: &'a mut Pane) -> Option<&'a mut usize> {
        Some(&mut pane.inspect.left)
    }

    fn farthest(&self, model: &Model, pane: &Pane, area: Rect) -> usize {
        match model.subject_of(pane) {
            Some(Subject::Task(id)) => tasks::view::farthest(model, id, area),
            _ => view::farthest(&pane.inspect, model.now, area),
        }
    }

    fn point(&self, pane: &mut Pane, line: usize) {
        pane.inspect.point(line);
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        match seen.subject {
            Some(Subject::Task(id)) => {
                tasks::view::peek(frame, seen.model, (*id, seen.pane.inspect.left), area);
            }
            _ => view::draw(frame, seen, area),
        }
    }

    fn title(&self, seen: &Seen<'_>, _: u16) -> Option<Line<'static>> {
        let key = seen.model.keys_of(KeyContext::Inspect, Action::NextForm);
        Some(view::title(&seen.pane.inspect, &key, &seen.model.theme))
    }

    fn note(&self, seen: &Seen<'_>, width: u16) -> Option<(String, Style)> {
        let is_task = matches!(seen.subject, Some(Subject::Task(_)));
        (!is_task).then(|| (view::note(&seen.pane.inspect, width), seen.model.theme.dim))
    }

    fn shows_texts(&self) -> bool {
        true
    }
}
