//! Reads folders and files for the browser.

use crate::tui::failure::Failure;
use crate::tui::files::model::{FilesAnswer, FilesAsk, PREVIEW, lines};
use crate::tui::reader::Reader;
use crate::tui::reading::Answer;

/// Answers a request of the browser.
pub(crate) async fn read(reader: Reader, ask: FilesAsk) {
    let files = reader.engine.files();
    let answer = match ask {
        FilesAsk::Folder(place, folder) => files.list(&place, &folder).await.map(FilesAnswer::Folder),
        FilesAsk::File(place, path) => {
            let contents = files.read(&place, &path, PREVIEW).await;
            contents.map(|contents| FilesAnswer::File(lines(&contents.bytes, contents.is_cut)))
        }
    };
    reader.answer(Answer::Files(answer.map_err(Failure::from))).await;
}
