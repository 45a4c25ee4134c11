//! A session at the caller's terminal: bytes both ways until the process ends, the detach
//! keys are typed, or the terminal goes away.
//!
//! ```text
//!  stdin ── thread ──▶ detach keys ──▶ input ──▶ process
//!  stdout, stderr ◀── thread, one chunk ahead ◀── output ◀── process
//!  signals: window size (terminal) · all but a few, passed on (no terminal)
//! ```
//! No direction waits for another: reading and writing block in threads of their own, what
//! is typed is carried by a task of its own, and signals take their own way to the monitor.
//! So a filter that fills both pipes goes on, and Ctrl-C gets through while nobody reads
//! what the process writes, or the process does not read what is typed.

use std::future::Future;
use std::io::{self, Write};
use std::thread;

use nix::sys::signal::SigSet;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::failure::{Failure, Result};
use super::output::{note, warn};
use super::terminal::{self, Raw};
use crate::command::Keys;
use crate::engine::{Attached, Engine, Input, Output, Stream};

/// What of the caller's terminal takes part.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// Standard input is carried.
    pub(super) stdin: bool,
    /// The container that signals go to, where it has no terminal.
    pub(super) sig_proxy: Option<(Engine, String)>,
    /// What leaves the process running.
    pub(super) detach_keys: Vec<u8>,
    /// The process was there before: make it draw itself again.
    pub(super) redraw: bool,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The process ended with this code.
    Exited(u8),
    /// The user left; the process goes on.
    Detached,
    /// Nobody knows: the connection ended.
    Lost,
    /// A signal ends this program; the process goes on.
    Signal(u8),
    /// Nobody reads our standard output.
    Unread,
}

/// Signals that are not passed on: Docker keeps the first three, two cannot be caught.
const KEPT: &[i32] = &[libc::SIGCHLD, libc::SIGPIPE, libc::SIGURG, libc::SIGKILL, libc::SIGSTOP];

