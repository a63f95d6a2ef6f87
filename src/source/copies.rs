//! Recognises content that was already read under another identity: the copy that copy-and-truncate leaves, a
//! rotated file that was packed or moved to another file system.
//!
//! Invariant: content counts as known only when its first bytes and the bytes before the place reached are those
//! that were read there; in doubt it is new, so it is read twice rather than not at all.

use super::content::{Content, End};
use super::identity::{IdentityKey, MARKER, Mark, PREFIX};
use crate::record::{Position, StreamId};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shortest beginning that says anything, bytes.
const SHORTEST: u16 = 64;
/// Places remembered.
const MOST: usize = 1024;
/// How long a place is remembered after its content has gone.
const LONGEST: Duration = Duration::from_secs(900);

/// How far content was read that is no longer where it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Who read it.
    pub stream: StreamId,
    /// Its first bytes.
    pub prefix: Mark,
    /// The place reached.
    pub at: Position,
    /// What stands before the place.
    pub mark: Mark,
    /// Where a copy must be read from: the place, or the first stretch before it that was lost.
    pub from: u64,
}

/// What content is to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kin {
    /// Something else.
    Other,
    /// It holds what was read up to the place.
    GoesOn,
    /// It begins alike and ends before the place.
    Short,
}

impl Reached {
    /// Compares content with the place.
    pub fn kin(&self, key: &IdentityKey, content: &Content) -> Kin {
        if self.prefix.len < SHORTEST || !key.matches(content, u64::from(self.prefix.len), self.prefix) {
            return Kin::Other;
        }
        if key.matches(content, self.at.offset, self.mark) {
            return Kin::GoesOn;
        }
        let ends_before = content.read_at(&mut [0], self.at.offset.saturating_sub(1)).is_ok_and(|count| count == 0);
        if ends_before && content.end() != End::Damaged { Kin::Short } else { Kin::Other }
    }
}

/// True when two files begin alike and one of them, `young`, holds nothing that the other does not hold: a copy
/// in the making looks like that.
pub fn is_part_of(young: &Content, young_size: u64, old: &Content, old_size: u64) -> bool {
    let shared = young_size.min(old_size);
    if shared < u64::from(SHORTEST) || young_size > old_size {
        return false;
    }
    let same = |from: u64, len: u64| {
        let (mut one, mut other) = (vec![0; len as usize], vec![0; len as usize]);
        let read = young.read_exact_at(&mut one, from).and_then(|()| old.read_exact_at(&mut other, from));
        read.is_ok() && one == other
    };
    let (first, last) = (shared.min(PREFIX as u64), shared.min(MARKER as u64));
    same(0, first) && same(shared - last, last)
}

/// Places reached in content that has gone, newest first.
#[derive(Default)]
pub struct Past(VecDeque<(Instant, Reached)>);

impl Past {
    /// Remembers a place.
    pub fn add(&mut self, reached: Reached) {
        self.0.push_front((Instant::now(), reached));
        self.0.truncate(MOST);
    }

    /// Remembers a place, if there is one.
    pub fn extend(&mut self, reached: Option<Reached>) {
        if let Some(reached) = reached {
            self.add(reached);
        }
    }

    /// Forgets the place of a stream that is followed on: it has one that is newer.
    pub fn forget(&mut self, stream: StreamId) {
        self.0.retain(|(_, reached)| reached.stream != stream);
    }

    /// Forgets places that are too old.
    pub fn age(&mut self) {
        self.0.retain(|(since, _)| since.elapsed() < LONGEST);
    }

    /// What is known of content: the place from which it goes on, or that it may yet grow to one.
    pub fn judge(&self, key: &IdentityKey, content: &Content) -> (Option<Reached>, bool) {
        let mut short = false;
        for (_, reached) in &self.0 {
            match reached.kin(key, content) {
                Kin::GoesOn => return (Some(*reached), false),
                Kin::Short => short = true,
                Kin::Other => {}
            }
        }
        (None, short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn content(bytes: &[u8]) -> Content {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        Content::of(file).expect("readable").0
    }

    #[test]
    fn content_is_known_by_its_beginning_and_its_place() {
        let key = IdentityKey::new(&[1; 32]);
        let text: Vec<u8> = (0..500).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let offset = 2000;
        let reached = Reached {
            stream: StreamId([1; 16]),
            prefix: key.mark(&text[..PREFIX]),
            at: Position { generation: 0, offset },
            mark: key.mark(&text[1800..2000]),
            from: offset,
        };
        let mut other = text.clone();
        other[1900] ^= 1;
        let gzip = zstd::encode_all(&text[..], 1).expect("packed");
        for (bytes, kin) in [
            (&text[..], Kin::GoesOn),
            (&text[..2000], Kin::GoesOn),
            (&text[..1999], Kin::Short),
            (&text[..1100], Kin::Short),
            (&text[..900], Kin::Other),
            (&text[1..], Kin::Other),
            (&other, Kin::Other),
            (&gzip, Kin::GoesOn),
        ] {
            assert_eq!(reached.kin(&key, &content(bytes)), kin, "{} bytes", bytes.len());
        }
        let mut past = Past::default();
        past.add(reached);
        assert!(past.judge(&key, &content(&text)).0.is_some());
        assert!(past.judge(&key, &content(&text[..1500])).1);
        past.forget(StreamId([1; 16]));
        assert_eq!(past.judge(&key, &content(&text)), (None, false));
    }

    #[test]
    fn a_copy_in_the_making_is_part_of_its_original() {
        let text: Vec<u8> = (0..500).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let part = |young: &[u8]| is_part_of(&content(young), young.len() as u64, &content(&text), text.len() as u64);
        assert!(part(&text) && part(&text[..1000]) && part(&text[..64]));
        assert!(!part(&text[..63]) && !part(b"") && !part(&[&text[..], b"more\n"].concat()));
        let mut other = text[..1000].to_vec();
        other[999] = b'!';
        assert!(!part(&other));
    }
}
