//! Tokens in the running agent: one value, one token, whatever it is written in; the key of the moment.

use crate::host::{Host, LIMIT, wait_for};
use base64::Engine;
use logveil::intake::Intake;
use logveil::keyring::{EpochKey, Keyring};
use logveil::token::{Minter, TokenClass};
use serde_json::Value;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const MAIL: &str = "anna.nowak@example.org";
const ADDRESS: &str = "203.0.113.77";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

fn token(key: &EpochKey, class: TokenClass, value: &str) -> String {
    let mut minter = Minter::new(&key.key, "eu", key.epoch, None);
    minter.mint(class, value.as_bytes()).expect("a token").as_str().to_owned()
}

/// The same address of a person in four spellings, then an address of a machine.
fn lines() -> String {
    let packed = base64::engine::general_purpose::STANDARD.encode(format!("login by {MAIL} from the shop"));
    let percent = MAIL.replace('@', "%40");
    format!(
        "mail to {MAIL} bounced\n{{\"user\":\"{MAIL}\"}}\nGET /users?mail={percent}&page=2\n{{\"blob\":\"{packed}\"}}\n\
         refused connection from {ADDRESS} port 22\n"
    )
}

fn records(intake: &Intake) -> Vec<(String, Vec<String>)> {
    let book = intake.ledger().book();
    let record = |event: &Value| {
        let tokens = event["logveil"]["tokens"].as_array().cloned().unwrap_or_default();
        let tokens = tokens.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        (event["message"].as_str().unwrap_or_default().to_owned(), tokens)
    };
    book.stored.iter().map(|stored| record(&stored.event)).collect()
}

/// Ends the first key a moment ago and lets the second one begin there, as time would.
fn turn_the_epoch(host: &Host) {
    let path = host.path("ring.json");
    let mut ring: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    let turn = jiff::Timestamp::from_second(now() - 1).expect("a time").to_string();
    ring["keys"][0]["valid_until"] = turn.clone().into();
    ring["keys"][1]["valid_from"] = turn.into();
    ring["keys"][1]["destroy_by"] = ring["keys"][1]["valid_until"].clone();
    logveil::durable::replace(&path, ring.to_string().as_bytes(), 0o600).expect("written");
}

#[test]
fn one_value_has_one_token_in_every_spelling_until_the_epoch_turns() {
    let intake = Intake::start(logveil::intake::Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    let mut ring = Keyring::empty(&host.path("ring.json"), "eu");
    ring.extend(now()).expect("keys");
    ring.save().expect("written");
    let tokens = format!("tokens: {{keyring: 'file:{}', country: pl}}\n", host.path("ring.json").display());
    host.configure(&intake.origin(), &tokens);
    host.append("a.log", &lines());
    let agent = host.start();
    wait_for(&intake, &host, 5);

    let keys = ring.keys();
    let mail = token(&keys[0], TokenClass::Email, MAIL);
    let seen = records(&intake);
    for (message, tokens) in &seen[..4] {
        assert!(message.contains(&mail), "{message}");
        assert!(tokens.contains(&mail), "{message}: {tokens:?}");
    }
    let machine = token(&keys[0], TokenClass::Ip, ADDRESS);
    let network = token(&keys[0], TokenClass::IpNetwork, ADDRESS);
    assert!(seen[4].0.contains(&machine) && !seen[4].0.contains(&network), "{}", seen[4].0);
    assert_eq!(seen[4].1, [machine, network], "the network is listed, not written");

    turn_the_epoch(&host);
    let until = Instant::now() + LIMIT;
    while !host.own_log().contains("keyring was read again") {
        assert!(Instant::now() < until, "{}", host.own_log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    host.append("a.log", &lines());
    wait_for(&intake, &host, 10);
    let second = token(&keys[1], TokenClass::Email, MAIL);
    assert_ne!(second, mail);
    for (message, tokens) in &records(&intake)[5..9] {
        assert!(message.contains(&second) && tokens.contains(&second), "{message}: {tokens:?}");
    }
    assert!(agent.stop().success());
    assert!(!host.own_log().contains(MAIL));
}

#[test]
fn without_a_key_of_now_there_are_labels_and_a_loud_line() {
    let intake = Intake::start(logveil::intake::Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    let mut ring = Keyring::empty(&host.path("ring.json"), "eu");
    ring.extend(now() - 3 * logveil::keyring::EPOCH_SECONDS).expect("keys");
    ring.save().expect("written");
    let tokens = format!("tokens: {{keyring: 'file:{}'}}\n", host.path("ring.json").display());
    host.configure(&intake.origin(), &tokens);
    host.append("a.log", &lines());
    let agent = host.start();
    wait_for(&intake, &host, 5);
    for (message, tokens) in &records(&intake)[..4] {
        assert!(message.contains("[email]") && tokens.is_empty(), "{message}: {tokens:?}");
    }
    assert!(host.own_log().contains("LV0302"), "{}", host.own_log());
    assert!(agent.stop().success());
}
