//! One followed file: reads what was appended, notices when the content was replaced in place.
//!
//! Invariants: the offset is always the start of a record; a half last line is never handed out while the
//! file may still grow; before reading on after any change of size or time, the bytes before the offset are
//! compared with those that were read there.

use super::content::Content;
use super::contract::{Chunk, Resume, StreamInfo};
use super::copies::SHORTEST;
use super::identity::{IdentityKey, MARKER, Mark, Stat, stat};
use super::line_buffer::{LineBuffer, MAX_LINE, READ, Shown};
use super::made::Made;
use super::utf16::Order;
use crate::record::Position;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes searched in one turn for the end of a line that is too long to keep.
const SKIP: usize = 4 << 20;
/// Places remembered behind the present one.
const PLACES: usize = 8;
/// Wait after a first failed read.
const FIRST_REST: Duration = Duration::from_millis(500);

/// One followed file.
pub struct Tail {
    /// The open file's bytes.
    pub content: Content,
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
    /// The last places reached in this generation, each with what stands before it, oldest first.
    pub places: VecDeque<(u64, Mark)>,
    /// Mark of the first bytes, once there are [`SHORTEST`] of them.
    pub head: Option<Mark>,
    /// Reads in a row that failed.
    pub failures: u32,
    /// When it may be read again after a failure.
    rest: Option<Instant>,
    /// No line end stands between the offset and here.
    searched: u64,
    /// The line at the offset is too long; its end is being searched.
    skipping: bool,
    /// The text is UTF-16.
    utf16: Option<Order>,
    /// A read found other bytes before the offset than were read there.
    replaced: bool,
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
    /// Follows a file from the given place.
    pub fn new(content: Content, path: PathBuf, info: Arc<StreamInfo>, seen: Stat, from: Position) -> Tail {
        let utf16 = order(&content);
        Tail {
            content,
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
            places: VecDeque::new(),
            head: None,
            failures: 0,
            rest: None,
            searched: from.offset,
            skipping: false,
            utf16,
            replaced: false,
        }
    }

    /// Goes to a place of which nothing is known.
    pub fn go_to(&mut self, at: Position) {
        (self.offset, self.searched, self.skipping, self.mark) = (at.offset, at.offset, false, None);
    }

    /// Notes that a read failed: the next one is made later, each time a little.
    pub fn rest(&mut self) {
        self.rest = Some(Instant::now() + FIRST_REST.saturating_mul(1 << self.failures.min(6)));
        self.failures = self.failures.saturating_add(1);
    }

    /// True while no read should be tried.
    pub fn rests(&self) -> bool {
        self.rest.is_some_and(|until| until > Instant::now())
    }

