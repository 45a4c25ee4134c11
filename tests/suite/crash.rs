//! What remains when a process is killed: the next command cleans everything up, and containers
//! without a terminal keep running. Needs root, or root in a user namespace (`unshare -Urmn`);
//! differences there are stated.
#![expect(clippy::print_stdout, reason = "what is random is told where a test fails")]

use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::case::{self, ALL, Case, hear, until};
use crate::support::{self, in_user_namespace, skipped};
use hoist::engine::container::{AttachOptions, LogRequest, WaitFor};
use hoist::engine::{
    Engine, Input, NetworkMode, Output, Process, Removal, RestartPolicy, Running, Settings, Status,
};
use hoist::internals::cgroup::{Cgroup, Parent};
use hoist::internals::container::Run;
use hoist::internals::container::store;
use hoist::internals::monitor::launch;
use hoist::internals::monitor::wire::Ask;
use hoist::internals::sys;

const WHOLE: LogRequest =
    LogRequest { stdout: true, stderr: true, follow: false, tail: None, since: None, until: None };

fn log(case: &Case, id: &str) -> String {
    case.wait_for(async {
        let mut records = case.engine.containers().logs(id, WHOLE).await.unwrap();
        let mut text = Vec::new();
        while let Some(record) = records.recv().await {
            text.extend(record.unwrap().bytes);
        }
        String::from_utf8(text).unwrap()
    })
}

fn kill(pid: u32) {
    let _ = sys::signal::send(pid.try_into().unwrap(), libc::SIGKILL); // it may have exited
}

/// Returns the mounts of an engine's folders.
fn mounts(case: &Case) -> Vec<String> {
    let folder = case.dir.path().to_str().unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.lines().filter(|mount| mount.contains(folder)).map(str::to_owned).collect()
}

