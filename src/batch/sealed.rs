//! The sealed batch: one compressed request body with everything needed to send, retry and acknowledge it.

use crate::record::{Covers, Fingerprint};
use serde::{Deserialize, Serialize};

/// How a body is compressed: one zstd frame, one gzip member, or not at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// One zstd frame.
    Zstd,
    /// One gzip member.
    Gzip,
    /// Plain JSON.
    None,
}

/// What is known of a sealed body without opening it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Place in the order of sending; given by the spool, rising by one.
    pub sequence: u64,
    /// Oldest record's own timestamp, Unix milliseconds; decides re-stamping at send time.
    pub oldest: i64,
    /// Fingerprint of the rule set that masked it.
    pub set: Fingerprint,
    /// Source ranges held, one per stream and contiguous stretch.
    pub covers: Vec<Covers>,
    /// How the body is compressed.
    pub encoding: Encoding,
    /// Records in the body.
    pub entries: u32,
    /// Length of the JSON before compression, bytes.
    pub raw_len: u32,
}

/// A sealed batch; only `batch::Encoder` makes one from redacted records, and the spool reads back
/// what it wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// What is known without opening it.
    pub header: Header,
    /// The request body, compressed by `header.encoding`.
    pub body: Vec<u8>,
}
