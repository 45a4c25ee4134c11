//! The processes of a container.

pub mod model;
pub mod process;
pub(crate) mod reader;
pub mod update;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::action::{Action, Group};
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::PaneId;
use crate::tui::top::model::TopRead;
use crate::tui::viewer::{Seen, Viewer};

/// The tab with the processes of a container.
#[derive(Debug)]
pub struct Processes;

impl Viewer for Processes {
    fn name(&self) -> &'static str {
        "Top"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Top
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Top)
    }

    fn is_of(&self, _: &Model, _: &Pane, subject: &Subject) -> bool {
        matches!(subject, Subject::Container(_))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.top.show(about.container());
        pane.top.clamp(about.rows());
    }

    fn wants(&self, model: &Model, pane: &Pane, subject: &Subject) -> Vec<(u64, Want)> {
        match subject {
            Subject::Container(id) if model.is_up(id) => vec![(pane.id.serial(), Want::Top(id.clone()))],
            _ => Vec::new(),
        }
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Top(want) = want else { return None };
        Some(ReadTask::spawn(reader::read(reader, want)))
    }

    fn take(&self, model: &mut Model, pane: PaneId, _: u64, answer: Answer) {
        let (Answer::Top(TopRead { of, result }), now) = (answer, model.now) else { return };
        // The pane may show another container in the meantime.
        let is_its = model.windows.get(pane).and_then(|pane| model.subject_of(pane))
            == Some(Subject::Container(of.clone()));
        let Some(pane) = model.windows.get_mut(pane).filter(|_| is_its) else { return };
        match result {
            Ok(top) => pane.top.take(of, top, now),
            Err(failure) => pane.top.fail(of, failure),
        }
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.top.read.is_none()
    }

    fn offers(&self, model: &Model, pane: &Pane, action: Action) -> bool {
        // The last processes of a removed container remain.
        let is_shown = model.gone().is_some() || model.container_of(pane).is_some_and(|row| row.is_up());
        let is_of_processes =
            action.group() == Group::Processes || matches!(action, Action::Open | Action::Search);
        is_shown || !is_of_processes
    }

    fn needs_subject(&self, action: Action) -> bool {
        matches!(action, Action::SignalProcess | Action::ProcessPage | Action::Open)
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        model.pane_mut().top.step(by);
        Vec::new()
    }

    fn left<'a>(&self, pane: &'a mut Pane) -> Option<&'a mut usize> {
        Some(&mut pane.top.left)
    }

    fn farthest(&self, model: &Model, pane: &Pane, area: Rect) -> usize {
        view::farthest(model, pane, area)
    }

    fn point(&self, pane: &mut Pane, line: usize) {
        // The first line is the heading.
        if let Some(line) = line.checked_sub(1) {
            pane.top.point(line);
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        view::draw(frame, seen, area);
    }

    fn title(&self, seen: &Seen<'_>, _: u16) -> Option<Line<'static>> {
        Some(Line::styled(view::title(&seen.pane.top), seen.model.theme.dim))
    }

    fn note(&self, seen: &Seen<'_>, _: u16) -> Option<(String, Style)> {
        Some((view::note(seen), seen.model.theme.dim))
    }
}
