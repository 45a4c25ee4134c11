//! Writes a layer's folder, or a container's upper folder, as the tar of that layer.
//!
//! The same tree gives the same bytes, whatever the order in which its file system lists
//! names: a folder comes before what is in it, siblings by the bytes of their names. What
//! [`apply`](super::apply) makes of the tar gives it again, and so the same diffID, as long as
//! [`WRITER_VERSION`] is the same; a layer's `meta.json` says which one wrote it.
//!
//! ```text
//! character device 0:0 `x`     .wh.x            empty, of root, at the epoch
//! folder that hides            .wh..wh..opq     likewise, right after the folder
//! further names of a file      hard links to the first
//! file with holes              all its bytes
//! time                         whole seconds, as Docker's
//! attributes                   security.capability, user.*, trusted.*, POSIX ACLs; not
//!                              overlayfs' own, nor labels
//! the root itself, sockets     left out, as Docker does
//! ```
//!
//! `commit`, builds, `save` and `push` get the tar of a layer here. [`write_root`] writes all of a
//! root file system the same way, with nothing in it that means a removal: `export` does that.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::changes::{Changes, changes};
use super::error::{Error, Result};
use super::folders::{Folders, ROOT};
use super::tar::{Entry, Kind, MAX_PATH, Writer};
use super::traits::{Implied, RawPath, Traits};
use super::{is_kept_attribute, opaque_attribute};
use crate::sys::fs::{self, FileType, Stat, Timespec};
use crate::sys::tree::Step;
use crate::sys::xattr;

/// The form of what is written. It changes with any byte of the tar of any tree, and then the
/// old form stays for the layers that were written in it.
pub const WRITER_VERSION: u32 = 1;

/// Files with several names of which some were not met yet.
const MOST_LINKED: usize = 1 << 20;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// How many entries.
    pub entries: u64,
    /// Bytes of the files.
    pub size: u64,
    /// Paths of what no tar can hold, at most a few: sockets, and names that would remove
    /// other files.
    pub left_out: Vec<String>,
}

/// Paths of things that were left out.
const MOST_LEFT_OUT: usize = 20;

/// Writes the layer whose folder is `root`. What it leaves to the layers below it is in
/// `traits`; an upper folder has none.
///
/// # Errors
///
/// [`Error::Changed`] when a file becomes shorter meanwhile; [`Error::Write`]; when something
/// cannot be read, or is beyond what a tar of a layer can hold.
pub fn write<W: Write>(
    root: &OwnedFd,
    traits: &Traits,
    in_user_namespace: bool,
    out: W,
) -> Result<(Written, W)> {
    let mut tree = Tree::new(Form::Layer, implied(traits)?, out);
    changes(root, opaque_attribute(in_user_namespace), &mut tree)?;
    for (RawPath(link), RawPath(target)) in &traits.links {
        let entry = Entry {
            link: target.as_os_str().as_bytes().to_vec(),
            ..empty(link.as_os_str().as_bytes().to_vec(), Kind::HardLink)
        };
        tree.add(&entry, io::empty())?;
    }
    Ok((tree.written, tree.tar.finish()?))
}

/// Writes a whole root file system, its layers on one another. A name that begins with `.wh.` is
/// one like any other, and what a lowest layer would remove from those below it is nothing.
///
/// # Errors
///
/// As [`write`].
pub fn write_root<W: Write>(root: &OwnedFd, in_user_namespace: bool, out: W) -> Result<(Written, W)> {
    let mut tree = Tree::new(Form::Root, Folders::new(), out);
    changes(root, opaque_attribute(in_user_namespace), &mut tree)?;
    Ok((tree.written, tree.tar.finish()?))
}

/// What the tar is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Of what a layer adds, changes and removes.
    Layer,
    /// Of all that is there.
    Root,
}

/// The folders that the layer's tar does not describe.
fn implied(traits: &Traits) -> Result<Folders<bool>> {
    let mut folders = Folders::new();
    let mut places = Vec::with_capacity(traits.implied.len());
    for folder in &traits.implied {
        let at = match folder {
            Implied::Path(path) => folders.add_path(path.0.as_os_str().as_bytes()),
            Implied::Inside(above, name) => {
                let above =
                    places.get(*above).ok_or_else(|| Error::Malformed("a folder lies in none".to_owned()))?;
                folders.add(*above, name.0.as_os_str().as_bytes())
            }
        };
        *folders.value_mut(at) = true;
        places.push(at);
    }
    Ok(folders)
}

