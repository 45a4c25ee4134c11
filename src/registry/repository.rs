//! A repository: resolves its tags at the first endpoint that answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;

use super::Shared;
use super::error::{Error, Login, Result};
use super::http::{Http, Request};
use super::manifest::{self, Blob, MAX_CONFIG, MAX_MANIFEST, Manifest, printable};
use super::settings::{Endpoint, Role, authority};
use crate::base::progress::Reporter;
use crate::oci::{Digest, Hasher, Platform, Reference};

/// The maximum depth of nested indexes.
const MAX_DEPTH: usize = 2;
/// The time limit for a whole document, so that a slow server cannot block us for ever.
const DOCUMENT_TIME: Duration = Duration::from_secs(120);
/// Progress in bytes since the last failure that resets the number of attempts.
const HEADWAY: u64 = 1 << 20;
/// The maximum size of an error message in bytes.
const MAX_MESSAGE: u64 = 64 << 10;
const CONTENT_DIGEST: &str = "docker-content-digest";

/// A repository at a registry.
#[derive(Debug)]
pub struct Repository {
    pub(super) shared: Arc<Shared>,
    pub(super) reference: Reference,
    endpoints: Vec<Endpoint>,
    /// The index of the endpoint that last answered in any way. Earlier ones are not used again.
    at: AtomicUsize,
    /// That index plus one; 0 if no endpoint has answered.
    answered: AtomicUsize,
}

/// A document as received, with its digest verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The digest of `bytes`.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Exactly as received.
    pub bytes: Vec<u8>,
}

/// The result of resolving a reference for a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The digest that the reference stands for: that of the first of `documents`.
    pub target: Digest,
    /// The documents from that one (possibly an index) to the manifest.
    pub documents: Vec<Document>,
    /// The last of them, parsed.
    pub manifest: Manifest,
}

/// A document to request, and what is known about it.
struct Wanted {
    name: String,
    digest: Option<Digest>,
    size: Option<u64>,
    media_type: Option<String>,
}

impl Repository {
    pub(super) fn new(shared: Arc<Shared>, reference: Reference) -> Self {
        let endpoints = shared.http.settings.endpoints(reference.registry());
        Self { shared, reference, endpoints, at: AtomicUsize::new(0), answered: AtomicUsize::new(0) }
    }

    /// Returns the digest of the reference without downloading the document; `None` if the registry
    /// does not provide it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] and [`Error::Denied`], as for [`Self::resolve`].
    pub async fn head(&self, reporter: &Reporter) -> Result<Option<Digest>> {
        let wanted = Wanted::first(&self.reference);
        self.persist(reporter, &|| 0, async |endpoint| {
            let request = wanted.request(self, endpoint, Method::HEAD)?;
            let response = self.ask(endpoint, request, &wanted.name, reporter).await?;
            Ok(content_digest(response.headers()))
        })
        .await
    }

    /// Resolves the reference for `platform` to a manifest, and returns all documents on the way.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no such tag, [`Error::NoPlatform`] if there is no image for
    /// `platform`, [`Error::Malformed`], [`Error::Unsupported`] and [`Error::WrongDigest`] for
    /// documents that cannot be trusted, and errors of the connection.
    pub async fn resolve(&self, platform: &Platform, reporter: &Reporter) -> Result<Resolved> {
        let mut wanted = Wanted::first(&self.reference);
        let mut documents: Vec<Document> = Vec::new();
        loop {
            let document = self.document(&wanted, reporter).await?;
            let parsed = manifest::parse(&document.bytes, &document.media_type)?;
            documents.push(document);
            match parsed {
                manifest::Document::Manifest(manifest) => {
                    let target = documents[0].digest.clone();
                    return Ok(Resolved { target, documents, manifest });
                }
                manifest::Document::Index(_) if documents.len() > MAX_DEPTH => {
                    let why = "its indexes are nested too deeply".to_owned();
                    return Err(Error::Malformed { what: "index", why });
                }
                manifest::Document::Index(entries) => {
                    let entry = manifest::choose(&entries, platform)?;
                    wanted = Wanted {
                        name: entry.blob.digest.to_string(),
                        digest: Some(entry.blob.digest),
                        size: Some(entry.blob.size),
                        media_type: Some(entry.media_type),
                    };
                }
            }
        }
    }

    /// Downloads the configuration of a resolved image.
    ///
    /// # Errors
    ///
    /// [`Error::WrongDigest`] and [`Error::WrongSize`] if it does not match, and errors of the
    /// connection.
    pub async fn config(&self, config: &Blob, reporter: &Reporter) -> Result<Vec<u8>> {
        self.persist(reporter, &|| 0, async |endpoint| {
            let request = self.request(endpoint, &format!("blobs/{}", config.digest))?;
            let fetch = async {
                let what = format!("configuration {}", config.digest);
                let response = self.ask(endpoint, request, &what, reporter).await?;
                self.shared.http.read(response, "configuration", MAX_CONFIG, reporter).await
            };
            let bytes = self.in_time(endpoint, fetch).await?;
            check(&bytes, &config.digest, Some(config.size), &authority(&endpoint.base))?;
            Ok(bytes)
        })
        .await
    }

