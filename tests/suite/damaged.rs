//! State files that cannot be read: truncated, changed, written by a newer hoist, or impossible to
//! open. Each affects only its own object: it is listed with the cause, can be removed by name and
//! id, and what it may need is kept until then. Needs root, or root in a user namespace
//! (`unshare -Urmn`).

use std::fs;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::Command;

use crate::case::{self, Case, until};
use crate::support::{in_user_namespace, skipped};
use hoist::engine::{Engine, Process, Settings, Status};
use hoist::internals::sys;

/// Kinds of damage, and the messages about them.
const WRONGS: [(&str, &str); 7] = [
    ("", "EOF while parsing a value"),
    ("{\"version\":1,", "EOF while parsing"),
    ("{\"version\":9,\"all\":\"else\"}", "written by a newer version of hoist"),
    ("{\"version\":0,\"all\":\"else\"}", "unknown version: 0"),
    ("a folder", "Is a directory"),
    ("a pipe", "it is not a regular file"),
    ("a socket", "No such device or address"),
];

/// Makes a file unreadable.
fn spoil(path: &PathBuf, how: &str) {
    fs::remove_file(path).unwrap();
    match how {
        "a folder" => fs::create_dir(path).unwrap(),
        "out of reach" => std::os::unix::fs::symlink("/proc/self/mem", path).unwrap(), // EIO
        "a pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "a loop" => std::os::unix::fs::symlink(path, path).unwrap(),
        "a socket" => {
            use rustix::fs::{CWD, FileType, mknodat};
            mknodat(CWD, path, FileType::Socket, 0o600.into(), 0).unwrap();
        }
        "a device" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        "gone" => {}
        text => fs::write(path, text).unwrap(),
    }
}

fn text(case: &Case, words: &[&str]) -> String {
    let said = case.hoist(words);
    let text = [said.stdout, said.stderr].concat();
    String::from_utf8(text).unwrap()
}

fn kill(process: Process) {
    let _ = sys::signal::send(process.pid.try_into().unwrap(), libc::SIGKILL); // it may have exited
}

#[test]
fn a_record_that_cannot_be_read_costs_only_itself() {
    for (how, why) in WRONGS.into_iter().chain([("gone", "No such file or directory")]) {
        let case = Case::new();
        let whole = case.create(&["true"], |_| {});
        text(&case, &["create", "--name", "web", case::IMAGE, "true"]);
        let web = text(&case, &["inspect", "-f", "{{.Id}}", "web"]).trim().to_owned();
        let folder = case.engine.paths().container(&web.parse().unwrap());
        spoil(&folder.join("record.json"), how);
        let all = text(&case, &["ps", "-a", "--no-trunc"]);
        let row = all.lines().find(|line| line.contains(&web)).unwrap();
        assert!(row.contains("Damaged (") && row.contains(why) && row.ends_with("web"), "{row}");
        assert!(row.find(why) < row.find("/record.json"), "the path may be cut: {row}");
        assert!(all.contains(&whole), "{all}");
        assert!(text(&case, &["ps", "-aq"]).contains(&web[..12]));
        assert!(text(&case, &["info"]).contains("WARNING: container web is damaged"));
        let error = text(&case, &["start", "web"]);
        assert!(error.contains("the state of container"), "{error}");
        assert!(error.contains(&format!("remove it with `hoist rm {}`", &web[..12])), "{error}");
        assert!(text(&case, &["create", "--name", "web", case::IMAGE]).contains("already in use"));
        // No other object uses its layers; only this record needs them.
        case.hoist(&["rm", &whole]);
        case.hoist(&["rmi", "-f", case::IMAGE]);
        assert!(case.engine.paths().layers().join("0/diff/bin").exists());
        for word in [&web[..12], "web"] {
            let error = text(&case, &["inspect", word]);
            assert!(error.contains("cannot be read"), "{error}");
        }
        let word = if how.is_empty() { &web[..12] } else { "web" };
        assert_eq!(text(&case, &["rm", word]), format!("{word}\n"));
        assert!(!text(&case, &["ps", "-a"]).contains("web") && !folder.exists());
        let names = fs::read_dir(case.engine.paths().container_names()).unwrap().count();
        assert_eq!(names, 0);
        text(&case, &["image", "from-host", "-t", "other", "true"]);
        text(&case, &["rmi", "other"]);
        assert!(!case.engine.paths().layers().join("0").exists(), "swept with the next image");
    }
}

#[test]
fn what_cannot_be_read_at_the_moment_is_not_removed() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let record = case.engine.paths().container(&id.parse().unwrap()).join("record.json");
    let aside = record.with_extension("aside");
    fs::rename(&record, &aside).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &record).unwrap(); // EIO
    for words in [&["rm", &id][..], &["rm", "-f", &id]] {
        let error = text(&case, words);
        assert!(error.contains("Input/output error"), "{error}");
    }
    // It is not shown as damaged either.
    let other = case.create(&["true"], |_| {});
    let all = text(&case, &["ps", "-a", "--no-trunc"]);
    assert!(
        all.contains("WARNING: cannot read the state of `") && all.contains("Input/output error"),
        "{all}"
    );
    assert!(all.contains(&other) && !all.contains("Damaged"), "{all}");
    fs::rename(&aside, &record).unwrap();
    assert_eq!(case.container(&id).status, Status::Created);
    let image = fs::read_dir(case.engine.paths().images()).unwrap().flatten().next().unwrap().path();
    text(&case, &["image", "from-host", "-t", "other", "true"]);
    fs::rename(&image, image.with_extension("aside")).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &image).unwrap(); // EIO
    let all = text(&case, &["images"]);
    assert!(
        all.contains("WARNING: an image cannot be read: ") && all.contains("Input/output error"),
        "{all}"
    );
    assert!(all.contains("other") && !all.contains("Damaged"), "{all}");
    // The layers that it may need are kept.
    text(&case, &["rm", &id, &other]);
    text(&case, &["rmi", "other"]);
    assert!(case.engine.paths().layers().join("0/diff/bin").exists());
}

