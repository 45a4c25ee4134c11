//! The registry client alone: documents and blobs, logins, redirects, timeouts.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hoist::internals::base::progress::{Progress, Reporter};
use hoist::internals::base::{ErrorKind, Explain};
use hoist::internals::oci::{Digest, Platform, Reference};
use hoist::internals::registry::{Blob, Error, Patience, Proxies, Registry, Resolved, Settings};
use serde_json::json;

use super::toy::{Answer, Content, End, OCI_GZIP, OCI_INDEX, OCI_MANIFEST, Seen, Toy};

/// Settings with short pauses for tests, which still give a loaded machine time to answer.
pub(crate) fn impatient() -> Settings {
    let patience = Patience {
        tries: 3,
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_secs(2),
        silence: Duration::from_secs(20),
        connect: Duration::from_secs(20),
    };
    Settings { patience, ..Settings::default() }
}

/// The same with short timeouts, for tests of peers that do not answer.
pub(crate) fn hasty() -> Settings {
    let mut settings = impatient();
    settings.patience.silence = Duration::from_secs(1);
    settings
}

pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

fn resolve(settings: Settings, reference: &Reference) -> Result<Resolved, Error> {
    let repository = Registry::new(settings).repository(reference);
    wait(repository.resolve(&amd64(), &Reporter::silent()))
}

/// Fetches a blob starting at `done`. Returns the received bytes and the result.
fn fetch(settings: Settings, reference: &Reference, blob: &Blob, done: u64) -> (Vec<u8>, Result<(), Error>) {
    let repository = Registry::new(settings).repository(reference);
    let (mut bytes, mut done) = (Vec::new(), done);
    let end = wait(repository.blob(blob, &mut done, &Reporter::silent(), &mut |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    }));
    (bytes, end)
}

fn some_image() -> Content {
    let mut content = Content::default();
    content.image("latest", &json!({"os": "linux"}), &[(OCI_GZIP, b"not really a layer")]);
    content
}

/// Content with a blob of one megabyte, in which no two parts are equal.
fn large_blob() -> (Content, Blob, Vec<u8>) {
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut content = Content::default();
    content.blob(OCI_GZIP, &bytes);
    let blob = Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 };
    (content, blob, bytes)
}

#[test]
fn a_tag_a_digest_and_an_index_are_resolved() {
    let mut content = some_image();
    let mut entries = Vec::new();
    for platform in ["arm64", "amd64"] {
        let mut entry = content.image(platform, &json!({"os": "linux", "architecture": platform}), &[]);
        entry["platform"] = json!({"os": "linux", "architecture": platform});
        entries.push(entry);
    }
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    let index = content.manifest("multi", OCI_INDEX, &index);
    let toy = Toy::honest(content);

    let by_tag = resolve(impatient(), &toy.reference("web")).unwrap();
    assert_eq!((by_tag.documents.len(), by_tag.manifest.layers.len()), (1, 1));
    let by_digest = resolve(impatient(), &toy.reference(&format!("web@{}", by_tag.target))).unwrap();
    assert_eq!(by_digest, by_tag);

    let multi = resolve(impatient(), &toy.reference("web:multi")).unwrap();
    assert_eq!(multi.target.to_string(), index["digest"].as_str().unwrap());
    assert_eq!(multi.documents[1].digest.to_string(), entries[1]["digest"].as_str().unwrap());

    let repository = Registry::new(impatient()).repository(&toy.reference("web:multi"));
    let reporter = Reporter::silent();
    assert_eq!(wait(repository.head(&reporter)).unwrap(), Some(multi.target));
    let config = wait(repository.config(&multi.manifest.config, &reporter)).unwrap();
    assert_eq!(config, br#"{"os":"linux","architecture":"amd64"}"#);
    let wanted = "linux/riscv64".parse().unwrap();
    let error = wait(repository.resolve(&wanted, &reporter)).unwrap_err();
    assert_eq!(error.to_string(), "there is no image for linux/riscv64: only for linux/amd64, linux/arm64");
}

#[test]
fn what_is_not_there_is_told_in_dockers_words() {
    let toy = Toy::honest(some_image());
    let error = resolve(impatient(), &toy.reference("web:nosuch")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let told = format!("manifest for {}/web:nosuch not found on `{}`", toy.address, toy.address);
    assert_eq!(error.to_string(), told);
    assert_eq!(toy.seen().len(), 1, "a plain no is not asked for twice");
}

#[test]
fn documents_that_are_not_what_they_should_be_are_refused() {
    let digest = Digest::of(b"something else").to_string();
    let hybrid = json!({"schemaVersion": 2, "config": {}, "layers": [], "manifests": []}).to_string();
    let (large, other) = (vec![b' '; (4 << 20) + 1], digest.clone());
    type Lie = Box<dyn Fn(Answer) -> Answer + Send + Sync>;
    let lies: Vec<(&str, Lie)> = vec![
        ("sent the wrong data", Box::new(|a| Answer { body: b"{}".to_vec(), ..a })),
        (
            "sent the wrong data",
            Box::new(move |mut a| {
                a.headers[1].1.clone_from(&other);
                a
            }),
        ),
        (
            "is malformed",
            Box::new(move |a| {
                let digest = Digest::of(hybrid.as_bytes()).to_string();
                let headers = vec![a.headers[0].clone(), ("Docker-Content-Digest".to_owned(), digest)];
                Answer { body: hybrid.clone().into_bytes(), headers, ..a }
            }),
        ),
        (
            "was sent as",
            Box::new(|mut a| {
                OCI_INDEX.clone_into(&mut a.headers[0].1);
                a
            }),
        ),
        ("larger than", Box::new(move |a| Answer { body: large.clone(), ..a })),
        ("larger than", Box::new(|a| Answer { claims: Some(1 << 40), ..a })),
        (
            "schema 1",
            Box::new(|mut a| {
                "application/vnd.docker.distribution.manifest.v1+prettyjws".clone_into(&mut a.headers[0].1);
                a
            }),
        ),
    ];
    for (told, lie) in lies {
        let rule = move |seen: &Seen, content: &Content| {
            seen.path.contains("/manifests/").then(|| lie(content.answer(seen)))
        };
        let toy = Toy::start(some_image(), rule);
        let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
        assert!(error.to_string().contains(told), "want `{told}`: {error}");
    }
}

#[test]
fn an_entry_must_be_what_its_index_says() {
    for (key, value, told) in [
        ("mediaType", json!(OCI_INDEX), "was sent as"),
        ("size", json!(3), "bytes for sha256:"),
        ("digest", json!(Digest::of(b"x")), "not found"),
    ] {
        let mut content = some_image();
        let mut entry = content.image("image", &json!({}), &[]);
        entry[key] = value;
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]});
        content.manifest("latest", OCI_INDEX, &index);
        let toy = Toy::honest(content);
        let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
        assert!(error.to_string().contains(told), "want `{told}`: {error}");
    }
}

