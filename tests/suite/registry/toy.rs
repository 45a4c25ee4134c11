//! A registry in this process that behaves correctly unless a test says otherwise.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hoist::internals::oci::Digest;
use serde_json::{Value, json};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const OCI_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const OCI_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The path with the query.
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    /// The number of previous requests with the same method and path.
    pub(crate) nth: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the first byte of the requested range.
    pub(crate) fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// A response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The value of Content-Length, if it is not the body's length.
    pub(crate) claims: Option<usize>,
    /// What happens after the body.
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection is closed.
    #[default]
    Close,
    /// The connection stays open, but nothing more is sent.
    Silence,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// Sends only the first `len` bytes of the announced body.
    pub(crate) fn cut(mut self, len: usize, end: End) -> Self {
        self.claims = Some(self.body.len());
        self.body.truncate(len);
        self.end = end;
        self
    }
}

/// The content of the registry.
#[derive(Debug, Default)]
pub(crate) struct Content {
    blobs: HashMap<String, Vec<u8>>,
    manifests: HashMap<String, (String, Vec<u8>)>,
}

impl Content {
    /// Adds a blob, and returns its descriptor.
    pub(crate) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        self.blobs.insert(digest.clone(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Adds a manifest or index under `tag` and its digest, and returns its descriptor.
    pub(crate) fn manifest(&mut self, tag: &str, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes).to_string();
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        for name in [tag.to_owned(), digest] {
            self.manifests.insert(name, (media_type.to_owned(), bytes.clone()));
        }
        descriptor
    }

    /// Adds an image with these packed layers under `tag`, and returns its manifest's descriptor.
    pub(crate) fn image(&mut self, tag: &str, config: &Value, layers: &[(&str, &[u8])]) -> Value {
        let config = self.blob(OCI_CONFIG, config.to_string().as_bytes());
        let layers: Vec<Value> = layers.iter().map(|(kind, bytes)| self.blob(kind, bytes)).collect();
        let document =
            json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
        self.manifest(tag, OCI_MANIFEST, &document)
    }

    /// Returns all blobs and manifests with their digests.
    pub(crate) fn everything(&self) -> impl Iterator<Item = (Digest, &Vec<u8>)> {
        let manifests = self.manifests.iter().map(|(name, (_, bytes))| (name, bytes));
        self.blobs.iter().chain(manifests).filter_map(|(name, bytes)| Some((name.parse().ok()?, bytes)))
    }

    /// Returns the correct response.
    pub(crate) fn answer(&self, seen: &Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap_or_default();
        if path == "/v2/" {
            return Answer::new(200);
        }
        let missing = || {
            let what = json!({"errors": [{"code": "UNKNOWN", "message": "not known to this registry"}]});
            Answer::new(404).json(&what)
        };
        let Some((_, last)) = path.rsplit_once('/') else { return missing() };
        if path.contains("/manifests/") {
            return match self.manifests.get(last) {
                Some((kind, bytes)) => Answer::new(200)
                    .header("Content-Type", kind)
                    .header("Docker-Content-Digest", Digest::of(bytes).to_string())
                    .body(bytes.clone()),
                None => missing(),
            };
        }
        match (self.blobs.get(last), seen.range()) {
            (Some(bytes), Some(from)) => Answer::new(206)
                .header("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()))
                .body(&bytes[from..]),
            (Some(bytes), None) => Answer::new(200).body(bytes.clone()),
            (None, _) => missing(),
        }
    }
}

type Rule = dyn Fn(&Seen, &Content) -> Option<Answer> + Send + Sync;

struct Inside {
    content: Content,
    rule: Box<Rule>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    ends: AtomicBool,
}

/// A running toy registry. Dropping it stops it.
pub(crate) struct Toy {
    pub(crate) address: SocketAddr,
    inside: Arc<Inside>,
}

impl Toy {
    /// Serves `content`, except for requests to which `rule` returns another response.
    pub(crate) fn start(
        content: Content,
        rule: impl Fn(&Seen, &Content) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inside = Arc::new(Inside {
            content,
            rule: Box::new(rule),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let shared = inside.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ends.load(Ordering::Relaxed) {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let shared = shared.clone();
                std::thread::spawn(move || serve(&shared, &stream.unwrap()));
            }
        });
        Self { address, inside }
    }

    pub(crate) fn honest(content: Content) -> Self {
        Self::start(content, |_, _| None)
    }

    /// Returns a reference: `127.0.0.1:port/name`.
    pub(crate) fn reference(&self, name: &str) -> hoist::internals::oci::Reference {
        format!("{}/{name}", self.address).parse().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inside.seen.lock().unwrap().clone()
    }

    /// Returns the number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.inside.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of requests whose path contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path.contains(part)).count()
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.inside.ends.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // wakes the listener, to end it
    }
}

/// Answers requests until the peer disconnects or sends something other than HTTP, such as TLS.
fn serve(inside: &Inside, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(mut seen) = read_request(&mut reader) {
        let answer = {
            let mut log = inside.seen.lock().unwrap();
            seen.nth =
                log.iter().filter(|old| (&old.method, &old.path) == (&seen.method, &seen.path)).count();
            log.push(seen.clone());
            drop(log);
            (inside.rule)(&seen, &inside.content).unwrap_or_else(|| inside.content.answer(&seen))
        };
        let length = answer.claims.unwrap_or(answer.body.len());
        let mut head = format!("HTTP/1.1 {} Toy\r\nContent-Length: {length}\r\n", answer.status);
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let body = if seen.method == "HEAD" { &[] } else { &answer.body[..] };
        let mut stream = stream;
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
            return;
        }
        match (answer.claims, answer.end) {
            (None, _) => {}
            (Some(_), End::Close) => return,
            // Waits until the client disconnects.
            (Some(_), End::Silence) => drop(stream.read(&mut [0])),
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Seen> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line).ok()? == 0 {
        return None;
    }
    let line = String::from_utf8(line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => drop(headers.insert(name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    headers.insert("(body)".to_owned(), String::from_utf8_lossy(&body).into_owned());
    Some(Seen { method, path, headers, nth: 0 })
}
