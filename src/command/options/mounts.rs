//! The mounts of a container: `-v`, `--mount`, `--tmpfs`, `--read-only`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::values::size;
use super::{Line, Result};
use crate::command::World;
use crate::command::field::{Field, NameKind, Section as S};
use crate::command::usage::Usage;
use crate::docker::inspect::tmpfs_options;
use crate::engine::{Bind, MountKind, MountOptions, MountRequest, Propagation, Relabel, Submounts, Tmpfs};

#[derive(Debug, Args)]
pub(super) struct MountWords {
    /// Add a mount: type=bind or type=tmpfs, and its options
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Mount the root file system read-only
    #[arg(long)]
    read_only: bool,
    /// Mount a tmpfs at this path
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Bind mount a folder or file of the host, with options such as :ro
    #[arg(short, long, value_name = "SOURCE:TARGET")]
    volume: Vec<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::switch(60, "read-only", "read-only", &[S::General, S::Security]),
    Field::many(160, "Volumes", "volume", &[S::General, S::Mounts], "/src:/dst /src:/dst:ro")
        .names(NameKind::File),
    Field::many(170, "Mounts", "mount", &[S::Mounts], "type=bind,source=/src,target=/dst"),
    Field::many(180, "Tmpfs", "tmpfs", &[S::Mounts], "/dst /dst:size=64m"),
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&str] = &["--storage-opt", "--volume-driver", "--volumes-from"];

impl MountWords {
    pub(super) fn read(self) -> Result<MountOptions> {
        let list = all(&self.volume, &self.mount, &self.tmpfs)?;
        Ok(MountOptions { list, read_only: self.read_only, ..MountOptions::default() })
    }
}

/// Makes relative sources absolute.
pub(super) fn resolve(mounts: &mut MountOptions, world: &World) {
    for mount in &mut mounts.list {
        if let MountKind::Bind(bind) = &mut mount.kind {
            bind.source = clean(&world.absolute(&bind.source));
        }
    }
}

pub(super) fn write(mounts: &MountOptions, line: &mut Line) {
    for mount in &mounts.list {
        let (name, value) = mount_words(mount);
        line.value(name, value);
    }
    line.flag("--read-only", mounts.read_only);
}

fn mount_words(mount: &MountRequest) -> (&'static str, String) {
    let target = mount.target.display();
    match &mount.kind {
        MountKind::Unknown(_) => ("--mount", format!("type={},target={target}", mount.kind.as_str())),
        MountKind::Tmpfs(tmpfs) => match tmpfs_options(mount.read_only, tmpfs) {
            words if words.is_empty() => ("--tmpfs", target.to_string()),
            words => ("--tmpfs", format!("{target}:{words}")),
        },
        MountKind::Bind(bind) if bind.create_source => {
            let mut word = format!("{}:{target}", bind.source.display());
            let label = bind.relabel.as_ref().map(|label| label.as_str().into());
            let mode = [mount.read_only.then(|| "ro".into()), shown_propagation(&bind.propagation), label];
            let mode: Vec<_> = mode.into_iter().flatten().collect();
            if !mode.is_empty() {
                word += &format!(":{}", mode.join(","));
            }
            ("-v", word)
        }
        MountKind::Bind(bind) => {
            let quote = |key: &str, value: String| match value.contains([',', '"']) {
                true => format!("\"{key}={}\"", value.replace('"', "\"\"")),
                false => format!("{key}={value}"),
            };
            let mut fields = vec![
                "type=bind".to_owned(),
                quote("source", bind.source.display().to_string()),
                quote("target", target.to_string()),
            ];
            fields.extend(mount.read_only.then(|| "readonly".to_owned()));
            let propagation = match bind.submounts {
                Submounts::ReadOnly => Some(Propagation::Rprivate.as_str()), // required
                _ => shown_propagation(&bind.propagation),
            };
            fields.extend(propagation.map(|word| format!("bind-propagation={word}")));
            fields.extend(recursion(bind).map(|word| format!("bind-recursive={word}")));
            ("--mount", fields.join(","))
        }
    }
}

