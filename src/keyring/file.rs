//! The keyring file: strict reading, atomic writing, selection of keys by time.

use super::error::KeyringError;
use super::life::{EPOCH_SECONDS, EpochKey, State, epoch_start};
use crate::durable;
use crate::regular_file;
use crate::token::{EpochId, Key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The keys of one region. No `Debug`: it holds keys.
pub struct Keyring {
    path: PathBuf,
    region: String,
    keys: Vec<EpochKey>,
}

/// The file as written; unknown fields are errors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u64,
    region: String,
    keys: Vec<WrittenKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    epoch: String,
    valid_from: String,
    valid_until: String,
    destroy_by: String,
    key: String,
}

impl Drop for WrittenKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Keyring {
    /// An empty keyring that will be written to `path`.
    pub fn empty(path: &Path, region: &str) -> Keyring {
        Keyring { path: path.to_owned(), region: region.to_owned(), keys: Vec::new() }
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, it is not a whole keyring or a newer one.
    pub fn load(path: &Path) -> Result<Keyring, KeyringError> {
        let text = read_private(path)?;
        let malformed = |what: String| KeyringError::Malformed(path.to_owned(), what);
        let written: Written = serde_json::from_str(&text)
            .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
        if written.version != 1 {
            return Err(KeyringError::Newer(path.to_owned(), written.version));
        }
        let mut keys = Vec::with_capacity(written.keys.len());
        for (place, key) in written.keys.iter().enumerate() {
            keys.push(checked(key).map_err(|what| malformed(format!("key {}: {what}", place + 1)))?);
        }
        keys.sort_by_key(|key| key.valid_from);
        if keys.windows(2).any(|pair| pair[0].epoch == pair[1].epoch || pair[1].valid_from < pair[0].valid_until) {
            return Err(malformed("two keys of one time".to_owned()));
        }
        Ok(Keyring { path: path.to_owned(), region: written.region.clone(), keys })
    }

    /// Like [`Keyring::load`], and refuses keys of another region.
    ///
    /// # Errors
    /// As [`Keyring::load`], and on a foreign region.
    pub fn load_for(path: &Path, region: &str) -> Result<Keyring, KeyringError> {
        let ring = Keyring::load(path)?;
        if ring.region == region {
            return Ok(ring);
        }
        Err(KeyringError::ForeignRegion { path: ring.path, found: ring.region, wanted: region.to_owned() })
    }

    /// Writes the keyring, replacing the file atomically under 0600.
    ///
    /// # Errors
    /// When the file system refuses; the old file is then still in place.
    pub fn save(&self) -> Result<(), KeyringError> {
        let written =
            Written { version: 1, region: self.region.clone(), keys: self.keys.iter().map(as_written).collect() };
        let mut text = Zeroizing::new(Vec::with_capacity(512));
        serde_json::to_writer_pretty(&mut *text, &written)
            .map_err(|error| KeyringError::Malformed(self.path.clone(), error.to_string()))?;
        text.push(b'\n');
        durable::replace(&self.path, &text, 0o600).map_err(|error| KeyringError::Io(self.path.clone(), error))
    }

    /// The region whose keys these are.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys, oldest first.
    pub fn keys(&self) -> &[EpochKey] {
        &self.keys
    }

    /// The key that mints tokens at `now` (Unix seconds).
    ///
    /// # Errors
    /// When all keys ended or none has begun; the caller then masks with labels and says so.
    pub fn active(&self, now: i64) -> Result<&EpochKey, KeyringError> {
        if let Some(key) = self.keys.iter().find(|key| key.state(now) == State::Active) {
            return Ok(key);
        }
        match self.keys.iter().find(|key| key.valid_from > now) {
            Some(next) => Err(KeyringError::Future(self.path.clone(), day(next.valid_from))),
            None => {
                let last = self.keys.last().map_or_else(|| "never began".to_owned(), |key| day(key.valid_until));
                Err(KeyringError::Expired(self.path.clone(), last))
            }
        }
    }

    /// Keys whose tokens can still be looked up at `now`, newest first.
    pub fn living(&self, now: i64) -> impl Iterator<Item = &EpochKey> {
        self.keys.iter().rev().filter(move |key| matches!(key.state(now), State::Active | State::LookupOnly))
    }

    /// Keys that should have been destroyed before `now`.
    pub fn overdue(&self, now: i64) -> impl Iterator<Item = &EpochKey> {
        self.keys.iter().filter(move |key| key.state(now) == State::Overdue)
    }

    /// Adds what is missing of the current and the next key; returns the epochs added. With both present
    /// the one after them is added, so that a fleet can be given keys ahead of time.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn extend(&mut self, now: i64) -> Result<Vec<EpochId>, KeyringError> {
        let current = epoch_start(now);
        let mut wanted: Vec<i64> = [current, current + EPOCH_SECONDS]
            .into_iter()
            .filter(|start| !self.keys.iter().any(|key| key.valid_from == *start))
            .collect();
        if wanted.is_empty() {
            wanted.extend(self.keys.last().map(|last| last.valid_until));
        }
        let mut added = Vec::new();
        for start in wanted {
            let key = EpochKey::starting(start, random_key()?);
            added.push(key.epoch);
            self.keys.push(key);
        }
        self.keys.sort_by_key(|key| key.valid_from);
        Ok(added)
    }

    /// Takes the key of `epoch` out of the ring (the file is not touched until [`Keyring::save`]).
    pub(super) fn remove(&mut self, epoch: EpochId) -> Option<EpochKey> {
        let place = self.keys.iter().position(|key| key.epoch == epoch)?;
        Some(self.keys.remove(place))
    }
}

