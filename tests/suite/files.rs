//! Files of containers, images and this machine, on a real kernel: reading, copying and changing
//! them, with malicious content too.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::case::{self, Case, IMAGE, until};
use hoist::engine::files::{
    Copied, CopyRequest, Entry, Existing, FileKind, Listing, MOST_ENTRIES, Mark, Place,
};
use hoist::engine::{Bind, ErrorKind, MountKind, MountRequest, Options, Result, Tmpfs, WaitFor};
use hoist::internals::base::progress::{Progress, Reporter};

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

/// Creates a folder on this machine, beside the engine's.
fn folder(case: &Case, name: &str) -> PathBuf {
    let folder = case.dir.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// Returns a running container and an exited one after the same script.
fn both(case: &Case, script: &str) -> [Place; 2] {
    let up = case.start(&["sh", "-c", &format!("{script}; touch /done; exec sleep 1000")], |_| {});
    let place = Place::Container(up);
    until("its script is done", || read(case, &place, "/done").is_ok());
    [place, over(case, script, |_| {})]
}

/// Returns a bind mount of a folder on this machine.
fn bind(source: &Path, target: &str, read_only: bool) -> MountRequest {
    let bind = Bind { source: source.to_owned(), recursive: true, ..Bind::default() };
    MountRequest { read_only, ..MountRequest::new(target, MountKind::Bind(bind)) }
}

fn tmpfs(target: &str) -> MountRequest {
    MountRequest::new(target, MountKind::Tmpfs(Tmpfs::default()))
}

fn make_folder(case: &Case, place: &Place, path: &str, name: &str) -> Result<()> {
    case.wait_for(case.engine.files().make_folder(place, Path::new(path), OsStr::new(name)))
}

/// Returns an exited container that ran this script.
fn over(case: &Case, script: &str, adjust: impl FnOnce(&mut Options)) -> Place {
    let id = case.create(&["sh", "-c", script], adjust);
    case.start_again(&id);
    case.wait_for(case.engine.containers().wait(&id, WaitFor::NotRunning)).unwrap();
    Place::Container(id)
}

/// Returns the mounts on this machine, except those of concurrent tests.
fn mounts(case: &Case) -> Vec<String> {
    let own = case.dir.path().to_str().unwrap();
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let is_ours = |line: &&str| !line.contains("hoist-test-") || line.contains(own);
    table.lines().filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn what_is_to_be_copied_is_counted_first() {
    let case = Case::new();
    let script =
        "mkdir -p /a/b/c; echo four > /a/one; echo more! > /a/b/two; ln -s one /a/link; mkfifo /a/pipe";
    for place in both(&case, script) {
        let weigh = |names: &[&str]| {
            let names = names.iter().map(OsString::from).collect();
            case.wait_for(case.engine.files().weigh(&place, Path::new("/a"), names))
        };
        let weights = weigh(&["b", "one"]).unwrap();
        let told: Vec<_> = weights.iter().map(|it| (it.is_folder, it.files, it.bytes, it.is_more)).collect();
        assert_eq!(told, [(true, 1, 6, false), (false, 1, 5, false)]);
        let root =
            case.wait_for(case.engine.files().weigh(&place, Path::new("/"), vec!["a".into()])).unwrap();
        assert_eq!(
            (root[0].files, root[0].bytes),
            (3, 11),
            "links count, pipes do not, and none is followed"
        );
        assert!(weigh(&["nope"]).is_err() && weigh(&[".."]).is_err());
    }
}

#[test]
fn a_container_is_listed_running_or_not_with_what_changed_since_its_image() {
    let case = Case::new();
    let script =
        "echo new > /added; echo more >> /etc/passwd; rm /bin/sh; mkdir -p /deep/er; ln -s deep /link";
    for place in both(&case, script) {
        let before = mounts(&case);
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
        assert_eq!(mounts(&case), before, "nothing is mounted here");
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
    assert_eq!(error.to_string(), "cannot create a folder in `/` of busybox");
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
        options.mounts.list = vec![bind(&data, "/data", false), tmpfs("/memory")];
    });
    let place = Place::Container(id.clone());
    let root = list(&case, &place, "/").unwrap();
    assert_eq!(entry(&root, "data").mount, Some(format!("→ {}", data.display())));
    assert_eq!(entry(&root, "memory").mount.as_deref(), Some("tmpfs"));
    assert_eq!(entry(&root, "proc").mount.as_deref(), Some("proc"));
    let inside = list(&case, &place, "/data").unwrap();
    assert_eq!((names(&inside), entry(&inside, "here").mark), (vec!["here".to_owned()], None));
    // A mount in a folder belongs to someone else.
    let removed = case.wait_for(case.engine.files().remove(
        &place,
        Path::new("/"),
        vec!["data".into()],
        Reporter::silent(),
    ));
    assert_eq!(removed.unwrap_err().causes(), ["something is mounted on `data`"]);
    assert!(data.join("here").exists());
    // A bound file cannot be replaced, only overwritten: the kernel would unmount it in the
    // container.
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
    // The copied files must be distinguishable from the host's.
    let ours = folder(&case, "ours");
    std::fs::write(ours.join("secret"), "mine\n").unwrap();
    // The attacker exchanges a folder and a link of the same name as fast as possible.
    let script = format!(
        "mkdir -p /flip/a/b; echo mine > /flip/a/b/secret; ln -s {} /flip/link; ln -s / /flip/slash; mkdir /flip/ready
         while :; do mv /flip/a/b /flip/a/c; ln -s {} /flip/a/b; rm /flip/a/b; mv /flip/a/c /flip/a/b; done",
        canary.display(),
        canary.display()
    );
    let id = case.start(&["sh", "-c", &script], |_| {});
    let place = Place::Container(id);
    until("it flips", || list(&case, &place, "/flip/ready").is_ok());
    for round in 0..60 {
        let out = folder(&case, &format!("out{round}"));
        // It may fail at any time, but must never copy what is outside.
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
            assert_eq!(error.causes(), [format!("it is {kind}, not a regular file")], "{path}");
        }
        let out = tempfile::tempdir_in(case.dir.path()).unwrap();
        let copied =
            copy(&case, (&place, Path::new("/")), &["pipe", "zero", "folder"], (&Place::Host, out.path()));
        let copied = copied.unwrap();
        assert_eq!((copied.skipped, copied.folders, copied.files), (2, 1, 0));
        assert_eq!(copied.notes, ["skipped pipe: it is a named pipe", "skipped zero: it is a device"]);
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
        assert_eq!((again.kind(), again.causes()), (ErrorKind::Conflict, vec!["`a` already exists".into()]));

        let out = tempfile::tempdir_in(case.dir.path()).unwrap();
        let copied = copy(&case, (&place, Path::new("/in")), &["a"], (&Place::Host, out.path())).unwrap();
        assert_eq!((copied.files, copied.folders, copied.bytes), (4, 2, (64 << 20) + 5));
        assert_eq!(std::fs::read_to_string(out.path().join("a/link")).unwrap(), "text");
        let meta = std::fs::metadata(out.path().join("a/sparse")).unwrap();
        assert_eq!((meta.len(), meta.mtime()), (64 << 20, 1_000_000));
        assert!(meta.blocks() < 1000, "holes stay holes: {} blocks", meta.blocks());
        // Existing files are replaced, and existing folders are filled.
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
    assert_eq!(error.causes(), ["`a` cannot be copied into itself"]);
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
        assert_eq!(error.causes(), ["it was changed in the meantime"]);
        case.wait_for(files.make_folder(&place, Path::new("/old"), OsStr::new("new"))).unwrap();
        case.wait_for(files.rename(&place, Path::new("/"), OsStr::new("old"), OsStr::new("moved"))).unwrap();
        let taken = files.rename(&place, Path::new("/"), OsStr::new("moved"), OsStr::new("file"));
        assert_eq!(case.wait_for(taken).unwrap_err().causes(), ["`file` already exists"]);
        let root = list(&case, &place, "/").unwrap();
        let file = entry(&root, "file");
        assert_eq!((file.mode, file.owner.as_str(), file.group.as_str()), (0o640, "7", "8"));
        assert_eq!(entry(&root, "link").kind, FileKind::Link, "it stays a link");
        let gone =
            files.remove(&place, Path::new("/"), vec!["moved".into(), "bin".into()], Reporter::silent());
        assert!(case.wait_for(gone).unwrap() > 3);
        assert_eq!(entry(&list(&case, &place, "/").unwrap(), "bin").mark, Some(Mark::Deleted));
    }
    // A container started after the change sees it.
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
    let id = case.start(&["sleep", "1000"], |options| options.mounts.read_only = true);
    let place = Place::Container(id.clone());
    let make = || {
        let files = case.engine.files();
        let made = files.make_folder(&place, Path::new("/"), OsStr::new("x"));
        case.wait_for(made).unwrap_err()
    };
    assert!(list(&case, &place, "/").unwrap().is_read_only);
    make();
    drop(case.wait_for(case.engine.containers().kill(&id, "KILL")).unwrap());
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
fn a_tree_too_deep_is_not_copied_and_can_be_removed() {
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
    assert!(error.causes()[0].ends_with("is nested more than 200 folders deep"), "{error:?}");
    let files = case.engine.files();
    let removed = files.remove(&place, Path::new("/"), vec!["d".into()], Reporter::silent());
    assert_eq!(case.wait_for(removed).unwrap(), 400);
}

#[test]
fn a_folder_that_a_mount_in_what_is_copied_shows_too_does_not_get_itself() {
    let case = Case::new();
    let shared = folder(&case, "shared");
    std::fs::create_dir(shared.join("sub")).unwrap();
    std::fs::write(shared.join("here"), "x").unwrap();
    let id = case.start(&["sleep", "1000"], |options| {
        options.mounts.list = vec![bind(&shared, "/work/deep/shared", false)];
    });
    let place = Place::Container(id);
    // The target is inside the tree that the container has at /work/deep/shared.
    let copied = copy(&case, (&place, Path::new("/")), &["work"], (&Place::Host, &shared)).unwrap();
    assert_eq!(copied.notes, ["skipped work/deep/shared: it is the destination of the copy"]);
    assert_eq!(std::fs::read_dir(shared.join("work/deep")).unwrap().count(), 0);
    // A folder above the target is copied without the target.
    let sub = shared.join("sub");
    let copied = copy(&case, (&place, Path::new("/")), &["work"], (&Place::Host, &sub)).unwrap();
    assert_eq!(copied.notes, ["skipped work/deep/shared/sub: it is the destination of the copy"]);
    assert_eq!(std::fs::read(sub.join("work/deep/shared/here")).unwrap(), b"x");
}

/// Returns the folder with a container's own changes.
fn upper(case: &Case, place: &Place) -> PathBuf {
    let Place::Container(id) = place else { unreachable!("no container: {place:?}") };
    case.engine.paths().container(&id.parse().unwrap()).join("upper")
}

#[test]
fn what_a_stopped_container_mounts_is_seen_and_changed_as_while_it_runs() {
    let case = Case::new();
    let [data, config, inner, ours] = ["data", "config", "inner", "ours"].map(|name| folder(&case, name));
    std::fs::create_dir(data.join("sub")).unwrap();
    std::fs::write(data.join("here"), "x").unwrap();
    std::fs::write(config.join("setting"), "a = 1").unwrap();
    std::fs::write(inner.join("deep"), "deep").unwrap();
    std::fs::write(ours.join("ours"), "ours").unwrap();
    let place = over(&case, "ln -s data /link; echo lost > /memory/lost", |options| {
        options.mounts.list = vec![
            bind(&data, "/data", false),
            bind(&inner, "/data/sub", false),
            bind(&config, "/config", true),
            bind(&config.join("setting"), "/one", false),
            tmpfs("/memory"),
        ];
    });
    let before = mounts(&case);
    let root = list(&case, &place, "/").unwrap();
    assert_eq!(entry(&root, "data").mount, Some(format!("→ {}", data.display())));
    assert_eq!((entry(&root, "memory").mount.as_deref(), entry(&root, "memory").mark), (Some("tmpfs"), None));
    assert!(!root.is_read_only);
    for path in ["/data", "/link", "/../data", "/bin/../data", "/data/sub/.."] {
        let listed = list(&case, &place, path).unwrap();
        assert_eq!(
            (listed.folder.as_path(), names(&listed)),
            (Path::new("/data"), vec!["here".into(), "sub".into()])
        );
        assert!(!listed.is_read_only && entry(&listed, "here").mark.is_none());
        assert_eq!(entry(&listed, "sub").mount, Some(format!("→ {}", inner.display())));
    }
    assert_eq!(read(&case, &place, "/link/sub/deep").unwrap(), b"deep");
    assert_eq!(read(&case, &place, "/one").unwrap(), b"a = 1");
    // A write to the link arrives in the volume.
    make_folder(&case, &place, "/link", "made").unwrap();
    assert!(data.join("made").is_dir());
    copy(&case, (&Place::Host, &ours), &["ours"], (&place, Path::new("/data/sub"))).unwrap();
    assert_eq!(std::fs::read_to_string(inner.join("ours")).unwrap(), "ours");
    let files = case.engine.files();
    let stamp = case.wait_for(files.read(&place, Path::new("/one"), 100)).unwrap().stamp;
    case.wait_for(files.write(&place, Path::new("/one"), b"a = 2".to_vec(), stamp)).unwrap();
    assert_eq!(std::fs::read_to_string(config.join("setting")).unwrap(), "a = 2");
    // Read-only mounts, and mounts that exist only while the container runs, are reported.
    for (path, why) in [
        ("/config", "the file system there is read-only"),
        ("/memory", "a tmpfs is empty while the container is not running"),
    ] {
        assert!(list(&case, &place, path).unwrap().is_read_only, "{path}");
        let error = make_folder(&case, &place, path, "made").unwrap_err();
        assert_eq!((error.kind(), error.causes()), (ErrorKind::Denied, vec![why.to_owned()]), "{path}");
        assert!(copy(&case, (&Place::Host, &ours), &["ours"], (&place, Path::new(path))).is_err());
    }
    assert!(list(&case, &place, "/memory").unwrap().entries.is_empty());
    assert_eq!(names(&list(&case, &place, "/config").unwrap()), ["setting"]);
    // A mount point cannot be deleted; it is copied out completely.
    let removed = files.remove(&place, Path::new("/"), vec!["data".into()], Reporter::silent());
    assert_eq!(case.wait_for(removed).unwrap_err().causes(), ["something is mounted on `data`"]);
    let out = folder(&case, "out");
    copy(&case, (&place, Path::new("/")), &["data"], (&Place::Host, &out)).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("data/sub/deep")).unwrap(), "deep");
    assert_eq!(mounts(&case), before, "nothing is mounted here");
    // The container's own folder contains none of it.
    let upper = upper(&case, &place);
    for target in ["data", "config", "memory"] {
        assert_eq!(std::fs::read_dir(upper.join(target)).unwrap().count(), 0, "{target}");
    }
}

