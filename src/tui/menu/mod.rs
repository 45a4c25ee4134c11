//! A choice of one of several, for dialogs that are one.

pub mod model;
pub mod view;
