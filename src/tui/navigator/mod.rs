//! The navigator, which shows projects, tasks and alerts beside the list.

pub mod model;
pub mod tree;
pub mod update;
pub mod view;
