//! Two images side by side: a tree of the differences in their files, and a summary of the
//! differences in their configuration.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::base::units::counted;
use crate::engine::files::{CopyRequest, Existing, FileKind, Mark, Place, shown};
use crate::engine::layers::{Difference, FileChange, ImageDiff};
use crate::tui::failure::Failure;
use crate::tui::layers::model::DOUBLE;
use crate::tui::pathtree::model::{Fact, PathTree};
use crate::tui::words::size;

/// The comparison shown in a pane.
#[derive(Debug, Default)]
pub struct ComparePane {
    /// The images, old and new, by name or id.
    pub of: Option<[String; 2]>,
    /// The serial number of this comparison. Answers with another one are outdated.
    pub serial: u64,
    /// The differences; `None` until they are known.
    pub diff: Option<Box<ImageDiff>>,
    /// The progress of the comparison.
    pub progress: String,
    /// Why the images could not be compared.
    pub failure: Option<Failure>,
    /// Whether the summary has the focus instead of the tree.
    pub in_summary: bool,
    /// The first visible line of the summary.
    pub summary_top: usize,
    /// The tree of differences.
    pub tree: PathTree,
    /// The visible rows.
    height: usize,
    /// The index of the change in the list, by index of the path.
    changes: HashMap<u32, usize>,
}

impl ComparePane {
    /// Creates a pane whose serial numbers continue from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Compares these two images.
    pub fn begin(&mut self, of: [String; 2]) {
        if self.of.as_ref() != Some(&of) || self.failure.is_some() {
            let tree = self.tree.emptied();
            let (serial, height) = (self.serial + 1, self.height);
            *self = Self { of: Some(of), serial, height, tree, ..Self::default() };
        }
    }

    /// Whether an image is one of the two.
    #[must_use]
    pub fn has(&self, image: &str) -> bool {
        self.of.iter().flatten().any(|name| name == image)
    }

    /// Returns what the driver has to read, if it is missing: the images and the serial number.
    #[must_use]
    pub fn wants(&self) -> Option<([String; 2], u64)> {
        let is_known = self.diff.is_some() || self.failure.is_some();
        Some((self.of.clone().filter(|_| !is_known)?, self.serial))
    }

