//! Collects the files that programs need: the programs, every link on the way to them, the dynamic
//! linker and libraries, and the interpreters of scripts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use super::linker;
use crate::base::disk;
use crate::base::program::{Elf, Needs, Program, Script};
use crate::image::error::{Error, Result};

/// Where programs are looked for.
pub const PATH: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// Default search path of the dynamic linker.
const LIBRARY_FOLDERS: &[&str] = &["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];
const MAX_LINKS: usize = 40;

/// An entry of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A folder with these permission bits.
    Folder(u32),
    /// A symbolic link.
    Link(PathBuf),
    /// A file of this machine, at the same path.
    HostFile,
    /// A file with this content.
    Text(Vec<u8>),
}

/// A complete set of files of this machine, keyed by path without the leading slash.
#[derive(Debug, Default)]
pub struct Closure {
    /// The entries.
    pub items: BTreeMap<PathBuf, Item>,
    cache: Option<Vec<(PathBuf, PathBuf)>>,
    needs_cache: bool,
}

impl Closure {
    /// Adds a program by name or path, and what it needs. Returns the path to run it by.
    ///
    /// # Errors
    ///
    /// [`Error::NoProgram`], [`Error::NoLibrary`], [`Error::NoInterpreter`].
    pub fn add_program(&mut self, name: &str) -> Result<PathBuf> {
        let path = find(name).ok_or_else(|| Error::NoProgram(name.to_owned()))?;
        self.add_file(&path)?;
        Ok(path)
    }

    /// Adds a file and what it needs, if it exists.
    ///
    /// # Errors
    ///
    /// As [`Closure::add_program`].
    pub fn add_if_there(&mut self, path: &Path) -> Result<()> {
        if path.is_file() { self.add_file(path) } else { Ok(()) }
    }

    /// Returns whether a library was found only through the linker's cache.
    #[must_use]
    pub fn needs_cache(&self) -> bool {
        self.needs_cache
    }

    /// Adds a folder and its parents, unless they exist.
    pub fn add_folder(&mut self, path: &str, mode: u32) {
        let path = Path::new(path);
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            self.items.entry(parent.to_owned()).or_insert(Item::Folder(0o755));
        }
        self.items.entry(path.to_owned()).or_insert(Item::Folder(mode));
    }

    /// Adds a file with this content, unless the path exists.
    pub fn add_text(&mut self, path: &str, text: impl Into<Vec<u8>>) {
        if let Some(parent) = Path::new(path).parent().and_then(Path::to_str) {
            self.add_folder(parent, 0o755);
        }
        self.items.entry(path.into()).or_insert_with(|| Item::Text(text.into()));
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let real = self.add_path(path)?;
        let key = real.strip_prefix("/").unwrap_or(&real).to_owned();
        if self.items.insert(key, Item::HostFile) == Some(Item::HostFile) {
            return Ok(());
        }
        match Program::read(&real).map_err(disk::Error::io("read", &real))? {
            Program::Elf(elf) => self.add_needs(&real, &elf),
            Program::Script(script) => self.add_interpreter(&real, &script),
            Program::Other => Ok(()),
        }
    }

    /// Adds the links and folders that lead to `path`, and returns the resolved path.
    fn add_path(&mut self, path: &Path) -> Result<PathBuf> {
        let mut links = 0;
        let mut real = PathBuf::from("/");
        let mut left: Vec<PathBuf> = parts(path);
        while let Some(part) = left.pop() {
            if part == Path::new("..") {
                real.pop();
                continue;
            }
            real.push(part);
            let meta = fs::symlink_metadata(&real).map_err(disk::Error::io("stat", &real))?;
            let key = real.strip_prefix("/").unwrap_or(&real).to_owned();
            if meta.is_symlink() {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Error::Invalid(format!("{} has too many symbolic links", path.display())));
                }
                let target = fs::read_link(&real).map_err(disk::Error::io("read", &real))?;
                if target.is_absolute() {
                    real = PathBuf::from("/");
                } else {
                    real.pop();
                }
                left.extend(parts(&target));
                self.items.insert(key, Item::Link(target));
            } else if meta.is_dir() {
                let mode = meta.permissions().mode() & 0o7777;
                self.items.entry(key).or_insert(Item::Folder(mode));
            }
        }
        Ok(real)
    }

    fn add_needs(&mut self, path: &Path, elf: &Elf) -> Result<()> {
        let failed = |error| disk::Error::io("read", path)(error);
        if let Some(interpreter) = elf.interpreter().map_err(failed)? {
            self.add_file(&interpreter)?;
        }
        let needs = elf.needs().map_err(failed)?;
        let origin = path.parent().unwrap_or(Path::new("/"));
        for library in &needs.libraries {
            let found = self.find_library(library, elf, &needs, origin);
            let found = found.ok_or_else(|| Error::NoLibrary {
                library: library.display().to_string(),
                needed_by: path.to_owned(),
            })?;
            self.add_file(&found)?;
        }
        Ok(())
    }

    fn find_library(&mut self, library: &Path, elf: &Elf, needs: &Needs, origin: &Path) -> Option<PathBuf> {
        let fits = |path: &PathBuf| matches!(Program::read(path), Ok(Program::Elf(found)) if found.kind() == elf.kind());
        if library.components().count() > 1 {
            return Some(library.to_owned()).filter(fits);
        }
        let expand = |folder: &PathBuf| {
            let text = folder.to_string_lossy();
            let origin = origin.to_string_lossy();
            PathBuf::from(text.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
        };
        if let Some(found) = needs.search.iter().map(|folder| expand(folder).join(library)).find(fits) {
            return Some(found);
        }
        let cache = self.cache.get_or_insert_with(|| {
            linker::cache(&disk::read(Path::new("/etc/ld.so.cache"), 64 << 20).unwrap_or_default())
        });
        let cached =
            cache.iter().filter(|(name, _)| name == library).map(|(_, path)| path.clone()).find(fits);
        if let Some(found) = cached {
            self.needs_cache |= !is_default(&found);
            return Some(found);
        }
        // For libraries that are next to the file but not in the cache, and for linkers without a
        // cache (musl's), which use only these folders.
        let folders = LIBRARY_FOLDERS.iter().map(Path::new).chain([origin]);
        folders.map(|folder| folder.join(library)).find(fits)
    }

    /// Adds a script's interpreter: `#!/usr/bin/env python3` needs both env and python3.
    fn add_interpreter(&mut self, path: &Path, script: &Script) -> Result<()> {
        let mut add = |name: &str| {
            let found = find(name).ok_or_else(|| Error::NoInterpreter {
                interpreter: name.escape_debug().to_string(),
                script: path.to_owned(),
            })?;
            self.add_file(&found)
        };
        add(&script.interpreter.to_string_lossy())?;
        let is_env = script.interpreter.file_name().is_some_and(|name| name == "env");
        let argument = script.argument.to_string_lossy();
        // Only `env -S` takes a carriage return for white space.
        let is_split = argument.starts_with('-');
        let mut words = argument.split(|c: char| match is_split {
            true => c.is_ascii_whitespace(),
            false => " \t".contains(c),
        });
        let is_program = |word: &&str| !word.is_empty() && !word.starts_with('-') && !word.contains('=');
        match words.find(is_program).filter(|_| is_env) {
            Some(program) => add(program),
            None => Ok(()),
        }
    }
}

