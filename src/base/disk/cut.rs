//! Simulates a power cut for tests: of each file and folder only the last synced version is left.
//! Real file systems keep more, but need not.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files that may be lost or reappear without harm: locks, files to be deleted, and notes that only
/// add information.
const IGNORED: &[&str] = &["lock", "image.lock", "store.lock", "unsynced", "discarded", "ingest"];

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Names, with the inode of each.
    Folder(BTreeMap<String, u64>),
    File(Vec<u8>),
    Other,
}

#[derive(Debug)]
struct Disk {
    root: PathBuf,
    nodes: HashMap<u64, Node>,
    found: Vec<String>,
}

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
    static BROKEN: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// Runs `work` while the file or folder at `path` cannot be synced.
pub(crate) fn broken<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    BROKEN.set(Some(path.to_owned()));
    let done = work();
    BROKEN.set(None);
    done
}

/// Fails for the path set by [`broken`].
pub(super) fn refuse(path: &Path) -> io::Result<()> {
    let is_broken = BROKEN.with_borrow(|broken| broken.as_deref() == Some(path));
    if is_broken { Err(io::Error::from_raw_os_error(libc::EIO)) } else { Ok(()) }
}

/// Runs `work`, starting with everything below `root` synced. Returns what a power cut after it
/// would undo, and which folders were synced although nothing in them had changed.
pub(crate) fn after<T>(root: &Path, work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let mut disk = Disk { root: root.to_owned(), nodes: HashMap::new(), found: Vec::new() };
    disk.keep_all();
    DISK.set(Some(disk));
    let done = work();
    let mut disk = DISK.take().unwrap();
    let root = disk.root.clone();
    disk.compare(&root);
    (done, disk.found)
}

/// Records that a file or folder was synced.
pub(super) fn synced(path: &Path) {
    DISK.with_borrow_mut(|disk| {
        if let Some(disk) = disk.as_mut().filter(|disk| path.starts_with(&disk.root))
            && let Some((inode, node)) = look(path)
        {
            let is_same = disk.nodes.insert(inode, node.clone()) == Some(node);
            if is_same {
                disk.found.push(format!("synced in vain: {}", disk.name(path)));
            }
        }
    });
}

/// Records that everything was synced.
pub(super) fn synced_all() {
    DISK.with_borrow_mut(|disk| disk.iter_mut().for_each(Disk::keep_all));
}

impl Disk {
    fn keep_all(&mut self) {
        let mut paths = vec![self.root.clone()];
        while let Some(path) = paths.pop() {
            let Some((inode, node)) = look(&path) else { continue };
            if let Node::Folder(names) = &node {
                paths.extend(names.keys().map(|name| path.join(name)));
            }
            self.nodes.insert(inode, node);
        }
    }

    /// Adds the differences between the current state and the disk, at `path` and below.
    fn compare(&mut self, path: &Path) {
        let Some((inode, node)) = look(path) else { return };
        match (&node, self.nodes.get(&inode)) {
            (Node::Folder(names), kept) => {
                let nothing = BTreeMap::new();
                let kept = match kept {
                    Some(Node::Folder(kept)) => kept,
                    _ => &nothing,
                };
                let lost = names.iter().filter(|(name, inode)| kept.get(*name) != Some(*inode));
                let lost = lost.map(|(name, _)| format!("lost: {}", self.name(&path.join(name))));
                let back = kept.keys().filter(|name| !names.contains_key(*name));
                let back = back.map(|name| format!("back again: {}", self.name(&path.join(name))));
                let differences: Vec<String> = lost.chain(back).collect();
                self.found.extend(differences);
                for name in names.keys() {
                    self.compare(&path.join(name));
                }
            }
            (node, Some(kept)) if node == kept => {}
            (Node::File(_), _) => {
                let short = format!("cut short: {}", self.name(path));
                self.found.push(short);
            }
            (Node::Other, _) => {} // the name of a link is all there is to it
        }
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

fn look(path: &Path) -> Option<(u64, Node)> {
    let meta = fs::symlink_metadata(path).ok()?;
    let node = if meta.is_dir() {
        let entries = fs::read_dir(path).ok()?.flatten();
        let named = entries.filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (!IGNORED.contains(&name.as_str())).then_some((name, entry.metadata().ok()?.ino()))
        });
        Node::Folder(named.collect())
    } else if meta.is_file() {
        Node::File(fs::read(path).ok()?)
    } else {
        Node::Other
    };
    Some((meta.ino(), node))
}
