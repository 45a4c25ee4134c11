//! Files of containers, images and this machine, against a real kernel: looked at, copied,
//! changed, and defended against who fills them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod case;
mod support;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use case::{Case, IMAGE, until};
use hoist::base::progress::{Progress, Reporter};
use hoist::engine::files::{
    Copied, CopyRequest, Entry, Existing, FileKind, Listing, MOST_ENTRIES, Mark, Place,
};
use hoist::engine::{Bind, ErrorKind, MountKind, MountRequest, Propagation, Result, Tmpfs};

fn list(case: &Case, place: &Place, path: &str) -> Result<Listing> {
    case.wait_for(case.engine.files().list(place, Path::new(path)))
}

fn read(case: &Case, place: &Place, path: &str) -> Result<Vec<u8>> {
    case.wait_for(case.engine.files().read(place, Path::new(path), 100)).map(|contents| contents.bytes)
}

fn names(listing: &Listing) -> Vec<String> {
    listing.entries.iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect()
}

fn entry<'a>(listing: &'a Listing, name: &str) -> &'a Entry {
    listing.entries.iter().find(|entry| entry.name == name).unwrap()
}

fn copy(case: &Case, from: (&Place, &Path), names: &[&str], to: (&Place, &Path)) -> Result<Copied> {
    let request = CopyRequest {
        from: from.0.clone(),
        folder: from.1.to_owned(),
        names: names.iter().map(OsString::from).collect(),
        to: to.0.clone(),
        into: to.1.to_owned(),
        existing: Existing::Keep,
    };
    case.wait_for(case.engine.files().copy(request, Reporter::silent()))
}

/// A folder of this machine beside the engine's.
fn folder(case: &Case, name: &str) -> PathBuf {
    let folder = case.dir.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// A container that runs after its script, and one that ended after it.
fn both(case: &Case, script: &str) -> [Place; 2] {
    let up = case.start(&["sh", "-c", &format!("{script}; touch /done; exec sleep 1000")], |_| {});
    let place = Place::Container(up);
    until("its script is done", || read(case, &place, "/done").is_ok());
    let over = case.create(&["sh", "-c", script], |_| {});
    case.wait_for(case.engine.containers().start(&over)).unwrap();
    case.wait_for(case.engine.containers().wait(&over, hoist::engine::WaitFor::NotRunning)).unwrap();
    [place, Place::Container(over)]
}

/// What both sides said about each other before: a look at what `mount` shows here.
fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap()
}

#[test]
fn a_container_is_listed_running_or_not_with_what_changed_since_its_image() {
    let case = Case::new();
    let script =
        "echo new > /added; echo more >> /etc/passwd; rm /bin/sh; mkdir -p /deep/er; ln -s deep /link";
    for place in both(&case, script) {
        let before = mounts();
        let root = list(&case, &place, "/").unwrap();
        assert!(!root.is_read_only);
        assert_eq!(entry(&root, "added").mark, Some(Mark::Added));
        assert_eq!((entry(&root, "added").size, entry(&root, "added").kind), (4, FileKind::File));
        assert_eq!(entry(&root, "etc").mark, Some(Mark::Changed), "a folder with a change in it");
        assert_eq!(entry(&root, "link").target.as_deref(), Some(OsStr::new("deep")));
        assert!(entry(&root, "link").leads_to_folder);
        let bin = list(&case, &place, "/bin").unwrap();
        assert_eq!((entry(&bin, "sh").mark, entry(&bin, "busybox").mark), (Some(Mark::Deleted), None));
        let etc = list(&case, &place, "/etc").unwrap();
        assert_eq!(entry(&etc, "passwd").mark, Some(Mark::Changed));
        assert_eq!(entry(&etc, "passwd").owner, "root");
        let deep = list(&case, &place, "/link").unwrap();
        assert_eq!((deep.folder.as_path(), names(&deep)), (Path::new("/deep"), vec!["er".to_owned()]));
        assert_eq!(mounts(), before, "nothing is mounted here");
    }
}

#[test]
fn a_container_that_never_ran_and_an_image_are_listed() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let image = Place::Image(IMAGE.to_owned());
    let of_image = list(&case, &image, "/").unwrap();
    assert_eq!(names(&of_image), names(&list(&case, &Place::Container(id), "/").unwrap()));
    assert!(of_image.is_read_only);
    let error = case.wait_for(case.engine.files().make_folder(&image, Path::new("/"), OsStr::new("x")));
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.causes().join("")),
        (ErrorKind::Denied, "an image cannot be changed".into())
    );
    assert_eq!(error.to_string(), "cannot make a folder in `/` of busybox");
    assert!(error.hint().is_some());
    assert_eq!(list(&case, &Place::Image("none".into()), "/").unwrap_err().kind(), ErrorKind::NotFound);
    let layer = Place::Layers(IMAGE.to_owned(), 1);
    assert_eq!(names(&list(&case, &layer, "/").unwrap()), names(&of_image));
}

