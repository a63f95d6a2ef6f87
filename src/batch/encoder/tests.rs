use super::*;
use crate::batch::pack::unpack;
use crate::batch::{EnvelopeParts, RecordKey};
use crate::record::{Position, StreamId};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

const NOW: i64 = 1_763_900_000_000;

fn envelope(trust_origin: bool) -> Envelope {
    Envelope::new(&EnvelopeParts {
        ddsource: "logveil",
        service: "workflow-engine",
        hostname: "host-1",
        tags: &["env:prod".into()],
        retention: "retention:90d",
        source: "workflows",
        file: Some("/var/log/a.jsonl"),
        trust_origin,
    })
}

/// Compiled once for all tests.
fn rules() -> Arc<RuleSet> {
    static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(RuleSet::builtin);
    RULES.clone()
}

struct Bench {
    encoder: Encoder,
    envelope: Envelope,
    key: RecordKey,
    rules: Arc<RuleSet>,
    offset: u64,
    now: i64,
}

impl Bench {
    fn new(settings: EncoderSettings) -> Bench {
        Bench {
            encoder: Encoder::new(settings),
            envelope: envelope(false),
            key: RecordKey::new([1; 32]),
            rules: rules(),
            offset: 0,
            now: NOW,
        }
    }

    fn push(&mut self, pieces: &[Piece<'_>], known: Facts, origin: Origin<'_>) -> Pushed {
        let id = self.key.id(StreamId([2; 16]), Position { generation: 0, offset: self.offset });
        let head = RecordHead {
            envelope: &self.envelope,
            raw: RawLine(b""),
            known,
            origin,
            rules: &self.rules,
            id,
            now: self.now,
        };
        let pushed = self.encoder.push_parts(pieces.iter().copied(), &[], ["em_k792de85ak3fev"].into_iter(), &head);
        if pushed == Pushed::Added {
            self.offset += 100;
        }
        pushed
    }

    fn text(&mut self, text: &[u8]) -> Pushed {
        self.push(&[Piece::Keep(text)], Facts::default(), Origin::default())
    }

    fn seal(&mut self) -> (Batch, Vec<u8>) {
        let batch = self.encoder.seal(Fingerprint(5)).expect("something to seal");
        let json = unpack(batch.header.encoding, batch.body(), batch.header.raw_len as usize).expect("a readable body");
        assert_eq!(json.len(), batch.header.raw_len as usize);
        (batch, json)
    }

    fn records(&mut self) -> Vec<Value> {
        let (batch, json) = self.seal();
        let records: Vec<Value> = serde_json::from_slice(&json).expect("an array");
        assert_eq!(records.len(), batch.header.entries as usize);
        records
    }
}

fn plain() -> EncoderSettings {
    EncoderSettings { encoding: Encoding::None, ..EncoderSettings::default() }
}

#[test]
fn the_record_has_its_form_in_every_encoding() {
    for encoding in [Encoding::Zstd, Encoding::Gzip, Encoding::None] {
        let mut bench = Bench::new(EncoderSettings { encoding, ..EncoderSettings::default() });
        let pieces = [Piece::Keep(b"{\"user\":\""), Piece::Mask(b"[email]"), Piece::Keep(b"\",\"n\":1}\r")];
        let origin = Origin { host: Some("db\"1"), service: None };
        let _ = bench.push(&pieces, Facts { status: Some(Status::Error), time: Some(NOW - 5) }, origin);
        let records = bench.records();
        let r = &records[0];
        let keys: Vec<_> = r.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["ddsource", "service", "hostname", "ddtags", "status", "timestamp", "logveil", "message"]);
        assert_eq!(r["message"], "{\"user\":\"[email]\",\"n\":1}");
        assert_eq!(r["ddtags"], "env:prod,retention:90d");
        assert_eq!(r["status"], "error");
        assert_eq!(r["timestamp"], NOW - 5);
        assert_eq!(r["hostname"], "host-1");
        assert_eq!(r["logveil"]["origin"]["host"], "db\"1");
        assert_eq!(r["logveil"]["tokens"][0], "em_k792de85ak3fev");
        assert_eq!(r["logveil"]["file"], "/var/log/a.jsonl");
        assert_eq!(r["logveil"]["offset"], 0);
    }
}

