//! Image references: `[registry/]name[:tag][@digest]`, with Docker's grammar.
//!
//! ```text
//! debian                 docker.io/library/debian:latest     shown as debian:latest
//! acme/web:2             docker.io/acme/web:2                shown as acme/web:2
//! localhost:5000/web     localhost:5000/web:latest
//! web@sha256:…           docker.io/library/web@sha256:…
//! ```
//! <https://github.com/distribution/reference/blob/main/reference.go>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::base::{ErrorKind, Explain};

/// The registry of names without one.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// The tag of names with neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";

/// A string that is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// It does not match the grammar.
    #[error("invalid reference format: `{0}`")]
    Format(String),
    /// Docker's special case of a format error.
    #[error("invalid reference format: repository name (`{0}`) must be lowercase")]
    Uppercase(String),
}

impl Explain for BadReference {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// A complete image name, with a registry, a repository, and a tag or a digest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    registry: Box<str>,
    repository: Box<str>,
    tag: Option<Box<str>>,
    digest: Option<Digest>,
}

impl Reference {
    /// Returns the registry: `docker.io`, `localhost:5000`, …
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the path below the registry: `library/debian`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag; `None` if there is only a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, if one was given.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns the short name without tag and digest: `debian`, `localhost:5000/web`.
    #[must_use]
    pub fn familiar_name(&self) -> String {
        match (&*self.registry, self.repository.strip_prefix("library/")) {
            (DEFAULT_REGISTRY, Some(name)) => name.to_owned(),
            (DEFAULT_REGISTRY, None) => self.repository.to_string(),
            (registry, _) => format!("{registry}/{}", self.repository),
        }
    }

    /// Returns the full name without tag and digest: `docker.io/library/debian`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Returns the same repository with another tag and no digest.
    ///
    /// # Errors
    ///
    /// If `tag` does not match the grammar.
    pub fn with_tag(&self, tag: &str) -> Result<Self, BadReference> {
        if !is_tag(tag) {
            return Err(BadReference::Format(tag.to_owned()));
        }
        Ok(Self { tag: Some(tag.into()), digest: None, ..self.clone() })
    }

    /// Returns the same repository with a digest and no tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    fn from_str(s: &str) -> Result<Self, BadReference> {
        let bad = || BadReference::Format(s.chars().take(300).collect());
        let (rest, digest) = match s.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(|_| bad())?)),
            None => (s, None),
        };
        // A colon after the last slash starts a tag; before it, a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad());
        }
        let (registry, path) = split_registry(name);
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(BadReference::Uppercase(name.to_owned()));
        }
        let path = match (registry, path.contains('/')) {
            (DEFAULT_REGISTRY, false) => format!("library/{path}"),
            _ => path.to_owned(),
        };
        // A full image id must not be taken for a repository name.
        let is_id = crate::base::id::is_hex(name, 64);
        if is_id || !is_host(registry) || path.len() > 255 || !path.split('/').all(is_component) {
            return Err(bad());
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.into()),
            (None, Some(_)) => None,
            (None, None) => Some(DEFAULT_TAG.into()),
        };
        Ok(Self { registry: registry.into(), repository: path.into(), tag, digest })
    }
}

/// Splits off the registry. The first component is one if it looks like a host. Docker's old names
/// of its registry are accepted.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some(("index.docker.io" | "registry-1.docker.io", path)) => (DEFAULT_REGISTRY, path),
        Some((host, path)) if host == "localhost" || host.contains(['.', ':']) || has_upper(host) => {
            (host, path)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn has_upper(s: &str) -> bool {
    s.bytes().any(|b| b.is_ascii_uppercase())
}

/// Whether this is a `host[:port]`, including `[::1]:5000`.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let name_fits = match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
        }),
    };
    port_fits && name_fits
}

/// Whether this is `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_component(part: &str) -> bool {
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    alnum(first)
        && alnum(last)
        && part
            .split(|c: char| alnum(u8::try_from(c).unwrap_or(b' ')))
            .filter(|separator| !separator.is_empty())
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-'))
}

/// Whether this is `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= 128 && bytes.next().is_some_and(word) && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'))
}

impl TryFrom<String> for Reference {
    type Error = BadReference;

    fn try_from(s: String) -> Result<Self, BadReference> {
        s.parse()
    }
}

impl From<Reference> for String {
    /// Returns the full form, which parses back to the same reference.
    fn from(reference: Reference) -> Self {
        let mut text = reference.full_name();
        if let Some(tag) = &reference.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &reference.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
        text
    }
}

impl fmt::Display for Reference {
    /// Formats the familiar form: `debian:latest`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn familiar_and_full_forms() {
        for (text, full, shown) in [
            ("debian", "docker.io/library/debian:latest", "debian:latest"),
            ("docker.io/library/debian:12", "docker.io/library/debian:12", "debian:12"),
            ("index.docker.io/acme/web", "docker.io/acme/web:latest", "acme/web:latest"),
            ("acme/web:2", "docker.io/acme/web:2", "acme/web:2"),
            ("localhost/web", "localhost/web:latest", "localhost/web:latest"),
            ("localhost:5000/a/b/c:x", "localhost:5000/a/b/c:x", "localhost:5000/a/b/c:x"),
            ("[::1]:5000/web", "[::1]:5000/web:latest", "[::1]:5000/web:latest"),
            ("a__b/c--d.e", "docker.io/a__b/c--d.e:latest", "a__b/c--d.e:latest"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(String::from(reference.clone()), full);
            assert_eq!(reference.to_string(), shown);
            assert_eq!(full.parse::<Reference>().unwrap(), reference);
        }
    }

    #[test]
    fn a_digest_stands_without_a_tag() {
        let digest = Digest::of(b"x");
        let reference: Reference = format!("web@{digest}").parse().unwrap();
        assert_eq!((reference.tag(), reference.digest()), (None, Some(&digest)));
        let both: Reference = format!("web:1@{digest}").parse().unwrap();
        assert_eq!((both.tag(), both.digest()), (Some("1"), Some(&digest)));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let (id, long) = ("a".repeat(64), format!("a/{}", "b".repeat(255)));
        for bad in [
            "",
            " ",
            ":tag",
            "web:",
            "web:-x",
            "web@sha256:abc",
            "../web",
            "/web",
            "web/",
            "a//b",
            "-a",
            "a-",
            "a___b",
            "a..b",
            "http://x/y",
            "host.x:99999/web",
            "we b",
            "wéb",
            id.as_str(),
            long.as_str(),
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
        assert_eq!(
            "Web".parse::<Reference>().unwrap_err().to_string(),
            "invalid reference format: repository name (`Web`) must be lowercase"
        );
    }
}
