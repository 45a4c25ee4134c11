//! The host's devices, for containers with `--privileged`.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use crate::base::disk::{self, Error};
use crate::oci::runtime::{LinuxDevice, LinuxDeviceType};

/// Folders of /dev that belong to a mount namespace, to udev or to lxc on the host.
const FOLDERS_LEFT_OUT: [&str; 7] = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];
/// A container has a console of its own.
const CONSOLE: &str = "console";

/// Lists the devices below `dev`, the host's /dev, with mode and owner, sorted by path. Docker
/// gives a privileged container the same. Skips symbolic links and whatever disappears during the
/// scan.
///
/// # Errors
///
/// A folder cannot be listed, or a device cannot be examined.
pub fn of_host(dev: &Path) -> disk::Result<Vec<LinuxDevice>> {
    let mut devices = Vec::new();
    let mut folders = vec![dev.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = unless_gone(fs::read_dir(&folder)).map_err(Error::io("list", &folder))? else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(Error::io("list", &folder))?;
            let (path, name) = (entry.path(), entry.file_name());
            let Some(meta) = unless_gone(entry.metadata()).map_err(Error::io("stat", &path))? else {
                continue;
            };
            if meta.is_dir() && !FOLDERS_LEFT_OUT.iter().any(|left_out| name == *left_out) {
                folders.push(path);
            } else if name != CONSOLE {
                devices.extend(device(&path, &meta));
            }
        }
    }
    devices.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(devices)
}

/// Turns `NotFound` into `None`: devices may disappear at any time.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn device(path: &Path, meta: &fs::Metadata) -> Option<LinuxDevice> {
    let typ = match meta.file_type() {
        kind if kind.is_block_device() => LinuxDeviceType::B,
        kind if kind.is_char_device() => LinuxDeviceType::C,
        _ => return None,
    };
    let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
    let mut device = LinuxDevice::default();
    device.set_path(path.to_owned());
    device.set_typ(typ);
    device.set_major(major.into());
    device.set_minor(minor.into());
    device.set_file_mode(Some(meta.mode() & 0o7777));
    device.set_uid(Some(meta.uid()));
    device.set_gid(Some(meta.gid()));
    Some(device)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_devices_are_listed_and_none_that_belong_to_the_host_alone() {
        let dev = tempfile::tempdir().unwrap();
        for folder in FOLDERS_LEFT_OUT {
            symlink("/dev", dev.path().join(folder)).unwrap();
        }
        symlink("/dev/null", dev.path().join("link")).unwrap();
        fs::write(dev.path().join("file"), "").unwrap();
        assert_eq!(of_host(dev.path()).unwrap(), []);
        assert_eq!(of_host(&dev.path().join("gone")).unwrap(), []);
    }

    #[test]
    fn a_device_keeps_number_mode_and_owner() {
        let listed = of_host(Path::new("/dev")).unwrap();
        let full = listed.iter().find(|device| device.path() == Path::new("/dev/full")).unwrap();
        assert_eq!((full.typ(), full.major(), full.minor()), (LinuxDeviceType::C, 1, 7));
        let meta = fs::metadata("/dev/full").unwrap();
        assert_eq!(full.file_mode(), Some(meta.mode() & 0o7777));
        assert_eq!((full.uid(), full.gid()), (Some(meta.uid()), Some(meta.gid())));
        assert!(!listed.iter().any(|device| device.path() == Path::new("/dev/console")));
        assert!(!listed.iter().any(|device| device.path().starts_with("/dev/pts")));
    }
}
