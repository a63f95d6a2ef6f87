//! Real batches for tests of what comes after the encoder: lines through the engine, sealed.

use logveil::batch::{
    Batch, Encoder, EncoderSettings, Encoding, Envelope, EnvelopeParts, Facts, Origin, Pushed, RecordHead, RecordKey,
};
use logveil::record::{Covers, Position, StreamId};
use logveil::redact::{RawLine, Redactor, RuleSet, StreamState};
use std::time::SystemTime;

/// Unix milliseconds.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// One sealed batch of `lines`, as a worker makes it; `time` overrides what the lines say.
pub(crate) fn batch(lines: &[String], encoding: Encoding, time: Option<i64>) -> Batch {
    let rules = RuleSet::builtin();
    let mut redactor = Redactor::new(rules.clone());
    let mut encoder = Encoder::new(EncoderSettings { encoding, ..EncoderSettings::default() });
    let mut key = RecordKey::new([9; 32]);
    let envelope = Envelope::new(&EnvelopeParts {
        ddsource: "logveil",
        service: "workflow-engine",
        hostname: "host-1",
        tags: &["env:test".into()],
        retention: "retention:90d",
        source: "workflows",
        file: Some("/var/log/workflows/a.jsonl"),
        trust_origin: false,
    });
    let stream = StreamId([5; 16]);
    let block: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
    let ends: Vec<u32> = block.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i as u32 + 1).collect();
    redactor.redact(&mut StreamState::default(), &block, &ends, &mut |redacted| {
        let range = redacted.range();
        let at = Position { generation: 0, offset: range.start as u64 };
        let head = RecordHead {
            envelope: &envelope,
            raw: RawLine(&block[range]),
            known: Facts { status: None, time },
            origin: Origin::default(),
            rules: &rules,
            id: key.id(stream, at),
            now: now(),
        };
        assert_eq!(encoder.push(redacted, &head), Pushed::Added, "the lines of a test fit one batch");
    });
    let to = Position { generation: 0, offset: block.len() as u64 };
    encoder.cover(Covers { stream, from: Position::default(), to, resume: Vec::new() });
    encoder.seal(rules.fingerprint()).expect("a batch with lines")
}

/// `n` lines without anything to mask.
pub(crate) fn lines(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("level=info step {i} done")).collect()
}