fn private_kib(pid: u32) -> u64 {
    rustix::fs::sync(); // pages of a freshly written program count as dirty
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A FIFO instead of a file that the monitor writes blocks the monitor during the start.
#[test]
fn a_start_that_does_not_come_to_its_end_can_be_ended() {
    let case = Case::new();
    let id = case.create(&["sleep", "1000"], |options| options.networking.network = NetworkMode::Bridge);
    let parsed = id.parse().unwrap();
    // The start blocks on this lock.
    let runs = case.engine.paths().network_runs();
    std::fs::create_dir_all(&runs).unwrap();
    let lock = std::fs::File::create(runs.join("lock")).unwrap();
    lock.lock().unwrap();
    let start = case.command(&["start", &id]).stderr(Stdio::piped()).spawn().unwrap();
    let monitor = || launch::listener(case.engine.paths(), &parsed);
    until("its monitor listens", || monitor().is_some());
    let refused = case.hoist(&["rm", &id]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("it is running"), "{refused:?}");
    sys::signal::send(monitor().unwrap().pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    drop(lock);
    let removed = case.hoist(&["rm", "-f", &id]);
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(start.wait_with_output().unwrap().status.code(), Some(1));
    assert!(case.wait_for(case.engine.containers().list()).unwrap().is_empty());
    until("nothing of it runs", || case.processes().is_empty() && case.cgroups().is_empty());
}

#[test]
fn a_container_without_a_terminal_outlives_its_monitor_and_is_adopted() {
    let case = Case::new();
    let containers = case.engine.containers();
    let script = "i=0; while [ ! -e /stop ]; do echo line $i; i=$((i+1)); sleep 0.01; done; echo end; exit 9";
    let id = case.start(&["sh", "-c", script], |_| {});
    until("it writes", || log(&case, &id).contains("line 3\n"));
    let before = case.run_of(&id);
    kill(before.monitor.pid);
    until("the monitor is dead", || !before.monitor.is_alive());
    let after = case.container(&id);
    assert_eq!(after.status, Status::Running);
    let after = case.run_of(&id);
    assert_eq!(after.init(), before.init());
    assert_ne!(after.monitor(), before.monitor());
    let seen = log(&case, &id).len();
    until("its log goes on", || {
        let text = log(&case, &id);
        text.len() > seen && text.lines().count() > 6
    });
    // All requests go to the new monitor.
    if !in_user_namespace() {
        drop(case.wait_for(containers.pause(&id)).unwrap());
        drop(case.wait_for(containers.unpause(&id)).unwrap());
    }
    let request = hoist::engine::ExecRequest {
        command: vec!["touch".to_owned(), "/stop".to_owned()],
        ..hoist::engine::ExecRequest::default()
    };
    let code = case.wait_for(async {
        let session = containers.exec(&id, request, ALL).await.unwrap();
        hear(session.attached).await;
        containers.wait(&id, WaitFor::NotRunning).await.unwrap().code
    });
    // Since 6.15, the kernel reports the exit code even if another process reaped it.
    let probe = sys::probe::Probe::now().unwrap();
    assert_eq!(code, if probe.pidfd_info { 9 } else { 255 });
    let text = log(&case, &id);
    assert!(text.ends_with("end\n"), "{text}");
    // No line is missing or duplicated, except one that was only partly read.
    let numbers: Vec<u32> =
        text.lines().filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect();
    let gaps = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert!(gaps <= 1 && numbers.len() > 5, "{text}");
}

/// Kills the monitor of a container. The next command starts another.
fn end_monitor(case: &Case, id: &str) {
    let monitor = case.run_of(id).monitor();
    kill(monitor.pid);
    until("the monitor is dead", || !monitor.is_alive());
}

fn cgroup(case: &Case, id: &str) -> Cgroup {
    Cgroup::open(&Parent::new(case.engine.paths().engine_name()), id)
}

#[test]
fn an_adopting_monitor_sees_whether_the_container_is_paused() {
    if in_user_namespace() {
        skipped("a pause: there is no cgroup");
        return;
    }
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| {});
    // The monitor is killed between the action and saving the result.
    cgroup(&case, &id).freeze().unwrap();
    end_monitor(&case, &id);
    assert_eq!(case.container(&id).status, Status::Paused);
    drop(case.wait_for(containers.unpause(&id)).unwrap());
    assert!(!cgroup(&case, &id).is_frozen());
    drop(case.wait_for(containers.pause(&id)).unwrap());
    cgroup(&case, &id).thaw().unwrap();
    end_monitor(&case, &id);
    assert_eq!(case.container(&id).status, Status::Running);
    drop(case.wait_for(containers.pause(&id)).unwrap());
    drop(case.wait_for(containers.unpause(&id)).unwrap());
}

#[test]
fn a_pause_that_cannot_be_noted_is_taken_back() {
    if in_user_namespace() {
        skipped("a pause: there is no cgroup");
        return;
    }
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| {});
    let folder = case.engine.paths().container_run(&id.parse().unwrap());
    let (file, aside) = (folder.join("run.json"), folder.join("aside"));
    let ask = |ask| launch::ask(case.engine.paths(), &id.parse().unwrap(), None, ask);
    // A file cannot replace a folder.
    let without_file = |verb: Ask| {
        std::fs::rename(&file, &aside).unwrap();
        std::fs::create_dir(&file).unwrap();
        let refused = ask(verb).unwrap_err().to_string();
        std::fs::remove_dir(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        refused
    };
    assert_ne!(without_file(Ask::Pause), "");
    assert_eq!(case.container(&id).status, Status::Running);
    until("it goes on", || !cgroup(&case, &id).is_frozen());
    drop(case.wait_for(containers.pause(&id)).unwrap());
    assert_ne!(without_file(Ask::Unpause), "");
    assert_eq!(case.container(&id).status, Status::Paused);
    until("it stands", || cgroup(&case, &id).is_frozen());
    drop(case.wait_for(containers.unpause(&id)).unwrap());
}

/// Stops the monitor of a running container, kills the init process, and kills the monitor before
/// it notices. Returns the previous run.
fn cut_off(case: &Case, id: &str) -> Run {
    let run = case.run_of(id);
    sys::signal::send(run.monitor.pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    kill(run.init().unwrap().pid);
    kill(run.monitor.pid);
    until("both are gone", || !run.init().unwrap().is_alive() && !run.monitor.is_alive());
    run
}

fn is_up(case: &Case, id: &str) -> bool {
    case.container(id).status == Status::Running
}

#[test]
fn adoption_keeps_the_count_of_restarts() {
    let case = Case::new();
    let script = "echo >> /starts; [ $(wc -l < /starts) -lt 3 ] || sleep 1000; exit 1";
    let id =
        case.start(&["sh", "-c", script], |options| options.lifecycle.restart = RestartPolicy::OnFailure(3));
    until("it failed twice", || case.container(&id).state.restart_count == 2);
    until("it is up", || is_up(&case, &id));
    let before = case.run_of(&id);
    kill(before.monitor.pid);
    until("the monitor is dead", || !before.monitor.is_alive());
    let after = case.container(&id);
    assert_ne!(case.run_of(&id).monitor(), before.monitor());
    assert_eq!(after.state.restart_count, 2);
    // One restart remains.
    kill(before.init().unwrap().pid);
    until("it runs again", || {
        let now = case.container(&id);
        now.status == Status::Running
            && case.run_of(&id).init() != before.init()
            && now.state.restart_count == 3
    });
    kill(case.run_of(&id).init().unwrap().pid);
    until("its policy gives up", || case.container(&id).status == Status::Exited);
    // After a manual start it may fail as often as the first time.
    case.start_again(&id);
    assert_eq!(case.container(&id).state.restart_count, 0);
}

/// The point between two runs at which a monitor is killed, defined by what it has written.
#[derive(Debug, Clone, Copy)]
enum CutOff {
    /// The init process has exited.
    Ended,
    /// The exit is saved.
    Recorded,
    /// The monitor waits for the back-off.
    BackOff,
    /// The next init process waited at the gate, but the record does not mention it.
    AtTheGate,
    /// The record says that it was started.
    Counted,
}

impl CutOff {
    const ALL: [Self; 5] = [Self::Ended, Self::Recorded, Self::BackOff, Self::AtTheGate, Self::Counted];

    /// Sets the state files of a container whose monitor was killed to this point.
    fn write(self, case: &Case, id: &str, mut run: Run) {
        let (paths, id) = (case.engine.paths(), id.parse().unwrap());
        let mut record = store::load(paths, &id).unwrap().unwrap();
        let waiting = hoist::internals::monitor::settle::waiting_run(run.monitor());
        (record.state.finished, record.state.exit_code) = (Some(jiff::Timestamp::now()), 137);
        (run.status, run.starting) = (Status::Restarting, true);
        match self {
            Self::Ended => return,
            Self::Recorded => {}
            Self::BackOff => store::save_run(paths, &id, &waiting).unwrap(),
            Self::AtTheGate => store::save_run(paths, &id, &run).unwrap(),
            Self::Counted => {
                store::save_run(paths, &id, &run).unwrap();
                record.state.finished = None;
            }
        }
        store::save(paths, &record).unwrap();
    }
}

#[test]
fn a_monitor_killed_between_two_runs_leaves_one_that_its_policy_goes_on_with() {
    let case = Case::new();
    for point in CutOff::ALL {
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::Always);
        for count in 1..3 {
            let before = cut_off(&case, &id);
            point.write(&case, &id, before.clone());
            until("it runs again", || is_up(&case, &id));
            let after = case.container(&id);
            assert_ne!(case.run_of(&id).init(), before.init(), "{point:?}");
            assert_eq!(after.state.restart_count, count, "{point:?}");
        }
        // The monitor that took over keeps restarting it.
        kill(case.run_of(&id).init().unwrap().pid);
        until("it is restarted", || {
            let now = case.container(&id);
            now.status == Status::Running && now.state.restart_count == 3
        });
        drop(case.wait_for(case.engine.containers().stop(&id, None, Some(0))).unwrap());
        assert_eq!(case.container(&id).status, Status::Exited, "{point:?}");
    }
}

#[test]
fn a_monitor_killed_between_two_runs_starts_nothing_that_was_stopped_by_hand() {
    let case = Case::new();
    for point in CutOff::ALL {
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::Always);
        let run = cut_off(&case, &id);
        point.write(&case, &id, run);
        let parsed = id.parse().unwrap();
        let mut record = store::load(case.engine.paths(), &parsed).unwrap().unwrap();
        record.state.stopped_by_hand = true;
        store::save(case.engine.paths(), &record).unwrap();
        let ended = case.container(&id);
        assert_eq!(ended.status, Status::Exited, "{point:?}");
        if record.state.finished.is_some() {
            assert_eq!(ended.state, record.state, "{point:?}");
        }
        assert!(store::load_run(case.engine.paths(), &parsed).unwrap().is_none(), "{point:?}");
    }
}

