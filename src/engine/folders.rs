//! Files of the user's that change while a front end runs: its configuration, mostly.
//!
//! An editor may write a file in place, or write another one beside it and rename that over
//! it; the file may be a link into a folder of its own, and the folder may not be there yet.
//! So both the files and the folders they stand in are watched, and of what is missing the
//! nearest folder that is there.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::attach::watched;
use crate::sys::inotify::Inotify;

/// Tells when some files may have changed. By inotify: nothing wakes up while nothing changes.
#[derive(Debug)]
pub struct FileWatch {
    inotify: AsyncFd<Inotify>,
    paths: Vec<PathBuf>,
}

impl FileWatch {
    /// Watches `paths`: files and folders, whether they are there or not.
    ///
    /// # Errors
    ///
    /// When this user has no inotify instance left.
    pub fn new(paths: Vec<PathBuf>) -> io::Result<Self> {
        let inotify = Inotify::new().map_err(|error| io::Error::from_raw_os_error(error.errno()))?;
        let inotify = watched(inotify, Interest::READABLE)?;
        let watch = Self { inotify, paths };
        watch.renew();
        Ok(watch)
    }

    /// Waits until something changed that may be one of the paths. Whoever asks looks
    /// whether it is.
    pub async fn changed(&self) {
        if let Ok(mut ready) = self.inotify.readable().await {
            ready.clear_ready();
        }
        // What it tells in detail is of no use: the files are the truth.
        let _ = self.inotify.get_ref().clear();
        self.renew();
    }

    /// Puts the watches on what is there at this moment: a file that was renamed over
    /// another one is a new one.
    fn renew(&self) {
        for path in &self.paths {
            let folder = path.parent().and_then(nearest);
            for path in [Some(path.as_path()), folder].into_iter().flatten() {
                // What is not there is seen by its folder.
                let _ = self.inotify.get_ref().watch(path);
            }
        }
    }
}

/// The folder, or the nearest one above it that is there.
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
        // Whatever is still to be told of what came before: only the next one counts.
        while tokio::time::timeout(Duration::from_millis(1), watch.changed()).await.is_ok() {}
        fs::write(&linked, "a = 5").unwrap();
        told("what the link leads to").await;
        fs::create_dir(dir.path().join("hoist/themes")).unwrap();
        told("the folder of themes").await;
        fs::write(dir.path().join("hoist/themes/mine.toml"), "").unwrap();
        told("a theme").await;
    }
}
