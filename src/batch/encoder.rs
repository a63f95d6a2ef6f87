//! Redacted records in, sealed batches out: each record is escaped and masked once, straight into the page
//! that feeds the compressor.
//!
//! Form of a record:
//! `{"ddsource","service","hostname","ddtags","status","timestamp","logveil":{"id","set","rules","tokens","source",
//! "file","offset"[,"event_time"][,"origin":{["host"][,"service"]}]},"message"}`: the message is last, since how much of
//! it has room depends on the rest.
//!
//! Invariants: a body never exceeds its limits, counted on the bytes of the finished JSON; nothing is
//! allocated per record once the buffers have grown; from raw text only enums and integers are read.

use super::envelope::{Envelope, Origin, STATUS};
use super::escape::{Page, cut_point};
use super::facts::{self, Facts};
use super::identity::{RecordId, hex16};
use super::origin;
use super::pack::Packer;
use super::sealed::{Batch, Encoding, Header};
use crate::record::{Covers, Fingerprint, Status};
use crate::redact::rule::RuleIndex;
use crate::redact::{Piece, RawLine, Redacted, RuleSet};

/// Older than this is dropped by the intake after its 202 (limit 18 h), milliseconds.
pub const MAX_AGE_MS: i64 = 17 * 3_600_000;
/// Further ahead than this is re-stamped (the intake's limit is 2 h), milliseconds.
pub const MAX_AHEAD_MS: i64 = 3_600_000;
/// Ends a record behind its message.
const RECORD_END: &[u8; 2] = b"\"}";
/// Ends a message that did not fit.
const CUT_MARK: &[u8] = b"...[truncated]";
/// JSON handed to the compressor at a time.
const FLUSH: usize = 1 << 17;

/// What a batch may hold, and how it is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncoderSettings {
    /// How bodies are compressed.
    pub encoding: Encoding,
    /// Most records in a batch; the intake takes 1,000.
    pub max_entries: u32,
    /// Longest JSON of a batch before compression, bytes; the intake takes 5,000,000.
    pub max_json: usize,
    /// Longest JSON of one record, bytes; the intake cuts at 1,000,000 without saying so.
    pub max_entry: usize,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        EncoderSettings { encoding: Encoding::Zstd, max_entries: 1_000, max_json: 4_500_000, max_entry: 900_000 }
    }
}

/// What goes beside a record's text.
#[derive(Clone, Copy)]
pub struct RecordHead<'a> {
    /// The fixed part of the record's stream.
    pub envelope: &'a Envelope,
    /// The raw record, from which its level and time are read.
    pub raw: RawLine<'a>,
    /// What the source knows better than the line (journal: priority and time); fields left empty are
    /// read from the line.
    pub known: Facts,
    /// Host and service the source found beside the text, redacted; left empty they are read from the
    /// redacted text.
    pub origin: Origin<'a>,
    /// The rules the record was redacted with; gives the names of those that hit.
    pub rules: &'a RuleSet,
    /// The record's name and place.
    pub id: RecordId,
    /// Now, Unix milliseconds.
    pub now: i64,
}

/// What became of a pushed record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a record that was not added must be pushed again after sealing"]
pub enum Pushed {
    /// It is in the batch.
    Added,
    /// The batch takes no more: seal it, then push the record again.
    Full,
}

/// Builds one batch at a time; buffers and compressor are kept from batch to batch.
pub struct Encoder {
    settings: EncoderSettings,
    packer: Packer,
    facts: facts::Reader,
    origins: origin::Reader,
    /// JSON not yet given to the compressor.
    page: Page,
    body: Vec<u8>,
    /// JSON already given to the compressor, bytes.
    packed: usize,
    entries: u32,
    oldest: i64,
    /// When the first record was read.
    begun: i64,
    covers: Vec<Covers>,
}

impl Encoder {
    /// An encoder with an empty batch. Limits too small for a single record are raised to hold one.
    pub fn new(settings: EncoderSettings) -> Encoder {
        let max_entry = settings.max_entry.max(4096);
        let settings = EncoderSettings {
            max_entries: settings.max_entries.max(1),
            max_json: settings.max_json.max(max_entry + 2),
            max_entry,
            ..settings
        };
        Encoder {
            settings,
            packer: Packer::new(settings.encoding),
            facts: facts::Reader::new(),
            origins: origin::Reader::new(),
            page: Page::default(),
            body: Vec::new(),
            packed: 0,
            entries: 0,
            oldest: i64::MAX,
            begun: 0,
            covers: Vec::new(),
        }
    }

