//! What a container runs, as which user, and which streams are attached.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::clean;
use crate::base::disk::{Kept, Unknown};
use crate::oci::image::Config as ImageConfig;

/// Process options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessOptions {
    /// `--entrypoint`; `Some` of an empty list clears the image's.
    pub entrypoint: Option<Vec<String>>,
    /// The words after the image; if empty, the image's command is used.
    pub command: Vec<String>,
    /// `NAME=value`; later entries win. (`-e NAME` has been looked up by the front end.)
    pub env: Vec<String>,
    /// `-w`
    pub workdir: Option<PathBuf>,
    /// `-u name|uid[:group|gid]`, looked up in the container.
    pub user: Option<String>,
    /// `--group-add`: names or numbers.
    pub group_add: Vec<String>,
    /// `-t`: a terminal instead of three pipes.
    pub tty: bool,
    /// `-i`: standard input is a pipe or the terminal instead of /dev/null.
    pub interactive: bool,
    /// `-a` and `-d`: the streams that the command attaches. By default standard output and error,
    /// and standard input with `-i`.
    pub attach: Option<Kept<Streams>>,
    /// `--init`: runs an init process that reaps orphans and forwards signals.
    pub init: bool,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A selection of the standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// Invalid process options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither the user nor the image specifies a command.
    #[error("no command specified")]
    NoCommand,
    /// The working directory is not absolute.
    #[error("the working directory `{0}` is invalid, it needs to be an absolute path")]
    Workdir(PathBuf),
}

impl Error {
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCommand => Some("add a command after the image name"),
            Self::Workdir(_) => None,
        }
    }
}

impl ProcessOptions {
    /// Returns the entry point; empty if there is none.
    #[must_use]
    pub fn entrypoint(&self) -> &[String] {
        self.entrypoint.as_deref().unwrap_or_default()
    }

    /// Returns the command line to execute: the entry point followed by the command.
    #[must_use]
    pub fn program(&self) -> Vec<String> {
        [self.entrypoint(), &self.command].concat()
    }

    /// Returns the working directory, an absolute path.
    #[must_use]
    pub fn workdir(&self) -> &Path {
        self.workdir.as_deref().unwrap_or(Path::new("/"))
    }

    /// Returns `name|uid[:group|gid]`; empty for root.
    #[must_use]
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    /// Returns the streams attached at creation: Docker's `AttachStdin`, `AttachStdout` and
    /// `AttachStderr`.
    #[must_use]
    pub fn attached(&self) -> Streams {
        let default = Streams { stdin: self.interactive, stdout: true, stderr: true };
        self.attach.as_ref().map_or(default, |attach| attach.value)
    }

    /// Returns whether standard input is closed when the first client attached to it detaches, as
    /// Docker's `StdinOnce` does. Otherwise clients can attach and detach repeatedly (`run -di`).
    #[must_use]
    pub fn stdin_once(&self) -> bool {
        self.interactive && self.attached().stdin
    }

    pub(super) fn resolve(&self, image: &ImageConfig) -> Result<Self, Error> {
        let (entrypoint, command) = self.merged_program(image)?;
        let of_image = || image.working_dir().clone().filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let workdir = self.workdir.clone().or_else(of_image).unwrap_or_default();
        let env = image.env().as_deref().unwrap_or_default();
        Ok(Self {
            entrypoint: Some(entrypoint),
            command,
            env: environment(env, &self.env),
            workdir: Some(absolute(workdir)?),
            user: Some(self.user.clone().or_else(|| image.user().clone()).unwrap_or_default()),
            ..self.clone()
        })
    }

    /// Merges entry point and command. The image's command is used only with the image's entry
    /// point.
    fn merged_program(&self, image: &ImageConfig) -> Result<(Vec<String>, Vec<String>), Error> {
        let image_command = image.cmd().clone().unwrap_or_default();
        let image_entrypoint = image.entrypoint().clone().unwrap_or_default();
        let (entrypoint, command) = match &self.entrypoint {
            Some(entrypoint) => (entrypoint.clone(), self.command.clone()),
            None if self.command.is_empty() => (image_entrypoint, image_command),
            None => (image_entrypoint, self.command.clone()),
        };
        // `--entrypoint ""` is Docker's way to clear the entry point.
        let entrypoint = if entrypoint == [""] { Vec::new() } else { entrypoint };
        // An empty word is a program that is not found, as in Docker.
        match entrypoint.is_empty() && command.is_empty() {
            true => Err(Error::NoCommand),
            false => Ok((entrypoint, command)),
        }
    }
}

/// Merges environments: the user's over the image's, or those of an exec over the container's.
///
/// An entry of the first list without `=` is dropped, and never looked up on the host
/// (CVE-2026-57231). An entry of the second list without `=` removes the variable.
#[must_use]
pub fn environment(image: &[String], user: &[String]) -> Vec<String> {
    merged_environment(image, user, |name| name)
}

