//! Logs of containers.

pub mod model;
pub mod update;
pub mod view;
