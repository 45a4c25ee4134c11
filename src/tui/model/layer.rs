//! What lies over the screen and takes the keys: prompts, questions, menus, forms, pages.

use ratatui_textarea::{CursorMove, Input as KeyInput, TextArea};

use super::task::TaskId;
use crate::command::{Usage, join, split};
use crate::engine::ContainerId;
use crate::tui::event::Effect;

/// One thing over the screen.
#[derive(Debug)]
pub enum Layer {
    /// A line to type.
    Prompt(Box<Prompt>),
    /// Yes or no, and no is the default.
    Confirm(Confirm),
    /// One of several.
    Menu(Menu),
    /// What to run.
    Run(Box<RunForm>),
    /// How a task goes on.
    Progress(TaskId),
    /// Text to read.
    Page(Page),
}

/// A line that is typed.
#[derive(Debug, Clone)]
pub struct Input {
    area: TextArea<'static>,
}

impl Input {
    /// Begins with `text`, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![text.lines().next().unwrap_or_default().to_owned()]);
        area.set_cursor_line_style(ratatui::style::Style::default());
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Types a key. Those that would begin a second line do nothing.
    pub fn key(&mut self, event: crossterm::event::KeyEvent) {
        let input = KeyInput::from(event);
        let breaks = matches!(input.key, ratatui_textarea::Key::Enter)
            || (input.ctrl && matches!(input.key, ratatui_textarea::Key::Char('m' | 'j')));
        if !breaks {
            self.area.input(input);
            if self.area.lines().len() > 1 {
                *self = Self::new(&self.area.lines().concat());
            }
        }
    }

    /// Types a text; its line ends become spaces.
    pub fn paste(&mut self, text: &str) {
        let line: String = text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.area.insert_str(line);
    }

    /// For drawing.
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

/// A line to type, and what it is for.
#[derive(Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// The line.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The place in the history, from its end.
    pub back: usize,
}

/// What a typed line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Purpose {
    Filter,
    Search,
    Command,
    Pull,
    Load,
    Import,
    Tag(String),
    Rename(ContainerId),
    Exec(ContainerId),
}

impl Purpose {
    /// What stands before the line.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Search => "search",
            Self::Command => "command",
            Self::Pull => "pull an image",
            Self::Load => "load an archive",
            Self::Import => "import a root file system",
            Self::Tag(_) => "tag",
            Self::Rename(_) => "rename",
            Self::Exec(_) => "run in the container",
        }
    }

    /// What to type.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Filter => {
                "words · !not · ~fuzzy · re:regex · status: label: image: name: id: network: project:"
            }
            Self::Search => "capitals count only when there are some · n next · N previous",
            Self::Command => "as on the command line: run -it debian bash · pull · rm · tag · help",
            Self::Pull => "name, name:tag or name@digest: alpine:3, ghcr.io/owner/app",
            Self::Load => "path of a .tar, .tar.gz or .tar.zst as `save` writes it",
            Self::Import => "path of a tar, then the name of the image",
            Self::Tag(_) => "the image's further name: name:tag",
            Self::Rename(_) => "letters, digits, _ . and -",
            Self::Exec(_) => "program and words: env, ls -l /etc",
        }
    }

    /// Whether the line stands at the bottom, where it hides nothing.
    #[must_use]
    pub fn is_line(&self) -> bool {
        matches!(self, Self::Filter | Self::Search | Self::Command)
    }
}

/// A question.
#[derive(Debug)]
pub struct Confirm {
    /// `Remove 1 container?`
    pub title: String,
    /// What goes, one a line.
    pub items: Vec<String>,
    /// What that means.
    pub notes: Vec<String>,
    /// The word for yes.
    pub yes: &'static str,
    /// What is done then.
    pub effects: Vec<Effect>,
    /// The item at the top, where there are more than fit.
    pub top: usize,
}

impl Confirm {
    /// How many items are shown at once on a screen of this height.
    #[must_use]
    pub fn rows(height: u16) -> usize {
        usize::from(height.saturating_sub(9)).max(1)
    }
}

/// One of several.
#[derive(Debug)]
pub struct Menu {
    /// `Send web a signal`
    pub title: String,
    /// What can be chosen, and what it means.
    pub items: Vec<(String, String)>,
    /// Where the cursor is.
    pub cursor: usize,
    /// Whom the choice is for.
    pub containers: Vec<ContainerId>,
}

