//! What a container runs, as which user, and which streams are attached.

use std::path::PathBuf;

use clap::Args;

use super::values::pairs_of_file;
use super::{Line, Result, each, filled};
use crate::command::World;
use crate::command::field::{Field, NameKind, Section as S};
use crate::command::usage::Usage;
use crate::engine::{Kept, ProcessOptions, Streams, Unknown};

#[derive(Debug, Args)]
pub(super) struct ProcessWords {
    /// Attach to stdin, stdout or stderr
    #[arg(short, long, value_name = "STREAM")]
    attach: Vec<String>,
    /// Program to run instead of the image's entry point
    #[arg(long, value_name = "PROGRAM")]
    entrypoint: Option<String>,
    /// Set an environment variable; NAME alone uses the caller's value
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read environment variables from this file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// Join an additional group
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,
    /// Run an init in the container that forwards signals and reaps processes
    #[arg(long)]
    init: bool,
    /// Keep standard input open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Run as this user and group, by name or number
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Working directory in the container
    #[arg(short, long, value_name = "FOLDER")]
    workdir: Option<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::switch(20, "interactive", "interactive", &[S::Advanced]),
    Field::switch(30, "tty", "tty", &[S::General]),
    Field::switch(70, "init", "init", &[S::Advanced]),
    Field::many(140, "Environment", "env", &[S::General, S::Env], "NAME=value NAME"),
    Field::many(150, "Env files", "env-file", &[S::Env], "files of NAME=value lines").names(NameKind::File),
    Field::one(280, "User", "user", &[S::Security], "root or the image's · name, uid, uid:gid").optional(),
    Field::many(290, "Groups", "group-add", &[S::Security], "names or numbers"),
    Field::one(350, "Entrypoint", "entrypoint", &[S::Advanced], "the image's own, if it has one"),
    Field::one(360, "Working dir", "workdir", &[S::Advanced], "/ or the image's").optional(),
    Field::many(450, "Attach", "attach", &[S::Advanced], "stdin stdout stderr")
        .few(&["stdin", "stdout", "stderr"]),
];

impl ProcessWords {
    /// Converts the arguments to options and environment files.
    pub(super) fn read(self, command: Vec<String>) -> Result<(ProcessOptions, Vec<PathBuf>)> {
        let process = ProcessOptions {
            command,
            entrypoint: self.entrypoint.map(|word| if word.is_empty() { Vec::new() } else { vec![word] }),
            env: env(self.env)?,
            workdir: self.workdir.as_deref().map(workdir).transpose()?,
            user: self.user,
            group_add: each(&self.group_add, |word| filled("--group-add", word))?,
            tty: self.tty,
            interactive: self.interactive,
            attach: named_streams(&self.attach, self.interactive)?.map(Kept::from),
            init: self.init,
            unknown: Unknown::new(),
        };
        Ok((process, self.env_file.iter().map(PathBuf::from).collect()))
    }
}

/// Writes `-it` and `-a`.
pub(super) fn write_streams(process: &ProcessOptions, line: &mut Line) {
    match (process.interactive, process.tty) {
        (true, true) => line.flag("-it", true),
        (interactive, tty) => {
            line.flag("-i", interactive);
            line.flag("-t", tty);
        }
    }
    let streams = process.attach.as_ref().map(|attach| attach.value).unwrap_or_default();
    for (name, is_named) in [
        ("stdin", streams.stdin && !process.interactive),
        ("stdout", streams.stdout),
        ("stderr", streams.stderr),
    ] {
        if is_named {
            line.value("-a", name);
        }
    }
}

/// Writes all options except the streams; not the image and the command.
pub(super) fn write(process: &ProcessOptions, line: &mut Line) {
    line.values("-e", &process.env);
    if let Some(workdir) = &process.workdir {
        line.value("-w", workdir.display().to_string());
    }
    if let Some(user) = &process.user {
        line.value("-u", user);
    }
    line.values("--group-add", &process.group_add);
    line.flag("--init", process.init);
}

/// Writes `--entrypoint`, the image, and the command. The option takes a single word, so the rest
/// of the entry point goes before the command.
pub(in crate::command) fn write_program(process: &ProcessOptions, image: &str, line: &mut Line) {
    let mut command = process.command.clone();
    match process.entrypoint.as_deref() {
        None => {}
        Some([]) => line.value("--entrypoint", ""),
        Some([program, rest @ ..]) => {
            line.value("--entrypoint", program);
            command.splice(0..0, rest.iter().cloned());
        }
    }
    line.0.push(image.to_owned());
    line.0.extend(command);
}

/// Parses `-a`; `None` if it is not given. `-i` adds standard input.
fn named_streams(words: &[String], interactive: bool) -> Result<Option<Streams>> {
    let mut streams = Streams { stdin: interactive, ..Streams::default() };
    for word in words {
        match word.to_ascii_lowercase().as_str() {
            "stdin" => streams.stdin = true,
            "stdout" => streams.stdout = true,
            "stderr" => streams.stderr = true,
            _ => {
                let message = format!(
                    "invalid argument `{word}` for --attach: valid streams are STDIN, STDOUT and STDERR"
                );
                return Err(Usage::argument(message));
            }
        }
    }
    Ok(Some(streams).filter(|_| !words.is_empty()))
}

/// Checks `-e`: `NAME=value`, or only a name, which takes the caller's value.
pub(in crate::command) fn env(words: Vec<String>) -> Result<Vec<String>> {
    for word in &words {
        match word.split_once('=') {
            Some(("", _)) => return Err(Usage::argument(format!("invalid environment variable: {word}"))),
            None if word.is_empty() => {
                return Err(Usage::argument("invalid environment variable: the name is empty"));
            }
            _ => {}
        }
    }
    Ok(words)
}

/// Prepends the variables of `--env-file`. Names without a value take the caller's. If the caller
/// does not have the variable, a name in a file is ignored, and a name of `-e` removes the image's
/// variable.
pub(in crate::command) fn resolve(env: &mut Vec<String>, files: &[PathBuf], world: &World) -> Result<()> {
    let imported = |name: &str| {
        let value = world.environment.to_map().remove(name)?;
        Some(format!("{name}={value}"))
    };
    let mut all = Vec::new();
    for file in files {
        for (name, value) in pairs_of_file(file, world)? {
            match value {
                Some(value) => all.push(format!("{name}={value}")),
                None => all.extend(imported(&name)),
            }
        }
    }
    for word in env.drain(..) {
        let value = if word.contains('=') { None } else { imported(&word) };
        all.push(value.unwrap_or(word));
    }
    *env = all;
    Ok(())
}

fn workdir(word: &str) -> Result<PathBuf> {
    if word.starts_with('/') {
        return Ok(word.into());
    }
    Err(Usage::argument(format!(
        "the working directory `{word}` is invalid, it needs to be an absolute path"
    )))
}
