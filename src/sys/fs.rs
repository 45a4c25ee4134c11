//! Access to files in an untrusted folder. Paths are resolved with openat2(2), so that neither
//! `..`, absolute paths nor symbolic links lead out of it.
//!
//! Functions named `…_at` take a single name in an open folder, and never follow a symbolic link
//! there. A *place* is an `O_PATH` descriptor.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, RenameFlags, ResolveFlags, SeekFrom, StatxFlags, Timestamps, Uid,
};
use rustix::io::Errno;

use super::{Result, check};

pub use rustix::fs::{Dev, FileType, Stat, Statx, StatxAttributes, Timespec};

/// Returns the major and minor number of a device.
#[must_use]
pub fn device_numbers(dev: Dev) -> (u32, u32) {
    (rustix::fs::major(dev), rustix::fs::minor(dev))
}

/// Returns the device with a major and a minor number.
#[must_use]
pub fn device(major: u32, minor: u32) -> Dev {
    rustix::fs::makedev(major, minor)
}

/// Returns the type of a file.
#[must_use]
pub fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Opens a folder by a trusted path.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn open_dir(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    check(rustix::fs::open(path, flags, Mode::empty()), || format!("open({path:?}, O_DIRECTORY)"))
}

/// Opens `path`, which must be trusted, with `O_PATH`.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn open_place(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    check(rustix::fs::open(path, flags, Mode::empty()), || format!("open({path:?}, O_PATH)"))
}

/// Opens `path` as if `root` were `/`: symbolic links and `..` stay inside.
///
/// # Errors
///
/// `ENOENT`, `ELOOP`, and `EXDEV` for magic links.
pub fn open_in_root(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    resolve(root.as_fd(), path, flags, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// Opens `path` like [`open_in_root`], but crosses no mount point.
///
/// # Errors
///
/// As for [`open_in_root`]; `EXDEV` also for mount points.
pub fn open_in_root_file_system(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    resolve(root.as_fd(), path, flags, how)
}

/// Opens `path` below `root` without following any symbolic links.
///
/// # Errors
///
/// `ENOENT`; `ELOOP` if a component is a symbolic link; `EXDEV` if the path leads out.
pub fn open_beneath(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    resolve(root.as_fd(), path, flags, how)
}

fn resolve(root: BorrowedFd<'_>, path: &Path, flags: OFlags, how: ResolveFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    loop {
        // A rename elsewhere in the tree can make the kernel give up on `..`, so retry.
        match rustix::fs::openat2(root, path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return check(result, || format!("open {}", path.display())),
        }
    }
}

/// Creates the file `name` in `dir` and opens it for reading and writing.
///
/// # Errors
///
/// `EEXIST` if the name exists, even as a dangling symbolic link.
pub fn create_at(dir: impl AsFd, name: &OsStr, mode: u32) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode));
    check(opened, || format!("openat({name:?}, O_CREAT|O_EXCL)")).map(File::from)
}

/// Creates an unnamed file in `dir`, which is deleted when its last descriptor is closed.
///
/// # Errors
///
/// `EOPNOTSUPP` if the file system does not support it; `ENOSPC`.
pub fn unnamed(dir: &Path) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let opened = rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR);
    check(opened, || format!("open({dir:?}, O_TMPFILE)")).map(File::from)
}

/// Opens `name` in `dir`.
///
/// # Errors
///
/// `ENOENT`; `ELOOP` if it is a symbolic link, unless opened with `O_PATH`.
pub fn open_at(dir: impl AsFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    check(rustix::fs::openat(dir, name, flags, Mode::empty()), || format!("openat({name:?}, {flags:?})"))
}

/// Creates the folder `name` in `dir`.
///
/// # Errors
///
/// `EEXIST`.
pub fn mkdir_at(dir: impl AsFd, name: &OsStr, mode: u32) -> Result<()> {
    let made = rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode));
    check(made, || format!("mkdirat({name:?}, {mode:o})"))
}

