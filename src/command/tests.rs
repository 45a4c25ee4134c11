//! Tables of command lines and the requests that they make.

mod documents;
mod help;
mod refusals;

use std::io;
use std::path::Path;

use proptest::prelude::*;

use super::container::{Create, Exec, Ps, Run};
use super::*;
use crate::engine::{CreateRequest, Options, Seccomp, Streams};

fn world() -> World {
    fn read(path: &Path) -> io::Result<String> {
        match path.to_str() {
            Some("/home/me/env") => Ok("\u{feff}# comment\nA=1\n  B= two \n\nHOME\nGONE\n".to_owned()),
            Some("/home/me/bad") => Ok("A B=1\n".to_owned()),
            Some("/home/me/labels") => Ok("tier=front\nempty\n".to_owned()),
            Some("/home/me/seccomp.json") => Ok("{ \"defaultAction\": \"SCMP_ACT_ALLOW\" }".to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
    let environment = [("HOME", "/home/me"), ("LANG", "C")].into_iter().collect();
    World { environment, folder: "/home/me".into(), read }
}

/// Parses and resolves a line.
fn parsed(line: &str) -> Result<Parsed, Usage> {
    let Parsed { flags, debug, request } = parse(&split(line).unwrap())?;
    let request = request.resolve(&world())?.into_request();
    Ok(Parsed { flags: world().flags(flags), debug, request })
}

fn request(line: &str) -> Request {
    parsed(line).unwrap_or_else(|usage| panic!("{line}: {usage}")).request
}

fn run(line: &str) -> Run {
    match request(line) {
        Request::Container(container::Request::Run(run)) => *run,
        other => panic!("{line}: {other:?}"),
    }
}

fn options(line: &str) -> Options {
    run(&format!("run {line} debian")).create.request.options
}

/// Returns each rejected line with its error message.
fn refusals(lines: &[&str]) -> String {
    let told = lines.iter().map(|line| match parsed(line) {
        Ok(parsed) => format!("{line}\n  ACCEPTED {:?}\n", parsed.request),
        Err(usage) => format!("{line} → {}\n{}\n", usage.code(), usage.to_string().replace('\n', "\n  ")),
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn options_end_at_the_image() {
    let run = run("run -it --rm -e A=1 debian ls -l --color -- x");
    let request = &run.create.request;
    assert_eq!(request.image, "debian");
    assert_eq!(request.options.process.command, ["ls", "-l", "--color", "--", "x"]);
    assert!(
        request.options.process.interactive
            && request.options.process.tty
            && request.options.lifecycle.auto_remove
    );
    assert_eq!(run.streams, Streams { stdin: true, stdout: true, stderr: true });
    let exec = exec("exec -u 0 web -- ls -t");
    assert_eq!(exec.target, "web");
    assert_eq!(exec.request.command, ["--", "ls", "-t"]);
}

fn exec(line: &str) -> Exec {
    match request(line) {
        Request::Container(container::Request::Exec(exec)) => *exec,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn flags_read_as_in_docker() {
    assert!(!options("--rm=false -t").lifecycle.auto_remove);
    assert!(options("--rm=false --rm").lifecycle.auto_remove);
    let resources = options("-m 1g --memory-swap 1.5g").resources;
    assert_eq!((resources.memory, resources.memory_swap), (Some(1 << 30), Some(3 << 29)));
    assert!(options("-ti --init=1").process.init);
    assert_eq!(options("--stop-timeout -1").lifecycle.stop_timeout, Some(-1));
    assert_eq!(options("-u=1000 -w=/x").process.user.as_deref(), Some("1000"));
    assert_eq!(options("--name=web --name db -hbox").networking.hostname.as_deref(), Some("box"));
    assert_eq!(options("--entrypoint ''").process.entrypoint, Some(Vec::new()));
    assert_eq!(run("run -d debian").streams, Streams::default());
    assert_eq!(
        run("run -a stderr -a STDIN debian").streams,
        Streams { stdin: true, stdout: false, stderr: true }
    );
    let attached = |words: &str| options(words).process.attach.map(|attach| attach.value);
    assert_eq!((attached("-d"), attached("-i")), (Some(Streams::default()), None));
    assert_eq!(attached("-a stdout"), Some(Streams { stdout: true, ..Streams::default() }));
    assert!(!run("run --sig-proxy=false debian").sig_proxy);
    assert!(run("run --sig-proxy debian").sig_proxy && run("run debian").sig_proxy);
    assert!(
        matches!(request("history x"), Request::Image(image::Request::History(history)) if history.human)
    );
}

#[test]
fn variables_come_from_files_the_caller_and_words() {
    let env = options("-e X=1 -e LANG -e NONE -e X= --env-file env").process.env;
    assert_eq!(env, ["A=1", "B= two ", "HOME=/home/me", "X=1", "LANG=C", "NONE", "X="]);
    let labels = options("--label-file labels -l tier=back --label x").labels;
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["empty=", "tier=back", "x="]);
}

#[test]
fn words_are_read_without_the_world_and_resolved_with_it() {
    let line = "run -e LANG --env-file env --label-file labels -v ./c:/d --security-opt seccomp=seccomp.json \
                --cidfile id debian";
    let Request::Container(container::Request::Run(run)) = parse(&split(line).unwrap()).unwrap().request
    else {
        panic!()
    };
    let Create { request, files, cidfile, .. } = &run.create;
    assert_eq!(request.options.process.env, ["LANG"]);
    assert!(request.options.labels.is_empty() && request.options.security.seccomp == Seccomp::Default);
    assert_eq!(files.env, [Path::new("env")]);
    assert_eq!(files.labels, [Path::new("labels")]);
    assert_eq!(files.seccomp.as_deref(), Some(Path::new("seccomp.json")));
    assert_eq!(cidfile.as_deref(), Some(Path::new("id")));
    let resolved = self::run(line).create;
    assert_eq!(resolved.files, options::Files::default());
    assert_eq!(resolved.request.options.process.env, ["A=1", "B= two ", "HOME=/home/me", "LANG=C"]);
    assert_eq!(resolved.request.options.labels["tier"], "front");
    assert_eq!(resolved.cidfile.as_deref(), Some(Path::new("/home/me/id")));
    // Resolving twice changes nothing.
    let request = self::request(line);
    assert_eq!(request.clone().resolve(&world()).unwrap().into_request(), request);
}

#[test]
fn files_are_named_where_they_cannot_be_read() {
    for line in ["run --env-file none x", "exec --env-file none web true", "run --label-file none x"] {
        assert!(parse(&split(line).unwrap()).is_ok(), "{line}");
        let usage = parsed(line).unwrap_err();
        assert!(usage.message().starts_with("cannot read none: "), "{line}: {usage}");
    }
}

#[test]
fn mounts_read_as_in_docker() {
    let line = "-v /a:/b -v ./c:/d:ro,z,rshared --mount type=bind,src=/e,dst=/f,readonly,bind-propagation=slave \
                --mount 'type=tmpfs,target=/g,tmpfs-size=1m,tmpfs-mode=700' --tmpfs /h:size=64k,noexec,mode=1770 \
                --tmpfs /i --mount '\"type=bind\",\"source=/x,y\",target=/k/../j,ro=false'";
    let mounts = serde_json::to_string(&options(line).mounts.list)
        .unwrap()
        .replace("},{\"target\"", "},\n{\"target\"");
    insta::assert_snapshot!(mounts, @r#"
    [{"target":"/b","read_only":false,"kind":{"type":"bind","source":"/a","create_source":true,"propagation":"rprivate","recursive":true,"submounts":"alike"}},
    {"target":"/d","read_only":true,"kind":{"type":"bind","source":"/home/me/c","create_source":true,"propagation":"rshared","recursive":true,"submounts":"alike","relabel":"z"}},
    {"target":"/f","read_only":true,"kind":{"type":"bind","source":"/e","create_source":false,"propagation":"slave","recursive":true,"submounts":"alike"}},
    {"target":"/g","read_only":false,"kind":{"type":"tmpfs","size":1048576,"mode":448,"options":[]}},
    {"target":"/j","read_only":false,"kind":{"type":"bind","source":"/x,y","create_source":false,"propagation":"rprivate","recursive":true,"submounts":"alike"}},
    {"target":"/h","read_only":false,"kind":{"type":"tmpfs","size":65536,"mode":1016,"options":["noexec"]}},
    {"target":"/i","read_only":false,"kind":{"type":"tmpfs","size":null,"mode":null,"options":[]}}]
    "#);
}

#[test]
fn the_other_values_read_as_in_docker() {
    let line = "--ulimit nofile=1024:2048 --ulimit core=-1 --restart on-failure:3 --log-opt max-size=1m \
                --log-opt max-file=5 --shm-size 64m --add-host a:::1 --add-host b=10.0.0.1 --add-host up:host-gateway \
                --dns 1.1.1.1 --security-opt no-new-privileges --security-opt seccomp=seccomp.json --security-opt apparmor=mine --security-opt label=type:t --security-opt label:disable --platform linux/arm64 \
                --network host --cap-add NET_ADMIN --cap-drop ALL --group-add 5 --runtime runc";
    let options = serde_json::to_value(options(line)).unwrap();
    let groups = options.as_object().unwrap();
    let place = |name: &str| groups.values().find_map(|group| group.get(name)).or(groups.get(name));
    let kept = |name: &str| format!("{name}: {}", place(name).unwrap());
    let shown = [
        "ulimits",
        "restart",
        "logging",
        "shm_size",
        "extra_hosts",
        "dns",
        "no_new_privileges",
        "seccomp",
        "apparmor",
        "selinux",
        "platform",
        "network",
        "cap_add",
        "cap_drop",
        "group_add",
        "runtime",
    ]
    .map(kept);
    insta::assert_snapshot!(shown.join("\n"), @r#"
    ulimits: [{"name":"nofile","soft":1024,"hard":2048},{"name":"core","soft":-1,"hard":-1}]
    restart: {"on-failure":3}
    logging: {"driver":null,"max_size":1000000,"max_files":5}
    shm_size: 67108864
    extra_hosts: ["a:::1","b:10.0.0.1","up:host-gateway"]
    dns: ["1.1.1.1"]
    no_new_privileges: true
    seccomp: {"profile":"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"}
    apparmor: "mine"
    selinux: ["type:t","disable"]
    platform: "linux/arm64"
    network: "host"
    cap_add: ["NET_ADMIN"]
    cap_drop: ["ALL"]
    group_add: ["5"]
    runtime: "runc"
    "#);
}

#[test]
fn every_name_of_a_verb_means_the_same() {
    for names in [
        &["ps -a", "container ls -a", "container ps -a", "container list --all"][..],
        &["rmi x", "image rm x", "image remove x"],
        &["images -q", "image ls -q", "image list -q"],
        &["rm -fv a b", "container rm -f -v a b", "container remove --force --volumes a b"],
        &["info", "system info"],
        &["run -d x", "container run -d x"],
        &["stop -t 3 a", "stop --timeout 3 a", "stop --time=3 a"],
    ] {
        let requests: Vec<_> = names.iter().map(|line| request(line)).collect();
        assert!(requests.iter().all(|request| *request == requests[0]), "{requests:?}");
    }
}

#[test]
fn global_options_stand_before_the_verb() {
    let parsed = parsed("--root data --run-root=/run/x -D ps -q").unwrap();
    assert_eq!(parsed.flags.root.as_deref(), Some(Path::new("/home/me/data")));
    assert_eq!(parsed.flags.run_root.as_deref(), Some(Path::new("/run/x")));
    assert!(parsed.debug);
    let ps = Ps { quiet: true, last: -1, ..Ps::default() };
    assert_eq!(parsed.request, Request::Container(container::Request::Ps(ps)));
    assert_eq!(super::parse(&[]).unwrap().request, Request::Nothing);
}

/// Read-only mode allows these.
#[test]
fn only_these_verbs_change_nothing() {
    let showing = table::each_verb().filter(|verb| !verb.changes()).map(|verb| verb.names()[0]);
    assert_eq!(
        showing.collect::<Vec<_>>().join(" · "),
        "ps · logs · container inspect · stats · top · wait · images · history · image inspect · \
         network inspect · network ls · volume inspect · volume ls · inspect · events · info · version · completion"
    );
    assert!(request("rm web").changes() && !request("ps").changes() && !request("--help").changes());
}

#[test]
fn every_verb_of_containers_is_one_of_the_group_too() {
    for verb in table::each_verb() {
        let is_of_containers =
            ["CONTAINER", "IMAGE [COMMAND]"].iter().any(|word| verb.usage().contains(word));
        let is_managed = verb.names().iter().any(|name| name.starts_with("container "));
        assert!(is_managed || !is_of_containers, "{:?}", verb.names());
    }
    for noun in ["container", "image", "network", "volume"] {
        for verb in ["inspect", "ls", "list"] {
            request(&format!("{noun} {verb}{}", if verb == "inspect" { " a" } else { "" }));
        }
    }
    let inspect = |line: &str| match request(line) {
        Request::Container(container::Request::Inspect(inspect))
        | Request::System(system::Request::Inspect(inspect))
        | Request::Volume(volume::Request::Inspect(inspect)) => inspect,
        other => panic!("{line}: {other:?}"),
    };
    for noun in ["container", "volume"] {
        let options = if noun == "container" { "-s -f {{.Id}}" } else { "-f {{.Id}}" };
        let short = inspect(&format!("{noun} inspect {options} a b"));
        assert_eq!(short, inspect(&format!("inspect --type {noun} {options} a b")));
    }
}

#[test]
fn a_request_says_how_it_is_written() {
    for line in [
        "run debian",
        "run -i -a stdout -a stderr debian",
        "run -a stdin debian",
        "run -d -it --rm --name web debian sh -c 'echo $HOME'",
        "run -e A=1 -e 'B=two words' -w /srv -u 1:2 --init --label a=b debian",
        "run -h box --network none --add-host a:10.0.0.1 --dns 1.1.1.1 -v /a:/b:ro,shared,z -v /c:/d:Z --tmpfs /t:ro,size=65536,noexec debian",
        "run --mount 'type=bind,\"source=/x,y\",target=/z,readonly,bind-recursive=disabled' --read-only --shm-size 1048576 debian",
        "run --mount type=bind,source=/x,target=/y,readonly,bind-recursive=writable debian",
        "run --mount type=bind,source=/x,target=/y,readonly,bind-propagation=rprivate,bind-recursive=readonly debian",
        "run --cap-add ALL --cap-drop MKNOD --privileged --security-opt no-new-privileges --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt label=disable --ulimit nofile=1:2 debian",
        "run --restart on-failure:3 --stop-signal INT --stop-timeout 5 --pull never --log-driver none debian",
        "run --memory 67108864 --memory-swap -1 debian",
        "run --entrypoint '' debian",
        "run --entrypoint /bin/ls debian -l",
    ] {
        let run = run(line);
        assert_eq!(join(&equivalent::run(&run.create.request, run.detach)), line);
    }
}

proptest! {
    /// Every request can be written as arguments that make the same request.
    #[test]
    fn words_of_a_request_mean_that_request(
        command in proptest::collection::vec("[ -~]{0,8}", 0..4),
        env in proptest::collection::vec("[A-Z]{1,4}=[ -~]{0,8}", 0..3),
        user in proptest::option::of("[a-z0-9:]{1,6}"),
        flags in any::<[bool; 6]>(),
        stop_timeout in proptest::option::of(any::<i64>()),
        shm_size in proptest::option::of(0..u64::from(u32::MAX)),
    ) {
        let [tty, interactive, read_only, privileged, init, detach] = flags;
        let mut options = Options::default();
        let process = &mut options.process;
        (process.command, process.env, process.user) = (command, env, user);
        (process.tty, process.interactive, process.init) = (tty, interactive, init);
        process.attach = detach.then(|| Streams::default().into());
        (options.mounts.read_only, options.security.privileged) = (read_only, privileged);
        (options.lifecycle.stop_timeout, options.resources.shm_size) = (stop_timeout, shm_size);
        let request = CreateRequest { name: None, image: "debian".to_owned(), pull: Default::default(), options };
        let words = equivalent::run(&request, detach);
        let Request::Container(container::Request::Run(run)) = parse(&words).unwrap().request else { panic!() };
        prop_assert_eq!(run.create.request.options, request.options);
        prop_assert_eq!(run.detach, detach);
    }
}

#[test]
fn read_only_is_for_the_terminal_ui_alone() {
    let parse = |line: &str| super::parse(&split(line).unwrap());
    let parsed = parse("--read-only --root /x").unwrap();
    assert!(parsed.flags.read_only && parsed.request == Request::Nothing);
    for line in ["--read-only ps", "--root /x --read-only rm web"] {
        let message = parse(line).unwrap_err().to_string();
        assert!(message.contains("--read-only is for the terminal UI"), "{message}");
    }
    assert!(parse("--read-only=maybe").is_err());
}
