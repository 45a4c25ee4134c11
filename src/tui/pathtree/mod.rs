//! Trees of paths, used by the layer explorer and the comparison of images.

pub mod model;
pub(crate) mod update;
pub mod view;
