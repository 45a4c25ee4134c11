//! A document shown as a tree, YAML, JSON, or the command that creates the object.

use std::collections::HashMap;
use std::mem::{self, Discriminant};

use serde_json::Value;

use crate::command::join;
use crate::tui::failure::Failure;
use crate::tui::inspect::yaml;
use crate::tui::logs::model::{contains, place_of};
use crate::tui::model::scroll::into_view;
use crate::tui::navigator::tree::Tree;
use crate::tui::section::Subject;
use crate::tui::words::wrap;

/// Everything known about an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The document, as `inspect` prints it.
    pub value: Value,
    /// The arguments of the command that creates an equal object, without the program name.
    pub command: Option<Vec<String>>,
}

/// How a document is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Form {
    #[default]
    Tree,
    Yaml,
    Json,
    Command,
}

impl Form {
    /// All forms, in the order in which the key selects them.
    pub const ALL: [Self; 4] = [Self::Tree, Self::Yaml, Self::Json, Self::Command];

    /// Returns the name for the border.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Command => "run command",
        }
    }
}

/// A document in a pane.
#[derive(Debug, Default)]
pub struct InspectPane {
    of: Option<(Subject, u64)>,
    /// The forms of the other kinds of subjects.
    forms: HashMap<Discriminant<Subject>, Form>,
    /// The serial number of the document. Answers with another one are outdated.
    pub serial: u64,
    /// The document; `None` until it is loaded.
    pub document: Option<Document>,
    /// The form in which it is shown.
    pub form: Form,
    /// The tree.
    pub tree: Tree,
    /// The lines of the other forms.
    pub lines: Vec<String>,
    /// The line of the tree under the cursor.
    pub cursor: usize,
    /// The first visible line.
    pub top: usize,
    /// The columns scrolled to the right.
    pub left: usize,
    /// The search text.
    pub search: String,
    /// The line of the last match in a text form.
    pub hit: Option<usize>,
    /// The rows of the window.
    pub height: usize,
    /// The columns of the window.
    width: usize,
    /// Why it could not be read.
    pub failure: Option<Failure>,
}

impl InspectPane {
    /// Creates a pane whose serial numbers continue from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows `subject` at a version. The old document of the same subject stays until the new one
    /// is loaded.
    pub fn show(&mut self, subject: Option<(Subject, u64)>) {
        if self.of == subject {
            return;
        }
        let kind = |of: &Option<(Subject, u64)>| of.as_ref().map(|(of, _)| mem::discriminant(of));
        if self.of.as_ref().map(|(of, _)| of) != subject.as_ref().map(|(of, _)| of) {
            let Self { serial, height, width, mut form, .. } = *self;
            let mut forms = mem::take(&mut self.forms);
            forms.extend(kind(&self.of).map(|kind| (kind, form)));
            if let Some(kind) = kind(&subject) {
                form = forms.get(&kind).copied().unwrap_or_default();
            }
            *self = Self { serial, height, width, form, forms, ..Self::default() };
        }
        self.of = subject;
        self.serial += 1;
    }

    /// Stores a document, and keeps the previous one's folds.
    pub fn take(&mut self, document: Document) {
        let mut tree = Tree::new(&document.value);
        if self.document.is_some() {
            tree.keep_folds(&self.tree);
        }
        (self.tree, self.document, self.failure) = (tree, Some(document), None);
        self.write();
    }

    /// Switches to the next form, without the command if there is none.
    pub fn turn(&mut self) {
        let has_command = self.document.as_ref().is_some_and(|document| document.command.is_some());
        let at = Form::ALL.iter().position(|form| *form == self.form).unwrap_or(0);
        let next = Form::ALL[(at + 1) % Form::ALL.len()];
        self.form = if next == Form::Command && !has_command { Form::Tree } else { next };
        (self.top, self.left, self.hit) = (0, 0, None);
        self.write();
    }

    fn write(&mut self) {
        let text = self.text(self.form);
        self.lines = match self.form {
            Form::Tree => Vec::new(),
            // Its words can be long, and nothing is lined up that wrapping would tear apart.
            Form::Command => text.lines().flat_map(|line| wrap(line, self.width.max(20), 8)).collect(),
            Form::Yaml | Form::Json => text.lines().map(str::to_owned).collect(),
        };
        self.clamp(self.height);
    }

