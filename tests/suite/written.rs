//! Layers written by hoist: equal trees result in equal bytes, and both our own reader and GNU tar
//! restore the same tree. Needs root, or root in a user namespace.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::in_user_namespace;
use hoist::internals::base::Paths;
use hoist::internals::base::progress::Reporter;
use hoist::internals::image::{Error, Layer, Lease, Store};
use hoist::internals::layer::{self, LayerSource, Traits, opaque_attribute};
use hoist::internals::oci::Digest;
use hoist::internals::sys::fs::{FileType, Timespec};
use hoist::internals::sys::{self, xattr};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rustix::fs::OFlags;

struct Place {
    dir: tempfile::TempDir,
    store: Store,
    lease: Lease,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let store = Store::new(paths, in_user_namespace());
        let lease = store.lease().unwrap();
        Self { dir, store, lease }
    }

    fn upper(&self, name: &str) -> PathBuf {
        let upper = self.dir.path().join(name);
        fs::create_dir(&upper).unwrap();
        upper
    }

    fn add(&self, upper: &Path) -> Layer {
        self.store.add_changes(&self.lease, upper, &Reporter::silent()).unwrap()
    }

    fn diff(&self, layer: &Layer) -> PathBuf {
        self.store.layer_dir(&layer.diff_id).unwrap().join("diff")
    }
}

fn written(folder: &Path) -> Vec<u8> {
    let root = sys::fs::open_dir(folder).unwrap();
    layer::write(&root, &Traits::default(), in_user_namespace(), Vec::new()).unwrap().1
}

/// Returns the entries of a tree by path. Names of the same file share a number.
fn facts(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let (mut found, mut inodes) = (BTreeMap::new(), BTreeMap::new());
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        for path in names {
            let meta = fs::symlink_metadata(&path).unwrap();
            let dir = sys::fs::open_dir(&folder).unwrap();
            let place = sys::fs::open_at(&dir, path.file_name().unwrap(), OFlags::PATH).unwrap();
            let xattrs: Vec<_> = xattr::list_place(&place)
                .unwrap()
                .into_iter()
                .filter(|name| !name.as_bytes().starts_with(b"security.selinux"))
                .map(|name| (xattr::get_place(&place, &name).unwrap(), name))
                .collect();
            let kind = meta.file_type();
            let is_whiteout = kind.is_char_device() && meta.rdev() == 0;
            let content = match () {
                () if kind.is_file() => Digest::of(&fs::read(&path).unwrap()).to_string(),
                () if kind.is_symlink() => format!("{:?}", fs::read_link(&path).unwrap()),
                () => format!("{:x}", meta.rdev()),
            };
            let what = match is_whiteout {
                true => "whiteout".to_owned(),
                false => {
                    let owner = (meta.uid(), meta.gid());
                    format!("{:o} {owner:?} {} {content} {xattrs:?}", meta.mode(), meta.mtime())
                }
            };
            if kind.is_dir() {
                left.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), (what, meta));
        }
    }
    let mut told = BTreeMap::new();
    for (path, (what, meta)) in found {
        let next = inodes.len();
        let is_linked = !meta.is_dir() && meta.nlink() > 1 && what != "whiteout";
        let link = is_linked.then(|| *inodes.entry(meta.ino()).or_insert(next));
        told.insert(path, format!("{what} {link:?}"));
    }
    told
}

/// An entry to create: its type, path and attributes.
#[derive(Debug, Clone)]
struct Item {
    kind: u8,
    folder: prop::sample::Index,
    name: prop::sample::Index,
    mode: u32,
    size: usize,
    mtime: i64,
    owner: u32,
}

fn item() -> impl Strategy<Value = Item> {
    let times = prop_oneof![Just(0), Just(-77), Just(1 << 34), 1_600_000_000..1_800_000_000_i64];
    let sizes = prop_oneof![Just(0), Just(511), Just(512), Just(513), 0..200_000_usize];
    let (index, name) = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let owners = prop_oneof![Just(0), Just(1000), Just(3_000_000)];
    (0..10_u8, index, name, 0..0o10000_u32, sizes, times, owners).prop_map(
        |(kind, folder, name, mode, size, mtime, owner)| Item {
            kind,
            folder,
            name,
            mode,
            size,
            mtime,
            owner,
        },
    )
}

