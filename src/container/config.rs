//! What a user asked for and what an image says, merged by Docker's rules.
//!
//! Pure: nothing is looked up but what is handed in. What depends on the container's files
//! (a user's number, the program's place in `$PATH`) is decided when it starts.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::{Component, Path, PathBuf};

use super::capability;
use super::options::{MountRequest, NetworkMode, Options, RestartPolicy, Seccomp, Ulimit};
use super::record::Config;
use crate::base::{ContainerId, ErrorKind, Explain};
use crate::oci::Platform;
use crate::oci::image::Config as ImageConfig;
use crate::sys::signal;

/// Seconds between the stop signal and SIGKILL.
const STOP_TIMEOUT: i64 = 10;
/// Bytes of /dev/shm.
const SHM_SIZE: u64 = 64 << 20;
const LOG_DRIVERS: [&str; 2] = ["json-file", "none"];

/// A wish that cannot be fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither the user nor the image says what to run.
    #[error("no command specified")]
    NoCommand,
    /// A working directory that is not absolute.
    #[error("the working directory `{0}` is invalid, it needs to be an absolute path")]
    Workdir(PathBuf),
    /// A word that is no signal.
    #[error("invalid signal: {0}")]
    Signal(String),
    /// A word that is no capability.
    #[error("invalid capability: \"{0}\"")]
    Capability(String),
    /// A mount's target is relative, or the root itself.
    #[error("invalid mount target `{0}`: want an absolute path other than `/`")]
    MountTarget(PathBuf),
    /// Two mounts at one place.
    #[error("duplicate mount point: {0}")]
    DuplicateMount(PathBuf),
    /// A host name that the kernel does not take.
    #[error("invalid hostname `{0}`: want at most 63 characters of a-z, A-Z, 0-9, `-` and `.`")]
    Hostname(String),
    /// `--rm` and a restart policy.
    #[error("conflicting options: --restart and --rm")]
    RestartAndRemove,
    /// A log driver that is not built in.
    #[error("no logger named `{0}`")]
    LogDriver(String),
    /// A resource limit that is none.
    #[error("invalid ulimit `{name}`: {why}")]
    Ulimit {
        /// As written.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A network that was not created.
    #[error("network {0} not found")]
    NoNetwork(String),
    /// `--network container:…`
    #[error("sharing the network of container `{0}` is not supported")]
    ContainerNetwork(String),
    /// `--runtime`
    #[error("the runtime `{0}` is not supported")]
    Runtime(String),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoNetwork(_) => ErrorKind::NotFound,
            Self::ContainerNetwork(_) | Self::Runtime(_) => ErrorKind::Unsupported,
            _ => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCommand => "write a command after the image's name",
            Self::NoNetwork(_) | Self::ContainerNetwork(_) => "use `--network` bridge, host or none",
            Self::LogDriver(_) => "use `--log-driver` json-file or none",
            Self::Runtime(_) => "leave `--runtime` out: the embedded runtime is used",
            Self::RestartAndRemove => "give only one of them",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What else a configuration depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The new container's id: its short form is the host name.
    pub id: &'a ContainerId,
    /// The host's name, which a container in the host's network has.
    pub host_name: &'a str,
    /// What the image was built for.
    pub platform: &'a Platform,
}

