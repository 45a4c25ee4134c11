//! Netlink sockets: netlink(7), without threads or waiting.
//!
//! The kernel handles a request within `send`, so its answers are in the socket when `send`
//! returns, and one call can carry any number of requests. Each [`Message`] carries the text that
//! describes it in an error.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use rustix::io::Errno;

use super::ns::{Namespace, enter};
use super::{Error, Result, check};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x01;
const NLM_F_ACK: u16 = 0x04;
/// The table changed while it was dumped.
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;
const HEADER: usize = 16;
/// The maximum size of a datagram of a dump (`NLMSG_GOODSIZE`, and what it may grow to).
const MAX_PART: usize = 64 << 10;

/// The maximum size of a notification; the kernel collects them up to `NLMSG_GOODSIZE`.
const NEWS_PART: usize = 16 << 10;
/// The receive buffer for notifications, in bytes.
const NEWS_ROOM: u32 = 64 << 10;

/// Create the object if it does not exist (`NLM_F_CREATE`).
pub const CREATE: u16 = 0x400;
/// Fail if the object exists (`NLM_F_EXCL`).
pub const EXCLUSIVE: u16 = 0x200;
/// Append to the end of the list (`NLM_F_APPEND`).
pub const APPEND: u16 = 0x800;

/// The netlink protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses and routes: rtnetlink(7).
    Route,
    /// `nf_tables`.
    Netfilter,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Message {
    kind: u16,
    flags: u16,
    payload: Vec<u8>,
    call: String,
    tolerated: &'static [Errno],
}

impl Message {
    /// Creates a request. `call` describes it in errors: `RTM_NEWLINK("hoist0", bridge)`.
    #[must_use]
    pub fn new(kind: u16, flags: u16, payload: Vec<u8>, call: String) -> Self {
        Self { kind, flags: flags | NLM_F_REQUEST | NLM_F_ACK, payload, call, tolerated: &[] }
    }

    /// Creates a request that the kernel does not acknowledge, such as the start or end of a batch.
    #[must_use]
    pub fn unanswered(kind: u16, payload: Vec<u8>) -> Self {
        Self { kind, flags: NLM_F_REQUEST, payload, call: String::new(), tolerated: &[] }
    }

    /// Ignores failures with one of `errors`, which mean that nothing is left to do.
    #[must_use]
    pub fn tolerate(self, errors: &'static [Errno]) -> Self {
        Self { tolerated: errors, ..self }
    }
}

/// A message of the kernel's answer to a dump or get.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What follows the message header.
    pub payload: Vec<u8>,
}

/// A netlink socket. It belongs to the network namespace in which it was opened.
#[derive(Debug)]
pub struct Socket {
    inner: netlink_sys::Socket,
    sequence: u32,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    ///
    /// `EPROTONOSUPPORT` if the kernel lacks the protocol.
    pub fn open(protocol: Protocol) -> Result<Self> {
        let (number, name) = match protocol {
            Protocol::Route => (NETLINK_ROUTE, "NETLINK_ROUTE"),
            Protocol::Netfilter => (NETLINK_NETFILTER, "NETLINK_NETFILTER"),
        };
        let call = || format!("socket(AF_NETLINK, SOCK_DGRAM, {name})");
        let inner = check(netlink_sys::Socket::new(number), call)?;
        check(inner.connect(&netlink_sys::SocketAddr::new(0, 0)), || format!("connect({name})"))?;
        // Optional: error messages as text, and short acknowledgements. Old kernels lack them.
        let _ = inner.set_ext_ack(true);
        let _ = inner.set_cap_ack(true);
        Ok(Self { inner, sequence: 0 })
    }

    /// Opens a socket that receives the notifications of a multicast group of `protocol`.
    ///
    /// # Errors
    ///
    /// As for [`Self::open`]; `EPERM` if the group requires privilege.
    pub fn listen(protocol: Protocol, group: u32) -> Result<Self> {
        let socket = Self::open(protocol)?;
        // Lost notifications are reported, so a small buffer suffices.
        let _ = socket.inner.set_rx_buf_sz(NEWS_ROOM);
        let joined = socket.inner.add_membership(group);
        check(joined, || format!("setsockopt(NETLINK_ADD_MEMBERSHIP, {group})"))?;
        Ok(socket)
    }

    /// Returns the descriptor, which is readable if there are notifications.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }

