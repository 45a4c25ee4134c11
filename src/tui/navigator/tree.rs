//! A document as a tree with branches that can be folded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::tui::logs::model::contains;

/// The maximum number of nodes, because the author of an image determines the size of its
/// configuration.
const MOST: usize = 50_000;

/// The maximum depth; deeper values are shown as a single text.
const DEEPEST: u16 = 60;

/// The maximum number of fields of a top-level object that is initially unfolded.
const OPEN: usize = 14;

/// A line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The number of branches above it.
    pub depth: u16,
    /// The name of the field, or the index in a list.
    pub key: String,
    /// The width of the longest key among its siblings.
    pub width: u16,
    /// The content.
    pub content: Content,
    parent: Option<usize>,
    /// The index after its last descendant.
    end: usize,
    /// Whether its children are hidden.
    pub is_folded: bool,
}

/// The content of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The number of fields and, in a list, a short description.
    Object(usize, String),
    /// The number of entries.
    List(usize),
    /// A value as in JSON, but without the quotes of a string; and the time, if it is one.
    Value(String, Option<Timestamp>),
}

/// A document as a tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The nodes whose parents are all unfolded.
    shown: Vec<usize>,
}

impl Tree {
    /// Returns the tree of `value`. Small objects at the top are unfolded.
    #[must_use]
    pub fn new(value: &Value) -> Self {
        let mut nodes = Vec::new();
        match value {
            Value::Object(_) | Value::Array(_) => children(&mut nodes, value, None, 0),
            scalar => nodes.push(node(String::new(), scalar, None, 0, 0)),
        }
        let mut tree = Self { nodes, shown: Vec::new() };
        for node in &mut tree.nodes {
            node.is_folded = match node.content {
                Content::Object(count, _) | Content::List(count) => node.depth > 0 || count > OPEN,
                Content::Value(..) => false,
            };
        }
        tree.arrange();
        tree
    }

    /// Folds and unfolds nodes as in `before`, if they still exist.
    pub fn keep_folds(&mut self, before: &Self) {
        let open: BTreeSet<String> = (0..before.nodes.len())
            .filter(|at| before.nodes[*at].is_branch() && !before.nodes[*at].is_folded)
            .map(|at| before.path(at))
            .collect();
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_branch() {
                self.nodes[at].is_folded = !open.contains(&self.path(at));
            }
        }
        self.arrange();
    }

    fn arrange(&mut self) {
        self.shown.clear();
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            self.shown.push(at);
            at = if node.is_folded { node.end } else { at + 1 };
        }
    }

    /// Returns the number of visible lines.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the node on a line.
    #[must_use]
    pub fn line(&self, line: usize) -> Option<&Node> {
        self.shown.get(line).map(|at| &self.nodes[*at])
    }

    /// Returns the path of the node on a line: `.State.Health.Log[2].Output`.
    #[must_use]
    pub fn path_at(&self, line: usize) -> String {
        self.shown.get(line).map_or_else(String::new, |at| self.path(*at))
    }

    fn path(&self, at: usize) -> String {
        let mut names = Vec::new();
        let mut next = Some(at);
        while let Some(node) = next.map(|at| &self.nodes[at]) {
            let is_in_list = match node.parent {
                Some(parent) => matches!(self.nodes[parent].content, Content::List(_)),
                None => node.key.bytes().all(|byte| byte.is_ascii_digit()),
            };
            let is_plain = !node.key.is_empty()
                && node.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            names.push(match () {
                () if is_in_list => format!("[{}]", node.key),
                () if is_plain => format!(".{}", node.key),
                () => format!("[{}]", Value::from(node.key.as_str())),
            });
            next = node.parent;
        }
        names.into_iter().rev().collect()
    }

    /// Returns the value in `document` for the node on a line.
    #[must_use]
    pub fn value_at<'a>(&self, document: &'a Value, line: usize) -> Option<&'a Value> {
        let mut chain = Vec::new();
        let mut next = Some(*self.shown.get(line)?);
        while let Some(at) = next {
            chain.push(at);
            next = self.nodes[at].parent;
        }
        chain.into_iter().rev().try_fold(document, |value, at| match value {
            Value::Object(fields) => fields.get(&self.nodes[at].key),
            Value::Array(entries) => entries.get(self.nodes[at].key.parse::<usize>().ok()?),
            scalar => Some(scalar),
        })
    }

    /// Folds the branch on a line or, if there is none, its parent. Returns the new line of the
    /// cursor.
    pub fn fold(&mut self, line: usize) -> usize {
        let Some(&at) = self.shown.get(line) else { return line };
        let at = match self.nodes[at].parent {
            Some(parent) if !self.nodes[at].is_branch() || self.nodes[at].is_folded => parent,
            _ => at,
        };
        self.nodes[at].is_folded = self.nodes[at].is_branch();
        self.arrange();
        self.line_of(at)
    }

    /// Unfolds the branch on a line; if it is unfolded, goes to its first child. Returns the new
    /// line of the cursor.
    pub fn unfold(&mut self, line: usize) -> usize {
        if !self.has_children(line) {
            return line;
        }
        let node = &mut self.nodes[self.shown[line]];
        if !std::mem::replace(&mut node.is_folded, false) {
            return line + 1;
        }
        self.arrange();
        line
    }

    /// Whether the line is a branch with something in it.
    #[must_use]
    pub fn has_children(&self, line: usize) -> bool {
        self.shown.get(line).is_some_and(|at| self.nodes[*at].is_branch() && self.nodes[*at].end > at + 1)
    }

    /// Toggles the branch on a line. Returns the new line of the cursor.
    pub fn turn(&mut self, line: usize) -> usize {
        match self.line(line) {
            Some(node) if node.is_branch() && !node.is_folded => self.fold(line),
            _ => self.unfold(line),
        }
    }

    /// Folds or unfolds everything. Returns the new line of the cursor.
    pub fn set_all(&mut self, is_folded: bool, line: usize) -> usize {
        let at = self.shown.get(line).copied();
        for node in &mut self.nodes {
            node.is_folded = is_folded && node.is_branch();
        }
        self.arrange();
        at.map_or(0, |at| self.line_of(at))
    }

    /// Returns the line of the next or previous node that contains `needle` in its key or value,
    /// starting from a line. Branches around it are unfolded.
    pub fn find(&mut self, needle: &str, line: Option<usize>, up: bool) -> Option<usize> {
        let from = line.and_then(|line| self.shown.get(line).copied());
        let fits = |at: &usize| self.nodes[*at].has(needle);
        let found = match (from, up) {
            (Some(from), true) => (0..from).rev().find(fits),
            (Some(from), false) => (from + 1..self.nodes.len()).find(fits),
            (None, true) => (0..self.nodes.len()).rev().find(fits),
            (None, false) => (0..self.nodes.len()).find(fits),
        }?;
        let mut above = self.nodes[found].parent;
        while let Some(parent) = above {
            self.nodes[parent].is_folded = false;
            above = self.nodes[parent].parent;
        }
        self.arrange();
        Some(self.line_of(found))
    }

    /// Returns the line of a node, or of the folded branch that contains it.
    fn line_of(&self, at: usize) -> usize {
        self.shown.partition_point(|shown| *shown <= at).saturating_sub(1)
    }
}

