//! State files: JSON with a version, checked on writing so that it can always be read again.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::draft::{Draft, replace};
use super::read::{open_with, read};
use super::sync::sync;
use super::{Error, Result};

/// The maximum size of a state file. Anything larger was not written by hoist.
const MAX_STATE: u64 = 64 << 20;

/// The contents of a state file: JSON with a version.
pub trait State: Serialize + DeserializeOwned {
    /// The current version. This one and all older ones, from 1 on, can be read.
    const NEWEST: u32;

    /// Returns the version of this value.
    fn version(&self) -> u32;

    /// Parses an older version and converts it to the current one.
    ///
    /// # Errors
    ///
    /// If it does not parse.
    fn read_old(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

/// `state!(Record, VERSION)` implements [`State`] for a type with a field `version`.
macro_rules! state {
    ($type:ty, $newest:expr) => {
        impl $crate::base::disk::State for $type {
            const NEWEST: u32 = $newest;

            fn version(&self) -> u32 {
                self.version
            }
        }
    };
}
pub(crate) use state;

/// Replaces the file `path` with `value`, without syncing: a power cut may lose it.
///
/// # Errors
///
/// As for [`replace`]; [`Error::Unreadable`] or [`Error::TooLarge`] if [`read_state`] would reject
/// it.
pub fn write_state<T: State>(path: &Path, value: &T) -> Result<()> {
    replace(path, &encode(path, value)?)
}

/// Replaces the file `path` with `value`, and syncs its contents: a power cut never leaves it
/// truncated. Call [`sync_folders`] to sync its name too, once for all changes.
///
/// # Errors
///
/// As for [`write_state`].
pub fn write_state_synced<T: State>(path: &Path, value: &T) -> Result<()> {
    let mut draft = Draft::new(path)?;
    draft.write(&encode(path, value)?)?;
    draft.sync()?;
    draft.replace()
}

/// How many temporary files are open at the same time.
const AT_ONCE: usize = 64;

/// Writes files in the same folder like [`write_state_synced`], with one sync for many of them.
///
/// # Errors
///
/// As for [`write_state`]; files earlier in the list may have been written.
pub fn write_states_synced<T: State>(states: &[(PathBuf, T)]) -> Result<()> {
    if let [(path, value)] = states {
        return write_state_synced(path, value);
    }
    for some in states.chunks(AT_ONCE) {
        let mut drafts = Vec::new();
        for (path, value) in some {
            let mut draft = Draft::new(path)?;
            draft.write(&encode(path, value)?)?;
            drafts.push(draft);
        }
        if let Some(folder) = some.first().and_then(|(path, _)| path.parent()) {
            sync(folder)?;
        }
        drafts.into_iter().try_for_each(Draft::replace)?;
    }
    Ok(())
}

/// Overwrites the file at `path` with `value`, for when there is no space for a second file. A
/// concurrent reader may find it torn, and it stays torn if this process is killed in between.
///
/// # Errors
///
/// If the file does not exist or cannot be written.
pub fn overwrite_state<T: State>(path: &Path, value: &T) -> Result<()> {
    let mut bytes = encode(path, value)?;
    let (end, file) = (bytes.len(), open_with(OpenOptions::new().write(true), path)?.0);
    // Padding with blanks keeps the file readable until its end is cut off.
    let before = file.metadata().map_or(0, |meta| meta.len().min(MAX_STATE));
    bytes.resize(end.max(usize::try_from(before).unwrap_or(end)), b'\n');
    let written = (&file).write_all(&bytes).and_then(|()| file.set_len(end as u64));
    written.map_err(Error::io("write", path))
}

/// Serializes `value`, and checks that it can be read again: the next command must not find it
/// damaged or too large.
fn encode<T: State>(path: &Path, value: &T) -> Result<Vec<u8>> {
    encode_up_to(path, value, MAX_STATE)
}

fn encode_up_to<T: State>(path: &Path, value: &T, limit: u64) -> Result<Vec<u8>> {
    let unreadable = |source| Error::Unreadable { path: path.into(), source };
    let mut bytes = serde_json::to_vec(value).map_err(unreadable)?;
    bytes.push(b'\n');
    let size = bytes.len() as u64;
    if size > limit {
        return Err(Error::TooLarge { path: path.into(), size });
    }
    serde_json::from_slice::<T>(&bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Reads a state file of at most 64 MiB.
///
/// # Errors
///
/// [`Error::is_not_found`] if it does not exist, [`Error::Damaged`] if it does not parse,
/// [`Error::Newer`] or [`Error::UnknownVersion`] if its version is not supported.
pub fn read_state<T: State>(path: &Path) -> Result<T> {
    let bytes = read(path, MAX_STATE)?;
    let newest = match serde_json::from_slice::<T>(&bytes) {
        Ok(state) if state.version() == T::NEWEST => return Ok(state),
        other => other,
    };
    let version = serde_json::from_slice::<Form>(&bytes).map(|form| form.version);
    let is_old = match version.as_ref().map(Value::as_u64) {
        Ok(Some(version)) => (1..T::NEWEST.into()).contains(&version),
        _ => false,
    };
    let source = match if is_old { T::read_old(&bytes) } else { newest } {
        Ok(state) if is_old => return Ok(state),
        Ok(_) => None,
        Err(source) => Some(source),
    };
    Err(match (version, source) {
        (Ok(version), source) => match (version.as_u64(), source) {
            (Some(known), Some(source)) if (1..=T::NEWEST.into()).contains(&known) => {
                Error::Damaged { path: path.into(), source }
            }
            (Some(newer), _) if newer > T::NEWEST.into() => {
                Error::Newer { path: path.into(), version: newer }
            }
            _ => {
                let version = version.to_string().chars().take(MAX_SHOWN_VERSION).collect();
                Error::UnknownVersion { path: path.into(), version }
            }
        },
        (Err(source), None) | (_, Some(source)) => Error::Damaged { path: path.into(), source },
    })
}

/// How many characters of an invalid version are shown.
const MAX_SHOWN_VERSION: usize = 32;

/// What every version of every state file contains.
#[derive(Debug, serde::Deserialize)]
struct Form {
    version: Value,
}

/// Reads a JSON file of at most 64 MiB, whatever its version.
///
/// # Errors
///
/// [`Error::is_not_found`] if it does not exist, [`Error::Damaged`] if it does not parse.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read(path, MAX_STATE)?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Damaged { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::Name;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Note {
        version: u32,
        text: Option<Name>,
    }
    state!(Note, 2);

    #[test]
    fn a_form_that_is_not_known_is_newer_and_not_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("note.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            match read_state::<Note>(&path) {
                Ok(note) => format!("version {}", note.version),
                Err(error) => error.to_string().replace(&path.display().to_string(), "it"),
            }
        };
        for (text, said) in [
            (r#"{"version":1}"#, "version 1"),
            (r#"{"version":2,"text":"web"}"#, "version 2"),
            (r#"{"version":3,"text":"web"}"#, "it was written by a newer version of hoist: it has version 3"),
            (
                r#"{"version":3,"text":["other"]}"#,
                "it was written by a newer version of hoist: it has version 3",
            ),
            (r#"{"version":0}"#, "it has an unknown version: 0"),
            (r#"{"version":0,"text":"web"}"#, "it has an unknown version: 0"),
            (r#"{"version":-1}"#, "it has an unknown version: -1"),
            (r#"{"version":"2","text":"web"}"#, "it has an unknown version: \"2\""),
            (
                r#"{"version":5000000000}"#,
                "it was written by a newer version of hoist: it has version 5000000000",
            ),
            (r#"{"version":2,"text":7}"#, "it is damaged"),
            (r#"{"text":"web"}"#, "it is damaged"),
            ("", "it is damaged"),
            ("{\"version\":", "it is damaged"),
        ] {
            assert_eq!(read(text), said, "{text}");
        }
    }

    #[test]
    fn what_is_written_in_place_leaves_nothing_of_a_longer_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("note.json");
        for text in ["web", "a-name-that-is-longer", "db"] {
            let note = Note { version: 2, text: Some(text.parse().unwrap()) };
            write_state(&path, &note).unwrap();
            let whole = fs::read(&path).unwrap();
            fs::write(&path, [&whole[..], b"rest"].concat()).unwrap();
            overwrite_state(&path, &note).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        #[derive(Serialize, serde::Deserialize)]
        struct Odd {
            version: u32,
            #[serde(serialize_with = "as_text")]
            number: u32,
        }
        state!(Odd, 1);
        fn as_text<S: serde::Serializer>(number: &u32, to: S) -> std::result::Result<S::Ok, S::Error> {
            to.serialize_str(&number.to_string())
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd.json");
        let error = write_state_synced(&path, &Odd { version: 1, number: 7 }).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        let note = Note { version: 2, text: Some("web".parse().unwrap()) };
        let size = encode(&path, &note).unwrap().len() as u64;
        assert!(encode_up_to(&path, &note, size).is_ok());
        let error = encode_up_to(&path, &note, size - 1).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
