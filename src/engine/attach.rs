//! Sessions: bytes to and from a container's process.
//!
//! A session is a socket to the monitor and two tasks that carry packets between it and the
//! caller's channels. Each signal and each resize uses its own connection, to avoid waiting behind
//! input that nobody reads.

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

/// What a client sends to the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Bytes for the process's standard input.
    Bytes(Vec<u8>),
    /// End of standard input.
    Close,
    /// The size of the client's terminal, in rows and columns.
    Resize(u16, u16),
    /// A signal for the process, by number.
    Signal(i32),
}

/// A client of a container's streams. Dropping it detaches; the container continues to run.
#[derive(Debug)]
pub struct Attached {
    /// Input for the process.
    pub input: mpsc::Sender<Input>,
    /// Output of the process, in order.
    pub output: mpsc::Receiver<Output>,
    /// Whether the process has a terminal.
    pub tty: bool,
    /// Warnings, including those of the start if the container was started for this client.
    pub warnings: Warnings,
}

/// A command started in a running container.
#[derive(Debug)]
pub struct Session {
    /// The id of the command.
    pub id: ExecId,
    /// The command's streams. Dropping them leaves the command running.
    pub attached: Attached,
}

impl Attached {
    /// Waits until the command exits and returns its exit code. Discards output.
    ///
    /// # Errors
    ///
    /// If the monitor was killed before it could report the exit code.
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

/// Maximum number of packets queued for a slow receiver.
const QUEUE: usize = 16;
/// How long attaching retries while the container has no monitor that answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// Maximum number of bytes of input sent at once.
const INPUT_CHUNK: usize = 32 << 10;

/// The result of a start.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// The new monitor, which must be reaped; `None` if none was needed.
    pub(super) monitor: Option<OwnedFd>,
    pub(super) warnings: Warnings,
}

impl From<launch::Launched> for Begun {
    fn from(launched: launch::Launched) -> Self {
        Self { monitor: Some(launched.pidfd), warnings: Warnings(launched.warnings) }
    }
}

/// A start with a connection that was made before the payload ran.
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

    /// Connects to a container that is up; does not start anything.
    pub(super) fn attach_to(&self, target: &str, options: AttachOptions) -> Result<Started> {
        let doing = || format!("attach to `{}`", self.called(target));
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let patience = Instant::now() + PATIENCE;
        loop {
            let container = self.get(id.as_str())?;
            container.status.after(Verb::Attach).doing(doing)?;
            match connect(self.paths(), &id, None, options.into()) {
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
            // Dropping the receiver detaches.
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
        let _ = to.send(last).await; // nobody may be listening
    }
    // The other task may keep the socket open as long as the caller keeps its sender.
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
            // The terminal shows the program's output, so warnings about missing events are not
            // shown.
            let asked = launch::ask(engine.paths(), &container, exec.as_ref(), ask);
            asked.map(drop).doing(|| "contact the process")
        });
        if let Err(error) = asked.await {
            tracing::debug!(error = error.causes().join(": "), "cannot deliver a signal or a terminal size");
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
