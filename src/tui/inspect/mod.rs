//! Everything known of an object, as a document.

pub mod model;
pub mod view;
pub mod yaml;
