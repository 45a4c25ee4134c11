//! Every action on containers, with real ones. Needs root, or root in a user namespace
//! (`unshare -Urmn`); tests state where that makes a difference.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::case::{self, ALL, Case, Said, hear, until};
use crate::support::{has_memory_controller, in_user_namespace, skipped};
use hoist::engine::container::{AttachOptions, ExecRequest, LogRequest, WaitFor};
use hoist::engine::files::Place;
use hoist::engine::{
    ErrorKind, EventRequest, Input, LogForm, LogQuery, Options, Output, Process, Removal, RestartPolicy,
    Running, SaveLog, Status, Stream, Streams, Ulimit,
};
use hoist::internals::base::journal;
use hoist::internals::base::progress::Reporter;

fn said(stdout: &str, stderr: &str, code: u8) -> Said {
    Said { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code: Some(code) }
}

fn exec(command: &[&str]) -> ExecRequest {
    ExecRequest { command: command.iter().map(|&word| word.to_owned()).collect(), ..ExecRequest::default() }
}

/// Returns the whole log.
fn log(case: &Case, id: &str, request: LogRequest) -> String {
    case.wait_for(async {
        let mut records = case.engine.containers().logs(id, request).await.unwrap();
        let mut text = Vec::new();
        while let Some(record) = records.recv().await {
            text.extend(record.unwrap().bytes);
        }
        String::from_utf8(text).unwrap()
    })
}

const WHOLE: LogRequest =
    LogRequest { stdout: true, stderr: true, follow: false, tail: None, since: None, until: None };

/// Returns the actions of a container in the journal.
fn actions(case: &Case, id: &str) -> Vec<String> {
    let mut journal = journal::Reader::at_start(&case.engine.paths().journal()).unwrap();
    let found = std::iter::from_fn(|| journal.read_next().unwrap());
    let events = found.filter_map(|found| match found {
        journal::Found::Event(event) => Some(event),
        journal::Found::Torn | journal::Found::Lost => None,
    });
    events.filter(|event| event.actor.id == id).map(|event| event.action).collect()
}

#[test]
fn output_exit_code_and_record_come_back() {
    let case = Case::new();
    let id = case.create(&["sh", "-c", "echo out; echo err >&2; exit 7"], |_| {});
    assert_eq!(case.container(&id).status, Status::Created);
    let attached = case.wait_for(case.engine.containers().start_attached(&id, ALL, None)).unwrap();
    assert!(!attached.tty);
    assert_eq!(case.wait_for(hear(attached)), said("out\n", "err\n", 7));
    let container = case.container(&id);
    assert_eq!((container.status, container.state.exit_code), (Status::Exited, 7));
    assert!(container.state.started < container.state.finished);
    assert_eq!(container.pid, None);
    let mut written: Vec<_> = log(&case, &id, WHOLE).lines().map(str::to_owned).collect();
    written.sort();
    assert_eq!(written, ["err", "out"]);
    assert_eq!(actions(&case, &id), ["create", "attach", "start", "die"]);
    assert_eq!(case.wait_for(case.engine.containers().wait(&id, WaitFor::NotRunning)).unwrap().code, 7);
}

#[test]
fn a_program_that_is_missing_or_none_is_told_with_its_own_kind() {
    let case = Case::new();
    for (program, kind, cause) in [
        ("foo", ErrorKind::ProgramNotFound, "exec: \"foo\": executable file not found in $PATH"),
        (
            "/bin/foo",
            ErrorKind::ProgramNotFound,
            "exec: \"/bin/foo\": stat /bin/foo: no such file or directory",
        ),
        ("/etc/passwd", ErrorKind::ProgramNotRunnable, ""),
    ] {
        let id = case.create(&[program], |_| {});
        let error = case.wait_for(case.engine.containers().start(&id)).unwrap_err();
        assert_eq!(error.kind(), kind, "{:?}", error.causes());
        assert!(error.causes()[0].starts_with(cause), "{:?}", error.causes());
        let container = case.container(&id);
        let code = if kind == ErrorKind::ProgramNotFound { 127 } else { 126 };
        assert_eq!((container.status, container.state.exit_code), (Status::Created, code));
        assert!(!container.state.error.is_empty());
        assert!(case.cgroups().is_empty());
    }
}

#[test]
fn rm_removes_at_the_end_and_a_name_is_free_again() {
    let case = Case::new();
    let found = case.run(&["echo", "hello"], |options| options.lifecycle.auto_remove = true);
    assert_eq!(found, said("hello\n", "", 0));
    assert!(case.wait_for(case.engine.containers().list()).unwrap().is_empty());
    let folders = [case.engine.paths().containers(), case.engine.paths().runs()];
    for folder in folders {
        until("its folders are gone", || std::fs::read_dir(&folder).unwrap().next().is_none());
    }
}

#[test]
fn input_goes_in_and_its_end_too() {
    let case = Case::new();
    let id = case.create(&["cat"], |options| options.process.interactive = true);
    let found = case.wait_for(async {
        let attached = case.engine.containers().start_attached(&id, ALL, None).await.unwrap();
        for word in ["hello ", "world\n"] {
            attached.input.send(Input::Bytes(word.into())).await.unwrap();
        }
        attached.input.send(Input::Close).await.unwrap();
        hear(attached).await
    });
    assert_eq!(found, said("hello world\n", "", 0));
}