#[test]
fn an_origin_reaches_the_root_only_when_trusted() {
    let mut bench = Bench::new(plain());
    bench.envelope = envelope(true);
    let origin = Origin { host: Some("db1"), service: Some("cron") };
    let _ = bench.push(&[Piece::Keep(b"x")], Facts::default(), origin);
    let records = bench.records();
    assert_eq!((&records[0]["hostname"], &records[0]["service"]), (&"db1".into(), &"cron".into()));
    assert_eq!(records[0]["logveil"]["origin"], serde_json::json!({"host": "db1", "service": "cron"}));
}

#[test]
fn times_the_intake_would_drop_are_restamped() {
    for (own, sent, kept) in [
        (None, NOW, None),
        (Some(NOW - MAX_AGE_MS), NOW - MAX_AGE_MS, None),
        (Some(NOW - MAX_AGE_MS - 1), NOW, Some(NOW - MAX_AGE_MS - 1)),
        (Some(NOW + MAX_AHEAD_MS), NOW + MAX_AHEAD_MS, None),
        (Some(NOW + MAX_AHEAD_MS + 1), NOW, Some(NOW + MAX_AHEAD_MS + 1)),
    ] {
        let mut bench = Bench::new(plain());
        let _ = bench.push(&[Piece::Keep(b"x")], Facts { status: None, time: own }, Origin::default());
        let (batch, json) = bench.seal();
        let records: Vec<Value> = serde_json::from_slice(&json).expect("an array");
        assert_eq!(records[0]["timestamp"], sent);
        assert_eq!(records[0]["logveil"].get("event_time").and_then(Value::as_i64), kept);
        assert_eq!(batch.header.oldest, sent);
    }
}

#[test]
fn a_batch_ends_where_the_clock_jumps() {
    for jump in [-2, 2] {
        let mut bench = Bench::new(plain());
        assert_eq!(bench.text(b"x"), Pushed::Added);
        bench.now += jump * MAX_AHEAD_MS / 2;
        assert_eq!(bench.text(b"x"), Pushed::Added, "it may be set");
        bench.now += jump;
        assert_eq!(bench.text(b"x"), Pushed::Full);
        assert_eq!(bench.records().len(), 2);
        assert_eq!(bench.text(b"x"), Pushed::Added);
        assert_eq!(bench.records()[0]["timestamp"], bench.now);
    }
}

#[test]
fn a_line_cannot_change_what_we_say_about_it() {
    let mut bench = Bench::new(plain());
    let line = br#"{"ddtags":"retention:365d","host":"evil","service":"evil","message":"\",\"hostname\":\"x"}"#;
    let _ = bench.text(line);
    let _ = bench.text(b"\",\"ddtags\":\"retention:1d\",\"x\":\"");
    for record in bench.records() {
        assert_eq!(record["ddtags"], "env:prod,retention:90d");
        assert_eq!((&record["service"], &record["hostname"]), (&"workflow-engine".into(), &"host-1".into()));
        assert_eq!(record.as_object().map(|o| o.len()), Some(8));
    }
}

#[test]
fn text_is_text_whatever_the_bytes() {
    let mut bench = Bench::new(plain());
    for line in [&b"a\xffb"[..], b"nul\0", b"", b"\r", b"two\r\r", b"caf\xc3", b"tab\tquote\"slash\\"] {
        let _ = bench.text(line);
    }
    let messages: Vec<_> = bench.records().iter().map(|r| r["message"].as_str().map(String::from)).collect();
    let expected = ["a\u{fffd}b", "nul\0", "", "", "two\r", "caf\u{fffd}", "tab\tquote\"slash\\"];
    assert_eq!(messages, expected.map(|m| Some(m.to_owned())));
}