/// Creates the symbolic link `name` in `dir`. The target is not checked.
///
/// # Errors
///
/// `EEXIST`; `ENOENT` if `target` is empty.
pub fn symlink_at(target: &OsStr, dir: impl AsFd, name: &OsStr) -> Result<()> {
    check(rustix::fs::symlinkat(target, dir, name), || format!("symlinkat({target:?}, {name:?})"))
}

/// Returns the target of the symbolic link `name` in `dir`.
///
/// # Errors
///
/// `EINVAL` if it is not a symbolic link.
pub fn readlink_at(dir: impl AsFd, name: &OsStr) -> Result<PathBuf> {
    let target = check(rustix::fs::readlinkat(dir, name, Vec::new()), || format!("readlinkat({name:?})"))?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
}

/// Creates a device node or a named pipe.
///
/// # Errors
///
/// `EEXIST`; `EPERM` for devices in a user namespace.
pub fn mknod_at(dir: impl AsFd, name: &OsStr, kind: FileType, mode: u32, dev: Dev) -> Result<()> {
    let made = rustix::fs::mknodat(dir, name, kind, Mode::from_raw_mode(mode), dev);
    check(made, || format!("mknodat({name:?}, {kind:?}, {:?})", device_numbers(dev)))
}

/// Creates a hard link `new_name` in `new_dir` to the file `name` in `dir`.
///
/// # Errors
///
/// `EEXIST`; `EPERM` for folders; `EMLINK`.
pub fn link_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    let linked = rustix::fs::linkat(dir, name, new_dir, new_name, AtFlags::empty());
    check(linked, || format!("linkat({name:?}, {new_name:?})"))
}

/// Returns information about `name` in `dir`.
///
/// # Errors
///
/// `ENOENT`.
pub fn stat_at(dir: impl AsFd, name: &OsStr) -> Result<Stat> {
    check(rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW), || format!("fstatat({name:?})"))
}

/// Returns information about `path` below `dir`. Symbolic links are followed, wherever they lead.
///
/// # Errors
///
/// `ENOENT`.
pub fn stat_followed(dir: impl AsFd, path: &Path) -> Result<Stat> {
    check(rustix::fs::statat(dir, path, AtFlags::empty()), || format!("fstatat({path:?})"))
}

/// Returns information about an open file.
///
/// # Errors
///
/// `EBADF`.
pub fn stat(file: impl AsFd) -> Result<Stat> {
    check(rustix::fs::fstat(file), || "fstat()".to_owned())
}

/// Returns information about `name` in `dir`, including whether it is a mount point. Does not
/// trigger an automount.
///
/// # Errors
///
/// `ENOENT`.
pub fn statx_at(dir: impl AsFd, name: &OsStr) -> Result<Statx> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    check(rustix::fs::statx(dir, name, flags, StatxFlags::BASIC_STATS), || format!("statx({name:?})"))
}

