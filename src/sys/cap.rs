//! Capabilities: names, sets, and the five sets of a process. See capabilities(7).

use std::fmt;
use std::str::FromStr;

use rustix::thread::{CapabilitySet, CapabilitySets};

use super::{Result, check, check_ret};

/// A capability, as its number in the kernel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cap(u8);

/// A string that is not the name of a capability.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a capability")]
pub struct BadCap(String);

macro_rules! caps {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs, reason = "named and described by capabilities(7)")]
        impl Cap {
            $(pub const $name: Cap = Cap($number);)*
            /// All capabilities known to this version, by number.
            pub const ALL: &[Cap] = &[$(Cap($number)),*];
        }
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

// In the kernel's order and without gaps, as a number is an index into NAMES.
caps! {
    CHOWN = 0, DAC_OVERRIDE = 1, DAC_READ_SEARCH = 2, FOWNER = 3, FSETID = 4, KILL = 5, SETGID = 6,
    SETUID = 7, SETPCAP = 8, LINUX_IMMUTABLE = 9, NET_BIND_SERVICE = 10, NET_BROADCAST = 11,
    NET_ADMIN = 12, NET_RAW = 13, IPC_LOCK = 14, IPC_OWNER = 15, SYS_MODULE = 16, SYS_RAWIO = 17,
    SYS_CHROOT = 18, SYS_PTRACE = 19, SYS_PACCT = 20, SYS_ADMIN = 21, SYS_BOOT = 22, SYS_NICE = 23,
    SYS_RESOURCE = 24, SYS_TIME = 25, SYS_TTY_CONFIG = 26, MKNOD = 27, LEASE = 28, AUDIT_WRITE = 29,
    AUDIT_CONTROL = 30, SETFCAP = 31, MAC_OVERRIDE = 32, MAC_ADMIN = 33, SYSLOG = 34, WAKE_ALARM = 35,
    BLOCK_SUSPEND = 36, AUDIT_READ = 37, PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40,
}

impl Cap {
    /// Returns the number used by the kernel.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAP_{}", NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN"))
    }
}

impl fmt::Debug for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Cap {
    type Err = BadCap;

