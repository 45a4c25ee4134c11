//! A client of D-Bus for a few calls of methods:
//! <https://dbus.freedesktop.org/doc/dbus-specification.html>.
//!
//! There is no thread and no event loop, so that a call costs a few hundred microseconds.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The longest message that is accepted, in bytes. Replies contain a few names.
const MAX_MESSAGE: u32 = 64 << 10;
/// The longest line of the authentication.
const MAX_LINE: u64 = 512;

const CALL: u8 = 1;
const RETURN: u8 = 2;
const FAILURE: u8 = 3;
const SIGNAL: u8 = 4;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bus cannot be reached, or it breaks the protocol.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The service returned an error.
    #[error("{text}")]
    Refused {
        /// The name of the error: `org.freedesktop.systemd1.NoSuchUnit`.
        name: String,
        /// The service's words.
        text: String,
    },
}

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// An argument, named like its type in the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `s`
    String(String),
    /// `b`
    Boolean(bool),
    /// `i`
    Int32(i32),
    /// `u`
    Uint32(u32),
    /// `x`
    Int64(i64),
    /// `t`
    Uint64(u64),
    /// `ay`
    Bytes(Vec<u8>),
    /// `au`
    Numbers(Vec<u32>),
    /// `as`
    Strings(Vec<String>),
    /// `a(sv)`
    Properties(Vec<(String, Value)>),
    /// `a(sa(sv))` without an element, which is all that is needed of it.
    NoUnits,
}

impl Value {
    fn signature(&self) -> &'static str {
        match self {
            Self::String(_) => "s",
            Self::Boolean(_) => "b",
            Self::Int32(_) => "i",
            Self::Uint32(_) => "u",
            Self::Int64(_) => "x",
            Self::Uint64(_) => "t",
            Self::Bytes(_) => "ay",
            Self::Numbers(_) => "au",
            Self::Strings(_) => "as",
            Self::Properties(_) => "a(sv)",
            Self::NoUnits => "a(sa(sv))",
        }
    }

    fn write(&self, to: &mut Writer) {
        match self {
            Self::String(text) => to.string(text),
            Self::Boolean(value) => to.fixed((*value as u32).to_le_bytes()),
            Self::Int32(value) => to.fixed(value.to_le_bytes()),
            Self::Uint32(value) => to.fixed(value.to_le_bytes()),
            Self::Int64(value) => to.fixed(value.to_le_bytes()),
            Self::Uint64(value) => to.fixed(value.to_le_bytes()),
            Self::Bytes(bytes) => to.array(1, |to| to.0.extend(bytes)),
            Self::Numbers(numbers) => {
                to.array(4, |to| numbers.iter().for_each(|number| to.fixed(number.to_le_bytes())));
            }
            Self::Strings(strings) => to.array(4, |to| strings.iter().for_each(|text| to.string(text))),
            Self::Properties(properties) => to.array(8, |to| {
                for (name, value) in properties {
                    to.align(8);
                    to.string(name);
                    to.variant(value);
                }
            }),
            Self::NoUnits => to.array(8, |_| {}),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

/// A call of a method.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The name of the service.
    pub destination: &'a str,
    /// The path of the object.
    pub path: &'a str,
    /// The interface of the method.
    pub interface: &'a str,
    /// The method.
    pub method: &'a str,
    /// Its arguments.
    pub args: &'a [Value],
}

impl Call<'_> {
    fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Writer(Vec::new());
        self.args.iter().for_each(|arg| arg.write(&mut body));
        let mut head = Writer(vec![b'l', CALL, 0, 1]);
        head.fixed(length(body.0.len()));
        head.fixed(serial.to_le_bytes());
        let signature: String = self.args.iter().map(Value::signature).collect();
        head.array(8, |to| {
            for (code, kind, text) in [
                (1, "o", self.path),
                (2, "s", self.interface),
                (3, "s", self.method),
                (6, "s", self.destination),
                (8, "g", &signature),
            ] {
                if text.is_empty() {
                    continue;
                }
                to.align(8);
                to.0.push(code);
                to.signature(kind);
                if kind == "g" { to.signature(text) } else { to.string(text) }
            }
        });
        head.align(8);
        head.0.extend(body.0);
        head.0
    }
}