#[test]
fn much_input_comes_back_whole() {
    let case = Case::new();
    let id = case.create(&["cat"], |options| {
        options.process.interactive = true;
        options.logging.driver = Some("none".to_owned());
    });
    let bytes: Vec<u8> = (0..8_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let got = case.wait_for(async {
        let attached = case.engine.containers().start_attached(&id, ALL, None).await.unwrap();
        let input = attached.input.clone();
        let sent = bytes.clone();
        tokio::spawn(async move {
            input.send(Input::Bytes(sent)).await.unwrap();
            input.send(Input::Close).await.unwrap();
        });
        let (mut got, mut output) = (Vec::new(), attached.output);
        while let Some(Output::Bytes(_, bytes)) = output.recv().await {
            got.extend(bytes);
        }
        got
    });
    assert!(got == bytes, "{} bytes of {}", got.len(), bytes.len());
}

#[test]
fn a_terminal_has_the_clients_size_and_echoes() {
    let case = Case::new();
    let id = case.create(&["sh", "-c", "stty size; read line; echo got $line; stty size"], |options| {
        options.process.tty = true;
        options.process.interactive = true;
    });
    let found = case.wait_for(async {
        let containers = case.engine.containers();
        let mut attached = containers.start_attached(&id, ALL, Some((30, 100))).await.unwrap();
        assert!(attached.tty);
        let mut first = Vec::new();
        while !first.ends_with(b"\n") {
            let Some(Output::Bytes(_, bytes)) = attached.output.recv().await else { panic!("it ended") };
            first.extend(bytes);
        }
        assert_eq!(first, b"30 100\r\n");
        attached.input.send(Input::Resize(40, 120)).await.unwrap();
        // The size is set through another connection, so wait for its event.
        let resized = || actions(&case, &id).contains(&"resize".to_owned());
        while !resized() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        attached.input.send(Input::Bytes(b"typed\n".into())).await.unwrap();
        hear(attached).await
    });
    assert_eq!(found, said("typed\r\ngot typed\r\n40 120\r\n", "", 0));
}

#[test]
fn several_clients_see_the_same_and_detaching_leaves_it_running() {
    let case = Case::new();
    let id = case.start(&["sh", "-c", "read a; echo $a; read b; echo $b"], |options| {
        options.process.interactive = true;
        options.process.attach = Some(Streams::default().into()); // as for `run -di`: no client ends it
    });
    let pane = AttachOptions { lossless: false, ..ALL };
    case.wait_for(async {
        let containers = case.engine.containers();
        let mut first = containers.attach(&id, ALL).await.unwrap();
        let second = containers.attach(&id, pane).await.unwrap();
        let third = containers.attach(&id, ALL).await.unwrap();
        drop(third);
        first.input.send(Input::Bytes(b"one\n".into())).await.unwrap();
        // The order of two clients is defined only if one waits for the other.
        assert_eq!(first.output.recv().await, Some(Output::Bytes(Stream::Stdout, b"one\n".into())));
        second.input.send(Input::Bytes(b"two\n".into())).await.unwrap();
        assert_eq!(hear(first).await, said("two\n", "", 0));
        assert_eq!(hear(second).await, said("one\ntwo\n", "", 0));
        let error = containers.attach(&id, ALL).await.unwrap_err();
        assert_eq!(error.causes(), ["it is exited"]);
    });
}

#[test]
fn a_signal_goes_to_the_first_process_and_an_end_is_waited_for() {
    let case = Case::new();
    let script = "trap 'echo usr; exit 3' USR1; echo ready; while :; do sleep 0.1; done";
    let id = case.create(&["sh", "-c", script], |_| {});
    let found = case.wait_for(async {
        let containers = case.engine.containers();
        let mut attached = containers.start_attached(&id, ALL, None).await.unwrap();
        assert_eq!(attached.output.recv().await, Some(Output::Bytes(Stream::Stdout, b"ready\n".into())));
        drop(containers.kill(&id, "USR1").await.unwrap());
        assert_eq!(containers.wait(&id, WaitFor::NotRunning).await.unwrap().code, 3);
        let error = containers.kill(&id, "TERM").await.unwrap_err();
        assert_eq!((error.kind(), error.causes().join("")), (ErrorKind::Conflict, "it is exited".to_owned()));
        assert_eq!(containers.kill(&id, "NOPE").await.unwrap_err().kind(), ErrorKind::Invalid);
        hear(attached).await
    });
    assert_eq!(found, said("usr\n", "", 3));
}

#[test]
fn a_container_without_capabilities_is_entered_and_restarted() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |options| options.security.cap_drop = vec!["ALL".to_owned()]);
    let bounding = exec(&["grep", "CapBnd", "/proc/self/status"]);
    let entered = || {
        let request = bounding.clone();
        case.wait_for(async { hear(containers.exec(&id, request, ALL).await.unwrap().attached).await })
    };
    assert_eq!(entered(), said("CapBnd:\t0000000000000000\n", "", 0));
    let _ = case.wait_for(containers.restart(&id, None, Some(0))).unwrap();
    assert_eq!(entered(), said("CapBnd:\t0000000000000000\n", "", 0));
}

#[test]
fn nobody_enters_a_container_whose_first_process_is_still_hoists() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| ());
    let run = case.engine.paths().container_run(&id.parse().unwrap()).join("run.json");
    let text = std::fs::read_to_string(&run).unwrap();
    assert!(!text.contains("starting"), "it has started: {text}");
    std::fs::write(&run, text.replacen('{', "{\"starting\":true,", 1)).unwrap();
    let error = case.wait_for(containers.exec(&id, exec(&["true"]), ALL)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    std::fs::write(&run, text).unwrap();
    let done = case.wait_for(async {
        hear(containers.exec(&id, exec(&["echo", "in"]), ALL).await.unwrap().attached).await
    });
    assert_eq!(done, said("in\n", "", 0));
}

#[test]
fn stop_asks_first_and_then_kills() {
    let case = Case::new();
    let containers = case.engine.containers();
    // Process 1 has no default action for SIGTERM, so this container ignores it.
    let stubborn = case.start(&["sleep", "1000"], |_| {});
    drop(case.wait_for(containers.stop(&stubborn, None, Some(0))).unwrap());
    assert_eq!(case.container(&stubborn).state.exit_code, 137);
    assert!(case.container(&stubborn).state.stopped_by_hand);
    let polite = case.start(&["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.05; done"], |_| {});
    until("its trap is set", || {
        let status = case.run_of(&polite).init().unwrap().pid;
        let text = std::fs::read_to_string(format!("/proc/{status}/status")).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).unwrap_or(0) & (1 << 14) != 0
    });
    drop(case.wait_for(containers.stop(&polite, None, None)).unwrap());
    assert_eq!(case.container(&polite).state.exit_code, 5);
    assert_eq!(actions(&case, &polite), ["create", "start", "kill", "die", "stop"]);
    drop(case.wait_for(containers.stop(&polite, None, None)).unwrap()); // it has already exited
    // With an init process, the default action applies.
    let init = case.start(&["sleep", "1000"], |options| options.process.init = true);
    drop(case.wait_for(containers.stop(&init, None, Some(60))).unwrap());
    assert_eq!(case.container(&init).state.exit_code, 143);
}

/// Whether the kernel reports a cgroup of the containers as frozen.
fn is_frozen(case: &Case) -> bool {
    let says = |group: &Path, file: &str, words: &str| {
        std::fs::read_to_string(group.join(file)).is_ok_and(|text| text.lines().any(|line| line == words))
    };
    case.cgroups().iter().any(|group| {
        let mut groups = vec![group.clone()];
        groups.extend(std::fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path()));
        groups.iter().any(|it| says(it, "freezer.state", "FROZEN") || says(it, "cgroup.events", "frozen 1"))
    })
}

