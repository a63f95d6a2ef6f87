//! One level of decoding, in scratch space that is reused.

use super::chain::Encoding;
use super::map::OffsetMap;
use crate::redact::finding::Span;

/// One level of decoding: text, and where it came from in the level above.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) encoding: Option<Encoding>,
    pub(super) text: Vec<u8>,
    pub(super) map: OffsetMap,
    /// Set for run encodings: every decoded byte stands for the whole of this span.
    pub(super) whole: Option<Span>,
    /// The first `context` bytes of `text` are copied from before the decoded region.
    pub(super) context: usize,
}

impl Frame {
    /// Maps a span of this level's text to the level above.
    pub(super) fn to_source(&self, span: Span) -> Span {
        self.whole.unwrap_or_else(|| self.map.to_source(span))
    }

    /// True when the byte at `at` of this level's text was made by decoding rather than copied.
    #[cfg(any(test, fuzzing))]
    pub(super) fn produced(&self, at: usize) -> bool {
        self.whole.is_some() || self.map.produced(at)
    }

    /// True when any byte of `span` of this level's text was made by decoding, or any was skipped in it.
    pub(super) fn produced_in(&self, span: Span) -> bool {
        self.whole.is_some() || self.map.produced_in(span)
    }
}
