//! Messages between init and its creator.
//!
//! They use a pair of sockets that preserves message boundaries. Init's end is closed by `execve`,
//! which tells the creator that the payload is running.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;
use super::error::Cause;
use crate::sys::{self, Result, check};

/// Maximum size of a message: a failure with four texts.
const MAX_MESSAGE: usize = 16 * 1024;
/// Maximum size of a text in JSON. Names and paths may come from untrusted sources.
const MAX_TEXT: usize = 3_500;

/// A message from init to its creator.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// Carries the master of init's terminal as a descriptor.
    Terminal,
    /// It has created its namespaces.
    Separate,
    /// Something was unavailable and has been left out.
    Warning(String),
    /// Everything is set up that hooks of the caller's namespaces may want to see.
    Hooks,
    /// Everything is set up that does not require an answer.
    Ready,
    /// The filter is installed, and its listener has this number.
    Listener(i32),
    /// The next call is `execve`.
    Executing,
    /// A step failed, and init exits.
    Failed(Failure),
}

/// A message from the creator to init.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The ids of the user namespace are mapped.
    Mapped,
    /// The hooks have run.
    Hooked,
    /// The agent of the filter has the listener.
    Listening,
    /// Execute the payload.
    GoOn,
}

impl Word {
    fn byte(self) -> u8 {
        match self {
            Self::Mapped => b'm',
            Self::Hooked => b'h',
            Self::Listening => b'l',
            Self::GoOn => b'g',
        }
    }
}

/// An [`Error`] in a form that can be sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failure {
    Step { step: String, call: String, errno: i32, text: String },
    Filtered { step: String, call: String, errno: i32, text: String },
    Ended { step: String, exit: String },
    ProgramNotFound { program: String },
    NoInterpreter { program: String, interpreter: Option<String> },
    ProgramNotRunnable { program: String, call: String, errno: i32, text: String },
    OutsideRoot { path: String },
    NoWorkdir { path: String },
    Spec { field: String, why: String },
    UnknownUser { what: String, name: String },
}

impl Failure {
    /// Creates the failure for an error in `step`.
    pub(super) fn new(step: &str, error: &Error) -> Self {
        let step = step.to_owned();
        match error {
            Error::ProgramNotFound { program } => Self::ProgramNotFound { program: program.clone() },
            Error::NoInterpreter { program, interpreter } => {
                Self::NoInterpreter { program: program.clone(), interpreter: interpreter.clone() }
            }
            Error::ProgramNotRunnable { program, source } => Self::ProgramNotRunnable {
                program: program.clone(),
                call: source.call().to_owned(),
                errno: source.errno(),
                text: cause(source),
            },
            Error::Filtered { step, source: Cause::Call(source) } => Self::Filtered {
                step: step.clone(),
                call: source.call().to_owned(),
                errno: source.errno(),
                text: cause(source),
            },
            Error::Filtered { step, source: Cause::Ended(exit) } => {
                Self::Ended { step: step.clone(), exit: exit.clone() }
            }
            Error::OutsideRoot { path } => Self::OutsideRoot { path: path.display().to_string() },
            Error::NoWorkdir { path } => Self::NoWorkdir { path: path.display().to_string() },
            Error::Spec { field, why } => Self::Spec { field: field.clone(), why: why.clone() },
            Error::UnknownUser { what, name, .. } => {
                Self::UnknownUser { what: (*what).to_owned(), name: name.clone() }
            }
            // An error that names its own step is more specific than the step around it.
            Error::Step { step, source } => Self::step(step.clone(), source),
            Error::Prepare(source) => Self::step(step, source),
            other => Self::Step { step, call: other.to_string(), errno: 0, text: String::new() },
        }
    }
}

impl Failure {
    fn step(step: String, source: &sys::Error) -> Self {
        Self::Step { step, call: source.call().to_owned(), errno: source.errno(), text: cause(source) }
    }

    /// Creates the failure for a panic.
    pub(super) fn panicked() -> Self {
        Self::Step {
            step: "set up".to_owned(),
            call: "panic".to_owned(),
            errno: 0,
            text: "internal error in hoist".to_owned(),
        }
    }
}