#[test]
fn limits_are_exact() {
    let mut bench = Bench::new(EncoderSettings { max_entries: 3, ..plain() });
    for _ in 0..3 {
        assert_eq!(bench.text(b"x"), Pushed::Added);
    }
    assert_eq!(bench.text(b"x"), Pushed::Full);
    assert_eq!(bench.records().len(), 3);
    assert_eq!(bench.text(b"x"), Pushed::Added, "a sealed encoder begins anew");

    // As many bytes as two records take, with one byte less refused.
    let whole = {
        let mut bench = Bench::new(plain());
        let _ = bench.text(&[b'a'; 5000]);
        let _ = bench.text(&[b'a'; 5000]);
        bench.seal().1.len()
    };
    for (limit, second) in [(whole, Pushed::Added), (whole - 1, Pushed::Full)] {
        let mut bench = Bench::new(EncoderSettings { max_json: limit, max_entry: 8000, ..plain() });
        assert_eq!(bench.text(&[b'a'; 5000]), Pushed::Added);
        assert_eq!(bench.text(&[b'a'; 5000]), second);
        let (batch, json) = bench.seal();
        assert!(json.len() <= limit);
        assert_eq!(batch.header.entries == 2, second == Pushed::Added);
    }
}

#[test]
fn an_entry_is_cut_on_a_boundary_and_marked() {
    let settings = EncoderSettings { max_entry: 5000, ..plain() };
    let long = "é\"".repeat(4000);
    for lead in 0..8 {
        let mut bench = Bench::new(settings);
        let lead = "x".repeat(lead);
        let _ = bench.push(
            &[Piece::Keep(lead.as_bytes()), Piece::Keep(long.as_bytes())],
            Facts::default(),
            Origin::default(),
        );
        let (_, json) = bench.seal();
        assert!(json.len() <= 5002 && json.len() > 4990, "{}", json.len());
        let records: Vec<Value> = serde_json::from_slice(&json).expect("valid after the cut");
        let message = records[0]["message"].as_str().expect("text").strip_suffix("...[truncated]");
        assert!(format!("{lead}{long}").starts_with(message.expect("the mark")));
    }
}

#[test]
fn a_mask_is_never_cut_in_two() {
    for filler in 4000..5000 {
        let mut bench = Bench::new(EncoderSettings { max_entry: 5000, ..plain() });
        let text = vec![b'a'; filler];
        let pieces = [Piece::Keep(&text), Piece::Mask(b"[github-token]"), Piece::Keep(&[b'z'; 2000])];
        let _ = bench.push(&pieces, Facts::default(), Origin::default());
        let (_, json) = bench.seal();
        assert!(json.len() <= 5002);
        let records: Vec<Value> = serde_json::from_slice(&json).expect("valid after the cut");
        let message = records[0]["message"].as_str().expect("text");
        assert!(message.ends_with("...[truncated]"));
    }
}

#[test]
fn covers_join_and_an_empty_batch_is_none() {
    let mut bench = Bench::new(plain());
    assert!(bench.encoder.seal(Fingerprint(1)).is_none());
    let cover = |stream, from, to| Covers {
        stream: StreamId([stream; 16]),
        from: Position { generation: 0, offset: from },
        to: Position { generation: 0, offset: to },
        resume: vec![to as u8],
    };
    for c in [cover(1, 0, 10), cover(2, 5, 6), cover(1, 10, 30), cover(1, 40, 50)] {
        bench.encoder.cover(c);
    }
    let (batch, json) = bench.seal();
    assert_eq!(batch.header.covers, [cover(1, 0, 30), cover(2, 5, 6), cover(1, 40, 50)]);
    assert_eq!((batch.header.entries, batch.header.oldest, &json[..]), (0, i64::MAX, &b"[]"[..]));
    assert!(bench.encoder.seal(Fingerprint(1)).is_none());
}

#[test]
fn many_batches_reuse_everything() {
    let mut bench = Bench::new(EncoderSettings::default());
    for _ in 0..3 {
        for i in 0..1000 {
            assert_eq!(bench.text(format!("line {i} {}", "text ".repeat(i % 90)).as_bytes()), Pushed::Added);
        }
        assert_eq!(bench.text(b"x"), Pushed::Full);
        assert_eq!(bench.records().len(), 1000);
    }
}
