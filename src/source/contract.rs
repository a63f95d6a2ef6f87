//! The contract of a source: whole records of one stream at a time, each chunk with its exact place.
//!
//! Invariants every source keeps, however its input is cut into reads:
//! - the bytes of a chunk are whole records, each ended by `\n` (the last one of a stream may lack it), or what
//!   its layout says;
//! - the chunks of one stream follow each other without gap and without overlap, in order;
//! - a source hands out nothing of a stream before the stream's identity is durable.

use crate::batch::Facts;
use crate::record::{Position, StreamId};
use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is known of a stream for as long as it is followed.
///
/// The path is raw: it is redacted before it stands in a record.
pub struct StreamInfo {
    /// Durable identity.
    pub stream: StreamId,
    /// Place of the source in the configuration.
    pub source: usize,
    /// Path under which the file was found; none for sources that are not files.
    pub path: Option<PathBuf>,
}

/// Whole records of one stream. Holds raw text: deliberately without `Debug`.
pub struct Chunk {
    /// Whose records these are.
    pub info: Arc<StreamInfo>,
    /// The records; empty for a stretch without any (a hole in a sparse file, the end of a stream). The buffer
    /// is sent back for reuse.
    pub bytes: Vec<u8>,
    /// Where the first byte stands.
    pub from: Position,
    /// Where the byte after the last one stands.
    pub to: Position,
    /// How a saved position inside or at the end of this chunk is recognised after a restart.
    pub resume: Resume,
    /// Nothing of this stream follows: an unfinished block of records ends here.
    pub last: bool,
    /// Set when the one record of this chunk was too long to be read: `bytes` holds its first byte only,
    /// `to` its true end.
    pub oversize: bool,
    /// Where the records are when they are not simply the lines of `bytes`.
    pub layout: Option<Layout>,
}

/// The records of a chunk whose text is not the stream's bytes as they stand: unwrapped, joined, or framed.
#[derive(Default)]
pub struct Layout {
    /// The records, in the order of their texts.
    pub records: Vec<Placed>,
    /// Raw names of hosts and services that records point to; redacted before they stand in a record.
    pub names: Vec<u8>,
}

/// One record of a [`Layout`].
#[derive(Clone, PartialEq, Debug)]
pub struct Placed {
    /// Where its text ends in the chunk's bytes, its `\n` included; it begins where the one before ended.
    pub end: u32,
    /// Where the record stands in the stream, within the chunk's generation.
    pub at: u64,
    /// What the source knows of it.
    pub facts: Facts,
    /// The host it names, in the layout's names; empty for none.
    pub host: Range<u32>,
    /// The service it names, likewise.
    pub service: Range<u32>,
    /// Too long to be kept: its text is its first byte only.
    pub too_long: bool,
}

impl Layout {
    /// Enters a name.
    pub fn name(&mut self, name: &[u8]) -> Range<u32> {
        let start = self.names.len();
        self.names.extend_from_slice(name);
        start as u32..self.names.len() as u32
    }

    /// The text of a name.
    pub fn text(&self, name: &Range<u32>) -> &[u8] {
        self.names.get(name.start as usize..name.end as usize).unwrap_or_default()
    }
}

impl Chunk {
    /// True when `bytes` holds everything between the chunk's two places.
    pub fn is_whole(&self) -> bool {
        !self.oversize && !self.bytes.is_empty() && self.layout.is_none()
    }
}

/// What is saved beside a position so that its place is recognised after a restart.
pub enum Resume {
    /// A keyed hash of the bytes before the position.
    Marker {
        /// Up to 256 raw bytes that stand before the chunk; before its end where `bytes` does not hold all
        /// of it (an oversize record, a hole).
        before: Vec<u8>,
    },
    /// Known for the chunk's end only (journal: the cursor); a position inside the chunk is never saved.
    AtEnd(Vec<u8>),
}

/// What a call of [`Source::fill`] came back with.
pub enum Fill {
    /// The next chunk; more may follow at once.
    Chunk(Chunk),
    /// Nothing to read now.
    Idle,
    /// The source has ended and hands out nothing more.
    End,
}

/// Why a source cannot read now; it is asked again later. Holds no record text.
#[derive(Debug)]
pub struct SourceError {
    /// What was tried, such as `list /var/log/workflows`.
    pub what: String,
    /// What went wrong.
    pub error: std::io::Error,
}

/// What a source has met since its start and how it stands, for metrics and readiness. Numbers only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Met {
    /// Records or lines without the form of their format; shipped as they are.
    pub malformed: u64,
    /// Records longer than the source takes; withheld.
    pub too_long: u64,
    /// Counted messages that ended before their count; shipped as they are.
    pub cut_short: u64,
    /// Holes: entries that should have been there.
    pub gaps: u64,
    /// Records that the kernel dropped before they could be read.
    pub lost: u64,
    /// Places to read from that cannot be opened now.
    pub closed: u64,
    /// Bytes that are there and were not handed out.
    pub unread: u64,
}

/// Something that records are read from. Driven by one plain thread.
pub trait Source: Send {
    /// Gives the next chunk, reading into `buffer` (an empty buffer from the pool).
    ///
    /// # Errors
    /// [`SourceError`] when nothing can be read now; the source stays usable.
    fn fill(&mut self, buffer: Vec<u8>) -> Result<Fill, SourceError>;

    /// Streams followed now.
    fn streams(&self) -> usize {
        1
    }

    /// What it has met since its start, and how it stands.
    fn met(&self) -> Met {
        Met::default()
    }

    /// Sleeps until there may be something to read, at most `limit`.
    fn wait(&mut self, limit: Duration);
}

/// How far each stream is safe: in the spool, or acknowledged where the spool is memory. Written by the
/// agent, read by sources that keep something open until then.
#[derive(Clone, Default)]
pub struct Durable(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    places: HashMap<StreamId, Position>,
    ended: Vec<StreamId>,
}

impl Durable {
    /// Notes that everything of `stream` before `to` is safe.
    pub fn advance(&self, stream: StreamId, to: Position) {
        let mut known = self.known();
        let place = known.places.entry(stream).or_default();
        *place = to.max(*place);
    }

    /// Everything of `stream` before this place is safe; none when nothing is known.
    pub fn position(&self, stream: StreamId) -> Option<Position> {
        self.known().places.get(&stream).copied()
    }

    /// Says that a stream has ended, all of it is safe and nothing of it will be asked for again.
    pub fn end(&self, stream: StreamId) {
        let mut known = self.known();
        known.places.remove(&stream);
        known.ended.push(stream);
    }

    /// The streams that have ended since the last call.
    pub fn take_ended(&self) -> Vec<StreamId> {
        std::mem::take(&mut self.known().ended)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.error)
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