#[test]
fn pausing_stands_it_still_and_only_unpausing_or_an_end_helps() {
    if in_user_namespace() {
        skipped("no cgroup can be made: see `in_a_user_namespace_nothing_is_frozen`");
        return;
    }
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sh", "-c", "while :; do echo x; sleep 0.01; done"], |_| {});
    drop(case.wait_for(containers.pause(&id)).unwrap());
    assert_eq!(case.container(&id).status, Status::Paused);
    assert!(is_frozen(&case));
    for (error, cause) in [
        (case.wait_for(containers.pause(&id)).unwrap_err(), "it is paused"),
        (case.wait_for(containers.start(&id)).unwrap_err(), "it is paused"),
        (
            case.wait_for(containers.remove(&id, Removal::for_good(Running::Refuse))).unwrap_err(),
            "it is paused",
        ),
        (case.wait_for(containers.exec(&id, exec(&["true"]), ALL)).unwrap_err(), "it is paused"),
    ] {
        assert_eq!((error.kind(), error.causes().join("")), (ErrorKind::Conflict, cause.to_owned()));
    }
    drop(case.wait_for(containers.unpause(&id)).unwrap());
    assert!(!is_frozen(&case));
    let before = log(&case, &id, WHOLE).len();
    until("it goes on", || log(&case, &id, WHOLE).len() > before);
    drop(case.wait_for(containers.pause(&id)).unwrap());
    drop(case.wait_for(containers.kill(&id, "KILL")).unwrap());
    assert_eq!(case.container(&id).state.exit_code, 137);
}

#[test]
fn remove_wants_an_end_or_force() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| {});
    let error = case.wait_for(containers.remove(&id, Removal::for_good(Running::Refuse))).unwrap_err();
    let name = case.container(&id).name;
    assert_eq!(error.to_string(), format!("cannot remove `{name}`"));
    assert_eq!(error.hint().as_deref(), Some("stop it first, or remove it with --force"));
    case.wait_for(containers.remove(&id, Removal::for_good(Running::Kill))).unwrap();
    let error = case.wait_for(containers.remove(&id, Removal::for_good(Running::Kill))).unwrap_err();
    assert_eq!(error.causes(), [format!("No such container: {id}")]);
    assert_eq!(actions(&case, &id), ["create", "start", "kill", "die", "destroy"]);
    let gone = case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true);
    case.wait_for(containers.remove(&gone, Removal::for_good(Running::Kill))).unwrap();
    assert!(case.wait_for(containers.list()).unwrap().is_empty());
}