#[test]
fn a_run_that_cannot_be_read_is_not_killed_but_can_be() {
    if in_user_namespace() {
        skipped("without a cgroup nothing tells what runs");
        return;
    }
    for (how, why) in WRONGS {
        let case = Case::new();
        let id = case.start(&["sleep", "1000"], |_| {});
        let run = case.run_of(&id);
        spoil(&case.engine.paths().container_run(&id.parse().unwrap()).join("run.json"), how);
        let all = text(&case, &["ps", "-a", "--no-trunc"]);
        assert!(all.contains(why), "{all}");
        kill(run.monitor());
        until("the monitor is dead", || !run.monitor.is_alive());
        let all = text(&case, &["ps", "-a", "--no-trunc"]);
        assert!(all.contains(why) && run.init().unwrap().is_alive(), "{all}");
        assert!(text(&case, &["rm", &id]).contains("because it is running"));
        if how.is_empty() {
            assert_eq!(text(&case, &["kill", &id]), format!("{id}\n"));
            assert_eq!(case.container(&id).status, Status::Exited);
        } else {
            assert_eq!(text(&case, &["rm", "-f", &id]), format!("{id}\n"));
            assert!(case.wait_for(case.engine.containers().list()).unwrap().is_empty());
        }
        assert!(!run.init().unwrap().is_alive() && case.cgroups().is_empty());
    }
}

#[test]
fn a_run_that_cannot_be_read_and_has_ended_is_settled() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = case.run_of(&id);
    kill(run.monitor());
    kill(run.init().unwrap());
    spoil(&case.engine.paths().container_run(&id.parse().unwrap()).join("run.json"), "{");
    until("both are dead", || !run.monitor.is_alive() && !run.init().unwrap().is_alive());
    until("it is settled", || case.container(&id).status == Status::Exited);
    drop(case.wait_for(case.engine.containers().start(&id)).unwrap());
}

#[test]
fn a_shutdown_stops_what_cannot_be_read() {
    let case = Case::new();
    // The loop ends only on the container's own stop signal, which the monitor already knows.
    let script = "trap 'exit 7' USR1; touch /ready; while :; do sleep 0.01; done";
    let cut = "{\"version\":1,";
    for (file, how, kill_monitor) in [
        ("record.json", cut, false),
        ("record.json", "out of reach", false),
        ("run.json", cut, true),
        ("run.json", "out of reach", false),
    ] {
        if kill_monitor && in_user_namespace() {
            skipped("files lost with the monitor: nothing but a cgroup tells of the processes");
            continue;
        }
        let id = case.start(&["sh", "-c", script], |options| {
            options.lifecycle.stop_signal = Some("USR1".to_owned());
            options.lifecycle.stop_timeout = Some(-1);
        });
        let parsed = id.parse().unwrap();
        let upper = case.engine.paths().container(&parsed).join("upper/ready");
        until("it listens", || upper.exists());
        let run = case.run_of(&id);
        let paths = case.engine.paths();
        let folder = if file == "run.json" { paths.container_run(&parsed) } else { paths.container(&parsed) };
        spoil(&folder.join(file), how);
        if kill_monitor {
            kill(run.monitor());
            until("the monitor is dead", || !run.monitor.is_alive());
        }
        let stopped = case.wait_for(case.engine.shutdown()).unwrap();
        let found: Vec<_> = stopped.iter().map(|it| (it.name.len(), it.result.is_ok())).collect();
        assert_eq!(found.len(), 1, "{stopped:?}");
        assert!(found[0].1, "{stopped:?}");
        until("its first process is gone", || !run.init().unwrap().is_alive());
        if !kill_monitor {
            assert_eq!(case.container(&id).state.exit_code, 7);
        }
        assert!(case.wait_for(case.engine.shutdown()).unwrap().is_empty());
        case.hoist(&["rm", "-f", &id]);
    }
}

#[test]
fn a_lost_run_folder_kills_nothing() {
    if in_user_namespace() {
        skipped("without a cgroup nothing tells what runs");
        return;
    }
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = case.run_of(&id);
    let init = run.init().unwrap();
    sys::tree::remove(&case.engine.paths().runs()).unwrap();
    let all = text(&case, &["ps", "-a", "--no-trunc"]);
    assert!(all.contains("its processes are running, but its run folder is missing"), "{all}");
    let error = text(&case, &["start", &id]);
    assert!(error.contains("its run folder is missing") && error.contains("`hoist kill"), "{error}");
    assert!(init.is_alive());
    assert_eq!(text(&case, &["kill", &id]), format!("{id}\n"));
    assert!(!init.is_alive());
    until("its monitor has gone", || !run.monitor.is_alive());
    assert_eq!(case.container(&id).status, Status::Exited);
    drop(case.wait_for(case.engine.containers().start(&id)).unwrap());
}

