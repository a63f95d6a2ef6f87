//! Opening a sealed body again, in four cases only: it must be split, the intake does not know its
//! encoding, its records have grown too old to be kept, or the rules that masked it have changed.
//!
//! Invariants: records keep their order and, but for what the case changes, their bytes. After a split the
//! last part carries every covered range: positions move only when all parts are through, so a crash
//! between two parts sends the first one again under the same ids and loses nothing.

use super::encoder::in_time;
use super::pack::{Packer, Unreadable, unpack};
use super::sealed::{Batch, Encoding, Header};
use crate::record::Fingerprint;
use crate::redact::{Redactor, RuleSet, StreamState};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Tokens a record may list.
const MAX_TOKENS: usize = 64;
/// Places remembered by a [`Remasker`].
const MAX_STREAMS: usize = 4096;

/// Splits a batch in two; a batch of fewer than two records comes back alone.
///
/// # Errors
/// [`Unreadable`] when the body is not what was sealed.
pub fn halve(batch: &Batch) -> Result<Vec<Batch>, Unreadable> {
    let json = open(batch)?;
    let mut records = records(&json)?;
    if records.len() < 2 {
        return Ok(vec![batch.clone()]);
    }
    let tail = records.split_off(records.len() / 2);
    let mut head = close(&batch.header, batch.header.encoding, &records)?;
    head.header.covers.clear();
    Ok(vec![head, close(&batch.header, batch.header.encoding, &tail)?])
}

/// The same records under another encoding.
///
/// # Errors
/// [`Unreadable`] when the body is not what was sealed.
pub fn re_encode(batch: &Batch, encoding: Encoding) -> Result<Batch, Unreadable> {
    let json = open(batch)?;
    close(&batch.header, encoding, &records(&json)?)
}

/// True when a record has grown too old for the intake since the batch was sealed, or all are ahead of what it takes:
/// the clock was wrong when they were read.
pub fn is_stale(header: &Header, now: i64) -> bool {
    header.entries > 0 && !in_time(header.oldest, now)
}

/// Gives records older or further ahead than the intake keeps the time `now` (Unix milliseconds) and puts their own into
/// `logveil.event_time`.
///
/// # Errors
/// [`Unreadable`] when the body is not what was sealed.
pub fn restamp(batch: &Batch, now: i64) -> Result<Batch, Unreadable> {
    change(batch, |record| {
        let time = record.get("timestamp").and_then(Value::as_i64).ok_or(Unreadable::Json)?;
        if !in_time(time, now) {
            record.insert("timestamp".into(), now.into());
            own(record)?.entry("event_time").or_insert(time.into());
        }
        Ok(())
    })
}

/// Masks batches once more, by the rule set of its redactor; what the older set masked stays masked.
pub struct Remasker {
    redactor: Redactor,
    /// What is unfinished at the end of the batches so far, by source and file.
    streams: HashMap<(String, String), StreamState>,
}

impl Remasker {
    /// One for batches that come in their order.
    pub fn new(redactor: Redactor) -> Remasker {
        Remasker { redactor, streams: HashMap::new() }
    }

    /// The rules it masks by.
    pub fn rules(&self) -> &RuleSet {
        self.redactor.rules()
    }

    /// What it masks with.
    pub fn redactor(&mut self) -> &mut Redactor {
        &mut self.redactor
    }

    /// The batch, masked once more: messages, paths, hosts and services that lines name.
    ///
    /// # Errors
    /// [`Unreadable`] when the body is not what was sealed.
    pub fn mask(&mut self, batch: &Batch) -> Result<Batch, Unreadable> {
        if self.streams.len() > MAX_STREAMS {
            self.streams.clear();
        }
        let mut changed = change(batch, |record| self.mask_record(record))?;
        changed.header.set = self.redactor.rules().fingerprint();
        Ok(changed)
    }