fn names() -> Vec<OsString> {
    let odd = [&b"na\xc3\xafve"[..], b"not\xffutf-8", b"a b", b"-", b"line\nbreak"];
    let mut names: Vec<_> = ["a", "b", "B", "a.b", "lib", "x="].iter().map(OsString::from).collect();
    names.extend(odd.iter().map(|name| OsString::from_vec(name.to_vec())));
    names.extend([OsString::from("n".repeat(100)), OsString::from("l".repeat(255))]);
    names
}

/// Creates the items below `root`, and keeps what already exists.
fn make(root: &Path, items: &[Item]) {
    let (names, mut folders, mut files) = (names(), vec![root.to_owned()], Vec::new());
    let mut folder_times = Vec::new();
    for item in items {
        let folder = folders[item.folder.index(folders.len())].clone();
        let path = folder.join(&names[item.name.index(names.len())]);
        if fs::symlink_metadata(&path).is_ok() || path.as_os_str().len() > 3000 {
            continue;
        }
        let dir = sys::fs::open_dir(&folder).unwrap();
        let name = path.file_name().unwrap();
        let node = |kind, device| sys::fs::mknod_at(&dir, name, kind, 0o600, device).unwrap();
        match item.kind {
            0..=2 => {
                fs::create_dir(&path).unwrap();
                folders.push(path.clone());
                let at = sys::fs::open_dir(&path).unwrap();
                if item.kind == 2 {
                    xattr::set(&at, opaque_attribute(in_user_namespace()), b"y").unwrap();
                }
                sys::fs::chmod(&at, item.mode | 0o700).unwrap();
                folder_times.push((path, item.mtime));
                continue;
            }
            3 => {
                node(FileType::CharacterDevice, sys::fs::device(0, 0));
                continue;
            }
            4 => symlink(OsStr::from_bytes(&vec![b't'; 1 + item.size % 300]), &path).unwrap(),
            5 if !files.is_empty() => {
                let first: &PathBuf = &files[item.folder.index(files.len())];
                fs::hard_link(first, &path).unwrap();
                continue;
            }
            6 => node(FileType::Fifo, sys::fs::device(0, 0)),
            7 if !in_user_namespace() => node(FileType::BlockDevice, sys::fs::device(8, 300)),
            _ => {
                let file = fs::File::create(&path).unwrap();
                let text: Vec<u8> = (0..item.size).map(|at| (at / 7).to_le_bytes()[0]).collect();
                std::io::Write::write_all(&mut &file, &text).unwrap();
                if item.kind == 8 {
                    file.set_len(item.size as u64 + (1 << 20)).unwrap(); // a hole at the end
                    xattr::set(&file, OsStr::new("user.hoist"), &text[..text.len().min(900)]).unwrap();
                }
            }
        }
        if !in_user_namespace() {
            sys::fs::chown_at(&dir, name, item.owner, item.owner).unwrap();
        }
        if item.kind != 4 {
            sys::fs::chmod_place(sys::fs::open_place(&path).unwrap(), item.mode).unwrap();
        }
        let time = Timespec { tv_sec: item.mtime, tv_nsec: i64::from(item.owner % 1000) };
        sys::fs::set_mtime_at(&dir, name, time).unwrap();
        files.push(path);
    }
    for (path, tv_sec) in folder_times {
        sys::fs::set_mtime(sys::fs::open_dir(&path).unwrap(), Timespec { tv_sec, tv_nsec: 5 }).unwrap();
    }
}

