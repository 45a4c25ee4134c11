//! Files below a folder that is not trusted: every name is looked up with openat2(2), so
//! that neither `..`, nor an absolute path, nor a symbolic link leads out of it.
//!
//! The functions that end in `_at` take a single name inside a folder that is already
//! open, and never follow a link there.

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

/// The major and minor number of a device.
#[must_use]
pub fn device_numbers(dev: Dev) -> (u32, u32) {
    (rustix::fs::major(dev), rustix::fs::minor(dev))
}

/// The device of a major and a minor number.
#[must_use]
pub fn device(major: u32, minor: u32) -> Dev {
    rustix::fs::makedev(major, minor)
}

/// What kind of file `stat` tells of.
#[must_use]
pub fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Opens a folder by its path, which is trusted.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn open_dir(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    check(rustix::fs::open(path, flags, Mode::empty()), || format!("open({path:?}, O_DIRECTORY)"))
}

/// Opens `path` as a mere place (O_PATH), by a path which is trusted.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn open_place(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    check(rustix::fs::open(path, flags, Mode::empty()), || format!("open({path:?}, O_PATH)"))
}

/// Opens `path` inside `root` as if `root` were `/`: links and `..` stay inside.
///
/// # Errors
///
/// `ENOENT`, `ELOOP`, and `EXDEV` for magic links.
pub fn open_in_root(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    resolve(root.as_fd(), path, flags, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// As [`open_in_root`], without crossing into anything that is mounted in there.
///
/// # Errors
///
/// As there; `EXDEV` also where something is mounted.
pub fn open_in_root_file_system(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    resolve(root.as_fd(), path, flags, how)
}

/// Opens `path` below `root`, following no link at all.
///
/// # Errors
///
/// `ENOENT`; `ELOOP` when a component is a symbolic link; `EXDEV` when it leads out.
pub fn open_beneath(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    resolve(root.as_fd(), path, flags, how)
}

fn resolve(root: BorrowedFd<'_>, path: &Path, flags: OFlags, how: ResolveFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    loop {
        // A rename elsewhere in the tree makes the kernel give up on `..`: once more.
        match rustix::fs::openat2(root, path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return check(result, || format!("open {}", path.display())),
        }
    }
}

/// Creates the file `name` in `dir`, to be written and read.
///
/// # Errors
///
/// `EEXIST` when there is anything of that name, a dangling link included.
pub fn create_at(dir: impl AsFd, name: &OsStr, mode: u32) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode));
    check(opened, || format!("openat({name:?}, O_CREAT|O_EXCL)")).map(File::from)
}

/// A file without a name in `dir`, which vanishes with its last descriptor.
///
/// # Errors
///
/// `EOPNOTSUPP` where the file system has no such files; `ENOSPC`.
pub fn unnamed(dir: &Path) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let opened = rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR);
    check(opened, || format!("open({dir:?}, O_TMPFILE)")).map(File::from)
}

/// Opens `name` in `dir`.
///
/// # Errors
///
/// `ENOENT`; `ELOOP` when it is a symbolic link (unless only its place is asked for).
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

/// Creates the symbolic link `name` in `dir`; `target` may be anything.
///
/// # Errors
///
/// `EEXIST`; `ENOENT` when `target` is empty.
pub fn symlink_at(target: &OsStr, dir: impl AsFd, name: &OsStr) -> Result<()> {
    check(rustix::fs::symlinkat(target, dir, name), || format!("symlinkat({target:?}, {name:?})"))
}

/// Where the symbolic link `name` in `dir` points.
///
/// # Errors
///
/// `EINVAL` when it is none.
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

/// Gives the file `name` of `dir` another name: `new_name` in `new_dir`.
///
/// # Errors
///
/// `EEXIST`; `EPERM` for folders; `EMLINK`.
pub fn link_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    let linked = rustix::fs::linkat(dir, name, new_dir, new_name, AtFlags::empty());
    check(linked, || format!("linkat({name:?}, {new_name:?})"))
}

/// What `name` in `dir` is.
///
/// # Errors
///
/// `ENOENT`.
pub fn stat_at(dir: impl AsFd, name: &OsStr) -> Result<Stat> {
    check(rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW), || format!("fstatat({name:?})"))
}

/// What `path` below `dir` leads to, links followed wherever they lead.
///
/// # Errors
///
/// `ENOENT`.
pub fn stat_followed(dir: impl AsFd, path: &Path) -> Result<Stat> {
    check(rustix::fs::statat(dir, path, AtFlags::empty()), || format!("fstatat({path:?})"))
}

/// What an open file is.
///
/// # Errors
///
/// `EBADF` only.
pub fn stat(file: impl AsFd) -> Result<Stat> {
    check(rustix::fs::fstat(file), || "fstat()".to_owned())
}

/// What `name` in `dir` is, and whether something is mounted on it. Nothing is mounted for
/// the question.
///
/// # Errors
///
/// `ENOENT`.
pub fn statx_at(dir: impl AsFd, name: &OsStr) -> Result<Statx> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    check(rustix::fs::statx(dir, name, flags, StatxFlags::BASIC_STATS), || format!("statx({name:?})"))
}

