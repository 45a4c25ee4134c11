//! What changes in folders: inotify(7).

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::{Error, Result, check};

/// One watch of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WatchId(i32);

/// Watches on folders; readable when one of them changed.
#[derive(Debug)]
pub struct Inotify(OwnedFd);

impl Inotify {
    /// Without any watch. It does not block.
    ///
    /// # Errors
    ///
    /// `EMFILE` when this user has too many: 128 by default.
    pub fn new() -> Result<Self> {
        let made = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        Ok(Self(check(made, || "inotify_init1()".to_owned())?))
    }

    /// Watches a folder or a file for what is written, made, renamed and removed there. What is
    /// watched already gives the same id.
    ///
    /// # Errors
    ///
    /// `ENOENT`; `ENOSPC` when this user has too many watches.
    pub fn watch(&self, path: &Path) -> Result<WatchId> {
        let flags = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let added = inotify::add_watch(&self.0, path, flags);
        Ok(WatchId(check(added, || format!("inotify_add_watch({path:?})"))?))
    }

    /// Ends a watch; one whose file is gone has ended by itself.
    pub fn unwatch(&self, watch: WatchId) {
        let _ = inotify::remove_watch(&self.0, watch.0);
    }

    /// Watches a folder, or as long as that is missing the one it is to be made in: to be called
    /// again after each change. Whether it watches the folder itself.
    ///
    /// # Errors
    ///
    /// As [`Inotify::watch`], of both.
    pub fn watch_where_made(&self, folder: &Path) -> Result<bool> {
        Ok(self.watch_or_parent(folder)?.1)
    }

    /// As [`Inotify::watch_where_made`], with the watch.
    ///
    /// # Errors
    ///
    /// As [`Inotify::watch`], of both.
    pub fn watch_or_parent(&self, folder: &Path) -> Result<(WatchId, bool)> {
        let is_missing =
            |result: &Result<WatchId>| result.as_ref().is_err_and(|error| error.is(Errno::NOENT));
        let watched = self.watch(folder);
        if !is_missing(&watched) {
            return watched.map(|watch| (watch, true));
        }
        let parent = self.watch(folder.parent().unwrap_or(folder))?;
        // It may have been made in between.
        let watched = self.watch(folder);
        if is_missing(&watched) { Ok((parent, false)) } else { watched.map(|watch| (watch, true)) }
    }

    /// Throws away what it told so far. `true` when the kernel lost some.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn clear(&self) -> Result<bool> {
        self.take(|_| {})
    }

    /// Tells which watches saw something since the last time, one several times perhaps. `true`
    /// when the kernel lost some.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn take(&self, mut tell: impl FnMut(WatchId)) -> Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.0, &mut buffer);
        let mut is_lost = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    is_lost |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
                    tell(WatchId(event.wd()));
                }
                Err(Errno::AGAIN) => return Ok(is_lost),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::new("read(inotify)", errno)),
            }
        }
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl std::os::fd::AsRawFd for Inotify {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec};

    use super::*;

    fn is_readable(inotify: &Inotify) -> bool {
        let mut polled = [PollFd::new(inotify, PollFlags::IN)];
        rustix::event::poll(&mut polled, Some(&Timespec::default())).unwrap() == 1
    }

    #[test]
    fn what_is_written_in_a_folder_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let inotify = Inotify::new().unwrap();
        inotify.watch(dir.path()).unwrap();
        assert!(!is_readable(&inotify));
        std::fs::write(dir.path().join("a"), "x").unwrap();
        assert!(is_readable(&inotify));
        assert!(!inotify.clear().unwrap());
        assert!(!is_readable(&inotify));
        assert_eq!(inotify.watch(Path::new("/no/such")).unwrap_err().errno(), libc::ENOENT);
    }

    #[test]
    fn a_folder_that_is_made_later_is_watched_from_then_on() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("later");
        let inotify = Inotify::new().unwrap();
        assert!(!inotify.watch_where_made(&folder).unwrap());
        std::fs::create_dir(&folder).unwrap();
        let is_told = || {
            let mut polled = [PollFd::new(&inotify, PollFlags::IN)];
            rustix::event::poll(&mut polled, Some(&Timespec::default())).unwrap() == 1
        };
        assert!(is_told());
        inotify.clear().unwrap();
        assert!(inotify.watch_where_made(&folder).unwrap());
        std::fs::write(folder.join("a"), "x").unwrap();
        assert!(is_told());
    }
}
