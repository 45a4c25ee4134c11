//! The network of a container, its names there, and its DNS configuration.

use serde::{Deserialize, Serialize};

use super::{Facts, NotUnderstood};
use crate::base::ErrorKind;
use crate::base::disk::{Unknown, Unrecognized};
use crate::oci::image::Config as ImageConfig;

/// Network options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkOptions {
    /// `--network`
    pub network: NetworkMode,
    /// `-h`: the container's short ID by default, or the host's name in the host's network.
    pub hostname: Option<String>,
    /// `--domainname`
    pub domainname: Option<String>,
    /// `--add-host name:address`: additional lines of /etc/hosts.
    pub extra_hosts: Vec<String>,
    /// `--dns`: name servers instead of the host's.
    pub dns: Vec<String>,
    /// `--dns-search`: search domains instead of the host's.
    pub dns_search: Vec<String>,
    /// `--dns-option`: resolver options instead of the host's.
    pub dns_options: Vec<String>,
    /// Ports exposed by the image, such as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The network that a container uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Unrecognized", into = "Unrecognized")]
pub enum NetworkMode {
    /// A network namespace with only `lo`.
    None,
    /// The host's network.
    Host,
    /// The default bridge.
    #[default]
    Bridge,
    /// The network of another container, by name or id.
    Container(String),
    /// A user-defined network, by name or id.
    Named(String),
    /// A value written by a newer hoist that is not a string.
    Unknown(Unrecognized),
}

impl From<String> for NetworkMode {
    fn from(word: String) -> Self {
        match word.as_str() {
            "none" => Self::None,
            "host" => Self::Host,
            "bridge" | "default" | "" => Self::Bridge,
            _ => match word.strip_prefix("container:") {
                Some(other) => Self::Container(other.to_owned()),
                None => Self::Named(word),
            },
        }
    }
}

impl From<NetworkMode> for String {
    fn from(mode: NetworkMode) -> Self {
        match mode {
            NetworkMode::None => "none".to_owned(),
            NetworkMode::Host => "host".to_owned(),
            NetworkMode::Bridge => "bridge".to_owned(),
            NetworkMode::Container(other) => format!("container:{other}"),
            NetworkMode::Named(name) => name,
            NetworkMode::Unknown(value) => value.to_string(),
        }
    }
}

impl From<Unrecognized> for NetworkMode {
    fn from(value: Unrecognized) -> Self {
        match value.0 {
            serde_json::Value::String(word) => word.into(),
            other => Self::Unknown(Unrecognized(other)),
        }
    }
}

impl From<NetworkMode> for Unrecognized {
    fn from(mode: NetworkMode) -> Self {
        match mode {
            NetworkMode::Unknown(value) => value,
            mode => Self(String::from(mode).into()),
        }
    }
}

/// Invalid network options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A hostname that the kernel does not accept.
    #[error("invalid hostname `{0}`: expected at most 63 characters of a-z, A-Z, 0-9, `-` and `.`")]
    Hostname(String),
    /// A network that does not exist.
    #[error("network {0} not found")]
    NoNetwork(String),
    /// `--network container:…`
    #[error("sharing the network of container `{0}` is not supported")]
    ContainerNetwork(String),
}

impl Error {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::NoNetwork(_) => ErrorKind::NotFound,
            Self::ContainerNetwork(_) => ErrorKind::Unsupported,
            Self::Hostname(_) => ErrorKind::Invalid,
        }
    }

    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoNetwork(_) | Self::ContainerNetwork(_) => Some("use `--network` bridge, host or none"),
            Self::Hostname(_) => None,
        }
    }
}

impl NetworkOptions {
    /// Returns the hostname; empty before it is resolved.
    #[must_use]
    pub fn hostname(&self) -> &str {
        self.hostname.as_deref().unwrap_or_default()
    }

    /// Returns the domain name; empty for none.
    #[must_use]
    pub fn domainname(&self) -> &str {
        self.domainname.as_deref().unwrap_or_default()
    }

    pub(super) fn resolve(&self, image: &ImageConfig, facts: &Facts<'_>) -> Result<Self, Error> {
        match &self.network {
            NetworkMode::Named(name) => return Err(Error::NoNetwork(name.clone())),
            NetworkMode::Container(name) => return Err(Error::ContainerNetwork(name.clone())),
            NetworkMode::Unknown(value) => return Err(Error::NoNetwork(value.to_string())),
            NetworkMode::None | NetworkMode::Host | NetworkMode::Bridge => {}
        }
        Ok(Self {
            hostname: Some(self.resolved_hostname(facts)?),
            domainname: Some(self.domainname().to_owned()),
            exposed_ports: image.exposed_ports().clone().unwrap_or_default(),
            ..self.clone()
        })
    }

    fn resolved_hostname(&self, facts: &Facts<'_>) -> Result<String, Error> {
        let chosen = match (&self.hostname, &self.network) {
            (Some(name), _) => name.clone(),
            (None, NetworkMode::Host) => facts.host_name.to_owned(),
            (None, _) => return Ok(facts.id.short().to_owned()),
        };
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if chosen.is_empty() || chosen.len() > 63 || !chosen.bytes().all(good) {
            return Err(Error::Hostname(chosen));
        }
        Ok(chosen)
    }

    pub(super) fn check_understood(&self) -> Result<(), NotUnderstood> {
        match &self.network {
            NetworkMode::None | NetworkMode::Host | NetworkMode::Bridge => Ok(()),
            other => Err(NotUnderstood::new("network", String::from(other.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::options::tests::resolved;

    #[test]
    fn the_host_name_is_the_short_id_or_the_hosts_in_its_network() {
        assert_eq!(resolved(|_| {}).unwrap().networking.hostname(), "abababababab");
        let found = resolved(|options| options.networking.network = NetworkMode::Host).unwrap();
        assert_eq!(found.networking.hostname(), "host");
        let error = resolved(|options| options.networking.hostname = Some("a b".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid hostname `a b`: expected at most 63 characters of a-z, A-Z, 0-9, `-` and `.`"
        );
    }

    #[test]
    fn a_network_that_is_not_there_is_refused() {
        let named = NetworkMode::Named("mine".to_owned());
        let error = resolved(|options| options.networking.network = named).unwrap_err();
        assert_eq!(error.to_string(), "network mine not found");
    }
}
