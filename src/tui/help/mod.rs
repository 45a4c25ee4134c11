//! The keys of a place, to be searched.

pub mod model;
pub mod update;
pub mod view;
