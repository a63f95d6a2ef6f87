//! From findings to masks: the union of all spans, one label each.
//!
//! Invariants: no byte of any finding stays readable; the label of a union is the most severe finding's, of
//! equal severity the longest's.

use super::finding::Span;
use super::rule::{RuleIndex, Severity};
use crate::token::Token;

/// What a mask shows beside its label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// `[label]`
    Label,
    /// `[label-1111]`
    Last([u8; 4]),
    /// The token itself.
    Token(Token),
}

/// How the quotes around a mask are written that stands for a bare number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// As in the record: behind so many backslashes.
    Raw(usize),
    /// As in the view of this number, there behind so many backslashes.
    View(u16, u8),
}

/// A finding mapped to the raw record.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) span: Span,
    pub(super) rule: RuleIndex,
    pub(super) severity: Severity,
    pub(super) shown: Shown,
    /// Which view it was found in (0: the raw record).
    pub(super) view: u16,
    /// The value is a bare number of JSON in the text where it was found: the mask needs quotes.
    pub(super) number: Option<Quotes>,
    /// The span is a whole base64 or hex run.
    pub(super) run: bool,
}

/// Merges overlapping claims in place; what is left is sorted and disjoint.
pub(super) fn merge(claims: &mut Vec<Claim>) {
    sort(claims);
    let mut kept = 0;
    for place in 0..claims.len() {
        let next = claims[place];
        if kept > 0 && next.span.start < claims[kept - 1].span.end {
            let into = claims[kept - 1];
            claims[kept - 1] = joined(into, next);
        } else {
            claims[kept] = next;
            kept += 1;
        }
    }
    claims.truncate(kept);
}

/// In order of their starts, the longer first, of equal spans the raw record's before those of views.
pub(super) fn sort(claims: &mut [Claim]) {
    claims.sort_unstable_by_key(|claim| (claim.span.start, u32::MAX - claim.span.end, claim.view));
}

fn joined(one: Claim, two: Claim) -> Claim {
    let span = Span { start: one.span.start, end: one.span.end.max(two.span.end) };
    // Text found both raw and in a view is described best by the raw finding: it comes first in the order.
    let stronger = (two.severity, two.span.len()) > (one.severity, one.span.len());
    let mut claim = if stronger { two } else { one };
    if one.run && two.run && one.span == two.span && one.shown != two.shown {
        // Several values in one run: a token would speak for one of them only.
        claim.shown = Shown::Label;
    } else if one.span != two.span && claim.span != span {
        // The union is wider than the value that was recognised: its token or last digits would lie.
        claim.shown = Shown::Label;
    }
    // A union is a bare number only when all of it is.
    let whole = |claim: &Claim| claim.number.filter(|_| claim.span == span);
    let number = whole(&one).or(whole(&two));
    Claim { span, number, ..claim }
}

/// True when the span lies in a JSON object's key: its string closes and a colon follows.
pub(super) fn in_key_position(raw: &[u8], span: Span, limit: usize) -> bool {
    let tail = &raw[span.end as usize..limit.min(span.end as usize + 256)];
    let Some(quote) = memchr::memchr(b'"', tail) else { return false };
    if tail[..quote].iter().any(|byte| matches!(byte, b',' | b'{' | b'}' | b':')) {
        return false;
    }
    let rest = &tail[quote + 1..];
    rest.iter().find(|byte| **byte != b' ') == Some(&b':')
}
