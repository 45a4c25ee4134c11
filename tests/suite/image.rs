//! Images from archives and programs, with real files. Needs root, or root in a user namespace
//! (`unshare -Urm`).

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::case::{Case, until};
use crate::support::busybox_tar;
use hoist::engine::fed_archive;
use hoist::internals::base::error::chain;
use hoist::internals::base::progress::Reporter;
use hoist::internals::base::{ErrorKind, Explain as _, Paths};
use hoist::internals::image::import::ImportRequest;
use hoist::internals::image::{self, Input, Store};
use hoist::internals::oci::ImageId;
use hoist::internals::sys::probe::Probe;

#[test]
fn an_archive_that_comes_in_pieces_is_imported_and_one_that_breaks_off_leaves_nothing() {
    let case = Case::empty();
    let tar = case.dir.path().join("busybox.tar");
    busybox_tar(&tar);
    let bytes = std::fs::read(&tar).unwrap();
    let images = case.engine.images();
    let import = |input| {
        let request = ImportRequest { input, name: None, changes: Vec::new(), message: None, platform: None };
        images.import(request, Reporter::silent())
    };
    let whole = case.wait_for(import(Input::File(tar))).unwrap();
    let ingest = case.engine.paths().ingest();
    let is_clean = || {
        let names = std::fs::read_dir(&ingest).unwrap().map(|name| name.unwrap().file_name());
        names.filter(|name| name != "leases" && name != "boot").count() == 0
    };
    case.wait_for(async {
        let (feed, input) = fed_archive();
        let send = async {
            for piece in bytes.chunks(9973) {
                assert!(feed.send(piece.to_vec()).await);
            }
            feed.finish().await
        };
        let (image, is_sent) = tokio::join!(import(input), send);
        assert!(is_sent);
        // Equal files result in the same layer.
        let layers = |image: String| async move { images.inspect(&image).await.unwrap().folders };
        assert_eq!(layers(image.unwrap().to_string()).await, layers(whole.to_string()).await);

        let before = images.list().await.unwrap().len();
        let (feed, input) = fed_archive();
        let half = async move { feed.send(bytes[..bytes.len() / 2].to_vec()).await };
        let (broken, is_sent) = tokio::join!(import(input), half);
        assert!(is_sent);
        assert!(broken.unwrap_err().causes().join(": ").contains("the archive ended prematurely"));
        assert_eq!(images.list().await.unwrap().len(), before);
    });
    assert!(is_clean());
    // Dropping the future cancels the import, and the feed is notified.
    case.wait_for(async {
        let (feed, input) = fed_archive();
        let mut work = Box::pin(import(input));
        tokio::select! {
            biased;
            done = &mut work => panic!("{done:?} of an archive that is still to come"),
            is_sent = feed.send(vec![0; 512]) => assert!(is_sent),
        }
        drop(work);
        while feed.send(vec![0; 512]).await {}
    });
    until("the work has ended", is_clean);
}

/// A store for a test, removed at the end.
struct Place {
    dir: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let in_user_namespace = Probe::now().unwrap().in_user_namespace;
        Self { store: Store::new(paths, in_user_namespace), dir }
    }

    /// Returns the image's only layer, or the mount of its layers at `root`, from which programs
    /// run.
    fn folder(&self, image: &ImageId) -> PathBuf {
        let layers = self.store.layers_of(image).unwrap();
        assert_eq!(layers.len(), 1);
        self.store.paths().layers().join(&layers[0])
    }
}

/// Returns what unfinished work left behind.
fn litter(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.store.paths().ingest()).unwrap();
    let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "leases" && name != "boot");
    names.sort();
    names
}

