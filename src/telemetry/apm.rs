//! Spans of delivered batches for the Datadog Agent of this host, by `datadog-apm-sync`.
//!
//! That crate makes every field of every event a tag, prints to standard output what goes wrong, queues
//! without bound, becomes the process's logger and follows proxy variables. So it is contained:
//!
//! - it sits in a dispatcher of its own, which only this file speaks to; nothing is logged through it;
//! - its fields are the numbers of [`Numbers`]; there is no way to hand it a text;
//! - it does not speak to the Agent but to a **relay** of ours on a loopback port, which answers at once, reads
//!   every span, refuses what is not one of ours or holds anything but numbers, and passes the rest on with
//!   bounds. So its errors do not happen, its queue stays empty, and what leaves is checked a second time;
//! - traces are sampled, at most one every [`APART`]; while [`WAITING`] are on their way or the Agent does
//!   not answer none is begun. An Agent that is absent or stalled costs nothing but the traces.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use datadog_apm_sync::{Config, DatadogTracing, LoggingConfig};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};
use tokio::sync::mpsc;
use tracing::Span;
use tracing::dispatcher::{self, Dispatch};

pub use super::spans::{Counts, Numbers, Settings, Stage};

/// True: this build can make spans.
pub const BUILT: bool = true;

/// Least time between two traces.
const APART: Duration = Duration::from_millis(100);
/// Most traces between their end and the relay, and between the relay and the Agent.
const WAITING: u64 = 16;
/// Longest body of a trace, bytes.
const LONGEST: usize = 64 << 10;
/// The Agent must answer within this time.
const ANSWER: Duration = Duration::from_secs(2);
/// No trace is begun for this long after the Agent did not take one.
const PAUSE: Duration = Duration::from_secs(30);
/// How long [`Apm::settle`] waits for what is on its way.
const SETTLE: Duration = Duration::from_millis(500);
const SERVICE: &str = "logveil";
const PATH: &str = "/v0.3/traces";

/// Makes traces. Cheap to clone.
#[derive(Clone)]
pub struct Apm(Arc<Inner>);

struct Inner {
    dispatch: Dispatch,
    every: u64,
    apart: Duration,
    batches: AtomicU64,
    /// Traces ended; those of them that the relay has seen are in `counts`.
    ended: AtomicU64,
    last: Mutex<Option<Instant>>,
    relay: Arc<Relay>,
    tasks: [tokio::task::AbortHandle; 2],
}

/// What stands between the crate and the Agent.
struct Relay {
    seen: AtomicU64,
    paused: AtomicBool,
    counts: Arc<Counts>,
    queue: mpsc::Sender<Vec<u8>>,
}

impl Apm {
    /// Starts relay and crate. To be called on the agent's runtime, once in a process.
    ///
    /// # Errors
    /// No port can be opened, or a proxy variable would lead the crate's requests off this host.
    pub async fn start(settings: &Settings, counts: Arc<Counts>) -> io::Result<Apm> {
        Apm::start_apart(settings, counts, APART).await
    }

    async fn start_apart(settings: &Settings, counts: Arc<Counts>, apart: Duration) -> io::Result<Apm> {
        if proxied(&|name| std::env::var(name).ok()) {
            return Err(io::Error::other("HTTP_PROXY is set: add 127.0.0.1 to NO_PROXY"));
        }
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (queue, waiting) = mpsc::channel(WAITING as usize);
        let relay = Arc::new(Relay { seen: AtomicU64::new(0), paused: AtomicBool::new(false), counts, queue });
        let routes = Router::new().route(PATH, post(take)).layer(DefaultBodyLimit::max(LONGEST));
        let serving = tokio::spawn(axum::serve(listener, routes.with_state(relay.clone())).into_future());
        let passing = tokio::spawn(pass_on(waiting, client()?, settings.agent, relay.clone()));
        Ok(Apm(Arc::new(Inner {
            dispatch: tracer(port),
            every: u64::from(settings.every.max(1)),
            apart,
            batches: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            last: Mutex::new(None),
            relay,
            tasks: [serving.abort_handle(), passing.abort_handle()],
        })))
    }

