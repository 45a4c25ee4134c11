//! The network of a container, its names there, and its DNS configuration.

use std::net::IpAddr;

use clap::Args;

use super::{Line, Result, each};
use crate::command::field::{Field, NameKind, Section as S};
use crate::command::usage::Usage;
use crate::engine::{NetworkMode, NetworkOptions};

#[derive(Debug, Args)]
pub(super) struct NetworkWords {
    /// Add a custom host-to-IP mapping
    #[arg(long, value_name = "HOST:IP")]
    add_host: Vec<String>,
    /// Set a custom DNS server
    #[arg(long, value_name = "IP")]
    dns: Vec<String>,
    /// Set a DNS option
    #[arg(long, alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
    /// Set a custom DNS search domain
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// NIS domain name of the container
    #[arg(long, value_name = "NAME")]
    domainname: Option<String>,
    /// Host name of the container
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<String>,
    /// Network to connect to: bridge, host or none
    #[arg(long, alias = "net", value_name = "NETWORK")]
    network: Vec<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::one(200, "Network", "network", &[S::General, S::Network], "bridge").names(NameKind::Network),
    Field::one(210, "Hostname", "hostname", &[S::Network], "the container's short ID").optional(),
    Field::one(220, "Domain", "domainname", &[S::Network], "").optional(),
    Field::many(230, "Hosts", "add-host", &[S::Network], "name:10.0.0.1 name:host-gateway"),
    Field::many(240, "DNS", "dns", &[S::Network], "as on the host"),
    Field::many(250, "DNS search", "dns-search", &[S::Network], "example.org"),
    Field::many(255, "DNS options", "dns-option", &[S::Network], "ndots:1").optional(),
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&str] = &[
    "--expose",
    "--ip",
    "--ip6",
    "--link",
    "--link-local-ip",
    "--mac-address",
    "--network-alias",
    "--net-alias",
    "-p, --publish",
    "-P, --publish-all",
];

impl NetworkWords {
    pub(super) fn read(self) -> Result<NetworkOptions> {
        Ok(NetworkOptions {
            network: network(&self.network)?,
            hostname: self.hostname,
            domainname: self.domainname,
            extra_hosts: each(&self.add_host, extra_host)?,
            dns: each(&self.dns, dns)?,
            dns_search: each(&self.dns_search, dns_search)?,
            dns_options: self.dns_option,
            ..NetworkOptions::default()
        })
    }
}

pub(super) fn write(networking: &NetworkOptions, line: &mut Line) {
    if let Some(hostname) = &networking.hostname {
        line.value("-h", hostname);
    }
    if let Some(domainname) = &networking.domainname {
        line.value("--domainname", domainname);
    }
    if networking.network != NetworkMode::default() {
        line.value("--network", networking.network.clone());
    }
    line.values("--add-host", &networking.extra_hosts);
    line.values("--dns", &networking.dns);
    line.values("--dns-search", &networking.dns_search);
    line.values("--dns-option", &networking.dns_options);
}

fn network(words: &[String]) -> Result<NetworkMode> {
    let mut words = words.iter();
    let Some(word) = words.next() else { return Ok(NetworkMode::default()) };
    if words.next().is_some() {
        return Err(Usage::argument("multiple --network options are not supported yet"));
    }
    if word.is_empty() {
        return Err(Usage::argument("no name set for network"));
    }
    if !word.contains('=') {
        return Ok(NetworkMode::from(word.clone()));
    }
    let mut mode = None;
    for part in word.split(',') {
        match part.split_once('=') {
            Some(("name", name)) => mode = Some(NetworkMode::from(name.to_owned())),
            Some((key, _)) => return Err(Usage::argument(format!("--network {key}= is not supported yet"))),
            None => {
                return Err(Usage::argument(format!(
                    "invalid field `{part}` in --network: expected key=value"
                )));
            }
        }
    }
    mode.ok_or_else(|| Usage::argument("--network requires name="))
}

/// Parses `name:address`, `name=address` or `name:host-gateway`.
fn extra_host(word: &str) -> Result<String> {
    let bad = || {
        Usage::argument(format!("bad format for --add-host: `{word}`").to_owned())
            .hint("expected name:address")
    };
    let at = word.find([':', '=']).ok_or_else(bad)?;
    let (name, address) = (&word[..at], &word[at + 1..]);
    let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    if name.is_empty() {
        return Err(bad());
    }
    if bare != "host-gateway" && bare.parse::<IpAddr>().is_err() {
        return Err(Usage::argument(format!("invalid IP address in --add-host: `{address}`")));
    }
    Ok(format!("{name}:{bare}"))
}

fn dns(word: &str) -> Result<String> {
    match word.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => {
            Err(Usage::argument(format!("invalid argument `{word}` for --dns: it is not an IP address")))
        }
    }
}

/// Parses a search domain; `.` is the root.
fn dns_search(word: &str) -> Result<String> {
    let is_label = |label: &str| {
        let inner = label.strip_prefix('-').or(label.strip_suffix('-')).is_none();
        inner && !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let domain = word.trim_matches(' ');
    let name = domain.strip_suffix('.').unwrap_or(domain);
    let is_name =
        name.len() < 255 && name.split('.').all(is_label) && name.contains(|c: char| c.is_ascii_alphabetic());
    match domain == "." || is_name {
        true => Ok(domain.to_owned()),
        false => Err(Usage::argument(format!(
            "invalid argument `{word}` for --dns-search: it is not a valid domain"
        ))),
    }
}
