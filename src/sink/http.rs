//! The HTTP client of sinks: TLS always verified, redirects and cookies never, bounded times.

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Proxy, Url, redirect};
use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longest wait a server may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// Of a response's body, read at most this much so that the connection can be used again, bytes.
const MAX_DRAIN: usize = 64 * 1024;
/// And for at most this long.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// The slowest link on which a body still arrives, bytes a second.
const SLOWEST: u64 = 4096;

/// How a request reaches the server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ProxyChoice {
    /// By the usual variables (`HTTPS_PROXY`, `NO_PROXY`…).
    #[default]
    Environment,
    /// Through this proxy, `http://host:port`.
    Url(String),
    /// Directly.
    Never,
}

/// What the client is built from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientSettings {
    /// Scheme, host and port of the server; decides whether roots are loaded and a proxy is used.
    pub origin: Url,
    /// Certificates trusted beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Proxy; never used for loopback.
    pub proxy: ProxyChoice,
    /// Bounds.
    pub timeouts: Timeouts,
}

/// Bounds of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Name, TCP and TLS.
    pub connect: Duration,
    /// Until the head of the answer is there, beside the time that the body may take.
    pub answer: Duration,
}

impl Timeouts {
    /// The bound of a request whose body is so long: as long as a slow link carries it, it is not given up.
    pub fn of_request(&self, body: usize) -> Duration {
        self.answer + Duration::from_millis(body as u64 * 1000 / SLOWEST)
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(30) }
    }
}

/// Why no client could be built.
#[derive(Debug)]
pub enum ClientError {
    /// The CA file cannot be read.
    CaFile(PathBuf, std::io::Error),
    /// The CA file holds no certificate in PEM form.
    NoCertificate(PathBuf),
    /// The proxy is not a URL.
    Proxy(String),
    /// TLS could not be set up, such as a host without any root certificate.
    Tls(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::CaFile(path, error) => write!(f, "tls.ca_file {}: {error}", path.display()),
            ClientError::NoCertificate(path) => {
                write!(f, "tls.ca_file {}: holds no certificate in PEM form", path.display())
            }
            ClientError::Proxy(error) => write!(f, "proxy: {error}; expected http://host:port"),
            ClientError::Tls(error) => {
                write!(f, "TLS cannot be set up: {error}; install the system's root certificates or set tls.ca_file")
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// Makes aws-lc the process's one crypto provider. Two providers without a default make TLS panic, so
/// every program and test that opens a connection calls this first; later calls change nothing.
pub fn install_crypto() {
    // The error says that a provider is already installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// True when the URL names this host: loopback addresses and `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Builds the client.
///
/// # Errors
/// [`ClientError`] names the setting at fault.
pub fn client(settings: &ClientSettings) -> Result<Client, ClientError> {
    install_crypto();
    let times = settings.timeouts;
    let builder = Client::builder()
        .user_agent(concat!("logveil/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(4)
        .connect_timeout(times.connect)
        .timeout(times.answer);
    let builder = with_proxy(builder, settings)?;
    let builder = match (settings.origin.scheme(), &settings.ca_file) {
        // Without TLS no root is loaded: half a megabyte and some milliseconds less.
        ("http", _) => builder.tls_certs_only([]),
        (_, None) => builder,
        (_, Some(path)) => builder.tls_certs_merge(certificates(path)?),
    };
    builder.build().map_err(|error| ClientError::Tls(chain(&error)))
}

fn with_proxy(
    builder: reqwest::ClientBuilder,
    settings: &ClientSettings,
) -> Result<reqwest::ClientBuilder, ClientError> {
    match &settings.proxy {
        _ if is_loopback(&settings.origin) => Ok(builder.no_proxy()),
        ProxyChoice::Never => Ok(builder.no_proxy()),
        ProxyChoice::Environment => Ok(builder),
        ProxyChoice::Url(url) => {
            let proxy = Proxy::all(url).map_err(|error| ClientError::Proxy(chain(&error)))?;
            Ok(builder.proxy(proxy))
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let mut pem = Vec::new();
    let read = crate::regular_file::open(path).and_then(|mut file| file.read_to_end(&mut pem));
    read.map_err(|error| ClientError::CaFile(path.to_owned(), error))?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() { Err(ClientError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// An error with its causes, without the URL (a proxy's may hold a password).
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The wait a response asks for, in seconds or until a date; at most ten minutes.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
            Duration::from_secs(until.as_second().saturating_sub(since).max(0) as u64)
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Reads what is left of a response so that its connection can be used again; what it says is never used.
pub async fn drain(mut response: reqwest::Response) {
    let read = async {
        let mut left = MAX_DRAIN;
        while let Ok(Some(chunk)) = response.chunk().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderValue, RETRY_AFTER};

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, wait) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("999999", Some(600)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(retry_after(&headers, now), wait.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for (url, is) in [
            ("http://127.0.0.1:8750", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://LOCALHOST", true),
            ("https://localhost.example.com", false),
            ("https://http-intake.logs.datadoghq.eu", false),
            ("http://128.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), is, "{url}");
        }
    }

    #[test]
    fn a_wrong_ca_file_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ca.pem");
        let mut settings = ClientSettings {
            origin: Url::parse("https://intake.example").expect("a URL"),
            ca_file: Some(path.clone()),
            proxy: ProxyChoice::Never,
            timeouts: Timeouts::default(),
        };
        let text = client(&settings).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(text.contains("ca.pem"), "{text}");
        std::fs::write(&path, "not a certificate").expect("written");
        let text = client(&settings).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(text.contains("holds no certificate"), "{text}");
        settings.ca_file = None;
        settings.proxy = ProxyChoice::Url("::".into());
        assert!(matches!(client(&settings), Err(ClientError::Proxy(_))));
    }
}
