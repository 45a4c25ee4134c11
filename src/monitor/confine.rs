//! Chooses the AppArmor profile of a container's processes and loads it if necessary; also its
//! SELinux labels, if requested.

use std::borrow::Cow;

use super::error::Error;
use super::label::{self, Labels};
use crate::base::{ContainerId, disk};
use crate::container::Options;
use crate::oci::Digest;
use crate::sys::probe::Probe;
use crate::sys::{apparmor, selinux};

/// The prefix of the default profile's name, followed by the digest of its text. A changed text is
/// a new profile, and running containers keep theirs.
const DEFAULT: &str = "hoist-default";
/// The number of digits of the digest.
const DIGITS: usize = 8;
/// AppArmor's name for no profile.
const UNCONFINED: &str = "unconfined";
const TEXT: &str = include_str!("../../assets/apparmor-default");

/// The profile to apply, `None` if AppArmor is not enabled, and a warning for the user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Confinement {
    pub(super) profile: Option<String>,
    pub(super) warning: Option<String>,
}

impl Confinement {
    /// Returns the profile for the runtime. If hoist itself is confined, containers stay in its
    /// profile.
    pub(super) fn to_apply(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| *name != UNCONFINED)
    }
}

/// Whether a profile is a default one, of this version or another.
pub(super) fn is_default(profile: &str) -> bool {
    let is_digest = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    profile.strip_prefix(DEFAULT).is_some_and(|version| {
        version.is_empty() || version.strip_prefix('-').is_some_and(is_digest) // the oldest has no digest
    })
}

/// Returns the name of this version's default profile.
pub(super) fn default_name() -> String {
    format!("{DEFAULT}-{}", &Digest::of(TEXT.as_bytes()).hex()[..DIGITS])
}

fn load_default(name: &str) -> crate::sys::Result<()> {
    apparmor::load(&default_text(name))
}

/// Returns the text of the default profile for this name.
fn default_text(name: &str) -> String {
    TEXT.replace(DEFAULT, name)
}

/// Returns the profile for a start. Loads the default profile if necessary.
///
/// # Errors
///
/// [`Error::NoProfile`] if a profile that was requested by name is not loaded.
pub(super) fn confine(config: &Options, probe: &Probe) -> Result<Confinement, Error> {
    let without = |why: String| Confinement { profile: None, warning: Some(why) };
    if !apparmor::is_enabled() {
        return Ok(match asked_for(config) {
            Some(name) => without(format!(
                "AppArmor is disabled on this machine: {name} does not confine the container"
            )),
            None => Confinement::default(),
        });
    }
    let wanted = wanted(config);
    let wanted = wanted.as_ref();
    let with = |name: &str| Confinement { profile: Some(name.to_owned()), warning: None };
    if wanted == UNCONFINED {
        return Ok(with(UNCONFINED));
    }
    // Policies belong to the machine; a container manager inside a container cannot change them.
    let is_loaded = if probe.in_user_namespace { None } else { apparmor::is_loaded(wanted).ok() };
    match (is_loaded, asked_for(config)) {
        (Some(true), _) => Ok(with(wanted)),
        (Some(false), Some(_)) => Err(Error::NoProfile(wanted.to_owned())),
        (Some(false), None) => Ok(match load_default(wanted) {
            Ok(()) => with(wanted),
            Err(error) => without(not_loaded(&error)),
        }),
        (None, Some(name)) => Ok(without(format!(
            "the AppArmor profiles of this machine are not accessible: {name} does not confine the container"
        ))),
        (None, None) => Ok(Confinement::default()),
    }
}

/// Returns the SELinux labels for a start, and a warning for the user. Without a request containers
/// have none, as with a Docker daemon without `--selinux-enabled`.
///
/// # Errors
///
/// [`Error::NoLabels`].
pub(super) fn labels(config: &Options, id: &ContainerId) -> Result<(Option<Labels>, Option<String>), Error> {
    let words = &config.security.selinux;
    let Some(first) = words.first().filter(|_| words.iter().all(|word| word != "disable")) else {
        return Ok((None, None));
    };
    if !selinux::is_enabled() {
        let text =
            format!("SELinux is disabled on this machine: label={first} does not confine the container");
        return Ok((None, Some(text)));
    }
    let path = selinux::contexts_file()?;
    let no_labels = |source| Error::NoLabels { path: path.clone(), source };
    let contexts = disk::read_text(path.as_ref()).map_err(|error| no_labels(error.into()))?;
    let labels = label::labels(&contexts, words, id).map_err(|error| no_labels(error.into()))?;
    Ok((Some(labels), None))
}

/// Returns the profile for a command in a container that was started with `profile`. The default
/// profile may have been unloaded meanwhile.
///
/// # Errors
///
/// As for [`confine`]; [`Error::OldProfile`].
pub(super) fn confine_exec(profile: &str) -> Result<Option<String>, Error> {
    if ["", UNCONFINED].contains(&profile) {
        return Ok(None);
    }
    if !apparmor::is_loaded(profile)? {
        match profile {
            _ if profile == default_name() => load_default(profile)?,
            // The text of that version is not known.
            _ if is_default(profile) => return Err(Error::OldProfile(profile.to_owned())),
            _ => return Err(Error::NoProfile(profile.to_owned())),
        }
    }
    Ok(Some(profile.to_owned()))
}

/// Docker's rule: the requested profile; otherwise none for privileged containers.
fn wanted(config: &Options) -> Cow<'_, str> {
    match asked_for(config) {
        Some(name) => name.into(),
        None if config.security.apparmor.is_some() || config.security.privileged => UNCONFINED.into(),
        None => default_name().into(),
    }
}

/// Returns a profile that the user requested explicitly.
fn asked_for(config: &Options) -> Option<&str> {
    config.security.apparmor.as_deref().filter(|name| *name != UNCONFINED)
}

fn not_loaded(error: &crate::sys::Error) -> String {
    if error.is(rustix::io::Errno::NOENT) {
        return "AppArmor is enabled, but apparmor_parser is not installed: the container is not confined; \
                install the package apparmor"
            .to_owned();
    }
    let why = crate::base::error::one_line(error);
    format!("the AppArmor profile {DEFAULT} cannot be loaded, so the container runs without it: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privileged_container_has_no_profile_unless_one_is_named() {
        let default = default_name();
        let table = [
            (None, false, default.as_str()),
            (None, true, UNCONFINED),
            (Some("unconfined"), false, UNCONFINED),
            (Some("mine"), false, "mine"),
            (Some("mine"), true, "mine"),
        ];
        for (apparmor, privileged, want) in table {
            let mut config = Options::default();
            config.security.apparmor = apparmor.map(str::to_owned);
            config.security.privileged = privileged;
            assert_eq!(super::wanted(&config), want, "{apparmor:?} {privileged}");
        }
    }

    #[test]
    fn the_text_defines_the_profile_of_that_name() {
        let name = default_name();
        assert_eq!(name.strip_prefix("hoist-default-").map(str::len), Some(8));
        assert_eq!(
            [name.as_str(), DEFAULT, "hoist-defaults", "hoist-default-mine", "hoist-default-", "unconfined"]
                .map(is_default),
            [true, true, false, false, false, false]
        );
        let text = default_text(&name);
        assert!(text.contains(&format!("\nprofile {name} ")));
        let peers = text.lines().filter_map(|line| line.split_once("peer=")).map(|(_, peer)| peer);
        assert!(peers.clone().all(|peer| [&format!("{name},"), "unconfined,"].contains(&peer)));
        assert!(text.len() < 4096, "a pipe holds it even where pipes are small");
    }
}
