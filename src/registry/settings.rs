//! Settings of the registry client, filled in by `config.rs`.
//!
//! | registry | endpoints |
//! |---|---|
//! | `docker.io` | each mirror in order, then `https://registry-1.docker.io` |
//! | loopback, or listed as insecure | https without checking the certificate, then plain http |
//! | any other | https only |

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use crate::base::{ErrorKind, Explain};
use crate::oci::reference::DEFAULT_REGISTRY;

/// The host that serves `docker.io`.
const HUB: &str = "registry-1.docker.io";

/// How to reach registries. By default there are no credentials, and the system's certificate
/// authorities are trusted.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Mirrors of `docker.io`, tried before it in this order.
    pub mirrors: Vec<Mirror>,
    /// Registries whose certificates are not checked, and which may use plain http. Loopback
    /// addresses are always included.
    pub insecure: Vec<Insecure>,
    /// The proxies to use.
    pub proxies: Proxies,
    /// Folders with files `<host[:port]>/{*.crt,*.cert,*.key}`. The first with a folder for a host
    /// is used.
    pub certs: Vec<PathBuf>,
    /// A file in the format of Docker's `config.json`, with credentials in `auths`.
    pub credentials: Option<PathBuf>,
    /// Timeouts and retries.
    pub patience: Patience,
}

/// Proxy URLs (`http://[user:password@]host:port`), as in the usual environment variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For plain http.
    pub http: Option<String>,
    /// For https.
    pub https: Option<String>,
    /// Hosts to connect to directly, in the format of `NO_PROXY`.
    pub except: Option<String>,
}

impl fmt::Debug for Proxies {
    /// Omits the URLs, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("except", &self.except)
            .finish()
    }
}

/// Timeouts and retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// The number of failures in a row after which a request is given up.
    pub tries: u32,
    /// The pause after the first failure. It doubles with every further one.
    pub first_pause: Duration,
    /// The maximum pause. If the registry asks for a longer one, the request fails.
    pub longest_pause: Duration,
    /// How long a connection may be silent before it counts as broken.
    pub silence: Duration,
    /// The timeout for opening a connection.
    pub connect: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 5,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            connect: Duration::from_secs(15),
        }
    }
}

/// A setting that is not a valid host, network or URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// Not a valid mirror URL.
    #[error("`{0}` is not a valid mirror: expected a URL such as https://mirror.example")]
    Mirror(String),
    /// Neither a host nor a network.
    #[error("`{0}` is not a valid registry: expected host, host:port or a network such as 10.0.0.0/8")]
    Insecure(String),
}

impl Explain for BadSetting {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// The URL of a mirror of `docker.io`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror(Url);

impl FromStr for Mirror {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting::Mirror(text.to_owned());
        let mut url = Url::parse(text).map_err(|_| bad())?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !is_plain {
            return Err(bad());
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

/// A registry, or a network of registries, that is trusted without a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insecure {
    /// `host` (any port) or `host:port`.
    Host(String),
    /// Registries whose host is an address in this network.
    Network(IpAddr, u8),
}

impl FromStr for Insecure {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting::Insecure(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| bad())?;
            let bits: u8 = bits.parse().map_err(|_| bad())?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            return if bits <= longest { Ok(Self::Network(address, bits)) } else { Err(bad()) };
        }
        // Accepts exactly what the URL parser takes for a host.
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| bad())?;
        let is_host = url.path() == "/" && url.username().is_empty() && url.query().is_none();
        if is_host && !text.is_empty() { Ok(Self::Host(text.to_ascii_lowercase())) } else { Err(bad()) }
    }
}

/// How a host authenticates itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// With a certificate of a trusted authority.
    Certificate,
    /// Not at all, but the connection is encrypted.
    Anyone,
}

/// An endpoint of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The URL, ending in a slash.
    pub(super) base: Url,
    /// Why it is in the list, which decides when the next one is tried.
    pub(super) role: Role,
}

/// Why an endpoint is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A mirror: after any failure the next endpoint is tried.
    Mirror,
    /// Https at a host that may use plain http, which is the next endpoint.
    Probe,
    /// The registry itself.
    Origin,
}