#[test]
fn a_lost_run_file_is_told_and_hinders_no_end() {
    let restarts = hoist::engine::RestartPolicy::Always;
    for end in [&["kill"][..], &["rm", "-f"], &["system", "reset", "-f"]] {
        let case = Case::new();
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = restarts.clone());
        let run = case.run_of(&id);
        let init = run.init().unwrap();
        fs::remove_file(case.engine.paths().container_run(&id.parse().unwrap()).join("run.json")).unwrap();
        let all = text(&case, &["ps", "-a", "--no-trunc"]);
        assert!(all.contains("Damaged (") && all.contains("its run.json is missing"), "{all}");
        let error = text(&case, &["start", &id]);
        let hint = format!("kill it with `hoist kill {0}`, or remove it with `hoist rm -f {0}`", &id[..12]);
        assert!(error.contains("its run.json is missing") && error.contains(&hint), "{error}");
        assert!(text(&case, &["rm", &id]).contains("because it is running"));
        assert!(init.is_alive() && run.monitor.is_alive());
        let words = if end[0] == "system" { end.to_vec() } else { [end, &[&id]].concat() };
        let said = case.hoist(&words);
        assert!(said.status.success(), "{end:?}: {said:?}");
        assert!(!init.is_alive() && case.cgroups().is_empty(), "{end:?}");
        until("its monitor has gone", || !run.monitor.is_alive());
        match end[0] {
            "kill" => assert_eq!(case.container(&id).status, Status::Exited),
            _ => assert_eq!(case.wait_for(case.engine.containers().list()).unwrap(), []),
        }
    }
}

#[test]
fn a_lost_run_file_and_a_monitor_that_does_not_answer_hinder_no_removal() {
    if in_user_namespace() {
        skipped("without a cgroup nothing ends it");
        return;
    }
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = case.run_of(&id);
    sys::signal::send(run.monitor.pid.try_into().unwrap(), libc::SIGSTOP).unwrap();
    fs::remove_file(case.engine.paths().container_run(&id.parse().unwrap()).join("run.json")).unwrap();
    assert_eq!(text(&case, &["rm", "-f", &id]), format!("{id}\n"));
    assert!(!run.init().unwrap().is_alive() && !run.monitor.is_alive() && case.cgroups().is_empty());
}

#[test]
fn a_reset_ends_what_has_lost_its_folders() {
    for lost in [&["root"][..], &["run"], &["root", "run"]] {
        for has_monitor in [true, false] {
            if in_user_namespace() && (!has_monitor || lost.contains(&"run")) {
                skipped(
                    "folders lost without a monitor or a run folder: nothing but a cgroup tells what runs",
                );
                continue;
            }
            let case = Case::new();
            let id = case.start(&["sleep", "1000"], |_| {});
            let run = case.run_of(&id);
            let init = run.init().unwrap();
            if !has_monitor {
                kill(run.monitor());
                until("the monitor is dead", || !run.monitor.is_alive());
            }
            for folder in lost {
                sys::tree::remove(&case.dir.path().join(folder).join("containers")).unwrap();
            }
            let said = case.hoist(&["system", "reset", "-f"]);
            assert!(said.status.success(), "{lost:?} {has_monitor}: {said:?}");
            assert!(!init.is_alive() && case.cgroup_parents().is_empty(), "{lost:?} {has_monitor}");
            assert!(!run.monitor.is_alive(), "{lost:?} {has_monitor}");
        }
    }
}

#[test]
fn a_lock_that_is_no_file_hinders_no_removal() {
    for how in ["a folder", "a socket", "a pipe"] {
        for name in ["lock", "monitor.lock"] {
            for is_up in [true, false] {
                let case = Case::new();
                let [removed, reset] = [(); 2].map(|()| case.start(&["sleep", "1000"], |_| {}));
                let runs = [&removed, &reset].map(|id| case.run_of(id));
                for (id, run) in [&removed, &reset].into_iter().zip(&runs) {
                    let (paths, id) = (case.engine.paths(), id.parse().unwrap());
                    let folder = if name == "lock" { paths.container(&id) } else { paths.container_run(&id) };
                    spoil(&folder.join(name), how);
                    if !is_up {
                        kill(run.monitor());
                        kill(run.init().unwrap());
                        until("both are dead", || !run.monitor.is_alive() && !run.init().unwrap().is_alive());
                    }
                }
                assert_eq!(
                    text(&case, &["rm", "-f", &removed]),
                    format!("{removed}\n"),
                    "{how} {name} {is_up}"
                );
                let said = case.hoist(&["system", "reset", "-f"]);
                assert!(said.status.success(), "{how} {name} {is_up}: {said:?}");
                assert!(runs.iter().all(|run| !run.init().unwrap().is_alive()), "{how} {name} {is_up}");
                assert!(!case.engine.paths().containers().exists(), "{how} {name} {is_up}");
            }
        }
    }
}

#[test]
fn a_reset_goes_on_where_the_note_of_a_folder_is_damaged() {
    for how in ["{", "a folder", "a socket"] {
        for folder in ["root", "run"] {
            let case = Case::new();
            let id = case.start(&["sleep", "1000"], |_| {});
            let init = case.run_of(&id).init().unwrap();
            spoil(&case.dir.path().join(folder).join("engine.json"), how);
            let said = case.hoist(&["system", "reset", "-f"]);
            assert!(said.status.success(), "{how} in {folder}: {said:?}");
            assert!(!init.is_alive() && case.cgroup_parents().is_empty(), "{how} in {folder}");
        }
    }
}

#[test]
fn a_reset_takes_what_goes_by_itself() {
    let case = Case::new();
    let ids =
        [(); 2].map(|()| case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true));
    for id in &ids {
        let run = case.run_of(id);
        kill(run.monitor());
        kill(run.init().unwrap());
        until("both are dead", || !run.monitor.is_alive() && !run.init().unwrap().is_alive());
        sys::tree::remove(&case.engine.paths().container_run(&id.parse().unwrap())).unwrap();
    }
    assert_eq!(text(&case, &["rm", "-f", &ids[0]]), format!("{}\n", ids[0]));
    let said = case.hoist(&["system", "reset", "-f"]);
    assert!(said.status.success(), "{said:?}");
}

