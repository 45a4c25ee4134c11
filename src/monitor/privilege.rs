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
    let containers = containers.iter().filter_map(|name| name.parse::<Cap>().ok());
    keep(NEEDED.iter().copied().chain(containers).collect())
}

/// Drops the capabilities that are not needed to end a process and to record its exit.
///
/// # Errors
///
/// None in practice.
pub(super) fn drop_all_but_watching() -> crate::sys::Result<()> {
    keep([Cap::KILL, Cap::DAC_OVERRIDE].into_iter().collect())
}

fn keep(kept: CapSet) -> crate::sys::Result<()> {
    let own = cap::get()?;
    cap::clear_ambient()?;
    for cap in cap::bounding()?.without(kept).iter() {
        cap::drop_bounding(cap)?;
    }
    cap::set(Sets {
        effective: own.effective.and(kept),
        permitted: own.permitted.and(kept),
        inheritable: CapSet::EMPTY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses its own thread, because capabilities belong to a thread.
    fn left_after(give_up: impl FnOnce() -> crate::sys::Result<()> + Send + 'static) -> (CapSet, CapSet) {
        let left = std::thread::spawn(|| {
            give_up().unwrap();
            let Sets { effective, permitted, inheritable } = cap::get().unwrap();
            assert_eq!((effective, inheritable), (permitted, CapSet::EMPTY));
            (permitted, cap::bounding().unwrap())
        });
        left.join().unwrap()
    }

    #[test]
    fn what_neither_the_monitor_nor_its_container_needs_is_given_up() {
        let before = cap::get().unwrap().permitted;
        let needed: CapSet = NEEDED.iter().copied().collect();
        let (permitted, bounding) = left_after(|| drop_the_rest(&[]));
        assert_eq!((permitted, bounding.without(needed)), (before.and(needed), CapSet::EMPTY));
        let with: CapSet = NEEDED.iter().copied().chain([Cap::SYS_TIME]).collect();
        let wanted = || ["CAP_SYS_TIME", "CAP_CHOWN", "CAP_OF_A_NEWER_KERNEL"].map(str::to_owned);
        let (permitted, bounding) = left_after(move || drop_the_rest(&wanted()));
        assert_eq!((permitted, bounding.without(with)), (before.and(with), CapSet::EMPTY));
        let watching: CapSet = [Cap::KILL, Cap::DAC_OVERRIDE].into_iter().collect();
        let (permitted, bounding) = left_after(drop_all_but_watching);
        assert_eq!((permitted, bounding.without(watching)), (before.and(watching), CapSet::EMPTY));
    }
}
