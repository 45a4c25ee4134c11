//! Converts a container's options to a document of the OCI runtime specification.
//!
//! This is pure: the same options always give the same document. Its defaults (mounts, masked
//! paths, devices) are Docker's.
//! <https://github.com/opencontainers/runtime-spec/blob/main/config.md>

use std::path::{Path, PathBuf};

use super::options::{
    Bind, MountKind, MountRequest, NetworkMode, Options, Propagation, ResourceOptions, Submounts, Tmpfs,
    Ulimit,
};
use crate::oci::GROUP_ADD;
use crate::oci::runtime::{
    Capabilities, Linux, LinuxCapabilities, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxNamespace,
    LinuxNamespaceType, LinuxResources, Mount, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process,
    Root, Spec, User,
};

/// The default `$PATH` if neither the image nor the user sets it.
pub const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Files that reveal or change the host's state. They are masked by an empty file or folder.
const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];
/// Files in /sys that exist only on some machines.
const MASKED_SYS: [&str; 1] = ["/sys/devices/virtual/powercap"];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Devices that may be opened: major and minor number, `None` for all.
const DEVICES: [(i64, Option<i64>); 8] = [
    (1, Some(3)), // null
    (1, Some(5)), // zero
    (1, Some(7)), // full
    (1, Some(8)), // random
    (1, Some(9)), // urandom
    (5, Some(0)), // tty
    (5, Some(2)), // ptmx
    (136, None),  // pts
];

/// Paths of a container's files on the host, and of its cgroup.
#[derive(Debug, Clone)]
pub struct SpecPaths<'a> {
    /// The folder with `hosts`, `hostname` and `resolv.conf`, which are bound to /etc.
    pub etc: &'a Path,
    /// The payload's cgroup, in the form of the runtime specification.
    pub cgroup: Option<PathBuf>,
    /// The root file system, for runtimes that expect a path.
    pub root: Option<PathBuf>,
}

/// The names of the files in [`SpecPaths::etc`].
pub const ETC_FILES: [&str; 3] = ["resolv.conf", "hostname", "hosts"];

/// Returns the runtime specification of a container, without its seccomp filter: the runtime builds
/// that from the options.
#[must_use]
pub fn spec(config: &Options, place: &SpecPaths<'_>) -> Spec {
    let mut spec = Spec::default();
    let mut root = Root::default();
    root.set_path(place.root.clone().unwrap_or_else(|| "rootfs".into()));
    root.set_readonly(Some(config.mounts.read_only));
    spec.set_root(Some(root));
    spec.set_process(Some(process(config)));
    spec.set_hostname(Some(config.networking.hostname().to_owned()));
    spec.set_domainname(Some(config.networking.domainname().to_owned()).filter(|name| !name.is_empty()));
    spec.set_mounts(Some(mounts(config, place.etc)));
    spec.set_linux(Some(linux(config, place)));
    if !config.process.group_add.is_empty() {
        spec.set_annotations(Some([(GROUP_ADD.to_owned(), config.process.group_add.join(","))].into()));
    }
    spec
}

/// Returns the process that `config` describes.
#[must_use]
pub fn process(config: &Options) -> Process {
    let mut process = Process::default();
    process.set_terminal(Some(config.process.tty));
    process.set_args(Some(config.process.program()));
    process.set_env(Some(environment(config)));
    process.set_cwd(config.process.workdir().to_owned());
    process.set_user(user(config.process.user()));
    process.set_capabilities(Some(capabilities(&config.security.capabilities())));
    process.set_rlimits(Some(config.resources.ulimits.iter().filter_map(rlimit).collect()));
    process.set_no_new_privileges(Some(config.security.no_new_privileges));
    process
}

/// Returns the user as written, for the runtime to look up in the container's own files. This
/// includes root, whose groups are listed there too.
fn user(written: &str) -> User {
    let mut user = User::default();
    user.set_username(Some(if written.is_empty() { "0" } else { written }.to_owned()));
    user
}

/// Returns the container's environment, with the default variables first.
fn environment(config: &Options) -> Vec<String> {
    let has = |name: &str| config.process.env.iter().any(|entry| entry.starts_with(name));
    let mut env = Vec::with_capacity(config.process.env.len() + 3);
    if !has("PATH=") {
        env.push(DEFAULT_PATH.to_owned());
    }
    if !has("HOSTNAME=") {
        env.push(format!("HOSTNAME={}", config.networking.hostname()));
    }
    if config.process.tty && !has("TERM=") {
        env.push("TERM=xterm".to_owned());
    }
    env.extend_from_slice(&config.process.env);
    env
}

