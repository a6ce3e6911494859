//! The one HTTP client beneath all providers: bounded in time and size, patient with a busy account, careful with what
//! is not safe to repeat, and silent about credentials. It knows no envelope and no resource.
//!
//! What is repeated: reads, after a failure that may pass; writes, only when nothing can have been done: the connection
//! was never made, or the server said 429. Every other lost answer is [`Failure::Lost`], and the caller looks first.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, redirect, retry};
use tokio::time::Instant;
use url::Url;

use crate::base::secret::{Secret, scrub};
use crate::base::text;
use crate::provider::{ProviderError, Stop};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause that is obeyed. Cloudflare's whole window is five minutes; more is for a person to decide.
const LONGEST_PAUSE: Duration = Duration::from_secs(330);
/// The largest answer that is read, in bytes: a page of 5,000 records takes about 3 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// How often a request is made at most.
pub const ATTEMPTS: u32 = 4;
/// The first pause before trying again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A whole answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// All of the body.
    pub body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent, so nothing was done.
    #[error("{0}")]
    NotSent(String),
    /// It was sent, and what became of it is not known.
    #[error("{0}")]
    Lost(String),
}

/// How a service wants to be shown the credential. Either way it is a header that no log and no error shows.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    /// `Authorization: Bearer …`.
    Bearer(&'a Secret),
    /// A header of the service's own, by its name in lower case.
    Header(&'static str, &'a Secret),
    /// None is asked for.
    Nothing,
}

/// A client for one account at one service.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    base: Url,
    /// None where a server asks for no credential.
    credential: Option<(HeaderName, HeaderValue)>,
    pause: Mutex<Option<Instant>>,
    stop: Stop,
    sent: AtomicUsize,
    granted: AtomicU32,
}

