//! The protocol between an engine, a container's monitor, and its exit. Needs root, or root in a
//! user namespace (`unshare -Urmn`).

use std::cell::RefCell;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command};

use crate::case::{ALL, Case, hear, until};
use crate::support::in_user_namespace;
use hoist::engine::container::ExecRequest;
use hoist::engine::{EventRequest, Input, News, Process, RestartPolicy, Status};
use hoist::internals::base::disk::{Lock, Rank, private_dir};
use hoist::internals::base::{ContainerId, Name};
use hoist::internals::container::store;
use hoist::internals::monitor::settle::waiting_run;
use hoist::internals::monitor::wire::{self, Answer, Ask, Hello};
use hoist::internals::sys::signal;
use hoist::internals::sys::socket::{self, Received};

/// A fake monitor of a container. It holds the lock, listens, and answers as the test requires.
struct StandIn<'a> {
    case: &'a Case,
    id: ContainerId,
    init: Child,
    listener: OwnedFd,
    _lock: Lock,
}

impl<'a> StandIn<'a> {
    fn new(case: &'a Case, id: &str) -> Self {
        let (paths, id) = (case.engine.paths(), id.parse().unwrap());
        private_dir(&paths.container_run(&id)).unwrap();
        let lock = Lock::try_exclusive(&store::monitor_lock(paths, &id), Rank::Container).unwrap().unwrap();
        let listener = socket::listen(&paths.container_run(&id), wire::SOCKET).unwrap();
        let init = Command::new("sleep").arg("1000").spawn().unwrap();
        let mut record = store::load(paths, &id).unwrap().unwrap();
        let mut run = waiting_run(Process::of(std::process::id()).unwrap());
        (run.status, run.init) = (Status::Running, Process::of(init.id()).map(Into::into));
        run.started = Some(jiff::Timestamp::now());
        record.state.started = run.started;
        store::save(paths, &record).unwrap();
        store::save_run(paths, &id, &run).unwrap();
        Self { case, id, init, listener, _lock: lock }
    }

    /// Returns the next client with its request.
    fn hear(&self) -> (OwnedFd, Ask) {
        let client = RefCell::new(None);
        until("somebody asks", || {
            *client.borrow_mut() = socket::accept(self.listener.as_fd()).unwrap();
            client.borrow().is_some()
        });
        let client = client.into_inner().unwrap();
        let (mut buffer, length) = ([0; wire::MAX_HELLO], RefCell::new(0));
        let buffer_of = RefCell::new(&mut buffer);
        until("it says what it wants", || match socket::receive(client.as_fd(), *buffer_of.borrow_mut()) {
            Ok(Received::Message(got)) => {
                *length.borrow_mut() = got;
                true
            }
            _ => false,
        });
        let hello: Hello = serde_json::from_slice(&buffer[..length.into_inner()]).unwrap();
        (client, hello.ask)
    }

    /// The container exits with code 3, followed by the monitor.
    fn end(self) {
        let paths = self.case.engine.paths();
        let mut record = store::load(paths, &self.id).unwrap().unwrap();
        record.state.finished = Some(jiff::Timestamp::now());
        record.state.exit_code = 3;
        store::save(paths, &record).unwrap();
    }
}

impl Drop for StandIn<'_> {
    fn drop(&mut self) {
        let _ = store::forget_run(self.case.engine.paths(), &self.id);
        let _ = self.init.kill();
        let _ = self.init.wait();
    }
}

#[test]
fn a_rename_at_the_end_of_a_container_keeps_how_it_ended() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let stand_in = StandIn::new(&case, &id);
    std::thread::scope(|scope| {
        let name: Name = "web".parse().unwrap();
        let renamed = scope.spawn(|| case.wait_for(case.engine.containers().rename(&id, name)));
        let (client, _) = stand_in.hear();
        stand_in.end();
        drop(client);
        assert!(renamed.join().unwrap().is_ok());
    });
    let state = case.container("web").state;
    assert_eq!((state.exit_code, state.finished.is_some()), (3, true));
}

#[test]
fn who_asks_at_the_end_of_a_run_asks_again_while_a_monitor_lives() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let stand_in = StandIn::new(&case, &id);
    let containers = case.engine.containers();
    let web = || "web".parse().unwrap();
    let verbs: [(&str, &(dyn Fn() -> bool + Sync)); 4] = [
        ("kill", &|| case.wait_for(containers.kill(&id, "USR1")).is_ok()),
        ("pause", &|| case.wait_for(containers.pause(&id)).is_ok()),
        ("attach", &|| case.wait_for(containers.attach(&id, ALL)).is_ok()),
        ("rename", &|| case.wait_for(containers.rename(&id, web())).is_ok()),
    ];
    for (name, verb) in verbs {
        std::thread::scope(|scope| {
            let done = scope.spawn(verb);
            let (client, ask) = stand_in.hear();
            drop(client); // the container exited and is started again
            let (client, again) = stand_in.hear();
            assert_eq!(again, ask, "{name}");
            let answer = if name == "attach" { Answer::Attached { tty: false } } else { Answer::Done };
            socket::send(client.as_fd(), &[&wire::encode(&answer).unwrap()]).unwrap();
            assert!(done.join().unwrap(), "{name}");
        });
    }
}

