//! The life of a container as seen by its monitor. A child of the test stands for the container,
//! without a cgroup or network.

use std::fs;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::*;
use crate::base::disk::Rank;
use crate::container::{Bind, MountKind, MountRequest, Process, RestartPolicy, Run};
use crate::monitor::adopt::adopt;
use crate::monitor::session::{Shape, Streams};
use crate::monitor::wire::{self, Attach, Hello};
use crate::sys::socket::{self, Received};

struct Case {
    dir: tempfile::TempDir,
    monitor: Monitor,
    payload: Payload,
}

/// A process that is killed at the end of the test.
struct Payload {
    pidfd: OwnedFd,
    process: Process,
}

impl Payload {
    #[expect(clippy::zombie_processes, reason = "it is reaped by its pidfd")]
    fn start(words: &[&str], stdout: Stdio) -> Self {
        let child = Command::new(words[0]).args(&words[1..]).stdout(stdout).spawn().unwrap();
        let pidfd = sys::process::open(child.id().cast_signed()).unwrap();
        // It may have exited already.
        let process = Process::of(child.id()).unwrap_or(Process { pid: child.id(), start_time: 0 });
        Self { pidfd, process }
    }

    fn sleeping() -> Self {
        Self::start(&["sleep", "1000"], Stdio::null())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let _ = sys::process::signal(self.pidfd.as_fd(), libc::SIGKILL); // it may have exited
        let _ = sys::process::wait(self.pidfd.as_fd());
    }
}

fn case(adjust: impl FnOnce(&mut Record)) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
    let mut record = crate::monitor::life::tests::record(RestartPolicy::No, false);
    // It cannot be restarted, so that the test does not create anything outside its folders.
    let missing = Bind { source: dir.path().join("none"), ..Bind::default() };
    record.config.mounts.list = vec![MountRequest::new("/data", MountKind::Bind(missing))];
    adjust(&mut record);
    drop(store::create(&paths, &record).unwrap());
    fs::create_dir_all(paths.container_run(&record.id)).unwrap();
    let lock =
        Lock::try_exclusive(&store::monitor_lock(&paths, &record.id), Rank::Container).unwrap().unwrap();
    let session = Session::new(None, None, Shape { tty: false, stdin_once: false });
    let monitor = Monitor::new(paths, record, Probe::now().unwrap(), session, lock);
    Case { dir, monitor, payload: Payload::sleeping() }
}

impl Case {
    /// Returns the container of the payload as running.
    fn up(&self) -> Up {
        let run = self.run();
        store::save_run(&self.monitor.paths, &self.monitor.record.id, &run).unwrap();
        Up {
            run,
            pidfd: self.payload.pidfd.try_clone().unwrap(),
            cgroup: settle::cgroup_of(&self.monitor.paths, &self.monitor.record.id, None),
            oom: None,
            streams: Streams::default(),
            warnings: Vec::new(),
        }
    }

    fn run(&self) -> Run {
        Run {
            status: Status::Running,
            init: Some(self.payload.process.into()),
            endpoints: Some(Vec::new()),
            ..settle::waiting_run(Process::own())
        }
    }

    /// Connects a client with this request.
    fn ask(&mut self, ask: Ask) -> Client {
        let (ours, theirs) = socket::pair().unwrap();
        self.monitor.session.connect(ours);
        let hello = wire::encode(&Hello { protocol: wire::PROTOCOL, ask }).unwrap();
        socket::send(theirs.as_fd(), &[&hello]).unwrap();
        socket::set_nonblocking(theirs.as_fd()).unwrap();
        Client(theirs)
    }

    /// Watches the container until its end, and returns what is left.
    fn watch(self) -> Left {
        let (up, Self { dir, monitor, payload }) = (self.up(), self);
        let (paths, id) = (monitor.paths.clone(), monitor.record.id.clone());
        monitor.run(up).unwrap();
        let ended = sys::process::has_ended(payload.pidfd.as_fd());
        assert!(ended.is_err() || ended.unwrap(), "it is reaped, or at least dead");
        Left {
            record: store::load(&paths, &id).unwrap(),
            run: store::load_run(&paths, &id).unwrap(),
            events: events(&paths),
            _dir: dir,
        }
    }

    /// Waits for a restart that is due in an hour.
    fn wait(&mut self) {
        let until = Some(Instant::now() + Duration::from_secs(3600));
        poll::serve(&mut Waiting { monitor: &mut self.monitor, until }).unwrap();
    }
}

