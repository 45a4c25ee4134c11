//! Walks the changes in a layer's folder or a container's upper folder.
//!
//! The walk uses descriptors, sorts by name, goes to any depth and follows no links. Files that
//! disappear during the walk are ignored.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::look::{is_opaque, is_whiteout};
use crate::sys::Error;
use crate::sys::fs::{self, FileType, Stat};
use crate::sys::tree::{self, Leave, Order, Step, Visitor, Way};

/// Visits the changes of a layer.
pub trait Changes {
    /// The error of a visit. It ends the walk.
    type Error: From<Error>;

    /// The layer removes this name from the current folder.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn gone(&mut self, name: &OsStr) -> Result<(), Self::Error>;

    /// The layer has this file or folder. Returning [`Step::Enter`] descends into a folder.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn here(&mut self, folder: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<Step, Self::Error>;

    /// The walk enters this folder; the first one is the layer's root. If `hides` is set, it hides
    /// the contents of the layers below.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn enter(&mut self, name: &OsStr, hides: bool) -> Result<(), Self::Error>;

    /// The walk leaves the folder entered last.
    ///
    /// # Errors
    ///
    /// Ends the walk.
    fn leave(&mut self) -> Result<(), Self::Error>;

    /// A folder has more names than the walk can hold; the rest are skipped.
    ///
    /// # Errors
    ///
    /// Ends the walk. The default implementation always fails.
    fn more(&mut self) -> Result<(), Self::Error> {
        Err(Error::new("getdents64(): too many names", Errno::NOBUFS).into())
    }
}

/// Walks the layer's folder `root`. `opaque` is the attribute of folders that hide the layers
/// below.
///
/// # Errors
///
/// The visitor's errors; also if something cannot be read, or a folder is moved during the walk.
pub fn changes<C: Changes>(root: impl AsFd, opaque: &OsStr, visitor: &mut C) -> Result<(), C::Error> {
    let way = Way { order: Order::Sorted, ..Way::default() };
    tree::walk_by(way, root, OsStr::new("."), &mut Layer { visitor, opaque })
}

struct Layer<'a, C> {
    visitor: &'a mut C,
    opaque: &'a OsStr,
}

impl<C: Changes> Visitor for Layer<'_, C> {
    type Error = C::Error;

    fn entry(&mut self, folder: BorrowedFd<'_>, name: &OsStr, _: FileType) -> Result<Step, C::Error> {
        match fs::stat_at(folder, name) {
            Err(error) if error.is(Errno::NOENT) => Ok(Step::Pass),
            Err(error) => Err(error.into()),
            Ok(stat) if is_whiteout(&stat) => self.visitor.gone(name).map(|()| Step::Pass),
            Ok(stat) => self.visitor.here(folder, name, &stat),
        }
    }

    fn enter(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> Result<Step, C::Error> {
        self.visitor.enter(name, is_opaque(folder, self.opaque)?)?;
        Ok(Step::Enter)
    }

    fn more(&mut self) -> Result<(), C::Error> {
        self.visitor.more()
    }

    fn lost(&mut self) -> Result<(), C::Error> {
        Err(Error::new("openat(\"..\"): the folder was moved", Errno::STALE).into())
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, error: Error) -> Result<Leave, C::Error> {
        match [Errno::NOENT, Errno::NOTDIR, Errno::LOOP].iter().any(|errno| error.is(*errno)) {
            true => Ok(Leave::Done),
            false => Err(error.into()),
        }
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> Result<Leave, C::Error> {
        self.visitor.leave()?;
        Ok(Leave::Done)
    }
}
