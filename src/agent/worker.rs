//! One redaction thread: chunks in, sealed batches out.
//!
//! Invariants: a batch holds records of one rule set; a range is covered by the batch that holds its last
//! record, or by a later one of the same worker; the covered place of a stream never passes the beginning of
//! a block of records (a key over several lines) that is still open.

use super::live_rules::LiveRules;
use super::mint::{LiveKeys, Mint};
use super::origin_names::OriginNames;
use super::progress::{Progress, Pulse};
use super::settings::Settings;
use super::shadow::ShadowWatch;
use super::stream_envelope::envelope;
use crate::batch::{Batch, Encoder, Encoding, Envelope, Facts, Origin, Pushed, RecordHead, RecordKey};
use crate::record::{Covers, Fingerprint, Position, StreamId};
use crate::redact::rule::RuleIndex;
use crate::redact::{RawLine, Redacted, Redactor, RuleSet, StreamState, Withheld};
use crate::source::identity::IdentityKey;
use crate::source::{Chunk, Layout, Placed, Resume, StreamInfo};
use crate::tally::{RuleTally, Tally};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Buffers larger than this are not kept for reuse, bytes.
const KEEP: usize = 1 << 20;
/// Streams remembered before those that ended are looked for.
const SWEEP_AT: usize = 256;
/// Wait without an open batch.
const IDLE: Duration = Duration::from_secs(3600);

/// A worker's ends of the channels.
pub struct Channels {
    /// Chunks to redact; closed when no feeder is left.
    pub chunks: Receiver<Chunk>,
    /// Buffers for reuse.
    pub buffers: Sender<Vec<u8>>,
    /// Sealed batches.
    pub batches: Sender<Batch>,
}

/// One redaction thread's state.
pub struct Worker {
    settings: Arc<Settings>,
    rules: LiveRules,
    channels: Channels,
    progress: Arc<Progress>,
    redactor: Redactor,
    mint: Mint,
    origins: OriginNames,
    ends: Vec<u32>,
    streams: HashMap<StreamId, Box<Stream>>,
    sweep_at: usize,
    pen: Pen,
    /// When the open batch must be sealed.
    due: Option<Instant>,
    pulse: Arc<Pulse>,
}

/// What is remembered of a stream between chunks.
struct Stream {
    info: Arc<StreamInfo>,
    envelope: Envelope,
    /// The rule set that masked the path in the envelope.
    set: Fingerprint,
    block: StreamState,
    place: Covered,
}

/// How far a stream is covered.
#[derive(Clone, Copy)]
struct Covered {
    /// Everything before is covered by a batch.
    to: Position,
    /// First record of a block that is still open.
    open: Option<Position>,
}

/// Everything that a record is written with.
struct Pen {
    encoder: Encoder,
    names: RecordKey,
    marks: IdentityKey,
    /// Of each source since the last seal.
    tallies: Vec<Tally>,
    /// What each rule did since then.
    hits: Vec<RuleTally>,
    /// Records of each source in the open batch.
    in_batch: Vec<u32>,
    sealed: Vec<Batch>,
    progress: Arc<Progress>,
    shadow: ShadowWatch,
}

impl Worker {
    /// A worker; `host_key` names records and marks places.
    pub fn new(
        settings: Arc<Settings>,
        rules: LiveRules,
        keys: LiveKeys,
        host_key: &[u8; 32],
        progress: Arc<Progress>,
        channels: Channels,
    ) -> Worker {
        let current = rules.current();
        let mut encoder = Encoder::new(settings.batch);
        encoder.set_utc_offset(utc_offset());
        let pen = Pen {
            encoder,
            names: RecordKey::new(blake3::derive_key("logveil 2026 record names", host_key)),
            marks: IdentityKey::new(host_key),
            tallies: vec![Tally::default(); settings.sources.len()],
            hits: Vec::new(),
            in_batch: vec![0; settings.sources.len()],
            sealed: Vec::new(),
            progress: progress.clone(),
            shadow: ShadowWatch::new(rules.shadow().clone(), rules.trial_of(&current)),
        };
        let (redactor, mint) = (Redactor::new(current), Mint::new(keys));
        let (ends, streams, origins) = (Vec::new(), HashMap::new(), OriginNames::default());
        let pulse = progress.pulse();
        progress.meet(&settings);
        Worker {
            settings,
            rules,
            channels,
            progress,
            redactor,
            origins,
            ends,
            streams,
            sweep_at: SWEEP_AT,
            pen,
            mint,
            due: None,
            pulse,
        }
    }

