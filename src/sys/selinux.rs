//! SELinux: the label that a process takes on, and that of a file: selinux(8),
//! proc_pid_attr(5).

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use super::{Result, check, process, xattr};

/// It is there where SELinux is on, whether it enforces or only complains.
const ENFORCE: &str = "/sys/fs/selinux/enforce";
const CONFIG: &str = "/etc/selinux/config";

/// Whether SELinux is on.
#[must_use]
pub fn is_enabled() -> bool {
    Path::new(ENFORCE).exists()
}

/// The file in which the policy in use says what containers are labelled: selabel_lxc.
///
/// # Errors
///
/// The configuration of SELinux cannot be read.
pub fn contexts_file() -> Result<String> {
    let config = check(fs::read_to_string(CONFIG), || format!("read({CONFIG})"))?;
    Ok(format!("/etc/selinux/{}/contexts/lxc_contexts", policy(&config)))
}

/// The name of the policy, as selinux_config(5) has it.
fn policy(config: &str) -> &str {
    let value = config.lines().find_map(|line| line.trim().strip_prefix("SELINUXTYPE="));
    value.map(str::trim).filter(|name| !name.is_empty() && !name.contains('/')).unwrap_or("targeted")
}

/// Takes on a label at the next `execve` of this process.
///
/// # Errors
///
/// `EINVAL` for what the policy does not know; `EACCES` when it does not let this process.
pub fn change_at_exec(label: &str) -> Result<()> {
    write_attribute("exec", label)
}

/// Takes on a label at once.
///
/// # Errors
///
/// As [`change_at_exec`].
pub fn change_now(label: &str) -> Result<()> {
    write_attribute("current", label)
}

fn write_attribute(file: &str, label: &str) -> Result<()> {
    process::write_proc(&format!("/proc/self/attr/{file}"), label)
}

/// Labels a place (O_PATH).
///
/// # Errors
///
/// `EOPNOTSUPP` where the file system has no labels, `EINVAL`, `EACCES` as above.
pub fn label_place(place: impl AsFd, label: &str) -> Result<()> {
    xattr::set_place(place, OsStr::new("security.selinux"), label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_the_one_that_is_configured() {
        for (config, want) in [
            ("# SELINUXTYPE=no\nSELINUX=enforcing\nSELINUXTYPE=mls \n", "mls"),
            ("SELINUX=enforcing\n", "targeted"),
            ("SELINUXTYPE=\n", "targeted"),
            ("SELINUXTYPE=../../x\n", "targeted"),
        ] {
            assert_eq!(policy(config), want, "{config}");
        }
    }
}
