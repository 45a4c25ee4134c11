//! Keys of the line at the bottom.

pub mod command;
pub mod complete;
pub mod history;
pub mod note;
