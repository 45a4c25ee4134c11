//! The files of a container or an image beside those of this machine.

pub mod model;
pub mod update;
pub mod view;
