//! A session at the caller's terminal: bytes in both directions until the process exits, the detach
//! keys are typed, or the terminal is closed.
//!
//! ```text
//!  stdin ── thread ──▶ detach keys ──▶ input ──▶ process
//!  stdout, stderr ◀── thread, one chunk ahead ◀── output ◀── process
//!  signals: window size (terminal) · all but a few, forwarded (no terminal)
//! ```
//! The directions do not wait for each other: reading and writing block in their own threads, a
//! separate task transfers input, and signals take another path to the monitor. A filter that fills
//! both pipes therefore keeps working, and Ctrl-C gets through even if nobody reads the output or
//! the process does not read its input.

use std::future::Future;
use std::io::{self, Write};
use std::thread;

use nix::sys::signal::SigSet;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::failure::{Failure, Result};
use super::output::{note, stdout, warn};
use super::terminal::{self, Raw};
use crate::command::Keys;
use crate::engine::{Attached, Engine, Input, Output, Stream};

/// How the caller's terminal is attached.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// Attaches standard input.
    pub(super) stdin: bool,
    /// The container to forward signals to, unless it has a terminal.
    pub(super) sig_proxy: Option<(Engine, String)>,
    /// The key sequence for detaching.
    pub(super) detach_keys: Vec<u8>,
    /// Makes a process that was already running redraw itself.
    pub(super) redraw: bool,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The process exited with this code.
    Exited(u8),
    /// The user detached; the process keeps running.
    Detached,
    /// Unknown, because the connection was lost.
    Lost,
    /// A signal ends this program; the process keeps running.
    Signal(u8),
    /// Standard output is closed.
    Unread,
}

/// Signals that are not forwarded: as in Docker, the first three; the other two cannot be caught.
const KEPT: &[i32] = &[libc::SIGCHLD, libc::SIGPIPE, libc::SIGURG, libc::SIGKILL, libc::SIGSTOP];

/// Signals for faults of a program. A handler would return to the faulting instruction forever, so
/// if other processes send them, they are blocked and waited for. An actual fault still ends the
/// program.
const OF_FAULTS: &[nix::sys::signal::Signal] = {
    use nix::sys::signal::Signal::{SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    &[SIGBUS, SIGFPE, SIGILL, SIGSEGV]
};

/// Blocks the signals for faults in every thread that is started later.
///
/// # Errors
///
/// None in practice.
pub(super) fn block_faults() -> Result<()> {
    let set: SigSet = OF_FAULTS.iter().copied().collect();
    set.thread_block().map_err(io::Error::from).map_err(Failure::cannot("block signals"))
}

/// Signals that stop background processes of a terminal. If they were caught, each read or write
/// would be repeated, and signalled again, endlessly.
const FROM_TERMINAL: &[i32] = &[libc::SIGTTIN, libc::SIGTTOU];

/// Returns the numbers of the signals that are forwarded and can have a handler.
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

/// Signals that end this program if they are not forwarded. The terminal is restored first.
const ENDING: &[i32] = &[libc::SIGHUP, libc::SIGTERM, libc::SIGQUIT, libc::SIGINT];

/// How many SIGINT or SIGTERM end this program, whatever the process does.
const PATIENCE: u32 = 3;

/// Transfers bytes and signals until the session ends.
///
/// # Errors
///
/// The terminal, a signal handler or a thread cannot be set up, or output cannot be written.
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
            // A program redraws itself only if the size changes.
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
            // A signal must get through even if there is always output.
            news = signals.next() => match news {
                Caught::Resized => {
                    if let Some((rows, columns)) = terminal::size() {
                        // If the queue is full of input, the next resize will do.
                        let _ = input.try_send(Input::Resize(rows, columns));
                    }
                }
                Caught::Proxied(number) => {
                    if let Some((engine, target)) = manner.sig_proxy.clone() {
                        // A process that has just exited needs no signal.
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

/// Completes when the detach keys have been typed.
async fn typed(typing: Option<impl Future<Output = bool>>) {
    if let Some(typing) = typing
        && typing.await
    {
        return;
    }
    std::future::pending().await
}

/// Transfers typed bytes to the process. Returns whether the detach keys ended this.
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
    // The session ends even if nobody receives this.
    let _ = input.send(Input::Close).await;
    false
}

/// Reads standard input in a thread; the channel closes at its end. The thread may outlive the
/// session while it waits for a key, and ends with the program.
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
                // The terminal was closed, or there is no standard input.
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
            // Close the receiver first, to wake a waiting sender.
            drop(receiver);
            let _ = report.send(result);
        });
        writer.map_err(Failure::no_threads)?;
        Ok(Self { chunks: Some(chunks), done })
    }

    /// Waits for room for another chunk; `None` if writing has failed.
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
            let mut out = stdout()?;
            out.write_all(bytes)?;
            out.flush()
        }
        Stream::Stderr => io::stderr().lock().write_all(bytes),
    }
}

