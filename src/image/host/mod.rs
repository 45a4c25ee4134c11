//! Creates an image from this machine's programs and the libraries they need. This allows a first
//! container without a registry, and packs a program in one step.
//!
//! The same programs give the same layer: entries are sorted, and arbitrary times are fixed.

pub mod closure;
pub mod linker;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::commit::Commit;
use super::error::{Error, Result};
use super::layer::Layer;
use super::lease::Lease;
use super::store::Store;
use crate::base::disk;
use crate::base::progress::Reporter;
use crate::layer::WRITER_VERSION;
use crate::layer::tar::{Entry, Kind, Writer};
use crate::oci::{ImageId, Platform, Reference};
use crate::sys::fs::Timespec;
use crate::sys::xattr;
use closure::{Closure, Item, PATH};

/// A shell and core tools; those that the machine lacks are skipped.
pub const DEFAULT_PROGRAMS: &[&str] = &[
    "sh",
    "bash",
    "ls",
    "cat",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "rmdir",
    "ln",
    "chmod",
    "chown",
    "touch",
    "echo",
    "printf",
    "test",
    "[",
    "true",
    "false",
    "sleep",
    "env",
    "id",
    "whoami",
    "hostname",
    "uname",
    "date",
    "pwd",
    "head",
    "tail",
    "sort",
    "uniq",
    "wc",
    "cut",
    "tr",
    "tee",
    "seq",
    "yes",
    "dd",
    "df",
    "du",
    "stat",
    "basename",
    "dirname",
    "readlink",
    "realpath",
    "mktemp",
    "md5sum",
    "sha256sum",
    "grep",
    "sed",
    "awk",
    "find",
    "xargs",
    "tar",
    "gzip",
    "ps",
    "kill",
    "top",
    "less",
    "vi",
    "clear",
    "tty",
    "stty",
    "mount",
    "umount",
    "ip",
    "ping",
];

/// Shells in order of preference, for the image's default command.
const SHELLS: &[&str] = &["bash", "zsh", "fish", "ash", "dash", "sh"];
/// Terminal types that a session may use.
const TERMINALS: &[&str] = &[
    "xterm",
    "xterm-256color",
    "linux",
    "screen",
    "screen-256color",
    "tmux",
    "tmux-256color",
    "vt100",
    "dumb",
];

/// Returns the programs of [`DEFAULT_PROGRAMS`] that this machine has.
#[must_use]
pub fn default_programs() -> Vec<String> {
    let there = |name: &&&str| closure::find(name).is_some();
    DEFAULT_PROGRAMS.iter().filter(there).map(|name| (*name).to_owned()).collect()
}

/// Creates an image named `name` from these programs, given by name or path.
///
/// # Errors
///
/// [`Error::NoProgram`], [`Error::NoLibrary`], [`Error::NoInterpreter`].
pub fn from_host(
    store: &Store,
    name: &Reference,
    programs: &[String],
    reporter: &Reporter,
) -> Result<ImageId> {
    if programs.is_empty() {
        return Err(Error::Invalid("specify at least one program".to_owned()));
    }
    let mut closure = Closure::default();
    let mut paths = Vec::with_capacity(programs.len());
    for name in programs {
        if reporter.is_cancelled() {
            return Err(Error::Interrupted);
        }
        paths.push(closure.add_program(name)?);
    }
    add_system(&mut closure, &paths)?;
    let lease = store.lease()?;
    let layer = pack(store, &lease, &closure, reporter)?;
    let platform = Platform::host();
    let now = Timestamp::now().to_string();
    let config = json!({
        "architecture": platform.arch,
        "os": platform.os,
        "variant": platform.variant.unwrap_or_default(),
        "created": now,
        "config": { "Env": [format!("PATH={}", PATH.join(":"))], "Cmd": command(&paths), "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [layer.diff_id] },
        "history": [{
            "created": now,
            "created_by": format!("hoist image from-host {}", programs.join(" ")),
            "comment": "programs of this machine and the libraries they need",
        }],
    });
    let config = config.to_string();
    let names = std::slice::from_ref(name);
    store.commit(&lease, &Commit { config: config.as_bytes(), names, ..Commit::default() })
}

/// Returns the preferred shell among the programs, or else the first program.
fn command(paths: &[PathBuf]) -> Vec<String> {
    let is = |path: &&PathBuf, name: &str| path.file_name().is_some_and(|last| last == name);
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    if let Some(shell) = SHELLS.iter().find_map(|shell| paths.iter().find(|path| is(path, shell))) {
        return vec![text(shell)];
    }
    match paths.iter().find(|path| is(path, "busybox")) {
        Some(busybox) => vec![text(busybox), "sh".to_owned()],
        None => paths.first().map(text).into_iter().collect(),
    }
}

/// Adds what programs expect of a system, and nothing that reveals details of this machine.
fn add_system(closure: &mut Closure, programs: &[PathBuf]) -> Result<()> {
    // With a merged /usr, `/bin/sh` and `/lib64/ld-linux…` must resolve as they do here.
    for link in ["bin", "sbin", "lib", "lib64"] {
        let path = Path::new("/").join(link);
        if let Ok(target) = fs::read_link(&path)
            && let Some(inside) = target.to_str().map(|target| target.trim_start_matches('/').to_owned())
        {
            closure.add_folder(&inside, 0o755);
            closure.items.insert(link.into(), Item::Link(target));
        }
    }
    for (folder, mode) in [
        ("dev", 0o755),
        ("etc", 0o755),
        ("home", 0o755),
        ("proc", 0o555),
        ("root", 0o700),
        ("run", 0o755),
        ("sys", 0o555),
        ("tmp", 0o1777),
        ("usr/bin", 0o755),
        ("var/tmp", 0o1777),
    ] {
        closure.add_folder(folder, mode);
    }
    let file =
        |name: &str| closure.items.keys().any(|path| path.file_name().is_some_and(|last| last == name));
    let has_sh = file("sh");
    let (uses_terminals, uses_glibc) = (file("libtinfo.so.6") || file("libncursesw.so.6"), file("libc.so.6"));
    let busybox = programs.iter().find(|path| path.file_name().is_some_and(|name| name == "busybox"));
    if let (false, Some(busybox)) = (has_sh, busybox) {
        let place = if closure.items.contains_key(Path::new("bin")) { "usr/bin/sh" } else { "bin/sh" };
        closure.add_folder(place.trim_end_matches("/sh"), 0o755);
        closure.items.insert(place.into(), Item::Link(busybox.clone()));
    }
    if uses_terminals {
        for terminal in TERMINALS {
            for folder in ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"] {
                let path = Path::new(folder).join(&terminal[..1]).join(terminal);
                closure.add_if_there(&path)?;
            }
        }
    }
    if uses_glibc {
        // Before glibc 2.34, name look-ups used modules that no ELF header mentions.
        let folders: Vec<PathBuf> = closure
            .items
            .keys()
            .filter(|path| path.file_name().is_some_and(|name| name == "libc.so.6"))
            .filter_map(|path| path.parent().map(|folder| Path::new("/").join(folder)))
            .collect();
        for folder in folders {
            closure.add_if_there(&folder.join("libnss_files.so.2"))?;
            closure.add_if_there(&folder.join("libnss_dns.so.2"))?;
        }
    }
    if closure.needs_cache() {
        closure.add_if_there(Path::new("/etc/ld.so.cache"))?;
    }
    add_etc(closure);
    Ok(())
}

