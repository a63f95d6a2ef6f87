//! Row S24: the journal's reader dies, speaks nonsense, comes back in another boot, and has lost entries.

use super::{pause, until};
use crate::host::{CANARY, Host, wait_for};
use logveil::intake::{Intake, Settings};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Numbered entries of one boot in the export format.
fn entries(from: usize, to: usize, boot: &str) -> Vec<u8> {
    (from..to)
        .flat_map(|n| entry(n, boot, format!("MESSAGE=login {n} of {CANARY}{n}@mail.example\n").as_bytes()))
        .collect()
}

fn entry(n: usize, boot: &str, message: &[u8]) -> Vec<u8> {
    let head = format!(
        "__CURSOR=s=aa;i={n:x};b={boot};m={n};t=5f0;x={n}\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=db1\nPRIORITY=4\n",
        1_763_892_309_000_000_u64 + n as u64 * 1000
    );
    [head.as_bytes(), message, b"\n"].concat()
}

/// A message that is no plain text and two mebibytes long, as such messages are written.
fn binary(n: usize) -> Vec<u8> {
    let mut text = format!("login {n} of {CANARY}{n}@mail.example\n\u{1}\u{2}").into_bytes();
    text.resize(2 << 20, b'x');
    [b"MESSAGE\n".as_slice(), &(text.len() as u64).to_le_bytes(), &text, b"\n"].concat()
}

#[test]
fn s24_the_reader_dies_talks_nonsense_and_has_lost_entries() {
    let intake = Intake::start(Settings::default()).expect("an intake");
    let host = Host::new(&intake.origin(), "");
    let root = host.path("").display().to_string();
    let source = format!("    type: journald\n    journalctl: {root}journalctl\n");
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    let (head, tail) =
        (text.split("    type: file\n").next().expect("a head"), text.split("    service:").nth(1).expect("a tail"));
    fs::write(host.path("logveil.yaml"), format!("{head}{source}    service:{tail}")).expect("written");
    // Each start of the reader plays the next part; the last one of an agent stays.
    let parts: [(Vec<u8>, &str); 4] = [
        (entries(0, 50, "b1"), "exit 3"),
        ([entries(49, 70, "b1"), b"\x01 no field, no entry\n\n\n=\n".to_vec()].concat(), "exec sleep 600"),
        ([entries(69, 72, "b1"), entry(72, "b2", &binary(72)), entries(73, 80, "b2")].concat(), "exec sleep 600"),
        // The entry that was read last has been cleared away, and ten more.
        (entries(90, 100, "b2"), "exec sleep 600"),
    ];
    let mut script =
        format!("#!/bin/sh\necho x >> {root}runs; run=$(wc -l < {root}runs); echo \"$@\" > {root}asked.$run\n");
    for (number, (stream, then)) in parts.iter().enumerate() {
        fs::write(host.path(&format!("part.{}", number + 1)), stream).expect("written");
        script.push_str(&format!("[ $run -eq {} ] && {{ cat {root}part.$run; {then}; }}\n", number + 1));
    }
    script.push_str("exec sleep 600\n");
    // The agent may write below its state directory only, and what it starts likewise: the script is to count there.
    fs::write(
        host.path("journalctl"),
        script
            .replace(&format!("{root}runs"), &format!("{root}state/runs"))
            .replace(&format!("> {root}asked"), &format!("> {root}state/asked")),
    )
    .expect("written");
    fs::set_permissions(host.path("journalctl"), fs::Permissions::from_mode(0o755)).expect("executable");
    let agent = host.start();
    wait_for(&intake, &host, 80);
    pause(500);
    assert!(agent.stop().success());
    let agent = host.start();
    wait_for(&intake, &host, 90);
    until("the gap is told", &host, || host.own_log().contains("the journal's entry that was read last is gone"));
    assert!(agent.stop().success());
    let own = host.own_log();
    assert!(own.contains("exit status: 3") && own.contains("export format"), "{own}");
    let asked = |run: usize| fs::read_to_string(host.path(&format!("state/asked.{run}"))).expect("its arguments");
    assert!(!asked(1).contains("--cursor"));
    for (run, at) in [(2, 49), (3, 69), (4, 79)] {
        assert!(asked(run).contains(&format!("--cursor=s=aa;i={at:x};")), "{}", asked(run));
    }
    let book = intake.ledger().book();
    let number = |message: &str| message.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok()).expect("a number");
    let messages = book.messages();
    let numbers: Vec<usize> = messages.iter().map(|message| number(message)).collect();
    assert_eq!(numbers, (0..80).chain(90..100).collect::<Vec<_>>(), "each once, in order, none left out");
    assert!(messages.iter().all(|message| message.contains(" of [email]")));
    assert!(book.requests.iter().all(|request| !String::from_utf8_lossy(&request.decoded).contains(CANARY)));
    drop(book);
    host.assert_clean();
}
