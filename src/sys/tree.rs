//! Walks and removes trees of any depth with a bounded number of descriptors.
//!
//! A container can nest folders as deep as its disk has inodes, so nothing here is recursive. The
//! walk keeps the root and the [`OPEN`] deepest folders open. A folder further up is reopened
//! through `..`, and used only if it is still the same one. Symbolic links are never followed, and
//! mounts are entered only on request.
//!
//! All code that removes, counts, copies or writes a tree uses this walk, with a [`Visitor`].

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, RawDir, ResolveFlags, SeekFrom};
use rustix::io::Errno;

use super::fs::{self, FileType};
use super::{Error, Result, check};
use crate::base::disk;

/// How many of the deepest folders stay open.
const OPEN: usize = 16;
/// The maximum numbers of folder names waiting to be entered, in the whole tree and in one folder.
const NAMES: usize = 1 << 16;
const BATCH: usize = 256;
/// How many bytes of a listing are read at a time.
const LIST: usize = 32 << 10;
/// The size of the smallest buffer, enough for one name.
const LONGEST: usize = 512;
/// How many names a sorted walk holds at the same time, over all folders on the current path.
const SORTED: usize = 1 << 20;
/// How often a folder that does not become empty is listed again.
const MAX_VISITS: u32 = 100;

/// What the walk does with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Enter it; it must be a folder.
    Enter,
    /// Continue with the next entry.
    Pass,
}

/// What the walk does when it leaves a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Continue.
    Done,
    /// List the folder again.
    Again,
}

/// The order in which the entries of a folder are visited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The order of the file system. Folders are entered after the entries listed with them. Memory
    /// use is bounded for any number of entries.
    #[default]
    Listed,
    /// Sorted by the bytes of their names, each folder followed by its contents.
    Sorted,
}

/// What the walk does at mount points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mounts {
    /// Refuse them with `EXDEV`.
    #[default]
    Refuse,
    /// Enter them like other folders.
    Enter,
}

/// The options of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    /// The order of the entries.
    pub order: Order,
    /// Whether mounts are entered.
    pub mounts: Mounts,
}

/// Visits the entries of a tree.
pub trait Visitor {
    /// The error of a visit. It ends the walk.
    type Error: From<Error>;

    /// Visits an entry. `kind` is the type according to the listing, which may be
    /// [`FileType::Unknown`].
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        kind: FileType,
    ) -> std::result::Result<Step, Self::Error>;

    /// Visits an open folder before its contents, including the root. After [`Step::Pass`] the
    /// folder is skipped, and [`Visitor::leave`] is not called.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn enter(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> std::result::Result<Step, Self::Error> {
        let _ = (folder, name);
        Ok(Step::Enter)
    }

    /// A folder has more names than a sorted walk can hold; the rest are skipped.
    ///
    /// # Errors
    ///
    /// Ends the walk. The default implementation always fails.
    fn more(&mut self) -> std::result::Result<(), Self::Error> {
        Err(Error::new(format!("getdents64(): more than {SORTED} names"), Errno::NOBUFS).into())
    }

    /// Folders above the current one were moved away. The walk continues at its root, and the
    /// folders in between are not left.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn lost(&mut self) -> std::result::Result<(), Self::Error> {
        Ok(())
    }

    /// Decides whether to retry a folder that could not be opened; the error is `EXDEV` for a mount
    /// point.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn refused(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        error: Error,
    ) -> std::result::Result<Leave, Self::Error>;

    /// Visits a folder after its contents, and for the `visits`-th time.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn leave(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        visits: u32,
    ) -> std::result::Result<Leave, Self::Error>;
}

/// A folder on the path from the root to the current one.
struct Folder {
    name: OsString,
    /// Device and inode.
    identity: (u64, u64),
    /// `None` if it is too far up to stay open.
    open: Option<OwnedFd>,
    /// Listed entries yet to be visited, in reverse order: folders to enter or, in a sorted walk,
    /// all entries.
    inner: Vec<(OsString, FileType)>,
    /// The position at which its listing continues.
    cookie: u64,
    is_listed: bool,
    visits: u32,
}

