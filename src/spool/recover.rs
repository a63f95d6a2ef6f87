//! What a start finds: which batches still wait, and where each stream goes on.
//!
//! Files at or below the acknowledged sequence are unlinked unsent. Places are those of the checkpoint,
//! overlaid by what the waiting batches cover, in sequence. A file whose bytes are not the ones stored goes
//! to quarantine; the range it held shows as a gap, which the source reads again where it still can.

use super::frame::{self, Checkpoint, Unusable};
use super::ledger::Ledger;
use super::state_dir::{StateDir, StateDirError};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where to go on.
#[derive(Default)]
pub struct Recovered {
    /// Places of all streams: acknowledged or waiting.
    pub ledger: Ledger,
    /// Batches waiting.
    pub waiting: usize,
    /// Files put into quarantine.
    pub quarantined: usize,
}

/// What the store begins with.
pub(super) struct Found {
    pub(super) recovered: Recovered,
    pub(super) checkpoint: Checkpoint,
    /// Length of each waiting file by sequence.
    pub(super) files: BTreeMap<u64, u64>,
    pub(super) next: u64,
}

pub(super) fn recover(state: &StateDir) -> Result<Found, StateDirError> {
    let (mut recovered, mut files) = (Recovered::default(), BTreeMap::new());
    let checkpoint = read_checkpoint(state, &mut recovered)?;
    recovered.ledger = checkpoint.ledger.clone();
    let mut next = checkpoint.acknowledged + 1;
    for (sequence, path) in list(&state.path().join("spool"))? {
        next = next.max(sequence + 1);
        if sequence <= checkpoint.acknowledged {
            std::fs::remove_file(&path).map_err(|e| StateDirError::Io(path, e))?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| StateDirError::Io(path.clone(), e))?;
        let len = bytes.len() as u64;
        match frame::read_batch(bytes) {
            Ok(batch) if batch.header.sequence == sequence => {
                batch.header.covers.iter().for_each(|covers| recovered.ledger.apply(covers));
                files.insert(sequence, len);
            }
            Err(Unusable::Newer(format)) => return Err(StateDirError::Newer(path, format)),
            _ => {
                quarantine(state.path(), &path).map_err(|e| StateDirError::Io(path, e))?;
                recovered.quarantined += 1;
            }
        }
    }
    recovered.waiting = files.len();
    Ok(Found { recovered, checkpoint, files, next })
}

/// Moves a file aside under its own name.
pub(super) fn quarantine(state: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = state.join("quarantine");
    std::fs::rename(path, folder.join(name))?;
    crate::durable::sync_directory(&folder)
}

fn read_checkpoint(state: &StateDir, recovered: &mut Recovered) -> Result<Checkpoint, StateDirError> {
    let path = state.path().join("checkpoint");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Checkpoint::default()),
        Err(error) => return Err(StateDirError::Io(path, error)),
    };
    match frame::read_checkpoint(&bytes) {
        Ok(checkpoint) => Ok(checkpoint),
        Err(Unusable::Newer(format)) => Err(StateDirError::Newer(path, format)),
        Err(Unusable::Damaged) => {
            quarantine(state.path(), &path).map_err(|e| StateDirError::Io(path, e))?;
            recovered.quarantined += 1;
            Ok(Checkpoint::default())
        }
    }
}

/// Batch files in sequence; unfinished ones of a crash are removed.
fn list(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, StateDirError> {
    let failed = |error| StateDirError::Io(folder.to_owned(), error);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.extension().and_then(|e| e.to_str()) {
            Some("tmp") => std::fs::remove_file(&path).map_err(failed)?,
            Some("batch") => {
                if let Some(sequence) = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok()) {
                    files.insert(sequence, path);
                }
            }
            _ => {}
        }
    }
    Ok(files)
}
