//! `inspect` for any type of object.

use super::failure::{Failure, Result};
use super::images::image;
use super::networks::{ReadNetworks, network};
use super::output::{Object, note, objects, warn};
use crate::base::ErrorKind;
use crate::command::system::{Inspect, ObjectType};
use crate::docker::{inspect as json, schema};
use crate::engine::{self, Engine, NotFound, Warnings};

pub(super) async fn any(engine: &Engine, inspect: Inspect) -> Result<u8> {
    let wanted: &[ObjectType] = match &inspect.kind {
        Some(kind) => std::slice::from_ref(kind),
        None => &[ObjectType::Container, ObjectType::Image, ObjectType::Network, ObjectType::Volume],
    };
    let networks = ReadNetworks::new();
    let mut found = Vec::new();
    let mut missing = Vec::new();
    'names: for name in &inspect.names {
        for kind in wanted {
            match object(engine, *kind, name, inspect.size, &networks).await {
                Ok(object) => {
                    found.push(object);
                    continue 'names;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        missing.push(name);
    }
    objects(&found, inspect.format.as_deref())?;
    let noun = match inspect.kind {
        None => "object",
        Some(ObjectType::Container) => "container",
        Some(ObjectType::Image) => "image",
        Some(ObjectType::Network) => "network",
        Some(ObjectType::Volume) => "volume",
    };
    for name in &missing {
        note(format!("error: No such {noun}: {name}"));
    }
    Ok(u8::from(!missing.is_empty()))
}

async fn object(
    engine: &Engine,
    kind: ObjectType,
    name: &str,
    size: bool,
    networks: &ReadNetworks,
) -> engine::Result<Object> {
    match kind {
        ObjectType::Container => {
            let mut container = engine.containers().get(name).await?;
            warn(&Warnings(container.warnings.clone()));
            if size {
                container = engine.containers().measure(container).await?;
            }
            Ok((json::container(&container), schema::CONTAINER))
        }
        ObjectType::Image => image(engine, name).await,
        ObjectType::Network => network(engine, name, networks).await,
        ObjectType::Volume => {
            let missing = NotFound { noun: "volume", name: name.to_owned() };
            Err(engine::Error::new(format!("inspect `{name}`"), missing))
        }
    }
}

/// Prints the objects that were found, and reports the others; then the exit code is 1.
pub(super) async fn each(
    names: &[String],
    format: Option<&str>,
    get: impl AsyncFn(&str) -> engine::Result<Object>,
) -> Result<u8> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match get(name).await {
            Ok(object) => found.push(object),
            Err(error) => failures.push(Failure::from(error)),
        }
    }
    objects(&found, format)?;
    Ok(failures.iter().map(Failure::tell).max().unwrap_or(0))
}
