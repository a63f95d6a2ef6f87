//! Hostile records: what grows must grow linearly, and what fails must fail closed and alone.

use super::redactor::TRIPWIRE;
use super::{Redactor, RuleSet, StreamState, Withheld, steps};
use std::sync::Arc;

/// Pieces that once were, or might be, read again and again when repeated.
pub(super) const PIECES: &[&str] = &[
    "password:",
    "password=",
    "password ",
    "token secret api_key ",
    "::",
    ":",
    "-----BEGIN ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "1:2:3:4:5:6:",
    "%40a",
    "%2540",
    "1.1.1.1.",
    "\\\"",
    "\\",
    "\\\\u0040",
    "{\"a\":[",
    "[[",
    "[1,",
    "90010112349,",
    "[4111111111111111],",
    "\"a{\",4111111111111111,",
    "@",
    "a@",
    "a@b.",
    "jan@example.com,",
    "jan@example.com",
    "'jan@example.com', ",
    "<jan@example.com>",
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk",
    "amFuQGV4YW1wbGUuY29t",
    "6a616e406578616d706c652e636f6d-",
    "=?utf-8?Q?",
    "=?utf-8?B?YQ==?= ",
    "&#64;",
    "&#64",
    "#012",
    "=40",
    "\u{200b}a",
    "\u{1b}[1m",
    "\"name\":\"token\",",
    "name=password value=",
    "<password>",
    "Authorization: Bearer ",
    "Cookie: a=b; ",
    "INSERT INTO t (password, ",
    "mysql -p",
    "https://a:b@",
    "+48 ",
    "4111 ",
    "4111-1111-",
    "PL61 1090 ",
    "aa:bb:",
    "ul. ",
    "ghp_",
    "eyJ",
    "eyJhIjoi.",
    "sk-",
    "AKIA",
    "'",
    "''",
    "password='",
    "password=\"",
    "\"password\":\"\\\\",
    "\npassword:",
    "password: |\n",
    "a,password,b\n",
    "{\"password\":{",
    "[\"password\",",
    "<password><a>",
    "| password |",
    "password: [",
    "{\"a\":\"{\\\"b\\\":\"",
    "password=\\\"",
    "{\"a\":\"jan@example.com\",\"n\":4111111111111111},",
    "-u a:b ",
    "name: password\nvalue: x\n",
    "password: „",
];

fn record(piece: &str, len: usize) -> Vec<u8> {
    piece.bytes().cycle().take(len).collect()
}

fn redact(redactor: &mut Redactor, block: &[u8], ends: &[u32]) -> Vec<(Option<Withheld>, Vec<u8>)> {
    let mut out = Vec::new();
    redactor.redact(&mut StreamState::default(), block, ends, &mut |record| {
        let mut text = Vec::new();
        record.write_to(&mut text);
        out.push((record.withheld(), text));
    });
    out
}

#[test]
fn the_steps_of_hostile_records_grow_linearly() {
    const SMALL: usize = 2 << 10;
    const TIMES: usize = 16;
    let rules = RuleSet::builtin();
    for piece in PIECES {
        let count = |len: usize| {
            let record = record(piece, len);
            let mut redactor = Redactor::new(Arc::clone(&rules));
            steps::of(|| drop(redact(&mut redactor, &record, &[len as u32])))
        };
        let (small, large) = (count(SMALL), count(SMALL * TIMES));
        // Windows and fuel that are full only in the long record may double the steps of a byte.
        let most = 2 * TIMES as u64 * (small + SMALL as u64 * 8);
        assert!(large <= most, "{piece:?}: {small} steps for {SMALL} bytes, {large} for {TIMES} times as many");
    }
}

#[test]
fn a_record_the_engine_fails_on_is_withheld_and_the_next_is_fine() {
    let trip = String::from_utf8_lossy(TRIPWIRE).into_owned();
    let lines =
        ["mail jan@example.com\n", &format!("{{\"a\":\"{trip} jan@example.com\"}}\n"), "mail eva@example.com\n"];
    let block = lines.concat().into_bytes();
    let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32 + 1).collect();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let out = redact(&mut Redactor::new(RuleSet::builtin()), &block, &ends);
    std::panic::set_hook(hook);
    assert_eq!(out[0], (None, b"mail [email]".to_vec()));
    assert_eq!(out[1], (Some(Withheld::Internal), b"{\"withheld\":\"internal\"}".to_vec()));
    assert_eq!(out[2], (None, b"mail [email]".to_vec()));
}

#[test]
fn a_record_over_its_decoding_budget_is_withheld_and_the_next_is_fine() {
    // Every reading of this holds the other encodings still: their chains exceed any budget.
    let mut block = record("a%41&#65;=41\\u0041#101%2541&amp;#65;\\\\u0041 ", 64 << 10);
    block.push(b'\n');
    let first = block.len() as u32;
    block.extend_from_slice(b"mail jan@example.com");
    let out = redact(&mut Redactor::new(RuleSet::builtin()), &block, &[first, block.len() as u32]);
    assert_eq!(out[0], (Some(Withheld::Decode), b"[withheld-decode]".to_vec()));
    assert_eq!(out[1], (None, b"mail [email]".to_vec()));
}
