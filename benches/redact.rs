//! Throughput of redaction alone, one core, with the built-in pack: by kind of corpus; beside it what one
//! plain automaton over the same literals and `zstd -1` need, so that every figure is a ratio as well.
//!
//! `cargo bench --bench redact`; the machine's own speed drifts, the ratios of one run hold.

#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logveil::redact::{Piece, Redactor, RuleSet, StreamState};
use std::hint::black_box;

/// Bytes of a corpus; large against every cache.
const SIZE: usize = 16 << 20;
/// Bytes of whole lines handed over at a time.
const BLOCK: usize = 256 << 10;

/// Ends of blocks and of the records in each.
fn blocks(text: &[u8]) -> Vec<(std::ops::Range<usize>, Vec<u32>)> {
    let (mut blocks, mut start, mut ends) = (Vec::new(), 0, Vec::new());
    for newline in memchr::memchr_iter(b'\n', text) {
        ends.push((newline + 1 - start) as u32);
        if newline + 1 - start >= BLOCK {
            blocks.push((start..newline + 1, std::mem::take(&mut ends)));
            start = newline + 1;
        }
    }
    if !ends.is_empty() {
        blocks.push((start..text.len(), ends));
    }
    blocks
}

fn redact_all(redactor: &mut Redactor, text: &[u8], blocks: &[(std::ops::Range<usize>, Vec<u32>)]) -> usize {
    let mut stream = StreamState::default();
    let mut masked = 0;
    for (range, ends) in blocks {
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

fn by_corpus(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("redact");
    group.sample_size(10);
    for (name, kind) in corpus::KINDS {
        let text = corpus::generate(kind, SIZE);
        let blocks = blocks(&text);
        let mut redactor = Redactor::new(RuleSet::builtin());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| redact_all(&mut redactor, &text, &blocks));
        });
    }
    group.finish();
}

fn beside_it(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("beside");
    group.sample_size(10);
    let text = corpus::generate(corpus::Kind::Mixed, SIZE);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("newlines", |bencher| bencher.iter(|| memchr::memchr_iter(b'\n', &text).count()));
    group.bench_function("zstd-1", |bencher| {
        bencher.iter(|| {
            let pieces = text.chunks(4 << 20).map(|piece| zstd::bulk::compress(piece, 1).expect("zstd"));
            pieces.map(|piece| piece.len()).sum::<usize>()
        });
    });
    let words: Vec<String> = (0..300).map(|number| format!("literal{number:03}_")).collect();
    let automaton = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(&words)
        .expect("an automaton");
    group.bench_function("aho-corasick-300", |bencher| {
        bencher.iter(|| automaton.find_overlapping_iter(&text).count());
    });
    group.finish();
}

criterion_group!(benches, by_corpus, beside_it);
criterion_main!(benches);