struct Tree<W: Write> {
    form: Form,
    tar: Writer<W>,
    implied: Folders<bool>,
    /// Of the folder that the walk is in.
    path: Vec<u8>,
    /// Each folder down to there: the length of the path above it, and its place among those
    /// that are implied.
    above: Vec<(usize, Option<u32>)>,
    linked: HashMap<(u64, u64), Linked>,
    written: Written,
}

/// A file with several names.
struct Linked {
    first: Vec<u8>,
    /// Names that were not met yet.
    left: i64,
}

impl<W: Write> Tree<W> {
    fn new(form: Form, implied: Folders<bool>, out: W) -> Self {
        Self {
            form,
            tar: Writer::new(out),
            implied,
            path: Vec::new(),
            above: Vec::new(),
            linked: HashMap::new(),
            written: Written::default(),
        }
    }

    /// The path of a name in the folder that the walk is in.
    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [self.path.as_slice(), b"/", name].concat() }
    }

    fn add(&mut self, entry: &Entry, data: impl io::Read) -> Result<()> {
        let failed = |source| {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            Error::Pack { path, source: Box::new(source) }
        };
        // A reader counts the slash of a folder.
        if entry.path.len() + 1 >= MAX_PATH {
            return Err(failed(Error::Refused("its path is longer than 4095 bytes".to_owned())));
        }
        self.tar.add(entry, data).map_err(|error| match error {
            error @ (Error::Write(_) | Error::Changed(_)) => error,
            error => failed(error),
        })?;
        self.written.entries += 1;
        Ok(())
    }

    fn leave_out(&mut self, name: &OsStr) {
        if self.written.left_out.len() < MOST_LEFT_OUT {
            let path = self.path_of(name.as_bytes());
            self.written.left_out.push(String::from_utf8_lossy(&path).into_owned());
        }
    }

    /// Writes another name of a file that is written already; otherwise remembers its first.
    fn is_linked(&mut self, path: &[u8], stat: &Stat) -> Result<bool> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let key = (stat.st_dev, stat.st_ino);
        let Some(linked) = self.linked.get_mut(&key) else {
            if self.linked.len() == MOST_LINKED {
                return Err(Error::TooMany { what: "files with several names", limit: MOST_LINKED as u64 });
            }
            // Not of one width on every processor.
            let left = i64::try_from(stat.st_nlink).unwrap_or(i64::MAX) - 1;
            self.linked.insert(key, Linked { first: path.to_vec(), left });
            return Ok(false);
        };
        linked.left -= 1;
        let link = match linked.left {
            ..=0 => self.linked.remove(&key).map(|linked| linked.first).unwrap_or_default(),
            _ => linked.first.clone(),
        };
        let entry = Entry { link, ..described(path.to_vec(), Kind::HardLink, stat) };
        self.add(&entry, io::empty())?;
        Ok(true)
    }

    /// A regular file; says whether it was still there.
    fn file(&mut self, folder: BorrowedFd<'_>, name: &OsStr, mut entry: Entry) -> Result<bool> {
        // What it is by now may be something that blocks.
        let file = match fs::open_at(folder, name, OFlags::RDONLY | OFlags::NONBLOCK) {
            Err(error) if is_gone(&error) => return Ok(false),
            file => file?,
        };
        let stat = fs::stat(&file)?;
        if fs::file_type(&stat) != FileType::RegularFile {
            return Err(Error::Changed(String::from_utf8_lossy(&entry.path).into_owned()));
        }
        entry.size = u64::try_from(stat.st_size).unwrap_or(0);
        entry.xattrs = attributes(&file)?;
        self.add(&entry, File::from(file))?;
        self.written.size += entry.size;
        Ok(true)
    }

    /// A folder, a link, a device or a pipe; says whether it was still there.
    fn other(&mut self, folder: BorrowedFd<'_>, name: &OsStr, mut entry: Entry) -> Result<bool> {
        let place = match fs::open_at(folder, name, OFlags::PATH) {
            Err(error) if is_gone(&error) => return Ok(false),
            place => place?,
        };
        if entry.kind == Kind::Symlink {
            entry.link = match fs::readlink_at(&place, OsStr::new("")) {
                Err(error) if error.is(Errno::INVAL) || error.is(Errno::NOENT) => return Ok(false),
                target => target?.into_os_string().into_encoded_bytes(),
            };
            entry.mode = 0o777;
        }
        entry.xattrs = attributes(&place)?;
        self.add(&entry, io::empty())?;
        Ok(true)
    }
}

