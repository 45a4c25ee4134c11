//! A number in memory that a process shares with its copies.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

use super::{Result, check, clone};

/// A number in a page of its own, which `clone` shares instead of copying.
#[derive(Debug)]
pub struct Shared {
    page: NonNull<AtomicI32>,
    /// The process that excludes its copies from the page, which is not mapped in them.
    kept_by: Cell<Option<u32>>,
}

impl Shared {
    /// Creates the number 0.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        // SAFETY: without MAP_FIXED the kernel chooses an unused address.
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

    /// Returns the number; 0 in a copy that is excluded.
    #[must_use]
    pub fn get(&self) -> i32 {
        self.number().map_or(0, |shared| shared.load(Ordering::SeqCst))
    }

    /// Changes the number in all processes. Does nothing in a copy that is excluded.
    pub fn set(&self, number: i32) {
        if let Some(shared) = self.number() {
            shared.store(number, Ordering::SeqCst);
        }
    }

    /// Excludes the copies that this process makes from now on.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn keep_from_copies(&self) -> Result<()> {
        if self.number().is_none() {
            return Ok(()); // not mapped here either
        }
        let (page, size) = (self.page.as_ptr().cast(), size_of::<AtomicI32>());
        // SAFETY: the page is ours and mapped, as `number` has checked. Nothing about it changes in
        // this process.
        let kept = unsafe { madvise(page, size, Advice::LinuxDontFork) };
        check(kept, || "madvise(MADV_DONTFORK)".to_owned())?;
        self.kept_by.set(Some(clone::generation()));
        Ok(())
    }

    /// Returns the address at which the kernel is to write the number; null in a copy that is
    /// excluded.
    pub(super) fn as_ptr(&self) -> *mut i32 {
        self.number().map_or(std::ptr::null_mut(), AtomicI32::as_ptr)
    }

    /// Returns the number; `None` in a copy that is excluded.
    fn number(&self) -> Option<&AtomicI32> {
        if self.kept_by.get().is_some_and(|process| process != clone::generation()) {
            return None;
        }
        // SAFETY: the page is mapped, zeroed and aligned until `drop`, except in a copy that is
        // excluded, which this is not (checked above). It is only ever used as this number.
        Some(unsafe { self.page.as_ref() })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.number().is_none() {
            return; // something else may be mapped at its address
        }
        // SAFETY: the page was mapped by `new`, in this process too (checked above), and no
        // reference to it outlives `self`.
        let _ = unsafe { munmap(self.page.as_ptr().cast(), size_of::<AtomicI32>()) };
    }
}
