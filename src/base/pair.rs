//! Checks that the data folder and the run folder belong together. Each names the other one in a
//! small file. With the wrong pair a command would take running containers for dead, and end them
//! or start them twice.
//!
//! ```text
//! <root>/engine.json   {"version":1,"other":"/run/hoist"}
//! <run>/engine.json    {"version":1,"other":"/var/lib/hoist"}
//! ```
//! A folder without the file is new, or was made by an older hoist, and gets the file. If the file
//! cannot be read but the other folder confirms the pair, it is written again. If neither confirms
//! it, the command fails and changes nothing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, Error as DiskError, state};
use super::{ErrorKind, Explain, Paths};

/// The folders cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the {what} {} belongs to the {other_what} {other}, not to {given}", .folder.display())]
    Mismatch { what: &'static str, folder: PathBuf, other_what: &'static str, other: String, given: String },
    #[error("cannot tell whether {} and {} belong together", .root.display(), .run.display())]
    Unknown { root: PathBuf, run: PathBuf, source: DiskError },
    #[error("{} belongs to user {owner}", .0.display(), owner = .1)]
    Foreign(PathBuf, u32),
    #[error("{} is writable by other users: its mode is {mode:04o}", .0.display(), mode = .1)]
    Writable(PathBuf, u32),
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mismatch { .. } => ErrorKind::Conflict,
            Self::Unknown { source, .. } => source.kind(),
            Self::Foreign(..) | Self::Writable(..) => ErrorKind::Denied,
            Self::Disk(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Mismatch { folder, .. } => Some(format!(
                "use the folders that belong together, with --root and --run-root; if one was moved, remove {} \
                 while none of its containers is running",
                folder.join(FILE).display()
            )),
            Self::Unknown { source, .. } if matches!(source, DiskError::Newer { .. }) => source.hint(),
            Self::Unknown { root, run, .. } => Some(format!(
                "if they do, remove {FILE} from {} and from {}, and try again; if not, use the folders that \
                 belong together, with --root and --run-root",
                root.display(),
                run.display()
            )),
            Self::Foreign(_, 0) => Some("run it as root: `sudo hoist …`".to_owned()),
            Self::Foreign(..) => Some("use a folder of your own, or change its owner".to_owned()),
            Self::Writable(folder, _) => Some(format!("`chmod go-w {}`", folder.display())),
            Self::Disk(error) => error.hint(),
        }
    }
}

const FILE: &str = "engine.json";
const VERSION: u32 = 1;

/// The contents of `engine.json`: the other folder.
#[derive(Debug, Serialize, Deserialize)]
struct Partner {
    version: u32,
    other: String,
}

state!(Partner, VERSION);

/// Checks that both folders belong to the caller only, and to each other.
///
/// # Errors
///
/// [`Error::Mismatch`], [`Error::Unknown`], [`Error::Foreign`], [`Error::Writable`].
pub(crate) fn check(paths: &Paths) -> Result<(), Error> {
    let (root, run) = (paths.root(), paths.run());
    let [in_root, in_run] = check_partners(paths)?;
    for (folder, word, other) in [(run, in_run, root), (root, in_root, run)] {
        match word {
            Word::Said(_) => {}
            Word::Nothing => record_partner(folder, name(other)?)?,
            // The file may not be replaceable, for instance if it is a folder. The other file
            // suffices.
            Word::Unreadable(_) => drop(record_partner(folder, name(other)?)),
        }
    }
    Ok(())
}

/// Checks the existing folders like [`check`], but changes nothing. Returns what each says about
/// the other.
///
/// # Errors
///
/// As for [`check`].
pub(crate) fn check_partners(paths: &Paths) -> Result<[Word; 2], Error> {
    let (root, run) = (paths.root(), paths.run());
    check_owner(root)?;
    check_owner(run)?;
    let (root_name, run_name) = (name(root)?, name(run)?);
    let (in_root, in_run) = (Word::of(root)?, Word::of(run)?);
    for (what, folder, other_what, word, given) in [
        ("data folder", root, "run folder", &in_root, &run_name),
        ("run folder", run, "data folder", &in_run, &root_name),
    ] {
        if let Word::Said(other) = word
            && other != given
        {
            let (folder, other, given) = (folder.to_owned(), other.clone(), given.clone());
            return Err(Error::Mismatch { what, folder, other_what, other, given });
        }
    }
    let is_said = [&in_root, &in_run].iter().any(|word| matches!(word, Word::Said(_)));
    match (in_root, in_run) {
        (Word::Unreadable(source), _) | (_, Word::Unreadable(source))
            if !is_said || source.is_of_another_version() =>
        {
            Err(Error::Unknown { root: root.to_owned(), run: run.to_owned(), source })
        }
        words => Ok(words.into()),
    }
}

