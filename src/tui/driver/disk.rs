//! Reads what input fields need to know about this machine's files: what a path refers to, and the
//! names in a folder.

use std::io;
use std::path::Path;

use crate::tui::model::paths::PathFact;

/// The maximum number of names that are returned for a folder.
const MOST: usize = 5000;

/// Returns what `path` refers to.
pub(super) fn look(path: &Path) -> PathFact {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => PathFact::Folder,
        Ok(found) => PathFact::File(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => PathFact::Missing,
        Err(error) => PathFact::Unknown(error.to_string()),
    }
}

/// Returns the names in a folder, each with whether it is a folder. Names that are not UTF-8 are
/// left out, because they cannot be typed.
pub(super) fn names(folder: &Path) -> Vec<(String, bool)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        // A link to a folder counts as a folder.
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

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_field_is_told_what_its_path_is() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), b"12345").unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        assert_eq!(look(dir.path()), PathFact::Folder);
        assert_eq!(look(&dir.path().join("file")), PathFact::File(5));
        assert_eq!(look(&dir.path().join("missing")), PathFact::Missing);
        assert!(
            matches!(look(&dir.path().join("loop")), PathFact::Unknown(why) if why.contains("symbolic link"))
        );
    }

    #[test]
    fn names_that_can_be_typed_are_told_with_the_links_to_folders() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b", "a", "line\nfeed"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        std::fs::write(dir.path().join(OsStr::from_bytes(b"\xff")), b"").unwrap();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        symlink("folder", dir.path().join("to-folder")).unwrap();
        symlink("a", dir.path().join("to-file")).unwrap();
        let expected =
            [("a", false), ("b", false), ("folder", true), ("to-file", false), ("to-folder", true)];
        assert_eq!(names(dir.path()), expected.map(|(name, is_folder)| (name.to_owned(), is_folder)));
        assert_eq!(names(&dir.path().join("a")), []);
    }
}