#[test]
fn a_tree_comes_back_from_its_tar_and_gives_the_same_tar_again() {
    let place = Place::new();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) };
    TestRunner::new(config)
        .run(&prop::collection::vec(item(), 0..60), |items| {
            let upper = place.dir.path().join(format!("upper-{}", items.len()));
            sys::tree::remove(&upper).unwrap();
            fs::create_dir(&upper).unwrap();
            make(&upper, &items);
            let layer = place.add(&upper);
            let diff = place.diff(&layer);
            prop_assert_eq!(facts(&upper), facts(&diff));
            let tar = written(&upper);
            prop_assert_eq!(&layer.diff_id, &Digest::of(&tar));
            prop_assert_eq!(layer.size, layer::usage(&upper).unwrap().bytes);
            let again = place.store.write_layer(&layer.diff_id, Vec::new()).unwrap();
            prop_assert!(tar == again, "the layer gives another tar");
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_order_in_which_names_are_listed_is_no_matter() {
    let place = Place::new();
    let uppers = [place.upper("one"), place.upper("two")];
    let mut names: Vec<_> = (0..300).map(|at| format!("file{at}")).collect();
    for upper in &uppers {
        for name in &names {
            let path = upper.join(name);
            fs::write(&path, name).unwrap();
            let file = fs::File::open(&path).unwrap();
            sys::fs::set_mtime(&file, Timespec { tv_sec: 7, tv_nsec: 0 }).unwrap();
        }
        names.reverse();
    }
    assert!(written(&uppers[0]) == written(&uppers[1]));
}

#[test]
fn what_a_layer_leaves_to_those_below_it_is_left_to_them_again() {
    let place = Place::new();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o640);
    header.set_size(0);
    header.set_mtime(9);
    builder.append_data(&mut header, "srv/app/conf/a", std::io::empty()).unwrap();
    header.set_entry_type(tar::EntryType::Link);
    builder.append_link(&mut header, "usr/bin/again", "usr/bin/below").unwrap();
    let tar = builder.into_inner().unwrap();
    let unpack = |tar: &[u8]| {
        let source = LayerSource { reader: Box::new(tar), diff_id: None, size: None, name: "test" };
        place.store.unpack(&place.lease, source, &Reporter::silent()).unwrap()
    };
    let first = unpack(&tar);
    let ours = place.store.write_layer(&first.diff_id, Vec::new()).unwrap();
    let second = unpack(&ours);
    assert_eq!(facts(&place.diff(&first)).keys().len(), 6);
    let meta = |layer: &Layer| {
        let path = place.store.layer_dir(&layer.diff_id).unwrap().join("meta.json");
        let meta: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        (meta["implied"].clone(), meta["links"].clone())
    };
    assert_eq!(meta(&first), meta(&second));
    assert!(meta(&first).1.to_string().contains("below"), "{:?}", meta(&first));
    assert!(place.store.write_layer(&second.diff_id, Vec::new()).unwrap() == ours);
}

#[test]
fn gnu_tar_reads_what_is_written_as_it_is() {
    let place = Place::new();
    let tree = place.upper("tree");
    // In a user namespace most owners cannot be preserved.
    let kept = ["-dR", "--preserve=mode,links", "/etc", "/usr/share/doc"];
    let copied = Command::new("cp").args(kept).arg(&tree).status().unwrap();
    assert!(copied.success());
    fs::write(tree.join("l".repeat(250)), "long").unwrap();
    fs::hard_link(tree.join("etc/passwd"), tree.join("zz-again")).unwrap();
    // GNU tar compares fractions of seconds, which are not stored.
    let whole =
        Command::new("find").arg(&tree).args(["-exec", "touch", "-hd", "@1700000000", "{}", "+"]).status();
    assert!(whole.unwrap().success());
    let archive = place.dir.path().join("tree.tar");
    let tar = written(&tree);
    fs::write(&archive, &tar).unwrap();
    let compared =
        Command::new("tar").arg("--compare").arg("-C").arg(&tree).arg("-f").arg(&archive).output().unwrap();
    let said = String::from_utf8_lossy(&compared.stderr) + String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success() && said.is_empty(), "{said}");
    let listed = Command::new("tar").arg("-tf").arg(&archive).output().unwrap();
    let names = listed.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!((names, listed.stderr.len()), (facts(&tree).len(), 0));
}

#[test]
fn what_no_layer_can_hold_is_told() {
    let place = Place::new();
    let upper = place.upper("upper");
    std::os::unix::net::UnixListener::bind(upper.join("socket")).unwrap();
    fs::write(upper.join(".wh.etc"), "no whiteout").unwrap();
    let root = sys::fs::open_dir(&upper).unwrap();
    let (told, tar) = layer::write(&root, &Traits::default(), in_user_namespace(), Vec::new()).unwrap();
    assert_eq!((told.entries, told.left_out), (0, vec![".wh.etc".to_owned(), "socket".to_owned()]));
    assert_eq!(tar, [0; 1024]);
    let mut deep = sys::fs::open_dir(&upper).unwrap();
    for _ in 0..20 {
        let name = OsString::from("d".repeat(250));
        sys::fs::mkdir_at(&deep, &name, 0o755).unwrap();
        deep = sys::fs::open_at(&deep, &name, OFlags::DIRECTORY).unwrap();
    }
    let error = place.store.add_changes(&place.lease, &upper, &Reporter::silent()).unwrap_err();
    assert!(matches!(&error, Error::Layer(layer::Error::Pack { .. })), "{error:?}");
    let causes = hoist::internals::base::error::chain(&error);
    assert_eq!(causes.last().unwrap(), "its path is longer than 4095 bytes");
}
