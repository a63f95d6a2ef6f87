//! From a chunk of raw lines to sealed batches: what each stage adds, in bytes of raw log a second.
//!
//! `cargo bench --bench pipeline`. The corpora are those of the redaction bench, generated with a fixed seed.

#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logveil::batch::{
    Encoder, EncoderSettings, Encoding, Envelope, EnvelopeParts, Facts, Origin, Pushed, RecordHead, RecordKey,
};
use logveil::record::{Position, StreamId};
use logveil::redact::{RawLine, Redactor, RuleSet, StreamState};
use std::hint::black_box;

/// Raw bytes of the corpus.
const CORPUS: usize = 8 << 20;
/// Raw bytes handed to the engine at a time.
const CHUNK: usize = 256 << 10;

/// Whole lines, as a source hands them out.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

fn chunks(kind: corpus::Kind) -> Vec<Chunk> {
    let all = corpus::generate(kind, CORPUS);
    let mut chunks = vec![Chunk::default()];
    for line in all.split_inclusive(|&byte| byte == b'\n') {
        if chunks.last().is_some_and(|chunk| chunk.bytes.len() >= CHUNK) {
            chunks.push(Chunk::default());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.bytes.extend_from_slice(line);
            chunk.ends.push(chunk.bytes.len() as u32);
        }
    }
    chunks
}

/// Redacts everything; encodes it too where an encoding is given. Returns the bytes of sealed bodies.
fn run(chunks: &[Chunk], redactor: &mut Redactor, encoder: Option<&mut Encoder>, envelope: &Envelope) -> usize {
    let rules = redactor.rules().clone();
    let mut state = StreamState::default();
    let mut key = RecordKey::new([1; 32]);
    let (mut sealed, mut offset, mut kept) = (0, 0, 0);
    let mut encoder = encoder;
    for chunk in chunks {
        redactor.redact(&mut state, &chunk.bytes, &chunk.ends, &mut |redacted| {
            let Some(encoder) = encoder.as_deref_mut() else {
                kept += redacted.pieces().count();
                return;
            };
            let range = redacted.range();
            let at = Position { generation: 0, offset: offset + range.start as u64 };
            let head = RecordHead {
                envelope,
                raw: RawLine(&chunk.bytes[range]),
                known: Facts::default(),
                origin: Origin::default(),
                rules: &rules,
                id: key.id(StreamId([1; 16]), at),
                now: 1_763_900_000_000,
            };
            while encoder.push(redacted, &head) == Pushed::Full {
                sealed += encoder.seal(rules.fingerprint()).map_or(0, |batch| batch.body().len());
            }
        });
        offset += chunk.bytes.len() as u64;
    }
    sealed + kept
}

fn pipeline(criterion: &mut Criterion) {
    let envelope = Envelope::new(&EnvelopeParts {
        ddsource: "logveil",
        service: "workflow-engine",
        hostname: "host-1",
        tags: &["env:prod".into()],
        retention: "retention:90d",
        source: "workflows",
        file: Some("/var/log/workflows/run.jsonl"),
        trust_origin: false,
    });
    let mut redactor = Redactor::new(RuleSet::builtin());
    for kind in [corpus::Kind::Mixed, corpus::Kind::Clean, corpus::Kind::Densest] {
        let chunks = chunks(kind);
        let total: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        let mut group = criterion.benchmark_group(format!("pipeline, {kind:?}"));
        group.throughput(Throughput::Bytes(total as u64)).sample_size(10);
        group.bench_function("redact", |b| b.iter(|| black_box(run(&chunks, &mut redactor, None, &envelope))));
        for (name, encoding) in [("plain", Encoding::None), ("zstd", Encoding::Zstd), ("gzip", Encoding::Gzip)] {
            let mut encoder = Encoder::new(EncoderSettings { encoding, ..EncoderSettings::default() });
            group.bench_function(format!("redact, encode, {name}"), |b| {
                b.iter(|| black_box(run(&chunks, &mut redactor, Some(&mut encoder), &envelope)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
