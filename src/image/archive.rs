//! Reads an archive of documents and layers by the names of its members.
//!
//! Nothing is unpacked: a name is only a key here, never a path on the host.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::error::{Error, Result};
use crate::layer::apply::{normal, split};
use crate::layer::tar::{Kind, Reader, Source};
use crate::oci::Digest;

/// Maximum length of a chain of links between members.
const MAX_LINKS: usize = 8;
/// Maximum number of members, far more than any real archive has.
const MAX_MEMBERS: usize = 1 << 20;
/// Maximum total length of their names in bytes.
const MAX_NAMES: usize = 64 << 20;

/// The members of a tar file.
#[derive(Debug)]
pub(super) struct Archive {
    file: Arc<File>,
    members: HashMap<Vec<u8>, Member>,
}

#[derive(Debug, Clone)]
enum Member {
    File { at: u64, len: u64 },
    Link(Vec<u8>),
}

impl Archive {
    /// Reads all headers of `file`, an uncompressed tar.
    pub(super) fn open(file: File) -> Result<Self> {
        let file = Arc::new(file);
        let mut reader = Reader::new(Pages::new(Arc::clone(&file))?);
        let mut members = HashMap::new();
        let mut names = 0;
        while let Some(entry) = reader.next_entry()? {
            let path = inside(&entry.path)?;
            let member = match entry.kind {
                Kind::File if entry.extents.is_none() => {
                    Member::File { at: reader.position(), len: entry.size }
                }
                Kind::HardLink => Member::Link(inside(&entry.link)?),
                Kind::Symlink => {
                    let parent = split(&path).map(|(parent, _)| parent).unwrap_or_default();
                    Member::Link(inside(&[parent, b"/", &entry.link].concat())?)
                }
                _ => continue,
            };
            names += path.len() + if let Member::Link(target) = &member { target.len() } else { 0 };
            members.insert(path, member);
            if members.len() > MAX_MEMBERS || names > MAX_NAMES {
                let limit = MAX_MEMBERS as u64;
                return Err(Error::TooMany { what: "entries in the archive", limit });
            }
        }
        Ok(Self { file, members })
    }

    /// Returns whether there is a file with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Returns a reader of a member, and its size.
    pub(super) fn reader(&self, name: &str) -> Result<(impl Read + Send + use<>, u64)> {
        let (at, len) = self.find(name)?;
        Ok((Slice { file: Arc::clone(&self.file), at, left: len }, len))
    }

    /// Reads a document of at most `limit` bytes. If its name is a digest, verifies that digest.
    pub(super) fn document(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let (reader, len) = self.reader(name)?;
        if len > limit {
            return Err(Error::TooLarge { what: format!("`{name}` of the archive"), limit });
        }
        let mut bytes = Vec::new();
        reader.take(limit).read_to_end(&mut bytes).map_err(Error::read("the archive"))?;
        let last = name.rsplit('/').next().unwrap_or(name);
        let hex = last.strip_suffix(".json").unwrap_or(last);
        if let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() {
            super::ingest::verify(&format!("`{name}` of the archive"), &bytes, &digest)?;
        }
        Ok(bytes)
    }

    /// Returns the path of a blob in an OCI layout.
    pub(super) fn blob_name(digest: &Digest) -> String {
        format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex())
    }

    fn find(&self, name: &str) -> Result<(u64, u64)> {
        let missing = || Error::malformed("the archive", format!("it has no `{name}`"));
        let mut path = inside(name.as_bytes())?;
        for _ in 0..MAX_LINKS {
            match self.members.get(&path) {
                Some(Member::File { at, len }) => return Ok((*at, *len)),
                Some(Member::Link(target)) => path.clone_from(target),
                None => return Err(missing()),
            }
        }
        Err(missing())
    }
}

/// Normalizes a path relative to the archive's root.
fn inside(path: &[u8]) -> Result<Vec<u8>> {
    normal(path).map_err(|_| {
        Error::malformed("the archive", format!("invalid path `{}`", String::from_utf8_lossy(path)))
    })
}

/// A range of a file, read by offset so that many threads can share the file.
struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let len = self.file.read_at(&mut buffer[..limit], self.at)?;
        if len == 0 && limit > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += len as u64;
        self.left -= len as u64;
        Ok(len)
    }
}

/// Reads a file a page at a time and skips members without reading them.
struct Pages {
    slice: Slice,
    page: Vec<u8>,
    at: usize,
}

impl Pages {
    fn new(file: Arc<File>) -> Result<Self> {
        let left = file.metadata().map_err(Error::read("the archive"))?.len();
        Ok(Self { slice: Slice { file, at: 0, left }, page: Vec::new(), at: 0 })
    }
}

impl BufRead for Pages {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.page.len() {
            self.page.resize(4096, 0);
            let len = self.slice.read(&mut self.page)?;
            self.page.truncate(len);
            self.at = 0;
        }
        Ok(&self.page[self.at..])
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }
}

impl Read for Pages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let page = self.fill_buf()?;
        let len = page.len().min(buffer.len());
        buffer[..len].copy_from_slice(&page[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl Source for Pages {
    fn pass(&mut self, len: u64) -> io::Result<u64> {
        let here = ((self.page.len() - self.at) as u64).min(len);
        self.at += usize::try_from(here).unwrap_or(0);
        let beyond = (len - here).min(self.slice.left);
        self.slice.at += beyond;
        self.slice.left -= beyond;
        Ok(here + beyond)
    }
}
