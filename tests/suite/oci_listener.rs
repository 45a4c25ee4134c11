//! Tests how `hoist oci` hands the listener of a seccomp filter to its agent. Needs root and
//! busybox-static.

use std::fs;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use serde_json::{Value, json};

use crate::bundle::{Bundle, Said};

/// A bundle whose `mkdir` an agent decides about.
fn asking(script: &str) -> (Bundle, UnixListener) {
    let bundle = Bundle::sh(script);
    let path = bundle.path("agent");
    let agent = UnixListener::bind(&path).unwrap();
    let bundle = bundle.with(|config| {
        config["annotations"] = json!({ "a": "b" });
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": "for the agent",
            "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY" }],
        });
    });
    bundle.write();
    (bundle, agent)
}

/// Receives the state and the listener, after which the connection is closed.
fn receive(agent: &UnixListener) -> (Value, OwnedFd) {
    let (stream, _) = agent.accept().unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; 64 * 1024];
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let length = rustix::net::recvmsg(&stream, &mut buffers, &mut control, RecvFlags::empty()).unwrap().bytes;
    let listener = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let state = serde_json::from_slice(&bytes[..length]).unwrap();
    assert_eq!(rustix::io::read(&stream, &mut bytes), Ok(0), "one state for each connection");
    (state, listener.expect("the listener came"))
}

/// Waits until a process asks, then refuses all that it and others ask.
fn refuse(listener: OwnedFd) {
    let file = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
    assert_eq!(file.display().to_string(), "anon_inode:seccomp notify");
    let minute = Timespec { tv_sec: 60, tv_nsec: 0 };
    let asked = rustix::event::poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&minute)).unwrap();
    assert_eq!(asked, 1, "a process asks");
    drop(listener);
}

fn spawn(bundle: &Bundle, words: &[&str]) -> Child {
    bundle.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn an_agent_gets_the_state_and_decides_about_calls() {
    let (bundle, agent) = asking("mkdir /x; test -d /x || echo none");
    let run = spawn(&bundle, &["run", "c"]);
    let (state, listener) = receive(&agent);
    let container = &state["state"];
    assert_eq!(state["fds"], json!(["seccompFd"]));
    assert_eq!(state["metadata"], "for the agent");
    assert_eq!((&container["id"], &container["status"]), (&json!("c"), &json!("creating")));
    assert_eq!((&state["pid"], &container["annotations"]), (&container["pid"], &json!({ "a": "b" })));
    assert_eq!(container["bundle"], json!(bundle.dir.path()));
    refuse(listener);
    let said: Said = run.wait_with_output().unwrap().into();
    assert_eq!(said.out, "none\n", "{}", said.err);
    assert!(said.err.contains("Function not implemented"), "{}", said.err);
}

#[test]
fn an_agent_also_gets_the_listener_of_a_process_that_joins() {
    let (bundle, agent) = asking("exec sleep 1000");
    let create = bundle.command(["create", "c"]).stdout(Stdio::null()).spawn().unwrap();
    let (first, _listener) = receive(&agent);
    assert!(create.wait_with_output().unwrap().status.success());
    bundle.oci(["start", "c"]).ok();
    let exec = spawn(&bundle, &["exec", "c", "mkdir", "/x"]);
    let (state, listener) = receive(&agent);
    assert_eq!(state["state"]["status"], "running");
    assert_eq!(state["state"]["pid"], first["pid"], "the container's own process");
    assert_ne!(state["pid"], first["pid"]);
    refuse(listener);
    let said: Said = exec.wait_with_output().unwrap().into();
    assert!(said.fails().contains("Function not implemented"));
}

#[test]
fn without_its_agent_nothing_is_created() {
    let (bundle, agent) = asking("true");
    drop(agent);
    let told = bundle.oci(["run", "c"]).fails();
    assert!(told.contains("connect(") && told.ends_with(": connection refused\n"), "{told}");
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "");
}
