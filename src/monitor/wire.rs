//! The protocol between a monitor and its clients, and between a monitor and its launcher.
//!
//! Each message is one packet of a `SOCK_SEQPACKET` socket. A client sends [`Hello`] in JSON, and
//! the monitor replies with an [`Answer`]. For a verb, that is all (slow verbs are first answered
//! with [`Answer::Accepted`]). For an attachment, packets follow whose first byte is a [`tag`]:
//!
//! ```text
//! client → monitor   I bytes     standard input                 C  end of standard input
//!                    W rows,cols terminal size (2 × u16, little-endian)
//! monitor → client   O bytes     standard output                E bytes  standard error
//!                    K n         n bytes are missing here (u64) X code   exit code (u8)
//! ```
//! If standard input belongs to one client (`run -i`, `exec -i`), a packet `C` or the end of a
//! lossless client that carries input closes it. Otherwise (`run -di`), the next client continues.
//!
//! Both sides skip what they do not know: messages only gain fields and tags.

use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::error::{ErrorKind, Explain, chain, one_line};

/// The newest protocol. A client with version 2 understands [`Answer::Warned`].
pub const PROTOCOL: u32 = 2;
/// The socket's name in the run's folder.
pub const SOCKET: &str = "control";
/// Maximum number of bytes in a packet.
pub const MAX_PACKET: usize = 64 << 10;
/// Maximum size of a client's first message, in bytes.
pub const MAX_HELLO: usize = 16 << 10;

/// The first bytes of packets.
pub mod tag {
    /// Bytes for standard input.
    pub const INPUT: u8 = b'I';
    /// End of standard input.
    pub const CLOSE: u8 = b'C';
    /// The size of the client's terminal.
    pub const RESIZE: u8 = b'W';
    /// Bytes of standard output.
    pub const STDOUT: u8 = b'O';
    /// Bytes of standard error.
    pub const STDERR: u8 = b'E';
    /// The number of missing bytes.
    pub const SKIPPED: u8 = b'K';
    /// The process exited with this code.
    pub const EXITED: u8 = b'X';
}

/// A client's first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest protocol the client speaks.
    pub protocol: u32,
    /// The request.
    pub ask: Ask,
}

/// A client's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Attach to the payload's streams.
    Attach(Attach),
    /// Send a signal, and SIGKILL if the payload has not exited after the timeout. Answered when it
    /// has exited.
    Stop {
        /// The signal number; the container's stop signal by default.
        signal: Option<i32>,
        /// The timeout in seconds; negative waits forever. The container's by default.
        timeout: Option<i64>,
        /// Whether the machine is shutting down. Then the container does not count as stopped by a
        /// user, so its policy may start it at the next boot.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_shutdown: bool,
    },
    /// Stop and start again. Answered when it is running.
    Restart {
        /// As for `Stop`.
        signal: Option<i32>,
        /// As for `Stop`.
        timeout: Option<i64>,
    },
    /// Send a signal. SIGKILL is answered when the payload has exited.
    Kill {
        /// The signal number.
        signal: i32,
        /// Whether a user wants to stop the container, so that no policy restarts it. Current
        /// monitors ignore this, because they know the container's stop signal.
        by_hand: bool,
    },
    /// Pause all processes.
    Pause,
    /// Resume all processes.
    Unpause,
    /// Rename the container. The monitor creates the link in `names` and writes the record; the
    /// client holds the container's lock meanwhile.
    Rename {
        /// The new name.
        name: String,
    },
    /// Resize the terminal.
    Resize {
        /// The number of rows.
        rows: u16,
        /// The number of columns.
        columns: u16,
    },
    /// Check whether the monitor answers.
    Ping,
}

/// Maximum timeout during a shutdown for containers without a time limit, in seconds.
const MAX_SHUTDOWN_TIMEOUT: i64 = 90;

impl Ask {
    /// Returns the time until SIGKILL for a container with this timeout in seconds; `None` for
    /// never.
    #[must_use]
    pub fn grace(&self, own: i64) -> Option<Duration> {
        let secs = match self {
            Self::Stop { timeout, at_shutdown, .. } => match timeout.unwrap_or(own) {
                secs if secs < 0 && *at_shutdown => MAX_SHUTDOWN_TIMEOUT,
                secs => secs,
            },
            Self::Restart { timeout, .. } => timeout.unwrap_or(own),
            _ => 0,
        };
        u64::try_from(secs).ok().map(Duration::from_secs) // negative waits forever
    }

