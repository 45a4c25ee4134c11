//! Makes an image of this machine's programs and the libraries they need: so that the
//! first container runs where no registry is in reach, and a program is packed in one step.
//!
//! The same programs give the same layer: entries are sorted, times are fixed where they
//! would be chance.

pub mod closure;
pub mod elf;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::commit::Commit;
use super::error::{Error, Result};
use super::layer::Layer;
use super::lease::Lease;
use super::store::Store;
use crate::base::disk;
use crate::base::progress::Reporter;
use crate::layer::LayerSource;
use crate::oci::{ImageId, Platform, Reference};
use crate::sys::{check, xattr};
use closure::{Closure, Item, PATH};

/// A shell and core tools, as far as this machine has them: enough to look around.
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

/// Shells, the best one first: what the image runs when nothing is named.
const SHELLS: &[&str] = &["bash", "zsh", "fish", "ash", "dash", "sh"];
/// Terminals that a session may come from.
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

/// The programs of [`DEFAULT_PROGRAMS`] that this machine has.
#[must_use]
pub fn default_programs() -> Vec<String> {
    let there = |name: &&&str| closure::find(name).is_some();
    DEFAULT_PROGRAMS.iter().filter(there).map(|name| (*name).to_owned()).collect()
}

/// Makes an image of these programs, names or paths, and calls it `name`.
///
/// # Errors
///
/// [`Error::NoProgram`], [`Error::NoLibrary`].
pub fn from_host(
    store: &Store,
    name: &Reference,
    programs: &[String],
    reporter: &Reporter,
) -> Result<ImageId> {
    if programs.is_empty() {
        return Err(Error::Invalid("name at least one program".to_owned()));
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

/// The best shell among the programs, else the first program.
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

/// What every program expects around it, and nothing that tells of this machine.
fn add_system(closure: &mut Closure, programs: &[PathBuf]) -> Result<()> {
    // With a merged /usr, `/bin/sh` and `/lib64/ld-linux…` must lead where they do here.
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
        // Before 2.34 names were looked up by modules that no header tells of.
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

/// Writes the tar into a pipe, and unpacks it from there: one way in for all layers.
fn pack(store: &Store, lease: &Lease, closure: &Closure, reporter: &Reporter) -> Result<Layer> {
    let (reader, writer) = io::pipe().map_err(Error::read("a pipe"))?;
    std::thread::scope(|scope| {
        let writing = std::thread::Builder::new().spawn_scoped(scope, move || write_tar(closure, writer));
        let writing = check(writing, || "start a thread".to_owned())?;
        let source = LayerSource { reader: Box::new(reader), diff_id: None, size: None, name: "host" };
        let layer = store.unpack(lease, source, reporter);
        match writing.join() {
            // What failed first is why the other end broke.
            Ok(Err(error)) if !is_broken_pipe(&error) => Err(error),
            Ok(_) => layer,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Whether the reader went first.
fn is_broken_pipe(error: &Error) -> bool {
    let causes = iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let mut causes = causes.filter_map(|error| error.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn write_tar(closure: &Closure, writer: impl Write) -> Result<()> {
    let mut builder = Builder::new(io::BufWriter::with_capacity(64 << 10, writer));
    for (path, item) in &closure.items {
        let failed = |source| Error::from(disk::Error::io("pack", Path::new("/").join(path))(source));
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        match item {
            Item::Folder(mode) => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(*mode);
                builder.append_data(&mut header, path, io::empty()).map_err(failed)?;
            }
            Item::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                builder.append_link(&mut header, path, target).map_err(failed)?;
            }
            Item::Text(text) => {
                header.set_mode(0o644);
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, path, text.as_slice()).map_err(failed)?;
            }
            Item::HostFile => append_file(&mut builder, header, path)?,
        }
    }
    let finished = builder.into_inner().and_then(|mut writer| writer.flush());
    finished.map_err(Error::read("the archive of programs"))
}

fn append_file(builder: &mut Builder<impl Write>, mut header: Header, path: &Path) -> Result<()> {
    let host = Path::new("/").join(path);
    let file = File::open(&host).map_err(disk::Error::io("open", &host))?;
    let meta = file.metadata().map_err(disk::Error::io("stat", &host))?;
    let mode = meta.permissions().mode();
    // Everything belongs to root, so only root's set-id bit keeps its meaning.
    let set_id = if meta.uid() == 0 { mode & 0o4000 } else { 0 };
    header.set_mode((mode & 0o777) | set_id);
    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
    header.set_size(meta.len());
    let capability = xattr::get_place(&file, OsStr::from_bytes(b"security.capability"))?;
    if let Some(capability) = capability {
        let record = [("SCHILY.xattr.security.capability", capability.as_slice())];
        builder.append_pax_extensions(record).map_err(disk::Error::io("pack", &host))?;
    }
    let mut counted = Exactly { file, left: meta.len() };
    Ok(builder.append_data(&mut header, path, &mut counted).map_err(disk::Error::io("pack", &host))?)
}

/// A file of the size it had when it was opened, or an error.
struct Exactly {
    file: File,
    left: u64,
}

impl io::Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let len = self.file.read(&mut buffer[..limit])?;
        if len == 0 && limit > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.left -= len as u64;
        Ok(len)
    }
}
