//! Walks trees of any depth, and removes them, with a bounded number of descriptors.
//!
//! A container can nest folders as deep as its disk has inodes, so nothing here recurses.
//! The walk keeps the root and the [`OPEN`] deepest folders open; one further up is opened
//! again through `..` and used only if it is still the folder that it was. No symbolic link
//! is followed, and no mount is entered that is not asked for.
//!
//! This is the one walk of hoist: what removes, counts, copies or writes a tree is a
//! [`Visitor`] of it.

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

/// The deepest folders that stay open.
const OPEN: usize = 16;
/// Names of folders that wait to be entered, in the whole tree and of one folder.
const NAMES: usize = 1 << 16;
const BATCH: usize = 256;
/// Bytes of a folder's list that are read at once.
const LIST: usize = 32 << 10;
/// Room for one name at least.
const LONGEST: usize = 512;
/// Names that a walk in order holds at once, in all folders on its way.
const SORTED: usize = 1 << 20;
/// How often a folder that does not become empty is looked through again.
const TRIES: u32 = 100;

/// What a walk does with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It goes into it: it is a folder.
    Enter,
    /// It goes on.
    Pass,
}

/// What a walk does after a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It goes on.
    Done,
    /// It looks through the folder again.
    Again,
}

/// In which order the entries of a folder are visited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As the file system lists them; folders are entered after what was listed with them.
    /// However many there are, few names are held.
    #[default]
    Listed,
    /// By the bytes of their names, each folder followed by what is in it.
    Sorted,
}

/// What a walk does at mount points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mounts {
    /// They are refused with `EXDEV`.
    #[default]
    Refuse,
    /// They are entered as any folder.
    Enter,
}

/// How a tree is walked through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    /// In which order.
    pub order: Order,
    /// Whether into what is mounted there.
    pub mounts: Mounts,
}

/// What is done with the entries of a tree.
pub trait Visitor {
    /// What a visit may fail with, which ends the walk.
    type Error: From<Error>;

    /// Visits an entry. The kind is what the folder's list says, which may be
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

    /// Visits a folder before what is in it: it is open now, the root of the walk too.
    /// [`Step::Pass`] leaves it at once, and then [`Visitor::leave`] is not called.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn enter(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> std::result::Result<Step, Self::Error> {
        let _ = (folder, name);
        Ok(Step::Enter)
    }

    /// A folder has more names than a walk in order holds: the others are left out.
    ///
    /// # Errors
    ///
    /// Ends the walk, as it does where a visitor does not say otherwise.
    fn more(&mut self) -> std::result::Result<(), Self::Error> {
        Err(Error::new(format!("getdents64(): more than {SORTED} names"), Errno::NOBUFS).into())
    }

    /// Folders above the walk were moved elsewhere: it goes on at its root, and the folders
    /// in between are not left.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn lost(&mut self) -> std::result::Result<(), Self::Error> {
        Ok(())
    }

    /// Says whether to try once more to enter a folder which could not be opened: `EXDEV`
    /// for a mount point.
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

    /// Visits a folder after all that is in it.
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

/// A folder on the way from the root to where the walk is.
struct Folder {
    name: OsString,
    /// Device and inode.
    identity: (u64, u64),
    /// `None` while it is too far up to stay open.
    open: Option<OwnedFd>,
    /// What was listed and comes next, the last one first: folders to enter, or in order
    /// all entries.
    inner: Vec<(OsString, FileType)>,
    /// Where its list goes on.
    cookie: u64,
    is_listed: bool,
    visits: u32,
}

/// Walks through the folder `name` of `dir`, which must be one.
///
/// What changes meanwhile may be visited or not.
///
/// # Errors
///
/// The visitor's own, and when a folder cannot be read.
pub fn walk<V: Visitor>(dir: impl AsFd, name: &OsStr, visitor: &mut V) -> std::result::Result<(), V::Error> {
    walk_by(Way::default(), dir, name, visitor)
}

