//! What a request refers to: files that its words name, variables of the caller, its folder.

use std::io;
use std::path::{Path, PathBuf};

use super::{Request, Usage};
use crate::config::{Environment, Flags};

/// What words may refer to: variables and files of who wrote them.
#[derive(Debug, Clone)]
pub struct World {
    /// For `-e NAME` and `--env-file`.
    pub environment: Environment,
    /// What relative paths start from.
    pub folder: PathBuf,
    /// Reads a file that is named.
    pub read: fn(&Path) -> io::Result<String>,
}

impl World {
    /// The path as an absolute one.
    #[must_use]
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// The flags with absolute paths.
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

/// A request that is complete: it names no file that is still to be read, and no relative path.
/// Only what is resolved is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved(Request);

impl Resolved {
    /// What to do.
    #[must_use]
    pub fn into_request(self) -> Request {
        self.0
    }
}

impl Request {
    /// Reads what it refers to.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or is not what its option takes.
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
