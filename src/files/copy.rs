//! Copies files and folders between two roots.
//!
//! Both sides may change meanwhile, so every step uses descriptors of open folders and does not
//! follow symbolic links. A file is written under a temporary name and renamed when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::change::{beside, check_name, not_mounted};
use super::error::{Error, Result};
use super::list::{PSEUDO, open_plain};
use super::root::{Folder, Root};
use super::{Copied, DEEPEST, Existing, FileKind, shown};
use crate::base::progress::Reporter;
use crate::base::units;
use crate::sys;
use crate::sys::fs::{self, FileType, Stat, Timespec};
use crate::sys::tree::{self, Leave, Mounts, Step, Visitor, Way};

/// The number of bytes copied at once.
const CHUNK: usize = 256 << 10;
/// Maximum number of bytes copied from a virtual file, which does not report its size.
const MADE_UP: u64 = 16 << 20;
/// Maximum number of notes kept.
const NOTES: usize = 50;
/// Permission bits that are copied. Set-id bits would grant the new owner's rights.
const KEPT_BITS: u32 = 0o1777;
/// The interval of progress reports.
const EVERY: Duration = Duration::from_millis(100);

/// What to copy, and where to.
pub(crate) struct Job<'a> {
    pub(crate) from: &'a Root,
    pub(crate) folder: &'a Path,
    pub(crate) names: &'a [OsString],
    pub(crate) to: &'a Root,
    pub(crate) into: &'a Path,
    pub(crate) existing: Existing,
}

/// Performs the request.
pub(crate) fn copy(request: &Job<'_>, reporter: &Reporter) -> Result<Copied> {
    request.names.iter().try_for_each(|name| check_name(name))?;
    let source = request.from.folder(request.folder)?;
    let target = request.to.folder_to_change(request.into)?;
    if request.existing == Existing::Keep {
        for name in request.names {
            if fs::stat_at(&target.dir, name).is_ok() {
                return Err(Error::Exists(name.into()));
            }
        }
    }
    not_into_itself(&source, &target, request.names)?;
    let mut copier = Copier {
        existing: request.existing,
        reporter,
        into: target.dir.as_fd(),
        target: identity(&fs::stat(&target.dir)?),
        folders: Vec::new(),
        path: PathBuf::new(),
        copied: Copied::default(),
        told: Instant::now(),
        buffer: vec![0; CHUNK],
    };
    for name in request.names {
        copier.all(&source.dir, name)?;
    }
    copier.tell();
    Ok(copier.copied)
}

/// Returns what identifies a file.
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// Fails if a folder would be copied into itself, which would never end.
fn not_into_itself(source: &Folder, target: &Folder, names: &[OsString]) -> Result<()> {
    let mut above = vec![identity(&fs::stat(&target.dir)?)];
    let mut dir = fs::open_at(&target.dir, OsStr::new("."), OFlags::PATH | OFlags::DIRECTORY)?;
    for _ in 0..4 * DEEPEST {
        dir = fs::open_at(&dir, OsStr::new(".."), OFlags::PATH | OFlags::DIRECTORY)?;
        let next = identity(&fs::stat(&dir)?);
        if above.last() == Some(&next) {
            break;
        }
        above.push(next);
    }
    for name in names {
        let stat = fs::stat_at(&source.dir, name)?;
        if fs::file_type(&stat) == FileType::Directory && above.contains(&identity(&stat)) {
            return Err(Error::IntoItself(name.into()));
        }
    }
    Ok(())
}

struct Copier<'a> {
    existing: Existing,
    reporter: &'a Reporter,
    /// The target folder.
    into: BorrowedFd<'a>,
    /// The identity of that folder, which stays the same if a mount shows it elsewhere.
    target: (u64, u64),
    /// The copies of the folders on the current path.
    folders: Vec<Made>,
    /// The path for messages.
    path: PathBuf,
    copied: Copied,
    told: Instant,
    buffer: Vec<u8>,
}

/// A copy of a folder that is being filled.
struct Made {
    folder: OwnedFd,
    /// The attributes of the original.
    stat: Stat,
    is_new: bool,
}

