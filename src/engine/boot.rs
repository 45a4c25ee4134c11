//! Boot and shutdown of the machine: starts containers according to their restart policies, and
//! stops each with its own timeout. systemd requests both ([`crate::systemd`]).
//!
//! Containers and monitors do not belong to a unit, so stopping units does not stop them. systemd
//! would terminate them last, all with SIGTERM and with SIGKILL after 90 seconds; an inhibitor lock
//! would delay a shutdown by only five seconds. The stop command of a unit has as much time as it
//! needs, and runs while the network is still up.

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

/// Maximum number of containers that are started at the same time.
const STARTED_AT_ONCE: usize = 4;

/// The result for one container.
#[derive(Debug)]
pub struct Outcome {
    /// Its name, or its id if the name cannot be read.
    pub name: String,
    /// The warnings of the start or stop, or why it failed.
    pub result: Result<Warnings>,
}

impl Engine {
    /// Starts the containers whose restart policies require it after a boot, oldest first.
    ///
    /// # Errors
    ///
    /// If the containers cannot be listed.
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

    /// Stops all containers at the same time, each with its own signal and timeout, including those
    /// that are damaged or currently unreadable. Their restart policies still apply at the next
    /// boot.
    ///
    /// # Errors
    ///
    /// If the containers cannot be listed; those that are found are stopped nevertheless.
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
        // The next start of a container must register for the next shutdown again.
        let _ = fs::remove_file(self.shutdown_mark());
        listing.and(read)?;
        Ok(outcomes)
    }

    /// Returns all containers that are up, whatever their files say, with their names, and whether
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

    /// Makes systemd start containers at boot and stop them at shutdown. Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](super::ErrorKind::Unsupported) if the machine does not run systemd; the hint
    /// says what to do instead.
    pub async fn install(&self) -> Result<PathBuf> {
        let engine = self.clone();
        blocking(move || engine.units().install().doing(|| "install the unit")).await
    }

    /// Reverts [`Self::install`]. Containers continue to run, and a shutdown still waits for them.
    /// Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](super::ErrorKind::NotFound) if the unit was not installed.
    pub async fn uninstall(&self) -> Result<PathBuf> {
        let engine = self.clone();
        blocking(move || engine.uninstall_now()).await
    }

    fn uninstall_now(&self) -> Result<PathBuf> {
        let path = self.units().uninstall().doing(|| "remove the unit")?;
        // The transient unit that waited for the shutdown has lost its program.
        let _ = fs::remove_file(self.shutdown_mark());
        self.ask_for_shutdown(); // otherwise the next start does, and warns
        Ok(path)
    }

    /// Makes sure that a shutdown of the machine stops this engine's containers. The first start of
    /// a container after a boot does this. Returns a warning if it fails.
    pub(in crate::engine) fn ask_for_shutdown(&self) -> Option<String> {
        let mark = self.shutdown_mark();
        if !is_systemd() || disk::read(&mark, 64).is_ok_and(|boot| boot == store::boot_id().as_bytes()) {
            return None;
        }
        // The machine's systemd does not accept requests of a user namespace's root.
        if Probe::now().is_ok_and(|probe| probe.in_user_namespace) {
            return None;
        }
        match self.units().wait_for_shutdown() {
            Ok(()) => {
                let _ = disk::replace(&mark, store::boot_id().as_bytes()); // the next start tries again
                None
            }
            Err(error) => {
                let why = crate::base::error::one_line(&error);
                Some(format!("the shutdown of this machine will not wait for containers: {why}"))
            }
        }
    }

    /// Stops the transient unit of an engine that is being reset.
    pub(super) fn forget_shutdown(&self) {
        if is_systemd() && self.shutdown_mark().exists() {
            let _ = self.units().forget_shutdown();
        }
    }

    fn units(&self) -> Units<'_> {
        Units { paths: self.paths(), program: self.program() }
    }

    /// Returns the file that records for which boot a unit was requested.
    fn shutdown_mark(&self) -> PathBuf {
        self.paths().run().join("shutdown-unit")
    }
}

/// Whether it is running or about to be restarted.
fn is_going_on(container: &ContainerView) -> bool {
    container.status.is_up() || container.status == Status::Restarting
}
