//! From a chunk of raw lines to sealed batches: what each stage adds, in bytes of raw log a second.
//!
//! `cargo bench --bench pipeline`. The corpus is generated with a fixed seed: system logs, workflow JSON,
//! access logs and stack traces; about one line in seven holds something sensitive.

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

/// Whole lines, cut into chunks.
struct Chunk {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

fn corpus() -> Vec<Chunk> {
    let mut seed = 0x5eed_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut chunks = Vec::new();
    let mut total = 0;
    while total < CORPUS {
        let mut chunk = Chunk { bytes: Vec::with_capacity(CHUNK + 512), ends: Vec::new() };
        while chunk.bytes.len() < CHUNK {
            chunk.bytes.extend_from_slice(line(&mut next).as_bytes());
            chunk.bytes.push(b'\n');
            chunk.ends.push(chunk.bytes.len() as u32);
        }
        total += chunk.bytes.len();
        chunks.push(chunk);
    }
    chunks
}

fn line(next: &mut impl FnMut(u64) -> u64) -> String {
    let (id, small) = (next(1 << 31), next(60));
    let sensitive = next(7) == 0;
    match next(4) {
        0 if sensitive => {
            format!(
                "Nov 23 12:{small:02}:00 web1 sshd[{}]: Failed password for root from 203.0.113.{small} port {}",
                id % 9999,
                id % 65535
            )
        }
        0 => format!(
            "Nov 23 12:{small:02}:00 web1 systemd[1]: Started session {id} of user deploy, unit build-{small}.service."
        ),
        1 if sensitive => {
            format!(
                r#"{{"ts":"2025-11-23T12:{small:02}:00.123Z","level":"warn","run":"{id:016x}","user":"user{id}@example.com","password":"x{id}y"}}"#
            )
        }
        1 => format!(
            r#"{{"ts":"2025-11-23T12:{small:02}:00.123Z","level":"info","run":"{id:016x}","step":{small},"msg":"task \"load\" finished","took_ms":{}}}"#,
            id % 9000
        ),
        2 if sensitive => {
            format!(
                r#"198.51.100.{small} - - [23/Nov/2025:12:{small:02}:00 +0000] "GET /login?email=u{id}%40example.com HTTP/1.1" 200 {}"#,
                id % 9000
            )
        }
        2 => format!(
            r#"- - - [23/Nov/2025:12:{small:02}:00 +0000] "GET /static/{id:x}.js HTTP/1.1" 304 0 "-" "Mozilla/5.0 (X11; Linux x86_64)""#
        ),
        _ => format!("    at com.example.flow.Runner$Step.run(Runner.java:{}) ~[flow-core-4.{small}.jar:?]", id % 900),
    }
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
    let chunks = corpus();
    let total: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
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
    let mut group = criterion.benchmark_group("pipeline");
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

criterion_group!(benches, pipeline);
criterion_main!(benches);
