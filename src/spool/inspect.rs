//! Looking at a state directory from outside: works beside a running agent, holds no lock, changes nothing.
//! Everything found there was masked before it was written.

use super::frame::{self, Unusable};
use super::state_dir::StateDirError;
use crate::batch::Batch;
use std::io;
use std::os::unix::fs::MetadataExt;
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

/// Process id of the agent that works with the state directory at `path`, where the system tells it.
pub fn user(path: &Path) -> Option<i32> {
    let inode = std::fs::metadata(path.join("lock")).ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().filter_map(|line| holder(line, inode)).find(|pid| is_our_kind(*pid))
}

/// Who holds the lock of a line such as `1: FLOCK  ADVISORY  WRITE 733 08:01:131 0 EOF`, when it is one on the file
/// with this inode. The device is not compared: layered file systems show another one.
fn holder(line: &str, inode: u64) -> Option<i32> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, "WRITE", pid, file, ..] = fields[..] else { return None };
    let (_, held) = file.rsplit_once(':')?;
    pid.parse().ok().filter(|pid| *pid > 0 && held.parse() == Ok(inode))
}

/// Another program may hold a lock on a file of the same number elsewhere.
fn is_our_kind(pid: i32) -> bool {
    let name = |pid: &str| std::fs::read(format!("/proc/{pid}/comm")).ok();
    name(&pid.to_string()).is_some_and(|found| Some(found) == name("self"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_read_from_its_line() {
        assert_eq!(holder("12: FLOCK  ADVISORY  WRITE 733 08:01:131 0 EOF", 131), Some(733));
        for other in [
            "12: FLOCK  ADVISORY  WRITE 733 08:01:132 0 EOF",
            "12: FLOCK  ADVISORY  READ 733 08:01:131 0 EOF",
            "12: POSIX  ADVISORY  WRITE 733 08:01:131 0 EOF",
            "12: -> FLOCK  ADVISORY  WRITE 734 08:01:131 0 EOF",
            "12: FLOCK  ADVISORY  WRITE 0 08:01:131 0 EOF",
            "",
        ] {
            assert_eq!(holder(other, 131), None, "{other}");
        }
    }

    #[test]
    fn this_process_is_found_while_it_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        assert_eq!(user(&path), None);
        let held = crate::spool::state_dir::StateDir::open(&path).unwrap();
        assert_eq!(user(&path), Some(std::process::id() as i32));
        drop(held);
        assert_eq!(user(&path), None);
    }
}
