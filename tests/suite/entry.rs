//! What a container sees of a process that enters it: nothing that it does not have itself. Needs
//! root, or a user namespace that maps it.

#![allow(unsafe_code, reason = "the test stops a program at its execve with bare system calls")]

use std::ffi::CString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::bundle::{Bundle, DOCKER_CAPS, HOIST};
use crate::support::{in_user_namespace, skipped};
use hoist::internals::runtime::seccomp;
use hoist::internals::sys::cap::{Cap, CapSet};
use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::{Value, json};

/// Docker's capabilities and filter, plus CAP_SYS_PTRACE.
fn with_ptrace(bundle: Bundle) -> Bundle {
    let names: Vec<&str> = DOCKER_CAPS.iter().copied().chain(["CAP_SYS_PTRACE"]).collect();
    let caps: CapSet = names.iter().map(|name| name.parse::<Cap>().unwrap()).collect();
    let filter = seccomp::default_profile().unwrap().for_container(caps, (6, 1));
    bundle.with(|config| {
        config["linux"]["seccomp"] = serde_json::to_value(filter).unwrap();
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = json!(names);
        }
    })
}

/// A container that runs `tests/attack/tracer.c`, which tries to read this file.
fn attacked(secret: &Path) -> Bundle {
    let bundle = with_ptrace(Bundle::new());
    let built = Command::new("cc")
        .args(["-static", "-O1", "-o"])
        .arg(bundle.in_root("tracer"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attack/tracer.c"))
        .status();
    assert!(built.unwrap().success(), "Debian's gcc and libc6-dev are needed");
    bundle.with(|config| config["process"]["args"] = json!(["/tracer", secret]))
}

/// The running tracer in a container.
struct Tracer {
    child: Child,
    said: BufReader<ChildStdout>,
    /// The lines read so far.
    told: String,
}

impl Tracer {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut tracer = Self { child, said, told: String::new() };
        tracer.wait_for(|line| line == "ready");
        tracer
    }

    /// Reads up to a line that matches.
    #[track_caller]
    fn wait_for(&mut self, is_it: impl Fn(&str) -> bool) {
        loop {
            let from = self.told.len();
            assert!(self.said.read_line(&mut self.told).unwrap() > 0, "it ended: {}", self.told);
            if is_it(self.told[from..].trim_end()) {
                break;
            }
        }
    }

    fn has_said_more(&self) -> bool {
        let mut polled = [PollFd::new(self.said.get_ref(), PollFlags::IN)];
        !self.said.buffer().is_empty()
            || rustix::event::poll(&mut polled, Some(&Timespec::default())).unwrap() > 0
    }

    /// Returns all output after the tracer exits.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        self.said.read_to_string(&mut self.told).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.told);
        self.told
    }
}

/// Asserts that something was traced, nothing was opened, and traced processes held nothing else.
#[track_caller]
fn assert_harmless(told: &str, may_hold: impl Fn(&str) -> bool) {
    assert!(told.contains("\nopened 0, traced ") && !told.contains("\nopened 0, traced 0,"), "{told}");
    let mut held = told.lines().filter(|line| line.starts_with("held by "));
    assert!(held.all(may_hold), "{told}");
}

#[test]
fn who_traces_what_enters_gets_nothing_that_the_container_has_not() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let bundle = attacked(secret.path());
    bundle.write();
    let mut tracer = Tracer::start(bundle.command(["run", "c"]));
    // It can trace a process that keeps running.
    let mut stays = bundle.command(["exec", "-d", "c", "sleep", "1000"]);
    assert!(stays.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    tracer.wait_for(|line| line.starts_with("traced "));
    // Whether it is fast enough to trace processes that exit immediately is up to the scheduler; it
    // usually catches some.
    for round in 0..1000 {
        bundle.oci(["exec", "c", "true"]).ok();
        bundle.oci(["exec", "--no-new-privs", "c", "true"]).ok();
        bundle.oci(["exec", "-d", "-u", "0:0", "c", "true"]).ok();
        if round >= 40 && tracer.has_said_more() {
            break;
        }
    }
    assert_harmless(&tracer.end(), |_| false);
}

