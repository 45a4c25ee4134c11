//! Errors of requests to registries.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::is_loopback;
use crate::base::error::{io_hint, io_kind};
use crate::base::{ErrorKind, Explain};
use crate::oci::{Digest, Platform};

/// The result of a request to a registry.
pub type Result<T> = std::result::Result<T, Error>;

/// A request to a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection could not be opened.
    #[error("cannot connect to `{host}`")]
    Connect {
        /// `host[:port]`.
        host: String,
        /// Whether the host name has no address.
        is_nameless: bool,
        /// The cause.
        source: Cause,
    },
    /// The connection broke.
    #[error("the connection to `{host}` was lost")]
    Broken {
        /// `host[:port]`.
        host: String,
        /// The cause.
        source: Cause,
    },
    /// The connection is open, but no data arrives.
    #[error("`{host}` sent nothing for {} s", .silence.as_secs_f32())]
    Stalled {
        /// `host[:port]`.
        host: String,
        /// How long.
        silence: Duration,
    },
    /// The response ended too early.
    #[error("`{host}` sent only {got} of {size} bytes")]
    Truncated {
        /// `host[:port]`.
        host: String,
        /// Bytes received.
        got: u64,
        /// Bytes announced.
        size: u64,
    },
    /// The registry is overloaded or broken.
    #[error("`{host}` answered {status}{}", registry_message(.message))]
    Busy {
        /// `host[:port]`.
        host: String,
        /// 429 or 5xx.
        status: u16,
        /// The registry's message.
        message: Option<String>,
        /// How long the registry asks to wait.
        after: Option<Duration>,
    },
    /// All attempts failed.
    #[error("`{host}` failed {tries} times in a row")]
    GaveUp {
        /// `host[:port]`.
        host: String,
        /// The number of attempts.
        tries: u32,
        /// The last error.
        source: Box<Error>,
    },
    /// The registry refused for another reason.
    #[error("`{host}` answered {status}{}", registry_message(.message))]
    Refused {
        /// `host[:port]`.
        host: String,
        /// 4xx.
        status: u16,
        /// The registry's message.
        message: Option<String>,
    },
    /// The registry does not have it.
    #[error("{what} not found on `{host}`")]
    Missing {
        /// `host[:port]`.
        host: String,
        /// `manifest for debian:13`, `blob sha256:…`.
        what: String,
    },
    /// Access is denied without a login, or with this one.
    #[error(
        "pull access denied for {repository}, repository does not exist or may require a login{}",
        registry_message(.message)
    )]
    Denied {
        /// `host[:port]`.
        host: String,
        /// As the user wrote it.
        repository: String,
        /// The registry's message.
        message: Option<String>,
        /// Whether credentials were sent.
        login: Login,
    },
    /// The authentication that the registry asks for is unsafe or unknown.
    #[error("`{host}` requires an unsupported login: {why}")]
    Challenge {
        /// `host[:port]`.
        host: String,
        /// `its token server is plain http`, …
        why: &'static str,
    },
    /// A redirect that must not be followed.
    #[error("`{host}` redirects to `{target}`: {why}")]
    Redirect {
        /// `host[:port]`.
        host: String,
        /// The target host.
        target: String,
        /// `that is not encrypted`, …
        why: &'static str,
    },
    /// The digest of the received bytes is wrong.
    #[error("`{host}` sent the wrong data: expected {want}, got {got}")]
    WrongDigest {
        /// `host[:port]`.
        host: String,
        /// The expected digest.
        want: Digest,
        /// The actual digest.
        got: Digest,
    },
    /// The size differs from the one in the manifest.
    #[error("`{host}` sent {got} bytes for {digest}, which has {want}")]
    WrongSize {
        /// `host[:port]`.
        host: String,
        /// The digest of the blob.
        digest: Digest,
        /// The size in the manifest.
        want: u64,
        /// The actual size, or the bytes received before the download was aborted.
        got: u64,
    },
    /// A document is too large.
    #[error("the {what} is larger than {limit} bytes")]
    TooLarge {
        /// `manifest`, `configuration`.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// A document is malformed.
    #[error("the {what} is malformed: {why}")]
    Malformed {
        /// `manifest`, `index`, …
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Something is not supported.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// It is another kind of artifact than an image.
    #[error("it is not an image but `{0}`")]
    NotAnImage(String),
    /// There is no image for the platform.
    #[error("there is no image for {wanted}{}", list(.offered))]
    NoPlatform {
        /// The requested platform.
        wanted: Platform,
        /// The available platforms.
        offered: Vec<Platform>,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use the certificates in {path}")]
    Certificates {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up TLS")]
    Client {
        /// The cause.
        source: Cause,
    },
    /// The proxy in the settings cannot be used.
    #[error("cannot use the proxy")]
    Proxy {
        /// The cause.
        source: Cause,
    },
    /// The received data could not be stored.
    #[error("cannot store the download")]
    Keep {
        /// The cause.
        source: io::Error,
    },
    /// The caller cancelled the request.
    #[error("it was cancelled")]
    Cancelled,
}

/// Whether credentials were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// They were, but are not sufficient.
    Sent,
    /// There are none for this registry.
    None,
    /// They are in a credential helper, which hoist does not call.
    WithHelper,
}

/// The root cause of an error in the HTTP library. The errors above it only repeat that there was a
/// request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        // A URL may contain a token.
        let error = error.without_url();
        let root = crate::base::error::chain(&error).pop().unwrap_or_default();
        // The resolver's message repeats the query in its own format.
        let is_nameless = error.is_dns() && root.contains("no records found");
        Self(if is_nameless { "the name does not resolve to an address".to_owned() } else { root })
    }
}

