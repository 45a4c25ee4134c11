//! Complete pulls: the content of the store afterwards, whatever happened during the pull.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hoist::engine::{
    Engine, Error, ErrorKind, Phase, Progress, PullOptions, PullPolicy, PullStatus, Pulled, Reporter,
    Settings,
};
use hoist::internals::base::Paths;
use hoist::internals::image::{self, Roots, Store};
use hoist::internals::oci::{ImageId, Reference};
use hoist::internals::registry;
use hoist::internals::sys::tree;
use serde_json::json;

use super::client::{hasty, impatient, with_tokens};
use super::make::{self, Layer};
use super::peer::Peer;
use super::toy::{Content, End, Seen, Toy};

/// An engine for a test, and its reported progress.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) news: Arc<Mutex<Vec<Progress>>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(impatient())
    }

    fn with(settings: registry::Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Self::engine_in(dir.path(), settings);
        Self { dir, engine, news: Arc::default() }
    }

    fn engine_in(dir: &Path, registry: registry::Settings) -> Engine {
        let paths = Paths::new(dir.join("root"), dir.join("run"));
        Engine::open(Settings { registry, ..Settings::new(paths) }).unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.engine.paths().clone(), false)
    }

    pub(crate) fn reporter(&self) -> Reporter {
        let news = self.news.clone();
        Reporter::new(move |it| news.lock().unwrap().push(it))
    }

    pub(crate) fn pull(&self, reference: &Reference) -> Result<Pulled, Error> {
        self.pull_with(reference, PullOptions::default(), self.reporter())
    }

    pub(crate) fn pull_with(
        &self,
        reference: &Reference,
        options: PullOptions,
        reporter: Reporter,
    ) -> Result<Pulled, Error> {
        runtime().block_on(self.engine.images().pull(reference, options, reporter))
    }

    fn notes(&self) -> Vec<String> {
        let news = self.news.lock().unwrap();
        let notes = news.iter().filter_map(|it| match it {
            Progress::Note(note) => Some(note.clone()),
            Progress::Warning(_) | Progress::Part { .. } => None,
        });
        notes.collect()
    }

    /// Returns the phases reported for a layer.
    fn phases(&self, layer: &Layer) -> Vec<Phase> {
        let mut phases = Vec::new();
        for it in self.news.lock().unwrap().iter() {
            if let Progress::Part { id, phase, .. } = it
                && id == layer.digest().short()
                && phases.last() != Some(phase)
            {
                phases.push(*phase);
            }
        }
        phases
    }

    /// Returns the sizes of unfinished downloads.
    pub(crate) fn parts(&self) -> Vec<u64> {
        let entries = fs::read_dir(self.engine.paths().ingest()).into_iter().flatten();
        let parts = entries
            .map(Result::unwrap)
            .filter(|entry| entry.path().extension().is_some_and(|it| it == "part"));
        parts.map(|entry| entry.metadata().unwrap().len()).collect()
    }

    /// Returns everything in `ingest/` except resumable downloads.
    pub(crate) fn litter(&self) -> Vec<String> {
        let list = |dir: &Path| -> Vec<String> {
            let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let ingest = self.engine.paths().ingest();
        let mut litter = list(&ingest);
        litter.retain(|name| !matches!(&**name, "leases" | "boot") && !name.ends_with(".part"));
        litter.extend(list(&ingest.join("leases")));
        litter
    }

    /// Returns the content of a file of an image, from the topmost layer that contains it.
    pub(crate) fn file(&self, image: &ImageId, path: &str) -> Option<Vec<u8>> {
        let layers = self.store().layers_of(image).unwrap();
        layers.iter().find_map(|layer| fs::read(self.engine.paths().layers().join(layer).join(path)).ok())
    }

    /// Asserts that nothing of a failed pull is visible.
    fn assert_empty(&self) {
        assert_eq!(self.store().images().unwrap(), []);
        assert_eq!(self.store().references().unwrap(), []);
        assert_eq!(self.litter(), [""; 0]);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns layers in every compression format; the last one takes a while.
fn layers() -> Vec<Layer> {
    vec![
        Layer::gzip(&make::tar(&[("etc/a", b"one"), ("etc/b", b"two")])),
        Layer::zstd(&make::tar(&[("b", b"two")])),
        Layer::plain(&make::tar(&[("c", b"three")])),
        Layer::gzip(&make::tar(&[("noise", &make::noise(7, 2_000_000))])),
    ]
}

fn toy_with(layers: &[Layer]) -> Toy {
    let mut content = Content::default();
    make::put(&mut content, "latest", layers);
    Toy::honest(content)
}

/// Returns the error's message and its causes.
fn told(error: &Error) -> String {
    format!("{error}: {}", error.causes().join(": "))
}

#[test]
fn layers_of_every_packing_become_an_image_and_the_second_pull_is_short() {
    let (bench, layers) = (Bench::new(), layers());
    let toy = toy_with(&layers);
    let reference = toy.reference("acme/web");
    let pulled = bench.pull(&reference).unwrap();
    assert_eq!(pulled.status, PullStatus::Downloaded);
    for (path, content) in
        [("etc/a", &b"one"[..]), ("b", b"two"), ("c", b"three"), ("noise", &make::noise(7, 2_000_000))]
    {
        assert!(bench.file(&pulled.image, path).unwrap() == content, "{path}");
    }
    assert_eq!(
        bench.notes(),
        [
            "latest: Pulling from acme/web".to_owned(),
            format!("Digest: {}", pulled.digest),
            format!("Status: Downloaded newer image for {reference}"),
        ]
    );
    let phases = bench.phases(&layers[3]);
    assert_eq!(
        (phases[0], phases[1], phases.last()),
        (Phase::Waiting, Phase::Downloading, Some(&Phase::Done))
    );
    assert_eq!((bench.parts(), bench.litter()), (vec![], vec![]));
    assert_eq!(bench.store().resolve(&reference.to_string()).unwrap().image, pulled.image);

    let before = toy.seen().len();
    let again = bench.pull(&reference).unwrap();
    assert_eq!(again, Pulled { status: PullStatus::UpToDate, ..pulled.clone() });
    assert_eq!(toy.seen()[before..].iter().map(|seen| &*seen.method).collect::<Vec<_>>(), ["HEAD"]);
    assert_eq!(bench.notes().last().unwrap(), &format!("Status: Image is up to date for {reference}"));

    // A digest cannot have changed.
    let before = toy.seen().len();
    let by_digest = bench.pull(&reference.with_digest(pulled.digest.clone())).unwrap();
    assert_eq!((by_digest.status, toy.seen().len()), (PullStatus::UpToDate, before));
}

#[test]
fn pulls_of_an_engine_share_connections_and_tokens() {
    let bench = Bench::new();
    let mut content = Content::default();
    make::put(&mut content, "latest", &[]);
    let toy = with_tokens(content, None);
    bench.pull(&toy.reference("web")).unwrap();
    let first = toy.connections();
    for _ in 0..3 {
        bench.pull(&toy.reference("web")).unwrap();
    }
    // Each connection tries TLS first, which the toy does not support.
    assert_eq!((toy.connections(), toy.count("/token?")), (first + 3, 1));
}

#[test]
fn a_layer_that_is_here_is_not_fetched_again() {
    let (bench, layers) = (Bench::new(), layers());
    let mut content = Content::default();
    make::put(&mut content, "old", &layers[..2]);
    let new = [layers[0].clone(), layers[2].clone(), layers[0].clone()];
    make::put(&mut content, "new", &new);
    let toy = Toy::honest(content);
    bench.pull(&toy.reference("web:old")).unwrap();
    bench.news.lock().unwrap().clear();
    bench.pull(&toy.reference("web:new")).unwrap();
    assert_eq!(toy.count(&layers[0].digest().to_string()), 1);
    assert_eq!(bench.phases(&layers[0]), [Phase::Exists]);
    assert_eq!(bench.store().images().unwrap().len(), 2);
}

#[test]
fn a_download_that_a_killed_pull_left_unpacked_goes_with_the_next_pull() {
    let (bench, layers) = (Bench::new(), layers());
    let mut content = Content::default();
    for (tag, count) in [("first", 1), ("second", 2), ("third", 3)] {
        make::put(&mut content, tag, &layers[..count]);
    }
    let toy = Toy::honest(content);
    bench.pull(&toy.reference("web:first")).unwrap();
    let lease = bench.store().lease().unwrap();
    let blob = layers[0].digest();
    let part = bench.store().begin(&lease, &blob, None).unwrap();
    bench.pull(&toy.reference("web:second")).unwrap();
    assert_eq!(bench.parts(), [0], "its writer is alive");
    drop((part, lease));
    bench.pull(&toy.reference("web:third")).unwrap();
    assert_eq!(bench.parts(), [0; 0]);
}

#[test]
fn what_was_lost_of_an_image_is_pulled_again() {
    let only_file = |folder: &Path| {
        let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|it| it == "json")).unwrap()
    };
    for lost in ["record", "cut record", "cut name", "configuration", "layer", "tree", "link"] {
        let (bench, layers) = (Bench::new(), layers());
        let toy = toy_with(&layers[..2]);
        let reference = toy.reference("web");
        let pulled = bench.pull(&reference).unwrap();
        let (store, paths) = (bench.store(), bench.engine.paths());
        let folders = store.layers_of(&pulled.image).unwrap();
        match lost {
            "record" => fs::remove_file(only_file(&paths.images())).unwrap(),
            "cut record" => fs::write(only_file(&paths.images()), "{").unwrap(),
            "cut name" => fs::write(only_file(&paths.refs()), "{").unwrap(),
            "configuration" => fs::remove_file(store.blob_path(&pulled.image)).unwrap(),
            "layer" => tree::remove(paths.layers().join(&folders[0]).parent().unwrap()).unwrap(),
            "tree" => tree::remove(&paths.layers().join(&folders[0])).unwrap(),
            _ => tree::remove(&paths.layers().join("by-diff")).unwrap(),
        }
        let listed = || runtime().block_on(bench.engine.images().listing()).unwrap();
        assert_eq!(listed().damaged.len(), 1, "{lost}: {:?}", listed());
        let wanted = bench.engine.images();
        let (word, reporter) = (reference.to_string(), Reporter::silent());
        let error = runtime()
            .block_on(wanted.pull_if_missing(&word, PullPolicy::Missing, None, &reporter))
            .unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.starts_with("pull or load ")), "{lost}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{lost}");
        let again = bench.pull(&reference).unwrap();
        assert_eq!((&again.image, again.status), (&pulled.image, PullStatus::Downloaded), "{lost}");
        assert_eq!(listed().damaged, [], "{lost}");
        if lost != "link" {
            assert_eq!(store.layers_of(&pulled.image).unwrap(), folders, "{lost}");
        }
        assert_eq!(bench.file(&pulled.image, "etc/a").unwrap(), b"one");
    }
}

