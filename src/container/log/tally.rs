//! Counts per [`BLOCK`] of a log: line numbers, the number of matches before a place, and which
//! blocks hold no match and need not be read. A log of any size thus takes little memory.

use std::ops::AddAssign;

use super::book::Book;
use crate::base::disk::Result;

/// Size of a block in bytes: it holds the records that begin in this range of a file.
pub const BLOCK: u64 = 256 << 10;

/// The counts of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Lines.
    pub lines: u32,
    /// Lines that match the search.
    pub hits: u32,
    /// Errors.
    pub errors: u32,
    /// Warnings.
    pub warnings: u32,
}

/// The same counts over several blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Count`")]
pub struct Sum {
    pub lines: u64,
    pub hits: u64,
    pub errors: u64,
    pub warnings: u64,
}

impl AddAssign<Count> for Sum {
    fn add_assign(&mut self, count: Count) {
        self.lines += u64::from(count.lines);
        self.hits += u64::from(count.hits);
        self.errors += u64::from(count.errors);
        self.warnings += u64::from(count.warnings);
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.hits += other.hits;
        self.errors += other.errors;
        self.warnings += other.warnings;
    }
}

/// Counts of a log from its beginning to `done`.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The blocks of each file, keyed by the place of its first byte.
    files: Vec<(u64, Vec<Count>)>,
    total: Sum,
    /// The place up to which everything is counted.
    pub done: u64,
}

impl Tally {
    /// Creates a tally that counts from `place` on and ignores what is before it.
    #[must_use]
    pub fn from(place: u64) -> Self {
        Self { done: place, ..Self::default() }
    }

    /// Adds to a block of the file that begins at `base`.
    pub fn add(&mut self, base: u64, block: usize, count: Count) {
        if self.files.last().is_none_or(|(last, _)| *last < base) {
            self.files.push((base, Vec::new()));
        }
        if let Some((_, blocks)) = self.files.iter_mut().rev().find(|(there, _)| *there == base) {
            if blocks.len() <= block {
                blocks.resize(block + 1, Count::default());
            }
            blocks[block] += count;
            self.total += count;
        }
    }

    /// Returns the sum of all blocks.
    #[must_use]
    pub fn total(&self) -> Sum {
        self.total
    }

    /// Returns the counts of a block, if it is completely counted.
    #[must_use]
    pub fn block(&self, block: &Block) -> Option<Count> {
        if self.done < block.end {
            return None;
        }
        let counted = self.files.iter().find(|(base, _)| *base == block.base);
        Some(counted.and_then(|(_, blocks)| blocks.get(block.number)).copied().unwrap_or_default())
    }

    /// Returns the sum of all blocks before this one, if they are completely counted.
    #[must_use]
    pub fn before(&self, block: &Block) -> Option<Sum> {
        if self.done < block.start {
            return None;
        }
        let mut sum = Sum::default();
        for (base, blocks) in self.files.iter().take_while(|(base, _)| *base <= block.base) {
            let most = if *base == block.base { block.number.min(blocks.len()) } else { blocks.len() };
            blocks[..most].iter().for_each(|count| sum += *count);
        }
        Some(sum)
    }
}

/// A block of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The place at which its file begins.
    pub base: u64,
    /// Its index in the file.
    pub number: usize,
    /// The place of its first record.
    pub start: u64,
    /// The place of the first record after it.
    pub end: u64,
}

impl Book {
    /// Returns the block of the record that begins at `place`.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn block(&self, place: u64) -> Result<Block> {
        let base = self.bases().take_while(|base| *base <= place).last().unwrap_or(0);
        let number = (place - base.min(place)) / BLOCK;
        let next = self.bases().find(|next| *next > base).unwrap_or(self.end());
        let start = base + number * BLOCK;
        Ok(Block {
            base,
            number: usize::try_from(number).unwrap_or(usize::MAX),
            start: self.begin(start)?,
            end: self.begin(start + BLOCK)?.min(next),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use jiff::Timestamp;

    use super::*;
    use crate::container::LogOptions;
    use crate::container::log::{Stream, Writer};

    #[test]
    fn blocks_cover_a_log_and_their_counts_tell_the_number_of_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions { max_size: Some(1 << 20), max_files: Some(10), ..LogOptions::default() };
        let mut writer = Writer::open(dir.path(), &options).unwrap();
        for number in 0..20_000 {
            let line = format!("{number} {}\n", "x".repeat(number % 90));
            writer.write(Stream::Stdout, line.as_bytes(), Timestamp::UNIX_EPOCH).unwrap();
        }
        writer.flush().unwrap();
        let book = Book::open(dir.path()).unwrap();
        let (mut tally, mut places) = (Tally::from(book.first()), Vec::new());
        book.visit(book.first(), book.end(), |seen| {
            places.push(seen.place);
            ControlFlow::Continue(())
        })
        .unwrap();
        let mut at = book.first();
        while at < book.end() {
            let block = book.block(at).unwrap();
            assert_eq!(block.start, at);
            let lines = u32::try_from(book.count(block.start, block.end).unwrap()).unwrap();
            tally.add(block.base, block.number, Count { lines, ..Count::default() });
            at = block.end;
            tally.done = at;
        }
        assert_eq!(tally.total().lines, 20_000);
        for number in [0, 1, 777, 9_999, 19_999] {
            let block = book.block(places[number]).unwrap();
            let before = tally.before(&block).unwrap().lines;
            let within = book.count(block.start, places[number]).unwrap();
            assert_eq!(before + within, number as u64);
            assert!(u64::from(tally.block(&block).unwrap().lines) > within);
        }
    }
}
