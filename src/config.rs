//! The configuration: TOML files, environment variables, and the platform's folders.
//!
//! ```text
//! /etc/hoist/config.toml  <  $XDG_CONFIG_HOME/hoist/config.toml  <  HOIST_… variables  <  flags
//! ```
//! A later source overrides earlier ones key by key. `--config FILE` (or `HOIST_CONFIG`) replaces
//! both files. Only this module and `main.rs` read the environment; everything else is passed what
//! it needs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

#[cfg(test)]
mod documents;
mod syntax;
mod ui;

use crate::base::{ErrorKind, Explain, Paths, disk, units};
pub use syntax::SyntaxError;
use ui::{CommandSection, UiSection};
pub use ui::{Custom, Icons, Line, Navigator, Preset, Ui, Whither};

/// The system-wide configuration file.
const SYSTEM_FILE: &str = "/etc/hoist/config.toml";
/// Default folder of persistent state.
const DEFAULT_ROOT: &str = "/var/lib/hoist";
/// Default folder of state that does not survive a reboot.
const DEFAULT_RUN: &str = "/run/hoist";

/// The environment variables, read once.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Reads the process's environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn read() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Returns the value of `name` if it is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns the number of sockets that systemd or the like passes to this process, as descriptors
    /// from 3 on: see sd_listen_fds(3).
    #[must_use]
    pub fn sockets_passed(&self) -> i32 {
        let number = |name: &str| self.text(name)?.parse::<u32>().ok();
        let is_ours = number("LISTEN_PID") == Some(std::process::id());
        let count = number("LISTEN_FDS").filter(|_| is_ours).and_then(|count| i32::try_from(count).ok());
        count.unwrap_or(0)
    }

    /// Returns the value of `name` if it is set, not empty, and valid UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(OsStr::to_str).map(str::to_owned)
    }

    /// Returns every variable with its value, to pass them on.
    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Returns every variable whose name and value are valid UTF-8.
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

/// Command line flags that override the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`
    pub file: Option<PathBuf>,
    /// `--root`
    pub root: Option<PathBuf>,
    /// `--run-root`
    pub run_root: Option<PathBuf>,
    /// `--read-only`, for the terminal UI.
    pub read_only: bool,
}

/// The complete configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where state is stored.
    pub paths: Paths,
    /// How registries are accessed.
    pub registry: Registry,
    /// How long removed objects are kept.
    pub trash: Trash,
    /// Limits of images.
    pub images: Images,
    /// How the terminal UI looks and behaves.
    pub ui: Ui,
    /// Settings that were ignored, and why, for display.
    pub warnings: Vec<String>,
}

/// `[images]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Maximum size of a layer or an archive in bytes, compressed and uncompressed.
    pub max_size: Option<u64>,
}

/// `[trash]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trash {
    /// How long objects stay in the trash; zero disables it.
    pub keep: Option<Duration>,
}

/// `[registry]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Mirror URLs that are tried first for images of docker.io.
    pub mirrors: Vec<String>,
    /// `host[:port]` or a network (`10.0.0.0/8`) for which plain HTTP and unverified certificates
    /// are accepted.
    pub insecure: Vec<String>,
    /// Folders that contain `<host[:port]>/{ca.crt,client.cert,client.key}`.
    pub certificates: Vec<PathBuf>,
    /// Docker's credentials file, if there is one.
    pub credentials: Option<PathBuf>,
    /// `HTTPS_PROXY`
    pub https_proxy: Option<String>,
    /// `HTTP_PROXY`
    pub http_proxy: Option<String>,
    /// `NO_PROXY`
    pub no_proxy: Option<String>,
}

/// A position in a file for display; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Spot {
    pub line: usize,
    pub column: usize,
}

impl Spot {
    /// Returns the position of the byte at `offset` of `text`.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A position in one of the user's files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct At {
    pub file: PathBuf,
    pub spot: Spot,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.file.display(), self.spot)
    }
}

/// An invalid configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is invalid; the source has line and column.
    #[error("the configuration file {path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The error with its position.
        source: Box<SyntaxError>,
    },
    /// A state folder is not an absolute path.
    #[error("`{what}` must be an absolute path: {path}")]
    Relative {
        /// The key, variable or flag.
        what: &'static str,
        /// Its value.
        path: PathBuf,
    },
}

impl Error {
    /// Returns whether permission to read the file was denied.
    fn is_denied(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Returns a one-line message with file, position and cause.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Parse { path, source } => {
                let spot = source.spot().map_or_else(String::new, |spot| format!(", {spot}"));
                format!("{}{spot}: {}", path.display(), source.message())
            }
            Self::Read { path, source } => format!("{}: {source}", path.display()),
            Self::Relative { .. } => self.to_string(),
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Parse { .. } => Some("see docs/configuration.md for the available keys".to_owned()),
            Self::Read { .. } | Self::Relative { .. } => None,
        }
    }
}

