//! Volume commands.

use super::failure::Result;
use super::inspect;
use super::output::print;
use crate::command::volume::{Ls, Request};
use crate::docker::filter::{self, Filters};
use crate::docker::{Format, network as network_rows};
use crate::engine::Engine;

pub(super) async fn perform(engine: &Engine, request: Request) -> Result<u8> {
    match request {
        Request::Inspect(it) => inspect::any(engine, it).await,
        Request::Ls(it) => list(&it),
    }
}

fn list(volumes: &Ls) -> Result<u8> {
    Filters::parse(&volumes.filter, filter::VOLUME_KEYS)?;
    let format = Format::parse(volumes.format.as_deref().unwrap_or_default())?;
    if !volumes.quiet {
        print(&format.show(network_rows::VOLUME_COLUMNS, network_rows::VOLUME_COLUMNS, &[])?)?;
    }
    Ok(0)
}
