//! The site's configuration API: which indexes there are, in which order, and what else keeps copies.
//!
//! For commands only, never for the agent: it needs an application key beside the API key. Answers are
//! read up to 4 MiB; every refusal says which permission or limit it is.

use super::http::{self, ClientError, ClientSettings, ProxyChoice, Timeouts};
use super::key::ApiKey;
use crate::retention::{Archive, Index};
use reqwest::header::HeaderName;
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;

const API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const APPLICATION_KEY: HeaderName = HeaderName::from_static("dd-application-key");
const INDEXES: &str = "/api/v1/logs/config/indexes";
const ORDER: &str = "/api/v1/logs/config/index-order";
const ARCHIVES: &str = "/api/v2/logs/config/archives";
const DESTINATIONS: &str = "/api/v2/logs/config/custom-destinations";
const VALIDATE: &str = "/api/v1/validate";
/// Longest answer read, bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How to reach a site's API.
pub struct SiteSettings {
    /// Scheme, host and port, such as `https://api.datadoghq.eu`.
    pub origin: Url,
    /// Key of the organisation.
    pub api_key: ApiKey,
    /// Key of the person who asks; absent for [`SiteApi::validate`] alone.
    pub application_key: Option<ApiKey>,
    /// Certificates trusted beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Proxy; never used for loopback.
    pub proxy: ProxyChoice,
}

/// The API of one site.
pub struct SiteApi {
    client: Client,
    settings: SiteSettings,
}

/// Why the API did not answer what was asked.
#[derive(Debug)]
pub enum SiteError {
    /// No answer at all.
    Unreachable(String),
    /// 401 or 403: a key is wrong, of another site, or lacks the permission named.
    Forbidden {
        /// Host that refused.
        host: String,
        /// Status answered.
        status: u16,
        /// What the application key needs.
        permission: &'static str,
    },
    /// 404: this site does not have what was asked for.
    Missing(&'static str),
    /// 422: a limit of the organisation.
    Limit(String),
    /// 429: too many calls.
    Throttled(Option<std::time::Duration>),
    /// Any other status.
    Status(u16, String),
    /// The answer is not what the contract says.
    Answer(&'static str, String),
}

impl SiteApi {
    /// Builds the client.
    ///
    /// # Errors
    /// [`ClientError`] names the setting at fault.
    pub fn new(settings: SiteSettings) -> Result<SiteApi, ClientError> {
        let client = http::client(&ClientSettings {
            origin: settings.origin.clone(),
            ca_file: settings.ca_file.clone(),
            proxy: settings.proxy.clone(),
            timeouts: Timeouts::default(),
        })?;
        Ok(SiteApi { client, settings })
    }

    /// Whether the site knows the API key.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn validate(&self) -> Result<(), SiteError> {
        self.call(Method::GET, VALIDATE, None, "a key of this site").await.map(drop)
    }

    /// All indexes in the order in which they are asked.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn indexes_in_order(&self) -> Result<Vec<Index>, SiteError> {
        #[derive(Deserialize)]
        struct Answer {
            indexes: Vec<Index>,
        }
        let answer = self.call(Method::GET, INDEXES, None, "logs_read_config").await?;
        let Answer { mut indexes } = parsed(INDEXES, answer)?;
        let order = self.order().await?;
        let place = |index: &Index| order.iter().position(|name| *name == index.name).unwrap_or(usize::MAX);
        indexes.sort_by_key(place);
        Ok(indexes)
    }

