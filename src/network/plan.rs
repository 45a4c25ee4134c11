//! What a container's network will be, decided without touching the system.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::names::{Dns, ExtraHost};
use crate::base::{ContainerId, Endpoint, Paths};

/// Which network a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A namespace of its own with nothing but `lo`.
    None,
    /// The host's namespace.
    Host,
    /// The default bridge.
    Bridge,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// For whom.
    pub container: ContainerId,
    /// Which network.
    pub mode: Mode,
    /// The container's host name.
    pub hostname: String,
    /// Empty unless asked for.
    pub domainname: String,
    /// `--add-host`: `name:address`, `name=address`, `name:host-gateway`.
    pub extra_hosts: Vec<String>,
    /// `--dns`
    pub dns: Vec<String>,
    /// `--dns-search`
    pub dns_search: Vec<String>,
    /// `--dns-option`
    pub dns_options: Vec<String>,
}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// For whom.
    pub container: ContainerId,
    /// Which network.
    pub mode: Mode,
    /// What the container calls itself, with its domain where it has one.
    pub hostname: String,
    /// The domain of that name; empty for none.
    pub domainname: String,
    /// Further lines of /etc/hosts.
    pub extra_hosts: Vec<ExtraHost>,
    /// What was asked of the resolver; the rest comes from the host.
    pub dns: Dns,
}

impl Plan {
    /// Whether the container gets a network namespace of its own.
    #[must_use]
    pub fn has_namespace(&self) -> bool {
        self.mode != Mode::Host
    }
}

/// Decides what a request means.
///
/// # Errors
///
/// [`Error::BadNameServer`] and [`Error::BadHost`], in Docker's words.
pub fn plan(request: Request) -> Result<Plan> {
    let servers = request.dns.iter().map(|word| name_server(word)).collect::<Result<_>>()?;
    let extra_hosts = request.extra_hosts.iter().map(|word| word.parse()).collect::<Result<_>>()?;
    Ok(Plan {
        container: request.container,
        mode: request.mode,
        hostname: request.hostname,
        domainname: request.domainname,
        extra_hosts,
        dns: Dns { servers, search: request.dns_search, options: request.dns_options },
    })
}

fn name_server(word: &str) -> Result<IpAddr> {
    word.parse().map_err(|_| Error::BadNameServer(word.to_owned()))
}

/// Where an engine's networks live: its state folders, and the lock under which all engines
/// of the machine choose subnets.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) paths: Paths,
    pub(super) machine_lock: PathBuf,
    pub(super) system_bus: PathBuf,
}

/// Every engine of the machine names the same file.
const MACHINE_LOCK: &str = "/run/hoist-machine.lock";
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

impl Place {
    /// This engine's place on this machine.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone(), machine_lock: MACHINE_LOCK.into(), system_bus: SYSTEM_BUS.into() }
    }

    /// The same with another machine-wide lock: for tests in namespaces of their own.
    #[must_use]
    pub fn with_machine_lock(self, path: &Path) -> Self {
        Self { machine_lock: path.into(), ..self }
    }

    /// The same with another system bus, on which a firewalld may listen.
    #[must_use]
    pub fn with_system_bus(self, path: &Path) -> Self {
        Self { system_bus: path.into(), ..self }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which network.
    pub mode: Mode,
    /// The connections: kept in the run's state, to show them and to undo them.
    pub endpoints: Vec<Endpoint>,
    /// For the user: what is done but will not work as asked, and the way out.
    pub warnings: Vec<String>,
}

impl Applied {
    /// Nothing was connected, nothing is to be undone.
    #[must_use]
    pub fn unconnected(mode: Mode) -> Self {
        Self { mode, endpoints: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn connected(mode: Mode, endpoint: Endpoint, warnings: Vec<String>) -> Self {
        Self { mode, endpoints: vec![endpoint], warnings }
    }
}
