//! Rows R and L: planted values over kills and in odd places; very long lines and very many files.

use super::{assert_whole, host, intake, pause, until};
use crate::host::{CANARY, Host, numbered, wait_for};
use std::fmt::Write;

#[test]
fn r03_a_private_key_over_many_lines_and_a_kill_between_them() {
    let intake = intake("");
    let host = host(&intake);
    let (begin, end) = (format!("-----BEGIN {} KEY-----\n", "PRIVATE"), format!("-----END {} KEY-----\n", "PRIVATE"));
    let mut lines = vec![begin];
    lines.extend((0..24).map(|n| format!("MIIEvQ{CANARY}{n:02}{}\n", "aB3dE5gH".repeat(6))));
    lines.push(end);
    for line in &lines {
        let agent = host.start();
        host.append("a.log", line);
        pause(260);
        agent.kill();
        host.assert_clean();
    }
    host.append("a.log", &numbered(0, 10));
    let agent = host.start();
    until("what follows the key arrives", &host, || {
        intake.ledger().book().stored.iter().filter(|s| s.event["message"].to_string().contains("\\\"n\\\":")).count()
            >= 10
    });
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn r06_a_planted_value_in_the_files_name() {
    let intake = intake("");
    let host = host(&intake);
    host.append(&format!("anna.{CANARY}@example.com_1.log"), &numbered(0, 50));
    let agent = host.start();
    wait_for(&intake, &host, 50);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    for stored in &intake.ledger().book().stored {
        assert!(!stored.event.to_string().contains(CANARY));
    }
    assert!(!host.own_log().contains(CANARY), "{}", host.own_log());
}

#[test]
fn l03_a_line_of_sixteen_mebibytes() {
    let intake = intake("");
    let host = host(&intake);
    let long =
        |n: usize| format!("{{\"n\":{n},\"password\":\"{CANARY}-{n}-Zq\",\"pad\":\"{}\"}}\n", "x".repeat(16 << 20));
    host.append("a.log", &numbered(0, 20));
    host.append("a.log", &long(20));
    host.append("a.log", &numbered(21, 40));
    let agent = host.start();
    until("what follows the long line arrives", &host, || intake.ledger().book().stored.len() >= 40);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
    let longest = intake.ledger().book().stored.iter().map(|s| s.event.to_string().len()).max();
    assert!(longest.is_some_and(|bytes| bytes <= 1_000_000), "{longest:?}");
}

#[test]
fn l05_many_idle_files_and_one_that_moves() {
    let intake = intake("");
    let host: Host = host(&intake);
    let mut name = String::new();
    for file in 0..2000 {
        name.clear();
        let _ = write!(name, "idle{file}.log");
        host.append(&name, "");
    }
    host.append("a.log", &numbered(0, 10));
    let agent = host.start();
    super::wait_for_numbers(&intake, &host, 10);
    host.append("idle1999.log", &numbered(10, 20));
    assert_whole(&intake, &host, 20);
    assert!(agent.stop().success());
}
