//! What a container gets from the machine it runs on, and what it must not inherit from the process
//! that starts it. Needs root, or a user namespace that maps it.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use crate::case::{ALL, Case, hear, until};
use crate::support::{in_user_namespace, skipped};
use hoist::engine::{NetworkMode, Options};

/// Runs a command with unusual attributes, each of which children inherit. It sets only attributes
/// that can be reset without privileges on the machine.
const STRANGE: &str = r#"
    prlimit --pid $$ --nofile=64: --nproc=5000: --memlock=16384: --stack=1048576: --core=0: --fsize=9000000000:
    umask 077
    cd "$0"
    trap '' HUP INT USR1
    echo 700 > /proc/self/oom_score_adj
    echo 0x1 > /proc/self/coredump_filter
    exec ionice -c 3 taskset -c "$CPU" setarch -R chrt --batch 0 "$@"
"#;

/// Prints attributes that a process may have inherited, one per line.
const PROBE: &str = r#"
    cat /proc/self/oom_score_adj /proc/self/coredump_filter /proc/self/personality
    grep -E "^Max (open files|processes|locked memory|stack size|core file size|file size) " /proc/self/limits
    grep -E "^(Umask|SigBlk|SigIgn|Cpus_allowed):" /proc/self/status
    cut -d " " -f 18,19,40,41 /proc/self/stat
"#;

