//! Downloads blobs, resuming after interruptions.

use std::cell::Cell;
use std::io;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};

use super::error::{Error, Result};
use super::manifest::Blob;
use super::repository::Repository;
use super::settings::{Endpoint, authority};
use crate::base::progress::Reporter;

impl Repository {
    /// Downloads `blob` from byte `done` on and passes it to `sink` in order. `done` counts the
    /// bytes that `sink` accepted, even on failure. On success `sink` has received exactly the
    /// remaining bytes. The caller, who also has the earlier ones, must check the digest.
    ///
    /// # Errors
    ///
    /// [`Error::WrongSize`] if the registry's blob has another size, [`Error::Keep`] with an error
    /// of `sink`, [`Error::GaveUp`] after too many failures. A later call can resume after the last
    /// of these.
    pub async fn blob(
        &self,
        blob: &Blob,
        done: &mut u64,
        reporter: &Reporter,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<()> {
        if *done >= blob.size {
            return Ok(());
        }
        let (begin, received) = (*done, Cell::new(0));
        self.persist(reporter, &|| received.get(), async |endpoint| {
            let end = self.blob_once(endpoint, blob, done, reporter, sink).await;
            received.set(*done - begin);
            end
        })
        .await
    }

    /// Switches to the next endpoint, if there is one, after the current one has sent data with a
    /// wrong digest.
    pub fn distrust(&self) {
        self.next_endpoint();
    }

    /// Makes one request for all missing bytes, and takes as many as arrive.
    async fn blob_once(
        &self,
        endpoint: &Endpoint,
        blob: &Blob,
        done: &mut u64,
        reporter: &Reporter,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<()> {
        let mut request = self.request(endpoint, &format!("blobs/{}", blob.digest))?;
        if *done > 0 {
            let range = HeaderValue::from_str(&format!("bytes={}-", *done));
            request.headers.extend(range.ok().map(|range| (RANGE, range)));
        }
        let what = format!("blob {}", blob.digest);
        let mut response = self.ask(endpoint, request, &what, reporter).await?;
        let host = authority(response.url());
        let wrong =
            |got| Error::WrongSize { host: host.clone(), digest: blob.digest.clone(), want: blob.size, got };

        // A server without range support sends everything again.
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let mut over = if is_part { 0 } else { *done };
        if is_part {
            let (from, size) = response
                .headers()
                .get(CONTENT_RANGE)
                .and_then(|value| content_range(value.to_str().ok()?))
                .unwrap_or((*done, None));
            if let Some(size) = size.filter(|&size| size != blob.size) {
                return Err(wrong(size));
            }
            if from != *done {
                let why = format!("it starts at byte {from} instead of {}", *done);
                return Err(Error::Malformed { what: "partial response", why });
            }
        } else if let Some(size) = response.content_length().filter(|&size| size != blob.size) {
            return Err(wrong(size));
        }

        while let Some(chunk) = self.shared.http.chunk(&mut response, &host, reporter).await? {
            let skipped = over.min(chunk.len() as u64);
            over -= skipped;
            let new = &chunk[usize::try_from(skipped).unwrap_or(chunk.len())..];
            if new.len() as u64 > blob.size - *done {
                return Err(wrong(*done + new.len() as u64));
            }
            sink(new).map_err(|source| Error::Keep { source })?;
            *done += new.len() as u64;
        }
        if *done < blob.size { Err(Error::Truncated { host, got: *done, size: blob.size }) } else { Ok(()) }
    }
}

/// Parses `bytes 5-9/10` into the first byte and, if known, the size.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(content_range("5-9/10"), None);
    }
}
