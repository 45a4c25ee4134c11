//! How two images differ.

pub mod model;
pub mod update;
pub mod view;