/// The file's format. Unknown keys are rejected, since a misspelled one would silently have no
/// effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    root: Option<PathBuf>,
    run_root: Option<PathBuf>,
    registry_mirrors: Option<Vec<String>>,
    insecure_registries: Option<Vec<String>>,
    images: ImagesSection,
    trash: TrashSection,
    ui: UiSection,
    command: Vec<CommandSection>,
    /// The file's path and text, for the positions of its commands.
    #[serde(skip)]
    from: (PathBuf, String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct TrashSection {
    #[serde(deserialize_with = "span")]
    keep: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct ImagesSection {
    #[serde(deserialize_with = "size")]
    max_size: Option<u64>,
}

/// Parses a size as Docker does for memory: `512m`, `40g`.
fn size<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(from)?;
    match units::parse_size(&text) {
        Ok(size) if size > 0 => Ok(Some(size)),
        _ => Err(serde::de::Error::custom(format!("expected a size such as 512m or 40g, found `{text}`"))),
    }
}

/// Parses a duration: `90s`, `30m`, `24h`, `7d`, or `0`.
fn span<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = || {
        serde::de::Error::custom(format!("expected a duration such as 30m, 24h or 7d, or 0, found `{text}`"))
    };
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

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    ///
    /// A file that is named explicitly is missing, or a file is invalid. A missing default file is
    /// not an error. Neither is a user's default file without read permission, since `HOME` may
    /// have been passed on from another user; it is skipped with a warning.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, Error> {
        let dirs = directories::ProjectDirs::from("", "", "hoist");
        let folder = dirs.as_ref().map(|dirs| dirs.config_dir().to_owned());
        let named = flags.file.clone().or_else(|| environment.get("HOIST_CONFIG").map(PathBuf::from));
        let is_named = named.is_some();
        let user = folder.as_ref().map(|folder| folder.join("config.toml"));
        let paths: Vec<PathBuf> = match named {
            Some(path) => vec![path],
            None => user.iter().cloned().chain([SYSTEM_FILE.into()]).collect(),
        };
        let (mut files, mut warnings) = (Vec::new(), Vec::new());
        for path in &paths {
            match read(path, if is_named { disk::read_text } else { disk::read_regular_text }) {
                Ok(file) => files.push(file),
                Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound && !is_named => {}
                Err(error) if !is_named && user.as_ref() == Some(path) && error.is_denied() => {
                    warnings.push(format!("ignoring the configuration: {}", error.line()));
                }
                Err(error) => return Err(error),
            }
        }
        let mut config = Self::merge(flags, environment, files)?;
        config.warnings = warnings;
        (config.ui.folder, config.ui.files) = (folder, paths);
        config.ui.state = dirs.and_then(|dirs| dirs.state_dir().map(Path::to_owned));
        Ok(config)
    }

    /// Merges the sources; the first file takes precedence.
    fn merge(flags: &Flags, environment: &Environment, files: Vec<File>) -> Result<Self, Error> {
        let mut first = File::default();
        let mut commands: Vec<Custom> = Vec::new();
        for file in files {
            let (path, text) = file.from;
            for command in file.command {
                let command = command.into_command(&path, &text);
                let is_replaced = commands.iter().any(|stronger| {
                    stronger.name == command.name && stronger.key.1.file != command.key.1.file
                });
                if !is_replaced {
                    commands.push(command);
                }
            }
            first.root = first.root.or(file.root);
            first.run_root = first.run_root.or(file.run_root);
            first.registry_mirrors = first.registry_mirrors.or(file.registry_mirrors);
            first.insecure_registries = first.insecure_registries.or(file.insecure_registries);
            first.images.max_size = first.images.max_size.or(file.images.max_size);
            first.trash.keep = first.trash.keep.or(file.trash.keep);
            first.ui = first.ui.or(file.ui);
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
            images: Images { max_size: first.images.max_size },
            trash: Trash { keep: first.trash.keep },
            ui: Ui { commands, ..first.ui.into_ui(flags, environment) },
            warnings: Vec::new(),
        })
    }
}

