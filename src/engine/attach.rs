//! Sessions: bytes to and from a container's process.
//!
//! A session is a socket to the monitor and two tasks that carry packets between it and
//! the caller's channels. Signals and sizes take a connection of their own each: input
//! that nobody reads must not hold them up.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::container::{ASK_AGAIN, AttachOptions, Warnings};
use super::error::{Doing, Result};
use super::{Engine, ExecId, Verb, blocking};
use crate::base::{ContainerId, disk};
use crate::container::store;
pub use crate::monitor::attach::Output;
use crate::monitor::attach::{Connection, accepted, connect, early};
use crate::monitor::journal::tell_or_warn;
use crate::monitor::launch;
use crate::monitor::wire::{Ask, Attach, MAX_PACKET, tag};
use crate::sys::socket::{self, Received, Sent};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// For the process to read.
    Bytes(Vec<u8>),
    /// End of standard input.
    Close,
    /// The client's terminal has this many rows and columns.
    Resize(u16, u16),
    /// A signal for the process, by number.
    Signal(i32),
}

/// A client of a container's streams. Dropping it detaches; the container goes on.
#[derive(Debug)]
pub struct Attached {
    /// To the process.
    pub input: mpsc::Sender<Input>,
    /// From the process, in order.
    pub output: mpsc::Receiver<Output>,
    /// Whether the process has a terminal.
    pub tty: bool,
    /// What one would not expect, also of the start, where it was started for this client.
    pub warnings: Warnings,
}

/// A command started in a running container.
#[derive(Debug)]
pub struct Session {
    /// Its id.
    pub id: ExecId,
    /// Its streams; dropping them leaves the command running.
    pub attached: Attached,
}

impl Attached {
    /// Waits for the end and gives the exit code, throwing output away.
    ///
    /// # Errors
    ///
    /// When the monitor was killed before it could tell.
    pub async fn wait(mut self) -> Result<Option<u8>> {
        while let Some(output) = self.output.recv().await {
            match output {
                Output::Exited(code) => return Ok(Some(code)),
                Output::Closed => return Ok(None),
                Output::Bytes(..) | Output::Skipped(_) => {}
            }
        }
        Ok(None)
    }
}

/// Packets on their way to a slow receiver.
const QUEUE: usize = 16;
/// How long a container that is attached to may go without a monitor that answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of input are sent at once.
const INPUT_CHUNK: usize = 32 << 10;

/// What a start brought.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// The new monitor, to be reaped, where one was needed.
    pub(super) monitor: Option<OwnedFd>,
    pub(super) warnings: Warnings,
}

impl From<launch::Launched> for Begun {
    fn from(launched: launch::Launched) -> Self {
        Self { monitor: Some(launched.pidfd), warnings: Warnings(launched.warnings) }
    }
}

/// A start with a connection that was there before the payload.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) connection: Connection,
    pub(super) begun: Begun,
}

impl From<AttachOptions> for Attach {
    fn from(options: AttachOptions) -> Self {
        Self {
            stdin: options.stdin,
            stdout: options.stdout,
            stderr: options.stderr,
            lossless: options.lossless,
            size: None,
        }
    }
}

impl Engine {
    pub(super) fn start_attached(
        &self,
        target: &str,
        options: AttachOptions,
        size: Option<(u16, u16)>,
    ) -> Result<Started> {
        let doing = || format!("start `{}`", self.called(target));
        let found = self.get(target)?;
        if found.status.is_up() {
            return self.attach_to(found.record.id.as_str(), options);
        }
        let record = found.record;
        let (ours, theirs) = early(Attach { size, ..options.into() }).doing(doing)?;
        let untold = tell_or_warn(self.paths(), &record, "attach", &[]);
        let mut begun = self.start_now(record.id.as_str(), &[theirs])?;
        begun.warnings.0.extend(untold);
        let container = record.id;
        let tty = accepted(&ours).doing(doing)?;
        Ok(Started { connection: Connection { socket: ours, tty, container, exec: None }, begun })
    }

    /// Connects to one that is up; nothing is started for that.
    pub(super) fn attach_to(&self, target: &str, options: AttachOptions) -> Result<Started> {
        let doing = || format!("attach to `{}`", self.called(target));
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let patience = Instant::now() + PATIENCE;
        loop {
            let container = self.get(id.as_str())?;
            container.status.after(Verb::Attach).doing(doing)?;
            match connect(self.paths(), &id, options.into()) {
                Err(launch::Error::Gone) if Instant::now() < patience => std::thread::sleep(ASK_AGAIN),
                result => {
                    let connection = result.doing(doing)?;
                    let untold = tell_or_warn(self.paths(), &container.record, "attach", &[]);
                    let warnings = Warnings(untold.into_iter().collect());
                    return Ok(Started { connection, begun: Begun { monitor: None, warnings } });
                }
            }
        }
    }

