//! Sockets and the way of one request: script, checks, losses, ledger, answer.
//!
//! The server runs on its own thread with its own small runtime, so that a command, the demo and a test can
//! hold it like any other value; dropping it closes every connection.

use super::check::{self, Opened, Refusal};
use super::drip::{Drip, Pace};
use super::keep::{self, Index};
use super::ledger::{Ledger, Request, Stored};
use super::script::{Action, RetryAfter, Script};
pub use super::settings::{Settings, Tls};
use super::site::{self, Site};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Longest body as sent, bytes; beyond it 413.
const MAX_RAW: usize = 16 << 20;
/// Body read before a cut in its middle, bytes at most.
const CUT_AT: usize = 1;

type Answer = hyper::Response<Full<Bytes>>;

/// A running intake.
pub struct Intake {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    settings: Settings,
    script: Mutex<Script>,
    /// Events stored by each index.
    quotas: Mutex<Vec<u64>>,
    ledger: Ledger,
    requests: AtomicU64,
}

/// The connection is to be cut without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut by the script")
    }
}

impl std::error::Error for Cut {}

impl Intake {
    /// Listens and serves until the value is dropped.
    ///
    /// # Errors
    /// The address is taken or not ours; certificate or key cannot be read.
    pub fn start(mut settings: Settings) -> io::Result<Intake> {
        let acceptor = settings.tls.as_ref().map(acceptor).transpose()?;
        let listener = std::net::TcpListener::bind(settings.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            script: Mutex::new(std::mem::take(&mut settings.script)),
            quotas: Mutex::new(vec![0; settings.indexes.len()]),
            ledger: Ledger::with_limit(settings.keep),
            requests: AtomicU64::new(0),
            settings,
        });
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = shared.clone();
        let thread = std::thread::Builder::new().name("intake".into()).spawn(move || {
            runtime.block_on(accept(listener, acceptor, serving, stopped));
        })?;
        Ok(Intake { address, scheme, shared, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin, such as `http://127.0.0.1:8750`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What it saw.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// What the configuration and search endpoints answer from, to look at and to change.
    pub fn site(&self) -> std::sync::MutexGuard<'_, Site> {
        self.shared.settings.site.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the script for the requests to come.
    pub fn play(&self, script: Script) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// An index by its place in the order.
    pub fn index_at(&self, place: usize) -> &Index {
        &self.shared.settings.indexes[place]
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic there has already been printed by its own thread.
            let _ = thread.join();
        }
    }
}

fn acceptor(tls: &Tls) -> io::Result<TlsAcceptor> {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("TLS {what} cannot be read as PEM"));
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&tls.chain).collect::<Result<_, _>>().map_err(|_| bad("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&tls.key).map_err(|_| bad("key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut connections = 0;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => {
                // Out of descriptors: wait for some to come back instead of spinning.
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                tokio::spawn(connection(stream, acceptor.clone(), shared.clone(), connections));
                connections += 1;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>, number: u64) {
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => serve(stream, shared, number).await,
        // A client that refuses our certificate ends here; it never sent a request.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, shared, number).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>, number: u64) {
    let pace = Pace::default();
    let stream = TokioIo::new(Drip::new(stream, pace.clone()));
    let service = service_fn(|request| respond(request, shared.clone(), number, pace.clone()));
    // Errors are cut connections: ours by script, or the client's.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
}

/// The way of one request.
async fn respond(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
    connection: u64,
    pace: Pace,
) -> Result<Answer, Cut> {
    let (parts, mut body) = request.into_parts();
    let mut seen = describe(&parts, connection, shared.requests.fetch_add(1, Ordering::Relaxed));
    let key = header(&parts.headers, "dd-api-key");
    if parts.uri.path() == "/api/v1/validate" {
        return Ok(validate(&shared.settings, key));
    }
    if site::speaks_for(parts.uri.path()) {
        let body = read(&mut body, MAX_RAW).await.unwrap_or_default();
        return Ok(shared.site(&parts, key, &body));
    }
    let step = shared.script.lock().unwrap_or_else(PoisonError::into_inner).next(key);
    tokio::time::sleep(step.delay).await;
    match &step.action {
        Action::CutBefore => return shared.cut(seen),
        Action::CutDuring => {
            let _ = read(&mut body, CUT_AT).await;
            return shared.cut(seen);
        }
        _ => {}
    }
    let mut opened = Opened::default();
    let checked = shared.check(&parts, key, &mut body, &mut seen, &mut opened).await;
    let refusal = match &step.action {
        Action::Status(status, _) => Some(Refusal { status: *status, detail: "as the script says" }),
        Action::Redirect(_) => Some(Refusal { status: 307, detail: "as the script says" }),
        _ => checked.err(),
    };
    match step.action {
        Action::CutAfter | Action::Stall => {
            seen.decoded = opened.decoded;
            let cut = shared.cut(seen);
            if step.action == Action::Stall { std::future::pending().await } else { cut }
        }
        Action::CutStored => {
            shared.close(seen, opened, refusal);
            Err(Cut)
        }
        action => {
            let status = if parts.uri.path() == check::V1 { 200 } else { 202 };
            seen.status = Some(status);
            let mut answer = refusal.as_ref().map_or_else(|| answer(status, b"{}".to_vec()), refuse);
            decorate(&mut answer, &action);
            pace.set(if let Action::Drip(pause) = action { pause } else { Duration::ZERO });
            shared.close(seen, opened, refusal);
            Ok(answer)
        }
    }
}

/// The headers that a scripted answer carries.
fn decorate(answer: &mut Answer, action: &Action) {
    match action {
        Action::Status(_, Some(wait)) => {
            answer.headers_mut().insert(RETRY_AFTER, retry_after(*wait));
        }
        Action::Redirect(url) => {
            if let Ok(url) = HeaderValue::from_str(url) {
                answer.headers_mut().insert(LOCATION, url);
            }
        }
        _ => {}
    }
}

impl Shared {
    /// Answers from the site's configuration; such requests are not entered in the ledger.
    fn site(&self, parts: &hyper::http::request::Parts, key: Option<&str>, body: &[u8]) -> Answer {
        if check::key(&self.settings, key).is_err() {
            return answer(403, br#"{"errors":["Forbidden"]}"#.to_vec());
        }
        let application_key = header(&parts.headers, "dd-application-key");
        let mut site = self.settings.site.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = site.answer(parts.method.as_str(), parts.uri.path(), application_key, body, &self.ledger);
        answer(status, body.to_string().into_bytes())
    }

    /// All checks in order; what could be read of the body is in `seen` and `opened` either way.
    async fn check(
        &self,
        parts: &hyper::http::request::Parts,
        key: Option<&str>,
        body: &mut Incoming,
        seen: &mut Request,
        opened: &mut Opened,
    ) -> Result<(), Refusal> {
        let settings = &self.settings;
        let encoding = header(&parts.headers, "content-encoding").unwrap_or_default();
        let head = check::head(settings, parts.method.as_str(), parts.uri.path(), key);
        let raw = tokio::time::timeout(settings.read_timeout, read(body, MAX_RAW + 1)).await;
        match raw {
            Err(_) | Ok(None) => head.and(Err(Refusal { status: 408, detail: "the body did not come in time" })),
            Ok(Some(raw)) if raw.len() > MAX_RAW => {
                head.and(Err(Refusal { status: 413, detail: "the body is too long as sent" }))
            }
            Ok(Some(raw)) => {
                seen.raw_len = raw.len();
                let body = check::body(settings, encoding, &raw, opened);
                seen.entries = opened.events.len();
                head.and(body)
            }
        }
    }

    /// Enters a request whose answer is decided, with the events it brought if it was accepted.
    fn close(&self, mut seen: Request, opened: Opened, refusal: Option<Refusal>) {
        let Opened { decoded, events } = opened;
        seen.decoded = decoded;
        let mut stored = Vec::new();
        match refusal {
            Some(refusal) => {
                seen.status = Some(refusal.status);
                seen.refusal = Some(refusal.detail.to_owned());
            }
            None => {
                seen.kept = true;
                stored = self.store(seen.number, seen.arrived, events);
            }
        }
        self.enter(seen, stored);
    }

    fn enter(&self, seen: Request, stored: Vec<Stored>) {
        if let Some(on_request) = &self.settings.on_request {
            on_request(&seen, &stored);
        }
        if self.ledger.enter(seen, stored)
            && let Some(on_forget) = &self.settings.on_forget
        {
            on_forget();
        }
    }

    fn store(&self, request: u64, now: i64, events: Vec<Value>) -> Vec<Stored> {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = |event| {
            let fate = keep::decide(&event, &self.settings.indexes, &mut quotas, now);
            Stored { request, event, fate }
        };
        events.into_iter().map(&mut store).collect()
    }

    /// Enters a request that gets no answer.
    fn cut(&self, seen: Request) -> Result<Answer, Cut> {
        self.enter(seen, Vec::new());
        Err(Cut)
    }
}

fn describe(parts: &hyper::http::request::Parts, connection: u64, number: u64) -> Request {
    let shown = |name: &str, value: &HeaderValue| {
        if name == "dd-api-key" { "[key]".into() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() }
    };
    Request {
        number,
        connection,
        arrived: unix_ms(SystemTime::now()),
        version: format!("{:?}", parts.version),
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.iter().map(|(n, v)| (n.to_string(), shown(n.as_str(), v))).collect(),
        ..Request::default()
    }
}

/// Reads the body until `limit` bytes are there; none when the client went away.
async fn read(body: &mut Incoming, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while out.len() < limit {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return None,
            Some(Ok(frame)) => out.extend_from_slice(frame.data_ref()?),
        }
    }
    Some(out)
}

fn validate(settings: &Settings, key: Option<&str>) -> Answer {
    match check::key(settings, key) {
        Ok(()) => answer(200, br#"{"valid":true}"#.to_vec()),
        Err(_) => answer(403, br#"{"errors":["Forbidden"]}"#.to_vec()),
    }
}

fn refuse(refusal: &Refusal) -> Answer {
    answer(refusal.status, refusal.body())
}

fn answer(status: u16, body: Vec<u8>) -> Answer {
    let mut answer = hyper::Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn retry_after(wait: RetryAfter) -> HeaderValue {
    let text = match wait {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(ahead) => {
            let until = unix_ms(SystemTime::now() + Duration::from_secs(ahead)) / 1000;
            let until = jiff::Timestamp::from_second(until).unwrap_or_default();
            until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        }
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("0"))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
