//! How much there is to copy: counted before it is asked about.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;

use super::change::check_name;
use super::error::Done;
use super::list::{PSEUDO, kind};
use super::root::{Root, Wish};
use super::{DEEPEST, FileKind, Place, Weight};
use crate::engine::Engine;
use crate::sys::fs;

/// More files are not counted.
const MOST: u64 = 20_000;

/// What `names` of the folder `path` hold, folders with all that is in them.
pub(super) fn weigh(engine: &Engine, place: &Place, path: &Path, names: &[OsString]) -> Done<Vec<Weight>> {
    names.iter().try_for_each(|name| check_name(name))?;
    let root = Root::open(engine, place, Wish::Read)?;
    let folder = root.folder(path)?;
    let mut left = MOST;
    let weighed = names.iter().map(|name| {
        let stat = fs::stat_at(&folder.dir, name)?;
        let is_folder = kind(fs::file_type(&stat)) == FileKind::Folder;
        let mut weight = Weight { name: name.clone(), is_folder, ..Weight::default() };
        add(&mut weight, &folder.dir, name, &mut left);
        Ok(weight)
    });
    weighed.collect()
}

/// A folder that is being counted, and the names in it that are not yet.
type Open = (OwnedFd, std::vec::IntoIter<OsString>);

/// Adds what is at `name`, folders with all that is in them.
fn add(weight: &mut Weight, dir: &OwnedFd, name: &OsStr, left: &mut u64) {
    let mut open: Vec<Open> = count(weight, dir, name, 0, left).into_iter().collect();
    loop {
        let depth = open.len();
        let Some((folder, names)) = open.last_mut() else { return };
        match names.next() {
            Some(name) => {
                let inner = count(weight, folder, &name, depth, left);
                open.extend(inner);
            }
            None => drop(open.pop()),
        }
    }
}

/// Counts one entry and gives what is in it; what went meanwhile or cannot be read counts
/// nothing.
fn count(weight: &mut Weight, dir: &OwnedFd, name: &OsStr, depth: usize, left: &mut u64) -> Option<Open> {
    if *left == 0 || depth > DEEPEST {
        weight.is_more = true;
        return None;
    }
    *left -= 1;
    let place = fs::open_at(dir, name, OFlags::PATH).ok()?;
    let stat = fs::stat(&place).ok()?;
    match kind(fs::file_type(&stat)) {
        FileKind::Folder => {
            let is_pseudo = |magic| PSEUDO.iter().any(|(number, _)| *number == magic);
            if fs::file_system(&place).is_ok_and(is_pseudo) {
                return None;
            }
            let folder = fs::reopen(&place, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            let (names, has_more) = fs::entries_up_to(&folder, most).ok()?;
            weight.is_more |= has_more;
            return Some((folder, names.into_iter()));
        }
        FileKind::File => {
            weight.files += 1;
            weight.bytes += u64::try_from(stat.st_size).unwrap_or(0);
        }
        FileKind::Link => weight.files += 1,
        FileKind::Pipe | FileKind::Socket | FileKind::Device => {}
    }
    None
}
