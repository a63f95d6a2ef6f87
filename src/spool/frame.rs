//! The forms of what the spool writes: batch files and the checkpoint.
//!
//! A batch file is one line of JSON, `{"format":1,"checksum":…,"header":{…}}`, then the body as it is sent.
//! The checkpoint is one line of JSON and a second line with the CRC-32 of the first. Both say their format
//! first, so that an older program refuses what it cannot read instead of damaging it.

use super::ledger::Ledger;
use crate::batch::{Batch, Header};
use serde::{Deserialize, Serialize};

/// The newest form this program reads and the only one it writes.
const FORMAT: u32 = 1;
/// Longest first line of a batch file, bytes.
const MAX_HEAD: usize = 16 << 20;

/// Why stored bytes cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unusable {
    /// Cut, changed or foreign.
    Damaged,
    /// Written by a newer program.
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    checksum: u32,
    header: Header,
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    format: u32,
}

/// What the checkpoint says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// Batches up to this one are acknowledged.
    pub(super) acknowledged: u64,
    /// Places reached by acknowledged batches.
    pub(super) ledger: Ledger,
}

#[derive(Serialize, Deserialize)]
struct StoredCheckpoint<C> {
    format: u32,
    #[serde(flatten)]
    checkpoint: C,
}

/// The bytes before a batch's body.
pub(super) fn batch_head(batch: &Batch) -> Vec<u8> {
    let head = Head { format: FORMAT, checksum: batch.checksum(), header: batch.header.clone() };
    let mut line = serde_json::to_vec(&head).expect("numbers and short byte lists");
    line.push(b'\n');
    line
}

/// Reads a batch file.
pub(super) fn read_batch(mut bytes: Vec<u8>) -> Result<Batch, Unusable> {
    let window = &bytes[..bytes.len().min(MAX_HEAD)];
    let end = memchr::memchr(b'\n', window).ok_or(Unusable::Damaged)?;
    let head: Head = parse(&bytes[..end])?;
    bytes.drain(..=end);
    Batch::from_spooled(head.header, bytes, head.checksum).map_err(|_| Unusable::Damaged)
}

/// The bytes of a checkpoint.
pub(super) fn checkpoint(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut line =
        serde_json::to_vec(&StoredCheckpoint { format: FORMAT, checkpoint }).expect("numbers and byte lists");
    let sum = crc32fast::hash(&line);
    line.extend_from_slice(format!("\n{sum:08x}\n").as_bytes());
    line
}

/// Reads a checkpoint.
pub(super) fn read_checkpoint(bytes: &[u8]) -> Result<Checkpoint, Unusable> {
    let end = memchr::memchr(b'\n', bytes).ok_or(Unusable::Damaged)?;
    let (line, sum) = (&bytes[..end], &bytes[end + 1..]);
    if let Ok(Versioned { format }) = serde_json::from_slice(line)
        && format > FORMAT
    {
        return Err(Unusable::Newer(format));
    }
    if sum != format!("{:08x}\n", crc32fast::hash(line)).as_bytes() {
        return Err(Unusable::Damaged);
    }
    let mut stored: StoredCheckpoint<Checkpoint> = serde_json::from_slice(line).map_err(|_| Unusable::Damaged)?;
    stored.checkpoint.ledger.reindex();
    Ok(stored.checkpoint)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Unusable> {
    match serde_json::from_slice(line) {
        Ok(Versioned { format }) if format > FORMAT => Err(Unusable::Newer(format)),
        Ok(_) => serde_json::from_slice(line).map_err(|_| Unusable::Damaged),
        Err(_) => Err(Unusable::Damaged),
    }
}
