//! Why a container ended, or is ill.

pub mod model;
pub mod view;