/// Walks the folder `name` in `dir`.
///
/// What changes during the walk may or may not be visited.
///
/// # Errors
///
/// The visitor's errors; also if a folder cannot be read.
pub fn walk<V: Visitor>(dir: impl AsFd, name: &OsStr, visitor: &mut V) -> std::result::Result<(), V::Error> {
    walk_by(Way::default(), dir, name, visitor)
}

/// Like [`walk`], with options.
///
/// # Errors
///
/// As for [`walk`].
pub fn walk_by<V: Visitor>(
    way: Way,
    dir: impl AsFd,
    name: &OsStr,
    visitor: &mut V,
) -> std::result::Result<(), V::Error> {
    let dir = dir.as_fd();
    let mut walk = Walk::new(way);
    walk.enter(dir, name.to_owned(), visitor)?;
    while !walk.folders.is_empty() {
        walk.step(dir, visitor)?;
    }
    Ok(())
}

struct Walk {
    way: Way,
    folders: Vec<Folder>,
    /// The total number of names in all `inner`.
    waiting: usize,
    list: Vec<MaybeUninit<u8>>,
}

impl Walk {
    fn new(way: Way) -> Self {
        Self { way, folders: Vec::new(), waiting: 0, list: vec![MaybeUninit::uninit(); LIST] }
    }

    fn step<V: Visitor>(
        &mut self,
        dir: BorrowedFd<'_>,
        visitor: &mut V,
    ) -> std::result::Result<(), V::Error> {
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        if let Some((name, kind)) = folder.inner.pop() {
            self.waiting -= 1;
            if self.way.order == Order::Sorted {
                let Some(open) = &folder.open else { return Ok(()) };
                if visitor.entry(open.as_fd(), &name, kind)? == Step::Pass {
                    return Ok(());
                }
            }
            return self.enter_here(name, visitor);
        }
        match (folder.is_listed, self.way.order) {
            (true, _) => self.leave(dir, visitor),
            (false, Order::Listed) => self.list(visitor),
            (false, Order::Sorted) => self.list_sorted(visitor),
        }
    }

    fn enter_here<V: Visitor>(
        &mut self,
        name: OsString,
        visitor: &mut V,
    ) -> std::result::Result<(), V::Error> {
        let Some(parent) = self.folders.last_mut().and_then(|folder| folder.open.take()) else {
            return Ok(());
        };
        let at = self.folders.len() - 1;
        let entered = self.enter(parent.as_fd(), name, visitor);
        self.folders[at].open = Some(parent);
        entered?;
        // The root stays open: the walk continues there if it loses its path.
        if let Some(far) = self.folders.len().checked_sub(OPEN + 1).filter(|&far| far > 0) {
            self.folders[far].open = None;
        }
        Ok(())
    }

    fn enter<V: Visitor>(
        &mut self,
        parent: BorrowedFd<'_>,
        name: OsString,
        visitor: &mut V,
    ) -> std::result::Result<(), V::Error> {
        let open = match open_folder(parent, &name, self.way.mounts) {
            Ok(open) => open,
            Err(error) => match visitor.refused(parent, &name, error)? {
                Leave::Done => return Ok(()),
                Leave::Again => open_folder(parent, &name, self.way.mounts)?,
            },
        };
        if visitor.enter(open.as_fd(), &name)? == Step::Pass {
            return Ok(());
        }
        self.folders.push(Folder {
            name,
            identity: identity(&open)?,
            open: Some(open),
            inner: Vec::new(),
            cookie: 0,
            is_listed: false,
            visits: 0,
        });
        Ok(())
    }

