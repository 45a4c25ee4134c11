//! The grammar as tables: words on the left, what they mean on the right.

use std::io;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::engine::{CreateRequest, Options};

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

fn parsed(line: &str) -> Result<Parsed, Usage> {
    parse(&split(line).unwrap(), &world())
}

fn request(line: &str) -> Request {
    parsed(line).unwrap_or_else(|usage| panic!("{line}: {usage}")).request
}

fn run(line: &str) -> Run {
    match request(line) {
        Request::Run(run) => *run,
        other => panic!("{line}: {other:?}"),
    }
}

fn options(line: &str) -> Options {
    run(&format!("run {line} debian")).create.request.options
}

/// Each refused line with what its user reads.
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
    assert_eq!(request.options.command, ["ls", "-l", "--color", "--", "x"]);
    assert!(request.options.interactive && request.options.tty && request.options.auto_remove);
    assert_eq!(run.streams, Streams { stdin: true, stdout: true, stderr: true });
    let Request::Exec(exec) = request_of("exec -u 0 web -- ls -t") else { panic!() };
    assert_eq!(exec.target, "web");
    assert_eq!(exec.request.command, ["--", "ls", "-t"]);
}

fn request_of(line: &str) -> Request {
    request(line)
}

#[test]
fn flags_read_as_in_docker() {
    assert!(!options("--rm=false -t").auto_remove);
    assert!(options("--rm=false --rm").auto_remove);
    assert!(options("-ti --init=1").init);
    assert_eq!(options("--stop-timeout -1").stop_timeout, Some(-1));
    assert_eq!(options("-u=1000 -w=/x").user.as_deref(), Some("1000"));
    assert_eq!(options("--name=web --name db -hbox").hostname.as_deref(), Some("box"));
    assert_eq!(options("--entrypoint ''").entrypoint, Some(Vec::new()));
    assert_eq!(run("run -d debian").streams, Streams::default());
    assert_eq!(
        run("run -a stderr -a STDIN debian").streams,
        Streams { stdin: true, stdout: false, stderr: true }
    );
    assert!(!run("run --sig-proxy=false debian").sig_proxy);
    assert!(run("run --sig-proxy debian").sig_proxy && run("run debian").sig_proxy);
    assert!(matches!(request("history x"), Request::History(history) if history.human));
}

#[test]
fn variables_come_from_files_the_caller_and_words() {
    let env = options("-e X=1 -e LANG -e NONE -e X= --env-file env").env;
    assert_eq!(env, ["A=1", "B= two ", "HOME=/home/me", "X=1", "LANG=C", "X="]);
    let labels = options("--label-file labels -l tier=back --label x").labels;
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["empty=", "tier=back", "x="]);
}