/// Returns a hoist command that is started with unusual attributes.
fn strange(case: &Case, words: &[&str]) -> Command {
    let plain = case.command(words);
    let cpus = fs::read_to_string("/proc/self/status").unwrap();
    let cpus = cpus.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let first: String = cpus.trim().chars().take_while(char::is_ascii_digit).collect();
    let mut command = Command::new("sh");
    command.arg("-c").arg(STRANGE).arg(case.dir.path()).arg(plain.get_program()).args(plain.get_args());
    command.env("CPU", first).stdin(std::process::Stdio::null());
    command
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_container_is_the_same_whoever_starts_it() {
    let case = Case::new();
    let run = ["run", "--rm", "--network", "none", "busybox", "sh", "-c", PROBE];
    let plain = said(&mut case.command(&run));
    assert_eq!(said(&mut strange(&case, &run)), plain);
    let soft = |name: &str| {
        let line = plain.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(soft("Max open files"), "1024");
    assert!(plain.contains("SigIgn:\t0000000000000000\n"), "{plain}");
    assert!(plain.contains("Umask:\t0022\n"), "{plain}");

    // The same holds for exec, and for a container after a restart.
    let id = case.start(&["sleep", "1000"], |_| ());
    let exec = ["exec", &id, "sh", "-c", PROBE];
    assert_eq!(said(&mut strange(&case, &exec)), plain);
    said(&mut strange(&case, &["restart", "-t", "0", &id]));
    assert_eq!(said(&mut case.command(&exec)), plain);
}

#[test]
fn a_limit_that_was_asked_for_replaces_the_default() {
    let case = Case::new();
    let words = ["--ulimit", "nofile=99:100", "busybox", "sh", "-c", "ulimit -n; ulimit -Hn; ulimit -u"];
    let said = said(&mut case.command(&[&["run", "--rm"], &words[..]].concat()));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["99", "100"]);
}

#[test]
fn what_is_made_for_a_container_has_its_usual_mode_whatever_the_umask() {
    let case = Case::new();
    let volume = case.dir.path().join("made/for/it");
    let bind = format!("{}:/v", volume.display());
    let list = "stat -c '%a %n' / /v /etc/hosts /etc/hostname /etc/resolv.conf /tmp /bin /dev/shm";
    let modes = said(&mut strange(&case, &["run", "--rm", "-v", &bind, "busybox", "sh", "-c", list]));
    let expected = "755 /\n755 /v\n644 /etc/hosts\n644 /etc/hostname\n644 /etc/resolv.conf\n1777 /tmp\n755 /bin\n1777 /dev/shm\n";
    assert_eq!(modes, expected);
    for folder in ["made", "made/for", "made/for/it"] {
        let mode = fs::metadata(case.dir.path().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755, "{folder}");
    }
}

#[test]
fn a_monitor_keeps_no_folder_busy() {
    let case = Case::new();
    let id = case.create(&["sleep", "1000"], |_| ());
    said(&mut strange(&case, &["start", &id]));
    let monitor = case.run_of(&id).monitor.pid;
    assert_eq!(fs::read_link(format!("/proc/{monitor}/cwd")).unwrap(), Path::new("/"));
    assert_eq!(fs::read_to_string(format!("/proc/{monitor}/environ")).unwrap(), "");
}

#[test]
fn ports_and_ping_are_open_in_a_network_of_its_own_only() {
    let case = Case::new();
    let read = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range";
    let host = || fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    let before = host();
    for network in [NetworkMode::None, NetworkMode::Bridge] {
        let said = case.run(&["sh", "-c", read], |options| options.networking.network = network);
        // Not all groups are available unless all are mapped.
        let expected = if in_user_namespace() { "0\n65534\t0\n" } else { "0\n0\t2147483647\n" };
        assert_eq!(said.stdout, expected, "{said:?}");
    }
    let said = case.run(&["sh", "-c", read], |options| options.networking.network = NetworkMode::Host);
    assert!(said.stdout.starts_with(&before), "{said:?}");
    assert_eq!(host(), before);
}

#[test]
fn a_privileged_container_has_the_devices_of_the_host() {
    let case = Case::new();
    // Without owners, since in a user namespace the nodes are those of the host.
    let list = "find /dev -type c -o -type b | grep -v -e ^/dev/pts/ -e ^/dev/console | sort | xargs stat -c '%n %t %T %f'";
    let privileged = case.run(&["sh", "-c", list], |options| options.security.privileged = true);
    assert_eq!(privileged.stdout, of_host(Path::new("/dev")).join("\n") + "\n", "{privileged:?}");
    let state = "cat /dev/kmsg >/dev/null & kill $!; readlink /dev/ptmx; grep Seccomp: /proc/self/status; \
                 mount -o remount,rw /proc/sys 2>/dev/null; \
                 grep -cE ' (/sys|/sys/fs/cgroup[^ ]*) [^ ]* ro,' /proc/mounts";
    let said = case.run(&["sh", "-c", state], |options| options.security.privileged = true);
    assert_eq!(said.stdout, "pts/ptmx\nSeccomp:\t0\n0\n", "{said:?}");

    let plain = case.run(&["sh", "-c", "find /dev -type c -o -type b | wc -l"], |_| ());
    assert_eq!(plain.stdout, "7\n", "the six that every container has, and ptmx: {plain:?}");
}

#[test]
fn all_capabilities_are_those_that_hoist_has_and_nothing_is_missed() {
    let case = Case::new();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let held = status.lines().find(|line| line.starts_with("CapEff")).unwrap();
    let asks: [fn(&mut Options); 2] = [
        |options| options.security.privileged = true,
        |options| options.security.cap_add = vec!["ALL".to_owned()],
    ];
    for ask in asks {
        let id = case.create(&["grep", "CapEff", "/proc/self/status"], ask);
        let attached = case.wait_for(case.engine.containers().start_attached(&id, ALL, None)).unwrap();
        let warnings = format!("{:?}", attached.warnings);
        assert!(!warnings.contains("capabilities"), "{warnings}");
        assert_eq!(case.wait_for(hear(attached)).stdout.trim_end(), held);
    }
}

/// Returns every device below `folder` that Docker gives to a privileged container, formatted like
/// the output of `stat` in the test, sorted.
fn of_host(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let meta = entry.metadata().unwrap();
        let name = entry.file_name();
        if meta.is_dir() && !["pts", "shm", "fd", "mqueue"].iter().any(|left_out| name == *left_out) {
            lines.extend(of_host(&entry.path()));
        } else if (meta.file_type().is_char_device() || meta.file_type().is_block_device())
            && name != "console"
            && name != "ptmx"
        {
            let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
            lines.push(format!("{} {major:x} {minor:x} {:x}", entry.path().display(), meta.mode()));
        }
    }
    lines.sort();
    lines
}

#[test]
fn the_root_is_an_overlay_in_the_mount_table() {
    let case = Case::new();
    let said = case.run(&["grep", " / ", "/proc/mounts"], |_| ());
    assert!(said.stdout.starts_with("overlay / overlay rw,"), "{said:?}");
}

/// Whether the machine confines containers with AppArmor by default.
#[track_caller]
fn has_apparmor() -> bool {
    let found = !in_user_namespace()
        && hoist::internals::sys::apparmor::support() == hoist::internals::sys::apparmor::Support::Full;
    if !found {
        skipped("what needs AppArmor: it is off, or not ours");
    }
    found
}

