//! Values of options, each as Docker reads it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use super::World;
use super::usage::Usage;
use crate::base::units::parse_size;
use crate::engine::{RestartPolicy, Seccomp, SecurityOptions, Ulimit};
use crate::oci::Platform;

type Result<T> = std::result::Result<T, Usage>;

/// Reads each of several words.
pub(super) fn each<T>(words: &[String], read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    words.iter().map(|word| read(word)).collect()
}

/// A word that must say something.
pub(super) fn filled(option: &str, word: &str) -> Result<String> {
    match word {
        "" => Err(Usage::argument(format!("invalid argument `` for {option}: it is empty"))),
        word => Ok(word.to_owned()),
    }
}

/// A domain that names are looked up in; `.` alone is the root.
pub(super) fn dns_search(word: &str) -> Result<String> {
    let is_label = |label: &str| {
        let inner = label.strip_prefix('-').or(label.strip_suffix('-')).is_none();
        inner && !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let domain = word.trim_matches(' ');
    let name = domain.strip_suffix('.').unwrap_or(domain);
    let is_name =
        name.len() < 255 && name.split('.').all(is_label) && name.contains(|c: char| c.is_ascii_alphabetic());
    match domain == "." || is_name {
        true => Ok(domain.to_owned()),
        false => Err(Usage::argument(format!(
            "invalid argument `{word}` for --dns-search: it is not a valid domain"
        ))),
    }
}

/// `key=value`
pub(super) fn pair<'a>(option: &str, word: &'a str) -> Result<(&'a str, &'a str)> {
    let bad = || Usage::argument(format!("invalid argument `{word}` for {option}: want key=value"));
    word.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(bad)
}

/// Powers of 1024.
pub(super) fn size(option: &str, word: &str) -> Result<u64> {
    parse_size(word).map_err(|error| Usage::argument(format!("invalid argument for {option}: {error}")))
}

/// Powers of 1000, as the sizes of log files are.
pub(super) fn decimal_size(option: &str, word: &str) -> Result<u64> {
    let lower = word.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let factor = match unit.trim().trim_end_matches('b') {
        "" => Some(1.0),
        "k" => Some(1e3),
        "m" => Some(1e6),
        "g" => Some(1e9),
        "t" => Some(1e12),
        _ => None,
    };
    let bytes = number.parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor);
    match bytes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e18")]
        Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(bytes as u64),
        _ => Err(Usage::argument(format!("invalid {option} `{word}`: want a size, as in 10m"))),
    }
}

/// `--env-file` and then `-e`; a name alone takes the caller's value. One that the caller has
/// not is left out in a file; as a word it takes the image's variable away.
pub(super) fn env(files: &[String], words: &[String], world: &World) -> Result<Vec<String>> {
    let imported = |name: &str| {
        let value = world.environment.to_map().remove(name)?;
        Some(format!("{name}={value}"))
    };
    let mut env = Vec::new();
    for file in files {
        for (name, value) in pairs_of_file(file, world)? {
            match value {
                Some(value) => env.push(format!("{name}={value}")),
                None => env.extend(imported(&name)),
            }
        }
    }
    for word in words {
        match word.split_once('=') {
            Some(("", _)) => return Err(Usage::argument(format!("invalid environment variable: {word}"))),
            Some(_) => env.push(word.clone()),
            None if word.is_empty() => {
                return Err(Usage::argument("invalid environment variable: it is empty"));
            }
            None => env.push(imported(word).unwrap_or_else(|| word.clone())),
        }
    }
    Ok(env)
}

/// `--label-file` and then `--label`; a name alone has an empty value.
pub(super) fn labels(files: &[String], words: &[String], world: &World) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for file in files {
        labels.extend(
            pairs_of_file(file, world)?.into_iter().map(|(name, value)| (name, value.unwrap_or_default())),
        );
    }
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if name.is_empty() {
            return Err(Usage::argument(format!("invalid label `{word}`: its name is empty")));
        }
        labels.insert(name.to_owned(), value.to_owned());
    }
    Ok(labels)
}

/// Lines `NAME=value` or `NAME`; empty ones and comments are skipped, quotes mean nothing.
fn pairs_of_file(file: &str, world: &World) -> Result<Vec<(String, Option<String>)>> {
    let path = world.absolute(file);
    let text =
        (world.read)(&path).map_err(|error| Usage::argument(format!("cannot read {file}: {error}")))?;
    let mut pairs = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.trim_end(), None),
        };
        if name.is_empty() {
            return Err(Usage::argument(format!("invalid file {file}: no variable name on line `{line}`")));
        }
        if name.contains(char::is_whitespace) {
            return Err(Usage::argument(format!(
                "invalid file {file}: variable `{name}` contains whitespaces"
            )));
        }
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

