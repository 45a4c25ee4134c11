//! Pulling: against a toy registry that misbehaves in every way we know, and against
//! Debian's docker-registry with its password, its certificates and its files.

mod client;
mod crash;
mod make;
mod peer;
mod pull;
mod toy;
