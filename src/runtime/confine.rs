//! The AppArmor profile of a container's processes: `process.apparmorProfile`.
//!
//! It is taken on at `execve`, as the steps before could not be done under it, and told to the
//! kernel early, while the host's procfs is still seen: one that the container mounted could
//! be anything (CVE-2019-16884).

use super::{Error, Init, Result};
use crate::oci::runtime::Process;
use crate::sys::apparmor;

/// The field of the specification.
const FIELD: &str = "process.apparmorProfile";

fn profile(process: &Process) -> Option<&str> {
    process.apparmor_profile().as_deref().filter(|profile| !profile.is_empty())
}

/// Refuses a profile that cannot be taken on, before anything is made.
pub(super) fn check(process: &Process) -> Result<()> {
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
    match (profile(process), init) {
        (Some(profile), Init::Payload) => Ok(apparmor::change_at_exec(profile)?),
        // It executes nothing itself, and its child is born with what it has.
        (None, _) | (Some(_), Init::Reaper) => Ok(()),
    }
}

/// Confines this process, which is about to become the container's init.
pub(super) fn confine_reaper(process: &Process) -> Result<()> {
    profile(process).map_or(Ok(()), |profile| Ok(apparmor::change_now(profile)?))
}
