//! The lists, and `inspect`.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use super::clock::Clock;
use super::failure::{Failure, Result};
use super::output::{Object, line, note, objects, print, warn};
use crate::base::ErrorKind;
use crate::command::{
    History, ImageInspect, Images, Inspect, NetworkInspect, NetworkLs, ObjectType, Ps, VolumeLs,
};
use crate::docker::filter::{self, ContainerFilter, Filters};
use crate::docker::{
    Column, Format, images as image_rows, inspect as json, network as network_rows, ps as ps_rows, schema,
};
use crate::engine::{self, ContainerView, Damaged, Engine, Listing, NetworkView, NotFound, Warnings};

pub(super) async fn ps(engine: &Engine, clock: &Clock, ps: Ps) -> Result<u8> {
    let filters = Filters::parse(&ps.filter, filter::CONTAINER_KEYS)?;
    let format = Format::parse(ps.format.as_deref().unwrap_or_default())?;
    let Listing { whole: mut containers, mut damaged, warnings } = engine.containers().listing().await?;
    warn(&Warnings(warnings));
    let filter = ContainerFilter::new(filters, &containers)?;
    let last = match (ps.latest, usize::try_from(ps.last)) {
        (true, _) => Some(1),
        (false, Ok(last)) if last > 0 => Some(last),
        _ => None,
    };
    let is_all = ps.all || last.is_some() || filter.is_all();
    containers.retain(|container| (is_all || is_shown(container)) && filter.fits(container));
    containers.truncate(last.unwrap_or(usize::MAX));
    damaged.retain(|one| (ps.all || filter.is_all()) && last.is_none() && filter.fits_damaged(one));
    if ps.quiet && ps.format.is_none() {
        let id = |c: &ContainerView| {
            if ps.no_trunc { c.id.as_str().to_owned() } else { c.id.short().to_owned() }
        };
        print(&containers.iter().map(|c| id(c) + "\n").collect::<String>())?;
        let id = |one: &Damaged| ps_rows::damaged_id(one, !ps.no_trunc) + "\n";
        print(&damaged.iter().map(id).collect::<String>())?;
        return Ok(0);
    }
    if ps.size || (format != Format::Json && format.names("Size")) {
        let mut measured = Vec::with_capacity(containers.len());
        for container in containers {
            measured.push(engine.containers().measure(container).await?);
        }
        containers = measured;
    }
    let (now, zone) = clock.read();
    let rows = containers.iter().map(|c| ps_rows::row(c, !ps.no_trunc, now, &zone));
    let rows = rows.chain(damaged.iter().map(|one| ps_rows::damaged_row(one, !ps.no_trunc)));
    let rows: Vec<_> = rows.collect();
    let mut columns: Vec<Column> = ps_rows::COLUMNS.to_vec();
    columns.extend(ps.size.then_some(ps_rows::SIZE));
    print(&format.show(&columns, ps_rows::TITLES, &rows)?)?;
    Ok(0)
}

/// What `ps` shows without `--all`: what runs, paused and restarting included.
fn is_shown(container: &ContainerView) -> bool {
    container.status.is_up() || container.status == engine::Status::Restarting
}

pub(super) async fn images(engine: &Engine, clock: &Clock, images: Images) -> Result<u8> {
    let mut words = images.filter;
    words.extend(images.name.filter(|name| !name.is_empty()).map(|name| format!("reference={name}")));
    let filters = Filters::parse(&words, filter::IMAGE_KEYS)?;
    let is_unfiltered = words.is_empty();
    let format = Format::parse(images.format.as_deref().unwrap_or_default())?;
    let Listing { whole, mut damaged, warnings } = engine.images().listing().await?;
    warn(&Warnings(warnings));
    let chosen = image_rows::chosen(whole, &filters, images.all)?;
    // Whether it fits a filter nobody can tell.
    damaged.retain(|_| is_unfiltered);
    if images.quiet && images.format.is_none() {
        for image in &chosen {
            if images.no_trunc { line(&image.id)? } else { line(image.id.short())? }
        }
        for one in damaged.iter().filter(|one| !one.id.is_empty()) {
            line(image_rows::damaged_id(one, !images.no_trunc))?;
        }
        return Ok(0);
    }
    let (now, zone) = clock.read();
    let digests = images.digests || format.names("Digest") && format != Format::Json;
    let look = image_rows::Look { truncate: !images.no_trunc, digests, now, zone: &zone };
    let rows = chosen.iter().flat_map(|image| image_rows::rows(image, &look));
    let rows = rows.chain(damaged.iter().map(|one| image_rows::damaged_row(one, &look)));
    let rows: Vec<_> = rows.collect();
    let columns = if images.digests { image_rows::COLUMNS_WITH_DIGESTS } else { image_rows::COLUMNS };
    print(&format.show(columns, image_rows::TITLES, &rows)?)?;
    Ok(0)
}