/// Checks that only the caller can write there: others could make the caller run their programs.
fn check_owner(folder: &Path) -> Result<(), Error> {
    let meta = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(DiskError::io("stat", folder))?,
    };
    let mode = meta.mode() & 0o7777;
    if meta.uid() != rustix::process::getuid().as_raw() {
        return Err(Error::Foreign(folder.to_owned(), meta.uid()));
    }
    if mode & 0o022 != 0 { Err(Error::Writable(folder.to_owned(), mode)) } else { Ok(()) }
}

/// Returns the canonical path of a folder, which need not exist yet.
fn name(folder: &Path) -> Result<String, Error> {
    let folder = std::path::absolute(folder).map_err(DiskError::io("find", folder))?;
    for there in folder.ancestors() {
        match fs::canonicalize(there) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => {
                let found = found.map_err(DiskError::io("find", there))?;
                let missing = folder.strip_prefix(there).unwrap_or(Path::new(""));
                let whole = if missing == Path::new("") { found } else { found.join(missing) };
                return Ok(whole.to_string_lossy().into_owned());
            }
        }
    }
    Ok(folder.to_string_lossy().into_owned())
}

/// What a folder says about the other one.
#[derive(Debug)]
pub(crate) enum Word {
    Said(String),
    Nothing,
    Unreadable(DiskError),
}

impl Word {
    fn of(folder: &Path) -> Result<Self, Error> {
        match disk::read_state::<Partner>(&folder.join(FILE)) {
            Ok(partner) => Ok(Self::Said(partner.other)),
            Err(error) if error.is_not_found() => Ok(Self::Nothing),
            Err(error) if error.is_of_the_file() => Ok(Self::Unreadable(error)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Records the other folder, ignoring errors if this one is not writable.
fn record_partner(folder: &Path, other: String) -> Result<(), Error> {
    match disk::write_state_synced(&folder.join(FILE), &Partner { version: VERSION, other }) {
        Err(error) if !error.is_unwritable() => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_partner_that_cannot_be_read_now_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        for folder in [paths.root(), paths.run()] {
            disk::private_dir(folder).unwrap();
        }
        check(&paths).unwrap();
        for folder in [paths.root(), paths.run()] {
            let file = folder.join(FILE);
            let whole = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            symlink("/proc/self/mem", &file).unwrap(); // EIO
            let error = check(&paths).unwrap_err();
            assert!(error.to_string().starts_with("cannot read "), "{error}");
            fs::remove_file(&file).unwrap();
            fs::write(&file, "{").unwrap();
            check(&paths).unwrap();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
    }

    #[test]
    fn a_partner_that_is_damaged_is_replaced_where_the_other_one_knows() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let files = [paths.root(), paths.run()].map(|folder| folder.join(FILE));
        let spoil = |file: &Path, how: &str| {
            let _ = fs::remove_file(file);
            let _ = fs::remove_dir(file);
            match how {
                "a folder" => fs::create_dir(file).unwrap(),
                "a socket" => drop(std::os::unix::net::UnixListener::bind(file).unwrap()),
                "gone" => {}
                text => fs::write(file, text).unwrap(),
            }
        };
        for folder in [paths.root(), paths.run()] {
            disk::private_dir(folder).unwrap();
        }
        check(&paths).unwrap();
        for how in ["{", "a folder", "a socket"] {
            for (file, other) in [(&files[0], &files[1]), (&files[1], &files[0])] {
                let whole = fs::read(other).unwrap();
                spoil(file, how);
                check(&paths).unwrap();
                assert_eq!(fs::read(other).unwrap(), whole);
                spoil(file, how);
                // The other folder's partner is a different one, missing, or unreadable.
                let elsewhere = Paths::new(paths.root(), dir.path().join("elsewhere"));
                disk::private_dir(elsewhere.run()).unwrap();
                if file == &files[0] {
                    let error = check(&elsewhere).unwrap_err();
                    assert!(matches!(error, Error::Unknown { .. }), "{error}");
                    assert_eq!(fs::read_dir(elsewhere.run()).unwrap().count(), 0);
                }
                for missing in ["gone", how] {
                    spoil(other, missing);
                    let error = check(&paths).unwrap_err();
                    assert!(error.to_string().starts_with("cannot tell whether "), "{error}");
                    let hint = error.hint().unwrap();
                    assert!(hint.contains("remove engine.json from "), "{hint}");
                }
                spoil(file, "gone");
                spoil(other, "gone");
                check(&paths).unwrap();
            }
        }
        fs::write(&files[0], "{\"version\":0}").unwrap();
        let error = check(&paths).unwrap_err();
        assert!(error.hint().unwrap().contains("remove engine.json from "), "{error}");
    }
}
