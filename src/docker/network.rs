//! `network ls` and `network inspect`, and the columns of `volume ls`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::filter::{Error, Filters};
use super::format::{Column, Row};
use super::time::{ZERO, rfc3339};
use crate::engine::{NetworkDriver, NetworkView};

/// The columns of `network ls`.
pub const COLUMNS: &[Column] = &[
    Column { field: "ID", title: "NETWORK ID" },
    Column { field: "Name", title: "NAME" },
    Column { field: "Driver", title: "DRIVER" },
    Column { field: "Scope", title: "SCOPE" },
];

/// Every field of `network ls` that a template can name.
pub const TITLES: &[Column] = &[
    Column { field: "ID", title: "NETWORK ID" },
    Column { field: "Name", title: "NAME" },
    Column { field: "Driver", title: "DRIVER" },
    Column { field: "Scope", title: "SCOPE" },
    Column { field: "IPv6", title: "IPV6" },
    Column { field: "Internal", title: "INTERNAL" },
    Column { field: "Labels", title: "LABELS" },
    Column { field: "CreatedAt", title: "CREATED AT" },
];

/// The columns of `volume ls`.
pub const VOLUME_COLUMNS: &[Column] =
    &[Column { field: "Driver", title: "DRIVER" }, Column { field: "Name", title: "VOLUME NAME" }];

/// Returns a row of `network ls`.
#[must_use]
pub fn row(network: &NetworkView) -> Row {
    Row::new([
        ("ID", network.id.short().into()),
        ("Name", network.name.as_str().into()),
        ("Driver", network.driver.to_string().into()),
        ("Scope", "local".into()),
        ("IPv6", "false".into()),
        ("Internal", "false".into()),
        ("Labels", labels(network).into()),
        ("CreatedAt", network.created.map_or_else(|| ZERO.to_owned(), rfc3339).into()),
    ])
}

fn labels(network: &NetworkView) -> String {
    let labels = network.labels.iter().map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(",")
}

/// Returns whether a network passes the filters.
///
/// # Errors
///
/// A value is invalid for its filter.
pub fn fits(network: &NetworkView, filters: &Filters) -> Result<bool, Error> {
    let names = filters.expressions("name")?;
    // The three built-in networks cannot be removed, so they are never dangling.
    let dangling = filters.truth("dangling")?.unwrap_or(false);
    Ok(!dangling
        && (names.is_empty() || names.iter().any(|name| name.is_match(&network.name)))
        && filters.any("id", |prefix| network.id.as_str().starts_with(prefix.as_str()))
        && filters.any("driver", |driver| *driver == network.driver.to_string())
        && filters.any("scope", |scope| scope == "local")
        && filters.any("type", |kind| kind == "builtin")
        && filters.labels_fit(&network.labels))
}

/// Returns a network in the format of `network inspect`. `names` maps container ids to names.
#[must_use]
pub fn inspect(network: &NetworkView, names: &BTreeMap<String, String>) -> Json {
    let pools: Vec<_> = network
        .bridge
        .iter()
        .map(|bridge| json!({"Subnet": bridge.subnet.to_string(), "Gateway": bridge.gateway.to_string()}))
        .collect();
    let length = network.bridge.as_ref().map(|bridge| bridge.subnet.to_string());
    let length =
        length.as_deref().and_then(|subnet| subnet.split_once('/')).map_or("32", |(_, length)| length);
    let members: Map<_, _> = network
        .members
        .iter()
        .map(|member| {
            let id = member.container.as_str();
            let shown = json!({
                "Name": names.get(id).map_or("", String::as_str),
                "EndpointID": "",
                "MacAddress": member.mac.to_string(),
                "IPv4Address": format!("{}/{length}", member.address),
                "IPv6Address": "",
            });
            (id.to_owned(), shown)
        })
        .collect();
    let mut options = Map::new();
    if let Some(bridge) = &network.bridge {
        if let Some(link) = &bridge.link {
            options.insert("com.docker.network.bridge.name".to_owned(), link.as_str().into());
        }
        if let Some(mtu) = bridge.mtu {
            options.insert("com.docker.network.driver.mtu".to_owned(), mtu.to_string().into());
        }
    }
    json!({
        "Name": network.name,
        "Id": network.id,
        "Created": network.created.map_or_else(|| ZERO.to_owned(), rfc3339),
        "Scope": "local",
        "Driver": network.driver.to_string(),
        "EnableIPv4": network.driver == NetworkDriver::Bridge,
        "EnableIPv6": false,
        "IPAM": {"Driver": "default", "Options": null, "Config": pools},
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": members,
        "Options": options,
        "Labels": network.labels,
    })
}
