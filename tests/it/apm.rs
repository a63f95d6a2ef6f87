//! Spans as an operator meets them: the real agent, a trace endpoint that answers, stalls or is absent, and a
//! standard output that nobody reads.

use crate::host::{CANARY, Host, LIMIT, numbered, wait_for};
use logveil::intake::{Intake, Settings};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A trace endpoint; sends each body to the receiver.
fn endpoint() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let (to, bodies) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let to = to.clone();
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut room = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut room) {
                    seen.extend_from_slice(&room[..count]);
                    while let Some((head, len)) = request(&seen) {
                        let body = String::from_utf8(seen.drain(..head + len).skip(head).collect()).expect("text");
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nOK\n");
                        let _ = to.send(body);
                    }
                }
            });
        }
    });
    (address, bodies)
}

/// Lengths of the head and the body of the first request, when both are there.
fn request(seen: &[u8]) -> Option<(usize, usize)> {
    let head = seen.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
    assert!(
        text.starts_with("post /v0.3/traces http/1.1\r\n") && text.contains("x-datadog-trace-count: 1\r\n"),
        "{text}"
    );
    let len = text.split("content-length: ").nth(1)?.split('\r').next()?.parse().ok()?;
    (seen.len() >= head + len).then_some((head, len))
}

fn host(intake: &Intake, agent: SocketAddr) -> Host {
    Host::new(&intake.origin(), &format!("telemetry: {{apm: {{enabled: true, agent: '{agent}', sample: 1}}}}\n"))
}

fn intake() -> Intake {
    Intake::start(Settings::default()).expect("an intake")
}

#[test]
fn spans_hold_names_and_numbers() {
    let (address, bodies) = endpoint();
    let intake = intake();
    let host = host(&intake, address);
    let agent = host.start();
    host.append("a.log", &numbered(0, 30));
    wait_for(&intake, &host, 30);
    let body = bodies.recv_timeout(LIMIT).expect("a trace");
    assert!(agent.stop().success());
    assert!(!body.contains(CANARY) && !body.contains("workflow"), "{body}");
    let traces: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let spans = traces[0].as_array().expect("spans");
    assert!(spans.len() >= 3, "{body}");
    for span in spans {
        for (key, value) in span.as_object().expect("a span") {
            let fixed = ["service", "name", "resource", "type"].contains(&key.as_str())
                && value.as_str().is_some_and(|text| text.starts_with("logveil") || text == "custom");
            let numbers = value.as_object().is_some_and(|all| key == "metrics" && all.values().all(|v| v.is_u64()));
            assert!(fixed || numbers || value.is_u64(), "{key}: {value}");
        }
    }
    let root = spans.iter().find(|span| span["name"] == "logveil.batch").expect("the batch");
    assert!(root["metrics"]["entries"].as_u64().is_some_and(|n| n > 0) && root["metrics"]["attempts"] == 1, "{root}");
}

#[test]
fn an_absent_endpoint_costs_nothing_but_the_traces() {
    let absent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = absent.local_addr().expect("an address");
    drop(absent);
    let intake = intake();
    let host = host(&intake, address);
    let agent = host.start();
    for round in 0..5 {
        host.append("a.log", &numbered(round * 20, round * 20 + 20));
        wait_for(&intake, &host, round * 20 + 20);
    }
    let end = Instant::now() + LIMIT;
    while !host.own_log().contains("LV0602") && Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(agent.stop().success());
    // Standard output and standard error go into one file.
    let said = host.own_log();
    assert_eq!(said.matches("LV0602").count(), 1, "{said}");
    assert!(!said.contains("error sending traces"), "{said}");
    host.assert_clean();
}

#[test]
fn a_stalled_endpoint_and_a_closed_standard_output_change_nothing() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let intake = intake();
    let host = host(&intake, silent.local_addr().expect("an address"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut agent = host.start_onto(Stdio::from(writer));
    for round in 0..10 {
        host.append("a.log", &numbered(round * 20, round * 20 + 20));
        wait_for(&intake, &host, round * 20 + 20);
    }
    assert!(agent.is_running());
    assert!(agent.stop().success());
    assert!(!host.own_log().contains("internal error"), "{}", host.own_log());
}

#[test]
fn traces_go_on_while_nobody_reads_standard_output() {
    let (address, bodies) = endpoint();
    let intake = intake();
    let host = host(&intake, address);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let agent = host.start_onto(Stdio::from(writer));
    for round in 0..3 {
        host.append("a.log", &numbered(round * 20, round * 20 + 20));
        wait_for(&intake, &host, round * 20 + 20);
        bodies.recv_timeout(LIMIT).expect("another trace");
    }
    assert!(agent.stop().success());
}
