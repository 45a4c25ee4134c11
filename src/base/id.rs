//! Ids and names, parsed once and passed on as types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A string that is not a valid id or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not 64 lower-case hex digits.
    #[error("`{0}` is not an ID: expected 64 hex digits")]
    Hex(String),
    /// Not in Docker's grammar of names.
    #[error("invalid container name (`{0}`), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    Name(String),
}

impl super::Explain for BadId {
    fn kind(&self) -> super::ErrorKind {
        super::ErrorKind::Invalid
    }
}

macro_rules! hex_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Returns a new id of 256 random bits.
            ///
            /// # Errors
            ///
            /// If the kernel provides no random bytes.
            pub fn random() -> std::io::Result<Self> {
                Ok(Self(random_hex()?.into()))
            }

            /// Returns all 64 hex digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the first twelve digits, as shown in lists.
            #[must_use]
            pub fn short(&self) -> &str {
                &self.0[..12]
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(s: &str) -> Result<Self, BadId> {
                if is_hex(s, 64) { Ok(Self(s.into())) } else { Err(BadId::Hex(s.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(s: String) -> Result<Self, BadId> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.short())
            }
        }
    )*};
}

hex_ids! {
    /// The id of a container.
    ContainerId;
    /// The id of a command (`exec`) in a container.
    ExecId;
    /// The id of a network.
    NetworkId;
}

/// The name of a container, a network or a volume: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
///
/// It is always a single path component, and never hidden, `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Box<str>);

impl Name {
    /// Returns the name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = BadId;

    /// Parses a name. A leading slash, as in Docker's API, is dropped.
    fn from_str(s: &str) -> Result<Self, BadId> {
        let bare = s.strip_prefix('/').unwrap_or(s);
        let mut bytes = bare.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        // The maximum length of a directory entry.
        if first && rest && (2..=255).contains(&bare.len()) {
            Ok(Self(bare.into()))
        } else {
            Err(BadId::Name(s.to_owned()))
        }
    }
}

impl TryFrom<String> for Name {
    type Error = BadId;

    fn try_from(s: String) -> Result<Self, BadId> {
        s.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `s` is exactly `len` lower-case hex digits.
#[must_use]
pub fn is_hex(s: &str, len: usize) -> bool {
    s.len() == len && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns `bytes` as lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}"); // writing to a String cannot fail
        out
    })
}

/// Returns unpredictable random bytes.
///
/// # Errors
///
/// If the kernel provides none.
pub fn random_bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    let mut filled = 0;
    while filled < N {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

/// Returns a random id whose short form is not all digits, since some tools would take that for a
/// number. Docker does the same.
fn random_hex() -> std::io::Result<String> {
    loop {
        let id = hex(&random_bytes::<32>()?);
        if id[..12].bytes().any(|b| b.is_ascii_alphabetic()) {
            return Ok(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_64_lower_case_hex_digits() {
        let id = ContainerId::random().unwrap();
        assert_eq!(id.as_str().parse::<ContainerId>().unwrap(), id);
        assert_eq!(id.short().len(), 12);
        let upper = "A".repeat(64);
        for bad in ["", "abc", "../../etc/passwd", upper.as_str()] {
            assert_eq!(bad.parse::<ContainerId>(), Err(BadId::Hex(bad.to_owned())));
        }
    }

    #[test]
    fn a_name_follows_dockers_grammar() {
        for good in ["web", "a1", "Web_1.x-y", "/web"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in ["", "a", "-web", ".web", "we b", "a/b", "..", "wéb", long.as_str()] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
