//! Older forms of the files, as what they are now.
//!
//! ```text
//! run.json     1    the network part's values: `network`, with what it had done, and `endpoint`
//! ```

use serde_json::Value;

use super::{RUN_VERSION, Run};

/// A run of version 1. All but its network is as it was.
pub(super) fn run(bytes: &[u8]) -> serde_json::Result<Run> {
    let mut run: Run = serde_json::from_slice(bytes)?;
    run.version = RUN_VERSION;
    run.unknown.remove("endpoint"); // the same as in `network`
    run.endpoints = match run.unknown.remove("network") {
        Some(Value::Object(mut applied)) => match applied.remove("endpoint") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(endpoint) => serde_json::from_value(endpoint).ok().map(|endpoint| vec![endpoint]),
        },
        _ => None,
    };
    Ok(run)
}