#[test]
fn binds_and_tmpfs_of_a_running_container_are_seen_and_named() {
    let case = Case::new();
    let data = folder(&case, "data");
    std::fs::write(data.join("here"), "x").unwrap();
    let id = case.start(&["sleep", "1000"], |options| {
        let bind = Bind {
            source: data.clone(),
            create_source: false,
            propagation: Propagation::Private,
            recursive: true,
        };
        options.mounts = vec![
            MountRequest { target: "/data".into(), read_only: false, kind: MountKind::Bind(bind) },
            MountRequest {
                target: "/memory".into(),
                read_only: false,
                kind: MountKind::Tmpfs(Tmpfs::default()),
            },
        ];
    });
    let place = Place::Container(id.clone());
    let root = list(&case, &place, "/").unwrap();
    assert_eq!(entry(&root, "data").mount, Some(format!("→ {}", data.display())));
    assert_eq!(entry(&root, "memory").mount.as_deref(), Some("tmpfs"));
    assert_eq!(entry(&root, "proc").mount.as_deref(), Some("proc"));
    let inside = list(&case, &place, "/data").unwrap();
    assert_eq!((names(&inside), entry(&inside, "here").mark), (vec!["here".to_owned()], None));
    // What is mounted in a folder belongs to somebody else.
    let removed = case.wait_for(case.engine.files().remove(
        &place,
        Path::new("/"),
        vec!["data".into()],
        Reporter::silent(),
    ));
    assert_eq!(removed.unwrap_err().causes(), ["something is mounted on `data`"]);
    assert!(data.join("here").exists());
    // A bound file cannot be replaced, only filled: the kernel would unmount it in there.
    let (files, hosts) = (case.engine.files(), Path::new("/etc/hosts"));
    let stamp = case.wait_for(files.read(&place, hosts, 1000)).unwrap().stamp;
    case.wait_for(files.write(&place, hosts, b"1.2.3.4 x\n".to_vec(), stamp)).unwrap();
    let (etc, name) = (Path::new("/etc"), OsStr::new("hosts"));
    let request = CopyRequest {
        from: Place::Host,
        folder: "/etc".into(),
        names: vec!["hosts".into()],
        to: place.clone(),
        into: "/etc".into(),
        existing: Existing::Replace,
    };
    for error in [
        case.wait_for(files.remove(&place, etc, vec!["hosts".into()], Reporter::silent())).err(),
        case.wait_for(files.remove(&place, Path::new("/"), vec!["etc".into()], Reporter::silent())).err(),
        case.wait_for(files.rename(&place, etc, name, OsStr::new("other"))).err(),
        case.wait_for(files.copy(request, Reporter::silent())).err(),
    ] {
        let told = error.map(|error| error.causes().concat()).unwrap();
        assert!(told.starts_with("something is mounted on `"), "{told}");
    }
    let of_host = case.engine.paths().container(&id.parse().unwrap()).join("etc/hosts");
    assert_eq!(std::fs::read_to_string(of_host).unwrap(), "1.2.3.4 x\n");
    assert_eq!(read(&case, &place, "/etc/hosts").unwrap(), b"1.2.3.4 x\n");
}

#[test]
fn no_link_of_a_container_leads_to_this_machine() {
    let case = Case::new();
    let canary = folder(&case, "canary");
    std::fs::write(canary.join("secret"), "secret").unwrap();
    let up = format!("{}{}", "../".repeat(30), canary.display());
    let script = format!(
        "ln -s {0} /absolute; ln -s {up} /dots; ln -s loop /loop; ln -s {0}/secret /file;
         ln -s /proc/1/root /magic; ln -s /proc/self/root /own",
        canary.display()
    );
    for place in both(&case, &script) {
        for path in ["/absolute", "/dots", "/loop", "/magic", "/own", "/../../..//absolute", &up] {
            let found = list(&case, &place, path);
            assert!(found.is_err(), "{path}: {found:?}");
        }
        assert!(read(&case, &place, "/file").is_err());
        let files = case.engine.files();
        for path in ["/absolute", "/dots"] {
            let path = Path::new(path);
            assert!(case.wait_for(files.make_folder(&place, path, OsStr::new("made"))).is_err());
            let removed = files.remove(&place, path, vec!["secret".into()], Reporter::silent());
            assert!(case.wait_for(removed).is_err());
        }
        assert!(copy(&case, (&Place::Host, &canary), &["secret"], (&place, Path::new("/absolute"))).is_err());
        // The links themselves are copied as links.
        let out = tempfile::tempdir_in(case.dir.path()).unwrap();
        let names = ["absolute", "dots", "loop", "file", "magic"];
        let copied = copy(&case, (&place, Path::new("/")), &names, (&Place::Host, out.path())).unwrap();
        assert_eq!(copied.files, 5);
        assert_eq!(std::fs::read_link(out.path().join("absolute")).unwrap(), canary);
    }
    let left: Vec<_> = std::fs::read_dir(&canary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["secret"]);
}

