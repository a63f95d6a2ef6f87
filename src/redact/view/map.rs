//! The offset map of a view: piecewise, from decoded bytes to source bytes.
//!
//! Invariant: runs are sorted, contiguous and cover the whole decoded text; a run either copies (one
//! decoded byte per source byte) or replaces (all its decoded bytes came from all its source bytes).

use crate::redact::finding::Span;

/// Maps spans of a decoded text to the spans of the source text they came from.
#[derive(Default)]
pub struct OffsetMap {
    runs: Vec<Run>,
    decoded_len: u32,
    source_len: u32,
}

#[derive(Clone, Copy)]
struct Run {
    decoded: u32,
    source: u32,
    copies: bool,
}

impl OffsetMap {
    /// Empties the map; what is appended next starts at source offset `source`.
    pub fn reset(&mut self, source: usize) {
        self.runs.clear();
        self.decoded_len = 0;
        self.source_len = source as u32;
    }

    /// The next `len` decoded bytes are the next `len` source bytes.
    pub fn copy(&mut self, len: usize) {
        if len == 0 {
            return;
        }
        if !matches!(self.runs.last(), Some(run) if run.copies) {
            self.runs.push(Run { decoded: self.decoded_len, source: self.source_len, copies: true });
        }
        self.decoded_len += len as u32;
        self.source_len += len as u32;
    }

    /// The next `decoded` bytes all stand for the next `source` bytes (`decoded` may be 0: bytes skipped).
    pub fn replace(&mut self, decoded: usize, source: usize) {
        self.runs.push(Run { decoded: self.decoded_len, source: self.source_len, copies: false });
        self.decoded_len += decoded as u32;
        self.source_len += source as u32;
    }

    /// The source bytes that `span` of the decoded text came from; bytes skipped inside are included,
    /// bytes skipped at either end are not.
    pub fn to_source(&self, span: Span) -> Span {
        let first = self.run_at(span.start);
        let last = self.run_at(span.end - 1);
        let start = match self.runs[first] {
            run if run.copies => run.source + (span.start - run.decoded),
            run => run.source,
        };
        let end = match self.runs[last] {
            run if run.copies => run.source + (span.end - run.decoded),
            _ => self.runs.get(last + 1).map_or(self.source_len, |next| next.source),
        };
        Span { start, end }
    }

    /// True when the decoded byte at `at` was made by decoding, not copied.
    #[cfg(any(test, fuzzing))]
    pub fn produced(&self, at: usize) -> bool {
        (at as u32) < self.decoded_len && !self.runs[self.run_at(at as u32)].copies
    }

    /// True when any byte of the decoded `span` was made by decoding, or any was skipped inside it.
    pub fn produced_in(&self, span: Span) -> bool {
        let first = self.run_at(span.start);
        !self.runs[first].copies || self.runs.get(first + 1).is_some_and(|next| next.decoded < span.end)
    }

    /// Index of the run that holds the decoded byte `at`.
    fn run_at(&self, at: u32) -> usize {
        // Runs that decode to nothing share their successor's start; the last one starting at or
        // before `at` is the one that really holds it.
        self.runs.partition_point(|run| run.decoded <= at) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_replaces_and_skips_map_back() {
        let mut map = OffsetMap::default();
        map.reset(10);
        map.copy(3);
        map.replace(1, 6);
        map.replace(0, 2);
        map.copy(2);
        assert_eq!(map.to_source(Span::new(0, 3)), Span::new(10, 13));
        assert_eq!(map.to_source(Span::new(2, 4)), Span::new(12, 19));
        assert_eq!(map.to_source(Span::new(3, 5)), Span::new(13, 22));
        assert_eq!(map.to_source(Span::new(4, 6)), Span::new(21, 23));
    }
}
