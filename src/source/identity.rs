//! Telling files apart across renames, rewrites and restarts, without keeping a byte of them.
//!
//! While a file is open its descriptor is its identity. What is stored are device, inode, birth time and two
//! keyed hashes: of the file's first bytes (the *prefix*, at most 1 KiB) and of the bytes before the saved
//! position (the *marker*, at most 256). The key never leaves the host, so the hashes say nothing about the
//! text.

use super::content::Content;
use rustix::fs::{AtFlags, FileType, StatxFlags};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::AsFd;
use zeroize::ZeroizeOnDrop;

/// Longest stretch before a position that its marker covers, bytes.
pub const MARKER: usize = 256;
/// Longest prefix, bytes.
pub const PREFIX: usize = 1024;

/// Makes prefixes and markers.
#[derive(Clone, ZeroizeOnDrop)]
pub struct IdentityKey([u8; 32]);

/// A keyed hash over a known number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mark {
    /// Bytes covered.
    pub len: u16,
    /// Their keyed hash.
    pub hash: [u8; 16],
}

/// Where a file lives; equal for two names of one file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Inode {
    /// Device.
    pub device: u64,
    /// Inode number.
    pub number: u64,
    /// Birth time, nanoseconds since 1970; none where the file system does not tell. Tells apart two files
    /// that had one inode number after each other.
    pub born: Option<i128>,
}

/// What the file system says of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Where it lives.
    pub inode: Inode,
    /// Its length, bytes.
    pub size: u64,
    /// Time of the last change of its content, nanoseconds since 1970.
    pub modified: i128,
    /// Number of names.
    pub links: u32,
    /// A regular file: no FIFO, device, socket or directory.
    pub regular: bool,
}

impl IdentityKey {
    /// A key for marks, derived from the host's key.
    pub fn new(host_key: &[u8; 32]) -> IdentityKey {
        IdentityKey(blake3::derive_key("logveil 2026 file identity", host_key))
    }

    /// The mark of `bytes`, at most 64 KiB.
    pub fn mark(&self, bytes: &[u8]) -> Mark {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::keyed_hash(&self.0, bytes).as_bytes()[..16]);
        Mark { len: bytes.len() as u16, hash }
    }

    /// The marker of the place `at` bytes into `bytes`, which `before` precedes.
    pub fn marker(&self, before: &[u8], bytes: &[u8], at: usize) -> Mark {
        let own = &bytes[at.saturating_sub(MARKER)..at];
        let missing = MARKER - own.len();
        let mut window = [0; MARKER];
        let before = &before[before.len().saturating_sub(missing)..];
        let len = before.len() + own.len();
        window[..before.len()].copy_from_slice(before);
        window[before.len()..len].copy_from_slice(own);
        self.mark(&window[..len])
    }

    /// True when the bytes of a file that end at `end` are those that were marked.
    ///
    /// # Errors
    /// The file system refuses: nothing is known.
    pub fn compare(&self, content: &Content, end: u64, mark: Mark) -> io::Result<bool> {
        let Some(start) = end.checked_sub(u64::from(mark.len)) else { return Ok(false) };
        let mut bytes = vec![0; usize::from(mark.len)];
        match content.read_exact_at(&mut bytes, start) {
            Ok(()) => Ok(self.mark(&bytes) == mark),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// True when `mark` is that of the last of these bytes.
    pub fn marks_end(&self, bytes: &[u8], mark: Mark) -> bool {
        bytes.len().checked_sub(usize::from(mark.len)).is_some_and(|from| self.mark(&bytes[from..]) == mark)
    }

    /// As [`IdentityKey::compare`]; what cannot be read is something else.
    pub fn matches(&self, content: &Content, end: u64, mark: Mark) -> bool {
        self.compare(content, end, mark).unwrap_or(false)
    }

    /// The mark of the file's first bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn prefix(&self, content: &Content) -> io::Result<Mark> {
        let mut bytes = [0; PREFIX];
        let count = content.read_at(&mut bytes, 0)?;
        Ok(self.mark(&bytes[..count]))
    }
}

impl Mark {
    /// As stored beside a position.
    pub fn to_bytes(self) -> Vec<u8> {
        [&self.len.to_le_bytes()[..], &self.hash].concat()
    }

    /// Reads what [`Mark::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Mark> {
        let (len, hash) = bytes.split_first_chunk::<2>()?;
        Some(Mark { len: u16::from_le_bytes(*len), hash: hash.try_into().ok()? })
    }
}

/// What the file system says of an open file.
///
/// # Errors
/// The file system refuses.
pub fn stat(file: impl AsFd) -> io::Result<Stat> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = rustix::fs::statx(file, "", AtFlags::EMPTY_PATH, wanted)?;
    let nanos = |t: rustix::fs::StatxTimestamp| i128::from(t.tv_sec) * 1_000_000_000 + i128::from(t.tv_nsec);
    let told = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
    let born = told.then(|| nanos(found.stx_btime));
    let device = u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor);
    Ok(Stat {
        inode: Inode { device, number: found.stx_ino, born },
        size: found.stx_size,
        modified: nanos(found.stx_mtime),
        links: found.stx_nlink,
        regular: FileType::from_raw_mode(u32::from(found.stx_mode)) == FileType::RegularFile,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_marker_is_the_same_however_the_bytes_were_cut() {
        let key = IdentityKey::new(&[1; 32]);
        let text: Vec<u8> = (0..2000u32).map(|i| (i * 7 % 251) as u8).collect();
        for at in [0, 1, 100, 255, 256, 257, 1999] {
            let whole = key.marker(&[], &text, at);
            assert_eq!(usize::from(whole.len), at.min(MARKER));
            for cut in [0, at / 2, at.saturating_sub(1), at] {
                let before = &text[cut.saturating_sub(MARKER)..cut];
                assert_eq!(key.marker(before, &text[cut..], at - cut), whole, "{at} cut at {cut}");
            }
        }
        assert_eq!(Mark::from_bytes(&key.marker(&[], &text, 300).to_bytes()), Some(key.marker(&[], &text, 300)));
        assert_ne!(IdentityKey::new(&[2; 32]).mark(b"x"), key.mark(b"x"));
    }

    #[test]
    fn two_names_are_one_inode_and_places_are_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, b"0123456789").unwrap();
        std::fs::hard_link(&a, &b).unwrap();
        let (one, two) = (File::open(&a).unwrap(), File::open(&b).unwrap());
        let (first, second) = (stat(&one).unwrap(), stat(&two).unwrap());
        assert_eq!(first.inode, second.inode);
        assert!(first.regular && first.links == 2 && first.size == 10);
        assert!(!stat(File::open(folder.path()).unwrap()).unwrap().regular);
        let key = IdentityKey::new(&[1; 32]);
        let one = Content::of(one).unwrap().0;
        assert!(key.matches(&one, 4, key.mark(b"123")));
        assert!(!key.matches(&one, 5, key.mark(b"123")));
        assert!(!key.matches(&one, 2, key.mark(b"123")), "more bytes marked than stand before");
        assert!(!key.matches(&one, 13, key.mark(b"9ab")), "beyond the end");
    }
}
