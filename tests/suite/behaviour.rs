//! Details that scripts rely on: standard streams, signals, warnings and the output of `inspect`,
//! compared with Docker. The tests run the binary, as scripts do. Needs root, or root in a user
//! namespace (`unshare -Urmn`).

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::case::{Case, IMAGE, until};
use crate::support::{self, in_user_namespace, skipped};
use hoist::engine::Status;
/// The running binary, with its input and its output.
struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn new(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    fn of(case: &Case, args: &[&str]) -> Self {
        Self::new(case.command(args))
    }

    fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn close(&mut self) {
        self.input = None;
    }

    /// Returns the next line, empty at the end of the output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn signal(&self, number: i32) {
        let sent = Command::new("kill").arg(format!("-{number}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "kill -{number}");
    }

    /// Kills the client without a chance to send anything.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn code(mut self) -> Option<i32> {
        self.close();
        self.child.wait().unwrap().code()
    }

    /// Returns its standard error until it exits.
    fn errors(mut self) -> String {
        self.close();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        self.child.wait().unwrap();
        text
    }
}

/// Returns the output of a command that succeeds.
fn says(case: &Case, args: &[&str]) -> String {
    let output = case.hoist(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn inspect(case: &Case, format: &str) -> String {
    says(case, &["inspect", "-f", format, "web"])
}

/// Returns arguments for `run` for a container `web` without a network.
fn run<'a>(words: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--name", "web", "--network", "none"], words, &[IMAGE], command].concat()
}

#[test]
fn clients_of_a_detached_container_come_and_go_and_its_input_stays() {
    let case = Case::new();
    says(&case, &run(&["-di"], &["cat"]));
    for word in ["one", "two"] {
        let mut client = Client::of(&case, &["attach", "web"]);
        client.write(&format!("{word}\n"));
        client.close();
        assert_eq!(client.line(), word);
        client.kill();
    }
    assert_eq!(case.container("web").status, Status::Running);
}

#[test]
fn the_input_of_run_i_ends_when_its_client_is_killed() {
    let case = Case::new();
    let mut client = Client::of(&case, &run(&["-i"], &["sh", "-c", "echo up; cat; exit 7"]));
    assert_eq!(client.line(), "up");
    client.kill();
    assert_eq!(says(&case, &["wait", "web"]), "7");
}

#[test]
fn a_client_that_looks_on_leaves_the_input_to_the_one_that_started() {
    let case = Case::new();
    let mut client = Client::of(&case, &run(&["-i"], &["sh", "-c", "echo up; cat"]));
    assert_eq!(client.line(), "up");
    Client::of(&case, &["attach", "--no-stdin", "web"]).kill();
    client.write("still\n");
    assert_eq!(client.line(), "still");
    assert_eq!(client.code(), Some(0));
}

#[test]
fn the_input_of_exec_i_ends_when_its_client_is_killed() {
    let case = Case::new();
    says(&case, &run(&["-d"], &["sleep", "1000"]));
    let mut client = Client::of(&case, &["exec", "-i", "web", "sh", "-c", "echo up; cat; echo over > /over"]);
    assert_eq!(client.line(), "up");
    client.kill();
    until("the command has seen the end", || {
        case.hoist(&["exec", "web", "test", "-s", "/over"]).status.success()
    });
}

#[test]
fn each_start_of_a_created_container_has_its_own_input() {
    let case = Case::new();
    says(&case, &["create", "-i", "--name", "web", "--network", "none", IMAGE, "cat"]);
    for word in ["first", "second"] {
        let mut client = Client::of(&case, &["start", "-ai", "web"]);
        client.write(&format!("{word}\n"));
        client.close();
        assert_eq!(client.line(), word);
        assert_eq!(client.code(), Some(0));
    }
}

#[test]
fn inspect_tells_the_streams_as_docker_does() {
    let case = Case::new();
    let format = "{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}} {{.OpenStdin}} {{.StdinOnce}}{{end}}";
    for (words, want) in [
        (&["create"] as &[_], "false true true false false"),
        (&["create", "-i"], "true true true true true"),
        (&["create", "-a", "stdout"], "false true false false false"),
        (&["create", "-i", "-a", "stdout"], "true true false true true"),
        (&["run"], "false true true false false"),
        (&["run", "-i"], "true true true true true"),
        (&["run", "-d"], "false false false false false"),
        (&["run", "-di"], "false false false true false"),
        (&["run", "-dit"], "false false false true false"),
    ] {
        says(&case, &[words, &["--name", "web", "--network", "none", IMAGE, "true"]].concat());
        assert_eq!(inspect(&case, format), want, "{words:?}");
        says(&case, &["rm", "-f", "web"]);
    }
}

/// Returns the signals that are forwarded by Docker's rules: those that can be caught, except
/// three.
fn catchable() -> impl Iterator<Item = i32> {
    let kept = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD, libc::SIGPIPE, libc::SIGURG];
    (1..=31).chain(34..=64).filter(move |number| !kept.contains(number))
}