    /// Returns the request for a signal from a user.
    #[must_use]
    pub fn kill(signal: i32) -> Self {
        Self::Kill { signal, by_hand: [libc::SIGKILL, libc::SIGTERM].contains(&signal) }
    }
}

/// The streams that a client wants, and whether the payload waits for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attach {
    /// Whether it may send input.
    pub stdin: bool,
    /// Whether it receives standard output.
    pub stdout: bool,
    /// Whether it receives standard error.
    pub stderr: bool,
    /// Whether the payload waits for it. Otherwise output is dropped if it is too slow.
    pub lossless: bool,
    /// The size of its terminal: rows and columns.
    pub size: Option<(u16, u16)>,
}

/// A monitor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The request was accepted; the result follows.
    Accepted,
    /// The request is done.
    Done,
    /// The request is done, with warnings.
    Warned {
        /// One sentence each.
        warnings: Vec<String>,
    },
    /// The streams follow.
    Attached {
        /// Whether the payload has a terminal.
        tty: bool,
    },
    /// The request failed.
    Failed(Failure),
}

/// The report of a monitor to its launcher, sent once. Only `Moved` may precede it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// The launched process has exited; its sibling is the monitor.
    Moved {
        /// The pid of the sibling.
        pid: i32,
    },
    /// The payload was executed.
    Started {
        /// Warnings, one sentence each.
        warnings: Vec<String>,
    },
    /// The payload was not executed, and everything is cleaned up.
    Failed(Failure),
}

/// An error of another process: its message, kind and hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    kind: String,
    hint: Option<String>,
    /// Whether the machine temporarily lacked resources: descriptors, memory, disk space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_for_now: bool,
    #[source]
    cause: Option<Box<Failure>>,
}

/// The names of kinds in messages.
const KINDS: [(ErrorKind, &str); 11] = [
    (ErrorKind::NotFound, "not-found"),
    (ErrorKind::Conflict, "conflict"),
    (ErrorKind::Invalid, "invalid"),
    (ErrorKind::Denied, "denied"),
    (ErrorKind::Unsupported, "unsupported"),
    (ErrorKind::Unreachable, "unreachable"),
    (ErrorKind::Corrupt, "corrupt"),
    (ErrorKind::Interrupted, "interrupted"),
    (ErrorKind::ProgramNotFound, "program-not-found"),
    (ErrorKind::ProgramNotRunnable, "program-not-runnable"),
    (ErrorKind::Internal, "internal"),
];

impl Failure {
    /// Converts a failure to plain data.
    pub fn of(error: &dyn Explain) -> Self {
        let kind = error.kind();
        let kind = KINDS.iter().find(|(known, _)| *known == kind).map_or("internal", |(_, name)| name);
        let mut failure: Option<Self> = None;
        for message in chain(error).into_iter().rev() {
            let cause = failure.map(Box::new);
            failure = Some(Self { message, kind: kind.to_owned(), hint: None, is_for_now: false, cause });
        }
        let mut failure = failure.unwrap_or_else(|| Self {
            message: String::new(),
            kind: kind.to_owned(),
            hint: None,
            is_for_now: false,
            cause: None,
        });
        failure.hint = error.hint();
        failure.is_for_now = is_for_now(error);
        failure
    }

    /// Whether the same request may succeed later without any change except the machine's load.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        self.is_for_now
    }

    /// Returns the messages on one line, as the record stores them.
    #[must_use]
    pub fn line(&self) -> String {
        one_line(self)
    }
}

fn is_for_now(error: &(dyn std::error::Error + 'static)) -> bool {
    use rustix::io::Errno;
    let lacks = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN, Errno::NOSPC, Errno::DQUOT];
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let number = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        lacks.iter().any(|lack| number == Some(lack.raw_os_error()))
    })
}

