//! What was removed and can be taken back.

pub mod model;
pub mod update;