#[test]
fn addresses_of_containers_that_are_gone_are_free() {
    if in_user_namespace() {
        skipped("a bridge needs the host's network");
        return;
    }
    let case = Case::new();
    let bridge = |options: &mut hoist::engine::Options| {
        options.networking.network = hoist::engine::NetworkMode::Bridge;
    };
    let members = || {
        let network = case.wait_for(case.engine.networks().inspect("bridge")).unwrap();
        network.members.into_iter().map(|member| member.container.to_string()).collect::<Vec<_>>()
    };
    let ids = [(); 4].map(|()| case.start(&["sleep", "1000"], bridge));
    let [alive, without_run, without_folder, without_both] = &ids;
    for id in &ids[1..] {
        let run = case.run_of(id);
        kill(run.monitor());
        kill(run.init().unwrap());
        until("both are dead", || !run.monitor.is_alive() && !run.init().unwrap().is_alive());
    }
    assert_eq!(members().len(), 4);
    let paths = case.engine.paths();
    let run = |id: &str| paths.container_run(&id.parse().unwrap());
    let folder = |id: &str| paths.container(&id.parse().unwrap());
    for lost in [run(without_run), folder(without_folder), folder(without_both), run(without_both)] {
        sys::tree::remove(&lost).unwrap();
    }
    until("only one has an address", || {
        text(&case, &["ps", "-a"]);
        members() == [alive.as_str()]
    });
    assert_eq!(case.container(without_run).status, Status::Exited);
    // A running container keeps its address, whatever files it loses.
    let monitor = case.run_of(alive).monitor();
    kill(monitor);
    until("its monitor is dead", || !monitor.is_alive());
    for lost in [run(alive), folder(alive)] {
        sys::tree::remove(&lost).unwrap();
    }
    text(&case, &["ps", "-a"]);
    assert_eq!(members(), [alive.as_str()]);
}

#[test]
fn a_monitor_killed_in_a_start_leaves_no_damage() {
    if in_user_namespace() {
        skipped("without a cgroup nothing tells of its processes");
        return;
    }
    let case = Case::new();
    let restarts = hoist::engine::RestartPolicy::Always;
    let [fresh, ended] = [(); 2]
        .map(|()| case.create(&["sleep", "1000"], |options| options.lifecycle.restart = restarts.clone()));
    case.start_again(&ended);
    text(&case, &["kill", &ended]);
    for (id, status) in [(&fresh, Status::Created), (&ended, Status::Exited)] {
        for words in [&["ps", "-a"][..], &["stop", id], &["rm", id]] {
            // The intermediate state: processes at the gate, and no record of them.
            let parsed = id.parse().unwrap();
            let group = hoist::internals::cgroup::Cgroup::create(
                &hoist::internals::monitor::settle::cgroup_parent(case.engine.paths()),
                id,
                &hoist::internals::cgroup::Limits::default(),
                &sys::probe::Probe::now().unwrap(),
            );
            drop(group.unwrap());
            let mut process = Command::new("sleep").arg("1000").spawn().unwrap();
            for group in case.cgroups() {
                fs::write(group.join("cgroup.procs"), process.id().to_string()).unwrap();
            }
            let run = case.engine.paths().container_run(&parsed);
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("monitor.lock"), "").unwrap();
            assert!(!case.cgroups().is_empty());
            let reaper = std::thread::spawn(move || process.wait().unwrap());
            let said = case.hoist(words);
            assert!(said.status.success(), "{words:?}: {said:?}");
            assert!(!String::from_utf8_lossy(&said.stdout).contains("Damaged"), "{said:?}");
            reaper.join().unwrap();
            assert!(case.cgroups().is_empty() && !run.exists(), "{words:?}");
            if words[0] != "rm" {
                assert_eq!(case.container(id).status, status, "{words:?}");
            }
        }
    }
}

#[test]
fn a_lost_name_is_the_containers_all_the_same_and_comes_back() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let container = case.container(&id);
    let name = container.name.as_str();
    let link = case.engine.paths().container_name(&container.name);
    std::fs::remove_file(&link).unwrap();
    let said = case.hoist(&["exec", name, "echo", "found"]);
    assert_eq!(said.stdout, b"found\n", "{said:?}");
    let said = case.hoist(&["create", "--name", name, "busybox"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("is already in use by"), "{said:?}");
    // The same listing removes what a killed rename would leave behind.
    let other = link.with_file_name("other");
    std::os::unix::fs::symlink(&id, &other).unwrap();
    assert_eq!(text(&case, &["ps", "--format", "{{.Names}}"]), format!("{name}\n"));
    assert!(link.is_symlink() && !other.is_symlink());
}

#[test]
fn a_lost_container_folder_kills_nothing() {
    if in_user_namespace() {
        skipped("without a cgroup nothing tells what runs");
        return;
    }
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let run = case.run_of(&id);
    let (containers, aside) = (case.engine.paths().containers(), case.dir.path().join("not mounted"));
    kill(run.monitor());
    until("the monitor is dead", || !run.monitor.is_alive());
    fs::rename(&containers, &aside).unwrap();
    let all = text(&case, &["ps", "-a", "--no-trunc"]);
    assert!(all.contains("its folder in the data folder is missing"), "{all}");
    assert!(run.init().unwrap().is_alive());
    fs::remove_dir(&containers).ok();
    fs::rename(&aside, &containers).unwrap();
    assert_eq!(case.container(&id).status, Status::Running, "it is adopted");
}

