//! SELinux labels of processes and files: selinux(8), proc_pid_attr(5).

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use super::{Result, check, process, xattr};

/// Exists if SELinux is enabled, in enforcing or permissive mode.
const ENFORCE: &str = "/sys/fs/selinux/enforce";
const CONFIG: &str = "/etc/selinux/config";

/// Whether SELinux is enabled.
#[must_use]
pub fn is_enabled() -> bool {
    Path::new(ENFORCE).exists()
}

/// Returns the file with the current policy's labels for containers: selabel_lxc.
///
/// # Errors
///
/// If the SELinux configuration cannot be read.
pub fn contexts_file() -> Result<String> {
    let config = check(fs::read_to_string(CONFIG), || format!("read({CONFIG})"))?;
    Ok(format!("/etc/selinux/{}/contexts/lxc_contexts", policy(&config)))
}

/// Returns the name of the policy, as defined in selinux_config(5).
fn policy(config: &str) -> &str {
    let value = config.lines().find_map(|line| line.trim().strip_prefix("SELINUXTYPE="));
    value.map(str::trim).filter(|name| !name.is_empty() && !name.contains('/')).unwrap_or("targeted")
}

/// Applies a label at the next `execve` of this process.
///
/// # Errors
///
/// `EINVAL` if the policy does not know the label; `EACCES` if it does not allow the transition.
pub fn change_at_exec(label: &str) -> Result<()> {
    write_attribute("exec", label)
}

/// Applies a label immediately.
///
/// # Errors
///
/// As for [`change_at_exec`].
pub fn change_now(label: &str) -> Result<()> {
    write_attribute("current", label)
}

fn write_attribute(file: &str, label: &str) -> Result<()> {
    process::write_proc(&format!("/proc/self/attr/{file}"), label)
}

/// Labels a place (`O_PATH`).
///
/// # Errors
///
/// `EOPNOTSUPP` if the file system has no labels; `EINVAL` and `EACCES` as above.
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