#[test]
fn a_container_is_renamed_also_while_it_runs() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| {});
    let other = case.create(&["true"], |_| {});
    drop(case.wait_for(containers.rename(&id, "web".parse().unwrap())).unwrap());
    assert_eq!(case.container("web").id.as_str(), id);
    let error = case.wait_for(containers.rename(&other, "web".parse().unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let error = case.wait_for(containers.rename("web", "web".parse().unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    drop(case.wait_for(containers.rename(&other, "db".parse().unwrap())).unwrap());
    assert!(actions(&case, &other).contains(&"rename".to_owned()));
    drop(case.wait_for(containers.stop("web", None, Some(0))).unwrap());
    assert_eq!(case.container("web").status, Status::Exited);
}

#[test]
fn restart_starts_again_with_the_same_files() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sh", "-c", "echo x >> /count; wc -l < /count; sleep 1000"], |_| {});
    until("it ran", || log(&case, &id, WHOLE) == "1\n");
    let first = case.run_of(&id);
    let _ = case.wait_for(containers.restart(&id, None, Some(0))).unwrap();
    until("it ran again", || log(&case, &id, WHOLE) == "1\n2\n");
    let second = case.run_of(&id);
    assert_eq!(second.monitor, first.monitor);
    assert_ne!(second.init(), first.init());
    let want = ["create", "start", "kill", "kill", "die", "stop", "start", "restart"];
    assert_eq!(actions(&case, &id), want);
    drop(case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    let _ = case.wait_for(containers.restart(&id, None, Some(0))).unwrap();
    until("it ran a third time", || log(&case, &id, WHOLE) == "1\n2\n3\n");
}

#[test]
fn a_restart_by_hand_during_the_back_off_counts_anew() {
    let case = Case::new();
    let script = "echo >> /starts; [ $(wc -l < /starts) -lt 6 ] || sleep 1000; exit 1";
    let id = case.start(&["sh", "-c", script], |options| options.lifecycle.restart = RestartPolicy::Always);
    // After the fifth start there were four restarts; the next one has the longest delay.
    until("it waits for its fifth restart", || {
        let now = case.container(&id);
        now.status == Status::Restarting && now.state.restart_count == 4
    });
    let said = case.hoist(&["restart", &id]);
    assert!(said.status.success(), "{said:?}");
    let now = case.container(&id);
    assert_eq!((now.status, now.state.restart_count), (Status::Running, 0));
    let events = ["events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}"];
    let events = String::from_utf8(case.hoist(&events).stdout).unwrap();
    let last: Vec<&str> = events.lines().collect();
    assert_eq!(last[last.len() - 3..], ["stop", "start", "restart"], "{events}");
}

#[test]
fn a_container_stopped_before_its_restart_has_exited_when_its_event_is_read() {
    let case = Case::new();
    let id = case.start(&["false"], |options| options.lifecycle.restart = RestartPolicy::Always);
    until("its next restart is far", || {
        let now = case.container(&id);
        now.status == Status::Restarting && now.state.restart_count >= 4
    });
    let status = case.wait_for(async {
        let mut events = case.engine.events(EventRequest::default()).await.unwrap();
        let stopped = async {
            loop {
                match events.recv().await.unwrap() {
                    hoist::engine::News::Event(event) if event.action == "stop" => {
                        return case.engine.containers().get(&id).await.unwrap().status;
                    }
                    _ => {}
                }
            }
        };
        let containers = case.engine.containers();
        let (answer, status) = tokio::join!(containers.stop(&id, None, None), stopped);
        drop(answer.unwrap());
        status
    });
    assert_eq!(status, Status::Exited);
}

#[test]
fn a_restart_by_policy_that_fails_is_tried_again_and_says_why() {
    let case = Case::new();
    let folder = tempfile::tempdir().unwrap();
    let (there, away) = (folder.path().join("there"), folder.path().join("away"));
    std::fs::create_dir(&there).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, there.join("end"), fifo, 0o600.into(), 0).unwrap();
    let mount = format!("type=bind,source={},target=/there", there.display());
    let words = ["run", "-d", "--restart", "always", "--network", "none", "--mount", &mount, "--name", "web"];
    let said = case.hoist(&[&words[..], &[case::IMAGE, "sh", "-c", "read line < /there/end"]].concat());
    assert!(said.status.success(), "{said:?}");
    let lose = || {
        std::fs::rename(&there, &away).unwrap();
        std::fs::write(away.join("end"), "\n").unwrap();
        until("a restart has failed", || {
            let now = case.container("web");
            let error = &now.state.error;
            now.status == Status::Restarting && error.contains(there.to_str().unwrap())
        });
    };
    lose();
    let failed = case.container("web").state.restart_count;
    until("it is tried again", || case.container("web").state.restart_count > failed);
    std::fs::rename(&away, &there).unwrap();
    until("it runs again", || case.container("web").status == Status::Running);
    assert_eq!(case.container("web").state.error, "");
    lose();
    assert!(case.hoist(&["stop", "web"]).status.success());
    assert_eq!(case.container("web").status, Status::Exited);
}

#[test]
fn a_removal_is_not_ended_by_a_restart_that_fails() {
    let case = Case::new();
    // A source that disappears with its process.
    let mut source = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let bind = format!("/proc/{}/task:/m", source.id());
    let script = "trap '' TERM; echo up; while :; do sleep 1; done";
    let words = ["run", "-d", "--network", "none", "-v", &bind, "busybox", "sh", "-c", script];
    let said = case.hoist(&words);
    assert!(said.status.success(), "{said:?}");
    let id = String::from_utf8(said.stdout).unwrap().trim().to_owned();
    until("it ignores the signal", || log(&case, &id, WHOLE) == "up\n");
    let mut restart = case.command(&["restart", "-t", "1000", &id]).spawn().unwrap();
    until("the restart is under way", || actions(&case, &id).contains(&"kill".to_owned()));
    source.kill().unwrap();
    source.wait().unwrap();
    let said = case.hoist(&["rm", "-f", &id]);
    assert!(said.status.success(), "{said:?}");
    restart.wait().unwrap();
    assert_eq!(String::from_utf8(case.hoist(&["ps", "-aq"]).stdout).unwrap(), "");
}

#[test]
fn a_restart_under_way_ends_with_a_removal_a_kill_or_a_stop() {
    let case = Case::new();
    let script = "echo start; trap '' TERM; echo up; while :; do sleep 1; done";
    for words in [vec!["rm", "-f"], vec!["kill"], vec!["stop", "-t", "0"]] {
        let id =
            case.start(&["sh", "-c", script], |options| options.lifecycle.restart = RestartPolicy::Always);
        until("it ignores the signal", || log(&case, &id, WHOLE) == "start\nup\n");
        let restart = case
            .command(&["restart", "-t", "1000", &id])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        until("the restart is under way", || actions(&case, &id).contains(&"kill".to_owned()));
        let said = case.hoist(&[&words[..], &[&id]].concat());
        assert!(said.status.success(), "{words:?}: {said:?}");
        let restarted = restart.wait_with_output().unwrap();
        assert!(!restarted.status.success(), "{words:?}: {restarted:?}");
        let starts = actions(&case, &id).iter().filter(|action| *action == "start").count();
        assert_eq!(starts, 1, "{words:?}");
        if words[0] != "rm" {
            assert_eq!(case.container(&id).status, Status::Exited, "{words:?}");
        }
    }
}

#[test]
fn a_policy_starts_it_again_until_a_person_ends_it() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["false"], |options| options.lifecycle.restart = RestartPolicy::OnFailure(2));
    until("it gave up", || case.container(&id).status == Status::Exited);
    assert_eq!(case.container(&id).state.restart_count, 2);
    // A manual start resets the counter, so it may fail as often again.
    let _ = case.wait_for(containers.start(&id)).unwrap();
    let ends = || actions(&case, &id).into_iter().filter(|action| action == "die").count();
    until("it gave up again", || ends() == 6 && case.container(&id).status == Status::Exited);
    assert_eq!(case.container(&id).state.restart_count, 2);
    let id = case.start(&["false"], |options| options.lifecycle.restart = RestartPolicy::Always);
    until("it was restarted", || case.container(&id).state.restart_count > 1);
    drop(case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    assert_eq!(case.container(&id).status, Status::Exited);
    let _ = case.wait_for(containers.start(&id)).unwrap();
    until("it was restarted after a start by hand", || case.container(&id).state.restart_count > 1);
    case.wait_for(containers.remove(&id, Removal::for_good(Running::Kill))).unwrap();
}

#[test]
fn a_command_runs_in_a_running_container() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |options| options.process.env = vec!["A=1".to_owned()]);
    let run = |request| {
        case.wait_for(async { hear(containers.exec(&id, request, ALL).await.unwrap().attached).await })
    };
    assert_eq!(run(exec(&["sh", "-c", "echo $A-$B; pwd; echo e >&2; exit 4"])), said("1-\n/\n", "e\n", 4));
    let request = ExecRequest {
        env: vec!["A=2".to_owned(), "B=3".to_owned()],
        workdir: Some("/tmp".to_owned()),
        ..exec(&["sh", "-c", "echo $A $B; pwd; cat /proc/1/comm"])
    };
    assert_eq!(run(request), said("2 3\n/tmp\nsleep\n", "", 0));
    let tty = ExecRequest { tty: true, size: Some((20, 70)), ..exec(&["sh", "-c", "tty; stty size"]) };
    let found = run(tty);
    assert!(found.stdout.starts_with("/dev/pts/") && found.stdout.ends_with("20 70\r\n"), "{found:?}");
    let missing = case.wait_for(containers.exec(&id, exec(&["nope"]), ALL)).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ProgramNotFound);
    let _ = case.wait_for(containers.exec_detached(&id, exec(&["sh", "-c", "echo done > /done"]))).unwrap();
    until("the detached one is done", || run(exec(&["cat", "/done"])).stdout == "done\n");
    let found = actions(&case, &id);
    let starts = found.iter().filter(|action| action.starts_with("exec_start: ")).count();
    let ends = found.iter().filter(|action| *action == "exec_die").count();
    assert!(starts >= 5 && ends >= 4, "{found:?}");
    drop(case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    assert_eq!(
        case.wait_for(containers.exec(&id, exec(&["true"]), ALL)).unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn a_name_without_a_value_takes_a_variable_away() {
    let case = Case::new();
    let set = |options: &mut Options| options.process.env = vec!["A=1".to_owned(), "B=2".to_owned()];
    let id = case.start(&["sleep", "1000"], set);
    let request = ExecRequest { env: vec!["A".to_owned(), "NONE".to_owned()], ..exec(&["env"]) };
    let session = case.wait_for(case.engine.containers().exec(&id, request, ALL)).unwrap();
    let said = case.wait_for(hear(session.attached)).stdout;
    let names: Vec<_> = said.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(names.contains(&"B") && !names.contains(&"A") && !said.contains("NONE"), "{said}");
}

#[test]
fn input_to_a_command_comes_back() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let found = case.wait_for(async {
        let request = ExecRequest { interactive: true, ..exec(&["cat"]) };
        let session = case.engine.containers().exec(&id, request, ALL).await.unwrap();
        session.attached.input.send(Input::Bytes(b"hello\n".into())).await.unwrap();
        session.attached.input.send(Input::Close).await.unwrap();
        hear(session.attached).await
    });
    assert_eq!(found, said("hello\n", "", 0));
}

#[test]
fn the_log_is_followed_to_the_end() {
    let case = Case::new();
    let id = case.start(&["sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done"], |_| {});
    assert_eq!(log(&case, &id, LogRequest { follow: true, ..WHOLE }), "1\n2\n3\n4\n5\n");
    assert_eq!(log(&case, &id, LogRequest { tail: Some(2), ..WHOLE }), "4\n5\n");
    assert_eq!(log(&case, &id, LogRequest { stdout: false, ..WHOLE }), "");
}

#[test]
fn top_and_stats_see_the_processes() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sh", "-c", "sleep 1000 & sleep 1001 & wait"], |_| {});
    let top = || case.wait_for(containers.top(&id)).unwrap().processes;
    until("all three run", || top().len() == 3 && top().iter().all(|row| !row.command.contains("hoist")));
    let rows = top();
    assert_eq!(rows[0].inner_pid, 1);
    assert_eq!(rows[1].parent, rows[0].pid);
    assert!(rows.iter().all(|row| row.user == "root"), "{rows:?}");
    let sample = case.wait_for(async {
        containers.stats(&id, Duration::from_millis(10)).await.unwrap().recv().await.unwrap()
    });
    assert!(sample.cpus > 0 && sample.system_nanos > 0 && sample.memory_limit > 0, "{sample:?}");
    if !in_user_namespace() {
        assert!(sample.cpu_nanos > 0 && sample.pids >= 3, "{sample:?}");
        assert!(sample.memory > 0 || !has_memory_controller(), "{sample:?}");
    }
    drop(case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    assert_eq!(case.wait_for(containers.top(&id)).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_log_is_saved_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::new();
    let id = case.create(&["sh", "-c", "echo one; echo two"], |_| {});
    case.start_again(&id);
    case.wait_for(case.engine.containers().wait(&id, WaitFor::NotRunning)).unwrap();
    let folder = case.dir.path().join("saved");
    std::fs::create_dir(&folder).unwrap();
    let (path, link) = (folder.join("log"), folder.join("link"));
    let save = |path: &Path, overwrites: bool, reporter: Reporter| {
        let save = SaveLog {
            containers: vec![id.parse().unwrap()],
            query: LogQuery::default(),
            since: None,
            path: path.to_owned(),
            overwrites,
            form: LogForm::default(),
        };
        case.wait_for(case.engine.containers().save_log(save, reporter))
    };
    let read = || std::fs::read_to_string(&path).unwrap();
    assert_eq!(save(&path, false, Reporter::silent()).unwrap(), 2);
    assert_eq!(read(), "one\ntwo\n");
    let error = save(&path, false, Reporter::silent()).unwrap_err();
    assert!(error.causes().concat().contains("exists"), "{:?}", error.causes());
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("log", &link).unwrap();
    let cancelled = Reporter::silent();
    cancelled.cancel();
    assert_eq!(save(&link, true, cancelled).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(read(), "old");
    assert_eq!(save(&link, true, Reporter::silent()).unwrap(), 2);
    assert_eq!((read().as_str(), link.is_symlink()), ("one\ntwo\n", true));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(save(&folder, true, Reporter::silent()).is_err());
    let broken = case.dir.path().join("broken");
    std::os::unix::fs::symlink("none", &broken).unwrap();
    let error = save(&broken, true, Reporter::silent()).unwrap_err();
    assert!(error.causes().concat().contains("dangling"), "{:?}", error.causes());
    assert!(broken.is_symlink(), "the link was replaced");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside");
}

#[test]
fn no_process_hides_by_its_name_or_speaks_to_the_terminal() {
    let case = Case::new();
    let script = r"printf 'ro\033]0;x\007ot:x:0:0::/:/bin/sh\n' > /etc/passwd
        printf '\377\376' > /proc/$$/comm; sleep 1000 & wait";
    let id = case.start(&["sh", "-c", script], |_| {});
    let top = || case.wait_for(case.engine.containers().top(&id)).unwrap().processes;
    until("both run", || top().iter().any(|row| row.command.starts_with("sleep")));
    let rows = top();
    let comm = std::fs::read(format!("/proc/{}/comm", case.run_of(&id).init().unwrap().pid));
    assert_eq!(comm.unwrap(), b"\xff\xfe\n", "its name is no text");
    assert_eq!(rows.iter().map(|row| row.inner_pid).min(), Some(1), "{rows:?}");
    assert!(rows.iter().all(|row| row.user == "ro␛]0;x␇ot"), "{rows:?}");
}

#[test]
fn the_containers_own_files_name_it() {
    let case = Case::new();
    let script =
        "cat /etc/hostname; hostname; pwd; echo $HOME; cat /etc/hosts | grep -c localhost; ulimit -n";
    let found = case.run(&["sh", "-c", script], |options| {
        options.networking.hostname = Some("web".to_owned());
        options.process.workdir = Some("/srv/new".into());
        options.resources.ulimits =
            vec![Ulimit { name: "nofile".to_owned(), soft: 100, hard: 200, ..Ulimit::default() }];
    });
    assert_eq!(found, said("web\nweb\n/srv/new\n/root\n2\n100\n", "", 0));
}

#[test]
fn a_user_writes_to_its_own_output_by_name() {
    if in_user_namespace() {
        skipped("there is one id only");
        return;
    }
    let case = Case::new();
    let script = "id -u; id -G; echo out > /dev/stdout; echo err > /dev/stderr";
    let found = case.run(&["sh", "-c", script], |options| options.process.user = Some("user".to_owned()));
    assert_eq!(found, said("1000\n1000 2000\nout\n", "err\n", 0));
}

#[test]
fn a_set_user_id_program_of_the_image_works_under_the_filter() {
    if in_user_namespace() {
        skipped("there is one id only");
        return;
    }
    let case = Case::new();
    let path = |name: &str| case.dir.path().join(name);
    let source = "#include <stdio.h>\n#include <sys/prctl.h>\n#include <unistd.h>\n\
        int main(void) { printf(\"%d %d, no_new_privs %d, seccomp %d\\n\", getuid(), geteuid(),\
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_SECCOMP)); }\n";
    std::fs::write(path("who.c"), source).unwrap();
    let mut cc = std::process::Command::new("cc");
    cc.args(["-static", "-o"]).args([path("who"), path("who.c")]);
    assert!(cc.status().unwrap().success(), "Debian's gcc and libc6-dev are needed");
    let mut tar = tar::Builder::new(std::fs::File::create(path("who.tar")).unwrap());
    let program = std::fs::read(path("who")).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o4755);
    tar.append_data(&mut header, "who", program.as_slice()).unwrap();
    tar.into_inner().unwrap();
    assert!(case.hoist(&["import", path("who.tar").to_str().unwrap(), "who"]).status.success());
    let run = |options: &[&str]| {
        let words = ["run", "--rm", "--network", "none", "-u", "1000"];
        let said = case.hoist(&[&words, options, &["who", "/who"]].concat());
        String::from_utf8(said.stdout).unwrap()
    };
    assert_eq!(run(&[]), "1000 0, no_new_privs 0, seccomp 2\n");
    let forbidden = run(&["--security-opt", "no-new-privileges"]);
    assert_eq!(forbidden, "1000 1000, no_new_privs 1, seccomp 2\n");
}

#[test]
fn a_link_of_the_image_in_the_place_of_proc_or_sys_is_replaced() {
    let case = Case::new();
    let path = case.dir.path().join("links.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&path).unwrap());
    tar.append_path_with_name("/bin/busybox", "busybox").unwrap();
    for name in ["proc", "sys"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, name, "/elsewhere").unwrap();
    }
    tar.into_inner().unwrap();
    assert!(case.hoist(&["import", path.to_str().unwrap(), "links"]).status.success());
    let show = ["/busybox", "ls", "-d", "/proc/1", "/sys/kernel"];
    let said = case.hoist(&[&["run", "--rm", "--network", "none", "links"], &show[..]].concat());
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "/proc/1\n/sys/kernel\n");
}

#[test]
fn a_read_only_root_covers_the_files_of_etc() {
    let case = Case::new();
    let script =
        "for f in hosts resolv.conf hostname; do (echo x >>/etc/$f) 2>/dev/null && echo $f; done; echo tried";
    assert_eq!(case.run(&["sh", "-c", script], |options| options.mounts.read_only = true).stdout, "tried\n");
}

#[test]
fn a_read_only_bind_is_so_all_the_way_down_unless_asked_otherwise() {
    use hoist::engine::{Bind, MountKind, MountRequest, Submounts};
    let case = Case::new();
    let source = case.dir.path().join("source");
    std::fs::create_dir_all(source.join("in")).unwrap();
    let _below = Mounted::tmpfs(&source.join("in"));
    let run = |submounts| {
        let script = "for f in /data/a /data/in/a; do touch $f 2>/dev/null && echo $f; done; echo tried";
        let found = case.run(&["sh", "-c", script], |options| {
            let bind = Bind { source: source.clone(), recursive: true, submounts, ..Bind::default() };
            let mount = MountRequest::new("/data", MountKind::Bind(bind));
            options.mounts.list = vec![MountRequest { read_only: true, ..mount }];
        });
        found.stdout
    };
    assert_eq!(run(Submounts::Alike), "tried\n");
    assert_eq!(run(Submounts::ReadOnly), "tried\n");
    assert_eq!(run(Submounts::Writable), "/data/in/a\ntried\n");
}

/// A file system mounted for a test. Dropping it unmounts it.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(at: &std::path::Path) -> Self {
        let tmpfs = hoist::internals::sys::mount::Filesystem::new("tmpfs").unwrap();
        let tree = tmpfs.mount(hoist::internals::sys::mount::Attrs::empty()).unwrap();
        let place = hoist::internals::sys::fs::open_place(at).unwrap();
        hoist::internals::sys::mount::attach(
            std::os::fd::AsFd::as_fd(&tree),
            std::os::fd::AsFd::as_fd(&place),
        )
        .unwrap();
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        hoist::internals::sys::mount::detach(&self.0).unwrap();
    }
}