fn recursion(bind: &Bind) -> Option<String> {
    match &bind.submounts {
        _ if !bind.recursive => Some("disabled".to_owned()),
        Submounts::Alike => None,
        Submounts::Writable => Some("writable".to_owned()),
        Submounts::ReadOnly => Some("readonly".to_owned()),
        Submounts::Unknown(value) => Some(value.to_string()),
    }
}

fn shown_propagation(value: &Propagation) -> Option<Cow<'static, str>> {
    (*value != Propagation::default()).then(|| value.as_str())
}

/// Parses all mounts of a command line. Their targets must be unique.
fn all(volumes: &[String], mounts: &[String], tmpfs: &[String]) -> Result<Vec<MountRequest>> {
    let mut all: Vec<MountRequest> = Vec::new();
    let volumes = volumes.iter().map(|word| volume(word));
    let mounts = mounts.iter().map(|word| mount(word));
    for request in volumes.chain(mounts).chain(tmpfs.iter().map(|word| memory(word))) {
        let request = request?;
        if all.iter().any(|other| other.target == request.target) {
            return Err(Usage::argument(format!("duplicate mount point: {}", request.target.display())));
        }
        all.push(request);
    }
    Ok(all)
}

/// Parses a path in the container: it must be absolute and not `/`. Resolves `..`.
fn target(word: &str, path: &str) -> Result<PathBuf> {
    let bad = |why: &str| Usage::argument(format!("invalid mount `{word}`: {why}"));
    if !path.starts_with('/') {
        return Err(bad("the path in the container must be absolute"));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(bad("the path in the container cannot be `/`"));
    }
    Ok(format!("/{}", parts.join("/")).into())
}

fn propagation(word: &str) -> Option<Propagation> {
    Some(match word {
        "private" => Propagation::Private,
        "rprivate" => Propagation::Rprivate,
        "shared" => Propagation::Shared,
        "rshared" => Propagation::Rshared,
        "slave" => Propagation::Slave,
        "rslave" => Propagation::Rslave,
        _ => return None,
    })
}

/// Parses `source:target[:options]`.
fn volume(word: &str) -> Result<MountRequest> {
    let parts: Vec<&str> = word.split(':').collect();
    let (source, path, modes) = match parts.as_slice() {
        [_] => return Err(Usage::argument(format!("-v {word}: anonymous volumes are not supported yet"))),
        [source, path] => (*source, *path, None),
        [source, path, modes] if !modes.is_empty() => (*source, *path, Some(*modes)),
        _ => return Err(Usage::argument(format!("invalid volume specification: `{word}`"))),
    };
    if source.is_empty() || path.is_empty() {
        return Err(Usage::argument(format!("invalid volume specification: `{word}`")));
    }
    if source.starts_with('~') {
        let usage = Usage::argument(format!(
            "-v {word}: `{source}` includes invalid characters for a local volume name, only \
             [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        ));
        return Err(usage.hint("the shell did not expand `~`: write it without quotes, or use `$HOME`"));
    }
    if !source.starts_with(['/', '.']) {
        let usage = Usage::argument(format!("-v {word}: named volumes are not supported yet"));
        return Err(usage.hint(format!("to bind mount a folder, use its path: ./{source}")));
    }
    let bind = Bind { source: source.into(), create_source: true, recursive: true, ..Bind::default() };
    let mut request = MountRequest::new(target(word, path)?, MountKind::Bind(bind));
    let MountKind::Bind(bind) = &mut request.kind else { return Ok(request) };
    let invalid = || Usage::argument(format!("invalid mode `{}` in `-v {word}`", modes.unwrap_or_default()));
    let mut kinds = HashSet::new();
    for mode in modes.into_iter().flat_map(|modes| modes.split(',')) {
        // At most one mode of each kind, as in Docker.
        if !kinds.insert(kind_of_mode(mode)) {
            return Err(invalid());
        }
        match mode {
            "ro" => request.read_only = true,
            "z" => bind.relabel = Some(Relabel::Shared),
            "Z" => bind.relabel = Some(Relabel::Private),
            // The last three are for Docker Desktop and have no effect on Linux.
            "rw" | "cached" | "delegated" | "consistent" => {}
            _ => match propagation(mode) {
                Some(propagation) => bind.propagation = propagation,
                None => return Err(invalid()),
            },
        }
    }
    Ok(request)
}

/// Returns the kind of a `-v` mode.
fn kind_of_mode(mode: &str) -> &str {
    match mode {
        "ro" | "rw" => "access",
        "z" | "Z" => "label",
        "cached" | "delegated" | "consistent" => "consistency",
        _ if propagation(mode).is_some() => "propagation",
        other => other,
    }
}

/// Removes `.` and empty components. `..` stays, because it may follow a symbolic link.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

/// The fields of `--mount`, before the type is known.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    source: Option<String>,
    target: Option<String>,
    read_only: bool,
    propagation: Option<Propagation>,
    recursive: Option<Recursion>,
    size: Option<u64>,
    mode: Option<u32>,
}

/// The value of `bind-recursive`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recursion {
    Enabled,
    Disabled,
    Writable,
    ReadOnly,
}

