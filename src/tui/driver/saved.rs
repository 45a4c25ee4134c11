//! The file with the TUI's saved state.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::model::saved::Saved;
use crate::base::disk::{self, Lock, Rank};

/// The name in the user's state folder.
const NAME: &str = "tui.json";

/// The lock beside it, which is held from reading to writing. The file itself is replaced.
const LOCK: &str = "tui.json.lock";

/// How often the lock is tried while another hoist holds it, which is usually for less than a pause.
const TRIES: usize = 100;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// The file. It never replaces one that could not be read: that one is renamed, or nothing is saved.
#[derive(Debug)]
pub(super) struct Store {
    /// `None` if nothing is saved.
    path: Option<PathBuf>,
    /// Why the file that is there must stay.
    kept: Option<String>,
    /// What was read or written last.
    base: Saved,
}

impl Store {
    /// Reads the file in this folder. An unreadable file is renamed, unless another version of hoist
    /// wrote it, or the cause may pass. In read-only mode it stays, because nothing is saved either.
    /// If it is not read, the message is for the user, and the defaults apply.
    pub(super) fn open(folder: Option<&Path>, may_write: bool) -> (Self, Saved, Option<String>) {
        let path = folder.map(|folder| folder.join(NAME));
        let mut store = Self { path: path.clone(), kept: None, base: Saved::default() };
        let Some(path) = path else { return (store, Saved::default(), None) };
        let (saved, told) = match disk::read_state(&path) {
            Ok(saved) => (saved, None),
            Err(error) if error.is_not_found() => (Saved::default(), None),
            Err(error) if may_write => store.read_again(&path, &error),
            Err(error) => (Saved::default(), Some(unread(&error))),
        };
        store.base.clone_from(&saved);
        (store, saved, told)
    }

    /// Reads a file again that could not be read, under the lock: another hoist may have replaced it
    /// since. Only one that still cannot be read is renamed.
    fn read_again(&mut self, path: &Path, first: &disk::Error) -> (Saved, Option<String>) {
        let _lock = match lock(path) {
            Ok(lock) => lock,
            // Whether anything can be saved turns out when it is tried.
            Err(why) => {
                return (Saved::default(), Some(format!("{}; the file is kept: {why}", unread(first))));
            }
        };
        let error = match disk::read_state(path) {
            Ok(saved) => return (saved, None),
            Err(error) if error.is_not_found() => {
                let told = format!("{}; the file has been renamed or removed since", unread(first));
                return (Saved::default(), Some(told));
            }
            Err(error) => error,
        };
        let read = unread(&error);
        let told = match make_way(path, &error) {
            Ok(renamed) => format!("{read}; {renamed}"),
            Err(kept) => {
                self.kept = Some(error.reason_first());
                format!("{read}; {kept}, and changes are not saved")
            }
        };
        (Saved::default(), Some(told))
    }

    /// Replaces the file atomically, and keeps what other hoists have saved since it was read. An
    /// unreadable file that has taken its place is renamed first; then there is a message for the
    /// user.
    ///
    /// # Errors
    ///
    /// A message: the file must stay, it cannot be written, or another hoist does not release it.
    /// The next call saves everything.
    pub(super) fn write(&mut self, saved: &Saved) -> Result<Option<String>, String> {
        let Some(path) = &self.path else { return Ok(None) };
        if let Some(reason) = &self.kept {
            return Err(reason.clone());
        }
        let _lock = lock(path)?;
        let mut merged = saved.clone();
        let renamed = match disk::read_state::<Saved>(path) {
            Ok(theirs) => {
                merged = saved.onto(&self.base, theirs);
                None
            }
            Err(error) if !error.is_not_found() => {
                let read = unread(&error);
                match make_way(path, &error) {
                    Ok(renamed) => Some(format!("{read}; {renamed}")),
                    Err(kept) => return Err(format!("{read}; {kept}")),
                }
            }
            Err(_) => None,
        };
        disk::write_state(path, &merged).map_err(|error| error.reason_first())?;
        self.base.clone_from(saved);
        Ok(renamed)
    }
}

