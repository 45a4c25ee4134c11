//! A number that a process and its copies see alike.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

use super::{Result, check};

/// A page of its own with a number in it, which `clone` does not copy but shares.
#[derive(Debug)]
pub struct Shared(NonNull<AtomicI32>);

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
        Ok(Self(check(page, || "mmap(MAP_SHARED|MAP_ANONYMOUS)".to_owned())?))
    }

    /// The number as it is.
    #[must_use]
    pub fn get(&self) -> i32 {
        self.number().load(Ordering::SeqCst)
    }

    /// Changes the number for all.
    pub fn set(&self, number: i32) {
        self.number().store(number, Ordering::SeqCst);
    }

    /// Keeps the page from the copies that this process makes from here on.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn keep_from_copies(&self) -> Result<()> {
        // SAFETY: the page is ours; in this process nothing about it changes.
        let kept = unsafe { madvise(self.0.as_ptr().cast(), size_of::<AtomicI32>(), Advice::LinuxDontFork) };
        check(kept, || "madvise(MADV_DONTFORK)".to_owned())
    }

    /// Where the kernel is to write the number.
    pub(super) fn as_ptr(&self) -> *mut i32 {
        self.number().as_ptr()
    }

    fn number(&self) -> &AtomicI32 {
        // SAFETY: the page is mapped, zeroed and aligned until `drop`, and only ever used
        // as this atomic number.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the page was mapped by `new`, and no reference to it outlives `self`. That
        // it may not be mapped in a copy is no harm: then there is nothing to unmap.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), size_of::<AtomicI32>()) };
    }
}
