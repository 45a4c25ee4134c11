//! Protects hoist's own executable from programs in containers (CVE-2019-5736).
//!
//! A process that enters a container is visible there, and its `/proc/<pid>/exe` leads to the
//! executable. If the process was started from a detached, read-only bind mount of the file, nobody
//! can open it for writing through that link, and no mount table shows the mount. Once no
//! descriptor refers to the mount, it is in no mount namespace either, so no capability allows
//! changing it.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use rustix::fs::{CWD, StatVfsMountFlags};

use super::mount::{self, Attrs, Depth};
use super::{Error, Result, check, process};

/// Returns a detached, read-only bind mount of a program, such as `/proc/self/exe`.
///
/// # Errors
///
/// `EPERM` without privilege over the mount namespace.
pub fn read_only_bind(program: &Path) -> Result<OwnedFd> {
    let tree = mount::open_tree(CWD, program, Depth::One)?;
    mount::set_attrs(tree.as_fd(), Depth::One, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
    Ok(tree)
}

/// Whether this process was executed from a read-only mount.
///
/// # Errors
///
/// If `/proc` is not mounted.
pub fn is_out_of_reach() -> Result<bool> {
    let stat = check(rustix::fs::statvfs(c"/proc/self/exe"), || "statvfs(/proc/self/exe)".to_owned())?;
    Ok(stat.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Executes this program again, with the same arguments, from a mount that no container can write
/// to. Returns if it already runs from one.
///
/// # Errors
///
/// As for [`read_only_bind`].
pub fn keep_out_of_reach() -> Result<()> {
    if is_out_of_reach()? {
        return process::set_name(c"hoist"); // the kernel named it after a descriptor
    }
    let tree = read_only_bind(Path::new("/proc/self/exe"))?;
    let refused =
        |what: &str| Error::new(format!("execve({what})"), std::io::Error::from_raw_os_error(libc::EINVAL));
    // The descriptor is closed on exec, so the new program does not inherit it.
    let path =
        CString::new(format!("/proc/self/fd/{}", tree.as_raw_fd())).map_err(|_| refused("/proc/self/fd"))?;
    let args: std::result::Result<Vec<CString>, _> =
        std::env::args_os().map(|arg| CString::new(arg.into_vec())).collect();
    #[expect(clippy::disallowed_methods, reason = "the whole environment is passed on as it is, unread")]
    let env: std::result::Result<Vec<CString>, _> = std::env::vars_os()
        .map(|(mut key, value)| {
            key.push("=");
            key.push(value);
            CString::new(key.into_vec())
        })
        .collect();
    match (args, env) {
        (Ok(args), Ok(env)) => Err(process::execve(&path, &args.into(), &env.into())),
        _ => Err(refused("NUL in an argument")),
    }
}
