//! The files of a container or an image, next to those of this machine.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;
mod words;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

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
use crate::tui::viewer::{Seen, Viewer};

/// The files of a container or an image.
#[derive(Debug)]
pub struct Files;

impl Viewer for Files {
    fn name(&self) -> &'static str {
        "Files"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Files
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Files)
    }

    fn is_of(&self, _: &Model, _: &Pane, subject: &Subject) -> bool {
        matches!(subject, Subject::Container(_) | Subject::Image(_))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.files.show(about.versioned(), &about.folder);
        if let Some(area) = about.area {
            pane.files.fit(area.width, area.height);
        }
    }

    fn wants(&self, _: &Model, pane: &Pane, _: &Subject) -> Vec<(u64, Want)> {
        pane.files.wants().into_iter().map(|(serial, ask)| (serial, Want::Files(ask))).collect()
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Files(want) = want else { return None };
        Some(ReadTask::spawn(reader::read(reader, want)))
    }

    fn take(&self, model: &mut Model, pane: PaneId, serial: u64, answer: Answer) {
        if let (Answer::Files(answer), Some(pane)) = (answer, model.windows.get_mut(pane)) {
            pane.files.take(serial, answer);
        }
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.files.sides[0].listing.is_none()
    }

    fn needs_subject(&self, action: Action) -> bool {
        // Once the subject is gone, this machine's folders are not read either.
        matches!(action, Action::Open | Action::Left | Action::Right | Action::Refresh)
            || matches!(action.group(), Group::Files | Group::Remove)
    }

    fn offers(&self, _: &Model, pane: &Pane, action: Action) -> bool {
        match &pane.files.reader {
            None => pane.files.can(action),
            Some(reader) if action == Action::EditFile => reader.of.is_some(),
            // These apply to the browser below the text.
            Some(_) => {
                !matches!(action.group(), Group::Files | Group::Remove | Group::List)
                    && action != Action::Open
            }
        }
    }

    fn has_all_keys(&self) -> bool {
        true
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        update::scroll(model, by);
        Vec::new()
    }

    fn filter(&self, pane: &mut Pane, text: &str) {
        pane.files.side_mut().filter_by(text);
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        view::draw(frame, seen.model, &seen.pane.files, area, seen.has_keys);
    }

    fn note(&self, seen: &Seen<'_>, _: u16) -> Option<(String, Style)> {
        Some(view::note(seen))
    }
}
