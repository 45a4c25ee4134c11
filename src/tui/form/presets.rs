//! The choice of a saved `run` command.

/// A choice of saved commands.
#[derive(Debug)]
pub struct Presets {
    /// The position of the cursor.
    pub cursor: usize,
    /// The names of the commands.
    pub names: Vec<String>,
}
