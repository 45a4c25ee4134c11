//! The engine's data in Docker's formats: JSON of `inspect` and `events`, columns of the lists,
//! filters, Go templates and the types that they use, times and sizes.
//!
//! Everything here is a pure function over plain data. The clock is an argument.

pub mod event;
pub mod filter;
pub mod format;
pub mod images;
pub mod info;
pub mod inspect;
pub mod network;
pub mod ps;
pub mod schema;
pub mod stats;
pub mod table;
pub mod template;
pub mod time;

pub use format::{Column, Format};
pub use template::Template;
