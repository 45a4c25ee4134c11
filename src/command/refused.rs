//! Docker's verbs and options that hoist does not have, so that each is refused by name
//! instead of as a misspelling.

use super::table::Verb;
use super::usage::Usage;

/// Verbs of Docker that are not there yet.
const VERBS: &[&str] = &[
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "commit",
    "compose",
    "config",
    "context",
    "cp",
    "diff",
    "export",
    "login",
    "logout",
    "manifest",
    "node",
    "plugin",
    "port",
    "push",
    "save",
    "search",
    "secret",
    "service",
    "stack",
    "swarm",
    "trust",
    "update",
    "prune",
    "df",
    "connect",
    "disconnect",
];

/// Global options of Docker that mean a daemon, and so nothing here.
const GLOBALS: &[&str] = &[
    "--context",
    "-c",
    "--host",
    "-H",
    "--log-level",
    "-l",
    "--tls",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--tlsverify",
];

/// Options of `run` and `create`: long and short name.
const RUN: &[(&str, char)] = &[
    ("annotation", ' '),
    ("blkio-weight", ' '),
    ("blkio-weight-device", ' '),
    ("cgroup-parent", ' '),
    ("cgroupns", ' '),
    ("cpu-count", ' '),
    ("cpu-percent", ' '),
    ("cpu-period", ' '),
    ("cpu-quota", ' '),
    ("cpu-rt-period", ' '),
    ("cpu-rt-runtime", ' '),
    ("cpu-shares", 'c'),
    ("cpus", ' '),
    ("cpuset-cpus", ' '),
    ("cpuset-mems", ' '),
    ("device", ' '),
    ("device-cgroup-rule", ' '),
    ("device-read-bps", ' '),
    ("device-read-iops", ' '),
    ("device-write-bps", ' '),
    ("device-write-iops", ' '),
    ("disable-content-trust", ' '),
    ("expose", ' '),
    ("gpus", ' '),
    ("health-cmd", ' '),
    ("health-interval", ' '),
    ("health-retries", ' '),
    ("health-start-interval", ' '),
    ("health-start-period", ' '),
    ("health-timeout", ' '),
    ("io-maxbandwidth", ' '),
    ("io-maxiops", ' '),
    ("ip", ' '),
    ("ip6", ' '),
    ("ipc", ' '),
    ("isolation", ' '),
    ("kernel-memory", ' '),
    ("link", ' '),
    ("link-local-ip", ' '),
    ("mac-address", ' '),
    ("memory-reservation", ' '),
    ("memory-swappiness", ' '),
    ("network-alias", ' '),
    ("net-alias", ' '),
    ("no-healthcheck", ' '),
    ("oom-kill-disable", ' '),
    ("oom-score-adj", ' '),
    ("pid", ' '),
    ("pids-limit", ' '),
    ("publish", 'p'),
    ("publish-all", 'P'),
    ("storage-opt", ' '),
    ("sysctl", ' '),
    ("use-api-socket", ' '),
    ("userns", ' '),
    ("uts", ' '),
    ("volume-driver", ' '),
    ("volumes-from", ' '),
];

/// Options of the other verbs.
const OTHERS: &[(&str, &str, char)] = &[
    ("start", "checkpoint", ' '),
    ("start", "checkpoint-dir", ' '),
    ("rm", "link", 'l'),
    ("logs", "details", ' '),
    ("history", "platform", ' '),
    ("images", "tree", ' '),
    ("pull", "all-tags", 'a'),
    ("pull", "disable-content-trust", ' '),
    ("load", "platform", ' '),
    ("rmi", "platform", ' '),
    ("image inspect", "platform", ' '),
    ("network inspect", "verbose", 'v'),
    ("network ls", "no-trunc", ' '),
    ("volume ls", "cluster", ' '),
];

/// The refusal of an option that Docker has and hoist lacks.
pub(super) fn option(verb: &Verb, written: &str) -> Option<Usage> {
    let known = |long: &str, short: char| {
        written.strip_prefix("--") == Some(long) || (short != ' ' && *written == format!("-{short}"))
    };
    let is_run = matches!(verb.paths[0], "run" | "create");
    let of_run = RUN.iter().filter(|_| is_run).map(|(long, short)| (*long, *short));
    let name = verb.paths[0];
    let others = OTHERS.iter().filter(|(of, ..)| *of == name).map(|(_, long, short)| (*long, *short));
    let (long, _) = of_run.chain(others).find(|(long, short)| known(long, *short))?;
    Some(Usage::flag(format!("--{long} is not supported yet"), &verb.name()))
}

/// The refusal of a verb that Docker has and hoist lacks.
pub(super) fn verb(words: &[&str]) -> Option<Usage> {
    let is_known = words.iter().any(|word| VERBS.contains(word))
        || matches!(words, ["network" | "volume", "create" | "rm" | "update"]);
    let hint = Some("see `hoist --help`".to_owned());
    is_known.then(|| Usage::count(format!("`{}` is not supported yet", words.join(" ")), hint))
}

/// The refusal of an option before the verb.
pub(super) fn global(word: &str) -> Usage {
    let name = word.split('=').next().unwrap_or(word);
    if GLOBALS.contains(&name) {
        let hint = "hoist talks to no daemon; `--root` and `--run-root` choose another engine";
        return Usage::argument(format!("{name} is not supported")).hint(hint);
    }
    Usage::flag(format!("unknown flag: {name}"), "hoist")
}