#[test]
fn the_default_profile_confines_all_processes_where_apparmor_is_on() {
    let case = Case::new();
    let profile = |id: &str| case.container(id).state.apparmor;
    let label = "cat /proc/1/attr/current /proc/self/attr/current 2>/dev/null; mount -o remount,rw /proc/sys";
    for init in [false, true] {
        let id = case.start(&["sleep", "1000"], |options| {
            options.process.init = init;
            options.security.cap_add = vec!["SYS_ADMIN".to_owned()];
        });
        let output = case.hoist(&["exec", &id, "sh", "-c", label]);
        let said = String::from_utf8(output.stdout).unwrap();
        if has_apparmor() {
            let name = profile(&id);
            assert!(name.starts_with("hoist-default-"), "{name}");
            assert_eq!(said, format!("{name} (enforce)\n").repeat(2), "init: {init}");
            assert!(!output.status.success(), "what is read-only was made writable");
        } else {
            assert!(!said.contains("hoist-default"), "{said}");
            assert_eq!(profile(&id), "");
        }
    }
    let privileged = case.start(&["sleep", "1000"], |options| options.security.privileged = true);
    assert_eq!(profile(&privileged), if has_apparmor() { "unconfined" } else { "" });
}

#[test]
fn a_profile_that_is_not_loaded_stops_the_start_or_is_told_to_be_without_effect() {
    let case = Case::new();
    let id = case.create(&["true"], |options| options.security.apparmor = Some("no such profile".to_owned()));
    let started = case.wait_for(case.engine.containers().start(&id));
    if has_apparmor() {
        let error = hoist::internals::base::error::chain(&started.unwrap_err()).join(": ");
        assert!(error.contains("the AppArmor profile `no such profile` is not loaded"), "{error}");
        assert_eq!(case.cgroups(), Vec::<std::path::PathBuf>::new());
    } else {
        let hoist::engine::Warnings(warnings) = started.unwrap();
        let told = "no such profile does not confine the container";
        assert!(warnings.iter().any(|warning| warning.ends_with(told)), "{warnings:?}");
    }
    let inspected = case.hoist(&["inspect", "-f", "{{json .HostConfig.SecurityOpt}}", &id]);
    assert_eq!(String::from_utf8_lossy(&inspected.stdout), "[\"apparmor=no such profile\"]\n");
}

#[test]
fn a_label_is_told_to_be_without_effect_where_selinux_is_off() {
    if hoist::internals::sys::selinux::is_enabled() {
        skipped("SELinux is on");
        return;
    }
    let case = Case::new();
    let start = |words: &[&str]| {
        let id = case.create(&["true"], |options| {
            options.security.selinux = words.iter().map(|&word| word.to_owned()).collect();
        });
        let hoist::engine::Warnings(warnings) = case.wait_for(case.engine.containers().start(&id)).unwrap();
        warnings.into_iter().filter(|warning| warning.contains("SELinux")).collect::<Vec<_>>()
    };
    let told = "SELinux is disabled on this machine: label=type:x_t does not confine the container";
    assert_eq!(start(&["type:x_t", "level:s0"]), [told]);
    assert_eq!(start(&["disable"]), [""; 0]);
    assert_eq!(start(&["type:x_t", "disable"]), [""; 0]);
}

#[test]
fn rules_that_somebody_flushed_come_back_while_containers_run() {
    let case = Case::new();
    let table = format!("{}-net", case.engine.paths().engine_name());
    let nft = |words: &[&str]| Command::new("nft").args(words).output().unwrap();
    let list = || {
        let families =
            ["inet", "bridge"].map(|family| nft(&["--stateless", "list", "table", family, &table]));
        families.map(|output| String::from_utf8(output.stdout).unwrap()).concat()
    };
    let running =
        |_| case.start(&["sleep", "1000"], |options| options.networking.network = NetworkMode::Bridge);
    (0..3).for_each(|count| drop(running(count)));
    // Sets are listed in arbitrary order.
    let lines = |text: &str| {
        let mut words: Vec<String> = text.split([',', '\n']).map(|word| word.trim().to_owned()).collect();
        words.sort();
        words
    };
    let whole = lines(&list());
    assert!(whole.iter().any(|line| line.contains("masquerade")), "{whole:?}");
    let is_whole = || lines(&list()) == whole;
    let flush: [&[&str]; 4] = [
        &["delete", "table", "inet", &table],
        &["delete", "table", "bridge", &table],
        &["flush", "table", "inet", &table],
        &["flush", "set", "bridge", &table, "guests"],
    ];
    // Several times, while the monitors still check whether the previous change is repaired.
    for words in flush.iter().cycle().take(3 * flush.len()) {
        // The rules are incomplete from here on, but perhaps too briefly to be seen.
        assert!(nft(words).status.success(), "nft {words:?}");
        until("the rules are back", is_whole);
    }
}
