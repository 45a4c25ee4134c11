//! The creator's work before the clone: reads the spec, rejects what is invalid, and opens in the
//! host's namespaces what init attaches later.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType};

use super::hook::Calls;
use super::idmap;
use super::listener::Agent;
use super::namespaces::Joined;
use super::options::{self, Now, Options};
use super::scheduling::Scheduling;
use super::{Error, Init, Keyring, Links, Plan, Result, Root, Stdio, confine, seccomp, support, sysctl};
use crate::cgroup::{Cgroup, Entrance};
use crate::oci::runtime::{self as oci, Spec};
use crate::sys::cap::{CapSet, Lists};
use crate::sys::mount::{self, Attrs, Depth, Propagation};
use crate::sys::ns::{Namespace, Namespaces};
use crate::sys::probe::Probe;
use crate::sys::{self, check, fs};

/// Everything that init needs. The clone copies it into init.
pub(super) struct Prepared<'a> {
    pub(super) spec: &'a Spec,
    pub(super) process: &'a oci::Process,
    pub(super) probe: &'a Probe,
    pub(super) root: OwnedFd,
    /// Where the root is mounted in a mount namespace that is not its own; otherwise it is the root
    /// of a new one.
    pub(super) place: Option<PathBuf>,
    pub(super) root_propagation: (Propagation, Depth),
    pub(super) mounts: Vec<Mount>,
    pub(super) devices: Vec<Device>,
    /// The SELinux label of all new file systems.
    pub(super) mount_label: Option<String>,
    pub(super) namespaces: Joined,
    pub(super) entrance: Entrance,
    pub(super) stdio: Stdio,
    pub(super) init: Init,
    pub(super) security: Security,
    pub(super) hooks: Option<Calls>,
    /// Who answers the notifications of the filter.
    pub(super) agent: Option<Agent>,
    pub(super) passed: Vec<OwnedFd>,
    pub(super) keyring: Keyring,
    pub(super) warnings: Vec<String>,
}

/// The privileges of the payload, and how it is scheduled.
pub(super) struct Security {
    pub(super) capabilities: Lists,
    pub(super) filter: Option<seccomp::Filter>,
    pub(super) no_new_privileges: bool,
    pub(super) scheduling: Scheduling,
    /// Additional groups, by name or number, to be looked up in the container.
    pub(super) groups: Vec<String>,
    /// Capabilities that cannot be granted, a sentence for each list.
    pub(super) warnings: Vec<String>,
}

/// A mount of the spec.
pub(super) struct Mount {
    pub(super) destination: PathBuf,
    pub(super) options: Options,
    pub(super) what: What,
    /// Whether only a directory can be in its place, not a link to one.
    pub(super) refuses_links: bool,
}

impl Mount {
    /// Whether it is a new file system of this type.
    pub(super) fn makes(&self, wanted: &str) -> bool {
        matches!(&self.what, What::New { kind, .. } if kind == wanted)
    }
}

/// The source of a mount.
pub(super) enum What {
    /// A detached tree of the host.
    Tree { tree: OwnedFd, is_directory: bool },
    /// A file system to be created in the container's namespaces.
    New { kind: String, source: Option<String> },
    /// The container's cgroups: trees by name.
    Cgroups(Vec<(String, OwnedFd)>),
}

/// A device node.
pub(super) struct Device {
    pub(super) path: PathBuf,
    pub(super) kind: FileType,
    pub(super) number: (u32, u32),
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// The host's own node, if nodes cannot be created.
    pub(super) tree: Option<OwnedFd>,
}