impl Settings {
    /// Returns the endpoints for images of `registry` in order of preference; never empty.
    pub(super) fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        if registry == DEFAULT_REGISTRY {
            let may_be_asked = |url: &Url| url.scheme() == "https" || self.may_be_plain(&authority(url));
            let mirrors = self.mirrors.iter().filter(|mirror| may_be_asked(&mirror.0));
            endpoints.extend(mirrors.map(|mirror| Endpoint { base: mirror.0.clone(), role: Role::Mirror }));
        }
        let host = if registry == DEFAULT_REGISTRY { HUB } else { registry };
        let at = |scheme: &str| Url::parse(&format!("{scheme}://{host}/")).ok();
        if self.may_be_plain(host) {
            endpoints.extend(at("https").map(|base| Endpoint { base, role: Role::Probe }));
            endpoints.extend(at("http").map(|base| Endpoint { base, role: Role::Origin }));
        } else {
            endpoints.extend(at("https").map(|base| Endpoint { base, role: Role::Origin }));
        }
        endpoints
    }

    /// Whether plain http and unchecked certificates are allowed for `host[:port]`.
    pub(super) fn may_be_plain(&self, host: &str) -> bool {
        let (name, address) = (without_port(host), address(host));
        is_loopback(host)
            || self.insecure.iter().any(|insecure| match insecure {
                Insecure::Host(named) => named == host || named == name,
                Insecure::Network(network, bits) => {
                    address.is_some_and(|address| is_within(address, *network, *bits))
                }
            })
    }

    /// Returns how the host of `url` must authenticate itself.
    pub(super) fn trust(&self, url: &Url) -> Trust {
        if self.may_be_plain(&authority(url)) { Trust::Anyone } else { Trust::Certificate }
    }
}

/// Returns the `host[:port]` of a URL, without the scheme's default port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    without_port(host).trim_matches(['[', ']']).parse().ok()
}

/// Whether `host[:port]` is a loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    without_port(host) == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    // A shift by the full width would do nothing, and /0 contains all addresses.
    bits == 0 || (address ^ network).checked_shr(width - u32::from(bits)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(settings: &Settings, registry: &str) -> Vec<String> {
        settings.endpoints(registry).iter().map(|endpoint| endpoint.base.to_string()).collect()
    }

    #[test]
    fn plain_http_is_for_loopback_and_what_is_named() {
        let mut settings = Settings::default();
        assert_eq!(asked(&settings, "quay.io"), ["https://quay.io/"]);
        assert_eq!(asked(&settings, "10.1.2.3:5000"), ["https://10.1.2.3:5000/"]);
        for loopback in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"] {
            let (tls, plain) = (format!("https://{loopback}/"), format!("http://{loopback}/"));
            assert_eq!(asked(&settings, loopback), [tls, plain]);
        }
        settings.insecure = ["10.0.0.0/8", "reg.test:80", "lab.test"].map(|s| s.parse().unwrap()).into();
        for (host, is_plain) in [
            ("10.1.2.3:5000", true),
            ("11.1.2.3:5000", false),
            ("reg.test:80", true),
            ("reg.test", false),
            ("lab.test:1", true),
            ("notlab.test", false),
            ("localhost.evil.test", false),
        ] {
            assert_eq!(settings.may_be_plain(host), is_plain, "{host}");
        }
    }

    #[test]
    fn mirrors_are_asked_before_the_hub_and_for_nothing_else() {
        let mirrors = ["https://m.test/hub", "http://evil.test", "http://127.0.0.1:5001"];
        let settings =
            Settings { mirrors: mirrors.map(|s| s.parse().unwrap()).into(), ..Settings::default() };
        assert_eq!(
            asked(&settings, "docker.io"),
            ["https://m.test/hub/", "http://127.0.0.1:5001/", "https://registry-1.docker.io/"],
            "a plain mirror that is neither loopback nor named is left out"
        );
        assert_eq!(asked(&settings, "quay.io"), ["https://quay.io/"]);
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for bad in ["", "a b", "ftp://x", "10.0.0.0/33", "x/8", "host/path", "user@host", "host:99999"] {
            assert!(bad.parse::<Insecure>().is_err(), "{bad}");
        }
        for bad in ["", "mirror.test", "ftp://x", "https://u:p@x/", "https://x/?q"] {
            assert!(bad.parse::<Mirror>().is_err(), "{bad}");
        }
    }

    #[test]
    fn proxy_passwords_are_not_printed() {
        let proxies = Proxies { https: Some("http://u:secret@p:1".to_owned()), ..Proxies::default() };
        assert!(!format!("{proxies:?}").contains("secret"));
    }
}