/// Merges `options` with the image's configuration.
///
/// # Errors
///
/// The first wish that cannot be fulfilled.
pub fn resolve(options: &Options, image: &ImageConfig, facts: &Facts<'_>) -> Result<Config, Error> {
    let (entrypoint, command) = program(options, image)?;
    let workdir = match &options.workdir {
        Some(path) => path.clone(),
        None => image.working_dir().clone().filter(|dir| !dir.is_empty()).unwrap_or_default().into(),
    };
    let mut labels: std::collections::BTreeMap<String, String> =
        image.labels().clone().unwrap_or_default().into_iter().collect();
    labels.extend(options.labels.clone());
    check(options)?;
    let set = |words: &Option<Vec<String>>| words.clone().unwrap_or_default();
    Ok(Config {
        entrypoint,
        command,
        env: environment(&set(image.env()), &options.env),
        workdir: absolute(workdir)?,
        user: options.user.clone().or_else(|| image.user().clone()).unwrap_or_default(),
        hostname: hostname(options, facts)?,
        domainname: options.domainname.clone().unwrap_or_default(),
        tty: options.tty,
        open_stdin: options.interactive,
        attach: options.attach,
        labels,
        stop_signal: stop_signal(options, image.stop_signal().as_deref())?,
        stop_timeout: options.stop_timeout.unwrap_or(STOP_TIMEOUT),
        mounts: mounts(&options.mounts)?,
        volumes: set(image.volumes()).into_iter().map(PathBuf::from).collect(),
        network: options.network.clone(),
        extra_hosts: options.extra_hosts.clone(),
        dns: options.dns.clone(),
        dns_search: options.dns_search.clone(),
        dns_options: options.dns_options.clone(),
        read_only: options.read_only,
        capabilities: if options.privileged {
            capability::ALL.map(str::to_owned).into()
        } else {
            capability::resolve(&options.cap_add, &options.cap_drop)?
        },
        privileged: options.privileged,
        no_new_privileges: options.no_new_privileges,
        seccomp: if options.privileged && options.seccomp == Seccomp::Default {
            Seccomp::Unconfined
        } else {
            options.seccomp.clone()
        },
        apparmor: options.apparmor.clone(),
        selinux: options.selinux.clone(),
        ulimits: options.ulimits.clone(),
        init: options.init,
        auto_remove: options.auto_remove,
        log: options.log.clone(),
        runtime: options.runtime.clone(),
        restart: options.restart,
        platform: Some(facts.platform.clone()),
        group_add: options.group_add.clone(),
        shm_size: options.shm_size.filter(|&size| size > 0).unwrap_or(SHM_SIZE),
        exposed_ports: set(image.exposed_ports()),
    })
}

/// Entry point and command: the image's command only goes with the image's entry point.
fn program(options: &Options, image: &ImageConfig) -> Result<(Vec<String>, Vec<String>), Error> {
    let image_command = image.cmd().clone().unwrap_or_default();
    let image_entrypoint = image.entrypoint().clone().unwrap_or_default();
    let (entrypoint, command) = match &options.entrypoint {
        Some(entrypoint) => (entrypoint.clone(), options.command.clone()),
        None if options.command.is_empty() => (image_entrypoint, image_command),
        None => (image_entrypoint, options.command.clone()),
    };
    // Docker's way to write "no entry point".
    let entrypoint = if entrypoint == [""] { Vec::new() } else { entrypoint };
    match entrypoint.first().or(command.first()) {
        Some(program) if !program.is_empty() => Ok((entrypoint, command)),
        _ => Err(Error::NoCommand),
    }
}

/// The image's variables with the user's over them, or a container's with those of a command in
/// it. An entry of the first without `=` is dropped, never looked up on the host
/// (CVE-2026-57231); one of the others takes the variable away.
#[must_use]
pub fn environment(image: &[String], user: &[String]) -> Vec<String> {
    merged_environment(image, user, |name| name)
}

/// The same with what a variable is found by, which tests count.
fn merged_environment<'a, K: Hash + Eq>(
    image: &'a [String],
    user: &'a [String],
    key: impl Fn(&'a str) -> K,
) -> Vec<String> {
    let mut env: Vec<Option<&str>> = Vec::with_capacity(image.len() + user.len());
    let mut places: HashMap<K, usize> = HashMap::new();
    for (entry, is_users) in image.iter().map(|e| (e, false)).chain(user.iter().map(|e| (e, true))) {
        let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
        if entry.contains('=') && !name.is_empty() {
            match places.entry(key(name)) {
                Entry::Occupied(place) => env[*place.get()] = Some(entry),
                Entry::Vacant(place) => {
                    place.insert(env.len());
                    env.push(Some(entry));
                }
            }
        } else if is_users && let Some(at) = places.remove(&key(name)) {
            env[at] = None;
        }
    }
    env.into_iter().flatten().map(str::to_owned).collect()
}

fn absolute(workdir: PathBuf) -> Result<PathBuf, Error> {
    match workdir {
        path if path.as_os_str().is_empty() => Ok(PathBuf::from("/")),
        path if path.is_absolute() => Ok(clean(&path)),
        path => Err(Error::Workdir(path)),
    }
}

/// The path without `.`, `..` and doubled slashes, by its words alone.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => drop(out.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

