//! A menu, for dialogs that offer a choice.

pub mod model;
pub mod view;
