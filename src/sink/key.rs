//! The API key: where it comes from, and a type that cannot be printed.

use reqwest::header::HeaderValue;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Longest key file read, bytes; a key has 32 characters.
const MAX_FILE: u64 = 4096;

/// An API key. Without `Debug`, `Display` and `Serialize`; its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// A key from text; surrounding white space (a file's last newline) is not part of it. None when
    /// nothing is left or a character cannot stand in a header.
    pub fn new(mut text: String) -> Option<ApiKey> {
        let key = Zeroizing::new(text.trim().to_owned());
        text.zeroize();
        let usable = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        usable.then_some(ApiKey(key))
    }

    /// The key as a header, marked so that it is neither printed nor indexed by the HTTP library.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&self.0).expect("visible ASCII, checked when made");
        value.set_sensitive(true);
        value
    }
}

/// Where the key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// A file, read again when the key is refused (`file:` and `credential:`).
    File(PathBuf),
    /// A value that stays (`env:`).
    Fixed(ApiKey),
}

impl KeySource {
    /// Reads the key.
    ///
    /// # Errors
    /// The file cannot be read, is longer than 4,096 bytes or holds no usable key.
    pub fn read(&self) -> io::Result<ApiKey> {
        match self {
            KeySource::Fixed(key) => Ok(key.clone()),
            KeySource::File(path) => read_file(path),
        }
    }
}

fn read_file(path: &Path) -> io::Result<ApiKey> {
    use io::Read;
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize + 1));
    crate::regular_file::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    let too_long = text.len() as u64 > MAX_FILE;
    let key = ApiKey::new(std::mem::take(&mut *text)).filter(|_| !too_long);
    key.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file holds no usable API key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_trimmed_and_checked() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("key");
        for (text, usable) in [
            (" 0123abcd\n".to_owned(), true),
            ("\n".into(), false),
            ("two words".into(), false),
            ("line\nline".into(), false),
            ("k\u{e9}y".into(), false),
            ("x".repeat(5000), false),
        ] {
            std::fs::write(&path, &text).expect("written");
            assert_eq!(KeySource::File(path.clone()).read().is_ok(), usable, "{} bytes", text.len());
        }
        std::fs::write(&path, "0123abcd\n").expect("written");
        let key = KeySource::File(path).read().unwrap_or_else(|error| panic!("{error}"));
        assert!(key.header().is_sensitive());
        assert_eq!(key.header().as_bytes(), b"0123abcd");
        assert!(!format!("{:?}", key.header()).contains("0123"));
    }
}
