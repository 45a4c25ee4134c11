//! Reads, writes, polls and removes files and groups of the cgroup file systems.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Error, Result};
use crate::sys;
use crate::sys::fs::FileType;
use crate::sys::tree::{self, Leave, Step};

/// Writes a value with a single `write(2)`, as these files require.
pub(super) fn write(path: &Path, value: &str) -> Result<()> {
    let result =
        OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(value.as_bytes()));
    result.map_err(|source| failed(&format!("write {value:?} to"), path, source))
}

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| failed("read", path, source))
}

/// Reads a file that contains one number; `None` for `max` or a missing file.
pub(super) fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns the number after `key` in a text with lines `key number`.
pub(super) fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Creates a directory, unless it exists.
pub(super) fn make_dir(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(failed("create", path, source)),
        _ => Ok(()),
    }
}

/// Creates a directory and its missing parents.
pub(super) fn make_dirs(path: &Path) -> Result<()> {
    match make_dir(path) {
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), make_dirs)?;
            make_dir(path)
        }
        result => result,
    }
}

/// Reads a file of process or thread ids; empty if the group is gone.
pub(super) fn pids(path: &Path) -> Result<Vec<i32>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(numbers(&text).collect()),
        Err(error) if is_gone(error.raw_os_error()) => Ok(Vec::new()),
        Err(source) => Err(failed("read", path, source)),
    }
}

/// Returns the processes of a group and of all groups below it, at any depth; empty if the group is
/// gone.
pub(super) fn pids_below(dir: &Path, file: &str) -> Result<Vec<i32>> {
    let (file, pids) = match pids(&dir.join(file)) {
        // The processes of a threaded group are listed in a group above it, maybe even above this
        // one.
        Err(Error::File { source, .. }) if is_threaded(source.raw_os_error()) => {
            ("cgroup.threads", pids(&dir.join("cgroup.threads"))?)
        }
        pids => (file, pids?),
    };
    let mut found = Pids { file, pids };
    match walk(dir, &mut found) {
        Err(error) if !is_gone(Some(error.errno())) => {
            Err(failed("list", dir, io::Error::from_raw_os_error(error.errno())))
        }
        _ => Ok(found.pids),
    }
}

/// Whether an operation failed because the group was removed, before or after the file was opened.
pub(super) fn is_gone(errno: Option<i32>) -> bool {
    [Some(libc::ENOENT), Some(libc::ENODEV)].contains(&errno)
}

/// Whether a threaded group refused to list its processes.
fn is_threaded(errno: Option<i32>) -> bool {
    errno == Some(libc::EOPNOTSUPP)
}

/// Walks the groups below `dir` by descriptor, as their paths may be too long for the kernel.
fn walk(dir: &Path, visitor: &mut impl tree::Visitor<Error = sys::Error>) -> sys::Result<()> {
    let parent = sys::fs::open_place(dir.parent().unwrap_or(dir))?;
    tree::walk(parent, dir.file_name().unwrap_or_default(), visitor)
}

/// Collects the ids in all files of one name, except the root's.
struct Pids<'a> {
    file: &'a str,
    pids: Vec<i32>,
}

impl tree::Visitor for Pids<'_> {
    type Error = sys::Error;

    fn entry(&mut self, group: BorrowedFd<'_>, name: &OsStr, kind: FileType) -> sys::Result<Step> {
        if kind != FileType::Directory {
            return Ok(Step::Pass);
        }
        let path = Path::new(name).join(self.file);
        let text = sys::fs::open_beneath(group, &path, OFlags::RDONLY).and_then(|file| {
            io::read_to_string(fs::File::from(file)).map_err(|error| sys::Error::new("read()", error))
        });
        match text {
            Ok(text) => self.pids.extend(numbers(&text)),
            Err(error) if is_gone(Some(error.errno())) || is_threaded(Some(error.errno())) => {}
            Err(error) => return Err(error),
        }
        Ok(Step::Enter)
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, error: sys::Error) -> sys::Result<Leave> {
        if is_gone(Some(error.errno())) { Ok(Leave::Done) } else { Err(error) }
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> sys::Result<Leave> {
        Ok(Leave::Done)
    }
}

fn numbers(text: &str) -> impl Iterator<Item = i32> {
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok())
}

/// Returns the names of a group's direct children; empty if the group is gone.
pub(super) fn groups_in(dir: &Path) -> Result<Vec<OsString>> {
    let read = || -> io::Result<Vec<OsString>> {
        let mut groups = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                groups.push(entry.file_name());
            }
        }
        Ok(groups)
    };
    match read() {
        Err(error) if is_gone(error.raw_os_error()) => Ok(Vec::new()),
        groups => groups.map_err(|source| failed("list", dir, source)),
    }
}

/// Removes a group and all groups below it, deepest first.
pub(super) fn remove_groups(dir: &Path) -> io::Result<()> {
    // Usually there are no groups below it, so one call suffices.
    match fs::remove_dir(dir) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {}
    }
    match walk(dir, &mut Remover) {
        Err(error) if !error.is(Errno::NOENT) => Err(io::Error::from_raw_os_error(error.errno())),
        _ => Ok(()),
    }
}

struct Remover;

impl tree::Visitor for Remover {
    type Error = sys::Error;

    fn entry(&mut self, _: BorrowedFd<'_>, _: &OsStr, kind: FileType) -> sys::Result<Step> {
        Ok(if kind == FileType::Directory { Step::Enter } else { Step::Pass })
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, error: sys::Error) -> sys::Result<Leave> {
        if error.is(Errno::NOENT) { Ok(Leave::Done) } else { Err(error) }
    }

