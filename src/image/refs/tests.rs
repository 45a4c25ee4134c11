//! Tests of names with several images, and of file format versions.

use std::fs;

use serde_json::Value;

use crate::base::Paths;
use crate::base::disk::{self, State};
use crate::image::layer::Meta;
use crate::image::record::NamedImage;
use crate::image::record::Reference;
use crate::image::{Commit, Error, Force, Kept, Parents, Record, Removed, Roots, Store};
use crate::oci::{self, Digest, ImageId, Platform};

fn store(dir: &tempfile::TempDir) -> Store {
    Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false)
}

/// Creates an image without layers for this platform, as a pull of `target` does.
fn pull(store: &Store, name: &str, platform: &str, target: Option<&Digest>) -> ImageId {
    let (name, platform): (oci::Reference, Platform) = (name.parse().unwrap(), platform.parse().unwrap());
    let (os, arch, variant) = (platform.os, platform.arch, platform.variant.unwrap_or_default());
    let build = target.map_or(0, |target| target.hex().as_bytes()[0]);
    let config = format!(
        r#"{{"os":"{os}","architecture":"{arch}","variant":"{variant}","author":"{build}","rootfs":{{"type":"layers"}}}}"#
    );
    let manifest = format!("manifest of {config}");
    let commit = Commit {
        config: config.as_bytes(),
        manifest: Some(manifest.as_bytes()),
        target,
        names: std::slice::from_ref(&name),
        parent: None,
    };
    store.commit(&store.lease().unwrap(), &commit).unwrap()
}

fn named(store: &Store, name: &str) -> Vec<String> {
    let reference = store.reference(&name.parse().unwrap()).unwrap();
    let images = reference.map(|reference| reference.images).unwrap_or_default();
    images.into_iter().map(|one| one.platform.unwrap().to_string()).collect()
}

fn resolved(store: &Store, word: &str, platform: &str) -> ImageId {
    store.resolve_for(word, &platform.parse().unwrap()).unwrap().image
}

fn remove(store: &Store, word: &str) -> Vec<Removed> {
    store.remove(word, Force::No, Parents::Prune, || Ok::<_, Error>(Vec::new())).unwrap()
}

const ARM: &str = "linux/arm64/v8";
const POWER: &str = "linux/ppc64le";

/// Creates a store in which `web:1` has two images of an index.
fn with_two(dir: &tempfile::TempDir) -> (Store, [ImageId; 2], Digest) {
    let (store, index) = (store(dir), Digest::of(b"index"));
    let images = [ARM, POWER].map(|platform| pull(&store, "web:1", platform, Some(&index)));
    (store, images, index)
}

#[test]
fn a_name_gets_an_image_a_platform_of_the_same_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], index) = with_two(&dir);
    assert_eq!(named(&store, "web:1"), [ARM, POWER]);
    assert_eq!(resolved(&store, "web:1", POWER), power);
    assert_eq!(resolved(&store, "web:1", "linux/arm64"), arm);
    assert_eq!(resolved(&store, "web:1", "linux/s390x"), arm, "the first, where none fits");
    assert_eq!(resolved(&store, &format!("web@{index}"), POWER), power);
    let manifest = store.image(&power).unwrap().manifest.unwrap();
    assert_eq!(resolved(&store, &format!("web@{manifest}"), "linux/arm64"), power);
    // Repeating it changes nothing.
    pull(&store, "web:1", ARM, Some(&index));
    assert_eq!(named(&store, "web:1"), [ARM, POWER]);
    let blobs = store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap().blobs;
    assert_eq!((blobs, store.images().unwrap().len()), (0, 2));
}

#[test]
fn another_index_has_only_what_was_pulled_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, old, _) = with_two(&dir);
    pull(&store, "web:1", POWER, Some(&Digest::of(b"newer index")));
    assert_eq!(named(&store, "web:1"), [POWER]);
    assert_eq!(store.images().unwrap().len(), 3, "the old ones are there without a name");
    assert!(!store.references().unwrap().iter().any(|name| old.iter().any(|image| name.names(image))));
    // A loaded or built image replaces the others.
    pull(&store, "web:1", ARM, None);
    assert_eq!(named(&store, "web:1"), [ARM]);
}

#[test]
fn a_tag_has_all_images_of_a_name_and_the_one_of_an_id() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, _], index) = with_two(&dir);
    let tag = |word: &str, name: &str| store.tag(&store.resolve(word).unwrap(), &name.parse().unwrap());
    tag("web:1", "web:2").unwrap();
    tag("web:1", "other:1").unwrap();
    tag(arm.hex(), "arm:1").unwrap();
    assert_eq!(named(&store, "web:2"), [ARM, POWER]);
    assert_eq!((named(&store, "other:1").len(), named(&store, "arm:1")), (2, vec![ARM.to_owned()]));
    let target = |name: &str| store.reference(&name.parse().unwrap()).unwrap().unwrap().target;
    assert_eq!((target("web:2"), target("other:1"), target("arm:1")), (Some(index), None, None));
}

