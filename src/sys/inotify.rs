//! Watches files and folders for changes: inotify(7).

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::{Error, Result, check};

/// The id of a watch, within one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WatchId(i32);

/// A set of watches. It is readable when one of them has seen a change.
#[derive(Debug)]
pub struct Inotify(OwnedFd);

impl Inotify {
    /// Creates an instance without watches. Reads from it do not block.
    ///
    /// # Errors
    ///
    /// `EMFILE` if this user has too many instances, 128 by default.
    pub fn new() -> Result<Self> {
        let made = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        Ok(Self(check(made, || "inotify_init1()".to_owned())?))
    }

    /// Watches a folder or a file for writes, creations, renames and removals. Watching it again
    /// returns the same id.
    ///
    /// # Errors
    ///
    /// `ENOENT`; `ENOSPC` if this user has too many watches.
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

    /// Removes a watch. It ends by itself when its file is removed.
    pub fn unwatch(&self, watch: WatchId) {
        let _ = inotify::remove_watch(&self.0, watch.0);
    }

    /// Watches a folder or, as long as it does not exist, its parent. Call this again after each
    /// change. Returns whether the folder itself is watched.
    ///
    /// # Errors
    ///
    /// As for [`Inotify::watch`], for either of them.
    pub fn watch_where_made(&self, folder: &Path) -> Result<bool> {
        Ok(self.watch_or_parent(folder)?.1)
    }

    /// Like [`Inotify::watch_where_made`], but also returns the watch.
    ///
    /// # Errors
    ///
    /// As for [`Inotify::watch`], for either of them.
    pub fn watch_or_parent(&self, folder: &Path) -> Result<(WatchId, bool)> {
        let is_missing =
            |result: &Result<WatchId>| result.as_ref().is_err_and(|error| error.is(Errno::NOENT));
        let watched = self.watch(folder);
        if !is_missing(&watched) {
            return watched.map(|watch| (watch, true));
        }
        let parent = self.watch(folder.parent().unwrap_or(folder))?;
        // It may have been created in the meantime.
        let watched = self.watch(folder);
        if is_missing(&watched) { Ok((parent, false)) } else { watched.map(|watch| (watch, true)) }
    }

    /// Discards all pending events. Returns `true` if the kernel lost some.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn clear(&self) -> Result<bool> {
        self.take(|_| {})
    }

    /// Calls `tell` with the watches that have seen changes since the last call, possibly several
    /// times with the same one. Returns `true` if the kernel lost some events.
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
