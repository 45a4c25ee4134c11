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
        add(&mut weight, &folder.dir, name, 0, &mut left);
        Ok(weight)
    });
    weighed.collect()
}

/// Adds what is at `name`; what went meanwhile or cannot be read counts nothing.
fn add(weight: &mut Weight, dir: &OwnedFd, name: &OsStr, depth: usize, left: &mut u64) {
    if *left == 0 || depth > DEEPEST {
        weight.is_more = true;
        return;
    }
    *left -= 1;
    let Ok(place) = fs::open_at(dir, name, OFlags::PATH) else { return };
    let Ok(stat) = fs::stat(&place) else { return };
    match kind(fs::file_type(&stat)) {
        FileKind::Folder => {
            let is_pseudo = |magic| PSEUDO.iter().any(|(number, _)| *number == magic);
            if fs::file_system(&place).is_ok_and(is_pseudo) {
                return;
            }
            let Ok(folder) = fs::reopen(&place, OFlags::RDONLY | OFlags::DIRECTORY) else { return };
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            let Ok((names, has_more)) = fs::entries_up_to(&folder, most) else { return };
            weight.is_more |= has_more;
            names.iter().for_each(|inner| add(weight, &folder, inner, depth + 1, left));
        }
        FileKind::File => {
            weight.files += 1;
            weight.bytes += u64::try_from(stat.st_size).unwrap_or(0);
        }
        FileKind::Link => weight.files += 1,
        FileKind::Pipe | FileKind::Socket | FileKind::Device => {}
    }
}