#[test]
fn a_name_goes_whole_and_an_image_out_of_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], index) = with_two(&dir);
    assert_eq!(remove(&store, arm.hex()), [Removed::Deleted(arm.clone())]);
    assert_eq!(named(&store, "web:1"), [POWER]);
    assert!(matches!(store.image(&arm), Err(Error::NoImage(_))));
    pull(&store, "web:1", ARM, Some(&index));
    let gone = [
        Removed::Untagged("web:1".to_owned()),
        Removed::Untagged(format!("web@{index}")),
        Removed::Deleted(power),
        Removed::Deleted(arm),
    ];
    assert_eq!(remove(&store, "web:1"), gone);
    assert!(store.images().unwrap().is_empty() && store.references().unwrap().is_empty());
}

#[test]
fn an_image_that_another_name_has_stays_when_a_name_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], _) = with_two(&dir);
    store.tag(&store.resolve(arm.hex()).unwrap(), &"arm:1".parse().unwrap()).unwrap();
    assert_eq!(remove(&store, "web:1").last(), Some(&Removed::Deleted(power)));
    assert_eq!((store.images().unwrap().len(), named(&store, "arm:1")), (1, vec![ARM.to_owned()]));
}

#[test]
fn what_is_put_back_joins_its_index_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], index) = with_two(&dir);
    let before = store.references().unwrap();
    let aside = |word: &str| {
        let how = (Force::No, Parents::Prune);
        store.set_aside(word, "image-a", how, || Ok::<_, Error>(Vec::new()), |_, _, _| Ok(())).unwrap()
    };
    aside(power.hex());
    assert_eq!(named(&store, "web:1"), [ARM]);
    store.put_back("image-a", None).unwrap();
    assert_eq!(store.references().unwrap(), before);
    // Killed in the middle of the move.
    let trash = store.paths().trash();
    aside(power.hex());
    fs::rename(trash.join("image-a"), trash.join(".image-a")).unwrap();
    store.finish_interrupted_moves().unwrap();
    assert_eq!(store.references().unwrap(), before);
    aside("web:1");
    assert!(store.images().unwrap().is_empty());
    store.put_back("image-a", Some(&"web:9".parse().unwrap())).unwrap();
    assert_eq!((named(&store, "web:9").len(), resolved(&store, "web:9", POWER)), (2, power.clone()));
    // The name stands for another index by now.
    aside(power.hex());
    pull(&store, "web:9", ARM, Some(&Digest::of(b"newer index")));
    let error = store.put_back("image-a", None).unwrap_err();
    assert!(matches!(error, Error::NameInUse { .. }), "{error}");
    assert!(store.reference(&"web:9".parse().unwrap()).unwrap().is_some_and(|name| !name.names(&arm)));
    assert_ne!(before[0].target, None, "{index}");
}

#[test]
fn what_is_put_back_joins_also_a_name_of_no_registry() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], _) = with_two(&dir);
    store.tag(&store.resolve("web:1").unwrap(), &"other:1".parse().unwrap()).unwrap();
    assert_eq!(store.reference(&"other:1".parse().unwrap()).unwrap().unwrap().target, None);
    let aside = |word: &str| {
        let how = (Force::Yes, Parents::Prune);
        store.set_aside(word, "image-a", how, || Ok::<_, Error>(Vec::new()), |_, _, _| Ok(())).unwrap()
    };
    aside(arm.hex());
    assert_eq!(named(&store, "other:1"), [POWER]);
    store.put_back("image-a", None).unwrap();
    let all = [resolved(&store, "other:1", ARM), resolved(&store, "other:1", POWER)];
    assert_eq!(all, [arm.clone(), power]);
    // Killed in the middle of the move.
    aside(arm.hex());
    let trash = store.paths().trash();
    fs::rename(trash.join("image-a"), trash.join(".image-a")).unwrap();
    store.finish_interrupted_moves().unwrap();
    assert_eq!((named(&store, "other:1").len(), named(&store, "web:1").len()), (2, 2));
    // Another image for the same platform has the name.
    aside(arm.hex());
    pull(&store, "other:1", ARM, Some(&Digest::of(b"newer index")));
    let mut other = store.reference(&"other:1".parse().unwrap()).unwrap().unwrap();
    other.target = None;
    store.rewrite_reference(&other).unwrap();
    let error = store.put_back("image-a", None).unwrap_err();
    assert!(matches!(error, Error::NameInUse { .. }), "{error}");
}

