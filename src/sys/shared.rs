//! A number that a process and its copies see alike.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

use super::{Result, check, clone};

/// A page of its own with a number in it, which `clone` does not copy but shares.
#[derive(Debug)]
pub struct Shared {
    page: NonNull<AtomicI32>,
    /// The process that keeps the page from its copies: in those it is not mapped.
    kept_by: Cell<Option<u32>>,
}

impl Shared {
    /// The number 0.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        // SAFETY: without MAP_FIXED the kernel chooses a place where nothing is.
        let page = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                size_of::<AtomicI32>(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
            )
        };
        let page = check(page, || "mmap(MAP_SHARED|MAP_ANONYMOUS)".to_owned())?;
        let page = NonNull::new(page.cast()).ok_or(rustix::io::Errno::NOMEM);
        let page = check(page, || "mmap(MAP_SHARED|MAP_ANONYMOUS)".to_owned())?;
        Ok(Self { page, kept_by: Cell::new(None) })
    }

    /// The number as it is; 0 in a copy that it is kept from.
    #[must_use]
    pub fn get(&self) -> i32 {
        self.number().map_or(0, |shared| shared.load(Ordering::SeqCst))
    }

    /// Changes the number for all. Does nothing in a copy that it is kept from.
    pub fn set(&self, number: i32) {
        if let Some(shared) = self.number() {
            shared.store(number, Ordering::SeqCst);
        }
    }

    /// Keeps the page from the copies that this process makes from here on.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn keep_from_copies(&self) -> Result<()> {
        if self.number().is_none() {
            return Ok(()); // it is not here either
        }
        let (page, size) = (self.page.as_ptr().cast(), size_of::<AtomicI32>());
        // SAFETY: the page is ours and mapped, as `number` says; in this process nothing about
        // it changes.
        let kept = unsafe { madvise(page, size, Advice::LinuxDontFork) };
        check(kept, || "madvise(MADV_DONTFORK)".to_owned())?;
        self.kept_by.set(Some(clone::generation()));
        Ok(())
    }

    /// Where the kernel is to write the number; null in a copy that it is kept from.
    pub(super) fn as_ptr(&self) -> *mut i32 {
        self.number().map_or(std::ptr::null_mut(), AtomicI32::as_ptr)
    }

    /// `None` in a copy that the page is kept from.
    fn number(&self) -> Option<&AtomicI32> {
        if self.kept_by.get().is_some_and(|process| process != clone::generation()) {
            return None;
        }
        // SAFETY: the page is mapped, zeroed and aligned until `drop`, but in a copy that it was
        // kept from, which this is not (checked above); it is only ever used as this number.
        Some(unsafe { self.page.as_ref() })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.number().is_none() {
            return; // something else may be at its place
        }
        // SAFETY: the page was mapped by `new`, also in this process (checked above), and no
        // reference to it outlives `self`.
        let _ = unsafe { munmap(self.page.as_ptr().cast(), size_of::<AtomicI32>()) };
    }
}
