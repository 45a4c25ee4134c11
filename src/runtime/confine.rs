//! The AppArmor profile and the SELinux label of a container's processes:
//! `process.apparmorProfile`, `process.selinuxLabel`; and the label of its file systems,
//! `linux.mountLabel`.
//!
//! They take effect at `execve`, because the earlier steps could not be performed under them. They
//! are set early, while the host's procfs is visible: one mounted by the container could be
//! anything (CVE-2019-16884).
//!
//! There is one exception: our own init executes nothing, so it changes its label last, through the
//! container's `/proc`. It rejects a `/proc` that is not a procfs, but cannot detect a different
//! procfs file that the specification binds there.

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

/// Returns the label of the file systems that are created for the container.
pub(super) fn mount_label(spec: &Spec) -> Result<Option<String>> {
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().clone());
    let label = label.filter(|label| !label.is_empty());
    if label.is_some() {
        check_selinux("linux.mountLabel")?;
    }
    Ok(label)
}

fn check_selinux(field: &str) -> Result<()> {
    if selinux::is_enabled() {
        Ok(())
    } else {
        Err(Error::spec(field, "SELinux is disabled on this machine"))
    }
}

/// Rejects a profile or label that cannot be applied, before anything is created.
pub(super) fn check(process: &Process) -> Result<()> {
    if label(process).is_some() {
        check_selinux("process.selinuxLabel")?;
    }
    let Some(profile) = profile(process) else { return Ok(()) };
    if !apparmor::is_enabled() {
        return Err(Error::spec(FIELD, "AppArmor is disabled on this machine"));
    }
    // If the list is unreadable, the kernel reports the error later.
    match apparmor::is_loaded(profile) {
        Ok(false) if profile != "unconfined" => {
            Err(Error::spec(FIELD, &format!("the profile `{profile}` is not loaded")))
        }
        _ => Ok(()),
    }
}

/// Sets the profile and label of the program that is executed next.
pub(super) fn confine_program(process: &Process, init: Init) -> Result<()> {
    // Our own init executes nothing, and its child inherits its label.
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

/// Confines this process, which is about to become the container's init, through the container's
/// `/proc` (see above).
pub(super) fn confine_reaper(process: &Process) -> Result<()> {
    if let Some(profile) = profile(process) {
        apparmor::change_now(profile)?;
    }
    if let Some(label) = label(process) {
        selinux::change_now(label)?;
    }
    Ok(())
}
