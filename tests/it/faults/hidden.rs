//! Rows R and L: planted values over kills and in odd places; very long lines and very many files.

use super::{pause, scene, until};
use crate::host::{CANARY, numbered, wait_for};

#[test]
fn r03_a_private_key_over_many_lines_and_a_kill_between_them() {
    let (intake, host) = scene("");
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
    let (intake, host) = scene("");
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
    let (intake, host) = scene("");
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

/// Values that begin before and end behind every kind of border: of a window of one MiB, of what a record may hold.
#[test]
fn r02_a_secret_over_a_windows_edge_and_over_the_cut() {
    let (intake, host) = scene("");
    let mut written = 0;
    for border in [1usize << 20, 2 << 20, 900_000] {
        for before in [1usize, 9, 20, 33, 60] {
            let pad = "lorem ipsum ".repeat(border / 12 + 1);
            let secret = format!("{CANARY}{}", "aB3xK9".repeat(6));
            for (open, value, close) in [
                ("{\"n\":1,\"pad\":\"", format!("\",\"password\":\"{secret}\",\"x\":\""), "tail\"}\n"),
                ("", format!(" Authorization: Bearer {secret} "), "tail\n"),
                ("", format!(" user u.{CANARY}@example.com "), "tail\n"),
            ] {
                let line = format!("{open}{}{value}{close}", &pad[..border - open.len() - before]);
                host.append("a.log", &line);
                written += 1;
            }
        }
    }
    host.append("a.log", &numbered(0, 10));
    let agent = host.start();
    until("all lines arrive", &host, || intake.ledger().book().stored.len() >= written + 10);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

/// Whatever bytes a log holds: what is shipped is text, and what follows them arrives.
#[test]
fn l11_random_bytes_in_a_log() {
    use std::io::Write;
    let (intake, host) = scene("");
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut bytes = Vec::new();
    while bytes.len() < 200_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        bytes.extend(random.to_le_bytes());
    }
    bytes.push(b'\n');
    std::fs::File::create(host.path("logs/a.log")).and_then(|mut file| file.write_all(&bytes)).expect("written");
    host.append("a.log", &numbered(0, 10));
    let mut agent = host.start();
    let numbers = || {
        intake.ledger().book().stored.iter().filter(|s| s.event["message"].to_string().contains("\\\"n\\\":")).count()
    };
    until("what follows arrives", &host, || numbers() >= 10);
    assert!(agent.is_running() && agent.most_memory() < super::MEMORY);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn r04_an_open_group_of_lines_at_a_rotation() {
    let (intake, host) = scene("");
    host.add_to_source("multiline: {traces: [java], flush: 2s}");
    let frames = |from: usize, to: usize| -> String {
        (from..to).map(|n| format!("\tat app.Step{n:02}.run(Step{n:02}.java:{n})\n")).collect()
    };
    let head = format!("2026-01-01 ERROR step failed\njava.lang.IllegalStateException: password={CANARY}-Zq9\n");
    let mut agent = host.start();
    for round in 0..4usize {
        host.append("a.log", &format!("{head}{}", frames(round * 20, round * 20 + 10)));
        pause(300);
        std::fs::rename(host.path("logs/a.log"), host.path(&format!("logs/a-{round}.log"))).expect("renamed");
        host.append("a.log", &frames(round * 20 + 10, round * 20 + 20));
        // With and without a kill while both halves are open.
        if round == 2 {
            pause(400);
            agent.kill();
            host.assert_clean();
            agent = host.start();
        }
    }
    host.append("a.log", &numbered(0, 10));
    let seen = |frame: usize| {
        let name = format!("Step{frame:02}.run");
        intake.ledger().book().stored.iter().filter(|s| s.event["message"].to_string().contains(&name)).count()
    };
    until("every frame arrives", &host, || (0..80).all(|frame| seen(frame) > 0));
    assert!(agent.stop().success());
    assert!((0..40).all(|frame| seen(frame) == 1), "read once without a kill");
    crate::host::assert_wire(&intake);
    host.assert_clean();
}
