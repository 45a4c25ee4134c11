//! The command line as users see it: arguments in; output, errors and exit codes out.
//!
//! Needs root (or the user namespace of `tests/all`), like all tests that run containers.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use crate::case::until;
use crate::support::{self, HOIST, Home};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Returns arguments for `run` without a network, which most of these tests do not need.
fn run<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--network", "none"], words].concat()
}

#[test]
fn words_that_make_no_sense_end_with_dockers_codes() {
    let home = Home::new();
    for (words, code, said) in [
        (&["run", "--nosuch", "x"][..], 125, "error: unknown flag: --nosuch\n"),
        (&["run"], 1, "error: `hoist run` requires IMAGE\n"),
        (&["run", "-p", "80:80", "x"], 125, "error: --publish is not supported yet\n"),
        (&["blorp"], 1, "error: unknown command: hoist blorp\n"),
        (&["images", "--filter", "x"], 1, "error: bad format of filter `x` (expected name=value)\n"),
        (
            &["images", "--format", "{{.Nope"],
            1,
            "error: template parsing error: template: :1: unclosed action\n",
        ),
        (&["rmi", "nope"], 1, "error: cannot remove `nope`\n  because No such image: nope\n"),
    ] {
        let told = home.hoist(words).fails(code);
        assert!(told.starts_with(said), "{words:?}: {told}");
    }
    assert_eq!(home.hoist(["rmi", "-f", "nope"]).code, 0, "what is not there need not be removed by force");
}

#[test]
fn help_goes_to_standard_output() {
    let home = Home::new();
    for words in [&["--help"][..], &["run", "--help"], &["image"], &["help", "ps"]] {
        assert!(home.hoist(words).ok().starts_with("Usage:  hoist"), "{words:?}");
    }
    assert!(home.hoist(["completion", "bash"]).ok().contains("complete -F"));
}

#[test]
fn images_are_listed_tagged_and_removed() {
    let home = Home::with_busybox();
    let id = home.hoist(["images", "-q", "--no-trunc"]).ok();
    home.hoist(["tag", "busybox", "box:1"]).ok();
    assert_eq!(home.hoist(["images", "--format", "{{.Repository}}:{{.Tag}}"]).ok(), "box:1\nbusybox:latest");
    assert_eq!(home.hoist(["images", "-q", "box"]).ok(), id["sha256:".len()..][..12]);
    assert_eq!(home.hoist(["inspect", "-f", "{{.Id}}", "box:1"]).ok(), id);
    assert_eq!(
        home.hoist(["image", "inspect", "-f", "{{json .Config.Cmd}}", "box:1"]).ok(),
        r#"["/bin/sh","-c","sh"]"#
    );
    assert_eq!(home.hoist(["rmi", "box:1"]).ok(), "Untagged: box:1");
    let removed = home.hoist(["rmi", "busybox"]).ok();
    let lines: Vec<_> = removed.lines().collect();
    assert_eq!(lines[..2], ["Untagged: busybox:latest".to_owned(), format!("Deleted: {id}")]);
    assert_eq!(home.hoist(["images"]).ok(), "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE");
}

#[test]
fn inspect_shows_what_there_is_and_tells_what_is_not() {
    let home = Home::with_busybox();
    let said = home.hoist(["inspect", "nope"]);
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (1, "[]\n", "error: No such object: nope\n")
    );
    let said = home.hoist(["inspect", "--type", "image", "busybox", "nope"]);
    assert_eq!(said.err, "error: No such image: nope\n");
    assert!(said.out.starts_with("[\n    {\n        \"Id\": \"sha256:"), "{}", said.out);
    assert_eq!(home.hoist(["inspect", "-f", "{{.Driver}}", "bridge"]).ok(), "bridge");
}

#[test]
fn lists_that_are_empty_have_a_header() {
    let home = Home::new();
    for (words, header) in [
        (&["volume", "ls"][..], "DRIVER    VOLUME NAME"),
        (&["ps"], "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES"),
        (&["images", "--digests"], "REPOSITORY   TAG       DIGEST    IMAGE ID   CREATED   SIZE"),
    ] {
        assert_eq!(home.hoist(words).ok(), header);
    }
    let networks = home.hoist(["network", "ls", "--format", "{{.Name}} {{.Driver}}"]).ok();
    assert_eq!(networks, "bridge bridge\nhost host\nnone null");
}

