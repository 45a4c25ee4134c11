//! A container's endpoint in a network, made by the network module and stored in the run's file.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::disk::Unknown;
use super::{ContainerId, NetworkId};

/// One container's endpoint in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The network.
    pub network: NetworkId,
    /// Its name.
    pub network_name: String,
    /// The container.
    pub container: ContainerId,
    /// The network's bridge on the host.
    pub bridge: String,
    /// The host's end of the veth pair, a port of that bridge.
    pub port: String,
    /// The container's end of the veth pair.
    pub interface: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The subnet's prefix length.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// The container's hardware address.
    pub mac: Mac,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A hardware (MAC) address.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Returns the locally administered address derived from `address`. Reusing an IP address also
    /// reuses its hardware address, so neighbour tables do not become stale.
    #[must_use]
    pub fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, 0x42, a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// A string that is not six hex bytes separated by colons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hardware address")]
pub struct BadMac(String);

impl TryFrom<String> for Mac {
    type Error = BadMac;

    fn try_from(text: String) -> std::result::Result<Self, BadMac> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2).unwrap_or_default();
            *byte = u8::from_str_radix(part, 16).map_err(|_| BadMac(text.clone()))?;
        }
        if parts.next().is_some() { Err(BadMac(text)) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_written_as_it_is_read() {
        let mac = Mac::of(Ipv4Addr::new(172, 30, 0, 10));
        assert_eq!(mac.to_string(), "02:42:ac:1e:00:0a");
        assert_eq!(Mac::try_from(mac.to_string()), Ok(mac));
        for bad in ["", "02:42", "02:42:ac:1e:00:0a:0b", "2:42:ac:1e:00:0a", "zz:42:ac:1e:00:0a"] {
            assert!(Mac::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
