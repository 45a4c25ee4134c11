//! Work in the background, and how it goes on.

pub mod model;
pub mod update;
pub mod view;
