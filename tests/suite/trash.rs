//! The trash on a real kernel: removed objects are restored unchanged, whatever happened in the
//! meantime. Needs root, or root in a user namespace (`unshare -Urmn`).

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::case::{Case, IMAGE, until};
use crate::support::HOIST;
use hoist::engine::{
    Engine, ErrorKind, EventFilter, Force, ImageRemoval, Parents, Removal, Restored, Running, Settings,
    Space, Status, TrashDetail, TrashEntry,
};
use hoist::internals::base::Paths;

/// Opens another engine on the same folders that keeps removed objects for this long.
fn engine(case: &Case, keep: Duration, space: fn(&Path) -> Option<Space>) -> Engine {
    let paths = case.engine.paths().clone();
    Engine::open(Settings { program: HOIST.into(), keep, space, ..Settings::new(paths) }).unwrap()
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn day(case: &Case) -> Engine {
    engine(case, DAY, |_| None)
}

fn trash(case: &Case, engine: &Engine, id: &str) -> TrashEntry {
    case.wait_for(engine.containers().remove(id, Removal::to_trash(Running::Refuse))).unwrap().entry.unwrap()
}

fn entries(case: &Case, engine: &Engine) -> Vec<TrashEntry> {
    case.wait_for(engine.trash().list()).unwrap()
}

/// Makes an entry an hour older.
fn age(engine: &Engine, entry: &TrashEntry) {
    let record = engine.paths().trash().join(&entry.id).join("trash.json");
    let mut told: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    let removed = entry.removed - jiff::SignedDuration::from_hours(1);
    told["removed"] = removed.to_string().into();
    std::fs::write(&record, told.to_string()).unwrap();
}

fn names(case: &Case, engine: &Engine) -> Vec<String> {
    let list = case.wait_for(engine.containers().list()).unwrap();
    list.into_iter().map(|container| container.name.as_str().to_owned()).collect()
}

/// Returns all files of a folder with their content, mode and owner.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u32, u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt as _;
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(&inner).unwrap().flatten() {
            let meta = entry.path().symlink_metadata().unwrap();
            let bytes = match () {
                () if meta.is_file() => std::fs::read(entry.path()).unwrap(),
                () if meta.is_symlink() => {
                    std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
                }
                () => Vec::new(),
            };
            let path = entry.path().strip_prefix(folder).unwrap().to_owned();
            found.insert(path, (meta.mode(), meta.uid(), bytes));
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn a_removed_container_is_gone_its_name_is_free_and_it_comes_back_byte_for_byte() {
    let case = Case::new();
    let engine = day(&case);
    let id = case
        .create(&["sh", "-c", "echo said; mkdir -p /data; echo kept > /data/file; rm /etc/group"], |_| {});
    case.start_again(&id);
    assert_eq!(case.wait_for(engine.containers().wait(&id, Default::default())).unwrap().code, 0);
    let before = case.container(&id);
    let folder = engine.paths().container(&before.id);
    let whole = files(&folder);
    assert!(whole.keys().any(|path| path.ends_with("data/file")), "{:?}", whole.keys());

    let entry = trash(&case, &engine, &id);
    assert_eq!((entry.name.as_str(), entry.object.as_str()), (before.name.as_str(), id.as_str()));
    assert!(names(&case, &engine).is_empty() && !folder.exists());
    let error = case.wait_for(engine.containers().get(&entry.name)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(entries(&case, &engine), std::slice::from_ref(&entry));
    let measured = case.wait_for(engine.trash().measure()).unwrap();
    assert!(measured[0].size.is_some_and(|bytes| bytes > 0), "{measured:?}");
    match case.wait_for(engine.trash().inspect(&entry.id)).unwrap() {
        TrashDetail::Container(held) => {
            assert_eq!((&held.id, &held.asked, &held.state), (&before.id, &before.asked, &before.state))
        }
        other => panic!("{other:?}"),
    }

    let back = case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    assert_eq!((back.object, back.names), (id.clone(), vec![entry.name]));
    assert_eq!(case.container(&id), before);
    assert_eq!(files(&folder), whole);
    assert!(entries(&case, &engine).is_empty());
    case.start_again(&id);
}

#[test]
fn a_taken_name_is_refused_with_its_owner_and_another_one_will_do() {
    let case = Case::new();
    let engine = day(&case);
    let id = case.create(&["true"], |_| {});
    let entry = trash(&case, &engine, &id);
    let other = case.create(&["true"], |_| {});
    drop(case.wait_for(engine.containers().rename(&other, entry.name.parse().unwrap())).unwrap());
    let error = case.wait_for(engine.trash().restore(&entry.id, None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), format!("cannot restore `{}`", entry.name));
    let why =
        format!("the container name `{}` is already in use by container `{}`", entry.name, &other[..12]);
    assert_eq!(error.causes(), [why]);
    assert_eq!(entries(&case, &engine).len(), 1, "a refusal moves nothing");
    let error = case.wait_for(engine.trash().restore(&entry.id, Some("no/name"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    case.wait_for(engine.trash().restore(&entry.id, Some("again"))).unwrap();
    assert_eq!(case.container("again").id.as_str(), id);
    let error = case.wait_for(engine.trash().restore(&entry.id, None)).unwrap_err();
    assert_eq!(error.causes(), [format!("No such trash entry: {}", entry.id)]);
}

#[test]
fn what_runs_is_stopped_or_killed_or_refused_and_rm_containers_go_for_good() {
    let case = Case::new();
    let engine = day(&case);
    let script = "trap 'exit 3' TERM; touch /up; while :; do sleep 0.01; done";
    let id = case.start(&["sh", "-c", script], |_| {});
    let up = engine.paths().container(&id.parse().unwrap()).join("upper/up");
    until("it minds the signal", || up.exists());
    let error =
        case.wait_for(engine.containers().remove(&id, Removal::to_trash(Running::Refuse))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let entry = case
        .wait_for(engine.containers().remove(&id, Removal::to_trash(Running::Stop)))
        .unwrap()
        .entry
        .unwrap();
    case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    assert_eq!((case.container(&id).status, case.container(&id).state.exit_code), (Status::Exited, 3));
    case.start_again(&id);
    let entry = case
        .wait_for(engine.containers().remove(&id, Removal::to_trash(Running::Kill)))
        .unwrap()
        .entry
        .unwrap();
    case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    assert_eq!(case.container(&id).state.exit_code, 137);
    assert!(case.cgroups().is_empty());

    let id = case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true);
    assert_eq!(
        case.wait_for(engine.containers().remove(&id, Removal::to_trash(Running::Kill))).unwrap().entry,
        None
    );
    assert!(entries(&case, &engine).is_empty());
}

#[test]
fn without_a_trash_a_removal_is_final() {
    let case = Case::new();
    let engine = engine(&case, Duration::ZERO, |_| None);
    assert_eq!(engine.keeps(), None);
    let id = case.create(&["true"], |_| {});
    assert_eq!(
        case.wait_for(engine.containers().remove(&id, Removal::to_trash(Running::Refuse))).unwrap().entry,
        None
    );
    let gone = case
        .wait_for(engine.images().remove(IMAGE, ImageRemoval::to_trash(Force::No, Parents::Prune)))
        .unwrap();
    assert_eq!(gone.entry, None);
    assert!(entries(&case, &engine).is_empty() && names(&case, &engine).is_empty());
    assert!(case.wait_for(engine.images().list()).unwrap().is_empty());
}

#[test]
fn an_image_in_the_trash_keeps_its_layers_until_it_is_purged() {
    let case = Case::new();
    let engine = day(&case);
    let before = case.wait_for(engine.images().list()).unwrap();
    let layers = || std::fs::read_dir(engine.paths().layers().join("by-diff")).unwrap().count();
    let gone = case
        .wait_for(engine.images().remove(IMAGE, ImageRemoval::to_trash(Force::No, Parents::Prune)))
        .unwrap();
    let entry = gone.entry.unwrap();
    assert_eq!((entry.name.as_str(), gone.removed.len()), ("busybox:latest", 2));
    assert!(case.wait_for(engine.images().list()).unwrap().is_empty());
    assert!(case.wait_for(engine.images().sweep()).unwrap().layers.is_empty());
    assert_eq!(layers(), 1);
    case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    assert_eq!(case.wait_for(engine.images().list()).unwrap(), before);
    assert_eq!(case.run(&["echo", "whole"], |_| {}).stdout, "whole\n");

    let used = case.wait_for(engine.containers().list()).unwrap();
    let kept = trash(&case, &engine, used[0].id.as_str());
    let gone = case
        .wait_for(engine.images().remove(IMAGE, ImageRemoval::to_trash(Force::No, Parents::Prune)))
        .unwrap();
    drop(case.wait_for(engine.trash().purge(&gone.entry.unwrap().id)).unwrap());
    assert_eq!(layers(), 1, "a container in the trash needs it");
    case.wait_for(engine.trash().restore(&kept.id, None)).unwrap();
    case.start_again(&kept.object);
    case.wait_for(engine.containers().wait(&kept.object, Default::default())).unwrap();
    let kept = trash(&case, &engine, &kept.object);
    drop(case.wait_for(engine.trash().purge(&kept.id)).unwrap());
    assert_eq!(layers(), 0);
    assert!(std::fs::read_dir(engine.paths().trash()).unwrap().next().is_none());
}

/// A mount point, which cannot be deleted while this value exists.
struct Held(PathBuf);

impl Held {
    fn new(folder: PathBuf) -> Self {
        std::fs::create_dir(&folder).unwrap();
        assert!(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&folder).status().unwrap().success());
        Self(folder)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

#[test]
fn one_that_cannot_be_deleted_keeps_no_other() {
    let case = Case::new();
    let engine = day(&case);
    let trash_folder = engine.paths().trash();
    let [stuck, other] = [(); 2].map(|()| trash(&case, &engine, &case.create(&["true"], |_| {})));
    let gone = |name: &str| trash_folder.join(format!(".gone-{name}"));
    let mut held = Held::new(trash_folder.join(&stuck.id).join("held"));
    held.0 = gone(&stuck.id).join("held");
    let error = case.wait_for(engine.trash().empty()).unwrap_err();
    assert_eq!(error.to_string(), "cannot empty the trash");
    assert!(error.causes().concat().contains("busy"), "{:?}", error.causes());
    assert!(entries(&case, &engine).is_empty());
    assert_eq!((gone(&stuck.id).exists(), gone(&other.id).exists()), (true, false));
    // Nor does it block objects that become due later.
    std::fs::create_dir(gone("later")).unwrap();
    case.wait_for(engine.trash().empty_due()).unwrap_err();
    assert_eq!((gone(&stuck.id).exists(), gone("later").exists()), (true, false));
    drop(held);
    case.wait_for(engine.trash().empty_due()).unwrap();
    assert_eq!(std::fs::read_dir(&trash_folder).unwrap().count(), 0);
}

#[test]
fn a_name_of_an_image_comes_back_alone() {
    let case = Case::new();
    let engine = day(&case);
    drop(case.wait_for(engine.images().tag(IMAGE, "other:1".parse().unwrap())).unwrap());
    let gone = case
        .wait_for(engine.images().remove("other:1", ImageRemoval::to_trash(Force::No, Parents::Prune)))
        .unwrap();
    let entry = gone.entry.unwrap();
    assert_eq!((entry.names.as_slice(), entry.size), (["other:1".to_owned()].as_slice(), Some(0)));
    let image = case.wait_for(engine.images().get(IMAGE)).unwrap();
    assert_eq!(image.tags.len(), 1);
    case.wait_for(engine.trash().restore(&entry.id, Some("third:2"))).unwrap();
    let image = case.wait_for(engine.images().get("third:2")).unwrap();
    assert_eq!(image.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["busybox:latest", "third:2"]);
}

#[test]
fn what_has_expired_goes_with_the_next_call() {
    let case = Case::new();
    let short = engine(&case, Duration::from_millis(50), |_| None);
    let id = case.create(&["true"], |_| {});
    let until_then = trash(&case, &short, &id).until;
    let long = trash(&case, &day(&case), &case.create(&["true"], |_| {}));
    let trash = case.engine.paths().trash();
    let count = || std::fs::read_dir(&trash).unwrap().count();
    until("it has expired", || jiff::Timestamp::now() >= until_then);
    let next = day(&case);
    case.wait_for(next.containers().list()).unwrap();
    until("a helper has emptied it", || count() == 1);
    assert_eq!(entries(&case, &next), [long]);
    until("the helper has ended", || case.processes().is_empty());
}

#[test]
fn on_a_full_disk_the_oldest_goes_first() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static FREE: AtomicU64 = AtomicU64::new(100);
    let case = Case::new();
    let space = |_: &Path| Some(Space { free: FREE.load(Ordering::Relaxed), total: 100 });
    let engine = engine(&case, DAY, space);
    let ids: Vec<_> = (0..3).map(|_| case.create(&["true"], |_| {})).collect();
    let kept: Vec<_> = ids.iter().map(|id| trash(&case, &engine, id)).collect();
    case.wait_for(engine.trash().empty_due()).unwrap();
    assert_eq!(entries(&case, &engine).len(), 3);
    assert_eq!(engine.trash().space().map(Space::is_short), Some(false));
    FREE.store(0, Ordering::Relaxed);
    case.wait_for(engine.trash().empty_due()).unwrap();
    assert_eq!(entries(&case, &engine).len(), 3, "they were just removed");
    FREE.store(100, Ordering::Relaxed);
    kept.iter().for_each(|entry| age(&engine, entry));
    // Too little space until the first object is deleted.
    let first = engine.paths().trash().join(&kept[0].id);
    static FIRST: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FIRST.set(first).unwrap();
    let space =
        |_: &Path| Some(Space { free: if FIRST.get().unwrap().exists() { 9 } else { 10 }, total: 100 });
    let tight = self::engine(&case, DAY, space);
    case.wait_for(tight.trash().empty_due()).unwrap();
    let left: Vec<_> = entries(&case, &engine).into_iter().map(|entry| entry.object).collect();
    assert_eq!(left, [ids[2].clone(), ids[1].clone()]);
    FREE.store(0, Ordering::Relaxed);
    case.wait_for(engine.trash().empty_due()).unwrap();
    assert!(entries(&case, &engine).is_empty());
}

#[test]
fn of_two_engines_at_once_one_removes_and_one_restores() {
    let case = Case::new();
    let engines = [day(&case), day(&case)];
    let id = case.create(&["true"], |_| {});
    for round in 0..20 {
        let gone = case.wait_for(async {
            let [a, b] = engines.each_ref().map(Engine::containers);
            tokio::join!(
                a.remove(&id, Removal::to_trash(Running::Refuse)),
                b.remove(&id, Removal::to_trash(Running::Refuse))
            )
        });
        let gone: Vec<TrashEntry> = [gone.0, gone.1].into_iter().filter_map(|one| one.ok()?.entry).collect();
        assert_eq!(gone.len(), 1, "round {round}");
        let back = case.wait_for(async {
            let [a, b] = engines.each_ref().map(Engine::trash);
            tokio::join!(a.restore(&gone[0].id, None), b.restore(&gone[0].id, None))
        });
        let back: Vec<Restored> = [back.0, back.1].into_iter().filter_map(Result::ok).collect();
        assert_eq!(back.len(), 1, "round {round}");
        assert_eq!(names(&case, &engines[0]).len(), 1);
    }
}

#[test]
fn who_follows_the_events_hears_of_it() {
    let case = Case::new();
    let engine = day(&case);
    let id = case.create(&["true"], |_| {});
    let entry = trash(&case, &engine, &id);
    case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    let entry = trash(&case, &engine, &id);
    let image = case
        .wait_for(engine.images().remove(IMAGE, ImageRemoval::to_trash(Force::No, Parents::Prune)))
        .unwrap()
        .entry
        .unwrap();
    case.wait_for(engine.trash().restore(&image.id, None)).unwrap();
    assert_eq!(case.wait_for(engine.trash().empty()).unwrap().count, 1);
    let events = case.wait_for(engine.past_events(EventFilter::default())).unwrap();
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let of = event.actor.attributes.get("trash")?;
            assert!([&entry.id, &image.id].contains(&of) || event.actor.id == id);
            Some(format!("{} {}", event.kind.as_str(), event.action))
        })
        .collect();
    assert_eq!(
        told,
        [
            "container destroy",
            "container create",
            "container destroy",
            "image untag",
            "image delete",
            "image tag",
            "container purge"
        ]
    );
}

/// The child process of the next test: removes and restores until it is killed.
#[test]
#[ignore = "another test runs it"]
#[expect(clippy::disallowed_methods, reason = "a test's child is told so")]
fn removes_and_restores_for_ever() {
    let root = std::env::var_os("HOIST_TEST_TRASH").unwrap();
    let root = Path::new(&root);
    let paths = Paths::new(root.join("root"), root.join("run"));
    let engine = Engine::open(Settings { space: |_| None, ..Settings::new(paths) }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Standard output contains the messages of the test program.
    std::io::stderr().write_all(b"\n").unwrap();
    runtime.block_on(async {
        loop {
            for container in engine.containers().list().await.unwrap() {
                let _ =
                    engine.containers().remove(container.id.as_str(), Removal::to_trash(Running::Kill)).await;
            }
            for image in engine.images().list().await.unwrap() {
                let _ = engine
                    .images()
                    .remove(&image.id.to_string(), ImageRemoval::to_trash(Force::Yes, Parents::Prune))
                    .await;
            }
            for entry in engine.trash().list().await.unwrap() {
                let _ = engine.trash().restore(&entry.id, None).await;
            }
        }
    });
}

#[test]
fn killed_at_any_moment_everything_is_in_one_place() {
    let case = Case::new();
    let engine = day(&case);
    drop(case.wait_for(engine.images().tag(IMAGE, "other:1".parse().unwrap())).unwrap());
    let ids = [case.create(&["true"], |_| {}), case.create(&["true"], |_| {})];
    case.run(&["true"], |_| {});
    let image = case.wait_for(engine.images().get(IMAGE)).unwrap();
    let mut rounds_with_entries = 0;
    for round in 0..60_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "trash::removes_and_restores_for_ever", "--ignored"])
            .env("HOIST_TEST_TRASH", case.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stderr.take().unwrap().read_exact(&mut [0]).expect("it begins");
        let random = u64::from_le_bytes(hoist::internals::base::id::random_bytes::<8>().unwrap());
        std::thread::sleep(Duration::from_micros(random % 40_000));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL), "it goes on until it is killed");
        let list = case.wait_for(engine.containers().list()).unwrap();
        let images = case.wait_for(engine.images().list()).unwrap();
        let held = entries(&case, &engine);
        rounds_with_entries += u32::from(!held.is_empty());
        for id in &ids {
            let places = list.iter().filter(|it| it.id.as_str() == id).count()
                + held.iter().filter(|it| it.object == *id).count();
            assert_eq!(places, 1, "round {round}: {held:?}");
        }
        let whole = images.iter().filter(|it| **it == image).count();
        let away = held.iter().filter(|it| it.object == image.id.to_string() && it.names.len() == 2).count();
        assert_eq!((images.len(), whole + away), (whole, 1), "round {round}: {images:?} {held:?}");
    }
    assert!(rounds_with_entries > 0, "nothing was ever removed");
    for entry in entries(&case, &engine) {
        case.wait_for(engine.trash().restore(&entry.id, None)).unwrap();
    }
    assert_eq!(case.run(&["echo", "alive"], |_| {}).stdout, "alive\n");
    for id in &ids {
        case.start_again(id);
    }
}