fn in_root(folder: &std::path::Path, words: &[&str]) -> String {
    let output = Command::new("/usr/sbin/chroot")
        .arg(folder)
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn programs_of_this_machine_run_in_an_image_of_their_own() {
    let place = Place::new();
    let programs = image::host::default_programs();
    let name = "tools".parse().unwrap();
    let id = image::host::from_host(&place.store, &name, &programs, &Reporter::silent()).unwrap();
    let folder = place.folder(&id);
    assert_eq!(in_root(&folder, &["/bin/sh", "-c", "echo hello | cat; id -un"]), "hello\nroot\n");
    for program in ["ls", "grep", "sed", "bash"] {
        in_root(&folder, &["/usr/bin/env", program, "--version"]);
    }
    let config: serde_json::Value = serde_json::from_slice(&place.store.config_bytes(&id).unwrap()).unwrap();
    assert_eq!(config["config"]["Cmd"][0].as_str().unwrap().rsplit('/').next(), Some("bash"));
    let again = image::host::from_host(&place.store, &name, &programs, &Reporter::silent()).unwrap();
    let layers = |id| place.store.image(id).unwrap().layers;
    assert_eq!(layers(&id), layers(&again), "the same programs make the same layer");
}

#[test]
fn a_missing_program_is_named() {
    let place = Place::new();
    let programs = ["no-such-program".to_owned()];
    let name = "x1".parse().unwrap();
    let error = image::host::from_host(&place.store, &name, &programs, &Reporter::silent()).unwrap_err();
    assert_eq!(error.to_string(), "cannot find the program `no-such-program` on this machine");
    assert!(place.store.images().unwrap().is_empty());
}

#[test]
fn programs_are_packed_no_longer_than_they_are_wanted() {
    let place = Place::new();
    let reporter = Reporter::silent();
    reporter.cancel();
    // It is not even looked up.
    let programs = ["no-such-program".to_owned()];
    let error =
        image::host::from_host(&place.store, &"x1".parse().unwrap(), &programs, &reporter).unwrap_err();
    assert!(matches!(error, image::Error::Interrupted), "{error:?}");
    assert!(place.store.images().unwrap().is_empty());
}

/// Creates an image from a few programs until this many progress reports. Also returns the number
/// of reports.
fn from_host_until(place: &Place, moment: usize) -> (Result<ImageId, image::Error>, usize) {
    let programs = ["bash", "sed", "grep"].map(str::to_owned);
    let (own, news) = (Arc::new(OnceLock::<Reporter>::new()), Arc::new(AtomicUsize::new(0)));
    let reporter = Reporter::new({
        let (own, news) = (Arc::clone(&own), Arc::clone(&news));
        move |_| {
            if news.fetch_add(1, Ordering::Relaxed) == moment {
                own.get().unwrap().cancel();
            }
        }
    });
    own.set(reporter.clone()).unwrap();
    let made = image::host::from_host(&place.store, &"x1".parse().unwrap(), &programs, &reporter);
    (made, news.load(Ordering::Relaxed))
}

#[test]
fn programs_are_packed_up_to_the_moment_at_which_they_are_no_longer_wanted() {
    let (made, told) = from_host_until(&Place::new(), usize::MAX);
    made.unwrap();
    assert!(told > 2, "it tells of every megabyte: {told}");
    // The last report says that it is complete.
    for moment in 0..told - 1 {
        let place = Place::new();
        let error = from_host_until(&place, moment).0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{moment}: {error:?}");
        assert!(place.store.images().unwrap().is_empty(), "{moment}");
        assert_eq!(litter(&place), [""; 0], "{moment}");
    }
}

/// Runs a script with /bin/sh in the test's folder, to create archives with other tools.
fn shell(place: &Place, script: &str) {
    let output =
        Command::new("/bin/sh").args(["-euc", script]).current_dir(place.dir.path()).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn file(place: &Place, name: &str) -> Input {
    Input::File(place.dir.path().join(name))
}

/// Creates `root.tar`, a root file system with busybox.
const BUSYBOX: &str = "mkdir -p fs/bin fs/etc && cp /bin/busybox fs/bin/ && ln -s busybox fs/bin/sh
    echo hello > fs/etc/motd && tar -C fs --numeric-owner -cf root.tar .";

fn import(place: &Place, input: Input, name: &str, changes: &[&str]) -> ImageId {
    let request = ImportRequest {
        input,
        name: Some(name.parse().unwrap()),
        changes: changes.iter().map(|change| (*change).to_owned()).collect(),
        message: Some("a test".to_owned()),
        platform: None,
    };
    image::import::import(&place.store, request, &Reporter::silent()).unwrap()
}

fn document(place: &Place, id: &ImageId) -> serde_json::Value {
    serde_json::from_slice(&place.store.config_bytes(id).unwrap()).unwrap()
}

#[test]
fn a_root_file_system_is_imported_however_it_is_packed() {
    let place = Place::new();
    shell(&place, BUSYBOX);
    shell(
        &place,
        "gzip -k root.tar && zstd -q root.tar && cat root.tar.gz > two.gz && printf '' | gzip >> two.gz",
    );
    let id = import(&place, file(&place, "root.tar"), "busybox:plain", &["CMD [\"sh\"]", "ENV A=b"]);
    assert_eq!(in_root(&place.folder(&id), &["/bin/sh", "-c", "busybox cat /etc/motd"]), "hello\n");
    let config = document(&place, &id);
    assert_eq!(config["config"], serde_json::json!({"Cmd": ["sh"], "Env": ["A=b"]}));
    assert_eq!(config["history"][0]["comment"], "a test");
    for name in ["root.tar.gz", "root.tar.zst", "two.gz"] {
        let stream = std::fs::File::open(place.dir.path().join(name)).unwrap();
        let packed = import(&place, Input::Stream(Box::new(stream)), "busybox:packed", &[]);
        let layers = |id| place.store.image(id).unwrap().layers;
        assert_eq!(layers(&packed), layers(&id), "{name}: one layer, however it came");
    }
    assert_eq!(place.store.resolve("busybox:plain").unwrap().image, id);
}

#[test]
fn archives_of_other_tools_are_loaded_from_files_and_streams() {
    let place = Place::new();
    shell(&place, BUSYBOX);
    // Only the shell builds an OCI layout of two layers; skopeo converts it.
    shell(
        &place,
        r#"mkdir -p two/etc && echo more > two/etc/more && tar -C two --numeric-owner -cf two.tar etc
        mkdir -p oci/blobs/sha256
        blob() { h=$(sha256sum "$1" | cut -d' ' -f1); cp "$1" oci/blobs/sha256/$h; s=$(stat -c %s "$1"); }
        gzip -nk root.tar; gzip -nk two.tar
        d1=$(sha256sum root.tar | cut -d' ' -f1); d2=$(sha256sum two.tar | cut -d' ' -f1)
        echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$d1\",\"sha256:$d2\"]}}" > config
        t=application/vnd.oci.image
        blob config; c="{\"mediaType\":\"$t.config.v1+json\",\"digest\":\"sha256:$h\",\"size\":$s}"
        blob root.tar.gz; l1="{\"mediaType\":\"$t.layer.v1.tar+gzip\",\"digest\":\"sha256:$h\",\"size\":$s}"
        blob two.tar.gz; l2="{\"mediaType\":\"$t.layer.v1.tar+gzip\",\"digest\":\"sha256:$h\",\"size\":$s}"
        echo "{\"schemaVersion\":2,\"mediaType\":\"$t.manifest.v1+json\",\"config\":$c,\"layers\":[$l1,$l2]}" > manifest
        blob manifest
        echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$t.manifest.v1+json\",\"digest\":\"sha256:$h\",\"size\":$s,\"annotations\":{\"org.opencontainers.image.ref.name\":\"acme/web:1\"}}]}" > oci/index.json
        echo '{"imageLayoutVersion":"1.0.0"}' > oci/oci-layout
        tar -C oci -cf oci.tar . && gzip -k oci.tar && zstd -q oci.tar
        skopeo --insecure-policy copy -q oci:oci:acme/web:1 docker-archive:docker.tar:acme/web:1
        skopeo --insecure-policy copy -q oci:oci:acme/web:1 oci-archive:skopeo.tar:acme/web:1"#,
    );
    for name in ["oci.tar", "oci.tar.gz", "oci.tar.zst", "docker.tar", "skopeo.tar"] {
        for as_stream in [false, true] {
            let other = Place::new();
            let input = match as_stream {
                true => Input::Stream(Box::new(std::fs::File::open(place.dir.path().join(name)).unwrap())),
                false => file(&place, name),
            };
            let loaded = image::load::load(&other.store, input, &Reporter::silent()).unwrap();
            assert_eq!(loaded.len(), 1, "{name}");
            assert_eq!(loaded[0].names, ["acme/web:1".parse().unwrap()], "{name}");
            let id = &loaded[0].image;
            assert_eq!(other.store.resolve("acme/web:1").unwrap().image, *id);
            let lower = other.store.layers_of(id).unwrap();
            let lower: Vec<_> = lower.iter().map(|layer| other.store.paths().layers().join(layer)).collect();
            assert_eq!(std::fs::read_to_string(lower[0].join("etc/more")).unwrap(), "more\n");
            assert_eq!(std::fs::read_to_string(lower[1].join("etc/motd")).unwrap(), "hello\n");
            assert_eq!(litter(&other), [""; 0], "{name}");
        }
    }
}

#[test]
fn who_stops_a_load_finds_nothing_of_it() {
    let place = Place::new();
    shell(&place, BUSYBOX);
    let reporter = Reporter::silent();
    reporter.cancel();
    let request = ImportRequest {
        input: file(&place, "root.tar"),
        name: None,
        changes: Vec::new(),
        message: None,
        platform: None,
    };
    let error = image::import::import(&place.store, request, &reporter).unwrap_err();
    assert!(matches!(error, image::Error::Interrupted), "{error}");
    assert_eq!(litter(&place), [""; 0]);
    assert!(place.store.images().unwrap().is_empty());
}

/// Endless bytes that are not an archive. Reading more of them than needed to detect that is an
/// error.
struct Endless(usize);

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0 += buffer.len();
        assert!(self.0 < 4 << 20, "{} bytes were read", self.0);
        buffer.fill(b'y');
        Ok(buffer.len())
    }
}