/// Reads an API's base address: HTTPS, or HTTP on loopback, without a user, a query or a fragment in it.
pub fn base_url(text: &str) -> Result<Url, ProviderError> {
    let refuse = |why: &str| {
        let shown = text::sanitize(text);
        ProviderError::new(
            "bad-base-url",
            format!("`{}` cannot be an API's address: {why}", scrub(&shown)),
        )
        .help("write https://HOST/PATH; plain http:// only for a server on this machine")
    };
    let mut url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Not shown: it may hold a credential.
        return Err(ProviderError::new(
            "bad-base-url",
            "an API's address holds no user and no password",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it ends with a query or a fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(refuse("a credential would go over the network unencrypted")),
        _ => return Err(refuse("only https:// is spoken")),
    }
    // A base without the final slash would lose its last segment when paths are joined to it.
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The header that shows a credential.
fn header_of(credential: Credential<'_>) -> Result<Option<(HeaderName, HeaderValue)>, ProviderError> {
    let (name, value) = match credential {
        Credential::Nothing => return Ok(None),
        Credential::Bearer(token) => (
            AUTHORIZATION,
            HeaderValue::from_str(&format!("Bearer {}", token.expose())),
        ),
        Credential::Header(name, token) => (HeaderName::from_static(name), HeaderValue::from_str(token.expose())),
    };
    let mut value = value
        .map_err(|_| ProviderError::new("no-credential", "the token holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

impl Http {
    /// A client that sends the credential to the host of `base` and to no other.
    pub fn new(base: Url, credential: Credential<'_>, timeout: Duration) -> Result<Self, ProviderError> {
        // Installed once a process; a second time changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let credential = header_of(credential)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("launchctl/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the request, if not the credential, to a host that nobody named.
            .redirect(redirect::Policy::none())
            // reqwest repeats some requests by itself; the journal would then not tell the truth.
            .retry(retry::never())
            .https_only(!is_loopback(&base))
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            ProviderError::new(
                "http-client",
                format!("the HTTP client could not be set up: {}", causes(&error)),
            )
        })?;
        Ok(Self {
            client,
            base,
            credential,
            pause: Mutex::new(None),
            stop: Stop::new(),
            sent: AtomicUsize::new(0),
            granted: AtomicU32::new(0),
        })
    }

    /// Heeds a wish to stop: a pause that the service asks for can be minutes long, and ends with it.
    #[must_use]
    pub fn heeding(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// The service's host, for messages.
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// How many requests were made.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Reads: repeated after every failure that may pass.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.attempt(&Method::GET, path, None, |outcome| match outcome {
            Ok(reply) => matches!(reply.status, 408 | 425 | 429 | 500..=599),
            Err(_) => true,
        })
        .await
    }

    /// Writes: repeated only when nothing can have been done.
    pub async fn write(&self, method: &Method, path: &str, body: &serde_json::Value) -> Result<Reply, Failure> {
        self.attempt(method, path, Some(body), |outcome| match outcome {
            Ok(reply) => reply.status == 429,
            Err(failure) => matches!(failure, Failure::NotSent(_)),
        })
        .await
    }

    /// Writes once, without waiting and without another try: for one who looks, before every attempt, whether it may
    /// still be made. A pause that the server asks for holds for whoever comes next.
    pub async fn write_once(&self, method: &Method, path: &str, body: &serde_json::Value) -> Result<Reply, Failure> {
        let (outcome, asked) = self.once(method, path, Some(body)).await;
        if let Some(pause) = asked.filter(|pause| *pause <= LONGEST_PAUSE) {
            self.pause_the_account(pause);
        }
        outcome
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
        again: impl Fn(&Result<Reply, Failure>) -> bool + Send,
    ) -> Result<Reply, Failure> {
        let mut attempt = 1;
        loop {
            self.wait_for_the_account().await?;
            let (outcome, asked) = self.once(method, path, body).await;
            if attempt == ATTEMPTS || !again(&outcome) {
                return outcome;
            }
            match asked {
                Some(pause) if pause > LONGEST_PAUSE => return outcome,
                Some(pause) => self.pause_the_account(pause),
                None => tokio::time::sleep(backoff(attempt)).await,
            }
            tracing::info!(
                "{method} {path} did not get through: trying again (attempt {})",
                attempt + 1
            );
            attempt += 1;
        }
    }

    /// One request, and how long the server asked to be left alone.
    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> (Result<Reply, Failure>, Option<Duration>) {
        let url = match self.base.join(path) {
            Ok(url) if url.host() == self.base.host() && url.port() == self.base.port() => url,
            _ => {
                return (
                    Err(Failure::NotSent(format!("`{path}` leads away from {}", self.host()))),
                    None,
                );
            }
        };
        let mut request = self.client.request(method.clone(), url);
        if let Some((name, value)) = &self.credential {
            request = request.header(name.clone(), value.clone());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let answer = request.send().await;
        let outcome = match answer {
            Err(error) if error.is_connect() => (
                Err(Failure::NotSent(format!(
                    "{} could not be reached: {}",
                    self.host(),
                    causes(&error)
                ))),
                None,
            ),
            Err(error) => (Err(Failure::Lost(self.lost(&error))), None),
            Ok(response) => {
                self.note_what_is_granted(response.headers());
                let asked = asked_pause(response.status().as_u16(), response.headers());
                if response.status() != 429
                    && let Some(pause) = asked
                {
                    self.pause_the_account(pause.min(LONGEST_PAUSE));
                }
                (self.whole(response).await, asked)
            }
        };
        let elapsed = started.elapsed();
        match &outcome.0 {
            Ok(reply) => tracing::debug!(%method, path, status = reply.status, ?elapsed, bytes = reply.body.len()),
            Err(failure) => tracing::debug!(%method, path, %failure, ?elapsed),
        }
        outcome
    }

    /// Reads a body to its end, within bounds.
    async fn whole(&self, mut response: reqwest::Response) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER => {
                    let most = MAX_ANSWER / (1024 * 1024);
                    return Err(Failure::Lost(format!(
                        "{} answered with more than {most} MiB",
                        self.host()
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Reply { status, body }),
                Err(error) => return Err(Failure::Lost(self.lost(&error))),
            }
        }
    }

    fn lost(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            format!("{} did not answer in time", self.host())
        } else if error.is_body() || error.is_decode() {
            format!("the answer of {} was cut off: {}", self.host(), causes(error))
        } else {
            format!(
                "the connection to {} broke before the answer: {}",
                self.host(),
                causes(error)
            )
        }
    }

    fn note_what_is_granted(&self, headers: &HeaderMap) {
        let limit = headers.get("x-ratelimit-limit").and_then(|value| value.to_str().ok());
        if let Some(limit) = limit.and_then(|value| value.trim().parse().ok()) {
            self.granted.store(limit, Ordering::Relaxed);
        }
    }

    /// How many requests a minute the server grants, when it has told (`X-RateLimit-Limit`).
    pub fn granted_a_minute(&self) -> Option<u32> {
        match self.granted.load(Ordering::Relaxed) {
            0 => None,
            granted => Some(granted),
        }
    }

    /// Nobody on this account makes a request before the pause is over: a 429 counts against all of them.
    /// A wish to stop ends the wait, and the request is then not made.
    async fn wait_for_the_account(&self) -> Result<(), Failure> {
        loop {
            let until = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(until) = until.filter(|until| *until > Instant::now()) else {
                return Ok(());
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = self.stop.asked() => {
                    let words = format!("stopped while {} asked to wait", self.host());
                    return Err(Failure::NotSent(words));
                }
            }
        }
    }

    fn pause_the_account(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut current = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_none_or(|known| known < until) {
            if pause >= Duration::from_secs(1) {
                tracing::warn!(
                    "{} asks to wait {} seconds before the next request",
                    self.host(),
                    pause.as_secs()
                );
            }
            *current = Some(until);
        }
    }
}

/// How long the server wants to be left alone: `Retry-After` in seconds on a refusal, or a budget that is used up
/// (`Ratelimit: "default";r=0;t=30`).
fn asked_pause(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if matches!(status, 429 | 503)
        && let Some(seconds) = text("retry-after").and_then(|value| value.trim().parse::<u64>().ok())
    {
        return Some(Duration::from_secs(seconds));
    }
    if text("x-ratelimit-remaining").and_then(|left| left.trim().parse::<u64>().ok()) == Some(0) {
        let reset = text("x-ratelimit-reset").and_then(|value| value.trim().parse::<u64>().ok());
        return Some(Duration::from_secs(until_reset(reset.unwrap_or(1))));
    }
    let budget = text("ratelimit")?;
    let field = |name: &str| {
        budget
            .split(';')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse::<u64>().ok())
    };
    (field("r") == Some(0)).then(|| Duration::from_secs(field("t").unwrap_or(1)))
}