/// The whole text of a file that only its owner may touch.
fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyringError> {
    let io = |error| KeyringError::Io(path.to_owned(), error);
    let mut file = regular_file::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyringError::Exposed(path.to_owned(), mode));
    }
    // Reserved ahead, so that no half-filled copy of the keys is left behind by a growing buffer.
    let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
    file.read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

fn checked(written: &WrittenKey) -> Result<EpochKey, String> {
    let time = |name: &str, text: &str| {
        text.parse::<Timestamp>()
            .map(Timestamp::as_second)
            .map_err(|_| format!("{name} is not a time like 2026-11-16T00:00:00Z"))
    };
    let epoch = EpochId::parse(&written.epoch).ok_or("epoch is not two token characters")?;
    let key = EpochKey {
        epoch,
        valid_from: time("valid_from", &written.valid_from)?,
        valid_until: time("valid_until", &written.valid_until)?,
        destroy_by: time("destroy_by", &written.destroy_by)?,
        key: parse_key(&written.key).ok_or("key is not 64 hexadecimal digits")?,
    };
    key.fault().map_or(Ok(key), |fault| Err(fault.to_owned()))
}

fn as_written(key: &EpochKey) -> WrittenKey {
    let mut hex = String::with_capacity(64);
    for byte in key.key.expose() {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    WrittenKey {
        epoch: key.epoch.to_string(),
        valid_from: instant(key.valid_from),
        valid_until: instant(key.valid_until),
        destroy_by: instant(key.destroy_by),
        key: hex,
    }
}

fn parse_key(hex: &str) -> Option<Key> {
    if hex.len() != 64 {
        return None;
    }
    let mut bytes = Zeroizing::new([0u8; 32]);
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let high = (pair[0] as char).to_digit(16)?;
        let low = (pair[1] as char).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(Key::new(*bytes))
}

fn random_key() -> Result<Key, KeyringError> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| KeyringError::Random(error.to_string()))?;
    Ok(Key::new(*bytes))
}

/// `2026-11-16T00:00:00Z`
pub fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// `2026-11-16`
pub fn day(seconds: i64) -> String {
    instant(seconds).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const NOW: i64 = 1_795_000_000;

    fn ring(directory: &Path) -> Keyring {
        let mut ring = Keyring::empty(&directory.join("ring.json"), "eu");
        ring.extend(NOW).unwrap();
        ring.save().unwrap();
        ring
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let ring = ring(directory.path());
        let loaded = Keyring::load_for(ring.path(), "eu").unwrap();
        assert_eq!(loaded.keys().len(), 2);
        for (one, two) in ring.keys().iter().zip(loaded.keys()) {
            assert_eq!((one.epoch, one.valid_from, one.destroy_by), (two.epoch, two.valid_from, two.destroy_by));
            assert_eq!(one.key.expose(), two.key.expose());
        }
        assert_ne!(ring.keys()[0].key.expose(), ring.keys()[1].key.expose());
        assert_eq!(fs::metadata(ring.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn current_then_next_then_the_one_after() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = ring(directory.path());
        assert_eq!(ring.active(NOW).unwrap().valid_from, epoch_start(NOW));
        assert_eq!(ring.active(NOW + EPOCH_SECONDS).unwrap().valid_from, epoch_start(NOW) + EPOCH_SECONDS);
        assert_eq!(ring.extend(NOW).unwrap().len(), 1);
        assert!(ring.active(NOW + 2 * EPOCH_SECONDS).is_ok());
        assert_eq!(ring.living(NOW + EPOCH_SECONDS).count(), 2);
    }

    #[test]
    fn a_clock_outside_every_key_says_which_way() {
        let directory = tempfile::tempdir().unwrap();
        let ring = ring(directory.path());
        assert!(matches!(ring.active(NOW - 2 * EPOCH_SECONDS), Err(KeyringError::Future(..))));
        assert!(matches!(ring.active(NOW + 4 * EPOCH_SECONDS), Err(KeyringError::Expired(..))));
        assert_eq!(ring.overdue(NOW + 3 * EPOCH_SECONDS).count(), 2);
    }

    #[test]
    fn bad_files_are_named_and_never_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let ring = ring(directory.path());
        let whole = fs::read_to_string(ring.path()).unwrap();
        let secret = whole.split("\"key\": \"").nth(1).unwrap()[..64].to_owned();
        let cases = [
            whole[..whole.len() / 2].to_owned(),
            whole.replace("\"version\": 1", "\"version\": 2"),
            whole.replace(&secret, &secret[1..]),
            whole.replacen("\"valid_until\": \"2", "\"valid_until\": \"3", 1),
            whole.replace("\"region\"", "\"place\""),
            String::new(),
        ];
        for case in cases {
            fs::write(ring.path(), &case).unwrap();
            let error = Keyring::load(ring.path()).err().expect("refused").to_string();
            assert!(error.contains("ring.json"), "{error}");
            assert!(!error.contains(&secret[1..]), "an error quoted a key");
        }
    }

    #[test]
    fn exposed_and_foreign_keyrings_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let ring = ring(directory.path());
        assert!(matches!(Keyring::load_for(ring.path(), "us"), Err(KeyringError::ForeignRegion { .. })));
        fs::set_permissions(ring.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keyring::load(ring.path()), Err(KeyringError::Exposed(_, 0o644))));
    }
}
