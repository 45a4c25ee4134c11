//! Tests of the store, each with its own folders.

use super::remove::{put_back, set_aside};
use super::*;

fn paths() -> (tempfile::TempDir, Paths) {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
    (dir, paths)
}

fn record(id: &str, name: &str) -> Record {
    let old = include_str!("../../../tests/old_state/record-2.json");
    let mut record: Record = serde_json::from_str(old).unwrap();
    record.id = id.repeat(64).parse().unwrap();
    record.name = name.parse().unwrap();
    record.state.started = None;
    record
}

#[test]
fn a_container_is_found_by_id_name_and_prefix() {
    let (_dir, paths) = paths();
    for (id, name) in [("a", "web"), ("b", "aa"), ("c", "db")] {
        drop(create(&paths, &record(id, name)).unwrap());
    }
    let mut other = record("a", "other");
    other.id = format!("{}b", "a".repeat(63)).parse().unwrap();
    drop(create(&paths, &other).unwrap());
    let found = |target: &str| find(&paths, target).map(|record| record.name.as_str().to_owned());
    assert_eq!(found("web").unwrap(), "web");
    assert_eq!(found("/db").unwrap(), "db");
    assert_eq!(found("c").unwrap(), "db");
    assert_eq!(found("aa").unwrap(), "aa", "a name goes before the start of an id");
    assert_eq!(found(&"a".repeat(64)).unwrap(), "web");
    assert_eq!(
        found("aaa").unwrap_err().to_string(),
        "multiple containers start with `aaa`: aaaaaaaaaaaa, aaaaaaaaaaaa"
    );
    for missing in ["", "d", "we", "../web", "WEB"] {
        assert_eq!(found(missing).unwrap_err().to_string(), format!("No such container: {missing}"));
    }
}

#[test]
fn a_name_is_taken_once_and_a_stale_link_is_replaced() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let error = create(&paths, &record("b", "web")).unwrap_err();
    assert_eq!(error.to_string(), "the container name `web` is already in use by container `aaaaaaaaaaaa`");
    assert_eq!(ids(&paths).unwrap(), std::slice::from_ref(&web.id));
    tree::remove(&paths.container(&web.id)).unwrap();
    drop(create(&paths, &record("b", "web")).unwrap());
    assert_eq!(find(&paths, "web").unwrap().id, record("b", "web").id);
}

#[test]
fn a_name_whose_link_is_lost_or_damaged_is_found_and_given_to_nobody_else() {
    for was_started in [false, true] {
        for target in [None, Some("nowhere".to_owned()), Some("b".repeat(64)), Some("c".repeat(64))] {
            let (_dir, paths) = paths();
            let mut web = record("a", "web");
            web.state.started = was_started.then(Timestamp::now);
            drop(create(&paths, &web).unwrap());
            let mut db = record("b", "db");
            drop(create(&paths, &db).unwrap());
            let link = paths.container_name(&web.name);
            fs::remove_file(&link).unwrap();
            target.iter().for_each(|target| std::os::unix::fs::symlink(target, &link).unwrap());
            assert_eq!(find(&paths, "web").unwrap(), web, "{target:?}");
            let taken = "the container name `web` is already in use by container `aaaaaaaaaaaa`";
            let error = create(&paths, &record("d", "web")).unwrap_err();
            assert_eq!(error.to_string(), taken, "{target:?}");
            let error = rename(&paths, &mut db, web.name.clone()).unwrap_err();
            assert_eq!(error.to_string(), taken, "{target:?}");
            sweep(&paths).unwrap();
            assert!(is_confirmed(&paths, &web), "{target:?}");
            assert_eq!(fs::read_dir(paths.container_names()).unwrap().count(), 2, "{target:?}");
            drop(remove(&paths, &web).unwrap());
            drop(create(&paths, &record("d", "web")).unwrap());
        }
    }
}