    /// Returns the whole document in a form; the tree becomes JSON.
    #[must_use]
    pub fn text(&self, form: Form) -> String {
        let Some(document) = &self.document else { return String::new() };
        match (form, &document.command) {
            (Form::Yaml, _) => yaml::lines(&document.value).join("\n") + "\n",
            (Form::Command, Some(words)) => {
                let image = document.value.pointer("/Config/Image").and_then(Value::as_str);
                command(words, image.unwrap_or_default())
            }
            _ => {
                let text = serde_json::to_string_pretty(&document.value).unwrap_or_default();
                crate::base::text::json(&text).into_owned() + "\n"
            }
        }
    }

    /// Moves the cursor in a tree, or scrolls a text.
    pub fn scroll(&mut self, by: i64) {
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        match self.form {
            Form::Tree => self.cursor = self.cursor.saturating_add_signed(by),
            _ => self.top = self.top.saturating_add_signed(by),
        }
        self.clamp(self.height);
    }

    /// Folds or unfolds the branch under the cursor.
    pub fn fold(&mut self, is_folded: bool) {
        if self.form == Form::Tree {
            self.cursor = if is_folded { self.tree.fold(self.cursor) } else { self.tree.unfold(self.cursor) };
            self.clamp(self.height);
        }
    }

    /// Whether the line under the cursor is a branch with something in it.
    #[must_use]
    pub fn can_unfold(&self) -> bool {
        self.document.is_none() || self.tree.has_children(self.cursor)
    }

    /// Toggles the fold under the cursor.
    pub fn turn_fold(&mut self) {
        self.cursor = self.tree.turn(self.cursor);
        self.clamp(self.height);
    }

    /// Folds or unfolds every branch.
    pub fn fold_all(&mut self, is_folded: bool) {
        if self.form == Form::Tree {
            self.cursor = self.tree.set_all(is_folded, self.cursor);
            self.clamp(self.height);
        }
    }

    /// Returns the path of the value under the cursor.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        (self.form == Form::Tree).then(|| self.tree.path_at(self.cursor)).filter(|path| !path.is_empty())
    }

    /// Returns the value under the cursor as text, or the whole document in the other forms.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        let document = self.document.as_ref()?;
        if self.form != Form::Tree {
            return Some(self.text(self.form));
        }
        match self.tree.value_at(&document.value, self.cursor)? {
            Value::String(text) => Some(text.clone()),
            branch @ (Value::Object(_) | Value::Array(_)) => serde_json::to_string_pretty(branch).ok(),
            scalar => Some(scalar.to_string()),
        }
    }

    /// Goes to the next match up or down, wrapping around. Returns whether there is one.
    pub fn next_match(&mut self, up: bool) -> bool {
        if self.form == Form::Tree {
            let needle = self.search.clone();
            let at = self.hit.map(|_| self.cursor);
            let found = self.tree.find(&needle, at, up).or_else(|| self.tree.find(&needle, None, up));
            if let Some(line) = found {
                (self.cursor, self.hit) = (line, Some(line));
            }
            self.clamp(self.height);
            return found.is_some();
        }
        let fits =
            |at: &usize| self.lines.get(*at).is_some_and(|line| contains(line.as_bytes(), &self.search));
        let count = self.lines.len();
        let found = match (self.hit, up) {
            (Some(hit), true) => (0..hit).rev().chain((hit..count).rev()).find(fits),
            (Some(hit), false) => (hit + 1..count).chain(0..=hit).find(fits),
            (None, true) => (0..count).rev().find(fits),
            (None, false) => (self.top..count).chain(0..self.top).find(fits),
        };
        if let Some(hit) = found {
            self.hit = Some(hit);
            if hit < self.top || hit >= self.top + self.height {
                self.top = hit.saturating_sub(self.height / 2);
            }
        }
        found.is_some()
    }

    /// Moves the cursor to line `line` of the window.
    pub fn point(&mut self, line: usize) {
        if self.form == Form::Tree && self.top + line < self.tree.shown() {
            self.cursor = self.top + line;
        }
    }

    /// Adapts to a window of this many columns and rows. Lines that are wrapped anew keep what was at
    /// the top and what was found.
    pub fn fit(&mut self, width: usize, height: usize) {
        self.height = height;
        if std::mem::replace(&mut self.width, width) != width && self.form == Form::Command {
            let top = spot(&self.lines, self.top, 0);
            let found = |hit: usize| place_of(self.lines.get(hit)?.as_bytes(), &self.search);
            let hit = self.hit.map(|hit| spot(&self.lines, hit, found(hit).unwrap_or(0)));
            self.write();
            self.top = row_at(&self.lines, top);
            self.hit = hit.map(|hit| row_at(&self.lines, hit));
        }
        self.clamp(height);
    }

    /// Clamps the cursor to the lines, and keeps it in the window.
    pub fn clamp(&mut self, height: usize) {
        self.height = height;
        match self.form {
            Form::Tree => {
                let lines = self.tree.shown();
                self.cursor = self.cursor.min(lines.saturating_sub(1));
                self.top = into_view(self.top, self.cursor, height, lines);
            }
            _ => self.top = self.top.min(self.lines.len().saturating_sub(height)),
        }
    }
}