#[test]
fn the_stop_signal_ends_it_for_good_whichever_way_it_comes() {
    let case = Case::new();
    let containers = case.engine.containers();
    let script = "trap 'exit 3' INT; echo up; while :; do sleep 1000 & wait; done";
    let id = case.create(&["sh", "-c", script], |options| {
        options.lifecycle.stop_signal = Some("INT".to_owned());
        options.lifecycle.restart = RestartPolicy::Always;
    });
    for is_attached in [true, false] {
        let mut attached = case.wait_for(containers.start_attached(&id, ALL, None)).unwrap();
        case.wait_for(attached.output.recv()).unwrap(); // "up"
        if is_attached {
            case.wait_for(attached.input.send(Input::Signal(libc::SIGINT))).unwrap();
        } else {
            drop(case.wait_for(containers.kill(&id, "INT")).unwrap());
        }
        assert_eq!(case.wait_for(hear(attached)).code, Some(3));
        until("it has ended", || !matches!(case.container(&id).status, Status::Running | Status::Restarting));
        let state = case.container(&id).state;
        assert_eq!((state.stopped_by_hand, state.restart_count), (true, 0));
    }
}

#[test]
fn a_client_starts_the_container_it_asked_for() {
    let case = Case::new();
    let containers = case.engine.containers();
    let wanted = case.create(&["echo", "wanted"], |_| {});
    let other = case.create(&["echo", "other"], |_| {});
    // Looking it up by name would find the other one, as after a concurrent rename.
    drop(case.wait_for(containers.rename(&wanted, other.parse().unwrap())).unwrap());
    let attached = case.wait_for(containers.start_attached(&wanted, ALL, None)).unwrap();
    assert_eq!(case.wait_for(hear(attached)).stdout, "wanted\n");
    assert_eq!(case.container(&other).status, Status::Created);
}

#[test]
fn what_a_command_leaves_behind_learns_that_nobody_reads() {
    let case = Case::new();
    let id = case.start(&["sh", "-c", "mkfifo /told; exec sleep 1000"], |_| {});
    let exec = |script: &str| {
        let command = ["sh", "-c", script].map(str::to_owned).into();
        let request = ExecRequest { command, ..ExecRequest::default() };
        let session = case.wait_for(case.engine.containers().exec(&id, request, ALL)).unwrap();
        case.wait_for(hear(session.attached))
    };
    let left = exec("until [ -p /told ]; do usleep 1000; done; (yes; echo $? >/told) &");
    assert_eq!(left.code, Some(0));
    // 128 and SIGPIPE
    assert_eq!(exec("timeout 20 cat /told").stdout, "141\n");
}

#[test]
fn a_monitor_keeps_the_history_of_usage_over_restarts_pauses_and_its_own_death() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sh", "-c", "while :; do :; done"], |_| {});
    let past = || case.wait_for(containers.past_usage(&id)).unwrap();
    let monitor = case.run_of(&id).monitor();
    let began = jiff::Timestamp::now();
    assert_eq!(past(), [], "nothing has been measured");
    until("two samples were taken", || !past().is_empty());
    let first = past()[0];
    assert_eq!(first.length.as_secs(), 10);
    assert!(first.end > began && first.end <= jiff::Timestamp::now(), "{first:?}");
    if !in_user_namespace() {
        assert!(first.averages.cpu > 1.0 && first.averages.pids >= 1.0, "{first:?}");
    }
    let run = case.engine.paths().container_run(&id.parse().unwrap());
    assert_eq!(std::fs::metadata(run.join("stats/history")).unwrap().len(), 9832);
    let is_first = |past: &hoist::engine::PastUsage| (past.end - first.end).abs().get_seconds() <= 1;
    drop(case.wait_for(containers.restart(&id, None, Some(0))).unwrap());
    assert!(past().iter().any(is_first), "after a restart");
    signal::send(monitor.pid.cast_signed(), libc::SIGKILL).unwrap();
    until("the monitor is dead", || !monitor.is_alive());
    assert!(past().iter().any(is_first), "after the death of its monitor");
    // A damaged file costs only the history.
    std::fs::write(run.join("stats/history"), "{}").unwrap();
    assert_eq!(past(), []);
    drop(case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    assert_eq!(past(), [], "it is not running");
    assert!(!run.exists());
}

#[test]
fn at_the_event_of_its_exit_a_container_is_already_restarting() {
    let case = Case::new();
    let id = case.create(&["false"], |options| options.lifecycle.restart = RestartPolicy::Always);
    let containers = case.engine.containers();
    case.wait_for(async {
        let mut events = case.engine.events(EventRequest::default()).await.unwrap();
        drop(containers.start(&id).await.unwrap());
        let mut exits = 0;
        while exits < 5 {
            match events.recv().await.unwrap() {
                News::Event(event) if event.action == "die" => exits += 1,
                _ => continue,
            }
            let view = containers.get(&id).await.unwrap();
            // The first delays are so short that it may be running again.
            assert!(exits < 4 || view.status == Status::Restarting, "{view:?}");
        }
    });
    let ps = case.hoist(&["ps", "--format", "{{.Status}}"]);
    assert!(String::from_utf8_lossy(&ps.stdout).starts_with("Restarting (1) "), "{ps:?}");
}