#[test]
fn a_moved_tag_is_pulled_anew_and_the_old_image_stays() {
    let (bench, layers) = (Bench::new(), layers());
    let moved = |tag: &'static str| {
        let mut content = Content::default();
        make::put(&mut content, "latest", &layers[..1]);
        make::put(&mut content, "moved", &layers[..2]);
        Toy::start(content, move |seen, content| {
            let path = seen.path.replace("/latest", tag);
            Some(content.answer(&Seen { path, ..seen.clone() }))
        })
    };
    // Two toys simulate the same registry before and after a change.
    let (before, after) = (moved("/latest"), moved("/moved"));
    let paths = bench.engine.paths().clone();
    let pull = |toy: &Toy| {
        let mut settings = impatient();
        settings.mirrors = vec![format!("http://{}", toy.address).parse().unwrap()];
        let engine = Engine::open(Settings { registry: settings, ..Settings::new(paths.clone()) }).unwrap();
        runtime().block_on(engine.images().pull(
            &"web".parse().unwrap(),
            PullOptions::default(),
            bench.reporter(),
        ))
    };
    let first = pull(&before).unwrap();
    let second = pull(&after).unwrap();
    assert_eq!((second.status, first.image == second.image), (PullStatus::Downloaded, false));
    assert_eq!(bench.store().resolve("web:latest").unwrap().image, second.image);
    assert_eq!(bench.store().images().unwrap().len(), 2);
}

