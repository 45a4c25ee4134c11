//! HTTP requests: one client per kind of trust, with our own redirects and timeouts.
//!
//! Redirects are followed here because registries redirect blobs to other hosts: `Authorization` is
//! sent only to its own host, and https never changes to plain http.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Certificate, Client, Identity, Method, NoProxy, Proxy, Response, StatusCode, Url, redirect};
use tokio::time::{sleep, timeout};

use super::error::{Error, Result};
use super::manifest::printable;
use super::settings::{Settings, Trust, authority};
use super::stamp::Stamp;
use crate::base::disk;
use crate::base::progress::Reporter;

/// The maximum number of redirects for a request.
const MAX_REDIRECTS: usize = 5;
/// Resolver files that a client reads only once.
const RESOLVER_FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];
/// Certificate authorities that a client reads only once, where distributions keep them.
const CA_FILES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// How often cancellation is checked.
const CANCEL_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// What is kept between requests.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) settings: Settings,
    clients: Mutex<HashMap<Kind, (Stamp, Client)>>,
}

/// What distinguishes clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Plain,
    Encrypted { trust: Trust, certs: Option<PathBuf> },
}

/// A request, before redirects.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Headers only for the host of `url`.
    pub(super) secrets: HeaderMap,
    /// The body, as `application/x-www-form-urlencoded`.
    pub(super) form: Option<String>,
}

impl Request {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), secrets: HeaderMap::new(), form: None }
    }
}

