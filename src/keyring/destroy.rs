//! Destroying keys: overwrite, replace, and an append-only audit line beside the keyring.
//!
//! Overwriting in place is best effort: copy-on-write file systems, solid-state disks, snapshots and
//! backups may keep old blocks. Copies in secret stores must follow the same clock.

use super::error::KeyringError;
use super::file::{Keyring, instant};
use super::life::EpochKey;
use crate::token::EpochId;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Which keys to destroy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All whose `destroy_by` has passed.
    Overdue,
    /// The one of that epoch, whatever its age.
    Epoch(EpochId),
}

/// Destroys keys of `ring` and writes the ring back without them; returns what was destroyed. The audit
/// line is written after the file no longer holds the key: it never claims what has not happened.
///
/// # Errors
/// When there is no such epoch, or the file system refuses.
pub fn destroy(ring: &mut Keyring, which: Which, now: i64) -> Result<Vec<EpochKey>, KeyringError> {
    let epochs: Vec<EpochId> = match which {
        Which::Overdue => ring.overdue(now).map(|key| key.epoch).collect(),
        Which::Epoch(epoch) => vec![epoch],
    };
    let mut destroyed = Vec::new();
    for epoch in epochs {
        match ring.remove(epoch) {
            Some(key) => destroyed.push(key),
            None => return Err(KeyringError::NoSuchEpoch(ring.path().to_owned(), epoch.to_string())),
        }
    }
    if destroyed.is_empty() {
        return Ok(destroyed);
    }
    let io = |error| KeyringError::Io(ring.path().to_owned(), error);
    // The old file's blocks first, through a second name that survives the replacement.
    let mut old = OpenOptions::new().write(true).open(ring.path()).map_err(io)?;
    ring.save()?;
    overwrite(&mut old).map_err(io)?;
    for key in &destroyed {
        audit(ring, "destroy", key, now)?;
    }
    Ok(destroyed)
}

/// Appends one line to the keyring's audit file.
///
/// # Errors
/// When the file system refuses.
pub fn audit(ring: &Keyring, what: &str, key: &EpochKey, now: i64) -> Result<(), KeyringError> {
    let path = audit_path(ring.path());
    let line = json!({
        "at": instant(now), "what": what, "region": ring.region(), "epoch": key.epoch.to_string(),
        "valid_from": instant(key.valid_from), "destroy_by": instant(key.destroy_by),
        "overdue_seconds": (now - key.destroy_by).max(0),
    });
    let io = |error| KeyringError::Io(path.clone(), error);
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(io)?;
    file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)
}

/// `FILE.audit.jsonl`
pub fn audit_path(keyring: &Path) -> PathBuf {
    let mut name = keyring.as_os_str().to_owned();
    name.push(".audit.jsonl");
    PathBuf::from(name)
}

fn overwrite(file: &mut std::fs::File) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let zeros = [0u8; 4096];
    let mut left = length;
    while left > 0 {
        let part = left.min(zeros.len() as u64) as usize;
        file.write_all(&zeros[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::EPOCH_SECONDS;
    use std::fs;

    const NOW: i64 = 1_795_000_000;

    #[test]
    fn overdue_keys_go_and_the_audit_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = Keyring::empty(&directory.path().join("ring.json"), "us");
        ring.extend(NOW).unwrap();
        ring.save().unwrap();
        let later = NOW + 2 * EPOCH_SECONDS;
        assert!(destroy(&mut ring, Which::Overdue, NOW).unwrap().is_empty());
        let gone = destroy(&mut ring, Which::Overdue, later).unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(Keyring::load(ring.path()).unwrap().keys().len(), 1);
        let audit = fs::read_to_string(audit_path(ring.path())).unwrap();
        assert_eq!(audit.lines().count(), 1);
        assert!(audit.contains(&gone[0].epoch.to_string()) && audit.contains("\"region\":\"us\""), "{audit}");
    }

    #[test]
    fn an_epoch_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = Keyring::empty(&directory.path().join("ring.json"), "eu");
        ring.extend(NOW).unwrap();
        ring.save().unwrap();
        let unknown = Which::Epoch(EpochId::from_number(3));
        assert!(matches!(destroy(&mut ring, unknown, NOW), Err(KeyringError::NoSuchEpoch(..))));
        let first = ring.keys()[0].epoch;
        assert_eq!(destroy(&mut ring, Which::Epoch(first), NOW).unwrap().len(), 1);
    }
}
