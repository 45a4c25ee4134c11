//! Tests with Debian's docker-registry, filled by skopeo.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hoist::internals::base::progress::Reporter;
use hoist::internals::base::{ErrorKind, Explain};
use hoist::internals::oci::{Digest, Platform, Reference};
use hoist::internals::registry::{Error, Registry, Resolved, Settings};
use serde_json::json;

use super::client::{impatient, wait};
use super::make::{self, Layer};

/// `bWU6c2VjcmV0` is `me:secret`; this is its line for htpasswd with bcrypt.
const HTPASSWD: &str = "me:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
const LOGIN: &str = "bWU6c2VjcmV0";

/// A docker-registry with its own port and folder. Dropping it removes both.
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) dir: tempfile::TempDir,
    child: Child,
}

impl Peer {
    /// Starts a registry whose configuration has `http` at the end of its `http` section, and
    /// `rest` after it.
    pub(crate) fn start(dir: tempfile::TempDir, http: &str, rest: &str) -> Self {
        // The port may be taken in the meantime. In that case it tries another one.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let storage = dir.path().join("storage");
            let config = format!(
                "version: 0.1\nlog: {{accesslog: {{disabled: true}}, level: info}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}}}\n\
                 http:\n  addr: 127.0.0.1:{port}\n{http}{rest}",
                storage.display()
            );
            let path = dir.path().join("config.yml");
            fs::write(&path, config).unwrap();
            let mut child = Command::new("docker-registry")
                .arg("serve")
                .arg(&path)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let is_up = lines.any(|line| line.unwrap().contains("listening on"));
            if is_up {
                std::thread::spawn(move || lines.for_each(drop));
                return Self { address: format!("127.0.0.1:{port}"), dir, child };
            }
            child.wait().unwrap();
        }
        panic!("docker-registry does not start");
    }

    pub(crate) fn plain() -> Self {
        Self::start(tempfile::tempdir().unwrap(), "", "")
    }

    /// Copies an image with these layers to the registry as `name`, in the format that `options`
    /// request.
    pub(crate) fn put(&self, name: &str, layers: &[Layer], options: &[&str]) {
        let layout = self.dir.path().join(format!("layout-{name}"));
        make::layout(&layout, layers);
        let output = Command::new("skopeo")
            .args(["--insecure-policy", "copy", "-q", "--dest-tls-verify=false"])
            .args(options)
            .arg(format!("oci:{}:latest", layout.display()))
            .arg(format!("docker://{}/{name}", self.address))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.address).parse().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Resolves and fetches a whole image, and verifies all digests again.
fn fetch_all(settings: Settings, reference: &Reference) -> Result<Resolved, Error> {
    let repository = Registry::new(settings).repository(reference);
    let reporter = Reporter::silent();
    wait(async {
        let resolved = repository.resolve(&Platform::host(), &reporter).await?;
        let config = repository.config(&resolved.manifest.config, &reporter).await?;
        assert_eq!(Digest::of(&config), resolved.manifest.config.digest);
        for layer in &resolved.manifest.layers {
            let mut bytes = Vec::new();
            let mut sink = |chunk: &[u8]| {
                bytes.extend_from_slice(chunk);
                Ok(())
            };
            repository.blob(&layer.blob, &mut 0, &reporter, &mut sink).await?;
            assert_eq!(Digest::of(&bytes), layer.blob.digest);
        }
        Ok(resolved)
    })
}

fn three_layers() -> Vec<Layer> {
    vec![
        Layer::gzip(&make::tar(&[("a", b"one")])),
        Layer::zstd(&make::tar(&[("b", b"two")])),
        Layer::gzip(&make::tar(&[("c", &make::noise(1, 300_000))])),
    ]
}

