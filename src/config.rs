//! What the user configured: TOML files, environment, and the folders of the platform.
//!
//! ```text
//! /etc/hoist/config.toml  <  $XDG_CONFIG_HOME/hoist/config.toml  <  HOIST_… variables  <  flags
//! ```
//! A later source overrides an earlier one key by key. `--config FILE` (or `HOIST_CONFIG`)
//! replaces both files. This module and `main.rs` alone read the environment; everything
//! else is handed what it needs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::base::{ErrorKind, Explain, Paths};

/// Read by every engine of the machine.
const SYSTEM_FILE: &str = "/etc/hoist/config.toml";
/// Where state lies unless something else is said.
const DEFAULT_ROOT: &str = "/var/lib/hoist";
/// Where live state lies unless something else is said.
const DEFAULT_RUN: &str = "/run/hoist";

/// The caller's environment, read once.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Reads the process's environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn read() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of `name`, if it is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, if it is set, not empty, and text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(OsStr::to_str).map(str::to_owned)
    }

    /// Every variable whose name and value are text.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let text = |s: &OsString| s.to_str().map(str::to_owned);
        self.0.iter().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// What flags on the command line say, over everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`
    pub file: Option<PathBuf>,
    /// `--root`
    pub root: Option<PathBuf>,
    /// `--run-root`
    pub run_root: Option<PathBuf>,
}

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where state lies.
    pub paths: Paths,
    /// How registries are reached.
    pub registry: Registry,
    /// What becomes of what is removed.
    pub trash: Trash,
    /// How the terminal UI looks and behaves.
    pub ui: Ui,
}

/// `[trash]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trash {
    /// How long it stays there; zero: it does not go there.
    pub keep: Option<Duration>,
}

/// `[registry]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Asked first for images of docker.io: URLs.
    pub mirrors: Vec<String>,
    /// `host[:port]` or a network (`10.0.0.0/8`): plain http and unchecked certificates are accepted.
    pub insecure: Vec<String>,
    /// A folder of folders `<host[:port]>/{ca.crt,client.cert,client.key}`.
    pub certificates: Vec<PathBuf>,
    /// Docker's file of credentials, if there is one.
    pub credentials: Option<PathBuf>,
    /// `HTTPS_PROXY`
    pub https_proxy: Option<String>,
    /// `HTTP_PROXY`
    pub http_proxy: Option<String>,
    /// `NO_PROXY`
    pub no_proxy: Option<String>,
}

/// `[ui]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// The name of a theme, of those shipped or of `<config folder>/themes`.
    pub theme: Option<String>,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// The user's folder of keymap and themes.
    pub folder: Option<PathBuf>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what it should be; the source names line and column.
    #[error("the configuration {path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml_edit::de::Error>,
    },
    /// A folder of state is not an absolute path.
    #[error("`{what}` must be an absolute path: {path}")]
    Relative {
        /// The key, variable or flag.
        what: &'static str,
        /// What it says.
        path: PathBuf,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Parse { .. } => Some("the keys are described in README.md, “Configuration”".to_owned()),
            Self::Read { .. } | Self::Relative { .. } => None,
        }
    }
}

/// The file's own form. Unknown keys are refused: a misspelt one would silently do nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    root: Option<PathBuf>,
    run_root: Option<PathBuf>,
    registry_mirrors: Option<Vec<String>>,
    insecure_registries: Option<Vec<String>>,
    trash: TrashSection,
    ui: UiSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct TrashSection {
    #[serde(deserialize_with = "span")]
    keep: Option<Duration>,
}

