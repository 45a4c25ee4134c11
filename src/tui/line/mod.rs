//! The line at the bottom: commands, their completion and history.

pub mod candidates;
pub mod update;
pub mod view;