#[test]
fn a_monitor_that_cannot_take_over_is_tried_once_and_hinders_no_end() {
    if in_user_namespace() {
        skipped("without a cgroup nothing ends it");
        return;
    }
    use hoist::engine::RestartPolicy::{Always, No, UnlessStopped};
    for (end, policy) in [("kill", No), ("kill", Always), ("kill", UnlessStopped), ("rm", Always)] {
        let case = Case::new();
        let id = case.start(&["sleep", "1000"], |options| options.lifecycle.restart = policy.clone());
        let run = case.run_of(&id);
        let log = case.engine.paths().container(&id.parse().unwrap()).join("log");
        sys::tree::remove(&log).unwrap();
        fs::write(&log, "in the way").unwrap();
        kill(run.monitor());
        until("the monitor is dead", || !run.monitor.is_alive());
        let all = text(&case, &["ps"]);
        assert!(all.contains("Up ") && all.contains("WARNING: cannot take over"), "{all}");
        let all = text(&case, &["inspect", &id]);
        assert!(all.contains("\"running\"") && all.contains("WARNING: cannot take over"), "{all}");
        for verb in ["stop", "pause", "restart"] {
            let error = text(&case, &[verb, &id]);
            assert!(error.starts_with("error: cannot take over"), "{error}");
        }
        assert!(run.init().unwrap().is_alive());
        let words: &[&str] = if end == "kill" { &["kill", &id] } else { &["rm", "-f", &id] };
        assert_eq!(text(&case, words), format!("{id}\n"));
        assert!(!run.init().unwrap().is_alive() && case.cgroups().is_empty());
        fs::remove_file(&log).ok();
        if end == "kill" {
            let ended = case.container(&id);
            assert_eq!((ended.status, ended.state.stopped_by_hand), (Status::Exited, true));
        }
    }
}

#[test]
fn an_image_that_cannot_be_read_is_listed_and_removed() {
    let case = Case::new();
    let folder = case.engine.paths().images();
    let file = fs::read_dir(&folder).unwrap().flatten().next().unwrap().path();
    let id = file.file_stem().unwrap().to_str().unwrap().to_owned();
    for (how, why) in WRONGS.into_iter().chain([("gone", "No such file or directory")]) {
        let before = fs::read(&file).unwrap();
        spoil(&file, how);
        let all = text(&case, &["images", "--no-trunc"]);
        let row = all.lines().find(|line| line.contains(&id[..12])).unwrap();
        assert!(row.starts_with(case::IMAGE) && row.contains("Damaged (") && row.contains(why), "{row}");
        let refused = text(&case, &["run", "--rm", case::IMAGE, "true"]);
        let is_newer = how.starts_with("{\"version\":") && !why.starts_with("EOF");
        let replace =
            if is_newer { "use the version of hoist that wrote it" } else { "pull or load the image again" };
        let hint = format!("hint: {replace}, or remove it with `hoist rmi {}`", &id[..12]);
        let told = format!("cannot use the image `busybox`\n  because image {} is damaged\n", &id[..12]);
        assert!(refused.contains(&told) && refused.contains(&hint), "{refused}");
        assert!(text(&case, &["info"]).contains("WARNING: image busybox"));
        text(&case, &["image", "from-host", "-t", "other", "true"]);
        text(&case, &["rmi", "other"]);
        if how != "gone" {
            fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).unwrap();
        }
        fs::write(&file, before).unwrap();
        assert_eq!(case.run(&["echo", "whole"], |_| {}).stdout, "whole\n");
    }
    spoil(&file, "gone");
    let refused = text(&case, &["rmi", case::IMAGE]);
    assert!(refused.contains("image is being used by stopped container"), "{refused}");
    let said = text(&case, &["rmi", "-f", case::IMAGE]);
    assert!(
        said.contains("Untagged: busybox:latest") && said.contains(&format!("Deleted: sha256:{id}")),
        "{said}"
    );
    assert!(!text(&case, &["images"]).contains(&id[..12]));
}

#[test]
fn a_name_that_cannot_be_read_costs_no_other_image() {
    for how in ["a loop", "a socket", "a pipe", "a device", "out of reach"] {
        let case = Case::new();
        assert!(case.hoist(&["tag", case::IMAGE, "spoilt"]).status.success());
        spoil(&case.engine.paths().refs().join("docker.io+library+spoilt:latest.json"), how);
        for words in [
            &["create", case::IMAGE, "true"][..],
            &["image", "inspect", case::IMAGE],
            &["history", case::IMAGE],
            &["tag", case::IMAGE, "other"],
            &["images"],
        ] {
            let said = case.hoist(words);
            assert!(said.status.success(), "{how}: {words:?}: {}", String::from_utf8_lossy(&said.stderr));
        }
        // What it may refer to is kept: nothing is known about a file that cannot be read at the
        // moment.
        assert_eq!(case.hoist(&["rmi", "other"]).status.success(), how != "out of reach", "{how}");
    }
}

#[test]
fn the_note_of_the_last_sweep_is_not_waited_for() {
    for how in ["a pipe", "a device", "a loop"] {
        let case = Case::new();
        let note = case.engine.paths().ingest().join("boot");
        spoil(&note, how);
        text(&case, &["image", "from-host", "-t", "other", "true"]);
        assert!(text(&case, &["images"]).contains("other"), "{how}");
        assert!(fs::symlink_metadata(&note).unwrap().is_file(), "{how}");
    }
}