#[test]
fn a_name_that_a_killed_rename_left_is_swept_and_one_that_is_being_given_is_not() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    let lock = create(&paths, &web).unwrap();
    let new: Name = "new".parse().unwrap();
    claim(&paths, &new, &web.id).unwrap();
    sweep(&paths).unwrap();
    assert!(fs::read_link(paths.container_name(&new)).is_ok(), "somebody has the lock");
    drop(lock);
    assert!(has_other_names(&paths, 1));
    sweep(&paths).unwrap();
    assert!(!has_other_names(&paths, 1) && is_confirmed(&paths, &web));
    assert!(find(&paths, "new").is_err());
}

#[test]
fn a_sweep_takes_no_container_that_is_being_made() {
    let (_dir, paths) = paths();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                sweep(&paths).unwrap();
            }
        });
        let made: Vec<_> = (0..200)
            .map(|number| {
                let mut record = record("a", &format!("web{number}"));
                record.id = format!("{number:064x}").parse().unwrap();
                record.config.lifecycle.auto_remove = true; // no fsync
                create(&paths, &record).map(drop)
            })
            .collect();
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        made.into_iter().for_each(Result::unwrap);
    });
    assert_eq!(ids(&paths).unwrap().len(), 200);
}

#[test]
fn a_rename_frees_the_old_name() {
    let (_dir, paths) = paths();
    let mut web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    drop(create(&paths, &record("b", "db")).unwrap());
    let error = rename(&paths, &mut web, "db".parse().unwrap()).unwrap_err();
    assert_eq!((error.kind(), web.name.as_str()), (ErrorKind::Conflict, "web"));
    rename(&paths, &mut web, "www".parse().unwrap()).unwrap();
    assert_eq!(find(&paths, "www").unwrap().id, web.id);
    assert!(find(&paths, "web").is_err());
    drop(create(&paths, &record("c", "web")).unwrap());
}

#[test]
fn what_a_killed_create_left_is_swept_and_what_lives_is_not() {
    let (_dir, paths) = paths();
    drop(create(&paths, &record("a", "web")).unwrap());
    disk::private_dir(&paths.container(&record("b", "xx").id)).unwrap();
    let unnamed = record("c", "lost");
    disk::private_dir(&paths.container(&unnamed.id)).unwrap();
    save(&paths, &unnamed).unwrap();
    fs::File::create(unsynced(&paths.container(&unnamed.id))).unwrap();
    let busy = record("d", "busy");
    disk::private_dir(&paths.container(&busy.id)).unwrap();
    let lock = lock(&paths, &busy.id).unwrap();
    sweep(&paths).unwrap();
    let mut left = ids(&paths).unwrap();
    left.sort();
    assert_eq!(left, [record("a", "web").id, busy.id]);
    drop(lock);
    sweep(&paths).unwrap();
    assert_eq!(ids(&paths).unwrap().len(), 1);
}

#[test]
fn a_removed_container_is_gone_at_once() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let discarded = remove(&paths, &web).unwrap();
    assert!(find(&paths, "web").is_err());
    assert!(fs::symlink_metadata(paths.container_name(&web.name)).is_err());
    assert!(discarded.exists());
    delete(&discarded).unwrap();
    assert!(!discarded.exists());
}

#[test]
fn what_was_set_aside_comes_back_where_its_name_is_free() {
    let (_dir, paths) = paths();
    let mut web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let place = paths.trash().join("entry");
    disk::private_dir(&paths.trash()).unwrap();
    set_aside(&paths, &web, &place).unwrap();
    assert!(find(&paths, "web").is_err() && place.exists());
    drop(create(&paths, &record("b", "web")).unwrap());
    let error = put_back(&paths, &load_aside(&place).unwrap(), &place).unwrap_err();
    assert_eq!(error.to_string(), "the container name `web` is already in use by container `bbbbbbbbbbbb`");
    assert!(place.exists(), "a refusal moves nothing");
    web.name = "www".parse().unwrap();
    put_back(&paths, &web, &place).unwrap();
    assert_eq!(find(&paths, "www").unwrap(), web);
    assert!(!place.exists());
    sweep(&paths).unwrap();
    assert_eq!(ids(&paths).unwrap().len(), 2, "it never ran, and is whole all the same");
}

