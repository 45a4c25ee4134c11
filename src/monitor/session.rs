//! The streams of a payload: from its pipes or terminal to the log and the clients, and from the
//! clients to its standard input. Memory is bounded; [`super::poll`] waits for events.

use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::PollFlags;
use rustix::io::Errno;

use super::client::{Client, Packet};
use super::error::Refused;
use super::poll::{Event, Source, Timer, Waits};
use super::wire::{Answer, Ask, Attach, Failure, Hello, MAX_HELLO, MAX_PACKET, encode, size, tag};
use crate::base::disk;
use crate::base::error::one_line;
use crate::container::log::{Stream, Writer};
use crate::sys;
use crate::sys::socket::{self, Received};

/// Maximum number of bytes read from the payload at once. With the tag it fits a packet.
const CHUNK: usize = MAX_PACKET - 16;
/// Maximum number of attached clients. Connections that only send a verb do not count.
const MAX_CLIENTS: usize = 256;
/// Maximum number of connections without a request. Beyond that the oldest is closed.
const MAX_NEWCOMERS: usize = 64;
/// A connection without a request is closed after this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Maximum number of bytes kept for standard input after their clients have left.
const MAX_PENDING: usize = 1 << 20;
/// The delay after a failed accept(2), since the listener would be reported as ready immediately.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// The monitor's ends of a payload's standard streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The master of the payload's terminal, for input and output.
    pub(super) console: Option<OwnedFd>,
    /// The pipe to standard input.
    pub(super) stdin: Option<OwnedFd>,
    /// The pipe from standard output.
    pub(super) stdout: Option<OwnedFd>,
    /// The pipe from standard error.
    pub(super) stderr: Option<OwnedFd>,
}

impl Streams {
    /// Makes the descriptors non-blocking.
    pub(super) fn set_nonblocking(&self) -> sys::Result<()> {
        let all = [&self.console, &self.stdin, &self.stdout, &self.stderr];
        all.into_iter().flatten().try_for_each(|fd| socket::set_nonblocking(fd.as_fd()))
    }

    fn output(&self, stream: Stream) -> Option<BorrowedFd<'_>> {
        let fd = match stream {
            Stream::Stdout => self.console.as_ref().or(self.stdout.as_ref()),
            Stream::Stderr => self.stderr.as_ref(),
        };
        fd.map(AsFd::as_fd)
    }

    fn input(&self) -> Option<BorrowedFd<'_>> {
        self.console.as_ref().or(self.stdin.as_ref()).map(AsFd::as_fd)
    }

    fn end_output(&mut self, stream: Stream) {
        match stream {
            Stream::Stdout => {
                self.console = None;
                self.stdout = None;
            }
            Stream::Stderr => self.stderr = None,
        }
    }
}

/// The destination of an answer to a client.
#[derive(Debug)]
pub(super) struct Asker {
    socket: OwnedFd,
    /// The newest protocol that the client supports.
    protocol: u32,
}

impl Asker {
    /// Sends an answer. A client that has disconnected does not get it.
    pub(super) fn answer(&self, answer: &Answer) {
        if let Ok(bytes) = encode(answer) {
            let _ = socket::send(self.socket.as_fd(), &[&bytes]);
        }
    }

    /// Reports that the request is done, with warnings.
    pub(super) fn answer_done(&self, warnings: &[String]) {
        if warnings.is_empty() || self.protocol < 2 {
            return self.answer(&Answer::Done);
        }
        self.answer(&Answer::Warned { warnings: warnings.to_vec() });
    }

    pub(super) fn refuse(&self, error: &dyn crate::base::Explain) {
        self.answer(&Answer::Failed(Failure::of(error)));
    }
}

/// The type of a payload's standard streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Whether there is a terminal instead of pipes.
    pub(super) tty: bool,
    /// Whether standard input ends when the first client that carries it disconnects or closes it.
    /// Otherwise clients may come and go.
    pub(super) stdin_once: bool,
}

