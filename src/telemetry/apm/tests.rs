//! The real crate, the real relay, and Datadog Agents that answer, stall or are absent.

use super::*;
use axum::http::HeaderMap;
use serde_json::{Value, json};

type Got = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// An Agent that answers `status` and keeps what it got.
async fn agent(status: StatusCode) -> (SocketAddr, Got) {
    let got = Got::default();
    let keep = got.clone();
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        keep.lock().expect("open").push((headers, serde_json::from_slice(&body).expect("JSON")));
        status
    };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, Router::new().route(PATH, post(answer))).into_future());
    (address, got)
}

async fn started(agent: SocketAddr, every: u32, apart: Duration) -> (Apm, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let apm = Apm::start_apart(&Settings { agent, every }, counts.clone(), apart).await.expect("started");
    (apm, counts)
}

fn trace(apm: &Apm) -> bool {
    let Some(mut trace) = apm.batch() else { return false };
    [Stage::Freshen, Stage::Deliver, Stage::Acknowledge].into_iter().for_each(|stage| trace.stage(stage));
    trace.end(&Numbers { entries: 7, json_bytes: 900, body_bytes: 100, attempts: 2, parts: 1, age_ms: 30 });
    true
}

async fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_trace_is_four_spans_and_six_numbers() {
    let (address, got) = agent(StatusCode::OK).await;
    let (apm, counts) = started(address, 1, Duration::ZERO).await;
    assert!(trace(&apm));
    until(|| counts.sent.load(Ordering::Relaxed) == 1).await;
    let (headers, body) = got.lock().expect("open")[0].clone();
    assert_eq!(headers["x-datadog-trace-count"], "1", "traces, not spans");
    let spans = body[0].as_array().expect("one trace");
    let names: std::collections::BTreeSet<_> = spans.iter().filter_map(|span| span["name"].as_str()).collect();
    assert_eq!(names, Stage::NAMES.into_iter().collect());
    let root = spans.iter().find(|span| span["name"] == Stage::NAMES[0]).expect("the batch");
    let numbers = json!({"entries": 7, "json_bytes": 900, "body_bytes": 100, "attempts": 2, "parts": 1, "age_ms": 30});
    assert_eq!(root["metrics"], numbers);
    assert_eq!(
        numbers.as_object().map(|all| all.keys().cloned().collect()),
        Some(Numbers::NAMES.map(String::from).to_vec())
    );
    for span in spans {
        assert_eq!((&span["service"], &span["trace_id"]), (&json!(SERVICE), &root["trace_id"]));
        assert!(span.get("meta").is_none());
        let is_root = span["span_id"] == root["span_id"];
        assert_eq!(span["parent_id"], if is_root { json!(0) } else { root["span_id"].clone() });
    }
}

#[tokio::test]
async fn one_batch_in_so_many() {
    let (address, _) = agent(StatusCode::OK).await;
    let (apm, counts) = started(address, 5, Duration::ZERO).await;
    let mut made = 0;
    for _ in 0..20 {
        made += u64::from(trace(&apm));
        until(|| counts.sent.load(Ordering::Relaxed) == made).await;
    }
    assert_eq!(made, 4);
    let (rare, _) = started(address, 1, Duration::from_secs(3600)).await;
    assert!(trace(&rare) && !trace(&rare), "two are never close together");
}