    /// Visits the next entries of the deepest folder.
    fn list<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        let room = NAMES.saturating_sub(self.waiting).clamp(1, BATCH);
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        let Some(open) = &folder.open else { return Ok(()) };
        let size = if room == 1 { LONGEST } else { LIST };
        let mut list = RawDir::new(open, &mut self.list[..size]);
        // A whole buffer is visited at once, since the kernel can only resume the listing after it.
        while !list.is_buffer_empty() || folder.inner.len() < room {
            let Some(entry) = list.next() else {
                folder.is_listed = true;
                break;
            };
            // The folder was removed after it was opened, so it is empty.
            if entry.as_ref().is_err_and(|errno| *errno == Errno::NOENT) {
                folder.is_listed = true;
                break;
            }
            let entry = check(entry, || "getdents64()".to_owned())?;
            folder.cookie = entry.next_entry_cookie();
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            if visitor.entry(open.as_fd(), name, entry.file_type())? == Step::Enter {
                folder.inner.push((name.to_owned(), FileType::Directory));
                self.waiting += 1;
            }
        }
        Ok(())
    }

    /// Reads the whole listing of the deepest folder.
    fn list_sorted<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        let Some(open) = &folder.open else { return Ok(()) };
        folder.is_listed = true;
        let mut list = RawDir::new(open, &mut self.list);
        while let Some(entry) = list.next() {
            // The folder was removed after it was opened, so it is empty.
            if entry.as_ref().is_err_and(|errno| *errno == Errno::NOENT) {
                break;
            }
            let entry = check(entry, || "getdents64()".to_owned())?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if self.waiting + folder.inner.len() >= SORTED {
                visitor.more()?;
                break;
            }
            folder.inner.push((OsStr::from_bytes(name).to_owned(), entry.file_type()));
        }
        self.waiting += folder.inner.len();
        folder.inner.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        Ok(())
    }

    /// Leaves the deepest folder.
    fn leave<V: Visitor>(
        &mut self,
        dir: BorrowedFd<'_>,
        visitor: &mut V,
    ) -> std::result::Result<(), V::Error> {
        let Some(mut folder) = self.folders.pop() else { return Ok(()) };
        let Some(above) = self.folders.len().checked_sub(1) else {
            folder.open = None;
            return self.leave_to(dir, folder, visitor);
        };
        let open = match self.folders[above].open.take() {
            Some(open) => Some(open),
            None => folder.open.as_ref().and_then(|open| self.folders[above].reopen_from(open)),
        };
        let Some(open) = open else {
            self.return_to_root();
            return visitor.lost();
        };
        // Removing an open folder costs the file system far more.
        folder.open = None;
        let left = self.leave_to(open.as_fd(), folder, visitor);
        self.folders[above].open = Some(open);
        left
    }

    fn leave_to<V: Visitor>(
        &mut self,
        parent: BorrowedFd<'_>,
        folder: Folder,
        visitor: &mut V,
    ) -> std::result::Result<(), V::Error> {
        let (visits, depth) = (folder.visits + 1, self.folders.len());
        if visitor.leave(parent, &folder.name, visits)? == Leave::Again {
            self.enter(parent, folder.name, visitor)?;
            if let Some(again) = self.folders.get_mut(depth) {
                again.visits = visits;
            }
        }
        Ok(())
    }

    /// Continues at the root after a folder on the path was moved away.
    fn return_to_root(&mut self) {
        self.folders.truncate(1);
        self.waiting = self.folders.iter().map(|folder| folder.inner.len()).sum();
    }
}