#[test]
fn every_signal_that_can_be_caught_reaches_the_container() {
    let case = Case::new();
    let script = "n=1; while [ $n -le 64 ]; do trap \"echo $n\" $n 2>/dev/null; n=$((n+1)); done; \
                  echo up; sleep 1000 & while :; do wait $!; done";
    let mut client = Client::of(&case, &run(&[], &["sh", "-c", script]));
    assert_eq!(client.line(), "up");
    for number in catchable() {
        client.signal(number);
        assert_eq!(client.line(), number.to_string());
    }
    // The client handles these itself. The next forwarded signal is another one.
    for number in [libc::SIGCHLD, libc::SIGURG] {
        client.signal(number);
    }
    client.signal(libc::SIGUSR2);
    assert_eq!(client.line(), libc::SIGUSR2.to_string());
    says(&case, &["kill", "web"]);
    assert_eq!(client.code(), Some(137));
}

#[test]
fn signals_reach_a_container_through_start_and_attach_too() {
    let case = Case::new();
    let script = "trap 'exit 9' WINCH; echo up; sleep 1000 & while :; do wait $!; done";
    says(&case, &["create", "--name", "web", "--network", "none", IMAGE, "sh", "-c", script]);
    let mut client = Client::of(&case, &["start", "-a", "web"]);
    assert_eq!(client.line(), "up");
    client.signal(libc::SIGWINCH);
    assert_eq!(client.code(), Some(9));
    says(&case, &["rm", "web"]);

    let script = "trap 'exit 9' WINCH; while :; do echo tick; sleep 0.05; done";
    says(&case, &run(&["-d"], &["sh", "-c", script]));
    let mut client = Client::of(&case, &["attach", "web"]);
    assert_eq!(client.line(), "tick");
    client.signal(libc::SIGWINCH);
    assert_eq!(client.code(), Some(9));
}

/// Returns a command in a mount namespace with other name servers: those of /etc/resolv.conf, and
/// those that systemd-resolved uses.
fn with_resolvers(case: &Case, own: &str, behind: &str, args: &[&str]) -> Command {
    let file = |name: &str, text: &str| {
        let path = case.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/resolve && \
                  cp \"$0\" /run/systemd/resolve/stub-resolv.conf && \
                  cp \"$1\" /run/systemd/resolve/resolv.conf && \
                  mount --bind \"$0\" /etc/resolv.conf && shift && exec \"$@\"";
    let hoist = case.command(args);
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script]);
    command.arg(file("own", own)).arg(file("behind", behind));
    command.arg(hoist.get_program()).args(hoist.get_args()).stdin(Stdio::null());
    command
}

#[test]
fn the_hosts_network_comes_with_the_hosts_own_resolver() {
    let case = Case::new();
    let (own, behind) = ("nameserver 127.0.0.53\noptions edns0\nsearch corp\n", "nameserver 10.1.2.3\n");
    for (network, want) in [("host", own), ("none", behind)] {
        let words = ["run", "--rm", "--network", network, IMAGE, "cat", "/etc/resolv.conf"];
        let output = with_resolvers(&case, own, behind, &words).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), want, "{network}");
    }
}

#[test]
fn name_servers_that_a_container_cannot_reach_are_told() {
    let case = Case::new();
    let words = ["run", "--rm", "--network", "bridge", IMAGE, "true"];
    let output = with_resolvers(&case, "nameserver 127.0.0.1\n", "", &words).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = told.lines().filter(|line| line.contains("name servers")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].starts_with("WARNING: "), "{told}");
    assert_eq!(output.status.code(), Some(0));
}