/// Returns the capability sets; inheritable and ambient are always empty (CVE-2022-24769).
#[must_use]
pub fn capabilities(names: &[String]) -> LinuxCapabilities {
    let set: Capabilities = names.iter().filter_map(|name| name.strip_prefix("CAP_")?.parse().ok()).collect();
    let mut capabilities = LinuxCapabilities::default();
    capabilities.set_bounding(Some(set.clone()));
    capabilities.set_effective(Some(set.clone()));
    capabilities.set_permitted(Some(set));
    capabilities.set_inheritable(None);
    capabilities.set_ambient(None);
    capabilities
}

fn rlimit(limit: &Ulimit) -> Option<PosixRlimit> {
    use PosixRlimitType as T;
    let typ = match limit.name.as_str() {
        "core" => T::RlimitCore,
        "cpu" => T::RlimitCpu,
        "data" => T::RlimitData,
        "fsize" => T::RlimitFsize,
        "locks" => T::RlimitLocks,
        "memlock" => T::RlimitMemlock,
        "msgqueue" => T::RlimitMsgqueue,
        "nice" => T::RlimitNice,
        "nofile" => T::RlimitNofile,
        "nproc" => T::RlimitNproc,
        "rss" => T::RlimitRss,
        "rtprio" => T::RlimitRtprio,
        "rttime" => T::RlimitRttime,
        "sigpending" => T::RlimitSigpending,
        "stack" => T::RlimitStack,
        _ => return None, // `resolve` refuses it
    };
    // -1 is RLIM_INFINITY, with all bits set.
    let bits = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
    let rlimit = PosixRlimitBuilder::default().typ(typ).soft(bits(limit.soft)).hard(bits(limit.hard));
    rlimit.build().ok()
}

fn linux(config: &Options, place: &SpecPaths<'_>) -> Linux {
    use LinuxNamespaceType as N;
    let mut linux = Linux::default();
    let mut namespaces = vec![N::Mount, N::Pid, N::Uts, N::Ipc, N::Cgroup];
    if config.networking.network != NetworkMode::Host {
        namespaces.push(N::Network);
    }
    linux.set_namespaces(Some(namespaces.into_iter().map(namespace).collect()));
    linux.set_cgroups_path(place.cgroup.clone());
    linux.set_devices(Some(Vec::new()));
    let mut resources = LinuxResources::default();
    resources.set_devices(Some(device_rules(config.security.privileged)));
    resources.set_memory(memory(&config.resources));
    linux.set_resources(Some(resources));
    let own = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();
    let (masked, read_only) = if config.security.privileged {
        (Vec::new(), Vec::new())
    } else {
        ([own(&MASKED), own(&MASKED_SYS)].concat(), own(&READ_ONLY))
    };
    linux.set_masked_paths(Some(masked));
    linux.set_readonly_paths(Some(read_only));
    linux.set_rootfs_propagation(rootfs_propagation(&config.mounts.list).map(str::to_owned));
    linux
}

fn memory(resources: &ResourceOptions) -> Option<LinuxMemory> {
    let mut memory = LinuxMemory::default();
    memory.set_limit(Some(i64::try_from(resources.memory?).unwrap_or(i64::MAX)));
    memory.set_swap(resources.memory_swap);
    Some(memory)
}

fn namespace(typ: LinuxNamespaceType) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(typ);
    namespace
}

/// Returns the propagation of the root: a bind can only propagate if the mounts above it do.
fn rootfs_propagation(mounts: &[MountRequest]) -> Option<&'static str> {
    let mut found = None;
    for mount in mounts {
        if let MountKind::Bind(bind) = &mount.kind {
            match bind.propagation {
                Propagation::Shared | Propagation::Rshared => return Some("shared"),
                Propagation::Slave | Propagation::Rslave => found = Some("slave"),
                Propagation::Private | Propagation::Rprivate | Propagation::Unknown(_) => {}
            }
        }
    }
    found
}