#[test]
fn a_restart_that_cannot_be_tried_now_stays_due_and_can_be_ended() {
    let case = Case::new();
    let settings = Settings { program: "/nonexistent".into(), ..Settings::new(case.engine.paths().clone()) };
    let without_monitors = Engine::open(settings).unwrap();
    let containers = without_monitors.containers();
    for point in CutOff::ALL {
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::Always);
        let run = cut_off(&case, &id);
        point.write(&case, &id, run);
        assert_eq!(case.wait_for(containers.get(&id)).unwrap().status, Status::Restarting, "{point:?}");
        let error = case.wait_for(containers.stop(&id, None, None)).unwrap_err();
        assert!(error.to_string().starts_with("cannot restart `"), "{point:?}: {error}");
        until("it runs again", || is_up(&case, &id));
        assert_eq!(case.container(&id).state.restart_count, 1, "{point:?}");
        let run = cut_off(&case, &id);
        point.write(&case, &id, run);
        drop(case.wait_for(containers.kill(&id, "TERM")).unwrap());
        assert_eq!(case.container(&id).status, Status::Exited, "{point:?}");
        case.wait_for(containers.remove(&id, Removal::for_good(Running::Refuse))).unwrap();
    }
}

#[test]
fn a_removal_that_cannot_be_done_says_so_and_is_done_later() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true);
    cut_off(&case, &id);
    // Removed containers cannot be moved away, neither on exit nor by hand.
    let discarded = case.engine.paths().discarded();
    sys::tree::remove(&discarded).unwrap();
    std::fs::write(&discarded, "in the way").unwrap();
    let said = case.hoist(&["rm", "-f", &id]);
    assert!(!said.status.success(), "{said:?}");
    std::fs::remove_file(&discarded).unwrap();
    let said = case.hoist(&["rm", "-f", &id]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(case.hoist(&["ps", "-aq"]).stdout, b"");
}

/// Creates something at a path.
type Put = fn(&Path);

/// What may exist at the path of a monitor's socket.
const IN_ITS_PLACE: [(&str, Put); 3] = [
    ("nothing", |_| {}),
    ("a socket of another kind", |at| {
        let short = at.ancestors().nth(4).unwrap().join("socket"); // an address has 108 bytes
        std::mem::forget(UnixListener::bind(&short).unwrap());
        std::fs::rename(short, at).unwrap();
    }),
    ("a loop of links", |at| std::os::unix::fs::symlink("control", at).unwrap()),
];

#[test]
fn a_monitor_that_nobody_reaches_stops_neither_kill_nor_removal() {
    let case = Case::new();
    for restart in [RestartPolicy::No, RestartPolicy::Always] {
        for words in [vec!["kill"], vec!["rm", "-f"]] {
            for (what, put) in IN_ITS_PLACE {
                let id =
                    case.start(&["sleep", "1000"], |options| options.lifecycle.restart = restart.clone());
                let control = case.engine.paths().container_run(&id.parse().unwrap()).join("control");
                std::fs::remove_file(&control).unwrap();
                put(&control);
                let said = case.hoist(&[&words[..], &[&id]].concat());
                assert!(said.status.success(), "{words:?}, {what}: {said:?}");
                match words[0] {
                    "kill" => assert_eq!(case.container(&id).status, Status::Exited, "{restart:?}, {what}"),
                    _ => assert_eq!(case.hoist(&["ps", "-aq", "-f", &format!("id={id}")]).stdout, b""),
                }
            }
        }
    }
}