#[test]
fn a_stream_that_begins_as_no_archive_is_refused_at_once() {
    let place = Place::new();
    let input = Input::Stream(Box::new(Endless(0)));
    let error = image::load::load(&place.store, input, &Reporter::silent()).unwrap_err();
    assert_eq!(chain(&error).join(": "), "the archive is malformed: a number in a header is invalid");
}

#[test]
fn an_archive_is_loaded_from_a_pipe_that_is_opened_once() {
    let place = Place::new();
    let (archive, pipe) = (place.dir.path().join("archive"), place.dir.path().join("pipe"));
    std::fs::write(&archive, "no archive").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, "no archive").unwrap()
    });
    // A pipe that is opened a second time has no writer, so the load would block.
    let [of_pipe, of_file] = [pipe, archive]
        .map(|path| image::load::load(&place.store, Input::File(path), &Reporter::silent()).unwrap_err());
    writer.join().unwrap();
    assert_eq!(chain(&of_pipe), chain(&of_file));
}

#[test]
fn archives_that_lie_are_refused() {
    let digest = "a".repeat(64);
    for (what, files, words) in [
        ("nothing", vec![("file", "x")], "neither `manifest.json` nor `index.json`"),
        ("no list", vec![("manifest.json", "{}")], "`manifest.json` of the archive is malformed"),
        (
            "a configuration outside",
            vec![("manifest.json", r#"[{"Config":"../../../../etc/passwd","Layers":[]}]"#)],
            "the archive is malformed: invalid path `../../../../etc/passwd`",
        ),
        (
            "a member outside",
            vec![("a/../../l.tar", "x")],
            "the archive is malformed: invalid path `a/../../l.tar`",
        ),
        (
            "an absolute configuration",
            vec![("manifest.json", r#"[{"Config":"/etc/passwd","Layers":[]}]"#)],
            "it has no `/etc/passwd`",
        ),
        (
            "a layer outside",
            vec![
                ("manifest.json", r#"[{"Config":"c","Layers":["/etc/passwd"]}]"#),
                ("c", &format!(r#"{{"rootfs":{{"diff_ids":["sha256:{digest}"]}}}}"#)),
            ],
            "it has no `/etc/passwd`",
        ),
        (
            "a digest that is a path",
            vec![
                ("manifest.json", r#"[{"Config":"c","Layers":["l"]}]"#),
                ("c", r#"{"rootfs":{"diff_ids":["sha256:../../x"]}}"#),
            ],
            "is not a digest",
        ),
        (
            "another configuration than its name says",
            vec![
                ("manifest.json", &format!(r#"[{{"Config":"{digest}.json"}}]"#)),
                (&format!("{digest}.json"), "{}"),
            ],
            "is damaged: its digest is",
        ),
        (
            "more layers than it says",
            vec![
                ("manifest.json", r#"[{"Config":"c","Layers":["l","l"]}]"#),
                ("c", r#"{"rootfs":{"diff_ids":[]}}"#),
            ],
            "it has 2 layers, but its configuration lists 0",
        ),
        (
            "a name that is none",
            vec![("manifest.json", r#"[{"Config":"c","RepoTags":["../../x"]}]"#)],
            "a name of the archive is malformed",
        ),
        (
            "another layer than it says",
            vec![
                ("manifest.json", r#"[{"Config":"c","Layers":["l"]}]"#),
                ("c", &format!(r#"{{"rootfs":{{"diff_ids":["sha256:{digest}"]}}}}"#)),
                ("l", ""),
            ],
            "the layer is damaged: its digest is",
        ),
        (
            "a platform whose record could not be read again",
            vec![
                ("manifest.json", r#"[{"Config":"c","RepoTags":["x:1"],"Layers":[]}]"#),
                ("c", r#"{"os":"linux/x","architecture":"a/b","rootfs":{"diff_ids":[]}}"#),
            ],
            "is not a platform",
        ),
        (
            "an index that is a manifest, too",
            vec![("oci-layout", "{}"), ("index.json", r#"{"manifests":[],"layers":[]}"#)],
            "it is both a manifest and an index",
        ),
    ] {
        let place = Place::new();
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            // The builder rejects names that lead outside.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let input = Input::Stream(Box::new(std::io::Cursor::new(bytes)));
        let error = image::load::load(&place.store, input, &Reporter::silent()).unwrap_err();
        let text = hoist::internals::base::error::chain(&error).join(" / ");
        assert!(text.contains(words), "{what}: {text}");
        assert!(place.store.images().unwrap().is_empty(), "{what}");
        assert_eq!(litter(&place), [""; 0], "{what}");
    }
}

/// Loads an archive of an image without layers, with these names.
fn load_named(place: &Place, names: &[String]) -> image::Result<Vec<image::load::Loaded>> {
    let manifest = serde_json::json!([{ "Config": "c", "RepoTags": names, "Layers": [] }]).to_string();
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in [("manifest.json", manifest.as_str()), ("c", r#"{"rootfs":{"diff_ids":[]}}"#)] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let input = Input::Stream(Box::new(std::io::Cursor::new(builder.into_inner().unwrap())));
    image::load::load(&place.store, input, &Reporter::silent())
}

#[test]
fn an_archive_gives_each_name_once_and_not_without_end() {
    let place = Place::new();
    let loaded = load_named(&place, &vec!["a:b".to_owned(); 20_000]).unwrap();
    assert_eq!(loaded[0].names, ["a:b".parse().unwrap()]);
    let names: Vec<String> = (0..300).map(|number| format!("web:{number}")).collect();
    assert_eq!(load_named(&place, &names).unwrap()[0].names.len(), 300);
    assert_eq!(place.store.references().unwrap().len(), 301);
    let names: Vec<String> = (0..10_001).map(|number| format!("web:{number}")).collect();
    let error = load_named(&place, &names).unwrap_err();
    assert_eq!(error.to_string(), "too many names of one image: the limit is 10000");
}

#[test]
fn an_archive_may_be_packed_with_xz_and_bzip2() {
    let place = Place::new();
    let folder = place.dir.path().join("tree");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("file"), "packed").unwrap();
    for form in ["--xz", "--bzip2"] {
        let file = place.dir.path().join("root.tar");
        let packed =
            Command::new("tar").args([form, "-C"]).arg(&folder).arg("-cf").arg(&file).arg(".").status();
        assert!(packed.unwrap().success());
        let request = ImportRequest {
            input: Input::File(file),
            name: None,
            changes: Vec::new(),
            message: None,
            platform: None,
        };
        let id = image::import::import(&place.store, request, &Reporter::silent()).unwrap();
        let text = std::fs::read_to_string(place.folder(&id).join("file")).unwrap();
        assert_eq!(text, "packed", "{form}");
    }
}
