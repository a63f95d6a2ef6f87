//! What a start finds: which batches still wait, and where each stream goes on.
//!
//! Files at or below the acknowledged sequence are unlinked unsent. Places are those of the checkpoint,
//! overlaid by what the waiting batches cover, in sequence. A file whose bytes are not the ones stored, or
//! cannot be read at all, goes to quarantine; the range it held shows as a gap, which the source reads again
//! where it still can.

use super::frame::{self, Checkpoint, Unusable};
use super::ledger::Ledger;
use super::state_dir::StateDirError;
use crate::durable::FileSystem;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be read this many times is as good as damaged.
pub(super) const TRIES: u32 = 5;

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

pub(super) fn recover(disk: &dyn FileSystem, state: &Path) -> Result<Found, StateDirError> {
    // A process that was killed between a rename and its sync has left names that power loss would take back;
    // what is found from here on counts as durable, identities of files beside the checkpoint included.
    for folder in [state, &state.join("spool")] {
        insist(|| disk.sync_folder(folder)).map_err(|e| StateDirError::Io(folder.to_owned(), e))?;
    }
    let (mut recovered, mut files) = (Recovered::default(), BTreeMap::new());
    let checkpoint = read_checkpoint(disk, state, &mut recovered)?;
    recovered.ledger = checkpoint.ledger.clone();
    let mut next = checkpoint.acknowledged + 1;
    for (sequence, path) in list(disk, &state.join("spool"))? {
        next = next.max(sequence + 1);
        if sequence <= checkpoint.acknowledged {
            disk.remove(&path).map_err(|e| StateDirError::Io(path, e))?;
            continue;
        }
        let read = read(disk, &path).map_err(|e| StateDirError::Io(path.clone(), e))?;
        let len = read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match read.ok_or(Unusable::Damaged).and_then(frame::read_batch) {
            Ok(batch) if batch.header.sequence == sequence => {
                batch.header.covers.iter().for_each(|covers| recovered.ledger.apply(covers));
                files.insert(sequence, len);
            }
            Err(Unusable::Newer(format)) => return Err(StateDirError::Newer(path, format)),
            _ => {
                quarantine(disk, state, &path).map_err(|e| StateDirError::Io(path, e))?;
                recovered.quarantined += 1;
            }
        }
    }
    recovered.waiting = files.len();
    Ok(Found { recovered, checkpoint, files, next })
}

/// Moves a file aside under its own name.
pub(super) fn quarantine(disk: &dyn FileSystem, state: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = state.join("quarantine");
    disk.rename(path, &folder.join(name))?;
    disk.sync_folder(&folder)
}

/// True when the disk itself fails at one thing, which says nothing about others.
pub(super) fn is_of_the_disk(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::IO | Errno::UCLEAN | Errno::BADMSG))
}

/// Tries again while the disk fails.
fn insist<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut left = TRIES;
    loop {
        left -= 1;
        match work() {
            Err(error) if is_of_the_disk(&error) && left > 0 => {}
            done => return done,
        }
    }
}

/// The content; none where the disk cannot give it.
fn read(disk: &dyn FileSystem, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match insist(|| disk.read(path)) {
        Err(error) if is_of_the_disk(&error) => Ok(None),
        read => read.map(Some),
    }
}

fn read_checkpoint(
    disk: &dyn FileSystem,
    state: &Path,
    recovered: &mut Recovered,
) -> Result<Checkpoint, StateDirError> {
    let path = state.join("checkpoint");
    let read = match read(disk, &path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Checkpoint::default()),
        read => read.map_err(|error| StateDirError::Io(path.clone(), error))?,
    };
    match read.ok_or(Unusable::Damaged).and_then(|bytes| frame::read_checkpoint(&bytes)) {
        Ok(checkpoint) => Ok(checkpoint),
        Err(Unusable::Newer(format)) => Err(StateDirError::Newer(path, format)),
        Err(Unusable::Damaged) => {
            quarantine(disk, state, &path).map_err(|e| StateDirError::Io(path, e))?;
            recovered.quarantined += 1;
            Ok(Checkpoint::default())
        }
    }
}

/// Batch files in sequence; unfinished ones of a crash are removed.
fn list(disk: &dyn FileSystem, folder: &Path) -> Result<BTreeMap<u64, PathBuf>, StateDirError> {
    let failed = |error| StateDirError::Io(folder.to_owned(), error);
    let mut files = BTreeMap::new();
    for path in disk.list(folder).map_err(failed)? {
        match path.extension().and_then(|e| e.to_str()) {
            Some("tmp") => disk.remove(&path).map_err(failed)?,
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