#[test]
fn who_does_not_reach_a_monitor_hears_what_helps() {
    let case = Case::new();
    for (what, put) in IN_ITS_PLACE {
        let id = case.start(&["sleep", "1000"], |_| {});
        let control = case.engine.paths().container_run(&id.parse().unwrap()).join("control");
        std::fs::remove_file(&control).unwrap();
        put(&control);
        let verbs: [&[&str]; 5] = [
            &["pause", &id],
            &["stop", &id],
            &["restart", &id],
            &["kill", "-s", "TERM", &id],
            &["rename", &id, "new"],
        ];
        for words in verbs {
            let said = case.hoist(words);
            let told = String::from_utf8(said.stderr).unwrap();
            assert!(told.contains("because the container's monitor "), "{what}, {words:?}: {told}");
            assert!(told.contains("hint: `hoist kill` and `hoist rm -f`"), "{what}, {words:?}: {told}");
        }
        assert_eq!(case.container(&id).status, Status::Running, "{what}");
    }
}

/// A cgroup of the v1 freezer. Dropping it thaws its processes.
struct Freezer(PathBuf);

impl Freezer {
    fn hold(processes: &[Process]) -> Self {
        let group = PathBuf::from(format!("/sys/fs/cgroup/freezer/hoist-test-{}", std::process::id()));
        std::fs::create_dir(&group).unwrap();
        let freezer = Self(group);
        for process in processes {
            std::fs::write(freezer.0.join("cgroup.procs"), process.pid.to_string()).unwrap();
        }
        std::fs::write(freezer.0.join("freezer.state"), "FROZEN").unwrap();
        freezer
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        let _ = std::fs::write(self.0.join("freezer.state"), "THAWED");
        // A dead process stays in it until it is reaped.
        let end = Instant::now() + Duration::from_secs(30);
        while std::fs::remove_dir(&self.0).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn what_cannot_die_is_told_and_ends_once_it_can() {
    if in_user_namespace() || !Path::new("/sys/fs/cgroup/freezer/cgroup.procs").exists() {
        skipped("a process that SIGKILL does not reach: there is no v1 freezer");
        return;
    }
    let case = Case::new();
    let verbs: [&[&str]; 4] = [&["kill"], &["stop", "-t", "1"], &["restart", "-t", "1"], &["rm", "-f"]];
    let ids = verbs.map(|_| case.start(&["sleep", "1000"], |_| {}));
    let inits = ids.each_ref().map(|id| case.run_of(id).init().unwrap());
    let freezer = Freezer::hold(&inits);
    let begin = |(words, id): (&&[&str], &String)| {
        case.command(&[words, &[id.as_str()][..]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let begun: Vec<_> = verbs.iter().zip(&ids).map(begin).collect();
    for (child, (words, init)) in begun.into_iter().zip(verbs.iter().zip(inits)) {
        let said = child.wait_with_output().unwrap();
        let told = String::from_utf8(said.stderr).unwrap();
        let why = format!(
            "its processes did not exit within 10 s after SIGKILL: process {} is frozen or in",
            init.pid
        );
        assert!(!said.status.success() && told.contains(&why), "{words:?}: {told}");
        assert!(told.contains("hint: it will exit once"), "{words:?}: {told}");
        assert!(init.is_alive());
    }
    drop(freezer);
    for id in [&ids[0], &ids[1], &ids[3]] {
        until("it has ended", || case.container(id).status == Status::Exited);
    }
    until("it is restarted", || is_up(&case, &ids[2]));
}

#[test]
fn a_restart_that_its_monitor_cannot_do_is_given_up() {
    let case = Case::new();
    for is_removed in [false, true] {
        let id = case.start(&["sleep", "1000"], |options| match is_removed {
            true => options.lifecycle.auto_remove = true,
            false => options.lifecycle.restart = RestartPolicy::Always,
        });
        let parsed = id.parse().unwrap();
        let run = cut_off(&case, &id);
        CutOff::BackOff.write(&case, &id, run);
        let log = case.engine.paths().container(&parsed).join("log");
        sys::tree::remove(&log).unwrap();
        std::fs::write(&log, "in the way").unwrap();
        let listed = case.wait_for(case.engine.containers().listing()).unwrap();
        assert!(listed.warnings[0].starts_with("cannot restart `"), "{listed:?}");
        let want = if is_removed { None } else { Some(Status::Exited) };
        let status = || case.wait_for(case.engine.containers().list()).unwrap().first().map(|it| it.status);
        until("it is given up", || status() == want);
        assert!(store::load_run(case.engine.paths(), &parsed).unwrap().is_none());
        if !is_removed {
            case.wait_for(case.engine.containers().remove(&id, Removal::for_good(Running::Refuse))).unwrap();
        }
    }
}

#[test]
fn a_restart_that_its_monitor_has_no_room_for_stays_due() {
    let case = Case::new();
    for point in CutOff::ALL {
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::Always);
        let run = cut_off(&case, &id);
        point.write(&case, &id, run);
        // A disk without space for a file replaces the log folder.
        let log = case.engine.paths().container(&id.parse().unwrap()).join("log");
        let mut full = sys::mount::Filesystem::new("tmpfs").unwrap();
        full.set("nr_inodes", "1").unwrap();
        let full = full.mount(sys::mount::Attrs::empty()).unwrap();
        sys::mount::attach(full.as_fd(), sys::fs::open_place(&log).unwrap().as_fd()).unwrap();
        let is_tried = || {
            let found = case.container(&id);
            assert_eq!(found.status, Status::Restarting, "{point:?}");
            found.warnings.iter().any(|warning| warning.contains("No space left on device"))
        };
        until("it is tried", is_tried);
        assert_eq!(case.container(&id).status, Status::Restarting, "{point:?}");
        sys::mount::detach(&log).unwrap();
        until("it runs again", || is_up(&case, &id));
        assert_eq!(case.container(&id).state.restart_count, 1, "{point:?}");
        case.wait_for(case.engine.containers().remove(&id, Removal::for_good(Running::Kill))).unwrap();
    }
}

#[test]
fn what_somebody_else_is_changing_is_shown_as_it_is() {
    let case = Case::new();
    for (restart, status) in
        [(RestartPolicy::No, Status::Exited), (RestartPolicy::Always, Status::Restarting)]
    {
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = restart.clone());
        let run = case.run_of(&id);
        let lock = store::lock(case.engine.paths(), &id.parse().unwrap()).unwrap();
        kill(run.monitor.pid);
        until("its monitor is dead", || !run.monitor.is_alive());
        assert_eq!(case.container(&id).status, Status::Running);
        kill(run.init().unwrap().pid);
        until("it has ended", || !run.init().unwrap().is_alive());
        assert_eq!(case.container(&id).status, status);
        drop(lock);
        until("it is seen to", || case.container(&id).status != Status::Restarting);
        let now = if restart == RestartPolicy::No { Status::Exited } else { Status::Running };
        assert_eq!(case.container(&id).status, now);
    }
}

#[test]
fn a_monitor_killed_after_a_start_that_failed_leaves_why() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = Run { starting: true, ..cut_off(&case, &id) };
    let parsed = id.parse().unwrap();
    let mut record = store::load(case.engine.paths(), &parsed).unwrap().unwrap();
    record.state = Default::default();
    (record.state.error, record.state.exit_code) = ("no such program".to_owned(), 127);
    store::save_run(case.engine.paths(), &parsed, &run).unwrap();
    store::save(case.engine.paths(), &record).unwrap();
    let left = case.container(&id);
    assert_eq!((left.status, left.state), (Status::Created, record.state));
    assert!(store::load_run(case.engine.paths(), &parsed).unwrap().is_none());
}

#[test]
fn a_monitor_killed_right_after_a_restart_is_followed_by_one_that_knows_the_policy() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::Always);
    let mut run = case.run_of(&id);
    sys::signal::send(run.monitor.pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    // As when the program was executed, but the monitor has not saved that yet.
    (run.status, run.starting) = (Status::Restarting, true);
    store::save_run(case.engine.paths(), &id.parse().unwrap(), &run).unwrap();
    kill(run.monitor.pid);
    until("the monitor is dead", || !run.monitor.is_alive());
    let after = case.container(&id);
    assert_eq!((after.status, case.run_of(&id).init()), (Status::Running, run.init()));
    kill(run.init().unwrap().pid);
    until("it is restarted", || is_up(&case, &id) && case.run_of(&id).init() != run.init());
}

#[test]
fn monitors_killed_at_random_moments_end_no_restart_policy() {
    let case = Case::new();
    let id = case.start(&["sleep", "0.01"], |options| options.lifecycle.restart = RestartPolicy::Always);
    let parsed = id.parse().unwrap();
    let mut random = Random::new();
    for round in 0..40 {
        let count = case.container(&id).state.restart_count;
        std::thread::sleep(Duration::from_micros(random.below(150_000))); // a random moment
        if let Ok(Some(run)) = store::load_run(case.engine.paths(), &parsed) {
            kill(run.monitor.pid);
            if random.below(2) == 0 {
                run.init().into_iter().for_each(|init| kill(init.pid));
            }
        }
        until("it is started again", || {
            let now = case.container(&id);
            assert_ne!(now.status, Status::Exited, "round {round}: {:?}", now.state);
            now.state.restart_count > count
        });
    }
}

#[test]
fn a_container_with_a_terminal_ends_with_its_monitor_and_that_is_recorded() {
    let case = Case::new();
    let id = case.start(&["sh", "-c", "while read line; do echo $line; done"], |options| {
        options.process.tty = true;
        options.process.interactive = true;
    });
    let run = case.run_of(&id);
    kill(run.monitor.pid);
    until("its first process hears of it", || !run.init().unwrap().is_alive());
    until("it is recorded", || case.container(&id).status == Status::Exited);
    let state = case.container(&id).state;
    assert!(!state.error.is_empty() || state.exit_code != 0, "{state:?}");
    case.start_again(&id);
    assert_eq!(case.container(&id).status, Status::Running);
}

#[test]
fn a_waiter_hears_of_a_container_whose_monitor_was_killed_with_it() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = case.run_of(&id);
    let code = case.wait_for(async {
        let waiter = {
            let (engine, id) = (case.engine.clone(), id.clone());
            tokio::spawn(async move { engine.containers().wait(&id, WaitFor::NotRunning).await })
        };
        kill(run.monitor.pid);
        kill(run.init().unwrap().pid);
        waiter.await.unwrap().unwrap().code
    });
    assert!([137, 255].contains(&code), "{code}");
    assert_eq!(case.container(&id).status, Status::Exited);
    assert!(case.cgroups().is_empty());
}