fn hostname(options: &Options, facts: &Facts<'_>) -> Result<String, Error> {
    let chosen = match (&options.hostname, &options.network) {
        (Some(name), _) => name.clone(),
        (None, NetworkMode::Host) => facts.host_name.to_owned(),
        (None, _) => return Ok(facts.id.short().to_owned()),
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if chosen.is_empty() || chosen.len() > 63 || !chosen.bytes().all(good) {
        return Err(Error::Hostname(chosen));
    }
    Ok(chosen)
}

fn stop_signal(options: &Options, image: Option<&str>) -> Result<String, Error> {
    let word = options.stop_signal.as_deref().or(image).filter(|word| !word.is_empty()).unwrap_or("SIGTERM");
    signal::parse(word).map(signal::name).ok_or_else(|| Error::Signal(word.to_owned()))
}

fn mounts(requests: &[MountRequest]) -> Result<Vec<MountRequest>, Error> {
    let mut seen = BTreeSet::new();
    let mut mounts = Vec::with_capacity(requests.len());
    for request in requests {
        let target = clean(&request.target);
        if !request.target.is_absolute() || target == Path::new("/") {
            return Err(Error::MountTarget(request.target.clone()));
        }
        if !seen.insert(target.clone()) {
            return Err(Error::DuplicateMount(target));
        }
        mounts.push(MountRequest { target, ..request.clone() });
    }
    // What lies above another mount is mounted before it.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

/// What needs no more than a look at the options.
fn check(options: &Options) -> Result<(), Error> {
    if options.auto_remove && options.restart != RestartPolicy::No {
        return Err(Error::RestartAndRemove);
    }
    if !LOG_DRIVERS.contains(&options.log.driver.as_str()) {
        return Err(Error::LogDriver(options.log.driver.clone()));
    }
    if let Some(runtime) = &options.runtime {
        return Err(Error::Runtime(runtime.clone()));
    }
    match &options.network {
        NetworkMode::Named(name) => return Err(Error::NoNetwork(name.clone())),
        NetworkMode::Container(name) => return Err(Error::ContainerNetwork(name.clone())),
        NetworkMode::None | NetworkMode::Host | NetworkMode::Bridge => {}
    }
    options.ulimits.iter().try_for_each(ulimit)
}

/// The limits of setrlimit(2), by Docker's names.
pub(super) const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

fn ulimit(limit: &Ulimit) -> Result<(), Error> {
    let bad = |why| Err(Error::Ulimit { name: limit.name.clone(), why });
    if !ULIMITS.contains(&limit.name.as_str()) {
        return bad("there is no such limit");
    }
    match (limit.soft, limit.hard) {
        (soft, hard) if soft < -1 || hard < -1 => bad("a limit is -1 or more"),
        (_, -1) => Ok(()),
        (soft, hard) if soft == -1 || soft > hard => bad("the soft limit is above the hard limit"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;

    use super::*;
    use crate::container::options::{MountKind, Tmpfs};
    use crate::oci::image::ConfigBuilder;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn image(entrypoint: &str, cmd: &str) -> ImageConfig {
        ConfigBuilder::default()
            .entrypoint(words(entrypoint))
            .cmd(words(cmd))
            .env(vec!["PATH=/bin".to_owned(), "A=1".to_owned(), "HOSTSECRET".to_owned()])
            .working_dir("/srv")
            .labels(HashMap::from([("a".to_owned(), "image".to_owned())]))
            .stop_signal("3")
            .build()
            .unwrap()
    }

    fn id() -> ContainerId {
        "ab".repeat(32).parse().unwrap()
    }

    fn merged(options: &Options) -> Result<Config, Error> {
        let id = id();
        resolve(
            options,
            &image("/entry", "serve"),
            &Facts { id: &id, host_name: "host", platform: &Platform::host() },
        )
    }

    #[test]
    fn entry_point_and_command_go_by_dockers_rules() {
        // image entry point, image command, --entrypoint, command → what runs
        for (entry, cmd, option, command, want) in [
            ("/e", "c", None, "", Some("/e c")),
            ("/e", "c", None, "x y", Some("/e x y")),
            ("/e", "c", Some("/o"), "", Some("/o")),
            ("/e", "c", Some("/o"), "x", Some("/o x")),
            ("", "c", None, "", Some("c")),
            ("/e", "c", Some(""), "", None),
            ("/e", "c", Some(""), "x", Some("x")),
            ("", "", None, "", None),
        ] {
            let options =
                Options { entrypoint: option.map(words), command: words(command), ..Options::default() };
            let id = id();
            let found = resolve(
                &options,
                &image(entry, cmd),
                &Facts { id: &id, host_name: "h", platform: &Platform::host() },
            );
            let found = found.map(|config| [config.entrypoint, config.command].concat().join(" "));
            assert_eq!(found.ok().as_deref(), want, "{entry} {cmd} {option:?} {command}");
        }
        let cleared = Options { entrypoint: Some(vec![String::new()]), ..Options::default() };
        assert_eq!(merged(&cleared), Err(Error::NoCommand));
    }

    #[test]
    fn the_users_variables_go_over_the_images_and_nothing_comes_from_the_host() {
        assert_eq!(environment(&[], &words("A=1 A A=2")), ["A=2"]);
        let options = Options { env: words("B=2 A=3 C= PATH"), ..Options::default() };
        assert_eq!(merged(&options).unwrap().env, ["A=3", "B=2", "C="]);
    }

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A name that counts how often it is compared with another.
    #[derive(Eq)]
    struct Counted<'a>(&'a str);

    impl PartialEq for Counted<'_> {
        fn eq(&self, other: &Self) -> bool {
            COMPARISONS.with(|count| count.set(count.get() + 1));
            self.0 == other.0
        }
    }

    impl Hash for Counted<'_> {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn a_variable_is_not_looked_for_among_all() {
        let many: Vec<String> = (0..40_000).map(|at| format!("V{at}={at}")).collect();
        assert_eq!(merged_environment(&many, &many, Counted), many);
        let count = COMPARISONS.with(Cell::get);
        assert!(count < 3 * many.len(), "{count} comparisons");
    }

    #[test]
    fn what_is_not_said_comes_from_the_image() {
        let config = merged(&Options::default()).unwrap();
        assert_eq!(config.workdir, Path::new("/srv"));
        assert_eq!(config.stop_signal, "SIGQUIT");
        assert_eq!((config.stop_timeout, config.shm_size), (10, 64 << 20));
        assert_eq!(config.hostname, "abababababab");
        assert_eq!(config.labels["a"], "image");
        let options = Options {
            workdir: Some("/a/../b//c/.".into()),
            labels: [("a".to_owned(), "mine".to_owned())].into(),
            network: NetworkMode::Host,
            ..Options::default()
        };
        let config = merged(&options).unwrap();
        assert_eq!((config.workdir.as_path(), config.hostname.as_str()), (Path::new("/b/c"), "host"));
        assert_eq!(config.labels["a"], "mine");
    }

    #[test]
    fn mounts_are_ordered_by_depth_and_checked() {
        let tmpfs = |target: &str| MountRequest {
            target: target.into(),
            read_only: false,
            kind: MountKind::Tmpfs(Tmpfs::default()),
        };
        let with = |targets: &[&str]| {
            let mounts = targets.iter().map(|target| tmpfs(target)).collect();
            let config = merged(&Options { mounts, ..Options::default() })?;
            Ok(config.mounts.into_iter().map(|mount| mount.target.display().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(with(&["/a/b", "/c/", "/a"]).unwrap(), ["/c", "/a", "/a/b"]);
        assert_eq!(with(&["/a", "/b/../a"]), Err(Error::DuplicateMount("/a".into())));
        assert_eq!(with(&["a"]), Err(Error::MountTarget("a".into())));
        assert_eq!(with(&["/.."]), Err(Error::MountTarget("/..".into())));
    }

    #[test]
    fn wishes_that_cannot_be_are_refused_in_dockers_words() {
        let limit = |name: &str, soft, hard| Options {
            ulimits: vec![Ulimit { name: name.to_owned(), soft, hard }],
            ..Options::default()
        };
        for (options, message) in [
            (
                Options { workdir: Some("srv".into()), ..Options::default() },
                "the working directory `srv` is invalid, it needs to be an absolute path",
            ),
            (
                Options { stop_signal: Some("SIGNOPE".to_owned()), ..Options::default() },
                "invalid signal: SIGNOPE",
            ),
            (
                Options { auto_remove: true, restart: RestartPolicy::Always, ..Options::default() },
                "conflicting options: --restart and --rm",
            ),
            (
                Options { network: NetworkMode::Named("mine".to_owned()), ..Options::default() },
                "network mine not found",
            ),
            (limit("nofiles", 1, 1), "invalid ulimit `nofiles`: there is no such limit"),
            (limit("nofile", 2, 1), "invalid ulimit `nofile`: the soft limit is above the hard limit"),
            (
                Options { hostname: Some("a b".to_owned()), ..Options::default() },
                "invalid hostname `a b`: want at most 63 characters of a-z, A-Z, 0-9, `-` and `.`",
            ),
        ] {
            assert_eq!(merged(&options).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn privileged_has_everything() {
        let config = merged(&Options { privileged: true, ..Options::default() }).unwrap();
        assert_eq!(config.capabilities.len(), 41);
        assert_eq!(config.seccomp, Seccomp::Unconfined);
    }
}
