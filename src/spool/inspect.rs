//! Looking at a state directory from outside: works beside a running agent, holds no lock, changes nothing.
//! Everything found there was masked before it was written.

use super::frame::{self, Unusable};
use super::state_dir::StateDirError;
use crate::batch::Batch;
use std::io;
use std::path::{Path, PathBuf};

/// What lies in a state directory.
#[derive(Default)]
pub struct Contents {
    /// Batches up to this sequence are acknowledged; none when there is no readable checkpoint.
    pub acknowledged: Option<u64>,
    /// Waiting batches, in sequence.
    pub waiting: Vec<Waiting>,
    /// Records that the intake refuses, as files of JSON.
    pub dead_letters: Vec<PathBuf>,
    /// Damaged files.
    pub quarantined: Vec<PathBuf>,
}

/// One waiting batch.
pub struct Waiting {
    /// Its file.
    pub path: PathBuf,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// The batch; none where the file is damaged.
    pub batch: Option<Batch>,
}

/// True when an agent works with the state directory at `path`.
pub fn is_in_use(path: &Path) -> bool {
    let lock = std::fs::File::open(path.join("lock"));
    lock.is_ok_and(|lock| rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockShared).is_err())
}

/// Looks into the state directory at `path`. What is taken away meanwhile is left out.
///
/// # Errors
/// [`StateDirError`] when it cannot be read or holds files of a newer program.
pub fn contents(path: &Path) -> Result<Contents, StateDirError> {
    let mut contents = Contents {
        dead_letters: files(&path.join("dead-letters"), "json")?,
        quarantined: files(&path.join("quarantine"), "")?,
        ..Contents::default()
    };
    if let Some(bytes) = read(&path.join("checkpoint"))? {
        contents.acknowledged = match frame::read_checkpoint(&bytes) {
            Ok(checkpoint) => Some(checkpoint.acknowledged),
            Err(Unusable::Newer(format)) => return Err(StateDirError::Newer(path.join("checkpoint"), format)),
            Err(Unusable::Damaged) => None,
        };
    }
    for path in files(&path.join("spool"), "batch")? {
        let Some(bytes) = read(&path)? else { continue };
        let len = bytes.len() as u64;
        match frame::read_batch(bytes) {
            Ok(batch) => contents.waiting.push(Waiting { path, bytes: len, batch: Some(batch) }),
            Err(Unusable::Newer(format)) => return Err(StateDirError::Newer(path, format)),
            Err(Unusable::Damaged) => contents.waiting.push(Waiting { path, bytes: len, batch: None }),
        }
    }
    Ok(contents)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateDirError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateDirError::Io(path.to_owned(), error)),
    }
}

/// Files of a folder in the order of their names; `extension` empty takes all.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, StateDirError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StateDirError::Io(folder.to_owned(), error)),
    };
    let fits = |path: &PathBuf| extension.is_empty() || path.extension().is_some_and(|e| e == extension);
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(fits).collect();
    found.sort();
    Ok(found)
}