#[test]
fn nothing_but_our_names_and_numbers_passes() {
    let span = |change: &dyn Fn(&mut Value)| {
        let mut span = json!({"service": "logveil", "name": "logveil.batch", "resource": "x", "trace_id": 1,
            "span_id": 2, "parent_id": null, "start": 3, "duration": 4, "error": 0, "meta": {"entries": "5"},
            "metrics": {}, "type": "custom"});
        change(&mut span);
        rewritten(json!([[span]]).to_string().as_bytes())
    };
    assert!(span(&|_| ()).is_some());
    let texts: [&dyn Fn(&mut Value); 7] = [
        &|span| span["meta"]["entries"] = json!("ana.diaz@mail.example"),
        &|span| span["meta"]["user"] = json!("7"),
        &|span| span["meta"]["attempts"] = json!("-"),
        &|span| span["name"] = json!("GET /users/ana"),
        &|span| span["service"] = json!("ana"),
        &|span| span["metrics"]["ana"] = json!(1.0),
        &|span| span["more"] = json!("ana"),
    ];
    assert!(texts.iter().all(|change| span(change).is_none()));
    let resource = span(&|span| span["resource"] = json!("ana")).expect("a fixed text stands in its place");
    assert!(!String::from_utf8_lossy(&resource).contains("ana"));
    assert!(rewritten(b"[]").is_none() && rewritten(b"not JSON").is_none());
}

#[tokio::test]
async fn an_absent_or_refusing_agent_stops_traces_for_a_while() {
    let absent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = absent.local_addr().expect("an address");
    drop(absent);
    for address in [address, agent(StatusCode::INTERNAL_SERVER_ERROR).await.0] {
        let (apm, counts) = started(address, 1, Duration::ZERO).await;
        assert!(trace(&apm));
        until(|| counts.dropped.load(Ordering::Relaxed) == 1).await;
        until(|| apm.0.relay.paused.load(Ordering::Relaxed)).await;
        assert!(!trace(&apm));
        assert_eq!(counts.sent.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_stalled_agent_does_not_fill_the_memory() {
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let (apm, counts) = started(silent.local_addr().expect("an address"), 1, Duration::ZERO).await;
    let before = resident();
    let mut made = 0_u64;
    until(|| {
        made += (0..100).filter(|_| trace(&apm)).count() as u64;
        assert!(apm.0.on_the_way() <= WAITING);
        apm.0.relay.paused.load(Ordering::Relaxed)
    })
    .await;
    apm.settle().await;
    assert_eq!(apm.0.on_the_way(), 0, "the relay has answered all of them");
    until(|| counts.dropped.load(Ordering::Relaxed) == made).await;
    assert!(made > WAITING, "{made} traces");
    assert!(resident().saturating_sub(before) < 16 << 20, "{made} traces");
}

#[tokio::test]
async fn without_the_relay_traces_end() {
    let (address, _) = agent(StatusCode::OK).await;
    let (apm, _) = started(address, 1, Duration::ZERO).await;
    apm.0.tasks[0].abort();
    tokio::task::yield_now().await;
    let made = (0..1000).filter(|_| trace(&apm)).count() as u64;
    assert_eq!(made, WAITING);
}

#[tokio::test]
async fn nothing_else_is_taken_in_by_the_crate() {
    let (address, got) = agent(StatusCode::OK).await;
    let (apm, counts) = started(address, 1, Duration::ZERO).await;
    assert_eq!(log::max_level(), log::LevelFilter::Off, "it is not the process's logger");
    log::error!("user ana.diaz@mail.example");
    tracing::error!(user = "ana.diaz@mail.example", "an event of the program");
    assert!(trace(&apm));
    until(|| counts.sent.load(Ordering::Relaxed) == 1).await;
    assert!(got.lock().expect("open").iter().all(|(_, body)| !body.to_string().contains("ana")));
}

#[test]
fn a_proxy_would_see_the_traces() {
    let proxied = |vars: &'static [(&str, &str)]| {
        proxied(&move |name| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    };
    assert!(!proxied(&[]));
    assert!(!proxied(&[("HTTPS_PROXY", "http://proxy:1")]));
    assert!(proxied(&[("HTTP_PROXY", "http://proxy:1")]));
    assert!(proxied(&[("all_proxy", "http://proxy:1"), ("NO_PROXY", "localhost,")]));
    assert!(!proxied(&[("http_proxy", "http://proxy:1"), ("no_proxy", "localhost, 127.0.0.1")]));
    assert!(!proxied(&[("http_proxy", "http://proxy:1"), ("no_proxy", "*")]));
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("read");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number") * 4096
}