fn device_rules(privileged: bool) -> Vec<LinuxDeviceCgroup> {
    let rule = |allow, typ, major, minor, access: &str| {
        let mut rule = LinuxDeviceCgroup::default();
        rule.set_allow(allow);
        rule.set_typ(Some(typ));
        rule.set_major(major);
        rule.set_minor(minor);
        rule.set_access(Some(access.to_owned()));
        rule
    };
    if privileged {
        return vec![rule(true, LinuxDeviceType::A, None, None, "rwm")];
    }
    let mut rules = vec![
        rule(false, LinuxDeviceType::A, None, None, "rwm"),
        // Allow `mknod` for any device: that does not open it.
        rule(true, LinuxDeviceType::C, None, None, "m"),
        rule(true, LinuxDeviceType::B, None, None, "m"),
    ];
    let allowed = DEVICES.into_iter();
    rules.extend(allowed.map(|(major, minor)| rule(true, LinuxDeviceType::C, Some(major), minor, "rwm")));
    rules
}

/// Returns Docker's mounts, then the container's own files of /etc, then the requested mounts. A
/// requested mount replaces a default one with the same target.
fn mounts(config: &Options, etc: &Path) -> Vec<Mount> {
    let cgroup_mode = if config.security.privileged { "rw" } else { "ro" };
    let sys_mode = if config.security.privileged { "rw" } else { "ro" };
    let shm = format!("size={}", config.resources.shm_size());
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", sys_mode]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", cgroup_mode]),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", &shm]),
    ];
    for file in ETC_FILES {
        let source = etc.join(file);
        let target = Path::new("/etc").join(file);
        let options: &[&str] =
            if config.mounts.read_only { &["bind", "ro", "rprivate"] } else { &["bind", "rprivate"] };
        mounts.push(mount(&target, "bind", &source, options));
    }
    let replaced =
        |mount: &Mount| config.mounts.list.iter().any(|asked| asked.target == *mount.destination());
    mounts.retain(|mount| !replaced(mount));
    mounts.extend(config.mounts.list.iter().filter_map(requested));
    mounts
}

/// Converts a requested mount; `None` for an unknown type, which a start refuses.
fn requested(request: &MountRequest) -> Option<Mount> {
    let mode = if request.read_only { "ro" } else { "rw" };
    Some(match &request.kind {
        MountKind::Bind(Bind { source, propagation, recursive, submounts, .. }) => {
            let bind = if *recursive { "rbind" } else { "bind" };
            // Every kernel that hoist supports has recursive read-only mounts, so `Alike` and
            // `ReadOnly` are the same.
            let mode = match (request.read_only, submounts) {
                (true, Submounts::Alike | Submounts::ReadOnly) => "rro",
                _ => mode,
            };
            mount(&request.target, "bind", source, &[bind, mode, &propagation.as_str()])
        }
        MountKind::Tmpfs(tmpfs) => {
            let options = tmpfs_options(tmpfs, mode);
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            mount(&request.target, "tmpfs", "tmpfs", &options)
        }
        MountKind::Unknown(_) => return None,
    })
}

/// Returns Docker's default options unless the user's contradict them.
fn tmpfs_options(tmpfs: &Tmpfs, mode: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for (default, opposite) in [("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")] {
        if !tmpfs.options.iter().any(|option| option == opposite) {
            options.push(default.to_owned());
        }
    }
    options.push(mode.to_owned());
    options.extend(tmpfs.size.map(|size| format!("size={size}")));
    options.push(format!("mode={:o}", tmpfs.mode.unwrap_or(0o1777)));
    options
        .extend(tmpfs.options.iter().filter(|option| !options.contains(option)).cloned().collect::<Vec<_>>());
    options
}