impl Error {
    /// Whether the same request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Broken { .. }
                | Self::Stalled { .. }
                | Self::Truncated { .. }
                | Self::Busy { .. }
        )
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Stalled { .. }
            | Self::Truncated { .. }
            | Self::Busy { .. }
            | Self::GaveUp { .. } => ErrorKind::Unreachable,
            Self::Missing { .. } | Self::NoPlatform { .. } => ErrorKind::NotFound,
            Self::Denied { .. } => ErrorKind::Denied,
            Self::Refused { .. } => ErrorKind::Invalid,
            Self::WrongDigest { .. }
            | Self::WrongSize { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => ErrorKind::Corrupt,
            Self::Unsupported(_) | Self::NotAnImage(_) | Self::Challenge { .. } | Self::Redirect { .. } => {
                ErrorKind::Unsupported
            }
            Self::Certificates { source, .. } | Self::Keep { source } => io_kind(source),
            Self::Client { .. } => ErrorKind::Internal,
            Self::Proxy { .. } => ErrorKind::Invalid,
            Self::Cancelled => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Connect { host, is_nameless: true, .. } => {
                Some(format!("check the spelling of `{host}`, and that this machine can resolve names"))
            }
            Self::Connect { host, .. } if is_loopback(host) => {
                Some(format!("check that `{host}` is running"))
            }
            Self::Connect { host, .. } => Some(format!(
                "check that `{host}` is running; a registry without https must be listed in insecure-registries"
            )),
            Self::Broken { .. } | Self::Stalled { .. } | Self::Truncated { .. } => Some(AGAIN.to_owned()),
            Self::Busy { status: 429, .. } => {
                Some("wait a while, log in, or set a mirror in registry-mirrors".to_owned())
            }
            Self::Busy { .. } => Some(AGAIN.to_owned()),
            Self::GaveUp { source, .. } => source.hint(),
            Self::Missing { .. } => Some("check the spelling of the name and the tag".to_owned()),
            Self::Denied { login: Login::Sent, .. } => Some("check the name and the login".to_owned()),
            Self::Denied { login: Login::None, host, .. } => Some(format!(
                "check the name; if it is private, add a login for `{host}` to `auths` in Docker's config.json"
            )),
            Self::Denied { login: Login::WithHelper, host, .. } => Some(format!(
                "the login for `{host}` is in a credential helper, which hoist does not use: add it to `auths`"
            )),
            Self::NoPlatform { offered, .. } if !offered.is_empty() => {
                Some("choose one of them with --platform".to_owned())
            }
            Self::WrongDigest { .. } | Self::WrongSize { .. } => Some(
                "the registry, or a proxy in between, is broken or malicious: tell its operator".to_owned(),
            ),
            Self::Client { .. } => {
                Some("install the system's certificate authorities (package ca-certificates)".to_owned())
            }
            Self::Keep { source } => io_hint(source),
            _ => None,
        }
    }
}