#[test]
fn a_client_says_that_output_is_missing_when_the_monitor_is_killed() {
    let case = Case::new();
    let script = "mkfifo /gate; echo up; read line < /gate; echo more; exit 7";
    let run = case.command(&["run", "--name", "web", "--network", "none", case::IMAGE, "sh", "-c", script]);
    let mut child = { run }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The client and the log get a line independently.
    let mut up = [0; 3];
    child.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
    assert_eq!(&up, b"up\n");
    until("the log has it", || case.hoist(&["logs", "web"]).stdout == b"up\n");
    let id = case.container("web").id;
    // While the old monitor dies, a command would not start another.
    end_monitor(&case, id.as_str());
    let opened = case.hoist(&["exec", "web", "sh", "-c", "echo > /gate"]);
    // The container's end may kill it before it exits.
    assert!(matches!(opened.status.code(), Some(0 | 137)), "{opened:?}");
    let said = child.wait_with_output().unwrap();
    let told = String::from_utf8(said.stderr).unwrap();
    let warning = "warning: the monitor of the container was killed: output may be missing here; see `hoist logs web`\n";
    assert_eq!(told, warning);
    assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(7), b"".as_slice()));
    assert_eq!(case.hoist(&["logs", "web"]).stdout, b"up\nmore\n");
}

