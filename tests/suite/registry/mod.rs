//! Pulling from a toy registry that misbehaves in every known way, and from Debian's
//! docker-registry with its passwords, certificates and files.

mod client;
mod crash;
mod make;
mod peer;
mod pull;
mod toy;
