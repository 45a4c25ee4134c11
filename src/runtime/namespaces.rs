//! The namespaces of a container: those it creates, joins and inherits.
//!
//! Init is born into its new namespaces where possible. It cannot be if
//!
//! - a user namespace is created or joined, and others are joined: each may be accessible only from
//!   one of the two user namespaces;
//! - a user namespace is joined: it must own the new ones;
//! - a time namespace is created: its clocks can be set only while it has no process.
//!
//! Then an intermediate process enters them first and has init as its sibling.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::{Error, Result};
use crate::oci::runtime::{LinuxIdMapping, LinuxNamespaceType, Spec};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{check, fs};

const FIELD: &str = "linux.namespaces";

/// The namespaces to create and to join.
pub(super) struct Joined {
    pub(super) new: Namespaces,
    /// Others than the caller's. The mount namespace is the last one: files of the host cannot be
    /// accessed from there.
    pub(super) by_path: Vec<(Namespace, OwnedFd)>,
    /// Those that differ from the caller's. Only their settings may be changed.
    pub(super) own: Namespaces,
    /// The ids that the spec maps in the user namespace.
    maps: Maps,
    /// The clocks of a new time namespace, as the kernel reads them.
    offsets: String,
}

/// Lines of a user namespace's map: the first id inside, the first outside, and the count.
type Lines = Vec<(u32, u32, u32)>;

/// The ids that a user namespace maps.
#[derive(Debug, Default, PartialEq, Eq)]
struct Maps {
    users: Lines,
    groups: Lines,
}

impl Joined {
    /// Reads the spec, and opens the namespaces that it names by path.
    pub(super) fn read(spec: &Spec) -> Result<Self> {
        let linux = spec.linux().as_ref();
        let lines = |maps: Option<&Vec<LinuxIdMapping>>| {
            let lines = maps.into_iter().flatten();
            sorted(lines.map(|map| (map.container_id(), map.host_id(), map.size())).collect())
        };
        let maps = Maps {
            users: lines(linux.and_then(|linux| linux.uid_mappings().as_ref())),
            groups: lines(linux.and_then(|linux| linux.gid_mappings().as_ref())),
        };
        let (new, by_path) = (Namespaces::NONE, Vec::new());
        let mut joined = Self { new, by_path, own: new, maps, offsets: String::new() };
        let mut listed = Namespaces::NONE;
        for namespace in linux.and_then(|linux| linux.namespaces().as_ref()).into_iter().flatten() {
            let kind = kind_of(namespace.typ());
            if listed.has(kind) {
                return Err(Error::spec(FIELD, &format!("`{}` is listed twice", name(kind))));
            }
            listed = listed.with(kind);
            match namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
                None => joined.new = joined.new.with(kind),
                Some(path) => {
                    let fd = open(path, kind)?;
                    if !is_callers(kind, &fd)? {
                        joined.by_path.push((kind, fd));
                    }
                }
            }
        }
        joined.by_path.sort_by_key(|(kind, _)| *kind == Namespace::Mount);
        joined.own = joined.by_path.iter().fold(joined.new, |own, (kind, _)| own.with(*kind));
        joined.check_maps(listed)?;
        joined.offsets = offsets(spec, listed, joined.new)?;
        Ok(joined)
    }

    fn check_maps(&self, listed: Namespaces) -> Result<()> {
        for (field, lines) in [("uidMappings", &self.maps.users), ("gidMappings", &self.maps.groups)] {
            let field = format!("linux.{field}");
            if self.new.has(Namespace::User) && lines.is_empty() {
                return Err(Error::spec(&field, "a user namespace requires mappings"));
            }
            if !listed.has(Namespace::User) && !lines.is_empty() {
                return Err(Error::spec(&field, "they require a user namespace"));
            }
        }
        let is_callers = listed.has(Namespace::User) && !self.own.has(Namespace::User);
        if is_callers { self.maps.compare() } else { Ok(()) }
    }

    /// Whether this type is joined, and not the caller's.
    pub(super) fn joins(&self, wanted: Namespace) -> bool {
        self.own.has(wanted) && !self.new.has(wanted)
    }

    /// Returns the user namespace that is joined, if there is one.
    pub(super) fn joined_user(&self) -> Option<&OwnedFd> {
        self.by_path.iter().find(|(kind, _)| *kind == Namespace::User).map(|(_, fd)| fd)
    }

    /// Whether another process than init must create and join them.
    pub(super) fn need_another(&self) -> bool {
        let joins_user = self.joins(Namespace::User);
        let creates_user = self.new.has(Namespace::User);
        self.new.has(Namespace::Time) || joins_user || (creates_user && !self.by_path.is_empty())
    }

    /// Joins the namespaces, except the mount namespace, and creates the new ones except the cgroup
    /// namespace, in which only new processes may be. Returns the pid namespace if one is joined.
    pub(super) fn enter(&mut self) -> Result<Option<OwnedFd>> {
        let (mut user, mut pid, mut denied, mut left) = (None, None, Vec::new(), Vec::new());
        let joins_user = self.joins(Namespace::User);
        for (kind, fd) in self.by_path.drain(..) {
            match kind {
                Namespace::User => user = Some(fd),
                Namespace::Mount => left.push((kind, fd)),
                _ => {
                    match ns::enter(fd.as_fd(), kind) {
                        // It may belong to the user namespace that is joined.
                        Err(error) if joins_user && error.is(rustix::io::Errno::PERM) => {
                            denied.push((kind, fd));
                        }
                        result => {
                            result.map(|()| pid = (kind == Namespace::Pid).then_some(fd).or(pid.take()))?
                        }
                    }
                }
            }
        }
        self.by_path = left;
        if let Some(user) = user {
            ns::enter(user.as_fd(), Namespace::User)?;
            self.maps.compare()?;
            self.maps = Maps::of_self()?;
        }
        for (kind, fd) in denied {
            ns::enter(fd.as_fd(), kind)?;
            pid = (kind == Namespace::Pid).then_some(fd).or(pid);
        }
        ns::unshare(self.new.without(Namespace::Cgroup))?;
        if !self.offsets.is_empty() {
            let path = "/proc/self/timens_offsets";
            let written = std::fs::write(path, &self.offsets);
            check(written, || format!("write({path}, {:?})", self.offsets))?;
        }
        Ok(pid)
    }

    /// The contents of the map files of a new user namespace: of users and of groups.
    pub(super) fn new_maps(&self) -> Option<[String; 2]> {
        let text = |lines: &Lines| {
            lines.iter().map(|(inside, outside, count)| format!("{inside} {outside} {count}\n")).collect()
        };
        self.new.has(Namespace::User).then(|| [text(&self.maps.users), text(&self.maps.groups)])
    }

    /// Whether a group id is mapped in the user namespace that is created or joined; `None` if there
    /// is none.
    pub(super) fn maps_gid(&self, gid: u32) -> Option<bool> {
        let is_in = |&(inside, _, count): &(u32, u32, u32)| gid >= inside && gid - inside < count;
        self.own.has(Namespace::User).then(|| self.maps.groups.iter().any(is_in))
    }
}

