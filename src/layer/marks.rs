//! How a container's files differ from its image: its upper folder compared with its layers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::Result;
use super::look::{There, is_whiteout, look};
use super::{Mark, opaque_attribute};
use crate::sys::fs::{self, FileType, Stat};

/// A container's upper folder and its layers, opened.
pub(crate) struct Marks {
    upper: OwnedFd,
    /// Topmost first.
    lower: Vec<OwnedFd>,
    opaque: &'static OsStr,
    most: usize,
}

/// What changed in one folder, by name, with the image's file if it was deleted.
pub(crate) type Changes = BTreeMap<OsString, (Mark, Option<Stat>)>;

impl Marks {
    /// Opens an upper folder and the layers below it, topmost first; `None` if the container never
    /// ran, so nothing differs. At most `most` names of a folder are read.
    pub(crate) fn open(
        upper: &Path,
        layers: impl Iterator<Item = PathBuf>,
        in_user_namespace: bool,
        most: usize,
    ) -> Result<Option<Self>> {
        let upper = match fs::open_dir(upper) {
            Err(error) if error.is(Errno::NOENT) => return Ok(None),
            result => result?,
        };
        let lower = layers.map(|layer| fs::open_dir(&layer)).collect::<crate::sys::Result<Vec<_>>>()?;
        Ok(Some(Self { upper, lower, opaque: opaque_attribute(in_user_namespace), most }))
    }

    /// Returns what changed in the folder `path` of the root file system.
    pub(crate) fn of(&self, path: &Path) -> Result<Changes> {
        let path = path.strip_prefix("/").unwrap_or(path);
        let There::Here { place, hides } = look(&self.upper, path, self.opaque)? else {
            return Ok(Changes::new());
        };
        if fs::file_type(&fs::stat(&place)?) != FileType::Directory {
            return Ok(Changes::new());
        }
        let upper = fs::open_at(&place, OsStr::new("."), OFlags::RDONLY | OFlags::DIRECTORY)?;
        let lower = self.below(path)?;
        let mut changes = Changes::new();
        let (names, _) = fs::entries_up_to(&upper, self.most)?;
        for name in names {
            let Ok(stat) = fs::stat_at(&upper, &name) else { continue }; // removed since
            let before = in_image(&lower, &name);
            let mark = match (is_whiteout(&stat), before.is_some()) {
                (true, true) => Mark::Deleted,
                (true, false) => continue, // created and removed in the container
                (false, true) => Mark::Changed,
                (false, false) => Mark::Added,
            };
            changes.insert(name, (mark, before.filter(|_| mark == Mark::Deleted)));
        }
        if hides {
            // The folder was deleted and created again, so names it lacks were deleted.
            let gone =
                names_of(&lower, self.most)?.into_iter().filter(|name| fs::stat_at(&upper, name).is_err());
            for name in gone.collect::<Vec<_>>() {
                if let Some(stat) = in_image(&lower, &name) {
                    changes.insert(name, (Mark::Deleted, Some(stat)));
                }
            }
        }
        Ok(changes)
    }

    /// Opens the folder in each layer that contributes to it, topmost first.
    fn below(&self, path: &Path) -> Result<Vec<OwnedFd>> {
        let mut folders = Vec::new();
        for layer in &self.lower {
            match look(layer, path, self.opaque)? {
                There::Here { place, hides } => {
                    if fs::file_type(&fs::stat(&place)?) != FileType::Directory {
                        break;
                    }
                    folders.push(fs::open_at(&place, OsStr::new("."), OFlags::RDONLY | OFlags::DIRECTORY)?);
                    if hides {
                        break;
                    }
                }
                There::Nothing { hides: true } => break,
                There::Nothing { hides: false } => {}
            }
        }
        Ok(folders)
    }
}

/// Returns the image's file of this name in a folder.
fn in_image(folders: &[OwnedFd], name: &OsStr) -> Option<Stat> {
    let stat = folders.iter().find_map(|folder| fs::stat_at(folder, name).ok())?;
    (!is_whiteout(&stat)).then_some(stat)
}

fn names_of(folders: &[OwnedFd], most: usize) -> Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for folder in folders {
        names.extend(fs::entries_up_to(folder, most)?.0);
    }
    Ok(names)
}
