//! The door of the engine: blocks of raw records in, [`Redacted`] records out.
//!
//! Invariants: `Redacted` can only be made here; every record handed in comes out exactly once and in
//! order; if anything fails while a record is redacted it comes out withheld, never raw.

use super::rule::RuleIndex;
use super::ruleset::RuleSet;
use std::ops::Range;
use std::sync::Arc;

/// Raw record text on its way into the engine. Deliberately without `Debug`, `Display` and `Serialize`.
#[derive(Clone, Copy)]
pub struct RawLine<'a>(pub &'a [u8]);

/// Redacts for one worker: owns scratch space that is cleared and reused, never dropped.
pub struct Redactor {
    rules: Arc<RuleSet>,
}

/// What must be remembered of one stream between calls: an open key block that continues on later lines.
#[derive(Default)]
pub struct StreamState {}

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

/// A record with its masks applied; a view into the redactor's scratch space, valid until the next record.
pub struct Redacted<'a> {
    raw: &'a [u8],
    range: Range<usize>,
}

/// A piece of a redacted record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes exactly as read.
    Keep(&'a [u8]),
    /// Bytes that stand in place of masked ones.
    Mask(&'a [u8]),
}

impl Redactor {
    /// A redactor over a compiled rule set.
    pub fn new(rules: Arc<RuleSet>) -> Redactor {
        Redactor { rules }
    }

    /// Continues with another rule set; takes effect at the next call of [`Redactor::redact`].
    pub fn set_rules(&mut self, rules: Arc<RuleSet>) {
        self.rules = rules;
    }

    /// The rule set in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Redacts the records of `block` and hands them to `each` in order. Record `i` ends at `ends[i]`
    /// (its terminating `\n`, where it has one, is the last byte before that offset and is not part of the
    /// record's text) and starts where the one before it ended.
    pub fn redact(
        &mut self,
        stream: &mut StreamState,
        block: &[u8],
        ends: &[u32],
        each: &mut dyn FnMut(&Redacted<'_>),
    ) {
        let _ = stream;
        let mut start = 0;
        for &end in ends {
            let end = end as usize;
            each(&Redacted { raw: &block[start..end], range: start..end });
            start = end;
        }
    }
}

impl<'a> Redacted<'a> {
    /// The record's pieces in order, without its line end.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let _ = self.raw;
        std::iter::once(Piece::Mask(&b"[withheld-internal]"[..]))
    }

    /// Where the raw record stood in the block, line end included.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Rules that masked something in this record, each once.
    pub fn rules(&self) -> &[RuleIndex] {
        &[]
    }

    /// Tokens minted for this record, at most 64.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// Set when the record's text was replaced as a whole.
    pub fn withheld(&self) -> Option<Withheld> {
        Some(Withheld::Internal)
    }

    /// True when the record lies inside a key block (its first and last line included) that a later record
    /// may continue: a saved position must not pass the first such record of an unfinished block.
    pub fn in_open_block(&self) -> bool {
        false
    }

    /// Appends the redacted text to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        for piece in self.pieces() {
            match piece {
                Piece::Keep(bytes) | Piece::Mask(bytes) => out.extend_from_slice(bytes),
            }
        }
    }
}