    /// Packs from now on under `encoding`; to be called while nothing is in the batch, else it has no effect.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        if encoding != self.settings.encoding && self.is_empty() {
            self.settings.encoding = encoding;
            self.packer = Packer::new(encoding);
        }
    }

    /// Adds a record to the batch, or says that the batch must be sealed first.
    pub fn push(&mut self, record: &Redacted<'_>, head: &RecordHead<'_>) -> Pushed {
        let mut head = *head;
        if head.origin.host.is_none() && head.origin.service.is_none() {
            head.origin = self.origins.read(record.pieces());
        }
        self.push_parts(record.pieces(), record.rules(), record.tokens(), &head)
    }

    /// Notes a source range that the batch holds; a range that continues the stream's last one joins it.
    pub fn cover(&mut self, more: Covers) {
        let last = self.covers.iter_mut().rev().find(|c| c.stream == more.stream);
        match last {
            Some(last) if last.to == more.from => {
                last.to = more.to;
                last.resume = more.resume;
            }
            _ => self.covers.push(more),
        }
    }

    /// Where local time stands, seconds east of UTC, for lines whose time names no zone; 0 until told.
    pub fn set_utc_offset(&mut self, seconds: i32) {
        self.facts.utc_offset = seconds;
    }

    /// Records in the open batch.
    pub fn entries(&self) -> u32 {
        self.entries
    }

    /// True while nothing waits to be sealed: no record, no covered range.
    pub fn is_empty(&self) -> bool {
        self.entries == 0 && self.covers.is_empty()
    }

    /// Length of the open batch's JSON so far, bytes.
    pub fn json_len(&self) -> usize {
        self.packed + self.page.len()
    }

    /// Closes the batch, masked by the rule set `set`, and begins another. None when nothing was pushed or
    /// covered; a batch that only covers ranges has no entries. The sequence is the spool's to give.
    pub fn seal(&mut self, set: Fingerprint) -> Option<Batch> {
        if self.is_empty() {
            return None;
        }
        self.page.put(if self.entries == 0 { b"[]" } else { b"]" });
        self.flush();
        self.packer.finish(&mut self.body);
        let header = Header {
            sequence: 0,
            oldest: std::mem::replace(&mut self.oldest, i64::MAX),
            set,
            covers: std::mem::take(&mut self.covers),
            encoding: self.settings.encoding,
            entries: std::mem::take(&mut self.entries),
            raw_len: std::mem::take(&mut self.packed) as u32,
            sources: Vec::new(),
        };
        Some(Batch::new(header, std::mem::take(&mut self.body)))
    }

    fn push_parts<'p, 't>(
        &mut self,
        pieces: impl Iterator<Item = Piece<'p>>,
        rules: &[RuleIndex],
        tokens: impl Iterator<Item = &'t str>,
        head: &RecordHead<'_>,
    ) -> Pushed {
        // Where the clock has jumped, what follows is in another batch: each can be given other times as a whole.
        let jumped = self.entries > 0 && head.now.abs_diff(self.begun) > MAX_AHEAD_MS as u64;
        if jumped || self.entries == self.settings.max_entries {
            return Pushed::Full;
        }
        let found = self.facts.read(head.raw.0, head.now);
        let status = head.known.status.or(found.status).unwrap_or(Status::Info);
        let stamp = Stamp::new(head.known.time.or(found.time), head.now);
        let start = self.page.len();
        self.page.put_fixed(if self.entries == 0 { b"[" } else { b"," });
        write_head(&mut self.page, status, stamp, rules, tokens, head);
        let room = self.settings.max_entry - (self.page.len() - start - 1) - RECORD_END.len();
        write_message(&mut self.page, pieces, room);
        self.page.put_fixed(RECORD_END);
        if self.json_len() + 1 > self.settings.max_json {
            self.page.truncate(start);
            return Pushed::Full;
        }
        if self.entries == 0 {
            self.begun = head.now;
        }
        self.entries += 1;
        self.oldest = self.oldest.min(stamp.timestamp);
        if self.page.len() >= FLUSH {
            self.flush();
        }
        Pushed::Added
    }

    fn flush(&mut self) {
        self.packed += self.page.len();
        self.packer.write(self.page.filled(), &mut self.body);
        self.page.truncate(0);
    }
}

/// The time a record is sent under, and its own time where that could not be used.
#[derive(Clone, Copy)]
struct Stamp {
    timestamp: i64,
    event_time: Option<i64>,
}

impl Stamp {
    fn new(own: Option<i64>, now: i64) -> Stamp {
        match own {
            None => Stamp { timestamp: now, event_time: None },
            Some(own) if in_time(own, now) => Stamp { timestamp: own, event_time: None },
            Some(own) => Stamp { timestamp: now, event_time: Some(own) },
        }
    }
}

/// Whether the intake keeps a record of this time that is sent `now` (Unix milliseconds).
pub(super) fn in_time(time: i64, now: i64) -> bool {
    time >= now - MAX_AGE_MS && time <= now + MAX_AHEAD_MS
}