    /// Parses a name with or without the prefix, in any case: `CAP_NET_RAW`, `net_raw`.
    fn from_str(name: &str) -> std::result::Result<Self, BadCap> {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let number = NAMES.iter().position(|known| *known == bare);
        number.and_then(|n| u8::try_from(n).ok()).map(Cap).ok_or_else(|| BadCap(name.to_owned()))
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct CapSet(u64);

impl CapSet {
    /// The empty set.
    pub const EMPTY: CapSet = CapSet(0);
    /// The set of all capabilities known to this version.
    pub const ALL: CapSet = CapSet((1 << NAMES.len()) - 1);

    /// Whether the set contains this capability.
    #[must_use]
    pub fn has(self, cap: Cap) -> bool {
        self.0 & (1 << cap.0) != 0
    }

    /// Returns the set with this capability added.
    #[must_use]
    pub fn with(self, cap: Cap) -> Self {
        Self(self.0 | 1 << cap.0)
    }

    /// Returns the intersection of both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the difference of the sets.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the capabilities by number.
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.iter().copied().filter(move |cap| self.has(*cap))
    }
}

impl FromIterator<Cap> for CapSet {
    fn from_iter<I: IntoIterator<Item = Cap>>(caps: I) -> Self {
        caps.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The three sets of `capget` and `capset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sets {
    /// Capabilities used for permission checks.
    pub effective: CapSet,
    /// Capabilities that may be made effective.
    pub permitted: CapSet,
    /// Capabilities that an executed program keeps if its file has them as inheritable.
    pub inheritable: CapSet,
}

/// The five sets of a process, as requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lists {
    /// The upper limit for any program executed later.
    pub bounding: CapSet,
    /// Capabilities used for permission checks.
    pub effective: CapSet,
    /// Capabilities that may be made effective.
    pub permitted: CapSet,
    /// Capabilities that an executed program keeps if its file has them as inheritable.
    pub inheritable: CapSet,
    /// Capabilities that every executed program keeps.
    pub ambient: CapSet,
}

/// Returns the capability sets of this thread.
///
/// # Errors
///
/// None in practice.
pub fn get() -> Result<Sets> {
    let sets = check(rustix::thread::capabilities(None), || "capget()".to_owned())?;
    Ok(Sets {
        effective: CapSet(sets.effective.bits()),
        permitted: CapSet(sets.permitted.bits()),
        inheritable: CapSet(sets.inheritable.bits()),
    })
}

/// Sets the capability sets of this thread.
///
/// # Errors
///
/// `EPERM` if `permitted` would grow, or `effective` is not a subset of it.
pub fn set(sets: Sets) -> Result<()> {
    let bits = |set: CapSet| CapabilitySet::from_bits_retain(set.0);
    let raw = CapabilitySets {
        effective: bits(sets.effective),
        permitted: bits(sets.permitted),
        inheritable: bits(sets.inheritable),
    };
    check(rustix::thread::set_capabilities(None, raw), || format!("capset({sets:?})"))
}

/// Returns the bounding set of this thread.
///
/// # Errors
///
/// None in practice: capabilities unknown to this kernel count as absent.
pub fn bounding() -> Result<CapSet> {
    let mut set = CapSet::EMPTY;
    for &cap in Cap::ALL {
        // SAFETY: PR_CAPBSET_READ takes a number and touches no memory.
        let ret = unsafe { libc::prctl(libc::PR_CAPBSET_READ, libc::c_ulong::from(cap.0), 0, 0, 0) };
        if ret == 1 {
            set = set.with(cap);
        }
    }
    Ok(set)
}

/// Removes a capability from the bounding set, irreversibly.
///
/// # Errors
///
/// `EPERM` without `CAP_SETPCAP`.
pub fn drop_bounding(cap: Cap) -> Result<()> {
    // SAFETY: PR_CAPBSET_DROP takes a number and touches no memory.
    let ret = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(cap.0), 0, 0, 0) };
    check_ret(ret.into(), || format!("prctl(PR_CAPBSET_DROP, {cap})"))?;
    Ok(())
}

/// Empties the ambient set.
///
/// # Errors
///
/// None in practice.
pub fn clear_ambient() -> Result<()> {
    check(rustix::thread::clear_ambient_capability_set(), || "prctl(PR_CAP_AMBIENT, CLEAR_ALL)".to_owned())
}

/// Adds a capability to the ambient set.
///
/// # Errors
///
/// `EPERM` if it is not both permitted and inheritable.
pub fn raise_ambient(cap: Cap) -> Result<()> {
    let (raise, number) = (libc::PR_CAP_AMBIENT_RAISE, libc::c_ulong::from(cap.0));
    // SAFETY: PR_CAP_AMBIENT takes numbers and touches no memory.
    let ret = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, raise, number, 0, 0) };
    check_ret(ret.into(), || format!("prctl(PR_CAP_AMBIENT, RAISE, {cap})"))?;
    Ok(())
}

/// Keeps the permitted set when all user ids change from 0 to others.
///
/// # Errors
///
/// None in practice.
pub fn keep_over_setuid() -> Result<()> {
    check(rustix::thread::set_keep_capabilities(true), || "prctl(PR_SET_KEEPCAPS, 1)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_to_its_number() {
        for (index, cap) in Cap::ALL.iter().enumerate() {
            assert_eq!(usize::from(cap.number()), index);
            assert_eq!(cap.to_string().parse(), Ok(*cap));
        }
        assert_eq!("net_raw".parse(), Ok(Cap::NET_RAW));
        assert_eq!("CAP_FLY".parse::<Cap>(), Err(BadCap("CAP_FLY".to_owned())));
    }

    #[test]
    fn a_set_prints_its_names() {
        let set: CapSet = [Cap::KILL, Cap::CHOWN].into_iter().collect();
        assert_eq!(format!("{set:?}"), "{CAP_CHOWN, CAP_KILL}");
        assert!(CapSet::ALL.has(Cap::CHECKPOINT_RESTORE));
        assert_eq!(CapSet::ALL.without(set).and(set), CapSet::EMPTY);
    }
}