/// Text to read.
#[derive(Debug)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// What it shows.
    pub kind: PageKind,
    /// The line at the top.
    pub top: usize,
}

/// What a page shows.
#[derive(Debug)]
pub enum PageKind {
    /// The keys of a place.
    Keys(crate::tui::keymap::Place),
    /// Lines.
    Text(Vec<String>),
}

/// What to run.
#[derive(Debug)]
pub struct RunForm {
    /// Where the cursor is.
    pub field: Field,
    /// What is typed, by [`Text`].
    pub texts: [Input; 4],
    /// What is switched, by [`Switch`].
    pub switches: [bool; 4],
    /// What is wrong, as the grammar sees it.
    pub error: Option<String>,
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Typed.
    Text(Text),
    /// Switched.
    Switch(Switch),
}

/// A field that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Text {
    Image,
    Name,
    Command,
    Flags,
}

/// A field that is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Switch {
    Terminal,
    Remove,
    HostNetwork,
    ReadOnly,
}

impl Field {
    /// From top to bottom.
    pub const ALL: [Self; 8] = [
        Self::Text(Text::Image),
        Self::Text(Text::Name),
        Self::Text(Text::Command),
        Self::Text(Text::Flags),
        Self::Switch(Switch::Terminal),
        Self::Switch(Switch::Remove),
        Self::Switch(Switch::HostNetwork),
        Self::Switch(Switch::ReadOnly),
    ];

    /// The field so many further, round and round.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|field| *field == self).unwrap_or(0);
        let at = at.checked_add_signed(by).unwrap_or(Self::ALL.len() - 1);
        Self::ALL[at % Self::ALL.len()]
    }
}

impl RunForm {
    /// A form for `image`.
    #[must_use]
    pub fn new(image: &str) -> Self {
        let start = if image.is_empty() { Text::Image } else { Text::Name };
        let mut form = Self {
            field: Field::Text(start),
            texts: std::array::from_fn(|_| Input::default()),
            switches: [true, false, false, false],
            error: None,
        };
        form.texts[Text::Image as usize] = Input::new(image);
        form
    }

    /// What is typed in a field.
    #[must_use]
    pub fn text(&self, text: Text) -> &str {
        self.texts[text as usize].text().trim()
    }

    /// Whether a field is switched on.
    #[must_use]
    pub fn is_on(&self, switch: Switch) -> bool {
        self.switches[switch as usize]
    }

    /// The words of the command line that does the same, without the program's name.
    ///
    /// # Errors
    ///
    /// When a quote is not closed.
    pub fn words(&self) -> Result<Vec<String>, Usage> {
        let mut words = vec!["run".to_owned()];
        words.push(if self.is_on(Switch::Terminal) { "-it" } else { "-d" }.to_owned());
        for (switch, flag) in [(Switch::Remove, "--rm"), (Switch::ReadOnly, "--read-only")] {
            if self.is_on(switch) {
                words.push(flag.to_owned());
            }
        }
        if self.is_on(Switch::HostNetwork) {
            words.extend(["--network".to_owned(), "host".to_owned()]);
        }
        if !self.text(Text::Name).is_empty() {
            words.extend(["--name".to_owned(), self.text(Text::Name).to_owned()]);
        }
        words.extend(split(self.text(Text::Flags))?);
        words.push(self.text(Text::Image).to_owned());
        words.extend(split(self.text(Text::Command))?);
        Ok(words)
    }

    /// The same as one line, as far as it can be read.
    #[must_use]
    pub fn line(&self) -> String {
        self.words().map_or_else(|usage| usage.to_string(), |words| format!("hoist {}", join(&words)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_the_command_that_does_the_same() {
        let mut form = RunForm::new("debian:13");
        form.texts[Text::Name as usize] = Input::new("web");
        form.texts[Text::Command as usize] = Input::new("sh -c 'echo hi'");
        form.texts[Text::Flags as usize] = Input::new("-e A=b");
        form.switches[Switch::Remove as usize] = true;
        assert_eq!(form.line(), "hoist run -it --rm --name web -e A=b debian:13 sh -c 'echo hi'");
    }

    #[test]
    fn a_line_stays_one_line() {
        let mut input = Input::new("a");
        input.paste("b\nc\u{1b}[31m\n");
        assert_eq!(input.text(), "ab c [31m");
    }
}