/// Signals of a program's own faults. From a handler this program would return into its
/// fault for ever: those that others send are blocked, and waited for. A fault ends the
/// program all the same.
const OF_FAULTS: &[nix::sys::signal::Signal] = {
    use nix::sys::signal::Signal::{SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    &[SIGBUS, SIGFPE, SIGILL, SIGSEGV]
};

/// Blocks the signals of faults, in every thread that begins later.
///
/// # Errors
///
/// None in practice.
pub(super) fn block_faults() -> Result<()> {
    let set: SigSet = OF_FAULTS.iter().copied().collect();
    set.thread_block().map_err(io::Error::from).map_err(Failure::cannot("block signals"))
}

/// Signals by which a terminal stops what it has in the background. Caught, each read or
/// write is tried again, and signalled again, without end.
const FROM_TERMINAL: &[i32] = &[libc::SIGTTIN, libc::SIGTTOU];

/// Signals that are passed on and can have a handler, by number.
fn proxied() -> Vec<i32> {
    let mut kept = KEPT.to_vec();
    kept.extend(OF_FAULTS.iter().map(|&signal| signal as i32));
    if terminal::has_any() {
        kept.extend(FROM_TERMINAL);
    }
    (1..=libc::SIGSYS)
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
        .filter(|number| !kept.contains(number))
        .collect()
}

/// Signals that end this program where they are not passed on; its terminal is restored then.
const ENDING: &[i32] = &[libc::SIGHUP, libc::SIGTERM, libc::SIGQUIT, libc::SIGINT];

/// How many SIGINT or SIGTERM end this program, whatever the process does with them.
const PATIENCE: u32 = 3;

/// Carries bytes and signals until the session ends.
///
/// # Errors
///
/// When the terminal, a signal handler or a thread cannot be set up, or output cannot be written.
pub(super) async fn run(attached: Attached, manner: Manner) -> Result<End> {
    let Attached { input, mut output, tty, warnings } = attached;
    warn(&warnings);
    let has_terminal = tty && terminal::is_input_terminal();
    let _raw = if has_terminal && manner.stdin {
        Some(Raw::enter().map_err(Failure::cannot("set up the terminal"))?)
    } else {
        None
    };
    let mut signals = Signals::new(tty, has_terminal, manner.sig_proxy.is_some())?;
    if has_terminal {
        let size = terminal::size().filter(|_| manner.redraw);
        if let Some((rows, columns)) = size {
            // A program draws itself again when the size changes, not when it is told again.
            let _ = input.send(Input::Resize(rows + 1, columns)).await;
            let _ = input.send(Input::Resize(rows, columns)).await;
        }
    }
    let keys = Keys::new(if tty { manner.detach_keys } else { Vec::new() });
    let typing = if manner.stdin { Some(carry_typed(reader()?, keys, input.clone())) } else { None };
    let mut typing = std::pin::pin!(typed(typing));
    let writer = Writer::new()?;
    let mut chunk = None;
    let end = loop {
        tokio::select! {
            biased;
            // A signal must get through also when bytes flow all the time.
            news = signals.next() => match news {
                Caught::Resized => {
                    if let Some((rows, columns)) = terminal::size() {
                        // When so much is typed that this does not fit, the next size will do.
                        let _ = input.try_send(Input::Resize(rows, columns));
                    }
                }
                Caught::Proxied(number) => {
                    if let Some((engine, target)) = manner.sig_proxy.clone() {
                        // A process that has just ended needs no signal.
                        tokio::spawn(async move { engine.containers().kill(&target, &number.to_string()).await });
                    }
                }
                Caught::Ending(number) => break End::Signal(128 + u8::try_from(number).unwrap_or(0)),
            },
            permit = writer.ready(), if chunk.is_some() => match (permit, chunk.take()) {
                (Some(permit), Some(chunk)) => permit.send(chunk),
                _ => break End::Unread,
            },
            news = output.recv(), if chunk.is_none() => match news {
                Some(Output::Bytes(stream, bytes)) => chunk = Some((stream, bytes)),
                Some(Output::Skipped(_)) => {}
                Some(Output::Exited(code)) => break End::Exited(code),
                Some(Output::Closed) | None => break End::Lost,
            },
            () = &mut typing => break End::Detached,
        }
    };
    match (writer.finish().await, end) {
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::Unread),
        (Err(error), _) => Err(Failure::Output(error)),
        (Ok(()), end) => Ok(end),
    }
}

/// Ends when the detach keys were typed.
async fn typed(typing: Option<impl Future<Output = bool>>) {
    if let Some(typing) = typing
        && typing.await
    {
        return;
    }
    std::future::pending().await
}

/// Carries what is typed to the process; tells at the end whether the detach keys were it.
async fn carry_typed(mut typed: mpsc::Receiver<Vec<u8>>, mut keys: Keys, input: mpsc::Sender<Input>) -> bool {
    while let Some(bytes) = typed.recv().await {
        let (bytes, is_over) = keys.take(&bytes);
        if !bytes.is_empty() && input.send(Input::Bytes(bytes)).await.is_err() {
            return false;
        }
        if is_over {
            return true;
        }
    }
    // When nobody is there to be told, the session ends anyway.
    let _ = input.send(Input::Close).await;
    false
}

/// Reads standard input in a thread; the channel closes at its end. The thread may outlive
/// the session: it waits for a key, and the program's end is its own.
fn reader() -> Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(4);
    let reader = thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let stdin = rustix::stdio::stdin();
        loop {
            match rustix::io::read(stdin, &mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                        return;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                // A terminal that hung up, or no standard input at all.
                Err(_) => return,
            }
        }
    });
    reader.map_err(Failure::no_threads)?;
    Ok(receiver)
}

type Chunk = (Stream, Vec<u8>);

