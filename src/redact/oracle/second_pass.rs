//! A second pass over what the engine has masked.
//!
//! - Of a text that keeps the grammar of its carrier, it changes nothing.
//! - Of any bytes it may mask more, and nothing else: a mask takes away what the text behind it was read by, such as a
//!   quote without partner or the first half of a word. No mask is cut or written anew, and a pass that changes
//!   something shows less than the one before, so that passes come to an end.

use super::carriers::carrier;
use super::draw::Draw;
use super::sample::{self, Pass};
use crate::redact::RuleSet;
use std::ops::Range;
use std::sync::Arc;

/// A second pass changes nothing in a carrier drawn from `data`, and masks more at most in `data` itself.
pub fn fuzz_idempotence(data: &[u8]) {
    let data = &data[..data.len().min(2048)];
    stays_masked(carrier(&mut Draw::new(data)).as_bytes());
    for rules in [sample::rules(), sample::builtin()] {
        only_masks_more(&rules, data);
    }
}

/// Two passes are as one.
pub(super) fn stays_masked(text: &[u8]) {
    for rules in [sample::rules(), sample::builtin()] {
        let once = sample::redact(&rules, text, &[usize::MAX]);
        let twice = sample::redact(&rules, &once, &[usize::MAX]);
        let shown = String::from_utf8_lossy;
        assert!(once == twice, "a second pass differs:\n{}\n{}\n{}", shown(text), shown(&once), shown(&twice));
    }
}

/// Pass after pass masks more, until one changes nothing.
fn only_masks_more(rules: &Arc<RuleSet>, text: &[u8]) {
    let mut before = sample::pass(rules, text, &[usize::MAX]);
    loop {
        let mut after = sample::pass(rules, &before.output, &[usize::MAX]);
        if after.output == before.output {
            return;
        }
        let fault = fault(&before, &after);
        let shown = String::from_utf8_lossy;
        assert!(fault.is_none(), "{fault:?}:\n{}\n{}", shown(&before.output), shown(&after.output));
        after.masks = masks_of_both(&before, &after);
        before = after;
    }
}

/// What is wrong with a pass over the output of the one before, and where.
fn fault(before: &Pass, after: &Pass) -> Option<(&'static str, usize)> {
    for edit in &after.replaced {
        let inside = || before.masks.iter().filter(|mask| mask.start < edit.end && edit.start < mask.end);
        if let Some(cut) = inside().find(|mask| mask.start < edit.start || edit.end < mask.end) {
            return Some(("a mask is cut", cut.start));
        }
        if inside().map(Range::len).sum::<usize>() == edit.len() {
            return Some(("a mask is written anew", edit.start));
        }
    }
    None
}

/// The masks of `after`, and those of `before` that it left, in the output of `after`.
fn masks_of_both(before: &Pass, after: &Pass) -> Vec<Range<usize>> {
    let edits = || after.replaced.iter().zip(&after.masks);
    let left =
        before.masks.iter().filter(|mask| edits().all(|(edit, _)| mask.end <= edit.start || edit.end <= mask.start));
    let moved = left.map(|mask| {
        let earlier = || edits().filter(|(edit, _)| edit.end <= mask.start);
        let (grown, gone): (usize, usize) =
            (earlier().map(|(_, new)| new.len()).sum(), earlier().map(|(edit, _)| edit.len()).sum());
        mask.start + grown - gone..mask.end + grown - gone
    });
    let mut masks: Vec<_> = moved.chain(after.masks.iter().cloned()).collect();
    masks.sort_by_key(|mask| mask.start);
    masks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice::from_ref;

    fn pass(replaced: &[Range<usize>], masks: &[Range<usize>]) -> Pass {
        Pass { output: Vec::new(), replaced: replaced.to_vec(), masks: masks.to_vec() }
    }

    #[test]
    fn masks_that_are_cut_or_written_anew_are_told() {
        let before = pass(&[], &[4..10, 20..25]);
        let fault = |edit: Range<usize>| fault(&before, &pass(from_ref(&edit), from_ref(&edit))).map(|(what, _)| what);
        assert_eq!(fault(5..12), Some("a mask is cut"));
        assert_eq!(fault(12..21), Some("a mask is cut"));
        assert_eq!(fault(4..10), Some("a mask is written anew"));
        assert_eq!(fault(3..10), None);
        assert_eq!(fault(10..20), None);
        assert_eq!(fault(0..30), None);
    }

    #[test]
    fn masks_of_both_passes_are_where_the_output_shows_them() {
        let before = pass(&[], &[0..4, 10..14, 30..34]);
        let after = pass(&[8..16, 20..22], &[8..12, 16..26]);
        assert_eq!(masks_of_both(&before, &after), [0..4, 8..12, 16..26, 34..38]);
    }
}
