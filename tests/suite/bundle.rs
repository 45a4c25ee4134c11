//! A separate bundle for each test: a root with busybox, a `config.json` that can be changed, and
//! `hoist oci` with its own state folder.
//!
//! Dropping it deletes its containers and their cgroups.

use std::ffi::OsStr;
use std::fs;
use std::io::{IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use serde_json::{Value, json};

use crate::support::copy_program;

/// The binary under test.
pub(crate) const HOIST: &str = env!("CARGO_BIN_EXE_hoist");

/// The names of busybox in the root.
const APPLETS: &[&str] = &[
    "sh", "ls", "cat", "id", "ps", "mount", "echo", "true", "false", "sleep", "hostname", "grep", "stat",
    "touch", "env", "ifconfig", "wc", "tty", "kill", "mkdir", "chmod", "unshare", "umount", "pwd", "head",
    "tail", "test", "ln", "rm", "mknod", "dd", "readlink", "sort", "tr", "cut", "seq", "printf", "stty",
    "date", "chroot", "ip", "mv", "find", "cmp",
];

/// Docker's default capabilities.
pub(crate) const DOCKER_CAPS: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// A bundle, and the containers created from it.
pub(crate) struct Bundle {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) config: Value,
    /// Its path below the root of each cgroup tree.
    cgroup: String,
}

/// The output of a command and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Returns the output without its last newline, or panics if the command failed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.out, self.err);
        self.out.trim_end_matches('\n').to_owned()
    }

    /// Returns the error output, or panics if the command succeeded.
    #[track_caller]
    pub(crate) fn fails(self) -> String {
        assert_ne!(self.code, 0, "stdout: {}\nstderr: {}", self.out, self.err);
        self.err
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Bundle {
    /// Creates a bundle that runs this shell script.
    pub(crate) fn sh(script: &str) -> Self {
        let bundle = Self::new();
        bundle.with(|config| config["process"]["args"] = json!(["sh", "-c", script]))
    }

    /// Creates a bundle that runs `true`.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("hoist-oci-").tempdir().unwrap();
        let root = dir.path().join("rootfs");
        for folder in ["bin", "proc", "sys", "dev", "etc", "tmp"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        copy_program("/bin/busybox", &root.join("bin/busybox"));
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        let said: Said =
            Command::new(HOIST).args(["oci", "spec", "--bundle"]).arg(dir.path()).output().unwrap().into();
        said.ok();
        let mut config: Value =
            serde_json::from_slice(&fs::read(dir.path().join("config.json")).unwrap()).unwrap();
        let name = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
        config["linux"]["cgroupsPath"] = json!(format!("/{name}/c"));
        config["root"]["readonly"] = json!(false);
        config["process"]["args"] = json!(["true"]);
        config["process"]["noNewPrivileges"] = json!(false);
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = json!(DOCKER_CAPS);
        }
        Self { dir, config, cgroup: name }
    }

    /// Changes the `config.json`.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.config);
        self
    }

    /// Adds a mount.
    pub(crate) fn with_mount(self, mount: Value) -> Self {
        self.with(|config| config["mounts"].as_array_mut().unwrap().push(mount))
    }

    /// Returns a path in the root file system.
    pub(crate) fn in_root(&self, path: &str) -> PathBuf {
        self.dir.path().join("rootfs").join(path)
    }

    /// Returns a path beside the root file system.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes the current `config.json`.
    pub(crate) fn write(&self) {
        fs::write(self.path("config.json"), serde_json::to_vec_pretty(&self.config).unwrap()).unwrap();
    }

    /// Returns a command that runs `hoist oci` with this bundle's state folder.
    pub(crate) fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, words: I) -> Command {
        let mut command = Command::new(HOIST);
        command.args(["oci", "--root"]).arg(self.path("state")).args(words).stdin(Stdio::null());
        command.current_dir(self.dir.path());
        command
    }

    /// Runs `hoist oci` and waits for it.
    pub(crate) fn oci<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, words: I) -> Said {
        self.command(words).output().unwrap().into()
    }

    /// Runs the bundle and waits for it.
    pub(crate) fn run(&self) -> Said {
        self.write();
        self.oci(["run", "c"])
    }

    /// Creates and starts the container `c` with its streams connected to /dev/null.
    #[track_caller]
    pub(crate) fn start(&self) {
        self.write();
        let made =
            self.command(["create", "c"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // The container inherits its standard error, which stays open, so wait only for the exit.
        let status = wait(made);
        assert_eq!(status, 0, "create failed");
        self.oci(["start", "c"]).ok();
    }

    /// Runs a shell script in the container `c`.
    pub(crate) fn exec(&self, script: &str) -> Said {
        self.oci(["exec", "c", "sh", "-c", script])
    }

    /// Returns the cgroups of its containers in all trees.
    pub(crate) fn groups(&self) -> Vec<PathBuf> {
        let root = Path::new("/sys/fs/cgroup");
        let trees = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
        let groups = trees.chain([root.to_owned()]).map(|tree| tree.join(&self.cgroup).join("c"));
        groups.filter(|group| group.exists()).collect()
    }

    /// Returns the output of `hoist oci state` for `c`.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.oci(["state", "c"]).ok()).unwrap()
    }
}

/// Waits for a process without reading its output.
fn wait(mut child: std::process::Child) -> i32 {
    child.wait().unwrap().code().unwrap_or(-1)
}

/// Receives the terminal sent over a console socket.
pub(crate) fn receive_terminal(listener: &UnixListener) -> OwnedFd {
    let (stream, _) = listener.accept().unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut name = [0; 64];
    rustix::net::recvmsg(&stream, &mut [IoSliceMut::new(&mut name)], &mut control, RecvFlags::CMSG_CLOEXEC)
        .unwrap();
    control
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        })
        .expect("a descriptor came")
}

/// Reads from a terminal until its other end is closed.
pub(crate) fn read_all(master: OwnedFd) -> String {
    let mut master = fs::File::from(master);
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length) = master.read(&mut piece) {
        if length == 0 {
            break;
        }
        text.extend_from_slice(&piece[..length]);
    }
    String::from_utf8(text).unwrap()
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let list = self.oci(["list", "-q"]);
        for id in list.out.lines() {
            self.oci(["delete", "-f", id]);
        }
        let root = Path::new("/sys/fs/cgroup");
        let trees = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
        for tree in trees.chain([root.to_owned()]) {
            let group = tree.join(&self.cgroup);
            let removed = if group.exists() { fs::remove_dir(&group) } else { Ok(()) };
            if !std::thread::panicking() {
                removed.expect("no group of a container is left");
            }
        }
    }
}
