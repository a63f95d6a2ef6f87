//! Throughput of redaction alone, one core: the built-in pack by kind of corpus, rule sets of several sizes, and
//! beside them in the same run what the machine allows: a plain automaton over the pack's literals, twelve usual
//! expressions one after the other, `zstd -1`.
//!
//! `cargo bench --bench redact [-- FILTER]`. The figures of a run drift with the machine, its ratios hold: the
//! closing table gives every figure as a multiple of the plain automaton's time.

mod blocks;
#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;
#[allow(unreachable_pub)]
mod measure;
#[allow(unreachable_pub)]
mod rule_sets;

use blocks::Block;
use corpus::Kind;
use logveil::redact::{Piece, Redactor, RuleSet, StreamState, builtin};
use measure::Bench;
use regex::bytes::Regex;
use std::hint::black_box;
use std::sync::Arc;

/// Bytes of a corpus; large against every cache.
const SIZE: usize = 8 << 20;
/// The adversarial lines of 1 MiB: each once.
const HOSTILE_SIZE: usize = corpus::HOSTILE.len() << 20;

/// What teams usually write themselves.
const USUAL: [&str; 12] = [
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"\b(?:\d[ -]?){13,19}\b",
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b",
    r"(?i)bearer\s+[A-Za-z0-9._~+/-]{20,}",
    r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    r#"(?i)(?:password|passwd|secret|api_?key|token)["']?\s*[:=]\s*["']?[^\s"',;&]{6,}"#,
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b",
];

fn redact_all(redactor: &mut Redactor, text: &[u8], blocks: &[Block]) -> usize {
    let mut stream = StreamState::default();
    let mut masked = 0;
    for Block { range, ends } in blocks {
        redactor.redact(&mut stream, &text[range.clone()], ends, &mut |record| {
            for piece in record.pieces() {
                if let Piece::Mask(mask) = piece {
                    masked += black_box(mask).len();
                }
            }
        });
    }
    masked
}

fn redact(bench: &mut Bench, group: &'static str, name: &str, rules: Arc<RuleSet>, text: &[u8]) {
    let blocks = blocks::cut(text);
    let mut redactor = Redactor::new(rules);
    bench.bytes(group, name, text.len(), || redact_all(&mut redactor, text, &blocks));
}

fn beside_it(bench: &mut Bench, mixed: &[u8]) {
    let size = mixed.len();
    bench.bytes("beside", "newlines", size, || memchr::memchr_iter(b'\n', mixed).count());
    let automaton = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(rule_sets::literals(&builtin::rules()))
        .expect("an automaton");
    bench.bytes("beside", "aho-corasick", size, || automaton.find_overlapping_iter(mixed).count());
    let usual: Vec<Regex> = USUAL.iter().map(|text| Regex::new(text).expect("an expression")).collect();
    bench.bytes("beside", "12-regexes", size, || usual.iter().map(|one| one.find_iter(mixed).count()).sum::<usize>());
    let mut packer = zstd::bulk::Compressor::new(1).expect("zstd");
    bench.bytes("beside", "zstd-1", size, || {
        mixed.chunks(4 << 20).map(|piece| packer.compress(piece).expect("zstd").len()).sum::<usize>()
    });
}

fn main() {
    let mut bench = Bench::from_arguments();
    let mixed = corpus::generate(Kind::Mixed, SIZE);
    beside_it(&mut bench, &mixed);
    for (name, kind) in corpus::KINDS {
        let size = if kind == Kind::AdversarialMegabyte { HOSTILE_SIZE } else { SIZE };
        redact(&mut bench, "redact", name, RuleSet::builtin(), &corpus::generate(kind, size));
    }
    let all = builtin::rules().len();
    for count in [50, 200, all, 1000] {
        redact(&mut bench, "rules", &format!("{count}-mixed"), rule_sets::of_size(count), &mixed);
    }
    bench.table("beside/aho-corasick");
}