#[test]
fn a_name_that_cannot_be_read_just_now_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, index) = with_two(&dir);
    let name: oci::Reference = "web:1".parse().unwrap();
    let path = store.paths().refs().join("docker.io+library+web:1.json");
    let commit = || {
        let config = br#"{"os":"linux","architecture":"s390x","rootfs":{"type":"layers"}}"#;
        let names = std::slice::from_ref(&name);
        let commit = Commit { config, target: Some(&index), names, ..Commit::default() };
        store.commit(&store.lease().unwrap(), &commit)
    };
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap(); // EIO
    assert!(commit().is_err() && path.is_symlink());
    fs::remove_file(&path).unwrap();
    fs::write(&path, r#"{"version":9}"#).unwrap();
    assert!(commit().is_err());
    assert_eq!(fs::read(&path).unwrap(), br#"{"version":9}"#);
    fs::write(&path, whole).unwrap();
    commit().unwrap();
    assert_eq!(named(&store, "web:1").len(), 3);
    fs::write(&path, "{").unwrap();
    commit().unwrap();
    assert_eq!(named(&store, "web:1"), ["linux/s390x"]);
}

#[test]
fn a_name_with_a_damaged_image_goes_whole() {
    for damaged in [0, 1] {
        let dir = tempfile::tempdir().unwrap();
        let (store, images, index) = with_two(&dir);
        let (spoilt, other) = (&images[damaged], &images[1 - damaged]);
        fs::write(store.record_path(spoilt), "{").unwrap();
        let gone = [
            Removed::Deleted(spoilt.clone()),
            Removed::Untagged("web:1".to_owned()),
            Removed::Untagged(format!("web@{index}")),
            Removed::Deleted(other.clone()),
        ];
        assert_eq!(remove(&store, "web:1"), gone);
        assert!(store.images().unwrap().is_empty() && store.references().unwrap().is_empty());
        assert!(store.damaged().unwrap().is_empty());
    }
}

#[test]
fn what_can_be_read_of_a_name_goes_to_the_trash() {
    for damaged in [0, 1] {
        let dir = tempfile::tempdir().unwrap();
        let (store, images, _) = with_two(&dir);
        let (spoilt, other) = (&images[damaged], &images[1 - damaged]);
        fs::write(store.record_path(spoilt), "{").unwrap();
        assert!(!store.is_damaged("web:1").unwrap() && store.is_damaged(spoilt.hex()).unwrap());
        let (how, users) = ((Force::No, Parents::Prune), || Ok::<_, Error>(Vec::new()));
        let gone = store.set_aside("web:1", "image-a", how, users, |_, _, _| Ok(())).unwrap();
        assert_eq!((gone.len(), store.references().unwrap().len()), (4, 0));
        assert!(store.images().unwrap().is_empty() && store.damaged().unwrap().is_empty());
        let back = store.put_back("image-a", None).unwrap();
        assert_eq!((&back.image, named(&store, "web:1").len()), (other, 1));
        assert!(store.damaged().unwrap().is_empty());
    }
}

#[test]
fn by_its_manifest_one_image_goes_whatever_is_damaged_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], _) = with_two(&dir);
    let manifest = store.image(&power).unwrap().manifest.unwrap();
    fs::write(store.record_path(&arm), "{").unwrap();
    assert_eq!(remove(&store, &format!("web@{manifest}")), [Removed::Deleted(power)]);
    assert_eq!((named(&store, "web:1"), store.damaged().unwrap().len()), (vec![ARM.to_owned()], 1));
}

#[test]
fn a_tag_keeps_an_image_whose_record_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], _) = with_two(&dir);
    fs::write(store.record_path(&power), "{").unwrap();
    let tag = || store.tag(&store.resolve("web:1").unwrap(), &"web:2".parse().unwrap());
    tag().unwrap();
    assert_eq!(named(&store, "web:2"), [ARM, POWER]);
    assert_eq!(fs::read(store.record_path(&power)).unwrap(), b"{");
    assert!(store.image(&arm).unwrap().tagged.is_some());
    fs::write(store.record_path(&arm), "{").unwrap();
    assert!(matches!(tag(), Err(Error::DamagedImage { .. })));
}