/// Takes the lock beside the file. `None` if the file system has no locks, where it is better to save
/// without one than not at all.
///
/// # Errors
///
/// A message: it cannot be locked, or another hoist holds the lock. That one may have been stopped
/// between reading and writing, and would then replace what is saved without the lock.
fn lock(path: &Path) -> Result<Option<Lock>, String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .map_err(|error| disk::Error::io("create", folder)(error).reason_first())?;
    let file = folder.join(LOCK);
    taken(|| Lock::try_exclusive(&file, Rank::UiState))
        .unwrap_or_else(|| Err(format!("another hoist is still saving, and holds {}", file.display())))
}

/// Tries to take the lock until that succeeds or fails. `None` if it stays taken: no key is read while
/// this waits, so it does not wait for long.
fn taken(attempt: impl Fn() -> disk::Result<Option<Lock>>) -> Option<Result<Option<Lock>, String>> {
    for _ in 0..TRIES {
        match attempt() {
            Ok(None) => std::thread::sleep(PAUSE),
            Ok(lock) => return Some(Ok(lock)),
            Err(error) if error.has_no_locks() => return Some(Ok(None)),
            Err(error) => return Some(Err(error.reason_first())),
        }
    }
    None
}

fn unread(error: &disk::Error) -> String {
    format!("the saved layout and settings cannot be read: {}", error.reason_first())
}

