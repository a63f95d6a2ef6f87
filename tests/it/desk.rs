//! A folder with a small pack of rules, and the real binary run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const BADGES: &str = "\
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
pub(crate) struct Desk {
    pub(crate) dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let desk = Desk { dir: tempfile::tempdir().expect("a folder") };
        fs::create_dir(desk.path("rules")).expect("a folder");
        desk.write("rules/acme.yaml", BADGES);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// Standard output, then standard error, with what differs from run to run taken out.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let both = [&output.stdout[..], &output.stderr[..]].concat();
        steady(&String::from_utf8_lossy(&both), self.dir.path())
    }

    pub(crate) fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let (mut into, input) = (child.stdin.take().expect("piped"), input.to_owned());
        // Beside reading, since a pipe holds little. A command that refuses early closes its input first.
        let writer = std::thread::spawn(move || drop(into.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("an end");
        writer.join().expect("written");
        output
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