#[test]
fn all_images_that_go_to_the_trash_count() {
    let dir = tempfile::tempdir().unwrap();
    let (store, images, _) = with_two(&dir);
    for (image, size) in images.iter().zip([5, 7]) {
        let record = Record { size, ..store.image(image).unwrap() };
        disk::write_state(&store.record_path(image), &record).unwrap();
    }
    let aside = |word: &str| {
        let (how, mut counted) = ((Force::No, Parents::Prune), 0);
        let count = |_: &Kept, size, _: &std::path::Path| {
            counted = size;
            Ok(())
        };
        store.set_aside(word, "image-a", how, || Ok::<_, Error>(Vec::new()), count).unwrap();
        store.put_back("image-a", None).unwrap();
        counted
    };
    assert_eq!(aside("web:1"), 12);
    store.tag(&store.resolve(images[0].hex()).unwrap(), &"arm:1".parse().unwrap()).unwrap();
    assert_eq!((aside("web:1"), aside("arm:1")), (7, 0), "a name alone takes nothing");
}

#[test]
fn an_image_without_its_record_is_taken_out_of_its_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, [arm, power], _) = with_two(&dir);
    fs::write(store.record_path(&power), "{").unwrap();
    assert_eq!(resolved(&store, "web:1", "linux/arm64"), arm);
    assert_eq!(remove(&store, power.hex()), [Removed::Deleted(power.clone())]);
    assert_eq!((named(&store, "web:1"), store.damaged().unwrap().len()), (vec![ARM.to_owned()], 0));
}

#[test]
fn a_name_of_version_1_joins_the_index_that_it_was_pulled_from() {
    let dir = tempfile::tempdir().unwrap();
    let (store, index) = (store(&dir), Digest::of(b"index"));
    let arm = pull(&store, "web:1", ARM, Some(&index));
    let path = store.paths().refs().join("docker.io+library+web:1.json");
    let old =
        format!(r#"{{"version":1,"name":"docker.io/library/web:1","image":"{arm}","target":"{index}"}}"#);
    fs::write(&path, old).unwrap();
    assert_eq!(resolved(&store, "web:1", POWER), arm);
    pull(&store, "web:1", POWER, Some(&index));
    assert_eq!(named(&store, "web:1"), [ARM, POWER]);
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written["version"], 2);
}

/// Adds an unknown field to every object.
fn with_more(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(with_more),
        Value::Object(fields) => {
            fields.values_mut().for_each(with_more);
            fields.insert("newer".to_owned(), serde_json::json!({ "kept": [1] }));
        }
        _ => {}
    }
}

fn has_all_of(written: &Value, of: &Value) -> bool {
    match (written, of) {
        (Value::Object(written), Value::Object(of)) => of
            .iter()
            .all(|(key, of)| of.is_null() || written.get(key).is_some_and(|value| has_all_of(value, of))),
        (Value::Array(written), Value::Array(of)) => {
            written.len() == of.len() && written.iter().zip(of).all(|(written, of)| has_all_of(written, of))
        }
        (written, of) => written == of,
    }
}

fn rewritten<T: State>(text: &str) -> (Value, Value) {
    let mut more: Value = serde_json::from_str(text).unwrap();
    with_more(&mut more);
    let read: T = serde_json::from_value(more.clone()).unwrap();
    (serde_json::to_value(&read).unwrap(), more)
}

#[test]
fn what_a_newer_hoist_put_into_any_object_survives_a_rewrite() {
    let files = [
        rewritten::<Record>(include_str!("../../../tests/old_state/image-1.json")),
        rewritten::<Reference>(include_str!("../../../tests/old_state/reference-2.json")),
        rewritten::<Meta>(include_str!("../../../tests/old_state/layer-1.json")),
    ];
    for (written, more) in files {
        assert!(has_all_of(&written, &more), "{written:#}\n{more:#}");
    }
}

#[test]
fn the_oldest_files_are_read() {
    let old: Reference =
        serde_json::from_str(include_str!("../../../tests/old_state/reference-1.json")).unwrap();
    let image: Record = serde_json::from_str(include_str!("../../../tests/old_state/image-1.json")).unwrap();
    assert_eq!((old.version, old.images.as_slice()), (2, [NamedImage::from(image.id.clone())].as_slice()));
    let written = serde_json::to_value(&old).unwrap();
    assert_eq!((&written["later"][0], written.get("image")), (&Value::from("kept"), None));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.json");
    fs::write(&path, include_str!("../../../tests/old_state/trash-image-1.json")).unwrap();
    let kept: Kept = disk::read_state(&path).unwrap();
    assert_eq!((kept.version, kept.references[0].version), (2, 2));
    assert_eq!(
        (kept.references[0].images[0].image.clone(), kept.records[0].id.clone()),
        (image.id.clone(), image.id)
    );
    assert_eq!(serde_json::to_value(&kept).unwrap()["later"][0], "kept");
}
