//! A source whose records are made of several lines of another source: container logs and multi-line records.
//!
//! Invariants: a chunk's end is never behind the beginning of an open record, so a restart reads that record
//! again from its first line; the chunks of a stream follow each other without gap; a stretch that the inner
//! source reads again is put together by itself.

use super::assembler::{Assembler, Settings};
use super::contract::{Chunk, Fill, Met, Resume, Source, SourceError, StreamInfo};
use super::identity::{IdentityKey, MARKER};
use super::made::Made;
use crate::record::{Position, StreamId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Chunks of the inner source looked at in one call; a stop is noticed between calls.
const TURNS: usize = 16;

/// The source.
pub struct Assembled {
    inner: Box<dyn Source>,
    settings: Settings,
    key: IdentityKey,
    streams: HashMap<StreamId, Stream>,
    ready: VecDeque<Chunk>,
    malformed: u64,
    /// When old groups were last looked for.
    looked: Instant,
}

struct Stream {
    info: Arc<StreamInfo>,
    assembler: Assembler,
    /// Where what was handed out ends.
    done: Position,
    /// Where what was read ends.
    read: Position,
    /// The raw bytes up to `read`; those before `done` serve to mark the place.
    raw: Vec<u8>,
    touched: Instant,
}

impl Assembled {
    /// Puts records together of what `inner` reads; `host_key` marks places.
    pub fn new(inner: Box<dyn Source>, settings: Settings, host_key: &[u8; 32]) -> Assembled {
        let key = IdentityKey::new(host_key);
        let (streams, ready) = (HashMap::new(), VecDeque::new());
        Assembled { inner, settings, key, streams, ready, malformed: 0, looked: Instant::now() }
    }

    /// Takes a chunk of the inner source; gives its buffer back.
    fn take(&mut self, mut chunk: Chunk) -> Vec<u8> {
        let id = chunk.info.stream;
        if self.streams.get(&id).is_some_and(|stream| stream.read != chunk.from) {
            self.end(id, false);
        }
        if !chunk.is_whole() {
            self.end(id, false);
            self.ready.push_back(chunk);
            return Vec::new();
        }
        let stream = self.streams.entry(id).or_insert_with(|| Stream::new(&mut chunk, &self.settings));
        stream.info = chunk.info.clone();
        stream.touched = Instant::now();
        let mut made = Made::default();
        let mut at = chunk.from.offset;
        for line in chunk.bytes.split_inclusive(|&b| b == b'\n') {
            stream.assembler.push(line, at, &mut made);
            at += line.len() as u64;
        }
        stream.raw.extend_from_slice(&chunk.bytes);
        stream.read = chunk.to;
        let malformed = stream.assembler.take_malformed();
        match chunk.last {
            true => self.end_with(id, made, true),
            false => self.ready.extend(stream.chunk(made, &self.key)),
        }
        self.tell_malformed(malformed);
        chunk.bytes
    }

    /// Gives out what is open of a stream and forgets it.
    fn end(&mut self, id: StreamId, last: bool) {
        self.end_with(id, Made::default(), last);
    }

    fn end_with(&mut self, id: StreamId, mut made: Made, last: bool) {
        let Some(mut stream) = self.streams.remove(&id) else { return };
        stream.assembler.flush(&mut made);
        match stream.chunk(made, &self.key) {
            Some(chunk) => self.ready.push_back(Chunk { last, ..chunk }),
            None if last => self.ready.push_back(Chunk { last, ..stream.empty(&self.key) }),
            None => {}
        }
    }

    /// Gives out joined lines that have been open for long enough.
    fn flush_old(&mut self) {
        let limit = self.settings.flush();
        self.looked = Instant::now();
        for stream in self.streams.values_mut() {
            if stream.assembler.has_group() && stream.touched.elapsed() >= limit {
                let mut made = Made::default();
                stream.assembler.flush_groups(&mut made);
                self.ready.extend(stream.chunk(made, &self.key));
            }
        }
    }

    fn tell_malformed(&mut self, more: u64) {
        let before = self.malformed;
        self.malformed += more;
        // At 1, 2, 4, 8 …: enough to be noticed, too few to flood.
        if self.malformed.checked_ilog2() != before.checked_ilog2() {
            tracing::warn!(
                lines = self.malformed,
                "lines are not in the form of the source's format; shipped as they are"
            );
        }
    }
}

impl Stream {
    fn new(chunk: &mut Chunk, settings: &Settings) -> Stream {
        let raw = match &mut chunk.resume {
            Resume::Marker { before } => std::mem::take(before),
            Resume::AtEnd(_) => Vec::new(),
        };
        let (info, assembler) = (chunk.info.clone(), Assembler::new(settings));
        Stream { info, assembler, done: chunk.from, read: chunk.from, raw, touched: Instant::now() }
    }

    /// What was made, up to the first open record; none when there is nothing to tell.
    fn chunk(&mut self, made: Made, key: &IdentityKey) -> Option<Chunk> {
        let to = Position { offset: self.assembler.open().unwrap_or(self.read.offset), ..self.read };
        if made.layout.records.is_empty() && to == self.done {
            return None;
        }
        let from = std::mem::replace(&mut self.done, to);
        let chunk = Chunk { bytes: made.bytes, from, layout: Some(made.layout), ..self.empty(key) };
        let keep = (self.read.offset - to.offset) as usize + MARKER;
        if self.raw.len() > keep {
            self.raw.drain(..self.raw.len() - keep);
        }
        Some(chunk)
    }

    /// A chunk without records at the place reached.
    fn empty(&self, key: &IdentityKey) -> Chunk {
        let place = self.raw.len().saturating_sub((self.read.offset - self.done.offset) as usize);
        let resume = Resume::AtEnd(key.marker(&[], &self.raw, place).to_bytes());
        let (from, to) = (self.done, self.done);
        let info = self.info.clone();
        Chunk { info, bytes: Vec::new(), from, to, resume, last: false, oversize: false, layout: None }
    }
}

impl Source for Assembled {
    fn fill(&mut self, mut buffer: Vec<u8>) -> Result<Fill, SourceError> {
        for _ in 0..TURNS {
            if self.looked.elapsed() >= self.settings.flush() {
                self.flush_old();
            }
            if let Some(chunk) = self.ready.pop_front() {
                return Ok(Fill::Chunk(chunk));
            }
            match self.inner.fill(buffer)? {
                Fill::Chunk(chunk) => buffer = self.take(chunk),
                Fill::Idle => {
                    self.flush_old();
                    return Ok(self.ready.pop_front().map_or(Fill::Idle, Fill::Chunk));
                }
                Fill::End => {
                    let open: Vec<StreamId> = self.streams.keys().copied().collect();
                    open.into_iter().for_each(|id| self.end(id, true));
                    return Ok(self.ready.pop_front().map_or(Fill::End, Fill::Chunk));
                }
            }
        }
        Ok(Fill::Idle)
    }

    fn streams(&self) -> usize {
        self.inner.streams()
    }

    fn met(&self) -> Met {
        let met = self.inner.met();
        Met { malformed: met.malformed + self.malformed, ..met }
    }

    fn wait(&mut self, limit: Duration) {
        if self.ready.is_empty() {
            self.inner.wait(limit.min(self.settings.flush()));
        }
    }
}

#[cfg(test)]
mod tests;