/// Reads the plan and opens what it needs from the host.
pub(super) fn prepare(plan: Plan<'_>) -> Result<Prepared<'_>> {
    let Plan { spec, root, mounts, stdio, cgroup, init, probe, passed, links, keyring, hooks, gate: _ } =
        plan;
    if !probe.can_contain() {
        return Err(Error::NotPermitted { missing: missing(probe) });
    }
    support::check(spec)?;
    if hooks.is_none() && spec.hooks().as_ref().is_some_and(support::has_hooks) {
        return Err(Error::spec("hooks", "they are not supported here"));
    }
    let process = spec.process().as_ref().ok_or_else(|| Error::spec("process", "it is missing"))?;
    let namespaces = Joined::read(spec)?;
    let place = match &root {
        _ if namespaces.new.has(Namespace::Mount) => None,
        Root::Path(path) => Some(path.clone()),
        Root::Tree(_) => return Err(Error::spec("linux.namespaces", "a mount namespace is required")),
    };
    check_names(spec, namespaces.own)?;
    sysctl::check_settings(spec, namespaces.own)?;
    let entrance = match cgroup {
        Some(cgroup) => cgroup.entrance(probe.into_cgroup).map_err(Error::Cgroup)?,
        None => Entrance { born_into: None, joined: Vec::new() },
    };
    let mut warnings = cgroup.map(|cgroup| cgroup.warnings.clone()).unwrap_or_default();
    let security = security(spec, process)?;
    warnings.extend(security.warnings.iter().cloned());
    let lacking = security.capabilities.permitted.without(probe.effective);
    // In its own user namespace it has all capabilities.
    if !lacking.is_empty() && !namespaces.own.has(Namespace::User) {
        let names: Vec<String> = lacking.iter().map(|cap| cap.to_string()).collect();
        warnings.push(format!("capabilities that hoist itself lacks are not granted: {}", names.join(", ")));
    }
    let shares_devices = !probe.mknod || namespaces.own.has(Namespace::User);
    Ok(Prepared {
        agent: Agent::connect(spec, hooks.as_ref(), None)?,
        root: open_root(root)?,
        place,
        root_propagation: root_propagation(spec)?,
        mounts: prepare_mounts(spec, mounts, cgroup, probe, &namespaces, links)?,
        devices: devices(spec, shares_devices)?,
        mount_label: confine::mount_label(spec)?,
        spec,
        process,
        probe,
        namespaces,
        entrance,
        stdio,
        init,
        security,
        hooks,
        passed,
        keyring,
        warnings,
    })
}

fn missing(probe: &Probe) -> &'static str {
    if probe.mount_api && probe.openat2 && probe.clone3 {
        "CAP_SYS_ADMIN is required to create a container"
    } else {
        "this kernel is too old to create a container: Linux 5.14 or newer is required"
    }
}

/// Returns the privileges of the payload.
pub(super) fn security(spec: &Spec, process: &oci::Process) -> Result<Security> {
    confine::check(process)?;
    let filter = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    let filter = filter.map(seccomp::compile).transpose()?;
    let groups = spec.annotations().as_ref().and_then(|all| all.get(crate::oci::GROUP_ADD));
    let (capabilities, warnings) = capabilities(process)?;
    Ok(Security {
        capabilities,
        warnings,
        filter,
        no_new_privileges: process.no_new_privileges().unwrap_or(false),
        scheduling: Scheduling::of(spec, process)?,
        groups: groups.into_iter().flat_map(|list| list.split(',')).map(str::to_owned).collect(),
    })
}

/// Returns the five capability sets, without what the kernel cannot grant, and a warning for each
/// list with such capabilities. Missing sets are empty.
fn capabilities(process: &oci::Process) -> Result<(Lists, Vec<String>)> {
    let Some(sets) = process.capabilities() else { return Ok((Lists::default(), Vec::new())) };
    let read = |set: &Option<std::collections::HashSet<oci::Capability>>| {
        let caps = set.iter().flatten().map(|cap| cap.to_string().parse::<sys::cap::Cap>());
        let caps = caps.collect::<std::result::Result<CapSet, _>>();
        caps.map_err(|bad| Error::spec("process.capabilities", &bad.to_string()))
    };
    let mut lists = Lists {
        bounding: read(sets.bounding())?,
        effective: read(sets.effective())?,
        permitted: read(sets.permitted())?,
        inheritable: read(sets.inheritable())?,
        ambient: read(sets.ambient())?,
    };
    let mut warnings = Vec::new();
    let mut keep = |list: &mut CapSet, of: CapSet, what: &str| {
        let lost: Vec<String> = list.without(of).iter().map(|cap| cap.to_string()).collect();
        if !lost.is_empty() {
            warnings.push(format!("{what}: {}", lost.join(", ")));
        }
        *list = list.and(of);
    };
    keep(&mut lists.effective, lists.permitted, "capabilities that are not permitted cannot be effective");
    keep(&mut lists.ambient, lists.permitted, "capabilities that are not permitted cannot be ambient");
    keep(&mut lists.ambient, lists.inheritable, "capabilities that are not inheritable cannot be ambient");
    Ok((lists, warnings))
}

/// Rejects names that would be set for the caller: without a UTS namespace, or with the path of the
/// caller's own.
fn check_names(spec: &Spec, own: Namespaces) -> Result<()> {
    let is_set = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.is_empty());
    for (field, is_set) in [("hostname", is_set(spec.hostname())), ("domainname", is_set(spec.domainname()))]
    {
        if is_set && !own.has(Namespace::Uts) {
            return Err(Error::spec(field, "the container has no UTS namespace of its own"));
        }
    }
    Ok(())
}

fn open_root(root: Root) -> Result<OwnedFd> {
    match root {
        Root::Tree(tree) => Ok(tree),
        Root::Path(path) => {
            let tree = mount::open_tree_at(&path, Depth::Tree)?;
            if fs::file_type(&fs::stat(&tree)?) != FileType::Directory {
                return Err(Error::spec("root.path", &format!("{} is not a directory", path.display())));
            }
            Ok(tree)
        }
    }
}