/// Renames a file that could not be read because of this error. Returns what to tell the user.
///
/// # Errors
///
/// A message: it stays, and must not be replaced.
fn make_way(path: &Path, error: &disk::Error) -> Result<String, String> {
    if error.is_of_another_version() || !error.is_of_the_file() {
        return Err("the file is kept".to_owned());
    }
    match disk::set_aside(path) {
        Ok(aside) => Ok(format!("the file was renamed to {}", aside.display())),
        Err(error) => Err(format!("the file cannot be renamed: {}", error.reason_first())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn saved(entry: &str) -> Saved {
        Saved { recent: vec![entry.to_owned()], ..Saved::default() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state").join("hoist");
        let (mut store, found, told) = Store::open(Some(&folder), true);
        assert_eq!((found, told), (Saved::default(), None), "there is none yet");
        assert_eq!(store.write(&saved("inspect")), Ok(None));
        assert_eq!(Store::open(Some(&folder), true).1.recent, ["inspect"]);
        let text = fs::read_to_string(folder.join(NAME)).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");

        let (mut store, found, told) = Store::open(None, true);
        assert_eq!((found, told, store.write(&saved("inspect"))), (Saved::default(), None, Ok(None)));
        let (mut store, ..) = Store::open(Some(Path::new("/dev/null/hoist")), true);
        let error = store.write(&saved("inspect")).unwrap_err();
        assert!(error.contains("/dev/null/hoist"), "{error}");
    }

    #[test]
    fn what_two_of_them_save_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let [mut one, mut other] = [(), ()].map(|()| Store::open(Some(dir.path()), true).0);
        assert_eq!(one.write(&saved("stop")), Ok(None));
        assert_eq!(other.write(&saved("inspect")), Ok(None));
        assert_eq!(one.write(&saved("stop")), Ok(None));
        assert_eq!(Store::open(Some(dir.path()), true).1.recent, ["stop", "inspect"]);
    }

    #[test]
    fn what_two_of_them_save_at_the_same_instant_is_kept() {
        const EACH: usize = 60;
        let dir = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for writer in ["one", "other"] {
                let (folder, start) = (dir.path(), &start);
                scope.spawn(move || {
                    let (mut store, mut saved, _) = Store::open(Some(folder), true);
                    start.wait();
                    for number in 0..EACH {
                        saved.presets.insert(format!("{writer}{number}"), vec!["-d".to_owned()]);
                        assert_eq!(store.write(&saved), Ok(None));
                    }
                });
            }
        });
        assert_eq!(Store::open(Some(dir.path()), true).1.presets.len(), 2 * EACH);
    }

    #[test]
    fn while_another_one_saves_nothing_is_saved_or_renamed_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (file, lock) = (dir.path().join(NAME), dir.path().join(LOCK));
        let (mut store, ..) = Store::open(Some(dir.path()), true);
        let other = Lock::exclusive(&lock, Rank::UiState).unwrap();
        let busy = format!("another hoist is still saving, and holds {}", lock.display());
        assert_eq!(store.write(&saved("inspect")), Err(busy.clone()));
        assert!(!file.exists());

        fs::write(&file, "{").unwrap();
        let told = Store::open(Some(dir.path()), true).2.unwrap();
        assert!(told.ends_with(&format!("; the file is kept: {busy}")), "{told}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "{");

        fs::write(&file, r#"{"version":1,"recent":["stop"]}"#).unwrap();
        drop(other);
        assert_eq!(store.write(&saved("inspect")), Ok(None));
        assert_eq!(Store::open(Some(dir.path()), true).1.recent, ["stop", "inspect"]);
    }

    #[test]
    fn a_file_that_was_replaced_since_it_could_not_be_read_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(NAME);
        let (mut store, ..) = Store::open(Some(dir.path()), true);
        fs::write(&file, "{").unwrap();
        let error = disk::read_state::<Saved>(&file).unwrap_err();
        fs::remove_file(&file).unwrap();
        let (found, told) = store.read_again(&file, &error);
        let told = told.unwrap();
        assert!(told.ends_with("; the file has been renamed or removed since"), "{told}");
        assert_eq!(found, Saved::default());

        Store::open(Some(dir.path()), true).0.write(&saved("inspect")).unwrap();
        assert_eq!(store.read_again(&file, &error), (saved("inspect"), None));
        assert!(!dir.path().join("tui.json.bad").exists());
    }

    #[test]
    fn without_locks_it_is_saved_all_the_same() {
        let fails = |errno: i32| {
            taken(|| Err(disk::Error::io("lock", LOCK)(std::io::Error::from_raw_os_error(errno)))).unwrap()
        };
        for errno in [libc::ENOLCK, libc::EOPNOTSUPP, libc::ENOSYS] {
            assert!(matches!(fails(errno), Ok(None)), "{errno}");
        }
        let error = fails(libc::EACCES).unwrap_err();
        assert!(error.starts_with("cannot lock it: Permission denied"), "{error}");
    }

    #[test]
    fn everything_that_is_saved_can_be_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, ..) = Store::open(Some(dir.path()), true);
        let arguments = vec!["\u{1}".repeat(8); 100_000];
        let large = Saved { presets: [("web".to_owned(), arguments)].into(), ..Saved::default() };
        assert_eq!(store.write(&large), Ok(None));
        let (_, found, told) = Store::open(Some(dir.path()), true);
        assert_eq!((found == large, told), (true, None));
    }

    type Unreadable = (&'static str, fn(&Path));

    /// What may be in place of the file, and how to create it.
    const UNREADABLE: [Unreadable; 6] = [
        ("no JSON", |path| fs::write(path, b"{ no json").unwrap()),
        ("no UTF-8", |path| fs::write(path, b"{\"history\":[\"\xff\"]}").unwrap()),
        ("too large", |path| fs::File::create(path).unwrap().set_len((64 << 20) + 1).unwrap()),
        ("a FIFO", |path| {
            rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
        }),
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a loop of links", |path| std::os::unix::fs::symlink(path, path).unwrap()),
    ];

    #[test]
    fn an_unreadable_file_is_renamed_and_never_replaced() {
        for (what, make) in UNREADABLE {
            let dir = tempfile::tempdir().unwrap();
            let (file, aside) = (dir.path().join(NAME), dir.path().join("tui.json.bad"));
            let exists = |path: &Path| path.symlink_metadata().is_ok();
            make(&file);
            // In read-only mode it stays.
            let told = Store::open(Some(dir.path()), false).2.unwrap();
            assert!(told.starts_with("the saved layout") && !told.contains("renamed"), "{what}: {told}");
            assert!(exists(&file) && !exists(&aside), "{what}");

            let (mut store, found, told) = Store::open(Some(dir.path()), true);
            let told = told.unwrap();
            assert!(told.ends_with(&format!("renamed to {}", aside.display())), "{what}: {told}");
            assert_eq!(found, Saved::default(), "{what}");
            assert!(!exists(&file) && exists(&aside), "{what}");

            // One that appears while hoist runs.
            make(&file);
            let told = store.write(&saved("inspect")).unwrap().unwrap();
            assert!(told.ends_with("tui.json.bad.1"), "{what}: {told}");
            assert!(exists(&dir.path().join("tui.json.bad.1")), "{what}");
            assert_eq!(Store::open(Some(dir.path()), true).1.recent, ["inspect"], "{what}");
        }
    }

    #[test]
    fn messages_say_what_was_not_read_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join(NAME), dir.path().display().to_string());
        let begins = "the saved layout and settings cannot be read:";
        for (text, why, then) in [
            ("{ no", "key must be a string at line 1 column 3", "the file was renamed to DIR/tui.json.bad"),
            (r#"{"version":2}"#, "written by a newer version of hoist, version 2", "the file is kept"),
        ] {
            let (mut store, ..) = Store::open(Some(dir.path()), true);
            fs::write(&file, text).unwrap();
            let (Ok(Some(told)) | Err(told)) = store.write(&saved("inspect")) else { panic!("{why}") };
            let wanted = format!("{begins} {why}, in DIR/tui.json; {then}").replace("DIR", &folder);
            assert_eq!(told, wanted);
        }
        let told = Store::open(Some(dir.path()), true).2.unwrap();
        let wanted = format!(
            "{begins} written by a newer version of hoist, version 2, in {folder}/tui.json; the file is kept, and \
             changes are not saved"
        );
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_file_of_another_version_stays_and_nothing_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(NAME);
        let newer = r#"{"version":2,"history":{"prompts":[]}}"#;
        fs::write(&file, newer).unwrap();
        let (mut store, _, told) = Store::open(Some(dir.path()), true);
        let told = told.unwrap();
        assert!(told.contains("newer version") && told.ends_with("changes are not saved"), "{told}");
        assert!(store.write(&saved("inspect")).unwrap_err().contains("newer version"));
        // One that appears while hoist runs.
        let (mut store, ..) = Store::open(Some(&dir.path().join("other")), true);
        store.write(&saved("inspect")).unwrap();
        fs::write(dir.path().join("other").join(NAME), newer).unwrap();
        assert!(store.write(&saved("inspect")).unwrap_err().contains("newer version"));
        for folder in [dir.path(), &dir.path().join("other")] {
            assert_eq!(fs::read_to_string(folder.join(NAME)).unwrap(), newer);
            assert!(!folder.join("tui.json.bad").exists());
        }
    }

    #[test]
    fn a_file_that_cannot_be_renamed_stays_and_nothing_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..20 {
            let name = if number == 0 { "tui.json.bad".to_owned() } else { format!("tui.json.bad.{number}") };
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::write(dir.path().join(NAME), "{").unwrap();
        let (mut store, _, told) = Store::open(Some(dir.path()), true);
        let told = told.unwrap();
        assert!(told.contains("cannot be renamed") && told.ends_with("changes are not saved"), "{told}");
        assert!(store.write(&saved("inspect")).is_err());
        assert_eq!(fs::read_to_string(dir.path().join(NAME)).unwrap(), "{");
    }

    #[test]
    fn the_user_alone_can_read_the_file() {
        let dir = tempfile::tempdir().unwrap();
        Store::open(Some(dir.path()), true).0.write(&saved("inspect")).unwrap();
        let mode = fs::metadata(dir.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