#[test]
fn a_name_gets_the_images_of_other_platforms_of_its_index() {
    let (bench, layers) = (Bench::new(), layers());
    let mut content = Content::default();
    let host = hoist::internals::oci::Platform::host();
    let mut entries = Vec::new();
    for (os, arch) in [(host.os.as_str(), host.arch.as_str()), ("linux", "s390x")] {
        let mut config = make::config(&layers[..1]);
        (config["os"], config["architecture"]) = (os.into(), arch.into());
        let parts: Vec<_> = layers[..1].iter().map(|layer| (layer.kind, &layer.bytes[..])).collect();
        let mut entry = content.image(arch, &config, &parts);
        entry["platform"] = json!({"os": os, "architecture": arch});
        entries.push(entry);
    }
    let kind = "application/vnd.oci.image.index.v1+json";
    content.manifest("latest", kind, &json!({"schemaVersion": 2, "mediaType": kind, "manifests": entries}));
    let toy = Toy::honest(content);
    let reference = toy.reference("web");
    let foreign = PullOptions { platform: Some("linux/s390x".parse().unwrap()) };
    let own = bench.pull(&reference).unwrap();
    let other = bench.pull_with(&reference, foreign.clone(), bench.reporter()).unwrap();
    assert_ne!(own.image, other.image);
    assert_eq!((own.digest, other.status), (other.digest, PullStatus::Downloaded));
    let again = bench.pull_with(&reference, foreign.clone(), bench.reporter()).unwrap();
    assert_eq!((again.status, &again.image), (PullStatus::UpToDate, &other.image));
    let images = runtime().block_on(bench.engine.images().list()).unwrap();
    assert!(images.iter().all(|image| image.tags == [reference.clone()]));
    assert_eq!(images.len(), 2);
    // An existing image is chosen without a request.
    let asked = toy.seen().len();
    let (word, reporter) = (reference.to_string(), Reporter::silent());
    let chosen = |platform| {
        let wanted = bench.engine.images();
        let missing = wanted.pull_if_missing(&word, PullPolicy::Missing, platform, &reporter);
        runtime().block_on(missing).unwrap()
    };
    assert_eq!((chosen(foreign.platform), chosen(None)), (other.image, own.image));
    assert_eq!(toy.seen().len(), asked);
}

