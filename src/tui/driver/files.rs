//! Files and layers: reading them for the screen, and editing one in the user's editor.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Tell;
use super::screen::{self, Screen};
use crate::base::id;
use crate::command::World;
use crate::engine::files::{Contents, Copied, CopyRequest, Place, shown};
use crate::engine::{Engine, Progress, Reporter, Result};
use crate::tui::event::{Event, LayersNews};
use crate::tui::model::Failure;
use crate::tui::model::files::{FilesAnswer, FilesAsk, FilesDone, FilesWish, PREVIEW, is_binary, lines};

/// Bytes of a file that are shown, compared or edited.
const WHOLE: usize = 4 << 20;

/// Lines around a difference.
const CONTEXT: usize = 3;

/// Reads what a browser shows.
pub(super) async fn ask(engine: Engine, tell: Tell, serial: u64, ask: FilesAsk) {
    let answer = match ask {
        FilesAsk::Folder(place, folder) => {
            engine.files().list(&place, &folder).await.map(FilesAnswer::Folder)
        }
        FilesAsk::File(place, path) => {
            let contents = engine.files().read(&place, &path, PREVIEW).await;
            contents.map(|contents| FilesAnswer::File(lines(&contents.bytes, contents.is_cut)))
        }
    };
    tell.send(Event::Files(serial, answer.map_err(Failure::from))).await;
}

/// Reads an image's layers; stops when nobody waits for them any more.
pub(super) async fn layers(engine: Engine, tell: Tell, image: String, serial: u64) {
    let news = tell.clone();
    let reporter = Reporter::new(move |progress| {
        if let Progress::Note(line) = progress {
            // One that does not fit is told by the next.
            let _ = news.0.try_send(Event::Layers(serial, LayersNews::Progress(line)));
        }
    });
    let _guard = Guard(reporter.clone());
    let report = engine.images().layers(&image, reporter).await;
    let news = match report {
        Ok(report) => LayersNews::Report(Box::new(report)),
        Err(error) => LayersNews::Failed(error.into()),
    };
    tell.send(Event::Layers(serial, news)).await;
}