#[test]
fn no_link_of_a_stopped_container_leads_out_of_what_it_mounts() {
    let case = Case::new();
    let canary = folder(&case, "canary");
    std::fs::write(canary.join("secret"), "secret").unwrap();
    let data = folder(&case, "data");
    let dots = format!("{}{}", "../".repeat(30), canary.display());
    symlink(&canary, data.join("absolute")).unwrap();
    symlink(&dots, data.join("dots")).unwrap();
    symlink("/etc/passwd", data.join("users")).unwrap();
    symlink("/proc/self/root", data.join("magic")).unwrap();
    let place = over(&case, "true", |options| {
        options.mounts.list = vec![bind(&data, "/data", false), bind(&data, "/far", false)];
    });
    // As in a malicious image, the mount points are links: one to a folder of the image, and one
    // that leads as far out as possible.
    let upper = upper(&case, &place);
    for (name, target) in [("data", "etc"), ("far", dots.as_str())] {
        std::fs::remove_dir(upper.join(name)).unwrap();
        symlink(target, upper.join(name)).unwrap();
    }
    std::fs::create_dir_all(upper.join(canary.strip_prefix("/").unwrap())).unwrap();
    // Each is mounted where its link leads inside the root, as when the container starts.
    for path in ["/data", "/etc", "/far", canary.to_str().unwrap()] {
        let listed = list(&case, &place, path).unwrap();
        assert_eq!(names(&listed), ["absolute", "dots", "magic", "users"], "{path}");
    }
    assert_eq!(entry(&list(&case, &place, "/").unwrap(), "etc").mount, Some(format!("→ {}", data.display())));
    for path in [
        "/data/absolute/secret",
        "/data/dots/secret",
        "/far/../secret",
        "/data/magic/etc/passwd",
        "/data/users",
    ] {
        assert!(read(&case, &place, path).is_err(), "{path}");
    }
    make_folder(&case, &place, "/data/absolute", "made").unwrap();
    assert!(data.join("made").is_dir(), "the way out leads to what is mounted there inside");
    let left: Vec<_> = std::fs::read_dir(&canary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["secret"]);
}

