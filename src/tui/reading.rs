//! What is read for the visible lists and tabs, and the answers.

use crate::engine::layers::{ImageDiff, LayerReport};
use crate::engine::{self, ContainerId, ExecView};
use crate::tui::containers::model::ContainerRow;
use crate::tui::events::model::EventRow;
use crate::tui::failure::Failure;
use crate::tui::files::model::{FilesAnswer, FilesAsk};
use crate::tui::images::model::ImageRow;
use crate::tui::inspect::model::Document;
use crate::tui::logs::model::{LogNews, LogWant};
use crate::tui::networks::model::NetworkRow;
use crate::tui::section::Subject;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::top::model::TopRead;
use crate::tui::trash::model::{Keeping, TrashRow};
use crate::tui::volumes::model::VolumeRow;
use crate::tui::why::model::Facts;

/// What to read for a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the tabs")]
pub enum Want {
    Logs(LogWant),
    Stats(Nothing),
    Top(ContainerId),
    Inspect(Subject),
    Layers(String),
    Files(FilesAsk),
    Compare([String; 2]),
    Why(ContainerId),
}

/// What was read for a tab.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the tabs")]
pub enum Answer {
    Logs(LogNews),
    Stats(Nothing),
    Top(TopRead),
    Inspect(Result<Box<Document>, Failure>),
    Layers(LayersNews),
    Files(Result<FilesAnswer, Failure>),
    Compare(LayersNews<ImageDiff>),
    Why(Result<Box<Facts>, Failure>),
}

/// What was read for a list.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the lists")]
pub enum Listed {
    Containers(Vec<ContainerRow>),
    Images(Vec<ImageRow>),
    Volumes(Vec<VolumeRow>),
    Networks(Vec<NetworkRow>),
    Tasks(Vec<ExecView>),
    Events(Vec<EventRow>),
    Trash((Vec<TrashRow>, Keeping)),
}

/// What a tab reads that reads nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nothing {}

/// Something that is read for a tab: the tab, and the serial of its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The pane.
    pub pane: PaneId,
    /// The tab.
    pub tab: Tab,
    /// The serial; its upper half is the pane.
    pub serial: u64,
}

/// News from reading images.
#[derive(Debug)]
pub enum LayersNews<T = LayerReport> {
    /// The progress.
    Progress(String),
    /// The complete report.
    Report(Box<T>),
    /// The reason why the image could not be read.
    Failed(Failure),
}

impl<T> From<engine::Result<T>> for LayersNews<T> {
    fn from(read: engine::Result<T>) -> Self {
        match read {
            Ok(read) => Self::Report(Box::new(read)),
            Err(error) => Self::Failed(error.into()),
        }
    }
}