/// Work on another thread does not end with who waits for it: it is told to.
struct Guard(Reporter);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does a wish that needs no screen.
pub(super) async fn grant(engine: &Engine, wish: &FilesWish) -> Result<FilesDone> {
    let files = engine.files();
    match wish {
        FilesWish::MakeFolder(place, folder, name) => {
            files.make_folder(place, folder, name).await?;
            Ok(FilesDone::Said(format!("made {}", shown(folder.join(name)))))
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
        FilesWish::Edit(place, path) => Ok(FilesDone::Opened(files.read(place, path, WHOLE).await?)),
        // The editor has the screen for it: `edit`.
        FilesWish::Editor(..) => Ok(FilesDone::Said(String::new())),
    }
}

/// How two files differ, as unified diffs tell it.
fn compare(old: &Contents, new: &Contents) -> Vec<String> {
    if old.bytes == new.bytes && !old.is_cut && !new.is_cut {
        return vec!["they are the same".to_owned()];
    }
    if is_binary(&old.bytes) || is_binary(&new.bytes) {
        let (old, new) = (old.bytes.len(), new.bytes.len());
        return vec![format!("they differ, and are no text: {old} and {new} bytes")];
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
        out.push("they differ only in line ends".to_owned());
    }
    out
}

/// Copies, and says how much.
pub(super) async fn copy(engine: &Engine, request: CopyRequest, reporter: Reporter) -> Result<String> {
    let (to, into) = (request.to.clone(), shown(&request.into));
    let Copied { files, folders, bytes, skipped, notes } = engine.files().copy(request, reporter).await?;
    let amount = crate::base::units::column(bytes);
    let plural = |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let folders = if folders > 0 { format!(", {}", plural(folders, "folder")) } else { String::new() };
    let whose = if to == Place::Host { "" } else { "the container's " };
    let mut text = format!("copied {}{folders}, {amount} to {whose}{into}", plural(files, "file"));
    if let Some(first) = notes.first() {
        text.push_str(&format!(" · {skipped} left out: {}", first.trim_start_matches("left out ")));
    }
    Ok(text)
}

/// Deletes, and says how much.
pub(super) async fn delete(
    engine: &Engine,
    (place, folder): (&Place, &Path),
    names: Vec<std::ffi::OsString>,
    reporter: Reporter,
) -> Result<String> {
    let gone = engine.files().remove(place, folder, names, reporter).await?;
    Ok(match gone {
        1 => "deleted one file".to_owned(),
        _ => format!("deleted {gone} files and folders"),
    })
}

/// Lets the user edit a file in their editor, which gets the terminal meanwhile; gives the
/// event to go on with. The keys must not be read by anybody else by now.
pub(super) async fn edit(
    engine: &Engine,
    world: &World,
    screen: &mut Screen,
    wish: FilesWish,
) -> io::Result<Event> {
    let FilesWish::Editor(place, path, bytes, stamp) = wish.clone() else {
        return Ok(Event::FilesDone(wish, Ok(FilesDone::Said(String::new()))));
    };
    let failed = |why: String, hint: &str| Failure {
        what: format!("cannot edit `{}`", shown(&path)),
        why: vec![why],
        hint: Some(hint.to_owned()),
    };
    if bytes.len() >= WHOLE {
        let failure = failed("it is larger than 4M".to_owned(), "copy it, and edit the copy");
        return Ok(Event::FilesDone(wish, Err(failure)));
    }
    screen::give_back();
    let (world, name, old) = (world.clone(), path.clone(), bytes);
    let edited = tokio::task::spawn_blocking(move || in_editor(&world, &name, &old)).await;
    screen.take()?;
    let result = match edited.unwrap_or_else(|failed| Err(failed.to_string())) {
        Err(why) => Err(failed(why, "set EDITOR to the editor to use")),
        Ok(None) => Ok(FilesDone::Said(format!("{} was not changed", shown(&path)))),
        Ok(Some((text, folder))) => match engine.files().write(&place, &path, text, stamp).await {
            Ok(()) => {
                let _ = std::fs::remove_dir_all(&folder); // what is left there is the caller's own
                Ok(FilesDone::Said(format!("saved {}", shown(&path))))
            }
            Err(error) => {
                let mut failure = Failure::from(error);
                failure.hint = Some(format!("what you wrote is kept in {}", shown(&folder)));
                Err(failure)
            }
        },
    };
    Ok(Event::FilesDone(wish, result))
}

/// New contents, and the folder with the copy that has them.
type Edited = std::result::Result<Option<(Vec<u8>, PathBuf)>, String>;

/// Runs the editor on a copy in a folder that only the caller can read; `None` when nothing
/// was changed.
fn in_editor(world: &World, path: &Path, old: &[u8]) -> Edited {
    let told = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("{what}: {error}")
    };
    let random = id::hex(&id::random_bytes::<8>().map_err(told("no random name"))?);
    let above = world.environment.text("XDG_RUNTIME_DIR").unwrap_or_else(|| "/tmp".to_owned());
    let folder = PathBuf::from(above).join(format!("hoist-edit-{random}"));
    DirBuilder::new().mode(0o700).create(&folder).map_err(told("the copy's folder cannot be made"))?;
    let name = shown(path.file_name().unwrap_or_default());
    let copy = folder.join(if name.is_empty() { "file" } else { &name });
    let edited = std::fs::write(&copy, old)
        .map_err(told("the copy cannot be written"))
        .and_then(|()| run_editor(world, &copy))
        .and_then(|()| std::fs::read(&copy).map_err(told("the copy cannot be read")));
    match edited {
        Ok(new) if new != old => Ok(Some((new, folder))),
        result => {
            let _ = std::fs::remove_dir_all(&folder); // as above
            result.map(|_| None)
        }
    }
}

fn run_editor(world: &World, file: &Path) -> std::result::Result<(), String> {
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| world.environment.text(name));
    let editor = editor.filter(|editor| !editor.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    // The variable may hold options, as a shell would read them.
    let script = format!("{editor} \"$1\"");
    let status = Command::new("/bin/sh").args(["-c", &script, "hoist"]).arg(file).status();
    match status {
        Err(error) => Err(format!("/bin/sh cannot be run: {error}")),
        Ok(status) if status.code() == Some(127) => Err(format!("there is no editor `{editor}`")),
        Ok(status) if !status.success() => Err(format!("`{editor}` ended with {status}; nothing was saved")),
        Ok(_) => Ok(()),
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
        assert_eq!(compare(&one, &one), ["they are the same"]);
        let zero = read("zero", b"a\0");
        assert_eq!(compare(&one, &zero), ["they differ, and are no text: 6 and 2 bytes"]);
    }
}
