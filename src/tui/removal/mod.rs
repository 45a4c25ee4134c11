//! The question before something is removed.

pub mod model;
pub mod update;
pub mod view;