#[test]
fn mounts_read_as_in_docker() {
    let line = "-v /a:/b -v ./c:/d:ro,z,rshared --mount type=bind,src=/e,dst=/f,readonly,bind-propagation=slave \
                --mount 'type=tmpfs,target=/g,tmpfs-size=1m,tmpfs-mode=700' --tmpfs /h:size=64k,noexec,mode=1770 \
                --tmpfs /i --mount '\"type=bind\",\"source=/x,y\",target=/k/../j,ro=false'";
    let mounts =
        serde_json::to_string(&options(line).mounts).unwrap().replace("},{\"target\"", "},\n{\"target\"");
    insta::assert_snapshot!(mounts, @r#"
    [{"target":"/b","read_only":false,"kind":{"type":"bind","source":"/a","create_source":true,"propagation":"rprivate","recursive":true}},
    {"target":"/d","read_only":true,"kind":{"type":"bind","source":"/home/me/c","create_source":true,"propagation":"rshared","recursive":true}},
    {"target":"/f","read_only":true,"kind":{"type":"bind","source":"/e","create_source":false,"propagation":"slave","recursive":true}},
    {"target":"/g","read_only":false,"kind":{"type":"tmpfs","size":1048576,"mode":448,"options":[]}},
    {"target":"/j","read_only":false,"kind":{"type":"bind","source":"/x,y","create_source":false,"propagation":"rprivate","recursive":true}},
    {"target":"/h","read_only":false,"kind":{"type":"tmpfs","size":65536,"mode":1016,"options":["noexec"]}},
    {"target":"/i","read_only":false,"kind":{"type":"tmpfs","size":null,"mode":null,"options":[]}}]
    "#);
}

#[test]
fn the_other_values_read_as_in_docker() {
    let line = "--ulimit nofile=1024:2048 --ulimit core=-1 --restart on-failure:3 --log-opt max-size=1m \
                --log-opt max-file=5 --shm-size 64m --add-host a:::1 --add-host b=10.0.0.1 --add-host up:host-gateway \
                --dns 1.1.1.1 --security-opt no-new-privileges --security-opt seccomp=seccomp.json --platform linux/arm64 \
                --network host --cap-add NET_ADMIN --cap-drop ALL --group-add 5 --runtime runc";
    let options = serde_json::to_value(options(line)).unwrap();
    let kept = |name: &str| format!("{name}: {}", options[name]);
    let shown = [
        "ulimits",
        "restart",
        "log",
        "shm_size",
        "extra_hosts",
        "dns",
        "no_new_privileges",
        "seccomp",
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
    log: {"driver":"json-file","max_size":1000000,"max_files":5}
    shm_size: 67108864
    extra_hosts: ["a:::1","b:10.0.0.1","up:host-gateway"]
    dns: ["1.1.1.1"]
    no_new_privileges: true
    seccomp: {"profile":"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"}
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
    assert_eq!(parsed.request, Request::Ps(Ps { quiet: true, last: -1, ..Ps::default() }));
    assert_eq!(super::parse(&[], &world()).unwrap().request, Request::Nothing);
}

#[test]
fn what_docker_has_and_hoist_lacks_is_refused_by_name() {
    insta::assert_snapshot!(refusals(&[
        "run -p 80:80 debian",
        "run -dp 80:80 debian",
        "run --publish=80 debian",
        "run -m 1g debian",
        "run --link db debian",
        "create --gpus all debian",
        "rm -l x",
        "logs --details web",
        "build .",
        "system prune",
        "network create x",
        "-H tcp://x ps",
        "run -v data:/data debian",
        "run -v /data debian",
        "run --mount type=volume,target=/x debian",
        "run --network a --network b debian",
        "run --log-driver syslog debian",
        "run --security-opt label=type:x debian",
        "import http://x/y.tar",
    ]), @"
    run -p 80:80 debian → 125
    --publish is not supported yet
      hint: see `hoist run --help`

    run -dp 80:80 debian → 125
    --publish is not supported yet
      hint: see `hoist run --help`

    run --publish=80 debian → 125
    --publish is not supported yet
      hint: see `hoist run --help`

    run -m 1g debian → 125
    --memory is not supported yet
      hint: see `hoist run --help`

    run --link db debian → 125
    --link is not supported yet
      hint: see `hoist run --help`

    create --gpus all debian → 125
    --gpus is not supported yet
      hint: see `hoist create --help`

    rm -l x → 125
    --link is not supported yet
      hint: see `hoist rm --help`

    logs --details web → 125
    --details is not supported yet
      hint: see `hoist logs --help`

    build . → 1
    `build` is not supported yet
      hint: see `hoist --help`

    system prune → 1
    `system prune` is not supported yet
      hint: see `hoist --help`

    network create x → 1
    `network create` is not supported yet
      hint: see `hoist --help`

    -H tcp://x ps → 125
    -H is not supported
      hint: hoist talks to no daemon; `--root` and `--run-root` choose another engine

    run -v data:/data debian → 125
    -v data:/data: named volumes are not supported yet
      hint: to bind a folder, write its path: ./data

    run -v /data debian → 125
    -v /data: anonymous volumes are not supported yet
      hint: see `hoist run --help`

    run --mount type=volume,target=/x debian → 125
    --mount type=volume is not supported yet
      hint: there are type=bind and type=tmpfs

    run --network a --network b debian → 125
    --network given twice is not supported yet
      hint: see `hoist run --help`

    run --log-driver syslog debian → 125
    --log-driver syslog is not supported yet
      hint: there are json-file and none

    run --security-opt label=type:x debian → 125
    --security-opt label is not supported yet
      hint: see `hoist run --help`

    import http://x/y.tar → 125
    import of a URL is not supported yet
      hint: pipe it: `curl URL | hoist import - NAME`
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a snapshot")]
fn words_that_make_no_sense_are_refused() {
    insta::assert_snapshot!(refusals(&[
        "run",
        "run --foo debian",
        "run -it",
        "run -X debian",
        "run --name",
        "run --rm=maybe debian",
        "ps --foo",
        "ps extra",
        "rm",
        "tag a",
        "tag a b c",
        "psx",
        "blorp",
        "container blorp",
        "rename a -b",
        "exec web",
        "inspect --type thing x",
        "stop -t soon a",
        "logs --tail few web",
        "completion tcsh",
        "--blorp ps",
        "--root",
    ]), @"
    run → 1
    `hoist run` needs IMAGE
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run --foo debian → 125
    unknown flag: --foo
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run -it → 1
    `hoist run` needs IMAGE
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run -X debian → 125
    unknown shorthand flag: -X
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run --name → 125
    flag needs an argument: --name
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run --rm=maybe debian → 125
    invalid argument `maybe` for --rm: want true or false
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    ps --foo → 125
    unknown flag: --foo
      usage: hoist ps [OPTIONS]
      hint: see `hoist ps --help`

    ps extra → 1
    `hoist ps` does not take `extra`
      usage: hoist ps [OPTIONS]
      hint: see `hoist ps --help`

    rm → 1
    `hoist rm` needs CONTAINER
      usage: hoist rm [OPTIONS] CONTAINER [CONTAINER...]
      hint: see `hoist rm --help`

    tag a → 1
    `hoist tag` needs TARGET_IMAGE[:TAG]
      usage: hoist tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]
      hint: see `hoist tag --help`

    tag a b c → 1
    `hoist tag` does not take `c`
      usage: hoist tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]
      hint: see `hoist tag --help`

    psx → 1
    unknown command: hoist psx
      hint: did you mean `ps`?

    blorp → 1
    unknown command: hoist blorp
      hint: see `hoist --help`

    container blorp → 1
    unknown command: hoist container blorp
      hint: see `hoist container --help`

    rename a -b → 125
    unknown shorthand flag: -b
      usage: hoist rename CONTAINER NEW_NAME
      hint: see `hoist rename --help`

    exec web → 1
    `hoist exec` needs CONTAINER and COMMAND
      hint: see `hoist exec --help`

    inspect --type thing x → 125
    invalid argument `thing` for --type: want container, image, network, volume
      usage: hoist inspect [OPTIONS] NAME|ID [NAME|ID...]
      hint: see `hoist inspect --help`

    stop -t soon a → 125
    invalid argument `soon` for --timeout: invalid digit found in string
      usage: hoist stop [OPTIONS] CONTAINER [CONTAINER...]
      hint: see `hoist stop --help`

    logs --tail few web → 125
    invalid argument `few` for --tail: want a number, or `all`
      hint: see `hoist logs --help`

    completion tcsh → 125
    invalid argument `tcsh` for <bash|zsh|fish>: want bash, fish, zsh
      usage: hoist completion bash|zsh|fish
      hint: see `hoist completion --help`

    --blorp ps → 125
    unknown flag: --blorp
      hint: see `hoist --help`

    --root → 125
    flag needs an argument: --root
      hint: see `hoist --help`
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a snapshot")]
fn values_that_make_no_sense_are_refused() {
    insta::assert_snapshot!(refusals(&[
        "run -d -a stdout debian",
        "run -a tty debian",
        "run --rm --restart always debian",
        "run --restart sometimes debian",
        "run --restart always:3 debian",
        "run --pull maybe debian",
        "run --name -x debian",
        "run -w relative debian",
        "run -e =x debian",
        "run --env-file nope debian",
        "run --env-file bad debian",
        "run -v /a:b debian",
        "run -v /a:/ debian",
        "run -v /a:/b:fast debian",
        "run -v /a:/b:ro:z debian",
        "run -v /a:/b -v /c:/b/ debian",
        "run --mount type=bind,target=/x debian",
        "run --mount type=bind,source=/x debian",
        "run --mount type=tmpfs,source=/x,target=/y debian",
        "run --mount type=bind,source=/x,target=/y,color=red debian",
        "run --tmpfs /x:color=red debian",
        "run --ulimit nofile debian",
        "run --ulimit files=1 debian",
        "run --ulimit nofile=5:1 debian",
        "run --shm-size big debian",
        "run --add-host web debian",
        "run --add-host web:nowhere debian",
        "run --dns one debian",
        "run --platform amd64 debian",
        "run --security-opt seccomp=nope debian",
        "run --security-opt what debian",
        "run --log-opt max-file=0 debian",
        "run --log-driver none --log-opt max-size=1m debian",
        "run --detach-keys F1 debian",
        "run ''",
        "pull UPPER",
        "start -a a b",
    ]), @"
    run -d -a stdout debian → 125
    conflicting options: cannot specify both --attach and --detach
      hint: see `hoist run --help`

    run -a tty debian → 125
    invalid argument `tty` for --attach: want STDIN, STDOUT or STDERR
      hint: see `hoist run --help`

    run --rm --restart always debian → 125
    conflicting options: cannot specify both --restart and --rm
      hint: see `hoist run --help`

    run --restart sometimes debian → 125
    invalid restart policy `sometimes`: want no, always, unless-stopped or on-failure[:n]
      hint: see `hoist run --help`

    run --restart always:3 debian → 125
    invalid restart policy `always:3`: only on-failure takes a count
      hint: see `hoist run --help`

    run --pull maybe debian → 125
    invalid pull option `maybe`: must be one of always, missing or never
      hint: see `hoist run --help`

    run --name -x debian → 125
    invalid container name (`-x`), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
      hint: see `hoist run --help`

    run -w relative debian → 125
    the working directory `relative` is invalid, it needs to be an absolute path
      hint: see `hoist run --help`

    run -e =x debian → 125
    invalid environment variable: =x
      hint: see `hoist run --help`

    run --env-file nope debian → 125
    cannot read nope: entity not found
      hint: see `hoist run --help`

    run --env-file bad debian → 125
    invalid file bad: variable `A B` contains whitespaces
      hint: see `hoist run --help`

    run -v /a:b debian → 125
    invalid mount `/a:b`: the path in the container must be absolute
      hint: see `hoist run --help`

    run -v /a:/ debian → 125
    invalid mount `/a:/`: the path in the container cannot be `/`
      hint: see `hoist run --help`

    run -v /a:/b:fast debian → 125
    invalid mode `fast` in `-v /a:/b:fast`
      hint: see `hoist run --help`

    run -v /a:/b:ro:z debian → 125
    invalid volume specification: `/a:/b:ro:z`
      hint: see `hoist run --help`

    run -v /a:/b -v /c:/b/ debian → 125
    duplicate mount point: /b
      hint: see `hoist run --help`

    run --mount type=bind,target=/x debian → 125
    invalid argument `type=bind,target=/x` for --mount: source is required
      hint: see `hoist run --help`

    run --mount type=bind,source=/x debian → 125
    invalid argument `type=bind,source=/x` for --mount: target is required
      hint: see `hoist run --help`

    run --mount type=tmpfs,source=/x,target=/y debian → 125
    invalid argument `type=tmpfs,source=/x,target=/y` for --mount: a tmpfs has no source
      hint: see `hoist run --help`

    run --mount type=bind,source=/x,target=/y,color=red debian → 125
    invalid argument `type=bind,source=/x,target=/y,color=red` for --mount: unexpected key `color` in `color=red`
      hint: see `hoist run --help`

    run --tmpfs /x:color=red debian → 125
    invalid option `color=red` in `--tmpfs /x:color=red`
      hint: see `hoist run --help`

    run --ulimit nofile debian → 125
    invalid ulimit `nofile`: want name=soft[:hard]
      hint: see `hoist run --help`

    run --ulimit files=1 debian → 125
    invalid ulimit `files=1`: there is no such limit
      hint: there are core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack

    run --ulimit nofile=5:1 debian → 125
    invalid ulimit `nofile=5:1`: the soft limit must be less than or equal to the hard one
      hint: see `hoist run --help`

    run --shm-size big debian → 125
    invalid argument for --shm-size: `big` is not a size: want a number and one of b, k, m, g, t
      hint: see `hoist run --help`

    run --add-host web debian → 125
    bad format for --add-host: `web`
      hint: want name:address

    run --add-host web:nowhere debian → 125
    invalid IP address in --add-host: `nowhere`
      hint: see `hoist run --help`

    run --dns one debian → 125
    invalid argument `one` for --dns: it is no IP address
      hint: see `hoist run --help`

    run --platform amd64 debian → 125
    `amd64` is not a platform: want os/arch or os/arch/variant, as in linux/arm64/v8
      hint: see `hoist run --help`

    run --security-opt seccomp=nope debian → 125
    cannot use the seccomp profile nope: entity not found
      hint: see `hoist run --help`

    run --security-opt what debian → 125
    invalid --security-opt: `what`
      hint: see `hoist run --help`

    run --log-opt max-file=0 debian → 125
    invalid --log-opt max-file `0`: want a number from 1
      hint: see `hoist run --help`

    run --log-driver none --log-opt max-size=1m debian → 125
    unknown log opt `max-size` for log driver none
      hint: see `hoist run --help`

    run --detach-keys F1 debian → 125
    invalid detach keys `F1`: unknown key `F1`
      hint: want single characters or `ctrl-` and one, joined by commas

    run '' → 125
    invalid reference format: the image's name is empty
      hint: see `hoist run --help`

    pull UPPER → 1
    invalid reference format: repository name (`UPPER`) must be lowercase

    start -a a b → 1
    you cannot start and attach multiple containers at once
    ");
}

#[test]
fn help_reads_well() {
    let Request::Show(text) = request("rm --help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist rm [OPTIONS] CONTAINER [CONTAINER...]

    Remove one or more containers

    Aliases:
      hoist rm, hoist container rm, hoist container remove

    Options:
      -f, --force    Force the removal of a running container (uses SIGKILL)
      -v, --volumes  Remove anonymous volumes associated with the container
      -h, --help     Print usage
    ");
    let Request::Show(text) = request("help image") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist image COMMAND

    Manage images

    Commands:
      from-host  Make an image of programs of this machine
      history    Show the history of an image
      import     Make an image of a root file system in a tar archive
      inspect    Display detailed information on one or more images
      load       Load an image from a tar archive or STDIN
      ls         List images
      pull       Download an image from a registry
      rm         Remove one or more images
      tag        Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE

    Run `hoist image COMMAND --help` for more on a command.
    ");
    let Request::Show(text) = request("--help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist [OPTIONS] [COMMAND]

    Run containers, without a daemon. `hoist` alone opens the terminal UI.

    Common Commands:
      run     Create and run a new container from an image
      exec    Execute a command in a running container
      ps      List containers
      logs    Fetch the logs of a container
      pull    Download an image from a registry
      images  List images

    Management Commands:
      container  Manage containers
      image      Manage images
      network    Manage networks
      volume     Manage volumes
      system     Manage this engine

    Commands:
      attach      Attach this terminal to a running container
      create      Create a new container
      inspect     Return low-level information on objects
      kill        Kill one or more running containers
      pause       Pause all processes within one or more containers
      rename      Rename a container
      restart     Restart one or more containers
      rm          Remove one or more containers
      start       Start one or more stopped containers
      stats       Display a live stream of container(s) resource usage statistics
      stop        Stop one or more running containers
      top         Display the running processes of a container
      unpause     Unpause all processes within one or more containers
      wait        Block until one or more containers stop, then print their exit codes
      history     Show the history of an image
      import      Make an image of a root file system in a tar archive
      load        Load an image from a tar archive or STDIN
      rmi         Remove one or more images
      tag         Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
      events      Show what changes, as it changes
      info        Display system-wide information
      version     Show the version information
      completion  Print completions for a shell
      oci         Drive the embedded runtime as the OCI runtime specification says

    Global Options:
          --config FILE      Read this configuration instead of the usual ones
      -D, --debug            Write what happens to standard error
          --read-only        Open the terminal UI so that it changes nothing
          --root FOLDER      Keep images and containers here (default /var/lib/hoist)
          --run-root FOLDER  Keep what a reboot voids here (default /run/hoist)
      -v, --version          Print version information and quit

    Run `hoist COMMAND --help` for more information on a command.
    ");
}

#[test]
fn every_verb_has_help_and_completions() {
    clap_assert();
    for verb in verbs::VERBS {
        for path in verb.paths {
            let Request::Show(text) = request(&format!("{path} --help")) else { panic!("{path}") };
            assert!(text.contains(&verb.usage()), "{text}");
        }
    }
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let script = completion(shell);
        assert!(script.contains("from-host") && script.contains("detach-keys"), "{shell:?}");
    }
}

fn clap_assert() {
    verbs::tree().debug_assert();
}

#[test]
fn each_verb_is_known_to_change_something_or_to_show_only() {
    let (mut changing, mut showing) = (Vec::new(), Vec::new());
    for verb in verbs::VERBS {
        let path = verb.paths[0];
        let words = match path {
            "tag" | "rename" | "exec" | "import" => "a bb",
            "image from-host" => "-t a b",
            "completion" => "bash",
            "ps" | "images" | "events" | "info" | "version" | "network ls" | "volume ls" | "stats" => "",
            "system reset" | "load" => "",
            _ => "a",
        };
        let changes = request(&format!("{path} {words}")).changes();
        if changes { &mut changing } else { &mut showing }.push(path);
    }
    assert_eq!(
        changing.join(" · "),
        "run · exec · pull · image from-host · attach · create · kill · pause · rename · restart · rm · start · \
         stop · unpause · import · load · rmi · tag · system reset"
    );
    assert_eq!(
        showing.join(" · "),
        "ps · logs · images · inspect · stats · top · wait · history · image inspect · network inspect · \
         network ls · volume ls · events · info · version · completion"
    );
}

#[test]
fn a_request_says_how_it_is_written() {
    for line in [
        "run debian",
        "run -d -it --rm --name web debian sh -c 'echo $HOME'",
        "run -e A=1 -e 'B=two words' -w /srv -u 1:2 --label a=b --init debian",
        "run -h box --network none --add-host a:10.0.0.1 --dns 1.1.1.1 -v /a:/b:ro,shared --tmpfs /t:ro,size=65536,noexec debian",
        "run --mount 'type=bind,\"source=/x,y\",target=/z,readonly,bind-recursive=disabled' --read-only --shm-size 1048576 debian",
        "run --cap-add ALL --cap-drop MKNOD --privileged --security-opt no-new-privileges --security-opt seccomp=unconfined --ulimit nofile=1:2 debian",
        "run --pull never --restart on-failure:3 --stop-signal INT --stop-timeout 5 --log-driver none debian",
        "run --entrypoint '' debian",
        "run --entrypoint /bin/ls debian -l",
    ] {
        let run = run(line);
        assert_eq!(join(&equivalent::run(&run.create.request, run.detach)), line);
    }
}

proptest! {
    /// Whatever is asked for is asked for by its words.
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
        let options = Options {
            command, env, user, tty, interactive, read_only, privileged, init, stop_timeout, shm_size,
            ..Options::default()
        };
        let request = CreateRequest { name: None, image: "debian".to_owned(), pull: Default::default(), options };
        let words = equivalent::run(&request, detach);
        let Request::Run(run) = parse(&words, &world()).unwrap().request else { panic!() };
        prop_assert_eq!(run.create.request.options, request.options);
        prop_assert_eq!(run.detach, detach);
    }
}

#[test]
fn read_only_is_for_the_terminal_ui_alone() {
    let parse = |line: &str| super::parse(&split(line).unwrap(), &world());
    let parsed = parse("--read-only --root /x").unwrap();
    assert!(parsed.flags.read_only && parsed.request == Request::Nothing);
    for line in ["--read-only ps", "--root /x --read-only rm web"] {
        let message = parse(line).unwrap_err().to_string();
        assert!(message.contains("--read-only is for the terminal UI"), "{message}");
    }
    assert!(parse("--read-only=maybe").is_err());
}