impl Node {
    /// Whether it is an object or a list.
    #[must_use]
    pub fn is_branch(&self) -> bool {
        !matches!(self.content, Content::Value(..))
    }

    /// Whether `needle` is in its key or its value.
    #[must_use]
    pub fn has(&self, needle: &str) -> bool {
        let value = match &self.content {
            Content::Value(text, _) => contains(text.as_bytes(), needle),
            _ => false,
        };
        value || contains(self.key.as_bytes(), needle)
    }
}

fn children(nodes: &mut Vec<Node>, value: &Value, parent: Option<usize>, depth: u16) {
    let fields: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(entries) => {
            entries.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => return,
    };
    let longest = fields.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let width = u16::try_from(longest.min(24)).unwrap_or(24);
    let count = fields.len();
    for (done, (key, value)) in fields.into_iter().enumerate() {
        if nodes.len() >= MOST {
            let text = format!("{} more in the other formats", count - done);
            nodes.push(node("…".to_owned(), &Value::from(text), parent, depth, width));
            break;
        }
        let at = nodes.len();
        nodes.push(node(key, value, parent, depth, width));
        if nodes[at].is_branch() {
            children(nodes, value, Some(at), depth + 1);
        }
        nodes[at].end = nodes.len();
    }
}

fn node(key: String, value: &Value, parent: Option<usize>, depth: u16, width: u16) -> Node {
    let is_in_list = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    let content = match value {
        Value::Object(fields) if depth < DEEPEST => {
            Content::Object(fields.len(), if is_in_list { about(fields) } else { String::new() })
        }
        Value::Array(entries) if depth < DEEPEST => Content::List(entries.len()),
        Value::String(text) => Content::Value(text.clone(), moment(text)),
        other => Content::Value(other.to_string(), None),
    };
    Node { depth, key, width, content, parent, end: usize::MAX, is_folded: false }
}

/// Describes an object by its first values, to distinguish it from its siblings.
fn about(fields: &serde_json::Map<String, Value>) -> String {
    let word = |(key, value): (&String, &Value)| match value {
        Value::String(text) if !text.is_empty() => Some(text.chars().take(40).collect::<String>()),
        Value::Number(number) => Some(format!("{key} {number}")),
        _ => None,
    };
    fields.iter().filter_map(word).take(3).collect::<Vec<_>>().join("  ")
}