/// Like [`environment`], with a custom key so that tests can count comparisons.
fn merged_environment<'a, K: Hash + Eq>(
    image: &'a [String],
    user: &'a [String],
    key: impl Fn(&'a str) -> K,
) -> Vec<String> {
    let mut env: Vec<Option<&str>> = Vec::with_capacity(image.len() + user.len());
    let mut places: HashMap<K, usize> = HashMap::new();
    for (entry, is_users) in image.iter().map(|e| (e, false)).chain(user.iter().map(|e| (e, true))) {
        let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
        if entry.contains('=') && !name.is_empty() {
            match places.entry(key(name)) {
                Entry::Occupied(place) => env[*place.get()] = Some(entry),
                Entry::Vacant(place) => {
                    place.insert(env.len());
                    env.push(Some(entry));
                }
            }
        } else if is_users && let Some(at) = places.remove(&key(name)) {
            env[at] = None;
        }
    }
    env.into_iter().flatten().map(str::to_owned).collect()
}

fn absolute(workdir: PathBuf) -> Result<PathBuf, Error> {
    match workdir {
        path if path.as_os_str().is_empty() => Ok(PathBuf::from("/")),
        path if path.is_absolute() => Ok(clean(&path)),
        path => Err(Error::Workdir(path)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::container::options::tests::{image, resolved, words};

    #[test]
    fn entry_point_and_command_go_by_dockers_rules() {
        // image entry point, image command, --entrypoint, command → resulting command line
        for (entry, cmd, option, command, want) in [
            ("/e", "c", None, "", Some("/e c")),
            ("/e", "c", None, "x y", Some("/e x y")),
            ("/e", "c", Some("/o"), "", Some("/o")),
            ("/e", "c", Some("/o"), "x", Some("/o x")),
            ("", "c", None, "", Some("c")),
            ("/e", "c", Some(""), "", None),
            ("/e", "c", Some(""), "x", Some("x")),
            ("", "", None, "", None),
        ] {
            let options = ProcessOptions {
                entrypoint: option.map(words),
                command: words(command),
                ..ProcessOptions::default()
            };
            let found = options.resolve(&image(entry, cmd)).map(|process| process.program().join(" "));
            assert_eq!(found.ok().as_deref(), want, "{entry} {cmd} {option:?} {command}");
        }
        let cleared = ProcessOptions { entrypoint: Some(vec![String::new()]), ..ProcessOptions::default() };
        assert_eq!(cleared.resolve(&image("/entry", "serve")), Err(Error::NoCommand));
        let empty = ProcessOptions { command: vec![String::new()], ..cleared };
        assert_eq!(empty.resolve(&image("/entry", "serve")).unwrap().program(), [""], "not found, later");
    }

    #[test]
    fn the_users_variables_go_over_the_images_and_nothing_comes_from_the_host() {
        assert_eq!(environment(&[], &words("A=1 A A=2")), ["A=2"]);
        let found = resolved(|options| options.process.env = words("B=2 A=3 C= PATH")).unwrap();
        assert_eq!(found.process.env, ["A=3", "B=2", "C="]);
    }

    #[test]
    fn the_folder_is_the_images_or_an_absolute_one() {
        assert_eq!(resolved(|_| {}).unwrap().process.workdir(), Path::new("/srv"));
        let found = resolved(|options| options.process.workdir = Some("/a/../b//c/.".into())).unwrap();
        assert_eq!(found.process.workdir(), Path::new("/b/c"));
        let error = resolved(|options| options.process.workdir = Some("srv".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the working directory `srv` is invalid, it needs to be an absolute path"
        );
    }

    #[test]
    fn standard_input_ends_with_its_client_only_where_one_was_attached() {
        let attach = |stdin, stdout, stderr| Some(Streams { stdin, stdout, stderr });
        for (interactive, attach, attached, once) in [
            (true, None, (true, true, true), true), // run -i, create -i, older records
            (false, None, (false, true, true), false), // run, create
            (true, attach(false, false, false), (false, false, false), false), // run -di
            (true, attach(true, true, false), (true, true, false), true), // run -i -a stdout
            (false, attach(true, false, false), (true, false, false), false), // run -a stdin
        ] {
            let process =
                ProcessOptions { interactive, attach: attach.map(Kept::from), ..ProcessOptions::default() };
            let Streams { stdin, stdout, stderr } = process.attached();
            assert_eq!(((stdin, stdout, stderr), process.stdin_once()), (attached, once), "{attach:?}");
        }
    }

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A name that counts how often it is compared.
    #[derive(Eq)]
    struct Counted<'a>(&'a str);

    impl PartialEq for Counted<'_> {
        fn eq(&self, other: &Self) -> bool {
            COMPARISONS.with(|count| count.set(count.get() + 1));
            self.0 == other.0
        }
    }

    impl Hash for Counted<'_> {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn a_variable_is_not_looked_for_among_all() {
        let many: Vec<String> = (0..40_000).map(|at| format!("V{at}={at}")).collect();
        assert_eq!(merged_environment(&many, &many, Counted), many);
        let count = COMPARISONS.with(Cell::get);
        assert!(count < 3 * many.len(), "{count} comparisons");
    }
}
