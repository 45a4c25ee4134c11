//! Commands of the user's.

pub mod ask;
pub mod model;
pub mod update;
