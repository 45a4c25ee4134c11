//! Trees of paths, as the layers and comparisons of images show them.

pub mod model;
pub mod view;