/// Writes values in the order of bytes `l`, aligned relative to the start.
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn fixed<const N: usize>(&mut self, bytes: [u8; N]) {
        self.align(N);
        self.0.extend(bytes);
    }

    fn string(&mut self, text: &str) {
        self.fixed(length(text.len()));
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        self.0.push(text.len().to_le_bytes()[0]);
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    fn variant(&mut self, value: &Value) {
        self.signature(value.signature());
        value.write(self);
    }

    /// Writes an array. Its length does not count the padding before its first element.
    fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.fixed(length(0));
        let at = self.0.len();
        self.align(alignment);
        let start = self.0.len();
        elements(self);
        let written = length(self.0.len() - start);
        self.0[at - 4..at].copy_from_slice(&written);
    }
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// A message from the bus.
#[derive(Debug)]
pub struct Message {
    kind: u8,
    /// The serial of the call that it answers.
    answers: u32,
    /// The name of the signal, or else of the error.
    pub name: String,
    is_little: bool,
    body: Vec<u8>,
}

impl Message {
    /// Whether it is this signal.
    #[must_use]
    pub fn is_signal(&self, name: &str) -> bool {
        self.kind == SIGNAL && self.name == name
    }

    /// Returns the strings of its body. Each letter of `signature` is `s`, `o`, `u`, or `v` for a
    /// variant with a string.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the body is shorter, or a variant has something else.
    pub fn strings(&self, signature: &str) -> io::Result<Vec<String>> {
        let mut reader = Reader { bytes: &self.body, at: 0, is_little: self.is_little };
        let mut strings = Vec::new();
        for kind in signature.chars() {
            match kind {
                'u' => drop(reader.number()?),
                'v' if reader.signature()? != "s" => return Err(unexpected()),
                _ => strings.push(reader.string()?),
            }
        }
        Ok(strings)
    }
}

/// Reads values, aligned relative to the start.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_little: bool,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(unexpected)?;
        self.at += count;
        Ok(taken)
    }

    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn number(&mut self) -> io::Result<u32> {
        self.align(4);
        let is_little = self.is_little;
        let bytes = self.take(4)?.try_into().map_err(|_| unexpected())?;
        Ok(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn string(&mut self) -> io::Result<String> {
        let count = self.number()?;
        self.text(count as usize)
    }

    fn signature(&mut self) -> io::Result<String> {
        let count = self.take(1)?[0];
        self.text(count.into())
    }

    /// Reads a text and the zero behind it.
    fn text(&mut self, count: usize) -> io::Result<String> {
        let text = String::from_utf8_lossy(self.take(count)?).into_owned();
        self.take(1)?;
        Ok(text)
    }
}

fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message of the bus has other values than expected")
}

/// A connection to a bus.
#[derive(Debug)]
pub struct Bus {
    stream: BufReader<UnixStream>,
    serial: u32,
}

