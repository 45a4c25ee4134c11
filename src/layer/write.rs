//! Writes a layer's folder, or a container's upper folder, as the tar of that layer.
//!
//! The same tree always gives the same bytes, in whatever order its file system lists names:
//! folders come before their contents, and siblings are sorted by the bytes of their names.
//! Unpacking the tar with [`apply`](super::apply) and writing it again gives the same diffID, as
//! long as [`WRITER_VERSION`] is the same. A layer's `meta.json` records the version that wrote it.
//!
//! ```text
//! character device 0:0 `x`     .wh.x            empty, owned by root, time 0
//! opaque folder                .wh..wh..opq     likewise, right after the folder
//! further names of a file      hard links to the first
//! sparse file                  written in full
//! time                         whole seconds, as in Docker
//! attributes                   security.capability, user.*, trusted.*, POSIX ACLs; not
//!                              overlayfs' own, nor labels
//! the root itself, sockets     left out, as in Docker
//! ```
//!
//! `commit`, builds, `save` and `push` get the tar of a layer here. [`write_root`], used by
//! `export`, writes a whole root file system the same way, but without whiteouts.

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

/// The version of the output format. It must change if any byte of any tree's tar does, and the old
/// format must stay available for layers that were written with it.
pub const WRITER_VERSION: u32 = 1;

/// How many files with several names may be pending, with some names not seen yet.
const MAX_LINKED: usize = 1 << 20;
/// Bytes of the first names of these files.
const MAX_LINKED_BYTES: usize = 256 << 20;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of entries.
    pub entries: u64,
    /// Size of the files in bytes.
    pub size: u64,
    /// Paths of some files that a tar cannot hold: sockets, and names that would remove other
    /// files.
    pub left_out: Vec<String>,
}

/// How many paths of omitted files are kept.
const MAX_LEFT_OUT: usize = 20;

/// Writes the layer whose folder is `root`. `traits` is what it leaves to the layers below; for an
/// upper folder it is empty.
///
/// # Errors
///
/// [`Error::Changed`] if a file shrinks meanwhile; [`Error::Write`]; also if something cannot be
/// read or does not fit into a layer's tar.
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

/// Writes a whole root file system. Names that begin with `.wh.` are ordinary names here, and
/// whiteouts are omitted. Paths may be of any length, even longer than hoist's own reader accepts.
///
/// # Errors
///
/// As for [`write`].
pub fn write_root<W: Write>(root: &OwnedFd, in_user_namespace: bool, out: W) -> Result<(Written, W)> {
    let mut tree = Tree::new(Form::Root, Folders::new(), out);
    changes(root, opaque_attribute(in_user_namespace), &mut tree)?;
    Ok((tree.written, tree.tar.finish()?))
}

/// What the tar describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The changes of a layer.
    Layer,
    /// A whole file system.
    Root,
}

