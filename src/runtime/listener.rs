//! Hands the listener of a seccomp filter to the agent that answers its notifications.
//!
//! ```text
//! init     installs the filter ──▶ tells the listener's number, and waits
//! creator  takes the listener out of init ──▶ sends it to the agent ──▶ lets init go on
//! ```
//! Init cannot send it itself: the agent's socket is outside the container, and the filter may stop
//! every call but `write`, with which it tells the number. See config-linux.md of the runtime
//! specification, "The Container Process State".

use std::io::{IoSlice, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde_json::{Value, json};

use super::hook::Calls;
use super::{Error, Result};
use crate::oci::runtime::{ContainerState, LinuxSeccomp, Spec};
use crate::sys::clone::Child;
use crate::sys::{self, check, pidfd};

/// The agent of a filter: connected, but not told anything yet.
#[derive(Debug)]
pub(super) struct Agent {
    socket: UnixStream,
    metadata: Option<String>,
    calls: Calls,
    status: ContainerState,
    /// The container's init, unless it is the process that gets the filter.
    init: Option<i32>,
}

impl Agent {
    /// Connects to the agent of a specification's filter, if it has one. `calls` has the state that
    /// the agent is told; without it such a filter is refused.
    pub(super) fn connect(spec: &Spec, calls: Option<&Calls>, init: Option<i32>) -> Result<Option<Self>> {
        let seccomp = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
        let Some(seccomp) = seccomp.filter(|seccomp| super::seccomp::notifies(seccomp)) else {
            return Ok(None);
        };
        let Some(calls) = calls else {
            return Err(Error::spec("linux.seccomp", "the action SCMP_ACT_NOTIFY is not supported here"));
        };
        let status = if init.is_some() { ContainerState::Running } else { ContainerState::Creating };
        let socket = connect(seccomp)?;
        let metadata = seccomp.listener_metadata().clone();
        Ok(Some(Self { socket, metadata, calls: calls.clone(), status, init }))
    }

    /// Takes the listener with this `number` out of a process and sends it, with the state of that
    /// process. The agent gets one state only, so the connection ends.
    pub(super) fn hand_over(self, process: &Child, number: i32) -> Result<()> {
        let listener = pidfd::take(process.pidfd.as_fd(), number)?;
        let bytes = self.state(process.pid).to_string().into_bytes();
        Ok(send(&self.socket, &bytes, listener.as_fd())?)
    }

    fn state(&self, pid: i32) -> Value {
        let container = self.calls.state(self.status, Some(self.init.unwrap_or(pid)));
        let mut state = json!({
            "ociVersion": container["ociVersion"],
            "fds": ["seccompFd"],
            "pid": pid,
            "state": container,
        });
        if let Some(metadata) = &self.metadata {
            state["metadata"] = json!(metadata);
        }
        state
    }
}

fn connect(seccomp: &LinuxSeccomp) -> Result<UnixStream> {
    let path = seccomp.listener_path().as_deref().unwrap_or(Path::new(""));
    Ok(check(UnixStream::connect(path), || format!("connect({})", path.display()))?)
}

/// Sends all `bytes`, with the descriptor beside the first of them.
fn send(mut socket: &UnixStream, bytes: &[u8], fd: BorrowedFd<'_>) -> sys::Result<()> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let sent = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL);
    let sent = check(sent, || "sendmsg(SCM_RIGHTS)".to_owned())?;
    check(socket.write_all(&bytes[sent..]), || "write(seccomp agent)".to_owned())
}
