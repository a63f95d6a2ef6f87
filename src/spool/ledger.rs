//! How far each stream is through, and which stretches before that place are still missing.
//!
//! Invariants: a place only moves forward; a range is either before the place and not in a gap (safe), in
//! a gap (to be read again), or behind the place (not yet read). A higher generation ends the older one:
//! its content is gone, and so are its gaps.

use crate::record::{Covers, Position, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a stream stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Everything before it is safe, but for the gaps.
    pub position: Position,
    /// What the source needs to recognise the position.
    pub resume: Vec<u8>,
    /// Stretches before the position that are not safe, in order, each within the position's generation.
    pub gaps: Vec<(Position, Position)>,
}

/// Places of all streams.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    streams: Vec<(StreamId, Place)>,
    #[serde(skip)]
    index: BTreeMap<StreamId, usize>,
}

impl Ledger {
    /// Enters a range as safe.
    pub fn apply(&mut self, covers: &Covers) {
        self.place_mut(covers.stream).apply(covers);
    }

    /// The place of a stream.
    pub fn place(&self, stream: StreamId) -> Option<&Place> {
        self.index.get(&stream).map(|&i| &self.streams[i].1)
    }

    /// All places.
    pub fn places(&self) -> impl Iterator<Item = (StreamId, &Place)> {
        self.streams.iter().map(|(stream, place)| (*stream, place))
    }

    /// Removes streams that have ended.
    pub fn forget(&mut self, ended: &[StreamId]) {
        self.streams.retain(|(stream, _)| !ended.contains(stream));
        self.reindex();
    }

    /// Rebuilds what is not stored; to be called after reading one back.
    pub(super) fn reindex(&mut self) {
        self.index = self.streams.iter().enumerate().map(|(i, (stream, _))| (*stream, i)).collect();
    }

    fn place_mut(&mut self, stream: StreamId) -> &mut Place {
        let next = self.streams.len();
        let at = *self.index.entry(stream).or_insert(next);
        if at == next {
            self.streams.push((stream, Place::default()));
        }
        &mut self.streams[at].1
    }
}

impl Place {
    fn apply(&mut self, covers: &Covers) {
        let (from, to) = (covers.from, covers.to);
        if from.generation < self.position.generation {
            return;
        }
        if from.generation > self.position.generation {
            *self = Place { position: Position { generation: from.generation, offset: 0 }, ..Place::default() };
        }
        if from > self.position {
            self.gaps.push((self.position, from));
        }
        self.close_gaps(from, to);
        if to >= self.position {
            self.position = to;
            self.resume.clone_from(&covers.resume);
        }
    }

    fn close_gaps(&mut self, from: Position, to: Position) {
        let gaps = std::mem::take(&mut self.gaps);
        for (start, end) in gaps {
            let left = (start, end.min(from));
            let right = (start.max(to), end);
            self.gaps.extend([left, right].into_iter().filter(|(start, end)| start < end));
        }
        self.gaps.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const STREAM: StreamId = StreamId([1; 16]);

    fn covers(generation: u32, from: u64, to: u64) -> Covers {
        let at = |offset| Position { generation, offset };
        Covers { stream: STREAM, from: at(from), to: at(to), resume: vec![to as u8] }
    }

    proptest! {
        #[test]
        fn agrees_with_a_set_of_bytes(ranges in prop::collection::vec((0u32..3, 0u64..40, 1u64..12), 0..30)) {
            let mut ledger = Ledger::default();
            let (mut generation, mut safe) = (0, BTreeSet::new());
            for (g, from, len) in ranges {
                ledger.apply(&covers(g, from, from + len));
                if g > generation {
                    generation = g;
                    safe.clear();
                }
                if g == generation {
                    safe.extend(from..from + len);
                }
                let place = ledger.place(STREAM).expect("entered");
                let end = safe.last().map_or(0, |last| last + 1);
                prop_assert_eq!(place.position, Position { generation, offset: end });
                let missing: Vec<u64> = (0..end).filter(|at| !safe.contains(at)).collect();
                let gaps: Vec<u64> = place.gaps.iter().flat_map(|(a, b)| a.offset..b.offset).collect();
                prop_assert_eq!(gaps, missing);
            }
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_ended_streams_go() {
        let mut ledger = Ledger::default();
        ledger.apply(&covers(0, 4, 9));
        let mut again: Ledger = serde_json::from_slice(&serde_json::to_vec(&ledger).unwrap()).unwrap();
        again.reindex();
        assert_eq!(again, ledger);
        again.forget(&[STREAM]);
        assert_eq!(again.place(STREAM), None);
    }
}
