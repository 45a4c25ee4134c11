//! Resolves what a request refers to: files, the caller's variables, and relative paths.

use std::io;
use std::path::{Path, PathBuf};

use super::{Request, Usage};
use crate::config::{Environment, Flags};

/// The caller's environment and files, which arguments can refer to.
#[derive(Debug, Clone)]
pub struct World {
    /// Variables for `-e NAME` and `--env-file`.
    pub environment: Environment,
    /// The folder that relative paths are based on.
    pub folder: PathBuf,
    /// Reads a file.
    pub read: fn(&Path) -> io::Result<String>,
}

impl World {
    /// Makes a path absolute.
    #[must_use]
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// Makes the paths in the flags absolute.
    #[must_use]
    pub fn flags(&self, flags: Flags) -> Flags {
        let absolute = |path: Option<PathBuf>| path.map(|path| self.absolute(path));
        Flags {
            file: absolute(flags.file),
            root: absolute(flags.root),
            run_root: absolute(flags.run_root),
            read_only: flags.read_only,
        }
    }
}

/// A complete request, without files to read or relative paths. Only resolved requests are
/// executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved(Request);

impl Resolved {
    /// Returns the request.
    #[must_use]
    pub fn into_request(self) -> Request {
        self.0
    }
}

impl Request {
    /// Reads what the request refers to.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is invalid for its option.
    pub fn resolve(self, world: &World) -> Result<Resolved, Usage> {
        let verb = self.verb();
        let resolved = match self {
            Self::Container(request) => request.resolve(world).map(Self::Container),
            Self::Image(request) => Ok(Self::Image(request.resolve(world))),
            other => Ok(other),
        };
        resolved.map(Resolved).map_err(|usage| match verb {
            Some(verb) => usage.of(verb),
            None => usage,
        })
    }
}
