//! Charts of what containers use.

pub mod history;
pub mod model;
pub mod series;
pub mod view;
