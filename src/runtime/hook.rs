//! Hooks: programs of the caller that run at six points of a container's life.
//!
//! ```text
//! create   prestart, createRuntime   in the caller's namespaces, once the container's exist
//!          createContainer           in the container's, but with the caller's root
//! start    startContainer            in the container, with the program's own privileges
//!          poststart                 in the caller's, once the program is executed
//! delete   poststop                  in the caller's
//! ```
//! Each gets the container's state on its standard input. Only [`Point::Poststop`] goes on after a
//! failure. See runtime.md and config.md of the runtime specification.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::MemfdFlags;
use serde_json::{Value, json};

use super::{Error, Result};
use crate::oci::runtime::{ContainerState, Hook, Hooks, Spec};
use crate::sys::{self, check, process};

/// How much of a failed hook's output is reported.
const MAX_OUTPUT: usize = 1024;

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named and described by the specification")]
pub enum Point {
    Prestart,
    CreateRuntime,
    CreateContainer,
    StartContainer,
    Poststart,
    Poststop,
}

impl Point {
    /// All points, in the order of a container's life.
    pub const ALL: [Self; 6] = [
        Self::Prestart,
        Self::CreateRuntime,
        Self::CreateContainer,
        Self::StartContainer,
        Self::Poststart,
        Self::Poststop,
    ];

    /// The status of the container at this point.
    fn status(self) -> ContainerState {
        match self {
            Self::Prestart | Self::CreateRuntime | Self::CreateContainer => ContainerState::Creating,
            Self::StartContainer => ContainerState::Created,
            Self::Poststart => ContainerState::Running,
            Self::Poststop => ContainerState::Stopped,
        }
    }

    fn of(self, hooks: &Hooks) -> &[Hook] {
        let list = match self {
            // Deprecated, but still what Docker's networks need.
            Self::Prestart => hooks.prestart(),
            Self::CreateRuntime => hooks.create_runtime(),
            Self::CreateContainer => hooks.create_container(),
            Self::StartContainer => hooks.start_container(),
            Self::Poststart => hooks.poststart(),
            Self::Poststop => hooks.poststop(),
        };
        list.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Point {
    /// Writes the name in the specification.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        })
    }
}

/// The hooks of a container, and what they are told about it.
#[derive(Debug, Clone)]
pub struct Calls {
    hooks: Hooks,
    /// The state in the format of the specification, without what changes.
    state: Value,
}

impl Calls {
    /// Returns the hooks of the container `id`, whose bundle is at an absolute path.
    ///
    /// # Errors
    ///
    /// [`Error::Spec`] for a hook whose path is not absolute, or whose timeout is not positive.
    pub fn new(id: &str, bundle: &Path, spec: &Spec) -> Result<Self> {
        let mut state = json!({ "ociVersion": spec.version(), "id": id, "bundle": bundle });
        if let Some(annotations) = spec.annotations() {
            state["annotations"] = json!(annotations);
        }
        let calls = Self { hooks: spec.hooks().clone().unwrap_or_default(), state };
        for point in Point::ALL {
            for (at, hook) in calls.at(point).iter().enumerate() {
                let refuse =
                    |field: &str, why: &str| Err(Error::spec(&format!("hooks.{point}[{at}].{field}"), why));
                if !hook.path().is_absolute() {
                    return refuse("path", &format!("`{}` is not absolute", hook.path().display()));
                }
                if hook.timeout().is_some_and(|secs| secs <= 0) {
                    return refuse("timeout", "it must be greater than zero");
                }
            }
        }
        Ok(calls)
    }

    /// Whether there are hooks for this point.
    pub(super) fn has(&self, point: Point) -> bool {
        !self.at(point).is_empty()
    }

    fn at(&self, point: Point) -> &[Hook] {
        point.of(&self.hooks)
    }

    /// Runs the hooks of a point one after the other. `pid` is the container's process as the hooks
    /// see it; `None` once it has ended.
    ///
    /// # Errors
    ///
    /// The first hook that failed, or did not end in time. After [`Point::Poststop`] the others have
    /// run nevertheless.
    pub fn run(&self, point: Point, pid: Option<i32>) -> Result<()> {
        let mut result = Ok(());
        for hook in self.at(point) {
            let ran = run(hook, &self.state(point.status(), pid).to_string()).map_err(|source| {
                let step = format!("run the {point} hook {}", hook.path().display());
                Error::Step { step, source }
            });
            if ran.is_err() && point != Point::Poststop {
                return ran;
            }
            result = result.and(ran);
        }
        result
    }