fn root_propagation(spec: &Spec) -> Result<(Propagation, Depth)> {
    let word = spec.linux().as_ref().and_then(|linux| linux.rootfs_propagation().as_deref());
    match word.filter(|word| !word.is_empty()) {
        None => Ok((Propagation::Private, Depth::Tree)),
        Some(word) => options::propagation(word).ok_or_else(|| {
            Error::spec("linux.rootfsPropagation", &format!("`{word}` is not a propagation mode"))
        }),
    }
}

fn prepare_mounts(
    spec: &Spec,
    mut trees: Vec<(PathBuf, OwnedFd)>,
    cgroup: Option<&Cgroup>,
    probe: &Probe,
    namespaces: &Joined,
    links: Links,
) -> Result<Vec<Mount>> {
    let own = namespaces.own;
    let shares_user = !(probe.in_user_namespace || own.has(Namespace::User));
    let mut mounts = Vec::new();
    for mount in spec.mounts().iter().flatten() {
        let destination = mount.destination().clone();
        let field = || format!("mounts[{}]", destination.display());
        support::check_destination(&destination, mount.typ().as_deref())?;
        let words = mount.options().as_deref().unwrap_or_default();
        let mut options = options::parse(words).map_err(|options::Refused(option)| {
            Error::spec(&field(), &format!("option `{option}` is not supported"))
        })?;
        let given = trees.iter().position(|(path, _)| *path == destination).map(|at| trees.swap_remove(at).1);
        let kind = mount.typ().as_deref().unwrap_or("none");
        if options.copy_up && (kind != "tmpfs" || options.bind.is_some()) {
            return Err(Error::spec(&field(), "the option `tmpcopyup` is for a tmpfs"));
        }
        let bind = options.bind.or((kind == "bind").then_some(Depth::One));
        let mapping = idmap::Mapping::of(mount, &options, &field())?;
        if mapping.is_some() && (bind.is_none() || given.is_some()) {
            return Err(Error::spec(&field(), "only the ids of a bind mount can be mapped"));
        }
        if let Some((option, _)) = options.data.first().filter(|_| bind.is_some() || given.is_some()) {
            return Err(Error::spec(&field(), &format!("a bind has no option `{option}`")));
        }
        let what = if let Some(tree) = given {
            tree_of(tree, &options)?
        } else if let Some(depth) = bind {
            let source = mount
                .source()
                .as_ref()
                .ok_or_else(|| Error::spec(&field(), "a bind mount requires a source"))?;
            let tree = mount::open_tree_at(source, depth)?;
            if let Some(mapping) = mapping {
                mapping.apply(&tree, namespaces, &field())?;
            }
            tree_of(tree, &options)?
        } else if matches!(kind, "cgroup" | "cgroup2") {
            options.data.clear(); // they belong to the existing file system
            let trees = cgroup.map(Cgroup::trees).transpose().map_err(Error::Cgroup)?.unwrap_or_default();
            for (_, tree) in &trees {
                mount::set_propagation(tree.as_fd(), Depth::Tree, Propagation::Private)?;
            }
            What::Cgroups(trees)
        } else if let Some(source) = instead(kind, shares_user, own) {
            options.data.clear();
            tree_of(mount::open_tree_at(source, Depth::Tree)?, &options)?
        } else {
            let source = mount.source().as_ref().map(|source| source.display().to_string());
            What::New { kind: kind.to_owned(), source }
        };
        let refuses_links = links == Links::Refuse && matches!(kind, "proc" | "sysfs");
        mounts.push(Mount { destination, options, what, refuses_links });
    }
    Ok(mounts)
}

/// Returns the host's mount to use instead of a new file system. In a user namespace, the host's
/// process ids, network and message queues are only accessible through file systems mounted by the
/// host.
fn instead(kind: &str, shares_user: bool, own: Namespaces) -> Option<&'static str> {
    match kind {
        _ if shares_user => None,
        "proc" if !own.has(Namespace::Pid) => Some("/proc"),
        "sysfs" if !own.has(Namespace::Net) => Some("/sys"),
        "mqueue" if !own.has(Namespace::Ipc) => Some("/dev/mqueue").filter(|path| Path::new(path).exists()),
        _ => None,
    }
}

/// Applies the options to a detached tree of the host, and makes it private by default.
fn tree_of(tree: OwnedFd, options: &Options) -> Result<What> {
    let is_directory = fs::file_type(&fs::stat(&tree)?) == FileType::Directory;
    if options.propagation.is_empty() {
        mount::set_propagation(tree.as_fd(), Depth::Tree, Propagation::Private)?;
    }
    set_attributes(&tree, options)?;
    set_propagation(&tree, options)?;
    Ok(What::Tree { tree, is_directory })
}

