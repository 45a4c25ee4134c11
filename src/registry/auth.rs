//! Authentication: challenges, tokens, and the credentials to get them.
//!
//! ```text
//! GET …/manifests/latest            → 401 WWW-Authenticate: Bearer realm="https://auth…",service="…",scope="…"
//! GET https://auth…?service=…&scope=…  [Authorization: Basic …]   → {"token": "…", "expires_in": 300}
//! GET …/manifests/latest  Authorization: Bearer …                 → 200
//! ```
//! <https://distribution.github.io/distribution/spec/auth/token/>

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::error::Login;
use crate::base::disk;
use crate::oci::reference::DEFAULT_REGISTRY;

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user name and password.
    Basic,
    /// A token from this token server.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The user's credentials for one registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// The value after `Basic ` in the header.
    Basic(String),
    /// A refresh token, to be exchanged for a token at the token server.
    Identity(String),
    /// A token to be sent as it is.
    Registry(String),
}

impl fmt::Debug for Credentials {
    /// Shows only the kind, never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic(_) => "Basic",
            Self::Identity(_) => "Identity",
            Self::Registry(_) => "Registry",
        })
    }
}

/// The credentials found for a registry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) credentials: Option<Credentials>,
    /// What to report if they are not sufficient.
    pub(super) login: Login,
    /// Why the file could not be used.
    pub(super) warning: Option<String>,
}

/// Parses the challenges in `WWW-Authenticate` headers, each of which may contain several. Prefers
/// Bearer to Basic, and the first of a kind.
pub(super) fn challenge<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<_> = headers.flat_map(split_challenges).collect();
    let bearer = all.iter().find(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if let Some((_, parameters)) = bearer {
        let get = |name: &str| parameters.get(name).filter(|value| !value.is_empty()).cloned();
        let (service, scope) = (get("service"), get("scope"));
        return get("realm").map(|realm| Challenge::Bearer { realm, service, scope });
    }
    all.iter().any(|(scheme, _)| scheme.eq_ignore_ascii_case("basic")).then_some(Challenge::Basic)
}

/// Parses `Scheme key="value", key=value, Scheme …` into schemes and their parameters.
fn split_challenges(header: &str) -> Vec<(String, HashMap<String, String>)> {
    let mut challenges: Vec<(String, HashMap<String, String>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', '=', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return challenges;
        }
        match (after.trim_start().strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, after) = parameter_value(value.trim_start());
                parameters.insert(word.to_ascii_lowercase(), value);
                rest = after;
            }
            (Some(_), None) => return challenges, // a parameter without a scheme
            (None, _) => {
                challenges.push((word.to_owned(), HashMap::new()));
                rest = after;
            }
        }
    }
}

