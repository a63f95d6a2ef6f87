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

/// Where entries come from.
#[derive(Clone, Copy)]
struct Origin<'o> {
    boot: &'o str,
    machine: &'o str,
}

const BOOT: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4";
const NEXT_BOOT: &str = "7be119c7c4c5404aaa1f6d2a48adfda4";
const MACHINE: &str = "0b5e19c7c4c5404aaa1f6d2a48adfda4";

/// Entries in the export format, numbered.
fn entries(Origin { boot, machine }: Origin<'_>, from: usize, to: usize) -> String {
    let mut text = String::new();
    for n in from..to {
        let time = 1_763_892_309_000_000_u64 + n as u64 * 1000;
        let _ = write!(
            text,
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID={boot}\n_MACHINE_ID={machine}\n\
             _HOSTNAME=db1\n_SYSTEMD_UNIT=ssh.service\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=4\n_PID=77\n\
             _CMDLINE=/usr/bin/tool --password={CANARY}-{n}-Zq\nMESSAGE=login {n} of {CANARY}{n}@mail.example\n\n",
            1000 + n * 1000
        );
    }
    text
}

fn write_journal(host: &Host, origin: Origin<'_>, from: usize, to: usize) {
    let (folder, text) = (host.path("journal"), host.path("entries"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(&text, entries(origin, from, to)).expect("written");
    let output = format!("--output={}", folder.join(format!("remote-{from}.journal")).display());
    let written = Command::new(WRITER).arg(output).arg(&text).stdin(Stdio::null()).output().expect("the writer");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
}

/// The host's configuration with the journal as its only source.
fn configure(host: &Host, intake: &Intake, journal: &str) {
    let (root, url) = (host.path("").display().to_string(), intake.origin());
    let text = format!(
        "version: 1\nregion: eu\nstate_dir: {root}/state\nhostname: host-1\n\
         sources:\n  journal:\n    type: journald\n    {journal}\n    fields: [_CMDLINE, _SYSTEMD_UNIT]\n\
         output:\n  datadog:\n    url: {url}\n    api_key: file:{root}/dd_api_key\n    batch: {{age: 200ms}}\n\
         admin: {{listen: '127.0.0.1:0'}}\n"
    );
    std::fs::write(host.path("logveil.yaml"), text).expect("written");
}

/// The number of each record, in the order of arrival.
fn numbers(intake: &Intake) -> Vec<u64> {
    let number = |event: &serde_json::Value| {
        let record: serde_json::Value = serde_json::from_str(event["message"].as_str()?).ok()?;
        record["message"].as_str()?.split(' ').nth(1)?.parse().ok()
    };
    let book = intake.ledger().book();
    book.stored.iter().map(|stored| number(&stored.event).expect("a numbered record")).collect()
}

#[test]
fn real_entries_are_masked_and_resumed() {
    if !is_possible() {
        return;
    }
    let intake = Intake::start(Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    configure(&host, &intake, &format!("directory: {}", host.path("journal").display()));
    let now = Origin { boot: BOOT, machine: MACHINE };
    write_journal(&host, now, 0, 50);
    let agent = host.start();
    wait_for(&intake, &host, 50);
    assert!(agent.stop().success());
    write_journal(&host, now, 50, 80);
    let agent = host.start();
    wait_for(&intake, &host, 80);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    assert!(book.requests.iter().all(|request| {
        let body = String::from_utf8_lossy(&request.decoded);
        !body.contains(CANARY) && !body.contains(KEY)
    }));
    for stored in &book.stored {
        let event = &stored.event;
        let message = event["message"].as_str().expect("text");
        let record: serde_json::Value = serde_json::from_str(message).expect("JSON");
        let said = record["message"].as_str().expect("text");
        assert!(said.ends_with(" of [email]"), "{said}");
        assert!(
            record["_CMDLINE"].as_str().is_some_and(|text| text.starts_with("/usr/bin/tool --password=[")),
            "{record}"
        );
        assert_eq!((&event["status"], &event["hostname"]), (&"warning".into(), &"host-1".into()));
        assert_eq!(event["logveil"]["origin"], serde_json::json!({"host": "db1", "service": "sshd"}));
    }
    drop(book);
    assert_eq!(numbers(&intake), (0..80).collect::<Vec<_>>(), "each once, in order, across the restart");
    host.assert_clean();
}

/// What was logged before the host was started again and not read then: `directory` as an operator would give it,
/// or as this host's journal, where entries of another machine lie beside its own.
fn nothing_of_an_earlier_boot_is_lost(machine: &str, of_host: bool) {
    use std::os::unix::fs::PermissionsExt;
    let intake = Intake::start(Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    let (folder, program) = (host.path("journal"), host.path("journalctl"));
    if of_host {
        std::fs::write(&program, format!("#!/bin/sh\nexec journalctl --directory={} \"$@\"\n", folder.display()))
            .expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
        configure(&host, &intake, &format!("journalctl: {}", program.display()));
        write_journal(&host, Origin { boot: BOOT, machine: MACHINE }, 900, 910);
    } else {
        configure(&host, &intake, &format!("directory: {}", folder.display()));
    }
    let (before, after) = (Origin { boot: BOOT, machine }, Origin { boot: NEXT_BOOT, machine });
    write_journal(&host, before, 0, 20);
    let agent = host.start();
    wait_for(&intake, &host, 20);
    assert!(agent.stop().success());
    write_journal(&host, before, 20, 40);
    write_journal(&host, after, 40, 60);
    let agent = host.start();
    wait_for(&intake, &host, 60);
    assert!(agent.stop().success());
    assert_eq!(numbers(&intake), (0..60).collect::<Vec<_>>(), "each once, in order, none of another machine");
    assert!(!host.own_log().contains("is gone"), "{}", host.own_log());
}

#[test]
fn entries_logged_before_the_host_was_started_again_are_read() {
    if !is_possible() {
        return;
    }
    nothing_of_an_earlier_boot_is_lost(MACHINE, false);
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    if id.trim().len() == 32 {
        nothing_of_an_earlier_boot_is_lost(id.trim(), true);
    }
}
