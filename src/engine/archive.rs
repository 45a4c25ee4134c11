//! Archives that come in pieces, as the body of a request does.
//!
//! ```text
//! the sender ── send().await ──▶ a few pieces ──▶ Read, on a thread that may block
//!   waits while the work is behind                            waits while nothing has come
//! ```
//! Whichever side goes ends the other: an archive that breaks off is an error for the work, and a
//! piece that nobody takes tells the sender.

use std::io::{self, Read};

use tokio::sync::mpsc;

use super::image::Input;

/// How many pieces wait at most.
const PIECES: usize = 4;

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// Where the pieces of an archive go. Dropped without [`ArchiveFeed::finish`], it tells of an archive
/// that broke off.
#[derive(Debug)]
pub struct ArchiveFeed {
    to: mpsc::Sender<Piece>,
}

/// An archive for [`Images::load`](super::Images::load) or [`Images::import`](super::Images::import),
/// and where its pieces go.
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
    /// Hands over the next piece; waits while the work is behind. `false` when nobody reads any
    /// longer: the verb has ended, and says why.
    pub async fn send(&self, bytes: Vec<u8>) -> bool {
        self.to.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// That was all of it.
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
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive broke off")),
            }
        }
        let length = buffer.len().min(self.piece.len() - self.at);
        buffer[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
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
