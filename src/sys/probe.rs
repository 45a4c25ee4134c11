//! Probes what this kernel allows this process to do, as a plain value.
//!
//! Other code asks the probe rather than for user id 0 or a kernel release. Tests create probes
//! with fewer features, so every fallback can run on any machine.

use std::fs;

use super::cap::{Cap, CapSet};
use super::{Result, cap, check};

/// Features and privileges available to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The kernel's major and minor version.
    pub kernel: (u32, u32),
    /// The effective capabilities of this process.
    pub effective: CapSet,
    /// The capabilities that this process and its children can ever have.
    pub bounding: CapSet,
    /// The process is not in the initial user namespace.
    pub in_user_namespace: bool,
    /// The mapped user ids, as (first, count).
    pub uids: Vec<(u32, u32)>,
    /// The mapped group ids, as (first, count).
    pub gids: Vec<(u32, u32)>,
    /// `setgroups` is allowed. It is not in a user namespace created without privilege.
    pub setgroups: bool,
    /// Creating device nodes is allowed. It never is in a user namespace.
    pub mknod: bool,
    /// The new mount API with `mount_setattr` (5.12).
    pub mount_api: bool,
    /// `openat2` with `RESOLVE_IN_ROOT` (5.6).
    pub openat2: bool,
    /// `clone3` (5.3).
    pub clone3: bool,
    /// `CLONE_INTO_CGROUP` (5.7).
    pub into_cgroup: bool,
    /// `cgroup.kill` (5.14).
    pub cgroup_kill: bool,
    /// Overlay layers set individually through `fsconfig` (`lowerdir+`, 6.5).
    pub lowerdir_plus: bool,
    /// Overlay layers as descriptors (6.13).
    pub overlay_fds: bool,
    /// `PIDFD_GET_INFO` returns the exit status of reaped processes (6.15).
    pub pidfd_info: bool,
    /// ID-mapped mounts (`MOUNT_ATTR_IDMAP`, 5.12).
    pub idmap: bool,
}

impl Probe {
    /// Probes the current process and kernel.
    ///
    /// # Errors
    ///
    /// If `/proc` is not mounted, or not for this process.
    pub fn now() -> Result<Self> {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let uid_map = read("/proc/self/uid_map")?;
        let gid_map = read("/proc/self/gid_map")?;
        let mut probe = Self::of_kernel(parse_release(&release));
        probe.effective = cap::get()?.effective;
        probe.bounding = cap::bounding()?;
        probe.uids = parse_map(&uid_map);
        probe.gids = parse_map(&gid_map);
        probe.in_user_namespace = !maps_everything(&uid_map);
        probe.setgroups = fs::read_to_string("/proc/self/setgroups").is_ok_and(|word| word.trim() == "allow")
            && probe.effective.has(Cap::SETGID);
        probe.mknod = !probe.in_user_namespace && probe.effective.has(Cap::MKNOD);
        Ok(probe)
    }

    /// Returns the probe of a fully privileged process on a kernel of this version.
    #[must_use]
    pub fn of_kernel(kernel: (u32, u32)) -> Self {
        let since = |major, minor| kernel >= (major, minor);
        Self {
            kernel,
            effective: CapSet::ALL,
            bounding: CapSet::ALL,
            in_user_namespace: false,
            uids: vec![(0, u32::MAX)],
            gids: vec![(0, u32::MAX)],
            setgroups: true,
            mknod: true,
            mount_api: since(5, 12),
            openat2: since(5, 6),
            clone3: since(5, 3),
            into_cgroup: since(5, 7),
            cgroup_kill: since(5, 14),
            lowerdir_plus: since(6, 5),
            overlay_fds: since(6, 13),
            pidfd_info: since(6, 15),
            idmap: since(5, 12),
        }
    }

    /// Whether containers can be created at all.
    #[must_use]
    pub fn can_contain(&self) -> bool {
        self.effective.has(Cap::SYS_ADMIN) && self.mount_api && self.openat2 && self.clone3
    }

    /// Whether this user id is mapped.
    #[must_use]
    pub fn maps_uid(&self, uid: u32) -> bool {
        holds(&self.uids, uid)
    }

    /// Whether this group id is mapped.
    #[must_use]
    pub fn maps_gid(&self, gid: u32) -> bool {
        holds(&self.gids, gid)
    }
}

fn holds(ranges: &[(u32, u32)], id: u32) -> bool {
    ranges.iter().any(|&(first, count)| id >= first && id - first < count)
}

fn read(path: &str) -> Result<String> {
    check(fs::read_to_string(path), || format!("read({path})"))
}

/// Parses `6.18.44-fc` as (6, 18); missing numbers count as 0.
fn parse_release(release: &str) -> (u32, u32) {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Returns the inside ids of each line `inside outside count`.
fn parse_map(map: &str) -> Vec<(u32, u32)> {
    map.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().map(str::parse::<u32>);
            match (words.next(), words.next(), words.next()) {
                (Some(Ok(inside)), Some(Ok(_)), Some(Ok(count))) => Some((inside, count)),
                _ => None,
            }
        })
        .collect()
}

/// Whether this maps every id to itself, which by convention only the initial user namespace does.
fn maps_everything(map: &str) -> bool {
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_maps_are_read_as_the_kernel_writes_them() {
        for (text, want) in [
            ("6.18.44-fc-v657", (6, 18)),
            ("5.14.0-427.el9.x86_64", (5, 14)),
            ("7.1-rc3", (7, 1)),
            ("x", (0, 0)),
        ] {
            assert_eq!(parse_release(text), want, "{text}");
        }
        assert_eq!(parse_map("         0       1000          1\n 1 100000 65536\n"), [(0, 1), (1, 65536)]);
        assert!(maps_everything("         0          0 4294967295\n"));
        assert!(!maps_everything("         0          0          1\n"));
    }

    #[test]
    fn an_old_kernel_permits_less() {
        let old = Probe::of_kernel((5, 14));
        assert!(old.cgroup_kill && old.mount_api && !old.lowerdir_plus && !old.pidfd_info);
        assert!(Probe::of_kernel((6, 18)).pidfd_info);
    }

    #[test]
    fn an_id_is_mapped_when_a_range_holds_it() {
        let probe = Probe { uids: vec![(0, 1), (1000, 2)], ..Probe::of_kernel((6, 1)) };
        let mapped: Vec<u32> = (0..1005).filter(|&id| probe.maps_uid(id)).collect();
        assert_eq!(mapped, [0, 1000, 1001]);
    }
}
