//! What is read for the lists and the tabs that are on the screen, and what comes back.

use crate::engine::layers::{ImageDiff, LayerReport};
use crate::engine::{self, ContainerId};
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

/// What is to be read for a tab.
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
    Tasks(Nothing),
    Events(Vec<EventRow>),
    Trash((Vec<TrashRow>, Keeping)),
}

/// What is read where nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nothing {}

/// What is open for a tab: whose, and the number that its answers bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The pane.
    pub pane: PaneId,
    /// Which of its tabs.
    pub tab: Tab,
    /// The number; its upper half is the pane.
    pub serial: u64,
}

/// News of what is read of images.
#[derive(Debug)]
pub enum LayersNews<T = LayerReport> {
    /// How far the reading is.
    Progress(String),
    /// All of it.
    Report(Box<T>),
    /// Why it cannot be read.
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