/// `90s`, `30m`, `24h`, `7d`, and `0`.
fn span<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = || serde::de::Error::custom(format!("want a time as 30m, 24h, 7d, or 0; found `{text}`"));
    if text == "0" {
        return Ok(Some(Duration::ZERO));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(wrong()),
    };
    Ok(Some(Duration::from_secs(number.checked_mul(unit).ok_or_else(wrong)?)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct UiSection {
    theme: Option<String>,
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    ///
    /// A file that is named but missing, or that is there but cannot be used. A default
    /// file that is missing is no error.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, Error> {
        let folder = directories::ProjectDirs::from("", "", "hoist").map(|dirs| dirs.config_dir().to_owned());
        let named = flags.file.clone().or_else(|| environment.get("HOIST_CONFIG").map(PathBuf::from));
        let files = match named {
            Some(path) => vec![read(&path)?],
            None => {
                let user = folder.as_ref().map(|folder| folder.join("config.toml"));
                let mut files = Vec::new();
                for path in user.iter().map(PathBuf::as_path).chain([Path::new(SYSTEM_FILE)]) {
                    match read(path) {
                        Ok(file) => files.push(file),
                        Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                files
            }
        };
        Self::merge(flags, environment, files, folder)
    }

    /// Joins the sources; `files` come with the strongest first.
    fn merge(
        flags: &Flags,
        environment: &Environment,
        files: Vec<File>,
        folder: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let mut first = File::default();
        for file in files {
            first.root = first.root.or(file.root);
            first.run_root = first.run_root.or(file.run_root);
            first.registry_mirrors = first.registry_mirrors.or(file.registry_mirrors);
            first.insecure_registries = first.insecure_registries.or(file.insecure_registries);
            first.trash.keep = first.trash.keep.or(file.trash.keep);
            first.ui.theme = first.ui.theme.or(file.ui.theme);
        }
        let variable = |name| environment.get(name).map(PathBuf::from);
        let root = flags.root.clone().or_else(|| variable("HOIST_ROOT")).or(first.root);
        let run = flags.run_root.clone().or_else(|| variable("HOIST_RUN_ROOT")).or(first.run_root);
        let root = absolute("root", root.unwrap_or_else(|| DEFAULT_ROOT.into()))?;
        let run = absolute("run-root", run.unwrap_or_else(|| DEFAULT_RUN.into()))?;
        let proxy = |upper: &str| environment.text(upper).or_else(|| environment.text(&upper.to_lowercase()));
        let docker_config =
            variable("DOCKER_CONFIG").or_else(|| variable("HOME").map(|home| home.join(".docker")));
        Ok(Self {
            paths: Paths::new(root, run),
            registry: Registry {
                mirrors: first.registry_mirrors.unwrap_or_default(),
                insecure: first.insecure_registries.unwrap_or_default(),
                certificates: vec!["/etc/hoist/certs.d".into(), "/etc/docker/certs.d".into()],
                credentials: docker_config.map(|dir| dir.join("config.json")),
                https_proxy: proxy("HTTPS_PROXY"),
                http_proxy: proxy("HTTP_PROXY"),
                no_proxy: proxy("NO_PROXY"),
            },
            trash: Trash { keep: first.trash.keep },
            ui: Ui {
                theme: environment.text("HOIST_THEME").or(first.ui.theme),
                no_color: environment.get("NO_COLOR").is_some(),
                folder,
            },
        })
    }
}

fn read(path: &Path) -> Result<File, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
    parse(&text).map_err(|source| Error::Parse { path: path.into(), source: Box::new(source) })
}

fn parse(text: &str) -> Result<File, toml_edit::de::Error> {
    toml_edit::de::from_str(text)
}

fn absolute(what: &'static str, path: PathBuf) -> Result<PathBuf, Error> {
    if path.is_absolute() { Ok(path) } else { Err(Error::Relative { what, path }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(flags: &Flags, environment: &[(&str, &str)], files: &[&str]) -> Config {
        let environment = environment.iter().copied().collect();
        let files = files.iter().map(|text| parse(text).unwrap()).collect();
        Config::merge(flags, &environment, files, None).unwrap()
    }

    #[test]
    fn flags_beat_variables_beat_the_users_file_beats_the_systems() {
        let files = ["root = '/user'", "root = '/system'\nrun-root = '/system-run'"];
        let flag = Flags { root: Some("/flag".into()), ..Flags::default() };
        let variable = [("HOIST_ROOT", "/variable")];
        let root = |config: Config| config.paths.root().to_owned();
        assert_eq!(root(merged(&flag, &variable, &files)), Path::new("/flag"));
        assert_eq!(root(merged(&Flags::default(), &variable, &files)), Path::new("/variable"));
        let config = merged(&Flags::default(), &[], &files);
        assert_eq!(config.paths, Paths::new("/user", "/system-run"));
        let config = merged(&Flags::default(), &[], &[]);
        assert_eq!(config.paths, Paths::new("/var/lib/hoist", "/run/hoist"));
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_line() {
        let error = parse("root = '/x'\nregistry-miror = []\n").unwrap_err();
        assert!(error.to_string().contains("line 2, column 1"), "{error}");
        assert!(error.to_string().contains("registry-miror"), "{error}");
    }

    #[test]
    fn what_is_removed_is_kept_as_long_as_is_said() {
        let keep = |text: &str| parse(&format!("[trash]\nkeep = '{text}'")).map(|file| file.trash.keep);
        for (text, seconds) in [("0", 0), ("90s", 90), ("30m", 1800), ("24h", 86_400), ("2w", 1_209_600)] {
            assert_eq!(keep(text).unwrap(), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "h", "24", "1.5h", "-1h", "99999999999999999999w", "18446744073709551615w"] {
            assert!(keep(wrong).is_err(), "{wrong}");
        }
        let error = keep("1 day").unwrap_err().to_string();
        assert!(error.contains("want a time as 30m, 24h, 7d, or 0; found `1 day`"), "{error}");
        let files = ["[ui]", "[trash]\nkeep = '1h'"];
        let config = merged(&Flags::default(), &[], &files);
        assert_eq!(config.trash.keep, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn a_relative_state_folder_is_refused() {
        let flags = Flags { root: Some("x".into()), ..Flags::default() };
        let error = Config::merge(&flags, &Environment::default(), vec![], None).unwrap_err();
        assert_eq!(error.to_string(), "`root` must be an absolute path: x");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let flags = Flags { file: Some("/nowhere/config.toml".into()), ..Flags::default() };
        let error = Config::load(&flags, &Environment::default()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read the configuration /nowhere/config.toml");
    }
}