#[test]
fn what_is_no_file_in_a_containers_folder_hinders_no_end() {
    let case = Case::new();
    let id = case
        .create(&["cat", "/etc/hostname"], |options| options.networking.hostname = Some("web".to_owned()));
    case.start_again(&id);
    let folder = case.engine.paths().container(&id.parse().unwrap());
    let is_over = || case.container(&id).status == Status::Exited;
    until("it ends", is_over);
    let outside = case.engine.paths().root().join("outside");
    for how in ["a pipe", "a loop", "a socket", "a device"] {
        for file in ["hostname", "hosts", "resolv.conf"] {
            spoil(&folder.join("etc").join(file), how);
        }
        case.start_again(&id); // they are for hoist to create
        until("it ends", is_over);
    }
    assert_eq!(text(&case, &["logs", &id]), "web\n".repeat(5));
    let log = folder.join("log/log.json");
    for how in ["a pipe", "a loop", "a socket", "a device"] {
        spoil(&log, how);
        for words in [&["start", &id][..], &["logs", &id]] {
            let said = text(&case, words);
            assert!(said.contains("log.json"), "{how}: {words:?}: {said}");
        }
    }
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink(&outside, &log).unwrap();
    assert!(text(&case, &["start", &id]).contains("log.json"));
    assert!(!outside.exists(), "a link is not followed to be written to");
    spoil(&log, "a pipe");
    assert!(case.hoist(&["rm", "-f", &id]).status.success());
}

#[test]
fn a_network_that_cannot_be_read_is_another_subnet_at_most() {
    if in_user_namespace() {
        skipped("a bridge needs the host's network");
        return;
    }
    for how in ["", "{\"version\":1000}"] {
        let case = Case::new();
        let run =
            || case.run(&["true"], |options| options.networking.network = hoist::engine::NetworkMode::Bridge);
        assert_eq!(run().code, Some(0));
        let file = fs::read_dir(case.engine.paths().networks()).unwrap().flatten().next().unwrap().path();
        spoil(&file, how);
        assert!(text(&case, &["network", "ls"]).contains("bridge"));
        case.wait_for(case.engine.networks().reset()).unwrap();
        assert_eq!(run().code, Some(0));
        let is_kept = fs::read_to_string(&file).unwrap() == how;
        assert_eq!(is_kept, !how.is_empty(), "a newer one is left, a damaged one written again");
    }
}

#[test]
fn a_journal_that_cannot_be_written_stops_no_verb() {
    let case = Case::new();
    let journal = case.engine.paths().journal();
    fs::remove_file(&journal).ok();
    fs::create_dir(&journal).unwrap();
    let warned = |words: &[&str]| {
        let said = case.hoist(words);
        let text = String::from_utf8(said.stderr).unwrap();
        assert!(said.status.success(), "{words:?}: {text}");
        // However many events are missing, there is one warning.
        let warnings =
            text.lines().filter(|line| line.starts_with("WARNING: events cannot be recorded: cannot open "));
        assert_eq!(warnings.count(), 1, "{words:?}: {text}");
    };
    let status = |name| case.container(name).status;
    warned(&["create", "--name", "web", "--network", "none", case::IMAGE, "sleep", "1000"]);
    warned(&["rename", "web", "db"]);
    warned(&["start", "db"]);
    if !in_user_namespace() {
        warned(&["pause", "db"]);
        assert_eq!(status("db"), Status::Paused);
        warned(&["unpause", "db"]);
    }
    assert_eq!(status("db"), Status::Running);
    warned(&["rename", "db", "web"]);
    warned(&["exec", "web", "true"]);
    warned(&["exec", "-d", "web", "true"]);
    warned(&["restart", "-t", "0", "web"]);
    assert_eq!(status("web"), Status::Running);
    let wait = case.command(&["wait", "web"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    warned(&["stop", "-t", "0", "web"]);
    assert_eq!(wait.wait_with_output().unwrap().stdout, b"137\n");
    assert_eq!(status("web"), Status::Exited);
    warned(&["start", "web"]);
    warned(&["kill", "web"]);
    warned(&["rm", "web"]);
    let true_ = ["create", "--name", "true", "--network", "none", case::IMAGE, "true"];
    warned(&true_);
    warned(&["start", "-a", "true"]);
    warned(&["rm", "true"]);
    let brief = || case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true);
    warned(&["stop", "-t", "0", &brief()]);
    let id = brief();
    let wait = case.command(&["wait", &id]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    warned(&["kill", &id]);
    assert!(wait.wait_with_output().unwrap().status.success(), "without the journal");
    until("it has removed itself", || case.wait_for(case.engine.containers().list()).unwrap().is_empty());
    // The command that finds it prints the warning.
    let run = case.run_of(&brief());
    let dead = [run.monitor(), run.init().unwrap()];
    dead.into_iter().for_each(kill);
    until("both are dead", || dead.iter().all(|process| !process.is_alive()));
    warned(&["ps"]);
    assert!(case.wait_for(case.engine.containers().list()).unwrap().is_empty());
}

#[test]
fn a_verb_tells_of_each_event_that_could_not_be_recorded() {
    let case = Case::new();
    let containers = case.engine.containers();
    let id = case.create(&["sleep", "1000"], |_| {});
    let journal = case.engine.paths().journal();
    fs::remove_file(&journal).ok();
    fs::create_dir(&journal).unwrap();
    let mut told = Vec::new();
    let mut tell = |verb: &str, warnings: hoist::engine::Warnings| {
        let missing = warnings.0.iter().filter(|it| it.starts_with("events cannot be recorded: "));
        told.push(format!("{verb} {}", missing.count()));
    };
    tell("start", case.wait_for(containers.start(&id)).unwrap());
    if !in_user_namespace() {
        tell("pause", case.wait_for(containers.pause(&id)).unwrap());
        tell("unpause", case.wait_for(containers.unpause(&id)).unwrap());
    }
    tell("rename", case.wait_for(containers.rename(&id, "db".parse().unwrap())).unwrap());
    tell("restart", case.wait_for(containers.restart(&id, None, Some(0))).unwrap());
    tell("stop", case.wait_for(containers.stop(&id, None, Some(0))).unwrap());
    tell("start", case.wait_for(containers.start(&id)).unwrap());
    tell("kill", case.wait_for(containers.kill(&id, "KILL")).unwrap());
    told.retain(|line| !line.contains("pause")); // not everywhere
    assert_eq!(told, ["start 1", "rename 1", "restart 5", "stop 3", "start 1", "kill 1"]);
}

#[test]
fn who_is_warned_is_who_asked() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let journal = case.engine.paths().journal();
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let warnings = |said: &str| said.matches("WARNING: events cannot be recorded: ").count();
    // The init process of a pid namespace ignores SIGTERM.
    let mut stop = case.command(&["stop", "-t", "-1", &id]);
    let stop = stop.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until("the stop is taken", || case.container(&id).state.stopped_by_hand);
    assert_eq!(warnings(&text(&case, &["rename", &id, "db"])), 1);
    assert_eq!(warnings(&text(&case, &["kill", "db"])), 1);
    let stopped = stop.wait_with_output().unwrap();
    assert_eq!(warnings(&String::from_utf8(stopped.stderr).unwrap()), 1);
}

#[test]
fn who_stops_a_container_that_cannot_be_removed_is_answered() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |options| options.lifecycle.auto_remove = true);
    let discarded = case.engine.paths().discarded();
    sys::tree::remove(&discarded).unwrap();
    fs::write(&discarded, "in the way").unwrap();
    let said = text(&case, &["stop", "-t", "0", &id]);
    assert!(said.contains(&format!("{id}\n")) && said.contains("WARNING: it cannot be removed: "), "{said}");
    fs::remove_file(&discarded).unwrap();
    until("it has gone", || case.wait_for(case.engine.containers().list()).unwrap().is_empty());
}