impl Bus {
    /// Connects to the message bus that listens on a socket, as the user of this process.
    ///
    /// # Errors
    ///
    /// If nobody listens or the bus refuses this user. The limit of time holds for each message.
    pub fn connect(socket: &Path, patience: Duration) -> Result<Self> {
        let mut bus = Self::connect_directly(socket, patience)?;
        let hello = Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            method: "Hello",
            args: &[],
        };
        bus.call(&hello)?;
        Ok(bus)
    }

    /// Connects to a service that listens itself, without a message bus.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub fn connect_directly(socket: &Path, patience: Duration) -> Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let mut bus = Self { stream: BufReader::new(stream), serial: 0 };
        // Without a name, it is the user that the socket tells, also in a user namespace.
        bus.stream.get_mut().write_all(b"\0AUTH EXTERNAL\r\nDATA\r\n")?;
        loop {
            let mut line = String::new();
            bus.stream.by_ref().take(MAX_LINE).read_line(&mut line)?;
            match line.trim_end() {
                "DATA" => {}
                line if line.starts_with("OK ") => break,
                line => return Err(io::Error::other(format!("the bus responded: {line}")).into()),
            }
        }
        bus.stream.get_mut().write_all(b"BEGIN\r\n")?;
        Ok(bus)
    }

    /// Calls a method and returns the answer. Signals that arrive meanwhile are passed to `signal`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the service's error.
    pub fn call_and_hear(&mut self, call: &Call<'_>, mut signal: impl FnMut(Message)) -> Result<Message> {
        self.serial += 1;
        self.stream.get_mut().write_all(&call.encode(self.serial))?;
        loop {
            let message = self.next()?;
            match message.kind {
                RETURN if message.answers == self.serial => return Ok(message),
                FAILURE if message.answers == self.serial => {
                    let text = message.strings("s").ok().and_then(|mut words| words.pop());
                    let text = text.unwrap_or_else(|| message.name.clone());
                    return Err(Error::Refused { name: message.name, text });
                }
                _ => signal(message),
            }
        }
    }

    /// Calls a method and returns the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the service's error.
    pub fn call(&mut self, call: &Call<'_>) -> Result<Message> {
        self.call_and_hear(call, drop)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if none comes in time.
    pub fn next(&mut self) -> Result<Message> {
        let mut head = [0; 16];
        self.stream.read_exact(&mut head)?;
        let is_little = head[0] == b'l';
        let mut start = Reader { bytes: &head, at: 4, is_little };
        let (body, _, fields) = (start.number()?, start.number()?, start.number()?);
        if body > MAX_MESSAGE || fields > MAX_MESSAGE {
            return Err(
                io::Error::new(io::ErrorKind::InvalidData, "a message of the bus is too large").into()
            );
        }
        // Padded, so that the body is aligned as if it began there.
        let mut rest = vec![0; (fields.next_multiple_of(8) + body) as usize];
        self.stream.read_exact(&mut rest)?;
        let body = rest.split_off(fields.next_multiple_of(8) as usize);
        let mut message = Message { kind: head[1], answers: 0, name: String::new(), is_little, body };
        rest.truncate(fields as usize);
        message.read_fields(&rest)?;
        Ok(message)
    }
}