/// A payload's streams, its log, and its clients.
#[derive(Debug)]
pub(super) struct Session {
    listener: Option<OwnedFd>,
    /// The listener is ignored until then.
    accept_again: Option<Instant>,
    pub(super) streams: Streams,
    /// Bytes for standard input that are not written yet.
    pending: Vec<u8>,
    is_input_closing: bool,
    log: Option<Writer>,
    /// The first error of writing the log.
    log_fault: Option<String>,
    /// Connections without a request, oldest first. An entry is empty once the request has arrived.
    newcomers: Vec<Option<Newcomer>>,
    clients: Vec<Client>,
    /// Verbs requested by clients.
    asks: Vec<(Asker, Ask)>,
    shape: Shape,
    buffer: Box<[u8]>,
}

/// A connection without a request so far.
#[derive(Debug)]
struct Newcomer {
    socket: OwnedFd,
    since: Instant,
}

impl Newcomer {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, since: Instant::now() }
    }

    fn due(&self) -> Instant {
        self.since + PATIENCE
    }
}

impl Session {
    pub(super) fn new(listener: Option<OwnedFd>, log: Option<Writer>, shape: Shape) -> Self {
        Self {
            listener,
            accept_again: None,
            streams: Streams::default(),
            pending: Vec::new(),
            is_input_closing: false,
            log,
            log_fault: None,
            newcomers: Vec::new(),
            clients: Vec::new(),
            asks: Vec::new(),
            shape,
            buffer: vec![0; CHUNK].into(),
        }
    }

    /// Adds a connection that was made before the payload started.
    pub(super) fn connect(&mut self, socket: OwnedFd) {
        if socket::set_nonblocking(socket.as_fd()).is_ok() {
            self.newcomers.push(Some(Newcomer::new(socket)));
        }
    }

    /// Returns the terminal size of the first client that has sent one.
    pub(super) fn first_size(&self) -> Option<(u16, u16)> {
        self.clients.iter().find_map(|client| client.wants.size)
    }

    /// Returns why the log of this payload is incomplete, once.
    pub(super) fn take_log_fault(&mut self) -> Option<String> {
        self.log_fault.take()
    }

    /// Sets the streams of a payload that is starting.
    pub(super) fn begin(&mut self, streams: Streams) {
        self.streams = streams;
        self.pending.clear();
        self.is_input_closing = false;
    }