#[test]
fn sessions_that_were_killed_with_their_monitors_have_ended() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let folder = case.engine.paths().container_run(&id.parse().unwrap()).join("exec");
    let request = hoist::engine::ExecRequest {
        command: vec!["sleep".to_owned(), "1000".to_owned()],
        ..hoist::engine::ExecRequest::default()
    };
    let settings = Settings { program: "/nonexistent".into(), ..Settings::new(case.engine.paths().clone()) };
    let without_monitors = Engine::open(settings).unwrap();
    case.wait_for(without_monitors.containers().exec_detached(&id, request.clone())).unwrap_err();
    let kinds = || {
        let extensions = fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path().extension().map(|extension| extension.to_string_lossy().into_owned()));
        let mut kinds: Vec<_> = extensions.map(Option::unwrap_or_default).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(), ["ended"], "it never began");
    drop(case.wait_for(case.engine.containers().exec_detached(&id, request)).unwrap());
    let file = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "json")).unwrap();
    let session: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let killed = ["owner", "process"].map(|who| {
        let process: Process = serde_json::from_value(session[who].clone()).unwrap();
        kill(process);
        process
    });
    until("both are dead", || killed.iter().all(|process| !process.is_alive()));
    // One session that never started, and a file that is not a session.
    let mut unbegun = session;
    unbegun["process"] = serde_json::Value::Null;
    let record = |digit: &str| file.with_file_name(format!("{}.json", digit.repeat(64)));
    fs::write(record("1"), unbegun.to_string()).unwrap();
    fs::write(record("2"), "{").unwrap();
    assert!(text(&case, &["exec", &id, "true"]).is_empty());
    until("no session is left", || kinds() == ["ended"; 4]);
}

#[test]
fn the_state_of_a_network_costs_new_connections_until_the_others_have_gone() {
    if in_user_namespace() {
        skipped("a bridge needs the host's network");
        return;
    }
    for (how, why) in [("{", "is damaged"), ("a folder", "Is a directory")] {
        let case = Case::new();
        let bridge = |options: &mut hoist::engine::Options| {
            options.networking.network = hoist::engine::NetworkMode::Bridge;
        };
        let id = case.start(&["sleep", "1000"], bridge);
        let folders = fs::read_dir(case.engine.paths().network_runs()).unwrap().flatten();
        let file = folders.map(|folder| folder.path().join("state.json")).find(|file| file.exists()).unwrap();
        spoil(&file, how);
        for words in [&["network", "ls"][..], &["network", "inspect", "bridge"], &["info"]] {
            let said = text(&case, words);
            assert!(said.contains("WARNING: ") && said.contains(why) && said.contains("bridge"), "{said}");
        }
        let said = text(&case, &["network", "inspect", "bridge", "host"]);
        assert_eq!(said.matches("WARNING: ").count(), 1, "once for all words: {said}");
        let again = case.create(&["echo", "on"], bridge);
        let error = text(&case, &["start", "-a", &again]);
        let hint = "hint: stop all containers on `bridge`: the next start recreates the file";
        assert!(error.contains("network `bridge` cannot be read") && error.contains(hint), "{error}");
        assert!(error.contains(why), "{error}");
        assert_eq!(case.container(&id).status, Status::Running);
        text(&case, &["kill", &id]);
        until("the other's port is gone", || text(&case, &["start", "-a", &again]) == "on\n");
        spoil(&file, how); // the damage does not prevent a reset
    }
}