    fn mask_record(&mut self, record: &mut Map<String, Value>) -> Result<(), Unreadable> {
        let message = record.get("message").and_then(Value::as_str).ok_or(Unreadable::Json)?;
        let text = [message.as_bytes(), b"\n"].concat();
        let text_of =
            |own: &Map<String, Value>, name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let before = own(record)?;
        let place = (text_of(before, "source"), text_of(before, "file"));
        let (file, origin) = (self.again(before.get("file")), before.get("origin").cloned());
        let mut stream = self.streams.remove(&place).unwrap_or_default();
        redact_again(record, &mut self.redactor, &mut stream, &text)?;
        self.streams.insert(place, stream);
        if let Some(file) = file {
            own(record)?.insert("file".into(), file);
        }
        for (name, root) in [("host", "hostname"), ("service", "service")] {
            let named = origin.as_ref().and_then(|origin| origin.get(name));
            let Some(masked) = self.again(named) else { continue };
            // A trusted origin stands at the root too.
            if record.get(root) == named {
                record.insert(root.into(), masked.clone());
            }
            if let Some(origin) = own(record)?.get_mut("origin").and_then(Value::as_object_mut) {
                origin.insert(name.into(), masked);
            }
        }
        Ok(())
    }

    /// One text by itself, masked.
    fn again(&mut self, text: Option<&Value>) -> Option<Value> {
        let text = text?.as_str()?;
        let mut masked = Vec::new();
        self.redactor.redact(&mut StreamState::default(), text.as_bytes(), &[text.len() as u32], &mut |redacted| {
            redacted.write_to(&mut masked);
        });
        Some(String::from_utf8_lossy(&masked).into_owned().into())
    }
}

/// The JSON of a batch: for dead letters and for sinks that print.
///
/// # Errors
/// [`Unreadable`] when the body is not what was sealed.
pub fn open(batch: &Batch) -> Result<Vec<u8>, Unreadable> {
    unpack(batch.header.encoding, batch.body(), batch.header.raw_len as usize)
}

/// A batch of records that were put aside, to be delivered once more. It bears no rule set's mark, so it is
/// masked again before it leaves, and it covers no range: the positions behind it have moved long ago.
///
/// # Errors
/// [`Unreadable`] when `json` is not an array of records.
pub fn revive(json: &[u8]) -> Result<Batch, Unreadable> {
    let header = Header {
        sequence: 0,
        oldest: i64::MAX,
        set: Fingerprint(0),
        covers: Vec::new(),
        encoding: Encoding::Zstd,
        entries: 0,
        raw_len: 0,
        sources: Vec::new(),
    };
    close(&header, header.encoding, &records(json)?)
}

/// The records of an opened body, each with the bytes it was written with.
///
/// # Errors
/// [`Unreadable`] when `json` is not an array.
pub fn records(json: &[u8]) -> Result<Vec<&RawValue>, Unreadable> {
    serde_json::from_slice(json).map_err(|_| Unreadable::Json)
}

