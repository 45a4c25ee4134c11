//! Sessions: bytes to and from a container's process.

use tokio::sync::mpsc;

use super::ExecId;
use super::container::Stream;
use super::error::Result;

/// What comes from a container's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes of a stream.
    Bytes(Stream, Vec<u8>),
    /// A best-effort client was too slow: so many bytes are missing here.
    Skipped(u64),
    /// The process ended; nothing follows.
    Exited(u8),
    /// The connection ended without that: the monitor was killed, or the client detached.
    Closed,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// For the process to read.
    Bytes(Vec<u8>),
    /// End of standard input.
    Close,
    /// The client's terminal has so many rows and columns.
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