/// Returns the id of the mount that contains `place`, unique for this boot.
///
/// # Errors
///
/// `EBADF`.
pub fn mount_id(place: impl AsFd) -> Result<u64> {
    let stat = rustix::fs::statx(place, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
    check(stat, || "statx(STATX_MNT_ID)".to_owned()).map(|stat| stat.stx_mnt_id)
}

/// Returns the magic number of the file system that contains `place`, as listed in statfs(2).
///
/// # Errors
///
/// `EIO`.
pub fn file_system(place: impl AsFd) -> Result<u64> {
    let stat = check(rustix::fs::fstatfs(place), || "fstatfs()".to_owned())?;
    Ok(stat.f_type.cast_unsigned())
}

/// Whether the file system that contains `place` is mounted read-only.
///
/// # Errors
///
/// `EIO`.
pub fn is_read_only(place: impl AsFd) -> Result<bool> {
    let stat = check(rustix::fs::fstatvfs(place), || "fstatvfs()".to_owned())?;
    Ok(stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Returns the path of an open file according to the kernel, relative to the root of the mount it
/// was opened in. Names may contain any bytes, and the file may have been removed.
///
/// # Errors
///
/// `ENOENT` if /proc is not mounted.
pub fn path_of(place: impl AsFd) -> Result<PathBuf> {
    let link = proc_path(place.as_fd());
    let target = check(rustix::fs::readlink(&link, Vec::new()), || format!("readlink({link:?})"))?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
}

/// Reopens a place (`O_PATH`) with other flags: the same file, even if it was renamed.
///
/// # Errors
///
/// `ENXIO` for sockets, and for pipes without a reader; `EACCES`, `EROFS`.
pub fn reopen(place: impl AsFd, flags: OFlags) -> Result<OwnedFd> {
    let path = proc_path(place.as_fd());
    let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
    check(rustix::fs::open(&path, flags, Mode::empty()), || format!("open({path:?}, {flags:?})"))
}

/// Changes the owner of `name` in `dir`.
///
/// # Errors
///
/// `EPERM` without CAP_CHOWN; `EINVAL` for an id that this user namespace does not map.
pub fn chown_at(dir: impl AsFd, name: &OsStr, uid: u32, gid: u32) -> Result<()> {
    let (owner, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let changed = rustix::fs::chownat(dir, name, owner, group, AtFlags::SYMLINK_NOFOLLOW);
    check(changed, || format!("fchownat({name:?}, {uid}, {gid})"))
}

/// Changes the owner of an open file. This clears the set-id bits.
///
/// # Errors
///
/// `EPERM` without CAP_CHOWN; `EINVAL` for an id that this user namespace does not map.
pub fn chown(file: impl AsFd, uid: u32, gid: u32) -> Result<()> {
    let changed = rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    check(changed, || format!("fchown({uid}, {gid})"))
}

/// Changes the mode of an open file.
///
/// # Errors
///
/// `EPERM` if it belongs to another user.
pub fn chmod(file: impl AsFd, mode: u32) -> Result<()> {
    check(rustix::fs::fchmod(file, Mode::from_raw_mode(mode)), || format!("fchmod({mode:o})"))
}

/// Changes the mode of a place (`O_PATH`), which must not be a symbolic link.
///
/// # Errors
///
/// `ENOENT` if /proc is not mounted; `EOPNOTSUPP` for a symbolic link.
pub fn chmod_place(place: impl AsFd, mode: u32) -> Result<()> {
    let path = proc_path(place.as_fd());
    check(rustix::fs::chmod(&path, Mode::from_raw_mode(mode)), || format!("chmod({path:?}, {mode:o})"))
}

/// Sets the modification and access times of an open file.
///
/// # Errors
///
/// `EPERM` if it belongs to another user.
pub fn set_mtime(file: impl AsFd, time: Timespec) -> Result<()> {
    let times = Timestamps { last_access: time, last_modification: time };
    check(rustix::fs::futimens(file, &times), || format!("futimens({})", time.tv_sec))
}

/// Sets the modification and access times of `name` in `dir`.
///
/// # Errors
///
/// `ENOENT`, `EPERM`.
pub fn set_mtime_at(dir: impl AsFd, name: &OsStr, time: Timespec) -> Result<()> {
    let times = Timestamps { last_access: time, last_modification: time };
    let set = rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    check(set, || format!("utimensat({name:?}, {})", time.tv_sec))
}

/// Renames `name` in `dir`, replacing an existing file of the new name.
///
/// # Errors
///
/// `ENOENT`, `ENOTEMPTY`.
pub fn rename_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    check(rustix::fs::renameat(dir, name, new_dir, new_name), || format!("renameat({name:?}, {new_name:?})"))
}

/// Renames `name` in `dir`, if the new name does not exist.
///
/// # Errors
///
/// `EEXIST`; `ENOENT`; `EXDEV` if the folders are on different file systems.
pub fn rename_new_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    check(rustix::fs::renameat_with(dir, name, new_dir, new_name, RenameFlags::NOREPLACE), || {
        format!("renameat2({name:?}, {new_name:?}, RENAME_NOREPLACE)")
    })
}

/// Removes the file `name` from `dir`. Folders are not removed.
///
/// # Errors
///
/// `ENOENT`; `EISDIR`; `EBUSY` for a mount point.
pub fn unlink_at(dir: impl AsFd, name: &OsStr) -> Result<()> {
    check(rustix::fs::unlinkat(dir, name, AtFlags::empty()), || format!("unlinkat({name:?})"))
}

/// Removes the empty folder `name` from `dir`.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `ENOTEMPTY`; `EBUSY` for a mount point.
pub fn rmdir_at(dir: impl AsFd, name: &OsStr) -> Result<()> {
    check(rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR), || format!("unlinkat({name:?}, AT_REMOVEDIR)"))
}

/// Copies the contents of a file into an empty one, preserving holes. Returns the size in bytes.
///
/// # Errors
///
/// `EIO`, `ENOSPC`.
pub fn copy_data(from: impl AsFd, to: &File) -> Result<u64> {
    let from = from.as_fd();
    let size = u64::try_from(stat(from)?.st_size).unwrap_or(0);
    check(to.set_len(size), || format!("ftruncate({size})"))?;
    let mut buffer = vec![0; 256 << 10];
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Err(Errno::NXIO) => break, // only a hole is left
            start => check(start, || format!("lseek({at}, SEEK_DATA)"))?,
        };
        let end =
            check(rustix::fs::seek(from, SeekFrom::Hole(start)), || format!("lseek({start}, SEEK_HOLE)"))?;
        at = start;
        while at < end {
            let len = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            let count = check(rustix::io::pread(from, &mut buffer[..len], at), || "pread()".to_owned())?;
            if count == 0 {
                return Ok(size);
            }
            check(to.write_all_at(&buffer[..count], at), || "pwrite()".to_owned())?;
            at += count as u64;
        }
    }
    Ok(size)
}

