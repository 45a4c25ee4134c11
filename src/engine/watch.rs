//! Changes in folders: one inotify instance for all waiting tasks of an engine.
//!
//! A user has 128 instances by default, so calls do not create their own. The instance exists while
//! something is waiting. If none is available, waiting tasks poll.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::attach::watched;
use crate::sys::inotify::{Inotify, WatchId};

/// The polling interval if the kernel reports nothing.
const BY_THE_CLOCK: Duration = Duration::from_millis(250);

/// The inotify instance of an engine.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    instance: Mutex<Option<Instance>>,
}

/// An instance that exists while something is waiting.
#[derive(Debug)]
struct Instance {
    inotify: Arc<AsyncFd<Inotify>>,
    bells: HashMap<WatchId, Vec<Arc<Bell>>>,
    /// The task that reads the kernel's events.
    task: AbortHandle,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Wakes a waiting task.
#[derive(Debug, Default)]
struct Bell {
    notify: Notify,
    /// Whether the kernel lost events.
    is_lost: AtomicBool,
}

impl Bell {
    fn ring(&self, is_lost: bool) {
        self.is_lost.fetch_or(is_lost, Ordering::Relaxed);
        self.notify.notify_one();
    }
}

/// Folders that are watched, even before they are created.
#[derive(Debug)]
pub(super) struct Watched {
    watcher: Arc<Watcher>,
    folders: Vec<PathBuf>,
    bell: Arc<Bell>,
    /// Whether the kernel reports changes.
    is_watched: bool,
}

impl Watcher {
    /// Watches `folders` from now on. Must be called on a runtime.
    pub(super) fn watch(self: &Arc<Self>, folders: Vec<PathBuf>) -> Watched {
        let bell = Arc::new(Bell::default());
        let mut watched = Watched { watcher: self.clone(), folders, bell, is_watched: false };
        watched.renew();
        watched
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instance>> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings `bell` when something changes in `folder`.
    fn add(self: &Arc<Self>, folder: &Path, bell: &Arc<Bell>) -> Result<(), crate::sys::Error> {
        let mut instance = self.lock();
        // A task ends silently if its runtime had ended before it ran.
        if instance.as_ref().is_none_or(|instance| instance.task.is_finished()) {
            *instance = Some(Instance::new(self)?);
        }
        let Some(Instance { inotify, bells, .. }) = &mut *instance else { return Ok(()) };
        let (watch, _) = inotify.get_ref().watch_or_parent(folder)?;
        let bells = bells.entry(watch).or_default();
        if !bells.iter().any(|other| Arc::ptr_eq(other, bell)) {
            bells.push(bell.clone());
        }
        Ok(())
    }

    fn remove(&self, bell: &Arc<Bell>) {
        let mut instance = self.lock();
        let Some(Instance { inotify, bells, .. }) = &mut *instance else { return };
        bells.retain(|watch, bells| {
            bells.retain(|other| !Arc::ptr_eq(other, bell));
            if bells.is_empty() {
                inotify.get_ref().unwatch(*watch);
            }
            !bells.is_empty()
        });
        if bells.is_empty() {
            *instance = None;
        }
    }
}

impl Instance {
    fn new(watcher: &Arc<Watcher>) -> Result<Self, crate::sys::Error> {
        let inotify = watched(Inotify::new()?, Interest::READABLE);
        let inotify = Arc::new(crate::sys::check(inotify, || "epoll_ctl(EPOLL_CTL_ADD)".to_owned())?);
        let task = tokio::spawn(tell(Arc::downgrade(watcher), inotify.clone())).abort_handle();
        Ok(Self { inotify, bells: HashMap::new(), task })
    }
}

impl Watched {
    /// Waits until something may have changed in the folders. Returns `true` if the kernel lost
    /// events.
    pub(super) async fn changed(&mut self) -> bool {
        if self.is_watched {
            self.bell.notify.notified().await;
        } else {
            tokio::time::sleep(BY_THE_CLOCK).await;
        }
        self.renew();
        self.bell.is_lost.swap(false, Ordering::Relaxed)
    }

    /// Whether the kernel reports changes, so that polling is unnecessary.
    pub(super) fn is_told(&self) -> bool {
        self.is_watched
    }

    /// Sets the watches on the folders that exist now.
    fn renew(&mut self) {
        let mut is_watched = true;
        for folder in &self.folders {
            match self.watcher.add(folder, &self.bell) {
                // A folder removed with its parent cannot be watched, and there is nothing to see.
                Err(error) if error.errno() != libc::ENOENT => {
                    tracing::debug!(%error, "cannot watch for changes: polling");
                    is_watched = false;
                }
                _ => {}
            }
        }
        self.is_watched = is_watched;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watcher.remove(&self.bell);
    }
}

/// Rings the bells for the folders that changed.
async fn tell(watcher: Weak<Watcher>, inotify: Arc<AsyncFd<Inotify>>) {
    let _end = End { watcher: watcher.clone(), inotify: inotify.clone() };
    loop {
        let Ok(mut ready) = inotify.readable().await else { return };
        ready.clear_ready();
        let Some(watcher) = watcher.upgrade() else { return };
        let guard = watcher.lock();
        let Some(instance) = &*guard else { return };
        let ring = |watch| instance.bells.get(&watch).into_iter().flatten().for_each(|bell| bell.ring(false));
        if inotify.get_ref().take(ring).unwrap_or(true) {
            instance.bells.values().flatten().for_each(|bell| bell.ring(true));
        }
    }
}

/// Wakes the waiting tasks if the task ends before them, with its runtime.
struct End {
    watcher: Weak<Watcher>,
    inotify: Arc<AsyncFd<Inotify>>,
}

impl Drop for End {
    fn drop(&mut self) {
        let Some(watcher) = self.watcher.upgrade() else { return };
        let instance = watcher.lock().take_if(|instance| Arc::ptr_eq(&instance.inotify, &self.inotify));
        let bells = instance.iter().flat_map(|instance| instance.bells.values().flatten());
        bells.for_each(|bell| bell.ring(true));
    }
}
