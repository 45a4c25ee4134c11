//! Detects changes to files that something was derived from. A client lives as long as its engine,
//! and meanwhile the user may log in, add a certificate or change networks.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The state of files at one moment. Two stamps are equal if no file was changed, added or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(PathBuf, Option<Version>)>);

/// Inode, size, and time of change.
type Version = (u64, u64, i64, i64);

impl Stamp {
    /// Records the current state of `paths`, and of the files in those that are folders.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut files = Vec::new();
        for path in paths {
            let inside = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
            files.extend(inside.chain([path]).map(|path| {
                let version =
                    fs::metadata(&path).map(|now| (now.ino(), now.size(), now.ctime(), now.ctime_nsec()));
                (path, version.ok())
            }));
        }
        files.sort();
        Self(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_changes_with_files_and_with_what_is_in_folders() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join("file"), dir.path().join("folder"));
        let now = || Stamp::of([file.clone(), folder.clone()]);
        let mut seen = vec![now()];
        assert_eq!(now(), seen[0]);
        let mut has_changed = |what: &str| {
            let stamp = now();
            assert!(!seen.contains(&stamp), "{what}");
            assert_eq!(now(), stamp);
            seen.push(stamp);
        };
        fs::write(&file, "a").unwrap();
        has_changed("a file that is made");
        fs::create_dir(&folder).unwrap();
        has_changed("a folder that is made");
        fs::write(folder.join("ca.crt"), "a").unwrap();
        has_changed("a file in it");
        fs::write(folder.join("ca.crt"), "ab").unwrap();
        has_changed("the same, written again");
        fs::remove_file(&file).unwrap();
        has_changed("a file that is removed");
    }
}