#[test]
fn indexes_in_indexes_have_an_end() {
    let mut content = Content::default();
    let mut inner = content.image("image", &json!({}), &[]);
    for depth in 1..=3 {
        let tag = format!("deep{depth}");
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner]});
        inner = content.manifest(&tag, OCI_INDEX, &index);
    }
    let toy = Toy::honest(content);
    assert_eq!(resolve(impatient(), &toy.reference("web:deep2")).unwrap().documents.len(), 3);
    let error = resolve(impatient(), &toy.reference("web:deep3")).unwrap_err();
    assert_eq!(error.to_string(), "the index is malformed: its indexes are nested too deeply");
}

#[test]
fn a_blob_is_fetched_whole_and_from_the_middle() {
    let (content, blob, bytes) = large_blob();
    let toy = Toy::honest(content);
    let reference = toy.reference("web");
    let (all, end) = fetch(impatient(), &reference, &blob, 0);
    end.unwrap();
    assert!(all == bytes);
    let (rest, end) = fetch(impatient(), &reference, &blob, 700_000);
    end.unwrap();
    assert!(rest == bytes[700_000..]);
    assert_eq!(toy.seen()[1].range(), Some(700_000));
    let (none, end) = fetch(impatient(), &reference, &blob, blob.size);
    end.unwrap();
    assert_eq!((none.len(), toy.seen().len()), (0, 2), "nothing missing, nothing asked");
}

#[test]
fn a_server_that_knows_no_ranges_is_borne_with() {
    let (content, blob, bytes) = large_blob();
    let whole = bytes.clone();
    let toy = Toy::start(content, move |_, _| Some(Answer::new(200).body(whole.clone())));
    let (rest, end) = fetch(impatient(), &toy.reference("web"), &blob, 999_999);
    end.unwrap();
    assert_eq!(rest, bytes[999_999..]);
}

#[test]
fn a_line_that_breaks_or_falls_silent_is_taken_up_where_it_stopped() {
    for end in [End::Close, End::Silence] {
        let (content, blob, bytes) = large_blob();
        let cut = move |seen: &Seen, content: &Content| {
            let answer = content.answer(seen);
            (seen.nth < 2).then(|| answer.cut(300_000, end))
        };
        let toy = Toy::start(content, cut);
        let (all, end) = fetch(hasty(), &toy.reference("web"), &blob, 0);
        end.unwrap();
        assert!(all == bytes);
        let ranges: Vec<_> = toy.seen().iter().map(Seen::range).collect();
        assert_eq!(ranges, [None, Some(300_000), Some(600_000)]);
    }
}