impl Message {
    /// Reads the fields of the header, which begin at a multiple of 8.
    fn read_fields(&mut self, fields: &[u8]) -> io::Result<()> {
        let mut reader = Reader { bytes: fields, at: 0, is_little: self.is_little };
        while reader.at < fields.len() {
            reader.align(8);
            let code = reader.take(1)?[0];
            let value = match reader.signature()?.as_str() {
                "u" => {
                    let number = reader.number()?;
                    if code == 5 {
                        self.answers = number;
                    }
                    continue;
                }
                "s" | "o" => reader.string()?,
                "g" => reader.signature()?,
                kind => {
                    let why = format!("a message of the bus has a field of type `{kind}`");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            };
            // The member of a signal, or the name of an error.
            if code == 3 || code == 4 {
                self.name = value;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Encodes a message of a service: a field for the call that it answers, one for its name, and
    /// strings.
    pub(crate) fn message(kind: u8, answers: u32, name: &str, strings: &[&str]) -> Vec<u8> {
        let mut body = Writer(Vec::new());
        strings.iter().for_each(|text| body.string(text));
        let mut head = Writer(vec![b'l', kind, 0, 1]);
        head.fixed(length(body.0.len()));
        head.fixed(1_u32.to_le_bytes());
        head.array(8, |to| {
            to.align(8);
            to.0.push(5);
            to.signature("u");
            to.fixed(answers.to_le_bytes());
            to.align(8);
            to.0.push(if kind == FAILURE { 4 } else { 3 });
            to.signature("s");
            to.string(name);
        });
        head.align(8);
        head.0.extend(body.0);
        head.0
    }

    /// Serves one client: `answers` for each of its calls. Returns what it sent.
    pub(crate) fn serve(listener: &UnixListener, answers: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let mut lines = String::new();
        stream.read_line(&mut lines).unwrap();
        stream.read_line(&mut lines).unwrap();
        assert_eq!(lines, "\0AUTH EXTERNAL\r\nDATA\r\n");
        stream.get_mut().write_all(b"DATA\r\nOK 1234\r\n").unwrap();
        lines.clear();
        stream.read_line(&mut lines).unwrap();
        assert_eq!(lines, "BEGIN\r\n");
        answers.iter().map(|answer| one_call(&mut stream, answer)).collect()
    }

    fn one_call(stream: &mut BufReader<UnixStream>, answer: &[u8]) -> Vec<u8> {
        let mut head = [0; 16];
        stream.read_exact(&mut head).unwrap();
        let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let mut call = vec![0; (number(12).next_multiple_of(8) + number(4)) as usize];
        stream.read_exact(&mut call).unwrap();
        stream.get_mut().write_all(answer).unwrap();
        [head.to_vec(), call].concat()
    }

    fn call<'a>(args: &'a [Value]) -> Call<'a> {
        Call { destination: "org.example", path: "/a", interface: "org.example.I", method: "Do", args }
    }

    #[test]
    fn a_call_is_encoded_as_the_specification_says() {
        let args = [
            Value::from("ab"),
            Value::Properties(vec![
                ("P".to_owned(), Value::Numbers(vec![7])),
                ("Q".to_owned(), Value::Boolean(true)),
            ]),
            Value::NoUnits,
        ];
        let encoded = call(&args).encode(3);
        let body_length = u32::from_le_bytes(encoded[4..8].try_into().unwrap()) as usize;
        let (head, body) = encoded.split_at(encoded.len() - body_length);
        assert_eq!(head.len() % 8, 0);
        assert!(head.windows(17).any(|part| part == b"\x0fsa(sv)a(sa(sv))\0"), "{head:?}");
        let expected = [
            b"\x02\0\0\0ab\0\0".as_slice(),        // the string
            b"\x28\0\0\0\0\0\0\0",                 // 40 bytes of properties, after padding
            b"\x01\0\0\0P\0\x02au\0\0\0",          // the name, a variant and its padding
            b"\x04\0\0\0\x07\0\0\0",               // the numbers
            b"\0\0\0\0\x01\0\0\0Q\0\x01b\0\0\0\0", // padding, the name, a variant and its padding
            b"\x01\0\0\0",                         // true
        ]
        .concat();
        assert_eq!(body[..expected.len()], expected, "{body:?}");
        assert_eq!(body[expected.len()..], [0; 8], "an empty array, aligned to its elements");
    }

    #[test]
    fn answers_are_told_from_signals_and_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let noise = message(SIGNAL, 0, "JobRemoved", &["job", "done"]);
        let answers = [
            message(RETURN, 1, "", &[]),
            [noise, message(RETURN, 2, "", &["/job/7"])].concat(),
            message(FAILURE, 3, "org.example.No", &["not today"]),
        ];
        let served = std::thread::spawn(move || serve(&listener, &answers));
        let mut bus = Bus::connect(&path, Duration::from_secs(5)).unwrap();
        let mut heard = Vec::new();
        let answer = bus.call_and_hear(&call(&["x".into()]), |signal| heard.push(signal)).unwrap();
        assert_eq!(answer.strings("o").unwrap(), ["/job/7"]);
        assert!(heard.len() == 1 && heard[0].is_signal("JobRemoved"));
        assert_eq!(heard[0].strings("ss").unwrap(), ["job", "done"]);
        let Err(Error::Refused { name, text }) = bus.call(&call(&[])) else { panic!("it was refused") };
        assert_eq!((name.as_str(), text.as_str()), ("org.example.No", "not today"));
        assert!(matches!(bus.next(), Err(Error::Io(_))), "the service has gone");
        served.join().unwrap();
    }

    #[test]
    fn a_message_that_is_cut_or_too_large_is_refused() {
        let whole = message(SIGNAL, 0, "Signal", &["text"]);
        let read = |bytes: &[u8]| {
            let (mut theirs, ours) = UnixStream::pair().unwrap();
            theirs.write_all(bytes).unwrap();
            drop(theirs);
            Bus { stream: BufReader::new(ours), serial: 0 }.next()
        };
        assert!(read(&whole).unwrap().is_signal("Signal"));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let mut large = whole.clone();
        large[7] = 1;
        assert!(read(&large).is_err());
        let short = read(&whole).unwrap();
        assert!(short.strings("sss").is_err());
    }
}
