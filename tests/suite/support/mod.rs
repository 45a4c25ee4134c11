//! A separate engine for each test, and helper functions.
//!
//! [`Home`] owns two folders. Dropping it runs `hoist system reset -f`, which cleans up even after
//! a failed test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hoist::internals::base::Paths;
use hoist::internals::sys::probe::Probe;

mod skip;
pub(crate) use skip::skipped;

/// The binary under test.
pub(crate) const HOIST: &str = env!("CARGO_BIN_EXE_hoist");

/// Copies a program by cp(1). While this process had the copy open for writing, a child of another
/// test could inherit it, and the copy could not be executed (ETXTBSY).
pub(crate) fn copy_program(from: &str, to: &Path) {
    let status = Command::new("cp").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "cp {from} {}", to.display());
}

/// Whether the tests run in a user namespace, where some features are not available.
pub(crate) fn in_user_namespace() -> bool {
    Probe::now().unwrap().in_user_namespace
}

/// Whether memory is accounted and limited. It is not if `tests/on-v2` has only the controllers
/// that a hybrid machine leaves to cgroup v2.
#[track_caller]
pub(crate) fn has_memory_controller() -> bool {
    let v2 = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let found =
        v2.split_whitespace().any(|name| name == "memory") || Path::new("/sys/fs/cgroup/memory").exists();
    if !found {
        skipped("what needs a memory controller: this cgroup tree has none");
    }
    found
}

/// An engine for a test.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

/// The output of a command and its exit code.
#[derive(Debug, PartialEq, Eq)]
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

    /// Returns the error output, or panics if the command did not exit with `code`.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
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

impl Home {
    /// Creates an engine without images.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("hoist-test-").tempdir().unwrap() }
    }

    /// Creates an engine with the image `busybox`: Debian's static busybox with all its links.
    pub(crate) fn with_busybox() -> Self {
        let home = Self::new();
        let tar = home.path("busybox.tar");
        busybox_tar(&tar);
        home.hoist(["import", "--change", "CMD sh", tar.to_str().unwrap(), "busybox"]).ok();
        home
    }

    /// Returns a path in the test's temporary folder, outside the engine's state.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the folder for `--root`.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// Returns the folder for `--run-root`.
    pub(crate) fn run_root(&self) -> PathBuf {
        self.path("run")
    }

    /// Returns a command that runs hoist with this engine.
    pub(crate) fn command<I, S>(&self, words: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(HOIST);
        command
            .arg("--root")
            .arg(self.root())
            .arg("--run-root")
            .arg(self.run_root())
            .args(words)
            .env_remove("HOIST_ROOT")
            .env_remove("HOIST_RUN_ROOT")
            .env("HOIST_CONFIG", empty_config(self.dir.path()))
            // The TUI's saved state, and the user's themes and keys, belong to this home.
            .env("XDG_STATE_HOME", self.dir.path().join("state"))
            .env("XDG_CONFIG_HOME", self.dir.path().join("config"))
            .stdin(Stdio::null());
        command
    }

    /// Runs hoist and waits for it.
    pub(crate) fn hoist<I, S>(&self, words: I) -> Said
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command(words).output().unwrap().into()
    }

    /// Runs hoist with these bytes on its standard input, and waits for it.
    pub(crate) fn hoist_with<I, S>(&self, words: I, input: &[u8]) -> Said
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = input.to_vec();
        // The reader may exit without reading everything.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output.into()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let said = self.hoist(["system", "reset", "-f"]);
        end_all(&Paths::new(self.root(), self.run_root()));
        if said.code != 0 && !std::thread::panicking() {
            panic!("the engine could not be taken away: {said:?}");
        }
    }
}

/// Returns the existing parents of an engine's cgroups, in the single tree or in that of each
/// controller.
pub(crate) fn cgroup_parents(paths: &Paths) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let trees = std::fs::read_dir(root).into_iter().flatten().flatten().map(|tree| tree.path());
    let parents = trees.chain([root.to_owned()]).map(|tree| tree.join(paths.engine_name()));
    parents.filter(|parent| parent.is_dir()).collect()
}