impl<W: Write> Changes for Tree<W> {
    type Error = Error;

    fn gone(&mut self, name: &OsStr) -> Result<()> {
        if self.form == Form::Root {
            return Ok(());
        }
        let path = self.path_of(&[b".wh.", name.as_bytes()].concat());
        self.add(&empty(path, Kind::File), io::empty())
    }

    fn here(&mut self, folder: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<Step> {
        let is_removal = self.form == Form::Layer && name.as_bytes().starts_with(b".wh.");
        let Some(kind) = kind_of(stat).filter(|_| !is_removal) else {
            self.leave_out(name);
            return Ok(Step::Pass);
        };
        let path = self.path_of(name.as_bytes());
        if kind == Kind::Directory {
            let above = self.above.last().and_then(|(_, at)| *at);
            let at = above.and_then(|above| self.implied.inner(above, name.as_bytes()));
            if at.is_some_and(|at| *self.implied.value(at)) {
                return Ok(Step::Enter);
            }
            let is_here = self.other(folder, name, described(path, kind, stat))?;
            return Ok(if is_here { Step::Enter } else { Step::Pass });
        }
        if !self.is_linked(&path, stat)? {
            let entry = described(path, kind, stat);
            let was_here = match kind {
                Kind::File => self.file(folder, name, entry)?,
                _ => self.other(folder, name, entry)?,
            };
            if !was_here {
                self.linked.remove(&(stat.st_dev, stat.st_ino)); // its other names are not links to it
            }
        }
        Ok(Step::Pass)
    }

    fn enter(&mut self, name: &OsStr, hides: bool) -> Result<()> {
        let len = self.path.len();
        match self.above.last() {
            None => self.above.push((0, Some(ROOT))),
            Some((_, above)) => {
                let at = above.and_then(|above| self.implied.inner(above, name.as_bytes()));
                self.path = self.path_of(name.as_bytes());
                self.above.push((len, at));
            }
        }
        match hides && self.form == Form::Layer {
            true => self.add(&empty(self.path_of(b".wh..wh..opq"), Kind::File), io::empty()),
            false => Ok(()),
        }
    }

    fn leave(&mut self) -> Result<()> {
        if let Some((len, _)) = self.above.pop() {
            self.path.truncate(len);
        }
        Ok(())
    }
}

/// What a file is in a tar; a socket is nothing there.
fn kind_of(stat: &Stat) -> Option<Kind> {
    Some(match fs::file_type(stat) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::CharacterDevice => Kind::CharDevice,
        FileType::BlockDevice => Kind::BlockDevice,
        FileType::Fifo => Kind::Fifo,
        _ => return None,
    })
}

fn described(path: Vec<u8>, kind: Kind, stat: &Stat) -> Entry {
    let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
    Entry {
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: Timespec { tv_sec: stat.st_mtime, tv_nsec: 0 },
        device: if is_device { fs::device_numbers(stat.st_rdev) } else { (0, 0) },
        ..empty(path, kind)
    }
}

fn empty(path: Vec<u8>, kind: Kind) -> Entry {
    Entry {
        kind,
        path,
        link: Vec::new(),
        mode: 0o600,
        uid: 0,
        gid: 0,
        mtime: Timespec { tv_sec: 0, tv_nsec: 0 },
        size: 0,
        extents: None,
        device: (0, 0),
        xattrs: Vec::new(),
    }
}

/// The attributes of a file that a layer keeps, as far as a PAX key can say their names.
fn attributes(file: impl AsFd) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let file = file.as_fd();
    let mut attributes = Vec::new();
    for name in xattr::list_place(file)? {
        let bytes = name.as_bytes();
        if is_kept_attribute(bytes)
            && !bytes.contains(&b'=')
            && let Some(value) = xattr::get_place(file, &name)?
        {
            attributes.push((bytes.to_vec(), value));
        }
    }
    Ok(attributes)
}

fn is_gone(error: &crate::sys::Error) -> bool {
    [Errno::NOENT, Errno::NXIO, Errno::LOOP].iter().any(|errno| error.is(*errno))
}
