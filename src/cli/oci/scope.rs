//! `--systemd-cgroup`: systemd makes a container's cgroup, as a scope.

use std::os::fd::AsFd as _;

use super::{Failed, Global, refuse};
use crate::base::dbus::Value;
use crate::cgroup::{Limits, Parent, properties};
use crate::oci::runtime::Spec;
use crate::sys::clone::{self, Child};
use crate::sys::probe::Probe;
use crate::sys::process;
use crate::systemd::scope::{Manager, Place, Properties, annotated};

/// A scope that systemd has started for a container without a process yet. A process that does nothing
/// keeps it until this is dropped.
pub(super) struct Scope {
    idle: Child,
}

impl Drop for Scope {
    fn drop(&mut self) {
        let _ = process::signal(self.idle.pidfd.as_fd(), libc::SIGKILL); // it may have been killed
        let _ = process::wait(self.idle.pidfd.as_fd());
    }
}

/// Returns a connection to the manager that is asked for scopes: in a user namespace the user's, if
/// there is one.
fn connect(global: &Global, probe: &Probe) -> Result<Manager, Failed> {
    Ok(Manager::connect(user(global, probe))?)
}

fn user<'a>(global: &'a Global, probe: &Probe) -> Option<&'a crate::systemd::scope::User> {
    global.user.as_ref().filter(|_| probe.in_user_namespace)
}

/// Returns the unit of a container, the parent of its cgroup, and who is asked for it.
pub(super) fn place(
    global: &Global,
    spec: &Spec,
    id: &str,
    probe: &Probe,
) -> Result<(Place, Parent, Manager), Failed> {
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().as_deref());
    let Some(path) = path.map_or(Some(""), |path| path.to_str()) else {
        return refuse("`linux.cgroupsPath`: it is not valid UTF-8");
    };
    let place = Place::parse(path, id, user(global, probe).is_some())?;
    let mut manager = connect(global, probe)?;
    let group = manager.group()?;
    let below = place.parent();
    let parent = group.join(below.strip_prefix("/").unwrap_or(&below));
    Ok((place, Parent::new(parent), manager))
}

/// Starts the scope, with its limits.
pub(super) fn start(
    manager: &mut Manager,
    place: &Place,
    parent: &Parent,
    spec: &Spec,
    limits: &Limits,
) -> Result<Scope, Failed> {
    let annotations = spec.annotations().iter().flatten();
    let annotated = annotated(annotations.map(|(name, value)| (name.as_str(), value.as_str())))?;
    let scope = Scope { idle: clone::idle()? };
    let pid = u32::try_from(scope.idle.pid).unwrap_or_default();
    let on = || Value::Boolean(true);
    let own: [(&str, Value); 10] = [
        ("Description", format!("container {}", place.unit).as_str().into()),
        ("Slice", place.slice.as_str().into()),
        ("PIDs", Value::Numbers(vec![pid])),
        ("Delegate", on()),
        ("CPUAccounting", on()),
        ("IOAccounting", on()),
        ("MemoryAccounting", on()),
        ("TasksAccounting", on()),
        // It need not wait for the boot, and a shutdown does not wait for it.
        ("DefaultDependencies", Value::Boolean(false)),
        // One that failed does not keep its name.
        ("CollectMode", "inactive-or-failed".into()),
    ];
    let mut all: Properties = own.map(|(name, value)| (name.to_owned(), value)).to_vec();
    all.extend(properties(limits, &parent.root));
    all.retain(|(name, _)| !annotated.iter().any(|(other, _)| other == name));
    all.extend(annotated);
    manager.start(&place.unit, &all)?;
    Ok(scope)
}

/// Changes the limits that systemd knows of.
pub(super) fn update(global: &Global, unit: &str, properties: &Properties) -> Result<(), Failed> {
    if properties.is_empty() {
        return Ok(());
    }
    Ok(connect(global, &Probe::now()?)?.set(unit, properties)?)
}

/// Stops the scope, whose processes have been killed.
pub(super) fn stop(global: &Global, unit: &str) -> Result<(), Failed> {
    Ok(connect(global, &Probe::now()?)?.stop(unit)?)
}
