//! Containers.

pub mod update;
