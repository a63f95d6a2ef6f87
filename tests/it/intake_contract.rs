//! The development intake holds its own contract: the order of checks and what each refusal says.

use logveil::intake::{Action, Intake, Script, Settings};
use logveil::sink::http::install_crypto;
use reqwest::{Client, Method};
use std::time::Duration;

/// Sends one request; the status, and the connection's state as an error.
async fn send(intake: &Intake, method: Method, path: &str, key: Option<&str>, encoding: &str, body: Vec<u8>) -> u16 {
    install_crypto();
    let client = Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let mut request = client.request(method, format!("{}{path}", intake.origin())).body(body);
    if let Some(key) = key {
        request = request.header("DD-API-KEY", key);
    }
    if !encoding.is_empty() {
        request = request.header("Content-Encoding", encoding);
    }
    request.send().await.expect("an answer").status().as_u16()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn entries(n: usize) -> Vec<u8> {
    format!("[{}]", vec![r#"{"message":"x"}"#; n].join(",")).into_bytes()
}

/// JSON of exactly `len` bytes.
fn exactly(len: usize) -> Vec<u8> {
    let frame = r#"[{"message":""}]"#.len();
    format!(r#"[{{"message":"{}"}}]"#, "x".repeat(len - frame)).into_bytes()
}

#[test]
fn checks_come_in_order() {
    let keys = Some(vec!["good".to_owned()]);
    let intake = Intake::start(Settings { keys, ..Settings::default() }).expect("an intake");
    let good = Some("good");
    let bad_json = b"[{".to_vec();
    type Row = (Method, &'static str, Option<&'static str>, &'static str, Vec<u8>, u16);
    let table: Vec<Row> = vec![
        (Method::POST, "/api/v2/log", None, "br", bad_json.clone(), 404),
        (Method::GET, "/api/v2/logs", None, "br", vec![], 405),
        (Method::POST, "/api/v2/logs", None, "br", bad_json.clone(), 401),
        (Method::POST, "/api/v2/logs", Some("bad"), "br", bad_json.clone(), 403),
        (Method::POST, "/api/v2/logs", good, "br", bad_json.clone(), 415),
        (Method::POST, "/api/v2/logs", good, "gzip", b"[]".to_vec(), 400),
        (Method::POST, "/api/v2/logs", good, "", exactly(5_000_000), 202),
        (Method::POST, "/api/v2/logs", good, "", exactly(5_000_001), 413),
        (
            Method::POST,
            "/api/v2/logs",
            good,
            "zstd",
            zstd::encode_all(&exactly(5_000_000)[..], 1).expect("packed"),
            202,
        ),
        (
            Method::POST,
            "/api/v2/logs",
            good,
            "zstd",
            zstd::encode_all(&exactly(5_000_001)[..], 1).expect("packed"),
            413,
        ),
        (Method::POST, "/api/v2/logs", good, "", bad_json, 400),
        (Method::POST, "/api/v2/logs", good, "", br#"[{"a":1,"a":2}]"#.to_vec(), 400),
        (Method::POST, "/api/v2/logs", good, "", entries(1000), 202),
        (Method::POST, "/api/v2/logs", good, "", entries(1001), 413),
        (Method::POST, "/api/v2/logs", good, "", b"{}".to_vec(), 202),
        (Method::POST, "/api/v2/logs", good, "", vec![], 202),
        (Method::POST, "/v1/input", good, "", entries(1), 200),
    ];
    let statuses: Vec<u16> = table.iter().map(|row| row.5).collect();
    run(async {
        for (i, (method, path, key, encoding, body, status)) in table.into_iter().enumerate() {
            assert_eq!(send(&intake, method, path, key, encoding, body).await, status, "row {i}");
        }
    });
    let book = intake.ledger().book();
    let recorded: Vec<_> = book.requests.iter().map(|request| request.status.unwrap_or(0)).collect();
    assert_eq!(recorded, statuses);
    for request in &book.requests {
        assert_eq!(request.kept, request.status.is_some_and(|status| status < 300));
        assert!(!format!("{request:?}").contains("good"), "the key is not kept");
    }
}

#[test]
fn a_key_can_be_validated() {
    let keys = Some(vec!["good".to_owned()]);
    let intake = Intake::start(Settings { keys, ..Settings::default() }).expect("an intake");
    run(async {
        for (key, status) in [(Some("good"), 200), (Some("bad"), 403), (None, 403)] {
            assert_eq!(send(&intake, Method::GET, "/api/v1/validate", key, "", vec![]).await, status);
        }
    });
}

#[test]
fn what_was_stored_is_told_from_what_was_answered() {
    let script = Script::once([503.into()]).for_key("revoked", Action::Status(403, None));
    let intake = Intake::start(Settings { script, ..Settings::default() }).expect("an intake");
    run(async {
        for (key, status) in [("k", 503), ("revoked", 403), ("k", 202)] {
            assert_eq!(send(&intake, Method::POST, "/api/v2/logs", Some(key), "", entries(2)).await, status);
        }
    });
    assert!(intake.ledger().wait(Duration::from_secs(5), |book| book.requests.len() == 3));
    let book = intake.ledger().book();
    assert!(book.requests.iter().all(|request| request.entries == 2 && !request.decoded.is_empty()));
    assert_eq!(book.stored.len(), 2);
    assert_eq!(book.stored[0].request, 2);
}
