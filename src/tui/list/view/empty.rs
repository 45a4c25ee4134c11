//! The text of an empty list: its purpose, and what can be done next.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::view::texts;
use crate::tui::words::wrap;

/// Returns the text of an empty list, wrapped to this width.
pub(crate) fn lines(model: &Model, width: u16) -> Vec<Line<'static>> {
    let place = model.key_context_below();
    let (what, offers) = (model.section.screen().empty)(model);
    let room = usize::from(width).saturating_sub(1);
    let mut lines = vec![Line::default()];
    lines.extend(wrap(&format!("   {what}"), room, 3).into_iter().map(Line::from));
    if !offers.is_empty() {
        lines.push(Line::default());
    }
    for (action, text, aside) in offers {
        let key =
            model.keymap.keys_of(place, action).or_else(|| model.keymap.keys_of(KeyContext::Lists, action));
        let told = wrap(text, room.saturating_sub(7), 0);
        let key = key.unwrap_or_default();
        let keys = std::iter::once(key.as_str()).chain(std::iter::repeat(""));
        let mut told: Vec<_> =
            told.iter().zip(keys).map(|(text, key)| texts::key_line(&model.theme, key, text)).collect();
        // The remark is dropped first if space is short.
        if let Some(line) = told.last_mut().filter(|line| line.width() + aside.width() + 2 <= room)
            && !aside.is_empty()
        {
            line.push_span(Span::styled(format!("  {aside}"), model.theme.dim));
        }
        lines.extend(told);
    }
    let key = |action| model.keys_of(KeyContext::Global, action);
    lines.push(Line::default());
    let mut line = texts::key_line(&model.theme, &key(Action::Help), "all keys");
    for (action, word) in [(Action::Palette, "palette"), (Action::Command, "command line")] {
        if line.width() + key(action).width() + word.width() + 4 > room {
            break;
        }
        line.push_span(Span::styled(format!("   {}", key(action)), model.theme.accent));
        line.push_span(Span::raw(format!(" {word}")));
    }
    lines.push(line);
    lines
}

/// An offer: the action, what it does, and a remark.
pub(crate) type Offer = (Action, &'static str, String);

/// The purpose of a list, and what can be done next.
pub(crate) type Said = (&'static str, Vec<Offer>);

/// Returns an offer without a remark.
pub(crate) fn plain(action: Action, text: &'static str) -> Offer {
    (action, text, String::new())
}

#[cfg(test)]
mod tests {
    use crate::tui::event::Event;
    use crate::tui::fixture::{empty, full, press, shot};
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    #[test]
    fn an_empty_list_says_what_can_be_done_next() {
        shot("empty", |width, height| {
            let mut model = full(width, height);
            update(&mut model, Event::List(Ok(Listed::Containers(vec![]))));
            model
        });
        shot("empty_tasks", |width, height| {
            let mut model = empty(width, height);
            press(&mut model, "g t");
            model
        });
    }
}
