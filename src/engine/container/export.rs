//! `export`: the root file system of a container as an archive.
//!
//! ```text
//! stopped     its layers and its changes, mounted privately and read-only
//! running     a copy of its root's mount, taken inside its mount namespace
//! ```
//! Neither contains what is mounted in the container: mount points are empty folders and files, as
//! in Docker's exports. No lock is held during the export. A container may change its files
//! meanwhile; removing it makes the export fail.
//!
//! The copy keeps the run's overlay mounted until it has been read, so a restart meanwhile mounts
//! the same changes a second time. Nothing is ever written through the copy: it may show the files
//! of either run, but does not modify the container's files.

use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::super::archive::{self, ArchiveStream};
use super::super::error::{Doing, Result};
use super::super::{Engine, ErrorKind, Explain, Record, Reporter, files};
use super::{Containers, Warnings};
use crate::base::disk::Draft;
use crate::container::store;
use crate::layer;
use crate::monitor::journal::tell_or_warn;
use crate::sys::probe::Probe;

impl Containers<'_> {
    /// Exports the root file system of a container as a tar, without what is mounted in it.
    ///
    /// # Errors
    ///
    /// `No such container: x`, or if it is being started, stopped or restarted. Later errors are
    /// returned by the stream: a file shrank while it was read, or the container was removed.
    pub async fn export(&self, target: &str) -> Result<ArchiveStream> {
        let (record, tree) = self.on(target, root_alone).await?;
        let engine = self.engine.clone();
        Ok(archive::outgoing(move |out| {
            write(&engine, &record, &tree, out)?;
            Ok(engine.told_export(&record))
        }))
    }

    /// Exports to a file. The file gets its name when it is complete; until then, and on failure,
    /// an existing file remains.
    ///
    /// # Errors
    ///
    /// As for [`Self::export`]; if `path` exists and is not a regular file; if the file cannot be
    /// written; if the export is cancelled.
    pub async fn export_to(&self, target: &str, path: PathBuf, reporter: Reporter) -> Result<Warnings> {
        self.on(target, move |engine, target| engine.export_to(target, path, &reporter)).await
    }
}

fn root_alone(engine: &Engine, target: &str) -> Result<(Record, OwnedFd)> {
    files::root_alone(engine, target, || format!("export `{}`", engine.called(target)))
}

impl Engine {
    fn export_to(&self, target: &str, path: PathBuf, reporter: &Reporter) -> Result<Warnings> {
        let doing = || format!("export `{}`", self.called(target));
        let path = destination(path).doing(doing)?;
        let (record, tree) = files::root_alone(self, target, doing)?;
        let draft = Draft::unnamed(&path).doing(doing)?;
        let written = write(self, &record, &tree, Cancellable { out: draft.file(), reporter });
        if reporter.is_cancelled() {
            return Err(layer::Error::Interrupted).doing(doing);
        }
        written?;
        draft.replace().doing(doing)?;
        Ok(self.told_export(&record))
    }

    /// Writes the event of an export and returns a warning if that fails.
    fn told_export(&self, record: &Record) -> Warnings {
        Warnings(tell_or_warn(self.paths(), record, "export", &[]).into_iter().collect())
    }
}

fn write(engine: &Engine, record: &Record, tree: &OwnedFd, out: impl Write) -> Result<()> {
    let doing = || format!("export `{}`", record.name);
    let in_user_namespace = Probe::now().doing(doing)?.in_user_namespace;
    let written = layer::write_root(tree, in_user_namespace, out);
    // Files removed meanwhile are missing from the archive or cannot be read.
    if store::load(engine.paths(), &record.id).doing(doing)?.is_none() {
        return Err(ExportError::Removed).doing(doing);
    }
    written.map(drop).doing(doing)
}

/// Returns where the file at `path` is written, following a symbolic link to a file.
fn destination(path: PathBuf) -> std::result::Result<PathBuf, ExportError> {
    let names_folder = names_folder(&path);
    match fs::metadata(&path) {
        Ok(there) if there.is_dir() => Err(ExportError::Folder(path)),
        Ok(there) if !there.is_file() => Err(ExportError::NotAFile(path)),
        // `/dev/stdout` may lead to an open file that has no name; the link is not to be replaced.
        Ok(_) if path.is_symlink() => fs::canonicalize(&path).map_err(|_| ExportError::LeadsNowhere(path)),
        Ok(_) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let path = path.components().as_path();
            let file = path.ancestors().find(|above| above.exists()).unwrap_or(path);
            Err(ExportError::NotAFolder(file.to_owned()))
        }
        Err(_) if names_folder => Err(ExportError::NoFolder(path)),
        Err(_) if path.is_symlink() => Err(ExportError::LeadsNowhere(path)),
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            match folder.is_some_and(|folder| !folder.is_dir()) {
                true => Err(ExportError::NoFolder(folder.map(Path::to_owned).unwrap_or_default())),
                false => Ok(path),
            }
        }
    }
}

