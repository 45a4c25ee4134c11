//! Images from archives and programs, on real files. Needs root, or to be root in a user
//! namespace (`unshare -Urm`).
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::PathBuf;
use std::process::Command;

use hoist::base::Paths;
use hoist::base::progress::Reporter;
use hoist::image::{self, Store};
use hoist::snapshot::{self, Layout};
use hoist::sys::probe::Probe;

/// A store of its own, removed at the end.
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

    /// The image's only layer, or its layers' mount at `root`, by which programs run.
    fn folder(&self, image: &hoist::oci::ImageId) -> PathBuf {
        let layers = self.store.layers_of(image).unwrap();
        assert_eq!(layers.len(), 1);
        self.store.paths().layers().join(&layers[0])
    }
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
    let _ = (&place.dir, snapshot::usage, Layout::default());
}