/// A reset is told in seconds, or as a point in time (seconds since 1970), which is then a large number.
fn until_reset(reset: u64) -> u64 {
    const POINT_IN_TIME: u64 = 1_000_000_000;
    if reset < POINT_IN_TIME {
        return reset;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    reset.saturating_sub(now.map_or(reset, |now| now.as_secs()))
}

/// A pause that doubles, with up to half of it left to chance, so that many clients do not come back at once.
pub fn backoff(attempt: u32) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let pause = FIRST_PAUSE * 2_u32.pow(attempt.saturating_sub(1).min(5));
    // The hasher's keys are random: enough for jitter, and no generator to carry about.
    let chance = u32::try_from(RandomState::new().hash_one(attempt) % 512).unwrap_or_default();
    pause + pause * chance / 1024
}

/// An error with all that lies beneath it, without the address (it is said elsewhere) and without any credential.
fn causes(error: &dyn std::error::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut current = error.source();
    while let Some(cause) = current {
        let said = cause.to_string();
        if words.last().is_none_or(|last| !last.contains(&said)) {
            words.push(said);
        }
        current = cause.source();
    }
    let joined = if words.is_empty() {
        "no reason given".to_owned()
    } else {
        words.join(": ")
    };
    scrub(&text::sanitize(&joined)).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_credential_goes_over_tls_or_to_this_machine() {
        for good in [
            "https://api.example/client/v4",
            "http://127.0.0.1:8080/client/v4/",
            "http://[::1]:1/",
            "http://localhost:9/x",
        ] {
            assert!(base_url(good).unwrap().path().ends_with('/'), "{good}");
        }
        for (bad, why) in [
            ("http://api.example/", "unencrypted"),
            ("http://127.0.0.1.evil.example/", "unencrypted"),
            ("ftp://api.example/", "https"),
            ("https://user:canary@api.example/", "no user"),
            ("https://api.example/?x=1", "query"),
            ("nonsense", "relative URL"),
        ] {
            let error = base_url(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    /// A server that answers every request in one way, and counts them.
    fn server(answer: String) -> (std::net::SocketAddr, std::sync::Arc<AtomicUsize>) {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = std::sync::Arc::clone(&calls);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (address, calls)
    }

    #[tokio::test]
    async fn a_credential_goes_to_nobody_to_whom_a_link_or_a_redirect_leads() {
        let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        let (away, calls) = server(format!("HTTP/1.1 200 OK\r\n{end}"));
        let (home, _) = server(format!("HTTP/1.1 302 Found\r\nLocation: http://{away}/\r\n{end}"));
        let token = crate::base::secret::Secret::new("canary-for-home");
        let base = base_url(&format!("http://{home}/v3")).unwrap();
        let http = Http::new(base, Credential::Bearer(&token), Duration::from_secs(20)).unwrap();
        let linked = http.get(&format!("http://{away}/v3/monitors?cursor=1")).await;
        assert!(
            matches!(&linked, Err(Failure::NotSent(words)) if words.contains("leads away")),
            "the next page of a list may be said to be anywhere"
        );
        assert_eq!(http.get("monitors").await.unwrap().status, 302);
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_server_is_left_alone_as_long_as_it_asks() {
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )])
        };
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(asked_pause(429, &headers("retry-after", "7")), seconds(7));
        assert_eq!(asked_pause(200, &headers("retry-after", "7")), None);
        assert_eq!(
            asked_pause(200, &headers("ratelimit", "\"default\";r=0;t=30")),
            seconds(30)
        );
        assert_eq!(asked_pause(200, &headers("ratelimit", "\"default\";r=5;t=30")), None);
        assert_eq!(asked_pause(429, &headers("retry-after", "soon")), None);
    }

    #[test]
    fn a_budget_that_is_used_up_ends_in_seconds_or_at_a_point_in_time() {
        let budget = |left: u64, reset: u64| {
            HeaderMap::from_iter([
                (
                    reqwest::header::HeaderName::from_static("x-ratelimit-remaining"),
                    HeaderValue::from(left),
                ),
                (
                    reqwest::header::HeaderName::from_static("x-ratelimit-reset"),
                    HeaderValue::from(reset),
                ),
            ])
        };
        assert_eq!(asked_pause(200, &budget(0, 30)), Some(Duration::from_secs(30)));
        assert_eq!(asked_pause(200, &budget(1, 30)), None);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let pause = asked_pause(200, &budget(0, now.unwrap().as_secs() + 30)).unwrap();
        assert!((20..=30).contains(&pause.as_secs()), "{pause:?}");
    }

    #[test]
    fn pauses_double_and_differ() {
        let pauses: Vec<Duration> = (0..32).map(|_| backoff(3)).collect();
        assert!(
            pauses
                .iter()
                .all(|pause| *pause >= FIRST_PAUSE * 4 && *pause < FIRST_PAUSE * 6),
            "{pauses:?}"
        );
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
