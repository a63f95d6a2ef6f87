//! The Datadog sink against the scripted intake: every answer, cut and key has its outcome.

use crate::batches::{batch, lines, now};
use logveil::batch::{Batch, Encoding};
use logveil::intake::{Action, Intake, Script, Settings, Step, Tls};
use logveil::sink::datadog::{self, Datadog};
use logveil::sink::http::{ProxyChoice, Timeouts};
use logveil::sink::key::{ApiKey, KeySource};
use logveil::sink::{Outcome, Reason, Sink};
use std::path::{Path, PathBuf};
use std::time::Duration;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn settings(origin: &str) -> datadog::Settings {
    datadog::Settings {
        origin: origin.parse().expect("an origin"),
        key: KeySource::Fixed(ApiKey::new(KEY.into()).expect("a key")),
        ca_file: None,
        proxy: ProxyChoice::Environment,
        timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(10) },
    }
}

fn intake(script: Script) -> Intake {
    Intake::start(Settings { script, ..Settings::default() }).expect("an intake")
}

fn three(encoding: Encoding) -> Batch {
    batch(&lines(3), encoding, None)
}

fn deliver(sink: &mut Datadog, batch: &Batch) -> Outcome {
    run(sink.deliver(batch))
}

/// One delivery against one step.
fn outcome_of(step: impl Into<Step>) -> Outcome {
    let intake = intake(Script::once([step.into()]));
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    // gzip leaves no doubt about the encoding, so each status is about itself.
    deliver(&mut sink, &three(Encoding::Gzip))
}

#[test]
fn every_status_has_its_outcome() {
    for (status, outcome) in [
        (202, Outcome::Delivered),
        (200, Outcome::Delivered),
        (408, Outcome::Retry(None)),
        (429, Outcome::Retry(None)),
        (500, Outcome::Retry(None)),
        (503, Outcome::Retry(None)),
        (599, Outcome::Retry(None)),
        (400, Outcome::Poison),
        (413, Outcome::Split),
        (401, Outcome::Held(Reason::KeyRefused(401))),
        (403, Outcome::Held(Reason::KeyRefused(403))),
        (404, Outcome::Held(Reason::Misconfigured(404))),
        (405, Outcome::Held(Reason::Misconfigured(405))),
        (414, Outcome::Held(Reason::Misconfigured(414))),
        (301, Outcome::Held(Reason::Misconfigured(301))),
        (304, Outcome::Held(Reason::Misconfigured(304))),
    ] {
        assert_eq!(outcome_of(status), outcome, "{status}");
    }
}

#[test]
fn a_server_may_ask_for_a_wait() {
    let script: Script = "429:2, 503:7, 503:date:40".parse().expect("a script");
    let intake = intake(script);
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    let batch = three(Encoding::Zstd);
    assert_eq!(deliver(&mut sink, &batch), Outcome::Retry(Some(Duration::from_secs(2))));
    assert_eq!(deliver(&mut sink, &batch), Outcome::Retry(Some(Duration::from_secs(7))));
    let Outcome::Retry(Some(wait)) = deliver(&mut sink, &batch) else { panic!("a wait until a date") };
    assert!((30..=40).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(deliver(&mut sink, &batch), Outcome::Delivered);
}

#[test]
fn a_cut_connection_is_retried_and_nothing_is_lost_or_told_apart_wrongly() {
    for cut in [Action::CutBefore, Action::CutDuring, Action::CutAfter, Action::CutStored] {
        let intake = intake(Script::once([cut.clone().into()]));
        let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
        let batch = batch(&lines(900), Encoding::Zstd, None);
        assert_eq!(deliver(&mut sink, &batch), Outcome::Retry(None), "{cut:?}");
        assert!(sink.last_error().is_some_and(|error| !error.contains(KEY)));
        assert_eq!(deliver(&mut sink, &batch), Outcome::Delivered, "{cut:?}");
        let book = intake.ledger().book();
        let ids: Vec<_> = book.stored.iter().map(|s| s.event["logveil"]["id"].to_string()).collect();
        let once: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(once.len(), 900, "{cut:?}");
        assert_eq!(ids.len(), if cut == Action::CutStored { 1800 } else { 900 }, "{cut:?}");
        assert_eq!((book.requests[0].status, book.requests[0].kept), (None, cut == Action::CutStored));
    }
}

#[test]
fn a_stalled_server_is_given_up_and_a_slow_one_is_not() {
    let script = Script::once([Action::Stall.into(), Action::Drip(Duration::from_millis(2)).into()]);
    let intake = intake(script);
    let mut settings = settings(&intake.origin());
    settings.timeouts.answer = Duration::from_secs(3);
    let mut sink = Datadog::new(settings).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Retry(None));
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
    assert_eq!(intake.ledger().book().messages().len(), 3);
}