/// Returns the components of a path, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts =
        path.components().rev().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    parts.map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// Returns whether a linker finds a library without its cache. Debian's linker also looks in a
/// folder named after the machine.
fn is_default(library: &Path) -> bool {
    let folder = library.parent().unwrap_or(library);
    let is_machine =
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains("-linux-"));
    let folder = if is_machine { folder.parent().unwrap_or(folder) } else { folder };
    LIBRARY_FOLDERS[..4].iter().any(|default| folder == Path::new(default))
}

/// Finds a program by name in the usual folders, or by path.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let runs =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0);
    if name.contains('/') {
        return std::path::absolute(name).ok().filter(runs);
    }
    PATH.iter().map(|folder| Path::new(folder).join(name)).find(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain as _;

    #[test]
    fn a_script_is_refused_if_its_interpreter_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script");
        let install = "install the interpreter, or omit the program";
        let convert = "its first line has a Windows line ending: convert it, for example with `dos2unix`";
        for (line, want) in [
            ("#!/bin/sh -e\n", None),
            ("#!/usr/bin/env sh\n", None),
            ("#!/usr/bin/env sh\t\n", None),
            // `env -S` separates words at any white space.
            ("#!/usr/bin/env -S sh\r\n", None),
            ("#!/nosuch/sh\n", Some(("/nosuch/sh", install))),
            ("#!/usr/bin/env nosuch-program\n", Some(("nosuch-program", install))),
            ("#!/bin/sh\r\n", Some(("/bin/sh\\r", convert))),
            ("#!/usr/bin/env sh\r\n", Some(("sh\\r", convert))),
        ] {
            fs::write(&script, line).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            let added = Closure::default().add_program(script.to_str().unwrap());
            let found = added.map_err(|error| (error.to_string(), error.hint().unwrap_or_default())).err();
            let script = script.display();
            let want = want.map(|(name, hint)| {
                (format!("{script} needs `{name}`, which is not on this machine"), hint.to_owned())
            });
            assert_eq!(found, want, "{line:?}");
        }
    }
}
