//! `logveil spool` over a real state directory.

use crate::host::{CANARY, Host, LIMIT, numbered, wait_for};
use logveil::intake::{Intake, Settings};
use std::process::{Command, Output};

fn spool(host: &Host, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["spool", "--state-dir"])
        .arg(host.path("state"))
        .args(arguments)
        .output()
        .expect("the command")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn waiting_batches_are_listed_and_shown_masked() {
    let script = "|503".parse().expect("a script");
    let intake = Intake::start(Settings { script, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 30));
    let agent = host.start();
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    let listed = spool(&host, &["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON beside a running agent");
    let sequence = listed["waiting"][0]["sequence"].to_string();
    let shown = text(&spool(&host, &["show", &sequence]));
    assert!(shown.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{shown}");
    assert!(shown.contains("[email]") && !shown.contains(CANARY), "{shown}");
    assert_eq!(spool(&host, &["show", "99999"]).status.code(), Some(1));
    assert!(agent.stop().success());
}

#[test]
fn dead_letters_are_delivered_when_the_intake_takes_them_at_last() {
    let poison = Some("poisonous".to_owned());
    let intake = Intake::start(Settings { poison, ..Settings::default() }).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    host.append("a.log", &numbered(0, 50));
    host.append("a.log", "{\"n\":50,\"msg\":\"poisonous\"}\n");
    let agent = host.start();
    wait_for(&intake, &host, 50);
    let until = std::time::Instant::now() + LIMIT;
    while !text(&spool(&host, &["list"])).contains(" 1 dead letters") {
        assert!(std::time::Instant::now() < until, "{}", text(&spool(&host, &["list"])));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let refused = spool(&host, &["retry-dead-letters"]);
    assert_eq!(refused.status.code(), Some(4), "refused while an agent runs");
    assert!(agent.stop().success());

    let done = spool(&host, &["retry-dead-letters"]);
    assert!(done.status.success() && text(&done).starts_with("1 dead letters wait"), "{}", text(&done));
    let kinder = Intake::start(Settings::default()).expect("an intake");
    host.configure(&kinder.origin(), "");
    let agent = host.start();
    wait_for(&kinder, &host, 1);
    assert!(agent.stop().success());
    let book = kinder.ledger().book();
    assert!(book.stored.iter().all(|s| s.event["message"].to_string().contains("poisonous")), "only that one");
    assert!(text(&spool(&host, &["list"])).contains("0 batches wait, 0 dead letters"));
}
