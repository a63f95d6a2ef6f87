//! `mac`: hardware addresses as six pairs (`00:00:5e:00:53:01`, `00-00-5E-…`) or three quads
//! (`0000.5e00.5301`). Eight pairs are an EUI-64; fourteen are the two addresses and the type of a
//! firewall line, of which the first twelve go. Longer chains are key fingerprints and stay. All zeros and
//! all ones name nobody.

use super::ShapeHit;
use super::edge::{word_after, word_before};
use crate::redact::validate::Verdict;

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    match text.get(at)? {
        separator @ (b':' | b'-') => pairs(text, at, floor, *separator),
        b'.' => quads(text, at, floor),
        _ => None,
    }
}

fn pairs(text: &[u8], at: usize, floor: usize, separator: u8) -> Option<ShapeHit> {
    let start = at.checked_sub(2).filter(|start| *start >= floor)?;
    // Cheapest first: most colons belong to times.
    if text.get(at + 3) != Some(&separator) || text.get(at + 6) != Some(&separator) || !hex(text, start, 2) {
        return None;
    }
    if word_before(text, start, floor) || (start > floor && text[start - 1] == separator && chained(text, start, floor))
    {
        return None;
    }
    let mut count = 1;
    while count <= 20 && text.get(start + 3 * count - 1) == Some(&separator) && hex(text, start + 3 * count, 2) {
        count += 1;
    }
    let whole_end = start + 3 * count - 1;
    let masked = match count {
        6 | 8 => count,
        14 => 12,
        _ => return None,
    };
    if word_after(text, whole_end) {
        return None;
    }
    named(text, start, start + 3 * masked - 1)
}

/// True when the separator just before `start` itself follows two hexadecimal digits: the chain began earlier, unless
/// they are the end of a word, `mac:00:…`.
fn chained(text: &[u8], start: usize, floor: usize) -> bool {
    start >= floor + 3 && hex(text, start - 3, 2) && !word_before(text, start - 3, floor)
}

fn quads(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let start = at.checked_sub(4).filter(|start| *start >= floor)?;
    if text.get(at + 5) != Some(&b'.') || !hex(text, start, 4) || !hex(text, at + 1, 4) || !hex(text, at + 6, 4) {
        return None;
    }
    let end = at + 10;
    let joined = start > floor && text[start - 1] == b'.';
    let continues = text.get(end) == Some(&b'.') && word_after(text, end + 1);
    if word_before(text, start, floor) || word_after(text, end) || joined || continues {
        return None;
    }
    named(text, start, end)
}

/// A hit unless the address is all zeros or all ones; silent when neither a colon nor a letter tells it from
/// grouped numbers.
fn named(text: &[u8], start: usize, end: usize) -> Option<ShapeHit> {
    let address = &text[start..end];
    let only = |digit: u8| address.iter().filter(|b| b.is_ascii_hexdigit()).all(|b| b.to_ascii_lowercase() == digit);
    if only(b'0') || only(b'f') {
        return None;
    }
    let decimal = address[2] != b':' && !address.iter().any(u8::is_ascii_alphabetic);
    Some(ShapeHit::new(start, end, if decimal { Verdict::Silent } else { Verdict::Proves }))
}

fn hex(text: &[u8], from: usize, len: usize) -> bool {
    text.get(from..from + len).is_some_and(|bytes| bytes.iter().all(u8::is_ascii_hexdigit))
}
