//! How a container's files differ from its image: its upper folder beside its layers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::Done;
use super::{MOST_ENTRIES, Mark};
use crate::container::Record;
use crate::engine::Engine;
use crate::layer::look::{There, is_whiteout, look};
use crate::layer::opaque_attribute;
use crate::sys::fs::{self, FileType, Stat};

/// A container's upper folder and its layers, open.
pub(super) struct Marks {
    upper: OwnedFd,
    /// Top-most first.
    lower: Vec<OwnedFd>,
    opaque: &'static OsStr,
}

/// What changed in one folder: by name, and what the image has there where it was deleted.
pub(super) type Changes = BTreeMap<OsString, (Mark, Option<Stat>)>;

impl Marks {
    /// `None` while the container never ran: then nothing differs.
    pub(super) fn open(engine: &Engine, record: &Record, in_user_namespace: bool) -> Done<Option<Self>> {
        let paths = engine.paths();
        let upper = match fs::open_dir(&paths.container(&record.id).join("upper")) {
            Err(error) if error.is(Errno::NOENT) => return Ok(None),
            result => result?,
        };
        let layers = record.layers.iter().map(|layer| fs::open_dir(&paths.layers().join(layer)));
        let lower = layers.collect::<crate::sys::Result<Vec<_>>>()?;
        Ok(Some(Self { upper, lower, opaque: opaque_attribute(in_user_namespace) }))
    }

    /// What changed in the folder `path` of the root.
    pub(super) fn of(&self, path: &Path) -> Done<Changes> {
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
        let (names, _) = fs::entries_up_to(&upper, MOST_ENTRIES)?;
        for name in names {
            let Ok(stat) = fs::stat_at(&upper, &name) else { continue }; // it went meanwhile
            let before = in_image(&lower, &name);
            let mark = match (is_whiteout(&stat), before.is_some()) {
                (true, true) => Mark::Deleted,
                (true, false) => continue, // it came and went since
                (false, true) => Mark::Changed,
                (false, false) => Mark::Added,
            };
            changes.insert(name, (mark, before.filter(|_| mark == Mark::Deleted)));
        }
        if hides {
            // The folder was deleted and made anew: what is not in it went.
            let gone = names_of(&lower)?.into_iter().filter(|name| fs::stat_at(&upper, name).is_err());
            for name in gone.collect::<Vec<_>>() {
                if let Some(stat) = in_image(&lower, &name) {
                    changes.insert(name, (Mark::Deleted, Some(stat)));
                }
            }
        }
        Ok(changes)
    }

    /// The folder in each layer that shows it, top-most first.
    fn below(&self, path: &Path) -> Done<Vec<OwnedFd>> {
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

/// What the image has of this name in a folder.
fn in_image(folders: &[OwnedFd], name: &OsStr) -> Option<Stat> {
    let stat = folders.iter().find_map(|folder| fs::stat_at(folder, name).ok())?;
    (!is_whiteout(&stat)).then_some(stat)
}

fn names_of(folders: &[OwnedFd]) -> Done<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for folder in folders {
        names.extend(fs::entries_up_to(folder, MOST_ENTRIES)?.0);
    }
    Ok(names)
}
