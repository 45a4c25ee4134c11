//! What a container sees of a process that enters it: nothing that it does not have itself.
//! Needs root, or a user namespace that maps it.

#![allow(unsafe_code, reason = "the test stops a program at its execve with bare system calls")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

mod bundle;

use std::ffi::CString;
use std::fs;
use std::io::Read as _;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bundle::{Bundle, DOCKER_CAPS};
use hoist::runtime::seccomp;
use hoist::sys::cap::{Cap, CapSet};
use serde_json::{Value, json};

/// Docker's capabilities and filter, and CAP_SYS_PTRACE.
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

/// A container in which `tests/attack/tracer.c` runs, which is after this file.
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

fn output_of(mut tracer: Child) -> String {
    drop(tracer.stdin.take());
    let mut told = String::new();
    tracer.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(tracer.wait().unwrap().success(), "{told}");
    told
}

#[test]
fn who_traces_what_enters_gets_nothing_that_the_container_has_not() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let bundle = attacked(secret.path());
    bundle.write();
    let run = bundle.command(["run", "c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut tracer = run.unwrap();
    let mut ready = [0; 6];
    tracer.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    for _ in 0..40 {
        bundle.oci(["exec", "c", "true"]).ok();
        bundle.oci(["exec", "--no-new-privs", "c", "true"]).ok();
        bundle.oci(["exec", "-d", "-u", "0:0", "c", "true"]).ok();
    }
    let told = output_of(tracer);
    assert!(told.starts_with("opened 0, traced ") && told.ends_with(" held 0\n"), "{told}");
}

/// Stops whatever executes a file, until it is let go.
struct AtExecve(OwnedFd);

/// A process that is about to execute the file.
struct Stopped<'a> {
    watch: &'a AtExecve,
    event: libc::c_int,
    pid: i32,
}

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
        Stopped { watch: self, event: number(16), pid: number(20) }
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

impl Stopped<'_> {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid)).unwrap()
    }

    fn link(&self, name: &str) -> String {
        fs::read_link(format!("/proc/{}/{name}", self.pid)).unwrap().display().to_string()
    }

    fn status(&self, field: &str) -> String {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
        line.unwrap_or_default().to_owned()
    }

    /// What it has that the container of the process `init` has not.
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
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap();
        let own: Vec<String> = descriptors
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|number| number.parse::<u32>().unwrap() > 2)
            .map(|number| self.link(&format!("fd/{number}")))
            .collect();
        assert!(own.len() <= 2 && own.iter().all(|link| is_pipe(link, host)), "{own:?}");
    }
}

/// The pipes of its start and of its report are all that it has beside its streams.
fn is_pipe(link: &str, host: &Path) -> bool {
    link.starts_with("pipe:[") || Path::new(link).starts_with(host.join("state"))
}

const DOCKERS: &str = "00000000a80c25fb"; // with CAP_SYS_PTRACE
const NONE: &str = "0000000000000000";

#[test]
fn a_process_that_enters_has_become_the_program_before_it_is_seen() {
    if in_user_namespace() {
        return; // fanotify(7) stops nobody for who is only root there
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
        stopped.check(&init, bundle.dir.path());
        assert_eq!(stopped.status("Uid"), uid);
        assert_eq!(stopped.status("CapBnd"), bounding);
        assert_eq!(stopped.status("CapPrm"), bounding, "as asked for, until it is executed");
        assert_eq!(stopped.status("CapInh") + &stopped.status("CapAmb"), [NONE, NONE].concat());
        drop(stopped);
        assert!(run.unwrap().wait().unwrap().success());
    }
}

/// The same for a container whose pid namespace is another's: it is seen there all the time
/// until it is started.
#[test]
fn a_container_that_joins_a_pid_namespace_waits_there_as_the_program() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let bundle = attacked(secret.path());
    bundle.write();
    let run = bundle.command(["run", "c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut tracer = run.unwrap();
    let mut ready = [0; 6];
    tracer.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    let pid = bundle.state()["pid"].to_string();
    for _ in 0..10 {
        let guest = with_ptrace(Bundle::new()).with(|config| {
            let joined = json!(format!("/proc/{pid}/ns/pid"));
            let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
            namespaces.iter_mut().find(|namespace| namespace["type"] == "pid").unwrap()["path"] = joined;
        });
        guest.start();
    }
    let told = output_of(tracer);
    // What it traces is another container, whose mounts are its own.
    assert!(told.contains("opened 0, "), "{told}");
    assert!(!told.contains("held by") || told.contains("caps a80c25fb, seccomp 2"), "{told}");
}

/// Whether the tests run in a user namespace with one id: some things are not to be had there.
#[expect(clippy::disallowed_methods, reason = "tests/all says it this way")]
fn in_user_namespace() -> bool {
    std::env::var_os("HOIST_TEST_USER_NAMESPACE").is_some()
}
