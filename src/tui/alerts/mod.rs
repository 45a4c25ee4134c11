//! What is ill.

pub mod model;
pub mod view;
