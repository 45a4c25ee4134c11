//! A store for tests.

use super::{Commit, Store};
use crate::base::Paths;
use crate::base::progress::Reporter;
use crate::layer::LayerSource;
use crate::oci::{Digest, ImageId};

/// Creates a store in which `web:1` is an image of one empty layer. `fields` are those of its
/// configuration before its layers.
pub(super) fn store(
    dir: &tempfile::TempDir,
    fields: &str,
    target: Option<&Digest>,
) -> (Store, ImageId, Digest) {
    let store = Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false);
    let lease = store.lease().unwrap();
    let tar = tar::Builder::new(Vec::new()).into_inner().unwrap();
    let source = LayerSource { reader: Box::new(tar.as_slice()), diff_id: None, size: None, name: "test" };
    let layer = store.unpack(&lease, source, &Reporter::silent()).unwrap().diff_id;
    let config = format!(r#"{{{fields}"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#);
    let names = ["web:1".parse().unwrap()];
    let commit = Commit { config: config.as_bytes(), names: &names, target, ..Commit::default() };
    let image = store.commit(&lease, &commit).unwrap();
    (store, image, layer)
}