pub(super) fn workdir(word: &str) -> Result<PathBuf> {
    if word.starts_with('/') {
        return Ok(word.into());
    }
    Err(Usage::argument(format!(
        "the working directory `{word}` is invalid, it needs to be an absolute path"
    )))
}

pub(super) fn platform(word: &str) -> Result<Platform> {
    word.parse().map_err(|error| Usage::argument(format!("{error}")))
}

/// `name:address`, `name=address`, `name:host-gateway`.
pub(super) fn extra_host(word: &str) -> Result<String> {
    let bad = || {
        Usage::argument(format!("bad format for --add-host: `{word}`").to_owned()).hint("want name:address")
    };
    let at = word.find([':', '=']).ok_or_else(bad)?;
    let (name, address) = (&word[..at], &word[at + 1..]);
    let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    if name.is_empty() {
        return Err(bad());
    }
    if bare != "host-gateway" && bare.parse::<IpAddr>().is_err() {
        return Err(Usage::argument(format!("invalid IP address in --add-host: `{address}`")));
    }
    Ok(format!("{name}:{bare}"))
}

pub(super) fn dns(word: &str) -> Result<String> {
    match word.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Usage::argument(format!("invalid argument `{word}` for --dns: it is no IP address"))),
    }
}

/// What setrlimit(2) knows, in ulimit's words.
const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// `nofile=1024:2048`
pub(super) fn ulimit(word: &str) -> Result<Ulimit> {
    let bad = |why: &str| Usage::argument(format!("invalid ulimit `{word}`: {why}"));
    let (name, limits) = word.split_once('=').ok_or_else(|| bad("want name=soft[:hard]"))?;
    if !ULIMITS.contains(&name) {
        return Err(bad("there is no such limit").hint(format!("there are {}", ULIMITS.join(", "))));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        _ => text
            .parse::<i64>()
            .ok()
            .filter(|n| *n >= -1)
            .ok_or_else(|| bad("want numbers, or -1 for no limit")),
    };
    let (soft, hard) = (number(soft)?, number(hard)?);
    let above = hard != -1 && (soft > hard || soft == -1);
    if above {
        return Err(bad("the soft limit must be less than or equal to the hard one"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard, ..Ulimit::default() })
}

pub(super) fn restart(word: &str) -> Result<RestartPolicy> {
    let bad = |why: &str| Usage::argument(format!("invalid restart policy `{word}`: {why}"));
    let (name, most) = match word.split_once(':') {
        Some((name, most)) => (name, Some(most)),
        None => (word, None),
    };
    let policy = match name {
        "no" | "" => RestartPolicy::No,
        "always" => RestartPolicy::Always,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        "on-failure" => {
            let most = most.map_or(Ok(0), str::parse).map_err(|_| bad("the count must be a number"))?;
            return Ok(RestartPolicy::OnFailure(most));
        }
        _ => return Err(bad("want no, always, unless-stopped or on-failure[:n]")),
    };
    match most {
        Some(_) => Err(bad("only on-failure takes a count")),
        None => Ok(policy),
    }
}

/// `type:container_t` and the like, `disable`.
fn label(part: &str) -> Result<String> {
    let (key, value) = part.split_once(':').unwrap_or((part, ""));
    // It becomes part of a mount option.
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
    let hint = "want disable, or user, role, type, filetype or level with a colon and a value";
    if is_known { Ok(part.to_owned()) } else { Err(bad().hint(hint)) }
}

/// `no-new-privileges[=bool]`, `seccomp=FILE|unconfined|builtin`, `apparmor=PROFILE|unconfined`,
/// `label=disable|type:T|…`.
pub(super) fn security(word: &str, options: &mut SecurityOptions, world: &World) -> Result<()> {
    let (key, value) = match word.split_once(['=', ':']) {
        Some((key, value)) => (key, Some(value)),
        None => (word, None),
    };
    match (key, value) {
        ("no-new-privileges", None | Some("true")) => options.no_new_privileges = true,
        ("no-new-privileges", Some("false")) => options.no_new_privileges = false,
        ("seccomp", Some("unconfined")) => options.seccomp = Seccomp::Unconfined,
        ("seccomp", Some("builtin")) => options.seccomp = Seccomp::Default,
        ("seccomp", Some(file)) => {
            let bad = |why: String| Usage::argument(format!("cannot use the seccomp profile {file}: {why}"));
            let text = (world.read)(&world.absolute(file)).map_err(|error| bad(error.to_string()))?;
            let value: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
            options.seccomp = Seccomp::Profile(value.to_string());
        }
        ("apparmor", Some(profile)) if !profile.is_empty() => options.apparmor = Some(profile.to_owned()),
        ("label", Some(part)) => options.selinux.push(label(part)?),
        ("systempaths" | "writable-cgroups", _) => {
            return Err(Usage::argument(format!("--security-opt {key} is not supported yet")));
        }
        _ => return Err(Usage::argument(format!("invalid --security-opt: `{word}`"))),
    }
    Ok(())
}
