//! What the TUI saves between sessions: the user's arrangement, not the state of objects.
//!
//! The file is JSON: `$XDG_STATE_HOME/hoist/tui.json`. Fields are only added, never removed.
//! Missing fields get their default; unknown fields are kept.

use std::collections::BTreeMap;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_has_its_default_and_what_is_unknown_stays() {
        let saved: Saved = serde_json::from_str(r#"{"colour": "blue"}"#).unwrap();
        assert_eq!((saved.version, saved.layouts.len()), (VERSION, 0));
        let again: Saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        assert_eq!(again, saved);
        assert_eq!(again.rest.get("colour"), Some(&Value::from("blue")));
    }
}