/// Everything before the message's text.
fn write_head<'t>(
    page: &mut Page,
    status: Status,
    stamp: Stamp,
    rules: &[RuleIndex],
    tokens: impl Iterator<Item = &'t str>,
    head: &RecordHead<'_>,
) {
    let envelope = head.envelope;
    if envelope.trust_origin {
        page.put_fixed(b"{");
        page.put(&envelope.ddsource[1..]);
        text_or(page, b",\"service\":\"", head.origin.service, &envelope.service);
        text_or(page, b",\"hostname\":\"", head.origin.host, &envelope.hostname);
        page.put(&envelope.ddtags);
        page.put(STATUS);
    } else {
        page.put(&envelope.head);
    }
    page.put(status_name(status));
    page.put_fixed(b"\",\"timestamp\":");
    page.number(stamp.timestamp);
    page.put_fixed(b",\"logveil\":{\"id\":\"");
    page.put_fixed(&head.id.digits());
    page.put_fixed(b"\",\"set\":\"");
    page.put_fixed(&hex16(head.rules.fingerprint().0));
    page.put_fixed(b"\",\"rules\":");
    list(page, rules.iter().map(|&rule| head.rules.id(rule)));
    page.put_fixed(b",\"tokens\":");
    list(page, tokens);
    page.put(&envelope.own);
    page.put_fixed(b",\"offset\":");
    page.number(head.id.offset().min(i64::MAX as u64) as i64);
    if let Some(time) = stamp.event_time {
        page.put_fixed(b",\"event_time\":");
        page.number(time);
    }
    write_origin(page, head.origin);
    page.put_fixed(b"},\"message\":\"");
}

/// Writes the escaped pieces, at most `room` bytes of them. A piece that does not fit is cut on a character
/// boundary, a mask is left out as a whole; both end in the mark.
fn write_message<'p>(page: &mut Page, pieces: impl Iterator<Item = Piece<'p>>, room: usize) {
    let start = page.len();
    let mut ends_in_cr = false;
    for piece in pieces {
        let from = page.len();
        let (bytes, kept) = match piece {
            Piece::Keep(bytes) => (bytes, true),
            Piece::Mask(bytes) => (bytes, false),
        };
        // An escaped piece is never shorter than the piece: more than the room need not be escaped.
        page.escape(&bytes[..bytes.len().min(room + 4)]);
        if page.len() - start > room {
            return cut_message(page, start, from, kept, room);
        }
        if !bytes.is_empty() {
            ends_in_cr = kept && bytes.ends_with(b"\r");
        }
    }
    if ends_in_cr {
        page.truncate(page.len() - 2);
    }
}

/// Takes back what does not fit. The mark itself may need the place of pieces already written, which are
/// then cut like kept text: a label that loses its end still shows nothing of the value.
#[cold]
fn cut_message(page: &mut Page, start: usize, piece: usize, kept: bool, room: usize) {
    let limit = room - CUT_MARK.len();
    let end = if kept || piece - start > limit { page.len() } else { piece };
    let at = cut_point(&page.filled()[start..end], limit);
    page.truncate(start + at);
    page.put(CUT_MARK);
}

fn text_or(page: &mut Page, field: &[u8], own: Option<&str>, fixed: &[u8]) {
    match own {
        Some(text) => {
            page.put(field);
            page.escape(text.as_bytes());
            page.put_fixed(b"\"");
        }
        None => page.put(fixed),
    }
}

fn write_origin(page: &mut Page, origin: Origin<'_>) {
    if origin.host.is_none() && origin.service.is_none() {
        return;
    }
    page.put_fixed(b",\"origin\":{");
    text_or(page, b"\"host\":\"", origin.host, b"");
    let field = if origin.host.is_some() { &b",\"service\":\""[..] } else { b"\"service\":\"" };
    text_or(page, field, origin.service, b"");
    page.put_fixed(b"}");
}

/// A list of names and tokens: letters, digits, `_` and `-`, which JSON takes as they are.
fn list<'t>(page: &mut Page, items: impl Iterator<Item = &'t str>) {
    page.put_fixed(b"[");
    let mut separator: &[u8] = b"\"";
    for item in items {
        debug_assert!(item.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'));
        page.put(separator);
        page.put(item.as_bytes());
        page.put_fixed(b"\"");
        separator = b",\"";
    }
    page.put_fixed(b"]");
}

fn status_name(status: Status) -> &'static [u8] {
    match status {
        Status::Emergency => b"emergency",
        Status::Alert => b"alert",
        Status::Critical => b"critical",
        Status::Error => b"error",
        Status::Warning => b"warning",
        Status::Notice => b"notice",
        Status::Info => b"info",
        Status::Debug => b"debug",
    }
}

#[cfg(test)]
mod tests;