/// Returns the place of byte `at` of row `row`, as the number of characters before it that are not
/// blank. Wrapping does not change it.
fn spot(rows: &[String], row: usize, at: usize) -> usize {
    let before: usize = rows.iter().take(row).map(|row| solid(row)).sum();
    before + rows.get(row).and_then(|row| row.get(..at)).map_or(0, solid)
}

/// Returns the row with the place `spot`.
fn row_at(rows: &[String], spot: usize) -> usize {
    let ends = rows.iter().scan(0, |end, row| {
        *end += solid(row);
        Some(*end)
    });
    let before = ends.take_while(|end| *end <= spot).count();
    before.min(rows.len().saturating_sub(1))
}

/// Returns the number of characters that are not blank.
fn solid(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Returns the command for a shell: one option per line, and the image with its arguments on the
/// last.
fn command(words: &[String], image: &str) -> String {
    let at = words.iter().position(|word| word == image).unwrap_or(words.len());
    let mut lines: Vec<Vec<String>> = vec![vec!["hoist".to_owned()]];
    for (place, word) in words.iter().enumerate().take(at.saturating_add(1)) {
        let breaks = place == at || (word.starts_with('-') && place > 1);
        match lines.last_mut().filter(|_| !breaks) {
            Some(line) => line.push(word.clone()),
            None => lines.push(vec![word.clone()]),
        }
    }
    if let Some(line) = lines.last_mut() {
        line.extend(words.iter().skip(at.saturating_add(1)).cloned());
    }
    let lines: Vec<String> = lines.iter().map(|words| join(words)).collect();
    lines.join(" \\\n    ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pane() -> InspectPane {
        let mut pane = InspectPane::default();
        pane.clamp(4);
        pane.take(Document {
            value: json!({"Id": "ab", "State": {"Status": "running", "Pid": 7}, "Args": ["a", "b\u{9b}"], "Config": {"Image": "debian"}}),
            command: Some(["run", "-d", "-e", "A=b c", "debian", "sh"].map(str::to_owned).to_vec()),
        });
        pane
    }

    #[test]
    fn the_key_goes_through_the_forms_and_leaves_a_missing_one_out() {
        let mut pane = pane();
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(pane.form.label());
            pane.turn();
        }
        assert_eq!(seen, ["tree", "yaml", "json", "run command", "tree"]);
        pane.take(Document { value: json!({}), command: None });
        pane.form = Form::Json;
        pane.turn();
        assert_eq!(pane.form, Form::Tree);
    }

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        insta::assert_snapshot!(pane().text(Form::Command), @r"
        hoist run -d \
            -e 'A=b c' \
            debian sh
        ");
    }

    #[test]
    fn the_command_is_wrapped_to_the_window_but_not_where_it_is_copied() {
        let mut pane = pane();
        let words = ["run", "-d", "-e", "A=one two three four five six", "debian"].map(str::to_owned);
        pane.take(Document { command: Some(words.to_vec()), ..pane.document.clone().unwrap() });
        pane.form = Form::Command;
        pane.fit(24, 9);
        let wrapped =
            ["hoist run -d \\", "    -e 'A=one two three", "        four five six' \\", "    debian"];
        assert_eq!(pane.lines, wrapped);
        pane.fit(60, 9);
        assert_eq!(pane.lines.len(), 3);
        pane.fit(24, 9);
        assert!(pane.value().unwrap().contains("    -e 'A=one two three four five six' \\\n"));
    }

    #[test]
    fn the_top_and_the_match_stay_when_the_command_is_wrapped_anew() {
        let mut pane = pane();
        let mut words = vec!["run".to_owned()];
        words.extend((0..30).map(|at| format!("--label=text=one{at} two{at} three{at} four{at} five{at}")));
        words.push("debian".to_owned());
        pane.take(Document { command: Some(words), ..pane.document.clone().unwrap() });
        pane.form = Form::Command;
        pane.fit(200, 5);
        "four17".clone_into(&mut pane.search);
        assert!(pane.next_match(false));
        pane.top = 10;
        for width in [30, 24, 60, 200, 41, 200] {
            pane.fit(width, 5);
            let hit = &pane.lines[pane.hit.unwrap()];
            assert!(hit.contains("four17"), "{width}: {hit}");
            assert!(pane.lines[pane.top].contains("one10"), "{width}: {}", pane.lines[pane.top]);
        }
        assert_eq!(pane.top, 10);
    }

    #[test]
    fn a_value_and_its_path_are_copied() {
        let mut pane = pane();
        pane.scroll(2);
        assert_eq!(
            (pane.path(), pane.value()),
            (Some(".State.Status".to_owned()), Some("running".to_owned()))
        );
        pane.scroll(1);
        assert_eq!(pane.value().unwrap(), "7");
        pane.fold(true);
        assert_eq!(pane.path().unwrap(), ".State");
        assert_eq!(pane.value().unwrap(), "{\n  \"Status\": \"running\",\n  \"Pid\": 7\n}");
        pane.turn();
        assert_eq!(pane.path(), None);
        assert!(pane.value().unwrap().starts_with("Id: ab\n"));
    }

    #[test]
    fn no_control_byte_is_in_any_form() {
        let pane = pane();
        for form in Form::ALL {
            assert!(!pane.text(form).contains(|c: char| c.is_control() && c != '\n'), "{form:?}");
        }
    }

    #[test]
    fn a_search_goes_round_the_end_in_every_form() {
        let mut pane = pane();
        for _ in 0..4 {
            "pid".clone_into(&mut pane.search);
            let wanted = pane.form != Form::Command;
            assert_eq!((pane.next_match(false), pane.next_match(false)), (wanted, wanted), "{:?}", pane.form);
            pane.turn();
        }
    }

    #[test]
    fn the_cursor_stays_in_the_window() {
        let mut pane = pane();
        pane.scroll(100);
        assert_eq!((pane.cursor, pane.top), (8, 5));
        pane.fold_all(true);
        assert_eq!((pane.cursor, pane.top), (3, 0));
        pane.point(1);
        assert_eq!(pane.path().unwrap(), ".State");
    }

    #[test]
    fn another_subject_begins_anew_in_the_form_of_its_kind() {
        let mut pane = pane();
        pane.show(Some((Subject::Image("b".to_owned()), 0)));
        pane.turn();
        pane.show(Some((Subject::Network("n".to_owned()), 0)));
        assert_eq!(pane.form, Form::Tree);
        pane.show(None);
        pane.show(Some((Subject::Image("a".to_owned()), 0)));
        assert!(pane.document.is_none() && pane.form == Form::Yaml);
        let serial = pane.serial;
        pane.take(Document { value: json!({"A": 1}), command: None });
        pane.show(Some((Subject::Image("a".to_owned()), 1)));
        assert!(pane.document.is_some() && pane.serial > serial);
    }
}
