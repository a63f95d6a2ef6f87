//! Recognises content that was already read under another identity: the copy that copy-and-truncate leaves, a
//! rotated file that was packed or moved to another file system.
//!
//! Invariant: content counts as known only when its first bytes and the bytes before the place reached are those
//! that were read there; in doubt it is new, so it is read twice rather than not at all.

use super::content::{Content, End};
use super::identity::{IdentityKey, MARKER, Mark, PREFIX};
use crate::record::{Position, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shortest beginning that says anything, bytes.
pub const SHORTEST: u16 = 64;
/// Places remembered.
const MOST: usize = 1024;
/// How long a place is remembered after its content has gone.
const LONGEST: Duration = Duration::from_secs(900);

/// How far content was read that is no longer where it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// Places reached before, each with what stands before it, oldest first: for copies that end before the place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<(u64, Mark)>,
}

/// What content is to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kin {
    /// Something else.
    Other,
    /// It holds what was read up to the place.
    GoesOn,
    /// It begins alike and ends before the place; an earlier place was this one, 0 where none was.
    Short(u64),
}

impl Reached {
    /// Which content it is a place of: a stream's, in one generation.
    fn content(&self) -> (StreamId, u32) {
        (self.stream, self.at.generation)
    }

    /// Compares content with the place.
    pub fn kin(&self, key: &IdentityKey, content: &Content) -> Kin {
        if self.prefix.len < SHORTEST || !key.matches(content, u64::from(self.prefix.len), self.prefix) {
            return Kin::Other;
        }
        if key.matches(content, self.at.offset, self.mark) {
            return Kin::GoesOn;
        }
        let ends_before = content.read_at(&mut [0], self.at.offset.saturating_sub(1)).is_ok_and(|count| count == 0);
        if !ends_before || content.end() == End::Damaged {
            return Kin::Other;
        }
        let known = self.earlier.iter().rev().find(|(at, mark)| key.matches(content, *at, *mark));
        Kin::Short(known.map_or(0, |(at, _)| *at))
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
pub struct Past(VecDeque<Gone>);

struct Gone {
    since: Instant,
    reached: Reached,
    /// A copy is followed.
    found: bool,
}

/// What is known of content.
pub struct Judged {
    /// The place from which it goes on.
    pub goes_on: Option<Reached>,
    /// It begins alike and may yet grow to a place; where it goes on if it does not.
    pub short: Option<Reached>,
}

impl Past {
    /// Remembers a place, instead of another one of the same content.
    pub fn add(&mut self, reached: Reached) {
        self.forget(reached.stream, reached.at.generation);
        self.0.push_front(Gone { since: Instant::now(), reached, found: false });
        self.0.truncate(MOST);
    }

    /// Remembers a place, if there is one.
    pub fn extend(&mut self, reached: Option<Reached>) {
        if let Some(reached) = reached {
            self.add(reached);
        }
    }

    /// Forgets the place in content that is followed on: it has one that is newer.
    pub fn forget(&mut self, stream: StreamId, generation: u32) {
        self.0.retain(|gone| gone.reached.content() != (stream, generation));
    }

    /// A copy of this content is followed: the next start need not look for one.
    pub fn found(&mut self, reached: &Reached) {
        let same = self.0.iter_mut().filter(|gone| gone.reached.content() == reached.content());
        same.for_each(|gone| gone.found = true);
    }

    /// Places of which no copy has been found, newest first.
    pub fn open(&self) -> impl Iterator<Item = &Reached> {
        self.0.iter().filter(|gone| !gone.found).map(|gone| &gone.reached)
    }

    /// Forgets places that are too old.
    pub fn age(&mut self) {
        self.0.retain(|gone| gone.since.elapsed() < LONGEST);
    }

    /// What is known of content: the place from which it goes on, or that it may yet grow to one.
    pub fn judge(&self, key: &IdentityKey, content: &Content) -> Judged {
        let (mut goes_on, mut short): (Option<&Reached>, Option<Reached>) = (None, None);
        for Gone { reached, .. } in &self.0 {
            match reached.kin(key, content) {
                // What was replaced by what goes on where it ended is known by two places.
                Kin::GoesOn if goes_on.is_none_or(|best| best.from < reached.from) => goes_on = Some(reached),
                Kin::Short(at) if short.as_ref().is_none_or(|best| best.from < at) => {
                    short = Some(Reached { from: at.min(reached.from), ..reached.clone() });
                }
                Kin::GoesOn | Kin::Short(_) | Kin::Other => {}
            }
        }
        Judged { goes_on: goes_on.cloned(), short: short.filter(|_| goes_on.is_none()) }
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
            earlier: vec![(500, key.mark(&text[300..500])), (1500, key.mark(&text[1300..1500]))],
        };
        let mut other = text.clone();
        other[1900] ^= 1;
        let gzip = zstd::encode_all(&text[..], 1).expect("packed");
        for (bytes, kin) in [
            (&text[..], Kin::GoesOn),
            (&text[..2000], Kin::GoesOn),
            (&text[..1999], Kin::Short(1500)),
            (&text[..1500], Kin::Short(1500)),
            (&text[..1100], Kin::Short(500)),
            (&text[..900], Kin::Other),
            (&text[1..], Kin::Other),
            (&other, Kin::Other),
            (&gzip, Kin::GoesOn),
        ] {
            assert_eq!(reached.kin(&key, &content(bytes)), kin, "{} bytes", bytes.len());
        }
        let mut past = Past::default();
        past.add(reached.clone());
        assert!(past.judge(&key, &content(&text)).goes_on.is_some());
        let short = past.judge(&key, &content(&text[..1600]));
        assert_eq!((short.goes_on, short.short.map(|short| short.from)), (None, Some(1500)));
        assert_eq!(past.open().count(), 1);
        past.found(&reached);
        assert_eq!(past.open().count(), 0);
        past.forget(StreamId([1; 16]), 1);
        assert!(past.judge(&key, &content(&text)).goes_on.is_some(), "that is other content");
        past.forget(StreamId([1; 16]), 0);
        let none = past.judge(&key, &content(&text));
        assert!(none.goes_on.is_none() && none.short.is_none());
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
