//! What fields ask of this machine's files: what a path is, what a folder holds.

use std::io;
use std::path::Path;

use crate::tui::model::paths::PathFact;

/// How many names of one folder are told.
const MOST: usize = 5000;

/// What `path` is.
pub(super) fn look(path: &Path) -> PathFact {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => PathFact::Folder,
        Ok(found) => PathFact::File(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => PathFact::Missing,
        Err(error) => PathFact::Unknown(error.to_string()),
    }
}

/// The names in a folder, each with whether it is a folder. Names that are no text are left
/// out: they cannot be typed.
pub(super) fn names(folder: &Path) -> Vec<(String, bool)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        // A link to a folder is one.
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        Some((name, is_folder)).filter(|(name, _)| !name.contains(char::is_control))
    };
    let mut names: Vec<_> = entries.flatten().take(MOST).filter_map(name).collect();
    names.sort();
    names
}
