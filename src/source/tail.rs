//! One followed file: reads what was appended, notices when the content was replaced in place.
//!
//! Invariants: the offset is always the start of a record; a half last line is never handed out while the
//! file may still grow; before reading on after any change of size or time, the bytes before the offset are
//! compared with those that were read there.

use super::contract::{Chunk, Resume, StreamInfo};
use super::identity::{IdentityKey, MARKER, Mark, Stat, stat};
use super::line_buffer::{LineBuffer, READ, Shown};
use crate::record::Position;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Bytes searched in one turn for the end of a line that is too long to keep.
const SKIP: usize = 4 << 20;

/// One followed file.
pub struct Tail {
    /// The open file.
    pub file: File,
    /// Path under which it was last seen.
    pub path: PathBuf,
    /// Its stream.
    pub info: Arc<StreamInfo>,
    /// Rewrites seen.
    pub generation: u32,
    /// Start of the first record not handed out.
    pub offset: u64,
    /// Stretches of this generation to read again first.
    pub gaps: VecDeque<(u64, u64)>,
    /// What was seen when the file was last looked at.
    pub seen: Stat,
    /// No path that matches leads here any more.
    pub gone: bool,
    /// When the file was last seen to change.
    pub changed: Instant,
    /// Waits in the ready queue.
    pub queued: bool,
    /// Its end has been handed out; it is closed once that is durable.
    pub ended: bool,
    /// Proves what stands before the offset; none at the beginning.
    pub mark: Option<Mark>,
    /// No line end stands between the offset and here.
    searched: u64,
    /// The line at the offset is too long; its end is being searched.
    skipping: bool,
}

/// What a look at the file told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Nothing changed since the last look.
    Same,
    /// It grew or was touched.
    Changed,
    /// Its content was replaced: a new generation begins at 0.
    Rewritten,
}

/// What a read gave.
pub enum Read {
    /// A chunk.
    Chunk(Chunk),
    /// No whole record is there; the buffer comes back.
    Nothing(Vec<u8>),
    /// More must be read before anything can be handed out; the buffer comes back.
    Again(Vec<u8>),
}

impl Tail {
    /// Follows `file` from the given place.
    pub fn new(file: File, path: PathBuf, info: Arc<StreamInfo>, seen: Stat, from: Position) -> Tail {
        Tail {
            file,
            path,
            info,
            generation: from.generation,
            offset: from.offset,
            gaps: VecDeque::new(),
            seen,
            gone: false,
            changed: Instant::now(),
            queued: false,
            ended: false,
            mark: None,
            searched: from.offset,
            skipping: false,
        }
    }