#[test]
fn a_monitor_has_no_privilege_that_neither_it_nor_its_container_needs() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |options| options.security.cap_add = vec!["SYSLOG".to_owned()]);
    let folder = case.engine.paths().container_run(&id.parse().unwrap());
    let pid = |file: &str, who: &str| {
        let file: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        file[who]["pid"].as_u64().unwrap()
    };
    let set_of = |pid: u64, name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        u64::from_str_radix(line.unwrap(), 16).unwrap()
    };
    let monitor = pid("run.json", "monitor");
    let set = |name: &str| set_of(monitor, name);
    let cap = |number: u8| 1_u64 << number;
    use hoist::internals::sys::cap::Cap;
    let needless = [Cap::SYS_MODULE, Cap::SYS_RAWIO, Cap::SYS_BOOT, Cap::SYS_TIME];
    let needless = needless.iter().fold(0, |set, needless| set | cap(needless.number()));
    assert_eq!((set("CapPrm") & needless, set("CapEff") & needless, set("CapBnd") & needless), (0, 0, 0));
    assert_eq!((set("CapInh"), set("CapAmb")), (0, 0));
    assert_ne!(set("CapEff") & cap(Cap::SYS_ADMIN.number()), 0, "it starts the container again");
    let wanted = cap(Cap::SYSLOG.number());
    assert_eq!(
        set("CapBnd") & wanted,
        set_of(std::process::id().into(), "CapBnd") & wanted,
        "its container's"
    );
    let cwd = std::fs::read_link(format!("/proc/{monitor}/cwd")).unwrap();
    assert_eq!(cwd.to_str(), Some("/"));
    // Once a command runs, its monitor can end it and write how, no more.
    let exec = case.wait_for(case.engine.containers().exec(&id, exec(&["sleep", "1000"]), ALL)).unwrap();
    let watching = pid(&format!("exec/{}.json", exec.id), "owner");
    let enough = cap(Cap::KILL.number()) | cap(Cap::DAC_OVERRIDE.number());
    until("the rest is given up", || set_of(watching, "CapPrm") == enough);
    assert_eq!((set_of(watching, "CapBnd"), set_of(watching, "CapEff")), (enough, enough));
}

