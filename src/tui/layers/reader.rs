//! Reads the layers of an image.

use crate::tui::reader::Reader;
use crate::tui::reading::{Answer, LayersNews};

/// Reads an image's layers, and stops when they are no longer wanted.
pub(crate) async fn read(reader: Reader, image: String) {
    let (reporter, _guard) = reader.reporter(|line| Answer::Layers(LayersNews::Progress(line)));
    let report = reader.engine.images().layers(&image, reporter).await;
    reader.answer(Answer::Layers(report.into())).await;
}