    /// Returns the state in the format of the specification.
    pub(super) fn state(&self, status: ContainerState, pid: Option<i32>) -> Value {
        let mut state = self.state.clone();
        state["status"] = json!(status.to_string());
        if let Some(pid) = pid {
            state["pid"] = json!(pid);
        }
        state
    }
}

/// Runs a hook until it ends.
fn run(hook: &Hook, state: &str) -> sys::Result<()> {
    let call = || format!("execve({})", hook.path().display());
    let mut input = memory("state")?;
    check(input.write_all(state.as_bytes()).and_then(|()| input.rewind()), || "write(state)".to_owned())?;
    let output = memory("output")?;
    let copy = || check(output.try_clone(), || "dup(output)".to_owned());
    let args = hook.args().as_deref().unwrap_or_default();
    let env = hook.env().iter().flatten().filter_map(|entry| entry.split_once('='));
    let mut command = Command::new(hook.path());
    command.arg0(args.first().map_or(hook.path().as_os_str(), OsStr::new)).args(args.iter().skip(1));
    command.env_clear().envs(env.filter(|(name, _)| !name.is_empty()));
    command.stdin(Stdio::from(input)).stdout(Stdio::from(copy()?)).stderr(Stdio::from(copy()?));
    let child = check(command.spawn(), call)?;
    let pidfd = process::open(child.id().cast_signed())?;
    let is_over = ends_in_time(&pidfd, hook.timeout())?;
    if !is_over {
        process::signal(pidfd.as_fd(), libc::SIGKILL)?;
    }
    let exit = process::wait(pidfd.as_fd())?;
    match hook.timeout().filter(|_| !is_over) {
        Some(secs) => {
            Err(sys::Error::new(call(), io::Error::other(format!("it did not end within {secs} s"))))
        }
        None if exit.code() == 0 => Ok(()),
        None => Err(sys::Error::new(call(), io::Error::other(format!("{exit}{}", said(&output))))),
    }
}

/// Returns an empty file in memory.
fn memory(name: &str) -> sys::Result<File> {
    let fd = check(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC), || "memfd_create()".to_owned())?;
    Ok(File::from(fd))
}

/// Waits until a process has ended; `false` if it still runs after `timeout` seconds.
fn ends_in_time(pidfd: &OwnedFd, timeout: Option<i64>) -> sys::Result<bool> {
    let limit = timeout.map(|secs| Timespec { tv_sec: secs, tv_nsec: 0 });
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    loop {
        match poll(&mut polled, limit.as_ref()) {
            // Only a debugger interrupts it. It may then take longer.
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(check(result, || "poll(pidfd)".to_owned())? > 0),
        }
    }
}

/// Returns the end of what a hook has printed, as part of a message.
fn said(output: &File) -> String {
    let length = output.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).map_or(MAX_OUTPUT, |length| length.min(MAX_OUTPUT))];
    let start = length - bytes.len() as u64;
    if bytes.is_empty() || output.read_exact_at(&mut bytes, start).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::chain;

    fn calls(hooks: &serde_json::Value) -> Result<Calls> {
        let spec = json!({ "ociVersion": "1.0.2", "hooks": hooks, "annotations": { "a": "b" } });
        Calls::new("web", Path::new("/bundle"), &serde_json::from_value(spec).unwrap())
    }

    fn sh(script: &str) -> serde_json::Value {
        json!({ "path": "/bin/sh", "args": ["sh", "-c", script] })
    }

    #[test]
    fn a_hook_is_told_the_state_of_its_point() {
        let dir = tempfile::tempdir().unwrap();
        let wants = ["creating", "creating", "creating", "created", "running", "stopped"];
        for (point, status) in Point::ALL.into_iter().zip(wants) {
            let file = dir.path().join(point.to_string());
            let hooks = json!({ point.to_string(): [sh(&format!("cat > {}", file.display()))] });
            calls(&hooks).unwrap().run(point, Some(7)).unwrap();
            let state: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let want = json!({ "ociVersion": "1.0.2", "id": "web", "status": status, "bundle": "/bundle",
                "pid": 7, "annotations": { "a": "b" } });
            assert_eq!(state, want);
        }
    }

    #[test]
    fn a_hook_has_its_own_words_and_environment_and_no_more() {
        let script =
            "[ \"$0 $1 $A $B\" = 'x y 1 2=3' ] && [ \"$(env | grep -c '^[AB]=')\" = 2 ] && [ -z \"$HOME\" ]";
        let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", script, "x", "y"], "env": ["A=1", "B=2=3", "C"] });
        calls(&json!({ "poststart": [hook] })).unwrap().run(Point::Poststart, None).unwrap();
    }

    #[test]
    fn a_failure_says_what_the_hook_has_printed() {
        let calls =
            calls(&json!({ "prestart": [sh("echo no network >&2; exit 3"), sh("kill $$")] })).unwrap();
        let error = calls.run(Point::Prestart, Some(1)).unwrap_err();
        let want = ["container set-up stopped at: run the prestart hook /bin/sh", "execve(/bin/sh)"];
        let said = chain(&error);
        assert_eq!(said[..2], want);
        assert!(said[2].ends_with(": no network"), "{said:?}");
    }

    #[test]
    fn a_hook_that_takes_too_long_is_killed() {
        let hook = json!({ "path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1 });
        let error = calls(&json!({ "createRuntime": [hook] })).unwrap().run(Point::CreateRuntime, None);
        assert_eq!(chain(&error.unwrap_err())[2], "it did not end within 1 s");
    }

    #[test]
    fn all_hooks_after_the_end_run_although_one_fails() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let hooks = json!({ "poststop": [sh("exit 1"), sh(&format!("touch {}", mark.display()))] });
        calls(&hooks).unwrap().run(Point::Poststop, None).unwrap_err();
        assert!(mark.exists());
    }

    #[test]
    fn a_hook_that_cannot_be_is_refused_by_its_place() {
        let said = |hook: serde_json::Value| calls(&json!({ "poststop": [hook] })).unwrap_err().to_string();
        assert_eq!(said(json!({ "path": "x" })), "`hooks.poststop[0].path`: `x` is not absolute");
        let timeout = json!({ "path": "/x", "timeout": 0 });
        assert_eq!(said(timeout), "`hooks.poststop[0].timeout`: it must be greater than zero");
    }
}