#[test]
fn a_platform_that_is_asked_for_is_not_up_to_date_by_an_older_variant() {
    let (bench, layers) = (Bench::new(), layers());
    let mut content = Content::default();
    let mut entries = Vec::new();
    for variant in ["v6", "v7"] {
        let mut config = make::config(&layers[..1]);
        (config["os"], config["architecture"], config["variant"]) =
            ("linux".into(), "arm".into(), variant.into());
        let parts: Vec<_> = layers[..1].iter().map(|layer| (layer.kind, &layer.bytes[..])).collect();
        let mut entry = content.image(variant, &config, &parts);
        entry["platform"] = json!({"os": "linux", "architecture": "arm", "variant": variant});
        entries.push(entry);
    }
    let kind = "application/vnd.oci.image.index.v1+json";
    content.manifest("latest", kind, &json!({"schemaVersion": 2, "mediaType": kind, "manifests": entries}));
    let toy = Toy::honest(content);
    let reference = toy.reference("web");
    let pull = |platform: &str| {
        let options = PullOptions { platform: Some(platform.parse().unwrap()) };
        bench.pull_with(&reference, options, bench.reporter()).unwrap()
    };
    let (old, new) = (pull("linux/arm/v6"), pull("linux/arm/v7"));
    assert_eq!((new.status, old.image == new.image), (PullStatus::Downloaded, false));
    assert_eq!(
        (pull("linux/arm/v7").status, pull("linux/arm/v6").status),
        (PullStatus::UpToDate, PullStatus::UpToDate)
    );
    // The index has no better match for it.
    let best = pull("linux/arm/v8");
    assert_eq!((best.status, best.image), (PullStatus::UpToDate, new.image));
}

#[test]
fn a_cancelled_pull_leaves_a_part_that_the_next_one_goes_on_with() {
    let (bench, layers) = (Bench::with(hasty()), layers());
    let mut content = Content::default();
    make::put(&mut content, "latest", &layers[3..]);
    let half = layers[3].bytes.len() / 2;
    let is_first = |seen: &Seen| seen.path.contains("/blobs/") && seen.range().is_none();
    let blob = layers[3].digest().to_string();
    let stalls = move |seen: &Seen, content: &Content| {
        let answer = content.answer(seen);
        (is_first(seen) && seen.path.ends_with(&blob)).then(|| answer.cut(half, End::Silence))
    };
    let toy = Toy::start(content, stalls);
    let slot: Arc<Mutex<Option<Reporter>>> = Arc::default();
    let canceller = slot.clone();
    let reporter = Reporter::new(move |it| {
        if let Progress::Part { phase: Phase::Downloading, current, .. } = it
            && current > 0
        {
            canceller.lock().unwrap().as_ref().unwrap().cancel();
        }
    });
    *slot.lock().unwrap() = Some(reporter.clone());
    let error = bench.pull_with(&toy.reference("web"), PullOptions::default(), reporter).unwrap_err();
    assert_eq!((error.kind(), error.causes()), (ErrorKind::Interrupted, vec!["it was cancelled".to_owned()]));
    bench.assert_empty();
    let parts = bench.parts();
    assert_eq!(parts.len(), 1);
    // It was cancelled as soon as the second request, after the silence, received data.
    assert!(parts[0] > half as u64 && parts[0] < layers[3].bytes.len() as u64, "{parts:?}");

    let pulled = bench.pull(&toy.reference("web")).unwrap();
    assert_eq!(toy.seen().last().unwrap().range(), usize::try_from(parts[0]).ok());
    assert!(bench.file(&pulled.image, "noise").unwrap() == make::noise(7, 2_000_000));
    assert_eq!(bench.parts(), [0; 0]);
}