#[test]
fn what_is_set_aside_is_gone_whatever_is_left_of_its_run() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    disk::private_dir(&paths.runs()).unwrap();
    fs::write(paths.container_run(&web.id), "in the way").unwrap();
    let discarded = remove(&paths, &web).unwrap();
    assert!(find(&paths, "web").is_err() && discarded.exists());
    drop(create(&paths, &record("b", "web")).unwrap());
}

#[test]
fn a_restore_that_was_killed_between_link_and_folder_leaves_the_folder_aside() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let place = paths.trash().join("entry");
    disk::private_dir(&paths.trash()).unwrap();
    set_aside(&paths, &web, &place).unwrap();
    claim(&paths, &web.name, &web.id).unwrap();
    sweep(&paths).unwrap();
    assert!(find(&paths, "web").is_err() && place.exists());
    put_back(&paths, &web, &place).unwrap();
    assert_eq!(find(&paths, "web").unwrap().id, web.id);
}

#[test]
fn both_files_are_read_and_what_is_unknown_is_kept() {
    let (_dir, paths) = paths();
    let record = record("a", "web");
    assert_eq!(record.unknown["later"], serde_json::json!({"kept": true}));
    disk::private_dir(&paths.container(&record.id)).unwrap();
    save(&paths, &record).unwrap();
    assert_eq!(load(&paths, &record.id).unwrap().unwrap(), record);

    let text = include_str!("../../../tests/old_state/run-2.json");
    let mut run: Run = serde_json::from_str(text).unwrap();
    assert_eq!(run.unknown["later"], serde_json::json!([1]));
    assert_eq!(status(&record, Some(&run)), Status::Paused);
    disk::private_dir(&paths.container_run(&record.id)).unwrap();
    save_run(&paths, &record.id, &run).unwrap();
    assert_eq!(load_run(&paths, &record.id).unwrap(), None, "it is of another boot");
    run.boot_id = boot_id().to_owned();
    save_run(&paths, &record.id, &run).unwrap();
    assert_eq!(load_run(&paths, &record.id).unwrap(), Some(run));
}

#[test]
fn only_what_is_wrong_with_the_file_itself_is_damage() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let path = record_file(&paths, &web.id);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap(); // EIO
    let error = load(&paths, &web.id).unwrap_err();
    assert!(matches!(error, Error::Disk(_)), "{error:?}");
    fs::File::create(unsynced(&paths.container(&web.id))).unwrap();
    sweep(&paths).unwrap();
    assert!(paths.container(&web.id).exists(), "it is no litter");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = load(&paths, &web.id).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[test]
fn a_rename_that_a_sync_ends_leaves_a_whole_container() {
    let (_dir, paths) = paths();
    let mut web = record("a", "web");
    drop(create(&paths, &web).unwrap());
    let mut rename_while_broken = |folder: &Path, name: &str| {
        let renamed = disk::cut::broken(folder, || rename(&paths, &mut web, name.parse().unwrap()));
        assert!(matches!(renamed, Err(Error::Disk(_))), "{renamed:?}");
        sweep(&paths).unwrap();
        assert_eq!(find(&paths, web.name.as_str()).unwrap().name, web.name);
        web.name.to_string()
    };
    let folder = paths.container(&"a".repeat(64).parse().unwrap());
    // The record could not be written, then it could.
    assert_eq!(rename_while_broken(&paths.container_names(), "www"), "web");
    assert_eq!(rename_while_broken(&folder, "www"), "www");
    drop(create(&paths, &record("b", "web")).unwrap()); // its old name is free
}

