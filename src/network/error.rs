//! Errors of networks.

use std::net::Ipv4Addr;

use crate::base::{ErrorKind, Explain, disk};
use crate::sys;

/// A network operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The value of `--dns` is not an address.
    #[error("invalid argument \"{0}\" for \"--dns\" flag: {0} is not an ip address")]
    BadNameServer(String),
    /// The value of `--add-host` is malformed.
    #[error("bad format for add-host: \"{0}\"")]
    BadHost(String),
    /// A network needs a namespace, but the container has none of its own.
    #[error("the container has no network namespace of its own")]
    NoNamespace,
    /// Every subnet that hoist may choose overlaps a route of this machine.
    #[error("every subnet for `{network}` overlaps a route of this machine, such as {route}")]
    NoSubnet {
        /// The network.
        network: String,
        /// The last route that overlapped.
        route: String,
    },
    /// The subnet requested for a network overlaps a route of this machine.
    #[error("the subnet {subnet} of `{network}` overlaps {route}, which this machine uses")]
    SubnetInUse {
        /// The network.
        network: String,
        /// Its subnet.
        subnet: String,
        /// The route, or the subnet of a link.
        route: String,
    },
    /// The name of a network's bridge is in use by another link.
    #[error("the link {link} cannot be the bridge of `{network}`: it already exists")]
    LinkInUse {
        /// The network.
        network: String,
        /// The link.
        link: String,
    },
    /// The gateway is not the first address of its subnet.
    #[error("the gateway {gateway} of `{network}` is not supported: it must be the subnet's first address")]
    Gateway {
        /// The network.
        network: String,
        /// Its gateway.
        gateway: Ipv4Addr,
    },
    /// All addresses are leased to running containers.
    #[error("`{network}` has no free address in {subnet}")]
    Full {
        /// The network.
        network: String,
        /// Its subnet.
        subnet: String,
    },
    /// The requested address is not available to containers of the network.
    #[error("the address {address} is not available to containers on `{network}`: its subnet is {subnet}")]
    NoSuchAddress {
        /// The network.
        network: String,
        /// The address.
        address: Ipv4Addr,
        /// Its subnet.
        subnet: String,
    },
    /// The requested address is in use by another container.
    #[error("the address {address} of `{network}` is in use")]
    AddressTaken {
        /// The network.
        network: String,
        /// The address.
        address: Ipv4Addr,
    },
    /// This hoist does not support the network's driver.
    #[error("the network `{network}` has the driver {driver}, which this version of hoist does not support")]
    UnknownDriver {
        /// The network.
        network: String,
        /// Its driver, according to its file.
        driver: String,
    },
    /// A step on the host failed.
    #[error("cannot {step}")]
    System {
        /// The step.
        step: String,
        /// The failed call.
        source: sys::Error,
    },
    /// A network's file cannot be read. When connecting, it is the file with the leases.
    #[error("the state of the network `{network}` cannot be read")]
    Damaged {
        /// The network.
        network: String,
        /// The file and the cause.
        source: disk::Error,
    },
    /// A state file could not be read or written.
    #[error("cannot access the state of networks")]
    State(#[from] disk::Error),
}

/// The result of a network operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::BadNameServer(_) | Self::BadHost(_) | Self::NoSuchAddress { .. } => ErrorKind::Invalid,
            Self::UnknownDriver { .. } | Self::Gateway { .. } => ErrorKind::Unsupported,
            Self::NoNamespace => ErrorKind::Internal,
            Self::NoSubnet { .. }
            | Self::SubnetInUse { .. }
            | Self::LinkInUse { .. }
            | Self::Full { .. }
            | Self::AddressTaken { .. } => ErrorKind::Conflict,
            Self::System { source, .. } => source.kind(),
            Self::State(source) | Self::Damaged { source, .. } => source.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::BadHost(_) => Some("write it as NAME:ADDRESS".to_owned()),
            Self::BadNameServer(_) => Some("specify the IP address of a name server".to_owned()),
            Self::NoNamespace
            | Self::LinkInUse { .. }
            | Self::Gateway { .. }
            | Self::NoSuchAddress { .. }
            | Self::AddressTaken { .. } => None,
            Self::UnknownDriver { .. } => Some("use the version of hoist that created it".to_owned()),
            Self::SubnetInUse { .. } => {
                Some("remove the route, or create the network with another subnet".to_owned())
            }
            Self::NoSubnet { .. } => Some("remove a route, or use `--network host`".to_owned()),
            Self::Full { .. } => Some("remove containers that are not needed".to_owned()),
            Self::System { source, .. } => source.hint(),
            Self::Damaged { network, .. } => {
                Some(format!("stop all containers on `{network}`: the next start recreates the file"))
            }
            Self::State(source) => source.hint(),
        }
    }
}

impl Error {
    /// Whether a state file itself is the cause, which lasts until the file is removed.
    pub(super) fn is_of_a_file(&self) -> bool {
        matches!(self, Self::State(error) if error.is_of_the_file())
    }
}

/// Adds to an error the step that the system call was part of.
pub(super) trait Step<T> {
    /// `what` consists of a verb and its object.
    fn step<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T> Step<T> for sys::Result<T> {
    fn step<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|source| Error::System { step: what().into(), source })
    }
}
