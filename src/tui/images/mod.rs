//! Images.

pub mod update;
