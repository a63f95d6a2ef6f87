//! Who is who: the stored identities of a source's streams, replaced as a whole before the first chunk of a
//! new stream is handed out.
//!
//! Form: one JSON file a source, `{"format":1,"streams":[…],"past":[…]}`. Positions are not here: they become durable
//! with the batch that holds the records (see `spool`); but for those reached in content that has gone from its file,
//! whose copy has not been found yet. Holds no text of a file and no path.

use super::copies::Reached;
use super::identity::{Inode, Mark};
use crate::durable;
use crate::record::{Position, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;

/// One stream's identity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Known {
    /// The stream.
    pub stream: StreamId,
    /// Where the file lived.
    pub inode: Inode,
    /// Its first bytes.
    pub prefix: Mark,
    /// Offset at which reading began; not 0 for `start_at: end`.
    pub begin: u64,
    /// Rewrites seen.
    pub generation: u32,
    /// A packed file that was read to its end: its size and time of change then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<(u64, i128)>,
    /// Since when the file is not found, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<u64>,
    /// It is a copy of this stream's content, read from before this place because not all of that was safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<(StreamId, Position)>,
}

impl Known {
    /// A file of which nothing has been read.
    pub fn new(stream: StreamId, inode: Inode, prefix: Mark) -> Known {
        Known { stream, inode, prefix, begin: 0, generation: 0, done: None, missing: None, original: None }
    }
}

/// All identities of one source.
pub struct Registry {
    path: PathBuf,
    known: BTreeMap<StreamId, Known>,
    past: Vec<Reached>,
    first_start: bool,
    damaged: bool,
    dirty: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored<K, P> {
    format: u32,
    streams: K,
    #[serde(default)]
    past: P,
}

impl Registry {
    /// Reads the identities stored at `path`. A damaged file is put aside and counts as empty: its streams
    /// are then read again from their beginning, never skipped.
    ///
    /// # Errors
    /// The file cannot be read, or was written by a newer program.
    pub fn load(path: PathBuf) -> io::Result<Registry> {
        let empty = |path, first_start, damaged| {
            let (known, past) = (BTreeMap::new(), Vec::new());
            Registry { path, known, past, first_start, damaged, dirty: false }
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty(path, true, false)),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Stored<Vec<Known>, Vec<Reached>>>(&bytes) {
            Ok(stored) if stored.format <= FORMAT => {
                let known = stored.streams.into_iter().map(|known| (known.stream, known)).collect();
                Ok(Registry { known, past: stored.past, ..empty(path, false, false) })
            }
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "written by a newer logveil; run that version")),
            Err(_) => {
                std::fs::rename(&path, path.with_extension("damaged"))?;
                Ok(empty(path, false, true))
            }
        }
    }

    /// The identities stored at `path`, which stays as it is.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or was written by a newer program.
    pub fn read(path: &Path) -> io::Result<Vec<Known>> {
        let stored: Stored<Vec<Known>, Vec<Reached>> = serde_json::from_slice(&std::fs::read(path)?)?;
        match stored.format <= FORMAT {
            true => Ok(stored.streams),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// True when this source has never run here.
    pub fn is_first_start(&self) -> bool {
        self.first_start
    }

    /// True when the stored file could not be used.
    pub fn was_damaged(&self) -> bool {
        self.damaged
    }

    /// All identities.
    pub fn known(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// The identity of a stream.
    pub fn get(&self, stream: StreamId) -> Option<&Known> {
        self.known.get(&stream)
    }

    /// Enters or replaces an identity; durable after [`Registry::save`].
    pub fn enter(&mut self, known: Known) {
        self.dirty = true;
        self.known.insert(known.stream, known);
    }

    /// Removes the identity of a stream that has ended.
    pub fn remove(&mut self, stream: StreamId) {
        self.dirty = true;
        self.known.remove(&stream);
    }

    /// Places reached in content that has gone from its file, newest first.
    pub fn past(&self) -> &[Reached] {
        &self.past
    }

    /// Replaces the places reached in content that has gone; durable after [`Registry::save`].
    pub fn keep_past(&mut self, past: Vec<Reached>) {
        self.dirty |= past != self.past;
        self.past = past;
    }

    /// Makes all changes durable.
    ///
    /// # Errors
    /// The file system refuses; the changes are kept and the call may be repeated.
    pub fn save(&mut self) -> io::Result<()> {
        if !self.dirty && !self.first_start {
            return Ok(());
        }
        fail::fail_point!("registry-save", |_| Err(io::Error::other("injected")));
        let streams: Vec<&Known> = self.known.values().collect();
        let bytes =
            serde_json::to_vec(&Stored { format: FORMAT, streams, past: &self.past }).map_err(io::Error::other)?;
        durable::replace(&self.path, &bytes, 0o600)?;
        self.dirty = false;
        self.first_start = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(n: u8) -> Known {
        let inode = Inode { device: 1, number: u64::from(n), born: Some(5) };
        Known::new(StreamId([n; 16]), inode, Mark::default())
    }

    fn reached(n: u8) -> Reached {
        let (stream, at) = (StreamId([n; 16]), Position { generation: 1, offset: 900 });
        let earlier = vec![(500, Mark::default())];
        Reached { stream, prefix: Mark::default(), at, mark: Mark::default(), from: 900, earlier }
    }

    #[test]
    fn what_was_entered_is_found_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("streams.json");
        let mut first = Registry::load(path.clone()).unwrap();
        assert!(first.is_first_start());
        first.enter(known(1));
        first.enter(known(2));
        first.enter(Known { generation: 3, ..known(1) });
        first.remove(StreamId([2; 16]));
        first.keep_past(vec![reached(3)]);
        first.save().unwrap();
        let second = Registry::load(path.clone()).unwrap();
        assert!(!second.is_first_start());
        assert_eq!(second.known().collect::<Vec<_>>(), [&Known { generation: 3, ..known(1) }]);
        assert_eq!(second.past(), [reached(3)]);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let damaged = Registry::load(path.clone()).unwrap();
            assert!(
                damaged.was_damaged() && damaged.known().next().is_none() && !damaged.is_first_start(),
                "cut at {cut}"
            );
        }
        std::fs::write(&path, String::from_utf8(whole).unwrap().replace("\"format\":1", "\"format\":2")).unwrap();
        assert!(Registry::load(path).is_err());
    }
}
