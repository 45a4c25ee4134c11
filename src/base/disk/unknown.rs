//! Keeps data of newer hoist versions when a file is rewritten.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Unknown fields, for `#[serde(flatten)]`.
pub type Unknown = BTreeMap<String, Value>;

/// A value of unknown form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unrecognized(pub Value);

impl fmt::Display for Unrecognized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(word) => f.write_str(word),
            other => write!(f, "{other}"),
        }
    }
}

impl fmt::Debug for Unrecognized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A value together with its unknown fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    /// The value.
    #[serde(flatten)]
    pub value: T,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Self {
        Self { value, unknown: Unknown::new() }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
