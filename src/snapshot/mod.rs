//! Root file systems assembled from layers, as detached trees that no mount table shows.
//!
//! ```text
//! kernel ≥ 6.13   fsopen · lowerdir+ by descriptor              no paths involved
//!        ≥ 6.5    fsopen · lowerdir+ by /proc/self/fd/<n>       option strings end at 254 bytes
//!        older    mount(2) in a private mount namespace, then open_tree(CLONE)
//! ```
//!
//! Layers come from images, which are not trusted. Redirects between overlay's own files are never
//! followed (`redirect_dir=nofollow`, `metacopy=off`), whatever attributes the layers carry. On
//! kernels before 6.5 the calling thread no longer shares its current directory with other threads.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::base::disk;
use crate::base::error::{ErrorKind, Explain};
use crate::sys;
use crate::sys::mount::{Attrs, Depth, Filesystem};
use crate::sys::probe::Probe;

/// The parts of a root file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Layer folders, topmost first, as absolute paths.
    pub lower: Vec<PathBuf>,
    /// The folder for changes, and overlay's work folder on the same file system. Without them the
    /// root is read-only.
    pub upper: Option<(PathBuf, PathBuf)>,
    /// Mounts read-only, even though there is an upper folder.
    pub read_only: bool,
    /// Never syncs changes to the disk, for roots that are thrown away.
    pub volatile: bool,
    /// The SELinux label of all files. Without it, each file keeps its layer's.
    pub label: Option<String>,
}

/// A root file system could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A folder could not be prepared.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The folder for changes is on a file system that overlayfs cannot use.
    #[error("{} is on {filesystem}, which cannot store the changes of an overlay", .path.display())]
    Unsuitable {
        /// The folder.
        path: PathBuf,
        /// The name of the file system.
        filesystem: &'static str,
        /// The error of the mount.
        source: sys::Error,
    },
    /// The folder of a layer is missing.
    #[error("the layer {} is missing", .0.display())]
    NoLayer(PathBuf),
    /// There are neither layers nor a folder for changes.
    #[error("the root file system has no layer")]
    Empty,
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Sys(error) => error.kind(),
            Self::Disk(error) => error.kind(),
            Self::Unsuitable { .. } => ErrorKind::Unsupported,
            Self::NoLayer(_) => ErrorKind::Corrupt,
            Self::Empty => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Sys(error) => error.hint(),
            Self::Disk(error) => error.hint(),
            Self::Unsuitable { .. } => Some(
                "use `--root` with a folder on ext4, xfs or btrfs; in a container, mount a volume there"
                    .to_owned(),
            ),
            Self::NoLayer(_) => Some("pull or load the image again".to_owned()),
            Self::Empty => None,
        }
    }
}

/// The result of making a root file system.
pub type Result<T> = std::result::Result<T, Error>;

/// Makes the root file system as a detached mount. It is in no mount table, and disappears when the
/// descriptor is closed unless it was attached.
///
/// A single layer without a folder for changes becomes a read-only bind mount; anything else is an
/// overlay. The `work` folder is emptied first, since a volatile mount leaves a marker there that
/// makes the next mount fail.
///
/// # Errors
///
/// [`Error::Empty`]; [`Error::NoLayer`]; `EPERM` without privilege.
pub fn mount(layout: &Layout, probe: &Probe) -> Result<OwnedFd> {
    if let Some((upper, work)) = &layout.upper {
        make_dir(upper)?;
        sys::tree::remove(work)?;
        make_dir(work)?;
    }
    let tree = match (layout.lower.as_slice(), &layout.upper) {
        ([], None) => return Err(Error::Empty),
        ([only], None) => layer(only, sys::mount::open_tree_at(only, Depth::One))?,
        ([], Some((upper, _))) => sys::mount::open_tree_at(upper, Depth::One)?,
        _ if probe.mount_api && probe.lowerdir_plus => {
            overlay(layout, probe).map_err(|error| explain(error, layout))?
        }
        _ => sys::mount::apart(|| classic(layout, probe)).map_err(|error| explain(error, layout))?,
    };
    if layout.read_only || layout.upper.is_none() {
        let read_only = Attrs::MOUNT_ATTR_RDONLY;
        sys::mount::set_attrs(tree.as_fd(), Depth::One, read_only, Attrs::empty())?;
    }
    Ok(tree)
}

/// Maps a missing layer to [`Error::NoLayer`].
fn layer(path: &Path, opened: sys::Result<OwnedFd>) -> Result<OwnedFd> {
    use rustix::io::Errno;
    opened.map_err(|error| match error.is(Errno::NOENT) || error.is(Errno::NOTDIR) {
        true => Error::NoLayer(path.to_owned()),
        false => error.into(),
    })
}

