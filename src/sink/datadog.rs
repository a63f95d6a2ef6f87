//! Datadog's logs intake: `POST /api/v2/logs` with the batch's bytes as they were sealed.
//!
//! | status | outcome |
//! |---|---|
//! | 2xx | delivered, as soon as the response's head is complete |
//! | 408, 429, 5xx, network, timeout | retry without end, `Retry-After` honoured |
//! | 413 | split |
//! | 400 | poison: bisect |
//! | 401, 403 | the key is read again; changed: one more attempt, else held |
//! | 415 | another encoding, else held |
//! | other 4xx, 3xx | held; a redirect is never followed |
//!
//! Encodings: the first 400 or 415 to zstd before any zstd body was taken is ambiguous, so the same records
//! go as gzip once. Taken: gzip it stays. Refused with 400 again: it was not the encoding, the batch is
//! poison and the next one goes as zstd again.

use super::contract::{Outcome, Reason, Sink};
use super::http::{self, ClientError, ClientSettings, ProxyChoice, Timeouts};
use super::key::{ApiKey, KeySource};
use super::requests::Requests;
use crate::batch::{Batch, Encoding, reseal};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use reqwest::{Client, Url};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

const PATH: &str = "/api/v2/logs";
const KEY: HeaderName = HeaderName::from_static("dd-api-key");
const ORIGIN: HeaderName = HeaderName::from_static("dd-evp-origin");
const ORIGIN_VERSION: HeaderName = HeaderName::from_static("dd-evp-origin-version");

/// Where and how to deliver.
#[derive(Clone)]
pub struct Settings {
    /// Scheme, host and port, such as `https://http-intake.logs.datadoghq.eu`; the path is appended.
    pub origin: Url,
    /// Where the API key comes from.
    pub key: KeySource,
    /// Certificates trusted beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Proxy; never used for loopback.
    pub proxy: ProxyChoice,
    /// Bounds of one request.
    pub timeouts: Timeouts,
}

/// The sink. Clones share connections and counters, and learn about keys and encodings each for itself.
#[derive(Clone)]
pub struct Datadog {
    client: Client,
    url: Url,
    source: KeySource,
    /// None until the key could be read.
    key: Option<ApiKey>,
    /// A zstd body was taken: a later 400 is about the records.
    zstd_taken: bool,
    /// zstd was refused and gzip taken.
    gzip_only: bool,
    /// What the last failed attempt said; without record text and without the key.
    last_error: Option<String>,
    requests: Arc<Requests>,
    timeouts: Timeouts,
}

/// What one request came back with.
enum Answer {
    Status(u16, Option<std::time::Duration>),
    Network,
}

impl Datadog {
    /// Builds the client. A key that cannot be read yet does not fail: delivery is held until it can.
    ///
    /// # Errors
    /// [`ClientError`] names the setting at fault.
    pub fn new(settings: Settings) -> Result<Datadog, ClientError> {
        let client = http::client(&ClientSettings {
            origin: settings.origin.clone(),
            ca_file: settings.ca_file,
            proxy: settings.proxy,
            timeouts: settings.timeouts,
        })?;
        let mut url = settings.origin;
        url.set_path(PATH);
        url.set_query(None);
        let key = settings.key.read().ok();
        Ok(Datadog {
            client,
            url,
            source: settings.key,
            key,
            zstd_taken: false,
            gzip_only: false,
            last_error: None,
            requests: Arc::default(),
            timeouts: settings.timeouts,
        })
    }

    /// Counts its requests there from now on.
    #[must_use]
    pub fn counting(self, requests: Arc<Requests>) -> Datadog {
        Datadog { requests, ..self }
    }

    /// The host that takes or refuses, for messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Sends under the current key; a refused key is read again and, when it changed, tried once.
    async fn send(&mut self, body: &[u8], encoding: Encoding) -> Outcome {
        if self.key.is_none() && !self.reread_key() {
            return Outcome::Held(Reason::KeyUnreadable);
        }
        let mut answer = self.request(body, encoding).await;
        if matches!(answer, Answer::Status(401 | 403, _)) && self.reread_key() {
            answer = self.request(body, encoding).await;
        }
        match answer {
            Answer::Network => Outcome::Retry(None),
            Answer::Status(status, wait) => outcome(status, wait),
        }
    }

