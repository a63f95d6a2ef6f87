//! The sealed batch: one compressed request body with everything needed to send, retry and acknowledge it.
//!
//! Invariant: a body is made by `batch::Encoder`, by `batch::reseal`, or read back by the spool under the
//! checksum it was stored with. Nothing else can put bytes on the way to the intake.

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
    /// Oldest record's timestamp as sent, Unix milliseconds; decides re-stamping at send time.
    /// `i64::MAX` for a batch without records.
    pub oldest: i64,
    /// Fingerprint of the rule set that masked it.
    pub set: Fingerprint,
    /// Source ranges held, one per stream and contiguous stretch.
    pub covers: Vec<Covers>,
    /// How the body is compressed.
    pub encoding: Encoding,
    /// Records in the body. A batch may cover ranges and hold none; it is acknowledged without being sent.
    pub entries: u32,
    /// Length of the JSON before compression, bytes.
    pub raw_len: u32,
    /// Records by the name of their source, for counting what became of them; empty where a body was taken apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<(String, u32)>,
}

/// A sealed batch; only `batch::Encoder` makes one from redacted records, and the spool reads back
/// what it wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// What is known without opening it. The worker sets `sources` and the spool `sequence`; nothing else changes after
    /// sealing.
    pub header: Header,
    body: Vec<u8>,
}

/// A stored batch whose bytes are not the ones that were sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// The checksum stored with it.
    pub stored: u32,
    /// The checksum of what was read.
    pub found: u32,
}

impl Batch {
    /// Puts a header on a finished body; for the encoder and for re-sealing only.
    pub(super) fn new(header: Header, body: Vec<u8>) -> Batch {
        Batch { header, body }
    }

    /// A batch read back from disk, accepted only under the checksum it was stored with.
    ///
    /// # Errors
    /// [`Damaged`] when header or body differ from what [`Batch::checksum`] saw.
    pub fn from_spooled(header: Header, body: Vec<u8>, checksum: u32) -> Result<Batch, Damaged> {
        let batch = Batch { header, body };
        match batch.checksum() {
            found if found == checksum => Ok(batch),
            found => Err(Damaged { stored: checksum, found }),
        }
    }

    /// The request body, compressed by `header.encoding`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// CRC-32 over every field of the header and the body, stored by the spool beside them.
    pub fn checksum(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let h = &self.header;
        crc.update(&h.sequence.to_le_bytes());
        crc.update(&h.oldest.to_le_bytes());
        crc.update(&h.set.0.to_le_bytes());
        crc.update(&[h.encoding as u8]);
        crc.update(&h.entries.to_le_bytes());
        crc.update(&h.raw_len.to_le_bytes());
        for cover in &h.covers {
            crc.update(&cover.stream.0);
            for place in [cover.from, cover.to] {
                crc.update(&place.generation.to_le_bytes());
                crc.update(&place.offset.to_le_bytes());
            }
            crc.update(&(cover.resume.len() as u64).to_le_bytes());
            crc.update(&cover.resume);
        }
        for (source, records) in &h.sources {
            crc.update(&(source.len() as u64).to_le_bytes());
            crc.update(source.as_bytes());
            crc.update(&records.to_le_bytes());
        }
        crc.update(&self.body);
        crc.finalize()
    }
}

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stored with checksum {:08x}, read with {:08x}", self.stored, self.found)
    }
}

impl std::error::Error for Damaged {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Position, StreamId};

    fn batch() -> Batch {
        let covers = Covers {
            stream: StreamId([7; 16]),
            from: Position { generation: 1, offset: 0 },
            to: Position { generation: 1, offset: 90 },
            resume: vec![1, 2, 3],
        };
        let header = Header {
            sequence: 4,
            oldest: 1_700_000_000_000,
            set: Fingerprint(9),
            covers: vec![covers],
            encoding: Encoding::None,
            entries: 0,
            raw_len: 2,
            sources: vec![("files".to_owned(), 3)],
        };
        Batch::new(header, b"[]".to_vec())
    }

    #[test]
    fn what_was_stored_comes_back() {
        let batch = batch();
        let again = Batch::from_spooled(batch.header.clone(), batch.body.clone(), batch.checksum());
        assert_eq!(again, Ok(batch));
    }

    #[test]
    fn any_changed_field_is_noticed() {
        let stored = batch().checksum();
        let changes: [fn(&mut Batch); 11] = [
            |b| b.header.sequence += 1,
            |b| b.header.oldest -= 1,
            |b| b.header.set.0 ^= 1,
            |b| b.header.encoding = Encoding::Zstd,
            |b| b.header.entries += 1,
            |b| b.header.raw_len += 1,
            |b| b.header.covers[0].to.offset += 1,
            |b| b.header.covers[0].resume[1] ^= 4,
            |b| b.body[0] ^= 1,
            |b| b.header.sources[0].1 += 1,
            |b| b.header.sources[0].0.push('s'),
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut batch = batch();
            change(&mut batch);
            assert!(Batch::from_spooled(batch.header, batch.body, stored).is_err(), "change {i}");
        }
    }
}