/// The mount that a place is reached by, as a number of this boot.
///
/// # Errors
///
/// `EBADF` only.
pub fn mount_id(place: impl AsFd) -> Result<u64> {
    let stat = rustix::fs::statx(place, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
    check(stat, || "statx(STATX_MNT_ID)".to_owned()).map(|stat| stat.stx_mnt_id)
}

/// The magic number of the file system that a place is on: statfs(2) lists them.
///
/// # Errors
///
/// `EIO`.
pub fn file_system(place: impl AsFd) -> Result<u64> {
    let stat = check(rustix::fs::fstatfs(place), || "fstatfs()".to_owned())?;
    Ok(stat.f_type.cast_unsigned())
}

/// Whether nothing can be written where a place is.
///
/// # Errors
///
/// `EIO`.
pub fn is_read_only(place: impl AsFd) -> Result<bool> {
    let stat = check(rustix::fs::fstatvfs(place), || "fstatvfs()".to_owned())?;
    Ok(stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Where the kernel says that an open file is, in the root of the mount it was reached by.
/// Names in it may be anything, and it may be there no more.
///
/// # Errors
///
/// `ENOENT` where /proc is not mounted.
pub fn path_of(place: impl AsFd) -> Result<PathBuf> {
    let link = proc_path(place.as_fd());
    let target = check(rustix::fs::readlink(&link, Vec::new()), || format!("readlink({link:?})"))?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
}

/// Opens what a place (O_PATH) is: the very same file, whoever has its name by now.
///
/// # Errors
///
/// `ENXIO` for sockets and for pipes without a reader; `EACCES`, `EROFS`.
pub fn reopen(place: impl AsFd, flags: OFlags) -> Result<OwnedFd> {
    let path = proc_path(place.as_fd());
    let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
    check(rustix::fs::open(&path, flags, Mode::empty()), || format!("open({path:?}, {flags:?})"))
}

/// Changes the owner of `name` in `dir`.
///
/// # Errors
///
/// `EPERM` without CAP_CHOWN; `EINVAL` for an id this user namespace does not map.
pub fn chown_at(dir: impl AsFd, name: &OsStr, uid: u32, gid: u32) -> Result<()> {
    let (owner, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let changed = rustix::fs::chownat(dir, name, owner, group, AtFlags::SYMLINK_NOFOLLOW);
    check(changed, || format!("fchownat({name:?}, {uid}, {gid})"))
}

/// Changes the owner of an open file. Clears the set-id bits.
///
/// # Errors
///
/// `EPERM` without CAP_CHOWN; `EINVAL` for an id this user namespace does not map.
pub fn chown(file: impl AsFd, uid: u32, gid: u32) -> Result<()> {
    let changed = rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    check(changed, || format!("fchown({uid}, {gid})"))
}

/// Changes the permission bits of an open file.
///
/// # Errors
///
/// `EPERM` when it belongs to somebody else.
pub fn chmod(file: impl AsFd, mode: u32) -> Result<()> {
    check(rustix::fs::fchmod(file, Mode::from_raw_mode(mode)), || format!("fchmod({mode:o})"))
}

/// Changes the permission bits of a place (O_PATH), which must not be a symbolic link.
///
/// # Errors
///
/// `ENOENT` where /proc is not mounted; `EOPNOTSUPP` for a symbolic link.
pub fn chmod_place(place: impl AsFd, mode: u32) -> Result<()> {
    let path = proc_path(place.as_fd());
    check(rustix::fs::chmod(&path, Mode::from_raw_mode(mode)), || format!("chmod({path:?}, {mode:o})"))
}

/// Sets the time of last change of an open file; that of access becomes the same.
///
/// # Errors
///
/// `EPERM` when it belongs to somebody else.
pub fn set_mtime(file: impl AsFd, time: Timespec) -> Result<()> {
    let times = Timestamps { last_access: time, last_modification: time };
    check(rustix::fs::futimens(file, &times), || format!("futimens({})", time.tv_sec))
}

/// Sets the time of last change of `name` in `dir`; that of access becomes the same.
///
/// # Errors
///
/// `ENOENT`, `EPERM`.
pub fn set_mtime_at(dir: impl AsFd, name: &OsStr, time: Timespec) -> Result<()> {
    let times = Timestamps { last_access: time, last_modification: time };
    let set = rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    check(set, || format!("utimensat({name:?}, {})", time.tv_sec))
}

/// Renames `name` in `dir`; what bore the new name is replaced.
///
/// # Errors
///
/// `ENOENT`, `ENOTEMPTY`.
pub fn rename_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    check(rustix::fs::renameat(dir, name, new_dir, new_name), || format!("renameat({name:?}, {new_name:?})"))
}

/// Renames `name` in `dir` where nothing bears the new name.
///
/// # Errors
///
/// `EEXIST`; `ENOENT`; `EXDEV` for another file system.
pub fn rename_new_at(dir: impl AsFd, name: &OsStr, new_dir: impl AsFd, new_name: &OsStr) -> Result<()> {
    check(rustix::fs::renameat_with(dir, name, new_dir, new_name, RenameFlags::NOREPLACE), || {
        format!("renameat2({name:?}, {new_name:?}, RENAME_NOREPLACE)")
    })
}

/// Removes the file `name` from `dir`: anything that is no folder.
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

/// Copies what a file holds into an empty one; holes stay holes. Returns its size.
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
            Err(Errno::NXIO) => break, // a hole to the end
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

/// The names in a folder, without `.` and `..`, in no order.
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

/// At most `most` names in a folder, as [`entries`], and whether there are more.
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

/// Makes an open folder the current one of this process.
///
/// # Errors
///
/// `EACCES`.
pub fn change_dir(folder: impl AsFd) -> Result<()> {
    check(rustix::process::fchdir(folder), || "fchdir()".to_owned())
}

/// A path that leads the kernel to an open file, by /proc.
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