const AGAIN: &str = "pull again: the download resumes where it stopped";

fn registry_message(message: &Option<String>) -> String {
    message.as_ref().map(|message| format!(": {message}")).unwrap_or_default()
}

fn list(platforms: &[Platform]) -> String {
    match platforms {
        [] => String::new(),
        some => format!(": only for {}", some.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_and_the_hint_what_to_do() {
        let host = || "reg.test:5000".to_owned();
        let busy = |status| Error::Busy { host: host(), status, message: Some("no".to_owned()), after: None };
        let denied =
            |login| Error::Denied { host: host(), repository: "acme/web".to_owned(), message: None, login };
        let digest = Digest::of(b"x");
        let errors = [
            Error::Stalled { host: host(), silence: Duration::from_secs(30) },
            Error::Truncated { host: host(), got: 1, size: 2 },
            busy(429),
            Error::GaveUp { host: host(), tries: 5, source: Box::new(busy(503)) },
            Error::Refused { host: host(), status: 418, message: None },
            Error::Missing { host: host(), what: "manifest for acme/web:1".to_owned() },
            denied(Login::Sent),
            denied(Login::None),
            denied(Login::WithHelper),
            Error::Challenge { host: host(), why: "its token server is not encrypted" },
            Error::Redirect { host: host(), target: "cdn.test".to_owned(), why: "that is not encrypted" },
            Error::WrongDigest { host: host(), want: digest.clone(), got: digest.clone() },
            Error::WrongSize { host: host(), digest, want: 1, got: 2 },
            Error::TooLarge { what: "manifest", limit: 4 << 20 },
            Error::Malformed { what: "index", why: "a part is missing".to_owned() },
            Error::Unsupported("a layer of type `x`".to_owned()),
            Error::NotAnImage("x".to_owned()),
            Error::NoPlatform { wanted: Platform::host(), offered: vec![] },
            Error::Certificates { path: "/c".into(), source: io::ErrorKind::NotFound.into() },
            Error::Keep { source: io::ErrorKind::StorageFull.into() },
            Error::Cancelled,
        ];
        let registry_message = errors.map(|error| match error.hint() {
            Some(hint) => format!("{:?}: {error}\n  {hint}", error.kind()),
            None => format!("{:?}: {error}", error.kind()),
        });
        insta::assert_snapshot!(registry_message.join("\n"), @r"
        Unreachable: `reg.test:5000` sent nothing for 30 s
          pull again: the download resumes where it stopped
        Unreachable: `reg.test:5000` sent only 1 of 2 bytes
          pull again: the download resumes where it stopped
        Unreachable: `reg.test:5000` answered 429: no
          wait a while, log in, or set a mirror in registry-mirrors
        Unreachable: `reg.test:5000` failed 5 times in a row
          pull again: the download resumes where it stopped
        Invalid: `reg.test:5000` answered 418
        NotFound: manifest for acme/web:1 not found on `reg.test:5000`
          check the spelling of the name and the tag
        Denied: pull access denied for acme/web, repository does not exist or may require a login
          check the name and the login
        Denied: pull access denied for acme/web, repository does not exist or may require a login
          check the name; if it is private, add a login for `reg.test:5000` to `auths` in Docker's config.json
        Denied: pull access denied for acme/web, repository does not exist or may require a login
          the login for `reg.test:5000` is in a credential helper, which hoist does not use: add it to `auths`
        Unsupported: `reg.test:5000` requires an unsupported login: its token server is not encrypted
        Unsupported: `reg.test:5000` redirects to `cdn.test`: that is not encrypted
        Corrupt: `reg.test:5000` sent the wrong data: expected sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, got sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
          the registry, or a proxy in between, is broken or malicious: tell its operator
        Corrupt: `reg.test:5000` sent 2 bytes for sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, which has 1
          the registry, or a proxy in between, is broken or malicious: tell its operator
        Corrupt: the manifest is larger than 4194304 bytes
        Corrupt: the index is malformed: a part is missing
        Unsupported: a layer of type `x` is not supported
        Unsupported: it is not an image but `x`
        NotFound: there is no image for linux/amd64
        NotFound: cannot use the certificates in /c
        Internal: cannot store the download
          free some disk space there; in hoist's data folder, `hoist images` and `hoist rmi` show and remove what fills it
        Interrupted: it was cancelled
        ");
    }
}