struct Left {
    record: Option<Record>,
    run: Option<Run>,
    events: Vec<String>,
    _dir: tempfile::TempDir,
}

struct Client(OwnedFd);

impl Client {
    /// Returns the names of the answers that the client has received.
    fn heard(&self) -> Vec<String> {
        self.messages()
            .iter()
            .map(|text| text.trim_matches(['{', '"']).split('"').next().unwrap().to_owned())
            .collect()
    }

    fn messages(&self) -> Vec<String> {
        let mut buffer = vec![0; wire::MAX_PACKET];
        let receive = || match socket::receive(self.0.as_fd(), &mut buffer) {
            Ok(Received::Message(length)) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            _ => None,
        };
        std::iter::from_fn(receive).collect()
    }
}

fn events(paths: &Paths) -> Vec<String> {
    let journal = fs::read_to_string(paths.journal()).unwrap_or_default();
    let action = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["Action"].as_str().map(str::to_owned)
    };
    journal.lines().filter(|line| !line.is_empty()).filter_map(action).collect()
}

fn stop(signal: Option<i32>, timeout: Option<i64>) -> Ask {
    Ask::Stop { signal, timeout, at_shutdown: false }
}

#[test]
fn an_end_is_told_to_who_asked_for_it_and_written_down() {
    let shutdown = Ask::Stop { signal: None, timeout: None, at_shutdown: true };
    for (ask, code, by_hand, events, answers) in [
        (stop(None, None), 143, true, "kill die stop", "accepted done"),
        (stop(Some(libc::SIGUSR2), None), 140, true, "kill die stop", "accepted done"),
        // This signal does not end it.
        (stop(Some(libc::SIGCONT), Some(0)), 137, true, "kill kill die stop", "accepted done"),
        (shutdown, 143, false, "kill die stop", "accepted done"),
        (Ask::kill(libc::SIGKILL), 137, true, "kill die", "accepted done"),
        (Ask::kill(libc::SIGTERM), 143, true, "kill die", "done"),
        (Ask::kill(libc::SIGUSR1), 138, false, "kill die", "done"),
    ] {
        let mut case = case(|_| {});
        let client = case.ask(ask.clone());
        let left = case.watch();
        let state = left.record.unwrap().state;
        assert_eq!((state.exit_code, state.stopped_by_hand), (code, by_hand), "{ask:?}");
        assert!(state.finished.is_some() && left.run.is_none(), "{ask:?}");
        assert_eq!(left.events.join(" "), events, "{ask:?}");
        assert_eq!(client.heard().join(" "), answers, "{ask:?}");
    }
}

#[test]
fn an_end_by_itself_follows_the_policy() {
    use RestartPolicy::{No, OnFailure};
    for (policy, auto_remove, script, code, count, events) in [
        (No, false, "exit 3", 3, 0, "die"),
        (No, true, "exit 0", 0, 0, "die destroy"),
        (No, false, "kill -SEGV $$", 139, 0, "die"),
        (OnFailure(1), false, "exit 0", 0, 0, "die"),
        // The restart by its policy fails, and the policy permits no second one.
        (OnFailure(1), false, "exit 1", 128, 1, "die die"),
    ] {
        let mut case = case(|record| {
            let lifecycle = &mut record.config.lifecycle;
            (lifecycle.restart, lifecycle.auto_remove) = (policy, auto_remove);
        });
        case.payload = Payload::start(&["sh", "-c", script], Stdio::null());
        let left = case.watch();
        assert_eq!(left.events.join(" "), events, "{script}");
        assert!(left.run.is_none(), "{script}");
        let Some(Record { state, .. }) = left.record else {
            assert!(auto_remove, "{script}");
            continue;
        };
        assert_eq!((state.exit_code, state.restart_count, auto_remove), (code, count, false), "{script}");
        assert_eq!(state.error.contains("bind source path does not exist"), count == 1, "{}", state.error);
    }
}