    async fn request(&mut self, body: &[u8], encoding: Encoding) -> Answer {
        let Some(key) = &self.key else { return Answer::Network };
        let mut request = self
            .client
            .post(self.url.clone())
            .timeout(self.timeouts.of_request(body.len()))
            .header(KEY, key.header())
            .header(CONTENT_TYPE, "application/json")
            .header(ORIGIN, "logveil")
            .header(ORIGIN_VERSION, env!("CARGO_PKG_VERSION"));
        if let Some(name) = encoding_name(encoding) {
            request = request.header(CONTENT_ENCODING, name);
        }
        let begun = Instant::now();
        let sent = request.body(body.to_vec()).send().await;
        let status = sent.as_ref().ok().map(|response| response.status().as_u16());
        self.requests.note(status, encoding, body.len(), begun.elapsed());
        match sent {
            Ok(response) => {
                let status = response.status().as_u16();
                let wait = http::retry_after(response.headers(), SystemTime::now());
                http::drain(response).await;
                self.last_error = (!(200..300).contains(&status)).then(|| format!("status {status}"));
                Answer::Status(status, wait)
            }
            Err(error) => {
                self.last_error = Some(http::chain(&error.without_url()));
                Answer::Network
            }
        }
    }

    /// True when the source holds a key and it is another one than before.
    fn reread_key(&mut self) -> bool {
        let read = self.source.read();
        if let Err(error) = &read {
            self.last_error = Some(format!("API key: {error}"));
        }
        match read {
            Ok(key) if self.key.as_ref() != Some(&key) => {
                self.key = Some(key);
                true
            }
            _ => false,
        }
    }

    async fn send_re_encoded(&mut self, batch: &Batch, encoding: Encoding) -> Outcome {
        match reseal::re_encode(batch, encoding) {
            Ok(other) => self.send(other.body(), encoding).await,
            // A body that does not open is no body the intake can read either: let it be isolated.
            Err(_) => Outcome::Poison,
        }
    }

    /// zstd was refused; the encoding may be the reason.
    async fn fall_back(&mut self, batch: &Batch, refused: Outcome) -> Outcome {
        match self.send_re_encoded(batch, Encoding::Gzip).await {
            Outcome::Delivered => {
                self.gzip_only = true;
                Outcome::Delivered
            }
            Outcome::Poison | Outcome::Held(Reason::Misconfigured(415)) => refused,
            other => other,
        }
    }
}

impl Sink for Datadog {
    async fn deliver(&mut self, batch: &Batch) -> Outcome {
        let encoding = batch.header.encoding;
        if encoding != Encoding::Zstd {
            return self.send(batch.body(), encoding).await;
        }
        if self.gzip_only {
            return self.send_re_encoded(batch, Encoding::Gzip).await;
        }
        let outcome = self.send(batch.body(), encoding).await;
        match &outcome {
            Outcome::Delivered => self.zstd_taken = true,
            Outcome::Poison if !self.zstd_taken => return self.fall_back(batch, outcome).await,
            Outcome::Held(Reason::Misconfigured(415)) => return self.fall_back(batch, outcome).await,
            _ => {}
        }
        outcome
    }

    /// Reads the key again and posts `{}`, the intake's own form of a probe.
    async fn probe(&mut self) -> Outcome {
        self.reread_key();
        self.send(b"{}", Encoding::None).await
    }

    fn prefers_gzip(&self) -> bool {
        self.gzip_only
    }

    fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

fn outcome(status: u16, wait: Option<std::time::Duration>) -> Outcome {
    match status {
        200..300 => Outcome::Delivered,
        408 | 429 | 500.. => Outcome::Retry(wait),
        413 => Outcome::Split,
        400 => Outcome::Poison,
        401 | 403 => Outcome::Held(Reason::KeyRefused(status)),
        _ => Outcome::Held(Reason::Misconfigured(status)),
    }
}

fn encoding_name(encoding: Encoding) -> Option<&'static str> {
    match encoding {
        Encoding::Zstd => Some("zstd"),
        Encoding::Gzip => Some("gzip"),
        Encoding::None => None,
    }
}
