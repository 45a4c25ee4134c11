//! IPv4 subnets, and their choice for networks.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IPv4 subnet: its first address and prefix length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: Ipv4Addr,
    length: u8,
}

impl Subnet {
    /// Returns the subnet with this prefix length (at most 32) that contains `address`.
    #[must_use]
    pub fn of(address: Ipv4Addr, length: u8) -> Self {
        let length = length.min(32);
        Self { first: Ipv4Addr::from_bits(address.to_bits() & mask(length)), length }
    }

    /// Returns the lowest address, by which the subnet is named.
    #[must_use]
    pub fn first(self) -> Ipv4Addr {
        self.first
    }

    /// Returns the prefix length in bits.
    #[must_use]
    pub fn length(self) -> u8 {
        self.length
    }

    /// Returns the highest address.
    #[must_use]
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() | !mask(self.length))
    }

    /// Returns the first usable address, which is the gateway's.
    #[must_use]
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits().saturating_add(1))
    }

    /// Returns the addresses for containers in ascending order.
    pub fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        let first = self.gateway().to_bits().saturating_add(1);
        (first..self.broadcast().to_bits()).map(Ipv4Addr::from_bits)
    }

    /// Whether the subnets have an address in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let shorter = mask(self.length.min(other.length));
        self.first.to_bits() & shorter == other.first.to_bits() & shorter
    }

    /// Returns the network mask.
    #[must_use]
    pub fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask(self.length))
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

impl fmt::Debug for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A string that is not `a.b.c.d/n`, or has bits set after the prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IPv4 subnet")]
pub struct BadSubnet(String);

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        let bad = || BadSubnet(text.to_owned());
        let (first, length) = text.split_once('/').ok_or_else(bad)?;
        let first = first.parse().map_err(|_| bad())?;
        let length = length.parse().ok().filter(|&length| length <= 32).ok_or_else(bad)?;
        let subnet = Self::of(first, length);
        if subnet.first == first { Ok(subnet) } else { Err(bad()) }
    }
}

impl TryFrom<String> for Subnet {
    type Error = BadSubnet;

    fn try_from(text: String) -> Result<Self, BadSubnet> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

/// Returns the first /24 that overlaps none of `taken`, trying `preferred` and then hoist's pools.
///
/// Docker allocates /16 networks upwards from 172.17.0.0/16, Podman from 10.88.0.0/16. hoist's
/// pools start where those seldom reach.
///
/// # Errors
///
/// The subnet in `taken` that overlaps the last candidate.
pub(super) fn choose(preferred: Option<Subnet>, taken: &[Subnet]) -> Result<Subnet, Subnet> {
    let mut in_the_way = Subnet::of(Ipv4Addr::UNSPECIFIED, 0);
    for candidate in preferred.into_iter().chain(pools()) {
        match taken.iter().find(|one| one.overlaps(candidate)) {
            None => return Ok(candidate),
            Some(&one) => in_the_way = one,
        }
    }
    Err(in_the_way)
}

fn pools() -> impl Iterator<Item = Subnet> {
    let pools = [(172, 30), (172, 29), (172, 28), (172, 27), (10, 231), (10, 232), (10, 233), (192, 168)];
    pools.into_iter().flat_map(|(a, b)| (0..=255).map(move |c| Subnet::of(Ipv4Addr::new(a, b, c, 0), 24)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnets(texts: &[&str]) -> Vec<Subnet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_subnet_knows_its_addresses() {
        let subnet: Subnet = "172.30.4.0/24".parse().unwrap();
        assert_eq!(subnet.gateway(), Ipv4Addr::new(172, 30, 4, 1));
        assert_eq!(subnet.broadcast(), Ipv4Addr::new(172, 30, 4, 255));
        assert_eq!(subnet.mask(), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(subnet.addresses().next(), Some(Ipv4Addr::new(172, 30, 4, 2)));
        assert_eq!(subnet.addresses().count(), 253);
        let all: Subnet = "0.0.0.0/0".parse().unwrap();
        assert_eq!(all.broadcast(), Ipv4Addr::BROADCAST);
        let one: Subnet = "255.255.255.255/32".parse().unwrap();
        assert_eq!(one.addresses().count(), 0);
    }

    #[test]
    fn what_is_no_subnet_is_refused() {
        for bad in ["", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "::/0"] {
            assert_eq!(bad.parse::<Subnet>(), Err(BadSubnet(bad.to_owned())));
        }
    }

    #[test]
    fn the_choice_avoids_what_is_taken_and_keeps_what_was_chosen_before() {
        let own = |text: &str| Some(text.parse().unwrap());
        let cases: &[(Option<Subnet>, &[&str], &str)] = &[
            (None, &[], "172.30.0.0/24"),
            (own("172.30.9.0/24"), &["192.0.2.0/24"], "172.30.9.0/24"),
            (own("172.30.9.0/24"), &["172.30.9.128/25"], "172.30.0.0/24"),
            (None, &["172.30.0.0/23", "172.30.2.7/32"], "172.30.3.0/24"),
            (None, &["172.16.0.0/12"], "10.231.0.0/24"),
        ];
        for (preferred, taken, want) in cases {
            assert_eq!(choose(*preferred, &subnets(taken)), Ok(want.parse().unwrap()), "{taken:?}");
        }
        let vpn = subnets(&["172.16.0.0/12", "10.0.0.0/8", "192.168.0.0/16"]);
        assert_eq!(choose(None, &vpn), Err(vpn[2]));
    }
}
