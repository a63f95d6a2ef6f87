//! `email-spelled`: addresses written so that robots do not read them: `jan [at] example [dot] com`,
//! `jan(at)example.com`. Brackets around the word are demanded; a bare `at` is prose.

use super::ShapeHit;
use super::edge::{char_before, starts_with_fold};
use crate::redact::validate::Verdict;

pub(super) const SIGNS: &[&str] = &["[at]", "(at)", "{at}", "<at>", "[ at ]", "( at )", "[@]", "(@)"];
const DOTS: [&str; 7] = ["[dot]", "(dot)", "{dot}", "<dot>", "[.]", "(.)", "[punkt]"];

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let sign = SIGNS.iter().find(|sign| starts_with_fold(&text[at..], sign))?;
    let end_of_local = at - usize::from(at > floor && text[at - 1] == b' ');
    let start = local_start(text, end_of_local, floor);
    if start == end_of_local {
        return None;
    }
    let host = skip_space(text, at + sign.len());
    let mut end = label_end(text, host);
    if end == host {
        return None;
    }
    let mut labels = 0;
    while let Some(next) = dot_end(text, end) {
        let label = label_end(text, next);
        if label < next + 2 {
            break;
        }
        labels += 1;
        end = label;
    }
    (labels > 0).then(|| ShapeHit::new(start, end, Verdict::Proves))
}

/// Start of the local part that ends at `end`, at most 64 bytes before.
fn local_start(text: &[u8], end: usize, floor: usize) -> usize {
    let lowest = floor.max(end.saturating_sub(64));
    let mut start = end;
    while let Some(c) = char_before(text, start, lowest) {
        if !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+')) {
            break;
        }
        start -= c.len_utf8();
    }
    start
}

fn label_end(text: &[u8], from: usize) -> usize {
    from + text[from.min(text.len())..].iter().take(63).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count()
}

/// Past a dot, spelled or not, with spaces around a spelled one.
fn dot_end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'.') {
        return Some(at + 1);
    }
    let from = skip_space(text, at);
    let dot = DOTS.iter().find(|dot| starts_with_fold(&text[from..], dot))?;
    Some(skip_space(text, from + dot.len()))
}

fn skip_space(text: &[u8], at: usize) -> usize {
    at + usize::from(text.get(at) == Some(&b' '))
}
