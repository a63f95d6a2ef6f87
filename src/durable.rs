//! Durable replacement of small files: temporary name, write, sync, rename, directory sync.
//!
//! After [`replace`] returns, a crash at any later moment leaves the new content; a crash during it
//! leaves the old content or the new one, never a mixture, and at worst a stray `.tmp` beside it.
//!
//! [`FileSystem`] is the little that this and the spool ask of the outside, so that a test can put a disk in its
//! place that loses power at any step.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is asked of a file system. Nothing is durable before it was synced: content by [`Unsynced::sync`],
/// names by [`FileSystem::sync_folder`].
pub trait FileSystem: Send + Sync {
    /// Creates a file that was not there, with permission bits `mode`.
    ///
    /// # Errors
    /// As of the file system, here and below.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Unsynced>>;
    /// The whole content.
    ///
    /// # Errors
    /// Any.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Gives a file another name in one step; what stood there is gone.
    ///
    /// # Errors
    /// Any.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name.
    ///
    /// # Errors
    /// Any.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Paths of everything in a folder, in any order.
    ///
    /// # Errors
    /// Any.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes names that were created, changed or removed in a folder durable.
    ///
    /// # Errors
    /// Any.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// What is free where a folder lies.
    ///
    /// # Errors
    /// Any.
    fn free(&self, folder: &Path) -> io::Result<Free>;
}

/// A file that is being written.
pub trait Unsynced {
    /// Appends all of it.
    ///
    /// # Errors
    /// Any; how much was written is not known.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content durable.
    ///
    /// # Errors
    /// Any; the content may then be lost, whatever a second call says.
    fn sync(&mut self) -> io::Result<()>;
}

/// Free space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Free {
    /// Bytes.
    pub bytes: u64,
    /// Files; none where their number has no limit.
    pub files: Option<u64>,
}

/// The file system of this host.
pub struct Os;

impl FileSystem for Os {
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Unsynced>> {
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()
    }

    fn free(&self, folder: &Path) -> io::Result<Free> {
        let there = rustix::fs::statvfs(folder)?;
        // A file system without a fixed number of inodes says 0 of 0.
        let files = (there.f_files > 0).then_some(there.f_favail);
        Ok(Free { bytes: there.f_bavail.saturating_mul(there.f_frsize), files })
    }
}

impl Unsynced for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Replaces (or creates) the file at `path` with `bytes` under permission bits `mode`.
///
/// # Errors
/// Any error of the file system; the old content is then still in place.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    replace_on(&Os, path, bytes, mode)
}

/// As [`replace`], on a file system of the caller's.
///
/// # Errors
/// Any error of the file system.
pub fn replace_on(disk: &dyn FileSystem, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = temporary_name(path);
    remove(disk, &temporary)?;
    let written = write_new(disk, &temporary, bytes, mode).and_then(|()| {
        fail::fail_point!("durable-written", |_| Err(io::Error::other("injected")));
        disk.rename(&temporary, path)
    });
    if written.is_err() {
        let _ = disk.remove(&temporary);
    }
    written?;
    fail::fail_point!("durable-renamed", |_| Err(io::Error::other("injected")));
    disk.sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Removes a file that may be gone already.
///
/// # Errors
/// Any error of the file system but that.
pub fn remove(disk: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes entries that were created, renamed or removed in `directory` durable.
///
/// # Errors
/// Any error of the file system.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    Os.sync_folder(directory)
}

fn write_new(disk: &dyn FileSystem, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = disk.create(path, mode)?;
    file.write(bytes)?;
    file.sync()
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