/// Whether a path can only name a folder: `out/`, `out/.`, `..`, or an empty path.
fn names_folder(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes().rsplit(|byte| *byte == b'/').next();
    matches!(name, None | Some(b"" | b"." | b".."))
}

/// A file that fails to write once the work is cancelled.
struct Cancellable<'a, W> {
    out: W,
    reporter: &'a Reporter,
}

impl<W: Write> Write for Cancellable<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.reporter.is_cancelled() {
            true => Err(io::Error::other("cancelled")),
            false => self.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A container could not be exported.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("it was removed while it was being read")]
    Removed,
    #[error("invalid output path: {} is a directory", .0.display())]
    Folder(PathBuf),
    #[error("invalid output path: {} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    #[error("invalid output path: {} is not a directory", .0.display())]
    NotAFolder(PathBuf),
    #[error("invalid output path: {} is a dangling symbolic link", .0.display())]
    LeadsNowhere(PathBuf),
    #[error("invalid output path: directory {} does not exist", .0.display())]
    NoFolder(PathBuf),
}

impl Explain for ExportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Removed => ErrorKind::NotFound,
            Self::Folder(_)
            | Self::NotAFile(_)
            | Self::NotAFolder(_)
            | Self::LeadsNowhere(_)
            | Self::NoFolder(_) => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NotAFile(_)).then(|| "without -o it goes to standard output".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn a_destination_is_a_file_or_free_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let inside = |name: &str| format!("{}/{name}", dir.path().display());
        fs::create_dir(inside("folder")).unwrap();
        fs::write(inside("file"), "").unwrap();
        std::os::unix::fs::symlink("file", inside("link")).unwrap();
        std::os::unix::fs::symlink("none", inside("broken")).unwrap();
        let open = fs::File::create(inside("unlinked")).unwrap();
        fs::remove_file(inside("unlinked")).unwrap();
        std::os::unix::fs::symlink(format!("/proc/self/fd/{}", open.as_raw_fd()), inside("open")).unwrap();
        for (name, want) in [
            ("free", Ok("free")),
            ("file", Ok("file")),
            ("link", Ok("file")),
            ("folder/../free", Ok("folder/../free")),
            ("folder", Err("{folder} is a directory")),
            ("folder/", Err("{folder/} is a directory")),
            ("folder/.", Err("{folder/.} is a directory")),
            ("free/", Err("directory {free/} does not exist")),
            ("free/.", Err("directory {free/.} does not exist")),
            ("free/..", Err("directory {free/..} does not exist")),
            ("file/", Err("{file} is not a directory")),
            ("file/.", Err("{file} is not a directory")),
            ("file/..", Err("{file} is not a directory")),
            ("none/free", Err("directory {none} does not exist")),
            ("none/", Err("directory {none/} does not exist")),
            ("file/free", Err("{file} is not a directory")),
            ("file/none/free", Err("{file} is not a directory")),
            ("link/free", Err("{link} is not a directory")),
            ("broken", Err("{broken} is a dangling symbolic link")),
            ("open", Err("{open} is a dangling symbolic link")),
        ] {
            let found = destination(inside(name).into());
            let want = want.map(|name| PathBuf::from(inside(name)));
            let want = want.map_err(|why| {
                let (before, rest) = why.split_once('{').unwrap();
                let (path, behind) = rest.split_once('}').unwrap();
                format!("invalid output path: {before}{}{behind}", inside(path))
            });
            assert_eq!(found.map_err(|error| error.to_string()), want, "{name}");
        }
        for name in ["", "/", ".", "..", "a/", "a/.", "a/.."] {
            assert!(names_folder(Path::new(name)), "{name:?}");
        }
        for name in ["a", "./a", "a/b", "a.", "...", ".a"] {
            assert!(!names_folder(Path::new(name)), "{name:?}");
        }
    }
}
