//! The clients of a payload's streams, each with its own bounded queue.
//!
//! Packets are written to the socket's buffer. If that is full, the data is queued. While the queue
//! of a *lossless* client is not empty, nothing more is read from the payload. A *best effort*
//! client does not delay the payload: whatever exceeds its queue is dropped, and the client is told
//! how much.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use super::wire::{Attach, tag};
use crate::container::log::Stream;
use crate::sys::socket::{self, Sent};

/// Maximum number of bytes queued for a best-effort client.
const BURST: usize = 256 << 10;

/// Maximum overhead of a queued packet, since a program may write byte by byte.
const PACKET: usize = 128;

/// A client that has sent its request.
#[derive(Debug)]
pub(super) struct Client {
    socket: OwnedFd,
    pub(super) wants: Attach,
    queue: VecDeque<Packet>,
    /// The size of the queue in bytes.
    queued: usize,
    /// The number of bytes dropped after those.
    skipped: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Attached,
    /// The payload has exited; queued data is still delivered.
    Leaving,
    Gone,
}

/// Data for clients, shared by all of them.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    tag: u8,
    bytes: Rc<[u8]>,
}

impl Packet {
    pub(super) fn output(stream: Stream, bytes: &[u8]) -> Self {
        let tag = match stream {
            Stream::Stdout => tag::STDOUT,
            Stream::Stderr => tag::STDERR,
        };
        Self { tag, bytes: bytes.into() }
    }

    pub(super) fn exited(code: u8) -> Self {
        Self { tag: tag::EXITED, bytes: [code].into() }
    }

    fn cost(&self) -> usize {
        self.bytes.len() + PACKET
    }

    fn skipped(count: u64) -> Self {
        Self { tag: tag::SKIPPED, bytes: count.to_le_bytes().into() }
    }
}