pub(super) async fn history(engine: &Engine, clock: &Clock, history: History) -> Result<u8> {
    let format = Format::parse(history.format.as_deref().unwrap_or_default())?;
    let entries = engine.images().history(&history.name).await?;
    let (now, zone) = clock.read();
    let look = image_rows::Look { truncate: !history.no_trunc, digests: false, now, zone: &zone };
    let row = |entry| image_rows::history_row(entry, &look, history.human);
    let rows: Vec<_> = entries.iter().map(row).collect();
    if history.quiet && history.format.is_none() {
        for row in &rows {
            line(row.fields["ID"].as_str().unwrap_or_default())?;
        }
        return Ok(0);
    }
    let columns = &image_rows::HISTORY_COLUMNS[..image_rows::HISTORY_SHOWN];
    print(&format.show(columns, image_rows::HISTORY_COLUMNS, &rows)?)?;
    Ok(0)
}

pub(super) async fn networks(engine: &Engine, networks: NetworkLs) -> Result<u8> {
    let filters = Filters::parse(&networks.filter, filter::NETWORK_KEYS)?;
    let format = Format::parse(networks.format.as_deref().unwrap_or_default())?;
    let mut rows = Vec::new();
    for network in networks_of(engine).await? {
        if !network_rows::fits(&network, &filters)? {
            continue;
        }
        if networks.quiet {
            line(network.id.short())?;
        } else {
            rows.push(network_rows::row(&network));
        }
    }
    if !networks.quiet {
        print(&format.show(network_rows::COLUMNS, network_rows::TITLES, &rows)?)?;
    }
    Ok(0)
}

pub(super) fn volumes(volumes: &VolumeLs) -> Result<u8> {
    Filters::parse(&volumes.filter, filter::VOLUME_KEYS)?;
    let format = Format::parse(volumes.format.as_deref().unwrap_or_default())?;
    if !volumes.quiet {
        print(&format.show(network_rows::VOLUME_COLUMNS, network_rows::VOLUME_COLUMNS, &[])?)?;
    }
    Ok(0)
}

pub(super) async fn inspect(engine: &Engine, inspect: Inspect) -> Result<u8> {
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

async fn image(engine: &Engine, name: &str) -> engine::Result<Object> {
    Ok((image_rows::inspect(&engine.images().inspect(name).await?), schema::IMAGE))
}

/// The networks, read once for all words, so that warnings are told once.
type ReadNetworks = OnceCell<Vec<NetworkView>>;

/// Every network; what cannot be told of one is warned of.
async fn networks_of(engine: &Engine) -> engine::Result<Vec<NetworkView>> {
    let Listing { whole, damaged: _, warnings } = engine.networks().listing().await?;
    warn(&Warnings(warnings));
    Ok(whole)
}

async fn network(engine: &Engine, name: &str, networks: &ReadNetworks) -> engine::Result<Object> {
    let all = networks.get_or_try_init(|| networks_of(engine)).await?;
    let network = engine::find_network(all.clone(), name)?;
    let names: BTreeMap<_, _> = if network.members.is_empty() {
        BTreeMap::new()
    } else {
        let pair = |c: ContainerView| (c.id.to_string(), c.name.to_string());
        engine.containers().list().await?.into_iter().map(pair).collect()
    };
    Ok((network_rows::inspect(&network, &names), schema::NETWORK))
}

/// What could be found of several; the others are told, and the exit code is 1.
async fn inspect_each(
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

pub(super) async fn inspect_images(engine: &Engine, inspect: ImageInspect) -> Result<u8> {
    inspect_each(&inspect.names, inspect.format.as_deref(), async |name| image(engine, name).await).await
}

pub(super) async fn inspect_networks(engine: &Engine, inspect: NetworkInspect) -> Result<u8> {
    let networks = ReadNetworks::new();
    let get = async |name: &str| network(engine, name, &networks).await;
    inspect_each(&inspect.names, inspect.format.as_deref(), get).await
}