#[test]
fn a_registry_that_never_answers_is_given_up() {
    for (end, told) in [(End::Close, "was lost"), (End::Silence, "sent nothing for 1 s")] {
        let (content, blob, _) = large_blob();
        let toy = Toy::start(content, move |seen, content| Some(content.answer(seen).cut(0, end)));
        let (none, end) = fetch(hasty(), &toy.reference("web"), &blob, 0);
        let error = end.unwrap_err();
        assert_eq!((none.len(), error.kind()), (0, ErrorKind::Unreachable));
        assert_eq!(error.to_string(), format!("`{}` failed 3 times in a row", toy.address));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(told), "want `{told}`: {cause}");
        assert_eq!(error.hint().unwrap(), "pull again: the download resumes where it stopped");
    }
}

#[test]
fn a_busy_registry_is_asked_again_and_given_the_time_it_wants() {
    for status in [429, 500, 502, 503] {
        let busy = move |seen: &Seen, _: &Content| (seen.nth < 2).then(|| Answer::new(status));
        let toy = Toy::start(some_image(), busy);
        resolve(impatient(), &toy.reference("web")).unwrap();
        assert_eq!(toy.seen().len(), 3);
    }
    let complaint = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "slow\u{1b}[31m down"}]});
    let pause = |after: &'static str| {
        let complaint = complaint.clone();
        move |seen: &Seen, _: &Content| {
            (seen.nth < 1).then(|| Answer::new(429).header("Retry-After", after).json(&complaint))
        }
    };
    let toy = Toy::start(some_image(), pause("1"));
    let begin = Instant::now();
    resolve(impatient(), &toy.reference("web")).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    let toy = Toy::start(some_image(), pause("3600"));
    let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` answered 429: slow?[31m down", toy.address));
    assert_eq!(toy.seen().len(), 1, "nobody waits an hour");
}

#[test]
fn a_blob_of_another_size_is_refused_at_once() {
    let (content, blob, _) = large_blob();
    let toy = Toy::honest(content);
    for (size, told) in [(blob.size - 1, "1000000 bytes"), (blob.size + 1, "1000000 bytes")] {
        let wrong = Blob { digest: blob.digest.clone(), size };
        let (bytes, end) = fetch(impatient(), &toy.reference("web"), &wrong, 0);
        let error = end.unwrap_err();
        assert!(bytes.is_empty() && error.to_string().contains(told), "{error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_sink_that_is_full_ends_the_download() {
    let (content, blob, _) = large_blob();
    let toy = Toy::honest(content);
    let repository = Registry::new(impatient()).repository(&toy.reference("web"));
    let mut sink = |_: &[u8]| Err(std::io::ErrorKind::StorageFull.into());
    let end = wait(repository.blob(&blob, &mut 0, &Reporter::silent(), &mut sink));
    assert!(end.unwrap_err().hint().unwrap().starts_with("free some disk space"));
    assert_eq!(toy.seen().len(), 1);
}

#[test]
fn cancelling_ends_every_wait_soon() {
    let (content, blob, _) = large_blob();
    let toy = Toy::start(content, |seen, content| Some(content.answer(seen).cut(1000, End::Silence)));
    let mut settings = impatient();
    settings.patience.silence = Duration::from_secs(600);
    let repository = Registry::new(settings).repository(&toy.reference("web"));
    let reporter = Reporter::silent();
    let canceller = reporter.clone();
    let begin = Instant::now();
    let mut sink = |_: &[u8]| {
        canceller.cancel();
        Ok(())
    };
    let end = wait(repository.blob(&blob, &mut 0, &reporter, &mut sink));
    assert!(matches!(end, Err(Error::Cancelled)), "{end:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn nobody_home_is_told_without_trying_again() {
    let reference: Reference = "127.0.0.1:1/web".parse().unwrap();
    let begin = Instant::now();
    let error = resolve(Settings::default(), &reference).unwrap_err();
    assert_eq!(
        (hoist::internals::base::error::chain(&error), error.kind()),
        (
            vec![
                "cannot connect to `127.0.0.1:1`".to_owned(),
                "Connection refused (os error 111)".to_owned()
            ],
            ErrorKind::Unreachable
        )
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn redirects_are_followed_without_taking_secrets_along() {
    let (content, blob, bytes) = large_blob();
    let elsewhere = Toy::honest(content);
    let target = elsewhere.address;
    let redirect = move |seen: &Seen, _: &Content| {
        Some(match seen.header("authorization") {
            None => Answer::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
            Some(_) => Answer::new(307).header("Location", format!("http://{target}{}", seen.path)),
        })
    };
    let toy = Toy::start(Content::default(), redirect);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    fs::write(&file, json!({"auths": {toy.address.to_string(): {"auth": "bWU6c2VjcmV0"}}}).to_string())
        .unwrap();
    let settings = Settings { credentials: Some(file), ..impatient() };
    let (all, end) = fetch(settings, &toy.reference("web"), &blob, 0);
    end.unwrap();
    assert!(all == bytes);
    assert_eq!(toy.seen()[1].header("authorization"), Some("Basic bWU6c2VjcmV0"));
    for seen in elsewhere.seen() {
        assert_eq!(seen.header("authorization"), None);
        assert_eq!(seen.header("cookie"), None);
    }
}

#[test]
fn redirects_that_lead_astray_are_not_followed() {
    for (location, told) in [
        ("http://registry.test/blob", "that is not encrypted"),
        ("file:///etc/passwd", "that is neither http nor https"),
        ("/again", "too many redirects"),
        ("", "too many redirects"),
    ] {
        let away = move |_: &Seen, _: &Content| Some(Answer::new(302).header("Location", location));
        let toy = Toy::start(Content::default(), away);
        let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
        assert!(error.to_string().ends_with(told), "want `{told}`: {error}");
    }
}

#[test]
fn one_that_refused_in_plain_http_is_not_taken_for_one_that_is_down() {
    let asks = |_: &Seen, _: &Content| Some(Answer::new(401).header("WWW-Authenticate", "Basic realm=\"x\""));
    let toy = Toy::start(Content::default(), asks);
    let repository = Registry::new(impatient()).repository(&toy.reference("web"));
    // As a pull does for an image that already exists.
    let error = wait(repository.head(&Reporter::silent())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    let error = wait(repository.resolve(&amd64(), &Reporter::silent())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

#[test]
fn someone_else_cannot_ask_who_we_are() {
    let asks = |_: &Seen, _: &Content| {
        Some(Answer::new(401).header("WWW-Authenticate", "Basic realm=\"give me your password\""))
    };
    let elsewhere = Toy::start(Content::default(), asks);
    let target = elsewhere.address;
    let redirect =
        move |_: &Seen, _: &Content| Some(Answer::new(302).header("Location", format!("http://{target}/x")));
    let toy = Toy::start(Content::default(), redirect);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    let auth = json!({"auth": "bWU6c2VjcmV0"});
    let auths = json!({"auths": {toy.address.to_string(): auth, target.to_string(): auth}});
    fs::write(&file, auths.to_string()).unwrap();
    let settings = Settings { credentials: Some(file), ..impatient() };
    let error = resolve(settings, &toy.reference("web")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(elsewhere.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

/// Returns a toy registry that requires a token, which it also issues.
pub(crate) fn with_tokens(content: Content, want: Option<&'static str>) -> Toy {
    Toy::start(content, move |seen, _| {
        let host = seen.header("host").unwrap();
        if seen.path.starts_with("/token?") {
            let proof = seen.header("authorization");
            return Some(match proof == want {
                true => Answer::new(200).json(&json!({"token": "sesame", "expires_in": 300})),
                false => Answer::new(401).json(&json!({"errors": [{"message": "wrong password"}]})),
            });
        }
        let challenge =
            format!("Bearer realm=\"http://{host}/token\",service=\"toy\",scope=\"repository:web:pull\"");
        let is_open = seen.header("authorization") == Some("Bearer sesame");
        (!is_open).then(|| Answer::new(401).header("WWW-Authenticate", challenge))
    })
}

#[test]
fn an_anonymous_token_is_fetched_once_and_used_again() {
    let toy = with_tokens(some_image(), None);
    let repository = Registry::new(impatient()).repository(&toy.reference("web"));
    let reporter = Reporter::silent();
    wait(async {
        let resolved = repository.resolve(&amd64(), &reporter).await.unwrap();
        repository.config(&resolved.manifest.config, &reporter).await.unwrap();
    });
    assert_eq!(toy.count("/token?service=toy&scope=repository%3Aweb%3Apull"), 1);
    assert_eq!(toy.seen().len(), 4);
}

#[test]
fn who_logs_in_or_out_is_asked_again_who_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    let toy = with_tokens(some_image(), None);
    let registry = Registry::new(Settings { credentials: Some(file.clone()), ..impatient() });
    let tokens = || {
        let repository = registry.repository(&toy.reference("web"));
        wait(repository.resolve(&amd64(), &Reporter::silent())).unwrap();
        toy.count("/token?")
    };
    assert_eq!([tokens(), tokens()], [1, 1]);
    std::fs::write(&file, "{}").unwrap();
    assert_eq!([tokens(), tokens()], [2, 2]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!([tokens(), tokens()], [3, 3]);
}

#[test]
fn credentials_go_to_the_token_server_and_a_wrong_login_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let toy = with_tokens(some_image(), Some("Basic bWU6c2VjcmV0"));
    let with_login = |auth: &str| {
        let file = dir.path().join("config.json");
        let auths = json!({"auths": {toy.address.to_string(): {"auth": auth}}});
        fs::write(&file, auths.to_string()).unwrap();
        Settings { credentials: Some(file), ..impatient() }
    };
    resolve(with_login("bWU6c2VjcmV0"), &toy.reference("web")).unwrap();
    let error = resolve(with_login("eDp5"), &toy.reference("web")).unwrap_err();
    assert_eq!(
        (error.to_string(), error.hint()),
        (
            format!(
                "pull access denied for {}/web, repository does not exist or may require a login: wrong password",
                toy.address
            ),
            Some("check the name and the login".to_owned())
        )
    );
    let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
    assert!(error.hint().unwrap().contains("add a login for"), "{:?}", error.hint());
}

#[test]
fn a_token_server_in_the_open_is_refused() {
    for (realm, told) in [
        ("http://token.test/", "its token server is not encrypted"),
        ("ftp://token.test/", "its token server is not encrypted"),
        ("no url", "its token server's address is not a URL"),
    ] {
        let challenge = move |_: &Seen, _: &Content| {
            Some(Answer::new(401).header("WWW-Authenticate", format!("Bearer realm=\"{realm}\"")))
        };
        let toy = Toy::start(Content::default(), challenge);
        let error = resolve(impatient(), &toy.reference("web")).unwrap_err();
        assert!(error.to_string().ends_with(told), "want `{told}`: {error}");
    }
}

#[test]
fn a_mirror_that_fails_is_passed_over() {
    let good = Toy::honest(some_image());
    let bad = Toy::start(some_image(), |_, _| Some(Answer::new(500)));
    let mirrors = [
        "http://127.0.0.1:1".to_owned(),
        format!("http://{}", bad.address),
        format!("http://{}", good.address),
    ];
    let settings =
        Settings { mirrors: mirrors.iter().map(|url| url.parse().unwrap()).collect(), ..impatient() };
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = notes.clone();
    let reporter = Reporter::new(move |news| {
        if let Progress::Note(note) = news {
            sink.lock().unwrap().push(note);
        }
    });
    let repository = Registry::new(settings).repository(&"web".parse().unwrap());
    wait(async {
        let resolved = repository.resolve(&amd64(), &reporter).await.unwrap();
        repository.config(&resolved.manifest.config, &reporter).await.unwrap();
    });
    assert_eq!(notes.lock().unwrap().len(), 2, "each failing mirror is told of, and left for good");
    assert_eq!(good.count("/v2/library/web/manifests/latest"), 1);
    assert_eq!((bad.seen().len(), good.seen().len()), (2, 2));
}

#[test]
fn a_manifest_and_its_type_are_kept_as_they_came() {
    let toy = Toy::honest(some_image());
    let resolved = resolve(impatient(), &toy.reference("web")).unwrap();
    assert_eq!(resolved.documents[0].media_type, OCI_MANIFEST);
    assert_eq!(Digest::of(&resolved.documents[0].bytes), resolved.target);
}

#[test]
fn a_proxy_is_asked_but_for_the_exceptions() {
    let toy = Toy::honest(some_image());
    let url = Some(format!("http://{}", toy.address));
    let except = Some("127.0.0.1".to_owned());
    let mut settings = impatient();
    settings.insecure = vec!["registry.test".parse().unwrap()];
    settings.proxies = Proxies { http: url.clone(), https: url, except };
    resolve(settings.clone(), &"registry.test/web".parse().unwrap()).unwrap();
    let seen = toy.seen();
    assert_eq!((&*seen[0].method, &*seen[0].path), ("CONNECT", "registry.test:443"));
    assert_eq!(seen[1].path, "http://registry.test/v2/web/manifests/latest");

    let direct = Toy::honest(some_image());
    resolve(settings, &direct.reference("web")).unwrap();
    assert_eq!((direct.seen().len(), toy.seen().len()), (1, 2));
}
