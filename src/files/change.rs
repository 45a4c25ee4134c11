//! Changes files: contents, names, folders.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Stamp;
use super::error::{Error, Result};
use super::list::open_plain;
use super::root::{Root, cleaned};
use crate::base::id;
use crate::base::progress::Reporter;
use crate::sys::fs::StatxAttributes;
use crate::sys::{self, fs, tree};

/// Maximum length of a name in Linux file systems, in bytes.
const MAX_NAME: usize = 255;

/// Fails if `name` is not a valid file name.
pub(crate) fn check_name(name: &OsStr) -> Result<()> {
    let bytes = name.as_bytes();
    let is_bad = bytes.is_empty()
        || bytes.len() > MAX_NAME
        || matches!(bytes, b"." | b"..")
        || bytes.iter().any(|byte| matches!(byte, b'/' | 0));
    if is_bad { Err(Error::BadName(name.into())) } else { Ok(()) }
}

/// Replaces the contents of a file: writes a new one with the same owner and mode, and renames it.
pub(crate) fn write(root: &Root, path: &Path, bytes: &[u8], stamp: Stamp) -> Result<()> {
    let file = root.place(path)?;
    let stat = fs::stat(&file)?;
    // Only checks that it is a regular file. Write permission on its folder is sufficient to
    // replace it.
    let (_, now) = open_plain(&file)?;
    // Inodes are not compared: the mount for changes may number them differently.
    if (now.size, now.changed) != (stamp.size, stamp.changed) {
        return Err(Error::Changed);
    }
    let real = root.real_path(&file)?.unwrap_or_else(|| cleaned(path));
    let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(Error::BadName(real));
    };
    let folder = root.folder(folder)?;
    if is_mount(&folder.dir, name)? {
        // A mount point itself (/etc/hosts) cannot be replaced, only overwritten.
        root.changeable(&file, &real)?;
        return write_in_place(&file, bytes);
    }
    root.changeable(&folder.dir, &folder.path)?;
    let beside = beside()?;
    let mut made = fs::create_at(&folder.dir, &beside, 0o600)?;
    let written = sys::check(made.write_all(bytes).and_then(|()| made.sync_all()), || "write()".to_owned())
        .and_then(|()| fs::chown(&made, stat.st_uid, stat.st_gid))
        .and_then(|()| fs::chmod(&made, stat.st_mode & 0o7777))
        .and_then(|()| fs::rename_at(&folder.dir, &beside, &folder.dir, name));
    if written.is_err() {
        let _ = fs::unlink_at(&folder.dir, &beside); // return the first error
    }
    Ok(written?)
}

fn write_in_place(file: &OwnedFd, bytes: &[u8]) -> Result<()> {
    let mut file = File::from(fs::reopen(file, OFlags::WRONLY | OFlags::TRUNC | OFlags::NONBLOCK)?);
    Ok(sys::check(file.write_all(bytes).and_then(|()| file.sync_all()), || "write()".to_owned())?)
}

/// Whether something is mounted on `name` in an open folder.
fn is_mount(dir: impl AsFd, name: &OsStr) -> sys::Result<bool> {
    Ok(fs::statx_at(dir, name)?.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Fails if `name` is a mount point or does not exist. The kernel only protects mount points of the
/// caller's own namespace; in a running container, the mount would be detached.
pub(crate) fn not_mounted(dir: impl AsFd, name: &OsStr) -> Result<()> {
    if is_mount(dir, name)? { Err(Error::Mounted(name.into())) } else { Ok(()) }
}

/// Returns a new temporary name.
pub(crate) fn beside() -> Result<OsString> {
    let random = sys::check(id::random_bytes::<8>(), || "getrandom()".to_owned())?;
    Ok(format!(".hoist-{}", id::hex(&random)).into())
}

/// Creates the folder `name` in `path`.
pub(crate) fn make_folder(root: &Root, path: &Path, name: &OsStr) -> Result<()> {
    check_name(name)?;
    let folder = root.folder_to_change(path)?;
    taken(fs::mkdir_at(&folder.dir, name, 0o755), name)
}

/// Renames `name` in `path` without replacing anything.
pub(crate) fn rename(root: &Root, path: &Path, name: &OsStr, new: &OsStr) -> Result<()> {
    check_name(name)?;
    check_name(new)?;
    let folder = root.folder_to_change(path)?;
    not_mounted(&folder.dir, name)?;
    taken(fs::rename_new_at(&folder.dir, name, &folder.dir, new), new)
}

fn taken(result: sys::Result<()>, name: &OsStr) -> Result<()> {
    match result {
        Err(error) if error.is(Errno::EXIST) => Err(Error::Exists(name.into())),
        result => Ok(result?),
    }
}

/// Removes `names` from `path`, and returns the number of removed files and folders.
pub(crate) fn remove(root: &Root, path: &Path, names: &[OsString], reporter: &Reporter) -> Result<u64> {
    names.iter().try_for_each(|name| check_name(name))?;
    let folder = root.folder_to_change(path)?;
    let mut gone = 0;
    for name in names {
        // A missing name is the caller's mistake; further down, files may have been removed
        // meanwhile.
        not_mounted(&folder.dir, name)?;
        gone += tree::remove_checked(&folder.dir, name, |dir, name| {
            if reporter.is_cancelled() {
                return Err(Error::Cancelled);
            }
            // What is mounted in a folder belongs to something else.
            match not_mounted(dir, name) {
                Err(fault) if fault.is_missing() => Ok(()),
                result => result,
            }
        })?;
    }
    Ok(gone)
}