    /// Reads all pending notifications. Returns whether one `is_wanted`, according to its type and
    /// payload, or some were lost.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn take_news(&self, is_wanted: impl Fn(u16, &[u8]) -> bool) -> Result<bool> {
        let mut found = false;
        let mut buffer = Vec::with_capacity(NEWS_PART);
        loop {
            match self.receive(&mut buffer, libc::MSG_DONTWAIT) {
                Ok(true) => {
                    // A datagram that fills the buffer may have been truncated.
                    found |= buffer.len() == buffer.capacity()
                        || Parts(&buffer).any(|part| is_wanted(part.kind, part.payload));
                }
                Ok(false) => return Ok(found),
                Err(error) if error.is(Errno::NOBUFS) => found = true,
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends all `messages` in one call and waits for the result of each.
    ///
    /// # Errors
    ///
    /// The first failure that its message does not tolerate. Later messages may have been processed
    /// nevertheless, unless they form a batch of nf_tables.
    pub fn request(&mut self, messages: &[Message]) -> Result<()> {
        let first = self.send(messages, 0)?;
        let mut unanswered = messages.iter().filter(|message| message.flags & NLM_F_ACK != 0).count();
        let mut failure: Option<(usize, Error)> = None;
        let mut buffer = Vec::with_capacity(MAX_PART);
        while self.receive(&mut buffer, libc::MSG_DONTWAIT)? {
            for part in Parts(&buffer).filter(|part| part.kind == NLMSG_ERROR) {
                let place = part.sequence.wrapping_sub(first) as usize;
                let Some(message) = messages.get(place) else { continue };
                unanswered = unanswered.saturating_sub(1);
                if let Err(error) = part.verdict(message)
                    && failure.as_ref().is_none_or(|&(earlier, _)| place < earlier)
                {
                    failure = Some((place, error));
                }
            }
        }
        match failure {
            Some((_, error)) => Err(error),
            None if unanswered == 0 => Ok(()),
            None => Err(Error::new(calls(messages), io::Error::other("the kernel did not answer"))),
        }
    }

    /// Sends a dump request and returns all messages of the answer.
    ///
    /// # Errors
    ///
    /// The kernel's error; `EAGAIN` if the table changed during each of ten attempts.
    pub fn dump(&mut self, message: &Message) -> Result<Vec<Reply>> {
        for _ in 0..10 {
            if let Some(replies) = self.dump_once(message)? {
                return Ok(replies);
            }
        }
        Err(Error::new(&*message.call, Errno::AGAIN))
    }

    fn dump_once(&mut self, message: &Message) -> Result<Option<Vec<Reply>>> {
        let asked = Message { flags: NLM_F_REQUEST, ..message.clone() };
        let sequence = self.send(&[asked], NLM_F_DUMP)?;
        let mut buffer = Vec::with_capacity(MAX_PART);
        let mut replies = Vec::new();
        let mut is_whole = true;
        loop {
            if !self.receive(&mut buffer, 0)? {
                continue;
            }
            for part in Parts(&buffer).filter(|part| part.sequence == sequence) {
                is_whole &= part.flags & NLM_F_DUMP_INTR == 0;
                match part.kind {
                    NLMSG_DONE => {
                        part.verdict(message)?;
                        return Ok(is_whole.then_some(replies));
                    }
                    NLMSG_ERROR => {
                        part.verdict(message)?;
                        return Ok(Some(replies)); // tolerated: there is nothing to return
                    }
                    _ => replies.push(Reply { payload: part.payload.to_vec() }),
                }
            }
        }
    }

    /// Sends a request and returns the kernel's answer; `None` if it failed with a tolerated error.
    ///
    /// # Errors
    ///
    /// The kernel's error.
    pub fn get(&mut self, message: &Message) -> Result<Option<Reply>> {
        let sequence = self.send(std::slice::from_ref(message), 0)?;
        let mut buffer = Vec::with_capacity(MAX_PART);
        let mut reply = None;
        while self.receive(&mut buffer, libc::MSG_DONTWAIT)? {
            for part in Parts(&buffer).filter(|part| part.sequence == sequence) {
                match part.kind {
                    NLMSG_ERROR => part.verdict(message)?,
                    _ => reply = Some(Reply { payload: part.payload.to_vec() }),
                }
            }
        }
        Ok(reply)
    }

    /// Sends messages, numbered from the returned sequence number on.
    fn send(&mut self, messages: &[Message], flags: u16) -> Result<u32> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(messages.iter().map(|m| HEADER + m.payload.len() + 4).sum());
        for message in messages {
            self.sequence = self.sequence.wrapping_add(1);
            let length = u32::try_from(HEADER + message.payload.len()).unwrap_or(u32::MAX); // too long: the kernel rejects it
            bytes.extend(length.to_ne_bytes());
            bytes.extend(message.kind.to_ne_bytes());
            bytes.extend((message.flags | flags).to_ne_bytes());
            bytes.extend(self.sequence.to_ne_bytes());
            bytes.extend([0; 4]); // the kernel knows the sender
            bytes.extend(&message.payload);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        check(self.inner.send(&bytes, 0), || calls(messages))?;
        Ok(first)
    }

    /// Reads one datagram; `false` if there is none.
    fn receive(&self, buffer: &mut Vec<u8>, flags: libc::c_int) -> Result<bool> {
        buffer.clear();
        loop {
            match self.inner.recv(buffer, flags) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::new("recv(AF_NETLINK)", error)),
            }
        }
    }
}

fn calls(messages: &[Message]) -> String {
    messages.iter().map(|m| &*m.call).filter(|call| !call.is_empty()).collect::<Vec<_>>().join(", ")
}

