//! Archives as streams of chunks, such as the bodies of HTTP requests and responses.
//!
//! ```text
//! sender ── send().await ──▶ a few chunks ──▶ Read, on a thread that may block
//!   waits while the queue is full               waits while the queue is empty
//!
//! Write, on a thread that may block ──▶ a few chunks ──▶ next().await ── receiver
//!   waits while the queue is full                          waits while the queue is empty
//! ```
//! If one side is dropped, the other side ends: the work gets an error for an incomplete archive,
//! and the sender learns that its chunks are no longer read. An outgoing stream ends with the end
//! of the work or with its error, so a truncated archive is never taken for a complete one.

use std::io::{self, Read, Write};

use tokio::sync::mpsc;

use super::Stopped;
use super::container::Warnings;
use super::error::{Error, Result};
use super::image::Input;

/// The maximum number of queued chunks.
const PIECES: usize = 4;

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// The sending side of an incoming archive. If it is dropped without [`ArchiveFeed::finish`], the
/// reader gets an error for an incomplete archive.
#[derive(Debug)]
pub struct ArchiveFeed {
    to: mpsc::Sender<Piece>,
}

/// An archive for [`Images::load`](super::Images::load) or
/// [`Images::import`](super::Images::import), and the feed for its chunks.
#[must_use]
pub fn fed_archive() -> (ArchiveFeed, Input) {
    let (feed, reader) = pipe();
    (feed, Input::Stream(Box::new(reader)))
}

fn pipe() -> (ArchiveFeed, Fed) {
    let (to, from) = mpsc::channel(PIECES);
    (ArchiveFeed { to }, Fed { from, piece: Vec::new(), at: 0, is_over: false })
}

impl ArchiveFeed {
    /// Sends the next chunk, and waits while the work is behind. Returns `false` if nobody reads
    /// it: the verb has ended, and its result says why.
    pub async fn send(&self, bytes: Vec<u8>) -> bool {
        self.to.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// Marks the archive as complete.
    pub async fn finish(self) -> bool {
        self.to.send(Piece::End).await.is_ok()
    }
}

/// The reading side.
#[derive(Debug)]
struct Fed {
    from: mpsc::Receiver<Piece>,
    piece: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.is_over {
            match self.from.blocking_recv() {
                Some(Piece::Bytes(piece)) => (self.piece, self.at) = (piece, 0),
                Some(Piece::End) => self.is_over = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the archive ended prematurely",
                    ));
                }
            }
        }
        let length = buffer.len().min(self.piece.len() - self.at);
        buffer[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// An archive that is sent in chunks. Dropping it before its end stops the work that creates it.
#[derive(Debug)]
pub struct ArchiveStream {
    from: mpsc::Receiver<Outgoing>,
    warnings: Warnings,
    is_over: bool,
}

#[derive(Debug)]
enum Outgoing {
    Bytes(Vec<u8>),
    End(Result<Warnings>),
}

impl ArchiveStream {
    /// Returns the next chunk; `None` after the last chunk of a complete archive. An error means
    /// that the archive is incomplete, and nothing follows it.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        if self.is_over {
            return None;
        }
        let end = match self.from.recv().await {
            Some(Outgoing::Bytes(bytes)) => return Some(Ok(bytes)),
            Some(Outgoing::End(end)) => end,
            None => Err(Error::new("finish the archive", Stopped)),
        };
        self.is_over = true;
        match end {
            Ok(warnings) => {
                self.warnings = warnings;
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Returns the warnings, which are known at the end.
    pub fn warnings(self) -> Warnings {
        self.warnings
    }
}

/// Runs `work` on a thread that may block, and returns what it writes as a stream.
pub(super) fn outgoing(work: impl FnOnce(&mut Pieces) -> Result<Warnings> + Send + 'static) -> ArchiveStream {
    let (to, from) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces { to };
        let end = work(&mut pieces);
        let _ = pieces.to.blocking_send(Outgoing::End(end)); // the receiver may be waiting
    });
    ArchiveStream { from, warnings: Warnings::default(), is_over: false }
}

/// The writing side: each write is a chunk.
#[derive(Debug)]
pub(super) struct Pieces {
    to: mpsc::Sender<Outgoing>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let sent = self.to.blocking_send(Outgoing::Bytes(bytes.to_owned()));
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as events;

    use futures_util::FutureExt;

    use super::*;

    fn read(mut fed: Fed) -> std::thread::JoinHandle<io::Result<String>> {
        std::thread::spawn(move || {
            let mut text = String::new();
            fed.read_to_string(&mut text).map(|_| text)
        })
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_no_more_than_a_few_are_kept() {
        let (feed, fed) = pipe();
        for number in 0..PIECES {
            assert_eq!(feed.send(vec![b'0' + u8::try_from(number).unwrap()]).now_or_never(), Some(true));
        }
        assert_eq!(feed.send(vec![b'x']).now_or_never(), None, "it waits");
        let reader = read(fed);
        assert!(feed.send(Vec::new()).await);
        assert!(feed.send(b" and the rest".to_vec()).await);
        assert!(feed.finish().await);
        assert_eq!(reader.join().unwrap().unwrap(), "0123 and the rest");
    }

    /// Writes numbers one by one; reports each number written, and the end.
    fn counting(told: events::Sender<u8>) -> ArchiveStream {
        outgoing(move |out| {
            for number in 0..u8::MAX {
                if out.write_all(&[number]).is_err() {
                    break;
                }
                told.send(number).unwrap();
            }
            Err(Error::new("count", Stopped))
        })
    }

    #[tokio::test]
    async fn what_goes_out_waits_for_who_takes_it() {
        let (told, seen) = events::channel();
        let mut stream = counting(told);
        for taken in 0..20 {
            assert_eq!(stream.next().await.unwrap().unwrap(), [taken]);
        }
        // Numbers are reported one by one: those written are those received plus those in the
        // channel.
        while stream.from.len() < PIECES {
            tokio::task::yield_now().await;
        }
        let written = (0..20 + PIECES).map(|_| seen.recv().unwrap()).max().unwrap();
        assert_eq!(usize::from(written) + 1, 20 + PIECES);
        assert!(seen.try_recv().is_err(), "the next one waits");
        drop(stream);
        assert_eq!(seen.recv(), Err(events::RecvError), "the work has ended");
    }

    #[tokio::test]
    async fn an_archive_that_goes_out_ends_with_the_outcome_of_its_work() {
        let mut stream = outgoing(|out| {
            out.write_all(b"all of it").unwrap();
            Ok(Warnings(vec!["but".to_owned()]))
        });
        assert_eq!(stream.next().await.unwrap().unwrap(), b"all of it");
        assert!(stream.next().await.is_none() && stream.next().await.is_none());
        assert_eq!(stream.warnings().0, ["but"]);

        let mut stream = outgoing(|out| {
            out.write_all(b"half").unwrap();
            Err(Error::new("read the other half", Stopped))
        });
        assert_eq!(stream.next().await.unwrap().unwrap(), b"half");
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "cannot read the other half");
        assert!(stream.next().await.is_none());

        let (to, from) = mpsc::channel(PIECES);
        let mut stream = ArchiveStream { from, warnings: Warnings::default(), is_over: false };
        drop(to); // as after a panic
        assert!(stream.next().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn whichever_side_goes_ends_the_other() {
        let (feed, fed) = pipe();
        assert!(feed.send(b"half".to_vec()).await);
        drop(feed);
        assert_eq!(read(fed).join().unwrap().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (feed, fed) = pipe();
        drop(fed);
        assert!(!feed.send(b"half".to_vec()).await);
    }
}
