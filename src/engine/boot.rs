//! Boot and shutdown of the machine: containers are started as their policies want, and
//! stopped in the time each of them has. systemd is told to ask for both ([`crate::systemd`]).
//!
//! Containers and monitors are in no unit, so nothing that systemd stops takes them along.
//! It would end them last, with SIGTERM for all and SIGKILL after a minute and a half; an
//! inhibitor lock would hold a shutdown up for five seconds. What a unit runs when it is
//! stopped has the time it needs, and runs while the network is still there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use futures_util::StreamExt as _;

use super::error::{Doing, Result};
use super::{ContainerId, ContainerView, Engine, Status, Warnings, blocking};
use crate::base::disk;
use crate::container::store;
use crate::sys::probe::Probe;
use crate::systemd::{Units, is_systemd};

/// How many containers are started at the same time.
const STARTED_AT_ONCE: usize = 4;

/// What became of one container.
#[derive(Debug)]
pub struct Outcome {
    /// Its name; the id of one whose name cannot be read.
    pub name: String,
    /// What a start warned of, or why it was not done.
    pub result: Result<Warnings>,
}

impl Engine {
    /// Starts the containers whose restart policies want it after a boot, the oldest first.
    ///
    /// # Errors
    ///
    /// When the containers cannot be listed.
    pub async fn boot(&self) -> Result<Vec<Outcome>> {
        let mut wanted = self.containers().list().await?;
        wanted.retain(|it| !is_going_on(it) && it.state.wants_boot(&it.config.lifecycle.restart));
        wanted.reverse();
        let started = futures_util::stream::iter(wanted).map(|it: ContainerView| async move {
            let result = self.containers().start(it.id.as_str()).await;
            Outcome { name: it.name.to_string(), result }
        });
        Ok(started.buffered(STARTED_AT_ONCE).collect().await)
    }

    /// Stops all containers at the same time, each with its own signal and timeout, also those
    /// that are damaged or cannot be read just now. Their restart policies start them at the next
    /// boot.
    ///
    /// # Errors
    ///
    /// When the containers cannot be listed; those that are found all the same are stopped.
    pub async fn shutdown(&self) -> Result<Vec<Outcome>> {
        let listing = self.containers().listing().await;
        let whole = listing.iter().flat_map(|listing| &listing.whole).filter(|it| is_going_on(it));
        let mut wanted: BTreeMap<_, _> = whole.map(|it| (it.id.clone(), it.name.to_string())).collect();
        let engine = self.clone();
        let (up, read) = blocking(move || Ok(engine.up_in_any_form())).await?;
        for (id, name) in up {
            wanted.entry(id).or_insert(name);
        }
        let stopped = wanted.into_iter().map(|(id, name)| async move {
            let engine = self.clone();
            let result = blocking(move || engine.stop_for_shutdown(&id)).await;
            Outcome { name, result }
        });
        let outcomes = futures_util::future::join_all(stopped).await;
        // Starting a container after this has to ask for the next shutdown again.
        let _ = fs::remove_file(self.shutdown_mark());
        listing.and(read)?;
        Ok(outcomes)
    }

    /// All containers that are up, whatever their files say, with what to call them; and whether
    /// all could be found.
    fn up_in_any_form(&self) -> (Vec<(ContainerId, String)>, Result<()>) {
        let (ids, read) = self.all_ids().unwrap_or_else(|error| (BTreeSet::new(), Err(error)));
        let up = ids.into_iter().filter(|id| self.is_up_in_any_form(id));
        let called = |id: &ContainerId| match store::name_of(self.paths(), id) {
            Some(name) => name.to_string(),
            None => id.as_str().to_owned(),
        };
        (up.map(|id| (id.clone(), called(&id))).collect(), read)
    }

    /// Has systemd start containers at boot and stop them at shutdown. Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](super::ErrorKind::Unsupported) where systemd does not run the machine, with what to do
    /// instead.
    pub async fn install(&self) -> Result<PathBuf> {
        let engine = self.clone();
        blocking(move || engine.units().install().doing(|| "install the unit")).await
    }

    /// Takes back what [`Self::install`] did. Containers run on, and a shutdown still waits
    /// for them. Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](super::ErrorKind::NotFound) where it was not installed.
    pub async fn uninstall(&self) -> Result<PathBuf> {
        let engine = self.clone();
        blocking(move || engine.uninstall_now()).await
    }

    fn uninstall_now(&self) -> Result<PathBuf> {
        let path = self.units().uninstall().doing(|| "remove the unit")?;
        // The unit that waited for the shutdown has lost what it was to run.
        let _ = fs::remove_file(self.shutdown_mark());
        self.ask_for_shutdown(); // otherwise the next start asks, and warns
        Ok(path)
    }

    /// Sees to it that a shutdown of the machine stops this engine's containers: once a boot,
    /// by the first start of one. Returns a warning where that fails.
    pub(in crate::engine) fn ask_for_shutdown(&self) -> Option<String> {
        let mark = self.shutdown_mark();
        if !is_systemd() || disk::read(&mark, 64).is_ok_and(|boot| boot == store::boot_id().as_bytes()) {
            return None;
        }
        // Root of a user namespace is nobody to the machine's systemd.
        if Probe::now().is_ok_and(|probe| probe.in_user_namespace) {
            return None;
        }
        match self.units().wait_for_shutdown() {
            Ok(()) => {
                let _ = disk::replace(&mark, store::boot_id().as_bytes()); // the next start asks again
                None
            }
            Err(error) => {
                let why = crate::base::error::one_line(&error);
                Some(format!("a shutdown of this machine will not wait for containers: {why}"))
            }
        }
    }

    /// Ends the transient unit of an engine that is reset.
    pub(super) fn forget_shutdown(&self) {
        if is_systemd() && self.shutdown_mark().exists() {
            let _ = self.units().forget_shutdown();
        }
    }

    fn units(&self) -> Units<'_> {
        Units { paths: self.paths(), program: self.program() }
    }

    /// Says for which boot a unit was asked for.
    fn shutdown_mark(&self) -> PathBuf {
        self.paths().run().join("shutdown-unit")
    }
}

/// Whether it runs, or is about to be started again.
fn is_going_on(container: &ContainerView) -> bool {
    container.status.is_up() || container.status == Status::Restarting
}
