//! What lies over the screen and takes the keys: prompts, questions, menus, forms, pages.

use std::ffi::OsString;
use std::path::PathBuf;

use ratatui_textarea::{CursorMove, Input as KeyInput, TextArea};

use super::look::Picker;
use crate::engine::files::{CopyRequest, Place};
use crate::engine::{ContainerId, Process};
use crate::tui::custom::ask::Ask;
use crate::tui::event::Effect;
use crate::tui::form::model::{Note, RunForm};
use crate::tui::help::model::Help;
use crate::tui::line::candidates::Candidates;
use crate::tui::list::columns::Choice;
use crate::tui::palette::model::Palette;
use crate::tui::removal::model::Question;
use crate::tui::tasks::model::TaskId;
use crate::tui::words::wrap;

/// One thing over the screen.
#[derive(Debug)]
pub enum Layer {
    /// A line to type.
    Prompt(Box<Prompt>),
    /// Yes or no, and no is the default.
    Confirm(Confirm),
    /// What is to be removed, and where to.
    Removal(Box<Question>),
    /// One of several.
    Menu(Menu),
    /// A container whose log is shown with the others.
    Merge(Menu),
    /// Which columns are shown.
    Columns(Choice),
    /// What to run.
    Run(Box<RunForm>),
    /// What can be run again under a name.
    Presets(Presets),
    /// Everything that can be done, to be searched.
    Palette(Box<Palette>),
    /// How a task goes on.
    Progress(Watch),
    /// What a task said.
    Output(Reading),
    /// Text to read.
    Page(Page),
    /// The keys of a place, to be searched.
    Help(Box<Help>),
    /// A choice of themes.
    Themes(Box<Picker>),
    /// A line that a command of the user's waits for.
    Ask(Box<Ask>),
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
        let clears = input.ctrl && matches!(input.key, ratatui_textarea::Key::Char('u'));
        if clears {
            // As a shell does it, not the widget's undo.
            self.area.delete_line_by_head();
        } else if !breaks {
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

    /// What stands before the cursor, and what behind it.
    #[must_use]
    pub fn halves(&self) -> (&str, &str) {
        let text = self.text();
        let at = text.char_indices().nth(self.area.cursor().1).map_or(text.len(), |(at, _)| at);
        text.split_at(at)
    }

    /// Begins again with the cursor between the two.
    pub fn set_halves(&mut self, before: &str, after: &str) {
        *self = Self::new(&format!("{before}{after}"));
        let column = u16::try_from(before.chars().count()).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(0, column));
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
    /// What was typed before the history was looked at.
    pub begun: String,
    /// What the word at the cursor could become.
    pub candidates: Candidates,
    /// A folder and the names in it, each with whether it is a folder.
    pub folder: Option<(String, Vec<(String, bool)>)>,
    /// What there is to say about what is typed.
    pub note: Option<Note>,
}

/// What a typed line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Purpose {
    Filter,
    Search,
    Command,
    /// The words of the run form below.
    RunWords,
    /// A name for what the run form below makes.
    Preset,
    Pull,
    Load,
    Import,
    Tag(String),
    Rename(ContainerId),
    RestoreAs(String),
    Exec(ContainerId),
    LogFilter,
    LogSince,
    LogSave,
    TopFilter,
    SaveCsv,
    /// Filters the files that are shown.
    FileFilter,
    MakeFolder(Place, PathBuf),
    RenameFile(Place, PathBuf, OsString),
    ExtractTo(Box<CopyRequest>),
}

