//! Lists of objects: their rows, columns, order, filter and marks.

pub mod batch;
pub mod columns;
pub mod filter;
pub mod flash;
pub mod journal;
pub mod jumps;
pub mod model;
pub mod rows;
pub mod table;
pub mod update;
pub mod view;
