//! Fills a tmpfs with what it is going to cover: the mount option `tmpcopyup`.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags, Stat, Timespec};
use rustix::io::Errno;

use crate::sys::tree::{self, Leave, Mounts, Step, Visitor, Way};
use crate::sys::{Error, Result, fs, xattr};

/// Copies the contents of `folder`, with everything mounted below it, into the root of `tmpfs`, which
/// is empty.
///
/// Owners, modes, times and extended attributes are kept. Hard links become files of their own, and
/// sockets are left out. Owners that have no id in this user namespace become its root.
pub(super) fn copy(folder: BorrowedFd<'_>, tmpfs: BorrowedFd<'_>) -> Result<()> {
    let here = fs::reopen(tmpfs, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let way = Way { mounts: Mounts::Enter, ..Way::default() };
    tree::walk_by(way, folder, OsStr::new("."), &mut Copy { here, above: Vec::new() })
}

struct Copy {
    /// The copy of the current folder. Nobody else can move it, so `..` leads back, and one
    /// descriptor is enough for a tree of any depth.
    here: OwnedFd,
    /// What is set when the folders on the current path are left.
    above: Vec<(u32, Timespec)>,
}

impl Visitor for Copy {
    type Error = Error;

    fn entry(&mut self, folder: BorrowedFd<'_>, name: &OsStr, _: FileType) -> Result<Step> {
        let stat = fs::stat_at(folder, name)?;
        let (here, mode) = (self.here.as_fd(), stat.st_mode & 0o7777);
        match fs::file_type(&stat) {
            FileType::Directory => return Ok(Step::Enter),
            FileType::Socket => return Ok(Step::Pass),
            FileType::Symlink => {
                fs::symlink_at(fs::readlink_at(folder, name)?.as_os_str(), here, name)?;
                own(here, name, &stat)?;
            }
            FileType::RegularFile => {
                let from = fs::open_at(folder, name, OFlags::RDONLY | OFlags::NONBLOCK)?;
                same(&stat, &fs::stat(&from)?)?;
                let to = fs::create_at(here, name, 0o600)?;
                fs::copy_data(&from, &to)?;
                own(here, name, &stat)?;
                fs::chmod(&to, mode)?;
                copy_attributes(&from, &to)?;
            }
            kind => {
                fs::mknod_at(here, name, kind, 0o600, stat.st_rdev)?;
                own(here, name, &stat)?;
                fs::chmod_place(fs::open_at(here, name, OFlags::PATH)?, mode)?;
            }
        }
        fs::set_mtime_at(here, name, modified(&stat))?;
        Ok(Step::Pass)
    }

    fn enter(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> Result<Step> {
        let stat = fs::stat(folder)?;
        if name != "." {
            fs::mkdir_at(&self.here, name, 0o700)?;
            own(self.here.as_fd(), name, &stat)?;
            self.here = fs::open_at(&self.here, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        }
        copy_attributes(folder, &self.here)?;
        self.above.push((stat.st_mode & 0o7777, modified(&stat)));
        Ok(Step::Enter)
    }

    fn lost(&mut self) -> Result<()> {
        Err(changed())
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, error: Error) -> Result<Leave> {
        Err(error)
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> Result<Leave> {
        let Some((mode, time)) = self.above.pop() else { return Ok(Leave::Done) };
        // The root's own mode and owner are options of the mount.
        if !self.above.is_empty() {
            fs::chmod(&self.here, mode)?;
        }
        fs::set_mtime(&self.here, time)?;
        if !self.above.is_empty() {
            self.here = fs::open_at(&self.here, OsStr::new(".."), OFlags::RDONLY | OFlags::DIRECTORY)?;
        }
        Ok(Leave::Done)
    }
}

fn changed() -> Error {
    Error::new("copy the tree: it was changed meanwhile", Errno::STALE)
}

/// Fails if a file was replaced before it was opened.
fn same(seen: &Stat, opened: &Stat) -> Result<()> {
    let identity = |stat: &Stat| (stat.st_dev, stat.st_ino);
    if identity(seen) == identity(opened) { Ok(()) } else { Err(changed()) }
}

fn modified(stat: &Stat) -> Timespec {
    Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.try_into().unwrap_or_default() }
}

fn own(dir: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<()> {
    match fs::chown_at(dir, name, stat.st_uid, stat.st_gid) {
        Err(error) if error.is(Errno::INVAL) => Ok(()),
        done => done,
    }
}

/// Copies the attributes that a tmpfs can have, which depends on the kernel. Its SELinux label is that
/// of the mount.
fn copy_attributes(from: impl AsFd, to: impl AsFd) -> Result<()> {
    for name in xattr::list_place(&from)?.iter().filter(|name| *name != "security.selinux") {
        let Some(value) = xattr::get_place(&from, name)? else { continue };
        match xattr::set(&to, name, &value) {
            Err(error) if error.is(Errno::OPNOTSUPP) || error.is(Errno::PERM) => {}
            done => done?,
        }
    }
    Ok(())
}
