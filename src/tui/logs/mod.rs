//! Logs of containers.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::prompt;
use crate::tui::menu;
use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};
use crate::tui::section::Subject;
use crate::tui::tab::PaneId;
use crate::tui::viewer::{Seen, Viewer};
use crate::tui::words::{Align, cell};

/// The tab with the log of a container, merged with others if requested.
#[derive(Debug)]
pub struct Logs;

impl Viewer for Logs {
    fn name(&self) -> &'static str {
        "Logs"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Logs
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Logs)
    }

    fn is_of(&self, _: &Model, _: &Pane, subject: &Subject) -> bool {
        matches!(subject, Subject::Container(_))
    }

    fn settle(&self, pane: &mut Pane, about: &PaneContext) {
        pane.log.show(about.logs.clone());
        if let Some(area) = about.area {
            let columns = usize::from(area.width.saturating_sub(model::BAR));
            pane.log.resize(columns, about.rows(), about.now);
        }
    }

    fn wants(&self, _: &Model, pane: &Pane, subject: &Subject) -> Vec<(u64, Want)> {
        match subject {
            Subject::Container(_) => vec![(pane.log.serial, Want::Logs(pane.log.want()))],
            _ => Vec::new(),
        }
    }

    fn read(&self, reader: Reader, want: Want) -> Option<ReadTask<Want>> {
        let Want::Logs(want) = want else { return None };
        Some(reader::read(reader, want))
    }

    fn open(&self, pane: &mut Pane, is_open: bool) {
        pane.log.open(is_open);
    }

    fn take(&self, model: &mut Model, pane: PaneId, serial: u64, answer: Answer) {
        let Answer::Logs(news) = answer else { return };
        let pane = model.windows.get_mut(pane).filter(|pane| pane.log.serial == serial);
        if let Some(text) = pane.and_then(|pane| pane.log.take(news)) {
            model.say(Tone::Plain, text, None);
        }
    }

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn is_blank(&self, pane: &Pane) -> bool {
        pane.log.buffer.is_blank()
    }

    fn offers(&self, model: &Model, pane: &Pane, action: Action) -> bool {
        let can_follow = pane.log.is_paused || view::goes_on(model, &pane.log);
        update::obstacle(&pane.log, action).is_none() && (can_follow || action != Action::Follow)
    }

    fn first(&self, pane: &Pane) -> &'static [Action] {
        if pane.log.selected.is_some() { &[Action::CopyLines, Action::Back] } else { &[] }
    }

    fn needs_subject(&self, action: Action) -> bool {
        update::reads(action)
    }

    fn search(&self, model: &mut Model) -> bool {
        prompt(model, update::prompt::Search, "");
        true
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        model.pane_mut().log.scroll(by);
        Vec::new()
    }

    fn left<'a>(&self, pane: &'a mut Pane) -> Option<&'a mut usize> {
        Some(&mut pane.log.left)
    }

    fn farthest(&self, _: &Model, pane: &Pane, _: Rect) -> usize {
        pane.log.farthest()
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        view::draw(frame, seen, area);
    }

    fn title(&self, seen: &Seen<'_>, width: u16) -> Option<Line<'static>> {
        let note = view::top_note(&seen.pane.log, seen.model.now)?;
        // The border and the name of the page, with the blanks around them.
        let room = usize::from(width).saturating_sub(self.name().width() + 8);
        let note = cell(&note, note.width().min(room), Align::Left);
        Some(Line::styled(format!(" {note} "), seen.model.theme.dim))
    }

    fn note(&self, seen: &Seen<'_>, width: u16) -> Option<(String, Style)> {
        Some(view::bottom_note(seen, usize::from(width.saturating_sub(4))))
    }

    fn shows_texts(&self) -> bool {
        true
    }
}

impl Dialog for model::MergeMenu {
    fn menu(&mut self) -> Option<&mut Menu> {
        Some(&mut self.menu)
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Menu
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        menu::view::draw(frame, model, &self.menu, "↵ choose · Esc close");
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::merging(model, action)
    }
}
