//! Retention and residency, asked of a site over real HTTP by the real binary.

use logveil::intake::{Intake, Settings};
use serde_json::{Value, json};
use std::process::{Command, Output};

fn site() -> Intake {
    Intake::start(Settings::default()).unwrap()
}

fn retention(intake: &Intake, args: &[&str]) -> Output {
    let (verb, rest) = args.split_first().unwrap();
    Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["retention", verb, "--region", "eu", "--api", &intake.origin()])
        .args(rest)
        .env("DD_API_KEY", "api-key-of-the-test")
        .env("DD_APP_KEY", "application-key-of-the-test")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn index(name: &str, query: &str, days: i64) -> Value {
    json!({"name": name, "filter": {"query": query}, "num_retention_days": days, "exclusion_filters": []})
}

#[test]
fn the_wrong_index_is_named_with_its_days() {
    let intake = site();
    let output = retention(&intake, &["check", "--service", "workflow-engine"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("lands in main (15 days)  not as promised"), "{}", text(&output));
}

#[test]
fn a_plan_applied_is_what_was_promised() {
    let intake = site();
    let plan = retention(&intake, &["plan"]);
    assert!(
        text(&plan).contains("\"name\": \"logveil-90d\"")
            && text(&plan).contains("[datadog_logs_index.logveil_90d.id, \"main\"]")
    );
    let unsure = retention(&intake, &["apply"]);
    assert_eq!(unsure.status.code(), Some(5));
    assert_eq!(intake.site().indexes.len(), 1, "nothing is created without --yes");
    let applied = retention(&intake, &["apply", "--yes"]);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    assert_eq!(intake.site().indexes[0]["name"], "logveil-90d");
    let check = retention(&intake, &["check", "--json"]);
    let verdict: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!((&verdict["verdict"], &verdict["index"]), (&json!("ok"), &json!("logveil-90d")));
}

#[test]
fn what_cannot_be_decided_is_unknown_and_copies_are_named() {
    let intake = site();
    intake.site().indexes = vec![index("errors", "status:error", 30), index("logveil-90d", "retention:90d", 90)];
    let output = retention(&intake, &["check"]);
    assert!(text(&output).contains("unknown") && output.status.code() == Some(1), "{}", text(&output));
    intake.site().indexes.remove(0);
    intake.site().copies = vec![json!({"attributes": {"name": "cold-store", "query": "*"}})];
    let output = retention(&intake, &["check"]);
    assert!(text(&output).contains("`cold-store` keeps copies"), "{}", text(&output));
}

#[test]
fn refusals_say_which_permission_or_limit() {
    let intake = site();
    for (status, words) in [
        (403, "logs_read_config"),
        (404, "no /api/v1/logs/config/indexes"),
        (422, "limit of the organisation"),
        (429, "too many calls"),
    ] {
        intake.site().refuse = Some(status);
        let output = retention(&intake, &["check"]);
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output).contains(words), "{status}: {}", text(&output));
    }
}

#[test]
fn without_an_application_key_the_answer_is_skipped() {
    let intake = site();
    let output = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["retention", "check", "--region", "eu", "--api", &intake.origin(), "--json"])
        .env_remove("DD_APP_KEY")
        .env("DD_API_KEY", "x")
        .output()
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["verdict"], "skipped");
}

#[test]
fn keys_never_come_as_arguments_and_foreign_plain_http_is_refused() {
    let intake = site();
    let typed = retention(&intake, &["check", "--application-key", "0123456789abcdef"]);
    assert_eq!(typed.status.code(), Some(2));
    let foreign = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["retention", "check", "--region", "eu", "--api", "http://api.example.com"])
        .env("DD_API_KEY", "x")
        .env("DD_APP_KEY", "y")
        .output()
        .unwrap();
    assert_eq!(foreign.status.code(), Some(3), "{}", text(&foreign));
}
