//! Platforms, `os/arch[/variant]`, and the choice of the best entry in an image index.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-index.md#platform-variants>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::{ErrorKind, Explain};

/// A string that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: expected os/arch or os/arch/variant, such as linux/arm64/v8")]
pub struct BadPlatform(String);

impl Explain for BadPlatform {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// The platform an image was built for, with Go's names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, …
    pub arch: String,
    /// `v7`, `v8`, …, for architectures with several variants.
    pub variant: Option<String>,
}

impl Platform {
    /// Returns the platform of this machine.
    #[must_use]
    pub fn host() -> Self {
        let (arch, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "x86" => ("386", None),
            "aarch64" => ("arm64", Some("v8")),
            "arm" => ("arm", Some("v7")),
            "powerpc64" => ("ppc64le", None),
            other => (other, None),
        };
        Self { os: "linux".to_owned(), arch: arch.to_owned(), variant: variant.map(str::to_owned) }
    }

    /// Returns the platform of this machine with its CPU's level: `linux/amd64/v3`.
    #[must_use]
    pub fn detected() -> Self {
        let mut host = Self::host();
        #[cfg(target_arch = "x86_64")]
        {
            let level = x86_64_level();
            host.variant = (level > 1).then(|| format!("v{level}"));
        }
        host
    }

    /// Returns how well an image for `offered` suits a request for `self`: higher is better, `None`
    /// if not at all. An older variant of arm runs on a newer one.
    #[must_use]
    pub fn fit(&self, offered: &Self) -> Option<u8> {
        if self.os != offered.os || self.arch != offered.arch {
            return None;
        }
        let level = |platform: &Self| match (platform.arch.as_str(), platform.variant.as_deref()) {
            (_, Some(variant)) => variant.trim_start_matches('v').parse::<u8>().ok(),
            ("arm64", None) => Some(8),
            ("arm", None) => Some(7),
            ("amd64", None) => Some(1),
            (_, None) => Some(0),
        };
        let (wanted, offered) = (level(self)?, level(offered)?);
        (offered <= wanted).then_some(offered)
    }
}

/// Returns the level of the x86-64 psABI, 1 to 4.
#[cfg(target_arch = "x86_64")]
fn x86_64_level() -> u8 {
    macro_rules! has {
        ($($feature:tt)*) => { $(std::arch::is_x86_feature_detected!($feature))&&* };
    }
    let two = has!("cmpxchg16b" "popcnt" "sse3" "sse4.1" "sse4.2" "ssse3");
    let three = two && has!("avx" "avx2" "bmi1" "bmi2" "f16c" "fma" "lzcnt" "movbe");
    let four = three && has!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl");
    1 + u8::from(two) + u8::from(three) + u8::from(four)
}

impl FromStr for Platform {
    type Err = BadPlatform;

    fn from_str(s: &str) -> Result<Self, BadPlatform> {
        let bad = || BadPlatform(s.to_owned());
        let word = |part: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
            (!part.is_empty() && part.bytes().all(fits)).then(|| part.to_ascii_lowercase())
        };
        let parts = s.split('/').map(word).collect::<Option<Vec<_>>>().ok_or_else(bad)?;
        let (os, arch, variant) = match parts.as_slice() {
            [os, arch] => (os, arch, None),
            [os, arch, variant] => (os, arch, Some(variant.clone())),
            _ => return Err(bad()),
        };
        let (arch, implied) = match arch.as_str() {
            "x86_64" | "x86-64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            "i386" => ("386", None),
            other => (other, None),
        };
        Ok(Self {
            os: os.clone(),
            arch: arch.to_owned(),
            variant: variant.or_else(|| implied.map(str::to_owned)),
        })
    }
}

impl TryFrom<String> for Platform {
    type Error = BadPlatform;

    fn try_from(s: String) -> Result<Self, BadPlatform> {
        s.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_in_every_common_spelling() {
        for (text, shown) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("Linux/ARM64/v8", "linux/arm64/v8"),
            ("linux/armhf", "linux/arm/v7"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), shown);
        }
        for bad in ["", "linux", "linux/", "linux/amd64/v1/x", "linux/a b"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_best_variant_is_the_newest_that_still_runs() {
        let fit =
            |wanted: &str, offered: &str| wanted.parse::<Platform>().unwrap().fit(&offered.parse().unwrap());
        assert!(fit("linux/arm/v7", "linux/arm/v7") > fit("linux/arm/v7", "linux/arm/v6"));
        assert_eq!(fit("linux/arm/v6", "linux/arm/v7"), None);
        assert!(fit("linux/arm64", "linux/arm64/v8").is_some());
        assert!(fit("linux/amd64", "linux/amd64").is_some());
        assert_eq!(fit("linux/amd64", "linux/arm64"), None);
        assert_eq!(fit("linux/amd64", "windows/amd64"), None);
    }
}