impl Purpose {
    /// What stands before the line.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Search => "search",
            Self::Command => "command",
            Self::RunWords => "run, as text",
            Self::Preset => "save as a preset",
            Self::Pull => "pull an image",
            Self::Load => "load an archive",
            Self::Import => "import a root file system",
            Self::Tag(_) => "tag",
            Self::Rename(_) => "rename",
            Self::RestoreAs(_) => "restore under a new name",
            Self::Exec(_) => "run in the container",
            Self::LogFilter => "lines",
            Self::LogSince => "show the log since",
            Self::LogSave => "save the log to a file",
            Self::TopFilter => "filter",
            Self::SaveCsv => "save as CSV",
            Self::FileFilter => "filter",
            Self::MakeFolder(..) => "make a folder",
            Self::RenameFile(..) => "rename",
            Self::ExtractTo(_) => "copy to this machine",
        }
    }

    /// What to type.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Filter => {
                "words · !not · ~fuzzy · re:regex · status: label: image: name: id: network: project:"
            }
            Self::Search => "re:regex · capitals count only when there are some · n next · N previous",
            Self::Command => "as on the command line: run -it debian bash · pull · rm · tag · help",
            Self::RunWords => "↵ puts it into the fields",
            Self::Preset => "a name to find it by",
            Self::Pull => "name, name:tag or name@digest: alpine:3, ghcr.io/owner/app",
            Self::Load => "path of a .tar, .tar.gz or .tar.zst as `save` writes it",
            Self::Import => "path of a tar, then the name of the image",
            Self::Tag(_) => "the image's further name: name:tag",
            Self::Rename(_) => "letters, digits, _ . and -",
            Self::RestoreAs(_) => "the name it is to have: web, or name:tag for an image",
            Self::Exec(_) => "program and words: env, ls -l /etc",
            Self::LogFilter => "only lines with this · !hides · re:regex · a & !b",
            Self::LogSince => "90s · 10m · 2h · 3d · 14:02 · 2026-11-22 14:02",
            Self::LogSave => "path; the lines shown by the filter · all:path saves every line",
            Self::TopFilter => "words of the command, a user, a number · !word must not be there",
            Self::SaveCsv => "path of a new file",
            Self::FileFilter => "words that must be in the name · !word must not",
            Self::MakeFolder(..) | Self::RenameFile(..) => "a name without /",
            Self::ExtractTo(_) => "a folder that is there",
        }
    }

    /// Whether the line stands at the bottom, where it hides nothing.
    #[must_use]
    pub fn is_line(&self) -> bool {
        matches!(
            self,
            Self::Filter
                | Self::Search
                | Self::Command
                | Self::LogFilter
                | Self::TopFilter
                | Self::FileFilter
        )
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
    /// Its columns within the border on a screen of this width.
    #[must_use]
    pub fn width(width: u16) -> usize {
        usize::from(width.min(64).saturating_sub(4)).max(1)
    }

    /// What it means, in lines that fit.
    #[must_use]
    pub fn told(&self, width: u16) -> Vec<String> {
        self.notes.iter().flat_map(|note| wrap(note, Self::width(width), 0)).collect()
    }

    /// How many items are shown at once on a screen of this size: where not all fit, a line
    /// says so. The notes and the answers are never cut off.
    #[must_use]
    pub fn rows(&self, (width, height): (u16, u16)) -> usize {
        let others = self.told(width).len() + if Self::is_low(height) { 3 } else { 6 };
        let room = usize::from(height).saturating_sub(others);
        let room = if self.items.len() > room { room.saturating_sub(1) } else { room };
        room.max(1)
    }

    /// Whether there is no room for empty lines.
    #[must_use]
    pub fn is_low(height: u16) -> bool {
        height < 16
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
    /// Which process of the container, where it is for one.
    pub process: Option<Process>,
}

/// A choice of the commands saved by name.
#[derive(Debug)]
pub struct Presets {
    /// Where the cursor is.
    pub cursor: usize,
    /// What they are called.
    pub names: Vec<String>,
}

/// A task whose progress is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Which.
    pub id: TaskId,
    /// The image it makes is run then.
    pub runs: bool,
}

/// A task whose words are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which.
    pub id: TaskId,
    /// The line at the top; `None` follows the end.
    pub top: Option<usize>,
    /// Columns scrolled away.
    pub left: usize,
}

/// Text to read.
#[derive(Debug)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// The line at the top.
    pub top: usize,
    /// What it says.
    lines: Vec<String>,
    /// The same in lines of so many columns.
    fitted: (usize, Vec<String>),
}

impl Page {
    /// A page that says this.
    #[must_use]
    pub fn new(title: String, lines: Vec<String>) -> Self {
        Self { title, top: 0, lines, fitted: (0, Vec::new()) }
    }

    /// The columns of a page's text, and the most rows, on a screen of this size.
    #[must_use]
    pub fn room((width, height): (u16, u16)) -> (usize, usize) {
        let width = if width < 60 { width } else { (width - 4).min(96) };
        (usize::from(width.saturating_sub(4)).max(1), usize::from(height.saturating_sub(4)).max(1))
    }

    /// Breaks its lines for a screen of this size.
    pub fn fit(&mut self, size: (u16, u16)) {
        let (width, rows) = Self::room(size);
        if self.fitted.0 != width {
            let lines = self.lines.iter().flat_map(|line| {
                let indent = line.len() - line.trim_start().len();
                wrap(line, width, if indent < width / 2 { indent } else { 0 })
            });
            self.fitted = (width, lines.collect());
        }
        self.top = self.top.min(self.rows().len().saturating_sub(rows));
    }

    /// Its lines as they are shown.
    #[must_use]
    pub fn rows(&self) -> &[String] {
        &self.fitted.1
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
    fn ctrl_u_clears_what_stands_before_the_cursor() {
        let mut input = Input::default();
        input.set_halves("one ", "two");
        input.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(input.text(), "two");
    }
}