impl Folder {
    /// Reopens the folder as the parent of `child`, if it still is, and resumes its listing.
    fn reopen_from(&self, child: &OwnedFd) -> Option<OwnedFd> {
        let open = fs::open_at(child, OsStr::new(".."), OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
        let is_same = identity(&open).is_ok_and(|identity| identity == self.identity);
        let goes_on = is_same && rustix::fs::seek(&open, SeekFrom::Start(self.cookie)).is_ok();
        goes_on.then_some(open)
    }
}

/// Opens the folder `name` in `dir`, without following links or, unless allowed, entering mounts.
fn open_folder(dir: BorrowedFd<'_>, name: &OsStr, mounts: Mounts) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    how.set(ResolveFlags::NO_XDEV, mounts == Mounts::Refuse);
    loop {
        match rustix::fs::openat2(dir, name, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return check(opened, || format!("openat2({name:?}, {how:?})")),
        }
    }
}

fn identity(folder: &OwnedFd) -> Result<(u64, u64)> {
    let stat = fs::stat(folder)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Removes `path`: a file, or a folder with everything in it, of any depth and whatever its
/// permissions. All but the last component of the path must be trusted. A missing file is not an
/// error.
///
/// If interrupted, it can be called again, and concurrent calls are safe.
///
/// # Errors
///
/// `EBUSY` for mount points, including those inside; errors of unlink(2) and rmdir(2).
pub fn remove(path: &Path) -> disk::Result<()> {
    let failed = |source| disk::Error::io("delete", path)(source);
    let Some(name) = path.file_name() else { return Err(failed(io::ErrorKind::InvalidInput.into())) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = match fs::open_place(parent.unwrap_or(Path::new("."))) {
        Err(error) if error.is(Errno::NOENT) => return Ok(()),
        opened => opened,
    };
    let removed = parent.and_then(|parent| remove_at(parent, name));
    removed.map_err(|error| failed(io::Error::from_raw_os_error(error.errno())))
}

/// Removes everything in the folder `path`, which must be trusted and may be a symbolic link.
///
/// # Errors
///
/// As for [`remove`].
pub fn clear(path: &Path) -> disk::Result<()> {
    let failed = |error: Error| disk::Error::io("empty", path)(io::Error::from_raw_os_error(error.errno()));
    let folder = fs::open_dir(path).map_err(failed)?;
    for name in fs::entries(&folder).map_err(failed)? {
        remove_at(&folder, &name).map_err(failed)?;
    }
    Ok(())
}

/// Removes `name` from `dir` like [`remove`].
///
/// # Errors
///
/// As for [`remove`].
pub fn remove_at(dir: impl AsFd, name: &OsStr) -> Result<()> {
    remove_checked(dir, name, |_, _| Ok(())).map(drop)
}

/// Removes `name` like [`remove_at`], calling `check` before each entry. Returns how many files and
/// folders were removed.
///
/// # Errors
///
/// As for [`remove_at`], and errors of `check`.
pub fn remove_checked<E: From<Error>>(
    dir: impl AsFd,
    name: &OsStr,
    check: impl FnMut(BorrowedFd<'_>, &OsStr) -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let mut remover = Remover { check, gone: 0, error: std::marker::PhantomData };
    if remover.entry(dir.as_fd(), name, FileType::Unknown)? == Step::Enter {
        walk(dir, name, &mut remover)?;
    }
    Ok(remover.gone)
}

struct Remover<C, E> {
    check: C,
    gone: u64,
    error: std::marker::PhantomData<E>,
}

impl<E: From<Error>, C: FnMut(BorrowedFd<'_>, &OsStr) -> std::result::Result<(), E>> Visitor
    for Remover<C, E>
{
    type Error = E;

    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        kind: FileType,
    ) -> std::result::Result<Step, E> {
        (self.check)(folder, name)?;
        if kind == FileType::Directory {
            return Ok(Step::Enter);
        }
        let mut removed = fs::unlink_at(folder, name);
        if removed.as_ref().is_err_and(|error| error.is(Errno::ACCESS)) {
            let _ = fs::chmod(folder, 0o700); // if it is not ours, the next attempt fails
            removed = fs::unlink_at(folder, name);
        }
        match removed {
            Ok(()) => self.gone += 1,
            Err(error) if error.is(Errno::NOENT) => {}
            Err(error) if error.is(Errno::ISDIR) || error.is(Errno::PERM) => {
                return match fs::stat_at(folder, name) {
                    Ok(stat) if fs::file_type(&stat) == FileType::Directory => Ok(Step::Enter),
                    _ => Err(error.into()),
                };
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Pass)
    }

    fn refused(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        error: Error,
    ) -> std::result::Result<Leave, E> {
        if error.is(Errno::ACCESS) {
            fs::chmod_place(fs::open_at(folder, name, OFlags::PATH | OFlags::DIRECTORY)?, 0o700)?;
            return Ok(Leave::Again);
        }
        if error.is(Errno::XDEV) {
            return Err(Error::new(format!("rmdir({name:?})"), Errno::BUSY).into());
        }
        // It was removed or replaced. In the latter case its folder is not empty, and is listed
        // again.
        match [Errno::NOENT, Errno::NOTDIR, Errno::LOOP].iter().any(|&errno| error.is(errno)) {
            true => Ok(Leave::Done),
            false => Err(error.into()),
        }
    }

    fn leave(&mut self, parent: BorrowedFd<'_>, name: &OsStr, visits: u32) -> std::result::Result<Leave, E> {
        let mut removed = fs::rmdir_at(parent, name);
        if removed.as_ref().is_err_and(|error| error.is(Errno::ACCESS)) {
            let _ = fs::chmod(parent, 0o700); // as above
            removed = fs::rmdir_at(parent, name);
        }
        match removed {
            Ok(()) => self.gone += 1,
            Err(error) if error.is(Errno::NOENT) => {}
            // Something was added, or the file system lost its position in the listing.
            Err(error) if error.is(Errno::NOTEMPTY) && visits < MAX_VISITS => return Ok(Leave::Again),
            Err(error) => return Err(error.into()),
        }
        Ok(Leave::Done)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Creates `depth` nested folders below `top`, each with a file.
    fn nest(top: &Path, depth: usize) {
        let mut folder = fs::open_dir(top).unwrap();
        for _ in 0..depth {
            fs::create_at(&folder, OsStr::new("file"), 0o600).unwrap();
            fs::mkdir_at(&folder, OsStr::new("folder"), 0o700).unwrap();
            folder = fs::open_at(&folder, OsStr::new("folder"), OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
        }
    }

    fn remover() -> Remover<impl FnMut(BorrowedFd<'_>, &OsStr) -> Result<()>, Error> {
        Remover { check: |_: BorrowedFd<'_>, _: &OsStr| Ok(()), gone: 0, error: std::marker::PhantomData }
    }

    #[test]
    fn a_tree_of_any_depth_goes_with_a_bounded_number_of_descriptors() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir(&top).unwrap();
        nest(&top, 4_000);
        std::fs::create_dir_all(top.join("beside/it")).unwrap();
        let root = fs::open_dir(dir.path()).unwrap();
        let mut remover = remover();
        let mut walk = Walk::new(Way::default());
        walk.enter(root.as_fd(), "top".into(), &mut remover).unwrap();
        let mut steps = 0;
        while !walk.folders.is_empty() {
            walk.step(root.as_fd(), &mut remover).unwrap();
            let count = walk.folders.len();
            let deepest = &walk.folders[count.saturating_sub(OPEN + 2)..];
            assert!(deepest.iter().filter(|folder| folder.open.is_some()).count() <= OPEN + 1);
            if let Some(far) = count.checked_sub(OPEN + 2).filter(|&far| far > 0) {
                assert!(walk.folders[far].open.is_none());
            }
            steps += 1;
        }
        assert_eq!(remover.gone, 2 * 4_000 + 3);
        // Each folder is entered, listed and left once.
        assert!(steps <= 4 * 4_010, "{steps}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_removed_tree_takes_no_link_target_along() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
        std::fs::write(dir.path().join("kept"), "x").unwrap();
        symlink("../../kept", dir.path().join("a/b/link")).unwrap();
        symlink("../..", dir.path().join("a/b/folder")).unwrap();
        symlink(dir.path(), dir.path().join("way")).unwrap();
        remove(&dir.path().join("a")).unwrap();
        remove(&dir.path().join("way")).unwrap();
        remove(&dir.path().join("nothing/there")).unwrap();
        assert_eq!(fs::entries(fs::open_dir(dir.path()).unwrap()).unwrap(), ["kept"]);
        clear(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn folders_without_permissions_go_too() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("top/none/inner");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), "x").unwrap();
        for folder in [inner.clone(), dir.path().join("top/none"), dir.path().join("top")] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove(&dir.path().join("top")).unwrap();
        assert!(!dir.path().join("top").exists());
    }

    #[test]
    fn a_wide_folder_is_held_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let folder = fs::open_dir(&top).unwrap();
        for number in 0..5000 {
            fs::mkdir_at(&folder, OsStr::new(&number.to_string()), 0o700).unwrap();
        }
        let gone =
            remove_checked(fs::open_dir(dir.path()).unwrap(), OsStr::new("top"), |_, _| Ok::<_, Error>(()));
        assert_eq!(gone.unwrap(), 5001);
        assert!(!top.exists());
    }

    #[test]
    fn a_folder_that_moves_away_meanwhile_is_found_again_or_left() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir(&top).unwrap();
        nest(&top, 3 * OPEN);
        // At the deepest point, the middle of the path is moved out of the tree.
        let (mut seen, middle) = (0, top.join("folder/".repeat(OPEN)));
        let moved = dir.path().join("moved");
        let gone = remove_checked(fs::open_dir(dir.path()).unwrap(), OsStr::new("top"), |_, name| {
            seen += usize::from(name == "file");
            if seen == 3 * OPEN && !moved.exists() {
                std::fs::rename(&middle, &moved).unwrap();
            }
            Ok::<_, Error>(())
        });
        gone.unwrap();
        assert!(!top.exists());
        assert!(moved.exists(), "what is elsewhere by now is not touched by its old name");
    }

    /// Records a sorted walk: `+ folder`, `- folder`, and files.
    struct Notes(Vec<String>);

    impl Visitor for Notes {
        type Error = Error;

        fn entry(&mut self, _: BorrowedFd<'_>, name: &OsStr, kind: FileType) -> Result<Step> {
            self.0.push(name.to_string_lossy().into_owned());
            Ok(if kind == FileType::Directory { Step::Enter } else { Step::Pass })
        }

        fn enter(&mut self, _: BorrowedFd<'_>, name: &OsStr) -> Result<Step> {
            self.0.push(format!("+{}", name.display()));
            Ok(if name == "shut" { Step::Pass } else { Step::Enter })
        }

        fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, error: Error) -> Result<Leave> {
            Err(error)
        }

        fn leave(&mut self, _: BorrowedFd<'_>, name: &OsStr, _: u32) -> Result<Leave> {
            self.0.push(format!("-{}", name.display()));
            Ok(Leave::Done)
        }
    }

    #[test]
    fn a_walk_in_order_visits_each_folder_before_its_next_sibling() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["top/b/z", "top/b/a", "top/shut/x", "top/B"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in ["top/a", "top/b.", "top/b/a/f", "top/c"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let mut notes = Notes(Vec::new());
        let way = Way { order: Order::Sorted, ..Way::default() };
        walk_by(way, fs::open_dir(dir.path()).unwrap(), OsStr::new("top"), &mut notes).unwrap();
        let all = "+top B +B -B a b +b a +a f -a z +z -z -b b. c shut +shut -top";
        assert_eq!(notes.0.join(" "), all);
    }

    #[test]
    fn a_walk_in_order_goes_as_deep_as_any_other() {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir(&top).unwrap();
        nest(&top, 4_000);
        let mut notes = Notes(Vec::new());
        let root = fs::open_dir(dir.path()).unwrap();
        let mut walk = Walk::new(Way { order: Order::Sorted, ..Way::default() });
        walk.enter(root.as_fd(), "top".into(), &mut notes).unwrap();
        let mut steps = 0;
        while !walk.folders.is_empty() {
            walk.step(root.as_fd(), &mut notes).unwrap();
            steps += 1;
        }
        // Each entry is visited once, and each folder listed and left once.
        assert_eq!(steps, 2 * 4_000 + 2 * 4_001);
        assert_eq!(notes.0.iter().filter(|note| *note == "file").count(), 4_000);
        assert_eq!(notes.0.iter().filter(|note| *note == "-folder").count(), 4_000);
        remove(&top).unwrap();
    }
}
