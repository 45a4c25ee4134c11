//! The choice of what can be run again under a name.

/// A choice of the commands saved by name.
#[derive(Debug)]
pub struct Presets {
    /// Where the cursor is.
    pub cursor: usize,
    /// What they are called.
    pub names: Vec<String>,
}