/// Parses a token or a quoted string, and returns it with the rest of the text.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// Looks up `host` (`host[:port]`, as in a reference or of a mirror) in the credentials file. A
/// missing file has no credentials. A file that cannot be used only causes a warning, as in Docker:
/// public images need no credentials.
pub(super) fn find(path: Option<&Path>, host: &str) -> Found {
    let nothing = Found { credentials: None, login: Login::None, warning: None };
    let Some(path) = path else { return nothing };
    let unused = |why: &dyn std::fmt::Display| {
        Some(format!("the credentials in {} are ignored: {why}", path.display()))
    };
    match disk::read_bytes(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => nothing,
        Err(error) => Found { warning: unused(&error), ..nothing },
        Ok(text) => find_in(&text, host).unwrap_or_else(|error| Found { warning: unused(&error), ..nothing }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: HashMap<String, Entry>,
    #[serde(default)]
    cred_helpers: HashMap<String, String>,
    #[serde(default)]
    creds_store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

fn find_in(text: &[u8], host: &str) -> std::result::Result<Found, serde_json::Error> {
    let file: File = serde_json::from_slice(text)?;
    let names_host = |key: &&String| host_of(key) == canonical(host);
    let entry = file.auths.keys().find(names_host).and_then(|key| file.auths.get(key));
    let credentials = entry.and_then(|entry| match entry {
        Entry { registrytoken, .. } if !registrytoken.is_empty() => {
            Some(Credentials::Registry(registrytoken.clone()))
        }
        Entry { identitytoken, .. } if !identitytoken.is_empty() => {
            Some(Credentials::Identity(identitytoken.clone()))
        }
        Entry { auth, .. } if !auth.is_empty() => Some(Credentials::Basic(auth.clone())),
        Entry { username, password, .. } if !username.is_empty() => {
            Some(Credentials::Basic(base64(format!("{username}:{password}").as_bytes())))
        }
        _ => None,
    });
    let has_helper = !file.creds_store.is_empty() || file.cred_helpers.keys().any(|key| names_host(&key));
    let login = match (&credentials, has_helper) {
        (Some(_), _) => Login::Sent,
        (None, true) => Login::WithHelper,
        (None, false) => Login::None,
    };
    Ok(Found { credentials, login, warning: None })
}

/// Returns the host of a key such as `https://index.docker.io/v1/` or `quay.io`.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = bare.strip_suffix("/v1/").or_else(|| bare.strip_suffix("/v2/")).unwrap_or(bare);
    canonical(host.trim_end_matches('/'))
}

/// Maps the alternative names of the default registry to one.
fn canonical(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
        other => other,
    }
}

/// Encodes Base64, RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let get = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = get(0) << 16 | get(1) << 8 | get(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            text.push(if at <= three.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let (service, scope) = (service.map(str::to_owned), scope.map(str::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    #[test]
    fn challenges_are_read_in_every_spelling() {
        for (header, want) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            ("", None),
            ("Negotiate", None),
            ("Bearer service=\"no realm\"", None),
            (
                r#"Bearer realm="https://a.test/token",service="s",scope="repository:a/b:pull,push""#,
                bearer("https://a.test/token", Some("s"), Some("repository:a/b:pull,push")),
            ),
            (r#"bearer Realm = "https://a/\"q" , Scope=x"#, bearer("https://a/\"q", None, Some("x"))),
            (r#"Basic realm="a, b", Bearer realm="r""#, bearer("r", None, None)),
            ("Bearer realm=\"open", bearer("open", None, None)),
        ] {
            assert_eq!(challenge([header].into_iter()), want, "{header}");
        }
        assert_eq!(challenge(["Basic x=y", "Bearer realm=r"].into_iter()), bearer("r", None, None));
    }

    #[test]
    fn a_file_of_credentials_that_cannot_be_used_costs_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        let said = |path: &Path| {
            let Found { credentials, warning, .. } = find(Some(path), "docker.io");
            assert_eq!(credentials, None);
            warning
        };
        assert_eq!(said(&file), None, "it is not there");
        std::fs::write(&file, "{").unwrap();
        let start = format!("the credentials in {} are ignored: ", file.display());
        assert_eq!(said(&file), Some(format!("{start}EOF while parsing an object at line 1 column 1")));
        let start = format!("the credentials in {} are ignored: ", dir.path().display());
        assert!(said(dir.path()).is_some_and(|said| said.starts_with(&start)));
    }

    #[test]
    fn credentials_are_found_under_every_name_of_a_registry() {
        let file = br#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHVi"},
            "reg.test:5000": {"username": "me", "password": "a:b"},
            "https://token.test": {"identitytoken": "fresh", "auth": "eA=="},
            "helped.test": {}
        }, "credHelpers": {"gcr.test": "gcloud"}}"#;
        let find = |host: &str| find_in(file, host).unwrap();
        for hub in ["docker.io", "registry-1.docker.io"] {
            assert_eq!(find(hub).credentials, Some(Credentials::Basic("aHVi".to_owned())));
        }
        assert_eq!(find("reg.test:5000").credentials, Some(Credentials::Basic("bWU6YTpi".to_owned())));
        assert_eq!(find("reg.test").credentials, None, "another port is another registry");
        assert_eq!(find("token.test").credentials, Some(Credentials::Identity("fresh".to_owned())));
        assert_eq!(find("gcr.test").login, Login::WithHelper);
        assert_eq!(find("helped.test").login, Login::None);
        assert!(!format!("{:?}", find("token.test")).contains("fresh"));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
