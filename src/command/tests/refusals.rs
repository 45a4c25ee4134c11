//! Tests of rejected command lines and their error messages.

use super::refusals;

#[test]
fn what_docker_has_and_hoist_lacks_is_refused_by_name() {
    insta::assert_snapshot!(refusals(&[
        "run -p 80:80 debian",
        "run -dp 80:80 debian",
        "run --publish=80 debian",
        "run -c 512 debian",
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
        "run --security-opt label=type debian",
        "run --security-opt label=nested debian",
        "run --security-opt label=type:x:y debian",
        "run --security-opt 'label=level:s0\",lowerdir=/' debian",
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

    run -c 512 debian → 125
    --cpu-shares is not supported yet
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
      hint: hoist has no daemon; use `--root` and `--run-root` to choose another engine

    run -v data:/data debian → 125
    -v data:/data: named volumes are not supported yet
      hint: to bind mount a folder, use its path: ./data

    run -v /data debian → 125
    -v /data: anonymous volumes are not supported yet
      hint: see `hoist run --help`

    run --mount type=volume,target=/x debian → 125
    --mount type=volume is not supported yet
      hint: supported types: bind, tmpfs

    run --network a --network b debian → 125
    multiple --network options are not supported yet
      hint: see `hoist run --help`

    run --log-driver syslog debian → 125
    --log-driver syslog is not supported yet
      hint: supported log drivers: json-file, none

    run --security-opt label=type debian → 125
    bad label option `type`
      hint: use disable, or user, role, type, filetype or level followed by `:VALUE`

    run --security-opt label=nested debian → 125
    --security-opt label=nested is not supported yet
      hint: see `hoist run --help`

    run --security-opt label=type:x:y debian → 125
    bad label option `type:x:y`
      hint: use disable, or user, role, type, filetype or level followed by `:VALUE`

    run --security-opt 'label=level:s0\",lowerdir=/' debian → 125
    bad label option `level:s0\",lowerdir=/`
      hint: use disable, or user, role, type, filetype or level followed by `:VALUE`

    import http://x/y.tar → 125
    importing a URL is not supported yet
      hint: pipe the archive instead: `curl URL | hoist import - NAME`
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
        "--root x oci list",
        "--root",
    ]), @"
    run → 1
    `hoist run` requires IMAGE
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run --foo debian → 125
    unknown flag: --foo
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    run -it → 1
    `hoist run` requires IMAGE
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
    invalid argument `maybe` for --rm: expected true or false
      usage: hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]
      hint: see `hoist run --help`

    ps --foo → 125
    unknown flag: --foo
      usage: hoist ps [OPTIONS]
      hint: see `hoist ps --help`

    ps extra → 1
    `hoist ps`: unexpected argument `extra`
      usage: hoist ps [OPTIONS]
      hint: see `hoist ps --help`

    rm → 1
    `hoist rm` requires CONTAINER
      usage: hoist rm [OPTIONS] CONTAINER [CONTAINER...]
      hint: see `hoist rm --help`

    tag a → 1
    `hoist tag` requires TARGET_IMAGE[:TAG]
      usage: hoist tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]
      hint: see `hoist tag --help`

    tag a b c → 1
    `hoist tag`: unexpected argument `c`
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
    `hoist exec` requires CONTAINER and COMMAND
      hint: see `hoist exec --help`

    inspect --type thing x → 125
    invalid argument `thing` for --type: expected one of container, image, network, volume
      usage: hoist inspect [OPTIONS] NAME|ID [NAME|ID...]
      hint: see `hoist inspect --help`

    stop -t soon a → 125
    invalid argument `soon` for --timeout: invalid digit found in string
      usage: hoist stop [OPTIONS] CONTAINER [CONTAINER...]
      hint: see `hoist stop --help`

    logs --tail few web → 125
    invalid argument `few` for --tail: expected a number or `all`
      hint: see `hoist logs --help`

    completion tcsh → 125
    invalid argument `tcsh` for <bash|zsh|fish>: expected one of bash, fish, zsh
      usage: hoist completion bash|zsh|fish
      hint: see `hoist completion --help`

    --blorp ps → 125
    unknown flag: --blorp
      hint: see `hoist --help`

    --root x oci list → 125
    global options cannot be used with `oci`
      hint: put options after `hoist oci`: see `hoist oci --help`

    --root → 125
    flag needs an argument: --root
      hint: see `hoist --help`
    ");
}