/// One message in a datagram.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl Part<'_> {
    /// Returns the result that an `NLMSG_ERROR` or `NLMSG_DONE` reports for `message`.
    fn verdict(&self, message: &Message) -> Result<()> {
        let code = word(self.payload, 0).map_or(0, u32::cast_signed);
        let errno = code.wrapping_neg();
        if code == 0 || message.tolerated.iter().any(|one| one.raw_os_error() == errno) {
            return Ok(());
        }
        let call = match self.said() {
            Some(said) => format!("{}: {said}", message.call),
            None => message.call.clone(),
        };
        Err(Error::new(call, io::Error::from_raw_os_error(errno)))
    }

    /// Returns the kernel's error text, if there is one.
    fn said(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        let echoed = if self.flags & NLM_F_CAPPED == 0 { word(self.payload, 4)? as usize } else { HEADER };
        let attributes = self.payload.get(4 + echoed.next_multiple_of(4)..)?;
        let said = Attributes(attributes).find(|&(kind, _)| kind == NLMSGERR_ATTR_MSG)?.1;
        Some(String::from_utf8_lossy(said).trim_end_matches('\0').to_owned())
    }
}

/// The messages of a datagram.
#[derive(Debug)]
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let length = word(self.0, 0)? as usize;
        let payload = self.0.get(HEADER..length)?;
        let part =
            Part { kind: half(self.0, 4)?, flags: half(self.0, 6)?, sequence: word(self.0, 8)?, payload };
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(part)
    }
}

/// The attributes of a message, as their types without flags, and their values.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(half(self.0, 0)?);
        let kind = half(self.0, 2)? & 0x3fff;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

impl<'a> Attributes<'a> {
    /// Returns the value of the first attribute of this type.
    #[must_use]
    pub fn get(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|&(other, _)| other == kind).map(|(_, value)| value)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Runs `work` in the network namespace `netns`, then returns to the original one.
///
/// Only the calling thread changes its namespace: setns(2).
///
/// # Errors
///
/// `EPERM` without `CAP_SYS_ADMIN` in both namespaces. If returning fails, the thread remains in
/// `netns` and must not continue.
pub fn inside<T>(netns: BorrowedFd<'_>, work: impl FnOnce() -> T) -> Result<T> {
    const HERE: &str = "/proc/thread-self/ns/net";
    let here = check(File::open(HERE), || format!("open({HERE:?})"))?;
    enter(netns, Namespace::Net)?;
    let done = work();
    enter(here.as_fd(), Namespace::Net)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTM_GETLINK: u16 = 18;

    fn get_link(name: &str) -> Message {
        let mut payload = vec![0; 16];
        payload.extend(u16::try_from(4 + name.len() + 1).unwrap().to_ne_bytes());
        payload.extend(3_u16.to_ne_bytes()); // IFLA_IFNAME
        payload.extend(name.as_bytes());
        payload.push(0);
        Message::new(RTM_GETLINK, 0, payload, format!("RTM_GETLINK({name:?})"))
    }

    #[test]
    fn a_link_is_found_by_name_and_in_the_list() {
        let mut socket = Socket::open(Protocol::Route).unwrap();
        let lo = socket.get(&get_link("lo")).unwrap().unwrap();
        assert_eq!(Attributes(&lo.payload[16..]).get(3), Some(&b"lo\0"[..]));
        let all = socket.dump(&Message::new(RTM_GETLINK, 0, vec![0; 16], "RTM_GETLINK".to_owned())).unwrap();
        assert!(all.iter().any(|link| Attributes(&link.payload[16..]).get(3) == Some(b"lo\0")));
    }

    #[test]
    fn a_failure_is_told_as_the_call_unless_it_is_tolerated() {
        let mut socket = Socket::open(Protocol::Route).unwrap();
        let missing = get_link("hoist-none");
        let error = socket.get(&missing).unwrap_err();
        assert_eq!((error.call(), error.errno()), ("RTM_GETLINK(\"hoist-none\")", libc::ENODEV));
        assert!(socket.get(&missing.clone().tolerate(&[Errno::NODEV])).unwrap().is_none());
        let error = socket.request(&[get_link("lo"), missing]).unwrap_err();
        assert_eq!(error.call(), "RTM_GETLINK(\"hoist-none\")");
    }

    #[test]
    fn cut_off_answers_are_read_as_far_as_they_go() {
        assert_eq!(Parts(&[1, 2, 3]).count(), 0);
        let mut bytes = vec![0; 20];
        bytes[0] = 200; // longer than the datagram
        assert_eq!(Parts(&bytes).count(), 0);
        bytes[0] = 3; // shorter than a header
        assert_eq!(Parts(&bytes).count(), 0);
        assert_eq!(Attributes(&[9, 0, 1, 0, 7]).count(), 0);
        assert_eq!(Attributes(&[2, 0, 1, 0, 7]).count(), 0);
    }
}
