//! Opens and creates paths inside an untrusted root without ever leaving it.
//!
//! Mounts are attached to descriptors opened here, so nobody can replace the path between lookup
//! and mount (CVE-2021-30465). A dangling symbolic link of the image is resolved inside the root,
//! and its target is created. Many images need that for `/etc/resolv.conf →
//! ../run/systemd/resolve/stub-resolv.conf`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{FileType, OFlags};

use crate::sys::{self, Result, check, fs, tree};

const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// Maximum number of symbolic links to follow.
const MAX_LINKS: u32 = 40;

/// What to create if nothing exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
}

/// Opens `path` inside `root`, creating it if it is missing.
pub(super) fn open_or_make(root: BorrowedFd<'_>, path: &Path, kind: Kind) -> Result<OwnedFd> {
    match fs::open_in_root(root, path, OFlags::PATH) {
        Err(error) if error.is(rustix::io::Errno::NOENT) => walk(root, path, kind),
        result => result,
    }
}

/// Opens `path` inside `root`; `None` if it does not exist.
pub(super) fn open_existing(root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    use rustix::io::Errno;
    match fs::open_in_root(root, path, OFlags::PATH) {
        Err(error) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => Ok(None),
        result => result.map(Some),
    }
}

/// Opens the directory `name` directly in `root`. A symbolic link in its place is replaced.
pub(super) fn own_directory(root: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    match fs::open_at(root, name, flags) {
        Ok(dir) => Ok(dir),
        Err(_) => {
            tree::remove_at(root, name)?;
            fs::mkdir_at(root, name, 0o755)?;
            fs::open_at(root, name, flags)
        }
    }
}

/// Opens the directory `path` inside `root`, creating it if it is missing; `None` if it is a symbolic
/// link or a file.
pub(super) fn ordinary_directory(root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    let (parent, name) = parent_of(root, path)?;
    let place = match fs::open_at(&parent, &name, OFlags::PATH) {
        Err(error) if error.is(rustix::io::Errno::NOENT) => {
            make(parent.as_fd(), &name, Kind::Directory)?;
            fs::open_at(&parent, &name, OFlags::PATH)?
        }
        result => result?,
    };
    Ok((fs::file_type(&fs::stat(&place)?) == FileType::Directory).then_some(place))
}

/// Opens the parent directory of `path`, creating it if it is missing. Also returns the last
/// component of `path`.
pub(super) fn parent_of(root: BorrowedFd<'_>, path: &Path) -> Result<(OwnedFd, OsString)> {
    let name = path.file_name().unwrap_or_default().to_owned();
    let parent = path.parent().unwrap_or(Path::new("/"));
    Ok((open_or_make(root, parent, Kind::Directory)?, name))
}

/// Walks down component by component. `..` returns to the directory we came from, not to the
/// kernel's idea of the parent, which a rename could have changed.
fn walk(root: BorrowedFd<'_>, path: &Path, kind: Kind) -> Result<OwnedFd> {
    let mut way: Vec<OwnedFd> = Vec::new();
    let mut left: VecDeque<OsString> = parts(path).collect();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            way.pop();
            continue;
        }
        let here = way.last().map_or(root, AsFd::as_fd);
        let place = match fs::open_at(here, &part, OFlags::PATH) {
            Err(error) if error.is(rustix::io::Errno::NOENT) => {
                make(here, &part, if left.is_empty() { kind } else { Kind::Directory })?;
                fs::open_at(here, &part, OFlags::PATH)?
            }
            result => result?,
        };
        if fs::file_type(&fs::stat(&place)?) != FileType::Symlink {
            way.push(place);
            continue;
        }
        links += 1;
        // openat2(2) was tried first, so on procfs only magic links are left, whose text is not
        // their target.
        if links > MAX_LINKS || is_procfs(&place)? {
            return check(Err(rustix::io::Errno::LOOP), || format!("open({path:?}, inside the root)"));
        }
        let target = fs::readlink_at(here, &part)?;
        if target.is_absolute() {
            way.clear();
        }
        for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
            left.push_front(part);
        }
    }
    match way.pop() {
        Some(place) => Ok(place),
        None => sys::process::above_standard_streams(root),
    }
}

/// Whether a file is on a procfs.
pub(super) fn is_procfs(place: impl AsFd) -> Result<bool> {
    let stat = check(rustix::fs::fstatfs(place), || "fstatfs()".to_owned())?;
    Ok(stat.f_type == PROC_SUPER_MAGIC)
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}

fn make(dir: BorrowedFd<'_>, name: &OsStr, kind: Kind) -> Result<()> {
    let made = match kind {
        Kind::Directory => fs::mkdir_at(dir, name, 0o755),
        Kind::File => fs::create_at(dir, name, 0o644).map(drop),
    };
    match made {
        // Another process was faster: the caller checks the result.
        Err(error) if error.is(rustix::io::Errno::EXIST) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn missing_places_are_made_inside_the_root_whatever_the_links_say() {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("root");
        std::fs::create_dir_all(inside.join("etc")).unwrap();
        symlink("../run/resolve/stub.conf", inside.join("etc/resolv.conf")).unwrap();
        symlink("../../../../canary", inside.join("etc/up")).unwrap();
        symlink(outside.path().join("canary"), inside.join("absolute")).unwrap();
        symlink("loop", inside.join("loop")).unwrap();
        let root = fs::open_dir(&inside).unwrap();
        for (path, kind, made) in [
            ("/etc/resolv.conf", Kind::File, "run/resolve/stub.conf"),
            ("/etc/up/a", Kind::Directory, "canary/a"),
            ("/a/b/../c", Kind::File, "a/c"),
            ("/../../x", Kind::Directory, "x"),
        ] {
            open_or_make(root.as_fd(), Path::new(path), kind).unwrap();
            assert_eq!(inside.join(made).is_dir(), kind == Kind::Directory, "{path}");
            assert!(inside.join(made).exists(), "{path}");
        }
        assert!(open_or_make(root.as_fd(), Path::new("/loop/x"), Kind::File).is_err());
        open_or_make(root.as_fd(), Path::new("/absolute/deep"), Kind::File).unwrap();
        let outside_now: Vec<_> =
            std::fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(outside_now, ["root"], "nothing was made outside");
    }

    #[test]
    fn a_link_that_stands_in_for_a_directory_of_ours_is_replaced() {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("root");
        std::fs::create_dir(&inside).unwrap();
        symlink(outside.path(), inside.join("dev")).unwrap();
        let root = fs::open_dir(&inside).unwrap();
        own_directory(root.as_fd(), OsStr::new("dev")).unwrap();
        assert!(inside.join("dev").symlink_metadata().unwrap().is_dir());
    }
}
