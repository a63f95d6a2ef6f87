//! `track-data`: what a card's magnetic stripe says. Track 2 (`;PAN=YYMM…?`) from the number to its last
//! digit, track 1 (`%BPAN^NAME^YYMM…?`) from the number to the end sentinel.

use super::ShapeHit;
use super::edge::{byte_before, char_before};
use super::groups::Groups;
use crate::redact::validate::{Verdict, luhn};

/// Longest track read after the number, in bytes.
const TRACK_MAX: usize = 80;

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    // Cheapest first: few digit groups are as long as a card.
    if !text.get(at..at + 12)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let start = if byte_before(text, at, floor, b'B') { at - 1 } else { at };
    if char_before(text, start, floor).is_some_and(char::is_alphanumeric) {
        return None;
    }
    let groups = Groups::read(text, at, 19);
    let (digits, end) = groups.prefix(groups.sizes().get(..1)?)?;
    if digits.len() < 12 || !luhn::passes(digits) {
        return None;
    }
    let rest = &text[end..text.len().min(end + TRACK_MAX)];
    let len = match rest.first()? {
        b'=' | b'D' => 1 + rest[1..].iter().take_while(|b| b.is_ascii_digit()).count(),
        b'^' => rest.iter().take_while(|b| (b' '..=b'~').contains(b) && !matches!(b, b'?' | b'"')).count(),
        _ => return None,
    };
    let dated = rest[..len].iter().filter(|b| b.is_ascii_digit()).count() >= 7;
    dated.then(|| ShapeHit::new(at, end + len, Verdict::Proves))
}