fn redact_again(
    record: &mut Map<String, Value>,
    redactor: &mut Redactor,
    stream: &mut StreamState,
    text: &[u8],
) -> Result<(), Unreadable> {
    let rules = redactor.rules().clone();
    let (mut message, mut hit, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    redactor.redact(stream, text, &[text.len() as u32], &mut |redacted| {
        redacted.write_to(&mut message);
        hit.extend(redacted.rules().iter().map(|&rule| rules.id(rule).to_owned()));
        tokens.extend(redacted.tokens().map(str::to_owned));
    });
    record.insert("message".into(), String::from_utf8_lossy(&message).into_owned().into());
    let own = own(record)?;
    own.insert("set".into(), rules.fingerprint().to_string().into());
    union(own, "rules", hit, usize::MAX)?;
    union(own, "tokens", tokens, MAX_TOKENS)
}

fn union(own: &mut Map<String, Value>, name: &str, more: Vec<String>, limit: usize) -> Result<(), Unreadable> {
    let list = own.get_mut(name).and_then(Value::as_array_mut).ok_or(Unreadable::Json)?;
    for item in more {
        if list.len() < limit && !list.iter().any(|old| old.as_str() == Some(&item)) {
            list.push(item.into());
        }
    }
    Ok(())
}

fn own(record: &mut Map<String, Value>) -> Result<&mut Map<String, Value>, Unreadable> {
    record.get_mut("logveil").and_then(Value::as_object_mut).ok_or(Unreadable::Json)
}

fn change(
    batch: &Batch,
    mut each: impl FnMut(&mut Map<String, Value>) -> Result<(), Unreadable>,
) -> Result<Batch, Unreadable> {
    let json = open(batch)?;
    let mut changed = Vec::new();
    for record in records(&json)? {
        let mut record: Map<String, Value> = serde_json::from_str(record.get()).map_err(|_| Unreadable::Json)?;
        each(&mut record)?;
        changed.push(serde_json::value::to_raw_value(&record).map_err(|_| Unreadable::Json)?);
    }
    let changed: Vec<&RawValue> = changed.iter().map(AsRef::as_ref).collect();
    close(&batch.header, batch.header.encoding, &changed)
}

/// Seals records under a header's sequence, rule set and ranges; counts are taken anew.
fn close(header: &Header, encoding: Encoding, records: &[&RawValue]) -> Result<Batch, Unreadable> {
    #[derive(Deserialize)]
    struct Stamped {
        timestamp: i64,
    }
    let mut packer = Packer::new(encoding);
    let (mut body, mut raw_len, mut oldest) = (Vec::new(), 0, i64::MAX);
    let mut write = |bytes: &[u8]| {
        packer.write(bytes, &mut body);
        raw_len += bytes.len();
    };
    write(b"[");
    for (i, record) in records.iter().enumerate() {
        let stamped: Stamped = serde_json::from_str(record.get()).map_err(|_| Unreadable::Json)?;
        oldest = oldest.min(stamped.timestamp);
        write(if i == 0 { b"" } else { b"," });
        write(record.get().as_bytes());
    }
    write(b"]");
    packer.finish(&mut body);
    let entries = records.len() as u32;
    let (raw_len, covers) = (raw_len as u32, header.covers.clone());
    Ok(Batch::new(Header { oldest, encoding, entries, raw_len, covers, sources: Vec::new(), ..*header }, body))
}

/// Any bytes as a body: opening ends, stays within the header's length and never panics; what opens as
/// records can be halved without loss.
#[doc(hidden)]
pub fn fuzz_open(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let encoding = [Encoding::Zstd, Encoding::Gzip, Encoding::None][usize::from(first) % 3];
    let header = Header {
        sequence: 1,
        oldest: 0,
        set: Fingerprint(0),
        covers: Vec::new(),
        encoding,
        entries: 0,
        raw_len: 1 << 16,
        sources: Vec::new(),
    };
    let batch = Batch::new(header, body.to_vec());
    let Ok(json) = open(&batch) else { return };
    assert!(json.len() <= 1 << 16);
    if let (Ok(all), Ok(parts)) = (records(&json), halve(&batch)) {
        assert_eq!(
            parts.iter().map(|part| part.header.entries as usize).sum::<usize>(),
            all.len() * usize::from(all.len() > 1)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoder::{MAX_AGE_MS, MAX_AHEAD_MS};
    use super::*;
    use crate::record::{Covers, Position, StreamId};

    const NOW: i64 = 1_763_900_000_000;

    fn batch(times: &[i64], encoding: Encoding) -> Batch {
        let record = |(i, time): (usize, &i64)| {
            format!(
                r#"{{"message":"line {i} \"q\"","timestamp":{time},"logveil":{{"id":"{i}","set":"0","rules":["a"],"tokens":[],"source":"s","offset":{i}}}}}"#
            )
        };
        let json = format!("[{}]", times.iter().enumerate().map(record).collect::<Vec<_>>().join(","));
        let mut body = Vec::new();
        let mut packer = Packer::new(encoding);
        packer.write(json.as_bytes(), &mut body);
        packer.finish(&mut body);
        let place = |offset| Position { generation: 0, offset };
        let covers = Covers { stream: StreamId([1; 16]), from: place(0), to: place(9), resume: vec![1] };
        let header = Header {
            sequence: 7,
            oldest: times.iter().copied().min().unwrap_or(i64::MAX),
            set: Fingerprint(1),
            covers: vec![covers],
            encoding,
            entries: times.len() as u32,
            raw_len: json.len() as u32,
            sources: Vec::new(),
        };
        Batch::new(header, body)
    }

    fn read(batch: &Batch) -> Vec<Value> {
        serde_json::from_slice(&open(batch).expect("readable")).expect("JSON")
    }

    #[test]
    fn halves_hold_everything_in_order_and_the_last_one_covers() {
        for n in 1..9 {
            let times: Vec<i64> = (0..n).map(|i| NOW + i).collect();
            let whole = batch(&times, Encoding::Zstd);
            let parts = halve(&whole).expect("readable");
            assert_eq!(parts.len(), 2.min(n as usize));
            let joined: Vec<Value> = parts.iter().flat_map(read).collect();
            assert_eq!(joined, read(&whole));
            let last = parts.last().expect("a part");
            assert_eq!(last.header.covers, whole.header.covers);
            assert!(parts[..parts.len() - 1].iter().all(|p| p.header.covers.is_empty()));
            assert!(parts.iter().all(|p| p.header.sequence == 7 && p.header.set == Fingerprint(1)));
            assert_eq!(last.header.oldest, NOW + n / 2 * i64::from(n > 1));
        }
    }

    #[test]
    fn encodings_change_and_the_records_do_not() {
        let whole = batch(&[NOW, NOW + 1], Encoding::Zstd);
        for encoding in [Encoding::Gzip, Encoding::None, Encoding::Zstd] {
            let other = re_encode(&whole, encoding).expect("readable");
            assert_eq!(other.header, Header { encoding, ..whole.header.clone() });
            assert_eq!(open(&other), open(&whole));
        }
    }

    #[test]
    fn only_what_is_too_old_or_ahead_is_restamped() {
        let old = NOW - MAX_AGE_MS - 1;
        let whole = batch(&[NOW - 5, old, NOW - MAX_AGE_MS], Encoding::Gzip);
        assert!(is_stale(&whole.header, NOW));
        let fresh = restamp(&whole, NOW).expect("readable");
        assert!(!is_stale(&fresh.header, NOW));
        let times: Vec<_> = read(&fresh).iter().map(|r| r["timestamp"].as_i64()).collect();
        assert_eq!(times, [Some(NOW - 5), Some(NOW), Some(NOW - MAX_AGE_MS)]);
        assert_eq!(read(&fresh)[1]["logveil"]["event_time"], old);
        assert_eq!(read(&fresh)[1]["message"], "line 1 \"q\"");
        assert!(read(&fresh)[0]["logveil"].get("event_time").is_none());
        let again = restamp(&fresh, NOW + 2 * MAX_AGE_MS).expect("readable");
        assert_eq!(read(&again)[1]["logveil"]["event_time"], old, "the first time known stays");
        let ahead = batch(&[NOW + MAX_AHEAD_MS + 1, NOW + 10 * MAX_AHEAD_MS], Encoding::Gzip);
        assert!(is_stale(&ahead.header, NOW) && !is_stale(&ahead.header, NOW + MAX_AHEAD_MS));
        let times: Vec<_> =
            read(&restamp(&ahead, NOW).expect("readable")).iter().map(|r| r["timestamp"].as_i64()).collect();
        assert_eq!(times, [Some(NOW), Some(NOW)]);
    }

    /// A batch of records with these members.
    fn of(records: &[&str]) -> Batch {
        let records: Vec<String> = records
            .iter()
            .map(|record| {
                record.replace("LV", r#""id":"1","set":"0","rules":["a"],"tokens":[],"source":"s","offset":1"#)
            })
            .collect();
        let json = format!("[{}]", records.join(","));
        let header = batch(&[NOW], Encoding::None).header.clone();
        Batch::new(Header { raw_len: json.len() as u32, entries: records.len() as u32, ..header }, json.into_bytes())
    }

    #[test]
    fn another_rule_set_masks_again_and_signs() {
        let rules = RuleSet::builtin();
        let mut remasker = Remasker::new(Redactor::new(rules.clone()));
        let whole = of(&[
            r#"{"message":"to ana@mail.example, [card-1111]","timestamp":7,"hostname":"10.20.30.40","service":"api","logveil":{LV,"file":"/home/ana@mail.example/a.log","origin":{"host":"10.20.30.40","service":"sshd"}}}"#,
            r#"{"message":"nothing","timestamp":7,"hostname":"host-1","service":"sshd","logveil":{LV}}"#,
        ]);
        let again = remasker.mask(&whole).expect("readable");
        assert_eq!(again.header.set, rules.fingerprint());
        assert_eq!(again.header.entries, 2);
        let records = read(&again);
        for record in &records {
            assert_eq!(record["logveil"]["set"], rules.fingerprint().to_string());
            assert!(record["logveil"]["rules"].as_array().is_some_and(|ids| ids.contains(&"a".into())));
        }
        assert_eq!(records[0]["message"], "to [email], [card-1111]");
        assert_eq!(records[0]["logveil"]["file"], "/home/[email]/a.log");
        assert_eq!(
            (&records[0]["hostname"], &records[0]["logveil"]["origin"]["host"]),
            (&"[ip]".into(), &"[ip]".into())
        );
        assert_eq!((&records[0]["service"], &records[1]["service"]), (&"api".into(), &"sshd".into()));
        assert_eq!(records[1]["message"], "nothing");
    }

    #[test]
    fn what_is_unfinished_reaches_over_other_streams_and_batches() {
        let record = |file: &str, message: &str| {
            format!(r#"{{"message":"{message}","timestamp":7,"logveil":{{LV,"file":"{file}"}}}}"#)
        };
        let (begin, end) = (["-----BEGIN PRIVATE", " KEY-----"].concat(), ["-----END PRIVATE", " KEY-----"].concat());
        let body = "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29y";
        let mut remasker = Remasker::new(Redactor::new(RuleSet::builtin()));
        let one = [record("a", &begin), record("b", body), record("a", body)];
        let two = [record("a", body), record("a", &end), record("a", body)];
        let mut messages = Vec::new();
        for records in [&one, &two] {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            let again = remasker.mask(&of(&texts)).expect("readable");
            messages.extend(read(&again).iter().map(|record| record["message"].as_str().unwrap_or("").to_owned()));
        }
        let masked: Vec<bool> = messages.iter().map(|message| !message.contains(body)).collect();
        assert_eq!(masked[2..4], [true, true], "{messages:?}");
        assert!(!masked[1] && !masked[5], "other streams and what follows are not concerned: {messages:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_survived(first: u8, data: Vec<u8>, n in 0usize..4) {
            fuzz_open(&[&[first], &data[..]].concat());
            let records = vec![r#"{"timestamp":1}"#; n].join(",");
            fuzz_open(format!("\u{2}[{records}]").as_bytes());
        }
    }

    #[test]
    fn a_foreign_body_is_refused() {
        let good = batch(&[NOW], Encoding::None);
        for body in [&b"{}"[..], b"", b"[1]", b"[{\"timestamp\":\"x\"}]"] {
            let bad = Batch::new(good.header.clone(), body.to_vec());
            assert_eq!(restamp(&bad, NOW), Err(Unreadable::Json));
        }
        let longer = Batch::new(Header { raw_len: 3, ..good.header.clone() }, good.body().to_vec());
        assert_eq!(open(&longer), Err(Unreadable::Length));
    }
}
