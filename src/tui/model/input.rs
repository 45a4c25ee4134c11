//! An input line.

use ratatui_textarea::{CursorMove, Input as KeyInput, TextArea};

/// An input line.
#[derive(Debug, Clone)]
pub struct Input {
    area: TextArea<'static>,
    /// Whether the text is a proposal, which the first typed character replaces.
    is_proposed: bool,
}

impl Input {
    /// Returns a line that contains `text`, with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![text.lines().next().unwrap_or_default().to_owned()]);
        area.set_cursor_line_style(ratatui::style::Style::default());
        area.move_cursor(CursorMove::End);
        Self { area, is_proposed: false }
    }

    /// Returns a line with a proposed text, which is replaced when something is typed.
    #[must_use]
    pub fn proposed(text: &str) -> Self {
        Self { is_proposed: !text.is_empty(), ..Self::new(text) }
    }

    /// Whether typing replaces the text.
    #[must_use]
    pub fn is_proposed(&self) -> bool {
        self.is_proposed
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Handles a key. Keys that would start a second line are ignored.
    pub fn key(&mut self, event: crossterm::event::KeyEvent) {
        let input = KeyInput::from(event);
        let replaces = match input.key {
            ratatui_textarea::Key::Char(_) => !input.ctrl && !input.alt,
            key => matches!(key, ratatui_textarea::Key::Backspace | ratatui_textarea::Key::Delete),
        };
        if std::mem::take(&mut self.is_proposed) && replaces {
            *self = Self::default();
        }
        let breaks = matches!(input.key, ratatui_textarea::Key::Enter)
            || (input.ctrl && matches!(input.key, ratatui_textarea::Key::Char('m' | 'j')));
        let clears = input.ctrl && matches!(input.key, ratatui_textarea::Key::Char('u'));
        if clears {
            // Like a shell, rather than the widget's undo.
            self.area.delete_line_by_head();
        } else if !breaks {
            self.area.input(input);
            if self.area.lines().len() > 1 {
                *self = Self::new(&self.area.lines().concat());
            }
        }
    }

    /// Inserts a text; its line breaks become spaces.
    pub fn paste(&mut self, text: &str) {
        if self.is_proposed {
            *self = Self::default();
        }
        let line: String = text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.area.insert_str(line);
    }

    /// Returns the text before the cursor and the text after it.
    #[must_use]
    pub fn halves(&self) -> (&str, &str) {
        let text = self.text();
        let at = text.char_indices().nth(self.area.cursor().1).map_or(text.len(), |(at, _)| at);
        text.split_at(at)
    }

    /// Replaces the text, with the cursor between the two parts.
    pub fn set_halves(&mut self, before: &str, after: &str) {
        *self = Self::new(&format!("{before}{after}"));
        let column = u16::try_from(before.chars().count()).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(0, column));
    }

    /// Returns the widget, for drawing.
    #[must_use]
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }
}

impl Default for Input {
    fn default() -> Self {
        Self::new("")
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let mut input = Input::new("a");
        input.paste("b\nc\u{1b}[31m\n");
        assert_eq!(input.text(), "ab c [31m");
    }

    #[test]
    fn a_proposal_is_replaced_by_what_is_typed_and_edited_after_a_movement() {
        let press = |code| KeyEvent::new(code, KeyModifiers::NONE);
        for (keys, text) in [
            (vec![KeyCode::Char('x'), KeyCode::Char('y')], "xy"),
            (vec![KeyCode::Backspace], ""),
            (vec![KeyCode::Left, KeyCode::Char('x')], "debian:1x3"),
            (vec![KeyCode::End, KeyCode::Backspace], "debian:1"),
        ] {
            let mut input = Input::proposed("debian:13");
            keys.into_iter().for_each(|code| input.key(press(code)));
            assert_eq!(input.text(), text);
        }
        let mut input = Input::proposed("debian:13");
        input.paste("alpine");
        assert_eq!(input.text(), "alpine");
    }

    #[test]
    fn ctrl_u_clears_what_stands_before_the_cursor() {
        let mut input = Input::default();
        input.set_halves("one ", "two");
        input.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(input.text(), "two");
    }
}
