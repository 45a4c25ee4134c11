//! Reads the volumes.

use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;

/// Sends an empty list, since the engine has no volumes of its own.
pub(crate) async fn read(reader: ListReader) {
    reader.answer(Ok((Listed::Volumes(Vec::new()), Vec::new()))).await;
}