#[test]
fn a_bind_and_a_tmpfs_are_there() {
    use hoist::engine::{Bind, MountKind, MountRequest, Tmpfs};
    let case = Case::new();
    let source = case.dir.path().join("made/by/us");
    let bind = |source: &std::path::Path, create_source| {
        let bind = Bind { source: source.into(), create_source, recursive: true, ..Bind::default() };
        MountRequest::new("/data", MountKind::Bind(bind))
    };
    let found = case.run(&["sh", "-c", "echo x > /data/file; df /mem | tail -1"], |options| {
        options.mounts.list = vec![
            bind(&source, true),
            MountRequest::new("/mem", MountKind::Tmpfs(Tmpfs { size: Some(1 << 20), ..Tmpfs::default() })),
        ];
    });
    assert!(found.stdout.contains(" 1024 "), "{found:?}");
    assert_eq!(std::fs::read_to_string(source.join("file")).unwrap(), "x\n");
    let missing = case.dir.path().join("missing");
    let id = case.create(&["true"], |options| options.mounts.list = vec![bind(&missing, false)]);
    let error = case.wait_for(case.engine.containers().start(&id)).unwrap_err();
    assert_eq!(error.causes(), [format!("bind source path does not exist: {}", missing.display())]);
}

#[test]
fn a_start_that_fails_with_rm_leaves_nothing() {
    let case = Case::new();
    let id = case.create(&["nope"], |options| options.lifecycle.auto_remove = true);
    let error = case.wait_for(case.engine.containers().start_attached(&id, ALL, None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProgramNotFound);
    assert!(case.wait_for(case.engine.containers().list()).unwrap().is_empty());
    assert!(!case.engine.paths().container_run(&id.parse().unwrap()).exists());
}

#[test]
fn want_of_memory_is_told_and_recorded() {
    if in_user_namespace() {
        skipped("no cgroup can be made whose limit could be set");
        return;
    }
    if !has_memory_controller() {
        return;
    }
    let case = Case::new();
    let id =
        case.start(&["sh", "-c", "while [ ! -e /go ]; do sleep 0.01; done; exec tail /dev/zero"], |_| {});
    let (v1, v2) = ("memory/", "");
    let (tree, file) = match Path::new("/sys/fs/cgroup/memory").exists() {
        true => (v1, "memory.limit_in_bytes"),
        false => (v2, "memory.max"),
    };
    let name = case.engine.paths().engine_name();
    std::fs::write(format!("/sys/fs/cgroup/{tree}{name}/{id}/{file}"), "8388608").unwrap();
    let exit = case.wait_for(async {
        let containers = case.engine.containers();
        let waiter = containers.wait(&id, WaitFor::NextExit);
        containers.exec(&id, exec(&["touch", "/go"]), ALL).await.unwrap();
        waiter.await.unwrap()
    });
    assert_eq!((exit.code, exit.oom_killed), (137, true));
    assert!(case.container(&id).state.oom_killed);
    assert!(actions(&case, &id).contains(&"oom".to_owned()), "{:?}", actions(&case, &id));
}

#[test]
fn a_container_has_the_memory_it_is_given() {
    if in_user_namespace() {
        skipped("no cgroup can be made whose limit could be set");
        return;
    }
    if !has_memory_controller() {
        return;
    }
    let case = Case::new();
    let args = ["run", "--name", "greedy", "-m", "8m", case::IMAGE, "tail", "/dev/zero"];
    assert_eq!(case.hoist(&args).status.code(), Some(137));
    let shown =
        ["inspect", "-f", "{{.State.OOMKilled}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "greedy"];
    assert_eq!(String::from_utf8(case.hoist(&shown).stdout).unwrap(), "true 8388608 16777216\n");
    let error = case.hoist(&["run", "-m", "5m", case::IMAGE, "true"]);
    let error = String::from_utf8(error.stderr).unwrap();
    assert!(error.contains("Minimum memory limit allowed is 6MB"), "{error}");
}

#[test]
fn an_error_calls_a_container_as_its_user_does() {
    let case = Case::new();
    let id = case.create(&["true"], |options| options.logging.driver = Some("none".to_owned()));
    let containers = case.engine.containers();
    drop(case.wait_for(containers.rename(&id, "web".parse().unwrap())).unwrap());
    let container = case.container(&id);
    // Front ends use full ids; what a user typed is shown as typed.
    for (target, shown) in [(id.as_str(), "web"), ("web", "web"), (&id[..5], &id[..5])] {
        let process = Process { pid: 1, start_time: 0 };
        let verbs = case.wait_for(async {
            [
                containers.exec_detached(target, exec(&["true"])).await.err(),
                containers.attach(target, ALL).await.err(),
                containers.kill(target, "KILL").await.err(),
                containers.pause(target).await.err(),
                containers.unpause(target).await.err(),
                containers.stop(target, Some("NONE"), None).await.err(),
                containers.restart(target, Some("NONE"), None).await.err(),
                containers.rename(target, "web".parse().unwrap()).await.err(),
                containers.logs(target, WHOLE).await.err(),
                containers.top(target).await.err(),
                containers.process(target, 1).await.err(),
                containers.signal_process(target, process, "TERM").await.err(),
                case.engine.files().list(&Place::Container(target.to_owned()), Path::new("/no")).await.err(),
            ]
        });
        for error in verbs {
            let (told, causes) = error.map(|error| (error.to_string(), error.causes())).unwrap();
            assert!(
                told.ends_with(&format!("`{shown}`")) || told.ends_with(&format!(" of {shown}")),
                "{told}"
            );
            assert!(!causes.concat().contains(&id), "{causes:?}");
        }
    }
    let error = case.wait_for(containers.log_view(&[container.id])).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the log of `web`");
    // The name of a removed container is unknown.
    case.wait_for(containers.remove(&id, Removal::for_good(Running::Refuse))).unwrap();
    let error = case.wait_for(containers.start(&id)).unwrap_err();
    assert_eq!(error.causes(), [format!("No such container: {id}")]);
}

#[test]
fn without_a_log_there_is_nothing_to_read() {
    let case = Case::new();
    let id = case.create(&["true"], |options| options.logging.driver = Some("none".to_owned()));
    let error = case.wait_for(case.engine.containers().logs(&id, WHOLE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn two_engines_see_each_others_changes_at_once() {
    let case = Case::new();
    let other = hoist::engine::Engine::open(case.engine.settings().clone()).unwrap();
    let id = case.create(&["sleep", "1000"], |_| {});
    let seen = case.wait_for(async {
        let mut events = other.events(EventRequest::default()).await.unwrap();
        let _ = case.engine.containers().start(&id).await.unwrap();
        let waiter = {
            let (other, id) = (other.clone(), id.clone());
            tokio::spawn(async move { other.containers().wait(&id, WaitFor::NextExit).await })
        };
        drop(case.engine.containers().stop(&id, None, Some(0)).await.unwrap());
        assert_eq!(waiter.await.unwrap().unwrap().code, 137);
        let mut seen = Vec::new();
        while seen.last().map(String::as_str) != Some("stop") {
            match events.recv().await.unwrap() {
                hoist::engine::News::Event(event) => seen.push(event.action),
                hoist::engine::News::Gap => {}
            }
        }
        seen
    });
    // SIGTERM, which process 1 ignores, and SIGKILL.
    assert_eq!(seen, ["start", "kill", "kill", "die", "stop"]);
}

/// Returns this process's inotify descriptors that watch the run folder of an engine.
fn inotify_instances(engine: &hoist::engine::Engine) -> usize {
    let inode = std::fs::metadata(engine.paths().run()).unwrap().ino();
    let watch = format!(" ino:{inode:x} ");
    let is_one = |fd: &std::fs::DirEntry| {
        std::fs::read_to_string(fd.path())
            .is_ok_and(|info| info.contains("inotify ") && info.contains(&watch))
    };
    std::fs::read_dir("/proc/self/fdinfo").unwrap().flatten().filter(is_one).count()
}

#[test]
fn any_number_who_wait_or_follow_share_one_inotify_instance() {
    let case = Case::new();
    let id = case.start(&["sh", "-c", "echo said; exec sleep 1000"], |_| {});
    case.wait_for(async {
        let mut waiters = Vec::new();
        for _ in 0..50 {
            let (engine, id) = (case.engine.clone(), id.clone());
            let events = engine.events(EventRequest::default()).await.unwrap();
            let mut records =
                engine.containers().logs(&id, LogRequest { follow: true, ..WHOLE }).await.unwrap();
            assert_eq!(records.recv().await.unwrap().unwrap().bytes, b"said\n");
            waiters.push(tokio::spawn(async move {
                let code = engine.containers().wait(&id, WaitFor::NextExit).await.unwrap().code;
                drop(events);
                (code, records.recv().await.is_none())
            }));
        }
        assert_eq!(inotify_instances(&case.engine), 1);
        drop(case.engine.containers().kill(&id, "KILL").await.unwrap());
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), (137, true));
        }
        while inotify_instances(&case.engine) > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn who_waits_for_one_that_is_removed_hears_how_it_ended() {
    let case = Case::new();
    let ids: Vec<_> = (0..24).map(|_| case.start(&["sleep", "1000"], |_| {})).collect();
    let exits = case.wait_for(async {
        let waiters: Vec<_> = ids
            .iter()
            .cloned()
            .map(|id| {
                let engine = case.engine.clone();
                tokio::spawn(async move { engine.containers().wait(&id, WaitFor::NotRunning).await })
            })
            .collect();
        let removals: Vec<_> = ids
            .iter()
            .cloned()
            .map(|id| {
                let engine = case.engine.clone();
                tokio::spawn(async move {
                    engine.containers().remove(&id, Removal::for_good(Running::Kill)).await
                })
            })
            .collect();
        for removal in removals {
            removal.await.unwrap().unwrap();
        }
        let mut exits = Vec::new();
        for waiter in waiters {
            match waiter.await.unwrap() {
                Ok(exit) => exits.push(exit.code),
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound), // it was too late
            }
        }
        exits
    });
    assert!(!exits.is_empty() && exits.iter().all(|code| *code == 137), "{exits:?}");
}

#[test]
fn a_shutdown_ends_each_in_its_own_way_and_a_boot_starts_what_policies_want() {
    let case = Case::new();
    let containers = case.engine.containers();
    let polite = "trap 'exit 7' USR1; trap '' TERM; touch /ready; while :; do sleep 0.01; done";
    let polite = case.start(&["sh", "-c", polite], |options| {
        options.lifecycle.restart = RestartPolicy::Always;
        options.lifecycle.stop_signal = Some("SIGUSR1".to_owned());
    });
    let deaf = case.start(&["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], |options| {
        options.lifecycle.restart = RestartPolicy::UnlessStopped;
        options.lifecycle.stop_timeout = Some(0);
    });
    let by_hand =
        case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::UnlessStopped);
    drop(case.wait_for(containers.stop(&by_hand, None, Some(0))).unwrap());
    let kill = |options: &mut Options| options.lifecycle.stop_signal = Some("KILL".to_owned());
    let plain = case.start(&["sleep", "1000"], kill);
    let failing = case.start(&["sleep", "1000"], |options| {
        options.lifecycle.restart = RestartPolicy::OnFailure(0);
        kill(options);
    });
    let looping = case.start(&["false"], |options| options.lifecycle.restart = RestartPolicy::Always);
    let never_ran = case.create(&["true"], |options| options.lifecycle.restart = RestartPolicy::Always);
    let upper = case.engine.paths().container(&polite.parse().unwrap()).join("upper/ready");
    until("it listens", || upper.exists());
    until("it waits for its restart", || case.container(&looping).status == Status::Restarting);

    let names = |outcomes: Vec<hoist::engine::Outcome>| {
        let done = outcomes.into_iter().map(|it| (it.name, it.result.unwrap()).0);
        done.collect::<std::collections::BTreeSet<_>>()
    };
    let named = |ids: &[&str]| ids.iter().map(|id| case.container(id).name.to_string()).collect();
    let stopped = names(case.wait_for(case.engine.shutdown()).unwrap());
    assert_eq!(stopped, named(&[&polite, &deaf, &plain, &failing, &looping]));
    let code = |id: &str| (case.container(id).status, case.container(id).state.exit_code);
    assert_eq!(code(&polite), (Status::Exited, 7));
    assert_eq!([code(&deaf), code(&plain), code(&failing)], [(Status::Exited, 137); 3]);
    assert_eq!(code(&looping), (Status::Exited, 1));
    assert!(names(case.wait_for(case.engine.shutdown()).unwrap()).is_empty());

    let started = names(case.wait_for(case.engine.boot()).unwrap());
    assert_eq!(started, named(&[&polite, &deaf, &looping]));
    assert_eq!([code(&polite).0, code(&deaf).0], [Status::Running; 2]);
    assert_eq!([&by_hand, &plain, &failing].map(|id| code(id).0), [Status::Exited; 3]);
    assert_eq!(code(&never_ran).0, Status::Created);
    for id in [&polite, &deaf, &looping] {
        case.wait_for(containers.remove(id, Removal::for_good(Running::Kill))).unwrap();
    }
}