fn mount(target: impl AsRef<Path>, typ: &str, source: impl AsRef<Path>, options: &[&str]) -> Mount {
    let mut mount = Mount::default();
    mount.set_destination(target.as_ref().to_owned());
    mount.set_typ(Some(typ.to_owned()));
    mount.set_source(Some(source.as_ref().to_owned()));
    mount.set_options(Some(options.iter().map(|&option| option.to_owned()).collect()));
    mount
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Options {
        let mut options = Options::default();
        options.process.entrypoint = Some(vec!["/bin/sh".to_owned()]);
        options.process.command = vec!["-c".to_owned(), "true".to_owned()];
        options.process.env = vec!["A=1".to_owned()];
        options.networking.hostname = Some("web".to_owned());
        options.security.cap_drop = vec!["ALL".to_owned()];
        options.security.cap_add = vec!["KILL".to_owned()];
        options
    }

    fn made(config: &Options) -> Spec {
        spec(config, &SpecPaths { etc: Path::new("/state/c"), cgroup: None, root: None })
    }

    fn lines(spec: &Spec) -> String {
        let mounts = spec.mounts().iter().flatten();
        let line = |mount: &Mount| {
            format!(
                "{} {} {} {}\n",
                mount.destination().display(),
                mount.typ().as_deref().unwrap(),
                mount.source().as_deref().unwrap().display(),
                mount.options().as_ref().unwrap().join(","),
            )
        };
        mounts.map(line).collect()
    }

    #[test]
    fn the_mounts_are_dockers_and_the_users() {
        let mut config = config();
        let bind = Bind {
            source: "/host".into(),
            propagation: Propagation::Rslave,
            recursive: true,
            ..Bind::default()
        };
        let tmpfs = Tmpfs { size: Some(1024), options: vec!["exec".to_owned()], ..Tmpfs::default() };
        config.mounts.list = vec![
            MountRequest { read_only: true, ..MountRequest::new("/data", MountKind::Bind(bind)) },
            MountRequest::new("/etc/hosts", MountKind::Tmpfs(tmpfs)),
        ];
        let spec = made(&config);
        assert_eq!(
            lines(&spec),
            "\
/proc proc proc nosuid,noexec,nodev
/dev tmpfs tmpfs nosuid,strictatime,mode=755,size=65536k
/dev/pts devpts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5
/sys sysfs sysfs nosuid,noexec,nodev,ro
/sys/fs/cgroup cgroup cgroup nosuid,noexec,nodev,relatime,ro
/dev/mqueue mqueue mqueue nosuid,noexec,nodev
/dev/shm tmpfs shm nosuid,noexec,nodev,mode=1777,size=67108864
/etc/resolv.conf bind /state/c/resolv.conf bind,rprivate
/etc/hostname bind /state/c/hostname bind,rprivate
/data bind /host rbind,rro,rslave
/etc/hosts tmpfs tmpfs nosuid,nodev,rw,size=1024,mode=1777,exec
"
        );
        assert_eq!(spec.linux().as_ref().unwrap().rootfs_propagation().as_deref(), Some("slave"));
    }

    #[test]
    fn the_process_is_what_was_asked_for_with_the_usual_variables() {
        let mut config = config();
        config.process.tty = true;
        config.process.user = Some("web:staff".to_owned());
        config.resources.ulimits =
            vec![Ulimit { name: "nofile".to_owned(), soft: 10, hard: -1, ..Ulimit::default() }];
        let process = process(&config);
        assert_eq!(process.args().as_ref().unwrap().join(" "), "/bin/sh -c true");
        let env = process.env().as_ref().unwrap();
        assert_eq!(env, &[DEFAULT_PATH, "HOSTNAME=web", "TERM=xterm", "A=1"]);
        assert_eq!(process.user().username().as_deref(), Some("web:staff"));
        let limit = process.rlimits().as_ref().unwrap()[0];
        assert_eq!((limit.soft(), limit.hard()), (10, u64::MAX));
        let capabilities = process.capabilities().as_ref().unwrap();
        assert_eq!(capabilities.bounding().as_ref().unwrap().len(), 1);
        assert_eq!((capabilities.inheritable(), capabilities.ambient()), (&None, &None));
    }

    #[test]
    fn the_hosts_network_is_no_namespace_and_privileged_hides_nothing() {
        let mut config = config();
        let namespaces = |spec: &Spec| spec.linux().as_ref().unwrap().namespaces().as_ref().unwrap().len();
        assert_eq!(namespaces(&made(&config)), 6);
        config.networking.network = NetworkMode::Host;
        config.security.privileged = true;
        let spec = made(&config);
        assert_eq!(namespaces(&spec), 5);
        let linux = spec.linux().as_ref().unwrap();
        assert_eq!(linux.masked_paths().as_ref().unwrap().len(), 0);
        assert!(lines(&spec).contains("/sys sysfs sysfs nosuid,noexec,nodev,rw\n"));
    }

    #[test]
    fn every_default_capability_has_its_name_in_the_specification() {
        let all: Vec<String> = super::super::capability::ALL.map(str::to_owned).into();
        assert_eq!(capabilities(&all).bounding().as_ref().unwrap().len(), all.len());
    }
}
