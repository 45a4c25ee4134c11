//! The texts of units, in the formats of systemd.unit(5) and systemd-run(1).

/// Units that must be active while containers run, if they exist.
const AFTER: &str = "network-online.target nss-lookup.target firewalld.service nftables.service";

/// The start of the command lines of an engine.
#[derive(Debug)]
pub struct Invocation {
    /// The path of hoist.
    pub program: String,
    /// The data folder.
    pub root: String,
    /// The folder of what a reboot invalidates.
    pub run_root: String,
}

impl Invocation {
    /// Returns the words of the command line.
    pub fn words(&self) -> [&str; 5] {
        [&self.program, "--root", &self.root, "--run-root", &self.run_root]
    }
}

/// Returns the unit written by `system install`.
pub fn installed(hoist: &Invocation) -> String {
    let command = escaped(hoist).replace('%', "%%");
    format!(
        "# Written by `hoist system install`; `hoist system uninstall` removes it.\n\
         [Unit]\n\
         Description=hoist containers\n\
         Wants=network-online.target\n\
         After={AFTER}\n\
         RequiresMountsFor={root}\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         # A container that fails to start must not prevent the others from being stopped at shutdown.\n\
         ExecStart=-{command} system boot\n\
         ExecStop={command} system shutdown\n\
         # Each container has its own timeout.\n\
         TimeoutStartSec=infinity\n\
         TimeoutStopSec=infinity\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        root = mounted(hoist).replace('%', "%%"),
    )
}

/// Returns the arguments of systemd-run(1) for a unit that only waits for the shutdown.
pub fn transient(name: &str, hoist: &Invocation) -> Vec<String> {
    let options = [
        "--quiet",
        "--no-block",
        "--collect",
        "--service-type=oneshot",
        "--remain-after-exit",
        "--description=Stop hoist containers at shutdown",
        "--property=TimeoutStopSec=infinity",
    ];
    let mut all: Vec<String> = options.map(str::to_owned).to_vec();
    all.push(format!("--unit={name}"));
    all.push(format!("--property=After={AFTER}"));
    all.push(format!("--property=RequiresMountsFor={}", mounted(hoist)));
    all.push(format!("--property=ExecStop={} system shutdown", escaped(hoist)));
    all.extend(["--", "/bin/true"].map(str::to_owned));
    all
}

/// Returns the folders that must be mounted while containers run: the values of `--root` and
/// `--run-root`.
fn mounted(hoist: &Invocation) -> String {
    [&hoist.root, &hoist.run_root].map(|word| quoted(word)).join(" ")
}

/// Escapes arguments for a command line of systemd.service(5). Only there, `$` is a variable.
fn escaped(hoist: &Invocation) -> String {
    hoist.words().iter().map(|word| quoted(&word.replace('$', "$$"))).collect::<Vec<_>>().join(" ")
}

/// Quotes an argument as in systemd.syntax(7).
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hoist() -> Invocation {
        let [program, root, run_root] = ["/opt/my apps/hoist", "/var/100%", "/run/$x"].map(str::to_owned);
        Invocation { program, root, run_root }
    }

    #[test]
    fn the_unit_boots_and_shuts_down_and_keeps_odd_paths() {
        insta::assert_snapshot!(installed(&hoist()), @r#"
        # Written by `hoist system install`; `hoist system uninstall` removes it.
        [Unit]
        Description=hoist containers
        Wants=network-online.target
        After=network-online.target nss-lookup.target firewalld.service nftables.service
        RequiresMountsFor="/var/100%%" "/run/$x"

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        # A container that fails to start must not prevent the others from being stopped at shutdown.
        ExecStart=-"/opt/my apps/hoist" "--root" "/var/100%%" "--run-root" "/run/$$x" system boot
        ExecStop="/opt/my apps/hoist" "--root" "/var/100%%" "--run-root" "/run/$$x" system shutdown
        # Each container has its own timeout.
        TimeoutStartSec=infinity
        TimeoutStopSec=infinity

        [Install]
        WantedBy=multi-user.target
        "#);
    }

    #[test]
    fn the_transient_unit_only_shuts_down() {
        let words = transient("hoist-shutdown.service", &hoist());
        let stop = r#"--property=ExecStop="/opt/my apps/hoist" "--root" "/var/100%" "--run-root" "/run/$$x" system shutdown"#;
        let mounts = r#"--property=RequiresMountsFor="/var/100%" "/run/$x""#;
        assert!([stop, mounts].iter().all(|want| words.iter().any(|word| word == want)), "{words:?}");
        assert_eq!(words[words.len() - 2..], ["--", "/bin/true"]);
    }
}