#[test]
fn run_gives_the_bytes_and_the_exit_code_of_the_container() {
    let home = Home::with_busybox();
    let said = home.hoist(run(&["--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (7, "out\n", "err\n"));
    let said = home.hoist(run(&["--rm", "-a", "stderr", "busybox", "sh", "-c", "echo out; echo err >&2"]));
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", "err\n"));
    assert_eq!(home.hoist_with(run(&["-i", "--rm", "busybox", "cat"]), b"x\0y\n").ok(), "x\0y");
    assert_eq!(home.hoist_with(run(&["--rm", "busybox", "cat"]), b"not asked for").ok(), "");
    assert_eq!(home.hoist(["ps", "-aq"]).ok(), "", "--rm");
}

#[test]
fn a_filter_gets_and_gives_more_than_all_pipes_hold() {
    let home = Home::with_busybox();
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut noise).take(3_000_000).collect();
    let mut child = home
        .command(run(&["-i", "--rm", "busybox", "cat"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || input.write_all(&sent).unwrap());
    let mut got = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut got).unwrap();
    writer.join().unwrap();
    assert!(got == bytes, "{} of {} bytes, or others", got.len(), bytes.len());
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_cannot_run_ends_with_dockers_codes() {
    let home = Home::with_busybox();
    let missing = home.path("missing").display().to_string();
    let mount = format!("type=bind,src={missing},dst=/x");
    for (words, code, said) in [
        (&["--rm", "busybox", "nosuch"][..], 127, "exec: \"nosuch\": executable file not found in $PATH"),
        (&["--rm", "busybox", ""], 127, "exec: \"\": executable file not found in $PATH"),
        (&["--rm", "busybox", "/etc/passwd"], 126, "`/etc/passwd` cannot be executed"),
        (&["--pull", "never", "nosuch"], 125, "No such image: nosuch"),
        (&["--rm", "--mount", &mount, "busybox"], 125, &format!("does not exist: {missing}")),
        (&["--rm", "-it", "busybox"], 1, "the input device is not a TTY"),
    ] {
        let told = home.hoist(run(words)).fails(code);
        assert!(told.contains(said), "{words:?}: {told}");
    }
    home.hoist(run(&["-d", "--name", "web", "busybox", "sleep", "1000"])).ok();
    assert!(home.hoist(run(&["--name", "web", "busybox"])).fails(125).contains("already in use"));
    assert_eq!(home.hoist(["exec", "web", "sh", "-c", "exit 4"]).code, 4);
    for words in [&["nosuch"][..], &[""], &["", "x"]] {
        let told = home.hoist([&["exec", "web"], words].concat()).fails(127);
        assert!(told.contains("not found in $PATH"), "{words:?}: {told}");
    }
    assert!(home.hoist(["rm", "web"]).fails(1).contains("it is running"));
    assert!(home.hoist(["logs", "nope"]).fails(1).contains("No such container: nope"));
}

/// Init fails while the monitor sets up its network, so either may notice first.
#[test]
fn a_start_that_fails_inside_tells_why_whatever_else_that_makes_fail() {
    let home = Home::with_busybox();
    for _ in 0..20 {
        let told = home.hoist(run(&["--rm", "--tmpfs", "/bin/busybox/x", "busybox", "true"])).fails(125);
        assert!(told.contains("stopped at: mount /bin/busybox/x"), "{told}");
    }
}

#[test]
fn a_program_that_its_filter_kills_has_been_started() {
    let home = Home::with_busybox();
    let profile = tempfile::NamedTempFile::new().unwrap();
    let rule = r#"{ "action": "SCMP_ACT_KILL_PROCESS", "names": ["getcwd"] }"#;
    let text = format!(r#"{{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}] }}"#);
    std::fs::write(profile.path(), text).unwrap();
    let option = format!("seccomp={}", profile.path().display());
    for init in [&[][..], &["--init"]] {
        let words = [&["--rm", "--security-opt", &option], init, &["busybox", "pwd"]].concat();
        let said = home.hoist(run(&words));
        assert_eq!((said.code, said.err.as_str()), (159, ""), "{words:?}");
    }
}

#[test]
fn a_seccomp_profile_that_stops_a_start_is_told_with_dockers_codes() {
    let home = Home::with_busybox();
    let profile = tempfile::NamedTempFile::new().unwrap();
    let option = format!("seccomp={}", profile.path().display());
    let silent = r#""write", "sendto", "sendmsg""#;
    for (action, names, code, said) in [
        (
            "SCMP_ACT_KILL_PROCESS",
            r#""execve""#.to_owned(),
            125,
            "under its seccomp profile: execute the program",
        ),
        ("SCMP_ACT_KILL_PROCESS", format!(r#""execve", {silent}"#), 125, "under its seccomp profile: "),
        ("SCMP_ACT_KILL_PROCESS", format!(r#""capset", {silent}"#), 125, "under its seccomp profile: drop"),
        ("SCMP_ACT_ERRNO", format!(r#""capset", {silent}"#), 125, "under its seccomp profile: drop"),
        ("SCMP_ACT_ERRNO", r#""execve""#.to_owned(), 126, "`true` cannot be executed"),
        ("SCMP_ACT_ERRNO", format!(r#""execve", {silent}"#), 126, "`true` cannot be executed"),
    ] {
        let rule = format!(r#"{{ "action": "{action}", "names": [{names}] }}"#);
        let text = format!(r#"{{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}] }}"#);
        std::fs::write(profile.path(), text).unwrap();
        for init in [&[][..], &["--init"]] {
            let words = [&["--rm", "--security-opt", &option], init, &["busybox", "true"]].concat();
            let told = home.hoist(run(&words)).fails(code);
            assert!(told.contains(said) && told.contains("\nhint: "), "{words:?} {rule}: {told}");
            assert!(told.contains("seccomp profile"), "{words:?} {rule}: {told}");
        }
    }
}

#[test]
fn verbs_print_what_they_were_done_for_and_go_on_after_a_failure() {
    let home = Home::with_busybox();
    let id = home.hoist(run(&["-d", "--name", "web", "busybox", "sleep", "1000"])).ok();
    assert_eq!(id.len(), 64);
    let said = home.hoist(["pause", "nope", &id[..12]]);
    assert_eq!((said.code, said.out), (1, format!("{}\n", &id[..12])));
    assert!(home.hoist(["ps", "--format", "{{.Status}}"]).ok().ends_with(" (Paused)"));
    assert_eq!(home.hoist(["unpause", "web"]).ok(), "web");
    assert_eq!(home.hoist(["kill", "web"]).ok(), "web");
    assert_eq!(home.hoist(["wait", "web"]).ok(), "137");
    home.hoist(["rename", "web", "old"]).ok();
    let said = home.hoist(["rm", "-f", "nope", "old"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "old\n"),
        "what is not there need not be removed by force"
    );
}

#[test]
fn start_attaches_to_what_is_up() {
    let home = Home::with_busybox();
    home.hoist(run(&["-di", "--name", "web", "busybox", "sh", "-c", "read code; exit $code"])).ok();
    assert_eq!(home.hoist_with(["start", "-ai", "web"], b"4\n").code, 4);
}

#[test]
fn standard_output_that_cannot_be_used_is_told() {
    let home = Home::with_busybox();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for words in [
        &["images"][..],
        &["images", "-q"],
        &["version"],
        &["run", "--rm", "--network", "none", "busybox", "echo", "x"],
    ] {
        let output = home.command(words).stdout(full()).output().unwrap();
        let told = support::Said::from(output).fails(1);
        assert!(
            told.starts_with("error: cannot write to standard output: No space left"),
            "{words:?}: {told}"
        );
    }
    let output = home.command([""; 0]).stdin(Stdio::null()).output().unwrap();
    let told = support::Said::from(output).fails(1);
    assert!(told.contains("because standard output is not a terminal\n"), "{told}");
}

#[test]
fn standard_output_that_is_closed_is_told_where_there_is_something_to_write() {
    let home = Home::with_busybox();
    home.hoist(run(&["-d", "--name", "web", "busybox", "sh", "-c", "echo said; exec sleep 1000"])).ok();
    until("it has said something", || !home.hoist(["logs", "web"]).ok().is_empty());
    let closed = |words: &[&str]| {
        let hoist = home.command(words);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "exec \"$@\" >&-", "sh"]).arg(hoist.get_program()).args(hoist.get_args());
        let envs = hoist.get_envs().filter_map(|(name, value)| Some((name, value?)));
        support::Said::from(shell.envs(envs).output().unwrap())
    };
    for words in [
        &["version"][..],
        &["info"],
        &["--help"],
        &["completion", "bash"],
        &["ps"],
        &["images", "-q"],
        &["network", "ls"],
        &["history", "busybox"],
        &["inspect", "web"],
        &["logs", "web"],
        &["top", "web"],
        &["stats", "--no-stream"],
        &["events", "--since", "1", "--until", "0s"],
        &["export", "web"],
        &["exec", "web", "echo", "x"],
        &["run", "--rm", "--network", "none", "busybox", "echo", "x"],
        &["run", "-d", "--network", "none", "busybox", "true"],
        &["create", "busybox"],
        &["stop", "-t", "0", "web"],
    ] {
        let told = closed(words).fails(1);
        assert_eq!(
            told.lines().next(),
            Some("error: cannot write to standard output: Bad file descriptor (os error 9)"),
            "{words:?}"
        );
    }
    let oci = |words: &[&str], to: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("exec \"$@\" {to}"), "sh", HOIST, "oci", "--root"]);
        support::Said::from(shell.arg(home.path("oci")).args(words).output().unwrap())
    };
    for words in [&["features"][..], &["list"], &["list", "-f", "json"], &["--help"]] {
        for (to, why) in [(">&-", "bad file descriptor"), (">/dev/full", "no space left on device")] {
            let told = format!("hoist oci: error: cannot write to standard output: {why}\n");
            assert_eq!(oci(words, to).fails(1), told, "{words:?} {to}");
        }
    }
    oci(&["list", "-q"], ">&-").ok();
    for words in [&["rename", "web", "db"][..], &["ps", "-q", "-f", "name=none"]] {
        closed(words).ok();
    }
}

#[test]
fn an_archive_that_is_none_is_named() {
    let home = Home::new();
    for (words, called) in [
        (&["load", "-i", "/etc/passwd"][..], "load images from `/etc/passwd`"),
        (&["load"], "load images from standard input"),
        (&["import", "/etc/passwd"], "import `/etc/passwd`"),
    ] {
        let told = home.hoist(words).fails(1);
        assert!(told.starts_with(&format!("error: cannot {called}\n")), "{words:?}: {told}");
    }
}

#[test]
fn the_id_goes_to_the_file_that_was_asked_for() {
    let home = Home::with_busybox();
    let file = home.path("cid");
    let file = file.to_str().unwrap();
    let id = home.hoist(["create", "--cidfile", file, "busybox"]).ok();
    assert_eq!(std::fs::read_to_string(file).unwrap(), id);
    assert!(home.hoist(run(&["--cidfile", file, "busybox"])).fails(125).contains("container ID file found"));
    let other = home.path("other");
    home.hoist(run(&["--cidfile", other.to_str().unwrap(), "--pull", "never", "nosuch"])).fails(125);
    assert!(!other.exists(), "nothing was created");
}

#[test]
fn lists_show_what_runs_as_docker_would() {
    let home = Home::with_busybox();
    home.hoist(run(&["-d", "--name", "web", "-l", "a.tier=x", "busybox", "sleep", "1000"])).ok();
    home.hoist(run(&["--name", "done", "busybox", "sh", "-c", "exit 3"])).fails(3);
    let format = "{{.Names}}|{{.Image}}|{{.Command}}|{{.State}}|{{.Networks}}|{{.Label \"a.tier\"}}";
    let rows = home.hoist(["ps", "-a", "--format", format]).ok();
    assert_eq!(
        rows,
        "done|busybox|\"sh -c 'exit 3'\"|exited|none|\nweb|busybox|\"sleep 1000\"|running|none|x"
    );
    assert_eq!(home.hoist(["ps", "--format", "{{.Names}}"]).ok(), "web");
    assert_eq!(home.hoist(["ps", "-l", "--format", "{{.Names}}"]).ok(), "done");
    assert_eq!(home.hoist(["ps", "-f", "exited=3", "-a", "--format", "{{.Names}}"]).ok(), "done");
    assert_eq!(home.hoist(["ps", "-f", "status=exited", "--format", "{{.Names}}"]).ok(), "done");
    let table = home.hoist(["ps", "--format", "table {{.Names}}\\t{{.Label \"a.tier\"}}"]).ok();
    assert_eq!(table, "NAMES     TIER\nweb       x");
    let state = home.hoist(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.Name}}", "done"]).ok();
    assert_eq!(state, "exited 3 /done");
    let top = home.hoist(["top", "web"]).ok();
    assert!(
        top.starts_with("UID       PID       PPID      C         STIME     TTY       TIME       CMD\nroot")
    );
    assert!(top.ends_with("sleep 1000"), "{top}");
    let stats = home.hoist(["stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}"]).ok();
    assert_eq!(stats, "web 1");
}

#[test]
fn logs_are_cut_stamped_and_followed_to_the_end() {
    let home = Home::with_busybox();
    home.hoist(run(&["--name", "web", "busybox", "sh", "-c", "seq 5; echo oops >&2"])).ok();
    let said = home.hoist(["logs", "web"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("1\n2\n3\n4\n5\n", "oops\n"));
    let said = home.hoist(["logs", "-f", "-n", "2", "web"]);
    assert_eq!(format!("{}{}", said.out, said.err), "5\noops\n");
    let stamped = home.hoist(["logs", "-t", "web"]).ok();
    let (time, text) = stamped.lines().next().unwrap().split_once(' ').unwrap();
    assert_eq!((time.len(), text), ("2026-11-22T12:00:00.000000000Z".len(), "1"));
    assert_eq!(home.hoist(["logs", "--until", "1h", "web"]).ok(), "");
}

#[test]
fn events_are_told_in_every_form() {
    let home = Home::with_busybox();
    home.hoist(run(&["--name", "web", "busybox", "sh", "-c", "exit 3"])).fails(3);
    let format = "{{.Action}} {{.Actor.Attributes.exitCode}}";
    let words = ["events", "--since", "1h", "--until", "0s", "-f", "container=web", "--format", format];
    let actions = home.hoist(words).ok();
    assert!(actions.starts_with("create <no value>\n"), "{actions}");
    assert!(actions.ends_with("die 3"), "{actions}");
    let line = home.hoist(["events", "--since", "1h", "--until", "0s", "-f", "event=die"]).ok();
    assert!(
        line.contains(" container die ") && line.ends_with("(exitCode=3, image=busybox, name=web)"),
        "{line}"
    );
}

/// Returns a client that has printed its first line.
fn ready(home: &Home, words: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = home.command(run(words)).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, out)
}

fn send(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

const TRAP: &str = "trap 'echo caught; exit 5' INT; echo ready; while true; do sleep 0.05; done";

#[test]
fn signals_of_a_client_without_a_terminal_go_to_the_container() {
    let home = Home::with_busybox();
    let (mut child, mut out) = ready(&home, &["--rm", "busybox", "sh", "-c", TRAP]);
    send(&child, rustix::process::Signal::INT);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("caught\n", Some(5)));
    let words = ["--sig-proxy=false", "--name", "web", "busybox", "sh", "-c", TRAP];
    let (mut child, _out) = ready(&home, &words);
    send(&child, rustix::process::Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_eq!(home.hoist(["ps", "-q"]).ok().lines().count(), 1, "the container goes on");
}

/// hoist with its own terminal.
struct Terminal {
    pair: portable_pty::PtyPair,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: std::sync::mpsc::Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn new(home: &Home, words: &[&str]) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let mut command = CommandBuilder::new(HOIST);
        command.args([
            "--root".as_ref(),
            home.root().as_os_str(),
            "--run-root".as_ref(),
            home.run_root().as_os_str(),
        ]);
        command.args(words);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, screen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { pair, child, keys, screen, seen: String::new() }
    }

    fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` appears after the text that was waited for last.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        let patience = std::time::Duration::from_secs(20);
        while !self.seen.contains(text) {
            let Ok(bytes) = self.screen.recv_timeout(patience) else {
                panic!("no {text:?} in {:?}", self.seen)
            };
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        let end = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..end);
    }

    fn ends_with(mut self, code: u32) {
        assert_eq!(self.child.wait().unwrap().exit_code(), code);
        let modes = self.pair.master.get_termios().unwrap();
        let cooked = libc::ECHO | libc::ICANON;
        assert_eq!(modes.local_flags.bits() & cooked, cooked, "the terminal is as it was");
    }
}

#[test]
fn a_terminal_is_left_and_taken_up_again() {
    let home = Home::with_busybox();
    let mut terminal = Terminal::new(&home, &run(&["-it", "--name", "web", "busybox", "sh"]));
    terminal.shows("# ");
    terminal.type_keys("stty size; tty\r");
    terminal.shows("24 80\r\n");
    terminal.shows("/dev/pts/0\r\n");
    terminal.pair.master.resize(PtySize { rows: 30, cols: 100, ..PtySize::default() }).unwrap();
    terminal.type_keys("echo begun; cat\r");
    terminal.shows("; cat\r\n");
    terminal.shows("begun\r\n");
    terminal.type_keys("heard\r");
    terminal.shows("heard\r\nheard\r\n"); // typed, and written by cat
    terminal.type_keys("\x03");
    terminal.shows("# ");
    terminal.type_keys("stty size\r");
    terminal.shows("30 100\r\n");
    terminal.type_keys("\x10\x11");
    terminal.ends_with(0);
    assert_eq!(home.hoist(["ps", "--format", "{{.Names}}"]).ok(), "web");
    let mut terminal = Terminal::new(&home, &["attach", "web"]);
    terminal.shows("# ");
    terminal.type_keys("echo again; exit 3\r");
    terminal.shows("again\r\n");
    terminal.ends_with(3);
    let mut terminal = Terminal::new(&home, &["start", "-ai", "web"]);
    terminal.shows("# ");
    terminal.type_keys("exit 4\r");
    terminal.ends_with(4);
}

#[test]
fn an_exec_has_a_terminal_of_its_own() {
    let home = Home::with_busybox();
    home.hoist(run(&["-d", "--name", "web", "busybox", "sleep", "1000"])).ok();
    let words = ["exec", "-it", "-e", "A=1", "-w", "/tmp", "--detach-keys", "ctrl-x,x", "web", "sh"];
    let mut terminal = Terminal::new(&home, &words);
    terminal.shows("# ");
    terminal.type_keys("tty; pwd; echo $A\r");
    terminal.shows("/dev/pts/0\r\n/tmp\r\n1\r\n");
    terminal.type_keys("\x18x");
    terminal.ends_with(0);
    assert_eq!(home.hoist_with(["exec", "-i", "web", "cat"], b"hello").ok(), "hello");
    assert_eq!(home.hoist(["exec", "-u", "1000:7", "web", "id"]).ok(), "uid=1000(user) gid=7 groups=7");
}

#[test]
fn further_groups_are_looked_up_in_the_image() {
    let home = Home::with_busybox();
    let groups = |words: &[&str]| home.hoist(run(&[&["--rm"], words, &["busybox", "id", "-G"]].concat()));
    assert_eq!(groups(&["--group-add", "77", "--group-add", "extra"]).ok(), "0 77 2000");
    let told = groups(&["--group-add", "nope", "--name", "nogroup"]).fails(125);
    assert_eq!(
        told,
        "error: cannot start `nogroup`\n  \
         because unable to find group `nope`: no matching entry in the container's group file\n"
    );
}

#[test]
fn a_read_only_root_without_places_to_mount_on_gets_them() {
    let home = Home::new();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    let busybox = std::fs::read("/bin/busybox").unwrap();
    header.set_mode(0o755);
    header.set_size(busybox.len() as u64);
    tar.append_data(&mut header, "busybox", busybox.as_slice()).unwrap();
    home.hoist_with(["import", "-", "bare"], &tar.into_inner().unwrap()).ok();
    let script = "/busybox test -r /proc/self/status && /busybox touch /x";
    let said = home.hoist(run(&["--rm", "--read-only", "bare", "/busybox", "sh", "-c", script]));
    assert_eq!(said.fails(1), "touch: /x: Read-only file system\n");
}

#[test]
fn a_run_that_finds_no_engine_does_not_look_like_its_programs_failure() {
    let home = Home::new();
    let said = "error: cannot read the configuration file /nowhere/hoist.toml\n";
    for (words, code) in [(&["run", "x"][..], 125), (&["ps"], 1)] {
        let told = home.hoist([&["--config", "/nowhere/hoist.toml"], words].concat()).fails(code);
        assert!(told.starts_with(said), "{told}");
    }
}

/// Returns what a command writes to a terminal.
fn at_a_terminal(home: &Home, words: &[&str]) -> String {
    let Terminal { pair, mut child, screen, .. } = Terminal::new(home, words);
    child.wait().unwrap();
    drop(pair.slave);
    let bytes: Vec<u8> = screen.iter().flatten().collect();
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

/// Clears the screen, sets the title, changes the writing direction, and forges a line.
const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{202e}b\nerror: forged\u{200b}";

#[test]
fn no_terminal_obeys_what_others_wrote() {
    let home = Home::with_busybox();
    let label = format!("l={HOSTILE}");
    let words = ["create", "--network", "none", "--name", "web", "-l", &label, "busybox", HOSTILE];
    home.hoist(words).ok();
    let is_harmful = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}".contains(c);
    for words in [
        &["ps", "-a"][..],
        &["ps", "-a", "--no-trunc", "--format", "table {{.Names}}\t{{.Labels}}\t{{.Label \"l\"}}"],
        &["ps", "-a", "--format", "{{.Labels}}"],
        &["ps", "-a", "--format", "json"],
        &["inspect", "web"],
        &["inspect", "-f", "{{.Config.Labels}}", "web"],
        &["inspect", "-f", "{{json .Args}}", "web"],
        &["events", "--since", "10m", "--until", "0s"],
        &["events", "--since", "10m", "--until", "0s", "--format", "{{.Actor.Attributes}}"],
        &["start", "web"],
        &["rm", HOSTILE],
        &["inspect", HOSTILE],
        &["run", "--network", "none", HOSTILE],
        &["run", "-v", "/x\u{1b}[2J:relative\u{9b}", "busybox"],
        &["pull", HOSTILE],
        &["load", "-i", HOSTILE],
        &["import", HOSTILE],
        &["export", HOSTILE],
        &["export", "-o", "/x\u{1b}[2J/y", "web"],
        &["tag", "busybox", HOSTILE],
        &["rename", "web", HOSTILE],
        &["images", "-f", HOSTILE],
        &["ps", "--format", "{{nosuch \"\u{1b}[2J\"}}"],
        &["kill", "-s", HOSTILE, "web"],
        &["--config", HOSTILE, "ps"],
        &["oci", "state", HOSTILE],
        &[HOSTILE],
    ] {
        let shown = at_a_terminal(&home, words);
        assert!(!shown.is_empty() && !shown.chars().any(is_harmful), "{words:?}: {shown:?}");
        let said = home.hoist(words);
        assert!(!said.err.chars().any(is_harmful), "{words:?}: {:?}", said.err);
        let forged = |line: &str| line.starts_with("error: forged");
        assert!(!said.err.lines().any(forged), "{words:?}: {}", said.err);
    }
    let raw = home.hoist(["ps", "-a", "--format", "{{.Label \"l\"}}"]).ok();
    assert_eq!(raw, HOSTILE, "a script gets what is there");
    let json: serde_json::Value = serde_json::from_str(&home.hoist(["inspect", "web"]).ok()).unwrap();
    assert_eq!(json[0]["Config"]["Labels"]["l"], HOSTILE, "JSON says the same");
}

#[test]
fn templates_work_on_dockers_types() {
    let home = Home::with_busybox();
    let id =
        home.hoist(["create", "--network", "none", "--name", "web", "-l", "k=v", "busybox", "true"]).ok();
    for (format, text) in [
        ("{{index .Config.Labels \"no\"}}", ""),
        ("{{if .State.Health}}healthy{{else}}{{.State.Status}}{{end}}", "created"),
        ("{{.ID}}", id.as_str()),
        ("{{.Id}}", id.as_str()),
        ("{{.Config.Volumes}}{{.HostConfig.CapAdd}}{{.HostConfig.Init}}", "map[][]<nil>"),
    ] {
        assert_eq!(home.hoist(["inspect", "-f", format, "web"]).ok(), text, "{format}");
    }
    let told = home.hoist(["inspect", "-f", "{{.Nope}}", "web"]).fails(1);
    assert!(told.contains("map has no entry for key \"Nope\""), "{told}");
    let image = "{{.ID}} {{.Config.Healthcheck}} {{.Config.ExposedPorts}} {{.RepoTags}}";
    let image = home.hoist(["image", "inspect", "-f", image, "busybox"]).ok();
    assert!(image.starts_with("sha256:") && image.ends_with(" <nil> map[] [busybox:latest]"), "{image}");
    let network = "{{.ID}} {{index .Options \"x\"}}|{{.Labels}}{{.IPAM.Options}}";
    let network = home.hoist(["network", "inspect", "-f", network, "none"]).ok();
    assert!(network.ends_with(" |map[]map[]"), "{network}");
    let events = "{{.ID}} {{.From}} {{.Status}} {{index .Actor.Attributes \"no\"}}|";
    let words = ["events", "--since", "10m", "--until", "0s", "-f", "type=container", "--format", events];
    assert_eq!(home.hoist(words).ok(), format!("{id} busybox create |"));
    let info = "{{.Swarm.LocalNodeState}} {{.Labels}} {{.Warnings}} {{.ContainersStopped}}";
    assert_eq!(home.hoist(["info", "-f", info]).ok(), "inactive [] [] 1");
    assert_eq!(home.hoist(["version", "-f", "{{.Client.APIVersion}}"]).ok(), "1.51");
}

#[test]
fn an_empty_value_counts_as_not_given_where_docker_says_so() {
    let home = Home::with_busybox();
    let options = ["--name=", "--hostname=", "--workdir=", "--platform=", "-u", "", "--stop-signal="];
    let words: Vec<_> = run(&["--rm"]).into_iter().chain(options).chain(["busybox", "echo", "ok"]).collect();
    assert_eq!(home.hoist(words).ok(), "ok");
    let words = run(&["--rm", "-e", "X=", "-l", "x=", "busybox", "sh", "-c", "echo ${X-unset}"]);
    assert_eq!(home.hoist(words).ok(), "", "an empty variable is one");
    for words in [&["ps", "-q", "--filter="][..], &["images", "-f", "", ""], &["network", "ls", "--filter="]]
    {
        home.hoist(words).ok();
    }
    home.hoist(["run", "-e", "", "busybox"]).fails(125);
}

#[test]
fn version_and_info_need_no_root() {
    if support::in_user_namespace() {
        support::skipped("a user namespace with one id has no other user");
        return;
    }
    let home = Home::new();
    home.hoist(["ps"]).ok();
    let public = tempfile::Builder::new().prefix("hoist-test-").tempdir().unwrap();
    std::fs::set_permissions(public.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = public.path().join("hoist");
    support::copy_program(HOIST, &program);
    let told = |words: &[&str]| -> support::Said {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]).arg(&program);
        command.arg("--root").arg(home.root()).arg("--run-root").arg(home.run_root()).args(words);
        command.env_remove("HOIST_CONFIG").env("HOME", "/nonexistent").output().unwrap().into()
    };
    assert!(told(&["version"]).ok().starts_with("hoist:\n Version:"));
    assert_eq!(told(&["version", "-f", "{{.Client.Os}}"]).ok(), "linux");
    let said = told(&["info"]);
    let is_told = |line: &str| line.starts_with("WARNING: cannot ") && line.contains("run it as root");
    assert!(!said.err.is_empty() && said.err.lines().all(is_told), "{}", said.err);
    let info = said.ok();
    for line in ["Containers: unknown", "Images: unknown", "OSType: linux"] {
        assert!(info.lines().any(|it| it == line), "{line}: {info}");
    }
    assert!(told(&["info", "-f", "{{.ServerErrors}}"]).ok().starts_with("[cannot "));
    let told = told(&["ps"]).fails(1);
    assert!(told.contains("hint: run it as root"), "{told}");
}

#[test]
fn a_file_without_an_end_is_refused() {
    let home = Home::new();
    for words in [
        &["run", "--env-file", "/dev/zero", "x"][..],
        &["run", "--label-file", "/dev/zero", "x"],
        &["run", "--security-opt", "seccomp=/dev/zero", "x"],
    ] {
        let told = home.hoist(words).fails(125);
        assert!(told.contains("/dev/zero: file too large"), "{words:?}: {told}");
    }
    let told = home.hoist(["--config", "/dev/zero", "ps"]).fails(1);
    assert_eq!(told, "error: cannot read the configuration file /dev/zero\n  because file too large\n");
}

#[test]
fn one_signal_ends_a_wait_for_standard_input_with_its_code() {
    use rustix::process::Signal;
    let home = Home::new();
    let mut header = tar::Header::new_gnu();
    header.set_path("big").unwrap();
    header.set_size(100 << 20);
    header.set_cksum();
    let import = &["import", "-", "x"][..];
    for (words, signal, code) in [
        (&["load"][..], Signal::INT, 130),
        (&["load"], Signal::TERM, 143),
        (import, Signal::INT, 130),
        (import, Signal::TERM, 143),
    ] {
        let mut command = home.command(words);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(header.as_bytes()).unwrap();
        // More than a pipe holds. When it is written, hoist is reading and waits for the rest.
        pipe.write_all(&vec![1; 4 << 20]).unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).unwrap();
        let told = support::Said::from(child.wait_with_output().unwrap()).fails(code);
        assert!(told.ends_with("because interrupted\n"), "{words:?}: {told}");
        drop(pipe); // not earlier
    }
    let ingest = std::fs::read_dir(home.root().join("ingest")).unwrap();
    let mut left: Vec<_> = ingest.map(|entry| entry.unwrap().file_name()).collect();
    left.retain(|name| name != "boot" && name != "leases");
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_run_in_a_group_without_room_for_processes_says_so() {
    let tree = std::path::Path::new("/sys/fs/cgroup/pids");
    if support::in_user_namespace() || !tree.exists() {
        support::skipped("there is no cgroup v1 tree of the pids controller in which groups can be made");
        return;
    }
    let home = Home::with_busybox();
    let group = tree.join(format!("hoist-test-{}", std::process::id()));
    std::fs::create_dir(&group).unwrap();
    let mut codes = Vec::new();
    for limit in (1..=10).chain([1000]) {
        std::fs::write(group.join("pids.max"), limit.to_string()).unwrap();
        let hoist = home.command(run(&["--rm", "busybox", "true"]));
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "echo $$ > \"$1\" && shift && exec \"$@\"", "sh"]);
        command.arg(group.join("cgroup.procs")).arg(hoist.get_program()).args(hoist.get_args());
        let said: support::Said = command
            .envs(hoist.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .output()
            .unwrap()
            .into();
        let hint = "hint: raise the limit on processes: `ulimit -u`, or `pids.max` of the cgroup\n";
        assert!(said.code == 0 || said.code == 125 && said.err.ends_with(hint), "{limit}: {said:?}");
        codes.push(said.code);
    }
    assert!(codes.first() == Some(&125) && codes.last() == Some(&0), "{codes:?}");
    // Processes started by a monitor may still be exiting.
    while let Err(error) = std::fs::remove_dir(&group) {
        assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy, "{error}");
        std::thread::yield_now();
    }
}

#[test]
fn a_container_without_room_for_a_process_of_ours_says_so() {
    if support::in_user_namespace() {
        support::skipped("a user namespace with one id has no other user");
        return;
    }
    let home = Home::with_busybox();
    let full = |said: support::Said, code: i32| {
        let hint = "hint: raise the limit on processes: `ulimit -u`, or `pids.max` of the cgroup\n";
        let told = said.fails(code);
        assert!(told.contains("(os error 11)\n") && told.ends_with(hint), "{told}");
        assert!(!told.contains("seccomp"), "{told}");
    };
    let limit = ["-u", "64321", "--ulimit", "nproc=1:1", "busybox"];
    let words = |words: &[&'static str], program: &[&'static str]| run(&[words, &limit, program].concat());
    full(home.hoist(words(&["--rm", "--init"], &["true"])), 125);
    home.hoist(words(&["-d", "--name", "full"], &["sleep", "1000"])).ok();
    full(home.hoist(["exec", "full", "true"]), 126);
    full(home.hoist(["exec", "-d", "full", "true"]), 126);
    home.hoist(["kill", "full"]).ok();
    assert!(home.hoist(["exec", "full", "true"]).fails(1).contains("it is exited"));
    home.hoist(["rm", "full"]).ok();
}

#[test]
fn a_lack_of_threads_and_descriptors_is_told() {
    if support::in_user_namespace() {
        support::skipped("a user namespace with one id has no other user");
        return;
    }
    let home = Home::new();
    let limited = |limit: &str, words: &[&str]| -> support::Said {
        let hoist = home.command(words);
        let mut command = std::process::Command::new("prlimit");
        command.arg(limit).arg(hoist.get_program()).args(hoist.get_args());
        command
            .envs(hoist.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .output()
            .unwrap()
            .into()
    };
    let hint = "hint: raise the limit on open files: `ulimit -n`\n";
    let told = limited("--nofile=6", &["ps"]).fails(1);
    assert_eq!(told, format!("error: cannot open a file: Too many open files (os error 24)\n{hint}"));
    for limit in 10..40 {
        let limit = format!("--nofile={limit}");
        let said = limited(&limit, &["image", "from-host", "-t", "box", "true"]);
        assert!(said.code == 0 || said.err.ends_with(hint), "{limit}: {}", said.err);
    }
    let tar = home.path("busybox.tar");
    support::busybox_tar(&tar);
    home.hoist(["import", "--change", "CMD sh", tar.to_str().unwrap(), "busybox"]).ok();
    for limit in 5..50 {
        let limit = format!("--nofile={limit}");
        let said = limited(&limit, &run(&["--rm", "busybox", "true"]));
        assert!(said.code == 0 || said.code == 125 && said.err.ends_with(hint), "{limit}: {said:?}");
    }
    // The limit on processes does not apply to root.
    let public = tempfile::Builder::new().prefix("hoist-test-").tempdir().unwrap();
    std::fs::set_permissions(public.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = public.path().join("hoist");
    support::copy_program(HOIST, &program);
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65533", "--regid=65533", "--clear-groups", "prlimit", "--nproc=1"]).arg(&program);
    command.args(["--root", "/nonexistent", "info"]).env("HOME", "/nonexistent").env_remove("HOIST_CONFIG");
    let told = support::Said::from(command.output().unwrap()).fails(1);
    assert!(told.starts_with("error: cannot start a thread: "), "{told}");
    assert!(told.contains("hint: raise the limit on processes"), "{told}");
    let own = public.path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65533), Some(65533)).unwrap();
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new("setpriv");
    command.args(["--reuid=65533", "--regid=65533", "--clear-groups", "prlimit", "--nproc=1"]);
    command.arg(&program);
    command.arg("--root");
    command.arg(own.join("root"));
    command.arg("--run-root");
    command.arg(own.join("run"));
    command.env("HOME", "/nonexistent");
    command.cwd("/");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut screen = Vec::new();
    let _ = pair.master.try_clone_reader().unwrap().read_to_end(&mut screen); // EIO at the end
    let screen = String::from_utf8_lossy(&screen);
    assert!(screen.contains("hint: raise the limit on processes"), "{screen}");
    assert_eq!(child.wait().unwrap().exit_code(), 1);
}

#[test]
fn a_configuration_of_another_user_that_may_not_be_read_costs_a_warning() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    if support::in_user_namespace() {
        support::skipped("a user namespace with one id has no other user");
        return;
    }
    let home = Home::new();
    let folder = home.path("home/.config/hoist");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    std::fs::write(&file, "registry-mirrors = []\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(home.path("."), std::fs::Permissions::from_mode(0o755)).unwrap();
    // A user without root privileges, who cannot read root's file.
    let told = |words: &[&str]| -> support::Said {
        let mut command = home.command(words);
        command.env("HOME", home.path("home")).env_remove("HOIST_CONFIG").env_remove("XDG_CONFIG_HOME");
        command.uid(65534).gid(65534).output().unwrap().into()
    };
    let why = format!("{}: Permission denied (os error 13)", file.display());
    let said = told(&["info"]);
    assert!(said.err.contains(&format!("WARNING: ignoring the configuration: {why}\n")), "{said:?}");
    said.ok();
    let error = told(&["--config", file.to_str().unwrap(), "info"]).fails(1);
    assert!(error.starts_with("error: cannot read the configuration"), "{error}");
    chown(&file, Some(65534), None).unwrap();
    assert!(!told(&["info"]).err.contains("the configuration"));
}