/// The effect of a signal on a session.
#[derive(Debug, PartialEq, Eq)]
enum Caught {
    Resized,
    Proxied(i32),
    Ending(i32),
}

/// The signals of a session.
struct Signals {
    /// The numbers of received signals. A task waits for all signals, so that bytes need not wait
    /// for each of them.
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
        let caught = self.meaning(number);
        if self.proxies && matches!(caught, Caught::Ending(_)) {
            note(format!("got {PATIENCE} SIGTERM/SIGINTs, forcefully exiting; the container keeps running"));
        }
        caught
    }

    /// Returns the effect of a signal, depending on those before it.
    fn meaning(&mut self, number: i32) -> Caught {
        match number {
            libc::SIGWINCH if self.resizes => return Caught::Resized,
            _ if !self.proxies => return Caught::Ending(number),
            libc::SIGINT | libc::SIGTERM => self.interrupts += 1,
            _ => {}
        }
        match self.interrupts >= PATIENCE {
            true => Caught::Ending(number),
            false => Caught::Proxied(number),
        }
    }
}

/// Waits for blocked signals in a thread, which may outlive the session.
fn wait_for_faults(caught: mpsc::Sender<i32>) -> Result<()> {
    let set: SigSet = OF_FAULTS.iter().copied().collect();
    let wait = move || {
        while let Ok(signal) = set.wait()
            && caught.blocking_send(signal as i32).is_ok()
        {}
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop).map_err(Failure::no_threads)
}

/// Receives signals and reports each, until nobody listens.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(resizes: bool, proxies: bool, numbers: &[i32]) -> Vec<Caught> {
        let (_, caught) = mpsc::channel(1);
        let mut signals = Signals { caught, resizes, proxies, interrupts: 0 };
        numbers.iter().map(|number| signals.meaning(*number)).collect()
    }

    #[test]
    fn signals_are_the_containers_until_somebody_insists() {
        use Caught::{Ending, Proxied, Resized};
        use libc::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGWINCH};
        assert_eq!(
            meanings(true, false, &[SIGWINCH, SIGTERM, SIGINT]),
            [Resized, Ending(SIGTERM), Ending(SIGINT)]
        );
        assert_eq!(meanings(false, true, &[SIGWINCH, SIGHUP]), [Proxied(SIGWINCH), Proxied(SIGHUP)]);
        let insisting = [SIGINT, SIGUSR1, SIGTERM, SIGUSR1, SIGINT];
        assert_eq!(
            meanings(false, true, &insisting),
            [Proxied(SIGINT), Proxied(SIGUSR1), Proxied(SIGTERM), Proxied(SIGUSR1), Ending(SIGINT)]
        );
    }

    #[test]
    fn what_can_be_caught_is_passed_on_but_for_what_is_this_programs_own() {
        let proxied = proxied();
        for number in
            [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGUSR1, libc::SIGWINCH, libc::SIGRTMAX()]
        {
            assert!(proxied.contains(&number), "{number}");
        }
        for number in
            [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD, libc::SIGPIPE, libc::SIGURG, libc::SIGSEGV]
        {
            assert!(!proxied.contains(&number), "{number}");
        }
    }

    /// What of this is typed into the process, and whether its end is told; and whether the user left.
    fn carried(typed: &[&[u8]], keys: &[u8]) -> (Vec<u8>, bool, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (sender, receiver) = mpsc::channel(typed.len());
            typed.iter().for_each(|bytes| sender.try_send(bytes.to_vec()).unwrap());
            drop(sender);
            let (input, mut process) = mpsc::channel(typed.len() + 1);
            let left = carry_typed(receiver, Keys::new(keys.to_vec()), input).await;
            let (mut bytes, mut is_closed) = (Vec::new(), false);
            while let Some(news) = process.recv().await {
                match news {
                    Input::Bytes(more) => bytes.extend(more),
                    Input::Close => is_closed = true,
                    other => panic!("{other:?}"),
                }
            }
            (bytes, is_closed, left)
        })
    }

    #[test]
    fn what_is_typed_goes_to_the_process_until_the_detach_keys() {
        let keys = [16, 17]; // ^P ^Q
        assert_eq!(carried(&[b"ab", b"c"], &keys), (b"abc".to_vec(), true, false));
        assert_eq!(carried(&[b"ab\x10", b"\x11lost"], &keys), (b"ab".to_vec(), false, true));
        assert_eq!(carried(&[b"a\x10b\x11"], &keys), (b"a\x10b\x11".to_vec(), true, false));
        assert_eq!(carried(&[b"\x10\x11"], &[]), (b"\x10\x11".to_vec(), true, false));
    }

    #[test]
    fn nothing_is_typed_where_the_process_has_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(b"x".to_vec()).unwrap();
        let (input, process) = mpsc::channel(1);
        drop(process);
        assert!(!runtime.block_on(carry_typed(receiver, Keys::new(Vec::new()), input)));
    }
}
