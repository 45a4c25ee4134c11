//! Resolves the capabilities of a container's processes: capabilities(7).

/// A word that does not name a capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid capability: \"{0}\"")]
pub struct NoCapability(pub String);

/// Every capability in the kernel's order: the index is the capability's number.
pub const ALL: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The capabilities that a container has by default, the same as Docker's.
pub const DEFAULT: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SYS_CHROOT",
    "CAP_MKNOD",
    "CAP_AUDIT_WRITE",
    "CAP_SETFCAP",
];

/// Returns the capabilities that result from `--cap-add` and `--cap-drop`, in the kernel's order.
///
/// `ALL` stands for all capabilities. A capability that is both added and dropped is dropped. With
/// `--cap-add ALL` or `--cap-drop ALL` the other list names the exceptions.
///
/// # Errors
///
/// A word that does not name a capability.
pub fn resolve(add: &[String], drop: &[String]) -> Result<Vec<String>, NoCapability> {
    let (add, adds_all) = parse(add)?;
    let (drop, drops_all) = parse(drop)?;
    let keeps = |name: &str| {
        if drops_all {
            return add.contains(&name);
        }
        let has = adds_all || DEFAULT.contains(&name) || add.contains(&name);
        has && !drop.contains(&name)
    };
    Ok(ALL.into_iter().filter(|name| keeps(name)).map(str::to_owned).collect())
}

fn parse(words: &[String]) -> Result<(Vec<&'static str>, bool), NoCapability> {
    let mut names = Vec::new();
    let mut all = false;
    for word in words {
        let upper = word.trim().to_ascii_uppercase();
        if upper == "ALL" || upper == "CAP_ALL" {
            all = true;
            continue;
        }
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let known = ALL.into_iter().find(|name| &name[4..] == bare);
        names.push(known.ok_or_else(|| NoCapability(word.clone()))?);
    }
    Ok((names, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(add: &[&str], drop: &[&str]) -> Vec<String> {
        let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        resolve(&own(add), &own(drop)).unwrap()
    }

    #[test]
    fn adding_and_dropping_go_by_dockers_rules() {
        assert_eq!(left(&[], &[]), DEFAULT);
        assert_eq!(left(&["ALL"], &[]), ALL);
        assert_eq!(left(&[], &["all"]), Vec::<String>::new());
        assert_eq!(left(&["net_admin"], &["ALL"]), ["CAP_NET_ADMIN"]);
        assert_eq!(left(&["ALL"], &["CAP_SYS_ADMIN"]).len(), ALL.len() - 1);
        assert_eq!(left(&["CAP_NET_RAW"], &["net_raw"]).len(), DEFAULT.len() - 1);
        assert!(left(&["sys_ptrace"], &[]).contains(&"CAP_SYS_PTRACE".to_owned()));
    }

    #[test]
    fn an_unknown_capability_is_refused() {
        let error = resolve(&["NET_ADM".to_owned()], &[]).unwrap_err();
        assert_eq!(error.to_string(), "invalid capability: \"NET_ADM\"");
    }
}