impl Explain for Failure {
    fn kind(&self) -> ErrorKind {
        KINDS.iter().find(|(_, name)| *name == self.kind).map_or(ErrorKind::Internal, |(kind, _)| *kind)
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Encodes a message.
///
/// # Errors
///
/// None in practice: all messages can be encoded as JSON.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(message).map_err(io::Error::other)
}

/// Reads the report of a monitor to its launcher, in any order: the pid of its sibling, if it has
/// moved, and the result; `None` if it died without a report.
///
/// # Errors
///
/// If the pipe cannot be read.
pub fn read_ready(pipe: &mut impl Read) -> io::Result<(Option<i32>, Option<Ready>)> {
    let mut bytes = Vec::new();
    pipe.take(1 << 20).read_to_end(&mut bytes)?;
    let (mut moved, mut outcome) = (None, None);
    for news in serde_json::Deserializer::from_slice(&bytes).into_iter().map_while(Result::ok) {
        match news {
            Ready::Moved { pid } => moved = Some(pid),
            news => outcome = Some(news),
        }
    }
    Ok((moved, outcome))
}

/// Parses a `W` packet: rows and columns.
#[must_use]
pub fn size(payload: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d, ..] = *payload else { return None };
    Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Conflict, Status, Verb};

    #[test]
    fn messages_are_what_the_first_protocol_said() {
        // Monitors survive upgrades, so these bytes must be understood forever.
        let attach = Attach { stdout: true, lossless: true, size: Some((24, 80)), ..Attach::default() };
        for (ask, text) in [
            (
                Ask::Attach(attach),
                r#"{"protocol":1,"ask":{"attach":{"stdin":false,"stdout":true,"stderr":false,"lossless":true,"size":[24,80]}}}"#,
            ),
            (
                Ask::Stop { signal: Some(15), timeout: None, at_shutdown: false },
                r#"{"protocol":1,"ask":{"stop":{"signal":15,"timeout":null}}}"#,
            ),
            (Ask::Pause, r#"{"protocol":1,"ask":"pause"}"#),
            (Ask::Ping, r#"{"protocol":1,"ask":"ping"}"#),
        ] {
            let hello = Hello { protocol: 1, ask };
            assert_eq!(String::from_utf8(encode(&hello).unwrap()).unwrap(), text);
            assert_eq!(serde_json::from_str::<Hello>(text).unwrap(), hello);
        }
        let newer = r#"{"protocol":9,"later":1,"ask":{"attach":{"stdout":true,"colour":"red"}}}"#;
        assert_eq!(
            serde_json::from_str::<Hello>(newer).unwrap().ask,
            Ask::Attach(Attach { stdout: true, ..Attach::default() })
        );
    }

    #[test]
    fn a_failure_keeps_its_words_its_kind_and_its_hint() {
        let conflict = Conflict { verb: Verb::Pause, status: Status::Exited };
        let failure = Failure::of(&conflict);
        let bytes = encode(&Ready::Failed(failure)).unwrap();
        let (None, Some(Ready::Failed(failure))) = read_ready(&mut bytes.as_slice()).unwrap() else {
            panic!()
        };
        assert_eq!(failure.to_string(), "it is exited");
        assert_eq!(
            (failure.kind(), failure.hint()),
            (ErrorKind::Conflict, Some("start it first".to_owned()))
        );
    }

    #[test]
    fn what_the_machine_lacks_fails_for_now() {
        for (number, is_for_now) in
            [(libc::EMFILE, true), (libc::ENFILE, true), (libc::ENOSPC, true), (libc::EISDIR, false)]
        {
            let source = io::Error::from_raw_os_error(number);
            let error = crate::monitor::Error::from(crate::sys::Error::new("accept4()", source));
            let bytes = encode(&Ready::Failed(Failure::of(&error))).unwrap();
            let (_, Some(Ready::Failed(failure))) = read_ready(&mut bytes.as_slice()).unwrap() else {
                panic!()
            };
            assert_eq!(failure.is_for_now(), is_for_now, "{failure}");
        }
    }

    #[test]
    fn silence_is_no_message() {
        assert_eq!(read_ready(&mut &b""[..]).unwrap(), (None, None));
        assert_eq!(read_ready(&mut &b"{\"star"[..]).unwrap(), (None, None));
    }

    #[test]
    fn who_moved_and_what_became_of_it_come_in_any_order() {
        let moved = encode(&Ready::Moved { pid: 7 }).unwrap();
        let started = Ready::Started { warnings: Vec::new() };
        let bytes = encode(&started).unwrap();
        for told in [[&moved[..], &bytes], [&bytes, &moved]] {
            assert_eq!(read_ready(&mut &told.concat()[..]).unwrap(), (Some(7), Some(started.clone())));
        }
        assert_eq!(read_ready(&mut &moved[..]).unwrap(), (Some(7), None));
    }

    #[test]
    fn answers_are_read_back_and_read_as_they_are_written() {
        let failure = Failure::of(&Conflict { verb: Verb::Pause, status: Status::Exited });
        for (answer, text) in [
            (Answer::Accepted, r#""accepted""#),
            (Answer::Done, r#""done""#),
            (Answer::Warned { warnings: vec!["cut".to_owned()] }, r#"{"warned":{"warnings":["cut"]}}"#),
            (Answer::Attached { tty: true }, r#"{"attached":{"tty":true}}"#),
            (
                Answer::Failed(failure),
                r#"{"failed":{"message":"it is exited","kind":"conflict","hint":"start it first","cause":null}}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(encode(&answer).unwrap()).unwrap(), text);
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
        }
        let newer =
            r#"{"failed":{"message":"x","kind":"of a newer hoist","hint":null,"cause":null,"more":1}}"#;
        let Answer::Failed(failure) = serde_json::from_str(newer).unwrap() else { panic!() };
        assert_eq!(failure.kind(), ErrorKind::Internal);
    }

    #[test]
    fn every_kind_of_failure_has_a_name_of_its_own() {
        let kinds: std::collections::HashSet<_> = KINDS.iter().map(|(kind, _)| format!("{kind:?}")).collect();
        let names: std::collections::HashSet<_> = KINDS.iter().map(|(_, name)| name).collect();
        assert_eq!((kinds.len(), names.len()), (KINDS.len(), KINDS.len()));
    }

    #[test]
    fn a_stop_leaves_the_time_that_was_asked_for_or_the_containers_own() {
        let stop = |timeout, at_shutdown| Ask::Stop { signal: None, timeout, at_shutdown };
        let restart = |timeout| Ask::Restart { signal: None, timeout };
        for (ask, own, secs) in [
            (stop(None, false), 10, Some(10)),
            (stop(Some(3), false), 10, Some(3)),
            (stop(Some(0), false), 10, Some(0)),
            (stop(Some(-1), false), 10, None),
            (stop(None, false), -1, None),
            // A shutdown of the machine does not wait forever.
            (stop(None, true), -1, Some(90)),
            (stop(Some(-5), true), 10, Some(90)),
            (stop(Some(200), true), 10, Some(200)),
            (restart(None), 7, Some(7)),
            (restart(Some(-1)), 7, None),
            (stop(Some(i64::MIN), false), 1, None),
            (Ask::kill(9), 10, Some(0)),
        ] {
            assert_eq!(ask.grace(own), secs.map(Duration::from_secs), "{ask:?} {own}");
        }
    }

    #[test]
    fn news_of_a_start_come_in_any_order_and_the_last_outcome_counts() {
        let started = r#"{"started":{"warnings":["w"]}}"#;
        let moved = r#"{"moved":{"pid":7}}"#;
        let outcome = Some(Ready::Started { warnings: vec!["w".to_owned()] });
        for (text, want) in [
            (started.to_owned(), (None, outcome.clone())),
            (format!("{moved}{started}"), (Some(7), outcome.clone())),
            (format!("{started}{moved}"), (Some(7), outcome.clone())),
            (format!("{moved}{{\"star"), (Some(7), None)),
            (format!("{moved}nonsense{started}"), (Some(7), None)),
            (format!("{moved}\n {started}\n"), (Some(7), outcome)),
            ("{".repeat(5000), (None, None)),
        ] {
            assert_eq!(read_ready(&mut text.as_bytes()).unwrap(), want, "{text}");
        }
        // Data without an end is not read forever.
        assert_eq!(read_ready(&mut io::repeat(b' ')).unwrap(), (None, None));
    }

    #[test]
    fn a_size_is_four_bytes_at_least() {
        for (bytes, want) in [
            (&[][..], None),
            (&[1, 0, 2], None),
            (&[24, 0, 80, 0], Some((24, 80))),
            (&[0, 1, 0xff, 0xff, 9], Some((256, 65_535))),
        ] {
            assert_eq!(size(bytes), want);
        }
    }
}
