//! AppArmor: loads profiles, and applies them to processes. See apparmor(7) and
//! <https://gitlab.com/apparmor/apparmor/-/wikis/AppArmorInterfaces>
//!
//! The kernel takes only compiled profiles, so this runs apparmor_parser(8) if it is installed, as
//! Docker and Podman do.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use super::spawn::{Command, spawn};
use super::{Error, Result, check, process};

const ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
/// Where distributions install it. The caller's `$PATH` must not matter.
const PARSERS: [&str; 2] = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"];

/// Whether AppArmor is enabled on this machine.
#[must_use]
pub fn is_enabled() -> bool {
    fs::read_to_string(ENABLED).is_ok_and(|word| word.trim() == "Y")
}

/// The available support for AppArmor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Support {
    /// It is disabled, or this process is in a container, where the policy belongs to others.
    #[default]
    None,
    /// It is enabled, but apparmor_parser(8) is not installed, so no profiles can be loaded.
    NoParser,
    /// Profiles can be loaded and applied.
    Full,
}

/// Returns the support for AppArmor on this machine.
#[must_use]
pub fn support() -> Support {
    if !is_enabled() || !Path::new(PROFILES).exists() {
        Support::None
    } else if PARSERS.iter().any(|path| Path::new(path).exists()) {
        Support::Full
    } else {
        Support::NoParser
    }
}

/// Whether the profile `name` is loaded.
///
/// # Errors
///
/// `ENOENT` if securityfs is not mounted, as in a container; `EACCES` without CAP_MAC_ADMIN in the
/// initial user namespace.
pub fn is_loaded(name: &str) -> Result<bool> {
    let list = check(fs::read_to_string(PROFILES), || format!("read({PROFILES})"))?;
    Ok(lists(&list, name))
}

/// Lines have the form `name (mode)`; names may contain spaces.
fn lists(list: &str, name: &str) -> bool {
    list.lines().filter_map(|line| line.rsplit_once(" (")).any(|(listed, _)| listed == name)
}

/// Compiles `text` and loads its profiles, replacing those with the same names.
///
/// # Errors
///
/// `ENOENT` if apparmor_parser(8) is not installed; its error output if it fails.
pub fn load(text: &str) -> Result<()> {
    let program = PARSERS.iter().find(|path| Path::new(path).exists()).unwrap_or(&PARSERS[0]);
    let pipe = || check(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC), || "pipe2()".to_owned());
    let ((input, to_input), (from_errors, errors)) = (pipe()?, pipe()?);
    let null = check(OpenOptions::new().write(true).open("/dev/null"), || "open(/dev/null)".to_owned())?;
    // A profile fits into a pipe's buffer, so the write does not block.
    check(File::from(to_input).write_all(text.as_bytes()), || "write(pipe)".to_owned())?;
    let args = [c"apparmor_parser", c"--skip-read-cache", c"--replace", c"--quiet"].map(CString::from);
    let streams = [input.as_fd(), null.as_fd(), errors.as_fd()];
    let pid = spawn(&Command { program: Path::new(program), args: &args, streams, passed: &[] })?;
    let child = process::open(pid)?;
    drop(errors); // only the child's end stays open, so reading ends with the program
    let mut said = String::new();
    let _ = File::from(from_errors).take(MAX_ERROR).read_to_string(&mut said); // used in the error message only
    match process::wait(child.as_fd())? {
        process::Exit::Code(0) => Ok(()),
        exit => {
            let said = said.trim();
            Err(Error::new(format!("{program} --replace"), io::Error::other(format!("{exit}: {said}"))))
        }
    }
}

const MAX_ERROR: u64 = 4096;

/// Applies a profile at the next `execve` of this process or of one that it clones.
///
/// # Errors
///
/// `ENOENT` if no such profile is loaded; `EACCES` if the current one forbids it.
pub fn change_at_exec(profile: &str) -> Result<()> {
    write_attribute("exec", &format!("exec {profile}"))
}

/// Applies a profile immediately.
///
/// # Errors
///
/// As for [`change_at_exec`].
pub fn change_now(profile: &str) -> Result<()> {
    write_attribute("current", &format!("changeprofile {profile}"))
}

/// Before Linux 5.8 the security modules shared these files.
fn write_attribute(file: &str, text: &str) -> Result<()> {
    let own = format!("/proc/self/attr/apparmor/{file}");
    let path = if Path::new(&own).exists() { own } else { format!("/proc/self/attr/{file}") };
    process::write_proc(&path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_by_its_whole_name() {
        let list = "/usr/bin/man (enforce)\nhoist-default (enforce)\nwith space (x) (complain)\nbare\n";
        for (name, want) in [
            ("hoist-default", true),
            ("hoist", false),
            ("default", false),
            ("with space (x)", true),
            ("with space", false),
            ("bare", false),
            ("", false),
        ] {
            assert_eq!(lists(list, name), want, "{name}");
        }
    }
}