#[test]
fn a_pull_that_nobody_waits_for_ends() {
    let (bench, layers) = (Bench::new(), layers());
    let mut content = Content::default();
    make::put(&mut content, "latest", &layers);
    let toy = Toy::start(content, |seen, content| {
        seen.path.contains("/blobs/").then(|| content.answer(seen).cut(10, End::Silence))
    });
    let reference = toy.reference("web");
    runtime().block_on(async {
        let begun = Arc::new(tokio::sync::Notify::new());
        let told = begun.clone();
        let reporter = Reporter::new(move |_| told.notify_one());
        let images = bench.engine.images();
        let pull = images.pull(&reference, PullOptions::default(), reporter);
        tokio::select! {
            _ = pull => panic!("it cannot have ended"),
            () = begun.notified() => {}
        }
    }); // the runtime waits here for the thread
    bench.assert_empty();
}

#[test]
fn damaged_bytes_are_asked_for_once_more_and_then_refused() {
    let layers = layers();
    for (times, is_good) in [(1, true), (9, false)] {
        let bench = Bench::new();
        let mut content = Content::default();
        make::put(&mut content, "latest", &layers[3..]);
        let blob = layers[3].digest().to_string();
        let toy = Toy::start(content, move |seen, content| {
            let mut answer = content.answer(seen);
            let last = answer.body.len() - 1;
            answer.body[last] ^= 1;
            (seen.path.ends_with(&blob) && seen.nth < times).then_some(answer)
        });
        match bench.pull(&toy.reference("web")) {
            Ok(_) => assert!(is_good),
            Err(error) => {
                assert_eq!((is_good, error.kind()), (false, ErrorKind::Corrupt));
                assert!(told(&error).contains("sent the wrong data"), "{}", told(&error));
                bench.assert_empty();
                assert_eq!(bench.parts(), [0; 0], "what is damaged is not resumed");
            }
        }
        assert!(is_good || toy.count(&layers[3].digest().to_string()) == 2);
    }
}

#[test]
fn a_layer_above_the_limit_is_refused_before_it_is_asked_for() {
    let layers = layers();
    let toy = toy_with(&layers);
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(Paths::new(dir.path().join("root"), dir.path().join("run")));
    settings.registry = impatient();
    settings.limits.layer = 1_000_000;
    let engine = Engine::open(settings).unwrap();
    let bench = Bench { dir, engine, news: Arc::default() };
    let error = bench.pull(&toy.reference("web")).unwrap_err();
    assert!(told(&error).contains("is too large: the limit is 976.6KiB"), "{}", told(&error));
    assert_eq!(toy.count(&layers[3].digest().to_string()), 0);
    bench.assert_empty();
}

#[test]
fn an_image_whose_parts_do_not_fit_each_other_is_refused() {
    let layers = layers();
    let (one, other) = (&layers[0], &layers[1]);
    let lying = Layer { diff_id: other.diff_id.clone(), ..one.clone() };
    let cases: [(&str, serde_json::Value, &[Layer]); 3] = [
        ("its digest is", make::config(&[lying]), std::slice::from_ref(one)),
        ("lists 1 layers, but its manifest lists 2", make::config(&layers[..1]), &layers[..2]),
        ("malformed", json!({"rootfs": 7}), &[]),
    ];
    for (want, config, layers) in cases {
        let bench = Bench::new();
        let mut content = Content::default();
        let parts: Vec<_> = layers.iter().map(|layer| (layer.kind, &layer.bytes[..])).collect();
        content.image("latest", &config, &parts);
        let toy = Toy::honest(content);
        let error = bench.pull(&toy.reference("web")).unwrap_err();
        assert!(told(&error).contains(want), "want `{want}`: {}", told(&error));
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        bench.assert_empty();
        assert_eq!(bench.parts(), [0; 0]);
    }
}