/// Parses a time such as `2026-11-22T13:21:04Z`. The year 1 means that there is none.
fn moment(text: &str) -> Option<Timestamp> {
    let may_be = (20..=40).contains(&text.len()) && text.as_bytes()[10] == b'T' && !text.starts_with("0001");
    if may_be { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "Id": "ab12",
            "State": {
                "Status": "running",
                "StartedAt": "2026-11-22T13:21:04Z",
                "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 0}, {"ExitCode": 1, "Output": "curl: (28)"}]},
            },
            "Labels": {"com.example/a b": "x"},
            "Mounts": [],
        })
    }

    fn lines(tree: &Tree) -> Vec<String> {
        let line = |at| {
            let node: &Node = tree.line(at).unwrap();
            let sign = match (node.is_branch(), node.is_folded) {
                (true, true) => "+",
                (true, false) => "-",
                _ => "",
            };
            format!("{}{sign}{}", " ".repeat(node.depth.into()), node.key)
        };
        (0..tree.shown()).map(line).collect()
    }

    #[test]
    fn what_is_small_and_at_the_top_is_open_at_first() {
        let tree = Tree::new(&document());
        assert_eq!(
            lines(&tree),
            ["Id", "-State", " Status", " StartedAt", " +Health", "-Labels", " com.example/a b", "-Mounts"]
        );
    }

    #[test]
    fn folding_goes_to_the_parent_and_unfolding_to_the_first_child() {
        let mut tree = Tree::new(&document());
        assert_eq!(tree.fold(2), 1);
        assert_eq!(lines(&tree), ["Id", "+State", "-Labels", " com.example/a b", "-Mounts"]);
        assert_eq!(tree.unfold(1), 1);
        assert_eq!(tree.unfold(1), 2);
        assert_eq!(tree.unfold(0), 0);
        assert_eq!(tree.set_all(true, 3), 1);
        assert_eq!(lines(&tree), ["Id", "+State", "+Labels", "+Mounts"]);
        tree.set_all(false, 0);
        assert_eq!(tree.shown(), tree.len());
    }

    #[test]
    fn a_path_leads_to_its_value() {
        let document = document();
        let mut tree = Tree::new(&document);
        tree.set_all(false, 0);
        let paths: Vec<String> = (0..tree.shown()).map(|line| tree.path_at(line)).collect();
        assert!(paths.contains(&".State.Health.Log[1].Output".to_owned()), "{paths:?}");
        assert!(paths.contains(&".Labels[\"com.example/a b\"]".to_owned()), "{paths:?}");
        let line = paths.iter().position(|path| path == ".State.Health.Log[1].Output").unwrap();
        assert_eq!(tree.value_at(&document, line), Some(&json!("curl: (28)")));
        assert_eq!(tree.value_at(&document, 999), None);
    }

    #[test]
    fn a_search_unfolds_what_hides_its_match() {
        let mut tree = Tree::new(&document());
        let line = tree.find("curl", None, false).unwrap();
        assert_eq!(tree.path_at(line), ".State.Health.Log[1].Output");
        let line = tree.find("status", Some(line), true).unwrap();
        assert_eq!(tree.path_at(line), ".State.Health.Status");
        assert_eq!(tree.find("nothing", None, false), None);
    }

    #[test]
    fn folds_stay_when_the_document_changes() {
        let mut tree = Tree::new(&document());
        tree.fold(1);
        let mut changed = document();
        changed["Id"] = json!("cd34");
        let mut next = Tree::new(&changed);
        next.keep_folds(&tree);
        assert_eq!(lines(&next), lines(&tree));
    }

    #[test]
    fn moments_are_known_and_the_first_year_is_none() {
        for (text, is_moment) in [
            ("2026-11-22T13:21:04Z", true),
            ("2026-11-22T13:21:04.123456789+01:00", true),
            ("0001-01-01T00:00:00Z", false),
            ("not a time but long enough", false),
            ("", false),
        ] {
            assert_eq!(moment(text).is_some(), is_moment, "{text}");
        }
    }

    #[test]
    fn a_hostile_document_takes_a_bounded_room() {
        let wide = Value::Array(vec![json!(1); MOST * 2]);
        assert_eq!(Tree::new(&wide).len(), MOST + 1);
        let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
        let tree = Tree::new(&deep);
        assert_eq!(tree.len(), usize::from(DEEPEST) + 1);
        for scalar in [json!(null), json!("x"), json!([]), json!({})] {
            let mut tree = Tree::new(&scalar);
            tree.fold(0);
            tree.unfold(0);
            tree.set_all(true, 0);
            assert!(tree.path_at(9).is_empty());
        }
    }
}
