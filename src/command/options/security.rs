//! The privileges of a container.

use std::path::PathBuf;

use clap::Args;

use super::{Line, Result, each, filled};
use crate::command::World;
use crate::command::field::{Field, Section as S};
use crate::command::usage::Usage;
use crate::engine::{Seccomp, SecurityOptions};

#[derive(Debug, Args)]
pub(super) struct SecurityWords {
    /// Add a capability, or ALL
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// Drop a capability, or ALL
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// Give extended privileges to the container, and access to all devices
    #[arg(long)]
    privileged: bool,
    /// Security option: no-new-privileges, seccomp=, apparmor= or label=
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::switch(50, "privileged", "privileged", &[S::General, S::Security]),
    Field::many(300, "Add caps", "cap-add", &[S::Security], "NET_ADMIN"),
    Field::many(310, "Drop caps", "cap-drop", &[S::Security], "ALL"),
    Field::many(320, "Options", "security-opt", &[S::Security], "no-new-privileges seccomp=FILE").few(&[
        "no-new-privileges",
        "seccomp=unconfined",
        "seccomp=",
        "apparmor=unconfined",
        "apparmor=",
        "label=disable",
    ]),
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&str] = &[
    "--cgroupns",
    "--device",
    "--device-cgroup-rule",
    "--gpus",
    "--ipc",
    "--isolation",
    "--pid",
    "--sysctl",
    "--use-api-socket",
    "--userns",
    "--uts",
];

impl SecurityWords {
    /// Converts the arguments to options and the file of the seccomp profile.
    pub(super) fn read(self) -> Result<(SecurityOptions, Option<PathBuf>)> {
        let mut profile = None;
        let mut security = SecurityOptions {
            cap_add: each(&self.cap_add, |word| filled("--cap-add", word))?,
            cap_drop: each(&self.cap_drop, |word| filled("--cap-drop", word))?,
            privileged: self.privileged,
            ..SecurityOptions::default()
        };
        for word in &self.security_opt {
            option(word, &mut security, &mut profile)?;
        }
        Ok((security, profile))
    }
}

/// Reads the seccomp profile.
pub(super) fn resolve(security: &mut SecurityOptions, profile: Option<PathBuf>, world: &World) -> Result<()> {
    let Some(file) = profile else { return Ok(()) };
    let bad =
        |why: String| Usage::argument(format!("cannot use the seccomp profile {}: {why}", file.display()));
    let text = (world.read)(&world.absolute(&file)).map_err(|error| bad(error.to_string()))?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    security.seccomp = Seccomp::Profile(value.to_string());
    Ok(())
}

pub(super) fn write(security: &SecurityOptions, line: &mut Line) {
    line.values("--cap-add", &security.cap_add);
    line.values("--cap-drop", &security.cap_drop);
    line.flag("--privileged", security.privileged);
    if security.no_new_privileges {
        line.value("--security-opt", "no-new-privileges");
    }
    match &security.seccomp {
        Seccomp::Default => {}
        Seccomp::Unconfined => line.value("--security-opt", "seccomp=unconfined"),
        Seccomp::Profile(_) => line.value("--security-opt", "seccomp=<profile>"),
        Seccomp::Unknown(value) => line.value("--security-opt", format!("seccomp={value}")),
    }
    if let Some(profile) = &security.apparmor {
        line.value("--security-opt", format!("apparmor={profile}"));
    }
    for part in &security.selinux {
        line.value("--security-opt", format!("label={part}"));
    }
}

/// Parses a label option such as `type:container_t` or `disable`.
fn label(part: &str) -> Result<String> {
    let (key, value) = part.split_once(':').unwrap_or((part, ""));
    // The value becomes part of a mount option.
    let of_label = |more: &str| {
        let is_of_label = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c) || more.contains(c);
        !value.is_empty() && value.chars().all(is_of_label)
    };
    let is_known = match key {
        "user" | "role" | "type" | "filetype" => of_label(""),
        "level" => of_label(":,"),
        "disable" => part == key,
        "nested" => return Err(Usage::argument("--security-opt label=nested is not supported yet")),
        _ => false,
    };
    let bad = || Usage::argument(format!("bad label option `{part}`"));
    let hint = "use disable, or user, role, type, filetype or level followed by `:VALUE`";
    if is_known { Ok(part.to_owned()) } else { Err(bad().hint(hint)) }
}

/// Parses `no-new-privileges[=bool]`, `seccomp=FILE|unconfined|builtin`,
/// `apparmor=PROFILE|unconfined` and `label=disable|type:T|…`.
fn option(word: &str, options: &mut SecurityOptions, profile: &mut Option<PathBuf>) -> Result<()> {
    let (key, value) = match word.split_once(['=', ':']) {
        Some((key, value)) => (key, Some(value)),
        None => (word, None),
    };
    match (key, value) {
        ("no-new-privileges", None | Some("true")) => options.no_new_privileges = true,
        ("no-new-privileges", Some("false")) => options.no_new_privileges = false,
        ("seccomp", Some("unconfined")) => (options.seccomp, *profile) = (Seccomp::Unconfined, None),
        ("seccomp", Some("builtin")) => (options.seccomp, *profile) = (Seccomp::Default, None),
        ("seccomp", Some(file)) => *profile = Some(file.into()),
        ("apparmor", Some(name)) if !name.is_empty() => options.apparmor = Some(name.to_owned()),
        ("label", Some(part)) => options.selinux.push(label(part)?),
        ("systempaths" | "writable-cgroups", _) => {
            return Err(Usage::argument(format!("--security-opt {key} is not supported yet")));
        }
        _ => return Err(Usage::argument(format!("invalid --security-opt: `{word}`"))),
    }
    Ok(())
}
