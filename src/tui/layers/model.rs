//! The layer explorer: an image's layers, and the tree of the selected one.
//!
//! A layer's changes are a flat list. The rows of the tree are built from it when the layer, the
//! form or the filter changes, and only for unfolded folders.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::engine::files::{CopyRequest, Existing, FileKind, Mark, Place};
use crate::engine::layers::{LayerInfo, LayerReport};
use crate::tui::failure::Failure;
use crate::tui::model::scroll::into_view;
use crate::tui::pathtree::model::{Fact, PathTree};
use crate::tui::section::Subject;

/// The minimum width for the layers and the tree side by side.
pub const DOUBLE: u16 = 90;

/// The layer explorer of a pane.
#[derive(Debug, Default)]
pub struct LayersPane {
    of: Option<String>,
    /// The serial number of the image. Answers with another one are outdated.
    pub serial: u64,
    /// The layers; `None` until they are read.
    pub report: Option<Box<LayerReport>>,
    /// The progress of reading.
    pub progress: String,
    /// Why it could not be read.
    pub failure: Option<Failure>,
    /// The selected line of the history.
    pub layer: usize,
    /// The first visible line of the history.
    pub layer_top: usize,
    /// Whether the tree has the focus.
    pub in_tree: bool,
    /// The visible rows of the history.
    pub height: usize,
    /// Whether the layers and the tree are side by side.
    is_double: bool,
    /// Whether the tree shows all files up to the selected layer instead of its own changes.
    pub is_aggregated: bool,
    /// The tree of files.
    pub tree: PathTree,
}

impl LayersPane {
    /// Creates a pane whose serial numbers continue from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows the layers of `subject`, if it is an image.
    pub fn show(&mut self, subject: Option<&Subject>) {
        let image = match subject {
            Some(Subject::Image(name)) => Some(name),
            _ => None,
        };
        if self.of.as_ref() != image {
            let tree = self.tree.emptied();
            let (serial, height, is_aggregated) = (self.serial + 1, self.height, self.is_aggregated);
            *self = Self { of: image.cloned(), serial, height, is_aggregated, tree, ..Self::default() };
        }
    }

    /// Returns what the driver has to read, if it is missing: the image and the serial number.
    #[must_use]
    pub fn wants(&self) -> Option<(String, u64)> {
        let is_known = self.report.is_some() || self.failure.is_some();
        let image = self.of.clone().filter(|_| !is_known)?;
        Some((image, self.serial))
    }