#[test]
fn a_folder_that_is_swapped_for_a_link_while_it_is_copied_leads_nowhere() {
    let case = Case::new();
    let canary = folder(&case, "canary");
    std::fs::write(canary.join("secret"), "secret").unwrap();
    // What is copied in must not look like what is outside.
    let ours = folder(&case, "ours");
    std::fs::write(ours.join("secret"), "mine\n").unwrap();
    // The attacker flips a folder and a link of one name as fast as it can.
    let script = format!(
        "mkdir -p /flip/a/b; echo mine > /flip/a/b/secret; ln -s {} /flip/link; ln -s / /flip/slash
         while :; do mv /flip/a/b /flip/a/c; ln -s {} /flip/a/b; rm /flip/a/b; mv /flip/a/c /flip/a/b; done",
        canary.display(),
        canary.display()
    );
    let id = case.start(&["sh", "-c", &script], |_| {});
    let place = Place::Container(id);
    until("it flips", || list(&case, &place, "/flip/a").is_ok());
    for round in 0..60 {
        let out = folder(&case, &format!("out{round}"));
        // It may fail at any moment, but never with what is outside.
        let _ = copy(&case, (&place, Path::new("/flip")), &["a"], (&Place::Host, &out));
        let secret = out.join("a/b/secret");
        if secret.symlink_metadata().is_ok() && !out.join("a/b").is_symlink() {
            assert_eq!(std::fs::read_to_string(secret).unwrap(), "mine\n");
        }
        let _ = copy(&case, (&Place::Host, &ours), &["secret"], (&place, Path::new("/flip/a/b")));
        let files = case.engine.files();
        let wish = files.remove(&place, Path::new("/flip/a/b"), vec!["secret".into()], Reporter::silent());
        let _ = case.wait_for(wish);
    }
    assert_eq!(std::fs::read_to_string(canary.join("secret")).unwrap(), "secret");
    assert_eq!(std::fs::read_dir(&canary).unwrap().count(), 1);
}

#[test]
fn nothing_but_plain_files_is_opened() {
    let case = Case::new();
    let script = "mkfifo /pipe; mknod /zero c 1 5; mkdir /folder";
    for place in both(&case, script) {
        for (path, kind) in [("/pipe", "a named pipe"), ("/zero", "a device"), ("/folder", "a folder")] {
            let error = read(&case, &place, path).unwrap_err();
            assert_eq!(error.causes(), [format!("it is {kind}, no plain file")], "{path}");
        }
        let out = tempfile::tempdir_in(case.dir.path()).unwrap();
        let copied =
            copy(&case, (&place, Path::new("/")), &["pipe", "zero", "folder"], (&Place::Host, out.path()));
        let copied = copied.unwrap();
        assert_eq!((copied.skipped, copied.folders, copied.files), (2, 1, 0));
        assert_eq!(copied.notes, ["left out pipe: it is a named pipe", "left out zero: it is a device"]);
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
    }
}

#[test]
fn names_are_bytes_and_what_is_shown_of_them_is_harmless() {
    let case = Case::new();
    let out = folder(&case, "names");
    let odd = OsStr::from_bytes(b"\x1b[31m\xff\n ");
    std::fs::write(out.join(odd), "x").unwrap();
    let listing = list(&case, &Place::Host, out.to_str().unwrap()).unwrap();
    assert_eq!(listing.entries[0].name, odd);
    let error = read(&case, &Place::Host, out.join("\u{1b}]0;x\u{7}").to_str().unwrap()).unwrap_err();
    assert!(!error.to_string().chars().any(char::is_control), "{error}");
    let id = case.create(&["true"], |_| {});
    let place = Place::Container(id);
    let request = CopyRequest {
        from: Place::Host,
        folder: out.clone(),
        names: vec![odd.to_owned()],
        to: place.clone(),
        into: "/".into(),
        existing: Existing::Keep,
    };
    case.wait_for(case.engine.files().copy(request, Reporter::silent())).unwrap();
    assert!(list(&case, &place, "/").unwrap().entries.iter().any(|entry| entry.name == odd));
    for bad in ["", ".", "..", "a/b", "a\0b", &"x".repeat(256)] {
        let files = case.engine.files();
        let made = files.make_folder(&place, Path::new("/"), OsStr::new(bad));
        assert_eq!(case.wait_for(made).unwrap_err().kind(), ErrorKind::Invalid, "{bad:?}");
    }
}

