//! What a person sees of a wrong configuration: every mistake with file, line, caret and what was expected, all in one run.
//! The whole output is held by `carets.txt`; after a wanted change run the test with `UPDATE_CARETS=1`.

use std::process::{Command, Stdio};

/// One mistake of each kind that a configuration can hold.
const WRONG: &str = "\
version: 1
region: eu
retension: 90d
state_dir: state
tags: [env:prod, 'retention:15d']
sources:
  workflows:
    include: ['/nonexistent-folder/*.jsonl']
    start_at: beginning
    start_at: end
    service: 12
output:
  datadog:
    url: http://intake.example
    api_key: file:/nonexistent-folder/dd_api_key
    batch: {events: many, age: 2}
admin: {listen: 0.0.0.0:8741}
";

#[test]
fn all_mistakes_are_shown_with_their_place_in_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wrong.yaml"), WRONG).expect("written");
    let shown = |command: &str| {
        let mut logveil = Command::new(env!("CARGO_BIN_EXE_logveil"));
        logveil.args([command, "--config", "wrong.yaml"]).current_dir(folder.path()).stdin(Stdio::null());
        let output = logveil.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "mistakes beside refusals");
        // Who runs the tests may be root, who is warned; the last block counts warnings too.
        let text = String::from_utf8(output.stderr).expect("text");
        let blocks = text.split("\n\n").filter(|block| !block.contains("runs as root") && !block.contains("LV0203"));
        blocks.collect::<Vec<_>>().join("\n\n")
    };
    let said = shown("check");
    assert_eq!(said, shown("run"), "one truth for both commands");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/carets.txt");
    if std::env::var_os("UPDATE_CARETS").is_some() {
        std::fs::write(kept, &said).expect("written");
    }
    assert_eq!(said, std::fs::read_to_string(kept).expect("kept"), "{said}");
    for (line, what) in [
        (3, "retension"),
        (4, "not absolute"),
        (5, "retention:15d"),
        (8, "nothing matches now"),
        (10, "start_at"),
        (11, "12"),
        (14, "http"),
        (15, "cannot read"),
        (16, "many"),
        (16, "2"),
        (17, "0.0.0.0"),
    ] {
        let place = format!("wrong.yaml:{line}:");
        assert!(said.contains(&place) && said.contains(what), "{place} {what}\n{said}");
    }
    assert!(said.matches('^').count() >= 11, "{said}");
}

/// Runs `logveil check --offline` over a file with these bytes: what it says.
fn checked(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wrong.yaml"), bytes).expect("written");
    let mut logveil = Command::new(env!("CARGO_BIN_EXE_logveil"));
    logveil.args(["check", "--offline", "--config", "wrong.yaml"]).current_dir(folder.path()).stdin(Stdio::null());
    let output = logveil.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").output().expect("it runs");
    assert_eq!(output.status.code(), Some(3));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn mistakes_without_a_place_are_errors_too_and_name_the_file() {
    for (bytes, wanted) in [
        (&b""[..], "error: the file is empty\n--> wrong.yaml"),
        (b"x: 1\n", "error: unknown field 'x'\n --> wrong.yaml:1:1\n"),
        (b"version: 1\nregion: e\xff\n", "wrong.yaml: line 2 is no UTF-8 text"),
    ] {
        let said = checked(bytes);
        assert!(said.contains(wanted) && !said.contains("warning: unknown"), "{wanted}: {said}");
    }
}
