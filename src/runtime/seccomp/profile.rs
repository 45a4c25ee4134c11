//! Docker's profile format. Its rules depend on the architecture, the kernel and the container's
//! capabilities; they become the plain rules of a runtime spec.

use serde::Deserialize;

use super::table::Machine;
use crate::oci::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSyscall,
};
use crate::runtime::{Error, Result};
use crate::sys::cap::{Cap, CapSet};

/// A profile in Docker's format or that of a runtime spec.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    default_action: LinuxSeccompAction,
    default_errno_ret: Option<u32>,
    architectures: Option<Vec<Arch>>,
    arch_map: Option<Vec<ArchMap>>,
    flags: Option<Vec<LinuxSeccompFilterFlag>>,
    listener_path: Option<String>,
    #[serde(default)]
    syscalls: Option<Vec<Rule>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: Arch,
    sub_architectures: Option<Vec<Arch>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    args: Option<Vec<LinuxSeccompArg>>,
    #[serde(default)]
    includes: Option<Condition>,
    #[serde(default)]
    excludes: Option<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// Parses a profile.
///
/// # Errors
///
/// If it is not JSON or has a different format.
pub fn read(json: &str) -> Result<Profile> {
    let profile: Profile =
        serde_json::from_str(json).map_err(|error| Error::spec("seccomp profile", &error.to_string()))?;
    let refuse = |why| Err(Error::spec("seccomp profile", why));
    if profile.architectures.as_ref().is_some_and(|list| !list.is_empty())
        && profile.arch_map.as_ref().is_some_and(|map| !map.is_empty())
    {
        return refuse("it has both `architectures` and `archMap`, which are mutually exclusive");
    }
    if profile.syscalls.iter().flatten().any(|rule| rule.name.is_some() && rule.names.is_some()) {
        return refuse("a rule has both `name` and `names`, which are mutually exclusive");
    }
    Ok(profile)
}

impl Profile {
    /// Returns the rules on this machine for a container with these capabilities.
    #[must_use]
    pub fn for_container(&self, caps: CapSet, kernel: (u32, u32)) -> LinuxSeccomp {
        let applies = |rule: &&Rule| {
            rule.includes.as_ref().is_none_or(|condition| condition.includes(caps, kernel))
                && !rule.excludes.as_ref().is_some_and(|condition| condition.excludes(caps, kernel))
        };
        let rules = self.syscalls.iter().flatten().filter(applies).map(Rule::plain).collect();
        let mut seccomp = LinuxSeccomp::default();
        seccomp
            .set_default_action(self.default_action)
            .set_default_errno_ret(self.default_errno_ret)
            .set_architectures(self.architectures_here())
            .set_flags(self.flags.clone())
            .set_listener_path(self.listener_path.as_ref().filter(|path| !path.is_empty()).map(Into::into))
            .set_syscalls(Some(rules));
        seccomp
    }

    /// Returns the profile, changed so that these calls return ENOSYS, as on a kernel without them.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        let kept = |name: &String| !names.contains(&name.as_str());
        for rule in self.syscalls.iter_mut().flatten() {
            rule.names = rule.names.take().map(|all| all.into_iter().filter(kept).collect());
        }
        let unknown = Rule {
            name: None,
            names: Some(names.iter().copied().map(str::to_owned).collect()),
            action: LinuxSeccompAction::ScmpActErrno,
            errno_ret: Some(libc::ENOSYS.unsigned_abs()),
            args: None,
            includes: None,
            excludes: None,
        };
        self.syscalls.get_or_insert_default().push(unknown);
        self
    }

    fn architectures_here(&self) -> Option<Vec<Arch>> {
        let Some(map) = self.arch_map.as_ref().filter(|map| !map.is_empty()) else {
            return self.architectures.clone();
        };
        let native = Machine::NATIVE.arch();
        let entry = map.iter().find(|entry| entry.architecture == native)?;
        let subs = entry.sub_architectures.iter().flatten().copied();
        Some([native].into_iter().chain(subs).collect())
    }
}

impl Rule {
    fn plain(&self) -> LinuxSyscall {
        let names = self.names.clone().or_else(|| self.name.clone().map(|name| vec![name]));
        let mut plain = LinuxSyscall::default();
        plain
            .set_names(names.unwrap_or_default())
            .set_action(self.action)
            .set_errno_ret(self.errno_ret)
            .set_args(self.args.clone().filter(|args| !args.is_empty()));
        plain
    }
}

impl Condition {
    /// Whether all given conditions match.
    fn includes(&self, caps: CapSet, kernel: (u32, u32)) -> bool {
        self.arches.as_ref().filter(|list| !list.is_empty()).is_none_or(|list| is_here(list))
            && self.caps.iter().flatten().all(|name| has(caps, name))
            && self.min_kernel.as_deref().is_none_or(|release| kernel >= parse_release(release))
    }

    /// Whether any given condition matches.
    fn excludes(&self, caps: CapSet, kernel: (u32, u32)) -> bool {
        self.arches.as_ref().is_some_and(|list| is_here(list))
            || self.caps.iter().flatten().any(|name| has(caps, name))
            || self.min_kernel.as_deref().is_some_and(|release| kernel >= parse_release(release))
    }
}

fn is_here(arches: &[String]) -> bool {
    arches.iter().any(|name| name == Machine::NATIVE.docker_name())
}

fn has(caps: CapSet, name: &str) -> bool {
    name.parse::<Cap>().is_ok_and(|cap| caps.has(cap))
}

fn parse_release(release: &str) -> (u32, u32) {
    let mut numbers = release.split('.').map(|word| word.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
