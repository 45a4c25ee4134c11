//! What was done and can be undone.

pub mod model;
pub mod update;
