//! The fix layer: the parts of a layer that depend on the layers below it.
//!
//! A layer's folder does not depend on its parents, so that images can share it. Two things do
//! depend on them: a folder that a layer implies without describing it (it inherits its attributes
//! from below), and a hard link to a file of a lower layer. If a chain has such entries, a small
//! layer with them is created and put on top. Most chains need none.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Error, Result};
use super::layer::{Meta, Work};
use super::lease::Lease;
use super::store::Store;
use crate::base::disk;
use crate::layer::folders::{Folders, ROOT};
use crate::layer::look::{Cursor, There};
use crate::layer::{Implied, RawPath, Traits, opaque_attribute};
use crate::oci::Digest;
use crate::sys;
use crate::sys::fs::{self, FileType};
use crate::sys::xattr;

/// The layers of a chain, bottom first.
struct Chain {
    layers: Vec<Meta>,
    /// Their folders.
    roots: Vec<PathBuf>,
    /// The last position in each of them.
    cursors: RefCell<Vec<Cursor>>,
    /// The layers that imply each folder, bottom first.
    implied: Folders<Vec<usize>>,
}

/// A file with several names.
struct Link {
    source: (usize, PathBuf),
    names: BTreeSet<PathBuf>,
}

impl Store {
    /// Returns the key of the fix layer for a chain of layers, bottom first, and creates the layer
    /// if it does not exist. `None` if the chain needs none.
    pub(super) fn fix_layer(&self, lease: &Lease, layers: &[Digest]) -> Result<Option<Digest>> {
        let metas = layers.iter().map(|layer| self.layer_meta(layer)).collect::<Result<Vec<_>>>()?;
        if metas.iter().all(|meta| meta.traits.implied.is_empty() && meta.traits.links.is_empty()) {
            return Ok(None);
        }
        let key = fix_key(layers);
        let work = Work::begin(&self.paths().ingest().join(format!("unpack-{}", key.hex())))?;
        if self.protect_layer(lease, &key)? {
            return Ok(Some(key));
        }
        let roots = layers.iter().map(|layer| Ok(self.layer_dir(layer)?.join("diff")));
        let opaque = opaque_attribute(self.in_user_namespace);
        let chain = Chain::new(metas, roots.collect::<Result<_>>()?, opaque)?;
        let folders = chain.folders_to_fix()?;
        let links = chain.links()?;
        if folders.is_empty() && links.is_empty() {
            return Ok(None);
        }
        work.clear()?;
        let diff = work.path.join("diff");
        disk::private_dir(&diff)?;
        let root = fs::open_dir(&diff)?;
        fs::chmod(&root, 0o755)?;
        for folder in &folders {
            chain.make_folder(&root, folder)?;
        }
        let mut size = 0;
        for link in &links {
            size += chain.make_link(&root, link)?;
            if size > self.limits.layer {
                let what = "the data copied for hard links to lower layers".to_owned();
                return Err(Error::TooLarge { what, limit: self.limits.layer });
            }
        }
        let entries = (folders.len() + links.len()) as u64;
        let meta = Meta::new(key.clone(), size, entries, Traits::default());
        self.publish(lease, &work, &meta)?;
        Ok(Some(key))
    }
}

/// Returns the key of a chain's fix layer, if it needs one.
pub(super) fn fix_key(layers: &[Digest]) -> Digest {
    let words: Vec<_> = layers.iter().map(ToString::to_string).collect();
    Digest::of(format!("fix layer 1\n{}\n", words.join("\n")).as_bytes())
}

impl Chain {
    fn new(layers: Vec<Meta>, roots: Vec<PathBuf>, opaque: &'static OsStr) -> Result<Self> {
        let cursors = roots
            .iter()
            .map(|root| Cursor::new(fs::open_place(root)?, opaque))
            .collect::<sys::Result<_>>()?;
        let mut implied: Folders<Vec<usize>> = Folders::new();
        for (layer, meta) in layers.iter().enumerate() {
            let mut places = Vec::with_capacity(meta.traits.implied.len());
            for folder in &meta.traits.implied {
                let at = match folder {
                    Implied::Path(path) => implied.add_path(path.0.as_os_str().as_bytes()),
                    Implied::Inside(above, name) => {
                        let above = places.get(*above).copied().ok_or_else(|| {
                            Error::malformed("the layer's `meta.json`", "a folder has no parent")
                        })?;
                        implied.add(above, name.0.as_os_str().as_bytes())
                    }
                };
                implied.value_mut(at).push(layer);
                places.push(at);
            }
        }
        Ok(Self { layers, roots, cursors: RefCell::new(cursors), implied })
    }