    /// Stores the result of the comparison.
    pub fn take(&mut self, result: Result<Box<ImageDiff>, Failure>) {
        match result {
            Ok(diff) => {
                self.changes = diff.files.changes.iter().enumerate().map(|(at, it)| (it.path, at)).collect();
                self.diff = Some(diff);
                self.rebuild();
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Swaps the two images, so that added files appear as removed.
    pub fn swap(&mut self) {
        self.of.iter_mut().for_each(|of| of.reverse());
        match self.diff.take() {
            Some(diff) => {
                self.diff = Some(Box::new(diff.swapped()));
                self.rebuild();
            }
            // The pending answer has the old order.
            None => self.serial += 1,
        }
    }

    /// Moves in the half that has the focus.
    pub fn step(&mut self, by: isize) {
        if self.in_summary {
            let last = self.summary().len().saturating_sub(self.height);
            self.summary_top = self.summary_top.saturating_add_signed(by).min(last);
        } else {
            self.tree.step(by);
        }
    }

    /// Returns the number of visible rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Fits the pane into this many rows.
    pub fn fit(&mut self, height: u16) {
        self.height = usize::from(height.saturating_sub(1)).max(1);
        self.tree.fit(self.height);
    }

    /// Shows or hides changes of a kind.
    pub fn toggle(&mut self, mark: Mark) {
        self.tree.toggle(mark);
        self.rebuild();
    }

    /// Shows only names that contain these words, with their parent folders.
    pub fn filter_by(&mut self, filter: &str) {
        filter.clone_into(&mut self.tree.filter);
        self.rebuild();
    }

    fn rebuild(&mut self) {
        let Some(diff) = &self.diff else { return };
        let fact = |it: &FileChange| (it.path, Fact::compared(it.mark, it.kind, it.before, it.after));
        self.tree.plant(&diff.files.paths, diff.files.changes.iter().map(fact).collect());
    }

    /// Returns the change at a path; `None` for a folder that only contains changes.
    #[must_use]
    pub fn change(&self, path: u32) -> Option<&FileChange> {
        self.diff.as_ref()?.files.changes.get(*self.changes.get(&path)?)
    }

    /// Returns the path under the cursor, unless it is the root.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let path = self.tree.current().and_then(|row| row.path).filter(|path| *path != 0)?;
        Some(self.diff.as_ref()?.path(path))
    }

    /// Returns the file under the cursor in both images, if its content differs.
    #[must_use]
    pub fn files(&self) -> Option<[(Place, PathBuf); 2]> {
        let row = self.tree.current().filter(|row| row.kind == FileKind::File)?;
        let change = self.change(row.path?).filter(|change| change.mark == Mark::Changed)?;
        if !change.what.contains(&Difference::Content) {
            return None; // only one image has the file
        }
        let ([before, after], path) = (self.of.clone()?, self.path()?);
        Some([(Place::Image(before), path.clone()), (Place::Image(after), path)])
    }

    /// Returns the file under the cursor, from the new image if it is there.
    #[must_use]
    pub fn file(&self) -> Option<(Place, PathBuf)> {
        let row = self.tree.current().filter(|row| row.kind == FileKind::File)?;
        Some((Place::Image(self.side(row.mark)?), self.path()?))
    }

    /// Returns the image that contains a path with this mark.
    fn side(&self, mark: Option<Mark>) -> Option<String> {
        let [before, after] = self.of.clone()?;
        Some(if mark == Some(Mark::Deleted) { before } else { after })
    }

    /// Returns the two images and the differences of their configuration.
    #[must_use]
    pub fn summary(&self) -> Vec<SummaryLine> {
        let (Some(diff), Some(of)) = (&self.diff, &self.of) else { return Vec::new() };
        summary(diff, of)
    }

    /// Returns the request to copy the path under the cursor into `folder`: from the new image, or
    /// from the old one if only that has the path.
    #[must_use]
    pub fn extract(&self, folder: PathBuf) -> Option<CopyRequest> {
        let path = self.path()?;
        let image = self.side(self.tree.current()?.mark)?;
        Some(CopyRequest {
            from: Place::Image(image),
            folder: path.parent().map(Path::to_owned)?,
            names: vec![path.file_name()?.to_owned()],
            to: Place::Host,
            into: folder,
            existing: Existing::Keep,
        })
    }
}

/// A line of the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryLine {
    /// Whether only the old or only the new image has it; `None` applies to both.
    pub mark: Option<Mark>,
    /// Its subject.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether it is the heading of the following lines.
    pub is_heading: bool,
}

fn summary(diff: &ImageDiff, of: &[String; 2]) -> Vec<SummaryLine> {
    let line =
        |mark, name: &str, text: String| SummaryLine { mark, name: name.to_owned(), text, is_heading: false };
    let heading = |text: &str| SummaryLine { is_heading: true, ..line(None, text, String::new()) };
    let mut lines = vec![heading("Images")];
    for ((image, name), mark) in diff.images.iter().zip(of).zip([Mark::Deleted, Mark::Added]) {
        let id = image.id.short();
        let built = image.created.map_or_else(String::new, |at| at.strftime(" · %Y-%m-%d").to_string());
        lines.push(line(Some(mark), if mark == Mark::Deleted { "before" } else { "after" }, shown(name)));
        lines.push(line(None, "", format!("{id}{built}")));
    }
    let [before, after] = &diff.images;
    lines.push(line(None, "size", grown(before.size, after.size)));
    let layers = format!("{} → {}, {} shared", before.layers, after.layers, diff.common);
    lines.push(line(None, "layers", layers));
    lines.push(heading("Files"));
    if diff.has_same_files() {
        lines.push(line(None, "", "identical".to_owned()));
    } else {
        let files = |files: u64, bytes: String| format!("{}, {bytes}", counted(files, "file"));
        let (added, changed, removed) = (diff.files.added, diff.files.changed, diff.files.removed);
        lines.push(line(Some(Mark::Added), "added", files(added.files, size(added.bytes))));
        let bytes = grown(diff.files.changed_before, changed.bytes);
        lines.push(line(Some(Mark::Changed), "changed", files(changed.files, bytes)));
        lines.push(line(Some(Mark::Deleted), "removed", files(removed.files, size(removed.bytes))));
    }
    lines.push(heading("Configuration"));
    if diff.config.is_empty() {
        lines.push(line(None, "", "identical".to_owned()));
    }
    for change in &diff.config {
        let sides = [(Mark::Deleted, &change.before), (Mark::Added, &change.after)];
        let mut name = shown(&change.name);
        for (mark, value) in sides {
            if let Some(value) = value {
                lines.push(line(Some(mark), &std::mem::take(&mut name), shown(value)));
            }
        }
    }
    lines
}

/// Returns the sizes and the change: `40M → 44M (+4M)`.
fn grown(before: u64, after: u64) -> String {
    let by = match after.cmp(&before) {
        Ordering::Less => format!("-{}", size(before - after)),
        Ordering::Equal => return size(after),
        Ordering::Greater => format!("+{}", size(after - before)),
    };
    format!("{} → {} ({by})", size(before), size(after))
}

/// Whether the summary and the tree are side by side.
#[must_use]
pub fn is_double(width: u16) -> bool {
    width >= DOUBLE
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::layers::{ComparedImage, ConfigChange, FileDiff, LayerPath, Sum};
    use crate::tui::fixture::now;

    /// A difference for tests: `/srv/{app,new.js}`, `/etc/{passwd,motd}` and all of `/tmp`.
    pub(crate) fn diff() -> ImageDiff {
        use FileKind::{File, Folder, Link};
        use Mark::{Added, Changed, Deleted};
        let names = [
            (0, ""),
            (0, "etc"),
            (1, "motd"),
            (1, "passwd"),
            (0, "srv"),
            (4, "app"),
            (4, "new.js"),
            (0, "tmp"),
            (7, "x"),
        ];
        let paths = names.map(|(parent, name)| LayerPath { parent, name: std::ffi::OsStr::new(name).into() });
        let change =
            |path, mark, kind, before, after, what| FileChange { path, mark, kind, before, after, what };
        let image = |digit: &str, tag: &str, hours, size, layers| ComparedImage {
            id: format!("sha256:{}", digit.repeat(64)).parse().unwrap(),
            tags: vec![tag.parse().unwrap()],
            platform: "linux/amd64".parse().unwrap(),
            created: Some(now() - jiff::SignedDuration::from_hours(hours)),
            size,
            layers,
        };
        let config = |name: &str, before: Option<&str>, after: Option<&str>| ConfigChange {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        ImageDiff {
            images: [
                image("b", "debian:13", 900, 117 << 20, 1),
                image("a", "acme/app:2.4.1", 52, 312 << 20, 4),
            ],
            common: 1,
            files: FileDiff {
                paths: paths.to_vec(),
                changes: vec![
                    change(2, Changed, Link, 0, 0, vec![Difference::Target]),
                    change(
                        3,
                        Changed,
                        File,
                        900,
                        950,
                        vec![Difference::Content, Difference::Mode(0o600, 0o644)],
                    ),
                    change(4, Added, Folder, 0, 0, vec![]),
                    change(5, Added, File, 0, 44 << 20, vec![]),
                    change(6, Added, File, 0, 3000, vec![]),
                    change(7, Deleted, Folder, 0, 0, vec![]),
                    change(8, Deleted, File, 9000, 0, vec![]),
                ],
                added: Sum { files: 2, bytes: (44 << 20) + 3000 },
                changed: Sum { files: 2, bytes: 950 },
                changed_before: 900,
                removed: Sum { files: 1, bytes: 9000 },
                is_cut: false,
            },
            config: vec![
                config("user", None, Some("app")),
                config("command", Some("bash"), Some("node index.js")),
                config("env PATH", Some("/usr/bin:/bin"), Some("/srv/node_modules/.bin:/usr/bin:/bin")),
                config("expose 8080/tcp", None, Some("")),
            ],
        }
    }

    fn pane() -> ComparePane {
        let mut pane = ComparePane::default();
        pane.begin(["debian:13".to_owned(), "acme/app:2.4.1".to_owned()]);
        pane.fit(30);
        pane.take(Ok(Box::new(diff())));
        pane
    }

    /// Returns the rows of the tree: `+ /srv 0 46140344`.
    fn rows(pane: &ComparePane) -> Vec<String> {
        let line = |row: &crate::tui::pathtree::model::TreeRow| {
            let sign = match row.mark {
                Some(Mark::Added) => '+',
                Some(Mark::Changed) => '~',
                Some(Mark::Deleted) => '-',
                None => ' ',
            };
            let path = pane.diff.as_ref().unwrap().path(row.path.unwrap());
            format!("{sign} {} {} {}", path.display(), row.before, row.size)
        };
        pane.tree.rows.iter().map(line).collect()
    }

    #[test]
    fn folders_add_up_both_sides_and_the_largest_come_first() {
        let mut pane = pane();
        assert_eq!(
            rows(&pane),
            ["  / 9900 46141294", "+ /srv 0 46140344", "- /tmp 9000 0", "  /etc 900 950"]
        );
        assert_eq!(pane.tree.rows[0].counts, [2, 2, 1]);
        pane.tree.turn();
        assert_eq!(
            rows(&pane),
            [
                "+ /srv/app 0 46137344",
                "- /tmp/x 9000 0",
                "+ /srv/new.js 0 3000",
                "~ /etc/passwd 900 950",
                "~ /etc/motd 0 0"
            ]
        );
        pane.toggle(Mark::Added);
        pane.filter_by("S");
        assert_eq!(rows(&pane), ["~ /etc/passwd 900 950"]);
    }

    #[test]
    fn the_other_way_round_is_the_same_with_the_signs_turned() {
        let mut pane = pane();
        pane.swap();
        assert_eq!(pane.of, Some(["acme/app:2.4.1".to_owned(), "debian:13".to_owned()]));
        assert_eq!(
            rows(&pane),
            ["  / 46141294 9900", "- /srv 46140344 0", "+ /tmp 0 9000", "  /etc 950 900"]
        );
        assert!(pane.wants().is_none(), "nothing is read anew");
        let mut reading = ComparePane::default();
        reading.begin(["a".to_owned(), "b".to_owned()]);
        let (_, serial) = reading.wants().unwrap();
        reading.swap();
        assert_eq!(reading.wants(), Some((["b".to_owned(), "a".to_owned()], serial + 1)));
    }

    #[test]
    fn a_file_comes_out_of_the_image_that_has_it() {
        let mut pane = pane();
        assert_eq!(pane.extract("/work".into()), None, "the root is no file");
        for (row, image, name) in
            [(1, "acme/app:2.4.1", "srv"), (2, "debian:13", "tmp"), (3, "acme/app:2.4.1", "etc")]
        {
            pane.tree.cursor = row;
            let request = pane.extract("/work".into()).unwrap();
            assert_eq!((request.from, request.names), (Place::Image(image.to_owned()), vec![name.into()]));
        }
    }
}
