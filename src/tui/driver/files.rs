//! File operations: copying, changing, comparing, and writing back an edited file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::editor::Folder;
use crate::engine::files::{Contents, Copied, CopyRequest, Place, Stamp, shown};
use crate::engine::{Engine, Reporter, Result};
use crate::tui::failure::Failure;
use crate::tui::files::model::{FilesDone, FilesWish, is_binary, lines};

/// The maximum size of a file to show, compare or edit, in bytes.
const WHOLE: usize = 4 << 20;

/// The number of context lines around a difference.
const CONTEXT: usize = 3;

/// Performs an operation that does not need the screen.
pub(super) async fn grant(engine: &Engine, wish: &FilesWish) -> Result<FilesDone> {
    let files = engine.files();
    match wish {
        FilesWish::MakeFolder(place, folder, name) => {
            files.make_folder(place, folder, name).await?;
            Ok(FilesDone::Said(format!("created {}", shown(folder.join(name)))))
        }
        FilesWish::Rename(place, folder, name, new) => {
            files.rename(place, folder, name, new).await?;
            Ok(FilesDone::Said(format!("renamed {} to {}", shown(name), shown(new))))
        }
        FilesWish::View(place, path) => {
            let contents = files.read(place, path, WHOLE).await?;
            Ok(FilesDone::Page(shown(path), lines(&contents.bytes, contents.is_cut)))
        }
        FilesWish::Compare([(old_place, old), (new_place, new)]) => {
            let old_contents = files.read(old_place, old, WHOLE).await?;
            let new_contents = files.read(new_place, new, WHOLE).await?;
            let title = format!("{} (host, -) and {} (+)", shown(old), shown(new));
            let compared = tokio::task::spawn_blocking(move || compare(&old_contents, &new_contents)).await;
            Ok(FilesDone::Page(title, compared.unwrap_or_default()))
        }
        FilesWish::Copy(request) => {
            let there = files.list(&request.to, &request.into).await?.entries;
            let is_there = |name: &&OsString| there.iter().any(|entry| entry.name == **name);
            let there = request.names.iter().filter(is_there).cloned().collect();
            let weights = files.weigh(&request.from, &request.folder, request.names.clone()).await?;
            Ok(FilesDone::Weighed(weights, there))
        }
        FilesWish::Edit(place, path) => Ok(FilesDone::Opened(files.read(place, path, WHOLE).await?)),
        // Handled with the screen: `write_back`.
        FilesWish::Editor(..) => Ok(FilesDone::Said(String::new())),
    }
}

/// Returns the differences between two files as a unified diff.
fn compare(old: &Contents, new: &Contents) -> Vec<String> {
    if old.bytes == new.bytes && !old.is_cut && !new.is_cut {
        return vec!["the files are identical".to_owned()];
    }
    if is_binary(&old.bytes) || is_binary(&new.bytes) {
        let (old, new) = (old.bytes.len(), new.bytes.len());
        return vec![format!("the files differ and are not text: {old} and {new} bytes")];
    }
    let (old, new) = (lines(&old.bytes, old.is_cut), lines(&new.bytes, new.is_cut));
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    let diff = similar::TextDiff::configure().deadline(deadline).diff_slices(&old, &new);
    let mut out = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        out.push(hunk.header().to_string());
        out.extend(hunk.iter_changes().map(|change| format!("{}{}", change.tag(), change.value())));
    }
    if out.is_empty() {
        out.push("the files differ only in line endings".to_owned());
    }
    out
}

/// Copies files; returns a message with the amount.
pub(super) async fn copy(engine: &Engine, request: CopyRequest, reporter: Reporter) -> Result<String> {
    let (to, into) = (request.to.clone(), shown(&request.into));
    let Copied { files, folders, bytes, skipped, notes } = engine.files().copy(request, reporter).await?;
    let amount = crate::base::units::column(bytes);
    let plural = |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let folders = if folders > 0 { format!(", {}", plural(folders, "folder")) } else { String::new() };
    let whose = if to == Place::Host { "" } else { "the container's " };
    let mut text = format!("copied {}{folders}, {amount} to {whose}{into}", plural(files, "file"));
    if let Some(first) = notes.first() {
        text.push_str(&format!(" · {skipped} skipped: {}", first.trim_start_matches("skipped ")));
    }
    Ok(text)
}

/// Deletes files; returns a message with the amount.
pub(super) async fn delete(
    engine: &Engine,
    (place, folder): (&Place, &Path),
    names: Vec<OsString>,
    reporter: Reporter,
) -> Result<String> {
    let gone = engine.files().remove(place, folder, names, reporter).await?;
    Ok(match gone {
        1 => "deleted 1 file".to_owned(),
        _ => format!("deleted {gone} files and folders"),
    })
}

/// A file after it was edited.
pub(super) struct Edited {
    /// The file system that contains the file.
    pub place: Place,
    /// The path in that file system.
    pub path: PathBuf,
    /// The file's stamp when it was read.
    pub stamp: Stamp,
    /// The new contents, with the folder that holds a copy of them; `None` if nothing changed.
    pub outcome: std::result::Result<Option<(Vec<u8>, Folder)>, Failure>,
}

/// Writes an edited file back; if that fails, keeps the copy.
pub(super) async fn write_back(engine: &Engine, edited: Edited) -> std::result::Result<FilesDone, Failure> {
    let Edited { place, path, stamp, outcome } = edited;
    let Some((text, folder)) = outcome? else {
        return Ok(FilesDone::Said(format!("{} is unchanged", shown(&path))));
    };
    match engine.files().write(&place, &path, text, stamp).await {
        Ok(()) => Ok(FilesDone::Said(format!("saved {}", shown(&path)))),
        Err(error) => {
            let mut failure = Failure::from(error);
            failure.hint = Some(format!("your changes are kept in {}", shown(folder.keep())));
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_compared_as_text_where_they_are_text() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let paths = crate::base::Paths::new(dir.path().join("root"), dir.path().join("run"));
            let engine = Engine::open(crate::engine::Settings::new(paths)).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(engine.files().read(&Place::Host, &path, 100)).unwrap()
        };
        let (one, two) = (read("one", b"a\nb\nc\n"), read("two", b"a\nB\nc\n"));
        assert_eq!(compare(&one, &two), ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]);
        assert_eq!(compare(&one, &one), ["the files are identical"]);
        let zero = read("zero", b"a\0");
        assert_eq!(compare(&one, &zero), ["the files differ and are not text: 6 and 2 bytes"]);
    }
}