/// Mounts with one descriptor for each layer.
fn overlay(layout: &Layout, probe: &Probe) -> Result<OwnedFd> {
    let mut overlay = Filesystem::new("overlay")?;
    overlay.set("source", "overlay")?; // shown in mount tables, which say `none` otherwise
    let mut set = |key: &str, place: OwnedFd| -> Result<OwnedFd> {
        if probe.overlay_fds {
            overlay.set_fd(key, place.as_fd())?;
        } else {
            overlay.set(key, &by_descriptor(place.as_fd()))?;
        }
        Ok(place) // must stay open until the mount is made
    };
    let mut places = Vec::new();
    for path in &layout.lower {
        places.push(set("lowerdir+", layer(path, sys::fs::open_place(path))?)?);
    }
    if let Some((upper, work)) = &layout.upper {
        places.push(set("upperdir", sys::fs::open_place(upper)?)?);
        places.push(set("workdir", sys::fs::open_place(work)?)?);
    }
    for (key, value) in options(layout, probe) {
        match value {
            Some(value) => overlay.set(key, value)?,
            None => overlay.set_flag(key)?,
        }
    }
    if let Some(label) = &layout.label {
        overlay.set("context", label)?;
    }
    let tree = overlay.mount(Attrs::empty())?;
    drop(places);
    Ok(tree)
}

/// File systems that the kernel refuses as the upper layer, by `f_type` of statfs(2).
const UNSUITABLE: [(i64, &str); 6] = [
    (0x794c_7630, "an overlay itself"),
    (0x6969, "NFS"),
    (0x6573_5546, "FUSE"),
    (0x4d44, "FAT"),
    (0x0102_1997, "9P"),
    (0xf15f, "eCryptfs"),
];

/// Explains a mount's `EINVAL`, for which the kernel gives no reason.
fn explain(error: Error, layout: &Layout) -> Error {
    let Error::Sys(source) = error else { return error };
    let upper = layout.upper.as_ref().map(|(upper, _)| upper);
    let Some(path) = upper.filter(|_| source.is(rustix::io::Errno::INVAL)) else { return source.into() };
    let kind = rustix::fs::statfs(path).map(|stat| stat.f_type);
    match UNSUITABLE.iter().find(|(magic, _)| kind == Ok(*magic)) {
        Some((_, filesystem)) => Error::Unsuitable { path: path.clone(), filesystem, source },
        None => source.into(),
    }
}

/// Mounts with one option string, in a mount namespace of its own: see [`sys::mount::apart`].
fn classic(layout: &Layout, probe: &Probe) -> Result<OwnedFd> {
    // Opened in this namespace: overlayfs takes no folders from another mount namespace.
    let lower = layout.lower.iter().map(|path| layer(path, sys::fs::open_place(path)));
    let lower = lower.collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = lower.iter().map(|place| by_descriptor(place.as_fd())).collect();
    let mut data = format!("lowerdir={}", names.join(":"));
    let mut places = Vec::new();
    if let Some((upper, work)) = &layout.upper {
        for (key, path) in [("upperdir", upper), ("workdir", work)] {
            let place = sys::fs::open_place(path)?;
            data.push_str(&format!(",{key}={}", by_descriptor(place.as_fd())));
            places.push(place);
        }
    }
    for (key, value) in options(layout, probe) {
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        data.push_str(&format!(",{key}{value}"));
    }
    if let Some(label) = &layout.label {
        data.push_str(&format!(",{}", sys::mount::context_option(label)?));
    }
    let target = layout.lower.first().ok_or(Error::Empty)?;
    let tree = sys::mount::mount_classic("overlay", "overlay", target, &data)?;
    drop((lower, places));
    Ok(tree)
}

fn options(layout: &Layout, probe: &Probe) -> Vec<(&'static str, Option<&'static str>)> {
    let mut options = vec![
        ("redirect_dir", Some("nofollow")),
        ("metacopy", Some("off")),
        ("index", Some("off")),
        ("xino", Some("off")),
    ];
    if probe.in_user_namespace {
        options.push(("userxattr", None));
    }
    if layout.volatile && layout.upper.is_some() && probe.kernel >= (5, 10) {
        options.push(("volatile", None));
    }
    options
}

fn by_descriptor(place: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", place.as_raw_fd())
}

/// Creates a folder with mode 0755, so that the container's users can read their root whatever the
/// umask of the caller.
fn make_dir(path: &Path) -> Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(disk::Error::io("create", path)(error).into()),
        Ok(()) => Ok(sys::fs::chmod(sys::fs::open_dir(path)?, 0o755)?),
    }
}
