//! What the parts of the agent call the same thing: streams, positions, severities.
//!
//! A *stream* is one file identity, journal or connection, never a glob. Positions of one stream are
//! totally ordered; `generation` rises when content is replaced in place (truncation), `offset` counts
//! bytes of the current generation.

use serde::{Deserialize, Serialize};

/// Random identity of a stream; durable before the stream's first batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct StreamId(pub [u8; 16]);

/// A place between two records of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Rises by one whenever the stream's content is replaced in place.
    pub generation: u32,
    /// Bytes since the start of the generation (journal: entries since the stream was first seen).
    pub offset: u64,
}

/// The part of a stream that a batch holds: everything in `[from, to)`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Covers {
    /// Whose records these are.
    pub stream: StreamId,
    /// First byte (or entry) held.
    pub from: Position,
    /// First byte (or entry) not held.
    pub to: Position,
    /// What the source needs beside the position to resume at `to` (journal: the cursor; file: the
    /// keyed marker of the bytes before `to`). Opaque here; never raw log text.
    pub resume: Vec<u8>,
}

/// Severity of a record, by its syslog number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// System is unusable.
    Emergency,
    /// Action must be taken immediately.
    Alert,
    /// Critical conditions.
    Critical,
    /// Error conditions.
    Error,
    /// Warning conditions.
    Warning,
    /// Normal but significant.
    Notice,
    /// Informational.
    Info,
    /// Debug-level.
    Debug,
}

/// Digest of an effective rule set: in every record, batch header, readiness body and metric.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
