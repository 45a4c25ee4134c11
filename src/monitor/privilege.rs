//! The capabilities of a monitor: those needed to start, watch and clean up a container, and those
//! of the container itself.

use crate::sys::cap::{self, Cap, CapSet, Sets};

/// For namespaces, mounts (setns(2) requires CAP_SYS_CHROOT for mount namespaces), cgroups and
/// devices; for networks and their rules; for the ids and capabilities of the program; for files
/// and processes of other users; for the AppArmor profile.
const NEEDED: &[Cap] = &[
    Cap::SYS_ADMIN,
    Cap::SYS_CHROOT,
    Cap::MKNOD,
    Cap::SYS_RESOURCE,
    Cap::NET_ADMIN,
    Cap::NET_RAW,
    Cap::SETUID,
    Cap::SETGID,
    Cap::SETPCAP,
    Cap::SETFCAP,
    Cap::CHOWN,
    Cap::DAC_OVERRIDE,
    Cap::DAC_READ_SEARCH,
    Cap::FOWNER,
    Cap::FSETID,
    Cap::KILL,
    Cap::SYS_PTRACE,
    Cap::MAC_ADMIN,
];

/// Permanently drops the capabilities that neither a monitor nor its container needs. Programs
/// executed by either go without them.
///
/// # Errors
///
/// `EPERM` without CAP_SETPCAP.
pub(super) fn drop_the_rest(containers: &[String]) -> crate::sys::Result<()> {
    keep(needed(containers))
}

/// Drops the capabilities that are not needed to end a process and to record its exit.
///
/// # Errors
///
/// `EPERM` without CAP_SETPCAP.
pub(super) fn drop_all_but_watching() -> crate::sys::Result<()> {
    keep([Cap::KILL, Cap::DAC_OVERRIDE].into_iter().collect())
}

fn keep(kept: CapSet) -> crate::sys::Result<()> {
    let own = cap::get()?;
    cap::clear_ambient()?;
    for cap in cap::bounding()?.without(kept).iter() {
        cap::drop_bounding(cap)?;
    }
    cap::set(left(own, kept))
}

/// What a monitor needs itself, and its container's, as far as this hoist knows their names.
fn needed(containers: &[String]) -> CapSet {
    let containers = containers.iter().filter_map(|name| name.parse::<Cap>().ok());
    NEEDED.iter().copied().chain(containers).collect()
}

/// What is left of `own`: none can be gained.
fn left(own: Sets, kept: CapSet) -> Sets {
    Sets {
        effective: own.effective.and(kept),
        permitted: own.permitted.and(kept),
        inheritable: CapSet::EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neither_the_monitor_nor_its_container_needs_is_given_up() {
        let own: CapSet = NEEDED.iter().copied().collect();
        assert_eq!(needed(&[]), own);
        let wanted = ["CAP_SYS_TIME", "CAP_CHOWN", "CAP_OF_A_NEWER_KERNEL"].map(str::to_owned);
        assert_eq!(needed(&wanted), own.with(Cap::SYS_TIME));
    }

    #[test]
    fn what_is_left_was_there_before() {
        let [one, two, three] = [Cap::KILL, Cap::CHOWN, Cap::SYS_TIME].map(|cap| CapSet::EMPTY.with(cap));
        let both = [Cap::KILL, Cap::CHOWN].into_iter().collect();
        let own = Sets { effective: one, permitted: both, inheritable: both };
        let after = |kept| left(own, kept);
        assert_eq!(after(CapSet::ALL), Sets { inheritable: CapSet::EMPTY, ..own });
        assert_eq!(after(two), Sets { effective: CapSet::EMPTY, permitted: two, inheritable: CapSet::EMPTY });
        assert_eq!(after(three).permitted, CapSet::EMPTY);
    }
}
