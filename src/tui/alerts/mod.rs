//! Alerts about problems of containers and the disk.

pub mod model;
pub mod view;
