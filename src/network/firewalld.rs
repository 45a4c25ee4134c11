//! Adds links to firewalld's zone `trusted` through D-Bus: `org.fedoraproject.FirewallD1.zone` in
//! firewalld.dbus(5).

use std::path::Path;
use std::time::Duration;

use crate::base::dbus::{Bus, Call, Result};

const ZONE: &str = "trusted";
/// For every change, firewalld rewrites its whole ruleset.
const PATIENCE: Duration = Duration::from_secs(5);

/// Adds `link` to the zone whose packets are accepted.
///
/// # Errors
///
/// If there is no system bus or no firewalld, or it refuses.
pub(super) fn trust(bus: &Path, link: &str) -> Result<()> {
    call(bus, "changeZoneOfInterface", link)
}

/// Removes `link` from that zone.
///
/// # Errors
///
/// As for [`trust`].
pub(super) fn distrust(bus: &Path, link: &str) -> Result<()> {
    call(bus, "removeInterface", link)
}

fn call(bus: &Path, method: &str, link: &str) -> Result<()> {
    Bus::connect(bus, PATIENCE)?.call(&Call {
        destination: "org.fedoraproject.FirewallD1",
        path: "/org/fedoraproject/FirewallD1",
        interface: "org.fedoraproject.FirewallD1.zone",
        method,
        args: &[ZONE.into(), link.into()],
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::base::dbus::tests::{message, serve};

    #[test]
    fn firewalld_is_asked_for_the_zone_and_its_refusal_is_heard() {
        let (returned, failed) = (2, 3);
        for (kind, is_ok) in [(returned, true), (failed, false)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("bus");
            let listener = UnixListener::bind(&path).unwrap();
            let answers = [message(returned, 1, "", &[":1.1"]), message(kind, 2, "org.example.No", &["no"])];
            let served = std::thread::spawn(move || serve(&listener, &answers));
            assert_eq!(trust(&path, "hoist0").is_ok(), is_ok);
            let asked = served.join().unwrap().pop().unwrap();
            for word in ["changeZoneOfInterface", "trusted", "hoist0", "FirewallD1.zone"] {
                assert!(asked.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
            }
        }
        assert!(trust(Path::new("/nonexistent/bus"), "hoist0").is_err());
    }
}