/// As [`walk`], in another way.
///
/// # Errors
///
/// As [`walk`].
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
    /// Names in all of `inner`.
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
        // The root stays open: there the walk goes on if it loses its way.
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

    /// Visits what the deepest folder lists next.
    fn list<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        let room = NAMES.saturating_sub(self.waiting).clamp(1, BATCH);
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        let Some(open) = &folder.open else { return Ok(()) };
        let size = if room == 1 { LONGEST } else { LIST };
        let mut list = RawDir::new(open, &mut self.list[..size]);
        // What was read at once is visited at once: only there the kernel can go on later.
        while !list.is_buffer_empty() || folder.inner.len() < room {
            let Some(entry) = list.next() else {
                folder.is_listed = true;
                break;
            };
            // One that was removed after it was opened holds nothing.
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

    /// Reads the whole list of the deepest folder.
    fn list_sorted<V: Visitor>(&mut self, visitor: &mut V) -> std::result::Result<(), V::Error> {
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        let Some(open) = &folder.open else { return Ok(()) };
        folder.is_listed = true;
        let mut list = RawDir::new(open, &mut self.list);
        while let Some(entry) = list.next() {
            // One that was removed after it was opened holds nothing.
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

    /// Goes up from the deepest folder.
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
            self.lose_way();
            return visitor.lost();
        };
        // A folder that is removed while it is open costs the file system far more.
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

    /// A folder was moved away from under the walk: it goes on at the root.
    fn lose_way(&mut self) {
        self.folders.truncate(1);
        self.waiting = self.folders.iter().map(|folder| folder.inner.len()).sum();
    }
}

impl Folder {
    /// Opens it again as the parent of `child`, if it still is; its list goes on.
    fn reopen_from(&self, child: &OwnedFd) -> Option<OwnedFd> {
        let open = fs::open_at(child, OsStr::new(".."), OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
        let is_same = identity(&open).is_ok_and(|identity| identity == self.identity);
        let goes_on = is_same && rustix::fs::seek(&open, SeekFrom::Start(self.cookie)).is_ok();
        goes_on.then_some(open)
    }
}

/// Opens the folder `name` of `dir`: no link, and no mount unless it may be entered.
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

/// Removes `path`, which is trusted but for its last name; a folder with all that is in it,
/// of any depth and whatever its permissions. That nothing is there is no error.
///
/// Killed in between, it can be called again. Two at a time do no harm.
///
/// # Errors
///
/// `EBUSY` for a mount point, also inside; what unlink(2) and rmdir(2) say.
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

/// Removes all that is in the folder `path`, which is trusted and may be a link to one.
///
/// # Errors
///
/// As [`remove`].
pub fn clear(path: &Path) -> disk::Result<()> {
    let failed = |error: Error| disk::Error::io("empty", path)(io::Error::from_raw_os_error(error.errno()));
    let folder = fs::open_dir(path).map_err(failed)?;
    for name in fs::entries(&folder).map_err(failed)? {
        remove_at(&folder, &name).map_err(failed)?;
    }
    Ok(())
}

/// Removes `name` from `dir`, as [`remove`].
///
/// # Errors
///
/// As [`remove`].
pub fn remove_at(dir: impl AsFd, name: &OsStr) -> Result<()> {
    remove_checked(dir, name, |_, _| Ok(())).map(drop)
}

/// As [`remove_at`], but asks before each entry; tells how many files and folders went.
///
/// # Errors
///
/// As [`remove_at`], and what `check` says.
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
            let _ = fs::chmod(folder, 0o700); // if it is not ours, the next try says so
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
        // It went, or became something else: then its folder is not empty, and seen again.
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
            // Something was put into it, or a file system forgot where its list stood.
            Err(error) if error.is(Errno::NOTEMPTY) && visits < TRIES => return Ok(Leave::Again),
            Err(error) => return Err(error.into()),
        }
        Ok(Leave::Done)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Nests `depth` folders below `top`; each has a file.
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
        // Each folder is entered once, listed once and left once.
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
        // At the deepest place the middle of the way is moved out of the tree.
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

    /// Notes what a walk in order does: `+ folder`, `- folder`, and files.
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
        // Each entry is visited once, each folder listed and left once.
        assert_eq!(steps, 2 * 4_000 + 2 * 4_001);
        assert_eq!(notes.0.iter().filter(|note| *note == "file").count(), 4_000);
        assert_eq!(notes.0.iter().filter(|note| *note == "-folder").count(), 4_000);
        remove(&top).unwrap();
    }
}