    /// Stores the result.
    pub fn take(&mut self, result: Result<Box<LayerReport>, Failure>) {
        match result {
            Ok(report) => {
                // The last layer is the newest.
                self.layer = report.layers.len().saturating_sub(1);
                self.report = Some(report);
                self.failure = None;
                self.rebuild();
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Returns the selected line of the history.
    #[must_use]
    pub fn info(&self) -> Option<&LayerInfo> {
        self.report.as_ref()?.layers.get(self.layer)
    }

    /// Moves in the half that has the focus.
    pub fn step(&mut self, by: isize) {
        if self.in_tree {
            self.tree.step(by);
            return;
        }
        let last = self.report.as_ref().map_or(0, |report| report.layers.len().saturating_sub(1));
        let next = self.layer.saturating_add_signed(by).min(last);
        if next != self.layer {
            self.layer = next;
            self.tree.go_to_top();
            self.rebuild();
        }
        self.scroll_in();
    }

    /// Returns the number of rows of the half that has the focus.
    #[must_use]
    pub fn page(&self) -> usize {
        if self.in_tree { self.tree.height() } else { self.height }
    }

    /// Fits the pane into this many columns and rows.
    pub fn fit(&mut self, width: u16, height: u16) {
        let lines = usize::from(height.saturating_sub(1)).max(1);
        // Beside the tree, the history leaves room for wasted space and facts.
        self.is_double = width >= DOUBLE;
        self.height = if self.is_double && height >= 24 { (lines / 2).max(1) } else { lines };
        self.tree.fit(lines);
        self.scroll_in();
    }

    fn scroll_in(&mut self) {
        let count = self.report.as_ref().map_or(0, |report| report.layers.len());
        self.layer_top = into_view(self.layer_top, self.layer, self.height, count);
    }

    /// Shows or hides changes of a kind.
    pub fn toggle(&mut self, mark: Mark) {
        self.tree.toggle(mark);
        self.show_tree();
        self.rebuild();
    }

    /// Shows the tree before it changes, if only one half is visible.
    pub fn show_tree(&mut self) {
        self.in_tree |= !self.is_double;
    }

    /// Switches between the layer's changes and all files up to it.
    pub fn turn(&mut self) {
        self.is_aggregated = !self.is_aggregated;
        self.show_tree();
        self.rebuild();
    }

    /// Shows only names that contain these words, with their parent folders.
    pub fn filter_by(&mut self, filter: &str) {
        filter.clone_into(&mut self.tree.filter);
        self.rebuild();
    }

    /// Returns the request to copy the file under the cursor from the layers into `folder`.
    #[must_use]
    pub fn extract(&self, folder: PathBuf) -> Option<CopyRequest> {
        let (report, image) = (self.report.as_ref()?, self.of.clone()?);
        let row = self.tree.current().filter(|row| row.path != Some(0))?;
        let path = report.path(row.path?);
        let number = report.layers[..=self.layer].iter().map(|layer| layer.number).max()?;
        // A file removed by a layer is still in the layer below.
        let count = if row.mark == Some(Mark::Deleted) { number.saturating_sub(1) } else { number };
        Some(CopyRequest {
            from: Place::Layers(image, count),
            folder: path.parent()?.to_owned(),
            names: vec![path.file_name()?.to_owned()],
            to: Place::Host,
            into: folder,
            existing: Existing::Keep,
        })
    }

    /// Rebuilds the tree.
    fn rebuild(&mut self) {
        let Some(report) = &self.report else { return };
        let facts =
            if self.is_aggregated { aggregated(report, self.layer) } else { changes(report, self.layer) };
        self.tree.plant(&report.paths, facts);
    }
}

/// Returns the layer's own changes.
fn changes(report: &LayerReport, layer: usize) -> HashMap<u32, Fact> {
    let changes = report.layers.get(layer).map_or(&[][..], |layer| &layer.changes);
    let fact = |mark, kind, size| Fact::of(Some(mark), kind, size);
    changes.iter().map(|change| (change.path, fact(change.mark, change.kind, change.size))).collect()
}

/// Returns all files up to a layer, with the marks of that layer's changes.
fn aggregated(report: &LayerReport, layer: usize) -> HashMap<u32, Fact> {
    let count = report.paths.len();
    // When each path was last created and last removed; 0 means never.
    let mut made = vec![0_u64; count];
    let mut gone = vec![0_u64; count];
    let mut facts = HashMap::new();
    let mut moment = 0;
    for (at, info) in report.layers.iter().enumerate().take(layer + 1) {
        for change in &info.changes {
            moment += 1;
            let path = change.path as usize;
            let mark = (at == layer).then_some(change.mark);
            if change.mark == Mark::Deleted {
                gone[path] = moment;
            } else {
                made[path] = moment;
                // A file that replaces a folder hides the folder's content.
                if change.kind != FileKind::Folder {
                    gone[path] = moment - 1;
                }
            }
            let stays = at == layer || change.mark != Mark::Deleted;
            if stays {
                facts.insert(change.path, Fact::of(mark, change.kind, change.size));
            }
        }
    }
    // Parents precede their children.
    for path in 1..count {
        let parent = report.paths[path].parent as usize;
        gone[path] = gone[path].max(gone[parent]);
    }
    facts.retain(|path, fact| {
        let path = *path as usize;
        (path == 0 || made[path] > gone[path]) || fact.mark == Some(Mark::Deleted)
    });
    facts
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::layers::{LayerChange, LayerPath, Waste};
    use crate::tui::pathtree::model::TreeRow;

    /// A report for tests: `/srv/{app,lib/a}` and `/tmp/x`, changed and removed in later layers.
    pub(crate) fn report() -> LayerReport {
        let names = [(0, ""), (0, "srv"), (1, "app"), (1, "lib"), (3, "a"), (0, "tmp"), (5, "x")];
        let paths = names.map(|(parent, name)| LayerPath { parent, name: std::ffi::OsStr::new(name).into() });
        let change = |path, mark, kind, size| LayerChange { path, mark, kind, size };
        use FileKind::{File, Folder};
        use Mark::{Added, Changed, Deleted};
        let first = vec![
            change(1, Added, Folder, 0),
            change(2, Added, File, 40 << 20),
            change(3, Added, Folder, 0),
            change(4, Added, File, 3000),
            change(5, Added, Folder, 0),
            change(6, Added, File, 9000),
        ];
        let second = vec![change(2, Changed, File, 44 << 20)];
        let third = vec![change(5, Deleted, Folder, 9000)];
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64)).parse().unwrap();
        let layer = |number, command: &str, size, changes: Vec<LayerChange>, counts: (u64, u64, u64)| {
            let (added, changed, removed) = counts;
            let command = command.to_owned();
            let diff_id = Some(digest("a"));
            LayerInfo {
                diff_id,
                number,
                command,
                size,
                changes,
                added,
                changed,
                removed,
                ..LayerInfo::default()
            }
        };
        LayerReport {
            id: format!("sha256:{}", "3f".repeat(32)).parse().unwrap(),
            tags: vec!["acme/app:2.4.1".parse().unwrap()],
            platform: "linux/amd64".parse().unwrap(),
            created: Some(crate::tui::fixture::now() - jiff::SignedDuration::from_hours(52)),
            config: vec![("user", "app".to_owned()), ("command", "node index.js".to_owned())],
            used_by: vec!["api".to_owned(), "migrate".to_owned()],
            paths: paths.to_vec(),
            layers: vec![
                layer(1, "COPY . .", (40 << 20) + 12_000, first, (3, 0, 0)),
                layer(2, "RUN npm run build", 44 << 20, second, (0, 1, 0)),
                LayerInfo { command: "USER app".to_owned(), ..LayerInfo::default() },
                layer(3, "RUN rm -r /tmp", 0, third, (0, 0, 1)),
            ],
            waste: vec![
                Waste { path: "/srv/app".into(), files: 1, bytes: 40 << 20, mark: Changed, by: 2 },
                Waste { path: "/tmp".into(), files: 1, bytes: 9000, mark: Deleted, by: 3 },
            ],
            wasted: (40 << 20) + 9000,
            total: (84 << 20) + 12_000,
            is_cut: false,
        }
    }

    fn pane() -> LayersPane {
        let mut pane = LayersPane::default();
        pane.show(Some(&Subject::Image("acme/app:2.4.1".to_owned())));
        pane.fit(120, 30);
        pane.take(Ok(Box::new(report())));
        pane
    }

    /// Returns the rows of the tree: `+ /srv/app`.
    fn rows(pane: &LayersPane) -> Vec<String> {
        let line = |row: &TreeRow| {
            let sign = match row.mark {
                Some(Mark::Added) => '+',
                Some(Mark::Changed) => '~',
                Some(Mark::Deleted) => '-',
                None => ' ',
            };
            let path = pane.report.as_ref().unwrap().path(row.path.unwrap());
            format!("{sign} {} {}", path.display(), row.size)
        };
        pane.tree.rows.iter().map(line).collect()
    }

    #[test]
    fn the_last_layer_is_shown_first_and_each_says_what_it_does() {
        let mut pane = pane();
        assert_eq!(rows(&pane), ["  / 9000", "- /tmp 9000"]);
        pane.step(-2);
        assert_eq!(rows(&pane), ["  / 46137344", "  /srv 46137344", "~ /srv/app 46137344"]);
        pane.step(-1);
        assert_eq!(rows(&pane), ["  / 41955040", "+ /srv 41946040", "+ /tmp 9000"]);
    }

    #[test]
    fn aggregated_is_what_the_layers_leave() {
        let mut pane = pane();
        pane.turn();
        assert_eq!(rows(&pane), ["  / 46149344", "  /srv 46140344", "- /tmp 9000"]);
        pane.toggle(Mark::Deleted);
        let left = ["  / 46140344", "  /srv 46140344", "  /srv/app 46137344", "  /srv/lib 3000"];
        assert_eq!(rows(&pane), left, "a folder that is alone is unfolded");
    }

    #[test]
    fn folders_fold_and_unfold_and_a_filter_shows_the_way() {
        let mut pane = pane();
        pane.step(-3);
        pane.in_tree = true;
        pane.step(1);
        assert!(pane.tree.unfold());
        assert_eq!(rows(&pane).len(), 5);
        pane.step(2);
        assert!(pane.tree.unfold() && !pane.tree.unfold());
        pane.step(1);
        assert!(pane.tree.fold(), "it goes to the folder it lies in");
        assert_eq!(pane.tree.cursor, 3);
        assert!(pane.tree.fold());
        assert_eq!(rows(&pane).len(), 5);
        pane.filter_by("A P");
        assert_eq!(rows(&pane), ["  / 41943040", "  /srv 41943040", "+ /srv/app 41943040"]);
    }

    #[test]
    fn a_file_that_a_layer_removes_is_copied_out_of_the_one_below() {
        let mut pane = pane();
        pane.in_tree = true;
        assert_eq!(pane.extract("/work".into()), None, "the root is no file");
        pane.step(1);
        let request = pane.extract("/work".into()).unwrap();
        assert_eq!(request.from, Place::Layers("acme/app:2.4.1".to_owned(), 2));
        assert_eq!((request.folder, request.names), ("/".into(), vec!["tmp".into()]));
    }
}
