//! Tests that a power cut after any image operation loses nothing.

use std::fs;
use std::path::Path;

use super::*;
use crate::base::Paths;
use crate::base::disk::{self, cut};
use crate::oci::{ImageId, Reference};

fn commit(store: &Store, text: &str, names: &[&str]) -> ImageId {
    let names: Vec<Reference> = names.iter().map(|name| name.parse().unwrap()).collect();
    let config = format!(r#"{{"rootfs":{{"type":"layers"}},"config":{{"Labels":{{"a":"{text}"}}}}}}"#);
    let commit = Commit { config: config.as_bytes(), names: &names, ..Commit::default() };
    store.commit(&store.lease().unwrap(), &commit).unwrap()
}

fn remove(store: &Store, word: &str) {
    store.remove(word, Force::Yes, Parents::Prune, || Ok::<_, Error>(Vec::new())).unwrap();
}

fn set_aside(store: &Store, word: &str) {
    let note =
        |kept: &Kept, _, folder: &Path| Ok(disk::write_state_synced(&folder.join("trash.json"), kept)?);
    let how = (Force::Yes, Parents::Prune);
    store.set_aside(word, "image-a", how, || Ok::<_, Error>(Vec::new()), note).unwrap();
}

#[test]
fn what_was_answered_survives_a_power_cut_and_nothing_else_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
    let store = Store::new(paths.clone(), false);
    for folder in [paths.images(), paths.refs(), paths.trash(), paths.discarded()] {
        disk::private_dir(&folder).unwrap();
    }
    let check = |what: &str, work: &mut dyn FnMut()| {
        let ((), found) = cut::after(paths.root(), work);
        assert_eq!(found, [""; 0], "{what}");
    };
    let tag = |id: &ImageId, name: &str| {
        store.tag(&store.resolve(id.hex()).unwrap(), &name.parse().unwrap()).unwrap();
    };
    let put_back = |name: Option<&str>| {
        store.put_back("image-a", name.map(|name| name.parse().unwrap()).as_ref()).unwrap();
    };
    let mut id = commit(&store, "first", &["first"]);
    check("an image without a name", &mut || id = commit(&store, "a", &[]));
    check("the same again", &mut || id = commit(&store, "a", &[]));
    check("rmi of an image without a name", &mut || remove(&store, id.short()));
    check("an image with a name", &mut || id = commit(&store, "b", &["web:1"]));
    check("tag", &mut || tag(&id, "web:2"));
    check("tag again", &mut || tag(&id, "web:2"));
    check("rmi of one name of two", &mut || remove(&store, "web:2"));
    check("rmi of the last name", &mut || remove(&store, "web:1"));

    id = commit(&store, "c", &["web:1", "web:2"]);
    check("rmi of a name into the trash", &mut || set_aside(&store, "web:2"));
    check("a restore of a name", &mut || put_back(None));
    check("rmi of all names into the trash", &mut || set_aside(&store, id.short()));
    check("a restore under one name", &mut || put_back(Some("old:1")));
    check("rmi of the last name into the trash", &mut || set_aside(&store, "old:1"));
    check("a restore", &mut || put_back(None));
    remove(&store, id.short());
    id = commit(&store, "d", &[]);
    check("rmi of an image without a name into the trash", &mut || set_aside(&store, id.short()));
    check("a restore of an image without a name", &mut || put_back(None));

    for names in [&[][..], &["web:1", "web:2"]] {
        id = commit(&store, "e", names);
        fs::write(store.record_path(&id), "").unwrap();
        check("rmi of a damaged image", &mut || remove(&store, id.hex()));
    }
    tag(&commit(&store, "f", &[]), "registry.test/a:1");
    fs::write(paths.refs().join("registry.test+a:1.json"), "").unwrap();
    check("rmi of a damaged name", &mut || remove(&store, "registry.test/a:1"));
}
