//! kill -9 in the middle of a pull, at moments nobody chose.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hoist::base::Paths;
use hoist::engine::{PullOptions, Reporter};
use hoist::image::{Error, Roots, Store};
use hoist::oci::Reference;

use crate::make::{self, Layer};
use crate::pull::{Bench, runtime};
use crate::toy::{Content, Toy};

/// What the process to be killed reads, in its current folder: a reference.
const ORDER: &str = "pull-this";
const ROUNDS: usize = 15;

/// Not a test: the process that `a_killed_pull_…` starts and kills.
#[test]
#[ignore = "only started by another test, in a folder that says what to pull"]
fn the_process_that_is_killed() {
    let reference: Reference = fs::read_to_string(ORDER).unwrap().parse().unwrap();
    let engine = Bench::engine_in(&std::env::current_dir().unwrap());
    runtime().block_on(engine.images().pull(&reference, PullOptions::default(), Reporter::silent())).unwrap();
}

fn start(dir: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::the_process_that_is_killed"])
        .current_dir(dir)
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

    // How long an undisturbed one takes says what a random moment is.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(ORDER), String::from(reference.clone())).unwrap();
    let begin = Instant::now();
    assert!(start(dir.path()).wait().unwrap().success());
    let whole = begin.elapsed();

    let bench = Bench::new();
    fs::write(bench.dir.path().join(ORDER), String::from(reference.clone())).unwrap();
    let mut killed = 0;
    for round in 0..ROUNDS {
        let mut child = start(bench.dir.path());
        let share = u32::from(make::noise(round as u64 + 99, 1)[0]);
        std::thread::sleep(Duration::from_micros(
            u64::try_from(whole.as_micros()).unwrap() * u64::from(share) / 255,
        ));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let store =
            Store::new(Paths::new(bench.dir.path().join("root"), bench.dir.path().join("run")), false);
        for image in store.images().unwrap() {
            // What can be seen is whole.
            for (at, content) in contents.iter().enumerate() {
                assert!(bench.file(&image.id, &format!("file{at}")).unwrap() == *content);
            }
            store
                .remove(&reference.to_string(), hoist::image::Force::Yes, hoist::image::Parents::Keep, || {
                    Ok::<_, Error>(Vec::new())
                })
                .unwrap();
            store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
        }
    }
    assert!(killed > 0, "every pull was faster than the kill");
    let pulled = bench.pull(&reference).unwrap();
    for (at, content) in contents.iter().enumerate() {
        assert!(bench.file(&pulled.image, &format!("file{at}")).unwrap() == *content);
    }
    assert_eq!(bench.parts(), [0; 0]);
    bench.store().sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
    assert_eq!(bench.litter(), [""; 0]);
    assert_eq!(fs::read_dir(bench.engine.paths().layers()).unwrap().count(), layers.len() + 1);
}