impl Maps {
    fn of_self() -> Result<Self> {
        Ok(Self { users: map_of_self("uid_map")?, groups: map_of_self("gid_map")? })
    }

    /// Fails if ids are given for a user namespace that maps others: this is the joined one.
    fn compare(&self) -> Result<()> {
        let real = Self::of_self()?;
        for (field, given, real) in
            [("uidMappings", &self.users, &real.users), ("gidMappings", &self.groups, &real.groups)]
        {
            if !given.is_empty() && given != real {
                let why = "they are not those of the user namespace that is joined";
                return Err(Error::spec(&format!("linux.{field}"), why));
            }
        }
        Ok(())
    }
}

fn map_of_self(name: &str) -> Result<Lines> {
    let path = format!("/proc/self/{name}");
    let text = check(std::fs::read_to_string(&path), || format!("read({path})"))?;
    let line = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    Ok(sorted(text.lines().filter_map(line).collect()))
}

fn sorted(mut lines: Lines) -> Lines {
    lines.sort_unstable();
    lines
}

/// Returns the type of a namespace in the spec.
pub(super) fn kind_of(kind: LinuxNamespaceType) -> Namespace {
    match kind {
        LinuxNamespaceType::Mount => Namespace::Mount,
        LinuxNamespaceType::Cgroup => Namespace::Cgroup,
        LinuxNamespaceType::Uts => Namespace::Uts,
        LinuxNamespaceType::Ipc => Namespace::Ipc,
        LinuxNamespaceType::User => Namespace::User,
        LinuxNamespaceType::Pid => Namespace::Pid,
        LinuxNamespaceType::Network => Namespace::Net,
        LinuxNamespaceType::Time => Namespace::Time,
    }
}

/// Returns the name of a type in the spec.
fn name(kind: Namespace) -> &'static str {
    match kind {
        Namespace::Mount => "mount",
        Namespace::Net => "network",
        kind => kind.file(),
    }
}

fn open(path: &Path, kind: Namespace) -> Result<OwnedFd> {
    let refuse = |why: &str| Error::spec(FIELD, &format!("`{}` {why}", path.display()));
    if !path.is_absolute() {
        return Err(refuse("is not an absolute path"));
    }
    let fd = ns::open_path(path)?;
    match ns::kind(&fd) {
        Some(found) if found == kind => Ok(fd),
        _ => Err(refuse(&format!("is not a {} namespace", name(kind)))),
    }
}

/// Whether a namespace is that of this process.
pub(super) fn is_callers(kind: Namespace, fd: &OwnedFd) -> Result<bool> {
    let (theirs, ours) = (fs::stat(fd)?, fs::stat(ns::of_self(kind)?)?);
    Ok((theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino))
}

/// Returns `linux.timeOffsets` as the kernel reads them.
fn offsets(spec: &Spec, listed: Namespaces, new: Namespaces) -> Result<String> {
    let given = spec.linux().as_ref().and_then(|linux| linux.time_offsets().as_ref());
    let mut text = String::new();
    for (clock, offset) in given.into_iter().flatten() {
        let refuse = |why: &str| Err(Error::spec("linux.timeOffsets", why));
        if !listed.has(Namespace::Time) {
            return refuse("they require a time namespace");
        }
        if !new.has(Namespace::Time) {
            return refuse("the clocks of an existing time namespace cannot be set");
        }
        if !matches!(clock.as_str(), "monotonic" | "boottime") {
            return refuse(&format!("`{clock}` is not a clock of a time namespace"));
        }
        let (secs, nanos) = (offset.secs().unwrap_or(0), offset.nanosecs().unwrap_or(0));
        if nanos >= 1_000_000_000 {
            return refuse(&format!("`{clock}` has more than 999999999 nanoseconds"));
        }
        let _ = writeln!(text, "{clock} {secs} {nanos}"); // a string takes any text
    }
    Ok(text)
}
