//! The processes of a container.

pub mod model;
pub mod process;
pub mod view;