#[test]
fn a_restart_that_does_not_come_about_is_told() {
    let mut case = case(|record| record.state.restart_count = 7);
    let client = case.ask(Ask::Restart { signal: None, timeout: None });
    let (also, meanwhile) = (case.ask(Ask::Ping), case.ask(stop(Some(libc::SIGCONT), None)));
    let left = case.watch();
    // The stop was requested last, so it takes precedence.
    assert_eq!(also.heard(), ["done"]);
    assert_eq!(meanwhile.heard(), ["accepted", "done"]);
    assert_eq!(client.heard(), ["accepted", "failed"], "a person ended it meanwhile");
    assert!(left.record.unwrap().state.stopped_by_hand);

    let mut case = self::case(|record| record.state.restart_count = 7);
    let client = case.ask(Ask::Restart { signal: None, timeout: None });
    let left = case.watch();
    let said = client.messages();
    assert!(said.len() == 2 && said[1].contains("bind source path does not exist"), "{said:?}");
    let state = left.record.unwrap().state;
    assert_eq!((state.restart_count, state.stopped_by_hand), (0, false));
    assert_eq!(left.events, ["kill", "die", "stop", "die"]);
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut case = case(|_| {});
    let asks = [
        (Ask::Pause, "failed"), // there is no cgroup
        (Ask::Unpause, "failed"),
        (stop(Some(999), Some(0)), "failed"),
        (Ask::Kill { signal: 999, by_hand: true }, "failed"),
        (Ask::Rename { name: "not a name".to_owned() }, "failed"),
        (Ask::Rename { name: "newer".to_owned() }, "done"),
        (Ask::Resize { rows: 1, columns: 2 }, "done"),
        (Ask::Ping, "done"),
        (Ask::Kill { signal: 0, by_hand: false }, "done"),
    ];
    let clients: Vec<_> = asks.iter().map(|(ask, _)| case.ask(ask.clone())).collect();
    let mut up = case.up();
    let mut watching =
        Watching { monitor: &mut case.monitor, up: &mut up, guard: None, usage: None, has_ended: false };
    for (asker, ask) in poll::turn(&mut watching).unwrap() {
        watching.serve(asker, ask);
    }
    for (client, (ask, answer)) in clients.iter().zip(&asks) {
        assert_eq!(client.heard(), [*answer], "{ask:?}");
    }
    let Monitor { order, kill_at, waiters, pausing, record, .. } = &case.monitor;
    assert!(order.is_none() && kill_at.is_none() && waiters.is_empty() && pausing.is_none());
    assert!(!record.state.stopped_by_hand && record.name.as_str() == "newer");
    assert_eq!(up.run.status, Status::Running);
    assert_eq!(events(&case.monitor.paths), ["rename", "resize", "kill"]);
    assert!(!sys::process::has_ended(case.payload.pidfd.as_fd()).unwrap());
}

#[test]
fn a_wait_for_a_restart_takes_orders() {
    for (ask, order, by_hand) in [
        (stop(None, None), Order::Stop, true),
        (Ask::kill(libc::SIGHUP), Order::Stop, true),
        (Ask::Stop { signal: None, timeout: None, at_shutdown: true }, Order::Shutdown, false),
        (Ask::Restart { signal: None, timeout: None }, Order::Restart, false),
    ] {
        let mut case = case(|_| {});
        let first = [
            (Ask::Ping, "done"),
            (Ask::Pause, "failed"),
            (Ask::Unpause, "failed"),
            (Ask::Resize { rows: 1, columns: 1 }, "failed"),
            (Ask::Rename { name: "db".to_owned() }, "done"),
        ]
        .map(|(ask, answer)| (case.ask(ask), answer));
        let client = case.ask(ask.clone());
        case.wait();
        for (client, answer) in first {
            assert_eq!(client.heard(), [answer]);
        }
        assert_eq!(client.heard(), ["accepted"], "{ask:?}");
        assert_eq!((case.monitor.order, case.monitor.waiters.len()), (Some(order), 1), "{ask:?}");
        let written = store::load(&case.monitor.paths, &case.monitor.record.id).unwrap().unwrap();
        assert_eq!((written.state.stopped_by_hand, written.name.as_str()), (by_hand, "db"), "{ask:?}");
    }
}

#[test]
fn a_wait_ends_when_its_time_has_come() {
    let mut case = case(|_| {});
    poll::serve(&mut Waiting { monitor: &mut case.monitor, until: Some(Instant::now()) }).unwrap();
    assert_eq!(case.monitor.order, None);
    case.monitor.order = Some(Order::Restart);
    assert!(case.monitor.wait_for_restart().unwrap());
    assert_eq!(case.monitor.record.state.restart_count, 0, "a person's restart is none of the policy's");
    case.monitor.order = Some(Order::Stop);
    assert!(!case.monitor.wait_for_restart().unwrap());
}

