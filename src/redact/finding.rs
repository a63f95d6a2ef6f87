//! Spans and findings: what every finder reports and the mask step consumes.
//!
//! A span is half-open, in bytes of the text the finder was given (the raw record or a decoded view).

use super::rule::RuleIndex;

/// Half-open byte range `[start, end)`; `start < end` for every reported finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// First byte after.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets. Records are cut below 4 GiB long before this type sees them.
    pub fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes of `text` this span covers.
    pub fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The span as offsets from `origin`, which it does not begin before.
    pub fn relative_to(&self, origin: usize) -> std::ops::Range<usize> {
        self.start as usize - origin..self.end as usize - origin
    }

    /// Number of bytes covered.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// True when nothing is covered.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// True when the two spans share a byte.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// One rule's claim on one span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which rule claims it.
    pub rule: RuleIndex,
    /// What it claims.
    pub span: Span,
}

/// Why a record's text was replaced as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withheld {
    /// Decoding would have exceeded the record's budget.
    Decode,
    /// The record is longer than the engine takes.
    Oversize,
    /// The engine panicked on it.
    Internal,
}

impl Withheld {
    /// The reason's word in `[withheld-REASON]`, metrics and counters.
    pub fn name(self) -> &'static str {
        match self {
            Withheld::Decode => "decode",
            Withheld::Oversize => "oversize",
            Withheld::Internal => "internal",
        }
    }
}
