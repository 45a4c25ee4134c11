//! Extended attributes by descriptor: xattr(7). A place (`O_PATH`) may be a symbolic link or a
//! device node.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::fs::proc_path;
use super::{Result, check};

/// The maximum size of a value in the kernel.
pub const MAX_VALUE: usize = 65_536;

/// Sets the attribute `name` of an open file.
///
/// # Errors
///
/// `EOPNOTSUPP` if the file system does not support attributes, or not of this class; `EPERM`;
/// `ENOSPC`.
pub fn set(file: impl AsFd, name: &OsStr, value: &[u8]) -> Result<()> {
    let set = rustix::fs::fsetxattr(file, name, value, XattrFlags::empty());
    check(set, || format!("fsetxattr({name:?}, {} bytes)", value.len()))
}

/// Sets the attribute `name` of a place (`O_PATH`).
///
/// # Errors
///
/// As for [`set`]; `ENOENT` if /proc is not mounted.
pub fn set_place(place: impl AsFd, name: &OsStr, value: &[u8]) -> Result<()> {
    let path = proc_path(place.as_fd());
    let set = rustix::fs::setxattr(&path, name, value, XattrFlags::empty());
    check(set, || format!("setxattr({path:?}, {name:?}, {} bytes)", value.len()))
}

/// Returns the attribute `name` of a place or an open file; `None` if it does not exist.
///
/// # Errors
///
/// `EACCES`, `EIO`.
pub fn get_place(place: impl AsFd, name: &OsStr) -> Result<Option<Vec<u8>>> {
    let path = proc_path(place.as_fd());
    let mut value = vec![0_u8; 256];
    loop {
        match rustix::fs::getxattr(&path, name, value.as_mut_slice()) {
            Ok(len) => {
                value.truncate(len);
                return Ok(Some(value));
            }
            Err(Errno::NODATA | Errno::NOTSUP) => return Ok(None),
            Err(Errno::RANGE) if value.len() < MAX_VALUE => value.resize(MAX_VALUE, 0),
            Err(error) => return check(Err(error), || format!("getxattr({path:?}, {name:?})")),
        }
    }
}

/// Returns the names of all attributes of a place or an open file, sorted.
///
/// # Errors
///
/// `EACCES`, `EIO`. On a file system without attributes the list is empty.
pub fn list_place(place: impl AsFd) -> Result<Vec<OsString>> {
    let path = proc_path(place.as_fd());
    let mut names = vec![0_u8; 256];
    let len = loop {
        match rustix::fs::listxattr(&path, names.as_mut_slice()) {
            Ok(len) => break len,
            Err(Errno::NOTSUP) => break 0,
            Err(Errno::RANGE) if names.len() < MAX_VALUE => names.resize(MAX_VALUE, 0),
            Err(error) => return check(Err(error), || format!("listxattr({path:?})")),
        }
    };
    names.truncate(len);
    let mut names: Vec<_> = names
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_read_back_from_a_mere_place() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let file = std::fs::File::create(dir.path().join("file")).unwrap();
        let name = OsStr::new("user.hoist");
        set(&file, name, b"value").unwrap();
        let place = crate::sys::fs::open_place(&dir.path().join("file")).unwrap();
        assert_eq!(get_place(&place, name).unwrap().as_deref(), Some(b"value".as_slice()));
        assert_eq!(get_place(&place, OsStr::new("user.none")).unwrap(), None);
        set_place(&place, name, &[7; 1000]).unwrap();
        assert_eq!(get_place(&place, name).unwrap().map(|value| value.len()), Some(1000));
        assert!(list_place(&place).unwrap().contains(&name.to_owned()));
    }
}
