//! Files that are in the way, and are renamed rather than lost.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::{Error, Result};

/// How many files are set aside beside each other.
const MOST: usize = 10;

/// Renames whatever is at `path` to `<path>.bad`, `<path>.bad.1`, …, whichever is free; returns the
/// new path. Nothing is replaced.
///
/// # Errors
///
/// If all ten names are taken; errors of rename(2).
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    for number in 0..MOST {
        let mut name = OsString::from(path);
        name.push(".bad");
        if number > 0 {
            name.push(format!(".{number}"));
        }
        let aside = PathBuf::from(name);
        match rustix::fs::renameat_with(CWD, path, CWD, &aside, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(aside),
            Err(Errno::EXIST) => {}
            // Not every file system supports this in one step.
            Err(Errno::INVAL) if fs::symlink_metadata(&aside).is_ok() => {}
            Err(Errno::INVAL) => {
                return fs::rename(path, &aside).map(|()| aside).map_err(Error::io("rename", path));
            }
            Err(errno) => return Err(Error::io("rename", path)(errno.into())),
        }
    }
    Err(Error::io("rename", path)(Errno::EXIST.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let names: Vec<String> = (0..MOST)
            .map(|number| {
                fs::write(&path, number.to_string()).unwrap();
                let aside = set_aside(&path).unwrap();
                assert_eq!(fs::read_to_string(&aside).unwrap(), number.to_string());
                aside.file_name().unwrap().to_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(names[..2], ["state.json.bad", "state.json.bad.1"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), MOST);
        fs::write(&path, "one too many").unwrap();
        assert!(set_aside(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one too many");
        assert_eq!(fs::read_to_string(dir.path().join("state.json.bad")).unwrap(), "0");
    }
}
