//! Undoing actions.

pub mod model;
pub mod update;
