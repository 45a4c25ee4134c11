//! Answers authentication challenges, and caches the resulting tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Response, Url};
use serde::Deserialize;

use super::auth::{self, Challenge, Credentials, Found};
use super::error::{Error, Login, Result};
use super::http::{Http, Request};
use super::repository::refusal;
use super::settings::{Endpoint, authority};
use super::stamp::Stamp;
use crate::base::progress::Reporter;
use crate::oci::Reference;

/// The maximum size of a token server's response in bytes.
const MAX_TOKEN: u64 = 1 << 20;
/// The validity of tokens without `expires_in`.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// Authorizations by endpoint and repository.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<(Url, String), Proof>>);

/// An `Authorization` header for one repository at one endpoint.
struct Proof {
    header: HeaderValue,
    until: Option<Instant>,
    sent: Login,
    /// The credentials file it was obtained with.
    stamp: Stamp,
}

impl std::fmt::Debug for Proof {
    /// Omits the header, which is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl Logins {
    /// Returns the cached headers for `reference` at `endpoint`, if any.
    pub(super) fn headers(&self, http: &Http, endpoint: &Endpoint, reference: &Reference) -> HeaderMap {
        let mut proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (endpoint.base.clone(), reference.repository().to_owned());
        let is_good = |proof: &Proof| {
            proof.until.is_none_or(|until| until > Instant::now()) && proof.stamp == stamp(http)
        };
        if proofs.get(&key).is_some_and(|proof| !is_good(proof)) {
            proofs.remove(&key);
        }
        proofs.get(&key).map(|proof| (AUTHORIZATION, proof.header.clone())).into_iter().collect()
    }

    /// Returns the kind of login used for these headers.
    pub(super) fn sent(&self, endpoint: &Endpoint, reference: &Reference) -> Login {
        let proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (endpoint.base.clone(), reference.repository().to_owned());
        proofs.get(&key).map_or(Login::None, |proof| proof.sent)
    }

    /// Answers the challenge in `response` from `endpoint`.
    pub(super) async fn answer(
        &self,
        http: &Http,
        endpoint: &Endpoint,
        reference: &Reference,
        response: &Response,
        reporter: &Reporter,
    ) -> Result<()> {
        let host = authority(&endpoint.base);
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let Some(challenge) = auth::challenge(headers.filter_map(|value| value.to_str().ok())) else {
            return Err(Error::Challenge { host, why: "neither with a password nor with a token" });
        };
        let stamp = stamp(http); // before reading the file
        // A mirror has its own credentials, and must not get those of `docker.io`.
        let Found { credentials, login, warning } = auth::find(http.settings.credentials.as_deref(), &host);
        warning.into_iter().for_each(|warning| reporter.warn(warning));
        let (header, until) = match (challenge, credentials) {
            (Challenge::Basic, Some(Credentials::Basic(basic))) => (format!("Basic {basic}"), None),
            (Challenge::Basic, _) => {
                let repository = reference.familiar_name();
                return Err(Error::Denied { host, repository, message: None, login });
            }
            (Challenge::Bearer { .. }, Some(Credentials::Registry(token))) => {
                (format!("Bearer {token}"), None)
            }
            (Challenge::Bearer { realm, service, scope }, credentials) => {
                let realm = realm_url(http, endpoint, &realm)?;
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", reference.repository()));
                let request = token_request(realm, service.as_deref(), &scope, credentials.as_ref())?;
                let token = fetch_token(http, &request, reference, login, reporter).await?;
                let life = token.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
                let token = if token.token.is_empty() { token.access_token } else { token.token };
                (format!("Bearer {token}"), Instant::now().checked_add(life))
            }
        };
        let proof = Proof { header: secret(&header)?, until, sent: login, stamp };
        let key = (endpoint.base.clone(), reference.repository().to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, proof);
        Ok(())
    }
}

fn stamp(http: &Http) -> Stamp {
    Stamp::of(http.settings.credentials.clone())
}

/// Returns the URL of a token server that may receive credentials: it must use https, unless both
/// the registry and the token server may use plain http.
fn realm_url(http: &Http, endpoint: &Endpoint, realm: &str) -> Result<Url> {
    let refuse = |why| Error::Challenge { host: authority(&endpoint.base), why };
    let url = Url::parse(realm).map_err(|_| refuse("its token server's address is not a URL"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if endpoint.base.scheme() == "http" && http.settings.may_be_plain(&authority(&url)) => Ok(url),
        _ => Err(refuse("its token server is not encrypted")),
    }
}

fn token_request(
    mut realm: Url,
    service: Option<&str>,
    scope: &str,
    credentials: Option<&Credentials>,
) -> Result<Request> {
    if let Some(Credentials::Identity(refresh)) = credentials {
        let mut form = Url::clone(&realm);
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "hoist")
            .append_pair("service", service.unwrap_or_default())
            .append_pair("scope", scope)
            .append_pair("refresh_token", refresh);
        let form = form.query().map(str::to_owned);
        return Ok(Request { method: reqwest::Method::POST, form, ..Request::get(realm) });
    }
    if let Some(service) = service {
        realm.query_pairs_mut().append_pair("service", service);
    }
    realm.query_pairs_mut().append_pair("scope", scope);
    let mut request = Request::get(realm);
    if let Some(Credentials::Basic(basic)) = credentials {
        request.secrets.insert(AUTHORIZATION, secret(&format!("Basic {basic}"))?);
    }
    Ok(request)
}

async fn fetch_token(
    http: &Http,
    request: &Request,
    reference: &Reference,
    login: Login,
    reporter: &Reporter,
) -> Result<Token> {
    let response = http.send(request, reporter).await?;
    if !response.status().is_success() {
        return Err(refusal(http, response, reference, login, "token", reporter).await);
    }
    let malformed = |why: &str| Error::Malformed { what: "token", why: why.to_owned() };
    let bytes = http.read(response, "token", MAX_TOKEN, reporter).await?;
    // The parser's error might quote part of the token.
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| malformed("it is invalid"))?;
    if token.token.is_empty() && token.access_token.is_empty() {
        return Err(malformed("it is empty"));
    }
    Ok(token)
}

/// Returns a header value that is never printed.
fn secret(text: &str) -> Result<HeaderValue> {
    let why = "it contains characters that are not allowed in a header";
    let mut value =
        HeaderValue::from_str(text).map_err(|_| Error::Malformed { what: "login", why: why.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}
