//! Durable replacement of small files: temporary name, write, sync, rename, directory sync.
//!
//! After [`replace`] returns, a crash at any later moment leaves the new content; a crash during it
//! leaves the old content or the new one, never a mixture, and at worst a stray `.tmp` beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Replaces (or creates) the file at `path` with `bytes` under permission bits `mode`.
///
/// # Errors
/// Any error of the file system; the old content is then still in place.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = temporary_name(path);
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let renamed = || -> io::Result<()> {
        fail::fail_point!("durable-written", |_| Err(io::Error::other("injected")));
        std::fs::rename(&temporary, path)
    };
    let written = write_new(&temporary, bytes, mode).and_then(|()| renamed());
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    fail::fail_point!("durable-renamed", |_| Err(io::Error::other("injected")));
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// Makes entries that were created, renamed or removed in `directory` durable.
///
/// # Errors
/// Any error of the file system.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    File::open(directory)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn replaces_content_and_mode_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        std::fs::write(directory.path().join("state.tmp"), "left over").unwrap();
        replace(&path, b"one", 0o600).unwrap();
        replace(&path, b"two", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_an_error_and_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        assert!(replace(&directory.path().join("no/state"), b"x", 0o600).is_err());
    }
}