/// The answer comes when the body is there, and that takes longer than answers may: it is not given up.
#[test]
fn a_body_on_a_slow_link_has_its_time() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut settings = settings(&format!("http://{}", listener.local_addr().expect("an address")));
    settings.timeouts.answer = Duration::from_millis(500);
    let body = batch(&lines(300), Encoding::None, None);
    let pieces = body.body().len() / 8192 + 1;
    let link = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut room = [0; 8192];
        for _ in 0..pieces {
            let _ = stream.read(&mut room);
            std::thread::sleep(Duration::from_millis(1500) / pieces as u32);
        }
        let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
        while stream.read(&mut room).is_ok_and(|count| count > 0) {}
        let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}");
    });
    let mut sink = Datadog::new(settings).expect("a sink");
    assert_eq!(deliver(&mut sink, &body), Outcome::Delivered);
    link.join().expect("no panic");
}

#[test]
fn nobody_listening_is_a_retry() {
    let origin = intake(Script::default()).origin();
    let mut sink = Datadog::new(settings(&origin)).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Retry(None));
}

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = intake(Script::default());
    let target = format!("{}/api/v2/logs", elsewhere.origin());
    assert_eq!(outcome_of(Action::Redirect(target)), Outcome::Held(Reason::Misconfigured(307)));
    assert!(elsewhere.ledger().book().requests.is_empty());
}

#[test]
fn what_is_sent_is_what_was_sealed() {
    let intake = intake(Script::default());
    for encoding in [Encoding::Zstd, Encoding::Gzip, Encoding::None] {
        let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
        assert_eq!(deliver(&mut sink, &three(encoding)), Outcome::Delivered);
    }
    let book = intake.ledger().book();
    assert_eq!((book.stored.len(), book.lost()), (9, 0));
    for (request, encoding) in book.requests.iter().zip([Some("zstd"), Some("gzip"), None]) {
        assert_eq!(request.header("content-encoding"), encoding);
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("dd-api-key"), Some("[key]"));
        assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("logveil/")));
        assert_eq!(request.header("cookie"), None);
        assert_eq!((request.target.as_str(), request.status, request.entries), ("/api/v2/logs", Some(202), 3));
    }
    for stored in &book.stored {
        assert_eq!(stored.event["ddtags"], "env:test,retention:90d");
        assert_eq!(stored.fate.index.map(|place| intake.index_at(place).days), Some(90));
        assert!(!stored.fate.tag_changed && !stored.fate.soft_limit);
    }
}

#[test]
fn one_connection_serves_many_batches() {
    let intake = intake(Script::once([503.into()]));
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    run(async {
        for _ in 0..5 {
            let _ = sink.deliver(&three(Encoding::Zstd)).await;
        }
    });
    let book = intake.ledger().book();
    assert_eq!(book.requests.len(), 5);
    assert!(book.requests.iter().all(|request| request.connection == 0));
}

/// An intake that refuses zstd with a status.
fn without_zstd(status: u16, script: Script) -> Intake {
    let refused_encoding = Some(("zstd".to_owned(), status));
    Intake::start(Settings { refused_encoding, script, ..Settings::default() }).expect("an intake")
}

#[test]
fn an_intake_without_zstd_gets_gzip_from_then_on() {
    for status in [400, 415] {
        let intake = without_zstd(status, Script::default());
        let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
        for _ in 0..3 {
            assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
        }
        assert!(sink.prefers_gzip());
        let book = intake.ledger().book();
        let encodings: Vec<_> = book.requests.iter().filter_map(|r| r.header("content-encoding")).collect();
        assert_eq!(encodings, ["zstd", "gzip", "gzip", "gzip"], "{status}");
        assert_eq!(book.messages().len(), 9);
    }
}

#[test]
fn a_refusal_of_both_encodings_is_about_the_records() {
    let intake = intake(Script::once([400.into(), 400.into()]));
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Poison);
    assert!(!sink.prefers_gzip());
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
    let book = intake.ledger().book();
    let encodings: Vec<_> = book.requests.iter().filter_map(|r| r.header("content-encoding")).collect();
    assert_eq!(encodings, ["zstd", "gzip", "zstd"]);
}

#[test]
fn once_zstd_was_taken_a_refusal_is_not_about_it() {
    let intake = intake(Script::once([202.into(), 400.into()]));
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Poison);
    assert_eq!(intake.ledger().book().requests.len(), 2);
}

#[test]
fn an_outage_between_the_two_encodings_decides_nothing() {
    let intake = without_zstd(400, Script::once([202.into(), 503.into()]));
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Retry(None));
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
    assert!(sink.prefers_gzip());
}