/// Writes to standard output and standard error in a thread, in order.
struct Writer {
    chunks: Option<mpsc::Sender<Chunk>>,
    done: tokio::sync::oneshot::Receiver<io::Result<()>>,
}

impl Writer {
    fn new() -> Result<Self> {
        let (chunks, mut receiver) = mpsc::channel::<Chunk>(1);
        let (report, done) = tokio::sync::oneshot::channel();
        let writer = thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            let mut result = Ok(());
            while let (Ok(()), Some((stream, bytes))) = (&result, receiver.blocking_recv()) {
                result = write(stream, &bytes);
            }
            // The receiver is closed before, so that a sender that waits is woken.
            drop(receiver);
            let _ = report.send(result);
        });
        writer.map_err(Failure::no_threads)?;
        Ok(Self { chunks: Some(chunks), done })
    }

    /// Room for one more chunk; `None` when writing failed.
    async fn ready(&self) -> Option<mpsc::Permit<'_, Chunk>> {
        match &self.chunks {
            Some(chunks) => chunks.reserve().await.ok(),
            None => None,
        }
    }

    /// Waits until everything is written.
    async fn finish(mut self) -> io::Result<()> {
        drop(self.chunks.take());
        self.done.await.unwrap_or(Ok(()))
    }
}

fn write(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    match stream {
        Stream::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
        Stream::Stderr => io::stderr().lock().write_all(bytes),
    }
}

/// What a signal means for a session.
enum Caught {
    Resized,
    Proxied(i32),
    Ending(i32),
}

/// The signals of a session.
struct Signals {
    /// By number; a task waits for all of them, so that bytes do not wait for each.
    caught: mpsc::Receiver<i32>,
    resizes: bool,
    proxies: bool,
    interrupts: u32,
}

impl Signals {
    fn new(tty: bool, has_terminal: bool, proxy: bool) -> Result<Self> {
        let proxies = proxy && !tty;
        let mut numbers = if proxies { proxied() } else { ENDING.to_vec() };
        if has_terminal {
            numbers.push(libc::SIGWINCH);
        }
        let kinds = numbers.into_iter().map(|number| Ok((number, signal(SignalKind::from_raw(number))?)));
        let (sender, caught) = mpsc::channel(1);
        if proxies {
            wait_for_faults(sender.clone())?;
        }
        let signals = kinds.collect::<io::Result<_>>().map_err(Failure::cannot("catch a signal"))?;
        tokio::spawn(pass_on(signals, sender));
        Ok(Self { caught, resizes: has_terminal, proxies, interrupts: 0 })
    }

    async fn next(&mut self) -> Caught {
        let Some(number) = self.caught.recv().await else { return std::future::pending().await };
        match number {
            libc::SIGWINCH if self.resizes => return Caught::Resized,
            _ if !self.proxies => return Caught::Ending(number),
            libc::SIGINT | libc::SIGTERM => self.interrupts += 1,
            _ => {}
        }
        if self.interrupts >= PATIENCE {
            note(format!("got {PATIENCE} SIGTERM/SIGINTs, forcefully exiting; the container keeps running"));
            return Caught::Ending(number);
        }
        Caught::Proxied(number)
    }
}

/// Waits in a thread for the signals that are blocked; it may outlive the session.
fn wait_for_faults(caught: mpsc::Sender<i32>) -> Result<()> {
    let set: SigSet = OF_FAULTS.iter().copied().collect();
    let wait = move || {
        while let Ok(signal) = set.wait()
            && caught.blocking_send(signal as i32).is_ok()
        {}
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop).map_err(Failure::no_threads)
}

/// Waits for signals, and tells of each, until nobody listens.
async fn pass_on(mut signals: Vec<(i32, Signal)>, caught: mpsc::Sender<i32>) {
    loop {
        let next = std::future::poll_fn(|context| {
            let mut ready = signals
                .iter_mut()
                .filter_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            ready.next().map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        });
        let number = next.await;
        if caught.send(number).await.is_err() {
            return;
        }
    }
}