impl Http {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, clients: Mutex::default() }
    }

    /// Sends `request` and follows redirects. Any other status is returned as a response.
    pub(super) async fn send(&self, request: &Request, reporter: &Reporter) -> Result<Response> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(request, &url, reporter).await?;
            if !is_redirect(response.status()) || request.form.is_some() {
                return Ok(response);
            }
            url = self.target(&url, &response)?;
        }
        Err(Error::Redirect {
            host: authority(&request.url),
            target: authority(&url),
            why: "too many redirects",
        })
    }

    async fn send_once(&self, request: &Request, url: &Url, reporter: &Reporter) -> Result<Response> {
        let host = authority(url);
        let mut builder =
            self.client(url)?.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        if is_same_origin(url, &request.url) {
            builder = builder.headers(request.secrets.clone());
        }
        if let Some(form) = &request.form {
            builder = builder
                .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone());
        }
        match self.wait(&host, reporter, builder.send()).await? {
            Ok(response) => Ok(response),
            // Our error names the host. reqwest's would name the URL, which may contain secrets.
            Err(source) if source.is_connect() || source.is_builder() => {
                Err(Error::Connect { host, is_nameless: source.is_dns(), source: source.into() })
            }
            Err(source) => Err(Error::Broken { host, source: source.into() }),
        }
    }

    /// Waits for `work`, until it times out or the request is cancelled.
    pub(super) async fn wait<T>(
        &self,
        host: &str,
        reporter: &Reporter,
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let silence = self.settings.patience.silence;
        let begin = Instant::now();
        let mut work = std::pin::pin!(work);
        loop {
            if reporter.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let left = silence.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Err(Error::Stalled { host: host.to_owned(), silence });
            }
            if let Ok(done) = timeout(left.min(CANCEL_CHECK_INTERVAL), work.as_mut()).await {
                return Ok(done);
            }
        }
    }

    /// Sleeps for `duration`, or until the request is cancelled.
    pub(super) async fn pause(duration: Duration, reporter: &Reporter) -> Result<()> {
        let end = Instant::now() + duration;
        loop {
            if reporter.is_cancelled() {
                return Err(Error::Cancelled);
            }
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => sleep(left.min(CANCEL_CHECK_INTERVAL)).await,
            }
        }
    }

    /// Reads a whole response of at most `limit` bytes.
    pub(super) async fn read(
        &self,
        mut response: Response,
        what: &'static str,
        limit: u64,
        reporter: &Reporter,
    ) -> Result<Vec<u8>> {
        let host = authority(response.url());
        let size = response.content_length();
        if size.is_some_and(|size| size > limit) {
            return Err(Error::TooLarge { what, limit });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(&mut response, &host, reporter).await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > limit {
                return Err(Error::TooLarge { what, limit });
            }
        }
        match size {
            Some(size) if size > bytes.len() as u64 => {
                Err(Error::Truncated { host, got: bytes.len() as u64, size })
            }
            _ => Ok(bytes),
        }
    }

    /// Returns the next part of a response; `None` at its end.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
        host: &str,
        reporter: &Reporter,
    ) -> Result<Option<impl Deref<Target = [u8]> + use<>>> {
        let broken = |source: reqwest::Error| Error::Broken { host: host.to_owned(), source: source.into() };
        self.wait(host, reporter, response.chunk()).await?.map_err(broken)
    }

    /// Returns the target of a redirect, if it may be followed.
    fn target(&self, from: &Url, response: &Response) -> Result<Url> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let refuse =
            |target: &str, why| Error::Redirect { host: authority(from), target: printable(target), why };
        let location = location.ok_or_else(|| refuse("", "it has no target"))?;
        let target = from.join(location).map_err(|_| refuse(location, "that is not a URL"))?;
        match (from.scheme(), target.scheme()) {
            (_, "https") => Ok(target),
            ("http", "http") if self.settings.may_be_plain(&authority(&target)) => Ok(target),
            (_, "http") => Err(refuse(&authority(&target), "that is not encrypted")),
            _ => Err(refuse(&authority(&target), "that is neither http nor https")),
        }
    }

    /// Returns the client for `url`. It is created at its first use, since reading the system's
    /// certificates takes milliseconds, and again if the files it depends on have changed.
    fn client(&self, url: &Url) -> Result<Client> {
        let kind = if url.scheme() == "http" {
            Kind::Plain
        } else {
            let host = authority(url);
            let folders = self.settings.certs.iter().map(|folder| folder.join(&host));
            Kind::Encrypted {
                trust: self.settings.trust(url),
                certs: folders.into_iter().find(|dir| dir.is_dir()),
            }
        };
        let trusted = match &kind {
            Kind::Encrypted { certs, .. } => {
                CA_FILES.map(PathBuf::from).into_iter().chain(certs.clone()).collect()
            }
            Kind::Plain => Vec::new(),
        };
        let stamp = Stamp::of(RESOLVER_FILES.map(PathBuf::from).into_iter().chain(trusted));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.get(&kind).filter(|(made, _)| *made == stamp) {
            return Ok(client.clone());
        }
        let client = self.make_client(&kind)?;
        clients.insert(kind, (stamp, client.clone()));
        Ok(client)
    }

    fn make_client(&self, kind: &Kind) -> Result<Client> {
        static RING: Once = Once::new();
        // An error means that another provider is installed, which will do too.
        RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));

        let mut builder = Client::builder()
            .user_agent(concat!("hoist/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.settings.patience.connect)
            .no_proxy(); // reqwest would otherwise read the environment
        for proxy in self.proxies()? {
            builder = builder.proxy(proxy);
        }
        match kind {
            // This client never requests https, so it need not load certificates.
            Kind::Plain => builder = builder.tls_danger_accept_invalid_certs(true),
            Kind::Encrypted { trust, certs } => {
                // If the registry has its own certificate authority, its certificate is checked
                // even where others are not.
                builder = builder.tls_danger_accept_invalid_certs(*trust == Trust::Anyone && certs.is_none());
                if let Some(dir) = certs {
                    let (authorities, identity) = read_certs(dir)?;
                    builder = builder.tls_certs_merge(authorities);
                    if let Some(identity) = identity {
                        builder = builder.identity(identity);
                    }
                }
            }
        }
        builder.build().map_err(|source| Error::Client { source: source.into() })
    }

    fn proxies(&self) -> Result<Vec<Proxy>> {
        let proxies = &self.settings.proxies;
        let except = proxies.except.as_deref().and_then(NoProxy::from_string);
        let made = [proxies.http.as_ref().map(Proxy::http), proxies.https.as_ref().map(Proxy::https)];
        made.into_iter()
            .flatten()
            .map(|proxy| match proxy {
                Ok(proxy) => Ok(proxy.no_proxy(except.clone())),
                Err(source) => Err(Error::Proxy { source: source.into() }),
            })
            .collect()
    }
}

/// Reads a registry's own authorities (`*.crt`) and the first client certificate (`*.cert` with its
/// `*.key`), as Docker does.
fn read_certs(dir: &Path) -> Result<(Vec<Certificate>, Option<Identity>)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| Error::Certificates { path, source }
    };
    let unusable = |path: &Path| {
        let failed = failed(path);
        move |source: reqwest::Error| failed(io::Error::new(io::ErrorKind::InvalidData, source))
    };
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed(dir))?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut authorities = Vec::new();
    let mut identity = None;
    for path in &paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => {
                let pem = disk::read_bytes(path).map_err(failed(path))?;
                authorities.extend(Certificate::from_pem_bundle(&pem).map_err(unusable(path))?);
            }
            Some("cert") if identity.is_none() => {
                let key = path.with_extension("key");
                let mut pem = disk::read_bytes(path).map_err(failed(path))?;
                pem.push(b'\n');
                pem.extend(disk::read_bytes(&key).map_err(failed(&key))?);
                identity = Some(Identity::from_pem(&pem).map_err(unusable(path))?);
            }
            _ => {}
        }
    }
    Ok((authorities, identity))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}
