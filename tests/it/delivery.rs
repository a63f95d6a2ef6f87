//! The main job end to end: the real binary, real files, real HTTP, real signals.

use crate::host::{Host, KEY, LIMIT, arrived, assert_wire, numbered, wait_for};
use logveil::intake::{Action, Intake, Script, Settings, Tls};
use std::collections::BTreeSet;
use std::time::Duration;

fn intake(script: &str) -> Intake {
    let script = script.parse().expect("a script");
    Intake::start(Settings { script, ..Settings::default() }).expect("an intake")
}

/// Every number of `0..n` once and in order.
fn in_order(n: u64) -> Vec<u64> {
    (0..n).collect()
}

#[test]
fn five_thousand_lines_arrive_once_and_in_order_through_refusals() {
    let intake = intake("503, 503, 429:1, cut");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 3000));
    host.append("b.log", &numbered(0, 1000));
    let agent = host.start();
    wait_for(&intake, &host, 4000);
    host.append("b.log", &numbered(1000, 2000));
    wait_for(&intake, &host, 5000);
    assert!(agent.stop().success(), "{}", host.own_log());
    let arrived = arrived(intake.ledger());
    assert_eq!(arrived.get("a.log"), Some(&in_order(3000)));
    assert_eq!(arrived.get("b.log"), Some(&in_order(2000)));
    let statuses: Vec<_> = intake.ledger().book().requests.iter().take(5).map(|r| r.status).collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(429), None, Some(202)]);
    assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn several_requests_in_flight_lose_and_repeat_nothing() {
    let intake = intake("202+400ms, 503, 202+100ms, cut, 429:1, 202 | 202+30ms");
    let host = Host::new(&intake.origin(), "    in_flight: 3\n");
    host.append("a.log", &numbered(0, 9000));
    let agent = host.start();
    wait_for(&intake, &host, 9000);
    assert!(agent.stop().success(), "{}", host.own_log());
    let numbers = &arrived(intake.ledger())["a.log"];
    assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (0..9000).collect());
    assert_eq!(numbers.len(), 9000, "nothing came twice");
    let connections: BTreeSet<_> = intake.ledger().book().requests.iter().map(|r| r.connection).collect();
    assert!(connections.len() >= 3, "{connections:?}");
    assert_wire(&intake);
    host.append("a.log", &numbered(9000, 12000));
    intake.play("|202+80ms".parse().expect("a script"));
    let agent = host.start();
    wait_for(&intake, &host, 10_500);
    agent.kill();
    let agent = host.start();
    // All of them may have arrived before the kill: what is new shows that the agent listens to signals.
    host.append("a.log", &numbered(12_000, 12_010));
    wait_for(&intake, &host, 12_010);
    assert!(agent.stop().success());
    let all: BTreeSet<u64> = arrived(intake.ledger())["a.log"].iter().copied().collect();
    assert_eq!(all, (0..12_010).collect());
}

#[test]
fn lines_say_their_own_level_and_cannot_say_ours() {
    let intake = intake("");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 3));
    let agent = host.start();
    wait_for(&intake, &host, 3);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    let statuses: Vec<_> = book.stored.iter().map(|s| s.event["status"].as_str()).collect();
    assert_eq!(statuses, [Some("warning"), Some("info"), Some("error")]);
    let message = book.stored[1].event["message"].as_str().unwrap_or_default();
    assert_eq!(format!("{message}\n"), numbered(1, 2), "what was not sensitive is untouched");
    drop(book);
    assert_wire(&intake);
}

#[test]
fn a_stop_while_the_intake_refuses_loses_nothing_and_repeats_nothing() {
    let intake = intake("|503");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 3000));
    let agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    assert!(agent.stop().success(), "{}", host.own_log());
    host.assert_clean();
    intake.play(Script::default());
    host.append("a.log", &numbered(3000, 3300));
    let agent = host.start();
    wait_for(&intake, &host, 3300);
    assert!(agent.stop().success());
    assert_eq!(arrived(intake.ledger()).get("a.log"), Some(&in_order(3300)));
    assert_wire(&intake);
}

#[test]
fn a_kill_anywhere_loses_nothing() {
    let intake = intake("|202+30ms, 503, cut-stored");
    let host = Host::new(&intake.origin(), "");
    let mut written = 0;
    for round in 0..6u64 {
        host.append("a.log", &numbered(written, written + 700));
        written += 700;
        let agent = host.start();
        std::thread::sleep(Duration::from_millis(150 + 130 * round));
        host.append("a.log", &numbered(written, written + 300));
        written += 300;
        agent.kill();
        host.assert_clean();
    }
    intake.play(Script::default());
    let agent = host.start();
    wait_for(&intake, &host, written);
    assert!(agent.stop().success());
    let arrived = arrived(intake.ledger());
    let all: BTreeSet<u64> = arrived["a.log"].iter().copied().collect();
    assert_eq!(all, (0..written as u64).collect());
    assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn the_same_record_keeps_its_id_when_it_is_sent_again() {
    let intake = intake("cut-stored");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 200));
    let agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| book.requests.iter().filter(|r| r.kept).count() >= 2));
    wait_for(&intake, &host, 200);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    let ids: BTreeSet<_> = book.stored.iter().map(|s| s.event["logveil"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 200);
    assert!(book.stored.len() > 200, "the batch that was kept unanswered came again");
}

