//! The journal by the real `journalctl`, from a journal that `systemd-journal-remote` writes.

use crate::host::{CANARY, Host, KEY, wait_for};
use logveil::intake::{Intake, Settings};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const WRITER: &str = "/lib/systemd/systemd-journal-remote";

/// False, said aloud, where the programs are missing; in CI that is a failure.
#[allow(clippy::print_stderr)]
fn is_possible() -> bool {
    let there = Path::new(WRITER).exists() && Command::new("journalctl").arg("--version").output().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "journalctl or {WRITER} is missing; run .ci/setup");
    if !there {
        eprintln!("SKIPPED: journalctl or {WRITER} is missing; run .ci/setup");
    }
    there
}

/// Entries in the export format, numbered.
fn entries(from: usize, to: usize) -> String {
    let mut text = String::new();
    for n in from..to {
        let time = 1_763_892_309_000_000_u64 + n as u64 * 1000;
        let _ = write!(
            text,
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=3d1219c7c4c5404aaa1f6d2a48adfda4\n\
             _HOSTNAME=db1\n_SYSTEMD_UNIT=ssh.service\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=4\n_PID=77\n\
             _CMDLINE=/usr/bin/tool --password={CANARY}-{n}-Zq\nMESSAGE=login {n} of {CANARY}{n}@mail.example\n\n",
            1000 + n * 1000
        );
    }
    text
}

fn write_journal(host: &Host, from: usize, to: usize) {
    let (folder, text) = (host.path("journal"), host.path("entries"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(&text, entries(from, to)).expect("written");
    let output = format!("--output={}", folder.join(format!("remote-{from}.journal")).display());
    let written = Command::new(WRITER).arg(output).arg(&text).stdin(Stdio::null()).output().expect("the writer");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
}

#[test]
fn real_entries_are_masked_and_resumed() {
    if !is_possible() {
        return;
    }
    let intake = Intake::start(Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    let root = host.path("").display().to_string();
    let text = format!(
        "version: 1\nregion: eu\nstate_dir: {root}/state\nhostname: host-1\n\
         sources:\n  journal:\n    type: journald\n    directory: {root}/journal\n    fields: [_CMDLINE, _SYSTEMD_UNIT]\n\
         output:\n  datadog:\n    url: {}\n    api_key: file:{root}/dd_api_key\n    batch: {{age: 200ms}}\n\
         admin: {{listen: '127.0.0.1:0'}}\n",
        intake.origin()
    );
    std::fs::write(host.path("logveil.yaml"), text).expect("written");
    write_journal(&host, 0, 50);
    let agent = host.start();
    wait_for(&intake, &host, 50);
    assert!(agent.stop().success());
    write_journal(&host, 50, 80);
    let agent = host.start();
    wait_for(&intake, &host, 80);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    assert!(book.requests.iter().all(|request| {
        let body = String::from_utf8_lossy(&request.decoded);
        !body.contains(CANARY) && !body.contains(KEY)
    }));
    let mut numbers: Vec<u64> = Vec::new();
    for stored in &book.stored {
        let event = &stored.event;
        let message = event["message"].as_str().expect("text");
        let record: serde_json::Value = serde_json::from_str(message).expect("JSON");
        let said = record["message"].as_str().expect("text");
        numbers.push(said.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number"));
        assert!(said.ends_with(" of [email]"), "{said}");
        assert!(
            record["_CMDLINE"].as_str().is_some_and(|text| text.starts_with("/usr/bin/tool --password=[")),
            "{record}"
        );
        assert_eq!((&event["status"], &event["hostname"]), (&"warning".into(), &"host-1".into()));
        assert_eq!(event["logveil"]["origin"], serde_json::json!({"host": "db1", "service": "sshd"}));
    }
    assert_eq!(numbers, (0..80).collect::<Vec<_>>(), "each once, in order, across the restart");
    host.assert_clean();
}