/// Sets the attributes of a mount, and of the whole tree.
pub(super) fn set_attributes(tree: &OwnedFd, options: &Options) -> Result<()> {
    if !options.own.is_empty() {
        set_those(tree, Depth::One, options.own.of(now(tree)?))?;
    }
    if !options.all.is_empty() {
        set_those(tree, Depth::Tree, options.all.of(Now::Unknown))?;
    }
    Ok(())
}

fn set_those(tree: &OwnedFd, depth: Depth, (set, clear): (Attrs, Attrs)) -> Result<()> {
    match set.is_empty() && clear.is_empty() {
        true => Ok(()),
        false => Ok(mount::set_attrs(tree.as_fd(), depth, set, clear)?),
    }
}

/// Returns how a mount updates access times.
fn now(tree: &OwnedFd) -> Result<Now> {
    use rustix::fs::StatVfsMountFlags as Flags;
    let flags = check(rustix::fs::fstatvfs(tree), || "fstatvfs()".to_owned())?.f_flag;
    Ok(match () {
        () if flags.contains(Flags::NOATIME) => Now::Never,
        () if flags.contains(Flags::RELATIME) => Now::Relative,
        () => Now::Strict,
    })
}

pub(super) fn set_propagation(tree: &OwnedFd, options: &Options) -> Result<()> {
    for (propagation, depth) in &options.propagation {
        mount::set_propagation(tree.as_fd(), *depth, *propagation)?;
    }
    Ok(())
}

/// The devices of every container.
const DEFAULT_DEVICES: &[(&str, (u32, u32))] = &[
    ("/dev/null", (1, 3)),
    ("/dev/zero", (1, 5)),
    ("/dev/full", (1, 7)),
    ("/dev/random", (1, 8)),
    ("/dev/urandom", (1, 9)),
    ("/dev/tty", (5, 0)),
];

fn devices(spec: &Spec, shared: bool) -> Result<Vec<Device>> {
    let mut devices: Vec<Device> = DEFAULT_DEVICES
        .iter()
        .map(|&(path, number)| Device {
            path: path.into(),
            kind: FileType::CharacterDevice,
            number,
            mode: 0o666,
            owner: (0, 0),
            tree: None,
        })
        .collect();
    let listed = spec.linux().as_ref().and_then(|linux| linux.devices().as_ref());
    // `/dev/ptmx` is a link to the container's own devpts.
    for device in listed.into_iter().flatten().filter(|device| device.path() != Path::new("/dev/ptmx")) {
        let number = |n: i64| {
            u32::try_from(n).map_err(|_| Error::spec("linux.devices", &format!("{n} is not a device number")))
        };
        devices.retain(|known| known.path != *device.path());
        devices.push(Device {
            path: device.path().clone(),
            kind: match device.typ() {
                oci::LinuxDeviceType::B => FileType::BlockDevice,
                oci::LinuxDeviceType::P => FileType::Fifo,
                _ => FileType::CharacterDevice,
            },
            number: (number(device.major())?, number(device.minor())?),
            mode: device.file_mode().unwrap_or(0o666) & 0o7777,
            owner: (device.uid().unwrap_or(0), device.gid().unwrap_or(0)),
            tree: None,
        });
    }
    if shared {
        for device in devices.iter_mut().filter(|device| device.kind != FileType::Fifo) {
            device.tree = Some(open_device(&device.path, device.kind, device.number)?);
        }
    }
    Ok(devices)
}

/// Returns a detached bind of a device of the host, after checking its type and number. It allows
/// using the device, but not changing the mode, owner or times of the host's node.
///
/// That holds until it is remounted with CAP_SYS_ADMIN. There is no alternative, since a user
/// namespace can neither create a node nor open one on its own file system. The node still belongs
/// to the host's root, which has no rights in the namespace unless the creator mapped itself.
fn open_device(path: &Path, kind: FileType, number: (u32, u32)) -> Result<OwnedFd> {
    let tree = mount::open_tree(CWD, path, Depth::One)?;
    let stat = fs::stat(&tree)?;
    if fs::file_type(&stat) == kind && fs::device_numbers(stat.st_rdev) == number {
        let attrs = Attrs::MOUNT_ATTR_RDONLY | Attrs::MOUNT_ATTR_NOSUID | Attrs::MOUNT_ATTR_NOEXEC;
        mount::set_attrs(tree.as_fd(), Depth::One, attrs, Attrs::empty())?;
        // Otherwise mounts over it in the container would propagate to the host's `/dev`.
        mount::set_propagation(tree.as_fd(), Depth::One, Propagation::Private)?;
        return Ok(tree);
    }
    let call = format!("open_tree({}, OPEN_TREE_CLONE)", path.display());
    let why = format!("it is not the device {}:{}", number.0, number.1);
    Err(sys::Error::new(call, std::io::Error::other(why)).into())
}