    fn leave(&mut self, parent: BorrowedFd<'_>, name: &OsStr, _: u32) -> sys::Result<Leave> {
        match sys::fs::rmdir_at(parent, name) {
            Err(error) if !error.is(Errno::NOENT) => Err(error),
            _ => Ok(Leave::Done),
        }
    }
}

/// Waits until `is_so` holds for a file whose changes the kernel announces, or until the time
/// limit.
pub(super) fn wait_for(path: &Path, limit: Duration, is_so: impl Fn(&str) -> bool) -> Result<bool> {
    let file = fs::File::open(path).map_err(|source| failed("read", path, source))?;
    let end = Instant::now() + limit;
    loop {
        let text = read_again(&file).map_err(|source| failed("read", path, source))?;
        if is_so(&text) {
            return Ok(true);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        poll_change(&file, left).map_err(|source| failed("poll", path, source))?;
    }
}

/// Whether the processes of a v2 group are frozen, according to its `cgroup.events`. Reading it
/// also arms the notification of the next change.
pub(super) fn is_frozen(events: &OwnedFd, group: &Path) -> Result<bool> {
    let mut buffer = [0; 4096];
    let length = rustix::io::pread(events, &mut buffer, 0)
        .map_err(|errno| failed("read", &group.join("cgroup.events"), errno.into()))?;
    Ok(field(&String::from_utf8_lossy(&buffer[..length]), "frozen") == Some(1))
}

/// Requests a state of a v1 freezer, and returns whether it was reached. The kernel freezes only
/// the processes that exist at the time of the write, so it must be repeated for new children.
pub(super) fn freeze_v1(file: &Path, state: &str) -> Result<bool> {
    write(file, state)?;
    Ok(read(file)?.trim() == state)
}

fn read_again(file: &fs::File) -> io::Result<String> {
    let mut buffer = [0; 4096];
    let length = std::os::unix::fs::FileExt::read_at(file, &mut buffer, 0)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

fn poll_change(file: &fs::File, limit: Duration) -> io::Result<()> {
    let mut polled = [PollFd::new(file, PollFlags::PRI)];
    let limit = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
    match rustix::event::poll(&mut polled, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a file of a group for writing, for a process to join the group.
pub(super) fn open_to_write(path: &Path) -> Result<OwnedFd> {
    let file = OpenOptions::new().write(true).open(path).map_err(|source| failed("open", path, source))?;
    Ok(file.into())
}

/// Opens a group, or one of its files for polling.
pub(super) fn open(path: &Path) -> Result<OwnedFd> {
    let file = fs::File::open(path).map_err(|source| failed("open", path, source))?;
    Ok(file.into())
}

/// Returns an eventfd that is signalled at every out-of-memory kill in this v1 group or below it.
pub(super) fn v1_oom_eventfd(dir: &Path) -> Result<OwnedFd> {
    use std::os::fd::AsRawFd as _;
    let path = dir.join("memory.oom_control");
    let control = fs::File::open(&path).map_err(|source| failed("open", &path, source))?;
    let event = rustix::event::eventfd(
        0,
        rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK,
    )
    .map_err(|errno| failed("create an eventfd for", &path, errno.into()))?;
    let request = format!("{} {}", event.as_fd().as_raw_fd(), control.as_raw_fd());
    write(&dir.join("cgroup.event_control"), &request)?;
    Ok(event)
}

pub(super) fn failed(doing: &str, path: &Path, source: io::Error) -> Error {
    Error::File { doing: doing.to_owned(), path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_nest_deeper_than_a_path_is_long() {
        const DEPTH: i32 = 1_000;
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("group");
        fs::create_dir(&top).unwrap();
        let mut group = sys::fs::open_dir(&top).unwrap();
        for depth in 0..DEPTH {
            // In a real tree these files disappear with their group.
            let mut file = sys::fs::create_at(&group, OsStr::new("cgroup.procs"), 0o600).unwrap();
            writeln!(file, "{depth}").unwrap();
            sys::fs::mkdir_at(&group, OsStr::new("inner"), 0o700).unwrap();
            group =
                sys::fs::open_at(&group, OsStr::new("inner"), OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
        }
        let mut pids = pids_below(&top, "cgroup.procs").unwrap();
        pids.sort_unstable();
        assert!(pids.into_iter().eq(0..DEPTH));
        for _ in 0..DEPTH {
            group = sys::fs::open_at(&group, OsStr::new(".."), OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
            sys::fs::unlink_at(&group, OsStr::new("cgroup.procs")).unwrap();
        }
        remove_groups(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn only_a_group_that_is_gone_has_no_processes_or_groups() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        assert_eq!(pids_below(&gone, "cgroup.procs").unwrap(), [0; 0]);
        assert_eq!(groups_in(&gone).unwrap(), [""; 0]);

        let unreadable = |file: &Path| {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink("/proc/self/mem", file).unwrap(); // EIO
        };
        let group = dir.path().join("group");
        unreadable(&group.join("cgroup.procs"));
        let told = pids_below(&group, "cgroup.procs").unwrap_err().to_string();
        assert_eq!(told, format!("cannot read {}/cgroup.procs", group.display()));

        let above = dir.path().join("above");
        fs::create_dir_all(above.join("inner/cgroup.procs")).unwrap(); // EISDIR
        let told = pids_below(&above, "cgroup.procs").unwrap_err().to_string();
        assert_eq!(told, format!("cannot list {}", above.display()));

        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(groups_in(&file).unwrap_err().to_string(), format!("cannot list {}", file.display()));
    }
}
