//! Compares two images.

use crate::tui::reader::Reader;
use crate::tui::reading::{Answer, LayersNews};

/// Compares two images, and stops when the result is no longer wanted.
pub(crate) async fn read(reader: Reader, [before, after]: [String; 2]) {
    let (reporter, _guard) = reader.reporter(|line| Answer::Compare(LayersNews::Progress(line)));
    let diff = reader.engine.images().compare(&before, &after, reporter).await;
    reader.answer(Answer::Compare(diff.into())).await;
}
