//! Watches the user's files, mostly its configuration, for changes while a front end runs.
//!
//! An editor may write a file in place, or write a new one and rename it over the old one. The file
//! may be a symbolic link into another folder, and its folder may not exist yet. Therefore both the
//! files and their folders are watched; for a missing folder, its nearest existing ancestor.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::attach::watched;
use crate::sys::inotify::Inotify;

/// Reports when files may have changed. It uses inotify, so nothing wakes up while nothing changes.
#[derive(Debug)]
pub struct FileWatch {
    inotify: AsyncFd<Inotify>,
    paths: Vec<PathBuf>,
}

impl FileWatch {
    /// Watches `paths`: files and folders, whether or not they exist.
    ///
    /// # Errors
    ///
    /// If this user has no inotify instance left.
    pub fn new(paths: Vec<PathBuf>) -> io::Result<Self> {
        let inotify = Inotify::new().map_err(|error| io::Error::from_raw_os_error(error.errno()))?;
        let inotify = watched(inotify, Interest::READABLE)?;
        let watch = Self { inotify, paths };
        watch.renew();
        Ok(watch)
    }

    /// Waits until something has changed, possibly one of the paths. The caller checks whether it
    /// has.
    pub async fn changed(&self) {
        if let Ok(mut ready) = self.inotify.readable().await {
            ready.clear_ready();
        }
        // The details of the events are not needed: the caller reads the files.
        let _ = self.inotify.get_ref().clear();
        self.renew();
    }

    /// Sets the watches on the files that exist now. A file renamed over another one is a new
    /// inode.
    fn renew(&self) {
        for path in &self.paths {
            let folder = path.parent().and_then(nearest);
            for path in [Some(path.as_path()), folder].into_iter().flatten() {
                // A missing file is noticed through its folder.
                let _ = self.inotify.get_ref().watch(path);
            }
        }
    }
}

/// Returns the folder or its nearest existing ancestor.
fn nearest(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn every_way_of_saving_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (file, linked) = (dir.path().join("hoist/config.toml"), dir.path().join("dots/real.toml"));
        let watch = FileWatch::new(vec![file.clone(), dir.path().join("hoist/themes/mine.toml")]).unwrap();
        let told = async |what: &str| {
            let told = tokio::time::timeout(Duration::from_secs(20), watch.changed()).await;
            assert!(told.is_ok(), "{what} was not told");
        };
        fs::create_dir(dir.path().join("hoist")).unwrap();
        told("the folder that was missing").await;
        fs::write(&file, "a = 1").unwrap();
        told("the file that was missing").await;
        fs::write(dir.path().join("hoist/beside"), "a = 2").unwrap();
        fs::rename(dir.path().join("hoist/beside"), &file).unwrap();
        told("a rename over it").await;
        fs::write(&file, "a = 3").unwrap();
        told("the new one, in place").await;
        fs::create_dir(dir.path().join("dots")).unwrap();
        fs::write(&linked, "a = 4").unwrap();
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&linked, &file).unwrap();
        told("a link in its place").await;
        // Drop pending events of earlier changes: only the next one counts.
        while tokio::time::timeout(Duration::from_millis(1), watch.changed()).await.is_ok() {}
        fs::write(&linked, "a = 5").unwrap();
        told("what the link leads to").await;
        fs::create_dir(dir.path().join("hoist/themes")).unwrap();
        told("the folder of themes").await;
        fs::write(dir.path().join("hoist/themes/mine.toml"), "").unwrap();
        told("a theme").await;
    }
}