    /// Adds what it waits for.
    pub(super) fn wait_for<'a>(&'a self, waits: &mut Waits<'a>) {
        match (&self.listener, self.accept_again) {
            (Some(listener), None) => waits.source(Source::Listener, listener.as_fd(), PollFlags::IN),
            (_, again) => waits.timer(Timer::Accept, again),
        }
        if !self.clients.iter().any(Client::is_blocking) {
            for stream in [Stream::Stdout, Stream::Stderr] {
                if let Some(fd) = self.streams.output(stream) {
                    waits.source(Source::Output(stream), fd, PollFlags::IN);
                }
            }
        }
        if let Some(fd) = self.streams.input().filter(|_| !self.pending.is_empty()) {
            waits.source(Source::Input, fd, PollFlags::OUT);
        }
        for (at, newcomer) in self.newcomers.iter().enumerate() {
            if let Some(newcomer) = newcomer {
                waits.source(Source::Newcomer(at), newcomer.socket.as_fd(), PollFlags::IN);
            }
        }
        for (at, client) in self.clients.iter().enumerate() {
            let mut flags = PollFlags::empty();
            // Its input is not read while the payload does not read.
            flags.set(PollFlags::IN, self.pending.is_empty());
            flags.set(PollFlags::OUT, client.has_queue());
            waits.source(Source::Client(at), client.as_fd(), flags);
        }
        waits.timer(Timer::Silence, self.newcomers.iter().flatten().map(Newcomer::due).min());
    }

    /// Whether an event belongs to the session.
    pub(super) fn owns(event: &Event) -> bool {
        use Source::{Client, Input, Listener, Newcomer, Output};
        match event {
            Event::Ready(Listener | Output(_) | Input | Newcomer(_) | Client(_), _)
            | Event::Due(Timer::Accept | Timer::Silence) => true,
            Event::Ready(_, _) | Event::Due(_) => false,
        }
    }

    /// Handles an event.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Ready(Source::Listener, _) => self.accept(),
            Event::Ready(Source::Output(stream), _) => {
                self.read_output(stream);
            }
            Event::Ready(Source::Input, _) => self.feed(),
            Event::Ready(Source::Newcomer(at), _) => self.accept_client(at),
            Event::Ready(Source::Client(at), flags) => {
                if flags.contains(PollFlags::OUT) {
                    self.clients[at].flush();
                }
                let is_leaving = flags.intersects(PollFlags::HUP | PollFlags::ERR);
                if is_leaving && self.pending.len() >= MAX_PENDING {
                    self.clients[at].drop_it(); // its last input is not needed
                } else if is_leaving || flags.contains(PollFlags::IN) {
                    self.hear(at);
                }
            }
            Event::Due(Timer::Accept) => self.accept_again = None,
            Event::Due(_) | Event::Ready(_, _) => {}
        }
    }

    /// Ends a turn: writes output to the log, and drops connections that are closed or timed out.
    /// Returns the verbs requested by clients.
    pub(super) fn end_turn(&mut self) -> Vec<(Asker, Ask)> {
        self.flush_log();
        let now = Instant::now();
        self.newcomers.retain(|newcomer| newcomer.as_ref().is_some_and(|newcomer| newcomer.due() > now));
        self.forget_gone();
        std::mem::take(&mut self.asks)
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match socket::accept(listener.as_fd()) {
                Ok(Some(socket)) if is_own(socket.as_fd()) => {
                    self.make_room();
                    self.newcomers.push(Some(Newcomer::new(socket)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                // No descriptors are available in this process or on the machine.
                Err(error) => {
                    report_error(&error);
                    self.accept_again = Some(Instant::now() + ACCEPT_AGAIN);
                    return;
                }
            }
        }
    }

    /// Closes the oldest connection without a request if there are too many, unless it has sent
    /// data.
    fn make_room(&mut self) {
        if self.newcomers.iter().flatten().count() < MAX_NEWCOMERS {
            return;
        }
        if let Some(oldest) = self.newcomers.iter().position(Option::is_some) {
            self.accept_client(oldest);
            self.newcomers[oldest] = None;
        }
    }

    /// Reads the requests of the clients that connected before the payload started.
    pub(super) fn accept_clients(&mut self) {
        for at in 0..self.newcomers.len() {
            self.accept_client(at);
        }
        self.newcomers.retain(Option::is_some);
    }

    /// Reads the request of a new connection.
    fn accept_client(&mut self, at: usize) {
        let Some(newcomer) = self.newcomers[at].take() else { return };
        let mut hello = [0; MAX_HELLO];
        let length = match socket::receive(newcomer.socket.as_fd(), &mut hello) {
            Ok(Received::Message(length)) => length,
            Ok(Received::Nothing) => {
                self.newcomers[at] = Some(newcomer);
                return;
            }
            Ok(Received::Gone) | Err(_) => return,
        };
        let socket = newcomer.socket;
        match serde_json::from_slice::<Hello>(&hello[..length]) {
            Ok(Hello { ask: Ask::Attach(wants), protocol }) => self.attach(Asker { socket, protocol }, wants),
            Ok(Hello { ask, protocol }) => self.asks.push((Asker { socket, protocol }, ask)),
            Err(_) => Asker { socket, protocol: 1 }.refuse(&Refused::Unknown),
        }
    }

    fn attach(&mut self, asker: Asker, wants: Attach) {
        if self.clients.len() >= MAX_CLIENTS {
            return asker.refuse(&Refused::Full);
        }
        asker.answer(&Answer::Attached { tty: self.shape.tty });
        if let Some((rows, columns)) = wants.size {
            self.resize(rows, columns);
        }
        self.clients.push(Client::new(asker.socket, wants));
    }

    /// Sets the size of the payload's terminal, if it has one.
    pub(super) fn resize(&self, rows: u16, columns: u16) {
        if let Some(console) = &self.streams.console {
            let _ = sys::pty::set_size(console.as_fd(), columns, rows); // the payload may be exiting
        }
    }

    /// Reads a client's packets.
    fn hear(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let length = match socket::receive(client.as_fd(), &mut self.buffer) {
            Ok(Received::Message(length)) => length,
            Ok(Received::Nothing) => return,
            Ok(Received::Gone) | Err(_) => return client.drop_it(),
        };
        match (self.buffer[0], client.wants.stdin) {
            (tag::INPUT, true) => {
                self.pending.extend_from_slice(&self.buffer[1..length]);
                self.feed();
            }
            (tag::CLOSE, true) => self.end_input(),
            (tag::RESIZE, _) => {
                if let Some((rows, columns)) = size(&self.buffer[1..length]) {
                    self.resize(rows, columns);
                }
            }
            _ => {}
        }
    }

    /// Drops clients that have disconnected. Standard input may end with the one that carried it.
    fn forget_gone(&mut self) {
        let is_over = self.clients.iter().any(|client| client.is_gone() && client.carries_input());
        self.clients.retain(|client| !client.is_gone());
        if is_over {
            self.end_input();
        }
    }

    /// Ends standard input if it ends with its client.
    fn end_input(&mut self) {
        if self.shape.stdin_once {
            self.is_input_closing = true;
            self.feed();
        }
    }

    /// Writes pending input as far as possible, and closes standard input after the last byte if
    /// requested. A terminal is not closed: its user types ^D.
    fn feed(&mut self) {
        let Some(input) = self.streams.input() else {
            self.pending.clear();
            return;
        };
        let mut written = 0;
        while written < self.pending.len() {
            match rustix::io::write(input, &self.pending[written..]) {
                Ok(length) => written += length,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    written = self.pending.len(); // nobody reads it any longer
                    self.is_input_closing = true;
                }
            }
        }
        self.pending.drain(..written);
        if self.pending.is_empty() {
            self.pending.shrink_to(0);
            if self.is_input_closing {
                self.streams.stdin = None;
            }
        }
    }

    /// Reads once from a stream. Returns the number of bytes; `None` if nothing is available now.
    fn read_output(&mut self, stream: Stream) -> Option<usize> {
        let fd = self.streams.output(stream)?;
        let length = match rustix::io::read(fd, &mut self.buffer[..]) {
            Ok(length) if length > 0 => length,
            Err(Errno::INTR) => return Some(0),
            Err(Errno::AGAIN) => return None,
            // A terminal returns EIO after its last holder has closed it.
            Ok(_) | Err(_) => {
                self.streams.end_output(stream);
                return None;
            }
        };
        let bytes = &self.buffer[..length];
        if let Some(log) = &mut self.log {
            let written = log.write(stream, bytes, Timestamp::now());
            note_fault(&mut self.log_fault, written);
        }
        let mut shared = None;
        for client in self.clients.iter_mut().filter(|client| client.wants(stream)) {
            client.deliver(stream, bytes, &mut shared);
        }
        Some(length)
    }

    fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            note_fault(&mut self.log_fault, log.flush());
        }
    }

    /// Reads what the exited payload left in its pipes, however slow clients are. This is limited
    /// to the capacity of a pipe, since a remaining process may continue to write. Then closes all
    /// streams.
    pub(super) fn drain(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut left = self.streams.output(stream).map_or(0, capacity);
            while left > 0
                && let Some(length) = self.read_output(stream)
            {
                left = left.saturating_sub(length);
            }
        }
        if let Some(log) = &mut self.log {
            note_fault(&mut self.log_fault, log.finish(Timestamp::now()));
        }
        self.streams = Streams::default();
        self.pending = Vec::new();
    }

    /// Sends the exit code to all clients, and closes each connection once everything is delivered.
    pub(super) fn finish_clients(&mut self, code: u8) {
        for client in &mut self.clients {
            client.finish(Packet::exited(code));
        }
        self.forget_gone();
    }

    /// Stops listening: from now on, only existing clients are served.
    pub(super) fn stop_listening(&mut self) {
        self.listener = None;
        self.newcomers.clear();
    }

    /// Whether there are clients.
    pub(super) fn has_clients(&self) -> bool {
        !self.clients.is_empty()
    }
}