/// Returns the names in a folder, without `.` and `..`, in no particular order.
///
/// # Errors
///
/// `ENOTDIR`, `EACCES`.
pub fn entries(dir: impl AsFd) -> Result<Vec<std::ffi::OsString>> {
    let names = rustix::fs::Dir::read_from(dir).and_then(|listing| {
        listing
            .map(|entry| entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned()))
            .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."))
            .collect::<std::result::Result<Vec<_>, _>>()
    });
    check(names, || "getdents64()".to_owned())
}

/// Returns up to `most` names like [`entries`], and whether there are more.
///
/// # Errors
///
/// `ENOTDIR`, `EACCES`.
pub fn entries_up_to(dir: impl AsFd, most: usize) -> Result<(Vec<std::ffi::OsString>, bool)> {
    let read = || -> rustix::io::Result<_> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == most {
                return Ok((names, true));
            }
            names.push(OsStr::from_bytes(name).to_owned());
        }
        Ok((names, false))
    };
    check(read(), || "getdents64()".to_owned())
}

/// Changes the current directory of this process to an open folder.
///
/// # Errors
///
/// `EACCES`.
pub fn change_dir(folder: impl AsFd) -> Result<()> {
    check(rustix::process::fchdir(folder), || "fchdir()".to_owned())
}

/// Returns a path in /proc that leads to an open file.
#[must_use]
pub fn proc_path(file: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_in_a_root_never_leaves_it() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        let inside = outside.path().join("root");
        std::fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("up")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), inside.join("absolute")).unwrap();
        let root = open_dir(&inside).unwrap();
        for path in ["up", "absolute", "../secret", "/../secret", "../../../../../etc/passwd"] {
            let error = open_in_root(&root, Path::new(path), OFlags::RDONLY).unwrap_err();
            assert!(error.is(Errno::NOENT), "{path}: {error}");
            assert!(open_beneath(&root, Path::new(path), OFlags::RDONLY).is_err(), "{path}");
        }
    }
}