impl Copier<'_> {
    /// Copies `name` from a folder, recursively.
    fn all(&mut self, from: &OwnedFd, name: &OsStr) -> Result<()> {
        let way = Way { mounts: Mounts::Enter, ..Way::default() };
        match self.entry(from.as_fd(), name, FileType::Unknown)? {
            Step::Enter => tree::walk_by(way, from, name, self),
            Step::Pass => Ok(()),
        }
    }

    /// Returns the folder for new copies.
    fn to(&self) -> BorrowedFd<'_> {
        self.folders.last().map_or(self.into, |made| made.folder.as_fd())
    }

    /// Returns the path of a name in the source folder, for messages.
    fn path_of(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    fn file(&mut self, place: &OwnedFd, stat: &Stat, path: &Path) -> Result<()> {
        let source = match open_plain(place) {
            Err(error) if error.is_missing() => {
                self.skip(path, "it disappeared while it was being copied");
                return Ok(());
            }
            result => File::from(result?.0),
        };
        let beside = beside()?;
        let mut made = fs::create_at(self.to(), &beside, 0o600)?;
        let done = self.fill(source, &mut made, stat).and_then(|()| {
            describe(&made, stat)?;
            self.put(&beside, path)
        });
        if done.is_err() {
            let _ = fs::unlink_at(self.to(), &beside); // return the first error
        }
        done?;
        self.copied.files += 1;
        Ok(())
    }

    /// Copies as many bytes as the file had when it was opened, so that copying a growing file
    /// ends. Holes are preserved.
    fn fill(&mut self, source: File, made: &mut File, stat: &Stat) -> Result<()> {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut source = source.take(if size == 0 { MADE_UP } else { size });
        let mut written = 0;
        loop {
            if self.reporter.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let count = sys::check(source.read(&mut self.buffer), || "read()".to_owned())?;
            if count == 0 {
                break;
            }
            let bytes = &self.buffer[..count];
            let put = match bytes.iter().all(|byte| *byte == 0) {
                true => made.seek(SeekFrom::Current(i64::try_from(count).unwrap_or(0))).map(drop),
                false => made.write_all(bytes),
            };
            sys::check(put, || "write()".to_owned())?;
            written += count as u64;
            self.copied.bytes += count as u64;
            if self.told.elapsed() >= EVERY {
                self.tell();
            }
        }
        Ok(sys::check(made.set_len(written), || format!("ftruncate({written})"))?)
    }

    fn link(&mut self, from: BorrowedFd<'_>, path: &Path) -> Result<()> {
        let target = fs::readlink_at(from, name_of(path))?;
        let beside = beside()?;
        fs::symlink_at(target.as_os_str(), self.to(), &beside)?;
        if let Err(error) = self.put(&beside, path) {
            let _ = fs::unlink_at(self.to(), &beside); // return the first error
            return Err(error);
        }
        self.copied.files += 1;
        Ok(())
    }

    /// Renames a complete file from its temporary name.
    fn put(&self, beside: &OsStr, path: &Path) -> Result<()> {
        let (to, name) = (self.to(), name_of(path));
        let renamed = match self.existing {
            Existing::Keep => fs::rename_new_at(to, beside, to, name),
            Existing::Replace => {
                match not_mounted(to, name) {
                    Err(error) if error.is_missing() => {}
                    result => result?,
                }
                fs::rename_at(to, beside, to, name)
            }
        };
        match renamed {
            Err(error) if error.is(Errno::EXIST) || error.is(Errno::ISDIR) => Err(Error::Exists(path.into())),
            result => Ok(result?),
        }
    }

    fn skip(&mut self, path: &Path, why: &str) {
        self.copied.skipped += 1;
        if self.copied.notes.len() < NOTES {
            let note = format!("skipped {}: {why}", shown(path));
            self.reporter.note(note.clone());
            self.copied.notes.push(note);
        }
    }

    fn tell(&mut self) {
        self.told = Instant::now();
        let Copied { files, bytes, .. } = self.copied;
        self.reporter.note(format!("{files} files, {}", units::column(bytes)));
    }
}

impl Visitor for Copier<'_> {
    type Error = Error;

    /// Copies an entry. A folder is created when it is entered.
    fn entry(&mut self, from: BorrowedFd<'_>, name: &OsStr, _: FileType) -> Result<Step> {
        if self.reporter.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let path = self.path_of(name);
        let place = match fs::open_at(from, name, OFlags::PATH) {
            Err(error) if error.is(Errno::NOENT) && !self.folders.is_empty() => {
                self.skip(&path, "it disappeared while it was being copied");
                return Ok(Step::Pass);
            }
            result => result?,
        };
        let stat = fs::stat(&place)?;
        match FileKind::from(fs::file_type(&stat)) {
            FileKind::Folder if self.folders.len() == DEEPEST => return Err(Error::TooDeep(path)),
            FileKind::Folder => {
                let magic = fs::file_system(&place)?;
                let Some((_, what)) = PSEUDO.iter().find(|(number, _)| *number == magic) else {
                    return Ok(Step::Enter);
                };
                self.skip(&path, &format!("it is the kernel's {what} file system"));
            }
            FileKind::File => self.file(&place, &stat, &path)?,
            FileKind::Link => self.link(from, &path)?,
            other => self.skip(&path, &format!("it is {}", other.words())),
        }
        Ok(Step::Pass)
    }

    fn enter(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> Result<Step> {
        let path = self.path_of(name);
        let stat = fs::stat(folder)?;
        if identity(&stat) == self.target {
            self.skip(&path, "it is the destination of the copy");
            return Ok(Step::Pass);
        }
        let is_new = match fs::mkdir_at(self.to(), name, 0o700) {
            Err(error) if error.is(Errno::EXIST) && self.existing == Existing::Replace => false,
            Err(error) if error.is(Errno::EXIST) => return Err(Error::Exists(path)),
            result => result.map(|()| true)?,
        };
        let folder = match fs::open_at(self.to(), name, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(error) if error.is(Errno::NOTDIR) || error.is(Errno::LOOP) => {
                return Err(Error::Exists(path));
            }
            result => result?,
        };
        self.folders.push(Made { folder, stat, is_new });
        self.path = path;
        Ok(Step::Enter)
    }

    fn lost(&mut self) -> Result<()> {
        Err(Error::Changed)
    }

    fn refused(&mut self, _: BorrowedFd<'_>, name: &OsStr, error: sys::Error) -> Result<Leave> {
        if ![Errno::NOENT, Errno::NOTDIR, Errno::LOOP].iter().any(|errno| error.is(*errno)) {
            return Err(error.into());
        }
        let path = self.path_of(name);
        self.skip(&path, "it disappeared while it was being copied");
        Ok(Leave::Done)
    }

    /// Completes a folder after everything in it.
    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> Result<Leave> {
        self.path.pop();
        if let Some(made) = self.folders.pop() {
            self.copied.folders += 1;
            if made.is_new {
                describe(&made.folder, &made.stat)?;
            }
        }
        Ok(Leave::Done)
    }
}

fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

/// Sets the permissions and times of a copy. It belongs to the process that copies.
fn describe(file: impl AsFd, stat: &Stat) -> Result<()> {
    let file = file.as_fd();
    fs::chmod(file, stat.st_mode & KEPT_BITS)?;
    let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Ok(fs::set_mtime(file, Timespec { tv_sec: stat.st_mtime, tv_nsec: nanos })?)
}
