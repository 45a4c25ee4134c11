//! The form of what to run.

pub mod model;
pub mod update;
pub mod view;
