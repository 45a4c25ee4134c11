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
use unicode_width::UnicodeWidthStr as _;

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
            view::draw(frame, seen, id, area);
        }
    }

    fn note(&self, seen: &Seen<'_>, width: u16) -> Option<(String, Style)> {
        let Seen { model, tab: Tab::Session(id), .. } = *seen else { return None };
        let theme = &model.theme;
        let task = model.task(id)?;
        if model.copying == Some(id) {
            return Some((" copy mode ".to_owned(), theme.warn));
        }
        if task.is_over() && !seen.has_keys {
            return Some((format!(" {} ", update::ending(task)?), theme.warn));
        }
        if task.is_over() {
            let keys = |action| model.keys_of(KeyContext::Ended, action);
            let (close, again) = (keys(Action::CloseTab), keys(Action::RetryTask));
            let again = match task.session()?.is_ours() {
                true => format!(" · {again} run again"),
                false => String::new(),
            };
            let text = format!(" {} · {close} close{again} ", update::ending(task)?);
            return Some((fitting([text, format!(" {} ", update::ending(task)?)], width), theme.warn));
        }
        if task.is_unseen() {
            return None;
        }
        let scrolled = seen.screens.get(id).map_or(0, |screen| screen.lock().scrolled());
        let up = if scrolled > 0 { format!(" {scrolled} lines up ·") } else { String::new() };
        // Without focus, the keys do not apply to this pane.
        if !seen.has_keys {
            return (scrolled > 0).then(|| (up.trim_end_matches('·').to_owned(), theme.warn));
        }
        if model.keeps_keys_from(id) {
            let forms = [format!("{up} read-only: the program gets no keys "), format!("{up} read-only ")];
            return Some((fitting(forms, width), theme.warn));
        }
        let key = model.keys_of(KeyContext::Terminal, Action::Release);
        let forms = match (model.typing == Some(id), task.session()?.is_main()) {
            (true, true) => [
                format!("{up} main process: Ctrl-c may end it · {key} release keys "),
                format!("{up} main process · {key} "),
            ],
            (true, false) => [format!("{up} {key} release keys "), format!("{up} {key} ")],
            (false, _) => {
                let key = model.keys_of(KeyContext::Released, Action::Type);
                [format!("{up} keys released · {key} type "), format!("{up} {key} type ")]
            }
        };
        let is_plain = scrolled == 0 && model.typing == Some(id) && !task.session()?.is_main();
        Some((fitting(forms, width), if is_plain { theme.dim } else { theme.warn }))
    }
}

/// Returns the first form if it fits the border, otherwise the second.
fn fitting([long, short]: [String; 2], width: u16) -> String {
    if long.width() + 4 <= usize::from(width) { long } else { short }
}
