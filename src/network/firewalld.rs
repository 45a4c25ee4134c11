//! Adds links to firewalld's zone `trusted` through D-Bus. As this is a single call, the few parts
//! of the protocol that it needs are implemented here:
//! <https://dbus.freedesktop.org/doc/dbus-specification.html>,
//! `org.fedoraproject.FirewallD1.zone` in firewalld.dbus(5).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const ZONE: &str = "trusted";
/// For every change, firewalld rewrites its whole ruleset.
const PATIENCE: Duration = Duration::from_secs(5);
/// Replies to these calls contain only a name.
const MAX_MESSAGE: u32 = 64 << 10;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const FAILURE: u8 = 3;

/// Adds `link` to the zone whose packets are accepted.
///
/// # Errors
///
/// If there is no system bus or no firewalld, or it refuses.
pub(super) fn trust(bus: &Path, link: &str) -> io::Result<()> {
    call(bus, "changeZoneOfInterface", link)
}

/// Removes `link` from that zone.
///
/// # Errors
///
/// As for [`trust`].
pub(super) fn distrust(bus: &Path, link: &str) -> io::Result<()> {
    call(bus, "removeInterface", link)
}

fn call(bus: &Path, method: &str, link: &str) -> io::Result<()> {
    let stream = UnixStream::connect(bus)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut bus = BufReader::new(stream);
    let uid = rustix::process::getuid().as_raw().to_string();
    let uid: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
    bus.get_mut().write_all(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
    let mut answer = String::new();
    bus.by_ref().take(512).read_line(&mut answer)?;
    if !answer.starts_with("OK ") {
        return Err(io::Error::other(format!("the system bus responded: {}", answer.trim_end())));
    }
    bus.get_mut().write_all(b"BEGIN\r\n")?;
    let hello = Call {
        serial: 1,
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        method: "Hello",
        words: &[],
    };
    let change = Call {
        serial: 2,
        destination: "org.fedoraproject.FirewallD1",
        path: "/org/fedoraproject/FirewallD1",
        interface: "org.fedoraproject.FirewallD1.zone",
        method,
        words: &[ZONE, link],
    };
    for message in [hello, change] {
        bus.get_mut().write_all(&message.encode())?;
        answer_to(&mut bus)?;
    }
    Ok(())
}

/// A method call with string arguments.
#[derive(Debug)]
struct Call<'a> {
    serial: u32,
    destination: &'a str,
    path: &'a str,
    interface: &'a str,
    method: &'a str,
    words: &'a [&'a str],
}

impl Call<'_> {
    fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for word in self.words {
            push_string(&mut body, word);
        }
        let mut fields = Vec::new();
        for (code, kind, value) in [
            (1, b'o', self.path),
            (2, b's', self.interface),
            (3, b's', self.method),
            (6, b's', self.destination),
        ] {
            fields.resize(fields.len().next_multiple_of(8), 0);
            fields.extend([code, 1, kind, 0]);
            push_string(&mut fields, value);
        }
        if !self.words.is_empty() {
            fields.resize(fields.len().next_multiple_of(8), 0);
            let signature = "s".repeat(self.words.len());
            fields.extend([8, 1, b'g', 0, self.words.len().to_le_bytes()[0]]);
            fields.extend(signature.as_bytes());
            fields.push(0);
        }
        let mut message = vec![b'l', METHOD_CALL, 0, 1];
        message.extend(length(&body));
        message.extend(self.serial.to_le_bytes());
        message.extend(length(&fields));
        message.extend(&fields);
        message.resize(message.len().next_multiple_of(8), 0);
        message.extend(body);
        message
    }
}

fn push_string(to: &mut Vec<u8>, text: &str) {
    to.resize(to.len().next_multiple_of(4), 0);
    to.extend(length(text.as_bytes()));
    to.extend(text.as_bytes());
    to.push(0);
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Reads up to the next method return or error, and skips signals.
fn answer_to(bus: &mut impl Read) -> io::Result<()> {
    loop {
        let mut head = [0; 16];
        bus.read_exact(&mut head)?;
        let number = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            if head[0] == b'l' { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        };
        let (body, fields) = (number(4), number(12));
        if body > MAX_MESSAGE || fields > MAX_MESSAGE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the response is too large"));
        }
        let rest = fields.next_multiple_of(8) + body;
        let mut skipped = Vec::new();
        bus.by_ref().take(rest.into()).read_to_end(&mut skipped)?;
        match head[1] {
            METHOD_RETURN => return Ok(()),
            FAILURE => return Err(io::Error::other("firewalld refused the request")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// Serves one client of a bus: answers its second call with `kind`, and returns that call.
    fn bus(listener: UnixListener, kind: u8) -> Vec<u8> {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("\0AUTH EXTERNAL 3"), "{line:?}");
        stream.get_mut().write_all(b"OK 1234\r\n").unwrap();
        line.clear();
        stream.read_line(&mut line).unwrap();
        assert_eq!(line, "BEGIN\r\n");
        let mut last = Vec::new();
        // A signal precedes the answers, as on a real bus.
        for answers in [&[4, METHOD_RETURN][..], &[kind]] {
            let mut head = [0; 16];
            stream.read_exact(&mut head).unwrap();
            let body = u32::from_le_bytes(head[4..8].try_into().unwrap());
            let fields = u32::from_le_bytes(head[12..].try_into().unwrap());
            last = vec![0; (fields.next_multiple_of(8) + body) as usize];
            stream.read_exact(&mut last).unwrap();
            for &kind in answers {
                let mut answer = vec![b'l', kind, 0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0];
                answer.extend([0; 10]); // fields of 3 bytes, padded, and a body of 2
                stream.get_mut().write_all(&answer).unwrap();
            }
        }
        last
    }

    #[test]
    fn firewalld_is_asked_for_the_zone_and_its_refusal_is_heard() {
        for (kind, is_ok) in [(METHOD_RETURN, true), (FAILURE, false)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("bus");
            let listener = UnixListener::bind(&path).unwrap();
            let served = std::thread::spawn(move || bus(listener, kind));
            assert_eq!(trust(&path, "hoist0").is_ok(), is_ok);
            let asked = served.join().unwrap();
            for word in ["changeZoneOfInterface", "trusted", "hoist0", "FirewallD1.zone"] {
                assert!(asked.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
            }
        }
        assert!(trust(Path::new("/nonexistent/bus"), "hoist0").is_err());
    }
}
