//! Runs the user's editor on a copy that only the user can read. hoist releases the terminal
//! meanwhile.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use crate::base::{disk, id};
use crate::command::World;
use crate::tui::failure::Failure;

/// The editor if neither VISUAL nor EDITOR is set.
const DEFAULT: &str = "vi";

/// The exit code of a shell that cannot find a program.
const NO_PROGRAM: i32 = 127;

/// Shows `text` as a file of this name, and waits until the editor exits. The terminal must have
/// been released.
pub(super) fn view(world: &World, process: &Process, name: &str, text: &str) -> Result<(), Failure> {
    let folder = Folder::make(world)?;
    let copy = folder.file(name, text.as_bytes(), 0o400)?;
    run(world, process, &copy)
}

/// Lets the user edit `old` as a file of this name. Returns the new contents and the folder that
/// holds the file, or `None` if nothing changed. The terminal must have been released.
pub(super) fn change(
    world: &World,
    process: &Process,
    name: &str,
    old: &[u8],
) -> Result<Option<(Vec<u8>, Folder)>, Failure> {
    let folder = Folder::make(world)?;
    let copy = folder.file(name, old, 0o600)?;
    run(world, process, &copy)?;
    let new = disk::read_bytes(&copy).map_err(|why| failure(&format!("read {}", copy.display()), &why))?;
    Ok((new != old).then_some((new, folder)))
}

/// Opens a file in the editor, and waits until it exits.
fn run(world: &World, process: &Process, file: &Path) -> Result<(), Failure> {
    let named = |name| world.environment.text(name).filter(|value| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| DEFAULT.to_owned());
    // The variable may contain options and quotes, so let a shell interpret it.
    let script = format!("{editor} \"$1\"");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script, "hoist"]).arg(file).current_dir(&world.folder);
    let status = process.run(&mut shell).map_err(|why| failure("run /bin/sh", &why))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(NO_PROGRAM) => Err(Failure {
            what: format!("cannot run the editor `{editor}`"),
            why: vec!["the program was not found".to_owned()],
            hint: Some("set VISUAL or EDITOR to your editor".to_owned()),
        }),
        _ => Err(Failure {
            what: format!("the editor `{editor}` failed"),
            why: vec![status.to_string(), "nothing was saved".to_owned()],
            hint: None,
        }),
    }
}

fn failure(doing: &str, why: &io::Error) -> Failure {
    Failure { what: format!("cannot {doing}"), why: vec![why.to_string()], hint: None }
}

/// Returns a safe file name for `name`. It keeps the extension, by which the editor recognizes the
/// language.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(100).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// A folder that only this user can read, removed on drop.
pub(super) struct Folder(PathBuf);

impl Folder {
    fn make(world: &World) -> Result<Self, Failure> {
        let parent = world.environment.text("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
        let make = || {
            // Others can write to the parent as well, so the name must be unpredictable.
            let path = Path::new(&parent).join(format!("hoist-{}", id::hex(&id::random_bytes::<8>()?)));
            DirBuilder::new().mode(0o700).create(&path)?;
            Ok(Self(path))
        };
        make().map_err(|why| failure(&format!("create a folder in {parent}"), &why))
    }

    /// Writes a file.
    fn file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<PathBuf, Failure> {
        let path = self.0.join(file_name(name));
        let write =
            || OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?.write_all(bytes);
        write().map_err(|why| failure(&format!("write {}", path.display()), &why))?;
        Ok(path)
    }

    /// Keeps the folder, for the user to find.
    pub(super) fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // Remove the file, and files that the editor created beside it. What cannot be removed
            // remains in a folder for temporary files.
            for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
            let _ = fs::remove_dir(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_plain_file_name() {
        for (name, file) in
            [("web.json", "web.json"), ("../a b:1.json", "_a_b_1.json"), ("日", "_"), ("..", "file")]
        {
            assert_eq!(file_name(name), file);
        }
    }
}