/// A created container that waits for its start is visible to everything executed in it.
#[test]
fn a_created_container_waits_as_the_program_for_what_enters_it() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let bundle = attacked(secret.path()).with(|config| config["process"]["args"] = json!(["true"]));
    bundle.write();
    let mut create = Command::new("sh");
    create.args(["-c", "exec \"$@\" 9</", "sh", HOIST, "oci", "--root"]).arg(bundle.path("state"));
    create.args(["create", "c"]).current_dir(bundle.dir.path());
    create.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(create.status().unwrap().success());

    let pid = i32::try_from(bundle.state()["pid"].as_i64().unwrap()).unwrap();
    let init = Seen(pid);
    init.check_descriptors(bundle.dir.path());
    assert_eq!((init.status("Seccomp"), init.status("CapPrm")), ("2".to_owned(), DOCKERS.to_owned()));
    assert_eq!(init.status("CapInh") + &init.status("CapAmb"), [NONE, NONE].concat());

    let mut exec = bundle.command(["exec", "c", "/tracer"]);
    exec.arg(secret.path());
    let mut tracer = Tracer::start(exec);
    tracer.wait_for(|line| line == "traced 1");
    assert_harmless(&tracer.end(), |_| false);
    bundle.oci(["start", "c"]).ok();
}

/// Stops any process that executes a file, until it is released.
struct AtExecve(OwnedFd);

/// A process that is about to execute the file.
struct Stopped<'a> {
    watch: &'a AtExecve,
    event: libc::c_int,
    seen: Seen,
}

/// A process as seen from the host.
struct Seen(i32);

impl AtExecve {
    fn of(file: &Path) -> Self {
        let (class, mode) = (libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC, libc::O_RDONLY.cast_unsigned());
        // SAFETY: the call takes two numbers.
        let fd = unsafe { libc::fanotify_init(class, mode) };
        assert!(fd >= 0, "fanotify_init: {}", std::io::Error::last_os_error());
        // SAFETY: the kernel just opened it for us.
        let watch = unsafe { OwnedFd::from_raw_fd(fd) };
        let path = CString::new(file.to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string that outlives the call.
        let marked = unsafe {
            libc::fanotify_mark(
                fd,
                libc::FAN_MARK_ADD,
                libc::FAN_OPEN_EXEC_PERM,
                libc::AT_FDCWD,
                path.as_ptr(),
            )
        };
        assert_eq!(marked, 0, "fanotify_mark: {}", std::io::Error::last_os_error());
        Self(watch)
    }

    fn next(&self) -> Stopped<'_> {
        let mut event = [0_u8; 24];
        assert_eq!(rustix::io::read(&self.0, &mut event).unwrap(), event.len());
        let number = |at: usize| i32::from_ne_bytes(event[at..at + 4].try_into().unwrap());
        Stopped { watch: self, event: number(16), seen: Seen(number(20)) }
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let answer = [self.event.to_ne_bytes(), libc::FAN_ALLOW.to_ne_bytes()].concat();
        rustix::io::write(&self.watch.0, &answer).unwrap();
        // SAFETY: the event's descriptor is ours, and nothing else owns it.
        unsafe { libc::close(self.event) };
    }
}

