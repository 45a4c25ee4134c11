//! Kills pulls with SIGKILL at random moments.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use hoist::internals::base::Paths;
use hoist::internals::image::{Error, Roots, Store};
use hoist::internals::oci::Reference;

use super::make::{self, Layer};
use super::pull::Bench;
use super::toy::{Content, Toy};

const ROUNDS: usize = 15;

fn start(dir: &Path, reference: &Reference) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hoist"))
        .args(["--root"])
        .arg(dir.join("root"))
        .arg("--run-root")
        .arg(dir.join("run"))
        .args(["pull", "-q", &reference.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_pull_leaves_no_half_image_and_the_next_one_goes_on() {
    let contents: Vec<Vec<u8>> = (0..6).map(|seed| make::noise(seed, 1_500_000)).collect();
    let layers: Vec<Layer> = contents
        .iter()
        .enumerate()
        .map(|(at, content)| {
            let small: Vec<(String, Vec<u8>)> =
                (0..40).map(|i| (format!("small{at}/{i}"), make::noise(i, 50))).collect();
            let name = format!("file{at}");
            let mut files = vec![(name.as_str(), &content[..])];
            files.extend(small.iter().map(|(name, content)| (name.as_str(), &content[..])));
            Layer::gzip(&make::tar(&files))
        })
        .collect();
    let mut content = Content::default();
    make::put(&mut content, "latest", &layers);
    let toy = Toy::honest(content);
    let reference = toy.reference("web");

    // The duration of an undisturbed pull determines the range of random moments.
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    assert!(start(dir.path(), &reference).wait().unwrap().success());
    let mut whole = begin.elapsed();

    let bench = Bench::new();
    let mut killed = 0;
    for round in 0.. {
        if round >= ROUNDS && killed > 0 {
            break;
        }
        let mut child = start(bench.dir.path(), &reference);
        let share = u32::from(make::noise(round as u64 + 99, 1)[0]);
        let moment = whole * share / 255;
        std::thread::sleep(moment);
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            whole = moment; // it was as fast as that: the machine has become faster
        } else {
            killed += 1;
        }
        let store =
            Store::new(Paths::new(bench.dir.path().join("root"), bench.dir.path().join("run")), false);
        for image in store.images().unwrap() {
            // Visible images are complete.
            for (at, content) in contents.iter().enumerate() {
                assert!(bench.file(&image.id, &format!("file{at}")).unwrap() == *content);
            }
            // If it was killed before it was tagged, the image has no name and is removed by id.
            store
                .remove(
                    &image.id.to_string(),
                    hoist::internals::image::Force::Yes,
                    hoist::internals::image::Parents::Keep,
                    || Ok::<_, Error>(Vec::new()),
                )
                .unwrap();
            store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
        }
    }
    let pulled = bench.pull(&reference).unwrap();
    for (at, content) in contents.iter().enumerate() {
        assert!(bench.file(&pulled.image, &format!("file{at}")).unwrap() == *content);
    }
    assert_eq!(bench.parts(), [0; 0]);
    bench.store().sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
    assert_eq!(bench.litter(), [""; 0]);
    assert_eq!(fs::read_dir(bench.engine.paths().layers()).unwrap().count(), layers.len() + 1);
}

#[test]
fn a_full_disk_is_told_and_leaves_no_half_image() {
    let mut content = Content::default();
    make::put(&mut content, "latest", &[Layer::gzip(&make::tar(&[("big", &make::noise(3, 8_000_000))]))]);
    let toy = Toy::honest(content);
    let dir = tempfile::tempdir().unwrap();
    // A small disk in its own mount namespace, so that nothing remains.
    let script = "mount -t tmpfs -o size=6m tmpfs \"$PWD\" && cd \"$PWD\" && \
        \"$0\" --root \"$PWD/root\" --run-root \"$PWD/run\" pull -q \"$1\"; echo status $?; \
        find root/images root/refs root/layers";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", script])
        .arg(env!("CARGO_BIN_EXE_hoist"))
        .arg(toy.reference("web").to_string())
        .current_dir(dir.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.starts_with("status 1\n"), "{out}{err}");
    assert!(err.contains("No space left on device"), "{err}");
    assert!(err.contains("hint: free some disk space"), "{err}");
    assert_eq!(out.lines().filter(|line| line.contains("diff")).count(), 0, "{out}");
}