impl Client {
    pub(super) fn new(socket: OwnedFd, wants: Attach) -> Self {
        Self { socket, wants, queue: VecDeque::new(), queued: 0, skipped: 0, state: State::Attached }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Whether standard input belongs to this client, so that it may end with it. A best-effort
    /// client may send input, but standard input does not end when it leaves.
    pub(super) fn carries_input(&self) -> bool {
        self.wants.stdin && self.wants.lossless
    }

    /// Whether the payload waits for this client.
    pub(super) fn is_blocking(&self) -> bool {
        self.wants.lossless && self.state == State::Attached && !self.queue.is_empty()
    }

    /// Whether data is queued.
    pub(super) fn has_queue(&self) -> bool {
        !self.queue.is_empty() || self.skipped > 0
    }

    pub(super) fn wants(&self, stream: Stream) -> bool {
        self.state == State::Attached
            && match stream {
                Stream::Stdout => self.wants.stdout,
                Stream::Stderr => self.wants.stderr,
            }
    }

    /// Sends bytes of a stream, or queues them if the socket is full.
    pub(super) fn deliver(&mut self, stream: Stream, bytes: &[u8], shared: &mut Option<Packet>) {
        if !self.queue.is_empty() || self.skipped > 0 {
            self.flush();
        }
        if self.queue.is_empty() && self.skipped == 0 {
            let tag = [if stream == Stream::Stdout { tag::STDOUT } else { tag::STDERR }];
            match socket::send(self.socket.as_fd(), &[&tag, bytes]) {
                Ok(Sent::Whole) => return,
                Ok(Sent::Full) => {}
                Ok(Sent::Gone) | Err(_) => return self.stop_output(),
            }
        }
        if self.wants.lossless || (self.skipped == 0 && self.queued + bytes.len() + PACKET <= BURST) {
            self.put(shared.get_or_insert_with(|| Packet::output(stream, bytes)).clone());
        } else {
            self.skipped += bytes.len() as u64;
        }
    }

    /// Queues the last packet of this client. Its connection is closed afterwards.
    pub(super) fn finish(&mut self, packet: Packet) {
        if self.state == State::Attached {
            self.note_skipped();
            self.put(packet);
            self.state = State::Leaving;
            self.wants.stdin = false;
            self.flush();
        }
    }

    /// Sends as much of the queue as possible.
    pub(super) fn flush(&mut self) {
        if self.queue.is_empty() {
            self.note_skipped();
        }
        while let Some(packet) = self.queue.front()
            && self.state != State::Gone
        {
            match socket::send(self.socket.as_fd(), &[&[packet.tag], &packet.bytes]) {
                Ok(Sent::Whole) => {
                    self.queued -= packet.cost();
                    self.queue.pop_front();
                    if self.queue.is_empty() {
                        self.note_skipped();
                    }
                }
                Ok(Sent::Full) => return,
                Ok(Sent::Gone) | Err(_) => self.stop_output(),
            }
        }
        if self.state == State::Leaving {
            self.state = State::Gone;
        }
    }

    /// Stops sending, since the other end no longer reads. What it has sent is still received.
    fn stop_output(&mut self) {
        self.queue.clear();
        (self.queued, self.skipped) = (0, 0);
        (self.wants.stdout, self.wants.stderr) = (false, false);
        if !self.wants.stdin {
            self.state = State::Gone;
        }
    }

    fn put(&mut self, packet: Packet) {
        self.queued += packet.cost();
        self.queue.push_back(packet);
    }

    /// Queues the number of dropped bytes after everything else.
    fn note_skipped(&mut self) {
        if self.skipped > 0 {
            let packet = Packet::skipped(std::mem::take(&mut self.skipped));
            self.put(packet);
        }
    }

    /// Closes a connection that has ended or violated the protocol.
    pub(super) fn drop_it(&mut self) {
        self.state = State::Gone;
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::socket::Received;

    fn client(lossless: bool) -> (Client, OwnedFd) {
        let (ours, theirs) = socket::pair().unwrap();
        socket::set_nonblocking(ours.as_fd()).unwrap();
        socket::set_nonblocking(theirs.as_fd()).unwrap();
        let wants = Attach { stdout: true, lossless, ..Attach::default() };
        (Client::new(ours, wants), theirs)
    }

    fn packets(socket: &OwnedFd) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while let Ok(Received::Message(length)) = socket::receive(socket.as_fd(), &mut buffer) {
            found.push(buffer[..length].to_vec());
        }
        found
    }

    #[test]
    fn a_lossless_client_gets_every_byte_once_it_reads() {
        let (mut client, theirs) = client(true);
        let mut sent = 0_u32;
        while !client.is_blocking() {
            client.deliver(Stream::Stdout, &sent.to_le_bytes(), &mut None);
            sent += 1;
        }
        let mut found = packets(&theirs);
        client.finish(Packet::exited(3));
        assert!(client.is_gone(), "everything is delivered");
        found.extend(packets(&theirs));
        let last = found.pop().unwrap();
        assert_eq!(last, [tag::EXITED, 3]);
        let numbers: Vec<u32> =
            found.iter().map(|packet| u32::from_le_bytes(packet[1..].try_into().unwrap())).collect();
        assert_eq!(numbers, (0..sent).collect::<Vec<_>>());
    }

    #[test]
    fn a_best_effort_client_is_told_how_much_it_missed() {
        let (mut client, theirs) = client(false);
        for _ in 0..2000 {
            client.deliver(Stream::Stdout, &[7; 1000], &mut None);
        }
        assert!(!client.is_blocking());
        let mut found = packets(&theirs);
        client.deliver(Stream::Stdout, &[8; 1000], &mut None);
        while client.has_queue() {
            found.extend(packets(&theirs));
            client.flush();
        }
        found.extend(packets(&theirs));
        let (told, seen): (Vec<_>, Vec<_>) = found.iter().partition(|packet| packet[0] == tag::SKIPPED);
        let [told] = told.as_slice() else { panic!("told {} times", told.len()) };
        let missed = u64::from_le_bytes(told[1..].try_into().unwrap());
        let kept: u64 = seen.iter().map(|packet| packet.len() as u64 - 1).sum();
        assert_eq!(kept + missed, 2_001_000);
        assert!(kept > BURST as u64, "a burst is kept whole");
        assert_eq!(found.last(), Some(*told), "what is missed is what came last");
    }

    #[test]
    fn bytes_that_are_written_one_by_one_take_no_more_room() {
        let (mut client, _theirs) = client(false);
        for _ in 0..2 * BURST {
            client.deliver(Stream::Stdout, b"x", &mut None);
        }
        assert!(client.skipped > 0);
        assert!(client.queue.len() <= BURST / PACKET, "{} packets", client.queue.len());
    }

    #[test]
    fn a_client_that_left_is_gone() {
        let (mut client, theirs) = client(true);
        drop(theirs);
        client.deliver(Stream::Stdout, b"x", &mut None);
        assert!(client.is_gone());
    }

    #[test]
    fn a_client_that_left_is_still_heard() {
        let (mut client, theirs) = client(true);
        client.wants.stdin = true;
        socket::send(theirs.as_fd(), &[b"last"]).unwrap();
        drop(theirs);
        client.deliver(Stream::Stdout, b"x", &mut None);
        assert!(!client.is_gone() && !client.has_queue() && !client.wants(Stream::Stdout));
        assert_eq!(socket::receive(client.as_fd(), &mut [0; 8]).unwrap(), Received::Message(4));
    }
}
