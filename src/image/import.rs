//! Creates an image from a tar of a root file system.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::change;
use super::commit::Commit;
use super::error::Result;
use super::input::Input;
use super::store::Store;
use crate::base::progress::Reporter;
use crate::layer::LayerSource;
use crate::oci::{ImageId, Platform, Reference};

/// What to import.
#[derive(Debug)]
pub struct ImportRequest {
    /// The tar, uncompressed or in any format of [`super::compression`].
    pub input: Input,
    /// The image's name.
    pub name: Option<Reference>,
    /// Dockerfile instructions that change its configuration, such as `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// A comment for its history.
    pub message: Option<String>,
    /// Its platform; the host's by default.
    pub platform: Option<Platform>,
}

/// Imports an image.
///
/// # Errors
///
/// The tar or a change is malformed; then no image is created.
pub fn import(store: &Store, request: ImportRequest, reporter: &Reporter) -> Result<ImageId> {
    let mut config = Map::new();
    change::apply(&mut config, &request.changes)?; // fail before the work
    let from = match &request.input {
        Input::File(path) => path.display().to_string(),
        Input::Stream(_) => "-".to_owned(),
    };
    let (reader, size) = request.input.open()?;
    let lease = store.lease()?;
    let layer =
        store.unpack(&lease, LayerSource { reader, diff_id: None, size, name: "import" }, reporter)?;
    let now = Timestamp::now().to_string();
    let platform = request.platform.unwrap_or_else(Platform::host);
    let mut document = json!({
        "architecture": platform.arch,
        "os": platform.os,
        "created": now,
        "config": Value::Object(config),
        "rootfs": { "type": "layers", "diff_ids": [layer.diff_id] },
        "history": [{
            "created": now,
            "comment": request.message.unwrap_or_else(|| format!("Imported from {from}")),
        }],
    });
    if let Some(variant) = platform.variant {
        document["variant"] = json!(variant);
    }
    let (document, names) = (document.to_string(), request.name.as_slice());
    store.commit(&lease, &Commit { config: document.as_bytes(), names, ..Commit::default() })
}