impl Seen {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.0)).unwrap()
    }

    fn link(&self, name: &str) -> String {
        fs::read_link(format!("/proc/{}/{name}", self.0)).unwrap().display().to_string()
    }

    fn status(&self, field: &str) -> String {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
        line.unwrap_or_default().to_owned()
    }

    /// Checks that it holds nothing that the container of the process `init` lacks.
    fn check(&self, init: &Value, host: &Path) {
        for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup"] {
            let inside = fs::read_link(format!("/proc/{init}/ns/{kind}")).unwrap().display().to_string();
            assert_eq!(self.link(&format!("ns/{kind}")), inside);
        }
        assert_eq!(self.link("root"), "/");
        assert_eq!(self.status("Seccomp"), "2");
        assert_eq!(self.status("NSpid").split('\t').count(), 2);
        for words in [self.file("cmdline"), self.file("environ"), self.file("comm")] {
            assert!(!words.contains('/') && !words.contains("SECRET"), "{words:?}");
        }
        self.check_descriptors(host);
    }

    fn check_descriptors(&self, host: &Path) {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap();
        let own: Vec<String> = descriptors
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|number| number.parse::<u32>().unwrap() > 2)
            .map(|number| self.link(&format!("fd/{number}")))
            .collect();
        assert!(own.len() <= 2 && own.iter().all(|link| is_pipe(link, host)), "{own:?}");
    }
}

/// Besides its streams, it may hold only the pipes of its start and its report.
fn is_pipe(link: &str, host: &Path) -> bool {
    link.starts_with("pipe:[") || Path::new(link).starts_with(host.join("state"))
}

const DOCKERS: &str = "00000000a80c25fb"; // with CAP_SYS_PTRACE
const NONE: &str = "0000000000000000";

#[test]
fn a_process_that_enters_has_become_the_program_before_it_is_seen() {
    if in_user_namespace() {
        skipped("fanotify(7) asks nobody who is root in a user namespace only");
        return;
    }
    let bundle = with_ptrace(Bundle::sh("sleep 1000"));
    bundle.start();
    let init = bundle.state()["pid"].clone();
    let watch = AtExecve::of(&bundle.in_root("bin/busybox"));
    for (words, uid, bounding) in [
        (&["exec", "c", "true"][..], "0\t0\t0\t0", DOCKERS),
        (&["exec", "--no-new-privs", "c", "true"], "0\t0\t0\t0", DOCKERS),
        (&["exec", "-u", "1000:1000", "--cwd", "/tmp", "c", "true"], "1000\t1000\t1000\t1000", DOCKERS),
    ] {
        let run = bundle.command(words).env("SECRET", "SECRET").spawn();
        let stopped = watch.next();
        let seen = &stopped.seen;
        seen.check(&init, bundle.dir.path());
        assert_eq!(seen.status("Uid"), uid);
        assert_eq!(seen.status("CapBnd"), bounding);
        assert_eq!(seen.status("CapPrm"), bounding, "as asked for, until it is executed");
        assert_eq!(seen.status("CapInh") + &seen.status("CapAmb"), [NONE, NONE].concat());
        drop(stopped);
        assert!(run.unwrap().wait().unwrap().success());
    }
}

/// The same for a container that joins another pid namespace, where it is visible until it is
/// started.
#[test]
fn a_container_that_joins_a_pid_namespace_waits_there_as_the_program() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let bundle = attacked(secret.path());
    bundle.write();
    let mut tracer = Tracer::start(bundle.command(["run", "c"]));
    let pid = bundle.state()["pid"].to_string();
    let mut mounts = Vec::new();
    for _ in 0..10 {
        let guest = with_ptrace(Bundle::new()).with(|config| {
            let joined = json!(format!("/proc/{pid}/ns/pid"));
            let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
            namespaces.iter_mut().find(|namespace| namespace["type"] == "pid").unwrap()["path"] = joined;
        });
        guest.write();
        let create = guest.command(["create", "c"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(create.unwrap().success());
        tracer.wait_for(|line| line.starts_with("traced "));
        let init = guest.state()["pid"].clone();
        mounts.push(fs::read_link(format!("/proc/{init}/ns/mnt")).unwrap().display().to_string());
        guest.oci(["start", "c"]).ok();
    }
    // The traced process belongs to another container, which has its own mounts.
    let of_guest = |line: &str| {
        mounts.iter().any(|mount| line.ends_with(&format!(": caps a80c25fb, seccomp 2, mnt {mount}")))
    };
    assert_harmless(&tracer.end(), of_guest);
}
