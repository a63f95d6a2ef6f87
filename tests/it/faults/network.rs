//! Rows N: the way to the intake is refused, cut, stalled or lies.

use super::{assert_whole, host, intake, pause, until};
use crate::host::{Host, KEY, numbered};
use logveil::intake::{Intake, Settings};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An address where nobody listens.
fn free_port() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// A server that reads a request and answers with these bytes, then does what `then` says.
fn liar(answer: &'static [u8], then: fn(&mut TcpStream)) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(300)));
                let mut buffer = [0; 65536];
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
                let _ = stream.write_all(answer);
                then(&mut stream);
            });
        }
    });
    (format!("http://{address}"), asked)
}

#[test]
fn n01_refused_then_back() {
    let address = free_port();
    let host = Host::new(&format!("http://{address}"), "");
    host.append("a.log", &numbered(0, 3000));
    let agent = host.start();
    until("a failed delivery is told", &host, || host.own_log().contains("a delivery failed"));
    host.append("a.log", &numbered(3000, 4000));
    let intake = Intake::start(Settings { listen: address, ..Settings::default() }).expect("an intake");
    assert_whole(&intake, &host, 4000);
    assert!(agent.stop().success());
}

#[test]
fn n04_a_name_that_does_not_resolve_is_retried_without_a_storm() {
    let host = Host::new("http://127.0.0.1:9", "");
    host.configure("https://intake.invalid", "residency: {allow: [intake.invalid]}\n");
    host.append("a.log", &numbered(0, 100));
    let mut agent = host.start();
    until("a failed delivery is told", &host, || host.own_log().contains("a delivery failed"));
    pause(2500);
    assert!(agent.is_running());
    assert!(agent.stop().success());
    let intake = intake("");
    host.configure(&intake.origin(), "");
    let agent = host.start();
    assert_whole(&intake, &host, 100);
    assert!(agent.stop().success());
}

#[test]
fn n05_reset_before_in_and_after_the_body() {
    let intake = intake("cut-before, cut, cut-after, 202, cut, cut-before");
    let host = host(&intake);
    let agent = host.start();
    for part in 0..4 {
        host.append("a.log", &numbered(part * 500, part * 500 + 500));
        pause(300);
    }
    assert_whole(&intake, &host, 2000);
    assert!(agent.stop().success());
}

#[test]
fn n07_an_answer_byte_by_byte_holds_nothing_up() {
    let intake = intake("drip, drip");
    let host = host(&intake);
    host.append("a.log", &numbered(0, 2500));
    let agent = host.start();
    assert_whole(&intake, &host, 2500);
    assert!(agent.stop().success());
}

#[test]
fn n08_an_answer_without_end_is_not_read() {
    let head = b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n";
    let (origin, asked) = liar(head, |stream| {
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
    });
    let host = Host::new(&origin, "");
    host.append("a.log", &numbered(0, 500));
    let mut agent = host.start();
    until("it was asked", &host, || asked.load(Ordering::Relaxed) > 0);
    until("the batch counts as taken", &host, || {
        std::fs::read_dir(host.path("state/spool")).is_ok_and(|mut files| files.next().is_none())
            && host.path("state/checkpoint").exists()
    });
    assert!(agent.is_running());
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id())).expect("a status");
    let peak: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .expect("a peak");
    assert!(peak < 256 << 10, "{peak} KiB");
    assert!(agent.stop().success());
}

#[test]
fn n09_half_an_answer_is_no_answer() {
    let (origin, asked) = liar(b"HTTP/1.1 20", |_| {});
    let host = Host::new(&origin, "");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    until("it was asked twice", &host, || asked.load(Ordering::Relaxed) > 1);
    assert!(agent.stop().success());
    let intake = intake("");
    host.configure(&intake.origin(), "");
    let agent = host.start();
    assert_whole(&intake, &host, 300);
    assert!(agent.stop().success());
}

#[test]
fn n12_a_refused_key_is_replaced_and_401_drops_nothing() {
    let intake = intake("");
    intake.play("".parse::<logveil::intake::Script>().expect("a script").for_key("old-key-0123456789", 401));
    let host = host(&intake);
    host.set_key("old-key-0123456789");
    host.append("a.log", &numbered(0, 700));
    let agent = host.start();
    until("the refusal is told", &host, || host.own_log().contains("401"));
    host.set_key(KEY);
    assert_whole(&intake, &host, 700);
    assert!(agent.stop().success());
}

#[test]
fn n13_errors_of_every_kind_now_and_then() {
    let intake = intake("408, 500, 202, 502, 503, 202, 504, 202, 429, 202");
    let host = host(&intake);
    let agent = host.start();
    for part in 0..5 {
        host.append("a.log", &numbered(part * 300, part * 300 + 300));
        pause(350);
    }
    assert_whole(&intake, &host, 1500);
    assert!(agent.stop().success());
}

#[test]
fn n20_stored_then_reset_repeats_exactly_that_request() {
    let intake = intake("202, cut-stored, 202");
    let host = host(&intake);
    let agent = host.start();
    for part in 0..4 {
        host.append("a.log", &numbered(part * 300, part * 300 + 300));
        pause(400);
    }
    assert_whole(&intake, &host, 1200);
    let twice = super::numbers(&intake).len() - 1200;
    let cut: usize =
        intake.ledger().book().requests.iter().filter(|r| r.kept && r.status.is_none()).map(|r| r.entries).sum();
    assert_eq!(twice, cut, "only the request whose answer was lost came again");
    assert!(agent.stop().success());
}