#[test]
fn a_mount_that_is_not_there_is_told_and_nothing_is_put_under_it() {
    let case = Case::new();
    let [data, ours] = ["data", "ours"].map(|name| folder(&case, name));
    std::fs::write(ours.join("ours"), "ours").unwrap();
    let adjust = |options: &mut Options| options.mounts.list = vec![bind(&data, "/data", false)];
    // Before the first start there is no mount point.
    let never = Place::Container(case.create(&["true"], adjust));
    let error = list(&case, &never, "/data/sub").unwrap_err();
    assert_eq!(error.causes(), ["`/data` is created when the container is started for the first time"]);
    assert_eq!(
        (error.kind(), error.hint().as_deref()),
        (ErrorKind::NotFound, Some("start the container once"))
    );
    assert!(!names(&list(&case, &never, "/").unwrap()).contains(&"data".to_owned()));
    // A source that was removed.
    let place = over(&case, "true", adjust);
    std::fs::remove_dir(&data).unwrap();
    let shown = format!("missing → {}", data.display());
    assert_eq!(entry(&list(&case, &place, "/").unwrap(), "data").mount, Some(shown));
    let copied = || copy(&case, (&Place::Host, &ours), &["ours"], (&place, Path::new("/data")));
    for error in [list(&case, &place, "/data").unwrap_err(), copied().unwrap_err()] {
        let causes = error.causes();
        assert_eq!(causes[0], format!("`{}` cannot be mounted there", data.display()));
        assert!(causes[2].contains("No such file"), "{causes:?}");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert_eq!(std::fs::read_dir(upper(&case, &place).join("data")).unwrap().count(), 0);
    std::fs::create_dir(&data).unwrap();
    copied().unwrap();
    assert!(data.join("ours").exists());
}

#[test]
fn a_bind_of_a_read_only_container_is_changed_and_its_mounts_spread_nowhere() {
    let case = Case::new();
    let [outer, inner] = ["outer", "inner"].map(|name| folder(&case, name));
    let shared = Shared::new(&outer);
    std::fs::create_dir(outer.join("sub")).unwrap();
    let place = over(&case, "true", |options| {
        options.mounts.read_only = true;
        options.mounts.list = vec![bind(&outer, "/outer", false), bind(&inner, "/outer/sub", false)];
    });
    let before = mounts(&case);
    make_folder(&case, &place, "/outer/sub", "made").unwrap();
    assert!(inner.join("made").is_dir() && !outer.join("sub/made").exists());
    assert_eq!(mounts(&case), before, "not even where what is bound shares its mounts");
    let error = make_folder(&case, &place, "/", "made").unwrap_err();
    assert_eq!(error.causes(), ["the container's root file system is read-only"]);
    let listed = |path: &str| list(&case, &place, path).unwrap().is_read_only;
    assert_eq!([listed("/"), listed("/outer"), listed("/outer/sub")], [true, false, false]);
    drop(shared);
}

/// A tmpfs with shared propagation, mounted while this value exists.
struct Shared(PathBuf);

impl Shared {
    fn new(folder: &Path) -> Self {
        let run = |words: &[&str]| {
            let done = std::process::Command::new("mount").args(words).arg(folder).status().unwrap();
            assert!(done.success(), "mount {words:?}");
        };
        run(&["-t", "tmpfs", "none"]);
        let shared = Self(folder.to_owned());
        run(&["--make-shared"]);
        shared
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
