//! Pulling: against a toy registry that misbehaves in every way we know, and against
//! Debian's docker-registry with its password, its certificates and its files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod client;
mod crash;
mod make;
mod peer;
mod pull;
mod toy;