/// Returns the folders that the layer's tar does not describe.
fn implied(traits: &Traits) -> Result<Folders<bool>> {
    let mut folders = Folders::new();
    let mut places = Vec::with_capacity(traits.implied.len());
    for folder in &traits.implied {
        let at = match folder {
            Implied::Path(path) => folders.add_path(path.0.as_os_str().as_bytes()),
            Implied::Inside(above, name) => {
                let above = places
                    .get(*above)
                    .ok_or_else(|| Error::Malformed("a folder has no parent".to_owned()))?;
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
    /// Path of the current folder.
    path: Vec<u8>,
    /// For each folder down to the current one: the length of its parent's path, and its index in
    /// `implied`, if it has one.
    above: Vec<(usize, Option<u32>)>,
    linked: HashMap<(u64, u64), Linked>,
    /// Total length of the names in `linked`.
    linked_bytes: usize,
    /// Its limit.
    max_linked_bytes: usize,
    written: Written,
}

/// A file with several names.
struct Linked {
    first: Vec<u8>,
    /// Names not seen yet.
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
            linked_bytes: 0,
            max_linked_bytes: MAX_LINKED_BYTES,
            written: Written::default(),
        }
    }

    /// Returns the path of a name in the current folder.
    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [self.path.as_slice(), b"/", name].concat() }
    }

    fn add(&mut self, entry: &Entry, data: impl io::Read) -> Result<()> {
        let failed = |source| {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            Error::Pack { path, source: Box::new(source) }
        };
        // Our reader must accept a layer. It counts the trailing slash of a folder.
        if self.form == Form::Layer && entry.path.len() + 1 >= MAX_PATH {
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
        if self.written.left_out.len() < MAX_LEFT_OUT {
            let path = self.path_of(name.as_bytes());
            self.written.left_out.push(String::from_utf8_lossy(&path).into_owned());
        }
    }

    /// Writes a hard link if the file was written before; otherwise remembers its first name.
    fn is_linked(&mut self, path: &[u8], stat: &Stat) -> Result<bool> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let key = (stat.st_dev, stat.st_ino);
        let Some(linked) = self.linked.get_mut(&key) else {
            if self.linked.len() == MAX_LINKED {
                return Err(Error::TooMany { what: "files with several names", limit: MAX_LINKED as u64 });
            }
            self.linked_bytes += path.len();
            if self.linked_bytes > self.max_linked_bytes {
                let what = "the list of files with several names".to_owned();
                return Err(Error::TooLarge { what, limit: self.max_linked_bytes as u64 });
            }
            // The width of `st_nlink` depends on the architecture.
            let left = i64::try_from(stat.st_nlink).unwrap_or(i64::MAX) - 1;
            self.linked.insert(key, Linked { first: path.to_vec(), left });
            return Ok(false);
        };
        linked.left -= 1;
        let link = match linked.left {
            ..=0 => self.forget_linked(key).unwrap_or_default(),
            _ => linked.first.clone(),
        };
        let entry = Entry { link, ..described(path.to_vec(), Kind::HardLink, stat) };
        self.add(&entry, io::empty())?;
        Ok(true)
    }

    /// Removes a file from `linked` and returns its first name.
    fn forget_linked(&mut self, key: (u64, u64)) -> Option<Vec<u8>> {
        let first = self.linked.remove(&key)?.first;
        self.linked_bytes -= first.len();
        Some(first)
    }

    /// Writes a regular file. Returns `false` if it is gone.
    fn file(&mut self, folder: BorrowedFd<'_>, name: &OsStr, mut entry: Entry) -> Result<bool> {
        // It may have been replaced by something that blocks.
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

    /// Writes a folder, a link, a device or a pipe. Returns `false` if it is gone.
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
                self.forget_linked((stat.st_dev, stat.st_ino)); // the other names cannot link to it
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

/// Returns the kind of entry for a file; `None` for a socket, which a tar cannot hold.
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

/// Returns the attributes that a layer keeps, except those whose name does not fit a PAX key.
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::super::tar::Reader;
    use super::*;

    /// Makes folders in one another below `root`, until a path is longer than `length`; the last
    /// one holds a file with two names.
    fn nest(root: &Path, length: usize) {
        let mut folder = fs::open_dir(root).unwrap();
        let name = OsString::from("n".repeat(250));
        for _ in 0..=length / 251 {
            fs::mkdir_at(&folder, &name, 0o755).unwrap();
            folder = fs::open_at(&folder, &name, OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
        }
        fs::create_at(&folder, OsStr::new("file"), 0o644).unwrap();
        rustix::fs::linkat(&folder, "file", &folder, "link", rustix::fs::AtFlags::empty()).unwrap();
    }

    /// Links are written in the order of names, so that a file is pending between its two.
    #[test]
    fn names_of_files_with_several_are_kept_until_the_last_one() {
        let write = |limit: usize, pairs: &[(&str, &str)]| {
            let dir = tempfile::tempdir().unwrap();
            for (first, last) in pairs {
                std::fs::write(dir.path().join(first), "").unwrap();
                std::fs::hard_link(dir.path().join(first), dir.path().join(last)).unwrap();
            }
            let root = fs::open_dir(dir.path()).unwrap();
            let mut tree = Tree::new(Form::Root, Folders::new(), io::sink());
            tree.max_linked_bytes = limit;
            let walked = changes(&root, opaque_attribute(false), &mut tree);
            walked.map(|()| (tree.written.entries, tree.linked_bytes, tree.linked.len()))
        };
        let one_by_one = [("a1", "a2"), ("b1", "b2"), ("c1", "c2")];
        let at_once = [("a1", "b1"), ("a22", "b2"), ("a333", "b3")];
        assert_eq!(write(2, &one_by_one).unwrap(), (6, 0, 0));
        assert_eq!(write(9, &at_once).unwrap(), (6, 0, 0));
        for (limit, pairs) in [(1, one_by_one), (8, at_once)] {
            let error = write(limit, &pairs).unwrap_err();
            let is_limit = matches!(error, Error::TooLarge { limit: found, .. } if found == limit as u64);
            assert!(is_limit, "{error}");
        }
        // Names outside the tree are never seen.
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("root"), dir.path().join("b"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("a"), "").unwrap();
        std::fs::hard_link(inside.join("a"), outside).unwrap();
        let mut tree = Tree::new(Form::Root, Folders::new(), io::sink());
        changes(fs::open_dir(&inside).unwrap(), opaque_attribute(false), &mut tree).unwrap();
        assert_eq!((tree.written.entries, tree.linked_bytes, tree.linked.len()), (1, 1, 1));
    }

    #[test]
    fn a_root_is_written_however_long_its_paths_are() {
        let dir = tempfile::tempdir().unwrap();
        nest(dir.path(), 8_000);
        let root = fs::open_dir(dir.path()).unwrap();
        let (written, tar) = write_root(&root, false, Vec::new()).unwrap();
        assert_eq!(written.entries, 32 + 2);
        let mut archive = ::tar::Archive::new(tar.as_slice());
        let paths: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned()).collect();
        let deepest = [vec![b'n'; 250], b"/".to_vec()].concat().repeat(32);
        assert!(paths.contains(&[deepest.as_slice(), b"file"].concat()) && paths.contains(&deepest));
        // What is too long for this machine's calls is no layer, and told when it is read.
        let error = write(&root, &Traits::default(), false, io::sink()).unwrap_err();
        let causes = crate::base::error::chain(&error);
        assert_eq!(causes.last().unwrap(), "its path is longer than 4095 bytes");
        let mut reader = Reader::new(tar.as_slice());
        let error = std::iter::from_fn(|| reader.next_entry().transpose()).find_map(std::result::Result::err);
        assert_eq!(error.unwrap().to_string(), "the archive is malformed: a path is longer than 4096 bytes");
    }
}