#[test]
fn a_huge_folder_is_cut_and_says_so() {
    let case = Case::new();
    let huge = folder(&case, "huge");
    for number in 0..MOST_ENTRIES + 5 {
        std::fs::File::create(huge.join(number.to_string())).unwrap();
    }
    let listing = list(&case, &Place::Host, huge.to_str().unwrap()).unwrap();
    assert_eq!((listing.entries.len(), listing.has_more), (MOST_ENTRIES, true));
    let parent = case.dir.path().to_owned();
    let files = case.engine.files();
    let gone = files.remove(&Place::Host, &parent, vec!["huge".into()], Reporter::silent());
    assert_eq!(case.wait_for(gone).unwrap(), MOST_ENTRIES as u64 + 6);
    assert!(!huge.exists());
}

#[test]
fn a_tree_goes_in_and_comes_out_as_it_was() {
    let case = Case::new();
    let tree = folder(&case, "tree");
    std::fs::create_dir_all(tree.join("a/b")).unwrap();
    std::fs::write(tree.join("a/b/file"), "text").unwrap();
    std::fs::write(tree.join("a/set"), "x").unwrap();
    std::fs::set_permissions(tree.join("a/set"), PermissionsExt::from_mode(0o4750)).unwrap();
    symlink("b/file", tree.join("a/link")).unwrap();
    let sparse = std::fs::File::create(tree.join("a/sparse")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    sparse.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000)).unwrap();
    for place in both(&case, "mkdir /in") {
        copy(&case, (&Place::Host, &tree), &["a"], (&place, Path::new("/in"))).unwrap();
        let inside = list(&case, &place, "/in/a").unwrap();
        assert_eq!(names(&inside), ["b", "link", "set", "sparse"]);
        assert_eq!((entry(&inside, "set").mode, entry(&inside, "set").owner.as_str()), (0o750, "root"));
        let again = copy(&case, (&Place::Host, &tree), &["a"], (&place, Path::new("/in"))).unwrap_err();
        assert_eq!(
            (again.kind(), again.causes()),
            (ErrorKind::Conflict, vec!["there is `a` already".into()])
        );

        let out = tempfile::tempdir_in(case.dir.path()).unwrap();
        let copied = copy(&case, (&place, Path::new("/in")), &["a"], (&Place::Host, out.path())).unwrap();
        assert_eq!((copied.files, copied.folders, copied.bytes), (4, 2, (64 << 20) + 5));
        assert_eq!(std::fs::read_to_string(out.path().join("a/link")).unwrap(), "text");
        let meta = std::fs::metadata(out.path().join("a/sparse")).unwrap();
        assert_eq!((meta.len(), meta.mtime()), (64 << 20, 1_000_000));
        assert!(meta.blocks() < 1000, "holes stay holes: {} blocks", meta.blocks());
        // Over what is there: files are replaced, folders filled.
        std::fs::write(out.path().join("a/b/file"), "old").unwrap();
        std::fs::write(out.path().join("a/kept"), "kept").unwrap();
        let request = CopyRequest {
            from: place.clone(),
            folder: "/in".into(),
            names: vec!["a".into()],
            to: Place::Host,
            into: out.path().to_owned(),
            existing: Existing::Replace,
        };
        case.wait_for(case.engine.files().copy(request, Reporter::silent())).unwrap();
        assert_eq!(std::fs::read_to_string(out.path().join("a/b/file")).unwrap(), "text");
        assert!(out.path().join("a/kept").exists());
    }
    let error = copy(&case, (&Place::Host, &tree), &["a"], (&Place::Host, &tree.join("a/b"))).unwrap_err();
    assert_eq!(error.causes(), ["`a` lies in itself"]);
}