fn add_etc(closure: &mut Closure) {
    closure.add_text(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    );
    closure.add_text("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
    closure.add_text(
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    );
    closure.add_text("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let release = disk::read(Path::new("/etc/os-release"), 64 << 10).unwrap_or_default();
    closure.add_text("etc/os-release", release);
}

/// Packs the layer so that writing it again from its folder gives the same tar.
fn pack(store: &Store, lease: &Lease, closure: &Closure, reporter: &Reporter) -> Result<Layer> {
    store.unpack_written(lease, ("host", Some(WRITER_VERSION)), reporter, |pipe| write_tar(closure, pipe))
}

fn write_tar(closure: &Closure, pipe: io::PipeWriter) -> Result<()> {
    let mut writer = Writer::new(pipe);
    for (path, item) in &closure.items {
        let mut entry = Entry {
            path: path.as_os_str().as_bytes().to_vec(),
            link: Vec::new(),
            kind: Kind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: Timespec { tv_sec: 0, tv_nsec: 0 },
            size: 0,
            extents: None,
            device: (0, 0),
            xattrs: Vec::new(),
        };
        match item {
            Item::Folder(mode) => {
                (entry.kind, entry.mode) = (Kind::Directory, *mode);
                writer.add(&entry, io::empty())?;
            }
            Item::Link(target) => {
                (entry.kind, entry.mode) = (Kind::Symlink, 0o777);
                entry.link = target.as_os_str().as_bytes().to_vec();
                writer.add(&entry, io::empty())?;
            }
            Item::Text(text) => {
                entry.size = text.len() as u64;
                writer.add(&entry, text.as_slice())?;
            }
            Item::HostFile => add_file(&mut writer, entry, path)?,
        }
    }
    writer.finish()?;
    Ok(())
}

fn add_file(writer: &mut Writer<io::PipeWriter>, mut entry: Entry, path: &Path) -> Result<()> {
    let host = Path::new("/").join(path);
    let file = File::open(&host).map_err(disk::Error::io("open", &host))?;
    let meta = file.metadata().map_err(disk::Error::io("stat", &host))?;
    let mode = meta.permissions().mode();
    // Everything belongs to root, so only root's set-user-id bit keeps its meaning.
    let set_id = if meta.uid() == 0 { mode & 0o4000 } else { 0 };
    entry.mode = (mode & 0o777) | set_id;
    entry.mtime.tv_sec = meta.mtime();
    entry.size = meta.len();
    if let Some(capability) = xattr::get_place(&file, OsStr::from_bytes(b"security.capability"))? {
        entry.xattrs.push((b"security.capability".to_vec(), capability));
    }
    Ok(writer.add(&entry, file)?)
}
