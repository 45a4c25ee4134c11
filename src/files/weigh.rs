//! Measures what is to be copied, before the user is asked to confirm.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::change::check_name;
use super::list::PSEUDO;
use super::root::Root;
use super::{DEEPEST, FileKind, Weight, error};
use crate::sys;
use crate::sys::fs::{self, FileType};
use crate::sys::tree::{self, Leave, Mounts, Step, Visitor, Way};

/// Maximum number of files counted.
const MOST: u64 = 20_000;

/// Measures `names` in the folder `path`, folders recursively.
pub(crate) fn weigh(root: &Root, path: &Path, names: &[OsString]) -> error::Result<Vec<Weight>> {
    names.iter().try_for_each(|name| check_name(name))?;
    let folder = root.folder(path)?;
    let mut left = MOST;
    let weighed = names.iter().map(|name| {
        let stat = fs::stat_at(&folder.dir, name)?;
        let is_folder = FileKind::from(fs::file_type(&stat)) == FileKind::Folder;
        let mut weight = Weight { name: name.clone(), is_folder, ..Weight::default() };
        add(&mut weight, &folder.dir, name, &mut left);
        Ok(weight)
    });
    weighed.collect()
}

/// Adds the size of `name`, folders recursively.
fn add(weight: &mut Weight, dir: &OwnedFd, name: &OsStr, left: &mut u64) {
    let mut counter = Counter { weight, left, depth: 0 };
    let way = Way { mounts: Mounts::Enter, ..Way::default() };
    // Files that were removed or are unreadable count nothing, and stopping at the limit is not an
    // error.
    if let Ok(Step::Enter) = counter.entry(dir.as_fd(), name, FileType::Unknown) {
        let _ = tree::walk_by(way, dir, name, &mut counter);
    }
}

struct Counter<'a> {
    weight: &'a mut Weight,
    left: &'a mut u64,
    depth: usize,
}

/// Counting stopped at the limit.
struct Enough;

impl From<sys::Error> for Enough {
    fn from(_: sys::Error) -> Self {
        Self
    }
}

impl Visitor for Counter<'_> {
    type Error = Enough;

    fn entry(&mut self, folder: BorrowedFd<'_>, name: &OsStr, _: FileType) -> Result<Step, Enough> {
        if *self.left == 0 {
            self.weight.is_more = true;
            return Err(Enough);
        }
        *self.left -= 1;
        let Ok(stat) = fs::stat_at(folder, name) else { return Ok(Step::Pass) };
        match FileKind::from(fs::file_type(&stat)) {
            FileKind::Folder if self.depth == DEEPEST => self.weight.is_more = true,
            FileKind::Folder => return Ok(Step::Enter),
            FileKind::File => {
                self.weight.files += 1;
                self.weight.bytes += u64::try_from(stat.st_size).unwrap_or(0);
            }
            FileKind::Link => self.weight.files += 1,
            FileKind::Pipe | FileKind::Socket | FileKind::Device => {}
        }
        Ok(Step::Pass)
    }

    fn enter(&mut self, folder: BorrowedFd<'_>, _: &OsStr) -> Result<Step, Enough> {
        let is_pseudo = |magic| PSEUDO.iter().any(|(number, _)| *number == magic);
        if fs::file_system(folder).is_ok_and(is_pseudo) {
            return Ok(Step::Pass);
        }
        self.depth += 1;
        Ok(Step::Enter)
    }

    fn lost(&mut self) -> Result<(), Enough> {
        Err(Enough)
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: sys::Error) -> Result<Leave, Enough> {
        Ok(Leave::Done)
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> Result<Leave, Enough> {
        self.depth -= 1;
        Ok(Leave::Done)
    }
}
