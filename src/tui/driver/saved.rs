//! The file with the TUI's saved state.

use std::io;
use std::path::Path;

use super::super::model::saved::Saved;
use crate::base::disk;

/// The name in the user's state folder.
const NAME: &str = "tui.json";

/// The maximum size; a larger file was not written by hoist.
const LIMIT: u64 = 4 << 20;

/// Reads the file. An invalid file is renamed, so that its contents are not lost. In read-only mode
/// it stays, because it will not be overwritten either.
///
/// # Errors
///
/// Returns a message for the user; the defaults apply.
pub(super) fn read(folder: Option<&Path>, may_write: bool) -> Result<Saved, String> {
    let Some(path) = folder.map(|folder| folder.join(NAME)) else { return Ok(Saved::default()) };
    let text = match disk::read(&path, LIMIT) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.is_not_found() => return Ok(Saved::default()),
        Err(error) => return Err(error.to_string()),
    };
    Saved::read(&text).map_err(|error| {
        if !may_write {
            return format!("{} cannot be read: {error}", path.display());
        }
        let aside = path.with_extension("json.bad");
        let moved = match std::fs::rename(&path, &aside) {
            Ok(()) => format!("it was renamed to {}", aside.display()),
            Err(error) => format!("and it cannot be renamed: {error}"),
        };
        format!("{} cannot be read: {error}; {moved}", path.display())
    })
}

/// Writes the file atomically.
///
/// # Errors
///
/// Fails if the folder cannot be created, or the file cannot be written.
pub(super) fn write(folder: &Path, saved: &Saved) -> Result<(), disk::Error> {
    let make = |source: io::Error| disk::Error::io("create", folder)(source);
    std::fs::create_dir_all(folder).map_err(make)?;
    disk::replace(&folder.join(NAME), saved.text().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state").join("hoist");
        assert_eq!(read(Some(&folder), true).unwrap().text(), Saved::default().text(), "there is none yet");
        assert_eq!(read(None, true).unwrap().text(), Saved::default().text());
        let saved = Saved { recent: vec!["inspect".to_owned()], ..Saved::default() };
        write(&folder, &saved).unwrap();
        assert_eq!(read(Some(&folder), true).unwrap().recent, ["inspect"]);
        let error = write(Path::new("/dev/null/hoist"), &saved).unwrap_err();
        assert!(error.to_string().contains("/dev/null/hoist"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_such_text_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let (file, aside) = (dir.path().join(NAME), dir.path().join("tui.json.bad"));
        std::fs::write(&file, b"{ no json").unwrap();
        // In read-only mode it stays.
        let told = read(Some(dir.path()), false).unwrap_err();
        assert!(told.contains("cannot be read") && !told.contains("renamed to"), "{told}");
        assert!(file.exists() && !aside.exists());
        let told = read(Some(dir.path()), true).unwrap_err();
        assert!(told.contains(&format!("renamed to {}", aside.display())), "{told}");
        assert_eq!(std::fs::read(&aside).unwrap(), b"{ no json");
        assert!(read(Some(dir.path()), true).is_ok(), "the next time there is none");
    }
}
