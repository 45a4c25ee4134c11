//! Everything that can be done, to be searched.

pub mod model;
pub mod update;
pub mod view;