    /// Works until no feeder is left; then seals what is open.
    pub fn run(mut self) {
        loop {
            let wait = self.due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
            match self.channels.chunks.recv_timeout(wait) {
                Ok(chunk) => {
                    self.pulse.begin();
                    let bytes = self.take(chunk);
                    self.pulse.end();
                    if bytes.capacity() <= KEEP {
                        let _ = self.channels.buffers.try_send(bytes);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.seal(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.seal();
                    self.send();
                    return;
                }
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.seal();
            }
            if !self.send() {
                return;
            }
        }
    }

    /// Redacts one chunk; gives its buffer back.
    pub fn take(&mut self, chunk: Chunk) -> Vec<u8> {
        let current = self.rules.current();
        if !Arc::ptr_eq(&current, self.redactor.rules()) {
            self.change_rules(&current);
        }
        self.mint.equip(&mut self.redactor, now() / 1000);
        if self.streams.len() >= self.sweep_at {
            self.streams.retain(|_, stream| Arc::strong_count(&stream.info) > 1);
            self.sweep_at = (self.streams.len() * 2).max(SWEEP_AT);
        }
        if !self.streams.contains_key(&chunk.info.stream) {
            let stream = self.meet(&chunk);
            self.streams.insert(chunk.info.stream, Box::new(stream));
        }
        let Some(stream) = self.streams.get_mut(&chunk.info.stream) else { return chunk.bytes };
        if stream.set != current.fingerprint() {
            stream.set = current.fingerprint();
            stream.envelope = envelope(&self.settings, &stream.info, &mut self.redactor);
        }
        if chunk.from != stream.place.to && stream.place.open.is_none()
            || chunk.from.generation != stream.place.to.generation
        {
            stream.place = Covered { to: chunk.from, open: None };
        }
        if let Some(layout) = &chunk.layout {
            self.origins.learn(layout, &mut self.redactor);
        }
        let (envelope, origins) = (&stream.envelope, &self.origins);
        let source = &self.settings.sources[chunk.info.source].name;
        let entry = Entry { chunk: &chunk, envelope, origins, rules: &current, source, now: now() };
        let (pen, place, began) = (&mut self.pen, &mut stream.place, Instant::now());
        pen.tally(chunk.info.source).bytes +=
            chunk.layout.as_ref().map_or(chunk.to.offset - chunk.from.offset, |_| chunk.bytes.len() as u64);
        if chunk.oversize {
            self.redactor.withhold(&chunk.bytes, Withheld::Oversize, &mut |record| {
                pen.write(&entry, place, record, &entry.line(record.range()));
            });
        } else if let Some(layout) = &chunk.layout {
            redact_laid_out(
                &mut self.redactor,
                &mut stream.block,
                &mut self.ends,
                &entry,
                layout,
                &mut |record, one| {
                    pen.write(&entry, place, record, one);
                },
            );
        } else {
            find_ends(&chunk, &mut self.ends);
            self.redactor.redact(&mut stream.block, &chunk.bytes, &self.ends, &mut |record| {
                pen.write(&entry, place, record, &entry.line(record.range()));
            });
        }
        pen.tally(chunk.info.source).scans.note(began.elapsed());
        if chunk.last {
            place.open = None;
            stream.block = StreamState::default();
        }
        pen.cover(&entry, place, place.open.unwrap_or(chunk.to));
        if self.due.is_none() && !self.pen.encoder.is_empty() {
            self.due = Some(Instant::now() + self.settings.batch_age);
        }
        chunk.bytes
    }

    /// Goes on under another rule set, with a new batch. The chunk that waits pays for it.
    fn change_rules(&mut self, rules: &Arc<RuleSet>) {
        let began = Instant::now();
        self.seal();
        let old = self.redactor.rules().clone();
        self.redactor.set_rules(rules.clone());
        self.streams.values_mut().for_each(|stream| stream.block.follow(&old, rules));
        self.origins.forget();
        self.pen.shadow = ShadowWatch::new(self.rules.shadow().clone(), self.rules.trial_of(rules));
        let took = began.elapsed().as_nanos().min(u64::MAX.into()) as u64;
        self.progress.rules_pause.fetch_max(took, Ordering::Relaxed);
    }

    /// Closes the open batch, if anything is in it.
    pub fn seal(&mut self) {
        self.due = None;
        // Summer time may have begun since the last batch.
        self.pen.encoder.set_utc_offset(utc_offset());
        let set = self.redactor.rules().fingerprint();
        self.pen.seal(set);
        self.tell();
    }

    /// Adds what was counted since the last time to what everybody sees.
    fn tell(&mut self) {
        let mut all = Tally::default();
        for (tally, counts) in self.pen.tallies.iter_mut().zip(self.progress.sources()) {
            let told = tally.take();
            all += told;
            counts.change(|now| now.tally += told);
        }
        Progress::add(&self.progress.records_read, all.records);
        Progress::add(&self.progress.bytes_read, all.bytes);
        Progress::add(&self.progress.records_masked, all.masked);
        Progress::add(&self.progress.records_withheld, all.withheld());
        if all.withheld() > 0 {
            let (decode, oversize, internal) = (all.withheld_decode, all.withheld_oversize, all.withheld_internal);
            tracing::error!(code = "LV0305", decode, oversize, internal, "records were withheld: their text is lost");
        }
        let rules = self.redactor.rules();
        let hit = self.pen.hits.iter_mut().enumerate().filter(|(_, hits)| **hits != RuleTally::default());
        self.progress.add_rules(hit.map(|(place, hits)| (rules.id(RuleIndex(place as u16)), std::mem::take(hits))));
    }

    /// Sealed batches that wait to be sent on.
    pub fn sealed(&mut self) -> std::vec::Drain<'_, Batch> {
        self.pen.sealed.drain(..)
    }

    /// Hands sealed batches on, blocking while the spool is behind. False when the spool is gone.
    fn send(&mut self) -> bool {
        let batches = &self.channels.batches;
        self.pen.sealed.drain(..).all(|batch| batches.send(batch).is_ok())
    }

    fn meet(&mut self, chunk: &Chunk) -> Stream {
        let info = chunk.info.clone();
        let envelope = envelope(&self.settings, &info, &mut self.redactor);
        let set = self.redactor.rules().fingerprint();
        Stream { info, envelope, set, block: StreamState::default(), place: Covered { to: chunk.from, open: None } }
    }
}

/// What all records of one chunk share.
struct Entry<'a> {
    chunk: &'a Chunk,
    envelope: &'a Envelope,
    origins: &'a OriginNames,
    rules: &'a RuleSet,
    /// Name of the source.
    source: &'a str,
    now: i64,
}

