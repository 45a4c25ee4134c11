//! The settings of an engine.

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::base::OWN_PROGRAM;
use crate::base::{Paths, disk, pair};
use crate::config::Config;
use crate::image::Limits;
use crate::registry;

use super::error::{Doing, Result};

use super::trash::Space;

/// The settings of an engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The location of the state.
    pub paths: Paths,
    /// Settings for registries.
    pub registry: registry::Settings,
    /// The hoist program, which is executed as a monitor: [`OWN_PROGRAM`], or another path if the
    /// engine runs in a different program, such as a test.
    pub program: PathBuf,
    /// How long removed objects stay in the trash. Zero disables the trash.
    pub keep: Duration,
    /// The limits for images.
    pub limits: Limits,
    /// Returns the free space on a disk: [`Space::of`], or a test's function.
    pub space: fn(&Path) -> Option<Space>,
}

/// The location of an engine's state, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The folder that survives a reboot.
    pub root: PathBuf,
    /// The folder that does not.
    pub run: PathBuf,
    /// The engine's name in the names of its cgroups and bridges.
    pub engine: String,
}

/// How long removed objects stay in the trash by default.
const KEEP: Duration = Duration::from_secs(24 * 3600);

impl Settings {
    /// Default settings with state in these folders, for tests.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self {
            paths,
            registry: registry::Settings::default(),
            program: OWN_PROGRAM.into(),
            keep: KEEP,
            limits: Limits::default(),
            space: Space::of,
        }
    }

    /// Returns the settings of the user's configuration.
    ///
    /// # Errors
    ///
    /// If a registry's name or a mirror's URL is invalid.
    pub fn from_config(config: &Config) -> Result<Self> {
        let from = &config.registry;
        let doing = || "read the registries from the configuration";
        let registry = registry::Settings {
            mirrors: from
                .mirrors
                .iter()
                .map(|url| url.parse())
                .collect::<std::result::Result<_, _>>()
                .doing(doing)?,
            insecure: from
                .insecure
                .iter()
                .map(|it| it.parse())
                .collect::<std::result::Result<_, _>>()
                .doing(doing)?,
            proxies: registry::Proxies {
                http: from.http_proxy.clone(),
                https: from.https_proxy.clone(),
                except: from.no_proxy.clone(),
            },
            certs: from.certificates.clone(),
            credentials: from.credentials.clone(),
            patience: registry::Patience::default(),
        };
        let keep = config.trash.keep.unwrap_or(KEEP);
        let mut limits = Limits::default();
        limits.layer = config.images.max_size.unwrap_or(limits.layer);
        Ok(Self { registry, keep, limits, ..Self::new(config.paths.clone()) })
    }

    /// Returns the location of the state.
    #[must_use]
    pub fn folders(&self) -> Folders {
        let paths = &self.paths;
        Folders { root: paths.root().into(), run: paths.run().into(), engine: paths.engine_name() }
    }

    /// Creates missing state folders with mode 0700, and checks that they belong to the caller and
    /// to each other.
    pub(super) fn make_folders(&self) -> Result<()> {
        let paths = &self.paths;
        let doing = || format!("use the state folder {}", paths.root().display());
        if !(paths.root().exists() && paths.run().exists()) {
            pair::check_partners(paths).doing(doing)?; // check first, to leave no folder behind
        }
        for dir in [paths.root(), paths.run()] {
            disk::private_dir(dir).doing(|| format!("open the state folder {}", dir.display()))?;
        }
        pair::check(paths).doing(doing)?;
        self.make_inner_folders().doing(|| format!("open the state folder {}", paths.root().display()))
    }

    /// Creates the folders that must be on disk before their contents, and the one needed for
    /// removals, which could not be created on a full disk.
    fn make_inner_folders(&self) -> disk::Result<()> {
        let paths = &self.paths;
        let inner = [
            paths.containers(),
            paths.container_names(),
            paths.images(),
            paths.refs(),
            paths.discarded(),
            paths.trash(),
        ];
        let mut made = false;
        for folder in inner.iter().filter(|folder| !folder.exists()) {
            match disk::private_dir(folder) {
                Err(error) if error.is_unwritable() => return Ok(()),
                result => result?,
            }
            made = true;
        }
        match (made, paths.container_names().parent()) {
            (true, Some(names)) => disk::sync_folders([names, paths.root()]),
            _ => Ok(()),
        }
    }
}
