//! The tools of rule authors by the real binary: what they print, to the letter, over a small pack of their own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BADGES: &str = "\
pack: acme
version: 0.1.0
rules:
  - id: acme-badge
    title: Badge of a visitor
    class: credential
    severity: high
    label: badge
    find: {anchor: [badge_], alphabet: digits, min: 6}
    mask: label
    since: 0.1.0
    reference: how badges are printed
    tests:
      - {in: 'door badge_123456 open', out: 'door [badge] open'}
      - {same: 'door badge_12 open'}
  - id: acme-mail
    title: E-mail address
    class: identity
    severity: medium
    label: email
    find: {shape: email}
    mask: label
    since: 0.1.0
    reference: none
    tests:
      - {in: 'to ana@mail.example now', out: 'to [email] now'}
      - {same: 'to ana now'}
  - id: acme-card
    title: Card
    class: financial
    severity: high
    label: card
    find: {shape: card}
    near: {words: [card], within: 40}
    mask: label
    since: 0.1.0
    reference: none
    tests:
      - {in: 'card 4111111111111111 paid', out: 'card [card] paid'}
      - {same: 'card 4111111111111112 paid'}
";

/// A folder for one test, with the pack above in it.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { dir: tempfile::tempdir().expect("a folder") };
        fs::create_dir(desk.path("rules")).expect("a folder");
        desk.write("rules/acme.yaml", BADGES);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// Standard output, then standard error, with what differs from run to run taken out.
    fn shown(&self, output: &Output) -> String {
        let both = [&output.stdout[..], &output.stderr[..]].concat();
        steady(&String::from_utf8_lossy(&both), self.dir.path())
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        // A command that refuses early closes its input first.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        child.wait_with_output().expect("an end")
    }
}

/// Replaces digests (16 hexadecimal digits) and the folder's path.
fn steady(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "DESK");
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let (core, rest) = word.split_at(word.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(word.len()));
            if core.len() == 16 { format!("DIGEST{rest}") } else { word.to_owned() }
        })
        .collect();
    words.join(" ")
}

#[test]
fn explain_shows_masks_and_near_misses_with_their_reason() {
    let desk = Desk::new();
    let input = "card 4111 1111 1111 1112 for ana.diaz@mail.example\nbadge_12 mail=ana%40mail.example\nnothing\n";
    let output = desk.run(&["explain", "--rules", "rules"], input);
    let wanted = "\
1  card 4111 1111 1111 1112 for [email]
        ~~~~~~~~~~~~~~~~~~~     ^^^^^^^
   ^ acme-mail  21 bytes → [email]  rules/acme.yaml:16
   ~ acme-card  luhn failed
2  badge_12 mail=[email]
   ~~~~~~~~      ^^^^^^^
   ^ acme-mail   in percent: 18 bytes → [email]  rules/acme.yaml:16
   ~ acme-badge  2 characters after the anchor, at least 6 needed
3  nothing
   nothing here is a candidate of any rule
3 rules, digest DIGEST
";
    assert_eq!(desk.shown(&output), wanted);
    assert!(output.status.success());
}

#[test]
fn explain_never_shows_a_raw_value_where_it_would_be_kept() {
    let desk = Desk::new();
    let refused = desk.run(&["explain", "--show-raw", "x ana@mail.example"], "");
    assert_eq!(refused.status.code(), Some(5), "{}", desk.shown(&refused));
    for args in [&["explain"][..], &["explain", "--json"]] {
        let output = desk.run(args, "password=h4rdt0guess mail ana@mail.example\n");
        let shown = desk.shown(&output);
        assert!(!shown.contains("h4rdt0guess") && !shown.contains("ana@"), "{shown}");
    }
}

#[test]
fn explain_tells_machines_the_same() {
    let desk = Desk::new();
    let output = desk.run(&["explain", "--json", "--rules", "rules", "x badge_1234567"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["redacted"], "x [badge]");
    assert_eq!(told["masks"][0]["raw"], serde_json::json!([2, 15]));
    assert_eq!(told["candidates"][0]["fate"], "masked");
}

#[test]
fn explain_has_a_page_for_every_code() {
    let desk = Desk::new();
    let page = desk.run(&["explain", "LV0203"], "");
    assert!(page.status.success() && page.stdout.starts_with(b"LV0203"));
    assert_eq!(desk.run(&["explain", "LV9999"], "").status.code(), Some(2));
    assert!(desk.shown(&desk.run(&["explain", "--codes"], "")).contains("LV0203"));
}

#[test]
fn rules_that_do_not_load_are_shown_whole_and_nothing_is_done() {
    let desk = Desk::new();
    desk.write("rules/second.yaml", BADGES);
    let output = desk.run(&["explain", "--rules", "rules", "x"], "");
    let shown = desk.shown(&output);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(output.stdout.is_empty() && shown.contains("two rules are called 'acme-badge'"), "{shown}");
}
