//! A record with its masks applied: what the engine hands out.
//!
//! Invariant: made in this folder only, by [`super::redactor`].

use super::claims::Edit;
use super::finding::Withheld;
use super::rule::RuleIndex;
use crate::token::Token;
use std::ops::Range;

/// A record with its masks applied; a view into the redactor's scratch space, valid until the next record.
pub struct Redacted<'a> {
    pub(super) raw: &'a [u8],
    pub(super) range: Range<usize>,
    pub(super) edits: &'a [Edit],
    pub(super) masks: &'a [u8],
    pub(super) rules: &'a [RuleIndex],
    pub(super) shadowed: &'a [RuleIndex],
    pub(super) allowed: &'a [RuleIndex],
    pub(super) tokens: &'a [Token],
    pub(super) withheld: Option<Withheld>,
    pub(super) in_open_block: bool,
}

/// A piece of a redacted record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes exactly as read.
    Keep(&'a [u8]),
    /// Bytes that stand in place of masked ones.
    Mask(&'a [u8]),
}

impl<'a> Redacted<'a> {
    /// The record's pieces in order, without its line end.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut at = 0;
        let mut edits = self.edits.iter();
        let mut pending: Option<&Edit> = None;
        let (raw, masks) = (self.raw, self.masks);
        std::iter::from_fn(move || {
            if let Some(edit) = pending.take() {
                at = edit.end as usize;
                return Some(Piece::Mask(&masks[edit.mask.start as usize..edit.mask.end as usize]));
            }
            match edits.next() {
                Some(edit) => {
                    pending = Some(edit);
                    Some(Piece::Keep(&raw[at..edit.start as usize]))
                }
                None if at < raw.len() => {
                    let rest = &raw[at..];
                    at = raw.len();
                    Some(Piece::Keep(rest))
                }
                None => None,
            }
        })
    }

    /// Every mask in order: the rule it shows (none when the record is withheld), the bytes of the record it
    /// stands for, and its text.
    pub fn masked(&self) -> impl Iterator<Item = (Option<RuleIndex>, Range<usize>, &[u8])> {
        self.edits.iter().map(|edit| {
            let text = &self.masks[edit.mask.start as usize..edit.mask.end as usize];
            (edit.rule, edit.start as usize..edit.end as usize, text)
        })
    }

    /// Where the raw record stood in the block, line end included.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Rules that masked something in this record, each once.
    pub fn rules(&self) -> &[RuleIndex] {
        self.rules
    }

    /// Rules in shadow that would have masked something in this record, each once.
    pub fn shadowed(&self) -> &[RuleIndex] {
        self.shadowed
    }

    /// The rules of this record's findings that an exception let through, one a finding.
    pub fn allowed(&self) -> &[RuleIndex] {
        self.allowed
    }

    /// Number of masks in this record.
    pub fn masks(&self) -> usize {
        self.edits.len()
    }

    /// Tokens minted for this record, at most 64.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(Token::as_str)
    }

    /// Set when the record's text was replaced as a whole.
    pub fn withheld(&self) -> Option<Withheld> {
        self.withheld
    }

    /// True when the record lies inside a key block or a keyed value (its first line included) that a later
    /// record may continue: a saved position must not pass the first such record of what is unfinished.
    pub fn in_open_block(&self) -> bool {
        self.in_open_block
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
