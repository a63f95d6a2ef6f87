//! The state directory: ours alone, used by one agent at a time.
//!
//! Invariants once opened: owned by the user we run as, no symlink, mode 0700, locked until dropped.

use crate::durable;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// An opened state directory; the lock is held as long as it lives.
pub struct StateDir {
    path: PathBuf,
    /// None where the file system is read-only.
    _lock: Option<File>,
    tightened: bool,
}

/// Why a state directory is not used.
#[derive(Debug)]
pub enum StateDirError {
    /// Another agent holds the lock.
    InUse(PathBuf),
    /// It could be read or changed by others; the text says how.
    Unsafe(PathBuf, &'static str),
    /// Written by a newer program, with the form it uses.
    Newer(PathBuf, u32),
    /// The file system refuses.
    Io(PathBuf, io::Error),
}

impl StateDir {
    /// Creates or checks the directory and locks it.
    ///
    /// # Errors
    /// [`StateDirError`]: in use, unsafe, or refused by the file system.
    pub fn open(path: &Path) -> Result<StateDir, StateDirError> {
        let failed = |error| StateDirError::Io(path.to_owned(), error);
        match DirBuilder::new().recursive(true).mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let tightened = check(path)?;
        let lock = lock(path)?;
        for folder in ["spool", "quarantine", "dead-letters"] {
            match DirBuilder::new().mode(0o700).create(path.join(folder)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => {}
            }
            check(&path.join(folder))?;
        }
        Ok(StateDir { path: path.to_owned(), _lock: Some(lock), tightened })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True when others could look into it and its mode was corrected.
    pub fn was_tightened(&self) -> bool {
        self.tightened
    }

    /// The host's random key, made at the first call ever.
    ///
    /// # Errors
    /// The file system refuses, or the file is not 32 bytes long: without the old key every record would
    /// get a new name, so it is not replaced silently.
    pub fn host_key(&self) -> io::Result<Zeroizing<[u8; 32]>> {
        let path = self.path.join("host.key");
        match std::fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
                Ok(key) => Ok(Zeroizing::new(key)),
                Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "host.key does not hold 32 bytes")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = Zeroizing::new([0; 32]);
                getrandom::fill(&mut *key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
                durable::replace(&path, &*key, 0o600)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }
}

/// Refuses what others could have prepared; tightens what is merely readable. True when tightened.
fn check(path: &Path) -> Result<bool, StateDirError> {
    let failed = |error| StateDirError::Io(path.to_owned(), error);
    let refused = |why| Err(StateDirError::Unsafe(path.to_owned(), why));
    let meta = std::fs::symlink_metadata(path).map_err(failed)?;
    if meta.file_type().is_symlink() {
        return refused("it is a symbolic link");
    }
    if !meta.is_dir() {
        return refused("it is not a directory");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    if meta.mode() & 0o022 != 0 {
        return refused("group or others may write to it");
    }
    if meta.mode() & 0o077 == 0 {
        return Ok(false);
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    Ok(true)
}

fn lock(path: &Path) -> Result<File, StateDirError> {
    let file = path.join("lock");
    // Not for writing: an open file to write to would keep the file system from being made read-only.
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let io = |error: rustix::io::Errno| StateDirError::Io(file.clone(), error.into());
    let lock = rustix::fs::open(&file, flags, Mode::RUSR | Mode::WUSR).map_err(io)?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(File::from(lock)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StateDirError::InUse(path.to_owned())),
        Err(error) => Err(io(error)),
    }
}

impl std::fmt::Display for StateDirError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StateDirError::InUse(path) => {
                write!(f, "another agent uses the state directory {}; stop it or give this one its own", path.display())
            }
            StateDirError::Unsafe(path, why) => {
                write!(f, "the state directory {} is refused: {why}; it must be ours alone (0700)", path.display())
            }
            StateDirError::Newer(path, format) => {
                write!(f, "{} was written by a newer logveil (form {format}); run that version", path.display())
            }
            StateDirError::Io(path, error) => write!(f, "cannot use {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for StateDirError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_one_agent_gets_it_and_the_key_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = StateDir::open(&path).unwrap();
        let key = first.host_key().unwrap();
        assert!(matches!(StateDir::open(&path), Err(StateDirError::InUse(_))));
        drop(first);
        let second = StateDir::open(&path).unwrap();
        assert_eq!(*second.host_key().unwrap(), *key);
        assert_eq!(std::fs::metadata(path.join("host.key")).unwrap().mode() & 0o777, 0o600);
        std::fs::write(path.join("host.key"), b"short").unwrap();
        assert!(second.host_key().is_err());
    }

    #[test]
    fn what_others_could_have_prepared_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        drop(StateDir::open(&path).unwrap());
        chmod(&path, 0o750);
        assert!(StateDir::open(&path).unwrap().was_tightened());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        for mode in [0o770, 0o702] {
            chmod(&path, mode);
            assert!(matches!(StateDir::open(&path), Err(StateDirError::Unsafe(..))), "{mode:o}");
        }
        chmod(&path, 0o700);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(StateDir::open(&link), Err(StateDirError::Unsafe(..))));
    }
}