    /// Looks at the file's size and time, and after any change at the bytes before the offset.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn look(&mut self, key: &IdentityKey) -> io::Result<Look> {
        let now = stat(self.content.file())?;
        let packed = self.content.is_packed();
        if now == self.seen && (packed || now.size >= self.offset) && !self.replaced {
            return Ok(Look::Same);
        }
        let same = match self.mark {
            _ if packed => true,
            _ if now.size < self.offset => false,
            Some(mark) => key.compare(&self.content, self.offset, mark)?,
            None => true,
        };
        (self.seen, self.changed, self.replaced) = (now, Instant::now(), false);
        if packed {
            self.content.changed();
            return Ok(Look::Changed);
        }
        if same {
            if now.size < self.searched {
                (self.searched, self.skipping) = (self.offset, false);
            }
            return Ok(Look::Changed);
        }
        self.generation += 1;
        (self.offset, self.searched, self.skipping) = (0, 0, false);
        self.gaps.clear();
        self.places.clear();
        (self.mark, self.head) = (None, None);
        Ok(Look::Rewritten)
    }

    /// Reads the next whole records. With `all`, what stands at the end without a line end is a record too.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn read(&mut self, key: &IdentityKey, buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        if self.offset == 0 && !self.content.is_packed() {
            self.utf16 = order(&self.content);
        }
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
        match self.utf16 {
            Some(order) => self.read_utf16(key, order, buffer, all),
            None => self.read_lines(key, buffer, all),
        }
    }

    fn read_lines(&mut self, key: &IdentityKey, buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        if let Some(end) = self.hole()? {
            return self.step_over(buffer, end).map(Read::Chunk);
        }
        let mut lines = LineBuffer::new(buffer);
        let mut before = vec![0; self.offset.min(MARKER as u64) as usize];
        let mut around = |room: &mut [u8]| self.content.read_around(&mut before, room, self.offset);
        let (mut count, mut kept) = (0, true);
        lines.fill(|room| {
            let read = around(room)?;
            (count, kept) = (read.unwrap_or(0), read.is_some());
            Ok(count)
        })?;
        // Between the look at the file and this read its content may have been replaced.
        if !kept || self.mark.is_some_and(|mark| !key.marks_end(&before, mark)) {
            self.replaced = true;
            return Ok(Read::Again(lines.into_bytes(0)));
        }
        let read = self.take_lines(lines, before, count, all)?;
        let long = matches!(&read, Read::Chunk(chunk) if chunk.bytes.len() > READ);
        if long && self.mark.is_some_and(|mark| !self.stands(key, &read, mark)) {
            self.replaced = true;
            return self.take_back(read);
        }
        Ok(read)
    }

    /// As [`Tail::read_lines`], of text in UTF-16.
    fn read_utf16(&mut self, key: &IdentityKey, order: Order, mut raw: Vec<u8>, all: bool) -> io::Result<Read> {
        let mut before = vec![0; self.offset.min(MARKER as u64) as usize];
        let mut room = READ;
        loop {
            raw.resize(room, 0);
            let read = self.content.read_around(&mut before, &mut raw, self.offset)?;
            let Some(count) = read.filter(|_| self.mark.is_none_or(|mark| key.marks_end(&before, mark))) else {
                self.replaced = true;
                return Ok(Read::Again(raw));
            };
            let mut made = Made::default();
            let used = order.lines(&raw[..count], self.offset, all && count < room, &mut made);
            if used > 0 {
                return self.made(made, used as u64).map(Read::Chunk);
            }
            self.searched = self.offset + (count & !1) as u64;
            match count {
                _ if count < room => return Ok(Read::Nothing(raw)),
                MAX_LINE => {
                    self.skipping = true;
                    return Ok(Read::Again(raw));
                }
                _ => room = (room * 2).min(MAX_LINE),
            }
        }
    }

    /// A chunk of records that were made of the next `used` bytes.
    fn made(&mut self, made: Made, used: u64) -> io::Result<Chunk> {
        let from = self.position();
        self.offset += used;
        self.searched = self.offset;
        let resume = Resume::Marker { before: self.before(self.offset)? };
        self.content.release(self.offset);
        let (to, layout) = (self.position(), Some(made.layout));
        Ok(Chunk { info: self.info.clone(), bytes: made.bytes, from, to, resume, last: false, oversize: false, layout })
    }

    fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        match self.utf16 {
            Some(order) => order.line_end(bytes),
            None => memchr::memchr(b'\n', bytes).map(|at| at + 1),
        }
    }

    /// Looks for whole lines in what was read, reading on while there is none.
    fn take_lines(&mut self, mut lines: LineBuffer, before: Vec<u8>, mut count: usize, all: bool) -> io::Result<Read> {
        loop {
            match lines.look() {
                Shown::Lines(len) => return Ok(Read::Chunk(self.chunk(lines.into_bytes(len), before))),
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
                        return Ok(Read::Chunk(self.chunk(lines.into_bytes(len), before)));
                    }
                    return Ok(Read::Nothing(lines.into_bytes(len)));
                }
            }
            let at = self.offset + lines.filled().len() as u64;
            count = lines.fill(|room| self.content.read_at(room, at))?;
        }
    }

    /// True when what stood before a chunk still does after several reads.
    fn stands(&self, key: &IdentityKey, read: &Read, mark: Mark) -> bool {
        match read {
            Read::Chunk(chunk) => key.matches(&self.content, chunk.from.offset, mark),
            _ => true,
        }
    }

    /// Undoes a read whose pieces may be of different contents.
    fn take_back(&mut self, read: Read) -> io::Result<Read> {
        match read {
            Read::Chunk(chunk) => {
                (self.offset, self.searched) = (chunk.from.offset, chunk.from.offset);
                Ok(Read::Again(chunk.bytes))
            }
            other => Ok(other),
        }
    }

    /// The end of the hole that begins at the offset: what a writer without append mode leaves behind when
    /// its file is truncated under it.
    fn hole(&self) -> io::Result<Option<u64>> {
        let Content::Plain(file) = &self.content else { return Ok(None) };
        let mut first = [1];
        if self.content.read_at(&mut first, self.offset)? == 0 || first != [0] {
            return Ok(None);
        }
        match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(self.offset)) {
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
        bytes.resize((to - from).min(MAX_LINE as u64) as usize, 0);
        let count = self.content.read_at(&mut bytes, from)?;
        let whole = count == (to - from) as usize;
        if let Some(order) = self.utf16 {
            return self.read_utf16_gap(order, &bytes[..count], whole, after, to);
        }
        let len = match whole {
            true => count,
            false => memchr::memrchr(b'\n', &bytes[..count]).map_or(0, |at| at + 1),
        };
        bytes.truncate(len);
        let before = self.before(from)?;
        let chunk = self.chunk(bytes, before);
        let reached = std::mem::replace(&mut self.offset, after);
        self.searched = self.searched.max(after);
        self.gaps.pop_front();
        if len > 0 && reached < to {
            self.gaps.push_front((reached, to));
        }
        match len {
            0 => Ok(Read::Again(chunk.bytes)),
            _ => Ok(Read::Chunk(chunk)),
        }
    }

    fn read_utf16_gap(&mut self, order: Order, raw: &[u8], whole: bool, after: u64, to: u64) -> io::Result<Read> {
        let mut made = Made::default();
        let used = order.lines(raw, self.offset, whole, &mut made);
        let chunk = self.made(made, used as u64)?;
        let reached = std::mem::replace(&mut self.offset, after);
        self.searched = self.searched.max(after);
        self.gaps.pop_front();
        if used > 0 && reached < to {
            self.gaps.push_front((reached, to));
        }
        if used == 0 { Ok(Read::Again(chunk.bytes)) } else { Ok(Read::Chunk(chunk)) }
    }

    /// Looks for a line end in what was appended to an unfinished long line.
    fn search_on(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 16 << 10];
        loop {
            let count = self.content.read_at(&mut bytes, self.searched)?;
            if count == 0 {
                return Ok(false);
            }
            if self.line_end(&bytes[..count]).is_some() {
                return Ok(true);
            }
            let searched = if self.utf16.is_some() { count & !1 } else { count };
            if searched == 0 {
                return Ok(false);
            }
            self.searched += searched as u64;
            if self.searched - self.offset >= MAX_LINE as u64 {
                return Ok(true);
            }
        }
    }

    /// Goes on to the end of a line that is too long.
    fn skip(&mut self, mut buffer: Vec<u8>, all: bool) -> io::Result<Read> {
        buffer.resize(READ, 0);
        for _ in 0..SKIP / READ {
            let count = self.content.read_at(&mut buffer, self.searched)?;
            if count == 0 && all {
                let end = self.searched;
                return self.oversize(buffer, end).map(Read::Chunk);
            }
            if count == 0 {
                return Ok(Read::Nothing(buffer));
            }
            if let Some(len) = self.line_end(&buffer[..count]) {
                let end = self.searched + len as u64;
                return self.oversize(buffer, end).map(Read::Chunk);
            }
            // Half a unit waits for its other half, or ends with the file.
            let half = usize::from(self.utf16.is_some() && count > 1 && !all) & count;
            self.searched += (count - half) as u64;
            if half == 1 && count == 1 {
                return Ok(Read::Nothing(buffer));
            }
        }
        Ok(Read::Again(buffer))
    }

    fn oversize(&mut self, mut bytes: Vec<u8>, end: u64) -> io::Result<Chunk> {
        bytes.truncate(1);
        let high = u64::from(self.utf16 == Some(Order::Big));
        self.content.read_exact_at(&mut bytes, self.offset + high)?;
        let from = self.position();
        let before = self.before(end)?;
        (self.offset, self.searched, self.skipping) = (end, end, false);
        let resume = Resume::Marker { before };
        let to = self.position();
        Ok(Chunk { info: self.info.clone(), bytes, from, to, resume, last: false, oversize: true, layout: None })
    }

    fn chunk(&mut self, bytes: Vec<u8>, before: Vec<u8>) -> Chunk {
        let from = self.position();
        self.offset += bytes.len() as u64;
        self.searched = self.offset;
        self.content.release(self.offset);
        let to = self.position();
        let resume = Resume::Marker { before };
        Chunk { info: self.info.clone(), bytes, from, to, resume, last: false, oversize: false, layout: None }
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
            let mark = key.marker(before, own, own.len());
            self.mark = Some(mark);
            if self.places.len() == PLACES {
                self.places.pop_front();
            }
            self.places.push_back((chunk.to.offset, mark));
        }
    }

    /// Marks the first bytes, once there are enough of them: that tells most files apart at once.
    pub fn learn_head(&mut self, key: &IdentityKey) {
        if self.head.is_none() && self.seen.size >= u64::from(SHORTEST) && !self.content.is_packed() {
            let mut first = [0; SHORTEST as usize];
            self.head = self.content.read_exact_at(&mut first, 0).ok().map(|()| key.mark(&first));
        }
    }

    /// The raw bytes before `end`, at most as many as a marker covers.
    fn before(&self, end: u64) -> io::Result<Vec<u8>> {
        let len = end.min(MARKER as u64);
        let mut bytes = vec![0; len as usize];
        self.content.read_exact_at(&mut bytes, end - len)?;
        Ok(bytes)
    }

    /// Where the next record stands.
    pub fn position(&self) -> Position {
        Position { generation: self.generation, offset: self.offset }
    }
}

fn order(content: &Content) -> Option<Order> {
    let mut first = [0; 2];
    let count = content.read_at(&mut first, 0).unwrap_or(0);
    Order::of(&first[..count])
}
