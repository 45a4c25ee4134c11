//! What the TUI saves between sessions: the user's arrangement, not the state of objects.
//!
//! The file is JSON: `$XDG_STATE_HOME/hoist/tui.json`. Fields are only added, never removed.
//! Missing fields get their default; unknown fields are kept.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::look::Chosen;
use super::window::Node;
use crate::base::disk::state;
use crate::tui::list::columns::Columns;

/// The version of the file format.
const VERSION: u32 = 1;

/// The saved state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Saved {
    /// The version of the file format.
    pub version: u32,
    /// Layouts of panes by name.
    pub layouts: BTreeMap<String, Node<Shown>>,
    /// Arguments of `run`, by the name of the preset.
    pub presets: BTreeMap<String, Vec<String>>,
    /// Lines typed at `:`, most recent last.
    pub history: Vec<String>,
    /// Entries chosen in the palette, most recent last.
    pub recent: Vec<String>,
    /// The columns of the lists.
    pub columns: Columns,
    /// The theme that was chosen in the picker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Chosen>,
    /// Fields written by a later version of hoist.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a pane of a layout shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Shown {
    /// The name of its container, image, volume or network; `None` for the subject under the list's
    /// cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The list that contains it.
    pub section: String,
    /// `logs`, `stats`, …, `terminal`.
    pub tab: String,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            version: VERSION,
            layouts: BTreeMap::new(),
            presets: BTreeMap::new(),
            history: Vec::new(),
            recent: Vec::new(),
            columns: Columns::default(),
            theme: None,
            rest: Map::new(),
        }
    }
}

state!(Saved, VERSION);

impl Saved {
    /// Returns `theirs`, which another hoist has written, with the changes from `base` to this state.
    /// What both changed is as it is here.
    #[must_use]
    pub fn onto(&self, base: &Self, theirs: Self) -> Self {
        Self {
            version: self.version,
            layouts: entries(&self.layouts, &base.layouts, theirs.layouts),
            presets: entries(&self.presets, &base.presets, theirs.presets),
            history: lines(&self.history, &base.history, theirs.history),
            recent: lines(&self.recent, &base.recent, theirs.recent),
            columns: value(&self.columns, &base.columns, theirs.columns),
            theme: value(&self.theme, &base.theme, theirs.theme),
            rest: theirs.rest,
        }
    }
}

fn value<T: Clone + PartialEq>(ours: &T, base: &T, theirs: T) -> T {
    if ours == base { theirs } else { ours.clone() }
}

fn entries<T: Clone + PartialEq>(
    ours: &BTreeMap<String, T>,
    base: &BTreeMap<String, T>,
    mut theirs: BTreeMap<String, T>,
) -> BTreeMap<String, T> {
    theirs.retain(|name, _| ours.contains_key(name) || !base.contains_key(name));
    let changed = ours.iter().filter(|(name, entry)| base.get(*name) != Some(entry));
    theirs.extend(changed.map(|(name, entry)| (name.clone(), entry.clone())));
    theirs
}

/// Lines are only added, each once, at the end.
fn lines(ours: &[String], base: &[String], mut theirs: Vec<String>) -> Vec<String> {
    if theirs == base {
        return ours.to_vec();
    }
    let old: HashSet<&String> = base.iter().collect();
    let last = ours.last().filter(|last| base.last() != Some(*last));
    let is_new = |line: &&String| !old.contains(line) || last == Some(*line);
    let new: Vec<String> = ours.iter().filter(is_new).cloned().collect();
    let set: HashSet<&String> = new.iter().collect();
    theirs.retain(|line| !set.contains(line));
    theirs.extend(new);
    theirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_hoist_saved_stays_unless_it_was_changed_here() {
        let saved = |presets: &[(&str, &str)], history: &[&str]| Saved {
            presets: presets
                .iter()
                .map(|(name, word)| ((*name).to_owned(), vec![(*word).to_owned()]))
                .collect(),
            history: history.iter().map(|line| (*line).to_owned()).collect(),
            ..Saved::default()
        };
        let base = saved(&[("a", "1"), ("b", "1"), ("c", "1")], &["one", "two", "three"]);
        // Here `a` was changed, `b` removed and `d` added; there `a` and `c` were changed, `e` added.
        let ours = saved(&[("a", "2"), ("c", "1"), ("d", "1")], &["two", "three", "four", "one"]);
        let theirs = saved(
            &[("a", "3"), ("b", "1"), ("c", "3"), ("e", "1")],
            &["one", "two", "three", "five", "four"],
        );
        let expected = saved(
            &[("a", "2"), ("c", "3"), ("d", "1"), ("e", "1")],
            &["two", "three", "five", "four", "one"],
        );
        assert_eq!(ours.onto(&base, theirs), expected);
        assert_eq!(ours.onto(&base, base.clone()), ours);
        assert_eq!(base.onto(&base, ours.clone()), ours);
    }

    #[test]
    fn what_is_missing_has_its_default_and_what_is_unknown_stays() {
        let saved: Saved = serde_json::from_str(r#"{"colour": "blue"}"#).unwrap();
        assert_eq!((saved.version, saved.layouts.len()), (VERSION, 0));
        let again: Saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        assert_eq!(again, saved);
        assert_eq!(again.rest.get("colour"), Some(&Value::from("blue")));
    }
}