    /// Names of the indexes in order.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn order(&self) -> Result<Vec<String>, SiteError> {
        #[derive(Deserialize)]
        struct Answer {
            index_names: Vec<String>,
        }
        let answer = self.call(Method::GET, ORDER, None, "logs_read_config").await?;
        Ok(parsed::<Answer>(ORDER, answer)?.index_names)
    }

    /// Archives and forwarding targets. A site without them answers 404: then there are none.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn copies(&self) -> Result<Vec<Archive>, SiteError> {
        let mut copies = Vec::new();
        for path in [ARCHIVES, DESTINATIONS] {
            match self.call(Method::GET, path, None, "logs_read_archives").await {
                Ok(answer) => copies.extend(named_queries(&answer)),
                Err(SiteError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(copies)
    }

    /// Creates an index.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn create_index(&self, body: &Value) -> Result<(), SiteError> {
        self.call(Method::POST, INDEXES, Some(body), "logs_modify_indexes").await.map(drop)
    }

    /// Sets the order of all indexes.
    ///
    /// # Errors
    /// [`SiteError`].
    pub async fn set_order(&self, body: &Value) -> Result<(), SiteError> {
        self.call(Method::PUT, ORDER, Some(body), "logs_modify_indexes").await.map(drop)
    }

    async fn call(
        &self,
        method: Method,
        path: &'static str,
        body: Option<&Value>,
        permission: &'static str,
    ) -> Result<Value, SiteError> {
        let mut url = self.settings.origin.clone();
        url.set_path(path);
        let mut request = self.client.request(method, url).header(API_KEY, self.settings.api_key.header());
        if let Some(key) = &self.settings.application_key {
            request = request.header(APPLICATION_KEY, key.header());
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response =
            request.send().await.map_err(|error| SiteError::Unreachable(http::chain(&error.without_url())))?;
        let status = response.status().as_u16();
        let wait = http::retry_after(response.headers(), std::time::SystemTime::now());
        let text = read_bounded(response).await?;
        match status {
            200..=299 => serde_json::from_slice(&text).map_err(|error| SiteError::Answer(path, error.to_string())),
            401 | 403 => Err(SiteError::Forbidden { host: self.host(), status, permission }),
            404 => Err(SiteError::Missing(path)),
            422 => Err(SiteError::Limit(message(&text))),
            429 => Err(SiteError::Throttled(wait)),
            other => Err(SiteError::Status(other, message(&text))),
        }
    }

    fn host(&self) -> String {
        self.settings.origin.host_str().unwrap_or_default().to_owned()
    }
}

async fn read_bounded(mut response: reqwest::Response) -> Result<Vec<u8>, SiteError> {
    let mut text = Vec::new();
    loop {
        let part = response.chunk().await.map_err(|error| SiteError::Unreachable(http::chain(&error.without_url())))?;
        let Some(part) = part else { return Ok(text) };
        if text.len() + part.len() > MAX_ANSWER {
            return Err(SiteError::Answer("any", format!("longer than {MAX_ANSWER} bytes")));
        }
        text.extend_from_slice(&part);
    }
}

fn parsed<T: serde::de::DeserializeOwned>(path: &'static str, answer: Value) -> Result<T, SiteError> {
    serde_json::from_value(answer).map_err(|error| SiteError::Answer(path, error.to_string()))
}

/// `data[].attributes.{name, query}` of archives and destinations.
fn named_queries(answer: &Value) -> Vec<Archive> {
    let entries = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            let text = |key: &str| entry["attributes"][key].as_str().unwrap_or_default().to_owned();
            Archive { name: text("name"), query: text("query") }
        })
        .collect()
}

/// The message of an error body, shortened; the site's own words about the request.
fn message(text: &[u8]) -> String {
    let body: Value = serde_json::from_slice(text).unwrap_or_default();
    let words = body["error"]["message"].as_str().or_else(|| body["errors"][0].as_str()).unwrap_or("no reason given");
    words.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SiteError::Unreachable(what) => write!(f, "the site's API cannot be reached: {what}"),
            SiteError::Forbidden { host, status, permission } => write!(
                f,
                "{host} answered {status}: the keys are wrong, of another site, or the application key lacks `{permission}`"
            ),
            SiteError::Missing(path) => write!(f, "the site has no {path}"),
            SiteError::Limit(what) => write!(f, "a limit of the organisation stands against it: {what}"),
            SiteError::Throttled(Some(wait)) => write!(f, "too many calls; try again in {} s", wait.as_secs()),
            SiteError::Throttled(None) => write!(f, "too many calls; try again later"),
            SiteError::Status(status, what) => write!(f, "the site answered {status}: {what}"),
            SiteError::Answer(path, what) => write!(f, "the answer of {path} is not as documented: {what}"),
        }
    }
}

impl std::error::Error for SiteError {}
