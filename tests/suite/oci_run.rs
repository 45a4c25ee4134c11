//! Tests `hoist oci run` and `exec` for a caller that stays: its signals, its terminal, and exit codes.
//! Needs root, and busybox-static.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;

use crate::bundle::{Bundle, read_all};
use crate::oci::wait_until;

/// A terminal of a caller, with its size in columns and rows.
fn terminal(columns: u16, rows: u16) -> (OwnedFd, File) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    resize(&master, columns, rows);
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let flags = OFlags::NOCTTY.bits().cast_signed();
    let slave =
        File::options().read(true).write(true).custom_flags(flags).open(name.to_str().unwrap()).unwrap();
    (master, slave)
}

fn resize(master: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(master, size).unwrap();
}

/// Starts a command at a terminal.
fn at(slave: &File, mut command: Command) -> Child {
    let stream = || Stdio::from(slave.try_clone().unwrap());
    command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Returns a bundle whose process has a terminal.
fn with_terminal(script: &str) -> Bundle {
    let bundle = Bundle::sh(script).with(|config| config["process"]["terminal"] = json!(true));
    bundle.write();
    bundle
}

#[test]
fn signals_go_to_the_program_and_its_code_comes_back() {
    let bundle = Bundle::sh("trap 'exit 5' USR1; echo > /tmp/ready; while :; do sleep 0.01; done");
    bundle.write();
    let mut child = bundle.command(["run", "c"]).spawn().unwrap();
    wait_until(|| bundle.in_root("tmp/ready").exists());
    send(&child, Signal::USR1);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "");

    let bundle = Bundle::sh("exec sleep 1000");
    bundle.start();
    let script = "trap 'exit 6' TERM; echo > /tmp/ready; while :; do sleep 0.01; done";
    let mut child = bundle.command(["exec", "c", "sh", "-c", script]).spawn().unwrap();
    wait_until(|| bundle.in_root("tmp/ready").exists());
    send(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

#[test]
fn what_runs_at_a_terminal_has_one_of_its_size_and_gets_what_is_typed() {
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size; read line; echo \"<$line>\"; exit 3";
    let bundle = with_terminal(script);
    let (master, slave) = terminal(90, 33);
    let before = tcgetattr(&slave).unwrap();
    File::from(master.try_clone().unwrap()).write_all(b"typed\n").unwrap();
    let mut child = at(&slave, bundle.command(["run", "c"]));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let after = tcgetattr(&slave).unwrap();
    assert_eq!((before.local_modes, before.input_modes), (after.local_modes, after.input_modes));
    drop(slave);
    let said = read_all(master);
    assert!(said.contains("33 90\r\n") && said.contains("<typed>\r\n"), "{said:?}");
}

#[test]
fn a_terminal_follows_the_size_of_the_callers() {
    let bundle = Bundle::sh("exec sleep 1000");
    bundle.start();
    let script =
        "trap 'stty size > /tmp/size; exit 0' WINCH; echo > /tmp/ready; while :; do sleep 0.01; done";
    let (master, slave) = terminal(80, 24);
    let mut child = at(&slave, bundle.command(["exec", "-t", "c", "sh", "-c", script]));
    wait_until(|| bundle.in_root("tmp/ready").exists());
    resize(&master, 100, 40);
    send(&child, Signal::WINCH);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_to_string(bundle.in_root("tmp/size")).unwrap(), "40 100\n");
    assert!(slave.as_fd().try_clone_to_owned().is_ok());
}

/// Reads from a terminal until `holds` what was read.
fn read_until(master: &OwnedFd, holds: impl Fn(&str) -> bool) {
    let (mut text, mut part) = (String::new(), [0; 4096]);
    while !holds(&text) {
        let count = rustix::io::read(master, &mut part).unwrap();
        text.push_str(&String::from_utf8_lossy(&part[..count]));
    }
}

#[test]
fn a_program_that_never_stops_writing_is_interrupted_by_a_key_and_by_a_signal() {
    for by_key in [true, false] {
        let bundle = with_terminal("busybox yes & trap 'exit 130' INT; while :; do sleep 0.01; done");
        let (master, slave) = terminal(80, 24);
        let mut child = at(&slave, bundle.command(["run", "c"]));
        read_until(&master, |text| text.contains('y'));
        if by_key {
            rustix::io::write(&master, b"\x03").unwrap();
        } else {
            send(&child, Signal::INT);
        }
        let reader = std::thread::spawn(move || read_all(master));
        assert_eq!(child.wait().unwrap().code(), Some(130), "{by_key}");
        drop(slave);
        reader.join().unwrap();
    }
}

#[test]
fn a_signal_reaches_a_program_whose_output_nobody_reads() {
    let script = "while :; do echo y; done & trap 'echo > /tmp/caught; exit 7' TERM; echo > /tmp/ready; \
                  while :; do sleep 0.01; done";
    let bundle = with_terminal(script);
    let mut child = bundle.command(["run", "c"]).stdout(Stdio::piped()).spawn().unwrap();
    wait_until(|| bundle.in_root("tmp/ready").exists());
    let output = child.stdout.take().unwrap();
    // The pipe is full: each of its 16 pages is half full at least.
    wait_until(|| rustix::io::ioctl_fionread(&output).unwrap() >= 32_000);
    send(&child, Signal::TERM);
    wait_until(|| bundle.in_root("tmp/caught").exists());
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn a_terminal_works_for_a_caller_without_one() {
    let bundle = with_terminal("test -t 1 && echo out; echo err >&2; seq 5000 | tail -1; exit 4");
    let said = bundle.oci(["run", "c"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (4, "out\r\nerr\r\n5000\r\n", ""));
    let bundle = with_terminal("read line; echo \"<$line>\"");
    let mut child =
        bundle.command(["run", "c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"piped\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("<piped>\r\n"), "{said:?}");
}

#[test]
fn who_leaves_must_say_where_the_terminal_goes() {
    let bundle = with_terminal("true");
    for words in [&["create", "c"][..], &["run", "-d", "c"]] {
        let error = bundle.oci(words).fails();
        assert!(error.contains("a process with a terminal requires --console-socket"), "{error}");
    }
}