/// Returns the maximum number of bytes in a pipe or terminal.
fn capacity(output: BorrowedFd<'_>) -> usize {
    /// More than Linux buffers in a terminal.
    const TERMINAL: usize = 1 << 20;
    rustix::pipe::fcntl_getpipe_size(output).unwrap_or(TERMINAL)
}

/// Reports that the log could not be written, and keeps the first reason.
fn note_fault(fault: &mut Option<String>, written: disk::Result<()>) {
    if let Err(error) = written {
        report_error(&error);
        fault.get_or_insert_with(|| one_line(&error));
    }
}

/// Whether the other end belongs to this user or to root.
fn is_own(socket: BorrowedFd<'_>) -> bool {
    let own = rustix::process::getuid().as_raw();
    socket::peer_uid(socket).is_ok_and(|uid| uid == own || uid == 0)
}

/// The monitor's own log is its standard error.
pub(super) fn report_error(error: &dyn std::error::Error) {
    note(&crate::base::error::one_line(error));
}

/// Writes a line to the monitor's own log. The rate is limited, so that an error with every packet
/// or line does not fill the disk.
pub(super) fn note(text: &str) {
    static PACE: Mutex<Option<Pace>> = Mutex::new(None);
    let mut pace = PACE.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let Some(left_out) = pace.get_or_insert_with(|| Pace::new(now)).admit(now) else { return };
    if left_out > 0 {
        let _ = writeln!(std::io::stderr(), "{left_out} more messages were omitted");
    }
    let _ = writeln!(std::io::stderr(), "{}", crate::base::text::line(text));
}