/// Returns all cgroups of an engine, deepest first.
pub(crate) fn groups_of(paths: &Paths) -> Vec<PathBuf> {
    let mut groups = cgroup_parents(paths);
    let mut at = 0;
    while let Some(group) = groups.get(at) {
        let below = std::fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
        groups.extend(below.filter(|path| path.is_dir()).collect::<Vec<_>>());
        at += 1;
    }
    groups.reverse();
    groups
}

/// Returns the processes of the machine with their command lines.
pub(crate) fn command_lines() -> Vec<(i32, Vec<u8>)> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.map(|pid| (pid, std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())).collect()
}

/// Returns an engine's monitors, and the processes of its containers.
pub(crate) fn processes_of(paths: &Paths) -> Vec<i32> {
    let numbers =
        |text: String| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>();
    let read = |path: PathBuf| std::fs::read_to_string(path).map(numbers).unwrap_or_default();
    let mut pids: Vec<i32> =
        groups_of(paths).into_iter().flat_map(|group| read(group.join("cgroup.procs"))).collect();
    let root = paths.root().as_os_str().as_encoded_bytes();
    for (pid, words) in command_lines() {
        if words.starts_with(b"hoist\0monitor\0") && words.split(|byte| *byte == 0).any(|word| word == root) {
            // Without cgroups, there is no other way to find its children.
            pids.extend(read(format!("/proc/{pid}/task/{pid}/children").into()));
            pids.push(pid);
        }
    }
    pids
}

/// Kills the remaining processes of an engine, to leave nothing running after a failed test, even
/// one that cannot clean up. Panics if a process survives.
pub(crate) fn end_all(paths: &Paths) {
    for _ in 0..1000 {
        let pids = processes_of(paths);
        for group in groups_of(paths) {
            let _ = std::fs::write(group.join("cgroup.freeze"), "0"); // v2 only
            if pids.is_empty() {
                let _ = std::fs::remove_dir(group);
            }
        }
        if pids.is_empty() {
            return;
        }
        pids.iter().for_each(|&pid| drop(hoist::internals::sys::signal::send(pid, libc::SIGKILL)));
        std::thread::sleep(std::time::Duration::from_millis(5)); // they take a moment to exit
    }
    let pids = processes_of(paths);
    assert!(pids.is_empty() || std::thread::panicking(), "these survive: {pids:?}");
}

fn empty_config(dir: &Path) -> PathBuf {
    let path = dir.join("config.toml");
    if !path.exists() {
        File::create(&path).unwrap();
    }
    path
}

/// Creates an archive of a root file system with Debian's static busybox and a link for every
/// applet.
pub(crate) fn busybox_tar(path: &Path) {
    let busybox = Path::new("/bin/busybox");
    let list = Command::new(busybox).arg("--list").output();
    let list = list.expect("the Debian package busybox-static is installed (tests/all does it)");
    let applets = String::from_utf8(list.stdout).unwrap();
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    let mut add = |name: &str, kind: tar::EntryType, mode: u32, target: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_size(bytes.len() as u64);
        if target.is_empty() {
            tar.append_data(&mut header, name, bytes).unwrap();
        } else {
            tar.append_link(&mut header, name, target).unwrap();
        }
    };
    use tar::EntryType::{Directory, Regular, Symlink};
    for dir in ["bin/", "etc/", "root/", "proc/", "sys/", "dev/", "usr/", "usr/bin/", "var/"] {
        add(dir, Directory, 0o755, "", b"");
    }
    add("tmp/", Directory, 0o1777, "", b"");
    add(
        "etc/passwd",
        Regular,
        0o644,
        "",
        b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n",
    );
    add("etc/group", Regular, 0o644, "", b"root:x:0:\nuser:x:1000:\nextra:x:2000:user\n");
    add("bin/busybox", Regular, 0o755, "", &std::fs::read(busybox).unwrap());
    for applet in applets.lines().filter(|applet| *applet != "busybox") {
        add(&format!("bin/{applet}"), Symlink, 0o777, "busybox", b"");
    }
    tar.into_inner().unwrap().flush().unwrap();
}