#[test]
fn an_intake_without_zstd_is_served_with_gzip() {
    let refused_encoding = Some(("zstd".to_owned(), 400));
    let intake = Intake::start(Settings { refused_encoding, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 2500));
    let agent = host.start();
    wait_for(&intake, &host, 2500);
    assert!(agent.stop().success());
    assert_eq!(arrived(intake.ledger()).get("a.log"), Some(&in_order(2500)));
    let refused = intake.ledger().book().requests.iter().filter(|r| r.status == Some(400)).count();
    assert_eq!(refused, 1, "one doubt is enough");
    assert_wire(&intake);
}

#[test]
fn too_large_batches_are_halved_until_they_fit() {
    let intake = Intake::start(Settings { max_json: 60_000, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 1500));
    let agent = host.start();
    wait_for(&intake, &host, 1500);
    assert!(agent.stop().success());
    assert_eq!(arrived(intake.ledger()).get("a.log"), Some(&in_order(1500)));
    assert!(intake.ledger().book().requests.iter().any(|r| r.status == Some(413)));
    assert_wire(&intake);
}

#[test]
fn one_poisonous_record_is_put_aside_and_the_others_arrive() {
    let poison = Some("poisonous".to_owned());
    let intake = Intake::start(Settings { poison, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 400));
    host.append("a.log", "{\"n\":400,\"msg\":\"poisonous\",\"password\":\"c4n4ry-dead-Zq\"}\n");
    host.append("a.log", &numbered(401, 900));
    let agent = host.start();
    wait_for(&intake, &host, 899);
    assert!(agent.stop().success());
    let expected: Vec<u64> = (0..900).filter(|n| *n != 400).collect();
    assert_eq!(arrived(intake.ledger()).get("a.log"), Some(&expected));
    let kept_aside = host.state_files().iter().any(|path| path.to_string_lossy().contains("dead"));
    assert!(kept_aside, "a dead letter in {:?}", host.state_files());
    assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn a_refused_key_holds_until_it_is_replaced_on_disk() {
    let keys = Some(vec![KEY.to_owned()]);
    let intake = Intake::start(Settings { keys, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.set_key("revoked");
    host.append("a.log", &numbered(0, 1200));
    let mut agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| book.requests.iter().any(|r| r.status == Some(403))));
    host.append("a.log", &numbered(1200, 1500));
    std::thread::sleep(Duration::from_secs(2));
    assert!(agent.is_running());
    let asked = intake.ledger().book().requests.len();
    assert!(asked <= 10, "{asked} requests against a refusing intake");
    assert!(host.own_log().contains("403"), "{}", host.own_log());
    host.set_key(KEY);
    wait_for(&intake, &host, 1500);
    assert!(agent.stop().success());
    assert_eq!(arrived(intake.ledger()).get("a.log"), Some(&in_order(1500)));
    assert_wire(&intake);
    assert!(!host.own_log().contains(KEY) && !host.own_log().contains("revoked"));
}

#[test]
fn old_records_arrive_under_a_time_the_intake_keeps() {
    let intake = intake("");
    let host = Host::new(&intake.origin(), "");
    let lines: String = (0..50).map(|n| format!("{{\"n\":{n},\"ts\":\"2024-01-02T03:04:05Z\"}}\n")).collect();
    host.append("a.log", &lines);
    let agent = host.start();
    wait_for(&intake, &host, 50);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    assert_eq!(book.lost(), 0);
    assert!(book.stored.iter().all(|s| s.event["logveil"]["event_time"] == 1_704_164_645_000_i64));
}

#[test]
fn tls_needs_the_authority_and_the_name() {
    for (name, arrives) in [("localhost", true), ("elsewhere.example", false)] {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let tls = Tls { chain: made.cert.pem().into_bytes(), key: made.signing_key.serialize_pem().into_bytes() };
        let intake = Intake::start(Settings { tls: Some(tls), ..Settings::default() }).expect("an intake");
        let host = Host::new("http://127.0.0.1:9", "");
        std::fs::write(host.path("ca.pem"), made.cert.pem()).expect("written");
        let tls = format!("    tls: {{ca_file: '{}'}}\n", host.path("ca.pem").display());
        host.configure(&format!("https://localhost:{}", intake.address().port()), &tls);
        host.append("a.log", &numbered(0, 100));
        let mut agent = host.start();
        if arrives {
            wait_for(&intake, &host, 100);
        } else {
            let until = std::time::Instant::now() + LIMIT;
            while !host.own_log().to_lowercase().contains("certificate") {
                assert!(agent.is_running() && std::time::Instant::now() < until, "{}", host.own_log());
                std::thread::sleep(Duration::from_millis(50));
            }
            assert!(intake.ledger().book().requests.is_empty(), "not a byte to a server of another name");
        }
        assert!(agent.stop().success());
        host.assert_clean();
    }
}

#[test]
fn a_redirect_holds_and_the_key_stays_here() {
    let elsewhere = intake("");
    let here = intake("");
    let step = Action::Redirect(format!("{}/api/v2/logs", elsewhere.origin()));
    here.play(Script::default().then_repeat([step.into()]));
    let host = Host::new(&here.origin(), "");
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    assert!(here.ledger().wait(LIMIT, |book| !book.requests.is_empty()));
    std::thread::sleep(Duration::from_secs(1));
    here.play(Script::default());
    wait_for(&here, &host, 100);
    assert!(agent.stop().success());
    assert!(elsewhere.ledger().book().requests.is_empty());
    assert_eq!(arrived(here.ledger()).get("a.log"), Some(&in_order(100)));
}

#[test]
fn a_second_signal_ends_at_once() {
    let intake = intake("|stall");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    agent.terminate();
    std::thread::sleep(Duration::from_millis(300));
    agent.terminate();
    let _ = agent.wait();
    intake.play(Script::default());
    let agent = host.start();
    wait_for(&intake, &host, 100);
    assert!(agent.stop().success());
}

#[test]
fn two_workers_keep_every_stream_in_order() {
    let intake = intake("503, cut");
    let host = Host::new(&intake.origin(), "");
    let path = host.path("logveil.yaml");
    let text = std::fs::read_to_string(&path).expect("read") + "limits: {threads: 2}\n";
    std::fs::write(&path, text).expect("written");
    let logs: Vec<String> = (0..8).map(|n| format!("log-{n}.log")).collect();
    logs.iter().for_each(|log| host.append(log, &numbered(0, 700)));
    let agent = host.start();
    wait_for(&intake, &host, 4000);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", agent.id())).expect("threads").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    assert_eq!(names.filter(|name| name.starts_with("redact-")).count(), 2);
    logs.iter().for_each(|log| host.append(log, &numbered(700, 1000)));
    wait_for(&intake, &host, 8000);
    assert!(agent.stop().success(), "{}", host.own_log());
    let arrived = arrived(intake.ledger());
    for log in &logs {
        assert_eq!(arrived.get(log), Some(&in_order(1000)), "{log}");
    }
    assert_wire(&intake);
    host.assert_clean();
}

/// Records sealed while they were young enough wait until they are too old for the intake: it would drop them behind
/// its 202. The limit of 17 h is crossed by the real clock.
#[test]
fn records_that_grow_too_old_in_the_spool_leave_under_a_time_the_intake_keeps() {
    let intake = intake("|503");
    let host = Host::new(&intake.origin(), "");
    let limit = jiff::SignedDuration::from_hours(17);
    let event = jiff::Timestamp::now() - limit + jiff::SignedDuration::from_secs(20);
    let lines: String = (0..50).map(|n| format!("{{\"n\":{n},\"ts\":\"{event:.3}\"}}\n")).collect();
    host.append("a.log", &lines);
    let agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    let waiting = host.state_files().into_iter().find(|path| path.extension().is_some_and(|e| e == "batch"));
    let waiting = std::fs::read(waiting.expect("a batch in the spool")).expect("read");
    let head = waiting.split(|byte| *byte == b'\n').next().expect("a head");
    let head: serde_json::Value = serde_json::from_slice(head).expect("JSON");
    assert_eq!(head["header"]["oldest"], event.as_millisecond(), "sealed under its own time");
    assert_eq!(head["header"]["sources"], serde_json::json!([["workflows", 50]]));
    while jiff::Timestamp::now() - limit <= event {
        std::thread::sleep(Duration::from_millis(100));
    }
    intake.play(Script::default());
    wait_for(&intake, &host, 50);
    assert!(agent.stop().success(), "{}", host.own_log());
    let book = intake.ledger().book();
    let hour = jiff::Timestamp::now().as_millisecond() - 3_600_000;
    assert_eq!((book.stored.len(), book.lost()), (50, 0));
    for stored in &book.stored {
        assert_eq!(stored.event["logveil"]["event_time"], event.as_millisecond());
        assert!(stored.event["timestamp"].as_i64().is_some_and(|time| time > hour), "{}", stored.event);
    }
}