    async fn document(&self, wanted: &Wanted, reporter: &Reporter) -> Result<Document> {
        self.persist(reporter, &|| 0, async |endpoint| {
            let request = wanted.request(self, endpoint, Method::GET)?;
            let fetch = async {
                let what = match &wanted.digest {
                    Some(digest) => format!("manifest {digest}"),
                    None => format!("manifest for {}", self.reference),
                };
                let response = self.ask(endpoint, request, &what, reporter).await?;
                let headers = response.headers().clone();
                let bytes = self.shared.http.read(response, "manifest", MAX_MANIFEST, reporter).await?;
                Ok((headers, bytes))
            };
            let (headers, bytes) = self.in_time(endpoint, fetch).await?;
            wanted.check(&headers, bytes, &authority(&endpoint.base))
        })
        .await
    }

    async fn in_time<T>(&self, endpoint: &Endpoint, work: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(DOCUMENT_TIME, work).await.unwrap_or_else(|_| {
            Err(Error::Stalled { host: authority(&endpoint.base), silence: DOCUMENT_TIME })
        })
    }

    pub(super) fn request(&self, endpoint: &Endpoint, path: &str) -> Result<Request> {
        let path = format!("v2/{}/{path}", self.reference.repository());
        let url = endpoint
            .base
            .join(&path)
            .map_err(|error| Error::Malformed { what: "reference", why: error.to_string() })?;
        Ok(Request::get(url))
    }

    /// Sends `request` to `endpoint`, authenticates if necessary, and returns a successful
    /// response. `what` names the object in errors.
    pub(super) async fn ask(
        &self,
        endpoint: &Endpoint,
        mut request: Request,
        what: &str,
        reporter: &Reporter,
    ) -> Result<Response> {
        let Shared { http, logins } = &*self.shared;
        let mut has_logged_in = false;
        loop {
            request.secrets = logins.headers(http, endpoint, &self.reference);
            let response = http.send(&request, reporter).await?;
            self.has_answered(endpoint);
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            // Only the registry itself may ask for credentials.
            let is_registry = response.url().origin() == endpoint.base.origin();
            if status == StatusCode::UNAUTHORIZED && is_registry && !has_logged_in {
                has_logged_in = true;
                logins.answer(http, endpoint, &self.reference, &response, reporter).await?;
                continue;
            }
            let sent = logins.sent(endpoint, &self.reference);
            return Err(refusal(http, response, &self.reference, sent, what, reporter).await);
        }
    }

    fn has_answered(&self, endpoint: &Endpoint) {
        if let Some(place) = self.endpoints.iter().position(|known| known.base == endpoint.base) {
            self.at.fetch_max(place, Ordering::Relaxed);
            self.answered.fetch_max(place + 1, Ordering::Relaxed);
        }
    }

    /// Runs `attempt` at each endpoint until one succeeds, with retries. `received` returns the
    /// total number of bytes received; progress resets the number of attempts.
    pub(super) async fn persist<T>(
        &self,
        reporter: &Reporter,
        received: &dyn Fn() -> u64,
        mut attempt: impl AsyncFnMut(&Endpoint) -> Result<T>,
    ) -> Result<T> {
        let mut at = self.at.load(Ordering::Relaxed);
        loop {
            let endpoint = &self.endpoints[at];
            let error = match self.try_often(at, reporter, received, &mut attempt).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let goes_on = match (endpoint.role, &error) {
                (_, Error::Cancelled | Error::Keep { .. }) | (Role::Origin, _) => false,
                (Role::Mirror, _) => {
                    reporter
                        .note(format!("mirror {}: {error}; trying the next one", authority(&endpoint.base)));
                    true
                }
                (Role::Probe, error) => matches!(error, Error::Connect { .. }),
            };
            if !goes_on || at + 1 == self.endpoints.len() {
                return Err(error);
            }
            at += 1;
        }
    }

    /// Stops using a mirror.
    pub(super) fn next_endpoint(&self) {
        let at = self.at.load(Ordering::Relaxed);
        if self.endpoints[at].role == Role::Mirror && at + 1 < self.endpoints.len() {
            self.at.fetch_max(at + 1, Ordering::Relaxed);
        }
    }

