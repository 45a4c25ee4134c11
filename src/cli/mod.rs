//! The command line: words in, tables out.

pub mod oci;