/// Reads a file with `text`: a file that the user named for this call may be a pipe.
fn read(path: &Path, text: fn(&Path) -> io::Result<String>) -> Result<File, Error> {
    let text = text(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let mut file = parse(&text).map_err(|source| Error::Parse {
        path: path.into(),
        source: Box::new(SyntaxError::new(&text, source.message(), source.span())),
    })?;
    file.from = (path.into(), text);
    Ok(file)
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
        Config::merge(flags, &environment, files).unwrap()
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
    fn a_pipe_in_the_place_of_a_default_file_is_refused_and_a_device_is_an_empty_file() {
        use rustix::fs::{CWD, FileType, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let [pipe, link] = ["pipe", "link"].map(|name| dir.path().join(name));
        mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let error = read(&pipe, disk::read_regular_text).err().unwrap();
        assert!(error.line().ends_with("it is not a regular file"), "{}", error.line());
        assert!(read(&link, disk::read_regular_text).is_ok());
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
        assert!(error.contains("expected a duration such as 30m, 24h or 7d, or 0, found `1 day`"), "{error}");
        let files = ["[ui]", "[trash]\nkeep = '1h'"];
        let config = merged(&Flags::default(), &[], &files);
        assert_eq!(config.trash.keep, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn images_have_a_largest_size() {
        let size =
            |text: &str| parse(&format!("[images]\nmax-size = '{text}'")).map(|file| file.images.max_size);
        assert_eq!((size("512m").unwrap(), size("40g").unwrap()), (Some(512 << 20), Some(40 << 30)));
        for wrong in ["", "0", "-1", "m", "99999999999999999999g"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        let config = merged(&Flags::default(), &[], &["[ui]", "[images]\nmax-size = '1g'"]);
        assert_eq!(config.images.max_size, Some(1 << 30));
    }

    #[test]
    fn a_relative_state_folder_is_refused() {
        let flags = Flags { root: Some("x".into()), ..Flags::default() };
        let error = Config::merge(&flags, &Environment::default(), vec![]).unwrap_err();
        assert_eq!(error.to_string(), "`root` must be an absolute path: x");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let flags = Flags { file: Some("/nowhere/config.toml".into()), ..Flags::default() };
        let error = Config::load(&flags, &Environment::default()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read the configuration file /nowhere/config.toml");
    }

    #[test]
    fn how_the_terminal_ui_looks_is_read_key_by_key() {
        let ui =
            |environment: &[(&str, &str)], files: &[&str]| merged(&Flags::default(), environment, files).ui;
        assert_eq!(ui(&[], &[]), Ui::default());
        let files = [
            "[ui]\nicons = 'ascii'\nkeymap = 'k9s'\nmouse = false",
            "[ui]\nicons = 'nerd'\ntheme = 'paper'\nread-only = true",
        ];
        let merged = ui(&[("SSH_TTY", "/dev/pts/1"), ("NO_COLOR", "1")], &files);
        assert_eq!(merged.icons, Some(Icons::Ascii));
        assert_eq!((merged.keymap, merged.theme.as_deref()), (Preset::K9s, Some("paper")));
        assert!(!merged.mouse && !merged.motion && merged.read_only && merged.no_color);
        // The system administrator can forbid changes; the user cannot allow them again.
        assert!(ui(&[], &["[ui]\nread-only = false", "[ui]\nread-only = true"]).read_only);
        for (text, place) in [
            ("[ui]\nicons = 'emoji'", "line 2, column 9"),
            ("[ui]\nkeymap = 'emacs'", "line 2, column 10"),
            ("[ui]\nread_only = true", "line 2, column 1"),
            ("[ui]\nmouse = 'yes'", "line 2, column 9"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn commands_of_the_users_come_with_their_places_in_the_file() {
        let text = "[[command]]\nname = 'ping'\nkey = 'g 1'\nplace = 'containers'\nrun = 'ping {ip}'\n\
                    [[command]]\nname = 'sh'\nkey = 'g 2'\nplace = 'containers'\nrun = ['sh', '-l']\n\
                    where = 'container'\nconfirm = true\npane = true\n";
        let mut file = parse(text).unwrap();
        file.from = ("/c.toml".into(), text.to_owned());
        let config = Config::merge(&Flags::default(), &Environment::default(), vec![file]).unwrap();
        let [ping, shell] = config.ui.commands.as_slice() else { panic!("{:?}", config.ui.commands) };
        assert_eq!((ping.name.as_str(), ping.key.0.as_str(), ping.whither), ("ping", "g 1", Whither::Host));
        assert_eq!(ping.key.1.to_string(), "/c.toml, line 3, column 7");
        assert_eq!(ping.run.0, Line::Shell("ping {ip}".to_owned()));
        assert_eq!(
            (&shell.run.0, shell.whither),
            (&Line::Words(vec!["sh".into(), "-l".into()]), Whither::Container)
        );
        assert!(shell.confirm && !ping.confirm);
        let pane = shell.pane.as_ref().map(|(pane, at)| (*pane, at.to_string()));
        assert_eq!((&ping.pane, pane), (&None, Some((true, "/c.toml, line 13, column 8".to_owned()))));
        for (text, place) in [
            ("[[command]]\nname = 'x'\n", "missing field"),
            ("[[command]]\nname='x'\nkey='a'\nplace='lists'\nrun='x'\nwhere='moon'", "line 6, column 7"),
            ("[[command]]\nname='x'\nkey='a'\nplace='lists'\nrun=3", "line 5, column 5"),
            ("[[command]]\nname='x'\nkey='a'\nplace='lists'\nrun='x'\npane='yes'", "line 6, column 6"),
            ("[[command]]\nname='x'\nkeys='a'", "line 3, column 1"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn a_broken_file_is_told_in_one_line_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[ui]\n  themes = 'x'\n").unwrap();
        let flags = Flags { file: Some(path.clone()), ..Flags::default() };
        let error = Config::load(&flags, &Environment::default()).unwrap_err();
        let line = error.line();
        let begin = format!("{}, line 2, column 3: unknown field `themes`", path.display());
        assert!(line.starts_with(&begin) && !line.contains('\n'), "{line}");
    }
}