/// Limits messages to a burst and then one per minute.
#[derive(Debug)]
struct Pace {
    left: u32,
    since: Instant,
    left_out: u64,
}

impl Pace {
    const BURST: u32 = 20;
    const EVERY: Duration = Duration::from_secs(60);

    fn new(now: Instant) -> Self {
        Self { left: Self::BURST, since: now, left_out: 0 }
    }

    /// Whether a message is allowed; returns the number of messages dropped before it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        while self.left < Self::BURST && now.duration_since(self.since) >= Self::EVERY {
            (self.left, self.since) = (self.left + 1, self.since + Self::EVERY);
        }
        if self.left == Self::BURST {
            self.since = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::super::poll::tests::turn_now;
    use super::*;

    #[test]
    fn a_client_of_the_first_protocol_hears_no_warnings() {
        for (protocol, want) in [(1, r#""done""#), (2, r#"{"warned":{"warnings":["cut"]}}"#)] {
            let (ours, theirs) = socket::pair().unwrap();
            Asker { socket: ours, protocol }.answer_done(&["cut".to_owned()]);
            let mut buffer = [0; 100];
            let Received::Message(length) = socket::receive(theirs.as_fd(), &mut buffer).unwrap() else {
                panic!("no answer")
            };
            assert_eq!(str::from_utf8(&buffer[..length]).unwrap(), want);
        }
    }

    #[test]
    fn a_client_that_cannot_be_accepted_does_not_keep_it_busy() {
        // A connection is readable, but accept fails.
        let (listener, client) = socket::pair().unwrap();
        socket::send(client.as_fd(), &[b"hello"]).unwrap();
        let mut session = Session::new(Some(listener), None, Shape { tty: false, stdin_once: true });
        assert_eq!(turn_now(&mut session).0, 1);
        assert_eq!(turn_now(&mut session).0, 0);
        session.accept_again = Some(Instant::now());
        assert_eq!(turn_now(&mut session).0, 1, "its time has come");
        assert_eq!(turn_now(&mut session).0, 1);
    }

    #[test]
    fn many_messages_pass_one_a_minute() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let passed = (0..1000).filter(|_| pace.admit(start).is_some()).count();
        assert_eq!(passed, 20);
        assert_eq!(pace.admit(start + Duration::from_secs(59)), None);
        assert_eq!(pace.admit(start + Duration::from_secs(60)), Some(981));
        assert_eq!(pace.admit(start + Duration::from_secs(61)), None);
        let later = start + Duration::from_secs(24 * 3600);
        assert_eq!((0..1000).filter(|_| pace.admit(later).is_some()).count(), 20);
    }

    fn session(listener: Option<OwnedFd>) -> Session {
        Session::new(listener, None, Shape { tty: false, stdin_once: false })
    }

    /// Connects a client that sends this request.
    fn connect(session: &mut Session, ask: Ask) -> OwnedFd {
        let (ours, theirs) = socket::pair().unwrap();
        session.connect(ours);
        say(&theirs, ask);
        theirs
    }

    fn say(socket: &OwnedFd, ask: Ask) {
        let hello = encode(&Hello { protocol: super::super::wire::PROTOCOL, ask }).unwrap();
        socket::send(socket.as_fd(), &[&hello]).unwrap();
    }

    /// Handles all events that are due now.
    fn turns(session: &mut Session) -> Vec<Ask> {
        (0..4).flat_map(|_| turn_now(session).1).collect()
    }

    #[test]
    fn who_leaves_while_standard_input_is_stuck_is_noticed() {
        let mut session = session(None);
        let (input, to_input) = rustix::pipe::pipe().unwrap();
        session.begin(Streams { stdin: Some(to_input), ..Streams::default() });
        session.streams.set_nonblocking().unwrap();
        let wants = || Ask::Attach(Attach { stdin: true, lossless: true, ..Attach::default() });
        let stays = connect(&mut session, wants());
        turns(&mut session);
        session.pending = vec![b'x'; 1 << 17];
        session.feed();
        assert!(!session.pending.is_empty(), "the pipe is full");
        for _ in 0..3 {
            let leaves = connect(&mut session, wants());
            turns(&mut session);
            socket::send(leaves.as_fd(), &[&[tag::INPUT], b"last"]).unwrap();
            drop(leaves);
            turns(&mut session);
        }
        turns(&mut session);
        assert_eq!(session.clients.len(), 1);
        assert!(session.pending.ends_with(b"lastlastlast"), "what they sent is not lost");
        session.pending.resize(MAX_PENDING, b'x');
        let leaves = connect(&mut session, wants());
        turns(&mut session);
        socket::send(leaves.as_fd(), &[&[tag::INPUT], b"too much"]).unwrap();
        drop(leaves);
        turns(&mut session);
        assert_eq!((session.clients.len(), session.pending.len()), (1, MAX_PENDING));
        drop((stays, input));
    }

    #[test]
    fn neither_silence_nor_clients_keep_a_verb_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut session = session(Some(socket::listen(dir.path(), "socket").unwrap()));
        let reach = || socket::connect(dir.path(), "socket", PATIENCE).unwrap();
        let mut others = Vec::new();
        for _ in 0..5 * MAX_CLIENTS / MAX_NEWCOMERS {
            others.extend((0..MAX_NEWCOMERS).map(|_| reach()));
            turns(&mut session);
        }
        assert_eq!(session.newcomers.len(), MAX_NEWCOMERS);
        for _ in 0..2 {
            for _ in 0..MAX_NEWCOMERS {
                let asker = reach();
                say(&asker, Ask::Ping);
                others.push(asker);
            }
            session.accept();
        }
        assert_eq!(session.asks.len(), MAX_NEWCOMERS, "who has spoken is heard");
        assert_eq!(turns(&mut session).len(), 2 * MAX_NEWCOMERS);
        others.push(reach());
        turns(&mut session);
        assert_eq!(session.newcomers.len(), 1);
        for newcomer in session.newcomers.iter_mut().flatten() {
            newcomer.since -= PATIENCE;
        }
        turns(&mut session);
        assert!(session.newcomers.is_empty());
        let attached: Vec<_> =
            (0..=MAX_CLIENTS).map(|_| connect(&mut session, Ask::Attach(Attach::default()))).collect();
        turns(&mut session);
        assert_eq!(session.clients.len(), MAX_CLIENTS);
        let asker = reach();
        say(&asker, Ask::Ping);
        assert_eq!(turns(&mut session).len(), 1);
        drop(attached);
    }

    /// Returns what a client has received so far, followed by `None` if its connection has ended.
    fn heard(socket: &OwnedFd) -> Vec<Option<String>> {
        let mut buffer = vec![0; MAX_PACKET];
        let mut found = Vec::new();
        socket::set_nonblocking(socket.as_fd()).unwrap();
        loop {
            match socket::receive(socket.as_fd(), &mut buffer) {
                Ok(Received::Message(length)) => {
                    found.push(Some(String::from_utf8_lossy(&buffer[..length]).into_owned()));
                }
                Ok(Received::Nothing) => return found,
                Ok(Received::Gone) | Err(_) => {
                    found.push(None);
                    return found;
                }
            }
        }
    }

    #[test]
    fn a_first_message_that_makes_no_sense_is_refused() {
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let long = format!(r#"{{"protocol":1,"ask":"ping","more":"{}"}}"#, "x".repeat(2 * MAX_HELLO));
        for hello in [
            &b"x"[..],
            b"\0",
            b"{",
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe",
            br#"{"protocol":1}"#,
            br#"{"ask":"ping"}"#,
            br#"{"protocol":-1,"ask":"ping"}"#,
            br#"{"protocol":1,"ask":"dance"}"#,
            br#"{"protocol":1,"ask":{"kill":{}}}"#,
            br#"{"protocol":1,"ask":{"kill":{"signal":1e99,"by_hand":true}}}"#,
            br#"{"protocol":1,"ask":{"resize":{"rows":70000,"columns":1}}}"#,
            deep.as_bytes(),
        ] {
            let mut session = session(None);
            let (ours, theirs) = socket::pair().unwrap();
            session.connect(ours);
            socket::send(theirs.as_fd(), &[hello]).unwrap();
            assert_eq!(turns(&mut session), [], "{}", String::from_utf8_lossy(hello));
            let said = heard(&theirs);
            assert!(
                matches!(&said[..], [Some(refused), None] if refused.starts_with(r#"{"failed":{"#)),
                "{}: {said:?}",
                String::from_utf8_lossy(hello)
            );
            assert!(session.newcomers.is_empty() && session.clients.is_empty());
        }
        // If the request is too long, it is not even answered.
        let mut session = session(None);
        let (ours, theirs) = socket::pair().unwrap();
        session.connect(ours);
        socket::send(theirs.as_fd(), &[long.as_bytes()]).unwrap();
        assert_eq!((turns(&mut session), heard(&theirs)), (Vec::new(), vec![None]));
    }

    #[test]
    fn who_leaves_without_a_word_is_forgotten() {
        let mut session = session(None);
        let (ours, theirs) = socket::pair().unwrap();
        session.connect(ours);
        drop(theirs);
        assert_eq!(turns(&mut session), []);
        assert!(session.newcomers.is_empty());
    }

    #[test]
    fn packets_that_make_no_sense_change_nothing() {
        let mut session = session(None);
        let (input, to_input) = std::io::pipe().unwrap();
        session.begin(Streams { stdin: Some(to_input.into()), ..Streams::default() });
        session.streams.set_nonblocking().unwrap();
        let looks_on = connect(&mut session, Ask::Attach(Attach { stdout: true, ..Attach::default() }));
        let types = connect(&mut session, Ask::Attach(Attach { stdin: true, ..Attach::default() }));
        turns(&mut session);
        let hello = encode(&Hello { protocol: 2, ask: Ask::kill(libc::SIGKILL) }).unwrap();
        let packets = [
            &b"Zunknown"[..],
            b"W",
            b"W\x01",
            b"W\x01\0\x02",
            b"W\x01\0\x02\0\xff",
            b"X\x07",
            b"O",
            b"I",
            &hello,
        ];
        for packet in packets {
            for client in [&looks_on, &types] {
                socket::send(client.as_fd(), &[packet]).unwrap();
                assert_eq!(turns(&mut session), [], "{packet:?}: its word is said");
            }
        }
        // Only a client that asked for input may send or close it.
        socket::send(looks_on.as_fd(), &[b"Inot for it"]).unwrap();
        socket::send(looks_on.as_fd(), &[b"C"]).unwrap();
        socket::send(types.as_fd(), &[b"Itext"]).unwrap();
        turns(&mut session);
        socket::set_nonblocking(input.as_fd()).unwrap();
        let mut buffer = [0; 100];
        assert_eq!(rustix::io::read(&input, &mut buffer[..]).unwrap(), 4);
        assert_eq!(&buffer[..4], b"text");
        assert_eq!(session.clients.len(), 2);
        assert!(session.streams.stdin.is_some());
        let attached = || Some(r#"{"attached":{"tty":false}}"#.to_owned());
        assert_eq!((heard(&looks_on), heard(&types)), (vec![attached()], vec![attached()]));
    }

    #[test]
    fn an_empty_packet_ends_its_sender_and_nobody_else() {
        let mut session = session(None);
        let [one, other] = [(), ()].map(|()| connect(&mut session, Ask::Attach(Attach::default())));
        turns(&mut session);
        socket::send(one.as_fd(), &[b""]).unwrap();
        turns(&mut session);
        assert_eq!((session.clients.len(), heard(&one).len(), heard(&other).len()), (1, 2, 1));
    }

    #[test]
    fn standard_input_ends_with_whom_it_is_made_for() {
        // shape.stdin_once, the client's, what it does → whether the input has ended
        let carries = Attach { stdin: true, lossless: true, ..Attach::default() };
        let looks_on = Attach { stdin: true, ..Attach::default() };
        for (stdin_once, wants, leaves, ends) in [
            (true, carries, true, true),
            (true, carries, false, true),
            (true, looks_on, true, false),
            (true, looks_on, false, true),
            (true, Attach { stdin: false, ..carries }, true, false),
            (true, Attach { stdin: false, ..carries }, false, false),
            (false, carries, true, false),
            (false, carries, false, false),
        ] {
            let mut session = Session::new(None, None, Shape { tty: false, stdin_once });
            let (_input, to_input) = rustix::pipe::pipe().unwrap();
            session.begin(Streams { stdin: Some(to_input), ..Streams::default() });
            let client = connect(&mut session, Ask::Attach(wants));
            turns(&mut session);
            match leaves {
                true => drop(client),
                false => {
                    socket::send(client.as_fd(), &[&[tag::CLOSE]]).unwrap();
                    turns(&mut session);
                }
            }
            turns(&mut session);
            assert_eq!(session.streams.stdin.is_none(), ends, "{stdin_once} {wants:?} {leaves}");
        }
    }

    #[test]
    fn a_lossless_client_that_does_not_read_holds_the_payload_and_no_memory() {
        let mut session = session(None);
        let (output, write) = rustix::pipe::pipe().unwrap();
        session.begin(Streams { stdout: Some(output), ..Streams::default() });
        session.streams.set_nonblocking().unwrap();
        socket::set_nonblocking(write.as_fd()).unwrap();
        let wants = Attach { stdout: true, lossless: true, ..Attach::default() };
        let client = connect(&mut session, Ask::Attach(wants));
        session.accept_clients();
        let mut written = 0;
        // Write until neither the pipe nor the monitor accepts more.
        loop {
            match rustix::io::write(&write, &[b'x'; 4096]) {
                Ok(length) => written += length,
                Err(Errno::AGAIN) if turn_now(&mut session).0 == 0 => break,
                Err(Errno::AGAIN) => {}
                Err(errno) => panic!("{errno}"),
            }
        }
        assert!(session.clients[0].is_blocking());
        assert!(written < 4 << 20, "{written} bytes are on their way");
        let mut read = 0;
        while read < written {
            let packets = heard(&client).into_iter().flatten();
            read += packets
                .filter(|packet| packet.starts_with('O'))
                .map(|packet| packet.len() - 1)
                .sum::<usize>();
            turn_now(&mut session);
        }
        assert_eq!(read, written, "and nothing is lost");
    }

    #[test]
    fn what_is_left_in_the_pipes_is_delivered_with_the_end() {
        let mut session = session(None);
        let (out, to_out) = rustix::pipe::pipe().unwrap();
        let (err, to_err) = rustix::pipe::pipe().unwrap();
        let streams = Streams { stdout: Some(out), stderr: Some(err), ..Streams::default() };
        session.begin(streams);
        session.streams.set_nonblocking().unwrap();
        let wants = Attach { stdout: true, stderr: true, lossless: true, ..Attach::default() };
        let [both, one] =
            [wants, Attach { stderr: false, ..wants }].map(|wants| connect(&mut session, Ask::Attach(wants)));
        session.accept_clients();
        rustix::io::write(&to_out, b"out").unwrap();
        rustix::io::write(&to_err, b"err").unwrap();
        // A process left behind by the payload holds the pipe, which must not block.
        session.drain();
        session.finish_clients(7);
        assert!(!session.has_clients());
        let texts = |socket| heard(socket).into_iter().skip(1).collect::<Vec<_>>();
        let said = |words: &[&str]| {
            words.iter().map(|&word| Some(word.to_owned())).chain([None]).collect::<Vec<_>>()
        };
        assert_eq!(texts(&both), said(&["Oout", "Eerr", "X\u{7}"]));
        assert_eq!(texts(&one), said(&["Oout", "X\u{7}"]));
    }
}
