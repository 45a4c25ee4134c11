//! A terminal in a pane.

pub mod copy;
pub mod encode;
pub mod screen;
pub mod update;
pub mod view;
pub mod walk;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::context::PaneContext;
use crate::tui::model::window::Pane;
use crate::tui::section::Subject;
use crate::tui::tab::Tab;
use crate::tui::viewer::{Seen, Viewer};

/// A terminal as a tab of a pane.
#[derive(Debug)]
pub struct Terminal;

impl Viewer for Terminal {
    fn name(&self) -> &'static str {
        "Terminal"
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Terminal
    }

    fn is_of(&self, _: &Model, _: &Pane, _: &Subject) -> bool {
        false
    }

    fn settle(&self, _: &mut Pane, _: &PaneContext) {}

    fn act(&self, model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        let Tab::Session(id) = model.shown_tab(model.pane()) else { return None };
        update::act(model, id, action)
    }

    fn scroll(&self, model: &mut Model, by: i64) -> Vec<Effect> {
        let Tab::Session(id) = model.shown_tab(model.pane()) else { return Vec::new() };
        let lines = i32::try_from(-by.clamp(-100_000, 100_000)).unwrap_or(0);
        vec![Effect::Scroll(id, lines)]
    }

    fn draw(&self, frame: &mut Frame<'_>, seen: &Seen<'_>, area: Rect) {
        if let Tab::Session(id) = seen.tab {
            view::draw(frame, seen.model, seen.screens, (id, seen.has_keys), area);
        }
    }

    fn note(&self, seen: &Seen<'_>, _: u16) -> Option<(String, Style)> {
        let Seen { model, tab: Tab::Session(id), .. } = *seen else { return None };
        let theme = &model.theme;
        if model.copying == Some(id) {
            return Some((" copy mode ".to_owned(), theme.warn));
        }
        if model.session_is_over(id) {
            return None;
        }
        let scrolled = seen.screens.get(id).map_or(0, |screen| screen.lock().scrolled());
        let key = model.keys_of(KeyContext::Terminal, Action::Release);
        Some(match scrolled {
            // Without focus, the key does not apply to this pane.
            0 if !seen.has_keys => return None,
            0 => (format!(" {key} release "), theme.dim),
            lines => (format!(" {lines} lines up · {key} release "), theme.warn),
        })
    }
}
