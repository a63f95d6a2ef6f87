//! `iban`: international account numbers in either case, glued or in groups of four.
//!
//! The country gives the length, so the number ends where it must and what follows stays. A failed check
//! makes it an ordinary part number, unless the word `iban` stands right before it.

use super::ShapeHit;
use super::edge::{byte_before, ends_with_fold, previous_word, space_len, word_after, word_before};
use crate::redact::validate::{Verdict, iban};

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let gap = usize::from(byte_before(text, at, floor, b' '));
    let start = at.checked_sub(2 + gap).filter(|start| *start >= floor)?;
    // Cheapest first: before most digits stand no letters.
    if !text[start].is_ascii_alphabetic() || !text[start + 1].is_ascii_alphabetic() {
        return None;
    }
    let country = [text[start].to_ascii_uppercase(), text[start + 1].to_ascii_uppercase()];
    let len = iban::country_len(&country)?;
    if word_before(text, start, floor) {
        return None;
    }
    let mut compact = [0u8; 34];
    compact[..2].copy_from_slice(&country);
    let end = read(text, at, &mut compact[..len])?;
    if word_after(text, end) {
        return None;
    }
    match iban::check_compact(&compact[..len]) {
        Verdict::Refutes => {
            let labelled = ends_with_fold(previous_word(text, start, floor), "iban");
            labelled.then(|| ShapeHit::new(start, end, Verdict::Silent))
        }
        verdict => Some(ShapeHit::new(start, end, verdict)),
    }
}

/// Fills `compact` from its third character on; returns where the number ends in the text.
fn read(text: &[u8], mut at: usize, compact: &mut [u8]) -> Option<usize> {
    for (i, slot) in compact.iter_mut().enumerate().skip(2) {
        // Groups of four, counted with or without the country letters.
        if i % 4 == 0 || i % 4 == 2 {
            at += match text.get(at) {
                Some(b'-' | b'+' | b'.') => 1,
                _ => space_len(text, at),
            };
        }
        let byte = *text.get(at)?;
        if !byte.is_ascii_alphanumeric() || (i < 4 && !byte.is_ascii_digit()) {
            return None;
        }
        *slot = byte.to_ascii_uppercase();
        at += 1;
    }
    Some(at)
}
