//! What an engine is opened with.

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::base::OWN_PROGRAM;
use crate::base::{Paths, disk, pair};
use crate::config::Config;
use crate::image::Limits;
use crate::registry;

use super::error::{Doing, Result};

use super::trash::Space;

/// What an engine is opened with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where state lies.
    pub paths: Paths,
    /// How registries are reached.
    pub registry: registry::Settings,
    /// The hoist program, which is started again as monitor: [`OWN_PROGRAM`], and another
    /// one where the engine runs in a program that is not hoist (a test).
    pub program: PathBuf,
    /// How long what is removed stays in the trash; zero: it does not go there.
    pub keep: Duration,
    /// What an image may be at most.
    pub limits: Limits,
    /// How room on the disk is found out: [`Space::of`], and something else in a test.
    pub space: fn(&Path) -> Option<Space>,
}

/// Where an engine's state lies, for its users to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// What outlives a reboot.
    pub root: PathBuf,
    /// What does not.
    pub run: PathBuf,
    /// What the engine is called in the names of its cgroups and bridges.
    pub engine: String,
}

/// How long what is removed stays in the trash unless something else is said.
const KEEP: Duration = Duration::from_secs(24 * 3600);

impl Settings {
    /// State in these folders, and everything else as by default: what a test wants.
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

    /// As the user configured.
    ///
    /// # Errors
    ///
    /// When a registry's name or a mirror's URL is none.
    pub fn from_config(config: &Config) -> Result<Self> {
        let from = &config.registry;
        let doing = || "read the registries of the configuration";
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

    /// Where state lies.
    #[must_use]
    pub fn folders(&self) -> Folders {
        let paths = &self.paths;
        Folders { root: paths.root().into(), run: paths.run().into(), engine: paths.engine_name() }
    }

    /// Makes the state folders (mode 0700) where they are missing, and checks that they are
    /// the caller's and belong together.
    pub(super) fn make_folders(&self) -> Result<()> {
        let paths = &self.paths;
        let doing = || format!("use the state folder {}", paths.root().display());
        if !(paths.root().exists() && paths.run().exists()) {
            pair::check_partners(paths).doing(doing)?; // one that is refused leaves no folder behind
        }
        for dir in [paths.root(), paths.run()] {
            disk::private_dir(dir).doing(|| format!("open the state folder {}", dir.display()))?;
        }
        pair::check(paths).doing(doing)?;
        self.make_inner_folders().doing(|| format!("open the state folder {}", paths.root().display()))
    }

    /// The folders whose names must be on the disk before anything in them is, and the one that
    /// removing needs: on a full disk it could not be made.
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
