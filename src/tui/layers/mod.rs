//! What the layers of an image do.

pub mod model;
pub mod update;
pub mod view;