/// A limit that every kernel rejects.
const TOO_MANY: &str = "nofile=2000000000";

#[test]
fn whoever_starts_a_container_is_told_the_warnings() {
    let case = Case::new();
    let told = |words: &[&str]| {
        let text = Client::of(&case, words).errors();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.len() == 1 && lines[0].starts_with("WARNING: RLIMIT_NOFILE"), "{words:?}: {text}");
    };
    told(&run(&["--rm", "--ulimit", TOO_MANY], &["true"]));
    told(&run(&["-d", "--ulimit", TOO_MANY], &["sleep", "1000"]));
    told(&["exec", "web", "true"]);
    told(&["exec", "-d", "web", "true"]);
    told(&["restart", "-t", "0", "web"]);
    says(&case, &["kill", "web"]);
    told(&["start", "web"]);
    says(&case, &["kill", "web"]);
    told(&["restart", "web"]);
    // It is already running, so nothing is started.
    assert_eq!(Client::of(&case, &["start", "web"]).errors(), "");
    says(&case, &["rm", "-f", "web"]);
    says(&case, &["create", "--name", "web", "--network", "none", "--ulimit", TOO_MANY, IMAGE, "true"]);
    told(&["start", "-a", "web"]);
}

#[test]
fn a_start_by_policy_leaves_its_warnings_in_the_monitors_log() {
    let case = Case::new();
    let policy = ["-d", "--restart", "always", "--ulimit", TOO_MANY];
    says(&case, &run(&policy, &["sh", "-c", "[ -e /again ] && exec sleep 1000; > /again"]));
    let id = inspect(&case, "{{.Id}}");
    let log = case.dir.path().join("run/containers").join(id).join("monitor.log");
    until("both starts are noted", || {
        fs::read_to_string(&log).unwrap_or_default().matches("RLIMIT_NOFILE").count() == 2
    });
}

/// Returns the paths that `inspect` lists.
fn named(case: &Case) -> [PathBuf; 4] {
    ["ResolvConfPath", "HostnamePath", "HostsPath", "LogPath"]
        .map(|field| inspect(case, &format!("{{{{.{field}}}}}")).into())
}

#[test]
fn inspect_names_files_that_exist() {
    let case = Case::new();
    says(&case, &["create", "--name", "web", "-h", "box", "--network", "none", IMAGE, "echo", "hello"]);
    assert_eq!(named(&case), [""; 4].map(PathBuf::from), "before the first start there are none");
    says(&case, &["start", "-a", "web"]);
    let [resolver, hostname, hosts, log] = named(&case);
    assert!(resolver.is_file() && hosts.is_file(), "{resolver:?} {hosts:?}");
    assert_eq!(fs::read_to_string(hostname).unwrap(), "box\n");
    assert!(fs::read_to_string(log).unwrap().contains("hello"));
    let folders = inspect(&case, "{{with .GraphDriver.Data}}{{.LowerDir}}:{{.UpperDir}}:{{.WorkDir}}{{end}}");
    assert!(folders.split(':').all(|folder| Path::new(folder).is_dir()), "{folders}");
    says(&case, &["rm", "web"]);
    says(&case, &run(&["--log-driver", "none"], &["true"]));
    assert_eq!(inspect(&case, "{{.LogPath}}"), "");
}

#[test]
fn an_exec_makes_no_working_directory() {
    let case = Case::new();
    says(&case, &run(&["-d"], &["sleep", "1000"]));
    assert_eq!(case.hoist(&["exec", "-w", "/nope", "web", "pwd"]).status.code(), Some(126));
    assert_eq!(case.hoist(&["exec", "web", "test", "-e", "/nope"]).status.code(), Some(1));
    // `run` does.
    assert_eq!(says(&case, &["run", "--rm", "--network", "none", "-w", "/nope", IMAGE, "pwd"]), "/nope");
}

#[test]
fn an_exec_as_somebody_unknown_cannot_be_executed() {
    let case = Case::new();
    says(&case, &run(&["-d"], &["sleep", "1000"]));
    let output = case.hoist(&["exec", "-u", "ghost", "web", "id"]);
    assert_eq!(output.status.code(), Some(126));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("unable to find user `ghost`"), "{told}");
}