#[test]
fn mounts_below_a_bind_are_spoken_of_where_that_means_something() {
    for (fields, why) in [
        ("bind-recursive=writable", "requires 'readonly' to be specified"),
        ("bind-recursive=readonly", "requires 'readonly' to be specified"),
        ("readonly,bind-recursive=readonly", "requires 'bind-propagation=rprivate' to be specified"),
        ("readonly,bind-recursive=readonly,bind-propagation=rslave", "requires 'bind-propagation=rprivate'"),
        ("bind-recursive=on", r#"(must be "enabled", "disabled", "writable", or "readonly")"#),
    ] {
        let told = refusals(&[&format!("run --mount type=bind,source=/x,target=/y,{fields} debian")]);
        assert!(told.contains(why), "{told}");
    }
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
        "run -v /a:/b: debian",
        "run -v /a:/b:, debian",
        "run -v /a:/b:ro, debian",
        "run -v /a:/b:ro,rw debian",
        "run -v /a:/b:z,Z debian",
        "run -v /a:/b:shared,rprivate debian",
        "run -v ~/a:/b debian",
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
        "run --log-opt max-file=4000000000 debian",
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
    invalid argument `tty` for --attach: valid streams are STDIN, STDOUT and STDERR
      hint: see `hoist run --help`

    run --rm --restart always debian → 125
    conflicting options: cannot specify both --restart and --rm
      hint: see `hoist run --help`

    run --restart sometimes debian → 125
    invalid restart policy `sometimes`: expected no, always, unless-stopped or on-failure[:n]
      hint: see `hoist run --help`

    run --restart always:3 debian → 125
    invalid restart policy `always:3`: a maximum retry count can only be used with on-failure
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

    run -v /a:/b: debian → 125
    invalid volume specification: `/a:/b:`
      hint: see `hoist run --help`

    run -v /a:/b:, debian → 125
    invalid mode `,` in `-v /a:/b:,`
      hint: see `hoist run --help`

    run -v /a:/b:ro, debian → 125
    invalid mode `ro,` in `-v /a:/b:ro,`
      hint: see `hoist run --help`

    run -v /a:/b:ro,rw debian → 125
    invalid mode `ro,rw` in `-v /a:/b:ro,rw`
      hint: see `hoist run --help`

    run -v /a:/b:z,Z debian → 125
    invalid mode `z,Z` in `-v /a:/b:z,Z`
      hint: see `hoist run --help`

    run -v /a:/b:shared,rprivate debian → 125
    invalid mode `shared,rprivate` in `-v /a:/b:shared,rprivate`
      hint: see `hoist run --help`

    run -v ~/a:/b debian → 125
    -v ~/a:/b: `~/a` includes invalid characters for a local volume name, only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
      hint: the shell did not expand `~`: write it without quotes, or use `$HOME`

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
    invalid argument `type=tmpfs,source=/x,target=/y` for --mount: a tmpfs cannot have a source
      hint: see `hoist run --help`

    run --mount type=bind,source=/x,target=/y,color=red debian → 125
    invalid argument `type=bind,source=/x,target=/y,color=red` for --mount: unexpected key `color` in `color=red`
      hint: see `hoist run --help`

    run --tmpfs /x:color=red debian → 125
    invalid option `color=red` in `--tmpfs /x:color=red`
      hint: see `hoist run --help`

    run --ulimit nofile debian → 125
    invalid ulimit `nofile`: expected name=soft[:hard]
      hint: see `hoist run --help`

    run --ulimit files=1 debian → 125
    invalid ulimit `files=1`: unknown limit
      hint: valid limits: core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack

    run --ulimit nofile=5:1 debian → 125
    invalid ulimit `nofile=5:1`: the soft limit must be less than or equal to the hard limit
      hint: see `hoist run --help`

    run --shm-size big debian → 125
    invalid argument for --shm-size: `big` is not a size: expected a number and one of b, k, m, g, t
      hint: see `hoist run --help`

    run --add-host web debian → 125
    bad format for --add-host: `web`
      hint: expected name:address

    run --add-host web:nowhere debian → 125
    invalid IP address in --add-host: `nowhere`
      hint: see `hoist run --help`

    run --dns one debian → 125
    invalid argument `one` for --dns: it is not an IP address
      hint: see `hoist run --help`

    run --platform amd64 debian → 125
    `amd64` is not a platform: expected os/arch or os/arch/variant, such as linux/arm64/v8
      hint: see `hoist run --help`

    run --security-opt seccomp=nope debian → 125
    cannot use the seccomp profile nope: entity not found
      hint: see `hoist run --help`

    run --security-opt what debian → 125
    invalid --security-opt: `what`
      hint: see `hoist run --help`

    run --log-opt max-file=0 debian → 125
    invalid --log-opt max-file `0`: expected a number from 1 to 1000
      hint: see `hoist run --help`

    run --log-opt max-file=4000000000 debian → 125
    invalid --log-opt max-file `4000000000`: expected a number from 1 to 1000
      hint: see `hoist run --help`

    run --log-driver none --log-opt max-size=1m debian → 125
    unknown log opt `max-size` for log driver none
      hint: see `hoist run --help`

    run --detach-keys F1 debian → 125
    invalid detach keys `F1`: unknown key `F1`
      hint: use comma-separated keys: a character, or `ctrl-` and a character

    run '' → 125
    invalid reference format: the image name is empty
      hint: see `hoist run --help`

    pull UPPER → 1
    invalid reference format: repository name (`UPPER`) must be lowercase

    start -a a b → 1
    you cannot start and attach multiple containers at once
    ");
}
