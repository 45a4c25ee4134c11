//! The choice of themes.

pub mod update;
pub mod view;