#[test]
fn a_monitor_that_does_not_answer_stops_no_removal() {
    if in_user_namespace() {
        skipped("without a cgroup there is only the monitor to kill with");
        return;
    }
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.start(&["sleep", "1000"], |_| {});
    let monitor = case.run_of(&id).monitor();
    sys::signal::send(monitor.pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    let error = case.wait_for(containers.pause(&id)).unwrap_err();
    assert_eq!(error.causes(), ["the container's monitor does not answer"]);
    case.wait_for(containers.remove(&id, Removal::for_good(Running::Kill))).unwrap();
    assert!(case.wait_for(containers.list()).unwrap().is_empty());
    assert!(!monitor.is_alive());
}

#[test]
fn what_is_killed_without_its_monitor_stays_ended_after_a_boot_too() {
    if in_user_namespace() {
        skipped("without a cgroup there is only the monitor to kill with");
        return;
    }
    let case = Case::new();
    let id =
        case.start(&["sleep", "1000"], |options| options.lifecycle.restart = RestartPolicy::UnlessStopped);
    let monitor = case.run_of(&id).monitor();
    sys::signal::send(monitor.pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    drop(case.wait_for(case.engine.containers().kill(&id, "KILL")).unwrap());
    assert!(!monitor.is_alive());
    let ended = case.container(&id);
    assert_eq!(ended.status, Status::Exited);
    assert!(!ended.state.wants_boot(&ended.config.lifecycle.restart), "{:?}", ended.state);
}

#[test]
fn a_test_that_fails_leaves_nothing_alive() {
    let seen = std::sync::Mutex::new(Vec::new());
    let failed = std::panic::catch_unwind(|| {
        let case = Case::new();
        let ids = [(); 4].map(|()| case.start(&["sleep", "1000"], |_| {}));
        let runs = ids.each_ref().map(|id| case.run_of(id));
        seen.lock().unwrap().extend(runs.iter().flat_map(|run| [run.monitor(), run.init().unwrap()]));
        let paths = case.engine.paths();
        let [stopped, unwritten, lost, _] = ids.each_ref().map(|id| id.parse().unwrap());
        let monitor = runs[0].monitor.pid.try_into().unwrap();
        sys::signal::send(monitor, libc::SIGSTOP).unwrap();
        std::fs::write(paths.container_run(&stopped).join("run.json"), "{").unwrap();
        std::fs::remove_file(paths.container_run(&unwritten).join("run.json")).unwrap();
        sys::tree::remove(&paths.container(&lost)).unwrap();
        panic!("on purpose");
    });
    assert!(failed.is_err());
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 8);
    until("nothing lives", || seen.iter().all(|process| !process.is_alive()));
}

#[test]
fn killed_at_any_moment_nothing_is_left() {
    kill_at_any_moment(60);
}

#[test]
#[ignore = "takes minutes; tests/all runs it: cargo test --test suite -- --ignored crash::a_thousand"]
fn a_thousand_kills_leave_nothing() {
    kill_at_any_moment(1000);
}

/// Random numbers that can be reproduced from a seed.
struct Random(u64);

impl Random {
    /// Uses the seed in `HOIST_TEST_SEED` if set, and prints the seed if the test fails. Commands
    /// and victims are the same again; the timing depends on the machine.
    #[expect(clippy::disallowed_methods, reason = "it is how a run is repeated")]
    fn new() -> Self {
        let given = std::env::var("HOIST_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let fresh = || u64::from_le_bytes(hoist::internals::base::id::random_bytes::<8>().unwrap());
        let seed = given.unwrap_or_else(fresh);
        println!("HOIST_TEST_SEED={seed} repeats this");
        Self(seed)
    }

    /// Returns a number below `below` (splitmix64).
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap()]
    }
}