#[test]
fn oci_and_docker_manifests_of_a_real_registry_are_read() {
    let old = "compatibility: {schema1: {enabled: true}}\n";
    let peer = Peer::start(tempfile::tempdir().unwrap(), "", old);
    let gzip: Vec<_> = three_layers().into_iter().filter(|layer| layer.kind.ends_with("gzip")).collect();
    peer.put("oci", &three_layers(), &["--format", "oci"]);
    peer.put("docker", &gzip, &["--format", "v2s2"]);
    for (name, layers) in [("oci", 3), ("docker", 2)] {
        let resolved = fetch_all(impatient(), &peer.reference(name)).unwrap();
        assert_eq!(resolved.manifest.layers.len(), layers);
    }
    let error = fetch_all(impatient(), &peer.reference("nosuch")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    peer.put("old", &gzip, &["--format", "v2s1"]);
    let error = fetch_all(impatient(), &peer.reference("old")).unwrap_err();
    assert_eq!(error.to_string(), "Docker's image manifest schema 1 (retired in 2020) is not supported");
}

#[test]
fn a_real_registry_wants_the_right_password() {
    let dir = tempfile::tempdir().unwrap();
    let passwords = dir.path().join("htpasswd");
    fs::write(&passwords, HTPASSWD).unwrap();
    let auth = format!("auth: {{htpasswd: {{realm: toy, path: {}}}}}\n", passwords.display());
    let peer = Peer::start(dir, "", &auth);
    peer.put("web", &three_layers(), &["--dest-creds", "me:secret"]);

    let file = peer.dir.path().join("config.json");
    let with = |login: &str| {
        fs::write(&file, json!({"auths": {&peer.address: {"auth": login}}}).to_string()).unwrap();
        Settings { credentials: Some(file.clone()), ..impatient() }
    };
    fetch_all(with(LOGIN), &peer.reference("web")).unwrap();
    for settings in [impatient(), with("bWU6d3Jvbmc=")] {
        let error = fetch_all(settings, &peer.reference("web")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Creates `<name>.crt` and `<name>.key`, signed by `ca` or self-signed.
fn certificate(dir: &Path, name: &str, ca: Option<&str>) {
    let (key, crt, subject) = (format!("{name}.key"), format!("{name}.crt"), format!("/CN={name}"));
    let mut arguments = vec![
        "req",
        "-x509",
        "-nodes",
        "-days",
        "2",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-keyout",
        &key,
        "-out",
        &crt,
        "-subj",
        &subject,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ];
    let (ca_crt, ca_key) = (format!("{}.crt", ca.unwrap_or("-")), format!("{}.key", ca.unwrap_or("-")));
    if ca.is_some() {
        arguments.extend([
            "-CA",
            &ca_crt,
            "-CAkey",
            &ca_key,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
    }
    openssl(dir, &arguments);
}

#[test]
fn a_registrys_own_authority_and_the_clients_certificate_are_used() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path(), "ca", None);
    certificate(dir.path(), "other", None);
    certificate(dir.path(), "server", Some("ca"));
    certificate(dir.path(), "client", Some("ca"));
    let file = |name: &str| dir.path().join(name).display().to_string();
    let tls = format!(
        "  tls: {{certificate: {}, key: {}, clientcas: [{}]}}\n",
        file("server.crt"),
        file("server.key"),
        file("ca.crt")
    );
    let peer = Peer::start(dir, &tls, "");
    let made = peer.dir.path();
    let certs = |name: &str, authority: &str| {
        let folder = made.join(name).join(&peer.address);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(made.join(authority), folder.join("ca.crt")).unwrap();
        fs::copy(made.join("client.crt"), folder.join("client.cert")).unwrap();
        fs::copy(made.join("client.key"), folder.join("client.key")).unwrap();
        Settings { certs: vec![made.join("nowhere"), made.join(name)], ..impatient() }
    };
    let good = certs("certs.d", "ca.crt");
    let folder = made.join("certs.d").join(&peer.address);
    peer.put("web", &three_layers(), &["--dest-cert-dir", &folder.display().to_string()]);
    fetch_all(good.clone(), &peer.reference("web")).unwrap();

    // Loopback is trusted without a certificate, unless one is configured.
    let error = fetch_all(certs("wrong", "other.crt"), &peer.reference("web")).unwrap_err();
    assert!(matches!(error, Error::Refused { status: 400, .. }), "{error:?}");
    // Without the client's certificate the registry closes the connection.
    assert!(fetch_all(impatient(), &peer.reference("web")).is_err());
    fs::remove_file(folder.join("client.key")).unwrap();
    let error = fetch_all(good, &peer.reference("web")).unwrap_err();
    assert!(error.to_string().ends_with("client.key"), "{error}");
}
