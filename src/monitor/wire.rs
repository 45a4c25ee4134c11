//! What is said between a monitor and its clients, and between a monitor and who starts it.
//!
//! Each message is one packet of a `SOCK_SEQPACKET` socket. A client says [`Hello`] in JSON,
//! and the monitor answers with an [`Answer`]. After a verb that is all (a verb that takes
//! its time is first answered by [`Answer::Accepted`]). After an attachment follow packets
//! whose first byte is a [`tag`]:
//!
//! ```text
//! client → monitor   I bytes     for the payload to read        C  end of that
//!                    W rows,cols the client's terminal (2 × u16, little end first)
//! monitor → client   O bytes     standard output                E bytes  standard error
//!                    K n         n bytes are missing here (u64) X code   it ended (u8)
//! ```
//! A packet `C`, and the end of a lossless client that carries input, end standard input
//! where that was made for one client (`run -i`, `exec -i`); otherwise (`run -di`) the next
//! client goes on where this one stopped.
//!
//! Both sides skip what they do not know: messages only gain fields and tags.

use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::error::{ErrorKind, Explain, chain, one_line};

/// The newest protocol. A client of the second one understands [`Answer::Warned`].
pub const PROTOCOL: u32 = 2;
/// The socket's name in the run's folder.
pub const SOCKET: &str = "control";
/// The most bytes of one packet.
pub const MAX_PACKET: usize = 64 << 10;
/// A client's first message is no larger.
pub const MAX_HELLO: usize = 16 << 10;

/// First bytes of packets.
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
    /// How many bytes are missing.
    pub const SKIPPED: u8 = b'K';
    /// The process ended with this code.
    pub const EXITED: u8 = b'X';
}

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest protocol the client speaks.
    pub protocol: u32,
    /// What it wants.
    pub ask: Ask,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The payload's streams.
    Attach(Attach),
    /// SIGKILL later than the signal, where the payload does not end; answered at its end.
    Stop {
        /// By number; the container's own when not said.
        signal: Option<i32>,
        /// Seconds; negative waits for ever, the container's own when not said.
        timeout: Option<i64>,
        /// The machine shuts down: nobody ended it by hand, so its policy may start it at the
        /// next boot.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_shutdown: bool,
    },
    /// As stop, and then started again; answered when it runs.
    Restart {
        /// As of stop.
        signal: Option<i32>,
        /// As of stop.
        timeout: Option<i64>,
    },
    /// A signal; SIGKILL is answered at the end.
    Kill {
        /// By number.
        signal: i32,
        /// Whether a person wants an end, so that no policy starts it again. A monitor of today
        /// does not ask: it knows the container's stop signal.
        by_hand: bool,
    },
    /// All processes stand still.
    Pause,
    /// They go on.
    Unpause,
    /// Another name. The monitor makes the link in `names` and writes the record; who asks holds
    /// the container's lock meanwhile.
    Rename {
        /// The new name.
        name: String,
    },
    /// The terminal's size.
    Resize {
        /// Lines.
        rows: u16,
        /// Characters a line.
        columns: u16,
    },
    /// An answer: whether the monitor listens.
    Ping,
}

/// The longest timeout at a shutdown of what would be waited for without end, in seconds.
const MAX_SHUTDOWN_TIMEOUT: i64 = 90;

impl Ask {
    /// How long after it SIGKILL is due, for a container with this timeout of its own in seconds;
    /// `None` for never.
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
        u64::try_from(secs).ok().map(Duration::from_secs) // negative waits for ever
    }

    /// A signal from a person.
    #[must_use]
    pub fn kill(signal: i32) -> Self {
        Self::Kill { signal, by_hand: [libc::SIGKILL, libc::SIGTERM].contains(&signal) }
    }
}

/// Which streams a client wants, and how patient the payload is with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attach {
    /// It may send input.
    pub stdin: bool,
    /// It gets standard output.
    pub stdout: bool,
    /// It gets standard error.
    pub stderr: bool,
    /// The payload waits for it; otherwise it misses what it is too slow for.
    pub lossless: bool,
    /// Its terminal: rows and columns.
    pub size: Option<(u16, u16)>,
}

/// What a monitor answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Understood; the outcome follows.
    Accepted,
    /// It is done.
    Done,
    /// It is done, and something was left out.
    Warned {
        /// A sentence each.
        warnings: Vec<String>,
    },
    /// The streams follow.
    Attached {
        /// Whether the payload has a terminal.
        tty: bool,
    },
    /// It is not, and will not be.
    Failed(Failure),
}

/// What a monitor tells who started it, once; before that, that it is another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// The process that was started has gone; its sibling is the monitor.
    Moved {
        /// By its id.
        pid: i32,
    },
    /// The payload was executed.
    Started {
        /// What was left out, a sentence each.
        warnings: Vec<String>,
    },
    /// It was not, and everything is cleaned up.
    Failed(Failure),
}

/// An error that came from another process: its words, its kind, its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    kind: String,
    hint: Option<String>,
    /// The machine lacked something that it may have later: descriptors, memory, room on a disk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_for_now: bool,
    #[source]
    cause: Option<Box<Failure>>,
}

/// Kinds by their names on the wire.
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
    /// The same failure as plain data.
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

    /// Whether the same may succeed at another time, with nothing changed but the machine's load.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        self.is_for_now
    }

    /// The messages on one line, as the record keeps them.
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

/// A message as it is sent.
///
/// # Errors
///
/// None in practice: no message has a form that JSON lacks.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(message).map_err(io::Error::other)
}

/// Reads what a monitor tells who started it, in no order: the process that it is, if that is
/// another one, and what became of it; `None` when it died without a word.
///
/// # Errors
///
/// When the pipe cannot be read.
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

/// A packet's `W`: rows and columns.
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
        // Monitors outlive upgrades: these bytes must be understood for ever.
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
            // A machine that shuts down does not wait for ever.
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
        // Who writes without end is not listened to without end.
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