fn cause(error: &sys::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let rebuilt = |call: String, errno: i32, text: String| {
            let source = match errno {
                0 => std::io::Error::other(text),
                errno => std::io::Error::from_raw_os_error(errno),
            };
            sys::Error::new(call, source)
        };
        match failure {
            Failure::Step { step, call, errno, text } => {
                Self::Step { step, source: rebuilt(call, errno, text) }
            }
            Failure::Filtered { step, call, errno, text } => {
                Self::Filtered { step, source: Cause::Call(rebuilt(call, errno, text)) }
            }
            Failure::Ended { step, exit } => Self::Filtered { step, source: Cause::Ended(exit) },
            Failure::ProgramNotFound { program } => Self::ProgramNotFound { program },
            Failure::NoInterpreter { program, interpreter } => Self::NoInterpreter { program, interpreter },
            Failure::ProgramNotRunnable { program, call, errno, text } => {
                Self::ProgramNotRunnable { program, source: rebuilt(call, errno, text) }
            }
            Failure::OutsideRoot { path } => Self::OutsideRoot { path: path.into() },
            Failure::NoWorkdir { path } => Self::NoWorkdir { path: path.into() },
            Failure::Spec { field, why } => Self::Spec { field, why },
            Failure::UnknownUser { what, name } if what == "group" => {
                Self::UnknownUser { what: "group", name, file: "group" }
            }
            Failure::UnknownUser { name, .. } => Self::UnknownUser { what: "user", name, file: "passwd" },
        }
    }
}

/// Encodes a message, truncating texts that are too long.
fn encode(message: &Message) -> Vec<u8> {
    let mut value = serde_json::to_value(message).unwrap_or_default();
    shorten(&mut value);
    value.to_string().into_bytes()
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            let mut length = 0;
            let is_too_much = |char| {
                length += escaped_length(char);
                length > MAX_TEXT
            };
            if let Some(end) = text.find(is_too_much) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Returns the maximum number of bytes of a character in JSON.
fn escaped_length(char: char) -> usize {
    match char {
        '"' | '\\' => 2,
        char if char.is_control() => "\\u0000".len(),
        char => char.len_utf8(),
    }
}

/// Init's messages: to its creator, and after that to the reader of the report.
#[derive(Debug)]
pub(super) struct Voice {
    channel: Option<Channel>,
    pub(super) report: Option<OwnedFd>,
}

impl Voice {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel: Some(channel), report: None }
    }

    pub(super) fn say(&self, message: &Message) {
        match (&self.report, &self.channel) {
            (Some(report), _) => {
                let _ = rustix::io::write(report, &encode(message)); // nobody may be reading
            }
            (None, Some(channel)) => channel.send(message),
            (None, None) => {}
        }
    }

    /// Tells the creator the number of the filter's listener, and waits until the agent has it;
    /// returns `false` if the creator died. Under the filter only `write` is sure to return before.
    pub(super) fn hand_over(&self, listener: BorrowedFd<'_>) -> Result<bool> {
        let Some(channel) = &self.channel else { return Ok(false) };
        let told = rustix::io::write(channel, &encode(&Message::Listener(listener.as_raw_fd())));
        check(told, || "write(to the maker)".to_owned())?;
        channel.hear(Word::Listening)
    }

    /// Sends a descriptor to the creator.
    pub(super) fn send_with(&self, message: &Message, fd: BorrowedFd<'_>) -> Result<()> {
        self.channel.as_ref().map_or(Ok(()), |channel| channel.send_with(message, fd))
    }

    /// Waits for a message of the creator; returns `false` if it died without sending one.
    pub(super) fn hear(&self, word: Word) -> Result<bool> {
        self.channel.as_ref().map_or(Ok(false), |channel| channel.hear(word))
    }

    pub(super) fn channel(&self) -> Option<BorrowedFd<'_>> {
        self.channel.as_ref().map(AsFd::as_fd)
    }

    /// Returns the descriptors in use.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.channel().into_iter().chain(self.report.as_ref().map(AsFd::as_fd)).collect()
    }

    /// Closes the channel to the creator, which notices that.
    pub(super) fn close(&mut self) -> Result<()> {
        self.channel.take().map_or(Ok(()), |channel| sys::process::close(channel.0))
    }
}

/// Parses the report of a container that was started by FIFO. Returns its warnings if the program
/// was executed.
///
/// # Errors
///
/// The step that failed.
pub fn read_report(report: &[u8]) -> super::Result<Vec<String>> {
    let mut warnings = Vec::new();
    for message in serde_json::Deserializer::from_slice(report).into_iter::<Message>() {
        match message {
            Ok(Message::Failed(failure)) => return Err(failure.into()),
            Ok(Message::Warning(text)) => warnings.push(text),
            Ok(_) => {}
            Err(error) => {
                return Err(sys::Error::new("read(report)", std::io::Error::from(error)).into());
            }
        }
    }
    Ok(warnings)
}

/// One end.
#[derive(Debug)]
pub(super) struct Channel(OwnedFd);

/// Returns the creator's end and init's.
pub(super) fn pair() -> Result<(Channel, Channel)> {
    let flags = SocketFlags::CLOEXEC;
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    let (one, other) = check(pair, || "socketpair(AF_UNIX, SOCK_SEQPACKET)".to_owned())?;
    // If the caller lacks standard streams, the sockets must not take their numbers.
    Ok((
        Channel(sys::process::above_standard_streams(one)?),
        Channel(sys::process::above_standard_streams(other)?),
    ))
}