impl Fields {
    /// Returns how submounts are mounted, by Docker's conditions.
    fn submounts(&self) -> std::result::Result<Submounts, &'static str> {
        match self.recursive {
            Some(Recursion::Writable) if !self.read_only => {
                Err("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
            }
            Some(Recursion::ReadOnly) if !self.read_only => {
                Err("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
            }
            // A mount that propagates later would be writable.
            Some(Recursion::ReadOnly) if self.propagation != Some(Propagation::Rprivate) => Err(
                "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
            ),
            Some(Recursion::Writable) => Ok(Submounts::Writable),
            Some(Recursion::ReadOnly) => Ok(Submounts::ReadOnly),
            Some(Recursion::Enabled | Recursion::Disabled) | None => Ok(Submounts::Alike),
        }
    }
}

/// Parses `type=bind,source=…,target=…,readonly`.
fn mount(word: &str) -> Result<MountRequest> {
    let fields = fields(word)?;
    let bad = |why: &str| Usage::argument(format!("invalid argument `{word}` for --mount: {why}"));
    let path = fields.target.as_deref().ok_or_else(|| bad("target is required"))?;
    let target = target(word, path)?;
    let kind = match fields.kind.as_deref().unwrap_or("volume") {
        "bind" => {
            if fields.size.is_some() || fields.mode.is_some() {
                return Err(bad("cannot mix `tmpfs-*` options with mount type `bind`"));
            }
            let submounts = fields.submounts().map_err(bad)?;
            let source =
                fields.source.filter(|source| !source.is_empty()).ok_or_else(|| bad("source is required"))?;
            MountKind::Bind(Bind {
                source: source.into(),
                create_source: false,
                propagation: fields.propagation.unwrap_or_default(),
                recursive: fields.recursive != Some(Recursion::Disabled),
                submounts,
                ..Bind::default()
            })
        }
        "tmpfs" => {
            if fields.source.is_some() {
                return Err(bad("a tmpfs cannot have a source"));
            }
            if fields.propagation.is_some() || fields.recursive.is_some() {
                return Err(bad("cannot mix `bind-*` options with mount type `tmpfs`"));
            }
            MountKind::Tmpfs(Tmpfs { size: fields.size, mode: fields.mode, ..Tmpfs::default() })
        }
        kind @ ("volume" | "image" | "cluster" | "npipe") => {
            let usage = Usage::argument(format!("--mount type={kind} is not supported yet"));
            return Err(usage.hint("supported types: bind, tmpfs"));
        }
        _ => return Err(bad("expected type=bind or type=tmpfs")),
    };
    Ok(MountRequest { read_only: fields.read_only, ..MountRequest::new(target, kind) })
}

fn fields(word: &str) -> Result<Fields> {
    let bad = |why: String| Usage::argument(format!("invalid argument `{word}` for --mount: {why}"));
    let mut fields = Fields::default();
    for field in comma_separated(word).ok_or_else(|| bad("unterminated quote".to_owned()))? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.trim().to_ascii_lowercase(), Some(value)),
            None => (field.trim().to_ascii_lowercase(), None),
        };
        let truth = |value: Option<&str>| {
            value
                .map_or(Ok(true), crate::command::truth)
                .map_err(|why| bad(format!("invalid value for {key}: {why}")))
        };
        let needed = || value.ok_or_else(|| bad(format!("invalid field `{field}` must be a key=value pair")));
        match key.as_str() {
            "type" => fields.kind = Some(needed()?.to_ascii_lowercase()),
            "source" | "src" => fields.source = Some(needed()?.to_owned()),
            "target" | "destination" | "dst" => fields.target = Some(needed()?.to_owned()),
            "readonly" | "ro" => fields.read_only = truth(value)?,
            "bind-propagation" => {
                let name = needed()?;
                let read = propagation(name);
                fields.propagation = Some(read.ok_or_else(|| bad(format!("invalid propagation `{name}`")))?);
            }
            "bind-nonrecursive" => {
                fields.recursive = Some(if truth(value)? { Recursion::Disabled } else { Recursion::Enabled });
            }
            "bind-recursive" => {
                fields.recursive = Some(match needed()? {
                    "enabled" => Recursion::Enabled,
                    "disabled" => Recursion::Disabled,
                    "writable" => Recursion::Writable,
                    "readonly" => Recursion::ReadOnly,
                    other => {
                        let known = r#"must be "enabled", "disabled", "writable", or "readonly""#;
                        return Err(bad(format!("invalid value for {key}: {other} ({known})")));
                    }
                });
            }
            // For Docker Desktop; no effect on Linux.
            "consistency" => {}
            "tmpfs-size" => fields.size = Some(size("tmpfs-size", needed()?)?),
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(needed()?, 8).ok().filter(|mode| *mode <= 0o7777);
                fields.mode = Some(mode.ok_or_else(|| bad("tmpfs-mode must be an octal number".to_owned()))?);
            }
            "volume-driver" | "volume-label" | "volume-nocopy" | "volume-opt" | "volume-subpath"
            | "image-subpath" => {
                return Err(bad(format!("{key} is not supported yet")));
            }
            _ => return Err(bad(format!("unexpected key `{key}` in `{field}`"))),
        }
    }
    Ok(fields)
}

