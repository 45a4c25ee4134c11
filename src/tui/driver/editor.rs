//! The user's own editor, for a text to read: hoist gives the terminal back meanwhile.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use jiff::Timestamp;

use crate::command::{World, split};
use crate::tui::model::Failure;

/// What is used where neither VISUAL nor EDITOR says otherwise.
const DEFAULT: &str = "vi";

/// Shows `text` as a file of this name, which cannot be written, and waits for the editor's
/// end. The terminal must have been given back.
pub(super) fn view(world: &World, name: &str, text: &str) -> Result<(), Failure> {
    let folder = Folder::make(world).map_err(|why| failure("make a folder for the text", &why))?;
    let path = folder.0.join(file_name(name));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|why| failure(&format!("write {}", path.display()), &why))?;
    open(world, &path)
}

/// Opens a file in the editor, and waits for its end.
pub(super) fn open(world: &World, path: &Path) -> Result<(), Failure> {
    let line = line(world);
    let words = split(&line).unwrap_or_default();
    let Some((program, words)) = words.split_first() else { return Ok(()) };
    let status = Command::new(program).args(words).arg(path).current_dir(&world.folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ended(&line, status)),
        Err(why) => Err(failure(&format!("run the editor `{line}`"), &why)),
    }
}

/// The words of the editor: VISUAL, EDITOR, or vi.
fn line(world: &World) -> String {
    let named = |name| world.environment.text(name).filter(|value| !value.trim().is_empty());
    named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| DEFAULT.to_owned())
}

fn ended(line: &str, status: ExitStatus) -> Failure {
    Failure { what: format!("the editor `{line}` failed"), why: vec![status.to_string()], hint: None }
}

fn failure(doing: &str, why: &io::Error) -> Failure {
    Failure {
        what: format!("cannot {doing}"),
        why: vec![why.to_string()],
        hint: Some("set VISUAL or EDITOR to an editor that is there".to_owned()),
    }
}

/// What is left of a name where a file shall be called so.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(100).collect();
    name.trim_start_matches('.').to_owned()
}

/// A folder that only this user may look into; gone on drop.
struct Folder(PathBuf);

impl Folder {
    fn make(world: &World) -> io::Result<Self> {
        let parent = world.environment.text("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
        let moment = Timestamp::now().as_nanosecond();
        let path = Path::new(&parent).join(format!("hoist-{}-{moment}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies where such files are swept.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_plain_file_name() {
        for (name, file) in [("web.json", "web.json"), ("../a b:1.json", "_a_b_1.json"), ("日", "_")] {
            assert_eq!(file_name(name), file);
        }
    }
}