    /// Carries packets between a connection and the caller's channels.
    pub(super) fn attached(
        &self,
        connection: Connection,
        warnings: Warnings,
        target: &str,
    ) -> Result<Attached> {
        let doing = || format!("attach to `{}`", self.called(target));
        let Connection { socket, tty, container, exec } = connection;
        socket::set_nonblocking(socket.as_fd()).doing(doing)?;
        let socket = watched(socket, Interest::READABLE | Interest::WRITABLE)
            .map_err(disk::Error::io("watch", "a session"))
            .doing(doing)?;
        let socket = Arc::new(socket);
        let (input, inputs) = mpsc::channel(QUEUE);
        let (outputs, output) = mpsc::channel(QUEUE);
        tokio::spawn(carry_output(Arc::clone(&socket), outputs));
        tokio::spawn(carry_input(self.clone(), socket, inputs, container, exec));
        Ok(Attached { input, output, tty, warnings })
    }
}

/// A descriptor that the async runtime polls.
#[expect(deprecated, reason = "unsound only for types that change their descriptor: ours own one for life")]
pub(super) fn watched<T: AsRawFd>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(fd, interest)
}

async fn carry_output(socket: Arc<AsyncFd<OwnedFd>>, to: mpsc::Sender<Output>) {
    let mut buffer = vec![0; MAX_PACKET];
    let last = loop {
        let received = tokio::select! {
            received = receive(&socket, &mut buffer) => received,
            // Who drops the receiver detaches.
            () = to.closed() => break None,
        };
        let Some(length) = received else { break Some(Output::Closed) };
        let output = match Output::parse(&buffer[..length]) {
            Some(Output::Exited(code)) => break Some(Output::Exited(code)),
            Some(output) => output,
            None => continue,
        };
        if to.send(output).await.is_err() {
            break None;
        }
    };
    if let Some(last) = last {
        let _ = to.send(last).await; // nobody listens: fine
    }
    // The other task may hold the socket for as long as the caller holds its sender.
    let _ = rustix::net::shutdown(socket.get_ref(), rustix::net::Shutdown::Both);
}

async fn receive(socket: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> Option<usize> {
    let received = socket
        .async_io(Interest::READABLE, |fd| match socket::receive(fd.as_fd(), buffer) {
            Ok(Received::Nothing) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(received) => Ok(received),
            Err(error) => Err(io::Error::other(error)),
        })
        .await;
    match received {
        Ok(Received::Message(length)) => Some(length),
        _ => None,
    }
}

async fn carry_input(
    engine: Engine,
    socket: Arc<AsyncFd<OwnedFd>>,
    mut inputs: mpsc::Receiver<Input>,
    container: ContainerId,
    exec: Option<ExecId>,
) {
    while let Some(input) = inputs.recv().await {
        let ask = match input {
            Input::Bytes(bytes) => {
                for chunk in bytes.chunks(INPUT_CHUNK) {
                    if !send(&socket, &[&[tag::INPUT], chunk]).await {
                        return;
                    }
                }
                continue;
            }
            Input::Close => {
                if !send(&socket, &[&[tag::CLOSE]]).await {
                    return;
                }
                continue;
            }
            Input::Resize(rows, columns) => Ask::Resize { rows, columns },
            Input::Signal(signal) => Ask::kill(signal),
        };
        let (engine, container, exec) = (engine.clone(), container.clone(), exec.clone());
        let asked = blocking(move || {
            // The screen is the program's: nobody is told that a signal or a size has no event.
            let asked = launch::ask(engine.paths(), &container, exec.as_ref(), ask);
            asked.map(drop).doing(|| "reach the process")
        });
        if let Err(error) = asked.await {
            tracing::debug!(error = error.causes().join(": "), "a signal or size was not delivered");
        }
    }
}

async fn send(socket: &AsyncFd<OwnedFd>, parts: &[&[u8]]) -> bool {
    let sent = socket
        .async_io(Interest::WRITABLE, |fd| match socket::send(fd.as_fd(), parts) {
            Ok(Sent::Full) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(sent) => Ok(sent),
            Err(error) => Err(io::Error::other(error)),
        })
        .await;
    matches!(sent, Ok(Sent::Whole))
}