    /// Returns implied folders whose attributes in lower layers differ from the default.
    fn folders_to_fix(&self) -> Result<BTreeSet<PathBuf>> {
        let mut folders = BTreeSet::new();
        self.implied.each(|at, _, path| -> Result<()> {
            if self.implied.value(at).is_empty() {
                return Ok(());
            }
            let path = Path::new(OsStr::from_bytes(path));
            let (described, was_implied) = self.described(path, Some(at))?;
            if let (Some(place), true) = (described, was_implied) {
                let stat = fs::stat(&place)?;
                let is_plain = stat.st_mode & 0o7777 == 0o755 && (stat.st_uid, stat.st_gid) == (0, 0);
                if !is_plain || !attributes(&place)?.is_empty() {
                    folders.insert(path.to_owned());
                }
            }
            Ok(())
        })?;
        Ok(folders)
    }

    /// Returns the topmost description of a folder, and whether a layer above it implies the
    /// folder. `at` is the folder's position in `implied`.
    fn described(&self, path: &Path, at: Option<u32>) -> Result<(Option<OwnedFd>, bool)> {
        let implied = at.map_or(&[] as &[usize], |at| self.implied.value(at));
        let mut was_implied = false;
        for layer in (0..self.layers.len()).rev() {
            match self.look(layer, path)? {
                There::Here { place, hides } => {
                    if fs::file_type(&fs::stat(&place)?) != FileType::Directory {
                        break;
                    }
                    if implied.binary_search(&layer).is_err() {
                        return Ok((Some(place), was_implied));
                    }
                    was_implied = true;
                    if hides {
                        break;
                    }
                }
                There::Nothing { hides: true } => break,
                There::Nothing { hides: false } => {}
            }
        }
        Ok((None, was_implied))
    }

    /// Returns the hard links that no higher layer hides, one entry per file.
    fn links(&self) -> Result<Vec<Link>> {
        let mut by_source: BTreeMap<(usize, PathBuf), BTreeSet<PathBuf>> = BTreeMap::new();
        let mut made: BTreeMap<PathBuf, (usize, PathBuf)> = BTreeMap::new();
        for (at, meta) in self.layers.iter().enumerate() {
            for (RawPath(link), RawPath(target)) in &meta.traits.links {
                let source = match made.get(target) {
                    Some(source) => source.clone(),
                    None => self.find_file(at, target)?.ok_or_else(|| {
                        let (link, target) = (link.display(), target.display());
                        Error::malformed(
                            "the image",
                            format!("`{link}` is a hard link to `{target}`, which is in no layer"),
                        )
                    })?,
                };
                made.insert(link.clone(), source.clone());
                if self.is_hidden_above(at, link)? {
                    continue;
                }
                let names = by_source.entry(source.clone()).or_default();
                names.insert(link.clone());
                // Both names are the same file, so the fix layer needs both.
                if !self.is_hidden_above(source.0, &source.1)? {
                    names.insert(source.1.clone());
                }
            }
        }
        Ok(by_source.into_iter().map(|(source, names)| Link { source, names }).collect())
    }

    /// Finds the layer below `at` that has a file with this path.
    fn find_file(&self, at: usize, path: &Path) -> Result<Option<(usize, PathBuf)>> {
        for below in (0..at).rev() {
            match self.look(below, path)? {
                There::Here { place, .. } if fs::file_type(&fs::stat(&place)?) == FileType::RegularFile => {
                    return Ok(Some((below, path.to_owned())));
                }
                There::Here { .. } | There::Nothing { hides: true } => return Ok(None),
                There::Nothing { hides: false } => {}
            }
        }
        Ok(None)
    }