#[test]
fn what_was_answered_survives_a_power_cut_and_nothing_else_is_synced() {
    let (_dir, paths) = paths();
    for folder in [paths.containers(), paths.container_names(), paths.discarded(), paths.trash()] {
        disk::private_dir(&folder).unwrap();
    }
    let check = |what: &str, work: &mut dyn FnMut()| {
        let ((), found) = disk::cut::after(paths.root(), work);
        assert_eq!(found, [""; 0], "{what}");
    };
    let place = paths.trash().join("container-a");
    let mut web = record("a", "web");
    check("create", &mut || drop(create(&paths, &web).unwrap()));
    check("an end", &mut || save(&paths, &web).unwrap());
    check("rename", &mut || rename(&paths, &mut web, "www".parse().unwrap()).unwrap());
    check("rm into the trash", &mut || set_aside(&paths, &web, &place).unwrap());
    web.name = "back".parse().unwrap();
    check("a restore", &mut || put_back(&paths, &web, &place).unwrap());
    fs::remove_file(paths.container_name(&web.name)).unwrap();
    check("rm into the trash without a name", &mut || set_aside(&paths, &web, &place).unwrap());
    check("a restore", &mut || put_back(&paths, &web, &place).unwrap());
    check("rm", &mut || drop(remove(&paths, &web).unwrap()));
    check("rm of what is gone", &mut || drop(remove(&paths, &web).unwrap()));
    check("create", &mut || drop(create(&paths, &web).unwrap()));
    fs::write(record_file(&paths, &web.id), "").unwrap();
    check("rm of a damaged one", &mut || drop(remove_unreadable(&paths, &web.id).unwrap()));
    check("rm of what is gone", &mut || drop(remove_unreadable(&paths, &web.id).unwrap()));

    // With --rm nothing is guaranteed, and nothing is synced.
    web.config.lifecycle.auto_remove = true;
    let (_lock, found) = disk::cut::after(paths.root(), || create(&paths, &web).unwrap());
    let id = &web.id;
    let lost = [
        format!("lost: containers/{id}"),
        format!("lost: containers/{id}/record.json"),
        format!("cut short: containers/{id}/record.json"),
        "lost: names/containers/back".to_owned(),
    ];
    assert_eq!(found, lost);
}

#[test]
fn a_container_comes_back_from_the_trash_once_under_another_name_than_one_that_is_taken() {
    let (_dir, paths) = paths();
    let web = record("a", "web");
    let lock = create(&paths, &web).unwrap();
    let entry = trash(&paths, &web, std::time::Duration::from_secs(60)).unwrap();
    drop(lock);
    assert_eq!((entry.object.as_str(), entry.names.as_slice()), (web.id.as_str(), &["web".to_owned()][..]));
    assert!(load(&paths, &web.id).unwrap().is_none(), "it is gone");
    drop(create(&paths, &record("b", "web")).unwrap()); // its name is free
    let taken = restore(&paths, &entry.id, web.name.clone()).unwrap_err();
    assert!(matches!(taken, Error::NameInUse { .. }), "{taken}");
    let back = restore(&paths, &entry.id, "old".parse().unwrap()).unwrap().unwrap();
    assert_eq!((&back.id, back.name.as_str()), (&web.id, "old"));
    assert_eq!(find(&paths, "old").unwrap().id, web.id);
    assert!(!paths.container(&web.id).join("trash.json").exists());
    assert_eq!(restore(&paths, &entry.id, web.name.clone()).unwrap(), None);
}

#[test]
fn a_record_that_cannot_be_read_is_named_beside_the_others() {
    let (_dir, paths) = paths();
    for (id, name) in [("a", "web"), ("b", "db")] {
        drop(create(&paths, &record(id, name)).unwrap());
    }
    let file = paths.container(&record("b", "db").id).join("record.json");
    fs::write(file, "{").unwrap();
    let (whole, unreadable) = records(&paths).unwrap();
    let names: Vec<_> = whole.iter().map(|record| record.name.as_str()).collect();
    assert_eq!((names.as_slice(), unreadable.as_slice()), (&["web"][..], &["db".to_owned()][..]));
}