/// What is known of one record beside its redacted text.
struct One<'a> {
    at: Position,
    raw: &'a [u8],
    known: Facts,
    origin: Origin<'a>,
}

impl Entry<'_> {
    /// A record that is a line of the chunk.
    fn line(&self, range: Range<usize>) -> One<'_> {
        let at = Position { offset: self.chunk.from.offset + range.start as u64, ..self.chunk.from };
        One { at, raw: &self.chunk.bytes[range], known: Facts::default(), origin: Origin::default() }
    }

    /// A record that the layout names.
    fn placed<'a>(&'a self, layout: &'a Layout, start: usize, placed: &Placed) -> One<'a> {
        let origins = self.origins;
        let origin =
            Origin { host: origins.get(layout.text(&placed.host)), service: origins.get(layout.text(&placed.service)) };
        let at = Position { offset: placed.at, ..self.chunk.from };
        One { at, raw: &self.chunk.bytes[start..placed.end as usize], known: placed.facts, origin }
    }
}

/// Redacts the records of a layout: runs of them together, those that are too long by themselves.
fn redact_laid_out(
    redactor: &mut Redactor,
    block: &mut StreamState,
    ends: &mut Vec<u32>,
    entry: &Entry<'_>,
    layout: &Layout,
    each: &mut dyn FnMut(&Redacted<'_>, &One<'_>),
) {
    let bytes = &entry.chunk.bytes;
    let mut start = 0;
    for run in layout.records.chunk_by(|a, b| !a.too_long && !b.too_long) {
        let Some(last) = run.last() else { continue };
        let text = &bytes[start..last.end as usize];
        let (mut next, mut from) = (run.iter(), start);
        let mut give = |record: &Redacted<'_>| {
            if let Some(placed) = next.next() {
                let at = std::mem::replace(&mut from, placed.end as usize);
                each(record, &entry.placed(layout, at, placed));
            }
        };
        if last.too_long {
            redactor.withhold(text, Withheld::Oversize, &mut give);
        } else {
            ends.clear();
            ends.extend(run.iter().map(|placed| placed.end - start as u32));
            redactor.redact(block, text, ends, &mut give);
        }
        start = last.end as usize;
    }
}

