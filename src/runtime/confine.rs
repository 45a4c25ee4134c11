//! The AppArmor profile and the SELinux label of a container's processes:
//! `process.apparmorProfile`, `process.selinuxLabel`; and the label of its file systems,
//! `linux.mountLabel`.
//!
//! They are taken on at `execve`, as the steps before could not be done under them, and told to
//! the kernel early, while the host's procfs is still seen: one that the container mounted
//! could be anything (CVE-2019-16884).
//!
//! With one exception: an init of ours executes nothing, so it changes at once, when all else
//! is done, by the container's `/proc`. What is no procfs is refused there; another file of a
//! procfs, which only the specification could bind there, is not told apart.

use super::{Error, Init, Result};
use crate::oci::runtime::{Process, Spec};
use crate::sys::{apparmor, selinux};

/// The field of the specification.
const FIELD: &str = "process.apparmorProfile";

fn profile(process: &Process) -> Option<&str> {
    process.apparmor_profile().as_deref().filter(|profile| !profile.is_empty())
}

fn label(process: &Process) -> Option<&str> {
    process.selinux_label().as_deref().filter(|label| !label.is_empty())
}

/// The label of the file systems that are made for the container.
pub(super) fn mount_label(spec: &Spec) -> Result<Option<String>> {
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().clone());
    let label = label.filter(|label| !label.is_empty());
    if label.is_some() {
        check_selinux("linux.mountLabel")?;
    }
    Ok(label)
}

fn check_selinux(field: &str) -> Result<()> {
    if selinux::is_enabled() { Ok(()) } else { Err(Error::spec(field, "SELinux is off on this machine")) }
}

/// Refuses what cannot be taken on, before anything is made.
pub(super) fn check(process: &Process) -> Result<()> {
    if label(process).is_some() {
        check_selinux("process.selinuxLabel")?;
    }
    let Some(profile) = profile(process) else { return Ok(()) };
    if !apparmor::is_enabled() {
        return Err(Error::spec(FIELD, "AppArmor is off on this machine"));
    }
    // Where the list cannot be read, the kernel says so later.
    match apparmor::is_loaded(profile) {
        Ok(false) if profile != "unconfined" => {
            Err(Error::spec(FIELD, &format!("the profile `{profile}` is not loaded")))
        }
        _ => Ok(()),
    }
}

/// Has the program confined that is executed next.
pub(super) fn confine_program(process: &Process, init: Init) -> Result<()> {
    // An init of ours executes nothing itself, and its child is born with what it has.
    if init == Init::Reaper {
        return Ok(());
    }
    if let Some(profile) = profile(process) {
        apparmor::change_at_exec(profile)?;
    }
    if let Some(label) = label(process) {
        selinux::change_at_exec(label)?;
    }
    Ok(())
}

/// Confines this process, which is about to become the container's init: by the container's
/// `/proc`, see above.
pub(super) fn confine_reaper(process: &Process) -> Result<()> {
    if let Some(profile) = profile(process) {
        apparmor::change_now(profile)?;
    }
    if let Some(label) = label(process) {
        selinux::change_now(label)?;
    }
    Ok(())
}