    /// A trace for the batch at hand, if it is one of the sample.
    pub fn batch(&self) -> Option<Trace> {
        let inner = &self.0;
        let chosen = inner.batches.fetch_add(1, Ordering::Relaxed).is_multiple_of(inner.every);
        if !chosen || inner.relay.paused.load(Ordering::Relaxed) || inner.on_the_way() >= WAITING {
            return None;
        }
        let mut last = inner.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < inner.apart) {
            return None;
        }
        let mut id = [0; 8];
        getrandom::fill(&mut id).ok()?;
        *last = Some(Instant::now());
        // 63 bits, never 0: what every tracer of the vendor can read.
        let id = u64::from_le_bytes(id) >> 1 | 1;
        let root = dispatcher::with_default(&inner.dispatch, || tracing::info_span!("logveil.batch", trace_id = id));
        Some(Trace { apm: self.clone(), id, root: Some(root), stage: None })
    }

    /// Waits a moment for traces that are on their way to the relay: at the end of the process the crate would
    /// print that nobody listens any more.
    pub async fn settle(&self) {
        let until = Instant::now() + SETTLE;
        while self.0.on_the_way() > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Inner {
    fn on_the_way(&self) -> u64 {
        self.ended.load(Ordering::Relaxed).saturating_sub(self.relay.seen.load(Ordering::Relaxed))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

/// The trace of one batch; ended when dropped. Spans are never cloned and never held entered: the crate takes
/// the end of any clone for the end of the span.
pub struct Trace {
    apm: Apm,
    id: u64,
    root: Option<Span>,
    stage: Option<Span>,
}

impl Trace {
    /// Ends the open stage and begins this one.
    pub fn stage(&mut self, stage: Stage) {
        self.stage = None;
        let id = self.id;
        let begin = || match stage {
            Stage::Freshen => tracing::info_span!("logveil.freshen", trace_id = id),
            Stage::Deliver => tracing::info_span!("logveil.deliver", trace_id = id),
            Stage::Acknowledge => tracing::info_span!("logveil.acknowledge", trace_id = id),
        };
        self.stage = Some(dispatcher::with_default(&self.apm.0.dispatch, begin));
    }

    /// Ends the trace with its numbers.
    pub fn end(mut self, numbers: &Numbers) {
        self.stage = None;
        let Numbers { entries, json_bytes, body_bytes, attempts, parts, age_ms } = *numbers;
        let note = || tracing::info!(entries, json_bytes, body_bytes, attempts, parts, age_ms);
        if let Some(root) = &self.root {
            dispatcher::with_default(&self.apm.0.dispatch, || root.in_scope(note));
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        (self.stage, self.root) = (None, None);
        self.apm.0.ended.fetch_add(1, Ordering::Relaxed);
        // Without this the crate keeps the trace for ever.
        dispatcher::with_default(&self.apm.0.dispatch, || tracing::info!(send_trace = self.id));
    }
}

/// The crate, kept from becoming the process's logger.
fn tracer(port: u16) -> Dispatch {
    struct Nobody;
    impl log::Log for Nobody {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    // Libraries could put anything into their messages, and the crate would print it. The first logger stays.
    let _ = log::set_logger(&Nobody);
    let before = log::max_level();
    let tracer = DatadogTracing::new(Config {
        service: SERVICE.to_owned(),
        host: Ipv4Addr::LOCALHOST.to_string(),
        port: port.to_string(),
        // Without this it makes no span at all.
        logging_config: Some(LoggingConfig { level: log::Level::Error, ..LoggingConfig::default() }),
        num_client_send_threads: 1,
        ..Config::default()
    });
    log::set_max_level(before);
    Dispatch::new(tracer)
}

/// True when the crate's HTTP client would go through a proxy to reach the relay.
fn proxied(var: &dyn Fn(&str) -> Option<String>) -> bool {
    let get = |name: &str| var(name).or_else(|| var(&name.to_ascii_uppercase())).filter(|v| !v.trim().is_empty());
    let proxy = get("http_proxy").or_else(|| get("all_proxy"));
    let excepted = get("no_proxy").unwrap_or_default();
    let home = Ipv4Addr::LOCALHOST.to_string();
    let direct = |entry: &str| entry == "*" || !entry.is_empty() && home.ends_with(entry.trim_start_matches('.'));
    proxy.is_some() && !excepted.split(',').map(str::trim).any(direct)
}

fn client() -> io::Result<reqwest::Client> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
    client.timeout(ANSWER).build().map_err(|error| io::Error::other(error.without_url().to_string()))
}

/// One span as the crate writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    service: String,
    name: String,
    #[serde(rename = "resource")]
    _resource: String,
    trace_id: u64,
    span_id: u64,
    parent_id: Option<u64>,
    start: u64,
    duration: u64,
    #[serde(rename = "error")]
    _error: i32,
    meta: BTreeMap<String, String>,
    metrics: BTreeMap<String, f64>,
    #[serde(rename = "type")]
    _type: String,
}

/// One span as the Agent gets it: fixed texts and numbers.
#[derive(Serialize)]
struct Sent<'a> {
    service: &'static str,
    name: &'static str,
    resource: &'static str,
    trace_id: u64,
    span_id: u64,
    parent_id: u64,
    start: u64,
    duration: u64,
    error: u8,
    r#type: &'static str,
    metrics: BTreeMap<&'a str, u64>,
}

/// The crate's request: answered at once, whatever becomes of it.
async fn take(State(relay): State<Arc<Relay>>, body: Bytes) -> StatusCode {
    relay.seen.fetch_add(1, Ordering::Relaxed);
    let open = !relay.paused.load(Ordering::Relaxed);
    let kept = open && rewritten(&body).is_some_and(|body| relay.queue.try_send(body).is_ok());
    if !kept {
        relay.counts.dropped.fetch_add(1, Ordering::Relaxed);
    }
    StatusCode::OK
}

/// The trace in our own words; none when anything in it is not ours or not a number.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let traces: Vec<Vec<Given>> = serde_json::from_slice(body).ok()?;
    let [trace] = traces.as_slice() else { return None };
    let spans = trace.iter().map(sent).collect::<Option<Vec<_>>>()?;
    serde_json::to_vec(&[spans]).ok()
}

fn sent(given: &Given) -> Option<Sent<'_>> {
    let name = *Stage::NAMES.iter().find(|name| **name == given.name)?;
    if given.service != SERVICE || !given.metrics.is_empty() {
        return None;
    }
    let number = |(key, value): (&String, &String)| {
        let key = *Numbers::NAMES.iter().find(|name| *name == key)?;
        Some((key, value.parse().ok()?))
    };
    Some(Sent {
        service: SERVICE,
        name,
        resource: name,
        trace_id: given.trace_id,
        span_id: given.span_id,
        parent_id: given.parent_id.unwrap_or(0),
        start: given.start,
        duration: given.duration,
        error: 0,
        r#type: "custom",
        metrics: given.meta.iter().map(number).collect::<Option<_>>()?,
    })
}

/// Brings traces to the Agent; what it does not take in time is dropped, and none is begun for a while.
async fn pass_on(mut waiting: mpsc::Receiver<Vec<u8>>, client: reqwest::Client, agent: SocketAddr, relay: Arc<Relay>) {
    let url = format!("http://{agent}{PATH}");
    while let Some(body) = waiting.recv().await {
        let request = client.post(&url).header("content-type", "application/json").header("x-datadog-trace-count", "1");
        let why = match request.body(body).send().await {
            Ok(response) if response.status().is_success() => {
                relay.counts.sent.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Ok(response) => format!("status {}", response.status().as_u16()),
            Err(error) if error.is_timeout() => "no answer in time".to_owned(),
            Err(_) => "no connection".to_owned(),
        };
        relay.paused.store(true, Ordering::Relaxed);
        let mut dropped = 1;
        while waiting.try_recv().is_ok() {
            dropped += 1;
        }
        relay.counts.dropped.fetch_add(dropped, Ordering::Relaxed);
        tracing::info!(code = "LV0602", %agent, why, "the Datadog Agent takes no traces; none is made for 30 s");
        tokio::time::sleep(PAUSE).await;
        relay.paused.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for Apm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apm")
    }
}

#[cfg(test)]
mod tests;