impl Channel {
    /// Sends a message of init. It is not an error if the creator has died.
    pub(super) fn send(&self, message: &Message) {
        let _ = rustix::net::send(&self.0, &encode(message), SendFlags::NOSIGNAL);
    }

    /// Sends a message with a descriptor.
    pub(super) fn send_with(&self, message: &Message, fd: BorrowedFd<'_>) -> Result<()> {
        let bytes = encode(message);
        let fds = [fd];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&fds));
        let sent = rustix::net::sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL);
        check(sent, || "sendmsg(SCM_RIGHTS)".to_owned())?;
        Ok(())
    }

    /// Returns init's next message and the descriptor sent with it; `None` if its end is closed.
    pub(super) fn receive(&self) -> Result<Option<(Message, Option<OwnedFd>)>> {
        let mut bytes = vec![0; MAX_MESSAGE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let call = || "recvmsg(from init)".to_owned();
        let received = retry(|| {
            rustix::net::recvmsg(
                &self.0,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let length = check(received, call)?.bytes;
        if length == 0 {
            return Ok(None);
        }
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        let message = serde_json::from_slice(&bytes[..length])
            .map_err(|error| sys::Error::new(call(), std::io::Error::other(error)))?;
        Ok(Some((message, fd)))
    }

    /// Sends a message of the creator.
    pub(super) fn say(&self, word: Word) -> Result<()> {
        check(rustix::net::send(&self.0, &[word.byte()], SendFlags::NOSIGNAL), || {
            "send(to init)".to_owned()
        })?;
        Ok(())
    }

    /// Waits for a message of the creator; returns `false` if it died without sending one.
    pub(super) fn hear(&self, word: Word) -> Result<bool> {
        let mut byte = [0];
        let received = retry(|| rustix::io::read(&self.0, &mut byte));
        let length = check(received, || "read(from the maker)".to_owned())?;
        Ok(length == 1 && byte[0] == word.byte())
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::chain;

    #[test]
    fn a_failure_arrives_as_it_was_sent() {
        let (maker, init) = pair().unwrap();
        let source = sys::Error::new("mount(proc, /proc)", std::io::Error::from_raw_os_error(libc::EPERM));
        init.send(&Message::Failed(Failure::new("mount /proc", &Error::Prepare(source))));
        drop(init);
        let Some((Message::Failed(failure), None)) = maker.receive().unwrap() else {
            panic!("no failure came")
        };
        assert_eq!(
            chain(&Error::from(failure)),
            [
                "container set-up stopped at: mount /proc",
                "mount(proc, /proc)",
                "Operation not permitted (os error 1)"
            ]
        );
        assert!(maker.receive().unwrap().is_none());
    }

    #[test]
    fn long_texts_arrive_cut() {
        let (maker, init) = pair().unwrap();
        for (letter, kept) in
            [("x", MAX_TEXT), ("é", MAX_TEXT / 2), ("\"", MAX_TEXT / 2), ("\u{1}", MAX_TEXT / 6)]
        {
            let long = letter.repeat(20_000);
            let error = sys::Error::new(long.clone(), std::io::Error::other(long.clone()));
            let failures = [
                Error::ProgramNotFound { program: long.clone() },
                Error::Step { step: long.clone(), source: error },
            ];
            for failure in failures {
                init.send(&Message::Failed(Failure::new("find the program", &failure)));
                let Some((Message::Failed(heard), None)) = maker.receive().unwrap() else {
                    panic!("no failure came")
                };
                let (heard, sent) = (Error::from(heard), failure);
                assert_eq!(std::mem::discriminant(&heard), std::mem::discriminant(&sent));
                let cut = sent.to_string().replace(&long, &format!("{}…", letter.repeat(kept)));
                assert_eq!(heard.to_string(), cut);
            }
        }
    }

    #[test]
    fn a_descriptor_comes_along() {
        let (maker, init) = pair().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        init.send_with(&Message::Terminal, writer.as_fd()).unwrap();
        drop((writer, init));
        let Some((Message::Terminal, Some(fd))) = maker.receive().unwrap() else {
            panic!("no descriptor came")
        };
        std::io::Write::write_all(&mut std::fs::File::from(fd), b"x").unwrap();
        assert_eq!(std::io::read_to_string(reader).unwrap(), "x");
    }

    #[test]
    fn a_dead_maker_says_nothing() {
        let (maker, init) = pair().unwrap();
        maker.say(Word::GoOn).unwrap();
        assert!(init.hear(Word::GoOn).unwrap());
        drop(maker);
        assert!(!init.hear(Word::GoOn).unwrap());
    }
}