#[test]
fn what_is_known_of_a_layer_costs_only_new_images_of_it() {
    for (how, why) in WRONGS.into_iter().chain([("gone", "No such file or directory")]) {
        let case = Case::new();
        spoil(&case.engine.paths().layers().join("0/meta.json"), how);
        assert!(text(&case, &["images"]).contains(case::IMAGE));
        assert!(text(&case, &["history", case::IMAGE]).starts_with("IMAGE"));
        let run = ["run", "--rm", "--network", "none", case::IMAGE, "echo", "on"];
        assert_eq!(text(&case, &run), "on\n");
        let tar = case.dir.path().join("busybox.tar");
        let import = ["import", tar.to_str().unwrap(), "again"];
        let error = text(&case, &import);
        assert!(error.contains("the metadata of layer "), "{error}");
        assert!(why.split(": ").all(|cause| error.contains(cause)), "{error}");
        let hint = format!("remove the images that use it, then pull or load them again: {}", case::IMAGE);
        assert!(error.contains(&hint), "{error}");
        text(&case, &["rmi", case::IMAGE]);
        assert!(text(&case, &import).starts_with("sha256:"));
    }
}

#[test]
fn a_layer_that_was_lost_is_told_and_comes_back_with_its_image() {
    let lost = |case: &Case, how: &str| {
        let layers = case.engine.paths().layers();
        match how {
            "folder" => sys::tree::remove(&layers.join("0")).unwrap(),
            "tree" => sys::tree::remove(&layers.join("0/diff")).unwrap(),
            _ => sys::tree::remove(&layers.join("by-diff")).unwrap(),
        }
    };
    for how in ["folder", "tree", "link"] {
        let case = Case::new();
        let old = case.create(&["echo", "on"], |_| {});
        let said = text(&case, &["image", "inspect", "-f", "{{index .RootFS.Layers 0}}", case::IMAGE]);
        let layer = said.trim();
        lost(&case, how);
        let all = text(&case, &["images", "--no-trunc"]);
        let reason = format!("Damaged (layer {layer} is not in the store)");
        assert!(all.lines().any(|row| row.starts_with(case::IMAGE) && row.ends_with(&reason)), "{all}");
        assert!(text(&case, &["info"]).contains("WARNING: image busybox:latest is damaged: layer"));
        let refused = text(&case, &["run", "--rm", case::IMAGE, "true"]);
        let told = format!(
            "error: cannot use the image `busybox`\n  because layer {layer} is not in the store\nhint: pull or \
             load the image again\n"
        );
        assert_eq!(refused, told);
        if how != "link" {
            let error = text(&case, &["start", &old]);
            let folder = case.engine.paths().layers().join("0/diff");
            assert!(error.contains(&format!("the layer {} is missing\n", folder.display())), "{error}");
            assert!(error.contains("hint: pull or load the image again"), "{error}");
        }
        // The layer of another image does not reuse its number.
        text(&case, &["image", "from-host", "-t", "other", "true"]);
        let tar = case.dir.path().join("busybox.tar");
        assert!(text(&case, &["import", tar.to_str().unwrap(), "again"]).starts_with("sha256:"));
        assert!(!text(&case, &["images"]).contains("Damaged"));
        assert_eq!(text(&case, &["run", "--rm", "--network", "none", case::IMAGE, "echo", "in"]), "in\n");
        assert_eq!(text(&case, &["start", "-a", &old]), "on\n");
        // An image with a missing layer can be removed like any other.
        lost(&case, how);
        let removed = text(&case, &["rmi", "-f", case::IMAGE]);
        assert!(removed.starts_with("Untagged: busybox:latest\nDeleted: sha256:"), "{removed}");
    }
}

/// A full disk mounted on a folder while this value exists.
struct Full(PathBuf);

impl Full {
    fn at(folder: PathBuf) -> Self {
        let mut disk = sys::mount::Filesystem::new("tmpfs").unwrap();
        disk.set("size", "4k").unwrap();
        let disk = disk.mount(sys::mount::Attrs::empty()).unwrap();
        sys::mount::attach(disk.as_fd(), sys::fs::open_place(&folder).unwrap().as_fd()).unwrap();
        let full = Self(folder);
        fs::write(full.0.join("ballast"), vec![0; 1 << 20]).unwrap_err();
        full
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        sys::mount::detach(&self.0).unwrap();
    }
}

#[test]
fn a_log_that_lacks_lines_says_so() {
    let case = Case::new();
    let id = case.create(&["sh", "-c", "echo lost; touch /said; exec sleep 1000"], |_| {});
    let folder = case.engine.paths().container(&id.parse().unwrap());
    let log = folder.join("log/log.json");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    let full = Full::at(log.parent().unwrap().to_owned());
    case.start_again(&id);
    until("it is noted", || !case.run_of(&id).log_fault.is_empty());
    drop(full);
    let name = case.container(&id).name;
    let warning = format!(
        "WARNING: lines are missing from the log of `{name}`: cannot write {}: No space left on device (os error 28)\n",
        log.display()
    );
    assert_eq!(text(&case, &["logs", &id]), warning);
    case.hoist(&["kill", &id]);
    assert_eq!(text(&case, &["logs", &id]), warning, "after its end too");
    // A new run starts over, and ends with its monitor.
    case.start_again(&id);
    until("it has spoken", || text(&case, &["logs", &id]) == "lost\n");
    let run = case.run_of(&id);
    kill(run.monitor());
    kill(run.init().unwrap());
    until("both are dead", || !run.monitor.is_alive() && !run.init().unwrap().is_alive());
    let warning = format!("WARNING: the log of `{name}` may lack its last lines: its monitor was killed\n");
    assert_eq!(text(&case, &["logs", &id]), format!("lost\n{warning}"));
}