#[test]
fn clients_hear_all_that_was_written_and_the_end() {
    let mut case = case(|_| {});
    let (read, write) = std::io::pipe().unwrap();
    case.payload = Payload::start(&["sh", "-c", "echo said; exit 5"], write.into());
    let wants = Attach { stdout: true, lossless: true, ..Attach::default() };
    let client = case.ask(Ask::Attach(wants));
    case.monitor.session.accept_clients();
    case.monitor.session.begin(Streams { stdout: Some(read.into()), ..Streams::default() });
    case.monitor.session.streams.set_nonblocking().unwrap();
    let left = case.watch();
    assert_eq!(client.messages(), [r#"{"attached":{"tty":false}}"#, "Osaid\n", "X\u{5}"]);
    assert_eq!(left.record.unwrap().state.exit_code, 5);
}

#[test]
fn who_lives_is_adopted_and_who_does_not_is_not() {
    let take = |adjust: &dyn Fn(&mut Run)| {
        let case = case(|_| {});
        let mut run =
            Run { monitor: Process { pid: 4_000_000, start_time: 1 }.into(), starting: true, ..case.run() };
        adjust(&mut run);
        store::save_run(&case.monitor.paths, &case.monitor.record.id, &run).unwrap();
        let Case { dir, monitor, payload } = case;
        let (paths, id) = (monitor.paths.clone(), monitor.record.id.clone());
        let adopted = adopt(monitor).map(|(_, up)| up);
        let written = store::load_run(&paths, &id).unwrap().unwrap();
        drop((dir, payload));
        (adopted, written)
    };
    for status in [Status::Running, Status::Paused, Status::Restarting] {
        let (adopted, written) = take(&|run| run.status = status);
        let up = adopted.unwrap().unwrap();
        assert_eq!(up.run, written);
        assert_eq!(
            (written.status, written.starting),
            (Status::Running, false),
            "{status:?}: nothing is frozen"
        );
        assert_eq!((written.monitor(), written.protocol), (Process::own(), wire::PROTOCOL));
    }
    let (adopted, written) = take(&|run| (run.status, run.init) = (Status::Restarting, None));
    assert!(adopted.unwrap().is_none(), "its next start is due");
    assert_eq!((written.monitor(), written.status), (Process::own(), Status::Restarting));
    let (pid, start_time) = (4_000_000, 1);
    for gone in [
        None,
        Some(Process { pid, start_time }),
        Some(Process { pid: u32::MAX, start_time }),
        Some(Process { start_time, ..Process::own() }),
    ] {
        let (adopted, written) = take(&|run| run.init = gone.map(Into::into));
        assert!(matches!(adopted, Err(Error::NotRunning)), "{gone:?}");
        assert_eq!(written.monitor().pid, pid, "{gone:?}: nothing was taken over");
    }
    let none = case(|_| {});
    assert!(matches!(adopt(none.monitor), Err(Error::NotRunning)), "there is no run");
}

#[test]
fn the_output_of_who_is_adopted_is_read_on() {
    let mut case = case(|_| {});
    let (read, write) = std::io::pipe().unwrap();
    let inode = sys::fs::stat(&read).unwrap().st_ino;
    case.payload = Payload::start(&["sh", "-c", "echo kept; exec sleep 1000"], write.into());
    let run = Run { pipes: Some([inode, u64::MAX]), ..case.run() };
    store::save_run(&case.monitor.paths, &case.monitor.record.id, &run).unwrap();
    let wants = Attach { stdout: true, stderr: true, lossless: true, ..Attach::default() };
    let (client, end) = (case.ask(Ask::Attach(wants)), case.ask(Ask::kill(libc::SIGKILL)));
    case.monitor.session.accept_clients();
    let mut written = [rustix::event::PollFd::new(&read, PollFlags::IN)];
    rustix::event::poll(&mut written, None).unwrap();
    let Case { dir, monitor, payload } = case;
    let (monitor, up) = adopt(monitor).unwrap();
    monitor.run(up.unwrap()).unwrap();
    assert_eq!(
        client.messages(),
        [r#"{"attached":{"tty":false}}"#, "Okept\n", "X\u{fffd}"],
        "137 is no text"
    );
    assert_eq!(end.heard(), ["accepted", "done"]);
    drop((dir, payload, read));
}
