//! What the TUI remembers from one time to the next: how the user arranged it, not what
//! there is.
//!
//! One JSON file, `$XDG_STATE_HOME/hoist/tui.json`. Fields are only ever added; one that is
//! missing has its default, one that is unknown is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::look::Chosen;
use super::window::Node;
use crate::tui::list::columns::Columns;

/// The version of the file's form.
const VERSION: u32 = 1;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Saved {
    /// Of the file's form.
    pub version: u32,
    /// Arrangements of panes by their names.
    pub layouts: BTreeMap<String, Node<Shown>>,
    /// Words of `run`, by the name they were given.
    pub presets: BTreeMap<String, Vec<String>>,
    /// Lines typed at `:`, the latest last.
    pub history: Vec<String>,
    /// What was chosen in the palette, the latest last.
    pub recent: Vec<String>,
    /// Which columns the lists show.
    pub columns: Columns,
    /// The theme that was chosen in the picker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Chosen>,
    /// What a later hoist wrote.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a pane of a layout shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Shown {
    /// The name of its container, image, volume or network; none for what the list's cursor
    /// is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The list that it is found in.
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

impl Saved {
    /// Reads the file's text.
    ///
    /// # Errors
    ///
    /// When it is no such text; the message has line and column.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_has_its_default_and_what_is_unknown_stays() {
        let saved = Saved::read(r#"{"version": 1, "colour": "blue"}"#).unwrap();
        assert!(saved.layouts.is_empty());
        let again = Saved::read(&saved.text()).unwrap();
        assert_eq!(again, saved);
        assert_eq!(again.rest.get("colour"), Some(&Value::from("blue")));
        assert!(Saved::read("{").is_err());
    }
}