impl Pen {
    /// Writes one record; seals the batch first when it is full.
    fn write(&mut self, entry: &Entry<'_>, place: &mut Covered, record: &Redacted<'_>, one: &One<'_>) {
        let at = one.at;
        match record.in_open_block() {
            true => _ = place.open.get_or_insert(at),
            false => place.open = None,
        }
        let raw = text(one.raw);
        if raw.is_empty() {
            return;
        }
        self.count(entry.chunk.info.source, record);
        if !record.shadowed().is_empty() {
            self.shadow.note(record, entry.rules, entry.source, entry.now);
        }
        let head = RecordHead {
            envelope: entry.envelope,
            raw: RawLine(raw),
            known: one.known,
            origin: one.origin,
            rules: entry.rules,
            id: self.names.id(entry.chunk.info.stream, at),
            now: entry.now,
        };
        if self.encoder.push(record, &head) == Pushed::Full {
            self.cover(entry, place, place.open.map_or(at, |open| open.min(at)));
            self.seal(entry.rules.fingerprint());
            let again = self.encoder.push(record, &head);
            debug_assert!(again == Pushed::Added, "an empty batch takes any record");
        }
        self.in_batch[entry.chunk.info.source] += 1;
    }

    fn tally(&mut self, source: usize) -> &mut Tally {
        &mut self.tallies[source]
    }

    fn count(&mut self, source: usize, record: &Redacted<'_>) {
        let tally = self.tally(source);
        tally.records += 1;
        tally.spans += record.masks() as u64;
        match record.withheld() {
            Some(Withheld::Decode) => tally.withheld_decode += 1,
            Some(Withheld::Oversize) => tally.withheld_oversize += 1,
            Some(Withheld::Internal) => tally.withheld_internal += 1,
            None => tally.masked += u64::from(!record.rules().is_empty()),
        }
        record.rules().iter().for_each(|rule| self.of(*rule).records += 1);
        record.shadowed().iter().for_each(|rule| self.of(*rule).shadowed += 1);
        record.allowed().iter().for_each(|rule| self.of(*rule).allowed += 1);
        for (rule, _, mask) in record.masked() {
            let Some(rule) = rule else { continue };
            // Around either there may be quotes in some encoding; a token has no bracket.
            match mask.contains(&b'[') {
                true => self.of(rule).labels += 1,
                false => self.of(rule).tokens += 1,
            }
        }
    }

    fn of(&mut self, rule: RuleIndex) -> &mut RuleTally {
        let place = usize::from(rule.0);
        if self.hits.len() <= place {
            self.hits.resize(place + 1, RuleTally::default());
        }
        &mut self.hits[place]
    }

    /// Closes the batch; the next one is packed as the intake likes it now.
    fn seal(&mut self, set: Fingerprint) {
        let batch = self.encoder.seal(set).map(|mut batch| {
            let records = self.progress.sources().iter().zip(&mut self.in_batch);
            let records = records.map(|(source, records)| (source.name.clone(), std::mem::take(records)));
            batch.header.sources = records.filter(|(_, records)| *records > 0).collect();
            batch
        });
        self.sealed.extend(batch);
        if self.progress.prefers_gzip.load(Ordering::Relaxed) {
            self.encoder.set_encoding(Encoding::Gzip);
        }
    }

    /// Notes that the batch holds everything of the stream up to `to`.
    fn cover(&mut self, entry: &Entry<'_>, place: &mut Covered, to: Position) {
        let chunk = entry.chunk;
        let Some(resume) = self.resume(chunk, to) else { return };
        if to > place.to {
            self.encoder.cover(Covers { stream: chunk.info.stream, from: place.to, to, resume });
            place.to = to;
        }
    }

    /// How the place is recognised after a restart; none when it cannot be told from this chunk.
    fn resume(&self, chunk: &Chunk, to: Position) -> Option<Vec<u8>> {
        let inside = to.offset.checked_sub(chunk.from.offset)? as usize;
        match &chunk.resume {
            Resume::AtEnd(end) => (to == chunk.to).then(|| end.clone()),
            Resume::Marker { before } if !chunk.is_whole() => {
                (to == chunk.to).then(|| self.marks.marker(before, &[], 0).to_bytes())
            }
            Resume::Marker { before } => Some(self.marks.marker(before, &chunk.bytes, inside).to_bytes()),
        }
    }
}

/// The record's text without its line end.
fn text(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

fn find_ends(chunk: &Chunk, ends: &mut Vec<u32>) {
    ends.clear();
    ends.extend(memchr::memchr_iter(b'\n', &chunk.bytes).map(|at| at as u32 + 1));
    let len = chunk.bytes.len() as u32;
    if ends.last().copied().unwrap_or(0) != len {
        ends.push(len);
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// Seconds by which the host's clock on the wall is ahead of UTC: what a time without a zone means.
fn utc_offset() -> i32 {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(now()).map_or(0, |at| zone.to_offset(at).seconds())
}
