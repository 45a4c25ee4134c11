//! Root file systems on the real kernel. Needs root, or root in a user namespace (`unshare -Urm`),
//! to mount overlayfs.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use hoist::internals::base::Explain as _;
use hoist::internals::snapshot::{self, Layout};
use hoist::internals::sys::probe::Probe;
use hoist::internals::sys::{self, xattr};
use rustix::fs::OFlags;

/// Two layers and an upper folder: `one` at the bottom, `two` above it.
struct Layers {
    dir: tempfile::TempDir,
}

impl Layers {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        for (path, text) in
            [("one/kept", "1"), ("one/gone", "1"), ("one/folder/old", "1"), ("two/folder/new", "2")]
        {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let two = sys::fs::open_dir(&dir.path().join("two")).unwrap();
        let kind = sys::fs::FileType::CharacterDevice;
        sys::fs::mknod_at(&two, OsStr::new("gone"), kind, 0, sys::fs::device(0, 0)).unwrap();
        let folder = sys::fs::open_dir(&dir.path().join("two/folder")).unwrap();
        let in_user_namespace = Probe::now().unwrap().in_user_namespace;
        xattr::set(&folder, hoist::internals::layer::opaque_attribute(in_user_namespace), b"y").unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn layout(&self) -> Layout {
        Layout {
            lower: vec![self.path("two"), self.path("one")],
            upper: Some((self.path("upper"), self.path("work"))),
            ..Layout::default()
        }
    }
}

/// Returns this kernel, one before overlayfs accepted descriptors, and one before `lowerdir+`.
fn kernels() -> Vec<Probe> {
    let now = Probe::now().unwrap();
    let by_string = Probe { overlay_fds: false, ..now.clone() };
    let old = Probe { lowerdir_plus: false, ..by_string.clone() };
    vec![now, by_string, old]
}

fn read(tree: &OwnedFd, path: &str) -> Option<String> {
    let file = sys::fs::open_in_root(tree, Path::new(path), OFlags::RDONLY).ok()?;
    let mut text = String::new();
    fs::File::from(file).read_to_string(&mut text).unwrap();
    Some(text)
}

fn mounts() -> usize {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
}

#[test]
fn layers_are_stacked_the_same_way_on_every_kernel() {
    let before = mounts();
    for probe in kernels() {
        let layers = Layers::new();
        let tree = snapshot::mount(&layers.layout(), &probe).unwrap();
        assert_eq!(read(&tree, "kept").as_deref(), Some("1"));
        assert_eq!(read(&tree, "gone"), None, "a whiteout hides it");
        assert_eq!(read(&tree, "folder/new").as_deref(), Some("2"));
        assert_eq!(read(&tree, "folder/old"), None, "an opaque folder hides it");
        let mut file = sys::fs::create_at(&tree, OsStr::new("written"), 0o644).unwrap();
        file.write_all(b"12345").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(layers.path("upper/written")).unwrap(), "12345");
        let usage = hoist::internals::layer::usage(&layers.path("upper")).unwrap();
        assert_eq!((usage.bytes, usage.files), (5, 1));
        drop(tree);
    }
    assert_eq!(mounts(), before, "no mount stays in this namespace");
}

#[test]
fn a_volatile_root_can_be_mounted_again() {
    let layers = Layers::new();
    let layout = Layout { volatile: true, ..layers.layout() };
    let probe = Probe::now().unwrap();
    for round in 0..3 {
        let tree = snapshot::mount(&layout, &probe).unwrap();
        let name = format!("round{round}");
        drop(sys::fs::create_at(&tree, OsStr::new(&name), 0o644).unwrap());
        assert!(read(&tree, "round0").is_some());
    }
}

#[test]
fn a_read_only_root_takes_no_change() {
    let layers = Layers::new();
    let probe = Probe::now().unwrap();
    let read_only = Layout { read_only: true, ..layers.layout() };
    let without_upper = Layout { upper: None, ..layers.layout() };
    let one_layer = Layout { lower: vec![layers.path("one")], ..Layout::default() };
    for layout in [read_only, without_upper, one_layer] {
        let tree = snapshot::mount(&layout, &probe).unwrap();
        assert_eq!(read(&tree, "kept").as_deref(), Some("1"));
        let error = sys::fs::create_at(&tree, OsStr::new("new"), 0o644).unwrap_err();
        assert!(error.is(rustix::io::Errno::ROFS), "{error}");
    }
}

#[test]
fn many_layers_fit() {
    let layers = Layers::new();
    let mut lower = Vec::new();
    for number in 0..200 {
        let folder = layers.path(&format!("layer{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(format!("file{number}")), "x").unwrap();
        lower.push(folder);
    }
    for probe in kernels() {
        let tree = snapshot::mount(&Layout { lower: lower.clone(), ..layers.layout() }, &probe).unwrap();
        assert!(read(&tree, "file0").is_some() && read(&tree, "file199").is_some());
    }
}

#[test]
fn changes_on_an_overlay_are_refused_with_the_reason() {
    let outer = Layers::new();
    for probe in kernels() {
        let outer = snapshot::mount(&outer.layout(), &probe).unwrap();
        let data = PathBuf::from(format!("/proc/self/fd/{}", outer.as_raw_fd()));
        let layers = Layers::new();
        let layout = Layout { upper: Some((data.join("upper"), data.join("work"))), ..layers.layout() };
        let error = snapshot::mount(&layout, &probe).unwrap_err();
        let text = format!(
            "{} is on an overlay itself, which cannot store the changes of an overlay",
            data.join("upper").display()
        );
        assert_eq!(error.to_string(), text);
        assert!(error.hint().unwrap().contains("mount a volume"), "{error:?}");
    }
}

#[test]
fn nothing_to_mount_is_an_error() {
    let error = snapshot::mount(&Layout::default(), &Probe::now().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the root file system has no layer");
}