fn key_file(dir: &Path, key: &str) -> PathBuf {
    let path = dir.join("dd_api_key");
    std::fs::write(&path, format!("{key}\n")).expect("written");
    path
}

#[test]
fn a_refused_key_is_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = key_file(dir.path(), "oldkey");
    let keys = Some(vec![KEY.to_owned()]);
    let intake = Intake::start(Settings { keys, ..Settings::default() }).expect("an intake");
    let mut settings = settings(&intake.origin());
    settings.key = KeySource::File(path.clone());
    let mut sink = Datadog::new(settings).expect("a sink");
    let refused = Outcome::Held(Reason::KeyRefused(403));
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), refused);
    assert_eq!(intake.ledger().book().requests.len(), 1, "the same key is not tried twice");
    assert_eq!(run(sink.probe()), refused);

    key_file(dir.path(), KEY);
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered, "one delivery, two attempts");
    assert_eq!(run(sink.probe()), Outcome::Delivered);

    std::fs::remove_file(&path).expect("removed");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered, "a key that works needs no file");
    let stored = intake.ledger().book().stored.len();
    assert_eq!(stored, 6, "probes bring no records");
}

#[test]
fn a_key_that_cannot_be_read_holds_until_it_can() {
    let dir = tempfile::tempdir().expect("a folder");
    let intake = intake(Script::default());
    let mut settings = settings(&intake.origin());
    settings.key = KeySource::File(dir.path().join("dd_api_key"));
    let mut sink = Datadog::new(settings).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Held(Reason::KeyUnreadable));
    assert!(intake.ledger().book().requests.is_empty());
    key_file(dir.path(), KEY);
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
}

/// An HTTPS intake under a self-made certificate for `name`, and the certificate's file.
fn https(dir: &Path, name: &str) -> (Intake, PathBuf) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let path = dir.join("ca.pem");
    std::fs::write(&path, made.cert.pem()).expect("written");
    let tls = Tls { chain: made.cert.pem().into_bytes(), key: made.signing_key.serialize_pem().into_bytes() };
    (Intake::start(Settings { tls: Some(tls), ..Settings::default() }).expect("an intake"), path)
}

#[test]
fn tls_is_verified_against_the_given_authority_and_the_name() {
    for (name, trusted, outcome) in [
        ("localhost", true, Outcome::Delivered),
        ("localhost", false, Outcome::Retry(None)),
        ("elsewhere.example", true, Outcome::Retry(None)),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let (intake, ca) = https(dir.path(), name);
        let mut settings = settings(&format!("https://localhost:{}", intake.address().port()));
        settings.ca_file = trusted.then_some(ca);
        let mut sink = Datadog::new(settings).expect("a sink");
        assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), outcome, "{name}, trusted: {trusted}");
        let seen = intake.ledger().book().requests.len();
        assert_eq!(seen, usize::from(outcome == Outcome::Delivered), "no byte of a request without trust");
        let said = sink.last_error().unwrap_or_default().to_lowercase();
        assert!(outcome == Outcome::Delivered || said.contains("certificate"), "{said}");
    }
}

#[test]
fn loopback_is_never_proxied() {
    let intake = intake(Script::default());
    let mut settings = settings(&intake.origin());
    settings.proxy = ProxyChoice::Url("http://127.0.0.1:9".into());
    let mut sink = Datadog::new(settings).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
}

#[test]
fn other_hosts_go_through_the_proxy() {
    let proxy = intake(Script::default());
    let mut settings = settings("http://intake.invalid");
    settings.proxy = ProxyChoice::Url(proxy.origin());
    let mut sink = Datadog::new(settings).expect("a sink");
    assert_eq!(deliver(&mut sink, &three(Encoding::Zstd)), Outcome::Delivered);
    assert_eq!(proxy.ledger().book().requests[0].target, "http://intake.invalid/api/v2/logs");
}

#[test]
fn too_old_records_are_lost_in_silence_unless_they_are_restamped() {
    let hour = 3_600_000;
    let intake = intake(Script::default());
    let mut sink = Datadog::new(settings(&intake.origin())).expect("a sink");
    // Sealed when it was fresh enough, sent when it is not: what an outage does.
    let old = batch(&lines(3), Encoding::Zstd, Some(now() - 17 * hour + 1000));
    let later = now() + 2 * hour;
    assert!(logveil::batch::reseal::is_stale(&old.header, later));
    let fresh = logveil::batch::reseal::restamp(&old, later).expect("readable");
    assert_eq!(deliver(&mut sink, &fresh), Outcome::Delivered);
    let book = intake.ledger().book();
    assert_eq!((book.stored.len(), book.lost()), (3, 0));
    assert!(book.stored.iter().all(|s| s.event["logveil"]["event_time"] == old.header.oldest));
}
