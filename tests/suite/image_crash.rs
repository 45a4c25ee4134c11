//! Killed creators of images, and full disks. Needs root, or root in a user namespace
//! (`unshare -Urm`): one test mounts a small tmpfs in its own namespace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use hoist::engine::{ArchiveInput, Engine, ImportRequest, Settings};
use hoist::internals::base::Explain;
use hoist::internals::base::Paths;
use hoist::internals::base::error::chain;
use hoist::internals::base::progress::Reporter;
use hoist::internals::image::{self, Error, Input, Roots, Store};
use hoist::internals::oci::Digest;
use hoist::internals::sys::probe::Probe;

const LAYERS: usize = 3;
const FILES: usize = 300;

fn store(dir: &Path) -> Store {
    Store::new(Paths::new(dir.join("root"), dir.join("run")), Probe::now().unwrap().in_user_namespace)
}

fn layer(number: usize) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for file in 0..FILES {
        let data = vec![b'x'; 100 + file * 7 % 5000];
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        builder
            .append_data(&mut header, format!("layer{number}/d{}/f{file}", file % 9), data.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

/// Creates an archive as `docker save` does.
fn archive(path: &Path) {
    let layers: Vec<_> = (0..LAYERS).map(layer).collect();
    let ids: Vec<_> = layers.iter().map(|layer| format!("\"{}\"", Digest::of(layer))).collect();
    let config = format!("{{\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{}]}}}}", ids.join(","));
    let names: Vec<_> = (0..LAYERS).map(|number| format!("\"{number}/layer.tar\"")).collect();
    let manifest = format!(
        "[{{\"Config\":\"config.json\",\"RepoTags\":[\"crash:1\"],\"Layers\":[{}]}}]",
        names.join(",")
    );
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    let mut add = |name: &str, data: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        builder.append_data(&mut header, name, data).unwrap();
    };
    for (number, layer) in layers.iter().enumerate() {
        add(&format!("{number}/layer.tar"), layer);
    }
    add("config.json", config.as_bytes());
    add("manifest.json", manifest.as_bytes());
    builder.finish().unwrap();
}

/// Returns a command that runs one of the ignored tests below in `dir`.
fn again(program: &str, words: &[&str], test: &str, dir: &Path) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(words).arg(own).args(["--ignored", "--exact", test, "--nocapture"]).current_dir(dir);
    command
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_loads() {
    let dir = PathBuf::from(".");
    image::load::load(&store(&dir), Input::File(dir.join("archive.tar")), &Reporter::silent()).unwrap();
}

/// Checks that everything that exists is complete, and that nothing else exists.
fn check(store: &Store) -> bool {
    store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
    let images = store.images().unwrap();
    for image in &images {
        assert_eq!(image.layers.len(), LAYERS);
        store.config_bytes(&image.id).unwrap();
        for layer in store.layers_of(&image.id).unwrap() {
            let folder = store.paths().layers().join(layer);
            let found = Command::new("find").arg(&folder).args(["-type", "f"]).output().unwrap();
            assert_eq!(found.stdout.split(|&byte| byte == b'\n').count() - 1, FILES);
        }
    }
    let count = |path: PathBuf| fs::read_dir(path).map(Iterator::count).unwrap_or(0);
    let paths = store.paths();
    let layers = if images.is_empty() { 0 } else { LAYERS };
    assert_eq!(count(paths.layers().join("by-diff")), layers);
    assert!(count(paths.layers()) <= layers + 1, "no folder without a link");
    assert!(count(paths.blobs().join("sha256")) <= images.len(), "the configuration alone");
    assert_eq!((count(paths.discarded()), count(paths.ingest().join("leases"))), (0, 0));
    assert!(count(paths.ingest()) <= 1, "the folder of leases alone");
    assert_eq!(count(paths.images()), images.len());
    assert_eq!(store.references().unwrap().len(), count(paths.refs()));
    !images.is_empty()
}

#[test]
fn a_load_killed_at_any_moment_leaves_nothing_half_made() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    archive(&dir.path().join("archive.tar"));
    let store = store(dir.path());
    let mut finished = 0;
    for round in 0..40_u64 {
        let mut child = again("env", &[], "image_crash::child_loads", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the duration of a load, from before its start until after its end.
        std::thread::sleep(Duration::from_millis(round * 7));
        let _ = child.kill();
        child.wait().unwrap();
        if check(&store) {
            finished += 1;
            // If it was killed before it was tagged, the image has no name and is removed by id.
            for image in store.images().unwrap() {
                let users = || Ok::<_, Error>(Vec::new());
                store.remove(image.id.hex(), image::Force::Yes, image::Parents::Prune, users).unwrap();
            }
            assert!(!check(&store));
        }
    }
    // Undisturbed, it still works afterwards.
    assert!(
        again("env", &[], "image_crash::child_loads", dir.path())
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    assert!(check(&store), "after {finished} of 40 that were quick enough");
}

#[test]
#[ignore = "run by the test below, on a file system of its own"]
fn child_fills_the_disk() {
    let dir = PathBuf::from("small");
    let store = store(&dir);
    let error =
        image::load::load(&store, Input::File("archive.tar".into()), &Reporter::silent()).unwrap_err();
    let text = chain(&error).join(" / ");
    assert!(text.contains("No space left on device"), "{text}");
    assert!(error.hint().unwrap().starts_with("free some disk space"), "{text}");
    assert!(!check(&store), "there is no image");
    fs::remove_file(dir.join("ballast")).unwrap();
    image::load::load(&store, Input::File("archive.tar".into()), &Reporter::silent()).unwrap();
    assert!(check(&store));
}

#[test]
fn a_full_disk_is_said_so_and_leaves_nothing() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    archive(&dir.path().join("archive.tar"));
    fs::create_dir(dir.path().join("small")).unwrap();
    let script = "mount -t tmpfs -o size=16m,nr_inodes=10000 none small && head -c 14m /dev/zero > small/ballast && exec \"$@\"";
    let output =
        again("unshare", &["-m", "sh", "-c", script, "sh"], "image_crash::child_fills_the_disk", dir.path())
            .output()
            .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn after_a_crash_of_the_machine_only_what_images_name_is_trusted() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
    let store = store(dir.path());
    let engine = Engine::open(Settings::new(paths)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let import = |number: usize| {
        let input = ArchiveInput::Stream(Box::new(std::io::Cursor::new(layer(number))));
        let request = ImportRequest {
            input,
            name: Some(format!("image:{number}").parse().unwrap()),
            changes: Vec::new(),
            message: None,
            platform: None,
        };
        runtime.block_on(engine.images().import(request, Reporter::silent())).unwrap()
    };
    let first = import(0);
    let orphan = {
        let lease = store.lease().unwrap();
        let bytes = layer(7);
        let reader = Box::new(bytes.as_slice());
        let source =
            hoist::internals::layer::LayerSource { reader, diff_id: None, size: None, name: "orphan" };
        store.unpack(&lease, source, &Reporter::silent()).unwrap().diff_id
    };
    import(1);
    assert!(store.has_layer(&orphan), "in one boot it is as good as any");
    fs::write(store.paths().ingest().join("boot"), "another boot").unwrap();
    // Truncated by the power failure.
    fs::write(store.paths().images().join(format!("{}.json", "0".repeat(64))), "").unwrap();
    import(2);
    assert!(!store.has_layer(&orphan), "it may never have reached the disk");
    assert_eq!(store.images().unwrap().len(), 3);
    store.layers_of(&first).unwrap();
}