    /// Looks at the file's size and time, and after any change at the bytes before the offset.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn look(&mut self, key: &IdentityKey) -> io::Result<Look> {
        let now = stat(&self.file)?;
        if now == self.seen && now.size >= self.offset {
            return Ok(Look::Same);
        }
        self.seen = now;
        self.changed = Instant::now();
        let same = now.size >= self.offset && self.mark.is_none_or(|mark| key.matches(&self.file, self.offset, mark));
        if same {
            if now.size < self.searched {
                (self.searched, self.skipping) = (self.offset, false);
            }
            return Ok(Look::Changed);
        }
        self.generation += 1;
        (self.offset, self.searched, self.skipping) = (0, 0, false);
        self.gaps.clear();
        self.mark = None;
        Ok(Look::Rewritten)
    }

    /// Bytes that are there and were not handed out.
    pub fn unread(&self) -> u64 {
        self.seen.size.saturating_sub(self.offset)
    }

    /// Reads the next whole records. With `all`, what stands at the end without a line end is a record too.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn read(&mut self, buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        if let Some(&(from, to)) = self.gaps.front() {
            return self.read_gap(buffer, from, to);
        }
        if self.skipping {
            return self.skip(buffer, all);
        }
        if self.searched > self.offset + READ as u64 && !all {
            match self.search_on()? {
                true => {}
                false => return Ok(Read::Nothing(buffer)),
            }
        }
        self.read_lines(buffer, all)
    }

    fn read_lines(&mut self, buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        if let Some(end) = self.hole()? {
            return self.step_over(buffer, end).map(Read::Chunk);
        }
        let mut lines = LineBuffer::new(buffer);
        loop {
            let at = self.offset + lines.filled().len() as u64;
            let count = lines.fill(|room| self.file.read_at(room, at))?;
            match lines.look() {
                Shown::Lines(len) => return self.chunk(lines.into_bytes(len)).map(Read::Chunk),
                Shown::TooLong => {
                    self.searched = self.offset + lines.filled().len() as u64;
                    self.skipping = true;
                    return Ok(Read::Again(lines.into_bytes(0)));
                }
                Shown::Nothing if count > 0 => {}
                Shown::Nothing => {
                    let len = lines.filled().len();
                    self.searched = self.offset + len as u64;
                    if all && len > 0 {
                        return self.chunk(lines.into_bytes(len)).map(Read::Chunk);
                    }
                    return Ok(Read::Nothing(lines.into_bytes(len)));
                }
            }
        }
    }

    /// The end of the hole that begins at the offset: what a writer without append mode leaves behind when
    /// its file is truncated under it.
    fn hole(&self) -> io::Result<Option<u64>> {
        let mut first = [1];
        if self.file.read_at(&mut first, self.offset)? == 0 || first != [0] {
            return Ok(None);
        }
        match rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(self.offset)) {
            Ok(data) if data > self.offset => Ok(Some(data)),
            _ => Ok(None),
        }
    }

    /// A chunk without records that covers a stretch without data.
    fn step_over(&mut self, mut bytes: Vec<u8>, end: u64) -> io::Result<Chunk> {
        bytes.clear();
        let (from, before) = (self.position(), self.before(end)?);
        (self.offset, self.searched) = (end, end);
        let (to, resume) = (self.position(), Resume::Marker { before });
        Ok(Chunk { info: self.info.clone(), bytes, from, to, resume, last: false, oversize: false, layout: None })
    }

    /// Reads a stretch again that was lost after it had been read once.
    fn read_gap(&mut self, buffer: Vec<u8>, from: u64, to: u64) -> io::Result<Read> {
        let after = std::mem::replace(&mut self.offset, from);
        let mut bytes = buffer;
        bytes.resize((to - from).min(super::line_buffer::MAX_LINE as u64) as usize, 0);
        let count = self.file.read_at(&mut bytes, from)?;
        let len = match count == (to - from) as usize {
            true => count,
            false => memchr::memrchr(b'\n', &bytes[..count]).map_or(0, |at| at + 1),
        };
        bytes.truncate(len);
        let chunk = self.chunk(bytes);
        let reached = std::mem::replace(&mut self.offset, after);
        self.searched = self.searched.max(after);
        self.gaps.pop_front();
        if len > 0 && reached < to {
            self.gaps.push_front((reached, to));
        }
        match chunk {
            Ok(chunk) if len > 0 => Ok(Read::Chunk(chunk)),
            Ok(chunk) => Ok(Read::Again(chunk.bytes)),
            Err(error) => Err(error),
        }
    }

    /// Looks for a line end in what was appended to an unfinished long line.
    fn search_on(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 16 << 10];
        loop {
            let count = self.file.read_at(&mut bytes, self.searched)?;
            if count == 0 {
                return Ok(false);
            }
            if memchr::memchr(b'\n', &bytes[..count]).is_some() {
                return Ok(true);
            }
            self.searched += count as u64;
            if self.searched - self.offset >= super::line_buffer::MAX_LINE as u64 {
                return Ok(true);
            }
        }
    }

    /// Goes on to the end of a line that is too long.
    fn skip(&mut self, mut buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        buffer.resize(READ, 0);
        for _ in 0..SKIP / READ {
            let count = self.file.read_at(&mut buffer, self.searched)?;
            if count == 0 && all {
                let end = self.searched;
                return self.oversize(buffer, end).map(Read::Chunk);
            }
            if count == 0 {
                return Ok(Read::Nothing(buffer));
            }
            if let Some(at) = memchr::memchr(b'\n', &buffer[..count]) {
                let end = self.searched + at as u64 + 1;
                return self.oversize(buffer, end).map(Read::Chunk);
            }
            self.searched += count as u64;
        }
        Ok(Read::Again(buffer))
    }

    fn oversize(&mut self, mut bytes: Vec<u8>, end: u64) -> io::Result<Chunk> {
        bytes.truncate(1);
        self.file.read_exact_at(&mut bytes, self.offset)?;
        let from = self.position();
        let before = self.before(end)?;
        (self.offset, self.searched, self.skipping) = (end, end, false);
        let resume = Resume::Marker { before };
        let to = self.position();
        Ok(Chunk { info: self.info.clone(), bytes, from, to, resume, last: false, oversize: true, layout: None })
    }

    fn chunk(&mut self, bytes: Vec<u8>) -> io::Result<Chunk> {
        let from = self.position();
        let before = self.before(self.offset)?;
        self.offset += bytes.len() as u64;
        self.searched = self.offset;
        let to = self.position();
        let resume = Resume::Marker { before };
        Ok(Chunk { info: self.info.clone(), bytes, from, to, resume, last: false, oversize: false, layout: None })
    }

    /// The chunk that says that nothing follows; holds no record.
    pub fn end(&mut self, mut buffer: Vec<u8>) -> Chunk {
        buffer.clear();
        let (from, to) = (self.position(), self.position());
        let resume = Resume::Marker { before: self.before(self.offset).unwrap_or_default() };
        Chunk { info: self.info.clone(), bytes: buffer, from, to, resume, last: true, oversize: false, layout: None }
    }

    /// Notes what stands before the place that `chunk` reached.
    pub fn remember(&mut self, key: &IdentityKey, chunk: &Chunk) {
        if let Resume::Marker { before } = &chunk.resume {
            let own = if chunk.is_whole() { &chunk.bytes[..] } else { &[] };
            self.mark = Some(key.marker(before, own, own.len()));
        }
    }

    /// The raw bytes before `end`, at most as many as a marker covers.
    fn before(&self, end: u64) -> io::Result<Vec<u8>> {
        let len = end.min(MARKER as u64);
        let mut bytes = vec![0; len as usize];
        self.file.read_exact_at(&mut bytes, end - len)?;
        Ok(bytes)
    }

    /// Where the next record stands.
    pub fn position(&self) -> Position {
        Position { generation: self.generation, offset: self.offset }
    }
}
