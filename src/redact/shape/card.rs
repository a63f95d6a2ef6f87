//! `card`: payment card numbers, plain or in the groups cards are printed in.
//!
//! A plain number proves at its issuer's usual length only. Trace and span ids look like cards 3.4 % of
//! the time; under their own key even a perfect 16-digit number stays silent.

use super::ShapeHit;
use super::edge::{ends_with_fold, previous_word};
use super::groups::{Groups, free_left, free_right, run_len};
use crate::redact::validate::{Verdict, card, luhn};

/// Groupings of printed cards, longest first.
pub(super) const GROUPINGS: [&[u8]; 6] =
    [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 5, 6], &[6, 13]];

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if !(b'2'..=b'8').contains(text.get(at)?) || !free_left(text, at, floor) {
        return None;
    }
    // Cheapest first: most groups of digits are too short or too long to begin a card.
    if !matches!(run_len(text, at, 20), 4 | 6 | 12..=19) {
        return None;
    }
    let groups = Groups::read(text, at, 19);
    match *groups.sizes().first()? {
        12..=19 => plain(text, at, floor, &groups),
        4 | 6 => GROUPINGS.iter().find_map(|sizes| grouped(text, at, &groups, sizes)),
        _ => None,
    }
}

fn plain(text: &[u8], at: usize, floor: usize, groups: &Groups) -> Option<ShapeHit> {
    let (digits, end) = groups.prefix(&groups.sizes()[..1])?;
    let verdict = card::check_digits(digits);
    if verdict == Verdict::Refutes || !free_right(text, end) {
        return None;
    }
    let verdict = if under_trace_key(text, at, floor) { Verdict::Silent } else { verdict };
    Some(ShapeHit::new(at, end, verdict))
}

fn grouped(text: &[u8], at: usize, groups: &Groups, sizes: &[u8]) -> Option<ShapeHit> {
    let (digits, end) = groups.prefix(sizes)?;
    let verdict = match card::check_digits(digits) {
        Verdict::Refutes => return None,
        Verdict::Silent if luhn::passes(digits) => Verdict::Proves,
        verdict => verdict,
    };
    free_right(text, end).then(|| ShapeHit::new(at, end, verdict))
}

fn under_trace_key(text: &[u8], at: usize, floor: usize) -> bool {
    let word = previous_word(text, at, floor);
    ["trace_id", "span_id", "traceid", "spanid", "trace-id", "span-id", "parent_id", "parentid", "parent-id"]
        .iter()
        .any(|key| ends_with_fold(word, key))
}