#[test]
fn an_image_for_another_machine_is_taken_with_a_warning_unless_a_platform_is_named() {
    let bench = Bench::new();
    let mut config = make::config(&[]);
    config["architecture"] = json!("s390x");
    let mut content = Content::default();
    content.image("latest", &config, &[]);
    let toy = Toy::honest(content);
    let options = PullOptions { platform: Some("linux/riscv64".parse().unwrap()) };
    let error = bench.pull_with(&toy.reference("web"), options, bench.reporter()).unwrap_err();
    assert!(
        told(&error).ends_with("there is no image for linux/riscv64: only for linux/s390x"),
        "{}",
        told(&error)
    );
    bench.pull(&toy.reference("web")).unwrap();
    let is_told = |it: &Progress| matches!(it, Progress::Warning(what) if what.starts_with("the image is for linux/s390x"));
    assert!(bench.news.lock().unwrap().iter().any(is_told));
}

#[test]
fn two_pulls_at_once_share_the_work() {
    let (bench, layers) = (Bench::new(), layers());
    let toy = toy_with(&layers);
    let reference = toy.reference("web");
    let pulls: Vec<_> = (0..2)
        .map(|_| {
            let (engine, reference) = (Bench::engine_in(bench.dir.path(), impatient()), reference.clone());
            std::thread::spawn(move || {
                let images = engine.images();
                runtime()
                    .block_on(images.pull(&reference, PullOptions::default(), Reporter::silent()))
                    .unwrap()
            })
        })
        .collect();
    let images: Vec<_> = pulls.into_iter().map(|pull| pull.join().unwrap().image).collect();
    assert_eq!(images[0], images[1]);
    for layer in &layers {
        assert_eq!(toy.count(&layer.digest().to_string()), 1, "one of them fetched it");
    }
    assert_eq!((bench.parts(), bench.litter()), (vec![], vec![]));
}

#[test]
fn a_missing_image_is_pulled_as_the_policy_says() {
    let (bench, layers) = (Bench::new(), layers());
    let toy = toy_with(&layers[..1]);
    let word = toy.reference("web").to_string();
    let get = |word: &str, policy| {
        runtime().block_on(bench.engine.images().pull_if_missing(word, policy, None, &bench.reporter()))
    };
    let error = get(&word, PullPolicy::Never).unwrap_err();
    assert_eq!((error.kind(), error.causes()), (ErrorKind::NotFound, vec![format!("No such image: {word}")]));
    let image = get(&word, PullPolicy::Missing).unwrap();
    assert_eq!(bench.notes()[0], format!("Unable to find image '{word}' locally"));
    let asked = toy.seen().len();
    assert_eq!(get(&word, PullPolicy::Missing).unwrap(), image);
    assert_eq!(get(image.short(), PullPolicy::Missing).unwrap(), image);
    assert_eq!(toy.seen().len(), asked);
    assert_eq!(get(&word, PullPolicy::Always).unwrap(), image);
    assert_eq!(toy.seen().len(), asked + 1);
}

#[test]
fn a_real_registrys_image_is_pulled() {
    let (bench, layers) = (Bench::new(), layers());
    let peer = Peer::plain();
    peer.put("web", &layers, &["--format", "oci"]);
    let reference = peer.reference("web");
    let pulled = bench.pull(&reference).unwrap();
    assert_eq!(bench.file(&pulled.image, "etc/b").unwrap(), b"two");
    let error = bench.pull(&peer.reference("nosuch")).unwrap_err();
    let told = error.causes().join(": ");
    assert_eq!(told, format!("manifest for {0}/nosuch:latest not found on `{0}`", peer.address));
    assert_eq!(bench.pull(&reference).unwrap().status, PullStatus::UpToDate);
}

#[test]
fn a_sweep_beside_a_pull_takes_nothing_away() {
    let (bench, layers) = (Bench::new(), layers());
    let toy = toy_with(&layers);
    let (store, done) = (bench.store(), AtomicBool::new(false));
    let pulled = std::thread::scope(|scope| {
        let sweeper = scope.spawn(|| {
            let mut sweeps = 0;
            while !done.load(Ordering::Relaxed) {
                store.sweep(|| Ok::<_, image::Error>(Roots::default())).unwrap();
                sweeps += 1;
            }
            sweeps
        });
        let pulled = bench.pull(&toy.reference("web"));
        done.store(true, Ordering::Relaxed);
        assert!(sweeper.join().unwrap() > 0);
        pulled.unwrap()
    });
    assert!(bench.file(&pulled.image, "noise").unwrap() == make::noise(7, 2_000_000));
    assert_eq!(bench.pull(&toy.reference("web")).unwrap().status, PullStatus::UpToDate);
}
