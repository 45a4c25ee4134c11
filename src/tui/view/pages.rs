//! Pages to read: the help of a place, generated from the keymap, and plain text.

use std::collections::BTreeMap;

use ratatui::text::{Line, Span};

use super::words::{Align, cell};
use crate::tui::action::Action;
use crate::tui::key::show_strokes;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use crate::tui::model::layer::{Page, PageKind};

/// The lines of a page that is `width` columns wide.
pub(super) fn lines(model: &Model, page: &Page, width: usize) -> Vec<Line<'static>> {
    match &page.kind {
        PageKind::Keys(place) => keys(model, *place, width),
        PageKind::Text(lines) => lines.iter().map(|line| Line::raw(line.clone())).collect(),
    }
}

/// Every key of a place and what it does, by group, in one or two columns.
fn keys(model: &Model, place: Place, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut by_action: BTreeMap<Action, Vec<String>> = BTreeMap::new();
    for binding in model.keymap.of(place) {
        // Behind the prefix stand the keys of the list; the list's help shows them.
        let is_imported = binding.place == Place::Viewer && binding.keys.len() > 1;
        if !is_imported {
            by_action.entry(binding.action).or_default().push(show_strokes(&binding.keys));
        }
    }
    let mut lines = Vec::new();
    let mut group = "";
    for (action, keys) in by_action {
        if action.group() != group {
            group = action.group();
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(format!(" {group}"), theme.accent));
        }
        let keys = cell(&keys.join(" "), 14, Align::Left);
        lines.push(Line::from(vec![
            Span::styled(format!("   {keys} "), theme.mark),
            Span::raw(cell(action.help(), width.saturating_sub(19), Align::Left)),
        ]));
    }
    if matches!(place.above(), Some(Place::Viewer)) {
        lines.push(Line::default());
        lines.push(Line::styled(
            "   , and a key of the container list acts on what is shown: ,s ,r ,e",
            theme.dim,
        ));
    }
    lines.push(Line::default());
    let release = model.keys_of(Place::Terminal, Action::Release);
    lines.push(Line::styled(
        format!("   In a terminal every key goes to the program; {release} gives it back."),
        theme.dim,
    ));
    lines
}