/// Kills working processes at random moments, and checks that everything is intact and can be
/// removed.
fn kill_at_any_moment(rounds: u32) {
    let case = Case::new();
    let archives = [case.dir.path().join("load.tar"), case.dir.path().join("import.tar")];
    let archives = archives.each_ref().map(|path| path.to_str().unwrap());
    image_archive(archives[0]);
    support::busybox_tar(archives[1].as_ref());
    let mut random = Random::new();
    for round in 0..rounds {
        let words = work(&mut random, archives);
        println!("{round}: {words:?}");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut cli = case.command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random.below(60_000)));
        // Kills the CLI, or the monitors or init processes that exist.
        match random.below(3) {
            0 => kill(cli.id()),
            who => {
                for folder in std::fs::read_dir(case.engine.paths().runs()).into_iter().flatten().flatten() {
                    let text = std::fs::read(folder.path().join("run.json")).unwrap_or_default();
                    if let Ok(run) = serde_json::from_slice::<hoist::internals::container::Run>(&text) {
                        let init = run.init().map_or(run.monitor.pid, |init| init.pid);
                        kill(if who == 1 { run.monitor.pid } else { init });
                    }
                }
            }
        }
        if random.below(2) == 0 {
            kill(cli.id());
        }
        cli.wait().unwrap();
        assert_whole(&case);
    }
    // Lets running containers exit, except those that would not. Each listing repairs dead ones.
    for container in case.wait_for(case.engine.containers().list()).unwrap() {
        if container.config.lifecycle.restart != RestartPolicy::No || container.status == Status::Paused {
            let id = container.id.as_str();
            case.wait_for(case.engine.containers().remove(id, Removal::for_good(Running::Kill))).unwrap();
        }
    }
    until("all has ended", || {
        let list = case.wait_for(case.engine.containers().list()).unwrap();
        list.iter().all(|container| !container.status.is_up())
            && case.cgroups().is_empty()
            && case.processes().is_empty()
    });
    for container in case.wait_for(case.engine.containers().list()).unwrap() {
        case.wait_for(
            case.engine.containers().remove(container.id.as_str(), Removal::for_good(Running::Refuse)),
        )
        .unwrap();
    }
    // A killed rename leaves a dangling name, which is free and gets swept.
    hoist::internals::container::store::sweep(case.engine.paths()).unwrap();
    assert_eq!(mounts(&case), [""; 0]);
    let names = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let empty = |folder: std::path::PathBuf| names(folder).is_empty();
    assert!(empty(case.engine.paths().containers()) && empty(case.engine.paths().container_names()));
    until("no run is left", || empty(case.engine.paths().runs()));
    case.wait_for(case.engine.containers().list()).unwrap();
    case.wait_for(case.engine.images().sweep()).unwrap();
    assert_eq!(names(case.engine.paths().ingest()), ["boot", "leases"]);
    assert!(empty(case.engine.paths().discarded()) && empty(case.engine.paths().ingest().join("leases")));
    for image in case.wait_for(case.engine.images().list()).unwrap() {
        case.wait_for(case.engine.images().inspect(&image.id.to_string())).unwrap();
    }
    assert_eq!(case.run(&["echo", "whole"], |_| {}).stdout, "whole\n");
}