#[test]
fn files_are_changed_in_a_container_running_or_not_and_the_next_run_sees_it() {
    let case = Case::new();
    for place in
        both(&case, "echo one > /file; chmod 640 /file; chown 7:8 /file; ln -s file /link; mkdir /old")
    {
        let files = case.engine.files();
        let contents = case.wait_for(files.read(&place, Path::new("/link"), 100)).unwrap();
        assert_eq!((contents.bytes.as_slice(), contents.is_cut), (&b"one\n"[..], false));
        let write = |text: &str, stamp| files.write(&place, Path::new("/link"), text.into(), stamp);
        case.wait_for(write("two\n", contents.stamp)).unwrap();
        let error = case.wait_for(write("three\n", contents.stamp)).unwrap_err();
        assert_eq!(error.causes(), ["it was changed meanwhile"]);
        case.wait_for(files.make_folder(&place, Path::new("/old"), OsStr::new("new"))).unwrap();
        case.wait_for(files.rename(&place, Path::new("/"), OsStr::new("old"), OsStr::new("moved"))).unwrap();
        let taken = files.rename(&place, Path::new("/"), OsStr::new("moved"), OsStr::new("file"));
        assert_eq!(case.wait_for(taken).unwrap_err().causes(), ["there is `file` already"]);
        let root = list(&case, &place, "/").unwrap();
        let file = entry(&root, "file");
        assert_eq!((file.mode, file.owner.as_str(), file.group.as_str()), (0o640, "7", "8"));
        assert_eq!(entry(&root, "link").kind, FileKind::Link, "it stays a link");
        let gone =
            files.remove(&place, Path::new("/"), vec!["moved".into(), "bin".into()], Reporter::silent());
        assert!(case.wait_for(gone).unwrap() > 3);
        assert_eq!(entry(&list(&case, &place, "/").unwrap(), "bin").mark, Some(Mark::Deleted));
    }
    // A container that is started after it was changed has the change.
    let id = case.create(&["cat", "/put"], |_| {});
    let put = folder(&case, "put");
    std::fs::write(put.join("put"), "hello").unwrap();
    copy(&case, (&Place::Host, &put), &["put"], (&Place::Container(id.clone()), Path::new("/"))).unwrap();
    let attached = case.wait_for(case.engine.containers().start_attached(&id, case::ALL, None)).unwrap();
    assert_eq!(case.wait_for(case::hear(attached)).stdout, "hello");
}

#[test]
fn a_read_only_container_is_not_changed() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |options| options.read_only = true);
    let place = Place::Container(id.clone());
    let make = || {
        let files = case.engine.files();
        let made = files.make_folder(&place, Path::new("/"), OsStr::new("x"));
        case.wait_for(made).unwrap_err()
    };
    assert!(list(&case, &place, "/").unwrap().is_read_only);
    make();
    case.wait_for(case.engine.containers().kill(&id, "KILL")).unwrap();
    assert_eq!(make().causes(), ["the container's root file system is read-only"]);
}

#[test]
fn a_copy_stops_when_it_is_told_to_and_leaves_no_half_file() {
    let case = Case::new();
    let big = folder(&case, "big");
    std::fs::write(big.join("file"), vec![7; 64 << 20]).unwrap();
    let out = folder(&case, "out");
    let slot: std::sync::Arc<std::sync::Mutex<Option<Reporter>>> = std::sync::Arc::default();
    let reporter = {
        let slot = slot.clone();
        Reporter::new(move |news| {
            if let (Progress::Note(_), Some(reporter)) = (news, &*slot.lock().unwrap()) {
                reporter.cancel();
            }
        })
    };
    *slot.lock().unwrap() = Some(reporter.clone());
    let request = CopyRequest {
        from: Place::Host,
        folder: big,
        names: vec!["file".into()],
        to: Place::Host,
        into: out.clone(),
        existing: Existing::Keep,
    };
    match case.wait_for(case.engine.files().copy(request, reporter)) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted),
        Ok(copied) => assert_eq!(copied.bytes, 64 << 20, "faster than the first news"),
    }
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty() || left == ["file"], "{left:?}");
}

#[test]
fn a_tree_too_deep_is_refused_not_followed() {
    let case = Case::new();
    let id = case.start(
        &[
            "sh",
            "-c",
            "cd /; i=0; while [ $i -lt 400 ]; do mkdir d; cd d; i=$((i+1)); done; touch /done; sleep 1000",
        ],
        |_| {},
    );
    let place = Place::Container(id);
    until("it is deep", || read(&case, &place, "/done").is_ok());
    let out = folder(&case, "out");
    let error = copy(&case, (&place, Path::new("/")), &["d"], (&Place::Host, &out)).unwrap_err();
    assert!(error.causes()[0].ends_with("lies deeper than 200 folders"), "{error:?}");
    let files = case.engine.files();
    let removed = files.remove(&place, Path::new("/"), vec!["d".into()], Reporter::silent());
    assert_eq!(case.wait_for(removed).unwrap_err().kind(), ErrorKind::Invalid);
}