/// Splits at commas. A field in double quotes can contain commas, and `""` for a quote.
fn comma_separated(text: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => fields.last_mut()?.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut()?.push(c),
        }
    }
    (!quoted).then_some(fields)
}

/// Mount options of a tmpfs without a value.
const FLAGS: &[&str] = &[
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "defaults",
];
/// Mount options of a tmpfs with a value.
const VALUES: &[&str] = &["uid", "gid", "nr_inodes", "nr_blocks", "mpol", "size"];

/// Parses `/path[:size=64m,mode=1770,noexec]`.
fn memory(word: &str) -> Result<MountRequest> {
    let (path, words) = word.split_once(':').unwrap_or((word, ""));
    let bad = |option: &str| Usage::argument(format!("invalid option `{option}` in `--tmpfs {word}`"));
    let mut tmpfs = Tmpfs::default();
    let mut read_only = false;
    for option in words.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            None if option == "ro" => read_only = true,
            None if FLAGS.contains(&option) => tmpfs.options.push(option.to_owned()),
            // The kernel computes percentages of memory.
            Some(("size", share)) if share.ends_with('%') => tmpfs.options.push(option.to_owned()),
            Some(("size", bytes)) => tmpfs.size = Some(size("--tmpfs size", bytes)?),
            Some(("mode", mode)) => {
                tmpfs.mode = Some(u32::from_str_radix(mode, 8).map_err(|_| bad(option))?);
            }
            Some((key, _)) if VALUES.contains(&key) => tmpfs.options.push(option.to_owned()),
            _ => return Err(bad(option)),
        }
    }
    Ok(MountRequest { read_only, ..MountRequest::new(target(word, path)?, MountKind::Tmpfs(tmpfs)) })
}