    async fn try_often<T>(
        &self,
        at: usize,
        reporter: &Reporter,
        received: &dyn Fn() -> u64,
        attempt: &mut impl AsyncFnMut(&Endpoint) -> Result<T>,
    ) -> Result<T> {
        let endpoint = &self.endpoints[at];
        let patience = &self.shared.http.settings.patience;
        let tries = match endpoint.role {
            Role::Mirror => patience.tries.min(2),
            Role::Probe | Role::Origin => patience.tries,
        };
        let (mut failures, mut before) = (0, received());
        loop {
            let error = match attempt(endpoint).await {
                Err(error) if error.may_pass() => error,
                done => return done,
            };
            // A host that never answered is misspelled or down, so waiting would not help.
            let has_answered = self.answered.load(Ordering::Relaxed) == at + 1;
            if matches!(error, Error::Connect { .. }) && !has_answered {
                return Err(error);
            }
            if received() - before >= HEADWAY {
                failures = 0;
                before = received();
            }
            failures += 1;
            let pause = match error {
                Error::Busy { after: Some(after), .. } => after,
                _ => backoff(patience.first_pause, failures).min(patience.longest_pause),
            };
            if failures >= tries && failures > 1 {
                let host = authority(&endpoint.base);
                return Err(Error::GaveUp { host, tries: failures, source: Box::new(error) });
            }
            if failures >= tries || pause > patience.longest_pause {
                return Err(error);
            }
            Http::pause(pause, reporter).await?;
        }
    }
}

impl Wanted {
    fn first(reference: &Reference) -> Self {
        let digest = reference.digest().cloned();
        let name = match (&digest, reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or(crate::oci::reference::DEFAULT_TAG).to_owned(),
        };
        Self { name, digest, size: None, media_type: None }
    }

    fn request(&self, repository: &Repository, endpoint: &Endpoint, method: Method) -> Result<Request> {
        let mut request = repository.request(endpoint, &format!("manifests/{}", self.name))?;
        request.headers.insert(ACCEPT, HeaderValue::from_static(manifest::ACCEPT));
        Ok(Request { method, ..request })
    }

    /// Checks the document against the request and against the registry's headers.
    fn check(&self, headers: &HeaderMap, bytes: Vec<u8>, host: &str) -> Result<Document> {
        let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let said = said.split(';').next().unwrap_or_default().trim();
        manifest::refuse_schema_1(said)?;
        let media_type = match &self.media_type {
            Some(wanted) if wanted == said || matches!(said, "" | "application/json") => wanted.clone(),
            Some(wanted) => {
                let why = format!("it was sent as `{}`, not as `{}`", printable(said), printable(wanted));
                return Err(Error::Malformed { what: "manifest", why });
            }
            None => said.to_owned(),
        };
        let named = self.digest.clone().or_else(|| content_digest(headers));
        let digest = match named {
            Some(digest) => {
                check(&bytes, &digest, self.size, host)?;
                digest
            }
            None => Digest::of(&bytes),
        };
        Ok(Document { digest, media_type, bytes })
    }
}

fn check(bytes: &[u8], digest: &Digest, size: Option<u64>, host: &str) -> Result<()> {
    let host = || host.to_owned();
    let got = bytes.len() as u64;
    if let Some(want) = size.filter(|&size| size != got) {
        return Err(Error::WrongSize { host: host(), digest: digest.clone(), want, got });
    }
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(bytes);
    let got = hasher.finish();
    if got == *digest { Ok(()) } else { Err(Error::WrongDigest { host: host(), want: digest.clone(), got }) }
}

fn content_digest(headers: &HeaderMap) -> Option<Digest> {
    headers.get(CONTENT_DIGEST)?.to_str().ok()?.parse().ok()
}

/// Doubles with each failure, plus or minus a quarter, so that clients do not all return at the
/// same time.
fn backoff(first: Duration, failures: u32) -> Duration {
    let pause = first.saturating_mul(1 << (failures.clamp(1, 16) - 1));
    let random = crate::base::id::random_bytes::<1>().map_or(128, |[byte]| u32::from(byte));
    pause.saturating_mul(384 + random) / 512
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Converts an unsuccessful response to an error.
pub(super) async fn refusal(
    http: &Http,
    response: Response,
    reference: &Reference,
    login: Login,
    what: &str,
    reporter: &Reporter,
) -> Error {
    let host = authority(response.url());
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
    let body = match http.read(response, "message", MAX_MESSAGE, reporter).await {
        Ok(body) => body,
        Err(Error::Cancelled) => return Error::Cancelled,
        Err(_) => Vec::new(), // the status is sufficient
    };
    let message = serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|body| {
        let first = body.errors.into_iter().next()?;
        let text = if first.message.is_empty() { first.code } else { first.message };
        Some(printable(&text)).filter(|text| !text.is_empty())
    });
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Error::Denied { host, repository: reference.familiar_name(), message, login }
        }
        StatusCode::NOT_FOUND => Error::Missing { host, what: what.to_owned() },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Error::Busy { host, status: status.as_u16(), message, after }
        }
        status if status.is_server_error() => Error::Busy { host, status: status.as_u16(), message, after },
        status => Error::Refused { host, status: status.as_u16(), message },
    }
}

/// Parses a number of seconds or a date.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let left = date.timestamp().duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_and_never_overflows() {
        let first = Duration::from_millis(100);
        for (failures, low, high) in [(1, 75, 125), (2, 150, 250), (4, 600, 1000)] {
            let pause = backoff(first, failures).as_millis();
            assert!((low..=high).contains(&pause), "{failures}: {pause}");
        }
        assert!(backoff(Duration::MAX, u32::MAX) > Duration::ZERO);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
    }
}