#[test]
fn an_exec_in_one_of_several_is_not_the_commands_failure() {
    let case = Case::new();
    let mut seen = HashSet::new();
    let prefix = loop {
        let id = says(&case, &["create", "--network", "none", IMAGE, "true"]);
        let first = id[..1].to_owned();
        if !seen.insert(first.clone()) {
            break first;
        }
    };
    for words in [&["exec", &prefix, "true"][..], &["exec", "-d", &prefix, "true"], &["exec", "none", "true"]]
    {
        assert_eq!(case.hoist(words).status.code(), Some(1), "{words:?}");
    }
    assert_eq!(
        case.hoist(&["run", "--network", &format!("container:{prefix}"), IMAGE]).status.code(),
        Some(125)
    );
}

#[test]
fn a_numeric_user_needs_no_files_of_the_image() {
    let case = Case::new();
    says(&case, &run(&["-d"], &["sleep", "1000"]));
    says(&case, &["exec", "web", "sh", "-c", "rm -f /etc/passwd && ln -s /proc/self/status /etc/passwd"]);
    assert_eq!(says(&case, &["exec", "-u", "0", "web", "id", "-u"]), "0");
    assert_eq!(says(&case, &["exec", "-u", "0:0", "web", "id", "-g"]), "0");
    assert_eq!(says(&case, &["exec", "web", "id", "-u"]), "0");
    let output = case.hoist(&["exec", "-u", "root", "web", "id"]);
    assert_eq!(output.status.code(), Some(126));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("/etc/passwd") && told.contains("a link leads to another file system"), "{told}");
    says(&case, &["restart", "-t", "0", "web"]);
    if in_user_namespace() {
        skipped("users other than root: there is one id only");
        return;
    }
    assert_eq!(says(&case, &["exec", "-u", "7:8", "web", "id", "-g"]), "8");
}

#[test]
fn a_program_without_its_interpreter_names_it() {
    let case = Case::new();
    let script = case.dir.path().join("script");
    fs::write(&script, "#!/nosuch/sh -e\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let volume = format!("{}:/script", script.display());
    let missing = |words: &[&str]| {
        let output = case.hoist(words);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("its interpreter `/nosuch/sh` is not in the container"), "{words:?}: {told}");
        assert_eq!(output.status.code(), Some(127), "{words:?}");
    };
    let run = ["run", "--rm", "--network", "none", "-v", &volume];
    missing(&[&run[..], &[IMAGE, "/script"]].concat());
    missing(&[&run[..], &["--init", IMAGE, "/script"]].concat());
    says(&case, &["run", "-d", "--name", "web", "--network", "none", "-v", &volume, IMAGE, "sleep", "1000"]);
    missing(&["exec", "web", "/script"]);
}

#[test]
fn an_init_shows_no_path_of_the_host() {
    let case = Case::new();
    let words = ["run", "--rm", "--init", "--network", "none", IMAGE];
    let shown = says(&case, &[&words[..], &["sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline"]].concat());
    let here = case.dir.path().to_str().unwrap();
    assert!(!shown.is_empty() && !shown.contains(here) && !shown.contains(support::HOIST), "{shown}");
}

#[test]
fn a_program_that_is_not_there_ends_with_127_whatever_its_name_and_the_filter() {
    let case = Case::new();
    let code = |words: &[&str], program: &str| {
        let words = [&["run", "--rm", "--network", "none"], words, &[IMAGE, program]].concat();
        case.hoist(&words).status.code()
    };
    assert_eq!(code(&[], &"x".repeat(20_000)), Some(127));

    // The filter prevents all reports. The first file exists on the host and not in the container,
    // the second one the other way round.
    let filter = case.dir.path().join("mute.json");
    fs::write(
        &filter,
        r#"{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            { "names": ["sendto", "sendmsg", "write", "writev"], "action": "SCMP_ACT_ERRNO" } ] }"#,
    )
    .unwrap();
    let option = format!("seccomp={}", filter.display());
    let volume = format!("{}:/only-here", case.dir.path().display());
    let script = case.dir.path().join("script");
    fs::write(&script, "#!/nosuch\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let words = ["--security-opt", &option, "-v", &volume];
    assert_eq!(code(&words, support::HOIST), Some(127));
    assert_eq!(code(&words, "/only-here/script"), Some(127));
}
