//! The handle of a log view: its thread, a channel with its progress, and its calls as futures.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::error::{Doing, Result};
use super::{Engine, Reporter, blocking};
use crate::base::{ContainerId, ErrorKind, Explain};
pub use crate::container::log::view::{
    FindAsk, LogForm, LogFrom, LogHit, LogLine, LogPage, LogPlace, LogQuery, LogSpot, LogState, PageAsk,
    SaveLog, Wanted,
};
use crate::container::log::{self, view};

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("its logging driver does not support reading")]
struct NoLog;

impl Explain for NoLog {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }
}

/// A view of the logs of some containers.
#[derive(Debug)]
pub struct LogView {
    view: Arc<view::View>,
    state: Arc<watch::Sender<LogState>>,
    name: String,
}

impl Drop for LogView {
    fn drop(&mut self) {
        self.view.close();
    }
}

/// Stops the work when dropped, because nobody waits for it.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Returns the log folders of these containers.
    fn log_folders(&self, targets: &[ContainerId]) -> Result<Vec<PathBuf>> {
        let folder = |id: &ContainerId| {
            let doing = || format!("read the log of `{}`", self.called(id.as_str()));
            let record = self.find(id.as_str()).doing(doing)?;
            if !record.config.logging.is_kept() {
                return Err(NoLog).doing(doing);
            }
            Ok(log::folder(&self.paths().container(&record.id)))
        };
        targets.iter().map(folder).collect()
    }

    pub(super) fn log_view(&self, targets: &[ContainerId]) -> Result<LogView> {
        let folders = self.log_folders(targets)?;
        let names = targets.iter().map(|id| format!("`{}`", self.called(id.as_str())));
        LogView::open(folders, names.collect::<Vec<_>>().join(", "))
    }

    /// Writes lines of logs to a file and returns their number. If saving fails or is cancelled,
    /// nothing is left behind, and an existing file remains unchanged.
    ///
    /// # Errors
    ///
    /// If the file exists and must not be overwritten, or a log cannot be read.
    pub(super) async fn save_log(&self, save: SaveLog, reporter: Reporter) -> Result<u64> {
        let stop = Arc::new(AtomicBool::new(false));
        let _guard = Stop(stop.clone());
        let engine = self.clone();
        blocking(move || {
            let folders = engine.log_folders(&save.containers)?;
            let doing = || format!("save the log to {}", save.path.display());
            view::save(&folders, &save, &reporter, &stop).doing(doing)
        })
        .await
    }
}

impl LogView {
    fn open(folders: Vec<PathBuf>, name: String) -> Result<Self> {
        let state = Arc::new(watch::Sender::default());
        let news = state.clone();
        let view = view::View::open(folders, move |state| drop(news.send_replace(state)));
        let view = Arc::new(view.doing(|| format!("read the log of {name}"))?);
        let behind = view.clone();
        tokio::task::spawn_blocking(move || behind.work());
        Ok(Self { view, state, name })
    }

    /// Returns a receiver of its progress.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LogState> {
        self.state.subscribe()
    }

    /// Applies `query` from now on and counts its matches. The counts are returned with `serial`.
    ///
    /// # Errors
    ///
    /// If a pattern is invalid; then nothing changes.
    pub fn look_for(&self, serial: u64, query: &LogQuery) -> Result<()> {
        self.view.look_for(serial, query).doing(|| "search the log")
    }

    /// Returns the lines around a place that match the query.
    ///
    /// # Errors
    ///
    /// If a log cannot be read.
    pub async fn page(&self, ask: PageAsk) -> Result<LogPage> {
        let (view, name) = (self.view.clone(), self.name.clone());
        blocking(move || view.page(&ask).doing(|| format!("read the log of {name}"))).await
    }

    /// Returns the next match of the search. Dropping the future stops it.
    ///
    /// # Errors
    ///
    /// If a log cannot be read.
    pub async fn find(&self, ask: FindAsk) -> Result<Option<LogHit>> {
        let (view, name) = (self.view.clone(), self.name.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let _guard = Stop(stop.clone());
        blocking(move || view.find(&ask, &stop).doing(|| format!("search the log of {name}"))).await
    }

    /// Returns the number of matches up to and including the line that ends at `after`; `None`
    /// while they are being counted.
    ///
    /// # Errors
    ///
    /// If a log cannot be read.
    pub async fn rank(&self, after: LogPlace) -> Result<Option<u64>> {
        let (view, name) = (self.view.clone(), self.name.clone());
        blocking(move || view.rank(&after).doing(|| format!("search the log of {name}"))).await
    }
}

#[cfg(test)]
mod tests;