    fn is_hidden_above(&self, at: usize, path: &Path) -> Result<bool> {
        for above in at + 1..self.layers.len() {
            if !matches!(self.look(above, path)?, There::Nothing { hides: false }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn look(&self, layer: usize, path: &Path) -> Result<There> {
        Ok(self.cursors.borrow_mut()[layer].look(path)?)
    }

    /// Creates a folder and its parents with the attributes that they have in the chain.
    fn make_folder(&self, root: &OwnedFd, path: &Path) -> Result<OwnedFd> {
        let mut folder = fs::open_beneath(root, Path::new("."), OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut inside = PathBuf::new();
        let mut at = Some(ROOT);
        for part in path {
            inside.push(part);
            at = at.and_then(|above| self.implied.inner(above, part.as_bytes()));
            match fs::mkdir_at(&folder, part, 0o755) {
                Err(error) if error.is(Errno::EXIST) => {
                    folder = fs::open_at(&folder, part, OFlags::RDONLY | OFlags::DIRECTORY)?;
                    continue;
                }
                result => result?,
            }
            folder = fs::open_at(&folder, part, OFlags::RDONLY | OFlags::DIRECTORY)?;
            match self.described(&inside, at)?.0 {
                Some(like) => describe(&folder, &like)?,
                None => fs::chmod(&folder, 0o755)?,
            }
        }
        Ok(folder)
    }

    /// Copies a file and creates all its names. Returns its size.
    fn make_link(&self, root: &OwnedFd, link: &Link) -> Result<u64> {
        let (layer, path) = &link.source;
        let source = fs::open_beneath(fs::open_dir(&self.roots[*layer])?, path, OFlags::RDONLY)?;
        let mut first: Option<(OwnedFd, &OsStr)> = None;
        let mut size = 0;
        for name in &link.names {
            let folder = self.make_folder(root, name.parent().unwrap_or(Path::new("")))?;
            let last = name.file_name().unwrap_or_default();
            match &first {
                Some((place, made)) => fs::link_at(place, made, &folder, last)?,
                None => {
                    let copy = fs::create_at(&folder, last, 0o600)?;
                    size = fs::copy_data(&source, &copy)?;
                    describe(&copy, &source)?;
                    first = Some((folder, last));
                }
            }
        }
        Ok(size)
    }
}

/// Copies the attributes of `like` to `file`, in an order that preserves set-id bits and
/// capabilities.
fn describe(file: impl AsFd, like: &OwnedFd) -> Result<()> {
    let file = file.as_fd();
    let stat = fs::stat(like)?;
    let own = fs::stat(file)?;
    if (own.st_uid, own.st_gid) != (stat.st_uid, stat.st_gid) {
        fs::chown(file, stat.st_uid, stat.st_gid)?;
    }
    for (name, value) in attributes(like)? {
        xattr::set(file, &name, &value)?;
    }
    fs::chmod(file, stat.st_mode & 0o7777)?;
    let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Ok(fs::set_mtime(file, fs::Timespec { tv_sec: stat.st_mtime, tv_nsec: nanos })?)
}

/// Returns the extended attributes of a file, without those of overlayfs.
fn attributes(place: &OwnedFd) -> Result<Vec<(std::ffi::OsString, Vec<u8>)>> {
    let mut attributes = Vec::new();
    for name in xattr::list_place(place)? {
        let bytes = name.as_bytes();
        let is_ours = bytes.starts_with(b"trusted.overlay.") || bytes.starts_with(b"user.overlay.");
        if is_ours || bytes.starts_with(b"security.selinux") {
            continue;
        }
        if let Some(value) = xattr::get_place(place, &name)? {
            attributes.push((name, value));
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates the description of a layer with these hard links to files of lower layers.
    fn layer(links: Vec<(RawPath, RawPath)>) -> Meta {
        let traits = Traits { links, ..Traits::default() };
        Meta::new(Digest::of(b"x"), 0, 0, traits)
    }

    #[test]
    fn hard_links_to_lower_layers_cost_a_few_steps_each() {
        let (depth, count) = (200, 500);
        let dir = tempfile::tempdir().unwrap();
        let roots = ["low", "middle", "top"].map(|name| dir.path().join(name));
        let inner = "d/".repeat(depth);
        for root in &roots {
            std::fs::create_dir_all(root.join(&inner)).unwrap();
        }
        let path = |name: &str, at: usize| PathBuf::from(&inner).join(format!("{name}{at:03}"));
        for at in 0..count {
            std::fs::write(roots[0].join(path("file", at)), "").unwrap();
        }
        let links = (0..count).map(|at| (RawPath(path("link", at)), RawPath(path("file", at)))).collect();
        let layers = vec![layer(Vec::new()), layer(links), layer(Vec::new())];
        let chain = Chain::new(layers, roots.to_vec(), OsStr::new("user.overlay.opaque")).unwrap();
        let links = chain.links().unwrap();
        assert_eq!(links.len(), count);
        assert!(links.iter().all(|link| link.names.len() == 2));
        let steps: u64 = chain.cursors.borrow().iter().map(|cursor| cursor.steps).sum();
        // Each layer is walked down once, plus a check whether each name exists or is hidden.
        assert!(steps <= 3 * depth as u64 + 4 * count as u64, "{steps}");
    }
}
