//! Token keys and look-ups by the real binary: dates, epochs, refusals, and no value where others can read it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn logveil(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses early closes its input first.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn keyring(directory: &Path, region: &str) -> String {
    let path = directory.join("keyring.json").to_str().unwrap().to_owned();
    let made = logveil(&["key", "new", "--keyring", &path, "--region", region], "");
    assert!(made.status.success(), "{}", text(&made));
    path
}

#[test]
fn a_value_in_any_spelling_has_one_token_and_a_query() {
    let directory = tempfile::tempdir().unwrap();
    let ring = keyring(directory.path(), "us");
    let answers: Vec<String> = ["Ana.Diaz@Mail.Example", "ana.diaz@mail.example"]
        .iter()
        .map(|value| text(&logveil(&["query", "--class", "email", "--keyring", &ring], value)))
        .collect();
    assert_eq!(answers[0], answers[1]);
    assert!(
        answers[0].starts_with("@logveil.tokens:em_") && answers[0].contains("https://us3.datadoghq.com/logs?query=")
    );
    assert!(!answers[0].to_lowercase().contains("diaz"));
}

#[test]
fn keyrings_that_must_not_be_used_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let ring = keyring(directory.path(), "eu");
    let token = |ring: &str| logveil(&["token", "--class", "ip", "--keyring", ring], "192.0.2.1");
    assert!(token(&ring).status.success());
    let foreign = logveil(&["key", "new", "--keyring", &ring, "--region", "us"], "");
    assert_eq!(foreign.status.code(), Some(5), "{}", text(&foreign));
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = token(&ring);
    assert!(exposed.status.code() == Some(5) && text(&exposed).contains("chmod 600"), "{}", text(&exposed));
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read_to_string(&ring).unwrap();
    fs::write(&ring, &whole[..whole.len() - 40]).unwrap();
    let cut = token(&ring);
    assert!(cut.status.code() == Some(3) && text(&cut).contains("not a whole keyring"), "{}", text(&cut));
    assert_eq!(logveil(&["token", "--class", "em", "--keyring", &ring, "ana@mail.example"], "").status.code(), Some(2));
}

#[test]
fn a_destroyed_epoch_is_gone_and_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let ring = keyring(directory.path(), "eu");
    let listed = text(&logveil(&["key", "list", "--keyring", &ring, "--json"], ""));
    let keys: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let epoch = keys[0]["epoch"].as_str().unwrap();
    let destroyed = logveil(&["key", "destroy", "--epoch", epoch, "--keyring", &ring], "");
    assert!(text(&destroyed).contains("must follow the same clock"), "{}", text(&destroyed));
    let audit = fs::read_to_string(format!("{ring}.audit.jsonl")).unwrap();
    assert!(audit.lines().last().unwrap().contains(&format!("\"epoch\":\"{epoch}\"")));
    assert!(!text(&logveil(&["key", "list", "--keyring", &ring], "")).contains(&format!("\n{epoch} ")));
}
