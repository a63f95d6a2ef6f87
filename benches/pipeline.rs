//! From a chunk of raw lines to sealed batches: each stage alone and all of them, in bytes of raw log.
//!
//! `cargo bench --bench pipeline [-- FILTER]`. The closing table gives every figure as a multiple of what
//! `zstd -1` alone takes for the same raw bytes. `cargo bench --bench pipeline -- --once KIND` goes through
//! one corpus once and measures nothing: for a profiler (`benches/profile`).

mod blocks;
#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;
#[allow(dead_code, unreachable_pub)]
mod measure;

use blocks::Block;
use corpus::Kind;
use logveil::batch::{
    Encoder, EncoderSettings, Encoding, Envelope, EnvelopeParts, Facts, Origin, Pushed, RecordHead, RecordKey,
};
use logveil::record::{Position, StreamId};
use logveil::redact::{RawLine, Redactor, RuleSet, StreamState};
use measure::Bench;

/// Raw bytes of the corpus.
const CORPUS: usize = 8 << 20;

/// A corpus on its way through the stages.
struct Way {
    text: Vec<u8>,
    blocks: Vec<Block>,
    envelope: Envelope,
    key: RecordKey,
}

impl Way {
    fn new(kind: Kind, size: usize) -> Way {
        let text = corpus::generate(kind, size);
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
        Way { blocks: blocks::cut(&text), text, envelope, key: RecordKey::new([1; 32]) }
    }

    /// Redacts everything; returns the number of pieces.
    fn redact(&self, redactor: &mut Redactor) -> usize {
        let (mut state, mut pieces) = (StreamState::default(), 0);
        for Block { range, ends } in &self.blocks {
            let block = &self.text[range.clone()];
            redactor.redact(&mut state, block, ends, &mut |redacted| pieces += redacted.pieces().count());
        }
        pieces
    }

    /// Redacts everything into batches; returns the bytes of their bodies. Profiles count only what runs in it.
    #[inline(never)]
    fn seal(&mut self, redactor: &mut Redactor, encoder: &mut Encoder) -> usize {
        let rules = redactor.rules().clone();
        let mut state = StreamState::default();
        let mut sealed = 0;
        for Block { range, ends } in &self.blocks {
            let block = &self.text[range.clone()];
            redactor.redact(&mut state, block, ends, &mut |redacted| {
                let line = redacted.range();
                let at = Position { generation: 0, offset: (range.start + line.start) as u64 };
                let head = RecordHead {
                    envelope: &self.envelope,
                    raw: RawLine(&block[line]),
                    known: Facts::default(),
                    origin: Origin::default(),
                    rules: &rules,
                    id: self.key.id(StreamId([1; 16]), at),
                    now: 1_763_900_000_000,
                };
                while encoder.push(redacted, &head) == Pushed::Full {
                    sealed += encoder.seal(rules.fingerprint()).map_or(0, |batch| batch.body().len());
                }
            });
        }
        sealed + encoder.seal(rules.fingerprint()).map_or(0, |batch| batch.body().len())
    }
}

fn encoder(encoding: Encoding) -> Encoder {
    Encoder::new(EncoderSettings { encoding, ..EncoderSettings::default() })
}

fn stages(bench: &mut Bench, group: &'static str, kind: Kind) {
    let mut way = Way::new(kind, CORPUS);
    let size = way.text.len();
    let mut redactor = Redactor::new(RuleSet::builtin());
    bench.bytes(group, "cut-into-lines", size, || blocks::cut(&way.text).len());
    bench.bytes(group, "redact", size, || way.redact(&mut redactor));
    let mut packer = zstd::bulk::Compressor::new(1).expect("zstd");
    bench.bytes(group, "zstd-1-of-the-raw-bytes", size, || {
        way.text.chunks(4 << 20).map(|piece| packer.compress(piece).expect("zstd").len()).sum::<usize>()
    });
    for (name, encoding) in [
        ("redact-encode-plain", Encoding::None),
        ("redact-encode-zstd", Encoding::Zstd),
        ("redact-encode-gzip", Encoding::Gzip),
    ] {
        let mut encoder = encoder(encoding);
        bench.bytes(group, name, size, || way.seal(&mut redactor, &mut encoder));
    }
}

/// The corpus named behind `--once`.
fn once() -> Option<Kind> {
    let name = std::env::args().skip_while(|word| word != "--once").nth(1)?;
    corpus::KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

fn main() {
    if let Some(kind) = once() {
        let mut redactor = Redactor::new(RuleSet::builtin());
        Way::new(kind, CORPUS / 4).seal(&mut redactor, &mut encoder(Encoding::Zstd));
        return;
    }
    let mut bench = Bench::from_arguments();
    for (group, kind) in [("mixed", Kind::Mixed), ("clean", Kind::Clean), ("densest", Kind::Densest)] {
        stages(&mut bench, group, kind);
    }
    bench.table("mixed/zstd-1-of-the-raw-bytes");
}