/// Returns a command that changes something. It uses a few names only, to cause conflicts.
fn work(random: &mut Random, [load, import]: [&str; 2]) -> Vec<String> {
    let networks = ["none", "bridge"];
    let network = random.one_of(if in_user_namespace() { &networks[..1] } else { &networks });
    let policy = random.one_of(&["no", "always", "unless-stopped", "on-failure:3"]);
    let script = "echo on; sleep 0.02; echo off";
    let (one, two) = (format!("c{}", random.below(4)), format!("c{}", random.below(4)));
    let (old, new) = (format!("host{}", random.below(3)), format!("host{}", random.below(3)));
    let made = ["--name", &one, "--network", network, "--restart", policy, case::IMAGE, "sh", "-c", script];
    let with = |words: &[&'static str]| [words, &made].concat();
    let words = match random.below(19) {
        0..3 => vec!["run", "--rm", "--network", network, case::IMAGE, "sh", "-c", script],
        3 | 4 => with(&["run"]),
        5 => with(&["run", "-d"]),
        6 => with(&["create"]),
        7 => vec!["start", &one],
        8 => vec!["stop", "-t", "0", &one],
        9 => vec!["restart", "-t", "0", &one],
        10 => vec!["pause", &one],
        11 => vec!["unpause", &one],
        12 => vec!["exec", &one, "echo", "inside"],
        13 => vec!["rm", "-f", &one],
        14 => vec!["rename", &one, &two],
        15 => vec!["image", "from-host", "-t", &new, "true"],
        16 => vec!["load", "-i", load],
        17 => vec!["import", import, &new],
        _ => vec!["rmi", &old],
    };
    words.into_iter().map(str::to_owned).collect()
}

/// Creates an archive with an image of one small layer, as `docker save` does.
fn image_archive(path: &str) {
    let mut layer = tar::Builder::new(Vec::new());
    let file = |name: &str, bytes: &[u8], tar: &mut tar::Builder<Vec<u8>>| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    for number in 0..100 {
        file(&format!("file{number}"), &[b'x'; 10_000], &mut layer);
    }
    let layer = layer.into_inner().unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [hoist::internals::oci::Digest::of(&layer).to_string()] },
    });
    let manifest =
        serde_json::json!([{ "Config": "config.json", "RepoTags": ["loaded:1"], "Layers": ["layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    file("manifest.json", manifest.to_string().as_bytes(), &mut archive);
    file("config.json", config.to_string().as_bytes(), &mut archive);
    file("layer.tar", &layer, &mut archive);
    std::fs::write(path, archive.into_inner().unwrap()).unwrap();
}

fn assert_whole(case: &Case) {
    let containers = case.wait_for(case.engine.containers().listing()).unwrap();
    let images = case.wait_for(case.engine.images().listing()).unwrap();
    assert_eq!([containers.damaged, images.damaged], [[], []]);
    assert_eq!([containers.warnings, images.warnings], [[""; 0]; 2]);
}

#[test]
fn the_output_of_short_lives_is_whole() {
    let case = Case::new();
    // The full number of iterations takes minutes in a debug build.
    let lives = if cfg!(debug_assertions) { 200 } else { 1000 };
    for n in 0..lives {
        let text = format!("life {n}");
        let found = case.run(&["echo", &text], |options| options.lifecycle.auto_remove = true);
        assert_eq!((found.stdout.as_str(), found.code), (format!("{text}\n").as_str(), Some(0)), "{n}");
    }
}

#[test]
fn a_slow_reader_gets_every_byte() {
    let case = Case::new();
    let id = case
        .create(&["sh", "-c", "seq 1 3000000"], |options| options.logging.driver = Some("none".to_owned()));
    let containers = case.engine.containers();
    let (lines, sum) = case.wait_for(async {
        let mut attached = containers.start_attached(&id, ALL, None).await.unwrap();
        let (mut lines, mut sum, mut rest, mut packets) = (0_u64, 0_u64, Vec::new(), 0_u64);
        while let Some(Output::Bytes(_, bytes)) = attached.output.recv().await {
            packets += 1;
            if packets % 64 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await; // simulates a slow reader
            }
            rest.extend(bytes);
            let end = rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            for line in rest[..end].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                lines += 1;
                sum += str::from_utf8(line).unwrap().parse::<u64>().unwrap();
            }
            rest.drain(..end);
        }
        (lines, sum)
    });
    assert_eq!((lines, sum), (3_000_000, 3_000_000 * 3_000_001 / 2));
}

#[test]
fn a_flood_to_stalled_clients_keeps_the_monitor_small() {
    let case = Case::new();
    let line = "x".repeat(4000);
    let id = case.create(&["yes", &line], |options| options.logging.max_size = Some(1_000_000));
    let containers = case.engine.containers();
    case.wait_for(async {
        let stalled =
            containers.start_attached(&id, AttachOptions { lossless: false, ..ALL }, None).await.unwrap();
        let monitor = store::load_run(case.engine.paths(), &id.parse().unwrap()).unwrap().unwrap().monitor();
        let folder =
            hoist::internals::container::log::folder(&case.engine.paths().container(&id.parse().unwrap()));
        // After this many log rotations, tens of megabytes have been written.
        let mut turned = std::collections::HashSet::new();
        while turned.len() < 20 {
            if let Ok(meta) = std::fs::metadata(folder.join("log.json.2")) {
                turned.insert((meta.ino(), meta.mtime_nsec()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let size = private_kib(monitor.pid);
        assert!(size <= 2048, "{size} KiB");
        // Another client that reads everything ends the flood. The monitor is still small and
        // answers.
        let mut patient = containers.attach(&id, ALL).await.unwrap();
        assert!(matches!(patient.output.recv().await, Some(Output::Bytes(_, _))), "it is attached");
        let size = private_kib(monitor.pid);
        assert!(size <= 2048, "{size} KiB");
        drop(containers.kill(&id, "KILL").await.unwrap());
        let mut stalled = stalled;
        let mut has_skipped = false;
        while let Some(output) = stalled.output.recv().await {
            has_skipped |= matches!(output, Output::Skipped(n) if n > 0);
        }
        assert!(has_skipped);
        assert_eq!(hear(patient).await.code, Some(137));
    });
}

#[test]
fn an_idle_monitor_is_small() {
    let case = Case::new();
    // In a debug build, relocated tables add to this. The release build stays below 512.
    let most = if cfg!(debug_assertions) { 1536 } else { 512 };
    for network in [NetworkMode::None, NetworkMode::Bridge] {
        let id = case.start(&["sleep", "1000"], |options| options.networking.network = network.clone());
        let monitor = case.run_of(&id).monitor();
        let size = private_kib(monitor.pid);
        assert!(size <= most, "{size} KiB with {network:?}");
        // Finished runs, clients and requests leave nothing behind.
        case.wait_for(async {
            for _ in 0..5 {
                drop(case.engine.containers().pause(&id).await.unwrap());
                drop(case.engine.containers().unpause(&id).await.unwrap());
                drop(case.engine.containers().attach(&id, ALL).await.unwrap());
                drop(case.engine.containers().restart(&id, None, Some(0)).await.unwrap());
            }
        });
        assert_eq!(case.run_of(&id).monitor(), monitor);
        let size = private_kib(monitor.pid);
        assert!(size <= most, "{size} KiB with {network:?} after five runs");
    }
}

#[test]
fn the_command_line_carries_a_pipe_through() {
    let case = Case::new();
    let found = case.command(&["run", "--rm", "-i", "--network", "none", case::IMAGE, "cat"]);
    let mut child = { found }.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"through\n").unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(text, "through\n");
}

/// Whether the pipe at the standard input of a process has space.
fn takes_more(pid: u32) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let pipe = std::fs::File::options().write(true).open(format!("/proc/{pid}/fd/0")).unwrap();
    let mut looked = [PollFd::new(&pipe, PollFlags::OUT)];
    poll(&mut looked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
}

#[test]
fn input_to_a_container_that_does_not_read_holds_no_signal_up() {
    let case = Case::new();
    let id = case.create(&["sleep", "1000"], |options| options.process.interactive = true);
    case.wait_for(async {
        let attached = case.engine.containers().start_attached(&id, ALL, None).await.unwrap();
        let input = attached.input.clone();
        let flood =
            tokio::spawn(async move { while input.send(Input::Bytes(vec![b'x'; 60_000])).await.is_ok() {} });
        let init = case.engine.containers().get(&id).await.unwrap().pid.unwrap();
        while attached.input.capacity() > 0 || takes_more(init) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(case.engine.containers().kill(&id, "KILL").await.unwrap());
        assert_eq!(hear(attached).await.code, Some(137));
        flood.abort();
    });
}
